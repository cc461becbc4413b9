//! Who may post, and which forms of the token are accepted.

use axum::http::HeaderValue;

use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (axum::http::HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

#[test]
fn tokens_are_read_from_header_and_query() {
    let query = form::pairs(b"token=q%2B1&rcpt=a@x.example");
    for (header, want) in [
        ("Bearer abc", Some(("abc", None))),
        ("bearer  abc ", Some(("abc", None))),
        // bob@x.example/token:abc
        ("Basic Ym9iQHguZXhhbXBsZS90b2tlbjphYmM=", Some(("abc", Some("bob@x.example")))),
        // bob@x.example:abc, a password
        ("Basic Ym9iQHguZXhhbXBsZTphYmM=", None),
        ("Basic ???", None),
        ("Digest x", None),
        ("abc", None),
    ] {
        let got = credentials(&headers(&[("authorization", header)]), &query);
        let got = got.as_ref().map(|(secret, email)| (secret.as_str(), email.as_deref()));
        assert_eq!(got, want, "{header}");
    }
    assert_eq!(credentials(&HeaderMap::new(), &query), Some(("q+1".to_owned(), None)));
    assert_eq!(credentials(&HeaderMap::new(), &[]), None);
}

#[test]
fn bodies_are_known_by_their_type() {
    for (name, value, want) in [
        ("content-type", "message/rfc822", "Ok(Raw)"),
        ("content-type", "TEXT/plain; charset=x", "Ok(Raw)"),
        ("x-none", "", "Ok(Raw)"),
        ("content-type", "multipart/form-data; boundary=b", "Ok(Multipart(\"b\"))"),
        ("content-type", "multipart/form-data", "Err(WrongType(\"a form without boundary\"))"),
        ("content-type", "application/x-www-form-urlencoded", "Ok(Pairs)"),
        ("content-type", "application/json", "Err(WrongType(\"JSON\"))"),
        ("content-encoding", "gzip", "Err(WrongType(\"a compressed body\"))"),
        ("content-encoding", "Identity", "Ok(Raw)"),
    ] {
        assert_eq!(format!("{:?}", kind(&headers(&[(name, value)]))), want, "{name}: {value}");
    }
}

#[test]
fn the_query_says_more_than_the_header_and_the_header_more_than_the_form() {
    let body = b"recipient=f@x.example&sender=s@y.example&email=A:+1%0A".to_vec();
    let shown = |headers: &HeaderMap, query: &str| {
        let posted = posted(Kind::Pairs, headers, &form::pairs(query.as_bytes()), body.clone()).unwrap();
        format!("{} {}", posted.recipients.join(" "), posted.mail_from.unwrap_or_default())
    };
    let said =
        headers(&[("x-envelope-to", "h@x.example, <i@x.example>"), ("x-envelope-from", "e@y.example")]);
    assert_eq!(shown(&HeaderMap::new(), ""), "f@x.example s@y.example");
    assert_eq!(shown(&said, ""), "h@x.example i@x.example e@y.example");
    assert_eq!(shown(&said, "rcpt=q@x.example&mail_from="), "q@x.example ");
}
