//! Events of tickets are values of `desk::event`: nothing else writes their JSON.

use super::source::Source;
use super::token::Token;

/// The one file that knows how an event is written.
const HOME: &str = "crates/desk/src/event.rs";

/// Whether a file of a room writes an object with a key `type` by hand.
pub(crate) fn is_written(source: &Source) -> bool {
    source.shown.starts_with("crates/") && source.shown != HOME && has_typed_object(&source.tokens)
}

/// `"type": …` within tokens, which only `json!` has, or within the text of a literal.
fn has_typed_object(tokens: &[Token]) -> bool {
    let is_key = |pair: &[Token]| matches!(pair, [Token::Literal(key), colon] if key == "\"type\"" && colon.is_mark(':'));
    let is_text = |token: &Token| matches!(token, Token::Literal(text) if text.contains("\"type\":") || text.contains("\\\"type\\\":"));
    tokens.windows(2).any(is_key) || tokens.iter().any(is_text)
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::is_written;

    #[test]
    fn events_are_written_in_one_file() -> anyhow::Result<()> {
        let hand = r#"fn f() -> Value { json!({"v": 1, "type": "Comment", "id": 7}) }"#;
        for (place, text, is_fault) in [
            ("crates/desk/src/update.rs", hand, true),
            ("crates/desk/src/event.rs", hand, false),
            ("crates/desk/src/update/tests.rs", hand, false),
            ("crates/store/src/ticket.rs", r##"const CLOSED: &str = r#"[{"type":"Change"}]"#;"##, true),
            ("crates/store/src/ticket.rs", r#"const CLOSED: &str = "[{\"type\":\"Change\"}]";"#, true),
            ("crates/guichet/src/history.rs", r#"fn f() { fields.get("type") }"#, false),
            ("crates/guichet/src/history.rs", r#"fn f() { json!({"kind": "Comment"}) }"#, false),
        ] {
            assert_eq!(is_written(&Source::new(place, text)?), is_fault, "{place}: {text}");
        }
        Ok(())
    }
}
