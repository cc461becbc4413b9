//! Fuzzes `bodies::form`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::form::hold(input));
