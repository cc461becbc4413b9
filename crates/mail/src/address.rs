//! Addresses: the normalised form used for every comparison, and the mailbox of a header field.
//!
//! Every room that compares, stores or looks up an address does so by [`AddressKey`] and keeps the original
//! spelling next to it. This module parses one bare `local@domain`; angle brackets, display names and
//! comments are removed by the code that reads the SMTP command or the header field. Every function is linear
//! in the length of its input.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The longest address in octets, `@` included: 64 for the local part and 255 for the domain (RFC 5321 §4.5.3.1.1, §4.5.3.1.2).
///
/// The local part has no limit of its own. RFC 5321 requires support for 64 octets, asks for no limits where
/// possible (§4.5.3.1), and the bounce and reply addresses of large senders are longer in practice.
pub const ADDRESS_OCTETS: usize = 320;

/// The longest domain in octets (RFC 5321 §4.5.3.1.2).
pub const DOMAIN_OCTETS: usize = 255;

/// The longest label of a domain in octets (RFC 1035 §2.3.4); U-labels are counted as UTF-8.
pub const LABEL_OCTETS: usize = 63;

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no `@` between a local part and a domain.
    #[error("address has no @ followed by a domain")]
    NoDomain,
    /// The local part is empty.
    #[error("address has an empty local part")]
    EmptyLocal,
    /// The local part opens a quoted string that is not closed right before the `@`.
    #[error("quoted local part does not end before the @")]
    OpenQuote,
    /// The local part contains a character that is not allowed there.
    #[error("local part holds {0:?}, which is not allowed there")]
    LocalCharacter(char),
    /// The domain is neither a host name nor an IP address literal.
    #[error("domain is neither a host name nor an address literal")]
    Domain,
    /// The address exceeds [`ADDRESS_OCTETS`].
    #[error("address has {octets} octets, more than {ADDRESS_OCTETS}")]
    TooLong {
        /// The length of the address as written.
        octets: usize,
    },
}

/// A normalised address: `local@domain`, Unicode lower-case, no brackets, quotes only where RFC 5321 needs them.
///
/// Two spellings of one mailbox give the same key. A-labels (`xn--…`) and U-labels are kept as received and
/// are different keys. Never longer than [`ADDRESS_OCTETS`]; never contains control characters, line ends, or
/// spaces outside quotes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressKey {
    text: String,
    /// Offset in `text` of the `@` before the domain.
    at: usize,
}

impl AddressKey {
    /// Parses a bare mailbox (RFC 5321 §4.1.2, with the UTF-8 of RFC 6531 §3.3).
    ///
    /// Local parts with leading, trailing or doubled dots are accepted, since such mailboxes exist, and get
    /// the quotes that RFC 5321 demands for them. Domains may contain underscores, since machines with such
    /// names send mail.
    ///
    /// # Errors
    ///
    /// Describes the problem when the text is not an address, or exceeds [`ADDRESS_OCTETS`] before or after
    /// lower-casing.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        check_length(text)?;
        let (local, domain) = split(text)?;
        let domain = literal(domain).or_else(|| normal_domain(domain)).ok_or(AddressError::Domain)?;
        Self::join(local.to_lowercase(), &domain)
    }

    /// The whole address, such as `support+id42@example.org`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`, including quotes if it has any.
    #[must_use]
    pub fn local(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// The part after the `@`: a host name or an address literal in brackets.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.text.get(self.at.saturating_add(1)..).unwrap_or_default()
    }

    /// The part of the local part after the first `+`; empty for `support+@…`.
    ///
    /// `None` without a `+`, in a quoted local part, and where the text before the `+` is not a plain local
    /// part itself, as in `+a@…` and `a.+b@…`.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.split_detail().map(|(_, detail)| detail)
    }

    /// The address without its `+detail`; unchanged if it has none. Idempotent.
    #[must_use]
    pub fn base(&self) -> Self {
        self.split_detail()
            .and_then(|(base, _)| Self::join(base.to_owned(), self.domain()).ok())
            .unwrap_or_else(|| self.clone())
    }

    fn split_detail(&self) -> Option<(&str, &str)> {
        let (base, detail) = self.local().split_once('+')?;
        is_dot_string(base).then_some((base, detail))
    }

    /// Joins an unquoted, lower-cased local part and a normalised domain, quoting the local part if
    /// necessary.
    fn join(mut local: String, domain: &str) -> Result<Self, AddressError> {
        if !is_dot_string(&local) {
            local = quote(&local);
        }
        let at = local.len();
        local.push('@');
        local.push_str(domain);
        check_length(&local)?;
        Ok(Self { text: local, at })
    }
}

impl fmt::Display for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AddressKey({})", self.text)
    }
}

impl FromStr for AddressKey {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

/// One mailbox of a header field such as From, as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mailbox {
    /// The display name, decoded to Unicode, without quotes; empty if there is none.
    pub name: String,
    /// The address as written, without brackets; not necessarily valid.
    pub address: String,
}

impl Mailbox {
    /// The normalised address; `None` if the text is not an address.
    #[must_use]
    pub fn key(&self) -> Option<AddressKey> {
        AddressKey::parse(self.address.trim()).ok()
    }
}

/// Normalises a host name: lower-case letters, digits, hyphens and dots, at most [`DOMAIN_OCTETS`].
///
/// `None` for empty labels (and therefore for a dot at either end), labels over [`LABEL_OCTETS`], a hyphen at
/// either end of a label, underscores, and address literals.
#[must_use]
pub fn domain_key(host: &str) -> Option<String> {
    normal_domain(host).filter(|domain| !domain.contains('_'))
}

fn check_length(text: &str) -> Result<(), AddressError> {
    let octets = text.len();
    if octets > ADDRESS_OCTETS { Err(AddressError::TooLong { octets }) } else { Ok(()) }
}

/// Splits an address into its local part, unquoted, and its domain.
fn split(text: &str) -> Result<(String, &str), AddressError> {
    if let Some(quoted) = text.strip_prefix('"') {
        return split_quoted(quoted);
    }
    let (local, domain) = text.rsplit_once('@').ok_or(AddressError::NoDomain)?;
    if local.is_empty() {
        return Err(AddressError::EmptyLocal);
    }
    match local.chars().find(|&c| c != '.' && !is_atom_character(c)) {
        Some(wrong) => Err(AddressError::LocalCharacter(wrong)),
        None => Ok((local.to_owned(), domain)),
    }
}

/// Reads a quoted local part from after its opening quote (RFC 5321 §4.1.2 Quoted-string).
fn split_quoted(text: &str) -> Result<(String, &str), AddressError> {
    let mut local = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next().ok_or(AddressError::OpenQuote)? {
            '"' => break,
            '\\' => local.push(quotable(characters.next().ok_or(AddressError::OpenQuote)?)?),
            plain => local.push(quotable(plain)?),
        }
    }
    if local.is_empty() {
        return Err(AddressError::EmptyLocal);
    }
    match characters.as_str().strip_prefix('@') {
        Some(domain) => Ok((local, domain)),
        None if characters.as_str().is_empty() => Err(AddressError::NoDomain),
        None => Err(AddressError::OpenQuote),
    }
}

fn quotable(c: char) -> Result<char, AddressError> {
    if c == ' ' || c.is_ascii_graphic() || is_foreign_letter(c) {
        Ok(c)
    } else {
        Err(AddressError::LocalCharacter(c))
    }
}

/// RFC 5321 §4.1.2 Dot-string: atoms with single dots between them.
fn is_dot_string(local: &str) -> bool {
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character))
}

/// RFC 5322 §3.2.3 atext, extended by RFC 6531 §3.3.
fn is_atom_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_foreign_letter(c)
}

/// Any non-ASCII character that does not end a line, is not whitespace, and does not change the text
/// direction.
fn is_foreign_letter(c: char) -> bool {
    let turns =
        matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}');
    !c.is_ascii() && !c.is_control() && !c.is_whitespace() && !turns
}

fn quote(local: &str) -> String {
    let mut quoted = String::with_capacity(local.len().saturating_add(2));
    quoted.push('"');
    for c in local.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Normalises `[192.0.2.1]` and `[IPv6:…]` (RFC 5321 §4.1.3); other literals are not supported.
fn literal(domain: &str) -> Option<String> {
    let inner = domain.strip_prefix('[')?.strip_suffix(']')?;
    if let Ok(v4) = inner.parse::<Ipv4Addr>() {
        return Some(format!("[{v4}]"));
    }
    let (tag, v6) = inner.split_once(':')?;
    let v6 = v6.parse::<Ipv6Addr>().ok()?;
    tag.eq_ignore_ascii_case("ipv6").then(|| format!("[ipv6:{v6}]"))
}

fn normal_domain(domain: &str) -> Option<String> {
    if domain.len() > DOMAIN_OCTETS {
        return None;
    }
    let lower = domain.to_lowercase();
    (lower.len() <= DOMAIN_OCTETS && lower.split('.').all(is_label)).then_some(lower)
}

fn is_label(label: &str) -> bool {
    // RFC 3490 §3.1: these count as dots, so a label cannot contain them.
    let is_dot = |c| matches!(c, '\u{3002}' | '\u{FF0E}' | '\u{FF61}');
    (1..=LABEL_OCTETS).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| {
            c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || is_foreign_letter(c) && !is_dot(c)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_normalised() {
        for (name, input, want) in [
            ("plain", "alice@example.org", "alice@example.org"),
            ("upper-case", "Alice.B@EXAMPLE.Org", "alice.b@example.org"),
            ("all of atext", "!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org"),
            ("needless quotes", r#""alice"@example.org"#, "alice@example.org"),
            ("needless backslash", r#""al\ice"@example.org"#, "alice@example.org"),
            ("space in quotes", r#""Alice B"@example.org"#, r#""alice b"@example.org"#),
            ("@ in quotes", r#""a@b"@example.org"#, r#""a@b"@example.org"#),
            ("quote in quotes", r#""a\"b\\c"@example.org"#, r#""a\"b\\c"@example.org"#),
            ("doubled dot", "a..b@example.org", r#""a..b"@example.org"#),
            ("dot at the end", "a.@example.org", r#""a."@example.org"#),
            ("UTF-8", "JÜRGEN@BÜCHER.example", "jürgen@bücher.example"),
            ("vowel signs", "अजय@उदाहरण.परीक्षा", "अजय@उदाहरण.परीक्षा"),
            ("A-label stays", "a@XN--bcher-kva.example", "a@xn--bcher-kva.example"),
            ("no dot in domain", "root@localhost", "root@localhost"),
            ("underscore in domain", "root@web_1.example", "root@web_1.example"),
            ("IPv4 literal", "a@[192.0.2.1]", "a@[192.0.2.1]"),
            ("IPv6 literal", "a@[IPv6:2001:DB8:0::1]", "a@[ipv6:2001:db8::1]"),
        ] {
            assert_eq!(AddressKey::parse(input).unwrap().as_str(), want, "{name}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        use AddressError::*;
        for (name, input, want) in [
            ("empty", "", NoDomain),
            ("no @", "alice", NoDomain),
            ("quoted, no @", r#""alice""#, NoDomain),
            ("no local part", "@example.org", EmptyLocal),
            ("empty quotes", r#"""@example.org"#, EmptyLocal),
            ("no domain", "alice@", Domain),
            ("two @", "a@b@example.org", LocalCharacter('@')),
            ("space", "a b@example.org", LocalCharacter(' ')),
            ("brackets", "<a@example.org>", LocalCharacter('<')),
            ("line end", "a\r\n@example.org", LocalCharacter('\r')),
            ("line end in quotes", "\"a\nb\"@example.org", LocalCharacter('\n')),
            ("escaped NUL", "\"a\\\0b\"@example.org", LocalCharacter('\0')),
            ("no-break space", "a\u{A0}b@example.org", LocalCharacter('\u{A0}')),
            ("turned text", "a\u{202E}b@example.org", LocalCharacter('\u{202E}')),
            ("open quote", r#""alice@example.org"#, OpenQuote),
            ("text after quote", r#""a"b@example.org"#, OpenQuote),
            ("escape at the end", r#""a\"#, OpenQuote),
            ("space at the end", "a@example.org ", Domain),
            ("line end at the end", "a@example.org\r\n", Domain),
            ("empty label", "a@example..org", Domain),
            ("dot at the end", "a@example.org.", Domain),
            ("hyphen at an edge", "a@-example.org", Domain),
            ("ideographic full stop", "a@example\u{3002}org", Domain),
            ("bad IPv4", "a@[192.0.2.256]", Domain),
            ("literal of another kind", "a@[x400:c=fr]", Domain),
        ] {
            assert_eq!(AddressKey::parse(input), Err(want), "{name}");
        }
    }

    #[test]
    fn limits_hold_at_n_and_break_at_n_plus_one() {
        let label = "d".repeat(LABEL_OCTETS);
        let domain = format!("{label}.{label}.{label}.{label}");
        assert_eq!(domain.len(), DOMAIN_OCTETS);
        let address = |local: usize, domain: &str| format!("{}@{domain}", "l".repeat(local));
        assert!(AddressKey::parse(&address(64, &domain)).is_ok());
        assert_eq!(AddressKey::parse(&address(65, &domain)), Err(AddressError::TooLong { octets: 321 }));
        assert!(AddressKey::parse(&address(308, "example.org")).is_ok());
        assert!(AddressKey::parse(&address(309, "example.org")).is_err());
        assert_eq!(domain_key(&label), Some(label.clone()));
        assert_eq!(domain_key(&format!("{label}d")), None);
        assert_eq!(domain_key(&domain).map(|d| d.len()), Some(DOMAIN_OCTETS));
        let longer = format!("{label}.{label}.{label}.{}.dd", "d".repeat(61));
        assert_eq!((longer.len(), domain_key(&longer)), (DOMAIN_OCTETS + 1, None));
    }

    #[test]
    fn quotes_and_lower_case_that_grow_an_address_count() {
        let grown = format!("{}..@example.org", "l".repeat(306));
        assert_eq!(AddressKey::parse(&grown), Err(AddressError::TooLong { octets: 322 }));
        let dotted = format!("{}@example.org", "İ".repeat(154));
        assert!(dotted.len() <= ADDRESS_OCTETS);
        assert!(AddressKey::parse(&dotted).is_err());
    }

    #[test]
    fn detail_follows_the_first_plus() {
        for (input, detail, base) in [
            ("support@a.example", None, "support@a.example"),
            ("Support+Id42@a.example", Some("id42"), "support@a.example"),
            ("a+b+c@a.example", Some("b+c"), "a@a.example"),
            ("a+@a.example", Some(""), "a@a.example"),
            ("+a@a.example", None, "+a@a.example"),
            (r#""a b+c"@a.example"#, None, r#""a b+c"@a.example"#),
            ("a.+b@a.example", None, "a.+b@a.example"),
        ] {
            let key = AddressKey::parse(input).unwrap();
            assert_eq!((key.detail(), key.base().as_str()), (detail, base), "{input}");
        }
    }

    #[test]
    fn base_of_the_longest_address_has_no_detail() {
        let key = AddressKey::parse(&format!("{}.+@a.example", "l".repeat(308))).unwrap();
        assert_eq!(key.as_str().len(), ADDRESS_OCTETS);
        assert_eq!(key.base().detail(), None);
    }

    #[test]
    fn parts_of_an_address() {
        let key = AddressKey::parse(r#""a@b"@Example.org"#).unwrap();
        assert_eq!((key.local(), key.domain()), (r#""a@b""#, "example.org"));
        assert_eq!(format!("{key} {key:?}"), r#""a@b"@example.org AddressKey("a@b"@example.org)"#);
    }

    #[test]
    fn header_mailbox_gives_its_key() {
        let mailbox = |address: &str| Mailbox { name: "Alice".into(), address: address.into() };
        assert_eq!(mailbox(" Alice@Example.org").key(), AddressKey::parse("alice@example.org").ok());
        assert_eq!(mailbox("undisclosed-recipients:;").key(), None);
    }

    #[test]
    fn hosts_are_normalised_or_refused() {
        for (input, want) in [
            ("Help.Example.ORG", Some("help.example.org")),
            ("Bücher.example", Some("bücher.example")),
            ("localhost", Some("localhost")),
            ("", None),
            (".example.org", None),
            ("example.org.", None),
            ("a_b.example", None),
            ("[192.0.2.1]", None),
            ("a b.example", None),
            ("example.org:25", None),
        ] {
            assert_eq!(domain_key(input).as_deref(), want, "{input}");
        }
    }

    proptest! {
        #[test]
        fn printed_key_parses_to_itself(text in r#""?[a-zA-ZΣİé.+"\\ ]{1,12}"?@[a-zA-Zß.-]{1,12}"#) {
            if let Ok(key) = AddressKey::parse(&text) {
                prop_assert_eq!(AddressKey::parse(key.as_str()), Ok(key.clone()));
                prop_assert_eq!(format!("{}@{}", key.local(), key.domain()), key.as_str());
                let base = key.base();
                prop_assert_eq!(AddressKey::parse(base.as_str()), Ok(base.clone()));
                prop_assert_eq!(base.domain(), key.domain());
                prop_assert_eq!(base.detail(), None);
            }
        }

        #[test]
        fn any_text_is_read_without_panic_and_keys_are_clean(text in ".{0,30}@?.{0,30}") {
            if let Ok(key) = AddressKey::parse(&text) {
                prop_assert!(key.as_str().len() <= ADDRESS_OCTETS);
                prop_assert!(!key.as_str().chars().any(char::is_control));
                prop_assert!(!key.domain().contains(['<', '>', ' ', '@']));
            }
        }

        #[test]
        fn case_makes_no_difference(local in "[a-zA-Z0-9.+]{1,10}", domain in "[a-zA-Z0-9]{1,10}") {
            let lower = AddressKey::parse(&format!("{local}@{domain}").to_lowercase());
            let upper = AddressKey::parse(&format!("{local}@{domain}").to_uppercase());
            prop_assert!(lower.is_ok());
            prop_assert_eq!(lower, upper);
        }
    }
}
