//! `guichet account`: creates and lists accounts.

use engine::admin::AccountRequest;
use serde_json::json;
use store::account::AccountRow;

use super::Session;
use crate::cli;
use crate::failure::{Doing as _, Result};

/// Runs `account …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Account) -> Result<()> {
    match command {
        cli::Account::Create { subdomain, admin, name, native_host } => {
            let request = AccountRequest {
                subdomain: subdomain.clone(),
                name: name.clone().unwrap_or_default(),
                admin_email: admin.clone(),
                native_host: session.native_host(subdomain, native_host.as_deref()),
            };
            create(session, request).await
        }
        cli::Account::List => list(session).await,
    }
}

async fn create(session: &Session<'_>, request: AccountRequest) -> Result<()> {
    let made = session.engine().await?.create_account(request).await.doing("the account was not created")?;
    let value = json!({
        "id": made.id,
        "subdomain": made.subdomain,
        "native_host": made.native_host,
        "admin_email": made.admin_email,
        "api_token": made.api_token,
    });
    let lines = format!(
        "Created the account {}.\n\n  native host      {}\n  support address  support@{}\n  admin            {}\n  API token        {}\n\n\
         The token is shown only this once. Mail for the native host must reach this desk's SMTP door ({}).",
        made.subdomain,
        made.native_host,
        made.native_host,
        made.admin_email,
        made.api_token,
        session.loaded.config.smtp.listen.map_or_else(|| "off".to_owned(), |listen| listen.to_string()),
    );
    session.output().answer(&value, &lines)
}

async fn list(session: &Session<'_>) -> Result<()> {
    let all = session.store.read_now(store::account::list).await.doing("the accounts cannot be read")?;
    let mut output = session.output();
    let mut list = output.list(&["SUBDOMAIN", "NATIVE HOST", "NAME"])?;
    for AccountRow { id, subdomain, name } in all {
        let loaded = session
            .store
            .read_now(move |tx| store::account::load(&mut tx.account(id)))
            .await
            .doing("the account cannot be read")?;
        let host = loaded
            .and_then(|(_, account)| account.default_brand().map(|brand| brand.native_host.clone()))
            .unwrap_or_default();
        let value = json!({"id": id, "subdomain": subdomain, "native_host": host, "name": name});
        list.row(&value, [subdomain, host, name])?;
    }
    list.end("No accounts yet. Create one with `guichet account create SUBDOMAIN --admin EMAIL`.")
}
