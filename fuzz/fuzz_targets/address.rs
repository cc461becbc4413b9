//! Fuzzes `bodies::address`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::address::hold(input));
