//! `guichet address`: adds, lists, checks and removes support addresses.

use desk::account::Account;
use desk::address::{Forwarding, Kind, SupportAddress};
use desk::clock::Millis;
use mail::address::AddressKey;
use serde_json::{Value, json};

use super::Session;
use crate::cli;
use crate::clock::written;
use crate::failure::{Doing as _, Failure, Result};

/// Runs `address …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Address) -> Result<()> {
    let account = session.account().await?;
    let engine = session.engine().await?;
    let now = engine.now();
    let (address, lines) = match command {
        cli::Address::List => {
            return list(session, &engine.account(account).await.doing("the account cannot be read")?, now);
        }
        cli::Address::Add { email, brand, name, default } => {
            let known = engine.account(account).await.doing("the account cannot be read")?;
            check_host(&known, email, &session.loaded.config.mail.domain)?;
            let name = name.as_deref().unwrap_or_default();
            let added = engine.add_address(account, email, name, brand.as_deref(), *default).await;
            let address = added.doing("the address was not added")?;
            let lines = match address.kind {
                Kind::Native => format!("Added {}; it takes mail at once.", address.written),
                Kind::External => format!(
                    "Added {}; mail that its server routes here is taken at once.\n\
                     Forward it to one of your native addresses, then run `guichet address check {}`.",
                    address.written, address.written
                ),
            };
            (address, lines)
        }
        cli::Address::Check { email } => {
            let address = engine.send_probe(account, email).await.doing("no probe was sent")?;
            let waits = if session.loaded.config.can_deliver() {
                ""
            } else {
                " It waits in the outbox and fails after that hour unless delivery.relay is set by then."
            };
            let lines = format!(
                "A probe is on its way to {}; within an hour `guichet address list` says whether it came back.{waits}",
                address.written
            );
            (address, lines)
        }
        cli::Address::Remove { email } => {
            let address =
                engine.support_address(account, email).await.doing("the address was not removed")?;
            engine.remove_address(account, email).await.doing("the address was not removed")?;
            let lines = format!(
                "Removed {}; its tickets stay and are answered from its brand's default.",
                address.written
            );
            (address, lines)
        }
        cli::Address::Default { email } => {
            engine.make_default(account, email).await.doing("the default was not changed")?;
            let address = engine.support_address(account, email).await.doing("the address cannot be read")?;
            let lines = format!("{} is its brand's default now.", address.written);
            (address, lines)
        }
    };
    let account = engine.account(account).await.doing("the account cannot be read")?;
    session.output().answer(&as_json(&account, &address, now), &lines)
}

/// Refuses a host below `mail.domain` that belongs to no brand: no mail would be native there, and no forward leads there.
fn check_host(account: &Account, email: &str, domain: &str) -> Result<()> {
    // What is not an address at all is refused in the desk's own words.
    let Ok(key) = AddressKey::parse(email.trim()) else { return Ok(()) };
    let host = key.domain();
    let below = format!(".{}", domain.to_ascii_lowercase());
    if !host.ends_with(&below) || account.brand_of_host(host).is_some() {
        return Ok(());
    }
    let why = format!("no brand has the host {host}, which is below mail.domain");
    Err(Failure::new(
        "the address was not added",
        why,
        "see `guichet brand list`, or create one with `guichet brand add`",
    ))
}

fn list(session: &Session<'_>, account: &Account, now: Millis) -> Result<()> {
    let mut output = session.output();
    let mut list = output.list(&["ADDRESS", "KIND", "BRAND", "DEFAULT", "FORWARDING", "NAME"])?;
    for address in account.addresses() {
        let forwarding = match (address.kind, address.forwarding_at(now)) {
            (Kind::Native, _) => "-".to_owned(),
            (Kind::External, Forwarding::Failed) => "failed: the probe did not come back".to_owned(),
            (Kind::External, state) => state.to_string(),
        };
        let brand = account.brand(address.brand_id).map_or("", |brand| brand.subdomain.as_str());
        let is_default = if address.is_default { "yes" } else { "" };
        let cells = [&address.written, address.kind.as_str(), brand, is_default, &forwarding, &address.name];
        list.row(&as_json(account, address, now), cells.map(str::to_owned))?;
    }
    list.end("No support addresses.")
}

fn as_json(account: &Account, address: &SupportAddress, now: Millis) -> Value {
    json!({
        "id": address.id,
        "email": address.written,
        "name": address.name,
        "brand": account.brand(address.brand_id).map(|brand| brand.subdomain.as_str()),
        "kind": address.kind.as_str(),
        "default": address.is_default,
        "system": address.is_system,
        "forwarding": address.forwarding_at(now).as_str(),
        "forwards_to": address.forwards_to.as_ref().map(ToString::to_string),
        "last_verified_at": address.last_verified_at.map(written),
        "created_at": written(address.created_at),
    })
}

#[cfg(test)]
mod tests {
    use desk::account::Brand;
    use desk::id::{AccountId, BrandId};
    use desk::setting::Settings;

    use super::*;

    #[test]
    fn a_host_below_the_mail_domain_must_be_a_brand_s() {
        let brand = Brand {
            id: BrandId(1),
            name: "Acme".into(),
            subdomain: "acme".into(),
            native_host: "acme.desk.example".into(),
            is_default: true,
        };
        let account = Account::new(
            AccountId(1),
            "acme".into(),
            "Acme".into(),
            Settings::default(),
            vec![brand],
            vec![],
        );
        for (email, is_refused) in [
            ("help@acme.desk.example", false),
            ("help@Acmee.Desk.example", true),
            ("help@desk.example", false),
            ("help@notdesk.example", false),
            ("help@acme.example", false),
            ("help", false),
        ] {
            assert_eq!(check_host(&account, email, "Desk.example").is_err(), is_refused, "{email}");
        }
    }
}
