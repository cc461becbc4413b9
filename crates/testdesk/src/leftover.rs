//! What a desk should not be left with: mail that nobody decided, and work that is due but was never announced.

use desk::id::AccountId;
use store::work::Kind;
use store::{Result, Tx};

/// Something that a desk is left with and should not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftover {
    /// Mail waits in an account's spool.
    Undecided,
    /// Something is due in an account that no row of `work` announces, so nobody would take it.
    Unannounced(Kind),
}

/// What every account is left with. Nothing is waited for at the end of a test, so what is due counts at once.
pub(crate) fn of_all(tx: &mut Tx<'_>) -> Result<Vec<(AccountId, Leftover)>> {
    let mut found = Vec::new();
    for account in store::account::ids(tx)? {
        if store::spool::count(&mut tx.account(account))? > 0 {
            found.push((account, Leftover::Undecided));
        }
    }
    let forgotten = store::node::forgotten(tx, 0)?;
    found.extend(forgotten.into_iter().map(|it| (it.account_id, Leftover::Unannounced(it.kind))));
    Ok(found)
}
