//! Scratch.
use clap::Parser;
#[derive(Parser)]
struct A { #[command(flatten)] a: xtask::kill::KillArgs }
fn main() -> anyhow::Result<()> { xtask::kill::run(&A::parse().a) }
