//! An address as it goes on the wire: checked so that it cannot break out of its command, domain in A-labels.

use hickory_resolver::proto::rr::Name;

/// The longest path, in octets, brackets included (RFC 5321 §4.5.3.1.3).
const PATH_LIMIT_BYTES: usize = 256;

/// An address split at its last `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mailbox {
    local: String,
    /// The domain in lower-case A-labels, or an address literal in brackets.
    domain: String,
}

impl Mailbox {
    /// Reads an address without `<>`; `Err` is a sentence that says what is wrong with it.
    pub(crate) fn parse(address: &str) -> Result<Self, String> {
        let (local, domain) =
            address.rsplit_once('@').ok_or_else(|| format!("{address:?} is not an address"))?;
        let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
        let breaks_out =
            |c: char| c.is_control() || (!quoted && (c.is_whitespace() || matches!(c, '<' | '>')));
        if local.is_empty() || local.contains(breaks_out) {
            return Err(format!("{address:?} is not an address that SMTP can carry"));
        }
        let domain = wire_domain(domain).ok_or_else(|| format!("{address:?} has no usable domain"))?;
        let mailbox = Self { local: wire_local(local), domain };
        // Angle brackets and the @.
        if mailbox.local.len() + mailbox.domain.len() + 3 > PATH_LIMIT_BYTES {
            return Err(format!("the address is longer than the {PATH_LIMIT_BYTES} octets that SMTP allows"));
        }
        Ok(mailbox)
    }

    /// Returns the domain in lower-case A-labels, or `[literal]`.
    pub(crate) fn domain(&self) -> &str {
        &self.domain
    }

    /// Returns whether the server must offer SMTPUTF8 (RFC 6531) for this address.
    pub(crate) fn needs_smtputf8(&self) -> bool {
        !self.local.is_ascii()
    }
}

impl std::fmt::Display for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// Quoted where RFC 5321 §4.1.2 asks for it: mailboxes with leading, trailing or doubled dots exist.
fn wire_local(local: &str) -> String {
    let is_dotted = local.split('.').any(str::is_empty);
    if is_dotted && !local.starts_with('"') { format!("\"{local}\"") } else { local.to_owned() }
}

fn wire_domain(domain: &str) -> Option<String> {
    if domain.starts_with('[') {
        let inner = domain.strip_prefix('[')?.strip_suffix(']')?;
        let plain = inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':'));
        return plain.then(|| domain.to_ascii_lowercase());
    }
    let name = Name::from_utf8(domain).ok()?;
    let ascii = name.to_ascii().trim_end_matches('.').to_ascii_lowercase();
    // The wire form of a name escapes what is no letter, digit, hyphen or underscore with a backslash.
    let plain = ascii.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    (plain && !ascii.is_empty()).then_some(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_get_their_wire_form() {
        for (address, want) in [
            ("alice@example.org", "alice@example.org"),
            ("Alice@Example.ORG", "Alice@example.org"),
            ("alice@münchen.example", "alice@xn--mnchen-3ya.example"),
            ("élise@example.org", "élise@example.org"),
            ("\"a b@c\"@example.org", "\"a b@c\"@example.org"),
            ("a..b@docomo.example", "\"a..b\"@docomo.example"),
            ("a.@docomo.example", "\"a.\"@docomo.example"),
            ("\"a..b\"@docomo.example", "\"a..b\"@docomo.example"),
            ("alice@[192.0.2.1]", "alice@[192.0.2.1]"),
            ("alice@[IPv6:2001:db8::1]", "alice@[ipv6:2001:db8::1]"),
        ] {
            assert_eq!(Mailbox::parse(address).unwrap().to_string(), want);
        }
        assert!(Mailbox::parse("élise@example.org").unwrap().needs_smtputf8());
        assert!(!Mailbox::parse("alice@münchen.example").unwrap().needs_smtputf8());
    }

    #[test]
    fn addresses_that_break_out_of_the_command_are_refused() {
        for address in [
            "",
            "alice",
            "@example.org",
            "alice@",
            "a b@example.org",
            "a>@example.org",
            "a\r\nDATA@example.org",
            "\"a\r\n\"@example.org",
            "a@exam ple.org",
            "a@example.org\r\nDATA",
            "a@b>c",
            "a@[1.2.3.4> X]",
            "a@.",
            "a@\\.x",
        ] {
            assert!(Mailbox::parse(address).is_err(), "{address:?}");
        }
    }

    #[test]
    fn length_is_limited_at_n_and_n_plus_1() {
        let address = |length: usize| format!("{}@example.org", "a".repeat(length - "@example.org".len()));
        assert!(Mailbox::parse(&address(PATH_LIMIT_BYTES - 2)).is_ok());
        assert!(Mailbox::parse(&address(PATH_LIMIT_BYTES - 1)).is_err());
    }
}
