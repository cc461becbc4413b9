//! The scene of a newer schema: another node, of a newer version, has added to the database, and this program keeps
//! working alongside it. There is no newer program to run. What it would have done is done by hand: adding a column, a
//! table and an index, noting a migration that this program does not know, and storing a setting that this program has
//! never heard of.

use std::time::Duration;

use anyhow::{Context, Result};
use testkit::database::{execute, query_text};
use testkit::server::{Postgres, PostgresOptions};

use super::act::{Act, ActOptions, Load, QUIET_WITHIN, Roles};
use super::report::Report;
use super::{Length, Options};
use crate::load::desk::{ACCOUNT, Environment};
use crate::load::mails::Mix;
use crate::load::sink::SinkOptions;

/// What a newer version may add alongside an older one: nothing that exists is changed.
const ADDITIONS: &str = "
    ALTER TABLE tickets ADD COLUMN mood_of_the_future TEXT;
    ALTER TABLE outbox ADD COLUMN weight_of_the_future BIGINT NOT NULL DEFAULT 0;
    CREATE TABLE moods_of_the_future (account_id BIGINT NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (account_id, id));
    CREATE INDEX tickets_by_mood ON tickets (account_id, mood_of_the_future, id);
    UPDATE accounts SET settings = CAST(CAST(settings AS JSONB) || '{\"mood_of_the_future\": true}' AS TEXT)";

const NODES: [&str; 2] = ["first", "second"];

/// Plays it once: before, during and after the additions, with a restart of one node and with commands.
pub(super) fn play(options: &Options, report: &mut Report) -> Result<()> {
    let server = Postgres::start(PostgresOptions::default())?;
    let mut act = Act::set(&ActOptions {
        binary: options.binary.clone(),
        seed: options.seed,
        server: Some(&server),
        accounts: 2,
        is_watched: true,
        relay: SinkOptions::default(),
    })?;
    for name in NODES {
        act.start(name, Roles::ALL, Environment::new())?;
    }
    let count = match options.length {
        Length::Short => 40,
        Length::Long => 400,
    };
    converse(&mut act, count)?;
    add(act.url.as_deref().context("the act has a database server")?)?;
    converse(&mut act, count)?;
    let mut complaints = Vec::new();
    for name in NODES {
        if !act.node(name)?.is_ready() {
            complaints.push(format!("{name} is not ready alongside a newer version that only added"));
        }
    }
    // An older node that is restarted finds the newer tables.
    act.stop("second")?;
    act.start("second-again", Roles::ALL, Environment::new())?;
    converse(&mut act, count)?;
    let evidence = act.finish()?;
    report.add("a newer version added to the database", &evidence, complaints);
    Ok(())
}

/// Mail comes in through the first node, and a command answers.
fn converse(act: &mut Act, count: usize) -> Result<()> {
    let accounts = act.accounts.clone();
    act.load_accepted(&Load {
        count,
        mix: Mix::Desk,
        accounts: &accounts,
        doors: &["first"],
        connections: 4,
        pace: Duration::from_millis(50),
    })?;
    act.settle(QUIET_WITHIN);
    act.answer(ACCOUNT, 2, &Environment::new())
}

/// Makes the additions, and notes a migration like the last one except for its number and name, so that it asks nothing
/// more of a program.
fn add(url: &str) -> Result<()> {
    execute(url, ADDITIONS).context("adding to the database")?;
    let columns =
        "SELECT string_agg(column_name::text, ', ' ORDER BY ordinal_position) FROM information_schema.columns
                   WHERE table_schema = 'public' AND table_name = 'migrations'";
    let columns = query_text(url, columns)?;
    let values: Vec<&str> = columns
        .split(", ")
        .map(|column| match column {
            "number" => "number + 1",
            "name" => "'of_the_future'",
            other => other,
        })
        .collect();
    let values = values.join(", ");
    let sql = format!(
        "INSERT INTO migrations ({columns}) SELECT {values} FROM migrations ORDER BY number DESC LIMIT 1"
    );
    execute(url, &sql).context("noting a migration of a newer version")
}
