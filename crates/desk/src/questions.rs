//! What the decisions on a batch of messages need to know: asked once for all of them, answered as [`Facts`].

use std::collections::BTreeSet;

use mail::address::{AddressKey, Mailbox};
use mail::letter::Letter;

use crate::account::Account;
use crate::delivery::bounced_row;
use crate::envelope::Envelope;
use crate::facts::{Facts, Met, sender_key};
use crate::forward;
use crate::id::{OutboxId, OutgoingId, TicketId, UserId};
use crate::inbound::{Inbound, fingerprint, named_ids, own_id, reused_id, stand_in_id};
use crate::mail_command::{self, Command, PersonName};
use crate::received;
use crate::signed::{Purpose, SigningKeys};
use crate::thread;
use crate::token::ThreadToken;
use crate::user::Person;

/// The questions a message raises.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Questions {
    /// Addresses of people that may be known.
    pub addresses: BTreeSet<AddressKey>,
    /// Message-IDs: the message's own and those it names.
    pub message_ids: BTreeSet<String>,
    /// Thread tokens.
    pub tokens: BTreeSet<ThreadToken>,
    /// Outbox rows named by a verified return path.
    pub outbox: BTreeSet<OutboxId>,
    /// Outgoing mails named by a verified mark in a returned part.
    pub outgoing: BTreeSet<OutgoingId>,
    /// Senders whose mails are counted, as [`sender_key`] writes them; empty when the guard is off.
    pub senders: BTreeSet<String>,
    /// People that commands name by id.
    pub users: BTreeSet<UserId>,
    /// Tickets whose comments an agent may be quoting.
    pub comments: BTreeSet<TicketId>,
}

impl Questions {
    /// Adds what this message asks.
    pub fn add(&mut self, account: &Account, keys: &SigningKeys, envelope: &Envelope, letter: &Letter) {
        let mailboxes = letter
            .from
            .iter()
            .take(1)
            .chain(letter.reply_to.iter().take(1))
            .chain(&letter.to)
            .chain(&letter.cc);
        self.addresses.extend(mailboxes.filter_map(|mailbox| mailbox.key()));
        self.addresses.extend(envelope.mail_from.as_deref().and_then(|text| AddressKey::parse(text).ok()));
        self.message_ids.extend(letter.message_id.iter().map(|id| id.as_str().to_owned()));
        self.message_ids.extend(named_ids(letter).map(str::to_owned));
        self.message_ids.extend(stand_in_id(letter));
        self.tokens.extend(tokens_of(account, envelope, letter));
        self.outbox.extend(bounced_row(account, keys, envelope));
        if let Some(report) = &letter.report {
            self.message_ids.extend(report.original_message_id.iter().map(|id| id.as_str().to_owned()));
            let mark = report.original_mark.as_deref();
            self.outgoing
                .extend(mark.and_then(|mark| keys.verify(Purpose::Mail, account.id, mark)).map(OutgoingId));
        }
    }

    /// Adds the sender, so that their messages are counted; ask it only where the guard is on.
    pub fn add_sender(&mut self, inbound: &Inbound<'_>) {
        let from = inbound.letter.from.first().and_then(|mailbox| mailbox.key());
        let from = from.or_else(|| AddressKey::parse(inbound.envelope.mail_from.as_deref()?).ok());
        self.senders.extend(from.map(|from| sender_key(&from, inbound.authentication)));
    }

    /// Adds what a message asks once the first answers are known: another text under a Message-ID that was
    /// used, and for an agent the people that commands and forwards name, and the comments that may be
    /// quoted. For most messages that is nothing.
    pub fn add_more(&mut self, account: &Account, keys: &SigningKeys, facts: &Facts, inbound: &Inbound<'_>) {
        let letter = inbound.letter;
        let is_met =
            |id: &String| facts.message_ids.get(id).is_some_and(|known| matches!(known.met, Met::In(_)));
        if own_id(letter).is_some_and(|id| is_met(&id)) {
            self.message_ids.insert(reused_id(&fingerprint(inbound)));
        }
        let senders = letter
            .from
            .iter()
            .take(1)
            .chain(letter.reply_to.iter().take(1))
            .filter_map(|mailbox| mailbox.key());
        let is_staff = |key: &AddressKey| facts.people.get(key).is_some_and(Person::is_staff);
        if !senders.collect::<Vec<_>>().iter().any(is_staff) {
            return;
        }
        let parsed = mail_command::parse(&letter.text);
        for command in &parsed.commands {
            match command {
                Command::Requester(PersonName::Mailbox(mailbox))
                | Command::Assignee(PersonName::Mailbox(mailbox)) => {
                    self.addresses.extend(mailbox.key());
                }
                Command::Requester(PersonName::Id(id)) | Command::Assignee(PersonName::Id(id)) => {
                    self.users.insert(*id);
                }
                Command::Ccs(mailboxes) => self.addresses.extend(mailboxes.iter().filter_map(Mailbox::key)),
                _ => {}
            }
        }
        let arrival = received::resolve(account, inbound.envelope, letter);
        match thread::find(account, keys, facts, &arrival, inbound) {
            Some((ticket, _)) => {
                self.comments.insert(ticket);
            }
            None => {
                let original = forward::original(inbound, parsed.rest_offset);
                self.addresses.extend(original.and_then(|(mailbox, _)| mailbox.key()));
            }
        }
    }

    /// Whether there is nothing to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Questions::default()
    }
}

/// Every token a message carries, of whichever trust.
fn tokens_of(account: &Account, envelope: &Envelope, letter: &Letter) -> BTreeSet<ThreadToken> {
    let native = |host: &str| account.brand_of_host(host).is_some();
    let recipients = envelope.recipients.iter().filter_map(|text| AddressKey::parse(text).ok());
    let headers = letter.to.iter().chain(&letter.cc).filter_map(|mailbox| mailbox.key());
    let mut tokens: BTreeSet<ThreadToken> = recipients
        .chain(headers)
        .filter(|key| native(key.domain()))
        .filter_map(|key| ThreadToken::in_address(&key))
        .collect();
    tokens.extend(named_ids(letter).filter_map(|id| ThreadToken::in_message_id(id, native)));
    tokens.extend(ThreadToken::in_body(letter));
    tokens
}
