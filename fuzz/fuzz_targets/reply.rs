//! Any text and HTML: what is hidden are whole lines in order, what is shown is part of the text, and something is shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mail::reply::{self, DELIMITER, HiddenKind, Hints, Reply};

fuzz_target!(|text: &str| {
    let plain = reply::of_text(text);
    check(text, &plain);
    check_ranges(
        text,
        &reply::of_text_with(
            text,
            &Hints { sender: &["Ann Other", "ann@example.org"], is_forward: true, new_text_only: true },
        ),
    );
    if let Some(at) = reply::at_delimiter(text, DELIMITER) {
        assert!(at == 0 || text[..at].ends_with('\n'));
    }
    let (rendered, reply) = reply::of_html(text);
    check(&rendered, &reply);
});

fn check(text: &str, reply: &Reply) {
    check_ranges(text, reply);
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

fn check_ranges(text: &str, reply: &Reply) {
    let mut end = 0;
    for hidden in &reply.hidden {
        let range = hidden.range.clone();
        assert!(end <= range.start && range.start < range.end);
        assert!(range.start == 0 || text[..range.start].ends_with('\n'));
        end = range.end;
        assert!(end == text.len() || text[..end].ends_with('\n'));
    }
}
