//! Mail by LMTP, over TCP and over a unix socket, with an answer for each recipient.

#![expect(clippy::indexing_slicing, reason = "a row or key that is missing fails the test")]

use anyhow::{Result, ensure};
use e2e::{Desk, DeskOptions, EXTERNAL, Letter, Lmtp, SUPPORT};
use testkit::client::Client;
use testkit::database::both;

#[test]
fn lmtp_over_tcp_answers_for_each_recipient() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &DeskOptions::default())?;
        check(&desk, Client::lmtp(desk.lmtp_port())?)?;
    }
    Ok(())
}

#[test]
fn lmtp_over_a_unix_socket_answers_for_each_recipient() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &DeskOptions { lmtp: Lmtp::Unix, ..DeskOptions::default() })?;
        check(&desk, Client::lmtp_unix(&desk.lmtp_socket())?)?;
    }
    Ok(())
}

fn check(desk: &Desk, mut client: Client) -> Result<()> {
    desk.run(&["address", "add", EXTERNAL])?;
    let letter = Letter::new("ann@customer.example", SUPPORT, "two doors");
    client.command("MAIL FROM:<ann@customer.example>")?.with_code(250)?;
    for (recipient, code) in [(SUPPORT, 250), ("ghost@acme.desk.example", 550), (EXTERNAL, 250)] {
        client.command(&format!("RCPT TO:<{recipient}>"))?.with_code(code)?;
    }
    client.command("DATA")?.with_code(354)?;
    client.write(&letter.bytes())?;
    client.write(b".\r\n")?;
    // RFC 2033 §4.2: one answer for each recipient that was accepted, none for the others.
    client.answer()?.with_code(250)?;
    client.answer()?.with_code(250)?;
    client.command("NOOP")?.with_code(250)?;
    let ticket = desk.ticket(1)?;
    // Both addresses belong to one account: one transaction is one mail, received at the address that To names.
    ensure!(ticket["recipient"] == SUPPORT, "{ticket}");
    desk.decided(1)?;
    assert_eq!(desk.list(&["ticket", "list"])?.len(), 1);
    Ok(())
}
