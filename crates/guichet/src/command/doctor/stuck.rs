//! Is there a mail that keeps its account from going on?

use store::Tx;
use store::spool::Troubled;
use store::work::Kind;

use super::{Finding, Seen};
use crate::clock::written;

/// How many are read and named.
const NAMED_MAX: usize = 5;

/// The mails that keep accounts from going on, of the accounts that have mail.
pub(super) fn troubled(tx: &mut Tx<'_>) -> store::Result<Vec<Troubled>> {
    let mut found = Vec::new();
    for id in store::work::accounts(tx, Kind::Mail)? {
        found.extend(store::spool::troubled(&mut tx.account(id), 1)?);
        if found.len() >= NAMED_MAX {
            break;
        }
    }
    Ok(found)
}

pub(super) fn check(seen: &Seen<'_>) -> Option<Finding> {
    let named: Vec<String> = seen
        .troubled
        .iter()
        .map(|Troubled { account_id, id, since }| {
            format!("mail {id} of {} since {}", seen.name_of(*account_id), written(*since))
        })
        .collect();
    if named.is_empty() {
        return None;
    }
    Some(Finding::warn(
        "stuck",
        format!("later mail of its account waits for {}", named.join(", ")),
        "the log says what is wrong with it (a raw mail that is missing, say): put that right; after six hours the mail is suspended and \
         its account goes on",
    ))
}
