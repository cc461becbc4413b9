//! The help desk itself, pure: accounts, brands, support addresses, people, tickets, the verdict on a mail, notices.
//!
//! Knows no database, socket, file, wall clock or chance: what it needs of those comes as values ([`facts::Facts`],
//! [`clock::Millis`], [`supply::Supply`]), what it decides goes out as values ([`verdict::Decision`], [`changes::Changes`]).

pub mod account;
pub mod address;
pub mod changes;
pub mod clock;
pub mod comment;
pub mod effect;
pub mod envelope;
pub mod facts;
pub mod id;
pub mod ledger;
pub mod notice;
pub mod received;
pub mod signed;
pub mod supply;
pub mod suspension;
pub mod thread;
pub mod ticket;
pub mod token;
pub mod update;
pub mod user;
pub mod verdict;
mod word;
