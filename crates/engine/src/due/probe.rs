//! Gives up forwarding probes that did not come back in time (docs/behaviour/support-addresses.md §3).

use std::sync::Arc;

use desk::id::{AccountId, SupportAddressId};
use store::Result;
use store::work::Kind;

use crate::Engine;
use crate::transact::{Open, Work};

impl Engine {
    /// Marks the addresses of an account whose probes are overdue as failed; returns how many.
    ///
    /// # Errors
    /// As the store says.
    pub(super) async fn give_up_probes(&self, account_id: AccountId) -> Result<u64> {
        Ok(self.transact(account_id, Arc::new(GiveUp)).await?.done)
    }
}

struct GiveUp;

impl Work for GiveUp {
    type Done = u64;
    type Error = store::StoreError;

    fn ids_expected(&self) -> usize {
        0
    }

    fn decide(&self, open: &mut Open<'_, '_, '_>) -> Result<u64> {
        let now = open.now();
        let mut given_up = 0;
        for subject in store::timer::due(open.tx, Kind::Probe, now)? {
            given_up += store::address::probe_failed(open.tx, SupportAddressId(subject), now)?;
        }
        store::timer::remove_until(open.tx, Kind::Probe, now)?;
        Ok(given_up)
    }
}
