//! The digest of suspended tickets that goes to an address of the account's choice
//! (docs/behaviour/suspension.md).
//!
//! Subject and text only: the notice knows who gets it and from where. What senders wrote is shown so that
//! nothing of it can be followed by a click, for the messages in it are the ones that were not trusted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::notice::Letter;
use crate::suspension::Cause;

/// How many suspended tickets are shown one by one.
pub const NEWEST_SHOWN: usize = 10;

/// The most characters shown of a sender's address and of a subject.
const SENDER_CHARACTERS: usize = 80;
const SUBJECT_CHARACTERS: usize = 100;

/// One suspended ticket, as the digest shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The number that `guichet suspended show` takes.
    pub id: i64,
    /// Why it is held.
    pub cause: Cause,
    /// The address in From, as written; may be empty.
    pub sender: String,
    /// The subject, decoded; may be empty.
    pub subject: String,
}

/// What there is to tell since the last digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digest {
    /// How many were suspended since then, by cause; causes without any are left out or 0.
    pub counts: BTreeMap<Cause, u64>,
    /// The newest of them, newest first; beyond [`NEWEST_SHOWN`] they are not shown.
    pub newest: Vec<Held>,
    /// How many are held in all, older ones included.
    pub held: u64,
}

impl Digest {
    /// How many were suspended since the last digest.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The notice of the account `name` with this subdomain; none when there is nothing to tell.
    #[must_use]
    pub fn letter(&self, name: &str, subdomain: &str) -> Option<Letter> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let mails = if count == 1 { "1 mail was".to_owned() } else { format!("{count} mails were") };
        let mut text = format!(
            "{mails} held back since the last notice; {} in all wait to be looked at.\n\n",
            self.held
        );
        self.write_counts(&mut text);
        self.write_newest(&mut text, count);
        let _ = write!(
            text,
            "\nTo look at them: guichet suspended list --account {subdomain}\n\
             One of them:     guichet suspended show ID --account {subdomain}\n\n\
             Held mail is deleted for good 14 days after it came. Dots in names are put into\n\
             brackets here, so that nothing in this list can be clicked.\n"
        );
        let plural = if count == 1 { "" } else { "s" };
        Some(Letter {
            subject: format!("[{}] {count} suspended ticket{plural}", one_line(name, SENDER_CHARACTERS)),
            text,
        })
    }

    /// The counts, the largest first.
    fn write_counts(&self, text: &mut String) {
        let mut counts: Vec<(&Cause, &u64)> = self.counts.iter().filter(|(_, count)| **count > 0).collect();
        counts.sort_by_key(|(cause, count)| (std::cmp::Reverse(**count), **cause));
        for (cause, count) in counts {
            let _ = writeln!(text, "{count:>6}  {} (cause {})", cause.sentence(), cause.number());
        }
    }

    fn write_newest(&self, text: &mut String, count: u64) {
        if self.newest.is_empty() {
            return;
        }
        let shown = self.newest.len().min(NEWEST_SHOWN);
        let all = u64::try_from(shown).is_ok_and(|shown| shown >= count);
        text.push_str(if all { "\nThese are:\n" } else { "\nThe newest:\n" });
        for held in self.newest.iter().take(NEWEST_SHOWN) {
            let or = |text: String, empty: &str| if text.is_empty() { empty.to_owned() } else { text };
            let sender = or(harmless(&held.sender, SENDER_CHARACTERS), "(no sender)");
            let subject = or(harmless(&held.subject, SUBJECT_CHARACTERS), "(no subject)");
            let _ = writeln!(
                text,
                "\n  {}  cause {}\n    From:    {sender}\n    Subject: {subject}",
                held.id,
                held.cause.number()
            );
        }
    }
}

/// Text of a stranger's on one line, in which no mail program finds a link, at most `characters` of it before
/// brackets.
///
/// A dot between letters or digits becomes `[.]`, a colon before anything but a space `[:]`: without them
/// there is no host name and no scheme. Characters that turn the direction of writing are left out.
#[must_use]
pub fn harmless(text: &str, characters: usize) -> String {
    let line = one_line(text, characters);
    let mut safe = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    while let Some(c) = letters.next() {
        let is_joined = letters.peek().is_some_and(|next| !next.is_whitespace());
        match c {
            // RFC 3490 §3.1: what else stands for the dot of a host name.
            '.' | '\u{3002}' | '\u{FF0E}' | '\u{FF61}' | '\u{2024}' if is_joined => safe.push_str("[.]"),
            ':' | '\u{FF1A}' if is_joined => safe.push_str("[:]"),
            _ => safe.push(c),
        }
    }
    safe
}

/// One line without marks of direction, at most `characters` long; an ellipsis says that it was cut.
fn one_line(text: &str, characters: usize) -> String {
    let is_unseen = |c: char| matches!(c, '\u{61C}' | '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
    let seen = text.chars().filter(|c| !is_unseen(*c)).map(|c| if c.is_control() { ' ' } else { c });
    // What can be shown is a small part of what a subject may hold.
    let bounded: String = seen.take(characters.saturating_mul(4)).collect();
    let line = bounded.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(characters) {
        Some((cut, _)) => format!("{}…", line.get(..cut).unwrap_or_default().trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn held(id: i64, sender: &str, subject: &str) -> Held {
        Held { id, cause: Cause::UnknownAuthor, sender: sender.into(), subject: subject.into() }
    }

    #[test]
    fn the_digest_counts_causes_and_shows_the_newest() {
        let digest = Digest {
            counts: BTreeMap::from([
                (Cause::UnknownAuthor, 1),
                (Cause::SystemUser, 2),
                (Cause::ToNoreply, 0),
            ]),
            newest: vec![
                held(77, "ada@example.org", "Look at https://example.com/x now"),
                held(76, "", "\n"),
            ],
            held: 12,
        };
        let letter = digest.letter("Acme", "acme").unwrap();
        assert_eq!(letter.subject, "[Acme] 3 suspended tickets");
        assert_eq!(
            letter.text,
            "3 mails were held back since the last notice; 12 in all wait to be looked at.\n\
             \n\
             \x20    2  sent by a mail system, not by a person (cause 9)\n\
             \x20    1  no author who may submit tickets (cause 10)\n\
             \n\
             The newest:\n\
             \n\
             \x20 77  cause 10\n\
             \x20   From:    ada@example[.]org\n\
             \x20   Subject: Look at https[:]//example[.]com/x now\n\
             \n\
             \x20 76  cause 10\n\
             \x20   From:    (no sender)\n\
             \x20   Subject: (no subject)\n\
             \n\
             To look at them: guichet suspended list --account acme\n\
             One of them:     guichet suspended show ID --account acme\n\
             \n\
             Held mail is deleted for good 14 days after it came. Dots in names are put into\n\
             brackets here, so that nothing in this list can be clicked.\n"
        );
    }

    #[test]
    fn nothing_held_gives_no_notice_and_one_is_singular() {
        assert_eq!(Digest::default().letter("Acme", "acme"), None);
        assert_eq!(
            Digest { counts: BTreeMap::from([(Cause::ToNoreply, 0)]), ..Digest::default() }
                .letter("Acme", "acme"),
            None
        );
        let one = Digest {
            counts: BTreeMap::from([(Cause::UnknownAuthor, 1)]),
            newest: vec![held(1, "a@b.example", "x")],
            held: 1,
        };
        let letter = one.letter("Acme", "acme").unwrap();
        assert_eq!(letter.subject, "[Acme] 1 suspended ticket");
        assert!(
            letter.text.starts_with("1 mail was held back") && letter.text.contains("These are:"),
            "{}",
            letter.text
        );
    }

    #[test]
    fn no_more_than_the_newest_ten_are_shown() {
        for (count, want) in [(NEWEST_SHOWN, NEWEST_SHOWN), (NEWEST_SHOWN + 1, NEWEST_SHOWN)] {
            let newest = (0..count as i64).map(|id| held(id, "a@b.example", "x")).collect();
            let digest =
                Digest { counts: BTreeMap::from([(Cause::UnknownAuthor, count as u64)]), newest, held: 0 };
            assert_eq!(digest.letter("Acme", "acme").unwrap().text.matches("Subject:").count(), want);
        }
    }

    #[test]
    fn strangers_words_are_made_harmless() {
        for (text, want) in [
            ("Invoice 4.2", "Invoice 4[.]2"),
            ("Hello. World: fine.", "Hello. World: fine."),
            ("www.example.org", "www[.]example[.]org"),
            ("mailto:a@b.example", "mailto[:]a@b[.]example"),
            ("example。org", "example[.]org"),
            ("a\r\nBcc: x@y.example", "a Bcc: x@y[.]example"),
            ("ada\u{202E}gro.elpmaxe", "adagro[.]elpmaxe"),
            ("exa\u{200B}mple.\u{200B}org", "example[.]org"),
        ] {
            assert_eq!(harmless(text, 100), want);
        }
        assert_eq!(harmless(&"é".repeat(100), 100), "é".repeat(100));
        assert_eq!(harmless(&"é".repeat(101), 100), "é".repeat(100) + "…");
    }

    proptest! {
        #[test]
        fn harmless_text_is_one_line_without_hosts_and_schemes(text in any::<String>(), host in "[a-z]{1,8}\\.[a-z]{2,6}") {
            let safe = harmless(&format!("http://{host} {text} {host}:80 x@{host}"), 400);
            prop_assert!(!safe.contains(&host) && !safe.contains("://"), "{}", safe);
            prop_assert!(!safe.chars().any(char::is_control));
        }
    }
}
