//! Closes tickets that were solved long ago (docs/behaviour/tickets.md §3).

use std::sync::Arc;

use desk::id::AccountId;
use desk::ticket::SOLVED_FOR;
use store::Result;

use crate::Engine;
use crate::transact::{Open, Work};

/// Tickets closed in one transaction.
const AT_ONCE: usize = 500;

impl Engine {
    /// Closes every ticket of an account that was solved [`SOLVED_FOR`] ago; returns how many.
    ///
    /// # Errors
    /// As the store says; what was closed stays closed.
    pub(super) async fn close_solved(&self, account_id: AccountId) -> Result<u64> {
        let mut closed = 0;
        loop {
            let page = self.transact(account_id, Arc::new(Close)).await?.done;
            closed += page as u64;
            if page < AT_ONCE {
                return Ok(closed);
            }
        }
    }
}

struct Close;

impl Work for Close {
    type Done = usize;

    fn ids_expected(&self) -> usize {
        AT_ONCE
    }

    fn decide(&self, open: &mut Open<'_, '_, '_>) -> Result<usize> {
        let before = open.now() - SOLVED_FOR;
        let tickets = store::ticket::solved_until(open.tx, before, AT_ONCE)?;
        let facts = store::facts::of_tickets(open.tx, &tickets.iter().copied().collect())?;
        open.facts.add_missing(facts);
        for ticket in &tickets {
            open.writer().close(*ticket);
        }
        Ok(tickets.len())
    }
}
