//! Any text and HTML: what is hidden are whole lines in order, what is shown is part of it, and something is shown.

use mail::reply::{self, DELIMITER, HiddenKind, Hints, Reply};

use crate::input;

/// Looks for the new text of an input, as text and as HTML.
pub fn hold(input: &[u8]) {
    let text = input::text(input);
    hold_whole(&text, &reply::of_text(&text));
    let hints = Hints { sender: &["Ann Other", "ann@example.org"], is_forward: true, new_text_only: true };
    hold_ranges(&text, &reply::of_text_with(&text, &hints));
    if let Some(at) = reply::at_delimiter(&text, DELIMITER) {
        assert!(begins_line(&text, at));
    }
    let (rendered, reply) = reply::of_html(&text);
    hold_whole(&rendered, &reply);
}

fn hold_whole(text: &str, reply: &Reply) {
    hold_ranges(text, reply);
    let shown = reply.visible(text, false);
    assert!(text.trim().is_empty() || !shown.trim().is_empty());
    assert!(shown.len() <= reply.visible(text, true).len());
    let mut all = text.split('\n');
    for line in shown.split('\n').filter(|_| !shown.is_empty()) {
        assert!(all.any(|whole| whole == line), "lines are shown as they are, in order");
    }
    let quotes = reply.hidden.iter().filter(|hidden| hidden.kind == HiddenKind::Quote);
    assert!(quotes.map(|hidden| hidden.range.len()).sum::<usize>() <= text.len());
}

fn hold_ranges(text: &str, reply: &Reply) {
    let mut end = 0;
    for hidden in &reply.hidden {
        let range = hidden.range.clone();
        assert!(end <= range.start && range.start < range.end);
        assert!(begins_line(text, range.start));
        end = range.end;
        assert!(end == text.len() || begins_line(text, end));
    }
}

/// Whether a line begins there.
fn begins_line(text: &str, at: usize) -> bool {
    at == 0 || text.get(..at).is_some_and(|before| before.ends_with('\n'))
}
