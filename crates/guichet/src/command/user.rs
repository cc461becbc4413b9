//! `guichet user`: adds and lists people.

use desk::user::{Deliverable, Person, Role};
use serde_json::{Value, json};

use super::{Session, Wanted};
use crate::cli::{self, RoleWord};
use crate::failure::{Doing as _, Result};

/// Runs `user …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::User) -> Result<()> {
    let account = session.account().await?;
    match command {
        cli::User::Add { email, role, name } => {
            let role = match role {
                RoleWord::Agent => Role::Agent,
                RoleWord::Admin => Role::Admin,
                RoleWord::EndUser => Role::EndUser,
            };
            let engine = session.engine().await?;
            let added = engine.add_user(account, email, name.as_deref().unwrap_or_default(), role).await;
            let person = added.doing("the person was not added")?;
            session.output().answer(&as_json(&person), &format!("{} <{}> is {}.", person.name, person.address, person.role))
        }
        cli::User::List(paging) => {
            let limit = Wanted::of(*paging).all();
            let people = session.store.read(move |tx| store::user::list(tx, account, limit)).await;
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
