//! Dates in header fields (RFC 5322 §3.3), in both directions, without a clock or a time zone database.

use std::borrow::Cow;

/// Milliseconds per day.
const DAY_MS: i64 = 86_400_000;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Starts with Thursday, because 1970-01-01 was one.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// How much of a value is examined.
const DATE_OCTETS: usize = 200;

/// Names of months in languages other than English, by the beginning of the lower-cased word; longer
/// beginnings come first where one is a prefix of another.
const FOREIGN_MONTHS: &[(&str, i64)] = &[
    ("ene", 1),
    ("gen", 1),
    ("ian", 1),
    ("oca", 1),
    ("sty", 1),
    ("led", 1),
    ("янв", 1),
    ("січ", 1),
    ("яну", 1),
    ("fév", 2),
    ("fev", 2),
    ("lut", 2),
    ("úno", 2),
    ("şub", 2),
    ("sub", 2),
    ("фев", 2),
    ("лют", 2),
    ("mär", 3),
    ("mrz", 3),
    ("maa", 3),
    ("mrt", 3),
    ("már", 3),
    ("bře", 3),
    ("мар", 3),
    ("бер", 3),
    ("avr", 4),
    ("abr", 4),
    ("kwi", 4),
    ("dub", 4),
    ("ápr", 4),
    ("nis", 4),
    ("апр", 4),
    ("кві", 4),
    ("mai", 5),
    ("mag", 5),
    ("mei", 5),
    ("maj", 5),
    ("máj", 5),
    ("kvě", 5),
    ("май", 5),
    ("мая", 5),
    ("тра", 5),
    ("juin", 6),
    ("giu", 6),
    ("iun", 6),
    ("jún", 6),
    ("cze", 6),
    ("čer", 6),
    ("haz", 6),
    ("июн", 6),
    ("чер", 6),
    ("juil", 7),
    ("lug", 7),
    ("iul", 7),
    ("júl", 7),
    ("lip", 7),
    ("čvc", 7),
    ("tem", 7),
    ("июл", 7),
    ("лип", 7),
    ("aoû", 8),
    ("aou", 8),
    ("ago", 8),
    ("sie", 8),
    ("srp", 8),
    ("ağu", 8),
    ("авг", 8),
    ("сер", 8),
    ("set", 9),
    ("sze", 9),
    ("wrz", 9),
    ("zář", 9),
    ("eyl", 9),
    ("сен", 9),
    ("вер", 9),
    ("okt", 10),
    ("out", 10),
    ("ott", 10),
    ("paź", 10),
    ("říj", 10),
    ("eki", 10),
    ("окт", 10),
    ("жов", 10),
    ("lis", 11),
    ("kas", 11),
    ("noi", 11),
    ("ноя", 11),
    ("ное", 11),
    ("лис", 11),
    ("dez", 12),
    ("déc", 12),
    ("dic", 12),
    ("gru", 12),
    ("pro", 12),
    ("ara", 12),
    ("дек", 12),
    ("гру", 12),
];

/// Zones by name, in minutes: RFC 5322 §4.3 and others in use. Ambiguous and unknown names count as UTC.
const ZONES: &[(&str, i64)] = &[
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    ("wet", 0),
    ("edt", -240),
    ("est", -300),
    ("cdt", -300),
    ("cst", -360),
    ("mdt", -360),
    ("mst", -420),
    ("pdt", -420),
    ("pst", -480),
    ("akdt", -480),
    ("akst", -540),
    ("hst", -600),
    ("adt", -180),
    ("brt", -180),
    ("bst", 60),
    ("west", 60),
    ("cet", 60),
    ("met", 60),
    ("mez", 60),
    ("cest", 120),
    ("mest", 120),
    ("mesz", 120),
    ("eet", 120),
    ("sast", 120),
    ("eest", 180),
    ("msk", 180),
    ("trt", 180),
    ("hkt", 480),
    ("sgt", 480),
    ("awst", 480),
    ("jst", 540),
    ("kst", 540),
    ("acst", 570),
    ("aest", 600),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
];

/// Parses a date to unix milliseconds; `None` if it is not one, or is before 1900 or after 9999.
///
/// Also reads the obsolete forms of RFC 5322 §4.3, leap seconds, and what programs write instead: ISO 8601,
/// `ctime`, dates without weekday, time or zone (then midnight, UTC), with the month first or in another
/// language, with AM or PM.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let text = text.get(..text.floor_char_boundary(DATE_OCTETS)).unwrap_or_default();
    let text = if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase() };
    let mut found = Found::default();
    for word in without_comments(&text)
        .split([' ', '\t', ',', '\r', '\n', '\u{a0}', '\u{202f}'])
        .filter(|word| !word.is_empty())
    {
        found.take(word)?;
    }
    let days = days_of(full_year(found.year?), found.month?, found.day?)?;
    let (hour, minute, second) = found.time.unwrap_or_default();
    let hour = match found.is_afternoon {
        Some(is_afternoon) => hour % 12 + if is_afternoon { 12 } else { 0 },
        None => hour,
    };
    let time_ms = (hour * 3_600 + minute * 60 + second.min(59)) * 1_000;
    days.checked_mul(DAY_MS)?.checked_add(time_ms)?.checked_sub(found.offset_minutes.unwrap_or(0) * 60_000)
}

/// Removes comments (RFC 5322 §3.2.2).
fn without_comments(text: &str) -> Cow<'_, str> {
    if !text.contains('(') {
        return Cow::Borrowed(text);
    }
    let mut depth = 0_usize;
    let kept = text
        .chars()
        .filter(|c| {
            match c {
                '(' => depth = depth.saturating_add(1),
                ')' => {
                    depth = depth.saturating_sub(1);
                    return false;
                }
                _ => (),
            }
            depth == 0
        })
        .collect();
    Cow::Owned(kept)
}

/// What the words of a date have yielded so far.
#[derive(Default)]
struct Found {
    day: Option<i64>,
    month: Option<i64>,
    year: Option<i64>,
    time: Option<(i64, i64, i64)>,
    is_afternoon: Option<bool>,
    offset_minutes: Option<i64>,
}

impl Found {
    /// Processes a lower-cased word; `None` if no date can contain it.
    fn take(&mut self, word: &str) -> Option<()> {
        let first = word.chars().next()?;
        if word.contains(':') && first.is_ascii_digit() {
            return self.clock(word);
        }
        if matches!(first, '+' | '-') && self.time.is_some() {
            self.offset_minutes = self.offset_minutes.or_else(|| offset(word));
            return Some(());
        }
        if first.is_ascii_digit() {
            return if word.contains(['-', '/', '.', '年']) { self.joined(word) } else { self.number(word) };
        }
        self.name(word);
        Some(())
    }

    /// `10:00`, `10:00:01.5`, `10:00:01+0200`, `10:00pm`, `2026-04-07T10:00:01Z`.
    fn clock(&mut self, word: &str) -> Option<()> {
        if let Some((date, time)) = word.split_once('t').filter(|(date, _)| date.contains('-')) {
            self.joined(date)?;
            return self.clock(time);
        }
        let end = word.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.')).unwrap_or(word.len());
        let (time, rest) = word.split_at_checked(end)?;
        self.time = Some(time_of(time)?);
        match rest {
            "" => (),
            _ if rest.starts_with(['+', '-']) => self.offset_minutes = offset(rest),
            // Followed by something other than a zone or AM/PM, it is not a time.
            _ if is_name_of_time(rest) => self.name(rest),
            _ => return None,
        }
        Some(())
    }

    /// `22-nov-2026`, `2026-11-22`, `22.11.2026`, `2026/11/22`, `2026年11月22日`.
    fn joined(&mut self, word: &str) -> Option<()> {
        let mut pieces = word.split(['-', '/', '.', '年', '月', '日']).filter(|piece| !piece.is_empty());
        let first = pieces.next()?;
        let second = pieces.next();
        let third = pieces.next();
        let (Some(second), Some(third)) = (second, third) else {
            // `22.` and `nov.`: one word with a trailing dot.
            return match second {
                None => self.number(first),
                Some(_) => None,
            };
        };
        let month = number(second, 2).or_else(|| month_of(second))?;
        // With slashes, nobody knows which of two small numbers is the month.
        if word.contains('/') && first.len() < 4 {
            return None;
        }
        let (year, day) = if first.len() == 4 { (first, third) } else { (third, first) };
        let year = number(year, 4)?;
        let day = number(day, 2)?;
        self.year = Some(year);
        self.month = Some(month);
        self.day = Some(day);
        Some(())
    }

    /// The day comes before the year, but a year may be recognised by its size.
    fn number(&mut self, word: &str) -> Option<()> {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let value = number(digits, 4)?;
        if self.day.is_none() && digits.len() <= 2 {
            self.day = Some(value);
        } else if self.year.is_none() {
            self.year = Some(value);
        }
        Some(())
    }

    fn name(&mut self, word: &str) {
        let word = word.trim_end_matches('.');
        match word {
            "am" | "a.m" => self.is_afternoon = Some(false),
            "pm" | "p.m" => self.is_afternoon = Some(true),
            _ if self.time.is_some() && (self.month.is_some() && self.day.is_some()) => {
                let letters = word.find(['+', '-']).unwrap_or(word.len());
                let (name, number) = word.split_at_checked(letters).unwrap_or((word, ""));
                let zone = ZONES.iter().find(|(zone, _)| *zone == name).map(|(_, minutes)| *minutes);
                self.offset_minutes =
                    self.offset_minutes.or_else(|| if number.is_empty() { zone } else { offset(number) });
            }
            // A weekday in another language may begin like a month; the real month comes later.
            _ if self.month.is_none() || self.time.is_none() => self.month = month_of(word).or(self.month),
            _ => (),
        }
    }
}

fn is_name_of_time(word: &str) -> bool {
    matches!(word, "am" | "pm" | "a.m." | "p.m.") || ZONES.iter().any(|(zone, _)| *zone == word)
}

/// Formats unix milliseconds as `Sun, 22 Nov 2026 18:00:00 +0000`; values outside the years 1900 to 9999 are
/// clamped.
#[must_use]
pub fn format(date_ms: i64) -> String {
    let date_ms = date_ms.clamp(-25_567 * DAY_MS, 2_932_897 * DAY_MS - 1);
    let days = date_ms.div_euclid(DAY_MS);
    let second = date_ms.rem_euclid(DAY_MS) / 1_000;
    let (year, month, day) = civil_of(days);
    let name = |names: &[&'static str], at: i64| {
        usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or_default()
    };
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} +0000",
        name(&WEEKDAYS, days.rem_euclid(7)),
        name(&MONTHS, month - 1),
        second / 3_600,
        second / 60 % 60,
        second % 60,
    )
}

fn number(text: &str, digits: usize) -> Option<i64> {
    let fits = (1..=digits).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// RFC 5322 §4.3: two and three digits.
fn full_year(year: i64) -> i64 {
    match year {
        0..=49 => year + 2_000,
        50..=999 => year + 1_900,
        _ => year,
    }
}

fn month_of(text: &str) -> Option<i64> {
    let english =
        text.get(..3).and_then(|short| MONTHS.iter().position(|month| month.eq_ignore_ascii_case(short)));
    if let Some(at) = english {
        return i64::try_from(at).ok().map(|at| at + 1);
    }
    FOREIGN_MONTHS.iter().find(|(beginning, _)| text.starts_with(beginning)).map(|(_, month)| *month)
}

fn time_of(text: &str) -> Option<(i64, i64, i64)> {
    let mut pieces = text.split([':', '.']);
    let hour = number(pieces.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = number(pieces.next()?, 2).filter(|minute| *minute < 60)?;
    let second = pieces.next().map_or(Some(0), |second| number(second, 2)).filter(|second| *second <= 60)?;
    Some((hour, minute, second))
}

/// The offset from UTC in minutes: `+0200`, `-02:00`, `+2`; RFC 5322 §4.3: unknown zones count as `-0000`.
fn offset(zone: &str) -> Option<i64> {
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.strip_prefix(['+', '-'])?.replace(':', "");
    let value = number(&digits, 4)?;
    let minutes = if digits.len() <= 2 { value * 60 } else { value / 100 * 60 + value % 100 };
    (minutes < 24 * 60).then_some(sign * minutes)
}

/// Days since 1970-01-01 in the Gregorian calendar; years are counted from March, so that leap days come
/// last.
fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1_900..=9_999).contains(&year) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    let year = if month > 2 { year } else { year - 1 };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn civil_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_read() {
        for (input, want) in [
            ("Thu, 01 Jan 1970 00:00:00 +0000", Some(0)),
            ("Fri, 21 Nov 1997 09:55:06 -0600", Some(880_127_706_000)),
            ("21 Nov 1997 09:55:06 -06:00", Some(880_127_706_000)),
            ("21 Nov 97 09:55:06 CST", Some(880_127_706_000)),
            ("Fri, 21-Nov-1997 15:55:06 GMT (a comment)", Some(880_127_706_000)),
            ("Fri , 21 November 1997 15:55:06", Some(880_127_706_000)),
            ("21 Nov 1997 15:55", Some(880_127_700_000)),
            ("Thu, 29 Feb 2024 23:59:60 +0530", Some(1_709_231_399_000)),
            ("1 Jan 1900 00:00 +0000", Some(-2_208_988_800_000)),
            ("1997-11-21T15:55:06Z", Some(880_127_706_000)),
            ("1997-11-21T09:55:06.789-06:00", Some(880_127_706_000)),
            ("1997-11-21 15:55:06", Some(880_127_706_000)),
            ("1997/11/21 15:55:06 UTC", Some(880_127_706_000)),
            ("21.11.1997 16:55:06 MEZ", Some(880_127_706_000)),
            ("Fri Nov 21 15:55:06 1997", Some(880_127_706_000)),
            ("Fri Nov 21 10:55:06 EST 1997", Some(880_127_706_000)),
            ("Fri Nov 21 1997 16:55:06 GMT+0100 (Central European Standard Time)", Some(880_127_706_000)),
            ("Nov 21, 1997 3:55:06 PM", Some(880_127_706_000)),
            ("Friday, 21 November 1997 3:55:06pm GMT+0", Some(880_127_706_000)),
            ("21 Nov 1997 12:05:06 am", Some(880_070_706_000)),
            ("Fri, 21 Nov 1997 16:55:06 +0100 (CET (winter))", Some(880_127_706_000)),
            ("Fri,21 Nov 1997 15:55:06+0000", Some(880_127_706_000)),
            ("Fri, 21 Nov 1997 16:55:06 +1", Some(880_127_706_000)),
            ("Fr, 21. Nov. 1997 16:55:06 +0100", Some(880_127_706_000)),
            ("mar., 21 déc. 2021 10:00:00 +0100", Some(1_640_077_200_000)),
            ("вт, 21 дек. 2021 12:00:00 MSK", Some(1_640_077_200_000)),
            ("Di, 21 Dez 2021 10:00 +0100", Some(1_640_077_200_000)),
            ("2021年12月21日 09:00:00", Some(1_640_077_200_000)),
            ("21 Dec 121 09:00:00 GMT", Some(1_640_077_200_000)),
            ("21 Dec 2021", Some(1_640_044_800_000)),
            ("Tue, 21 Dec 2021 09:00:t", None),
            ("12/21/2021 09:00", None),
            ("21 Dec", None),
            ("10:00:00", None),
            ("1 Jan 20260 00:00 +0000", None),
            ("30 Feb 2024 00:00:00 +0000", None),
            ("0 Jan 2024 00:00:00 +0000", None),
            ("1 Foo 2024 00:00:00 +0000", None),
            ("1 Jan 2024 24:00:00 +0000", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(parse(input), want, "{input}");
        }
    }

    #[test]
    fn dates_are_written() {
        for (date_ms, want) in [
            (0, "Thu, 01 Jan 1970 00:00:00 +0000"),
            (880_127_706_000, "Fri, 21 Nov 1997 15:55:06 +0000"),
            (1_709_164_800_000, "Thu, 29 Feb 2024 00:00:00 +0000"),
            (-1, "Wed, 31 Dec 1969 23:59:59 +0000"),
            (i64::MIN, "Mon, 01 Jan 1900 00:00:00 +0000"),
            (i64::MAX, "Fri, 31 Dec 9999 23:59:59 +0000"),
        ] {
            assert_eq!(format(date_ms), want);
        }
    }

    proptest! {
        #[test]
        fn written_dates_come_back(second in -2_208_988_800_i64..253_402_300_800) {
            prop_assert_eq!(parse(&format(second * 1_000)), Some(second * 1_000));
        }

        #[test]
        fn any_text_is_read(text in "([0-9]{1,5}|[A-Za-z]{1,4}|[ ,:+./年月é()-]){0,12}") {
            let _ = parse(&text);
        }
    }
}
