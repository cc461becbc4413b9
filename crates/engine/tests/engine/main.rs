//! The engine on both databases with a clock that tests turn: mail through the spool, commands, timers, configuration.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests too and may panic"
)]

mod authentication;
mod bounces;
mod closing;
mod commands;
mod configuration;
mod explain;
mod failures;
mod large;
mod leases;
mod lost_answers;
mod mails;
mod poison;
mod probes;
mod redecide;
mod support;
mod suspended;
