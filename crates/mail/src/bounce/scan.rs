//! The failed recipients of a notice, and what it says about each.

use super::address::{self, Hit};
use super::notice::Notice;
use super::place::{self, Place};
use crate::report::MAX_RECIPIENTS;
use crate::report::answer;
use crate::report::cause::Cause;
use std::collections::{BTreeMap, BTreeSet};

/// A recipient and what is said about it.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) address: String,
    /// The alias it was expanded from: the address the message was sent to.
    pub(super) origin: Option<String>,
    /// The lines about it; empty if it has none of its own.
    pub(super) said: String,
    /// Whether they contain a server's answer.
    pub(super) has_answer: bool,
    /// Whether it was found where notices list failed addresses.
    pub(super) is_listed: bool,
}

/// How many lines mentioning an address are kept.
const MENTIONS: usize = 4;

/// The alias of a recipient is looked for within this many lines.
const ORIGIN_LINES: usize = 4;

/// How much text about one recipient is kept, in octets.
const SAID_OCTETS: usize = 2_000;

/// Reads the notice; `returned` is the message quoted after it.
pub(super) fn read(notice: &str, returned: &str, context: &Notice<'_>) -> Vec<Found> {
    let lines: Vec<&str> = notice.lines().collect();
    let seen = see(&lines, context);
    let mut chosen = choose(&seen, context);
    if chosen.is_empty() {
        chosen = bare_names(&lines, context);
    }
    if chosen.is_empty() {
        chosen = to_of_returned(notice, returned, context);
    }
    let mut starts: Vec<usize> = chosen.iter().map(|(_, line, _)| *line).collect();
    starts.sort_unstable();
    chosen
        .into_iter()
        .map(|(address, line, is_listed)| {
            let next = starts.partition_point(|start| *start <= line);
            let end = starts.get(next).copied().unwrap_or(lines.len());
            let mentions =
                seen.mentions.get(&address.to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default();
            let said = what_is_said(&lines, line, end, mentions);
            let has_answer = !answer::first(&said).is_empty();
            let origin = seen.origin_of(&address, line, end);
            Found { address, origin, said, has_answer, is_listed }
        })
        .collect()
}

/// All addresses of the notice, by place and by name.
#[derive(Default)]
struct Seen {
    /// In text order: the address, its line, its place.
    hits: Vec<(String, usize, Place)>,
    /// Addresses that occur somewhere as the sender's or a contact's, lower-cased.
    others: BTreeSet<String>,
    /// The lines on which each address occurs; keys lower-cased.
    mentions: BTreeMap<String, Vec<usize>>,
}

impl Seen {
    /// The alias named on the recipient's line `start` or just below it, before line `end`.
    fn origin_of(&self, address: &str, start: usize, end: usize) -> Option<String> {
        let from = self.hits.partition_point(|(_, line, _)| *line < start);
        let last = end.max(start.saturating_add(1)).min(start.saturating_add(ORIGIN_LINES));
        let beside = self.hits.iter().skip(from).take_while(|(_, line, _)| *line < last);
        let mut origins = beside.filter(|(_, _, place)| *place == Place::Origin).map(|(origin, ..)| origin);
        match (origins.next(), origins.next()) {
            (Some(origin), None) if !origin.eq_ignore_ascii_case(address) => Some(origin.clone()),
            _ => None,
        }
    }
}

fn see(lines: &[&str], context: &Notice<'_>) -> Seen {
    let mut seen = Seen::default();
    let mut last_words = "";
    for (number, line) in lines.iter().enumerate() {
        if memchr::memchr(b'@', line.as_bytes()).is_some() {
            let mut beside: Option<(Place, &str)> = None;
            let spoken = place::Line::new(line, last_words);
            for hit in address::find(line) {
                let place = continued(&hit, beside).or_else(|| place::of(&spoken, &hit, context));
                beside = place.map(|place| (place, hit.after));
                let lower = hit.address.to_ascii_lowercase();
                if place.is_none() {
                    seen.others.insert(lower.clone());
                }
                let mentions = seen.mentions.entry(lower).or_default();
                if mentions.len() < MENTIONS {
                    mentions.push(number);
                }
                if let Some(place) = place
                    && seen.hits.len() < MAX_RECIPIENTS.saturating_mul(4)
                {
                    seen.hits.push((hit.address.to_owned(), number, place));
                }
            }
        }
        if !line.trim().is_empty() {
            last_words = line.trim();
        }
    }
    seen
}

/// `a@x.example, b@x.example`: an address separated from the previous one only by a comma shares its place.
fn continued(hit: &Hit<'_>, beside: Option<(Place, &str)>) -> Option<Place> {
    let (place, rest) = beside?;
    let between = rest.get(..rest.len().saturating_sub(hit.after.len()).saturating_sub(hit.address.len()))?;
    let is_list = between.contains([',', ';'])
        && between.chars().all(|c| matches!(c, ',' | ';' | ' ' | '<' | '>' | '\t' | '\''));
    is_list.then_some(place)
}

/// The addresses in the best place that occurs, each once; those of X-Failed-Recipients take precedence over
/// the text.
fn choose(seen: &Seen, context: &Notice<'_>) -> Vec<(String, usize, bool)> {
    if !context.named.is_empty() {
        let line_of = |address: &str| {
            seen.mentions.get(&address.to_ascii_lowercase()).and_then(|lines| lines.first()).copied()
        };
        let mut list: Vec<(String, usize, bool)> = Vec::new();
        for address in context.named {
            if !list.iter().any(|(known, ..)| known.eq_ignore_ascii_case(address)) && list.len() < 50 {
                list.push((address.clone(), line_of(address).unwrap_or(0), true));
            }
        }
        return list;
    }
    let is_other = |address: &str| seen.others.contains(&address.to_ascii_lowercase());
    let others_count = seen.hits.iter().all(|(address, ..)| is_other(address));
    let hits = || seen.hits.iter().filter(|(address, ..)| others_count || !is_other(address));
    let Some(best) = hits().map(|(_, _, place)| *place).min() else { return Vec::new() };
    let mut known = BTreeSet::new();
    // The server's question and its answer may name different addresses.
    let of_best =
        hits().filter(|(_, _, place)| *place == best || (best, *place) == (Place::Answer, Place::Told));
    of_best
        .filter(|(address, ..)| known.insert(address.to_ascii_lowercase()))
        .map(|(address, line, place)| (address.clone(), *line, *place <= Place::Answer))
        .take(MAX_RECIPIENTS)
        .collect()
}

/// What is said about the recipient on line `start`: its own paragraph, else another line that names it, else
/// everything up to the next recipient.
fn what_is_said(lines: &[&str], start: usize, end: usize, mentions: &[usize]) -> String {
    let has_told = |text: &str| !answer::first(text).is_empty();
    let own = paragraph(lines, start, end);
    if has_told(&own) {
        return own;
    }
    let of_mentions: Vec<String> = mentions
        .iter()
        .filter(|line| **line != start)
        .map(|line| paragraph(lines, *line, line.saturating_add(4)))
        .collect();
    if let Some(told) = of_mentions.iter().find(|text| has_told(text)) {
        return told.clone();
    }
    let block = joined(lines, start, end);
    if has_told(&block) || Cause::of(&own) == Cause::Unknown {
        return block;
    }
    own
}

/// From one line to the next empty one.
fn paragraph(lines: &[&str], start: usize, end: usize) -> String {
    let stop = lines
        .iter()
        .enumerate()
        .take(end)
        .skip(start.saturating_add(1))
        .find(|(_, line)| line.trim().is_empty())
        .map_or(end, |(at, _)| at);
    joined(lines, start, stop)
}

fn joined(lines: &[&str], start: usize, end: usize) -> String {
    let mut out = String::new();
    for line in lines.iter().take(end).skip(start) {
        if out.len().saturating_add(line.len()) > SAID_OCTETS {
            break;
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// Local parts alone on a line under a heading, as written by services that know only their own users;
/// completed with the domain that sent the report.
fn bare_names(lines: &[&str], context: &Notice<'_>) -> Vec<(String, usize, bool)> {
    let Some((_, domain)) = context.from.first().and_then(|mailbox| mailbox.address.split_once('@')) else {
        return Vec::new();
    };
    let mut list = Vec::new();
    let mut is_headed = false;
    for (number, line) in lines.iter().enumerate() {
        // `ada (user not found)`
        let name = line
            .trim()
            .split_once(" (")
            .filter(|(_, reason)| reason.ends_with(')'))
            .map_or(line.trim(), |(name, _)| name);
        let word = name.trim_matches(['<', '>', '"', '\'']);
        let is_name = (2..=64).contains(&word.len())
            && word.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'_' | b'-'));
        if is_headed && is_name && line.starts_with([' ', '\t', '<']) && list.len() < MAX_RECIPIENTS {
            list.push((format!("{word}@{domain}"), number, false));
        } else if !line.trim().is_empty() {
            is_headed = place::is_heading(line);
        }
    }
    list
}

/// The only recipient of the returned message, if the notice names none.
fn to_of_returned(notice: &str, returned: &str, context: &Notice<'_>) -> Vec<(String, usize, bool)> {
    let header = if returned.is_empty() { notice } else { returned };
    let is_own = |address: &str| {
        context.to.iter().chain(context.from).any(|mailbox| mailbox.address.eq_ignore_ascii_case(address))
    };
    for line in header.lines().take(200) {
        let line = line.trim_start_matches([' ', '\t', '>', '|']);
        let Some((name, value)) = line.split_once(':') else { continue };
        let is_to = ["to", "x-original-to", "delivered-to"]
            .iter()
            .any(|known| name.trim().eq_ignore_ascii_case(known));
        if let ([hit], true) = (address::find(value).as_slice(), is_to)
            && !is_own(hit.address)
        {
            return vec![(hit.address.to_owned(), 0, false)];
        }
    }
    Vec::new()
}
