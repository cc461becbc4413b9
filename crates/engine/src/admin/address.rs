//! Adds, removes and checks support addresses.

use std::sync::Arc;

use desk::address::{Forwarding, Kind, SupportAddress};
use desk::address_check::{self, AddressRefusal};
use desk::id::{AccountId, SupportAddressId};
use desk::logged_action::LoggedAction;
use desk::notice;
use mail::address::AddressKey;
use serde_json::json;
use store::StoreError;

use super::{AccountError, locked, log, random_secret};
use crate::Engine;
use crate::transact::{Open, Work};

/// Why nothing was done with a support address.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// A rule of support addresses.
    #[error(transparent)]
    Refused(#[from] AddressRefusal),
    /// It is taken by another account.
    #[error("{0} is taken already; choose another")]
    Taken(String),
    /// Only an external address has a forward to be tested.
    #[error("{0} is native and needs no check: it works at once")]
    NothingToCheck(AddressKey),
    /// The account cannot be read.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Adds a support address; RCPT accepts it once this has returned.
    ///
    /// # Errors
    /// The rule that refuses it.
    pub async fn add_address(
        &self,
        account_id: AccountId,
        written: &str,
        name: &str,
        brand: Option<&str>,
        is_default: bool,
    ) -> Result<SupportAddress, AddressError> {
        let (written, name, brand) = (written.to_owned(), name.to_owned(), brand.map(str::to_owned));
        let mut ids = self.store().ids(2).await?;
        let id = SupportAddressId(ids.next()?);
        let event_id = ids.next()?;
        let now = self.now();
        let email = written.trim().to_owned();
        let added = self.store().write_or(move |tx| {
            let tx = &mut tx.account(account_id);
            let locked = locked(tx)?;
            let new =
                address_check::check_new(locked.account(), &written, &name, brand.as_deref(), is_default)?;
            if !store::user::by_addresses(tx, &[new.email.as_str()])?.is_empty() {
                return Err(AddressRefusal::Person(new.email.to_string()).into());
            }
            store::address::insert(tx, id, &new, false, now)?;
            let detail = json!({"address": new.email.as_str()}).to_string();
            log(tx, event_id, &LoggedAction::AddressAdded, &detail, now)?;
            Ok(new)
        });
        match added.await {
            Ok(new) => self.support_address(account_id, new.email.as_str()).await,
            Err(AddressError::Store(StoreError::Conflict(_))) => Err(AddressError::Taken(email)),
            Err(error) => Err(error),
        }
    }

    /// A support address by its text.
    ///
    /// # Errors
    /// [`AddressRefusal::Unknown`].
    pub async fn support_address(
        &self,
        account_id: AccountId,
        written: &str,
    ) -> Result<SupportAddress, AddressError> {
        let key = key(written)?;
        let account = self.account(account_id).await?;
        let found = account.address(&key).cloned();
        found.ok_or_else(|| AddressRefusal::Unknown(key.to_string()).into())
    }

    /// Removes a support address.
    ///
    /// # Errors
    /// The system address and defaults stay.
    pub async fn remove_address(&self, account_id: AccountId, written: &str) -> Result<(), AddressError> {
        let (written, event_id, now) = (written.to_owned(), self.store().ids(1).await?.next()?, self.now());
        let removed = self.store().write_or(move |tx| {
            let tx = &mut tx.account(account_id);
            let locked = locked(tx)?;
            let address = address_check::check_removal(locked.account(), &written)?;
            store::address::delete(tx, address)?;
            let detail = json!({"address": address.email.as_str()}).to_string();
            Ok(log(tx, event_id, &LoggedAction::AddressRemoved, &detail, now)?)
        });
        removed.await
    }

    /// Makes a verified address its brand's default.
    ///
    /// # Errors
    /// Unknown or not verified.
    pub async fn make_default(&self, account_id: AccountId, written: &str) -> Result<(), AddressError> {
        let (key, now) = (key(written)?, self.now());
        let made = self.store().write_or(move |tx| {
            let tx = &mut tx.account(account_id);
            let locked = locked(tx)?;
            let address = locked.account().address(&key);
            let address = address.ok_or_else(|| AddressRefusal::Unknown(key.to_string()))?;
            if address.forwarding_at(now) != Forwarding::Verified {
                return Err(AddressRefusal::Unverified(key.to_string()).into());
            }
            Ok(store::address::make_default(tx, address)?)
        });
        made.await
    }

    /// Sends a forwarding probe to an external address. It comes back through the forward, or fails after an hour.
    ///
    /// # Errors
    /// [`AddressError::NothingToCheck`] for a native address.
    pub async fn send_probe(
        &self,
        account_id: AccountId,
        written: &str,
    ) -> Result<SupportAddress, AddressError> {
        let external = self.support_address(account_id, written).await?;
        if external.kind == Kind::Native {
            return Err(AddressError::NothingToCheck(external.email));
        }
        let probe = SendProbe { external, secret: random_secret() };
        self.transact(account_id, Arc::new(probe)).await?;
        self.support_address(account_id, written).await
    }
}

fn key(written: &str) -> Result<AddressKey, AddressRefusal> {
    AddressKey::parse(written.trim()).map_err(|_| AddressRefusal::Malformed(written.to_owned()))
}

/// A forwarding probe on its way out.
struct SendProbe {
    external: SupportAddress,
    secret: String,
}

impl Work for SendProbe {
    type Done = ();
    type Error = StoreError;

    fn ids_expected(&self) -> usize {
        2
    }

    fn decide(&self, open: &mut Open<'_, '_, '_>) -> store::Result<()> {
        let now = open.now();
        store::address::probe_sent(open.tx, self.external.id, &self.secret, now)?;
        if let Some(content) = notice::probe(&open.account(), &self.external, &self.secret) {
            open.writer().send(None, None, content, vec![self.external.written.clone()]);
        }
        Ok(())
    }
}
