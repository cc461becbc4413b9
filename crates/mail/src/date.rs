//! Dates of header fields (RFC 5322 §3.3), both ways, without a clock and without time zones by name.

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// From Thursday on, because 1970-01-01 was one.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// Reads a date as unix milliseconds; `None` when it is none, or lies before 1900 or after 9999.
///
/// Also reads the obsolete forms of RFC 5322 §4.3, dates without seconds, weekday or zone (then UTC), and leap seconds.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let text = text.split('(').next().unwrap_or_default();
    let mut words = text.split([' ', '\t', ',', '\r', '\n']).filter(|word| !word.is_empty()).peekable();
    while words.peek()?.bytes().next().is_some_and(|first| first.is_ascii_alphabetic()) {
        words.next();
    }
    // Some programs write `22-Nov-2026`.
    let first = words.next()?;
    let mut dashed = first.split('-');
    let (day, month, year) = match (dashed.next(), dashed.next(), dashed.next()) {
        (Some(day), Some(month), Some(year)) => (day, month, year),
        _ => (first, words.next()?, words.next()?),
    };
    let days = days_of(number(year, 4).map(full_year)?, month_of(month)?, number(day, 2)?)?;
    let time_ms = time_of(words.next()?)?;
    let offset_ms = words.next().map_or(0, offset_of);
    days.checked_mul(DAY_MS)?.checked_add(time_ms)?.checked_sub(offset_ms)
}

/// Writes unix milliseconds as `Sun, 22 Nov 2026 18:00:00 +0000`; what lies outside the years 1900 to 9999 is moved to the edge.
#[must_use]
pub fn format(date_ms: i64) -> String {
    let date_ms = date_ms.clamp(-25_567 * DAY_MS, 2_932_897 * DAY_MS - 1);
    let (days, second) = (date_ms.div_euclid(DAY_MS), date_ms.rem_euclid(DAY_MS) / 1_000);
    let (year, month, day) = civil_of(days);
    let name =
        |names: &[&'static str], at: i64| usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or_default();
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
    let short = text.get(..3)?;
    let at = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(short))?;
    i64::try_from(at).ok().map(|at| at + 1)
}

fn time_of(text: &str) -> Option<i64> {
    let mut pieces = text.split([':', '.']);
    let hour = number(pieces.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = number(pieces.next()?, 2).filter(|minute| *minute < 60)?;
    let second = pieces.next().map_or(Some(0), |second| number(second, 2)).filter(|second| *second <= 60)?;
    Some((hour * 3_600 + minute * 60 + second.min(59)) * 1_000)
}

/// The zone's distance from UTC in milliseconds; RFC 5322 §4.3: what is not known counts as `-0000`.
fn offset_of(zone: &str) -> i64 {
    let hours = |hours: i64| hours * 3_600_000;
    match zone.to_ascii_uppercase().as_str() {
        "EDT" => hours(-4),
        "EST" | "CDT" => hours(-5),
        "CST" | "MDT" => hours(-6),
        "MST" | "PDT" => hours(-7),
        "PST" => hours(-8),
        digits => numeric_offset(digits).unwrap_or(0),
    }
}

fn numeric_offset(zone: &str) -> Option<i64> {
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.strip_prefix(['+', '-'])?.replace(':', "");
    let value = number(&digits, 4).filter(|_| digits.len() == 4)?;
    let minutes = value / 100 * 60 + value % 100;
    (minutes < 24 * 60).then_some(sign * minutes * 60_000)
}

/// Days since 1970-01-01 in the Gregorian calendar; years are counted from March, so that leap days come last.
fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1_900..=9_999).contains(&year) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    let year = if month > 2 { year } else { year - 1 };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
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
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
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
        fn any_text_is_read(text in "([0-9]{1,5}|[A-Za-z]{1,4}|[ ,:+-]){0,12}") {
            let _ = parse(&text);
        }
    }
}
