//! A mail is explained on the command line, and the exit code says whether a door would take it.

use anyhow::{Context, Result, ensure};
use e2e::{Desk, DeskOptions, SUPPORT};
use serde_json::Value;
use testkit::database::both;

const MAIL: &[u8] = b"From: ann@customer.example\r\nSubject: Lamp\r\n\r\nIt is dark.\r\n";
const GHOST: &str = "ghost@acme.desk.example";

#[test]
fn a_mail_that_no_door_would_take_is_explained_and_ends_with_1() -> Result<()> {
    struct Case<'a> {
        recipients: Vec<&'a str>,
        mail: &'a [u8],
        code: i32,
        outcome: &'a str,
        said_too: &'a str,
    }
    fn usual<'a>() -> Case<'a> {
        Case { recipients: vec![SUPPORT], mail: MAIL, code: 1, outcome: "", said_too: "" }
    }

    for database in both() {
        let desk = Desk::configure(database, &DeskOptions::default())?;
        desk.create_account()?;
        let large = [MAIL, &b"x".repeat(2_000)].concat();
        for Case { recipients, mail, code, outcome, said_too } in [
            Case { code: 0, outcome: "new_ticket", ..usual() },
            Case { recipients: vec![GHOST], outcome: "refused", said_too: "guichet address add", ..usual() },
            Case { recipients: vec![SUPPORT, GHOST], outcome: "new_ticket", said_too: GHOST, ..usual() },
            Case { mail: &large, outcome: "refused", said_too: "limits.max_mail_size", ..usual() },
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
