//! Any bytes as a posted form: no panic, and no field holds what was not posted.

#[path = "../../../crates/intake/src/http/form.rs"]
#[allow(dead_code, unreachable_pub, reason = "a file of intake, of which a part is called here")]
mod reader;

use crate::input::{pieces, text};

/// Reads a boundary and a body as `multipart/form-data`, and the body as a urlencoded form.
pub fn hold(input: &[u8]) {
    let [boundary, body] = pieces::<2>(input);
    let fields = reader::fields(body, &text(boundary));
    let held: usize = fields.iter().map(|(_, value)| value.len()).sum();
    assert!(held <= body.len());
    let form = reader::Form::pairs_or_raw(body.to_vec());
    assert!(form.is_none_or(|form| form.raw.len() <= body.len()));
}
