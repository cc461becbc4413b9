//! Creates and revokes API tokens.

use desk::id::{AccountId, TokenId};
use mail::address::AddressKey;
use store::StoreError;

use super::random_secret;
use crate::Engine;

/// Why a token was neither created nor revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not an address.
    #[error("{0:?} is not an e-mail address; write it as name@example.com")]
    Malformed(String),
    /// No such person.
    #[error("{0} is nobody of this account; see `guichet user list`")]
    NoUser(AddressKey),
    /// No such token.
    #[error("there is no token {0} that could be revoked; see `guichet token list`")]
    NoToken(TokenId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Creates an API token of a person; the secret is returned this once.
    ///
    /// # Errors
    /// [`TokenError::NoUser`].
    pub async fn create_token(
        &self,
        account_id: AccountId,
        email: &str,
        name: &str,
    ) -> Result<(TokenId, String), TokenError> {
        let key = AddressKey::parse(email.trim()).map_err(|_| TokenError::Malformed(email.to_owned()))?;
        let id = TokenId(self.store().ids(1).await?.next()?);
        let now = self.now();
        let secret = random_secret();
        let (name, token) = (name.to_owned(), secret.clone());
        let created = self.store().write_or(move |tx| {
            let tx = &mut tx.account(account_id);
            let found = store::user::by_addresses(tx, &[key.as_str()])?.into_iter().next();
            let (_, person) = found.ok_or_else(|| TokenError::NoUser(key.clone()))?;
            Ok(store::token::insert(tx, id, &name, person.id, &token, now)?)
        });
        created.await.map(|()| (id, secret))
    }

    /// Revokes an API token.
    ///
    /// # Errors
    /// [`TokenError::NoToken`].
    pub async fn revoke_token(&self, account_id: AccountId, id: TokenId) -> Result<(), TokenError> {
        let now = self.now();
        let done =
            self.store().write(move |tx| store::token::revoke(&mut tx.account(account_id), id, now)).await?;
        if done { Ok(()) } else { Err(TokenError::NoToken(id)) }
    }
}
