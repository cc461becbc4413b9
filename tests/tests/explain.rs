//! A mail is explained on the command line, and the exit code says whether a door would take it.

use anyhow::{Context, Result, ensure};
use e2e::{Desk, DeskOptions, SUPPORT};
use serde_json::Value;
use testkit::database::both;

const MAIL: &[u8] = b"From: ann@customer.example\r\nSubject: Lamp\r\n\r\nIt is dark.\r\n";
const GHOST: &str = "ghost@acme.desk.example";

#[test]
fn a_mail_that_no_door_would_take_is_explained_and_ends_with_1() -> Result<()> {
    for database in both() {
        let desk = Desk::configure(database, &DeskOptions::default())?;
        desk.create_account()?;
        let large = [MAIL, &b"x".repeat(2_000)].concat();
        for (recipients, mail, code, outcome, said_too) in [
            (vec![SUPPORT], MAIL, 0, "new_ticket", ""),
            (vec![GHOST], MAIL, 1, "refused", "guichet address add"),
            (vec![SUPPORT, GHOST], MAIL, 1, "new_ticket", GHOST),
            (vec![SUPPORT], &large[..], 1, "refused", "limits.max_mail_size"),
        ] {
            let mut line = vec!["explain", "-", "--json", "--set", "limits.max_mail_size=1KB"];
            recipients.iter().for_each(|recipient| line.extend(["--rcpt", recipient]));
            let (ended, said) = desk.feed(&line, mail)?;
            assert_eq!(ended, code, "{recipients:?} ended with {ended}: {said}");
            assert!(said.contains(said_too), "{recipients:?} ended with {ended}: {said}");
            let explained: Value = serde_json::from_str(said.lines().next().context("an answer")?)?;
            ensure!(explained["outcome"] == outcome, "{recipients:?}: {explained}");
        }
        ensure!(desk.list(&["ledger", "list"])?.is_empty(), "explaining wrote something");
    }
    Ok(())
}
