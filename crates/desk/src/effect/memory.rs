//! Message-IDs to remember, so that later messages find the ticket whichever arrives first.

use crate::changes::RememberedId;
use crate::facts::{IdKind, KnownId};
use crate::id::TicketId;
use crate::inbound::{Inbound, fingerprint, named_ids, own_id, reused_id};
use crate::writer::Writer;

impl Writer<'_> {
    /// Remembers the message's own id and those it names.
    pub(super) fn remember(&mut self, inbound: &Inbound<'_>, ticket: Option<TicketId>) {
        let letter = inbound.letter;
        if let Some(own) = own_id(letter) {
            let print = fingerprint(inbound);
            let known = self.facts.message_ids.get(&own);
            let is_another =
                known.is_some_and(|known| known.kind == IdKind::In && known.fingerprint != Some(print));
            // The id stays that of the first message; this one is known again by its own text.
            let id = if is_another { reused_id(&print) } else { own };
            self.remember_id(id, IdKind::In, ticket, inbound, Some(print));
        }
        if ticket.is_some() {
            let named: Vec<String> = named_ids(letter).map(str::to_owned).collect();
            for id in named {
                self.remember_id(id, IdKind::Seen, ticket, inbound, None);
            }
        }
    }

    fn remember_id(
        &mut self,
        message_id: String,
        kind: IdKind,
        ticket_id: Option<TicketId>,
        inbound: &Inbound<'_>,
        fingerprint: Option<[u8; 16]>,
    ) {
        // An id met on a real message stays as it was first met.
        let known = self.facts.message_ids.get(&message_id);
        // A message that was waited for and is held keeps its ticket for when it is let through.
        let ticket_id = ticket_id.or(known.filter(|_| kind == IdKind::In).and_then(|known| known.ticket));
        let is_decided_anew =
            known.is_some_and(|known| known.kind == IdKind::In && known.mail_id == inbound.id.0);
        let known = known.map(|known| known.kind).filter(|_| !is_decided_anew);
        if matches!((known, kind), (Some(IdKind::In | IdKind::Out), _) | (Some(IdKind::Seen), IdKind::Seen)) {
            return;
        }
        let mail_id = inbound.id.0;
        self.facts
            .message_ids
            .insert(message_id.clone(), KnownId { kind, ticket: ticket_id, mail_id, fingerprint });
        self.changes.message_ids.push(RememberedId { message_id, kind, ticket_id, mail_id, fingerprint });
    }
}
