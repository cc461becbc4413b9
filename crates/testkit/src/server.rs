//! Throw-away servers on free loopback ports, each with a folder of its own.
//!
//! Every server is a value: `start` returns when it answers, `Drop` stops it and removes its folder. PostgreSQL refuses
//! to run as root and gets a system user; Postfix, Dovecot and Exim want root and get it through `sudo -n` where the
//! tests run as an ordinary user. When a test panics, the tail of each server's log is printed. With
//! `GUICHET_TEST_KEEP=1` the folders stay.

mod certificate;
mod dovecot;
mod exim;
mod folder;
mod lossy_relay;
mod port;
mod postfix;
mod postgres;
mod process;
mod sender;
mod wait;

pub use certificate::Certificate;
pub use dovecot::{Dovecot, Mailbox};
pub use exim::{Exim, VARIABLE as EXIM_VARIABLE};
pub use folder::Folder;
pub use lossy_relay::LossyRelay;
pub use port::{free_port, wait_for_port, wait_for_socket};
pub use postfix::{Inbound, Postfix, PostfixOptions, Route};
pub use postgres::{Follower, Postgres, PostgresOptions};
pub use process::{as_root, find_program, is_root, run, signal};
pub use sender::{msmtp, swaks};
pub use wait::{READY_WITHIN, until};
