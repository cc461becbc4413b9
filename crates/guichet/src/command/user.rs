//! `guichet user`: adds and lists people.

use desk::user::{Deliverable, Person, Role};
use engine::admin::AddedUser;
use serde_json::{Value, json};

use super::{Session, Wanted};
use crate::cli::{self, RoleWord};
use crate::failure::{Doing as _, Result};

/// Runs `user …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::User) -> Result<()> {
    let account = session.account().await?;
    match command {
        cli::User::Add { email, role, name } => {
            let role = role.map(as_role);
            let engine = session.engine().await?;
            let added = engine.add_user(account, email, name.as_deref().unwrap_or_default(), role).await;
            let added = added.doing("the person was neither added nor changed")?;
            session.output().answer(&added_json(&added), &said(&added))
        }
        cli::User::List(paging) => {
            let limit = Wanted::of(*paging).all();
            let people =
                session.store.read_now(move |tx| store::user::list(&mut tx.account(account), limit)).await;
            let mut output = session.output();
            let mut list = output.list(&["ADDRESS", "ROLE", "STATE", "NAME"])?;
            for person in people.doing("the people cannot be read")? {
                let state = match (person.is_suspended, person.deliverable) {
                    (true, _) => "suspended",
                    (false, Deliverable::Undeliverable) => "undeliverable",
                    (false, Deliverable::Deliverable) => "",
                };
                let cells = [&person.address, person.role.as_str(), state, &person.name];
                list.row(&as_json(&person), cells.map(str::to_owned))?;
            }
            list.end("Nobody yet.")
        }
    }
}

fn as_role(word: RoleWord) -> Role {
    match word {
        RoleWord::Agent => Role::Agent,
        RoleWord::Admin => Role::Admin,
        RoleWord::EndUser => Role::EndUser,
    }
}

fn said(added: &AddedUser) -> String {
    let person = &added.person;
    let was =
        added.was.filter(|was| *was != person.role).map(|was| format!(" (was {was})")).unwrap_or_default();
    format!("{} <{}> is {}{was}.", person.name, person.address, person.role)
}

fn added_json(added: &AddedUser) -> Value {
    let mut value = as_json(&added.person);
    if let Some(object) = value.as_object_mut() {
        object.insert("was".into(), json!(added.was.map(|was| was.as_str())));
    }
    value
}

fn as_json(person: &Person) -> Value {
    json!({
        "id": person.id,
        "email": person.address,
        "name": person.name,
        "role": person.role.as_str(),
        "suspended": person.is_suspended,
        "deliverable": person.deliverable == Deliverable::Deliverable,
    })
}

#[cfg(test)]
mod tests {
    use desk::id::UserId;

    use super::*;

    #[test]
    fn a_changed_role_is_told_with_the_one_before() {
        for (was, want) in [
            (None, "Bob <bob@x.example> is admin."),
            (Some(Role::Admin), "Bob <bob@x.example> is admin."),
            (Some(Role::Agent), "Bob <bob@x.example> is admin (was agent)."),
        ] {
            let person = Person {
                id: UserId(1),
                name: "Bob".into(),
                role: Role::Admin,
                is_suspended: false,
                address: "bob@x.example".into(),
                deliverable: Deliverable::Deliverable,
                is_verified: true,
                locale: None,
                organization_id: None,
            };
            assert_eq!(said(&AddedUser { person, was }), want);
        }
    }
}
