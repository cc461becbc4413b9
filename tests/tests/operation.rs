//! The pages an operator watches, and a stop that finishes work in hand.

use anyhow::{Result, ensure};
use e2e::{Desk, DeskOptions, Letter, SUPPORT, WITHIN};
use testkit::client::Client;
use testkit::database::both;
use testkit::server::until;

#[test]
fn pages_tell_health_and_counts() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &DeskOptions::default())?;
        for path in ["/healthz", "/readyz"] {
            assert_eq!(desk.page(path)?.status, 200, "{path}");
        }
        let letter = Letter::new("ann@customer.example", SUPPORT, "count me");
        Client::smtp(desk.smtp_port())?.send(&letter.from, &letter.to, &letter.bytes())?.with_code(250)?;
        desk.decided(1)?;
        let counts = || -> Result<_> {
            let page = desk.page("/metrics")?;
            let counter = |name| page.counter(name);
            Ok((counter("guichet_mails_accepted_total"), counter("guichet_mails_decided_total")))
        };
        until("the counters show one mail", WITHIN, || Ok((counts()? == (1.0, 1.0)).then_some(())))?;
    }
    Ok(())
}

#[test]
fn a_stop_finishes_the_mail_in_hand() -> Result<()> {
    for database in both() {
        let mut desk = Desk::open(database, &DeskOptions::default())?;
        let letter = Letter::new("ann@customer.example", SUPPORT, "in the last moment");
        let mut client = Client::smtp(desk.smtp_port())?;
        client.command("MAIL FROM:<ann@customer.example>")?.with_code(250)?;
        client.command(&format!("RCPT TO:<{SUPPORT}>"))?.with_code(250)?;
        client.command("DATA")?.with_code(354)?;
        let bytes = letter.bytes();
        let (first, second) = bytes.split_at(bytes.len() / 2);
        client.write(first)?;
        desk.terminate()?;
        until("new connections are refused", WITHIN, || Ok(Client::smtp(desk.smtp_port()).err().map(drop)))?;
        client.write(second)?;
        client.write(b".\r\n")?;
        client.answer()?.with_code(250)?;
        ensure!(desk.wait_for_end()?.success(), "{}", desk.log());

        desk.serve(&[])?;
        assert_eq!(desk.ticket(1)?["subject"], "in the last moment");
        desk.decided(1)?;
    }
    Ok(())
}

#[test]
fn what_was_accepted_is_there_after_a_kill() -> Result<()> {
    for database in both() {
        let mut desk = Desk::open(database, &DeskOptions::default())?;
        let letter = Letter::new("ann@customer.example", SUPPORT, "before the fall");
        Client::smtp(desk.smtp_port())?.send(&letter.from, &letter.to, &letter.bytes())?.with_code(250)?;
        desk.kill()?;
        desk.serve(&[])?;
        assert_eq!(desk.ticket(1)?["subject"], "before the fall");
        desk.decided(1)?;
    }
    Ok(())
}
