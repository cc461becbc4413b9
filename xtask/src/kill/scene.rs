//! Plays one scene: sets the stage, lets each round have its load and its fault, waits until all is quiet, and looks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde::de::DeserializeOwned;
use serde_json::Value;
use testkit::server::{Postgres, PostgresOptions, until};

use super::evidence::{Evidence, Posted};
use super::faults::{self, Fault};
use super::{Options, Scene};
use crate::load::chance::Chance;
use crate::load::connection::Protocol;
use crate::load::desk::{Database, Desk, DeskOptions, Node};
use crate::load::mails::{Mail, Mix, Recipe, Sample};
use crate::load::sender::{Control, Fate, Sent, Target, send};
use crate::load::sink::Sink;

/// Deliveries to the relay that one node has in progress at most.
const DELIVERIES_OF_A_NODE: usize = 20;

/// How long a claimed account stays claimed by a silent process; short, so that a scene with frozen ones stays short.
pub(super) const LEASE: Duration = Duration::from_secs(2);
/// How long the desk may take for what is left when all faults are over.
const QUIET_WITHIN: Duration = Duration::from_secs(180);

/// Everything a scene is played with. Fields drop in this order: processes before what they use.
pub(super) struct Stage {
    pub(super) nodes: Vec<Node>,
    pub(super) desk: Desk,
    pub(super) server: Option<Postgres>,
    pub(super) chance: Chance,
    sink: Sink,
    scene: Scene,
    connections: usize,
    posted: Vec<Posted>,
    /// Mails in doubt, with their places in `posted`.
    doubtful: Vec<(usize, Mail)>,
}

/// The load of one round, as a fault sees it.
pub(super) struct Load<'round> {
    pub(super) control: &'round Control,
    pub(super) is_over: &'round AtomicBool,
}

/// Plays a scene and returns what was seen at its end.
pub(super) fn play(options: &Options) -> Result<Evidence> {
    let mut stage = Stage::set(options)?;
    for round in 0..options.rounds {
        stage
            .round(round)
            .with_context(|| format!("round {round}"))
            .with_context(|| stage.desk.log_tail())?;
    }
    stage.finish(options.rounds)
}

impl Stage {
    fn set(options: &Options) -> Result<Self> {
        let sink = Sink::start(false)?;
        let with_server = options.scene != Scene::Sqlite;
        let server = with_server.then(|| Postgres::start(PostgresOptions::default())).transpose()?;
        let database = match &server {
            Some(server) => Database::Postgres(server.fresh_database()?),
            None => Database::Sqlite,
        };
        let lease = format!("[engine]\nlease = \"{}s\"\n", LEASE.as_secs());
        let desk = Desk::create(&DeskOptions {
            binary: options.binary.clone(),
            database,
            relay: Some(sink.address()),
            further: if with_server { lease } else { String::new() },
        })?;
        Ok(Self {
            nodes: Vec::new(),
            desk,
            server,
            chance: Chance::new(options.seed),
            sink,
            scene: options.scene,
            connections: options.connections,
            posted: Vec::new(),
            doubtful: Vec::new(),
        })
    }

    fn round(&mut self, round: usize) -> Result<()> {
        self.sink.begin_round(round);
        let fault = Fault::choose(self.scene, &mut self.chance);
        while self.nodes.len() < faults::processes(self.scene) {
            // A process that shall die while it comes up is not waited for.
            self.nodes.push(if fault == Fault::StartUp { self.desk.spawn()? } else { self.desk.start()? });
        }
        let sample = self.sample(round)?;
        let target = self.target();
        let (control, is_over) = (Control::default(), AtomicBool::new(false));
        let sent = thread::scope(|scope| {
            let sender = scope.spawn(|| {
                let sent = send(&sample.mails, &target, &control);
                is_over.store(true, Ordering::Release);
                sent
            });
            let struck = fault.strike(self, &Load { control: &control, is_over: &is_over });
            control.stop();
            let sent = sender.join().map_err(|_| anyhow!("the sender panicked"))?;
            struck
                .with_context(|| format!("{fault:?}; the sender heard {:?}", sent.complaints))
                .map(|()| sent)
        })?;
        self.note(round, sample, &sent);
        Ok(())
    }

    fn sample(&mut self, round: usize) -> Result<Sample> {
        let host = self.desk.native_host();
        let recipe = Recipe {
            count: if self.scene == Scene::Cluster { 1_500 } else { 400 },
            seed: self.chance.bits(),
            tag: u32::try_from(round)?.saturating_add(1),
            supports: vec![format!("support@{host}")],
            mix: Mix::Desk,
        };
        Ok(Sample::make(&recipe))
    }

    fn target(&self) -> Target {
        Target {
            protocol: Protocol::Smtp,
            addresses: self.nodes.iter().map(Node::smtp).collect(),
            connections: self.connections,
            patience: Duration::from_secs(30),
            // A frozen process takes its time: the load must last as long.
            pace: if self.scene == Scene::Cluster { Duration::from_millis(25) } else { Duration::ZERO },
        }
    }

    fn note(&mut self, round: usize, sample: Sample, sent: &Sent) {
        for (mail, fate) in sample.mails.into_iter().zip(&sent.fates) {
            let thread = (round, mail.thread);
            let message_id = mail.message_id.clone();
            if *fate == Fate::InDoubt {
                self.doubtful.push((self.posted.len(), mail));
            }
            self.posted.push(Posted { message_id, thread, fate: *fate, sent_again: false });
        }
    }

    /// Brings everything up, sends again what was in doubt as any mail server would, and waits until nothing moves.
    fn finish(mut self, rounds: usize) -> Result<Evidence> {
        self.sink.begin_round(rounds);
        while self.nodes.len() < faults::processes(self.scene) {
            self.nodes.push(self.desk.start()?);
        }
        let (places, mails): (Vec<usize>, Vec<Mail>) = std::mem::take(&mut self.doubtful).into_iter().unzip();
        let sent = send(&mails, &self.target(), &Control::default());
        for (place, fate) in places.iter().zip(&sent.fates) {
            if let Some(posted) = self.posted.get_mut(*place) {
                posted.fate = *fate;
                posted.sent_again = true;
            }
        }
        if let Err(error) = until("ledger and outbox come to rest", QUIET_WITHIN, || {
            self.is_quiet().map(|quiet| quiet.then_some(()))
        }) {
            // What is left over is named by the checks, one by one.
            eprintln!("{error:#}\n{}", self.desk.log_tail());
        }
        self.nodes.drain(..).try_for_each(Node::stop)?;
        Ok(Evidence {
            ledger: self.rows(&["ledger", "list"])?,
            tickets: self.rows(&["ticket", "list"])?,
            outbox: self.rows(&["outbox", "list"])?,
            taken: self.sink.taken(),
            deliveries_at_once: DELIVERIES_OF_A_NODE * faults::processes(self.scene),
            relay_peaks: (0..rounds).map(|round| self.sink.peak(round)).collect(),
            posted: self.posted,
        })
    }

    fn is_quiet(&self) -> Result<bool> {
        let ledger = self.desk.list(&["ledger", "list"])?;
        let is_decided = |row: &Value| row.get("outcome").is_some_and(Value::is_string);
        let is_inbound = |row: &&Value| row.get("direction").and_then(Value::as_str) == Some("in");
        if !ledger.iter().filter(is_inbound).all(is_decided) {
            return Ok(false);
        }
        let moves = |row: &Value| {
            let state = row.get("state").and_then(Value::as_str);
            state.is_none_or(|state| ["waiting", "queued", "sending", "deferred"].contains(&state))
        };
        Ok(!self.desk.list(&["outbox", "list"])?.iter().any(moves))
    }

    fn rows<T: DeserializeOwned>(&self, list: &[&str]) -> Result<Vec<T>> {
        let rows = self.desk.list(list)?.into_iter();
        let read = |row: Value| {
            serde_json::from_value(row.clone()).with_context(|| format!("a row of {list:?}: {row}"))
        };
        rows.map(read).collect()
    }
}
