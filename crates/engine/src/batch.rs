//! A batch of one account's mails: read, authenticated, decided in one transaction, halved until the guilty mail is
//! found when it fails.

mod hold;
mod read;
mod settle;

use std::sync::Arc;

use desk::authentication::Authentication;
use desk::clock::Millis;
use desk::envelope::Envelope;
use desk::id::MailId;
use desk::inbound::Inbound;
use desk::ledger::Outcome;
use desk::verdict::decide;
use store::spool::SpoolKey;

use crate::Fault;
use crate::parse::Read;
use crate::transact::Open;

pub(crate) use hold::{Guilty, step_of};
pub(crate) use read::{Batch, Blocked, Room, unread};

/// Ids that are usually enough for a mail: ticket, comments, audits, people, a mail and its recipients.
const IDS_EACH: usize = 24;

/// A mail of the batch.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) key: SpoolKey,
    pub(crate) envelope: Arc<Envelope>,
    pub(crate) raw: Arc<Vec<u8>>,
    pub(crate) letter: Read,
    pub(crate) authentication: Authentication,
}

impl Item {
    pub(crate) fn id(&self) -> MailId {
        self.key.id
    }

    /// The mail as the desk sees it; none when it could not be read.
    pub(crate) fn inbound(&self) -> Option<Inbound<'_>> {
        let letter = self.letter.as_ref().ok()?;
        let inbound = Inbound::new(self.key.id, self.key.accepted_at, &self.envelope, letter);
        Some(Inbound { raw: &self.raw, authentication: &self.authentication, ..inbound })
    }
}

/// Mails that are decided together, all of them readable.
pub(crate) struct MailBatch {
    /// The claim they are decided under.
    pub(crate) epoch: i64,
    pub(crate) items: Vec<Item>,
    pub(crate) fault: Option<Fault>,
}

impl std::fmt::Debug for MailBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailBatch").field("epoch", &self.epoch).field("mails", &self.items.len()).finish()
    }
}

impl MailBatch {
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The first mails of it, at most `limit`.
    pub(crate) fn inbound(&self, limit: usize) -> Vec<Inbound<'_>> {
        self.items.iter().filter_map(Item::inbound).take(limit).collect()
    }

    pub(crate) fn ids_expected(&self, limit: usize) -> usize {
        IDS_EACH * self.items.len().min(limit)
    }
}

/// What became of a mail, for logs and metrics.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    pub(crate) id: MailId,
    pub(crate) accepted_at: Millis,
    pub(crate) outcome: Outcome,
}

/// Decides one mail and carries the decision out.
pub(crate) fn decide_one(open: &mut Open<'_, '_, '_>, inbound: &Inbound<'_>) -> Decided {
    let account = open.account();
    let decision = decide(&account, open.keys(), &open.facts, inbound);
    open.writer().carry_out(inbound, &decision);
    Decided { id: inbound.id, accepted_at: inbound.accepted_at, outcome: decision.outcome() }
}
