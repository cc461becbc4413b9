//! Fuzzes `bodies::reply`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::reply::hold(input));
