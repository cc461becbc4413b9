//! The faults of a round: who dies or freezes, and when.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Scene;
use super::stage::{LEASE, Load, Stage};
use crate::load::chance::Chance;

/// How long the desk may take to accept mail again, and to accept what the fault waits for.
const ACCEPTS_WITHIN: Duration = Duration::from_secs(60);
/// Mails that must be accepted after a fault that the process outlives.
const AFTERWARDS: usize = 20;

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// `guichet serve` is killed under load.
    Process,
    /// `guichet serve` is killed while it starts and the senders are already knocking.
    StartUp,
    /// PostgreSQL is killed under load and started again; `guichet serve` lives on and must take mail again.
    Server,
    /// Both are killed under load.
    Both,
    /// Of three processes one is killed and another frozen beyond its lease; the frozen one wakes up.
    KillAndFreeze,
}

/// How many processes a scene has.
pub(super) fn processes(scene: Scene) -> usize {
    if scene == Scene::Cluster { 3 } else { 1 }
}

impl Fault {
    /// Draws the fault of a round.
    pub(super) fn choose(scene: Scene, chance: &mut Chance) -> Self {
        match (scene, chance.between(1, 4)) {
            (Scene::Cluster, _) => Self::KillAndFreeze,
            (_, 1) => Self::StartUp,
            (Scene::Postgres, 2) => Self::Server,
            (Scene::Postgres, 3) => Self::Both,
            _ => Self::Process,
        }
    }

    /// Waits for the moment and strikes; afterwards the killed processes are removed from the stage.
    pub(super) fn strike(self, stage: &mut Stage, load: &Load<'_>) -> Result<()> {
        if self == Self::StartUp {
            thread::sleep(random_ms(&mut stage.chance, 400));
            return kill_process(stage);
        }
        let before = usize::try_from(stage.chance.between(1, 150))?;
        load.wait_accepted(before)?;
        thread::sleep(random_ms(&mut stage.chance, 20));
        match self {
            Self::Process | Self::StartUp => kill_process(stage),
            Self::Server => {
                kill_server(stage)?;
                load.wait_accepted(load.control.accepted().saturating_add(AFTERWARDS))
            }
            Self::Both if stage.chance.odds(1, 2) => kill_server(stage).and_then(|()| kill_process(stage)),
            Self::Both => kill_process(stage).and_then(|()| kill_server(stage)),
            Self::KillAndFreeze => kill_and_freeze(stage, load),
        }
    }
}

impl Load<'_> {
    /// Waits until so many mails of the round were accepted, or all were sent.
    fn wait_accepted(&self, goal: usize) -> Result<()> {
        let begun = Instant::now();
        while self.control.accepted() < goal && !self.is_over.load(Ordering::Acquire) {
            if begun.elapsed() > ACCEPTS_WITHIN {
                let accepted = self.control.accepted();
                let deferred = self.control.deferred();
                bail!(
                    "{accepted} of {goal} mails accepted after {ACCEPTS_WITHIN:?}, {deferred} answers of 4xx"
                );
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

fn random_ms(chance: &mut Chance, most: u64) -> Duration {
    Duration::from_millis(chance.between(0, most))
}

fn kill_process(stage: &mut Stage) -> Result<()> {
    let place = stage.chance.index(stage.nodes.len());
    if place < stage.nodes.len() {
        stage.nodes.swap_remove(place).kill()
    } else {
        bail!("no process to kill")
    }
}

fn kill_server(stage: &mut Stage) -> Result<()> {
    let pause = random_ms(&mut stage.chance, 300);
    let server = stage.server.as_mut().context("this scene has no database server")?;
    server.kill()?;
    thread::sleep(pause);
    server.restart()
}

fn kill_and_freeze(stage: &mut Stage, load: &Load<'_>) -> Result<()> {
    kill_process(stage)?;
    let place = stage.chance.index(stage.nodes.len());
    let beyond =
        LEASE.saturating_add(random_ms(&mut stage.chance, 1_500)).saturating_add(Duration::from_millis(300));
    let frozen = stage.nodes.get(place).context("no process to freeze")?;
    let accepted = load.control.accepted();
    frozen.freeze()?;
    thread::sleep(beyond);
    // The third one carries on alone meanwhile.
    let meanwhile = load.wait_accepted(accepted.saturating_add(AFTERWARDS));
    frozen.thaw()?;
    meanwhile?;
    load.wait_accepted(load.control.accepted().saturating_add(AFTERWARDS))
}
