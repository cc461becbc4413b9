//! `cargo xtask bench`: figures, never a test that could fail by time.

pub mod build;
pub mod figures;
mod floor;
pub mod intake;
mod machine;
mod postfix;
mod report;
mod served;
mod space;
pub mod with;
