//! A transaction on one account's data: it names its account once, which makes the wall between accounts a type.

use desk::id::AccountId;

use crate::sql::{Sql, Target};
use crate::tx::Tx;

/// An open transaction that reads and writes the rows of one account.
///
/// Every statement it runs has the account bound as `$1`: the text says `account_id = $1`, further values are numbered from `$2`.
#[derive(Debug)]
pub struct AccountTx<'t, 'a> {
    tx: &'t mut Tx<'a>,
    account_id: AccountId,
}

impl<'a> Tx<'a> {
    /// This transaction on the data of one account.
    pub fn account(&mut self, account_id: AccountId) -> AccountTx<'_, 'a> {
        AccountTx { tx: self, account_id }
    }
}

impl<'a> AccountTx<'_, 'a> {
    /// The account.
    #[must_use]
    pub fn account_id(&self) -> AccountId {
        self.account_id
    }

    /// The transaction itself, for the tables that all accounts share.
    pub fn shared(&mut self) -> &mut Tx<'a> {
        self.tx
    }
}

impl Sql for AccountTx<'_, '_> {
    fn target(&mut self) -> Target<'_> {
        let account = Some(self.account_id);
        Target { account, ..self.tx.target() }
    }
}
