//! `cargo xtask bench`: figures, never a test that could fail by time.

pub mod build;
mod bulk;
pub mod figures;
mod fill;
mod floor;
mod hostile;
pub mod intake;
mod machine;
pub mod mail;
mod postfix;
mod report;
mod served;
mod space;
mod wait;
pub mod with;
