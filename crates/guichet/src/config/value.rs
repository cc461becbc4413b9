//! Single values as they are written in TOML, in the environment or in a flag: words, numbers, sizes, durations.

/// A value before its key gives it a meaning. From the environment and from flags everything is text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Raw {
    /// A text.
    Text(String),
    /// True or false.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A list.
    List(Vec<Raw>),
    /// A TOML value of a type that no key has, by the type's name.
    Other(&'static str),
}

impl From<&toml::Value> for Raw {
    fn from(value: &toml::Value) -> Raw {
        match value {
            toml::Value::String(text) => Raw::Text(text.clone()),
            toml::Value::Boolean(flag) => Raw::Flag(*flag),
            toml::Value::Integer(number) => Raw::Number(*number),
            toml::Value::Array(list) => Raw::List(list.iter().map(Raw::from).collect()),
            other => Raw::Other(other.type_str()),
        }
    }
}

impl std::fmt::Display for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Raw::Text(text) => write!(f, "{text:?}"),
            Raw::Flag(flag) => write!(f, "{flag}"),
            Raw::Number(number) => write!(f, "{number}"),
            Raw::List(list) => {
                let items: Vec<String> = list.iter().map(Raw::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Raw::Other(kind) => write!(f, "a {kind}"),
        }
    }
}

impl Raw {
    /// A text that is not empty.
    pub(crate) fn text(&self) -> Result<String, String> {
        match self {
            Raw::Text(text) if text.trim().is_empty() => Err("it is empty".into()),
            Raw::Text(text) => Ok(text.trim().to_owned()),
            _ => Err("it must be a text in quotes".into()),
        }
    }

    /// True or false.
    pub(crate) fn flag(&self) -> Result<bool, String> {
        match self {
            Raw::Flag(flag) => Ok(*flag),
            Raw::Text(text) => text.trim().parse().map_err(|_| "it must be true or false".to_owned()),
            _ => Err("it must be true or false".into()),
        }
    }

    /// A whole number from `least` to `most`.
    pub(crate) fn count(&self, least: u64, most: u64) -> Result<u64, String> {
        let number = match self {
            Raw::Number(number) => u64::try_from(*number).ok(),
            Raw::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        let wrong = || format!("it must be a whole number from {least} to {most}");
        number.filter(|number| (least..=most).contains(number)).ok_or_else(wrong)
    }

    /// The items of a list; a text is split at its commas.
    pub(crate) fn list(&self) -> Result<Vec<String>, String> {
        match self {
            Raw::List(items) => items.iter().map(Raw::text).collect(),
            Raw::Text(text) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Ok(items.map(str::to_owned).collect())
            }
            _ => Err("it must be a list of texts".into()),
        }
    }

    /// Bytes: a number, or a number with `B`, `KB`, `MB`, `GB` (powers of 1,000) or `KiB`, `MiB`, `GiB` (of 1,024).
    pub(crate) fn size_bytes(&self) -> Result<u64, String> {
        const UNITS: [(&str, u64); 8] = [
            ("", 1),
            ("b", 1),
            ("kb", 1_000),
            ("mb", 1_000_000),
            ("gb", 1_000_000_000),
            ("kib", 1 << 10),
            ("mib", 1 << 20),
            ("gib", 1 << 30),
        ];
        let wrong = || "it must be a size such as 25MB or 64KiB".to_owned();
        match self {
            Raw::Number(number) => u64::try_from(*number).map_err(|_| wrong()),
            Raw::Text(text) => scaled(text, &UNITS).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }

    /// Milliseconds from a number with `ms`, `s`, `m`, `h` or `d`; never 0.
    pub(crate) fn duration_ms(&self) -> Result<u64, String> {
        const UNITS: [(&str, u64); 5] =
            [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
        let wrong = || "it must be a duration with its unit, such as 30s, 10m, 4h or 5d".to_owned();
        match self {
            Raw::Text(text) => scaled(text, &UNITS).filter(|duration| *duration > 0).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    let unit = unit.trim().to_ascii_lowercase();
    let (_, factor) = units.iter().find(|(word, _)| *word == unit)?;
    digits.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Raw {
        Raw::Text(text.to_owned())
    }

    #[test]
    fn sizes_have_units_of_both_kinds() {
        for (written, want) in [
            (text("50MB"), Some(50_000_000)),
            (text("64 KiB"), Some(65_536)),
            (text("1gb"), Some(1_000_000_000)),
            (text("12"), Some(12)),
            (text("7B"), Some(7)),
            (Raw::Number(25), Some(25)),
            (Raw::Number(-1), None),
            (text("MB"), None),
            (text("1.5MB"), None),
            (text("1TB"), None),
            (text("99999999999GB"), None),
            (Raw::Flag(true), None),
        ] {
            assert_eq!(written.size_bytes().ok(), want, "{written}");
        }
    }

    #[test]
    fn durations_need_a_unit_and_are_never_nothing() {
        for (written, want) in [
            (text("250ms"), Some(250)),
            (text("15s"), Some(15_000)),
            (text("10m"), Some(600_000)),
            (text("4 h"), Some(14_400_000)),
            (text("5d"), Some(432_000_000)),
            (text("10"), None),
            (text("0s"), None),
            (text("1w"), None),
            (Raw::Number(10), None),
        ] {
            assert_eq!(written.duration_ms().ok(), want, "{written}");
        }
    }

    #[test]
    fn lists_and_flags_come_from_toml_and_from_plain_text() {
        assert_eq!(text("a, b,").list(), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(Raw::List(vec![text("a"), text("b")]).list(), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert!(Raw::List(vec![Raw::Number(1)]).list().is_err());
        assert_eq!((text("true").flag(), Raw::Flag(false).flag()), (Ok(true), Ok(false)));
        assert!(text("yes").flag().is_err());
    }

    #[test]
    fn counts_keep_their_bounds() {
        for (number, want) in [(0, false), (1, true), (10, true), (11, false)] {
            assert_eq!(Raw::Number(number).count(1, 10).is_ok(), want, "{number}");
        }
    }
}
