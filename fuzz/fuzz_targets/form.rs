//! Any bytes as a posted form: no panic, and no field holds what was not posted.
#![no_main]

#[path = "../../crates/intake/src/http/form.rs"]
#[allow(dead_code, reason = "the target calls a part of it")]
mod form;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &[u8])| {
    let (boundary, body) = input;
    let fields = form::fields(body, boundary);
    let held: usize = fields.iter().map(|(_, value)| value.len()).sum();
    assert!(held <= body.len());
});
