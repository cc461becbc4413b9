//! `cargo xtask bench commands`: agents' answers a second on one busy account while mail comes in at full rate.
//! Answers go the way of all commands, `Engine::submit`, in a desk inside this process: with a process for each, the
//! benchmark would measure how fast processes start.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;
use desk::update::{NewComment, Update};
use engine::Command;
use serde::Serialize;
use testkit::server::{Folder, Postgres, PostgresOptions};

use super::figures::{Floor, ms, rate, ratio};
use super::inside::{HOST, Inside};
use super::intake::Engine;
use super::wait::send_all;
use super::{build, floor, machine};
use crate::load::chance::Chance;
use crate::load::connection::Protocol;
use crate::load::desk::Database;
use crate::load::mails::{Mix, Recipe, Sample};
use crate::load::sender::{Fate, Sent, Target, quantile};

/// The p99 of an answer that we aim for, milliseconds.
const AIM_P99_MS: f64 = 50.0;
/// Rows of the floor.
const FLOOR_ROWS: usize = 3_000;

/// What to measure, and on how much.
#[derive(Debug, Clone, Args)]
pub struct CommandsArgs {
    /// Numbers of agents who answer at the same time, one run each; each answers again as soon as an answer is written.
    #[arg(long, value_delimiter = ',', default_value = "1,8,32")]
    pub agents: Vec<usize>,
    /// Mails sent during each run, as fast as they are accepted.
    #[arg(long, default_value_t = 20_000)]
    pub mails: usize,
    /// Connections of the sender of mail.
    #[arg(long, default_value_t = 10)]
    pub connections: usize,
    /// Tickets that agents answer, each one chosen at random.
    #[arg(long, default_value_t = 1_000)]
    pub tickets: usize,
    /// Seconds of a run without mail, for comparison.
    #[arg(long, default_value_t = 5)]
    pub quiet_seconds: u64,
    /// Databases.
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres")]
    pub database: Vec<Engine>,
    /// Chooses mails and tickets.
    #[arg(long, default_value_t = 20_260_105)]
    pub seed: u64,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// The result of one run.
#[derive(Debug, Clone, Serialize)]
struct Answered {
    /// `sqlite` or `postgres`.
    database: String,
    /// Agents at the same time.
    agents: usize,
    /// Mails a second to 250 meanwhile; 0 in a run without mail.
    mail_rate: f64,
    /// Answers written.
    answers: usize,
    /// Answers a second.
    rate: f64,
    /// From submission to commit, milliseconds: median, 99th percentile and longest.
    p50_ms: f64,
    p99_ms: f64,
    longest_ms: f64,
}

/// Everything one run of the benchmark found.
#[derive(Debug, Default, Serialize)]
struct Figures {
    machine: Vec<(String, String)>,
    /// Bare loops: one small row an answer, by one writer.
    floors: Vec<Floor>,
    answered: Vec<Answered>,
}

/// Runs the benchmark and prints what it found; as a debug build it becomes a release build first.
///
/// # Errors
/// When a server or the desk fails, or refuses an answer; never because a figure is bad.
pub fn run(args: &CommandsArgs) -> Result<()> {
    build::become_release()?;
    let figures = measure_all(args)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

fn measure_all(args: &CommandsArgs) -> Result<Figures> {
    ensure!(args.tickets > 0, "agents need tickets to answer");
    let folder = Folder::new("bench")?;
    let mut figures = Figures { machine: machine::describe(folder.path())?, ..Figures::default() };
    let small = sample(args, FLOOR_ROWS, 0, Mix::Short);
    for engine in &args.database {
        let server =
            (*engine == Engine::Postgres).then(|| Postgres::start(PostgresOptions::default())).transpose()?;
        figures.floors.extend(floors(args, &small, &folder, server.as_ref())?);
        let database = match &server {
            Some(server) => Database::Postgres(server.fresh_database()?),
            None => Database::Sqlite,
        };
        eprintln!("answers on {} …", database.name());
        figures.answered.extend(measure(args, &database)?);
    }
    Ok(figures)
}

/// The bare loop with one answer in a transaction, and with as many as there are agents.
fn floors(
    args: &CommandsArgs,
    small: &Sample,
    folder: &Folder,
    server: Option<&Postgres>,
) -> Result<Vec<Floor>> {
    let mut groups = args.agents.clone();
    groups.push(1);
    groups.sort_unstable();
    groups.dedup();
    let database = server.map(Postgres::fresh_database).transpose()?;
    let measure = |group: &usize| match (&database, server.and_then(Postgres::pid)) {
        (Some(url), Some(pid)) => floor::postgres(url, pid, &small.mails, *group),
        _ => floor::sqlite(folder.path(), &small.mails, *group),
    };
    groups.iter().map(measure).collect()
}

fn sample(args: &CommandsArgs, count: usize, tag: u32, mix: Mix) -> Sample {
    let supports = vec![format!("support@{HOST}")];
    Sample::make(&Recipe { count, seed: args.seed.wrapping_add(u64::from(tag)), tag, supports, mix })
}

/// Fills a desk with tickets and measures every number of agents, with mail coming in and without.
fn measure(args: &CommandsArgs, database: &Database) -> Result<Vec<Answered>> {
    let inside = Inside::open(database)?;
    let mut accepted = take(args, &inside, &sample(args, args.tickets, 1, Mix::Short))?.count(Fate::Accepted);
    inside.wait_decided(accepted)?;
    let mut rows = Vec::new();
    for (agents, tag) in args.agents.iter().zip(2..) {
        let quiet = Duration::from_secs(args.quiet_seconds);
        let (alone, ()) = with_agents(args, &inside, *agents, || {
            thread::sleep(quiet);
            Ok(())
        })?;
        rows.push(alone.row(database, *agents, 0.0));
        let mails = sample(args, args.mails, tag, Mix::Desk);
        let (busy, sent) = with_agents(args, &inside, *agents, || take(args, &inside, &mails))?;
        accepted = accepted.saturating_add(sent.count(Fate::Accepted));
        rows.push(busy.row(database, *agents, rate(sent.count(Fate::Accepted), sent.took)));
        inside.wait_decided(accepted)?;
    }
    inside.stop();
    Ok(rows)
}

fn take(args: &CommandsArgs, inside: &Inside, sample: &Sample) -> Result<Sent> {
    let target = Target {
        protocol: Protocol::Smtp,
        addresses: vec![inside.door()],
        connections: args.connections,
        patience: Duration::from_secs(60),
        pace: Duration::ZERO,
    };
    send_all("the desk", &sample.mails, &target)
}

/// The waits of all answers of a run, ascending, and how long it took.
struct Waits {
    waits: Vec<Duration>,
    took: Duration,
}

impl Waits {
    fn row(&self, database: &Database, agents: usize, mail_rate: f64) -> Answered {
        Answered {
            database: database.name().to_owned(),
            agents,
            mail_rate,
            answers: self.waits.len(),
            rate: rate(self.waits.len(), self.took),
            p50_ms: ms(quantile(&self.waits, 0.5)),
            p99_ms: ms(quantile(&self.waits, 0.99)),
            longest_ms: ms(quantile(&self.waits, 1.0)),
        }
    }
}

/// Lets agents answer for as long as `meanwhile` takes.
fn with_agents<T: Send>(
    args: &CommandsArgs,
    inside: &Inside,
    agents: usize,
    meanwhile: impl FnOnce() -> Result<T>,
) -> Result<(Waits, T)> {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let begun = Instant::now();
        let answering = scope.spawn(|| answer(args, inside, agents, &is_over));
        let done = meanwhile();
        is_over.store(true, Ordering::Release);
        let mut waits = answering.join().map_err(|_| anyhow!("the agents panicked"))??;
        waits.sort_unstable();
        Ok((Waits { waits, took: begun.elapsed() }, done?))
    })
}

/// All agents side by side, each with a chance of its own.
fn answer(
    args: &CommandsArgs,
    inside: &Inside,
    agents: usize,
    is_over: &AtomicBool,
) -> Result<Vec<Duration>> {
    inside.runtime().block_on(async {
        let one = |number: usize| {
            let seed = args.seed.wrapping_add(u64::try_from(number).unwrap_or_default());
            agent(inside, Chance::new(seed), args.tickets, is_over)
        };
        // Futures of one task: submitting is waiting, and the work is done by the engine's own tasks and threads.
        let all = futures_util::future::try_join_all((0..agents).map(one)).await?;
        Ok(all.into_iter().flatten().collect())
    })
}

/// One agent: answers one ticket after the other until the time is over.
async fn agent(
    inside: &Inside,
    mut chance: Chance,
    tickets: usize,
    is_over: &AtomicBool,
) -> Result<Vec<Duration>> {
    let mut waits = Vec::new();
    while !is_over.load(Ordering::Acquire) {
        let number = i64::try_from(chance.index(tickets))?.saturating_add(1);
        let body = format!("We look into it. Reference {:016x}.", chance.bits());
        let update = Update { comment: Some(NewComment { body, is_public: true }), ..Update::default() };
        let command = Command::UpdateTicket { number, actor: inside.agent().clone(), update };
        let begun = Instant::now();
        let submitted = inside.engine().submit(inside.account(), command).await;
        submitted.with_context(|| format!("answering ticket {number}"))?;
        waits.push(begun.elapsed());
    }
    Ok(waits)
}

fn print(figures: &Figures) {
    for (name, value) in &figures.machine {
        println!("{name:<22} {value}");
    }
    println!();
    for floor in &figures.floors {
        println!("floor {:<10} × {:<4} {:>8.0} answers/s", floor.what, floor.group, floor.rate);
    }
    println!(
        "\n{:<10}{:>8}{:>10}{:>12}{:>9}{:>9}{:>10}{:>9}{:>9}  p99 under {AIM_P99_MS:.0} ms",
        "database", "agents", "mails/s", "answers/s", "p50 ms", "p99 ms", "most ms", "floor×1", "floor×n"
    );
    for row in &figures.answered {
        let verdict = match (row.mail_rate > 0.0, row.p99_ms < AIM_P99_MS) {
            (false, _) => "",
            (true, true) => "met",
            (true, false) => "MISSED",
        };
        println!(
            "{:<10}{:>8}{:>10.0}{:>12.0}{:>9.2}{:>9.2}{:>10.2}{:>9.2}{:>9.2}  {verdict}",
            row.database,
            row.agents,
            row.mail_rate,
            row.rate,
            row.p50_ms,
            row.p99_ms,
            row.longest_ms,
            ratio(row.rate, floor_rate(figures, &row.database, 1)),
            ratio(row.rate, floor_rate(figures, &row.database, row.agents))
        );
    }
    println!(
        "floor×1, ×n: answers/s by the bare loop's with one, with as many rows as agents in a transaction."
    );
}

fn floor_rate(figures: &Figures, database: &str, group: usize) -> f64 {
    let mut floors = figures.floors.iter().filter(|floor| floor.what == database);
    floors.find(|floor| floor.group == group).map_or(0.0, |floor| floor.rate)
}

#[cfg(test)]
mod tests {
    use super::{CommandsArgs, Engine, measure_all};

    #[test]
    fn answers_are_written_with_and_without_mail_on_both_databases() {
        let args = CommandsArgs {
            agents: vec![2],
            mails: 60,
            connections: 2,
            tickets: 10,
            quiet_seconds: 1,
            database: vec![Engine::Sqlite, Engine::Postgres],
            seed: 1,
            json: false,
        };
        let figures = measure_all(&args).expect("the benchmark runs");
        let runs: Vec<(&str, bool)> =
            figures.answered.iter().map(|row| (row.database.as_str(), row.mail_rate > 0.0)).collect();
        assert_eq!(runs, [("sqlite", false), ("sqlite", true), ("postgres", false), ("postgres", true)]);
        assert!(figures.answered.iter().all(|row| row.answers > 0), "{figures:?}");
        assert_eq!(figures.floors.len(), 4, "one row and two rows in a transaction, on both databases");
    }
}
