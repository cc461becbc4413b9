//! `cargo xtask bench intake`: mails a second, CPU, waits, memory and disk, compared with the floor and Postfix in the
//! same run.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use testkit::server::{Folder, Postgres, PostgresOptions};

use super::figures::{BESIDE, Figures, GUICHET};
use super::served::Case;
use super::with::With;
use super::{build, floor, machine, postfix, report};
use crate::load::desk::Database;
use crate::load::mails::{Mix, Recipe, Sample};

/// The domain that Postfix stores.
const DOMAIN: &str = "bench.desk.example";

/// What to measure, and on how much.
#[derive(Debug, Clone, Args)]
pub struct IntakeArgs {
    /// Mails sent in each run.
    #[arg(long, default_value_t = 10_000)]
    pub mails: usize,
    /// Mails sent to Postfix in each run; it is far slower.
    #[arg(long, default_value_t = 3_000)]
    pub postfix_mails: usize,
    /// Numbers of connections, one run each.
    #[arg(long, value_delimiter = ',', default_value = "1,10,50")]
    pub connections: Vec<usize>,
    /// Databases.
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres")]
    pub database: Vec<Engine>,
    /// Flat cases besides the plain one: addresses=N, accounts=N, tickets=N.
    #[arg(long, value_delimiter = ',')]
    pub with: Vec<With>,
    /// Parts to measure; `guichet` alone takes a few seconds a run.
    #[arg(long, value_delimiter = ',', default_value = "floor,postfix,guichet")]
    pub only: Vec<Part>,
    /// Chooses texts and sizes of the sample.
    #[arg(long, default_value_t = 20_260_105)]
    pub seed: u64,
    /// Measure this program instead of a fresh release build.
    #[arg(long, visible_alias = "program", value_name = "PATH")]
    pub binary: Option<PathBuf>,
    /// Measure an older program too, in turns, and print the ratios.
    #[arg(long, value_name = "PATH")]
    pub beside: Option<PathBuf>,
    /// Rounds with --beside: each measures both programs once, in alternating order.
    #[arg(long, default_value_t = 3, requires = "beside")]
    pub rounds: usize,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    pub json: bool,
}

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// A throw-away PostgreSQL with real durability.
    Postgres,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Bare loops and parsing alone.
    Floor,
    /// Postfix into a Maildir.
    Postfix,
    /// The product.
    Guichet,
}

/// Runs the benchmark and prints what it found; as a debug build it becomes a release build first.
///
/// # Errors
/// When a build, a server or the product fails; never because a figure is bad.
pub fn run(args: &IntakeArgs) -> Result<()> {
    build::become_release()?;
    let figures = measure(args)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print!("{}", report::text(&figures));
    }
    Ok(())
}

fn measure(args: &IntakeArgs) -> Result<Figures> {
    let binary = match (&args.binary, args.only.contains(&Part::Guichet)) {
        (Some(binary), _) => binary.clone(),
        (None, true) => build::guichet(true)?,
        (None, false) => PathBuf::new(),
    };
    let folder = Folder::new("bench")?;
    let server = args
        .database
        .contains(&Engine::Postgres)
        .then(|| Postgres::start(PostgresOptions::default()))
        .transpose()?;
    let mut figures = Figures { machine: machine::describe(folder.path())?, ..Figures::default() };
    if let Some(server) = &server {
        figures.machine.push(machine::describe_postgres(&server.url())?);
    }
    let sample = plain_sample(args, args.mails, 0);
    figures.sample = (args.mails, sample.raw_size_bytes() / u64::try_from(args.mails.max(1))?);
    if args.only.contains(&Part::Floor) {
        floors(args, &sample, &folder, server.as_ref(), &mut figures)?;
    }
    drop(sample);
    if args.only.contains(&Part::Postfix) {
        let runs = args.connections.iter().zip(1_u32..);
        let samples: Vec<(usize, Sample)> = runs
            .map(|(connections, tag)| (*connections, plain_sample(args, args.postfix_mails, tag)))
            .collect();
        eprintln!("Postfix …");
        figures.postfix = postfix::measure(DOMAIN, &samples)?;
    }
    if args.only.contains(&Part::Guichet) {
        desks(args, &binary, server.as_ref(), &mut figures)?;
    }
    Ok(figures)
}

fn plain_sample(args: &IntakeArgs, count: usize, tag: u32) -> Sample {
    let supports = vec![format!("support@{DOMAIN}")];
    Sample::make(&Recipe { count, seed: args.seed, tag, supports, mix: Mix::Desk })
}

fn floors(
    args: &IntakeArgs,
    sample: &Sample,
    folder: &Folder,
    server: Option<&Postgres>,
    figures: &mut Figures,
) -> Result<()> {
    figures.parsing = Some(floor::parse(&sample.mails)?);
    let mut groups = args.connections.clone();
    groups.extend([1, 128]);
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        eprintln!("floor, {group} mails a transaction …");
        if args.database.contains(&Engine::Sqlite) {
            figures.floors.push(floor::sqlite(folder.path(), &sample.mails, group)?);
        }
        if let Some((url, pid)) = postgres_of(server)? {
            figures.floors.push(floor::postgres(&url, pid, &sample.mails, group)?);
        }
    }
    Ok(())
}

fn desks(
    args: &IntakeArgs,
    binary: &std::path::Path,
    server: Option<&Postgres>,
    figures: &mut Figures,
) -> Result<()> {
    for engine in &args.database {
        for with in std::iter::once(None).chain(args.with.iter().copied().map(Some)) {
            for (what, program) in turns(args, binary) {
                let (database, server) = match (engine, postgres_of(server)?) {
                    (Engine::Postgres, Some((url, pid))) => (Database::Postgres(url), Some(pid)),
                    _ => (Database::Sqlite, None),
                };
                let shown = with.map(|with| with.to_string()).unwrap_or_default();
                eprintln!("{what} on {} {shown} …", database.name());
                let case = Case {
                    what,
                    binary: program.to_owned(),
                    database,
                    server,
                    with,
                    connections: args.connections.clone(),
                    mails: args.mails,
                    seed: args.seed,
                };
                let (rows, disk) = case.measure()?;
                figures.guichet.extend(rows);
                figures.disk.push(disk);
            }
        }
    }
    Ok(())
}

/// Which programs are measured one after the other. The machine's pace changes by the minute, so the two take turns, and the
/// one that came second comes first the next time.
fn turns<'a>(args: &'a IntakeArgs, binary: &'a std::path::Path) -> Vec<(&'static str, &'a std::path::Path)> {
    let ours = (GUICHET, binary);
    let Some(beside) = args.beside.as_deref() else { return vec![ours] };
    let theirs = (BESIDE, beside);
    (0..args.rounds).flat_map(|round| if round % 2 == 0 { [theirs, ours] } else { [ours, theirs] }).collect()
}

/// A fresh database of the server, and the postmaster's process id.
fn postgres_of(server: Option<&Postgres>) -> Result<Option<(String, u32)>> {
    server.map(|server| Ok((server.fresh_database()?, server.pid().unwrap_or(0)))).transpose()
}

#[cfg(test)]
mod tests {
    use super::{IntakeArgs, turns};
    use clap::{Args as _, Command, FromArgMatches as _};
    use std::path::Path;

    fn args(line: &str) -> IntakeArgs {
        let words = std::iter::once("intake").chain(line.split_whitespace());
        let matches = IntakeArgs::augment_args(Command::new("intake")).get_matches_from(words);
        IntakeArgs::from_arg_matches(&matches).expect("the line is right")
    }

    #[test]
    fn two_programs_take_turns_and_begin_in_turn() {
        let names = |line: &str| -> Vec<&str> {
            turns(&args(line), Path::new("new")).into_iter().map(|(what, _)| what).collect()
        };
        assert_eq!(names(""), ["guichet"]);
        assert_eq!(
            names("--beside old --rounds 3"),
            ["beside", "guichet", "guichet", "beside", "beside", "guichet"]
        );
    }
}
