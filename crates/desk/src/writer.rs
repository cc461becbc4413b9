//! The desk at work on a batch: the account, the facts it knows, the ids it takes, and the changes it adds
//! to.
//!
//! Tickets are only changed through edits (`edit.rs`). Facts are changed along with [`Changes`], so that
//! later messages of a batch see what earlier ones did.

use crate::account::Account;
use crate::changes::{Changes, Outgoing, RememberedId};
use crate::clock::Millis;
use crate::facts::{Facts, KnownId, Met};
use crate::id::{CommentId, OutboxId, OutgoingId, TicketId};
use crate::id_source::IdSource;
use crate::notice::Content;

/// What a decision is carried out with.
pub struct Writer<'a> {
    /// The account.
    pub account: &'a Account,
    /// Facts of the batch.
    pub facts: &'a mut Facts,
    /// Ids and chance.
    pub supply: &'a mut dyn IdSource,
    /// Changes of the batch.
    pub changes: &'a mut Changes,
    /// The time of the decision.
    pub now: Millis,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("account", &self.account.id).finish_non_exhaustive()
    }
}

impl Writer<'_> {
    /// Puts a message into the outbox and remembers its Message-ID, which it returns.
    pub fn send(
        &mut self,
        ticket_id: Option<TicketId>,
        comment_id: Option<CommentId>,
        content: Content,
        to: Vec<String>,
    ) -> String {
        let id: OutgoingId = self.supply.take();
        let message_id = content.message_id(self.supply.random());
        let recipients: Vec<(OutboxId, String)> =
            to.into_iter().map(|address| (self.supply.take(), address)).collect();
        let known = KnownId { met: Met::Out(id), ticket: ticket_id, fingerprint: None };
        self.facts.message_ids.insert(message_id.clone(), known);
        self.changes.message_ids.push(RememberedId {
            message_id: message_id.clone(),
            met: Met::Out(id),
            ticket_id,
            fingerprint: None,
        });
        self.changes.outgoing.push(Outgoing {
            id,
            ticket_id,
            comment_id,
            message_id: message_id.clone(),
            content,
            recipients,
            created_at: self.now,
        });
        message_id
    }
}
