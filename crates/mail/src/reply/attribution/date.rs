//! Dates and times in an attribution, in any language: found by their digits, not read.

/// An attribution that begins with a date has it within this many octets.
pub(super) const DATE_OCTETS: usize = 60;

/// Octet offset of the first date or time: `10:30`, `1.2.2026`, `2026`, `3月`.
pub(super) fn date_at(said: &str) -> Option<usize> {
    let octets = said.as_bytes();
    let digits_at = |from: usize| {
        octets.get(from..).unwrap_or_default().iter().take_while(|octet| octet.is_ascii_digit()).count()
    };
    let mut at = 0;
    while let Some(found) = octets.get(at..).and_then(|rest| rest.iter().position(u8::is_ascii_digit)) {
        let start = at.saturating_add(found);
        let length = digits_at(start);
        let end = start.saturating_add(length);
        let mut before = octets.get(..start).unwrap_or_default().iter().rev();
        // Not the end of a phone number, and not a word or address containing a digit.
        let is_own = match before.next() {
            Some(b'-' | b'.') => !before.next().is_some_and(u8::is_ascii_digit),
            Some(octet) => !octet.is_ascii_alphanumeric() && !matches!(octet, b'@' | b'_' | b'+' | b'='),
            None => true,
        };
        let is_year = length == 4
            && said
                .get(start..end)
                .is_some_and(|year| ("1970".."2100").contains(&year) || ("2500".."2600").contains(&year));
        let is_counted =
            said.get(end..).is_some_and(|rest| rest.starts_with(['年', '月', '日', '년', '월', '일']));
        let next = end.saturating_add(1);
        let is_parted = matches!(octets.get(end), Some(b':' | b'.' | b'/' | b'-'))
            && (matches!(digits_at(next), 1 | 2 | 4)
                || octets.get(next).is_some_and(u8::is_ascii_alphabetic));
        if is_own && (is_year || is_counted || length <= 2 && is_parted) {
            return Some(start);
        }
        at = end;
    }
    None
}

/// A digit within the first words, none of them long: words before a date are `On Monday,` rather than the
/// start of a sentence.
pub(super) fn digit_comes_early(said: &str) -> bool {
    said.split_whitespace().take(5).any(|word| {
        word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '(' | '"'))
            || word.contains(['年', '년'])
    })
}

/// `2026-03-01`, `2026/3/1`
pub(super) fn starts_with_iso_date(said: &str) -> bool {
    let mut pieces = said.splitn(3, ['-', '/', '.']);
    let mut is_number = |octets: std::ops::RangeInclusive<usize>| {
        pieces.next().is_some_and(|piece| {
            let number = piece.bytes().take_while(u8::is_ascii_digit).count();
            octets.contains(&number) && (number == piece.len() || piece.as_bytes().get(number) == Some(&b' '))
        })
    };
    said.starts_with(['1', '2']) && is_number(4..=4) && is_number(1..=2) && is_number(1..=2)
}
