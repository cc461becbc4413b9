//! What a relay of ours found out about a sender, in the words of its Authentication-Results (RFC 8601 §2.7).

use desk::authentication::{Authentication, Check};
use desk::sender_list::ascii_domain;
use mail::authentication_results::{AuthenticationResults, MethodResult};

use super::alignment::is_aligned;

/// Puts the results of a relay together for a mail whose From is at `from_domain`. Several fields count as one.
pub(super) fn authentication(fields: &[AuthenticationResults], from_domain: &str) -> Authentication {
    let from = ascii_domain(from_domain);
    let mut found = Authentication { is_checked: true, ..Authentication::unchecked() };
    for result in fields.iter().flat_map(|field| &field.results) {
        let check = check(&result.result);
        match result.method.as_str() {
            "spf" => {
                let aligned = domain_of(result, &["smtp.mailfrom", "smtp.mail", "smtp.helo"], &from);
                take(&mut found.spf, &mut found.spf_aligned, check, aligned);
            }
            "dkim" => {
                let aligned = domain_of(result, &["header.d", "header.i"], &from);
                take(&mut found.dkim, &mut found.dkim_aligned, check, aligned);
            }
            // A result that does not say whose policy it looked at may be about another From.
            "dmarc" if is_same(result, &from) && found.dmarc == Check::None => found.dmarc = check,
            _ => {}
        }
    }
    found
}

/// Whether a field names From's domain as the sender of a mail, by any check that passed: what an ARC set says of its
/// hop.
pub(super) fn vouches(results: &AuthenticationResults, from_domain: &str) -> bool {
    authentication(std::slice::from_ref(results), from_domain).is_authenticated()
}

/// Keeps the better of two results of one check: an aligned pass, then any pass, then the first.
fn take(kept: &mut Check, kept_aligned: &mut bool, check: Check, aligned: bool) {
    let worth = |check: Check, aligned: bool| match (check, aligned) {
        (Check::Pass, true) => 3,
        (Check::Pass, false) => 2,
        (Check::None, _) => 0,
        _ => 1,
    };
    if worth(check, aligned) > worth(*kept, *kept_aligned) {
        (*kept, *kept_aligned) = (check, aligned);
    }
}

/// Whether the first of these properties that is there names a domain aligned with From's.
fn domain_of(result: &MethodResult, names: &[&str], from: &str) -> bool {
    let value = names.iter().find_map(|name| result.property(name)).unwrap_or_default();
    let domain = value.trim_matches(['<', '>']).rsplit('@').next().unwrap_or_default().to_lowercase();
    is_aligned(&ascii_domain(&domain), from)
}

fn is_same(result: &MethodResult, from: &str) -> bool {
    let named = result
        .property("header.from")
        .unwrap_or_default()
        .rsplit('@')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    ascii_domain(&named) == from
}

/// The word of RFC 8601 §2.7, with those of its forerunners.
fn check(word: &str) -> Check {
    match word {
        "hardfail" => Check::Fail,
        "policy" => Check::Neutral,
        "error" => Check::TempError,
        word => word.parse().unwrap_or(Check::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use desk::authentication::Standing;
    use mail::authentication_results::parse;

    #[test]
    fn a_relays_words_become_checks() {
        for (value, want, standing) in [
            (
                "mx; spf=pass smtp.mailfrom=a@bounce.example.org; dkim=pass header.d=example.org; dmarc=pass header.from=example.org",
                "SPF pass, DKIM pass, DMARC pass",
                Standing::Authenticated,
            ),
            (
                "mx; dkim=pass header.i=@mail.example.org",
                "SPF none, DKIM pass, DMARC none",
                Standing::Authenticated,
            ),
            (
                "mx; spf=pass smtp.mailfrom=other.example",
                "SPF pass of another domain, DKIM none, DMARC none",
                Standing::Unknown,
            ),
            (
                "mx; dkim=pass header.d=other.example; dkim=pass header.d=example.org; dkim=fail header.d=example.org",
                "SPF none, DKIM pass, DMARC none",
                Standing::Authenticated,
            ),
            (
                "mx; dkim=fail header.d=example.org; dmarc=fail header.from=example.org",
                "SPF none, DKIM fail, DMARC fail",
                Standing::Failed,
            ),
            (
                "mx; dmarc=pass header.from=other.example",
                "SPF none, DKIM none, DMARC none",
                Standing::Unknown,
            ),
            ("mx; dmarc=pass", "SPF none, DKIM none, DMARC none", Standing::Unknown),
            (
                "mx; spf=hardfail smtp.mailfrom=example.org",
                "SPF fail, DKIM none, DMARC none",
                Standing::Failed,
            ),
            (
                "mx; spf=error smtp.mailfrom=example.org; dkim=policy",
                "SPF temperror, DKIM neutral, DMARC none",
                Standing::Unknown,
            ),
            ("mx; spf=strange; iprev=pass", "SPF none, DKIM none, DMARC none", Standing::Unknown),
            ("mx; none", "SPF none, DKIM none, DMARC none", Standing::Unknown),
        ] {
            let found = authentication(&[parse(value).unwrap()], "example.org");
            assert_eq!((found.clause().as_str(), found.standing()), (want, standing), "{value}");
        }
    }

    #[test]
    fn several_fields_count_as_one() {
        let fields = [
            "mx; dkim=pass header.d=other.example",
            "mx; dmarc=pass header.from=Bücher.example",
            "mx; spf=softfail",
        ];
        let fields: Vec<_> = fields.iter().filter_map(|value| parse(value)).collect();
        let found = authentication(&fields, "xn--bcher-kva.example");
        assert_eq!(found.clause(), "SPF softfail, DKIM pass of another domain, DMARC pass");
    }
}
