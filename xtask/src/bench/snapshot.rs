//! `cargo xtask bench snapshot`: what an old snapshot, such as a dump's, does to the question that every node asks all
//! the time: is there work? Which statements those are is not listed here: they are the ones that an idle desk runs.
//! The server times them itself (`pg_stat_statements`), under the same mail in three windows: before the snapshot, at
//! the end of the time for which it is held, and after it. The last one has the tables of the second without their dead
//! rows, so the ratio of these two is what the snapshot costs; the ratio to the first includes the growth of the
//! tables.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;
use testkit::database::execute;
use testkit::server::{Postgres, PostgresOptions};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use super::build;
use super::figures::{rate, ratio};
use super::wait::send_all;
use crate::load::connection::Protocol;
use crate::load::desk::{Database, Desk, DeskOptions, Node};
use crate::load::mails::{Mix, Recipe, Sample};
use crate::load::sender::{Fate, Target};
use crate::load::snapshot::Snapshot;

/// How often an idle desk must run a statement for it to count as a poll.
const POLLS_FROM: i64 = 5;
/// Mails of one load; loads follow each other until a window ends.
const MAILS: usize = 2_000;
/// The ratio that we aim for: the snapshot is not felt.
const AIM_RATIO: f64 = 1.5;

/// For how long, and under how much mail.
#[derive(Debug, Clone, Args)]
pub struct SnapshotArgs {
    /// For how many minutes the snapshot is held.
    #[arg(long, default_value_t = 10.0)]
    pub minutes: f64,
    /// Seconds for which the desk is left alone, to see what it asks while idle.
    #[arg(long, default_value_t = 10)]
    pub idle: u64,
    /// Seconds of each window in which statements are timed.
    #[arg(long, default_value_t = 30)]
    pub window: u64,
    /// Connections of the sender.
    #[arg(long, default_value_t = 10)]
    pub connections: usize,
    /// Accounts that mail is sent to.
    #[arg(long, default_value_t = 20)]
    pub accounts: usize,
    /// Determines the mails.
    #[arg(long, default_value_t = 20_260_105)]
    pub seed: u64,
    /// Measure this program instead of a fresh release build.
    #[arg(long, visible_alias = "program", value_name = "PATH")]
    pub binary: Option<PathBuf>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// A statement in a window.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Timed {
    calls: i64,
    /// Mean time of a call, milliseconds.
    mean_ms: f64,
    /// Buffers read in a call, from memory or not.
    buffers: f64,
}

/// A poll in all three windows.
#[derive(Debug, Clone, Serialize)]
struct Poll {
    statement: String,
    before: Timed,
    held: Timed,
    after: Timed,
}

/// Everything one run found.
#[derive(Debug, Serialize)]
struct Figures {
    minutes: f64,
    /// Mails a second in each window.
    mail_rates: [f64; 3],
    polls: Vec<Poll>,
}

/// Runs the benchmark and prints what it found; as a debug build it becomes a release build first.
///
/// # Errors
/// When a build, the server or the product fails; never because of a bad figure.
pub fn run(args: &SnapshotArgs) -> Result<()> {
    build::become_release()?;
    let figures = measure(args)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

fn measure(args: &SnapshotArgs) -> Result<Figures> {
    let binary = args.binary.clone().map_or_else(|| build::guichet(true), Ok)?;
    let settings = vec![("shared_preload_libraries".to_owned(), "pg_stat_statements".to_owned())];
    let server = Postgres::start(PostgresOptions { settings, ..PostgresOptions::default() })?;
    let url = server.fresh_database()?;
    execute(&url, "CREATE EXTENSION pg_stat_statements")?;
    let desk = Desk::create(&DeskOptions {
        binary,
        database: Database::Postgres(url.clone()),
        relay: None,
        further: String::new(),
    })?;
    let mut supports = vec![format!("support@{}", desk.native_host())];
    for number in 1..args.accounts {
        supports.push(format!("support@{}", desk.create_account(&format!("other{number}"))?));
    }
    let node = desk.start()?;
    let statistics = Statistics::open(&url)?;
    let idle = Duration::from_secs(args.idle);
    // First what it does when it starts, then what it does all the time.
    thread::sleep(idle);
    statistics.reset()?;
    thread::sleep(idle);
    let polls = statistics.asked(POLLS_FROM)?;
    ensure!(!polls.is_empty(), "an idle desk asked nothing in {idle:?}");

    let mut load = Load { args, node: &node, supports, loads: 0 };
    let window = Duration::from_secs(args.window);
    let (before, before_rate) = load.timed(window, &statistics)?;
    let snapshot = Snapshot::hold(&url)?;
    let held_for = Duration::from_secs_f64(args.minutes * 60.0);
    load.run(held_for.saturating_sub(window))?;
    let (held, held_rate) = load.timed(window, &statistics)?;
    snapshot.release()?;
    execute(&url, "VACUUM")?;
    let (after, after_rate) = load.timed(window, &statistics)?;
    node.stop()?;
    let of = |window: &[(i64, Timed)], id: i64| {
        window.iter().find(|(known, _)| *known == id).map(|(_, timed)| *timed).unwrap_or_default()
    };
    let polls = polls.into_iter().map(|(id, statement)| Poll {
        before: of(&before, id),
        held: of(&held, id),
        after: of(&after, id),
        statement,
    });
    Ok(Figures {
        minutes: args.minutes,
        mail_rates: [before_rate, held_rate, after_rate],
        polls: polls.collect(),
    })
}

/// Mail at full rate, for as long as wanted.
struct Load<'a> {
    args: &'a SnapshotArgs,
    node: &'a Node,
    supports: Vec<String>,
    loads: u32,
}

impl Load<'_> {
    /// Sends mail until `lasts` is over; returns mails a second.
    fn run(&mut self, lasts: Duration) -> Result<f64> {
        let begun = Instant::now();
        let mut accepted = 0_usize;
        while begun.elapsed() < lasts {
            self.loads = self.loads.saturating_add(1);
            let sample = Sample::make(&Recipe {
                count: MAILS,
                seed: self.args.seed.wrapping_add(u64::from(self.loads)),
                tag: self.loads,
                supports: self.supports.clone(),
                // Small ones: the rows replaced are the same for each mail, and the disk lasts longer.
                mix: Mix::Short,
            });
            let target = Target {
                protocol: Protocol::Smtp,
                addresses: vec![self.node.smtp()],
                connections: self.args.connections,
                patience: Duration::from_secs(60),
                pace: Duration::ZERO,
            };
            let sent = send_all("guichet", &sample.mails, &target)?;
            accepted = accepted.saturating_add(sent.count(Fate::Accepted));
        }
        Ok(rate(accepted, begun.elapsed()))
    }

    /// The same, while all statements are timed.
    fn timed(&mut self, lasts: Duration, statistics: &Statistics) -> Result<(Vec<(i64, Timed)>, f64)> {
        statistics.reset()?;
        let rate = self.run(lasts)?;
        Ok((statistics.read()?, rate))
    }
}

/// The server's own count of statements in one database.
struct Statistics {
    runtime: Runtime,
    client: Client,
}

impl Statistics {
    fn open(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let client = runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(url, NoTls).await.context("connecting for the statistics")?;
            tokio::spawn(connection);
            anyhow::Ok(client)
        })?;
        Ok(Self { runtime, client })
    }

    fn reset(&self) -> Result<()> {
        Ok(self.runtime.block_on(self.client.batch_execute("SELECT pg_stat_statements_reset()"))?)
    }

    /// Id and text of the statements that were run at least this often. Those that only look at the server itself are
    /// not polls.
    fn asked(&self, calls: i64) -> Result<Vec<(i64, String)>> {
        let sql = "SELECT queryid, min(query) FROM pg_stat_statements
                   WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                       AND query ILIKE 'select%from%' AND query NOT ILIKE '%pg\\_%'
                   GROUP BY queryid HAVING sum(calls) >= CAST($1 AS BIGINT) ORDER BY queryid";
        let rows = self.runtime.block_on(self.client.query(sql, &[&calls]))?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// All statements by their ids.
    fn read(&self) -> Result<Vec<(i64, Timed)>> {
        let sql = "SELECT queryid, CAST(sum(calls) AS BIGINT), sum(total_exec_time) / sum(calls),
                       CAST(sum(shared_blks_hit + shared_blks_read) / sum(calls) AS DOUBLE PRECISION)
                   FROM pg_stat_statements WHERE queryid IS NOT NULL
                       AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                   GROUP BY queryid";
        let rows = self.runtime.block_on(self.client.query(sql, &[]))?;
        rows.iter()
            .map(|row| {
                let timed =
                    Timed { calls: row.try_get(1)?, mean_ms: row.try_get(2)?, buffers: row.try_get(3)? };
                Ok((row.try_get(0)?, timed))
            })
            .collect()
    }
}

fn print(figures: &Figures) {
    let [before, held, after] = figures.mail_rates;
    println!(
        "mails/s before {before:.0}, at the end of a snapshot of {} minutes {held:.0}, after it {after:.0}",
        figures.minutes
    );
    println!("\nWhat an idle desk asks, under that mail: milliseconds and buffers a call");
    println!(
        "{:>10}{:>10}{:>10}{:>9}{:>9}{:>12}{:>12}  statement",
        "before", "held", "after", "×before", "×after", "buffers", "after"
    );
    for poll in &figures.polls {
        println!(
            "{:>10.3}{:>10.3}{:>10.3}{:>9.2}{:>9.2}{:>12.0}{:>12.0}  {}",
            poll.before.mean_ms,
            poll.held.mean_ms,
            poll.after.mean_ms,
            ratio(poll.held.mean_ms, poll.before.mean_ms),
            ratio(poll.held.mean_ms, poll.after.mean_ms),
            poll.held.buffers,
            poll.after.buffers,
            one_line(&poll.statement)
        );
    }
    let worst = figures
        .polls
        .iter()
        .filter(|poll| poll.held.calls > 0 && poll.after.calls > 0)
        .map(|poll| ratio(poll.held.mean_ms, poll.after.mean_ms))
        .fold(0.0, f64::max);
    let verdict = if worst <= AIM_RATIO { "met" } else { "MISSED" };
    println!(
        "\nthe slowest of them by the snapshot: × {worst:.2}, at most {AIM_RATIO} is aimed at: {verdict}"
    );
}

/// The beginning of a statement without its line breaks.
fn one_line(statement: &str) -> String {
    let words: Vec<&str> = statement.split_whitespace().collect();
    words.join(" ").chars().take(90).collect()
}

#[cfg(test)]
mod tests {
    use super::{SnapshotArgs, measure};
    use crate::bench::build;
    use std::path::PathBuf;

    #[test]
    fn what_an_idle_desk_asks_is_found_and_timed_in_every_window() {
        let built = std::env::var_os("GUICHET_BIN").map(PathBuf::from);
        let args = SnapshotArgs {
            minutes: 0.0,
            idle: 2,
            window: 1,
            connections: 4,
            accounts: 2,
            seed: 1,
            binary: Some(built.unwrap_or_else(|| build::guichet(false).expect("the program builds"))),
            json: false,
        };
        let figures = measure(&args).expect("the benchmark runs");
        assert!(figures.mail_rates.iter().all(|rate| *rate > 0.0), "{figures:?}");
        let timed = |poll: &&super::Poll| {
            poll.before.calls > 0 && poll.held.mean_ms > 0.0 && poll.after.buffers > 0.0
        };
        assert!(figures.polls.iter().any(|poll| timed(&poll)), "{figures:?}");
    }
}
