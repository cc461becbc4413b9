//! Exim delivers to the desk by SMTP with STARTTLS, and by LMTP over TCP and a unix socket.

#![expect(clippy::indexing_slicing, reason = "a row or key that is missing fails the test")]

use anyhow::{Result, ensure};
use e2e::{Desk, DeskOptions, Letter, Lmtp, NATIVE_HOST, SUPPORT};
use testkit::database::both;
use testkit::server::{Exim, Route};

#[test]
fn exim_delivers_by_smtp_over_starttls() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &DeskOptions::default())?;
        deliver(&desk, Route::Smtp { port: desk.smtp_port(), starttls: true })?;
    }
    Ok(())
}

#[test]
fn exim_delivers_by_lmtp() -> Result<()> {
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

fn deliver(desk: &Desk, route: Route) -> Result<()> {
    let exim = Exim::start(&[(NATIVE_HOST.to_owned(), route)])?;
    let letter = Letter::new("ann@customer.example", SUPPORT, "by Exim");
    exim.send(&letter.from, &[&letter.to], &letter.bytes())?;
    ensure!(exim.log().contains("=> support"), "{}", exim.log());
    let ticket = desk.ticket(1)?;
    assert_eq!(ticket["subject"], "by Exim", "{ticket}");
    assert_eq!(ticket["recipient"], SUPPORT, "{ticket}");
    desk.decided(1).map(drop)
}
