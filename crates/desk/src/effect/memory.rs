//! Message-IDs to remember, so that later messages find the ticket whichever arrives first.

use crate::changes::RememberedId;
use crate::facts::{KnownId, Met};
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
            let is_another = known
                .is_some_and(|known| matches!(known.met, Met::In(_)) && known.fingerprint != Some(print));
            // The id stays that of the first message; this one is known again by its own text.
            let id = if is_another { reused_id(&print) } else { own };
            self.remember_id(id, Met::In(inbound.id), ticket, Some(print));
        }
        if ticket.is_some() {
            let named: Vec<String> = named_ids(letter).map(str::to_owned).collect();
            for id in named {
                self.remember_id(id, Met::Seen(inbound.id), ticket, None);
            }
        }
    }

    fn remember_id(
        &mut self,
        message_id: String,
        met: Met,
        ticket_id: Option<TicketId>,
        fingerprint: Option<[u8; 16]>,
    ) {
        // An id met on a real message stays as it was first met.
        let known = self.facts.message_ids.get(&message_id);
        // A message that was waited for and is held keeps its ticket for when it is let through.
        let ticket_id =
            ticket_id.or(known.filter(|_| matches!(met, Met::In(_))).and_then(|known| known.ticket));
        let known = known.map(|known| known.met);
        let stays = match (known, met) {
            (None, _) | (Some(Met::Seen(_)), Met::In(_) | Met::Out(_)) => false,
            // A message that is decided again writes its own id once more.
            (Some(Met::In(known)), Met::In(mail)) => known != mail,
            (Some(_), _) => true,
        };
        if stays {
            return;
        }
        self.facts.message_ids.insert(message_id.clone(), KnownId { met, ticket: ticket_id, fingerprint });
        self.changes.message_ids.push(RememberedId { message_id, met, ticket_id, fingerprint });
    }
}
