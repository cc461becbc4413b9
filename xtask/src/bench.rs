//! `cargo xtask bench`: figures; never a test that could fail because of time.

pub mod build;
mod bulk;
pub mod commands;
pub mod figures;
mod fill;
mod floor;
mod hostile;
mod inside;
pub mod intake;
mod machine;
pub mod mail;
mod postfix;
mod report;
mod served;
pub mod snapshot;
mod space;
mod wait;
pub mod with;
