//! Tags of tickets, one row each, which find the tickets that have a tag. A ticket's own row keeps its list for display.

use std::collections::{BTreeMap, BTreeSet};

use desk::changes::ChangedTicket;
use desk::id::TicketId;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::value::storable;
use crate::{AccountTx, values};

/// Writes what changed of the tags of tickets: whatever is on both lists is left alone.
///
/// # Errors
/// As the database says.
pub(super) fn write(tx: &mut AccountTx<'_, '_>, tickets: &BTreeMap<TicketId, ChangedTicket>) -> Result<()> {
    let (mut gone, mut new) = (BTreeSet::new(), BTreeSet::new());
    for (id, changed) in tickets {
        let before = changed.before.as_ref().map(|ticket| listed(&ticket.tags)).unwrap_or_default();
        let after = listed(&changed.after.tags);
        gone.extend(before.difference(&after).map(|tag| (tag.clone(), *id)));
        new.extend(after.difference(&before).map(|tag| (tag.clone(), *id)));
    }
    let rows: Vec<_> = gone.iter().map(|(tag, id)| values![tag, *id]).collect();
    tx.write_rows("DELETE FROM ticket_tags WHERE account_id = $1 AND tag = $2 AND ticket_id = $3", &rows)?;
    let rows: Vec<_> = new.iter().map(|(tag, id)| values![tag, *id]).collect();
    tx.insert_rows("INSERT INTO ticket_tags (account_id, tag, ticket_id) VALUES ($1, $2, $3)", &rows)
}

/// Tags as the database has them, each once.
fn listed(tags: &[String]) -> BTreeSet<String> {
    tags.iter().map(|tag| storable(tag).into_owned()).collect()
}

/// Tickets that have a tag, in the order of their ids, after one of them or from the start, at most `limit`.
///
/// # Errors
/// As the database says.
pub fn tickets(
    tx: &mut AccountTx<'_, '_>,
    tag: &str,
    after: Option<TicketId>,
    limit: i64,
) -> Result<Vec<TicketId>> {
    let sql = "SELECT ticket_id FROM ticket_tags WHERE account_id = $1 AND tag = $2 AND ticket_id > $3
               ORDER BY ticket_id LIMIT $4";
    let rows = tx.query(sql, &values![tag, after.unwrap_or(TicketId(0)), limit])?;
    rows.into_iter().map(|mut row| Ok(TicketId(row.int()?))).collect()
}
