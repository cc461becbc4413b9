//! Fuzzes `bodies::tnef`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::tnef::hold(input));
