//! Any text as HTML: no panic, and the text that comes out has no more than the input can hold.

use mail::reply;

use crate::input::text;

/// Renders an input as HTML.
pub fn hold(input: &[u8]) {
    let html = text(input);
    let (text, reply) = reply::of_html(&html);
    // Each octet gives at most a line end with the marks of eight quotes, three times.
    assert!(text.len() <= html.len() * 64);
    assert!(!text.contains(['\r', '\0']));
    assert!(text.trim_end().len() == text.len());
    assert!(reply.hidden.iter().all(|hidden| text.get(hidden.range.clone()).is_some()));
    assert_eq!(reply::of_html(&html), (text, reply), "the same again");
}
