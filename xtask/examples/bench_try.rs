//! Scratch.
use clap::Parser;
#[derive(Parser)]
struct A { #[command(flatten)] a: xtask::bench::intake::IntakeArgs }
fn main() -> anyhow::Result<()> { xtask::bench::intake::run(&A::parse().a) }
