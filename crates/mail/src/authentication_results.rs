//! Authentication-Results (RFC 8601): what a relay found out about the sender of a message, in its own words.
//!
//! Anybody can write such a field. It can be trusted only if the relay that wrote it is known and sits
//! between us and the sender; [`at_top`] returns no others. The value of an ARC-Authentication-Results field
//! has the same syntax (RFC 8617 §4.1.1).

use crate::defect::Defects;
use crate::field::header_of_mail;

/// The field name.
const NAME: &str = "Authentication-Results";

/// The maximum number of results read from one field, and of properties read from one result.
const RESULTS: usize = 100;

/// The maximum number of such fields read from the top of a message.
const FIELDS: usize = 20;

/// One parsed field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthenticationResults {
    /// Who made the statement (RFC 8601 §2.5), lower-case.
    pub authserv_id: String,
    /// The results in order; at most 100. Empty for `none`.
    pub results: Vec<MethodResult>,
}

/// The outcome of one check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MethodResult {
    /// For example `spf`; lower-case, without a version.
    pub method: String,
    /// For example `pass`; lower-case.
    pub result: String,
    /// What was checked, for example `header.from` and `example.org`, in order; names lower-case, values as
    /// written without quotes; at most 100.
    pub properties: Vec<(String, String)>,
}

impl MethodResult {
    /// The first value of a property, looked up by its lower-case name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The fields above the first Received field of a raw message that carry this authserv-id (in any case),
/// topmost first.
///
/// Only the relay itself writes above its own Received; anything the sender put into the message is below it.
/// A relay that writes no Received at all may, however, have passed on a field that was there before.
#[must_use]
pub fn at_top(raw: &[u8], authserv_id: &str) -> Vec<AuthenticationResults> {
    let mut defects = Defects::default();
    let header = header_of_mail(raw, &mut defects);
    let Some(received) = header.fields.iter().position(|field| field.is("Received")) else { return vec![] };
    let above = header.fields.iter().take(received).filter(|field| field.is(NAME));
    let read = above.take(FIELDS).filter_map(|field| parse(&field.text(&mut Defects::default())));
    read.filter(|results| results.authserv_id.eq_ignore_ascii_case(authserv_id)).collect()
}

/// Parses the value of a field (RFC 8601 §2.2); `None` without an authserv-id. One pass, no recursion.
///
/// A leading `i=1;`, as in ARC, is skipped.
#[must_use]
pub fn parse(value: &str) -> Option<AuthenticationResults> {
    let tokens = tokens(value);
    let mut statements = tokens.split(|token| *token == Token::Semicolon);
    let mut first = statements.next()?;
    if let [Token::Word(name), Token::Equals, Token::Word(_)] = first
        && name.eq_ignore_ascii_case("i")
    {
        first = statements.next()?;
    }
    // The authserv-id may be followed by a version.
    let Some(Token::Word(authserv_id)) = first.first() else { return None };
    let results = statements.filter_map(statement).take(RESULTS).collect();
    Some(AuthenticationResults { authserv_id: authserv_id.to_lowercase(), results })
}

/// `method[/version]=result [reason=…] ptype.property=value …`
fn statement(tokens: &[Token]) -> Option<MethodResult> {
    let (Some(Token::Word(method)), Some(Token::Equals), Some(Token::Word(result))) =
        (tokens.first(), tokens.get(1), tokens.get(2))
    else {
        return None;
    };
    let mut properties = Vec::new();
    let mut rest = tokens.get(3..).unwrap_or_default();
    while let Some((head, tail)) = rest.split_first() {
        if let (Token::Word(name), [Token::Equals, Token::Word(value), after @ ..]) = (head, tail) {
            if properties.len() < RESULTS {
                properties.push((name.to_ascii_lowercase(), value.clone()));
            }
            rest = after;
        } else {
            rest = tail;
        }
    }
    let method = method.split('/').next().unwrap_or_default().to_ascii_lowercase();
    Some(MethodResult { method, result: result.to_ascii_lowercase(), properties })
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Equals,
    Semicolon,
}

/// Splits a value into tokens; comments and whitespace are dropped.
fn tokens(value: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = value.chars();
    let mut depth = 0_usize;
    while let Some(c) = characters.next() {
        match c {
            '\\' if depth > 0 => drop(characters.next()),
            '(' => depth = depth.saturating_add(1),
            ')' if depth > 0 => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '"' => word.get_or_insert_default().push_str(&quoted(&mut characters)),
            // A word may contain further `=`, as the base64 of header.b does: only the one that ends a name
            // counts.
            '=' if !matches!(tokens.last(), Some(Token::Equals)) => {
                tokens.extend(word.take().map(Token::Word));
                tokens.push(Token::Equals);
            }
            ';' => {
                tokens.extend(word.take().map(Token::Word));
                tokens.push(Token::Semicolon);
            }
            c if c.is_whitespace() => tokens.extend(word.take().map(Token::Word)),
            c => word.get_or_insert_default().push(c),
        }
        if c == '(' {
            tokens.extend(word.take().map(Token::Word));
        }
    }
    tokens.extend(word.map(Token::Word));
    tokens
}

/// The rest of a quoted string (RFC 5322 §3.2.4); an unterminated one runs to the end.
fn quoted(characters: &mut std::str::Chars<'_>) -> String {
    let mut text = String::new();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => text.extend(characters.next()),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A field on one line: `id | method=result name=value … | …`.
    fn shown(results: &AuthenticationResults) -> String {
        let result = |result: &MethodResult| {
            let properties: String =
                result.properties.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            format!(" | {}={}{properties}", result.method, result.result)
        };
        results.authserv_id.clone() + &results.results.iter().map(result).collect::<String>()
    }

    #[test]
    fn fields_are_read_as_relays_write_them() {
        for (value, want) in [
            ("mx.example.org; none", "mx.example.org"),
            (
                "MX.Example.org 1; spf=pass smtp.mailfrom=example.com",
                "mx.example.org | spf=pass smtp.mailfrom=example.com",
            ),
            (
                "mx.example.org;\r\n dkim=pass header.i=@example.com header.s=s1 header.b=\"Ab+/cd==\";\r\n\tspf=fail (mx.example.org: domain of a@b.example; 192.0.2.1 (x) no) smtp.mailfrom=a@b.example;\r\n dmarc=pass (p=REJECT sp=NONE dis=NONE) header.from=example.com",
                "mx.example.org | dkim=pass header.i=@example.com header.s=s1 header.b=Ab+/cd== | spf=fail smtp.mailfrom=a@b.example | dmarc=pass header.from=example.com",
            ),
            (
                "mx.example.org; DKIM/1 = Pass reason=\"good; really\" Header.D=example.com",
                "mx.example.org | dkim=pass reason=good; really header.d=example.com",
            ),
            (
                "mx.example.org; dkim=pass header.b=Ab==; spf=none",
                "mx.example.org | dkim=pass header.b=Ab== | spf=none",
            ),
            ("i=2; mx.example.org; arc=pass (i=1)", "mx.example.org | arc=pass"),
            (
                "(comment \\) here) mx.example.org; spf=pass(x)smtp.helo=h.example",
                "mx.example.org | spf=pass smtp.helo=h.example",
            ),
            ("mx.example.org; spf; =pass; dkim=pass", "mx.example.org | dkim=pass"),
            ("mx.example.org", "mx.example.org"),
        ] {
            assert_eq!(parse(value).as_ref().map(shown).as_deref(), Some(want), "{value}");
        }
        for value in ["", "; spf=pass", "(only) ", "i=1"] {
            assert_eq!(
                parse(value).filter(|read| !read.authserv_id.is_empty() && read.authserv_id != "i"),
                None,
                "{value}"
            );
        }
    }

    #[test]
    fn only_fields_of_the_relay_itself_are_taken() {
        let field = "Authentication-Results: mx.example.org; spf=pass\r\n";
        let received = "Received: from x by mx.example.org; Mon, 1 Jan 2024 00:00:00 +0000\r\n";
        for (name, header, want) in [
            ("above its Received", format!("{field}{received}"), 1),
            (
                "several",
                format!(
                    "X-A: b\r\n{field}Authentication-Results: other.example; spf=pass\r\n{field}{received}"
                ),
                2,
            ),
            ("below its Received anybody writes", format!("{received}{field}"), 0),
            ("without Received anybody writes", field.to_owned(), 0),
            ("any case", format!("authentication-results: MX.example.ORG; spf=pass\r\n{received}"), 1),
            ("another's", format!("Authentication-Results: mx.example.com; spf=pass\r\n{received}"), 0),
        ] {
            let raw = format!("{header}From: a@b.example\r\n\r\n{field}text\r\n");
            assert_eq!(at_top(raw.as_bytes(), "mx.Example.org").len(), want, "{name}");
        }
    }

    #[test]
    fn counts_have_limits() {
        let many = |count: usize| format!("id; {}", "a=b; ".repeat(count));
        assert_eq!(parse(&many(RESULTS)).unwrap().results.len(), RESULTS);
        assert_eq!(parse(&many(RESULTS + 1)).unwrap().results.len(), RESULTS);
        let properties = format!("id; spf=pass {}", "a.b=c ".repeat(RESULTS + 1));
        assert_eq!(parse(&properties).unwrap().results[0].properties.len(), RESULTS);
        assert!(parse(&("id; ".to_owned() + &"(".repeat(200_000))).is_some());
    }

    proptest! {
        #[test]
        fn any_value_is_read_or_not(value in "([a-z]{1,3}|[=;()\" .\\\\/]|\\PC){0,60}") {
            if let Some(read) = parse(&value) {
                prop_assert!(read.results.iter().all(|result| !result.method.contains(|c: char| c.is_ascii_uppercase())));
            }
        }
    }
}
