//! The world around a desk: Postfix as relay and provider, and the customer's mailbox in Dovecot.

use anyhow::Result;
use testkit::client::Client;
use testkit::server::{Dovecot, Inbound, Mailbox, Postfix, PostfixOptions, Route, until};

use crate::desk::{Desk, WITHIN};
use crate::imap::Imap;
use crate::letter::Letter;
use crate::{EXTERNAL, NATIVE_HOST};

/// The customer who has a mailbox; nobody else at `customer.example` has.
pub const CUSTOMER: &str = "ann@customer.example";
/// The customer's password.
pub const CUSTOMER_PASSWORD: &str = "secret";

/// Postfix carries mail both ways: the customer's domain into Dovecot by LMTP, the desk's domains to the desk.
#[derive(Debug)]
pub struct Peers {
    /// Takes the desk's outgoing mail and the customer's.
    pub postfix: Postfix,
    /// Holds the customer's mailbox.
    pub dovecot: Dovecot,
}

impl Peers {
    /// Starts both; the desk's domains go to `desk_smtp_port` over STARTTLS.
    ///
    /// # Errors
    /// When a server does not start.
    pub fn start(desk_smtp_port: u16) -> Result<Self> {
        let mailbox = Mailbox { address: CUSTOMER.to_owned(), password: CUSTOMER_PASSWORD.to_owned() };
        let dovecot = Dovecot::start(&[mailbox])?;
        let to_desk = Route::Smtp { port: desk_smtp_port, starttls: true };
        let (_, external_domain) = EXTERNAL.split_once('@').unwrap_or_default();
        let routes = vec![
            ("customer.example".to_owned(), Route::LmtpUnix(dovecot.lmtp())),
            (NATIVE_HOST.to_owned(), to_desk.clone()),
            (external_domain.to_owned(), to_desk),
        ];
        let options = PostfixOptions { inbound: Inbound::Clear, routes, ..PostfixOptions::default() };
        Ok(Self { postfix: Postfix::start(&options)?, dovecot })
    }

    /// Hands a letter to Postfix, as the customer's mail program would.
    ///
    /// # Errors
    /// When Postfix refuses it.
    pub fn send(&self, letter: &Letter) -> Result<()> {
        let mut client = Client::smtp(self.postfix.port())?;
        client.send(&letter.from, &letter.to, &letter.bytes())?.with_code(250).map(drop)
    }

    /// The mails in the customer's mailbox, as soon as there are at least `count`.
    ///
    /// # Errors
    /// When there are fewer in time; the error shows Postfix's log.
    pub fn mailbox(&self, count: usize) -> Result<Vec<Vec<u8>>> {
        let mut imap = Imap::login(self.dovecot.imap_port(), CUSTOMER, CUSTOMER_PASSWORD)?;
        let mails = until(&format!("{count} mails in the customer's mailbox"), WITHIN, || {
            Ok(Some(imap.mails()?).filter(|mails| mails.len() >= count))
        });
        mails.map_err(|error| error.context(self.postfix.log()))
    }
}

impl Desk {
    /// A running desk whose relay is a Postfix that also delivers to it, with the address [`EXTERNAL`] registered.
    ///
    /// # Errors
    /// When something does not start.
    pub fn open_with_peers(database: testkit::database::Database) -> Result<(Self, Peers)> {
        let smtp_port = testkit::server::free_port();
        let peers = Peers::start(smtp_port)?;
        let options =
            crate::DeskOptions { relay: Some(peers.postfix.port()), ..crate::DeskOptions::default() };
        let mut desk = Self::configure_at(database, &options, smtp_port)?;
        desk.create_account()?;
        desk.run(&["address", "add", EXTERNAL])?;
        desk.serve(&[])?;
        Ok((desk, peers))
    }
}
