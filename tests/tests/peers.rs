//! The customer's side of the tests works on its own: what Postfix delivers is read over IMAP, its body unchanged to
//! the byte.

use anyhow::Result;
use e2e::{CUSTOMER, CUSTOMER_PASSWORD, Imap, Letter, Peers, field};
use testkit::server::free_port;

#[test]
fn a_letter_through_postfix_is_read_over_imap() -> Result<()> {
    let peers = Peers::start(free_port())?;
    let letters = [
        Letter::new("eve@customer.example", CUSTOMER, "one"),
        Letter::new("eve@customer.example", CUSTOMER, "two"),
    ];
    for letter in &letters {
        peers.send(letter)?;
    }
    let mails = peers.mailbox(2)?;
    let mut found: Vec<String> = mails.iter().map(|mail| field(mail, "Message-ID")).collect();
    let mut sent: Vec<String> = letters.iter().map(|letter| format!("<{}>", letter.message_id)).collect();
    found.sort();
    sent.sort();
    assert_eq!(found, sent);
    let mut imap = Imap::login(peers.dovecot.imap_port(), CUSTOMER, CUSTOMER_PASSWORD)?;
    assert_eq!(imap.mails()?.len(), 2);
    assert_eq!(imap.search("SUBJECT two")?.len(), 1);
    assert!(Imap::login(peers.dovecot.imap_port(), CUSTOMER, "wrong").is_err());
    Ok(())
}
