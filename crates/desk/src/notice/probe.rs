//! To an external support address: does its forward work?

use super::{Content, Letter, Notice};
use crate::account::Account;
use crate::address::SupportAddress;

/// The forwarding probe: its secret is in a header, in the Message-ID and in the subject, since forwards keep
/// at least one.
#[must_use]
pub fn probe(account: &Account, external: &SupportAddress, secret: &str) -> Option<Content> {
    let brand = external.brand_id;
    let system = account.addresses().find(|address| address.brand_id == brand && address.is_system);
    let sender = system.or_else(|| account.default_address(brand))?;
    let letter = Letter {
        subject: format!("Forwarding test {secret}"),
        text: format!(
            "This mail tests whether {} forwards to the help desk.\n\
             It is taken out when it comes back; if you read it, the forward does not work yet.\n",
            external.written
        ),
    };
    let notice = Notice::Probe { letter, secret: secret.to_owned() };
    Content::from_desk(account, brand, sender, external.mailbox().into(), notice)
}
