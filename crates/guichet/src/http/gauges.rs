//! What is measured at the moment of asking: depths of spool and outbox, size of the database, memory.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use desk::outbox_state::OutboxState;
use metrics::gauge;
use store::work::Kind;
use store::{Result, Store, Tx};

/// How often the depths are counted at most; in between, the gauges keep their values.
const COUNT_EVERY: Duration = Duration::from_secs(5);

/// How much waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Depths {
    /// Mails accepted and not decided yet.
    pub(crate) spool: i64,
    /// Recipients of outgoing mail that are not done, by state; every such state is present.
    pub(crate) outbox: BTreeMap<OutboxState, i64>,
    /// Bytes of the database.
    pub(crate) database_bytes: i64,
}

/// Counts what waits, in the accounts that have work: the cost depends on what waits, not on how many accounts there are.
///
/// # Errors
/// As the database says.
pub(crate) fn depths(tx: &mut Tx<'_>) -> Result<Depths> {
    let mut depths = Depths { database_bytes: tx.database_bytes()?, ..Depths::default() };
    depths.outbox.extend(OutboxState::UNDONE.map(|state| (state, 0)));
    for id in store::work::accounts(tx, Kind::Mail)? {
        depths.spool += store::spool::count(&mut tx.account(id))?;
    }
    for id in store::work::accounts(tx, Kind::Outbox)? {
        for (state, count) in store::outbox::undone(&mut tx.account(id))? {
            *depths.outbox.entry(state).or_default() += count;
        }
    }
    Ok(depths)
}

/// Sets the gauges; those of a database that does not answer keep their last value.
pub(super) async fn refresh(store: &Store) {
    if let Some(bytes) = resident_bytes() {
        gauge!("process_resident_memory_bytes").set(as_gauge(bytes));
    }
    if !is_time_to_count() {
        return;
    }
    match store.read_now(depths).await {
        Ok(depths) => {
            gauge!("guichet_spool_mails").set(as_gauge(depths.spool));
            gauge!("guichet_database_bytes").set(as_gauge(depths.database_bytes));
            for (state, count) in depths.outbox {
                gauge!("guichet_outbox_recipients", "state" => state.to_string()).set(as_gauge(count));
            }
        }
        Err(error) => {
            tracing::warn!(%error, "Gauges keep their last values: the database cannot be read now")
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts and sizes stay below 2^53")]
fn as_gauge(number: i64) -> f64 {
    number as f64
}

/// Resident memory as reported by Linux; none elsewhere.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: i64 = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1_024)
}

/// Counting takes longer the more is waiting, and a scraper that asks every second must not slow a long queue down.
fn is_time_to_count() -> bool {
    static COUNTED: Mutex<Option<Instant>> = Mutex::new(None);
    let mut counted = COUNTED.lock().expect("plain value");
    let is_time = counted.is_none_or(|at| at.elapsed() >= COUNT_EVERY);
    if is_time {
        *counted = Some(Instant::now());
    }
    is_time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_desk_has_every_gauge() {
        let folder = tempfile::tempdir().unwrap();
        let options = store::StoreOptions {
            url: format!("sqlite:{}", folder.path().join("x.db").display()),
            blobs: format!("file:{}", folder.path().join("blobs").display()),
            connections: 1,
            allow_unsafe: false,
            clock: None,
        };
        let store = Store::open(&options).unwrap();
        store.migrate().unwrap();
        let depths = store.read_blocking(depths).unwrap();
        assert_eq!(
            (depths.spool, depths.outbox.values().sum::<i64>(), depths.outbox.len()),
            (0, 0, OutboxState::UNDONE.len())
        );
        assert!(depths.database_bytes > 0);
        assert!(resident_bytes().is_some_and(|bytes| bytes > 1_000_000));
        store.close();
    }
}
