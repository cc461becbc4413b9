//! A whole desk for tests: a clock to turn, a store on either database, an engine, and what goes out.
//!
//! Servers and databases are `testkit`'s business. Nothing of this is part of the product: a step that fails says so and
//! fails the test.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too and may panic")]

mod case;
mod clock;
mod leftover;
mod patience;
mod test_desk;
mod text;

pub mod node;

pub use case::on_both;
pub use clock::FakeClock;
pub use leftover::Leftover;
pub use node::quick;
pub use patience::until;
pub use test_desk::{TestDesk, set, work};
pub use text::{answer, envelope, key, raw};
