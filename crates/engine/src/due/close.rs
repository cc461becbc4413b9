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
    /// Closes tickets of an account that were solved [`SOLVED_FOR`] ago; returns how many. Those beyond [`AT_ONCE`]
    /// have their turn after other accounts.
    ///
    /// # Errors
    /// As the store says.
    pub(super) async fn close_solved(&self, account_id: AccountId) -> Result<u64> {
        Ok(self.transact(account_id, Arc::new(Close)).await?.done as u64)
    }
}

struct Close;

impl Work for Close {
    type Done = usize;
    type Error = store::StoreError;

    fn ids_expected(&self) -> usize {
        AT_ONCE
    }

    fn decide(&self, open: &mut Open<'_, '_, '_>) -> Result<usize> {
        let before = open.now() - SOLVED_FOR;
        let tickets = store::ticket::solved_until(open.tx, before, AT_ONCE)?;
        let facts = store::facts::of_tickets(open.tx, &tickets.iter().copied().collect())?;
        open.facts.add_missing(facts);
        Ok(tickets.into_iter().filter(|ticket| open.writer().close(*ticket)).count())
    }
}
