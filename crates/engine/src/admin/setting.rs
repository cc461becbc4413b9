//! Changes the settings of accounts.

use desk::id::AccountId;
use desk::logged_action::LoggedAction;
use desk::setting::{SettingRefusal, Settings};
use serde_json::json;
use store::StoreError;

use super::{locked, log};
use crate::Engine;

/// Why settings were not changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingError<E> {
    /// `change` refused the settings it was given.
    #[error("{0}")]
    Change(E),
    /// A value that a setting cannot have.
    #[error(transparent)]
    Value(SettingRefusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Changes an account's settings: `change` derives the new ones from the current ones, so that two concurrent
    /// changes both take effect. It may be called again.
    ///
    /// # Errors
    /// The refusal of `change`, what is wrong with a value, or the store's.
    pub async fn change_settings<E: Send + 'static>(
        &self,
        account_id: AccountId,
        change: impl Fn(&Settings) -> Result<Settings, E> + Send + 'static,
    ) -> Result<Settings, SettingError<E>> {
        let (event_id, now) = (self.store().ids(1).await?.next()?, self.now());
        let changed = self.store().write_or(move |tx| {
            let tx = &mut tx.account(account_id);
            let settings = change(&locked(tx)?.account().settings).map_err(SettingError::Change)?;
            settings.check().map_err(SettingError::Value)?;
            store::account::set_settings(tx, &settings)?;
            log(tx, event_id, &LoggedAction::SettingsChanged, &json!(settings).to_string(), now)?;
            Ok(settings)
        });
        changed.await
    }
}
