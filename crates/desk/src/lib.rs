//! The help desk itself, pure: accounts, brands, support addresses, people, tickets, the verdict on a
//! message, notices.
//!
//! Knows no database, socket, file, wall clock or chance: what it needs of those comes as values
//! ([`facts::Facts`], [`clock::Millis`], [`id_source::IdSource`]), what it decides goes out as values
//! ([`verdict::Decision`], [`changes::Changes`]).

pub mod account;
pub mod actor;
pub mod address;
pub mod address_check;
pub mod attachment_rule;
pub mod authentication;
pub mod changes;
pub mod channel;
pub mod clock;
pub mod closing;
pub mod comment;
pub mod delivery;
pub mod digest;
pub mod edit;
pub mod effect;
pub mod envelope;
pub mod event;
pub mod facts;
pub mod forward;
pub mod id;
pub mod id_source;
pub mod inbound;
mod language;
pub mod ledger;
pub mod logged_action;
pub mod machine_address;
pub mod mail_command;
pub mod notice;
mod numbered;
pub mod organization;
pub mod outbox_state;
mod post;
pub mod questions;
pub mod rate;
pub mod received;
pub mod sender_list;
pub mod setting;
pub mod signed;
mod str_enum;
pub mod suspension;
pub mod thread;
pub mod ticket;
pub mod token;
pub mod update;
pub mod user;
pub mod verdict;
pub mod writer;
