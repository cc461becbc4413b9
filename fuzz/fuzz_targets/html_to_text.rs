//! Fuzzes `bodies::html_to_text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::html_to_text::hold(input));
