//! The product code of a file as tokens: no comments, no documentation, no tests.

use std::str::FromStr;

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// An identifier or keyword.
    Word(String),
    /// One character of punctuation.
    Mark(char),
    /// A literal as it is written, with its quotes.
    Literal(String),
    /// An opening bracket of any kind.
    Open(char),
    /// A closing bracket of any kind.
    Close(char),
}

impl Token {
    /// Whether this is that word.
    pub(crate) fn is_word(&self, wanted: &str) -> bool {
        matches!(self, Token::Word(word) if word == wanted)
    }

    /// Whether this is that character of punctuation.
    pub(crate) fn is_mark(&self, wanted: char) -> bool {
        matches!(self, Token::Mark(mark) if *mark == wanted)
    }
}

/// The tokens of a file in order; items below `#[cfg(test)]` and doc comments are left out.
///
/// # Errors
/// When the text is not made of Rust tokens.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>> {
    let stream = TokenStream::from_str(text).map_err(|error| anyhow!("no Rust: {error}"))?;
    let mut found = Vec::new();
    flatten(stream, &mut found);
    Ok(found)
}

fn flatten(stream: TokenStream, found: &mut Vec<Token>) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut rest = trees.as_slice();
    while let [tree, after @ ..] = rest {
        rest = match attribute(rest) {
            Some((text, after)) if text == "cfg(test)" => after_item(after),
            // A doc comment is the attribute `#[doc = …]`.
            Some((text, after)) if text.starts_with("doc=") => after,
            _ => {
                push(tree.clone(), found);
                after
            }
        };
    }
}

/// The content of the attribute at this place, without whitespace, and what comes after it.
fn attribute(trees: &[TokenTree]) -> Option<(String, &[TokenTree])> {
    let is_mark =
        |tree: &TokenTree, sign: char| matches!(tree, TokenTree::Punct(mark) if mark.as_char() == sign);
    let (group, after) = match trees {
        [hash, TokenTree::Group(group), after @ ..] if is_mark(hash, '#') => (group, after),
        [hash, bang, TokenTree::Group(group), after @ ..] if is_mark(hash, '#') && is_mark(bang, '!') => {
            (group, after)
        }
        _ => return None,
    };
    Some((group.stream().to_string().split_whitespace().collect(), after))
}

/// What comes after an item, which ends with its block or a semicolon.
fn after_item(trees: &[TokenTree]) -> &[TokenTree] {
    let is_end = |tree: &TokenTree| match tree {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(mark) => mark.as_char() == ';',
        _ => false,
    };
    let end = trees.iter().position(is_end).map_or(trees.len(), |at| at + 1);
    trees.get(end..).unwrap_or_default()
}

fn push(tree: TokenTree, found: &mut Vec<Token>) {
    match tree {
        TokenTree::Ident(word) => found.push(Token::Word(word.to_string())),
        TokenTree::Punct(mark) => found.push(Token::Mark(mark.as_char())),
        TokenTree::Literal(literal) => found.push(Token::Literal(literal.to_string())),
        TokenTree::Group(group) => {
            let brackets = match group.delimiter() {
                Delimiter::Parenthesis => Some(('(', ')')),
                Delimiter::Brace => Some(('{', '}')),
                Delimiter::Bracket => Some(('[', ']')),
                Delimiter::None => None,
            };
            found.extend(brackets.map(|(open, _)| Token::Open(open)));
            flatten(group.stream(), found);
            found.extend(brackets.map(|(_, close)| Token::Close(close)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Token, tokens};

    #[test]
    fn tests_and_documentation_are_left_out() -> anyhow::Result<()> {
        let text = "//! Says \"a\".\n/// And b.\n#[derive(C)]\nstruct D;\n#[cfg(test)]\nmod e;\n#[cfg(test)]\nfn f() { g() }\nuse h;";
        let words: Vec<String> = tokens(text)?
            .into_iter()
            .filter_map(|token| if let Token::Word(word) = token { Some(word) } else { None })
            .collect();
        assert_eq!(words, ["derive", "C", "struct", "D", "use", "h"]);
        assert!(tokens("fn (").is_err());
        Ok(())
    }
}
