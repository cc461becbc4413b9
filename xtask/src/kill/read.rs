//! Reads the desk's lists, those of many accounts side by side: each takes a process of its own.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::evidence::{LedgerRow, OfAccount, OutboxRow};
use crate::load::desk::Desk;

/// Lists read side by side.
const AT_ONCE: usize = 4;

/// All rows of a list (`["ledger", "list"]`), account after account.
///
/// # Errors
/// As [`Desk::list`]; also when a row has a different shape.
pub(super) fn rows<T>(desk: &Desk, accounts: &[String], list: &[&str]) -> Result<Vec<T>>
where
    T: DeserializeOwned + OfAccount + Send,
{
    let next = AtomicUsize::new(0);
    let read = Mutex::new(Vec::new());
    let work = || {
        while let Some((place, account)) = take(&next, accounts) {
            let rows = of_account(desk, account, list);
            read.lock().map_err(|_| anyhow!("another reader panicked"))?.push((place, rows?));
        }
        anyhow::Ok(())
    };
    thread::scope(|scope| {
        let readers: Vec<_> = (0..AT_ONCE.min(accounts.len())).map(|_| scope.spawn(work)).collect();
        readers.into_iter().try_for_each(|reader| {
            reader.join().unwrap_or_else(|_| Err(anyhow!("reading {list:?} panicked")))
        })
    })?;
    let mut read = read.into_inner().map_err(|_| anyhow!("a reader panicked"))?;
    read.sort_by_key(|(place, _)| *place);
    Ok(read.into_iter().flat_map(|(_, rows)| rows).collect())
}

fn take<'a>(next: &AtomicUsize, accounts: &'a [String]) -> Option<(usize, &'a String)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    accounts.get(place).map(|account| (place, account))
}

fn of_account<T: DeserializeOwned + OfAccount>(desk: &Desk, account: &str, list: &[&str]) -> Result<Vec<T>> {
    let read = |row: Value| {
        let mut read: T =
            serde_json::from_value(row.clone()).with_context(|| format!("a row of {list:?}: {row}"))?;
        read.set_account(account);
        Ok(read)
    };
    desk.list(account, list)?.into_iter().map(read).collect()
}

/// Whether all mail is decided.
///
/// # Errors
/// As [`rows`].
pub(super) fn is_all_decided(desk: &Desk, accounts: &[String]) -> Result<bool> {
    let ledger: Vec<LedgerRow> = rows(desk, accounts, &["ledger", "list"])?;
    Ok(ledger.iter().filter(|row| row.direction == "in").all(|row| row.outcome.is_some()))
}

/// Whether no outgoing mail is in one of the states.
///
/// # Errors
/// As [`rows`].
pub(super) fn is_none_in(desk: &Desk, accounts: &[String], states: &[&str]) -> Result<bool> {
    let outbox: Vec<OutboxRow> = rows(desk, accounts, &["outbox", "list"])?;
    Ok(!outbox.iter().any(|row| states.contains(&row.state.as_str())))
}

/// Whether all mail is decided and nothing more will be sent.
///
/// # Errors
/// As [`rows`].
pub(super) fn is_quiet(desk: &Desk, accounts: &[String]) -> Result<bool> {
    Ok(is_all_decided(desk, accounts)?
        && is_none_in(desk, accounts, &["waiting", "queued", "sending", "deferred"])?)
}
