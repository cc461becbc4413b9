//! Agents' commands: `#command value` lines at the very top of a message (docs/behaviour/mail-commands.md).
//!
//! Reading only: whether the author may command, and whether a group or person of that name exists, is for
//! the caller.

use mail::address::{AddressKey, Mailbox};

use crate::id::UserId;
use crate::ticket::{Priority, Status, TicketType, normal_tags};

/// The most `#` lines that are read; what follows is text.
pub const COMMAND_LINES: usize = 50;

/// The longest value in characters; a line with a longer one is no command.
pub const VALUE_CHARACTERS: usize = 1_000;

/// How much of a line that was ignored is kept, in characters.
const LINE_SHOWN: usize = 200;

/// A person as a command names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonName {
    /// By address, which is valid; the display name may be empty.
    Mailbox(Mailbox),
    /// By id.
    Id(UserId),
}

/// A group as a command names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupName {
    /// By name, spaces trimmed, not empty.
    Name(String),
    /// By id, positive.
    Id(i64),
}

/// One command. If a message has two of a kind, the later one counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `#status`, or `#open`, `#pending`, `#solved`: never new or closed.
    Status(Status),
    /// `#requester`: made when nobody has the address.
    Requester(PersonName),
    /// `#group`.
    Group(GroupName),
    /// `#assignee`.
    Assignee(PersonName),
    /// `#public`, or `#note` for false: whether the comment is public.
    Public(bool),
    /// `#priority`.
    Priority(Priority),
    /// `#type`.
    Type(TicketType),
    /// `#tags`: replaces the ticket's tags; lower-case, sorted, each once, not empty.
    Tags(Vec<String>),
    /// `#ccs`: adds e-mail CCs; valid addresses, in order, not empty.
    Ccs(Vec<Mailbox>),
}

/// A line that looks like a command and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The line, spaces trimmed, at most 200 characters of it.
    pub line: String,
    /// Why, in one sentence.
    pub why: String,
}

/// What is at the top of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The commands, in order.
    pub commands: Vec<Command>,
    /// Where the text begins, in octets: after the block and the blank lines that follow it; 0 without a
    /// block.
    pub rest_offset: usize,
    /// Lines that were ignored. Those before `rest_offset` are taken out of the text, the others stay in it.
    pub ignored: Vec<Ignored>,
}

/// What one line is.
enum Reading {
    Command(Command),
    /// A command followed by text on the same line, of which this many octets are left.
    CommandAndText(Command, usize),
    /// A known command that cannot be carried out.
    Wrong(String),
    /// A `#word` that may be text just as well.
    Foreign(String),
}

/// Reads the block of commands at the top of a text with LF line ends.
///
/// Blank lines before and between commands do not count, as HTML turned into text is full of them. The first
/// line that does not begin with `#` and a letter ends the block. A known command with a value that cannot be
/// read is ignored and taken out of the text, for customers must not read it. A `#word` that is no command is
/// taken out only where a command follows it; otherwise it is text. Linear in the length of the block.
#[must_use]
pub fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut offset = 0_usize;
    let mut lines = 0_usize;
    for line in text.split_inclusive('\n') {
        offset = offset.saturating_add(line.len());
        let plain = line.trim_matches(is_blank);
        if plain.is_empty() {
            continue;
        }
        let Some((name, value)) = command_line(plain) else { break };
        lines = lines.saturating_add(1);
        if lines > COMMAND_LINES || value.chars().nth(VALUE_CHARACTERS).is_some() {
            break;
        }
        match read(name, value) {
            Reading::Command(command) => {
                parsed.commands.push(command);
                parsed.rest_offset = offset;
            }
            Reading::CommandAndText(command, left) => {
                parsed.commands.push(command);
                let line_end = line.len().saturating_sub(line.trim_end_matches(is_blank).len());
                parsed.rest_offset = offset.saturating_sub(line_end.saturating_add(left));
                break;
            }
            Reading::Wrong(why) => {
                parsed.ignored.push(ignored(plain, why));
                parsed.rest_offset = offset;
            }
            Reading::Foreign(why) => parsed.ignored.push(ignored(plain, why)),
        }
    }
    if parsed.rest_offset > 0 {
        parsed.rest_offset = skip_blank_lines(text, parsed.rest_offset);
    }
    parsed
}

fn ignored(line: &str, why: String) -> Ignored {
    Ignored { line: line.chars().take(LINE_SHOWN).collect(), why }
}

/// Blanks of every kind, and the invisible marks that editors and HTML leave at the edges of lines.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
}

/// Where the first line that is not blank begins, from `from` on; the end of the text when there is none.
fn skip_blank_lines(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let blank: usize =
        rest.split_inclusive('\n').take_while(|line| line.chars().all(is_blank)).map(str::len).sum();
    from.saturating_add(blank)
}

/// Splits `#name value`; none when the line is anything else.
fn command_line(line: &str) -> Option<(&str, &str)> {
    let inner = line.strip_prefix('#')?;
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
    let (name, rest) = inner.split_at_checked(end)?;
    // `#include<x>` and `#1` are text; a colon before the value is a habit of many.
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    (is_name && (rest.is_empty() || rest.starts_with(is_blank)))
        .then(|| (name, rest.trim_start_matches(is_blank)))
}

fn read(name: &str, value: &str) -> Reading {
    let name = name.to_ascii_lowercase();
    let done = |command: Option<Command>, wanted: &str| match command {
        Some(command) => Reading::Command(command),
        None => Reading::Wrong(format!("#{name} wants {wanted}")),
    };
    match name.as_str() {
        "status" => done(status(value).map(Command::Status), "one of: open pending hold solved"),
        "open" | "pending" | "solved" => short_form(&name, value),
        "requester" => done(person(value).map(Command::Requester), "an e-mail address or an id"),
        "assignee" => done(person(value).map(Command::Assignee), "an e-mail address or an id"),
        "group" => done(group(value).map(Command::Group), "a name or an id"),
        "public" => done(truth(value).map(Command::Public), "true or false"),
        // Someone who writes the note after the command wants it private, and wants it kept.
        "note" if !value.is_empty() => Reading::CommandAndText(Command::Public(false), value.len()),
        "note" => Reading::Command(Command::Public(false)),
        "priority" => done(
            value.to_ascii_lowercase().parse().ok().map(Command::Priority),
            "one of: low normal high urgent",
        ),
        "type" => done(
            value.to_ascii_lowercase().parse().ok().map(Command::Type),
            "one of: question incident problem task",
        ),
        "tags" => done(tags(value).map(Command::Tags), "at least one tag"),
        "cc" | "ccs" => done(ccs(value).map(Command::Ccs), "e-mail addresses"),
        _ => Reading::Foreign(format!("there is no command #{name}")),
    }
}

/// Statuses a person may ask for: a ticket never goes back to new, and closes by time.
fn status(value: &str) -> Option<Status> {
    let status: Status = value.to_ascii_lowercase().parse().ok()?;
    (!matches!(status, Status::New | Status::Closed)).then_some(status)
}

fn short_form(name: &str, value: &str) -> Reading {
    match status(name) {
        Some(status) if value.is_empty() => Reading::Command(Command::Status(status)),
        _ => Reading::Foreign(format!("#{name} stands alone on its line")),
    }
}

fn truth(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "" | "true" | "yes" => Some(true),
        "false" | "no" => Some(false),
        _ => None,
    }
}

fn number(value: &str) -> Option<i64> {
    value.parse().ok().filter(|&id: &i64| id > 0 && value.bytes().all(|byte| byte.is_ascii_digit()))
}

fn group(value: &str) -> Option<GroupName> {
    number(value)
        .map(GroupName::Id)
        .or_else(|| (!value.is_empty()).then(|| GroupName::Name(value.to_owned())))
}

fn person(value: &str) -> Option<PersonName> {
    number(value).map(|id| PersonName::Id(UserId(id))).or_else(|| mailbox(value).map(PersonName::Mailbox))
}

fn tags(value: &str) -> Option<Vec<String>> {
    let tags = normal_tags(value.split(','));
    (!tags.is_empty()).then_some(tags)
}

fn ccs(value: &str) -> Option<Vec<Mailbox>> {
    let all: Option<Vec<Mailbox>> = value
        .split([',', ';'])
        .flat_map(
            |piece| if piece.contains(['<', '[']) { vec![piece] } else { piece.split(is_blank).collect() },
        )
        .map(|piece| piece.trim_matches(is_blank))
        .filter(|piece| !piece.is_empty())
        .map(mailbox)
        .collect();
    all.filter(|all| !all.is_empty())
}

/// One address, also as mail programs turn links into text: `a@b <mailto:a@b>`, `Ada <a@b>`, `a@b
/// [mailto:a@b]`.
fn mailbox(value: &str) -> Option<Mailbox> {
    let (before, inside) = match value.split_once(['<', '[']) {
        Some((before, rest)) => {
            (before.trim_matches(is_blank), rest.split(['>', ']']).next().unwrap_or_default())
        }
        None => ("", value),
    };
    let inside = inside.trim_matches(is_blank);
    let scheme = inside.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    let address = inside.get(scheme.map_or(0, str::len)..).unwrap_or_default();
    let key = AddressKey::parse(address).ok()?;
    let name = before.trim_matches('"').trim_matches(is_blank);
    let name = if AddressKey::parse(name).is_ok_and(|shown| shown == key) { "" } else { name };
    Some(Mailbox { name: name.chars().take(255).collect(), address: address.to_owned() })
}

#[cfg(test)]
mod tests;
