//! Outgoing mail is visible where it cannot leave: without a relay, and with one that is down.

use anyhow::{Result, ensure};
use e2e::{AGENT, CUSTOMER, Desk, EXTERNAL, Letter, SUPPORT};
use testkit::client::Client;
use testkit::database::both;

#[test]
fn without_a_relay_mail_waits_visibly() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &e2e::DeskOptions::default())?;
        let letter = Letter::new(CUSTOMER, SUPPORT, "patience");
        Client::smtp(desk.smtp_port())?.send(&letter.from, &letter.to, &letter.bytes())?.with_code(250)?;
        desk.ticket(1)?;
        desk.run(&["ticket", "reply", "1", "--as", AGENT, "--public", "--body", "We are on it."])?;
        let rows = desk.outbox(2, "waiting")?;
        ensure!(
            rows.iter().all(|row| row["to"] == CUSTOMER && row["from"] == SUPPORT && row["attempts"] == 0),
            "{rows:?}"
        );
    }
    Ok(())
}

#[test]
fn with_the_relay_down_mail_is_deferred_and_leaves_once_when_it_is_back() -> Result<()> {
    for database in both() {
        let (desk, peers) = Desk::open_with_peers(database)?;
        peers.postfix.stop()?;
        let letter = Letter::new(CUSTOMER, EXTERNAL, "a storm");
        Client::smtp(desk.smtp_port())?.send(&letter.from, &letter.to, &letter.bytes())?.with_code(250)?;
        let rows = desk.outbox(1, "deferred")?;
        ensure!(rows[0]["attempts"].as_u64().is_some_and(|attempts| attempts >= 1), "{rows:?}");
        ensure!(rows[0]["last_answer"].as_str().is_some_and(|answer| !answer.is_empty()), "{rows:?}");
        peers.postfix.restart()?;
        desk.run(&["outbox", "retry"])?;
        desk.outbox(1, "sent")?;
        assert_eq!(peers.mailbox(1)?.len(), 1);
    }
    Ok(())
}
