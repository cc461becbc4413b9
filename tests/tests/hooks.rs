//! Mail that a provider posts: taken when it is durable, refused in words.

#![expect(clippy::indexing_slicing, reason = "a row or key that is missing fails the test")]

use std::env;

use anyhow::{Context, Result, ensure};
use e2e::{AGENT, Desk, DeskOptions, SUPPORT};
use serde_json::Value;
use testkit::database::{VARIABLE, both, execute, postgres, sqlite};

const MAIL: &[u8] = b"Message-ID: <h1@customer.example>\r\nFrom: Ann <ann@customer.example>\r\nSubject: by HTTP\r\n\r\nhi\r\n";

fn token(desk: &Desk, email: &str) -> Result<String> {
    let made = desk.run(&["token", "create", email, "--account", "acme"])?;
    made["api_token"].as_str().map(str::to_owned).with_context(|| made.to_string())
}

/// Posts and returns status and answer.
fn post(desk: &Desk, path: &str, header: &[&str], body: &[u8]) -> Result<(u16, Value)> {
    let page = desk.post(path, header, body)?;
    let answer = serde_json::from_str(&page.body).with_context(|| page.body.clone())?;
    Ok((page.status, answer))
}

#[test]
fn a_posted_mail_is_durable_when_it_is_acknowledged() -> Result<()> {
    for database in both() {
        let mut desk = Desk::open(database, &DeskOptions::default())?;
        let bearer = format!("Authorization: Bearer {}", token(&desk, AGENT)?);
        let to = format!("/hooks/mail?rcpt={SUPPORT}&mail_from=ann@customer.example");
        let (status, answer) = post(&desk, &to, &[&bearer, "Content-Type: message/rfc822"], MAIL)?;
        desk.kill()?;
        assert_eq!(status, 200, "{status} {answer}");
        assert_eq!(answer["recipients"][0], SUPPORT, "{status} {answer}");
        desk.serve(&[])?;
        let ticket = desk.ticket(1)?;
        assert_eq!(ticket["subject"], "by HTTP", "{ticket}");
        assert_eq!(ticket["recipient"], SUPPORT, "{ticket}");
        let rows = desk.decided(1)?;
        ensure!(rows[0]["id"] == answer["id"], "{rows:?} {answer}");
        // A provider that did not read the answer posts again.
        let (status, _) = post(&desk, &to, &[&bearer], MAIL)?;
        ensure!(status == 200, "{status}");
        let rows = desk.decided(2)?;
        let outcomes: Vec<_> = rows.iter().filter_map(|row| row["outcome"].as_str()).collect();
        assert!(outcomes.contains(&"new_ticket"), "{outcomes:?}");
        assert!(outcomes.contains(&"duplicate"), "{outcomes:?}");
    }
    Ok(())
}

#[test]
fn forms_and_logins_of_providers_are_understood() -> Result<()> {
    struct Case<'a> {
        name: &'a str,
        path: String,
        header: Vec<&'a str>,
        body: &'a str,
    }
    fn usual<'a>() -> Case<'a> {
        Case { name: "", path: "/hooks/mail".to_owned(), header: vec![], body: "" }
    }

    let desk = Desk::open(sqlite(), &DeskOptions::default())?;
    let secret = token(&desk, AGENT)?;
    let bearer = format!("Authorization: Bearer {secret}");
    let part = |name: &str, value: &str| {
        format!("--xx\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let envelope = part("envelope", &format!("{{\"to\":[\"{SUPPORT}\"],\"from\":\"a@b.example\"}}"));
    let multipart =
        envelope + &part("email", "From: a@b.example\r\nSubject: multipart\r\n\r\nhi") + "--xx--\r\n";
    let pairs = "recipient=support%40acme.desk.example&sender=a%40b.example&body-mime=From%3A+a%40b.example%0ASubject%3A+pairs%0A%0Ahi";
    let curl = "From: a@b.example\nSubject: curl\n\nhi\n";
    let of_pairs = "Content-Type: application/x-www-form-urlencoded";
    let to = format!("X-Envelope-To: {SUPPORT}");
    for Case { name, path, header, body } in [
        Case {
            name: "multipart",
            header: vec![bearer.as_str(), "Content-Type: multipart/form-data; boundary=xx"],
            body: &multipart,
            ..usual()
        },
        Case {
            name: "pairs",
            path: format!("/hooks/mail?token={secret}"),
            header: vec![of_pairs],
            body: pairs,
        },
        Case { name: "curl", header: vec![&bearer, of_pairs, &to], body: curl, ..usual() },
    ] {
        let (status, answer) = post(&desk, &path, &header, body.as_bytes())?;
        ensure!(status == 200, "{name}: {status} {answer}");
    }
    desk.decided(3)?;
    let tickets = desk.list(&["ticket", "list"])?;
    let subjects: Vec<_> = tickets.iter().filter_map(|ticket| ticket["subject"].as_str()).collect();
    ensure!(subjects == ["multipart", "pairs", "curl"], "{subjects:?}");
    Ok(())
}

#[test]
fn refusals_say_why_and_leave_nothing() -> Result<()> {
    struct Case<'a> {
        path: &'a str,
        header: Vec<&'a str>,
        body: &'a [u8],
        status: u16,
        word: &'a str,
    }

    let desk = Desk::open(sqlite(), &DeskOptions { max_mail_bytes: 10_000, ..DeskOptions::default() })?;
    desk.run(&["user", "add", "eve@customer.example"])?;
    desk.run(&["account", "create", "other", "--admin", "admin@other.example"])?;
    let bearer = |email: &str| token(&desk, email).map(|secret| format!("Authorization: Bearer {secret}"));
    let (agent, customer) = (bearer(AGENT)?, bearer("eve@customer.example")?);
    let large = [MAIL, &[b'x'; 10_000]].concat();
    let to = format!("/hooks/mail?rcpt={SUPPORT}");
    let usual = || Case { path: "", header: vec![&agent], body: MAIL, status: 400, word: "" };
    for Case { path, header, body, status, word } in [
        Case { path: &to, header: vec![], status: 401, word: "no_token", ..usual() },
        Case {
            path: &to,
            header: vec!["Authorization: Bearer wrong"],
            status: 401,
            word: "wrong_token",
            ..usual()
        },
        Case { path: &to, header: vec![&customer], status: 403, word: "forbidden", ..usual() },
        Case { path: "/hooks/mail", status: 400, word: "no_recipient", ..usual() },
        Case {
            path: "/hooks/mail?rcpt=ghost@acme.desk.example",
            status: 404,
            word: "unknown_recipient",
            ..usual()
        },
        Case {
            path: "/hooks/mail?rcpt=support@other.desk.example",
            status: 404,
            word: "unknown_recipient",
            ..usual()
        },
        Case { path: "/hooks/mail?rcpt=ghost", status: 400, word: "malformed_address", ..usual() },
        Case { path: &to, body: b"", status: 400, word: "no_mail", ..usual() },
        Case { path: &to, body: &large, status: 413, word: "too_large", ..usual() },
        Case {
            path: &to,
            header: vec![&agent, "Content-Type: application/json"],
            body: b"{}",
            status: 415,
            word: "wrong_type",
        },
        Case {
            path: &to,
            header: vec![&agent, "Content-Encoding: gzip"],
            status: 415,
            word: "wrong_type",
            ..usual()
        },
    ] {
        let (got, answer) = post(&desk, path, &header, body)?;
        assert_eq!(got, status, "{path} {header:?}: {got} {answer}");
        assert_eq!(answer["error"], word, "{path} {header:?}: {got} {answer}");
        ensure!(answer["description"].as_str().is_some_and(|text| text.len() > 10), "{answer}");
    }
    assert_eq!(desk.list(&["ledger", "list", "--account", "acme"])?, Vec::<Value>::new());
    Ok(())
}

#[test]
fn a_post_while_the_database_is_away_is_to_come_again() -> Result<()> {
    let database = postgres();
    let (name, server) =
        (database.url.rsplit('/').next().unwrap_or_default().to_owned(), env::var(VARIABLE)?);
    let desk = Desk::open(database, &DeskOptions::default())?;
    let bearer = format!("Authorization: Bearer {}", token(&desk, AGENT)?);
    let to = format!("/hooks/mail?rcpt={SUPPORT}&mail_from=ann@customer.example");
    execute(&server, &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false"))?;
    execute(
        &server,
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    )?;
    let (status, answer) = post(&desk, &to, &[&bearer], MAIL)?;
    assert_eq!(status, 503, "{status} {answer}");
    assert_eq!(answer["error"], "unavailable", "{status} {answer}");
    execute(&server, &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true"))?;
    let (status, answer) = post(&desk, &to, &[&bearer], MAIL)?;
    ensure!(status == 200, "{status} {answer}");
    ensure!(desk.decided(1)?.len() == 1, "the mail was taken once");
    Ok(())
}
