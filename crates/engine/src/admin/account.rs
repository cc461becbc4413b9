//! Creates accounts: each with a brand, a support address, its first admin and an API token.

use desk::account::{Account, Brand};
use desk::changes::NewPerson;
use desk::id::{AccountId, BrandId, SupportAddressId, TokenId};
use desk::logged_action::LoggedAction;
use desk::user::Role;
use mail::address::AddressKey;
use store::account::NewAccount;
use store::{StoreError, account_state};

use super::name::{Host, NameError, check_name, check_subdomain};
use super::user::new_person;
use super::{log, random_secret};
use crate::Engine;

/// What an operator asks for with a new account.
#[derive(Debug, Clone)]
pub struct AccountRequest {
    /// Its subdomain.
    pub subdomain: String,
    /// The company's name; the subdomain when empty.
    pub name: String,
    /// The first admin.
    pub admin_email: String,
    /// The native host of the default brand.
    pub native_host: String,
}

/// A new account, as shown to its operator once.
#[derive(Debug, Clone)]
pub struct CreatedAccount {
    /// Its id.
    pub id: AccountId,
    /// Its subdomain.
    pub subdomain: String,
    /// The native host of its default brand.
    pub native_host: String,
    /// The admin's address.
    pub admin_email: String,
    /// The admin's API token, shown this once.
    pub api_token: String,
}

/// What is wrong with a request in itself.
#[derive(Debug, thiserror::Error)]
pub enum AccountFlaw {
    /// Its subdomain, name or host.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The admin's address is not an address.
    #[error("{0:?} is not an e-mail address; write it as name@example.com")]
    Malformed(String),
    /// A person may not have a support address.
    #[error("{0} is a support address; people need an address of their own")]
    IsSupportAddress(AddressKey),
}

/// Why an account was not created; nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum CreateAccountError {
    /// The request is flawed.
    #[error(transparent)]
    Flaw(#[from] AccountFlaw),
    /// Another account has the subdomain or the host.
    #[error("{subdomain} (or its host {host}) is taken already; choose another")]
    Taken {
        /// The subdomain asked for.
        subdomain: String,
        /// The native host asked for.
        host: String,
    },
    /// The desk is set up.
    #[error(
        "this desk has an account already; make another with `guichet account create SUBDOMAIN --admin EMAIL`"
    )]
    NotFirst,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an account cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// No such account.
    #[error("there is no account \"{0}\"; see `guichet account list`")]
    Unknown(AccountId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccountRequest {
    /// Everything that is wrong with the request itself, in the order of its fields; whether a name is already taken
    /// only shows when the request is carried out.
    #[must_use]
    pub fn flaws(&self) -> Vec<AccountFlaw> {
        let Checked { subdomain, name, admin, host } = self.checked();
        let [subdomain, name, host] =
            [subdomain.err(), name.err(), host.err()].map(|flaw| flaw.map(AccountFlaw::Name));
        [subdomain, name, admin.err(), host].into_iter().flatten().collect()
    }

    fn checked(&self) -> Checked {
        let subdomain = check_subdomain(&self.subdomain);
        let name = check_name(&self.name, subdomain.as_deref().unwrap_or_default());
        let host = Host::parse(&self.native_host);
        let admin = AddressKey::parse(self.admin_email.trim())
            .map_err(|_| AccountFlaw::Malformed(self.admin_email.clone()));
        let admin = match (admin, &host) {
            (Ok(admin), Ok(host)) if admin.base() == host.support => {
                Err(AccountFlaw::IsSupportAddress(admin))
            }
            (admin, _) => admin,
        };
        Checked { subdomain, name, admin, host }
    }
}

/// The fields of a request, each accepted or refused.
struct Checked {
    subdomain: Result<String, NameError>,
    name: Result<String, NameError>,
    admin: Result<AddressKey, AccountFlaw>,
    host: Result<Host, NameError>,
}

impl Checked {
    fn whole(self) -> Result<Wanted, AccountFlaw> {
        Ok(Wanted { subdomain: self.subdomain?, name: self.name?, admin: self.admin?, host: self.host? })
    }
}

/// A request without flaws.
struct Wanted {
    subdomain: String,
    name: String,
    admin: AddressKey,
    host: Host,
}

/// Which accounts may exist before a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Any,
    None,
}

impl Engine {
    /// Creates an account with its default brand, `support@` at its native host, its first admin and an API token.
    ///
    /// # Errors
    /// A name or address of the wrong form, or one that is taken.
    pub async fn create_account(
        &self,
        request: AccountRequest,
    ) -> Result<CreatedAccount, CreateAccountError> {
        self.create(request, Before::Any).await
    }

    /// Creates the first account of a desk; of several requests at once, only one succeeds.
    ///
    /// # Errors
    /// As [`Engine::create_account`], and [`CreateAccountError::NotFirst`].
    pub async fn create_first_account(
        &self,
        request: AccountRequest,
    ) -> Result<CreatedAccount, CreateAccountError> {
        self.create(request, Before::None).await
    }

    async fn create(
        &self,
        request: AccountRequest,
        before: Before,
    ) -> Result<CreatedAccount, CreateAccountError> {
        let Wanted { subdomain, name, admin, host } = request.checked().whole()?;
        let now = self.now();
        let mut ids = self.store().ids(6).await?;
        let id = AccountId(ids.next()?);
        let account = NewAccount { id, subdomain: subdomain.clone(), name: name.clone(), created_at: now };
        let brand = Brand {
            id: BrandId(ids.next()?),
            name,
            subdomain: subdomain.clone(),
            native_host: host.domain.clone(),
            is_default: true,
        };
        let person = new_person(ids.next()?, &admin, request.admin_email.trim(), "", Role::Admin);
        let address_id = SupportAddressId(ids.next()?);
        let token_id = TokenId(ids.next()?);
        let event_id = ids.next()?;
        let system = host.system_address(&brand);
        let secret = random_secret();
        let (token, admin_email) = (secret.clone(), person.address.clone());
        let created = self.store().write_or(move |tx| {
            if before == Before::None && !store::account::hold_empty(tx)? {
                return Err(CreateAccountError::NotFirst);
            }
            store::account::insert(tx, &account)?;
            let tx = &mut tx.account(id);
            store::brand::insert(tx, &brand, now)?;
            store::address::insert(tx, address_id, &system, true, now)?;
            let mut state = account_state::lock(tx)?;
            let change = state.next_change();
            let first = NewPerson { person: person.clone(), address: admin.clone(), created_at: now };
            store::user::insert_many(tx, &[first], change)?;
            account_state::save(tx, &state)?;
            store::token::insert(tx, token_id, "first admin", person.id, &token, now)?;
            Ok(log(tx, event_id, &LoggedAction::AccountCreated, "{}", now)?)
        });
        match created.await {
            Ok(()) => {
                let native_host = host.domain;
                Ok(CreatedAccount { id, subdomain, native_host, admin_email, api_token: secret })
            }
            Err(CreateAccountError::Store(StoreError::Conflict(_))) => {
                Err(CreateAccountError::Taken { subdomain, host: host.domain })
            }
            Err(error) => Err(error),
        }
    }

    /// An account as it is now.
    ///
    /// # Errors
    /// [`AccountError::Unknown`] by its id.
    pub async fn account(&self, account_id: AccountId) -> Result<Account, AccountError> {
        let found =
            self.store().read_now(move |tx| store::account::load(&mut tx.account(account_id))).await?;
        found.map(|(_, account)| account).ok_or(AccountError::Unknown(account_id))
    }
}
