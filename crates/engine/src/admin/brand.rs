//! Adds brands.

use desk::account::Brand;
use desk::id::{AccountId, BrandId, SupportAddressId};
use desk::logged_action::LoggedAction;
use serde_json::json;
use store::{StoreError, account_state};

use super::log;
use super::name::{Host, NameError, check_name, check_subdomain};
use crate::Engine;

/// Why a brand was not added.
#[derive(Debug, thiserror::Error)]
pub enum BrandError {
    /// Its subdomain, name or host.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The host is taken.
    #[error("{0} is taken already; choose another")]
    Taken(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Adds a brand with its native host and `support@` there.
    ///
    /// # Errors
    /// A name or host of the wrong form, or one that is taken.
    pub async fn add_brand(
        &self,
        account_id: AccountId,
        name: &str,
        subdomain: &str,
        native_host: &str,
    ) -> Result<Brand, BrandError> {
        let subdomain = check_subdomain(subdomain)?;
        let host = Host::parse(native_host)?;
        let name = check_name(name, &subdomain)?;
        let mut ids = self.store().ids(3).await?;
        let id = BrandId(ids.next()?);
        let brand = Brand { id, name, subdomain, native_host: host.domain.clone(), is_default: false };
        let address_id = SupportAddressId(ids.next()?);
        let event_id = ids.next()?;
        let now = self.now();
        let (added, system) = (brand.clone(), host.system_address(&brand));
        let written = self.store().write(move |tx| {
            let tx = &mut tx.account(account_id);
            // Like every change of the configuration, the account first and the directory after it: two changes that lock them in
            // different orders would wait for each other.
            account_state::lock(tx)?;
            store::brand::insert(tx, &added, now)?;
            store::address::insert(tx, address_id, &system, true, now)?;
            let detail = json!({"brand": added.id, "host": added.native_host}).to_string();
            log(tx, event_id, &LoggedAction::BrandCreated, &detail, now)
        });
        match written.await {
            Ok(()) => Ok(brand),
            Err(StoreError::Conflict(_)) => Err(BrandError::Taken(host.domain)),
            Err(error) => Err(error.into()),
        }
    }
}
