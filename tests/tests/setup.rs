//! A desk without an account prints a link that makes the first one, and works once.

use anyhow::{Context, Result, ensure};
use e2e::{Desk, DeskOptions, NATIVE_HOST, SUPPORT, WITHIN};
use testkit::database::{both, sqlite};
use testkit::server::until;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
const GOOD: &[u8] = b"company=Acme&subdomain=acme&admin=admin%40agents.example&native_host=.desk.example";

/// The path of the link in the log of a desk without an account.
fn path(desk: &Desk) -> Result<String> {
    until("the link is printed", WITHIN, || {
        let log = desk.log();
        let path = log.split_whitespace().find_map(|word| word.find("/setup/").and_then(|at| word.get(at..)));
        Ok(path.map(str::to_owned))
    })
}

#[test]
fn the_link_makes_the_first_account_and_ends() -> Result<()> {
    for database in both() {
        let mut desk = Desk::configure(database, &DeskOptions::default())?;
        desk.serve(&[])?;
        let path = path(&desk)?;
        assert_eq!(desk.page(&path)?.status, 200, "{path}");
        assert_eq!(desk.page("/setup/wrong")?.status, 404, "{path}");
        let refused = desk.post(&path, &[FORM], b"company=Acme+%26+Sons&subdomain=a+b")?;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert!(refused.body.contains("value=\"Acme &amp; Sons\""), "{}", refused.body);
        let made = desk.post(&path, &[FORM], GOOD)?;
        assert_eq!(made.status, 200, "{}", made.body);
        assert!(made.body.contains(SUPPORT), "{}", made.body);
        let secret = made
            .body
            .split("class=\"secret\">")
            .nth(1)
            .and_then(|rest| rest.split('<').next())
            .context("a token")?;
        ensure!(!desk.log().contains(secret), "the API token is in the log");
        let bearer = format!("Authorization: Bearer {secret}");
        let posted = desk.post(
            &format!("/hooks/mail?rcpt={SUPPORT}"),
            &[&bearer],
            b"From: a@b.example\r\nSubject: hi\r\n\r\nhi",
        )?;
        ensure!(posted.status == 200, "{}", posted.body);
        desk.decided(1)?;
        assert_eq!(desk.page(&path)?.status, 410, "the link works twice");
        assert_eq!(desk.post(&path, &[FORM], GOOD)?.status, 410, "the link works twice");
        let accounts = desk.list(&["account", "list"])?;
        assert_eq!(accounts.len(), 1, "{accounts:?}");
        assert_eq!(accounts[0]["native_host"], NATIVE_HOST, "{accounts:?}");
        desk.kill()?;
        desk.serve(&[])?;
        ensure!(desk.page(&path)?.status == 404, "a link outlived its process");
    }
    Ok(())
}

#[test]
fn the_link_ends_with_an_account_of_the_command_line() -> Result<()> {
    let mut desk = Desk::configure(sqlite(), &DeskOptions::default())?;
    desk.serve(&[])?;
    let path = path(&desk)?;
    desk.create_account()?;
    let gone = desk.page(&path)?;
    assert_eq!(gone.status, 410, "{}", gone.body);
    assert!(gone.body.contains("This desk is set up"), "{}", gone.body);
    Ok(())
}
