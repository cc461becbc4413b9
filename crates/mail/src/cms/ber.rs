//! The few BER tags (X.690 §8) that precede a signed content, read from the front; truncated input is read as
//! far as it goes.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const EXPLICIT_0: u8 = 0xa0;
const OCTET_STRING: u8 = 0x04;
const OCTET_STRING_IN_PIECES: u8 = 0x24;
const END_OF_CONTENTS: u8 = 0x00;
const IS_CONSTRUCTED: u8 = 0x20;

/// The beginning of an element.
struct Head<'a> {
    tag: u8,
    /// `None`: indefinite, up to its end-of-contents.
    length: Option<usize>,
    /// What follows tag and length.
    after: &'a [u8],
}

impl<'a> Head<'a> {
    /// `None` at the end of input, for multi-octet tags, and for lengths that do not fit a `usize`.
    fn read(octets: &'a [u8]) -> Option<Self> {
        let [tag, first, rest @ ..] = octets else { return None };
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (length, after) = match first {
            0..=0x7f => (Some(usize::from(*first)), rest),
            0x80 if tag & IS_CONSTRUCTED != 0 => (None, rest),
            0x80 => return None,
            _ => {
                let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = digits.iter().try_fold(0_usize, |length, digit| {
                    length.checked_mul(256).map(|length| length | usize::from(*digit))
                });
                (Some(length?), after)
            }
        };
        Some(Self { tag: *tag, length, after })
    }

    /// The content and what follows it; with indefinite length, everything left is content.
    fn split(&self) -> (&'a [u8], &'a [u8]) {
        let length = self.length.unwrap_or(usize::MAX);
        self.after.split_at_checked(length).unwrap_or((self.after, &[]))
    }
}

/// The content of an element with that tag; for indefinite lengths more may follow it.
pub(super) fn enter(octets: &[u8], tag: u8) -> Option<&[u8]> {
    let head = Head::read(octets).filter(|head| head.tag == tag)?;
    Some(head.split().0)
}

/// The content of an element with that tag and a definite length, and what follows it.
pub(super) fn take(octets: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let head = Head::read(octets).filter(|head| head.tag == tag && head.length.is_some())?;
    Some(head.split())
}

/// What follows an element of any kind.
pub(super) fn skip(octets: &[u8]) -> Option<&[u8]> {
    let mut rest = octets;
    let mut open = 0_usize;
    loop {
        let head = Head::read(rest)?;
        rest = match head.length {
            None => {
                open = open.saturating_add(1);
                head.after
            }
            Some(_) => {
                open = open.saturating_sub(usize::from(head.tag == END_OF_CONTENTS));
                head.split().1
            }
        };
        if open == 0 {
            return Some(rest);
        }
    }
}

/// An octet string, in one piece or in several, possibly nested (X.690 §8.7.3).
pub(super) fn octet_string(octets: &[u8]) -> Option<Vec<u8>> {
    let whole = Head::read(octets)?;
    if whole.tag == OCTET_STRING {
        return Some(whole.split().0.to_vec());
    }
    if whole.tag != OCTET_STRING_IN_PIECES {
        return None;
    }
    let mut string = Vec::new();
    // Pieces follow one another however deeply they are nested, so only the ends have to be counted.
    let mut open = usize::from(whole.length.is_none());
    let mut rest = whole.split().0;
    while let Some(head) = Head::read(rest) {
        rest = match head.tag {
            OCTET_STRING => {
                let (piece, after) = head.split();
                string.extend_from_slice(piece);
                after
            }
            OCTET_STRING_IN_PIECES => {
                open = open.saturating_add(usize::from(head.length.is_none()));
                head.after
            }
            END_OF_CONTENTS if open > 1 => {
                open = open.saturating_sub(1);
                head.after
            }
            _ => break,
        };
    }
    Some(string)
}
