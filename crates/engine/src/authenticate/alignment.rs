//! Alignment: whether two domains belong to the same organization (RFC 7489 §3.1, relaxed).

/// Whether one domain may speak for the other: both below the same registered domain, or the same. Lower-case A-labels.
///
/// A domain's own DMARC record may ask for more; it then goes by the result of DMARC.
pub(super) fn is_aligned(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim_end_matches('.'), other.trim_end_matches('.'));
    !one.is_empty() && organizational(one).eq_ignore_ascii_case(organizational(other))
}

/// The registered domain, as `example.co.uk` of `mail.example.co.uk`; a public suffix is its own.
fn organizational(domain: &str) -> &str {
    psl::domain_str(domain).unwrap_or(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_of_one_organization_are_aligned() {
        for (one, other, want) in [
            ("example.org", "example.org", true),
            ("mail.example.org", "example.org", true),
            ("a.example.co.uk", "b.example.co.uk", true),
            ("Mail.Example.org", "example.org", true),
            ("example.org.", "example.org", true),
            ("example.co.uk", "other.co.uk", false),
            ("example.org", "example.com", false),
            ("notexample.org", "example.org", false),
            ("co.uk", "example.co.uk", false),
            ("localhost", "localhost", true),
            ("", "", false),
        ] {
            assert_eq!(is_aligned(one, other), want, "{one} and {other}");
        }
    }
}
