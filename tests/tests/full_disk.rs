//! A disk that fills up under load: refusals, then recovery, and nothing lost that got 250.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use e2e::{Desk, DeskOptions, Letter, SUPPORT, SmallDisk, WITHIN};
use serde_json::Value;
use testkit::client::Client;
use testkit::database::{Database, sqlite};
use testkit::server::{Folder, Postgres, PostgresOptions, until};

/// Simultaneous senders.
const SENDERS: usize = 4;
/// Refusals that each sender sees before it stops.
const REFUSALS: usize = 3;
/// More mails than fit on the disk, for each sender.
const MAILS: usize = 4_000;
/// How much is free when the load begins, in kilobytes.
const FREE: u64 = 12_000;

#[test]
fn sqlite_on_a_full_disk_refuses_and_recovers() -> Result<()> {
    let disk = SmallDisk::mount(64)?;
    let options = DeskOptions { data: Some(disk.path().join("data")), ..DeskOptions::default() };
    let desk = Desk::open(sqlite(), &options)?;
    disk.fill(FREE)?;
    let accepted = load_until_refused(&desk)?;
    disk.free()?;
    recovered(&desk, accepted)
}

#[test]
fn postgresql_on_a_full_disk_refuses_and_recovers() -> Result<()> {
    let disk = SmallDisk::mount(256)?;
    let mut server = Postgres::start(on_disk(disk.path()))?;
    let database =
        Database { engine: "postgres", url: server.fresh_database()?, folder: Folder::new("full")? };
    let desk = Desk::open(database, &DeskOptions::default())?;
    disk.fill(FREE)?;
    let accepted = load_until_refused(&desk)?;
    disk.free()?;
    // PostgreSQL stops when it cannot write its own log; an operator would restart it.
    until("PostgreSQL is back", WITHIN, || {
        if server.has_ended()? {
            server.restart()?;
        }
        Ok(testkit::database::answers(&server.url()).then_some(()))
    })?;
    recovered(&desk, accepted)
}

fn on_disk(path: &Path) -> PostgresOptions {
    let setting = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let settings =
        vec![setting("max_wal_size", "32MB"), setting("min_wal_size", "32MB"), setting("wal_recycle", "off")];
    PostgresOptions { settings, inside: Some(path.to_owned()), ..PostgresOptions::default() }
}

/// Sends from several connections until each has been refused a few times; returns the message-ids that got 250.
fn load_until_refused(desk: &Desk) -> Result<Vec<String>> {
    let port = desk.smtp_port();
    let senders: Vec<_> =
        (0..SENDERS).map(|number| std::thread::spawn(move || sender(port, number))).collect();
    let mut accepted = Vec::new();
    for sender in senders {
        let sent = sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))?;
        accepted.extend(sent.with_context(|| desk.log())?);
    }
    ensure!(!accepted.is_empty(), "no mail got 250 before the disk was full");
    Ok(accepted)
}

/// A single connection throughout: a refusal must not end it.
fn sender(port: u16, number: usize) -> Result<Vec<String>> {
    let mut client = Client::smtp(port)?;
    let (mut accepted, mut refused) = (Vec::new(), 0);
    for count in 0..MAILS {
        let letter =
            Letter::new(&format!("load{number}@customer.example"), SUPPORT, &format!("number {count}"));
        let letter = letter.with_random_body(12_000);
        let answer = client.send(&letter.from, &letter.to, &letter.bytes())?;
        match answer.code {
            250 => accepted.push(letter.message_id),
            451 => refused += 1,
            code => anyhow::bail!("neither 250 nor 451 but {code} {}", answer.text),
        }
        if refused == REFUSALS {
            return Ok(accepted);
        }
    }
    anyhow::bail!("{MAILS} mails fitted on a full disk")
}

/// Takes mail again without a restart, and has decided everything it accepted, once each.
fn recovered(desk: &Desk, mut accepted: Vec<String>) -> Result<()> {
    let letter = Letter::new("late@customer.example", SUPPORT, "room again");
    let taken = until("mail is taken again", WITHIN, || {
        let mut client = Client::smtp(desk.smtp_port())?;
        let answer = client.send(&letter.from, &letter.to, &letter.bytes())?;
        Ok((answer.code == 250).then_some(()))
    });
    taken.with_context(|| desk.log())?;
    accepted.push(letter.message_id);
    let outcomes = until("everything accepted is decided", WITHIN, || {
        let mut outcomes: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
        for row in desk.list(&["ledger", "list"])?.into_iter().filter(|row| row["direction"] == "in") {
            let text = |key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
            outcomes.entry(text("message_id").unwrap_or_default()).or_default().push(text("outcome"));
        }
        Ok(Some(outcomes).filter(|outcomes| outcomes.values().flatten().all(Option::is_some)))
    });
    let outcomes = outcomes.with_context(|| desk.log())?;
    for id in &accepted {
        let found = outcomes.get(id).with_context(|| format!("{id} got 250 and is lost"))?;
        ensure!(found.len() == 1, "{id} got 250 once and has {found:?}");
    }
    Ok(())
}
