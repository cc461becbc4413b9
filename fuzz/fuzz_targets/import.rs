//! Fuzzes `bodies::import`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::import::hold(input));
