//! swaks and msmtp deliver by SMTP; what must be refused is refused in the dialogue.

use anyhow::{Result, ensure};
use e2e::{Desk, DeskOptions, Letter, SUPPORT};
use testkit::client::Client;
use testkit::database::both;
use testkit::server::{msmtp, run, swaks};

#[test]
fn mail_by_swaks_and_msmtp_becomes_tickets() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &DeskOptions::default())?;
        let mut command = swaks(desk.smtp_port())?;
        command.args([
            "--from",
            "ann@customer.example",
            "--to",
            SUPPORT,
            "--header",
            "Subject: a lamp",
            "--body",
            "It flickers.",
        ]);
        run(command.arg("--tls"))?;
        let ticket = desk.ticket(1)?;
        assert_eq!((&ticket["subject"], &ticket["status"]), (&"a lamp".into(), &"new".into()), "{ticket}");
        assert_eq!(ticket["recipient"], SUPPORT, "{ticket}");
        let comments = desk.comments(1, 1)?;
        assert_eq!(comments[0]["public"], true, "{comments:?}");
        ensure!(
            comments[0]["body"].as_str().is_some_and(|body| body.trim() == "It flickers."),
            "{comments:?}"
        );

        let letter = Letter::new("eve@customer.example", SUPPORT, "a chair");
        let sent = msmtp(desk.smtp_port(), None, &letter.from, &[&letter.to], &letter.bytes())?;
        ensure!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        assert_eq!(desk.ticket(2)?["subject"], "a chair");
        let decided = desk.decided(2)?;
        ensure!(decided.iter().all(|row| row["outcome"] == "new_ticket"), "{decided:?}");
        ensure!(decided.iter().any(|row| row["message_id"] == letter.message_id.as_str()), "{decided:?}");
    }
    Ok(())
}

#[test]
fn an_unknown_recipient_is_refused_and_leaves_nothing() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &DeskOptions::default())?;
        let mut client = Client::smtp(desk.smtp_port())?;
        let letter = Letter::new("ann@customer.example", "nobody@acme.desk.example", "lost");
        for recipient in ["nobody@acme.desk.example", "support@other.desk.example", "ann@customer.example"] {
            let answer = client.send(&letter.from, recipient, &letter.bytes())?;
            assert_eq!(answer.code, 550, "{recipient}: {answer:?}");
            assert!(answer.text.starts_with("5.1.1 "), "{recipient}: {answer:?}");
        }
        // The connection goes on, and only the good mail after the refused ones was taken.
        client.send(&letter.from, SUPPORT, &letter.bytes())?.with_code(250)?;
        desk.decided(1)?;
        assert_eq!(desk.list(&["ticket", "list"])?.len(), 1);
    }
    Ok(())
}

#[test]
fn an_address_takes_mail_when_address_add_has_returned() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &DeskOptions::default())?;
        let letter = Letter::new("ann@customer.example", e2e::EXTERNAL, "opening hours");
        let mut client = Client::smtp(desk.smtp_port())?;
        client.send(&letter.from, &letter.to, &letter.bytes())?.with_code(550)?;
        desk.run(&["address", "add", e2e::EXTERNAL])?;
        client.send(&letter.from, &letter.to, &letter.bytes())?.with_code(250)?;
        assert_eq!(desk.ticket(1)?["recipient"], e2e::EXTERNAL);
    }
    Ok(())
}

#[test]
fn a_mail_that_is_too_large_is_refused_declared_or_not() -> Result<()> {
    const LIMIT: u64 = 100_000;
    for database in both() {
        let desk = Desk::open(database, &DeskOptions { max_mail_bytes: LIMIT, ..DeskOptions::default() })?;
        let mut client = Client::smtp(desk.smtp_port())?;
        let declared = client.command(&format!("MAIL FROM:<ann@customer.example> SIZE={}", LIMIT + 1))?;
        assert_eq!(declared.code, 552, "{declared:?}");
        assert!(declared.text.starts_with("5.3.4 "), "{declared:?}");
        let letter = Letter::new("ann@customer.example", SUPPORT, "a film").with_random_body(120_000);
        let undeclared = client.send(&letter.from, &letter.to, &letter.bytes())?;
        assert_eq!(undeclared.code, 552, "{undeclared:?}");
        assert!(undeclared.text.starts_with("5.3.4 "), "{undeclared:?}");
        let letter = Letter::new("ann@customer.example", SUPPORT, "a picture").with_random_body(90_000);
        client.send(&letter.from, &letter.to, &letter.bytes())?.with_code(250)?;
        assert_eq!(desk.ticket(1)?["subject"], "a picture");
        desk.decided(1)?;
    }
    Ok(())
}
