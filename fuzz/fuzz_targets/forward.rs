//! Fuzzes `bodies::forward`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::forward::hold(input));
