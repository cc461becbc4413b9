//! The paths that code names, in `use` and inline.

use std::slice::from_ref;

use super::token::Token;

/// A path as it is written, one of a `use` group written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    /// Its segments; the last one is `*` for a glob.
    pub(crate) segments: Vec<String>,
    /// The name under which a `use` makes it known.
    pub(crate) name: String,
    /// Whether it is in a `use`.
    pub(crate) is_use: bool,
}

impl Path {
    /// The path as text.
    pub(crate) fn text(&self) -> String {
        self.segments.join("::")
    }

    /// Whether it is that path or below it; both as text.
    pub(crate) fn is_below(&self, wanted: &str) -> bool {
        self.text().strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

/// All paths in the order of the text; single words are paths of one segment.
pub(crate) fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut found = Vec::new();
    let mut rest = tokens;
    let mut is_use = false;
    while let [token, after @ ..] = rest {
        rest = after;
        match token {
            Token::Word(word) if word == "use" => is_use = true,
            Token::Word(word) => {
                rest = read(vec![word.clone()], after, is_use, &mut found);
                is_use = false;
            }
            // `use ::name::…`, and the `pub(crate)` before a `use`.
            Token::Mark(':') => {}
            _ => is_use = false,
        }
    }
    found
}

/// Reads on after a path's first segments; returns the tokens after it.
fn read<'t>(
    mut segments: Vec<String>,
    mut rest: &'t [Token],
    is_use: bool,
    found: &mut Vec<Path>,
) -> &'t [Token] {
    while let [Token::Mark(':'), Token::Mark(':'), after @ ..] = rest {
        match after {
            [Token::Word(word), after @ ..] => {
                segments.push(word.clone());
                rest = after;
            }
            [Token::Open('{'), after @ ..] => return read_group(&segments, after, is_use, found),
            [Token::Mark('*'), after @ ..] if is_use => {
                segments.push("*".to_owned());
                rest = after;
            }
            _ => break,
        }
    }
    let mut name = segments.last().cloned().unwrap_or_default();
    if let [first, Token::Word(alias), after @ ..] = rest
        && is_use
        && first.is_word("as")
    {
        name.clone_from(alias);
        rest = after;
    }
    found.push(Path { segments, name, is_use });
    rest
}

/// Reads the paths within `{…}`; returns the tokens after it.
fn read_group<'t>(
    prefix: &[String],
    mut rest: &'t [Token],
    is_use: bool,
    found: &mut Vec<Path>,
) -> &'t [Token] {
    while let [token, after @ ..] = rest {
        rest = match token {
            Token::Close('}') => return after,
            Token::Word(word) if word == "self" => read(prefix.to_vec(), after, is_use, found),
            Token::Word(word) => read([prefix, from_ref(word)].concat(), after, is_use, found),
            Token::Mark('*') => {
                let segments = [prefix, &["*".to_owned()]].concat();
                found.push(Path { segments, name: "*".to_owned(), is_use });
                after
            }
            _ => after,
        };
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::super::token::tokens;
    use super::paths;

    #[test]
    fn groups_are_written_out() -> anyhow::Result<()> {
        let text = "pub use a::{self, b::{c as d, *}, e}; use ::f::g as h; i::j::<K>(l::m!{n}) as u8;";
        let seen: Vec<(String, String, bool)> = paths(&tokens(text)?)
            .into_iter()
            .filter(|path| path.segments.len() > 1 || path.is_use)
            .map(|path| (path.text(), path.name, path.is_use))
            .collect();
        let want = [
            ("a", "a", true),
            ("a::b::c", "d", true),
            ("a::b::*", "*", true),
            ("a::e", "e", true),
            ("f::g", "h", true),
            ("i::j", "j", false),
            ("l::m", "m", false),
        ];
        assert_eq!(seen, want.map(|(path, name, is_use)| (path.to_owned(), name.to_owned(), is_use)));
        Ok(())
    }

    #[test]
    fn a_path_lies_below_whole_segments_only() -> anyhow::Result<()> {
        let path = paths(&tokens("desk::effects::a")?).remove(0);
        for (wanted, is_below) in
            [("desk", true), ("desk::effects", true), ("desk::effect", false), ("desk::effects::a", true)]
        {
            assert_eq!(path.is_below(wanted), is_below, "{wanted}");
        }
        Ok(())
    }
}
