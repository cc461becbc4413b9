//! Fuzzes `bodies::nature`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::nature::hold(input));
