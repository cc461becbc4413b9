//! What must hold for any input, one function of bytes per fuzz target; a broken promise is a panic.
//!
//! `cargo fuzz` (`fuzz/fuzz_targets`, nightly) calls them with what it invents, `tests/seeds.rs` (stable, part of
//! `cargo xtask test`) with the inputs of `fuzz/seeds` and with deterministic mutations of them. A crash that the fuzzer
//! finds becomes one more file there, rewritten so that it speaks of `example.com` alone.

pub mod address;
pub mod bounce;
pub mod cms;
pub mod compose_round_trip;
// Files of intake are included by path: a test build of this crate, which has no tests, would compile theirs.
#[cfg(not(test))]
pub mod form;
pub mod forward;
pub mod html_to_text;
#[cfg(not(test))]
pub mod import;
mod input;
pub mod nature;
pub mod parse;
pub mod reply;
pub mod smtp_session;
pub mod tnef;

#[cfg(not(test))]
#[path = "../../../crates/intake/src/raw_mail.rs"]
#[allow(dead_code, unreachable_pub, reason = "a file of intake, of which a part is called here")]
mod raw_mail;
