//! What the end-to-end tests share: a desk that is the built program, the letters it is sent, and the customer's mailbox.
//!
//! The tests know the program by its command line, its configuration file, its ports and its pages, and by nothing
//! else; only the test of upgrades uses the store, to bring a database to a version that does not exist yet. Run them
//! with `cargo xtask test -p guichet-tests`, or one topic with `cargo xtask test -p guichet-tests --test smtp`.

mod desk;
mod disk;
mod imap;
mod letter;
mod page;
mod peers;
mod rows;
mod trace;

pub use desk::{Desk, DeskOptions, Lmtp, WITHIN};
pub use disk::SmallDisk;
pub use imap::Imap;
pub use letter::{Letter, field, ids};
pub use page::Page;
pub use peers::{CUSTOMER, CUSTOMER_PASSWORD, Peers};
pub use trace::{Call, calls};

/// The native host of the account `acme`; `support@` at it takes mail from the start.
pub const NATIVE_HOST: &str = "acme.desk.example";
/// The native support address of the account `acme`.
pub const SUPPORT: &str = "support@acme.desk.example";
/// An external address that the tests register where they need one.
pub const EXTERNAL: &str = "help@shop.example";
/// The agent who answers.
pub const AGENT: &str = "bob@agents.example";
