//! A recipient unknown to the server after the relay: the report comes back and finds the mail it is about.

use anyhow::{Context, Result, ensure};
use e2e::{Desk, EXTERNAL, Letter};
use testkit::client::Client;
use testkit::database::both;

/// Nobody at a domain that exists.
const GHOST: &str = "ghost@customer.example";

#[test]
fn a_report_of_the_relay_marks_the_outgoing_mail_as_bounced() -> Result<()> {
    for database in both() {
        let (desk, peers) = Desk::open_with_peers(database)?;
        let letter = Letter::new(GHOST, EXTERNAL, "answer me if you can");
        Client::smtp(desk.smtp_port())?.send(&letter.from, &letter.to, &letter.bytes())?.with_code(250)?;
        desk.ticket(1)?;
        let rows = desk.outbox(1, "bounced").with_context(|| peers.postfix.log())?;
        ensure!(rows[0]["to"] == GHOST, "{rows:?}");
        ensure!(rows[0]["last_answer"].as_str().is_some_and(|answer| answer.contains("5.1.1")), "{rows:?}");
        let decided = desk.decided(2)?;
        let outcomes: Vec<_> = decided.iter().map(|row| row["outcome"].as_str()).collect();
        assert!(outcomes.contains(&Some("new_ticket")), "{decided:?}");
        assert!(outcomes.contains(&Some("bounce")), "{decided:?}");
        // The report becomes neither a ticket nor a comment, and is not answered.
        assert_eq!(desk.list(&["ticket", "list"])?.len(), 1);
        desk.comments(1, 1)?;
        assert_eq!(desk.list(&["outbox", "list"])?.len(), 1);
    }
    Ok(())
}
