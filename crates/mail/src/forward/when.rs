//! Dates as forwarding programs print them: `Wednesday, October 27, 2021 15:14`, `27. Okt. 2021 um 15:14`,
//! `2021年10月27日 下午3:14`.
//!
//! Read without knowing the language, from digits and the names of months. Ambiguous dates are not read.

use crate::date;

/// The longest date that is examined, in octets.
const DATE_OCTETS: usize = 200;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How the names of the months begin, lower-case. `lis` is missing: it is October in Croatian, November in
/// Polish and Czech.
#[rustfmt::skip]
const STEMS: [&[&str]; 12] = [
    &["jan", "ene", "gen", "янв", "яну", "січ", "студз", "led", "sty", "sij", "oca", "ian", "ιαν", "tammi", "jaan", "sau", "ינו", "يناير", "ژانو", "ม.ค", "มกรา", "जन"],
    &["feb", "fév", "fev", "фев", "лют", "úno", "lut", "velj", "şub", "φεβ", "helmi", "veebr", "vasar", "פבר", "فبراير", "فوریه", "ก.พ", "กุมภา", "फ़र", "फर"],
    &["mar", "mär", "már", "mrt", "maalis", "maart", "мар", "бер", "сак", "bře", "ožu", "μαρ", "μάρ", "kov", "mac", "מרץ", "مارس", "มี.ค", "มีนา", "मार्च", "març"],
    &["apr", "abr", "avr", "ápr", "апр", "кві", "кра", "dub", "kwi", "tra", "nis", "απρ", "huhti", "bal", "אפר", "أبريل", "ابريل", "آوریل", "เม.ย", "เมษา", "अप्रै"],
    &["may", "mai", "maj", "mag", "mei", "máj", "maí", "май", "мая", "тра", "kvě", "svi", "touko", "μαΐ", "μαι", "μάι", "geg", "מאי", "مايو", "مه", "พ.ค", "พฤษภา", "मई"],
    &["jun", "juin", "giu", "jún", "июн", "юни", "чер", "červn", "červen", "cze", "lipn", "lipa", "haz", "ιουν", "kesä", "bir", "יונ", "يونيو", "ژوئن", "มิ.ย", "มิถุนา", "जून"],
    &["jul", "juil", "lug", "júl", "июл", "юли", "лип", "červenc", "červenec", "lipc", "lipi", "srpnj", "srpanj", "tem", "ιουλ", "heinä", "liep", "יול", "يوليو", "ژوئیه", "ก.ค", "กรกฎา", "जुला"],
    &["aug", "ago", "août", "aou", "авг", "сер", "srpna", "srpen", "sie", "kol", "ağu", "αυγ", "αύγ", "elo", "rugp", "ogos", "אוג", "أغسطس", "اوت", "ส.ค", "สิงหา", "अग"],
    &["sep", "set", "szept", "сен", "сеп", "вер", "zář", "wrz", "ruj", "eyl", "σεπ", "syys", "rugs", "ספט", "سبتمبر", "سپتامبر", "ก.ย", "กันยา", "सित"],
    &["oct", "okt", "ott", "out", "окт", "жов", "říj", "paź", "eki", "οκτ", "loka", "spal", "אוק", "أكتوبر", "اکتبر", "ต.ค", "ตุลา", "अक्"],
    &["nov", "noi", "ноя", "ное", "лист", "stu", "kas", "νοε", "marras", "lapkr", "נוב", "نوفمبر", "نوامبر", "พ.ย", "พฤศจิ", "नव"],
    &["dec", "dez", "dic", "des", "déc", "дек", "дец", "гру", "pros", "gru", "ara", "δεκ", "joulu", "דצמ", "ديسمبر", "دسامبر", "ธ.ค", "ธันวา", "दिस"],
];

/// Days of the week that begin like a month.
const WEEKDAYS: &[&str] =
    &["mardi", "martes", "marted", "marți", "marti", "maanan", "серед", "vasárnap", "desabat"];

/// Markers for the afternoon, and for the morning.
const AFTERNOON: &[&str] = &["pm", "下午", "晚上", "午後", "오후", "μμ", "ös", "ch", "م"];
const MORNING: &[&str] = &["am", "上午", "凌晨", "午前", "오전", "πμ", "öö", "sa", "ص"];

/// Zones by name, in minutes; ambiguous ones are missing.
const ZONES: &[(&str, i64)] = &[
    ("gmt", 0),
    ("utc", 0),
    ("wet", 0),
    ("west", 60),
    ("cet", 60),
    ("mez", 60),
    ("cest", 120),
    ("mesz", 120),
    ("eet", 120),
    ("eest", 180),
    ("msk", 180),
    ("jst", 540),
    ("kst", 540),
    ("edt", -240),
    ("est", -300),
    ("cdt", -300),
    ("mdt", -360),
    ("mst", -420),
    ("pdt", -420),
    ("pst", -480),
];

/// Parses a printed date to unix milliseconds, in UTC if it names no zone; midnight if it names no time.
pub(super) fn read(printed: &str) -> Option<i64> {
    if printed.len() > DATE_OCTETS {
        return None;
    }
    let lower = printed.to_lowercase();
    let mut pieces = Pieces { all: split(&lower) };
    let time = pieces.take_time(&[":"]);
    let zone = pieces.take_zone(time.as_ref());
    pieces.drop_weekday();
    let (year, month, day) = pieces.take_date()?;
    let time = time.or_else(|| pieces.take_time(&[".", "h"]));
    let (hour, minute, second) = time.map_or((0, 0, 0), |time| (time.hour, time.minute, time.second));
    let hour = pieces.half_of_day(hour);
    let month = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at))?;
    let sign = if zone < 0 { '-' } else { '+' };
    let zone = zone.abs();
    date::parse(&format!(
        "{day} {month} {year} {hour}:{minute:02}:{second:02} {sign}{:02}{:02}",
        zone / 60,
        zone % 60
    ))
}

/// A run of digits, a run of letters, or any other character.
#[derive(Debug, Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    is_taken: bool,
}

impl Piece<'_> {
    fn number(&self) -> Option<i64> {
        let fits =
            !self.is_taken && self.text.len() <= 4 && self.text.bytes().all(|digit| digit.is_ascii_digit());
        if fits { self.text.parse().ok() } else { None }
    }
}

fn split(text: &str) -> Vec<Piece<'_>> {
    let kind = |c: char| match c {
        c if c.is_ascii_digit() => 0,
        // Vowel signs and the dots within Thai abbreviations count as letters.
        c if c.is_alphabetic() || !c.is_ascii() && !c.is_whitespace() && !c.is_ascii_punctuation() => 1,
        _ => 2,
    };
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if kind(first) == 2 {
            first.len_utf8()
        } else {
            let is_thai = matches!(first, '\u{e00}'..='\u{e7f}');
            rest.find(|c| kind(c) != kind(first) && !(is_thai && c == '.')).unwrap_or(rest.len())
        };
        let Some((piece, after)) = rest.split_at_checked(length) else { break };
        pieces.push(Piece { text: piece, is_taken: false });
        rest = after;
    }
    pieces
}

struct Time {
    hour: i64,
    minute: i64,
    second: i64,
    /// The piece after it.
    end: usize,
}

struct Pieces<'a> {
    all: Vec<Piece<'a>>,
}

impl Pieces<'_> {
    fn number(&self, at: usize) -> Option<i64> {
        self.all.get(at).and_then(Piece::number)
    }

    fn is(&self, at: usize, texts: &[&str]) -> bool {
        self.all.get(at).is_some_and(|piece| !piece.is_taken && texts.contains(&piece.text))
    }

    fn take(&mut self, from: usize, end: usize) {
        for piece in self.all.iter_mut().take(end).skip(from) {
            piece.is_taken = true;
        }
    }

    /// The first `12:46` or `12:46:30`, with one of these signs between.
    fn take_time(&mut self, signs: &[&str]) -> Option<Time> {
        for at in 0..self.all.len() {
            let is_two_digits =
                self.all.get(at.saturating_add(2)).is_some_and(|minute| minute.text.len() == 2);
            if !is_two_digits || !self.is(at.saturating_add(1), signs) {
                continue;
            }
            let (Some(hour), Some(minute)) = (self.number(at), self.number(at.saturating_add(2))) else {
                continue;
            };
            let mut end = at.saturating_add(3);
            let mut second = 0;
            if let Some(value) = self.number(end.saturating_add(1)).filter(|_| self.is(end, signs)) {
                second = value;
                end = end.saturating_add(2);
            }
            self.take(at, end);
            return (hour < 24 && minute < 60 && second <= 60).then_some(Time { hour, minute, second, end });
        }
        None
    }

    /// The zone after the time in minutes: `+0200`, `GMT+1`, `CEST`; 0 if there is none.
    fn take_zone(&mut self, time: Option<&Time>) -> i64 {
        let Some(time) = time else { return 0 };
        for at in time.end..self.all.len() {
            let is_sign = self.is(at, &["+", "-", "−"]);
            if is_sign && let Some(minutes) = self.offset(at.saturating_add(1)) {
                let is_minus = !self.is(at, &["+"]);
                self.take(at, self.all.len());
                return if is_minus { -minutes } else { minutes };
            }
            let named = self.all.get(at).and_then(|piece| ZONES.iter().find(|(name, _)| *name == piece.text));
            if let Some((name, minutes)) = named
                && !(matches!(*name, "gmt" | "utc") && self.is(at.saturating_add(1), &["+", "-", "−"]))
            {
                return *minutes;
            }
        }
        0
    }

    fn offset(&self, at: usize) -> Option<i64> {
        let digits = self.all.get(at)?.text.len();
        let value = self.number(at)?;
        match digits {
            4 => Some(value / 100 * 60 + value % 100),
            1 | 2 if value <= 14 => {
                let minutes =
                    self.number(at.saturating_add(2)).filter(|_| self.is(at.saturating_add(1), &[":"]));
                Some(value * 60 + minutes.unwrap_or(0))
            }
            _ => None,
        }
    }

    /// Vietnamese also numbers its days of the week: `Th 3, 5 thg 10, 2021`.
    fn drop_weekday(&mut self) {
        let at = (0..self.all.len()).find(|at| {
            let number = at.saturating_add(2);
            self.is(*at, &["th", "thứ"])
                && self.is(at.saturating_add(1), &[" "])
                && self.number(number).is_some_and(|day| (2..=7).contains(&day))
                && self.is(at.saturating_add(3), &[","])
        });
        if let Some(at) = at {
            self.take(at, at.saturating_add(4));
        }
    }

    /// Year, month, day.
    fn take_date(&mut self) -> Option<(i64, i64, i64)> {
        let numbers: Vec<(usize, i64)> =
            (0..self.all.len()).filter_map(|at| self.number(at).map(|value| (at, value))).take(3).collect();
        if let Some(month) = self.all.iter().rev().find_map(|piece| month_of(piece.text)) {
            let year = numbers.iter().find(|(_, value)| (1_900..10_000).contains(value))?;
            let day = numbers.iter().find(|(_, value)| (1..=31).contains(value))?;
            self.take(year.0, year.0.saturating_add(1));
            self.take(day.0, day.0.saturating_add(1));
            // Thai programs use the Buddhist era.
            let year = if (2_500..2_600).contains(&year.1) { year.1 - 543 } else { year.1 };
            return Some((year, month, day.1));
        }
        let [(first, a), (second, b), (third, c)] = numbers.try_into().ok()?;
        let date = if a >= 1_900 {
            (a, b, c)
        } else {
            let year = if c < 100 { 2_000 + c } else { c };
            // Wherever dots and hyphens are used the day comes first; with slashes there is no telling.
            let is_day_first = a > 12
                || a == b
                || self.is(first.saturating_add(1), &[".", "-"])
                || self.says_month(first, second);
            match (is_day_first, b > 12) {
                (_, true) => (year, a, b),
                (true, false) => (year, b, a),
                (false, false) => return None,
            }
        };
        self.take(first, third.saturating_add(1));
        Some(date)
    }

    /// Vietnamese numbers its months.
    fn says_month(&self, from: usize, end: usize) -> bool {
        (from..end).any(|at| self.is(at, &["thg", "tháng"]))
    }

    fn half_of_day(&self, hour: i64) -> i64 {
        let says = |words: &[&str]| {
            self.all.iter().enumerate().any(|(at, piece)| {
                // `p.m.`, `p. m.`
                let dotted = |letter: &str| {
                    letter == piece.text
                        && self.is(at.saturating_add(1), &["."])
                        && (at..at.saturating_add(4)).any(|at| self.is(at, &["m"]))
                };
                words.contains(&piece.text)
                    || words.first().is_some_and(|word| word.get(..1).is_some_and(dotted))
            })
        };
        match hour {
            1..=11 if says(AFTERNOON) => hour + 12,
            12 if says(MORNING) => 0,
            _ => hour,
        }
    }
}

fn month_of(word: &str) -> Option<i64> {
    // `במרץ`: in March.
    let word = word.strip_prefix('ב').unwrap_or(word);
    if word.len() < 3 || WEEKDAYS.iter().any(|day| word.starts_with(day)) {
        return None;
    }
    let longest =
        |stems: &[&str]| stems.iter().filter(|stem| word.starts_with(**stem)).map(|stem| stem.len()).max();
    let (month, _) = STEMS
        .iter()
        .zip(1..)
        .filter_map(|(stems, month)| Some((month, longest(stems)?)))
        .max_by_key(|(_, length)| *length)?;
    Some(month)
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::date;

    #[test]
    fn printed_dates_are_read() {
        for (printed, want) in [
            ("Wed, 3 Nov 2021 15:51:30 +0100", "3 Nov 2021 14:51:30 +0000"),
            ("Wed, Oct 27, 2021 at 9:31 AM", "27 Oct 2021 09:31:00 +0000"),
            ("Wednesday, October 27, 2021 3:14 p.m.", "27 Oct 2021 15:14:00 +0000"),
            ("25 October 2021 at 11:17:21 EEST", "25 Oct 2021 08:17:21 +0000"),
            ("Tuesday, November 2, 2021, 09:26:50 AM GMT+1", "2 Nov 2021 08:26:50 +0000"),
            ("2. November 2021 um 12:05 Uhr", "2 Nov 2021 12:05:00 +0000"),
            ("Am Mittwoch, den 27. Okt. 2021, 15:14 MESZ", "27 Oct 2021 13:14:00 +0000"),
            ("mar. 2 nov. 2021 à 09:26", "2 Nov 2021 09:26:00 +0000"),
            ("mardi 3 août 2021 09:26:50 UTC+2", "3 Aug 2021 07:26:50 +0000"),
            ("martes, 2 de noviembre de 2021 09:26:50 CET", "2 Nov 2021 08:26:50 +0000"),
            ("terça-feira, 2 de março de 2021 9:26", "2 Mar 2021 09:26:00 +0000"),
            ("maanantai 1. helmikuuta 2021 klo 12.06", "1 Feb 2021 12:06:00 +0000"),
            ("28/10/2021 12.46", "28 Oct 2021 12:46:00 +0000"),
            ("csütörtök, 2021. október 28. 12:46", "28 Oct 2021 12:46:00 +0000"),
            ("вторник, 2 ноября 2021 г., 09:26:50 GMT+1", "2 Nov 2021 08:26:50 +0000"),
            ("Среда, 14 июня 2017, 15:19 +03:00", "14 Jun 2017 12:19:00 +0000"),
            ("3 červenec 2021 10:00", "3 Jul 2021 10:00:00 +0000"),
            ("3 srpnja 2021 10:00", "3 Jul 2021 10:00:00 +0000"),
            ("2021年10月27日 下午3:14", "27 Oct 2021 15:14:00 +0000"),
            ("2021년 10월 27일 (수) 오전 12:14", "27 Oct 2021 00:14:00 +0000"),
            ("5 thg 10, 2021 vào lúc 09:31", "5 Oct 2021 09:31:00 +0000"),
            ("Th 3, 5 thg 10, 2021 vào lúc 09:31", "5 Oct 2021 09:31:00 +0000"),
            ("Thu, Oct 28th, 2021 9:31", "28 Oct 2021 09:31:00 +0000"),
            ("27 ตุลาคม 2564 9:31", "27 Oct 2021 09:31:00 +0000"),
            ("יום ד׳, 27 באוק׳ 2021 ב-9:31", "27 Oct 2021 09:31:00 +0000"),
            ("27 ต.ค. 2021 เวลา 09:31", "27 Oct 2021 09:31:00 +0000"),
            ("2016-01-27", "27 Jan 2016 00:00:00 +0000"),
            ("02.10.2023 16:52", "2 Oct 2023 16:52:00 +0000"),
            ("27 Oct 2021 at 9:31 p. m.", "27 Oct 2021 21:31:00 +0000"),
        ] {
            let want = date::parse(want);
            assert!(want.is_some());
            assert_eq!(read(printed), want, "{printed}");
        }
    }

    #[test]
    fn what_may_mean_two_dates_is_not_read() {
        for printed in [
            "02/10/2023 4:52 PM",
            "27. lis 2021. u 09:31",
            "yesterday",
            "",
            "99.99.2021",
            "31 Feb 2021 10:00",
        ] {
            assert_eq!(read(printed), None, "{printed}");
        }
    }
}
