//! The desk's decisions, as tables: a message and a scene in, a verdict and its changes out.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests too and may panic"
)]

mod bounces;
mod edits;
mod effects;
mod events;
mod imports;
mod notices;
mod properties;
mod received;
mod rows;
mod scene;
mod senders;
mod threads;
mod updates;
