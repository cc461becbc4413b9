//! The store on both databases: every case runs on SQLite and on PostgreSQL from one text.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests are tests too and may panic"
)]

mod account_state;
mod accounts;
mod bells;
mod blobs;
mod crashes;
mod directory;
mod durability;
mod encryption;
mod full_disk;
mod group_commit;
mod health;
mod housekeeping;
mod identities;
mod ids;
mod import;
mod lane;
mod lists;
mod message_ids;
mod migrations;
mod names;
mod nodes;
mod outbox;
mod partitions;
mod raw;
mod schema;
mod sessions;
mod spool;
mod statements;
mod support;
mod suspended;
mod tags;
mod tickets;
mod understanding;
mod work;
mod write_or;
