//! Adds people and gives them roles.

use desk::changes::NewPerson;
use desk::id::{AccountId, UserId};
use desk::logged_action::LoggedAction;
use desk::user::{Deliverable, Person, Role, name_from};
use mail::address::{AddressKey, Mailbox};
use serde_json::json;
use store::{AccountTx, StoreError, account_state};

use super::{locked, log};
use crate::Engine;

/// A person who was added, or who was known and may now have another role.
#[derive(Debug, Clone)]
pub struct AddedUser {
    /// The person as they are now.
    pub person: Person,
    /// The role a known person had before; none for a new one.
    pub was: Option<Role>,
}

/// Why a person was neither added nor changed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// Not an address.
    #[error("{0:?} is not an e-mail address; write it as name@example.com")]
    Malformed(String),
    /// A person may not have a support address.
    #[error("{0} is a support address; people need an address of their own")]
    IsSupportAddress(AddressKey),
    /// Nobody could configure the account any more.
    #[error(
        "{0} is the last admin of this account; make somebody else admin first with `guichet user add EMAIL --role admin`"
    )]
    LastAdmin(AddressKey),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Adds a person, or gives a known one another role. Without a role, a known person keeps theirs and a new one
    /// becomes an end user; without a name, a known person keeps theirs and a new one is derived from the address.
    ///
    /// # Errors
    /// A support address belongs to no person, and the last admin stays one.
    pub async fn add_user(
        &self,
        account_id: AccountId,
        email: &str,
        name: &str,
        role: impl Into<Option<Role>>,
    ) -> Result<AddedUser, UserError> {
        let key = AddressKey::parse(email.trim()).map_err(|_| UserError::Malformed(email.to_owned()))?;
        let mut ids = self.store().ids(2).await?;
        let (id, event_id, now) = (ids.next()?, ids.next()?, self.now());
        let role: Option<Role> = role.into();
        let person = new_person(id, &key, email.trim(), name, role.unwrap_or(Role::EndUser));
        let added = self.store().write_or(move |tx| {
            let tx = &mut tx.account(account_id);
            let mut locked = locked(tx)?;
            if locked.account().owner_of(&key).is_some() {
                return Err(UserError::IsSupportAddress(key.clone()));
            }
            let known = store::user::by_addresses(tx, &[key.as_str()])?.into_iter().next();
            let known = known.map(|(_, known)| known);
            let was = known.as_ref().map(|known| known.role);
            let role = role.or(was).unwrap_or(Role::EndUser);
            if is_last_admin(tx, was, role)? {
                return Err(UserError::LastAdmin(key.clone()));
            }
            let change = locked.state.next_change();
            let kept = match known {
                Some(known) => change_known(tx, known, &person, &key, role, change)?,
                None => {
                    let new = NewPerson { person: person.clone(), address: key.clone(), created_at: now };
                    store::user::insert_many(tx, &[new], change)?;
                    person.clone()
                }
            };
            account_state::save(tx, &locked.state)?;
            let detail = json!({"user": kept.id, "role": role.as_str()}).to_string();
            log(tx, event_id, &LoggedAction::UserAdded, &detail, now)?;
            Ok(AddedUser { person: kept, was })
        });
        added.await
    }
}

/// Whether an account would be left without an admin.
fn is_last_admin(tx: &mut AccountTx<'_, '_>, was: Option<Role>, role: Role) -> store::Result<bool> {
    Ok(was == Some(Role::Admin) && role != Role::Admin && store::user::admins(tx)? <= 1)
}

/// Gives a known person a role, and the name if one was given; a name made from the address does not replace theirs.
fn change_known(
    tx: &mut AccountTx<'_, '_>,
    known: Person,
    asked: &Person,
    key: &AddressKey,
    role: Role,
    change: i64,
) -> store::Result<Person> {
    let unnamed = Mailbox { name: String::new(), address: asked.address.clone() };
    let name = if asked.name == name_from(&unnamed, key) { &known.name } else { &asked.name }.clone();
    store::user::set_role(tx, known.id, role, &name, change)?;
    Ok(Person { role, name, is_verified: true, ..known })
}

pub(super) fn new_person(id: i64, key: &AddressKey, written: &str, name: &str, role: Role) -> Person {
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
