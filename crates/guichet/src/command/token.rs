//! `guichet token`: creates, lists and revokes API tokens.

use std::collections::BTreeMap;

use desk::id::{AccountId, TokenId, UserId};
use serde_json::json;

use super::Session;
use crate::cli;
use crate::clock::{short, written};
use crate::failure::{Doing as _, Result};

/// Runs `token …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Token) -> Result<()> {
    let account = session.account().await?;
    match command {
        cli::Token::Create { user, name } => {
            let made = session.engine().await?.create_token(account, user, name).await;
            let (id, secret) = made.doing("the token was not created")?;
            let value = json!({"id": id, "user": user, "name": name, "api_token": secret});
            session
                .output()
                .answer(&value, &format!("Token {id} of {user}, shown only this once:\n\n  {secret}"))
        }
        cli::Token::List => list(session, account).await,
        cli::Token::Revoke { id } => {
            session
                .engine()
                .await?
                .revoke_token(account, TokenId(*id))
                .await
                .doing("the token was not revoked")?;
            session.output().answer(&json!({"id": id, "revoked": true}), &format!("Token {id} is revoked."))
        }
    }
}

async fn list(session: &Session<'_>, account: AccountId) -> Result<()> {
    let read = session.store.read_now(move |tx| {
        let tokens = store::token::list(&mut tx.account(account))?;
        let owners: Vec<UserId> = tokens.iter().map(|token| token.user_id).collect();
        Ok((tokens, store::user::by_ids(&mut tx.account(account), &owners)?))
    });
    let (tokens, people) = read.await.doing("the tokens cannot be read")?;
    let owners: BTreeMap<UserId, String> =
        people.into_iter().map(|person| (person.id, person.address)).collect();
    let mut output = session.output();
    let mut list = output.list(&["ID", "USER", "MADE", "STATE", "NAME"])?;
    for token in tokens {
        let owner = owners.get(&token.user_id).cloned().unwrap_or_default();
        let value = json!({
            "id": token.id,
            "user": owner,
            "name": token.name,
            "created_at": written(token.created_at),
            "revoked_at": token.revoked_at.map(written),
        });
        let state = if token.revoked_at.is_some() { "revoked" } else { "good" };
        list.row(
            &value,
            [token.id.to_string(), owner, short(token.created_at), state.to_owned(), token.name],
        )?;
    }
    list.end("No tokens.")
}
