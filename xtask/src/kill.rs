//! `cargo xtask kill`: whatever can go wrong goes wrong under load, and afterwards every mail is counted.
//!
//! In the first three scenes processes and databases die at random moments (`scene`); in the others they live on, and
//! something around them is wrong (`act`): a clock, the blobs, the relay, a snapshot that somebody holds. The load has
//! a seed, which is printed; a moment is "after so many 250s and so many milliseconds", so the same seed gives much the
//! same run. What must hold is in `check`: it compares what the sender was told, what the ledger, the tickets and the
//! outbox say, what the relay (a sink of our own) took, and how long everything waited.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::bench::build;
use report::Report;

mod act;
mod blobs;
pub mod check;
mod clock_shim;
mod clocks;
mod crowd;
pub mod evidence;
mod faults;
mod mount;
mod newer_schema;
mod old_snapshot;
mod read;
mod refusals;
mod report;
mod scene;
mod stage;
mod watch;

/// Which scenes to play, and how often.
#[derive(Debug, Clone, Args)]
pub struct KillArgs {
    /// Rounds in each scene in which somebody dies; each has one fault.
    #[arg(long, default_value_t = 200)]
    pub rounds: usize,
    /// Scenes.
    #[arg(long, value_delimiter = ',', default_values = SCENES)]
    pub scene: Vec<Scene>,
    /// Repeat the moments and mails of an earlier run; random by default.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Connections of the sender in the scenes in which somebody dies.
    #[arg(long, default_value_t = 8)]
    pub connections: usize,
    /// Play with this program instead of a fresh debug build.
    #[arg(long, visible_alias = "program", value_name = "PATH")]
    pub binary: Option<PathBuf>,
    /// Use a release build.
    #[arg(long)]
    pub release: bool,
    /// Play the short versions, as the test suite does.
    #[arg(long)]
    pub short: bool,
}

/// All scenes by their words.
const SCENES: [&str; 9] =
    ["sqlite", "postgres", "cluster", "clocks", "blobs", "crowd", "refusals", "old-snapshot", "newer-schema"];

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scene {
    /// One process on SQLite; it is killed.
    Sqlite,
    /// One process on PostgreSQL; it, the database server, or both are killed.
    Postgres,
    /// Three processes on one PostgreSQL; one is killed and one frozen beyond its lease.
    Cluster,
    /// Two processes whose clocks differ, and a command from a machine that is ahead.
    Clocks,
    /// Only one of two nodes can read the blobs, or, for one account, nobody can.
    Blobs,
    /// Many accounts, two nodes that send, and a slow relay.
    Crowd,
    /// A relay that defers some mails and refuses others.
    Refusals,
    /// Somebody holds an old snapshot of the database.
    OldSnapshot,
    /// A newer version has added to the database.
    NewerSchema,
}

/// How much of a scene is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// A part that takes seconds, for the test suite.
    Short,
    /// All of it.
    Long,
}

/// One scene to be played.
#[derive(Debug, Clone)]
pub struct Options {
    /// The built program.
    pub binary: PathBuf,
    /// Which scene.
    pub scene: Scene,
    /// How much of it, where nobody dies.
    pub length: Length,
    /// Number of faults, where somebody dies.
    pub rounds: usize,
    /// Chooses moments, faults and mails.
    pub seed: u64,
    /// Connections of the sender, where somebody dies.
    pub connections: usize,
}

/// Plays the scenes one after the other, and prints what was counted.
///
/// # Errors
/// After the last scene, if counts were wrong, naming each; or when a build fails, or a server or the product does not
/// come up.
pub fn run(args: &KillArgs) -> Result<()> {
    let binary = args.binary.clone().map_or_else(|| build::guichet(args.release), Ok)?;
    let binary = binary.canonicalize().with_context(|| format!("finding {}", binary.display()))?;
    let seed = args.seed.unwrap_or_else(rand::random);
    let mut failed = Vec::new();
    for scene in &args.scene {
        let options = Options {
            binary: binary.clone(),
            scene: *scene,
            length: if args.short { Length::Short } else { Length::Long },
            rounds: args.rounds,
            seed,
            connections: args.connections,
        };
        println!("{scene:?}: seed {seed}");
        match play(&options) {
            Ok(counts) => println!("{scene:?}: {counts}"),
            Err(error) => {
                println!("{scene:?}: FAILED: {error:#}");
                failed.push(format!("{scene:?}"));
            }
        }
    }
    anyhow::ensure!(failed.is_empty(), "scenes that failed with seed {seed}: {}", failed.join(", "));
    Ok(())
}

/// Plays one scene to its end and returns the counts.
///
/// # Errors
/// When a count is wrong, or a server or the product does not come up.
pub fn play(options: &Options) -> Result<check::Counts> {
    let name = format!("{:?} with seed {}", options.scene, options.seed);
    let mut report = Report::default();
    let played = match options.scene {
        Scene::Sqlite | Scene::Postgres | Scene::Cluster => scene::play(options, &mut report),
        Scene::Clocks => clocks::play(options, &mut report),
        Scene::Blobs => blobs::play(options, &mut report),
        Scene::Crowd => crowd::play(options, &mut report),
        Scene::Refusals => refusals::play(options, &mut report),
        Scene::OldSnapshot => old_snapshot::play(options, &mut report),
        Scene::NewerSchema => newer_schema::play(options, &mut report),
    };
    played.with_context(|| name.clone())?;
    report.end(&name)
}

#[cfg(test)]
mod tests {
    use super::{Length, Options, SCENES, Scene, play};
    use crate::bench::build;
    use crate::kill::check::Counts;
    use clap::ValueEnum;
    use std::path::PathBuf;

    fn check(scene: Scene, rounds: usize) -> Counts {
        let built = std::env::var_os("GUICHET_BIN").map(PathBuf::from);
        let binary = built.unwrap_or_else(|| build::guichet(false).expect("the program builds"));
        let seed = rand::random();
        let options = Options { binary, scene, length: Length::Short, rounds, seed, connections: 8 };
        let counts = play(&options).expect("every count is right");
        println!("{scene:?}, seed {seed}: {counts}");
        assert!(counts.accepted > rounds, "there was load: {counts}");
        assert!(counts.outgoing > 0, "there was outgoing mail: {counts}");
        counts
    }

    #[test]
    fn every_scene_is_played_by_default() {
        let words: Vec<_> = Scene::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
        let words: Vec<&str> = words.iter().map(clap::builder::PossibleValue::get_name).collect();
        assert_eq!(words, SCENES);
    }

    #[test]
    fn nothing_is_lost_or_doubled_when_the_process_dies_on_sqlite() {
        check(Scene::Sqlite, 20);
    }

    #[test]
    fn nothing_is_lost_or_doubled_when_process_or_database_die_on_postgres() {
        check(Scene::Postgres, 20);
    }

    #[test]
    fn nothing_is_lost_or_doubled_when_nodes_of_three_die_or_freeze() {
        check(Scene::Cluster, 5);
    }

    #[test]
    fn what_a_relay_defers_leaves_once_and_what_it_refuses_bounces() {
        let counts = check(Scene::Refusals, 0);
        assert!(counts.bounced > 0, "the relay refused something: {counts}");
    }

    #[test]
    fn an_old_snapshot_delays_nothing() {
        check(Scene::OldSnapshot, 0);
    }

    #[test]
    fn a_newer_version_that_only_added_stops_nobody() {
        check(Scene::NewerSchema, 0);
    }
}
