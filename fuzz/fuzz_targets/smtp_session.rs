//! Fuzzes `bodies::smtp_session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::smtp_session::hold(input));
