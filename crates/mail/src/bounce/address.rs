//! Addresses in running text.

/// An address in a line, and the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit<'a> {
    pub(super) address: &'a str,
    pub(super) before: &'a str,
    pub(super) after: &'a str,
}

/// The maximum number of addresses considered per line.
const MAX_HITS: usize = 1_000;

/// The longest address literal, brackets included.
const LITERAL_OCTETS: usize = 49;

/// All addresses of a line, from left to right.
pub(super) fn find(line: &str) -> Vec<Hit<'_>> {
    let mut hits = Vec::new();
    let mut from = 0_usize;
    for at in memchr::memchr_iter(b'@', line.as_bytes()) {
        if at < from {
            continue;
        }
        let Some((left, right)) = line.split_at_checked(at) else { continue };
        let Some(left) = left.get(from..) else { continue };
        let local = local_part(left);
        let domain = domain(right.get(1..).unwrap_or_default());
        if local.is_empty() || domain.is_empty() {
            continue;
        }
        let start = at.saturating_sub(local.len());
        let end = at.saturating_add(1).saturating_add(domain.len());
        let (Some(address), Some(before), Some(after)) =
            (line.get(start..end), line.get(..start), line.get(end..))
        else {
            continue;
        };
        hits.push(Hit { address, before, after });
        from = end;
        if hits.len() >= MAX_HITS {
            break;
        }
    }
    hits
}

/// RFC 5322 atext and dots, or a quoted string, at the end of a text.
fn local_part(left: &str) -> &str {
    if left.ends_with('"') {
        let inner = left.get(..left.len().saturating_sub(1)).unwrap_or_default();
        return inner.rfind('"').and_then(|at| left.get(at..)).unwrap_or_default();
    }
    let kept = left.trim_end_matches(|c: char| c.is_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c));
    let local = left
        .get(kept.len()..)
        .unwrap_or_default()
        .trim_start_matches(['\'', '`', '*', '.', '-', '/', '|', '=', '#', '!']);
    // X.400 and SMTP texts write `SMTP=user@host` and `rfc822=user@host`.
    let lower = local.get(..local.floor_char_boundary(12)).unwrap_or_default().to_ascii_lowercase();
    ["smtp=", "rfc822=", "rfc-822=", "to=", "rcpt=", "recipient=", "final="]
        .iter()
        .find(|prefix| lower.starts_with(**prefix))
        .and_then(|prefix| local.get(prefix.len()..))
        .unwrap_or(local)
}

/// A domain or an address literal at the beginning of a text.
fn domain(right: &str) -> &str {
    if right.starts_with('[') {
        let near = right.as_bytes().get(..LITERAL_OCTETS.min(right.len())).unwrap_or_default();
        return memchr::memchr(b']', near).and_then(|end| right.get(..=end)).unwrap_or_default();
    }
    let end =
        right.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))).unwrap_or(right.len());
    right.get(..end).unwrap_or_default().trim_end_matches(['.', '-', '_'])
}
