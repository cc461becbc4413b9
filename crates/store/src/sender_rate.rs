//! What the loop guard counted of senders.

use std::collections::{BTreeMap, BTreeSet};

use desk::clock::{HOUR, Millis};
use desk::rate::Rate;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::{AccountTx, Value, values};

/// Sender counters are kept this long after their hour began: an hour that is counted, and one in which the sender is held.
const RATES_KEPT: i64 = 3 * HOUR;

/// What was counted of senders; rows that say nothing any more go with it.
pub(crate) fn write(tx: &mut AccountTx<'_, '_>, rates: &BTreeMap<String, Rate>, now: Millis) -> Result<()> {
    if rates.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = rates
        .iter()
        .map(|(sender, rate)| values![sender, rate.window_start, i64::from(rate.count), rate.held_until])
        .collect();
    let sql = "INSERT INTO sender_rates (account_id, sender, window_start, count, held_until) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (account_id, sender) DO UPDATE
               SET window_start = excluded.window_start, count = excluded.count, held_until = excluded.held_until";
    tx.insert_rows(sql, &rows)?;
    let sql = "DELETE FROM sender_rates WHERE account_id = $1 AND window_start < $2";
    tx.write(sql, &values![now - RATES_KEPT])
}

/// Asks for what was counted of senders; [`known`] reads the answer.
pub(crate) fn ask(tx: &mut AccountTx<'_, '_>, senders: &BTreeSet<String>) -> Result<Asked> {
    let list: Vec<Value<'_>> = senders.iter().map(|sender| Value::Text(sender)).collect();
    let sql = "SELECT sender, window_start, count, held_until FROM sender_rates WHERE account_id = $1 AND sender IN ($2..)";
    tx.ask_in(sql, &[], &list)
}

/// What was counted of the senders that were asked for.
pub(crate) fn known(tx: &mut AccountTx<'_, '_>, asked: Asked) -> Result<BTreeMap<String, Rate>> {
    tx.rows(asked)?
        .into_iter()
        .map(|mut row| {
            let sender = row.text()?;
            let window_start = row.time()?;
            let count = u32::try_from(row.int()?).unwrap_or(u32::MAX);
            Ok((sender, Rate { window_start, count, held_until: row.maybe_time()? }))
        })
        .collect()
}
