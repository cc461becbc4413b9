//! Deliveries of our messages, and the return paths that reports on them come back to
//! (docs/behaviour/intake.md §8).

use mail::address::AddressKey;

use crate::account::Account;
use crate::envelope::Envelope;
use crate::id::{OutboxId, OutgoingId, TicketId};
use crate::signed::{Purpose, SigningKeys};
use crate::str_enum::str_enum;

/// One recipient of a message we sent, which a bounce may be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The row in the outbox.
    pub outbox_id: OutboxId,
    /// The message.
    pub mail_id: OutgoingId,
    /// Its recipient.
    pub recipient: String,
    /// Its ticket, unless it was a probe.
    pub ticket: Option<TicketId>,
}

str_enum! {
    /// What a report says of a delivery.
    pub enum DeliveryResult {
        /// Failed for good, and the next message would fail too: the address takes no more mail.
        Hard = "hard",
        /// Failed for a reason that may pass, such as a full mailbox: counted.
        Soft = "soft",
        /// Failed, but the report could be about another recipient: shown, and counts against nobody.
        Doubtful = "doubtful",
        /// Anything else: delayed, delivered, an absence notice. Shown, nothing changes.
        Other = "other",
    }
}

/// Whether an address has the form of our return paths, `bounce+…` at a native host, signed or not.
#[must_use]
pub fn is_return_path(account: &Account, key: &AddressKey) -> bool {
    key.detail().is_some() && key.base().local() == "bounce" && account.brand_of_host(key.domain()).is_some()
}

/// The outbox row named by a recipient `bounce+{signed id}@native host`.
#[must_use]
pub fn bounced_row(account: &Account, keys: &SigningKeys, envelope: &Envelope) -> Option<OutboxId> {
    envelope.recipients.iter().find_map(|text| {
        let key = AddressKey::parse(text).ok()?;
        let signed = key.detail().filter(|_| is_return_path(account, &key))?;
        keys.verify(Purpose::Bounce, account.id, signed).map(OutboxId)
    })
}

/// The delivery whose signed return path is a recipient of the message.
#[must_use]
pub fn returned_delivery<'f>(
    account: &Account,
    keys: &SigningKeys,
    deliveries: &'f [Delivery],
    envelope: &Envelope,
) -> Option<&'f Delivery> {
    let row = bounced_row(account, keys, envelope)?;
    deliveries.iter().find(|delivery| delivery.outbox_id == row)
}
