//! Removes blobs that no row names, once a day (docs/operating.md §7).

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::Engine;

/// The first sweep waits until the backlog after a start has been processed.
const FIRST_AFTER: Duration = Duration::from_secs(600);
/// Listing all blobs is expensive where there are many: once a day is enough for what only crashes leave behind.
const EVERY: Duration = Duration::from_secs(24 * 3_600);

impl Engine {
    /// Sweeps until told to stop; a sweep under way is then abandoned, and the next one finds the rest.
    pub async fn run_sweeper(&self, stop: CancellationToken) {
        let mut wait = FIRST_AFTER;
        loop {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return,
            }
            tokio::select! {
                () = self.sweep() => {}
                () = stop.cancelled() => return,
            }
            wait = EVERY;
        }
    }

    async fn sweep(&self) {
        match self.store().sweep_blobs(self.now()).await {
            Ok(swept) if swept.removed > 0 => {
                tracing::info!(
                    seen = swept.seen,
                    removed = swept.removed,
                    "Removed blobs that no mail names"
                );
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "Blobs that no mail names are left for the next sweep"),
        }
    }
}
