//! What tests stand on: a database per test, and throw-away mail servers.
//!
//! Nothing here knows the other rooms, so that every room may use it in its tests. Servers and folders live outside the
//! checkout, under the system's temporary folder, and are stopped and removed when their value is dropped. Nothing of
//! this is part of the product: a step that fails says so and fails the test.

pub mod client;
pub mod database;
pub mod dns;
pub mod s3;
pub mod server;
mod statement;
