//! The configuration of accounts: every change checked by the desk, written with a line in the event log.

use std::sync::Arc;

use desk::account::{Account, Brand};
use desk::address::{Forwarding, Kind as AddressKind, SupportAddress};
use desk::address_check::{self, AddressRefusal, NewAddress};
use desk::changes::NewPerson;
use desk::id::{AccountId, BrandId, SupportAddressId, TokenId, UserId};
use desk::logged_action::LoggedAction;
use desk::notice;
use desk::setting::Settings;
use desk::user::{Deliverable, Person, Role, name_from};
use mail::address::{AddressKey, Mailbox, domain_key};
use rand::Rng as _;
use serde_json::json;
use store::account::NewAccount;
use store::account_state::{self, State};
use store::{StoreError, Tx};

use crate::transact::{Open, Work};
use crate::{Engine, accounts};

/// Why a change of configuration was not made; nothing of it happened.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// A rule of support addresses.
    #[error(transparent)]
    Address(#[from] AddressRefusal),
    /// A subdomain must be a host label.
    #[error("{0:?} cannot be a subdomain; use 1 to 63 letters, digits and hyphens, such as acme")]
    Subdomain(String),
    /// Too long for a column and a From field, or with line ends in it.
    #[error(
        "the name has {characters} characters or holds a line end; use one line of at most {NAME_MAX} characters"
    )]
    Name {
        /// How many it has.
        characters: usize,
    },
    /// Somebody has it.
    #[error("{0} is taken already; choose another")]
    Taken(String),
    /// The desk is set up.
    #[error(
        "this desk has an account already; make another with `guichet account create SUBDOMAIN --admin EMAIL`"
    )]
    NotFirst,
    /// Not an address.
    #[error("{0:?} is not an e-mail address; write it as name@example.com")]
    Malformed(String),
    /// Not a host.
    #[error("{0:?} is not a host name; write it as support.example.com")]
    Host(String),
    /// A person may not have a support address.
    #[error("{0} is a support address; people need an address of their own")]
    IsSupportAddress(String),
    /// Nobody else could configure the account.
    #[error(
        "{0} is the last admin of this account; make somebody else admin first with `guichet user add EMAIL --role admin`"
    )]
    LastAdmin(String),
    /// No such account.
    #[error("there is no account {0:?}; see `guichet account list`")]
    NoAccount(String),
    /// No such setting, or a value it cannot have.
    #[error("{0}")]
    Setting(String),
    /// No such token.
    #[error("there is no token {0} that could be revoked; see `guichet token list`")]
    NoToken(TokenId),
    /// No such person.
    #[error("{0} is nobody of this account; see `guichet user list`")]
    NoUser(String),
    /// Only an external address has a forward to be tested.
    #[error("{0} is native and needs no check: it works at once")]
    NothingToCheck(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A new account as its operator is told of it once.
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

/// A person who was added, or was known and may have another role now.
#[derive(Debug, Clone)]
pub struct AddedUser {
    /// The person as they are now.
    pub person: Person,
    /// The role a known person had before; none for a new one.
    pub was: Option<Role>,
}

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

impl AccountRequest {
    /// Everything that is wrong with the request itself, in the order of its fields; what others have taken is seen when it
    /// is carried out.
    #[must_use]
    pub fn flaws(&self) -> Vec<AdminError> {
        let Checked { subdomain, name, admin, host } = self.checked();
        [subdomain.err(), name.err(), admin.err(), host.err()].into_iter().flatten().collect()
    }

    fn checked(&self) -> Checked {
        let subdomain = check_subdomain(&self.subdomain);
        let name = check_name(&self.name, subdomain.as_deref().unwrap_or_default());
        let host = check_host(&self.native_host);
        let admin = AddressKey::parse(self.admin_email.trim())
            .map_err(|_| AdminError::Malformed(self.admin_email.clone()));
        let admin = match (admin, &host) {
            (Ok(admin), Ok((_, support))) if admin.base() == *support => {
                Err(AdminError::IsSupportAddress(admin.to_string()))
            }
            (admin, _) => admin,
        };
        Checked { subdomain, name, admin, host: host.map(|(host, _)| host) }
    }
}

/// The fields of a request, each read or refused.
struct Checked {
    subdomain: Result<String, AdminError>,
    name: Result<String, AdminError>,
    admin: Result<AddressKey, AdminError>,
    host: Result<String, AdminError>,
}

/// Characters of the name of a company or brand.
const NAME_MAX: usize = 255;

/// Which accounts there may be before a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Any,
    None,
}

fn random_secret() -> String {
    let mut bytes = [0_u8; 24];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check_subdomain(text: &str) -> Result<String, AdminError> {
    let lower = text.trim().to_lowercase();
    let plain = lower.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let framed = !lower.starts_with('-') && !lower.ends_with('-');
    let fits = (1..=63).contains(&lower.len()) && plain && framed;
    if fits { Ok(lower) } else { Err(AdminError::Subdomain(text.to_owned())) }
}

/// The name of a company or brand; `fallback` when none is written.
fn check_name(text: &str, fallback: &str) -> Result<String, AdminError> {
    let name = text.trim();
    let characters = name.chars().count();
    if characters > NAME_MAX || name.contains(char::is_control) {
        return Err(AdminError::Name { characters });
    }
    Ok(if name.is_empty() { fallback.to_owned() } else { name.to_owned() })
}

/// A native host, and `support@` there.
fn check_host(text: &str) -> Result<(String, AddressKey), AdminError> {
    let wrong = || AdminError::Host(text.to_owned());
    let host = domain_key(text).ok_or_else(wrong)?;
    let support = AddressKey::parse(&format!("support@{host}")).map_err(|_| wrong())?;
    Ok((host, support))
}

fn conflict_is_taken(error: StoreError, what: &str) -> AdminError {
    match error {
        StoreError::Conflict(_) => AdminError::Taken(what.to_owned()),
        other => AdminError::Store(other),
    }
}

impl Engine {
    /// Makes an account with its default brand, `support@` at its native host, its first admin and an API token.
    ///
    /// # Errors
    /// A name or address of the wrong form, or one that is taken.
    pub async fn create_account(&self, request: AccountRequest) -> Result<CreatedAccount, AdminError> {
        self.make_account(request, Before::Any).await
    }

    /// Makes the first account of a desk; of several that are asked for at once, one is made.
    ///
    /// # Errors
    /// As [`Engine::create_account`], and [`AdminError::NotFirst`].
    pub async fn create_first_account(&self, request: AccountRequest) -> Result<CreatedAccount, AdminError> {
        self.make_account(request, Before::None).await
    }

    async fn make_account(
        &self,
        request: AccountRequest,
        before: Before,
    ) -> Result<CreatedAccount, AdminError> {
        let Checked { subdomain, name, admin, host } = request.checked();
        let (subdomain, name, admin, host) = (subdomain?, name?, admin?, host?);
        let mut ids = self.store().ids(6).await?;
        let account = NewAccount {
            id: AccountId(ids.next()?),
            subdomain: subdomain.clone(),
            name: name.clone(),
            created_at: self.now(),
        };
        let brand = Brand {
            id: BrandId(ids.next()?),
            name,
            subdomain: subdomain.clone(),
            native_host: host.clone(),
            is_default: true,
        };
        let person = new_person(ids.next()?, &admin, request.admin_email.trim(), "", Role::Admin);
        let address_id = SupportAddressId(ids.next()?);
        let token_id = TokenId(ids.next()?);
        let event_id = ids.next()?;
        let now = self.now();
        let system = system_address(&brand)?;
        let secret = random_secret();
        let (token, admin_email) = (secret.clone(), person.address.clone());
        let id = account.id;
        let made = self.store().write(move |tx| {
            if before == Before::None && !store::account::hold_empty(tx)? {
                return Ok(Err(AdminError::NotFirst));
            }
            store::account::insert(tx, &account)?;
            store::brand::insert(&mut tx.account(id), &brand, now)?;
            store::address::insert(&mut tx.account(id), address_id, &system, true, now)?;
            let mut state = account_state::lock(&mut tx.account(id))?;
            let change = state.next_change();
            store::user::insert_many(
                &mut tx.account(id),
                &[NewPerson { person: person.clone(), address: admin.clone(), created_at: now }],
                change,
            )?;
            account_state::save(&mut tx.account(id), &state)?;
            store::token::insert(&mut tx.account(id), token_id, "first admin", person.id, &token, now)?;
            store::event_log::insert(
                &mut tx.account(id),
                event_id,
                "operator",
                &LoggedAction::AccountCreated,
                "{}",
                now,
            )?;
            Ok(Ok(()))
        });
        made.await
            .map_err(|error| conflict_is_taken(error, &format!("{subdomain} (or its host {host})")))??;
        Ok(CreatedAccount { id, subdomain, native_host: host, admin_email, api_token: secret })
    }

    /// Makes a brand with its native host and `support@` there.
    ///
    /// # Errors
    /// As [`Engine::create_account`].
    pub async fn add_brand(
        &self,
        account_id: AccountId,
        name: &str,
        subdomain: &str,
        native_host: &str,
    ) -> Result<Brand, AdminError> {
        let subdomain = check_subdomain(subdomain)?;
        let host = domain_key(native_host).ok_or_else(|| AdminError::Host(native_host.to_owned()))?;
        let name = check_name(name, &subdomain)?;
        let mut ids = self.store().ids(3).await?;
        let brand =
            Brand { id: BrandId(ids.next()?), name, subdomain, native_host: host.clone(), is_default: false };
        let address_id = SupportAddressId(ids.next()?);
        let event_id = ids.next()?;
        let now = self.now();
        let (made, system) = (brand.clone(), system_address(&brand)?);
        let written = self.store().write(move |tx| {
            store::brand::insert(&mut tx.account(account_id), &made, now)?;
            store::address::insert(&mut tx.account(account_id), address_id, &system, true, now)?;
            let detail = json!({"brand": made.id, "host": made.native_host}).to_string();
            store::event_log::insert(
                &mut tx.account(account_id),
                event_id,
                "operator",
                &LoggedAction::BrandCreated,
                &detail,
                now,
            )
        });
        written.await.map_err(|error| conflict_is_taken(error, &host))?;
        Ok(brand)
    }

    /// An account as it is now.
    ///
    /// # Errors
    /// [`AdminError::NoAccount`] by its id.
    pub async fn account(&self, account_id: AccountId) -> Result<Account, AdminError> {
        let found =
            self.store().read_now(move |tx| store::account::load(&mut tx.account(account_id))).await?;
        found.map(|(_, account)| account).ok_or_else(|| AdminError::NoAccount(account_id.to_string()))
    }

    /// Changes an account's settings: `change` makes the new ones of those it has, so that two changes at once both hold. It
    /// may be asked again. Its refusal is what is inside.
    ///
    /// # Errors
    /// [`AdminError::Setting`] with what is wrong with a value, or the store's.
    pub async fn change_settings<E: Send + 'static>(
        &self,
        account_id: AccountId,
        change: impl Fn(&Settings) -> Result<Settings, E> + Send + 'static,
    ) -> Result<Result<Settings, E>, AdminError> {
        let (event_id, now) = (self.store().ids(1).await?.next()?, self.now());
        let written = self.store().write(move |tx| {
            let settings = match change(&locked(tx, account_id)?.account().settings) {
                Ok(settings) => settings,
                Err(refusal) => return Ok(Ok(Err(refusal))),
            };
            if let Err(refusal) = settings.check() {
                return Ok(Err(AdminError::Setting(refusal.to_string())));
            }
            store::account::set_settings(&mut tx.account(account_id), &settings)?;
            let detail = json!(settings).to_string();
            store::event_log::insert(
                &mut tx.account(account_id),
                event_id,
                "operator",
                &LoggedAction::SettingsChanged,
                &detail,
                now,
            )?;
            Ok(Ok(Ok(settings)))
        });
        written.await?
    }

    /// Adds a support address; RCPT knows it when this has returned.
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
    ) -> Result<SupportAddress, AdminError> {
        let (written, name, brand) = (written.to_owned(), name.to_owned(), brand.map(str::to_owned));
        let mut ids = self.store().ids(2).await?;
        let id = SupportAddressId(ids.next()?);
        let event_id = ids.next()?;
        let now = self.now();
        let email = written.trim().to_owned();
        let added = self.store().write(move |tx| {
            let versioned = locked(tx, account_id)?;
            let new = match address_check::check_new(
                versioned.account(),
                &written,
                &name,
                brand.as_deref(),
                is_default,
            ) {
                Ok(new) => new,
                Err(refusal) => return Ok(Err(refusal)),
            };
            if !store::user::by_addresses(&mut tx.account(account_id), &[new.email.as_str()])?.is_empty() {
                return Ok(Err(AddressRefusal::Person(new.email.to_string())));
            }
            store::address::insert(&mut tx.account(account_id), id, &new, false, now)?;
            let detail = json!({"address": new.email.as_str()}).to_string();
            store::event_log::insert(
                &mut tx.account(account_id),
                event_id,
                "operator",
                &LoggedAction::AddressAdded,
                &detail,
                now,
            )?;
            Ok(Ok(new))
        });
        let new = added.await.map_err(|error| conflict_is_taken(error, &email))??;
        self.support_address(account_id, new.email.as_str()).await
    }

    /// A support address by its text.
    ///
    /// # Errors
    /// [`AddressRefusal::Unknown`].
    pub async fn support_address(
        &self,
        account_id: AccountId,
        written: &str,
    ) -> Result<SupportAddress, AdminError> {
        let key = AddressKey::parse(written.trim()).map_err(|_| AdminError::Malformed(written.to_owned()))?;
        let account = self.account(account_id).await?;
        let found = account.address(&key).cloned();
        found.ok_or_else(|| AddressRefusal::Unknown(key.to_string()).into())
    }

    /// Removes a support address.
    ///
    /// # Errors
    /// The system address and defaults stay.
    pub async fn remove_address(&self, account_id: AccountId, written: &str) -> Result<(), AdminError> {
        let (written, event_id, now) = (written.to_owned(), self.store().ids(1).await?.next()?, self.now());
        let removed = self.store().write(move |tx| {
            let versioned = locked(tx, account_id)?;
            let address = match address_check::check_removal(versioned.account(), &written) {
                Ok(address) => address.clone(),
                Err(refusal) => return Ok(Err(refusal)),
            };
            store::address::delete(&mut tx.account(account_id), &address)?;
            let detail = json!({"address": address.email.as_str()}).to_string();
            store::event_log::insert(
                &mut tx.account(account_id),
                event_id,
                "operator",
                &LoggedAction::AddressRemoved,
                &detail,
                now,
            )?;
            Ok(Ok(()))
        });
        Ok(removed.await??)
    }

    /// Makes a verified address its brand's default.
    ///
    /// # Errors
    /// Unknown or not verified.
    pub async fn make_default(&self, account_id: AccountId, written: &str) -> Result<(), AdminError> {
        let key = AddressKey::parse(written.trim()).map_err(|_| AdminError::Malformed(written.to_owned()))?;
        let now = self.now();
        let made = self.store().write(move |tx| {
            let versioned = locked(tx, account_id)?;
            let Some(address) = versioned.account().address(&key) else {
                return Ok(Err(AddressRefusal::Unknown(key.to_string())));
            };
            if address.forwarding_at(now) != Forwarding::Verified {
                return Ok(Err(AddressRefusal::Unverified(key.to_string())));
            }
            Ok(Ok(store::address::make_default(&mut tx.account(account_id), address)?))
        });
        Ok(made.await??)
    }

    /// Sends a forwarding probe to an external address. It comes back through the forward, or fails after an hour.
    ///
    /// # Errors
    /// [`AdminError::NothingToCheck`] for a native address.
    pub async fn send_probe(
        &self,
        account_id: AccountId,
        written: &str,
    ) -> Result<SupportAddress, AdminError> {
        let external = self.support_address(account_id, written).await?;
        if external.kind == AddressKind::Native {
            return Err(AdminError::NothingToCheck(external.email.to_string()));
        }
        let probe = SendProbe { external, secret: random_secret() };
        self.transact(account_id, Arc::new(probe)).await?;
        self.support_address(account_id, written).await
    }

    /// Adds a person, or gives a known one another role. Without a role a known person keeps theirs and a new one is an
    /// end user; without a name a known person keeps theirs and a new one gets one made from the address.
    ///
    /// # Errors
    /// A support address is nobody's own, and the last admin stays one.
    pub async fn add_user(
        &self,
        account_id: AccountId,
        email: &str,
        name: &str,
        role: impl Into<Option<Role>>,
    ) -> Result<AddedUser, AdminError> {
        let role: Option<Role> = role.into();
        let key = AddressKey::parse(email.trim()).map_err(|_| AdminError::Malformed(email.to_owned()))?;
        let mut ids = self.store().ids(2).await?;
        let (id, event_id, now) = (ids.next()?, ids.next()?, self.now());
        let person = new_person(id, &key, email.trim(), name, role.unwrap_or(Role::EndUser));
        let added = self.store().write(move |tx| {
            let mut locked = locked(tx, account_id)?;
            if locked.account().owner_of(&key).is_some() {
                return Ok(Err(AdminError::IsSupportAddress(key.to_string())));
            }
            let known =
                store::user::by_addresses(&mut tx.account(account_id), &[key.as_str()])?.into_iter().next();
            let was = known.as_ref().map(|(_, known)| known.role);
            let role = role.or(was).unwrap_or(Role::EndUser);
            if was == Some(Role::Admin)
                && role != Role::Admin
                && store::user::admins(&mut tx.account(account_id))? <= 1
            {
                return Ok(Err(AdminError::LastAdmin(key.to_string())));
            }
            let change = locked.state.next_change();
            let kept = match known {
                Some((_, known)) => {
                    let name = if person.name
                        == name_from(&Mailbox { name: String::new(), address: person.address.clone() }, &key)
                    {
                        known.name.clone()
                    } else {
                        person.name.clone()
                    };
                    store::user::set_role(&mut tx.account(account_id), known.id, role, &name, change)?;
                    Person { role, name, is_verified: true, ..known }
                }
                None => {
                    store::user::insert_many(
                        &mut tx.account(account_id),
                        &[NewPerson { person: person.clone(), address: key.clone(), created_at: now }],
                        change,
                    )?;
                    person.clone()
                }
            };
            account_state::save(&mut tx.account(account_id), &locked.state)?;
            let detail = json!({"user": kept.id, "role": role.as_str()}).to_string();
            store::event_log::insert(
                &mut tx.account(account_id),
                event_id,
                "operator",
                &LoggedAction::UserAdded,
                &detail,
                now,
            )?;
            Ok(Ok(AddedUser { person: kept, was }))
        });
        added.await?
    }

    /// Makes an API token of a person; the secret is returned this once.
    ///
    /// # Errors
    /// [`AdminError::NoUser`].
    pub async fn create_token(
        &self,
        account_id: AccountId,
        email: &str,
        name: &str,
    ) -> Result<(TokenId, String), AdminError> {
        let key = AddressKey::parse(email.trim()).map_err(|_| AdminError::Malformed(email.to_owned()))?;
        let id = TokenId(self.store().ids(1).await?.next()?);
        let now = self.now();
        let secret = random_secret();
        let (name, token) = (name.to_owned(), secret.clone());
        let wanted = key.to_string();
        let made = self.store().write(move |tx| {
            let Some((_, person)) =
                store::user::by_addresses(&mut tx.account(account_id), &[key.as_str()])?.into_iter().next()
            else {
                return Ok(false);
            };
            store::token::insert(&mut tx.account(account_id), id, &name, person.id, &token, now)?;
            Ok(true)
        });
        if made.await? { Ok((id, secret)) } else { Err(AdminError::NoUser(wanted)) }
    }

    /// Revokes an API token.
    ///
    /// # Errors
    /// [`AdminError::NoToken`].
    pub async fn revoke_token(&self, account_id: AccountId, id: TokenId) -> Result<(), AdminError> {
        let now = self.now();
        let done =
            self.store().write(move |tx| store::token::revoke(&mut tx.account(account_id), id, now)).await?;
        if done { Ok(()) } else { Err(AdminError::NoToken(id)) }
    }
}

/// A forwarding probe on its way out.
struct SendProbe {
    external: SupportAddress,
    secret: String,
}

impl Work for SendProbe {
    type Done = ();

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

/// An account under its lock, with its configuration as it is in the same transaction.
struct Locked {
    state: State,
    versioned: accounts::Versioned,
}

impl Locked {
    fn account(&self) -> &Account {
        self.versioned.account()
    }
}

fn locked(tx: &mut Tx<'_>, account_id: AccountId) -> store::Result<Locked> {
    let tx = &mut tx.account(account_id);
    let state = account_state::lock(tx)?;
    Ok(Locked { state, versioned: accounts::load(tx)? })
}

fn new_person(id: i64, key: &AddressKey, written: &str, name: &str, role: Role) -> Person {
    let mailbox = Mailbox { name: name.to_owned(), address: written.to_owned() };
    Person {
        id: UserId(id),
        name: name_from(&mailbox, key),
        role,
        is_suspended: false,
        address: written.to_owned(),
        deliverable: Deliverable::Deliverable,
        is_verified: true,
        locale: None,
        organization_id: None,
    }
}

fn system_address(brand: &Brand) -> Result<NewAddress, AdminError> {
    let written = format!("support@{}", brand.native_host);
    let email = AddressKey::parse(&written).map_err(|_| AdminError::Host(brand.native_host.clone()))?;
    Ok(NewAddress {
        email,
        written,
        name: brand.name.clone(),
        brand_id: brand.id,
        kind: AddressKind::Native,
        is_default: true,
    })
}
