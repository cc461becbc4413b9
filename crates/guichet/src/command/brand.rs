//! `guichet brand`: adds and lists brands.

use desk::account::Brand;
use serde_json::{Value, json};

use super::Session;
use crate::cli;
use crate::failure::{Doing as _, Result};

/// Runs `brand …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Brand) -> Result<()> {
    let account = session.account().await?;
    let engine = session.engine().await?;
    match command {
        cli::Brand::Add { subdomain, name, native_host } => {
            let host = session.native_host(subdomain, native_host.as_deref());
            let name = name.as_deref().unwrap_or_default();
            let brand =
                engine.add_brand(account, name, subdomain, &host).await.doing("the brand was not added")?;
            let lines = format!(
                "Added the brand {} at {}; support@{} takes mail.",
                brand.name, brand.native_host, brand.native_host
            );
            session.output().answer(&as_json(&brand), &lines)
        }
        cli::Brand::List => {
            let account = engine.account(account).await.doing("the account cannot be read")?;
            let mut output = session.output();
            let mut list = output.list(&["SUBDOMAIN", "NATIVE HOST", "DEFAULT", "NAME"])?;
            for brand in &account.brands {
                let is_default = if brand.is_default { "yes" } else { "" };
                let cells = [brand.subdomain.as_str(), &brand.native_host, is_default, &brand.name];
                list.row(&as_json(brand), cells.map(str::to_owned))?;
            }
            list.end("No brands.")
        }
    }
}

fn as_json(brand: &Brand) -> Value {
    json!({
        "id": brand.id,
        "name": brand.name,
        "subdomain": brand.subdomain,
        "native_host": brand.native_host,
        "default": brand.is_default,
    })
}
