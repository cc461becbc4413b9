//! The argument of MAIL and RCPT: keyword, path in brackets, parameters (RFC 5321 §4.1.1.2, §4.1.1.3, §4.1.2).

/// A path and the parameters after it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Path<'a> {
    /// The text in the brackets, without source route; empty for `<>`.
    pub(crate) address: &'a str,
    /// The rest, to be split at spaces.
    parameters: &'a str,
}

impl<'a> Path<'a> {
    /// Parses `FROM:<address> parameters`; `None` if the argument does not have that form.
    ///
    /// Spaces after the colon and a missing pair of brackets are tolerated, since old devices send them.
    pub(crate) fn read(argument: &'a str, keyword: &str) -> Option<Self> {
        let (found, rest) = argument.split_at_checked(keyword.len())?;
        if !found.eq_ignore_ascii_case(keyword) {
            return None;
        }
        let rest = rest.trim_start_matches(' ');
        let (address, parameters) = match rest.strip_prefix('<') {
            Some(inner) => split_bracket(inner)?,
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        if address.is_empty() && !rest.starts_with('<') {
            return None;
        }
        Some(Self { address: without_route(address), parameters })
    }

    /// The parameters as keyword and value; the value is `None` without a `=`.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        self.parameters.split(' ').filter(|text| !text.is_empty()).map(|text| match text.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (text, None),
        })
    }
}

/// Splits after the `>` that closes the path; one inside a quoted local part does not count.
fn split_bracket(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let mut escaped = false;
    let end = text.find(|c| {
        let closes = c == '>' && !quoted;
        if escaped {
            escaped = false;
        } else if c == '"' {
            quoted = !quoted;
        } else {
            escaped = quoted && c == '\\';
        }
        closes
    })?;
    let (inside, rest) = text.split_at_checked(end)?;
    let rest = rest.strip_prefix('>')?;
    (rest.is_empty() || rest.starts_with(' ')).then_some((inside, rest))
}

/// Strips `@a.example,@b.example:` (RFC 5321 appendix C: accepted and ignored).
fn without_route(address: &str) -> &str {
    match address.split_once(':') {
        Some((_, mailbox)) if address.starts_with('@') => mailbox,
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read() {
        for (name, argument, want) in [
            ("plain", "FROM:<a@a.example>", Some(("a@a.example", ""))),
            ("lower-case", "from:<a@a.example>", Some(("a@a.example", ""))),
            ("null", "FROM:<>", Some(("", ""))),
            ("parameters", "FROM:<a@a.example> SIZE=1 X", Some(("a@a.example", " SIZE=1 X"))),
            ("blank after colon", "FROM: <a@a.example>", Some(("a@a.example", ""))),
            ("no brackets", "FROM:a@a.example SIZE=1", Some(("a@a.example", "SIZE=1"))),
            ("source route", "FROM:<@b.example,@c.example:a@a.example>", Some(("a@a.example", ""))),
            ("bracket in quotes", r#"FROM:<"a>\">b"@a.example>"#, Some((r#""a>\">b"@a.example"#, ""))),
            ("another keyword", "TO:<a@a.example>", None),
            ("nothing", "FROM:", None),
            ("short", "FR", None),
            ("open bracket", "FROM:<a@a.example", None),
            ("open quote", r#"FROM:<"a@a.example>"#, None),
            ("no space before parameter", "FROM:<a@a.example>SIZE=1", None),
            ("letter that cuts the keyword", "FROMé<a>", None),
        ] {
            let path = Path::read(argument, "FROM:");
            assert_eq!(path.map(|p| (p.address, p.parameters)), want, "{name}");
        }
    }

    #[test]
    fn parameters_are_split_at_spaces_and_the_first_equals_sign() {
        let path = Path::read("TO:<a>  SIZE=1=2  FLAG X= ", "TO:").unwrap();
        let found: Vec<_> = path.parameters().collect();
        assert_eq!(found, [("SIZE", Some("1=2")), ("FLAG", None), ("X", Some(""))]);
    }
}
