//! `cargo xtask kill`: processes and databases die at random moments under load, and afterwards every mail is counted.
//!
//! The load has a seed that is printed; a moment is "after so many 250s and so many milliseconds", so a seed gives much
//! the same run again. What must hold is in [`check`]: it compares what the sender was told, what the ledger, the tickets
//! and the outbox say, and what the relay (a sink of our own) took.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::bench::build;

pub mod check;
pub mod evidence;
mod faults;
mod scene;

/// What to kill, and how often.
#[derive(Debug, Clone, Args)]
pub struct KillArgs {
    /// Rounds in each scene; each has one fault.
    #[arg(long, default_value_t = 200)]
    pub rounds: usize,
    /// Scenes.
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres,cluster")]
    pub scene: Vec<Scene>,
    /// Repeats the moments and mails of an earlier run; random when not given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Connections of the sender.
    #[arg(long, default_value_t = 8)]
    pub connections: usize,
    /// Kill this program instead of a fresh debug build.
    #[arg(long)]
    pub binary: Option<PathBuf>,
    /// Use a release build.
    #[arg(long)]
    pub release: bool,
}

/// Which parts there are and which of them die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scene {
    /// One process on SQLite; it is killed.
    Sqlite,
    /// One process on PostgreSQL; it, the database server, or both are killed.
    Postgres,
    /// Three processes on one PostgreSQL; one is killed and one frozen beyond its lease.
    Cluster,
}

/// One scene to be played.
#[derive(Debug, Clone)]
pub struct Options {
    /// The built program.
    pub binary: PathBuf,
    /// Which scene.
    pub scene: Scene,
    /// Number of faults.
    pub rounds: usize,
    /// Chooses moments, faults and mails.
    pub seed: u64,
    /// Connections of the sender.
    pub connections: usize,
}

/// Plays the scenes and prints what was counted.
///
/// # Errors
/// When a count is wrong, each wrong one named; or when a build, a server or the product does not come up.
pub fn run(args: &KillArgs) -> Result<()> {
    let binary = args.binary.clone().map_or_else(|| build::guichet(args.release), Ok)?;
    let seed = args.seed.unwrap_or_else(rand::random);
    for scene in &args.scene {
        let options = Options {
            binary: binary.clone(),
            scene: *scene,
            rounds: args.rounds,
            seed,
            connections: args.connections,
        };
        println!("{scene:?}: {} rounds, seed {seed}", args.rounds);
        println!("{}", play(&options)?);
    }
    Ok(())
}

/// Plays one scene to its end and returns the counts.
///
/// # Errors
/// When a count is wrong, or a server or the product does not come up.
pub fn play(options: &Options) -> Result<check::Counts> {
    let evidence =
        scene::play(options).with_context(|| format!("{:?} with seed {}", options.scene, options.seed))?;
    let (counts, violations) = check::check(&evidence);
    if violations.is_empty() {
        return Ok(counts);
    }
    let shown: Vec<&str> = violations.iter().take(30).map(String::as_str).collect();
    bail!(
        "{:?} with seed {}: {} wrong counts ({counts}):\n{}",
        options.scene,
        options.seed,
        violations.len(),
        shown.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::{Options, Scene, play};
    use crate::bench::build;
    use std::path::PathBuf;

    fn check(scene: Scene, rounds: usize) {
        let built = std::env::var_os("GUICHET_BIN").map(PathBuf::from);
        let binary = built.unwrap_or_else(|| build::guichet(false).expect("the program builds"));
        let seed = rand::random();
        let counts =
            play(&Options { binary, scene, rounds, seed, connections: 8 }).expect("every count is right");
        println!("{scene:?}, seed {seed}: {counts}");
        assert!(counts.accepted > rounds, "there was load: {counts}");
        assert!(counts.outgoing > 0, "there was outgoing mail: {counts}");
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
}
