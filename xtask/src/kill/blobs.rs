//! The scene of blobs that cannot be read: all of them on one of two nodes, and those of one account everywhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use testkit::server::{Postgres, PostgresOptions};

use super::act::{Act, ActOptions, Load, PATIENCE, QUIET_WITHIN, Roles};
use super::mount::Place;
use super::report::Report;
use super::{Length, Options};
use crate::load::desk::{ACCOUNT, Environment};
use crate::load::mails::Mix;
use crate::load::sender::Fate;
use crate::load::sink::SinkOptions;

/// How long waiting work may take after the repair: the pauses of an account that failed grow up to a minute.
const REPAIRED_WITHIN: Duration = Duration::from_secs(90);
/// Accounts of an act.
const ACCOUNTS: usize = 3;
/// Mails of one load; a tenth of them are large.
const MAILS: usize = 40;

/// What the sick node finds in place of the blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// An empty folder, as when nothing is mounted there: blobs are missing.
    Empty,
    /// Files where folders should be: blobs cannot be read.
    Unreadable,
}

/// Plays a sick node with each fault, and an account whose blobs nobody can read; the short version has one sick node.
pub(super) fn play(options: &Options, report: &mut Report) -> Result<()> {
    let server = Postgres::start(PostgresOptions::default())?;
    let faults: &[Fault] = match options.length {
        Length::Short => &[Fault::Empty],
        Length::Long => &[Fault::Empty, Fault::Unreadable],
    };
    for fault in faults {
        sick_node(options, &server, *fault, report)?;
    }
    sick_account(options, &server, report)
}

/// The node that held all accounts loses its blobs; the other one, which is healthy, must take over.
fn sick_node(options: &Options, server: &Postgres, fault: Fault, report: &mut Report) -> Result<()> {
    let mut act = Act::set(&act_options(options, server))?;
    let shared = act.desk.blobs();
    let mut place = Place::make(act.desk.data().join("blobs-of-the-sick"))?;
    fs::create_dir_all(&shared)?;
    place.show(&shared)?;
    act.start("sick", Roles::ALL, blobs_at(place.path()))?;
    large_load(&mut act, &["sick"])?;
    act.settle(QUIET_WITHIN);
    act.start("well", Roles::ALL, Environment::new())?;

    break_blobs(&mut place, fault, &shared)?;
    act.falls_ill("sick");
    large_load(&mut act, &["well"])?;
    // The sick node is offered large mail only after the patience: it may take a moment to notice its fault.
    thread::sleep(PATIENCE);
    act.settle(QUIET_WITHIN);
    let complaints = ask_the_sick(&mut act)?;
    act.settle(QUIET_WITHIN);

    place.show(&shared)?;
    thread::sleep(PATIENCE);
    act.recovers("sick");
    large_load(&mut act, &["sick", "well"])?;
    act.settle(REPAIRED_WITHIN);
    let evidence = act.finish()?;
    report.add(&format!("a node with blobs {fault:?}"), &evidence, complaints);
    Ok(())
}

fn blobs_at(path: &Path) -> Environment {
    vec![("GUICHET_BLOBS__URL".to_owned(), format!("file:{}", path.display()).into())]
}

fn break_blobs(place: &mut Place, fault: Fault, shared: &Path) -> Result<()> {
    match fault {
        Fault::Empty => place.take_away(),
        Fault::Unreadable => {
            let folder = place.path().with_file_name("rubbish");
            fs::create_dir_all(&folder)?;
            for entry in fs::read_dir(shared)? {
                fs::write(folder.join(entry?.file_name()), "neither a folder nor a blob\n")?;
            }
            place.show(&folder)
        }
    }
}

/// A node that cannot reach the blobs must not accept a large mail: only it could ever read it.
fn ask_the_sick(act: &mut Act) -> Result<Vec<String>> {
    let accounts = act.accounts.clone();
    let load = Load { doors: &["sick"], count: 20, ..load(&accounts, &[]) };
    let sample = act.sample(&load)?;
    let is_large = |size: usize| size > 300_000;
    let sizes: Vec<usize> = sample.mails.iter().map(|mail| mail.wire().len()).collect();
    let sent = act.try_once(sample, "sick")?;
    let accepted =
        sizes.iter().zip(&sent.fates).filter(|(size, fate)| is_large(**size) && **fate == Fate::Accepted);
    let count = accepted.count();
    Ok(if count == 0 { Vec::new() } else { vec![format!("the sick node accepted {count} large mails")] })
}

/// All blobs of one account turn into folders: it has to wait, and nobody else has to.
fn sick_account(options: &Options, server: &Postgres, report: &mut Report) -> Result<()> {
    let mut act = Act::set(&act_options(options, server))?;
    let accounts = act.accounts.clone();
    act.start("doors", Roles::DOORS, Environment::new())?;
    act.load_accepted(&load(&accounts, &["doors"]))?;
    let folder = blob_folder(&act)?;
    let away = spoil(&folder)?;
    act.exempt.push(ACCOUNT.to_owned());
    act.start("first", Roles::ENGINE_AND_OUTBOX, Environment::new())?;
    act.start("second", Roles::ENGINE_AND_OUTBOX, Environment::new())?;
    act.load_accepted(&load(&accounts, &["doors"]))?;
    thread::sleep(PATIENCE);
    act.load_accepted(&load(&accounts, &["doors"]))?;
    thread::sleep(PATIENCE);
    restore(&folder, away)?;
    act.settle(REPAIRED_WITHIN);
    let evidence = act.finish()?;
    report.add("an account whose blobs nobody can read", &evidence, Vec::new());
    Ok(())
}

/// The folder with the blobs of the account `bench`.
fn blob_folder(act: &Act) -> Result<PathBuf> {
    let listed = act.desk.command(&["account", "list"])?;
    let rows = listed.as_array().context("account list printed no list")?;
    let is_ours = |row: &&serde_json::Value| row.get("subdomain").is_some_and(|name| name == ACCOUNT);
    let id = rows.iter().find(is_ours).and_then(|row| row.get("id")).context("no account bench")?;
    let folder = act.desk.blobs().join(id.to_string());
    ensure!(folder.is_dir(), "the load has no large mail: {} is missing", folder.display());
    Ok(folder)
}

/// Puts a folder in the place of each file; returns where the files are now.
fn spoil(folder: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let away = folder.with_extension("away");
    fs::create_dir(&away)?;
    let mut moved = Vec::new();
    for (number, file) in files(folder)?.into_iter().enumerate() {
        let kept = away.join(number.to_string());
        fs::rename(&file, &kept)?;
        fs::create_dir(&file)?;
        moved.push((file, kept));
    }
    Ok(moved)
}

fn restore(folder: &Path, moved: Vec<(PathBuf, PathBuf)>) -> Result<()> {
    for (file, kept) in moved {
        fs::remove_dir(&file)?;
        fs::rename(kept, file)?;
    }
    Ok(fs::remove_dir(folder.with_extension("away"))?)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

fn large_load(act: &mut Act, doors: &[&str]) -> Result<()> {
    let accounts = act.accounts.clone();
    act.load_accepted(&load(&accounts, doors))
}

fn load<'a>(accounts: &'a [String], doors: &'a [&'a str]) -> Load<'a> {
    Load { count: MAILS, mix: Mix::Large, accounts, doors, connections: 2, pace: Duration::from_millis(50) }
}

fn act_options<'a>(options: &Options, server: &'a Postgres) -> ActOptions<'a> {
    ActOptions {
        binary: options.binary.clone(),
        seed: options.seed,
        server: Some(server),
        accounts: ACCOUNTS,
        is_watched: true,
        relay: SinkOptions::default(),
    }
}
