//! Postfix delivers to the desk by SMTP with STARTTLS, and by LMTP over TCP and a unix socket.

#![expect(clippy::indexing_slicing, reason = "a row or key that is missing fails the test")]

use anyhow::{Result, ensure};
use e2e::{Desk, DeskOptions, Letter, Lmtp, NATIVE_HOST, SUPPORT};
use testkit::client::Client;
use testkit::database::both;
use testkit::server::{Postfix, PostfixOptions, Route};

#[test]
fn postfix_delivers_by_smtp_over_starttls() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &DeskOptions::default())?;
        let log = deliver(&desk, Route::Smtp { port: desk.smtp_port(), starttls: true })?;
        ensure!(log.contains("TLS connection established to"), "{log}");
    }
    Ok(())
}

#[test]
fn postfix_delivers_by_lmtp() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &DeskOptions::default())?;
        deliver(&desk, Route::LmtpTcp(desk.lmtp_port()))?;
    }
    for database in both() {
        let desk = Desk::open(database, &DeskOptions { lmtp: Lmtp::Unix, ..DeskOptions::default() })?;
        deliver(&desk, Route::LmtpUnix(desk.lmtp_socket()))?;
    }
    Ok(())
}

/// Has Postfix deliver one letter and returns its log.
fn deliver(desk: &Desk, route: Route) -> Result<String> {
    let options =
        PostfixOptions { routes: vec![(NATIVE_HOST.to_owned(), route)], ..PostfixOptions::default() };
    let postfix = Postfix::start(&options)?;
    let letter = Letter::new("ann@customer.example", SUPPORT, "by Postfix");
    Client::smtp(postfix.port())?.send(&letter.from, &letter.to, &letter.bytes())?.with_code(250)?;
    let ticket = desk.ticket(1)?;
    assert_eq!(ticket["subject"], "by Postfix", "{ticket}");
    assert_eq!(ticket["recipient"], SUPPORT, "{ticket}");
    desk.decided(1)?;
    Ok(postfix.log())
}
