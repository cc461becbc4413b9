//! `guichet demo`: a desk with a sample company, fed with sample mail through its own SMTP port.

mod client;
mod mails;

use std::path::PathBuf;
use std::time::Duration;

use desk::clock::Millis;
use desk::id::AccountId;
use desk::ticket::Status;
use desk::update::{NewComment, Update};
use desk::user::Role;
use engine::admin::AccountRequest;
use engine::{Command, Engine};
use mail::address::AddressKey;

use crate::cli::Common;
use crate::config::load::load;
use crate::failure::{Doing as _, Failure, Result};
use crate::open;
use crate::serve::{self, Started};
use client::Client;
use mails::{Hosts, samples};

/// The data folder of the demo: its own, so that it never mixes with a desk in use.
const DATA: &str = "guichet-demo";
/// The sample company.
const ACCOUNT: &str = "lumen";
/// Its second brand.
const SECOND: &str = "atelier";
/// Who configures.
const ADMIN: &str = "nora@team.lumen-outfitters.example";
/// Who answers.
const AGENT: &str = "theo@team.lumen-outfitters.example";
/// How often to check whether everything is decided, and how many times at most.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS: usize = 300;

/// Runs `demo`.
///
/// # Errors
/// As `serve`, and when a sample cannot be created.
pub(crate) fn run(common: &Common) -> Result<()> {
    let mut sources = open::sources(common);
    sources.data.get_or_insert_with(|| PathBuf::from(DATA));
    let loaded = load(&sources).map_err(|problems| {
        Failure::new("the configuration cannot be used", problems.to_string(), "correct it")
    })?;
    let domain = loaded.config.mail.domain.clone();
    let data = loaded.data.display().to_string();
    serve::keep_serving(&loaded, async move |started| {
        let hosts = Hosts { native: format!("{ACCOUNT}.{domain}"), second: format!("{SECOND}.{domain}") };
        let known = started.engine.store().read_now(|tx| store::account::by_subdomain(tx, ACCOUNT)).await;
        let token = match known.doing("the accounts cannot be read")? {
            Some(_) => None,
            None => Some(fill(&started, &hosts).await?),
        };
        println!("{}", told(&started, &hosts, &data, token.as_deref()));
        Ok(())
    })
}

/// Creates the sample and returns the admin's token.
async fn fill(started: &Started, hosts: &Hosts) -> Result<String> {
    let (account, token) = make_account(&started.engine, hosts).await?;
    let door = started.smtp.as_deref();
    let shut = || {
        Failure::new(
            "the sample mail cannot be sent",
            "smtp.listen is off, or roles leave smtp out",
            "let the demo take mail by SMTP",
        )
    };
    feed(door.ok_or_else(shut)?, hosts, started.engine.now()).await?;
    settle(&started.engine, account).await?;
    answer(&started.engine, account).await?;
    Ok(token)
}

async fn make_account(engine: &Engine, hosts: &Hosts) -> Result<(AccountId, String)> {
    let request = AccountRequest {
        subdomain: ACCOUNT.into(),
        name: "Lumen Outfitters".into(),
        admin_email: ADMIN.into(),
        native_host: hosts.native.clone(),
    };
    let made = engine.create_account(request).await.doing("the sample account was not created")?;
    engine
        .add_user(made.id, ADMIN, "Nora Vale", Role::Admin)
        .await
        .doing("the sample admin was not created")?;
    engine
        .add_user(made.id, AGENT, "Theo Marchand", Role::Agent)
        .await
        .doing("the sample agent was not created")?;
    engine
        .add_brand(made.id, "Lumen Atelier", SECOND, &hosts.second)
        .await
        .doing("the second brand was not created")?;
    for (local, name) in [("billing", "Lumen Billing"), ("returns", "Lumen Returns"), ("aide", "Lumen Aide")]
    {
        let email = format!("{local}@{}", hosts.native);
        engine
            .add_address(made.id, &email, name, None, false)
            .await
            .doing("a sample address was not added")?;
    }
    Ok((made.id, made.api_token))
}

async fn feed(door: &str, hosts: &Hosts, now: Millis) -> Result<()> {
    let mut client = Client::connect(door).await?;
    for sample in samples(hosts, now)? {
        client.send(&sample).await?;
    }
    client.quit().await
}

/// Waits until everything is decided; another process may be the one that decides.
async fn settle(engine: &Engine, account: AccountId) -> Result<()> {
    for _ in 0..LOOKS {
        let left = engine
            .store()
            .read_now(move |tx| store::spool::count(&mut tx.account(account)))
            .await
            .doing("the spool cannot be read")?;
        if left == 0 {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(Failure::new(
        "the sample mail is not decided",
        "no process with the role engine processes it",
        "let the demo have all roles",
    ))
}

/// An answer, a note and a solved ticket, so that there is more to see than incoming mail.
async fn answer(engine: &Engine, account: AccountId) -> Result<()> {
    let actor = AddressKey::parse(AGENT).doing("the sample agent's address cannot be read")?;
    let answers = [
        (
            1,
            "Hello Maya,\n\nyour parcel was stuck at our carrier and left this morning; it should be with you on the 12th.\n\nTheo",
            true,
            Status::Pending,
        ),
        (
            2,
            "Glass of this batch cracks easily: replacement without asking for the old shade.",
            false,
            Status::Open,
        ),
        (
            3,
            "Hello,\n\na corrected invoice is on its way to you. Sorry for the trouble!\n\nTheo",
            true,
            Status::Solved,
        ),
    ];
    for (number, body, is_public, status) in answers {
        let comment = Some(NewComment { body: body.to_owned(), is_public });
        let update = Update { comment, status: Some(status), ..Update::default() };
        let command = Command::UpdateTicket { number, actor: actor.clone(), update };
        engine.submit(account, command).await.doing("a sample answer was not written")?;
    }
    Ok(())
}

fn told(started: &Started, hosts: &Hosts, data: &str, token: Option<&str>) -> String {
    let or_off = |address: &Option<String>| address.clone().unwrap_or_else(|| "off".into());
    let sample = match token {
        Some(token) => format!("  API token {token} (of {ADMIN}; shown only this once)"),
        None => "  The sample was there already and is left as it is.".to_owned(),
    };
    let support = format!("support@{}", hosts.native);
    let port = started.smtp.as_deref().and_then(|address| address.rsplit(':').next()).unwrap_or("2525");
    format!(
        "\nThe sample desk of Lumen Outfitters runs.\n\n  pages     {}\n  SMTP      {}\n  LMTP      {}\n  admin     {ADMIN}\n  agent     {AGENT}\n{sample}\n\n\
         Try, in another terminal:\n\n  guichet ticket list --data {data}\n  guichet ticket show 1 --data {data}\n  \
         guichet ticket reply 5 --as {AGENT} --public --body 'An E27 bulb fits.' --status solved --data {data}\n  \
         guichet ledger list --data {data}\n  guichet outbox list --data {data}\n  guichet suspended list --data {data}\n  \
         guichet address list --data {data}\n  swaks --server 127.0.0.1 --port {port} --from you@example.com --to {support}\n\nCtrl-C ends it.",
        or_off(&started.http.map(|http| format!("http://{http}"))),
        or_off(&started.smtp),
        or_off(&started.lmtp),
    )
}
