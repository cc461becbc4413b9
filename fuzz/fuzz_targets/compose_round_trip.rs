//! Fuzzes `bodies::compose_round_trip`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::compose_round_trip::hold(input));
