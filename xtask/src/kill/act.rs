//! An act: one desk with its processes, its relay and its load, and how long everything waited by the harness's own clock.
//!
//! The scenes in which nobody dies are made of acts; those in which processes die have rounds ([`super::scene`]).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use testkit::server::{Postgres, until};

use super::evidence::{Answer, Evidence, Healthy, Posted, TicketRow, Timed};
use super::read;
use super::watch::Watch;
use crate::load::chance::Chance;
use crate::load::connection::Protocol;
use crate::load::desk::{ACCOUNT, Database, Desk, DeskOptions, Environment, Node, NodeOptions};
use crate::load::mails::{Mix, Recipe, Sample};
use crate::load::sender::{Control, Fate, Sent, Target, send, send_once};
use crate::load::sink::{Sink, SinkOptions};

/// How long work may lie idle while a healthy process has nothing to do.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long a healthy desk may take for all that is left: deciding and sending each have their own patience.
pub(super) const QUIET_WITHIN: Duration = Duration::from_secs(30);

/// What an act begins with.
#[derive(Debug)]
pub(super) struct ActOptions<'a> {
    /// The built program.
    pub(super) binary: PathBuf,
    /// Determines the mails and everything else that is left to chance.
    pub(super) seed: u64,
    /// Where the desk keeps its data: a fresh database of this server, or the embedded one.
    pub(super) server: Option<&'a Postgres>,
    /// How many accounts there are.
    pub(super) accounts: usize,
    /// Whether the ledger is watched while the act goes on; with very many accounts that would take too long.
    pub(super) is_watched: bool,
    /// How the relay behaves.
    pub(super) relay: SinkOptions,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Roles {
    /// Takes mail.
    pub(super) has_doors: bool,
    /// Decides it.
    pub(super) has_engine: bool,
    /// Sends it.
    pub(super) has_outbox: bool,
}

impl Roles {
    pub(super) const ALL: Self = Self { has_doors: true, has_engine: true, has_outbox: true };
    pub(super) const DOORS: Self = Self { has_doors: true, has_engine: false, has_outbox: false };
    pub(super) const DOORS_AND_ENGINE: Self = Self { has_doors: true, has_engine: true, has_outbox: false };
    pub(super) const ENGINE_AND_OUTBOX: Self = Self { has_doors: false, has_engine: true, has_outbox: true };
    pub(super) const OUTBOX: Self = Self { has_doors: false, has_engine: false, has_outbox: true };

    /// As `GUICHET_ROLES` names them. Every process has pages: they tell when it is ready.
    fn words(self) -> String {
        let named = [("smtp", self.has_doors), ("engine", self.has_engine), ("outbox", self.has_outbox)];
        let words = named.into_iter().filter(|(_, has)| *has).map(|(word, _)| word);
        words.chain(["web"]).collect::<Vec<_>>().join(",")
    }
}

/// One load: mails that are sent now.
#[derive(Debug, Clone)]
pub(super) struct Load<'a> {
    /// How many.
    pub(super) count: usize,
    /// Which kinds.
    pub(super) mix: Mix,
    /// The accounts they are written to.
    pub(super) accounts: &'a [String],
    /// The processes whose doors take them, by their names.
    pub(super) doors: &'a [&'a str],
    /// Connections at the same time.
    pub(super) connections: usize,
    /// Pause of each connection after each mail.
    pub(super) pace: Duration,
}

/// A process of the act.
#[derive(Debug)]
struct Playing {
    node: Node,
    roles: Roles,
    /// Since when nothing of what it needs is broken.
    healthy_from: Option<Instant>,
}

/// An act in progress. Fields drop in this order: processes before what they use.
#[derive(Debug)]
pub(super) struct Act {
    playing: Vec<Playing>,
    watch: Option<Watch>,
    pub(super) desk: Arc<Desk>,
    /// `postgres://…`; none on SQLite.
    pub(super) url: Option<String>,
    pub(super) accounts: Vec<String>,
    hosts: Vec<String>,
    pub(super) sink: Sink,
    pub(super) chance: Chance,
    pub(super) posted: Vec<Posted>,
    answers: Vec<Answer>,
    healthy: Vec<Healthy>,
    loads: usize,
    /// Accounts that have to wait; none of their waits is wrong.
    pub(super) exempt: Vec<String>,
}

impl Act {
    /// Creates the desk with its accounts; no process runs yet.
    ///
    /// # Errors
    /// When the server or the program refuses.
    pub(super) fn set(options: &ActOptions<'_>) -> Result<Self> {
        let sink = Sink::start(options.relay.clone())?;
        let url = options.server.map(Postgres::fresh_database).transpose()?;
        let desk = Desk::create(&DeskOptions {
            binary: options.binary.clone(),
            database: url.clone().map_or(Database::Sqlite, Database::Postgres),
            relay: Some(sink.address()),
            further: String::new(),
        })?;
        let mut accounts = vec![ACCOUNT.to_owned()];
        let mut hosts = vec![desk.native_host().to_owned()];
        for number in 1..options.accounts {
            let account = format!("other{number}");
            hosts.push(desk.create_account(&account)?);
            accounts.push(account);
        }
        let desk = Arc::new(desk);
        let watch = options.is_watched.then(|| Watch::begin(Arc::clone(&desk), accounts.clone()));
        Ok(Self {
            playing: Vec::new(),
            watch,
            desk,
            url,
            accounts,
            hosts,
            sink,
            chance: Chance::new(options.seed),
            posted: Vec::new(),
            answers: Vec::new(),
            healthy: Vec::new(),
            loads: 0,
            exempt: Vec::new(),
        })
    }

    /// Starts a process and waits until it is ready.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) fn start(&mut self, name: &str, roles: Roles, mut environment: Environment) -> Result<()> {
        environment.push(("GUICHET_ROLES".to_owned(), roles.words().into()));
        let node = self.desk.start_as(&NodeOptions { name: Some(name.to_owned()), environment })?;
        self.playing.push(Playing { node, roles, healthy_from: Some(Instant::now()) });
        Ok(())
    }

    /// A process by its name.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn node(&self, name: &str) -> Result<&Node> {
        let found = self.playing.iter().find(|playing| playing.node.name() == name);
        found.map(|playing| &playing.node).with_context(|| format!("no process is named {name}"))
    }

    /// Stops a process gracefully.
    ///
    /// # Errors
    /// When it does not end in time.
    pub(super) fn stop(&mut self, name: &str) -> Result<()> {
        self.falls_ill(name);
        let place = self.playing.iter().position(|playing| playing.node.name() == name);
        let place = place.with_context(|| format!("no process is named {name}"))?;
        self.playing.remove(place).node.stop()
    }

    /// Notes that something a process needs is broken from now on.
    pub(super) fn falls_ill(&mut self, name: &str) {
        let now = Instant::now();
        for playing in self.playing.iter_mut().filter(|playing| playing.node.name() == name) {
            self.healthy.extend(playing.until(now));
            playing.healthy_from = None;
        }
    }

    /// Notes that a process has everything it needs again.
    pub(super) fn recovers(&mut self, name: &str) {
        for playing in self.playing.iter_mut().filter(|playing| playing.node.name() == name) {
            playing.healthy_from = Some(Instant::now());
        }
    }

    /// Sends mails, and returns when each has its answer.
    ///
    /// # Errors
    /// When a door is not there.
    pub(super) fn load(&mut self, load: &Load<'_>) -> Result<Sent> {
        let sample = self.sample(load)?;
        let doors = load.doors.iter().map(|name| Ok(self.node(name)?.smtp()));
        let target = Target {
            protocol: Protocol::Smtp,
            addresses: doors.collect::<Result<_>>()?,
            connections: load.connections,
            patience: Duration::from_secs(30),
            pace: load.pace,
        };
        let sent = send(&sample.mails, &target, &Control::default());
        self.note(sample, &sent);
        Ok(sent)
    }

    /// Sends mails that must all be accepted.
    ///
    /// # Errors
    /// When one is not.
    pub(super) fn load_accepted(&mut self, load: &Load<'_>) -> Result<()> {
        let sent = self.load(load)?;
        let accepted = sent.count(Fate::Accepted);
        ensure!(accepted == load.count, "{accepted} of {} mails accepted: {:?}", load.count, sent.complaints);
        Ok(())
    }

    /// Mails drawn from the act's own chance, under Message-IDs that no other load has.
    ///
    /// # Errors
    /// When an account is unknown.
    pub(super) fn sample(&mut self, load: &Load<'_>) -> Result<Sample> {
        let support = |account: &String| {
            let place = self.accounts.iter().position(|known| known == account);
            let host = place.and_then(|place| self.hosts.get(place));
            host.map(|host| format!("support@{host}")).with_context(|| format!("no account {account}"))
        };
        let supports = load.accounts.iter().map(support).collect::<Result<_>>()?;
        self.loads = self.loads.saturating_add(1);
        Ok(Sample::make(&Recipe {
            count: load.count,
            seed: self.chance.bits(),
            tag: u32::try_from(self.loads)?,
            supports,
            mix: load.mix,
        }))
    }

    /// Offers each mail to a door once; those that are deferred are not tried again.
    ///
    /// # Errors
    /// When the door is not there.
    pub(super) fn try_once(&mut self, sample: Sample, door: &str) -> Result<Sent> {
        let target = Target {
            protocol: Protocol::Smtp,
            addresses: vec![self.node(door)?.smtp()],
            connections: 1,
            patience: Duration::from_secs(30),
            pace: Duration::ZERO,
        };
        let sent = send_once(&sample.mails, &target);
        self.note(sample, &sent);
        Ok(sent)
    }

    /// Writes down what became of a load.
    fn note(&mut self, sample: Sample, sent: &Sent) {
        for ((mail, fate), heard) in sample.mails.into_iter().zip(&sent.fates).zip(&sent.heard) {
            let host = mail.to.split('@').nth(1).unwrap_or_default();
            let place = self.hosts.iter().position(|known| known == host);
            let account = place.and_then(|place| self.accounts.get(place)).cloned().unwrap_or_default();
            self.posted.push(Posted {
                account,
                message_id: mail.message_id,
                thread: (self.loads, mail.thread),
                fate: *fate,
                heard: *heard,
                sent_again: false,
            });
        }
    }

    /// Has an agent answer tickets of an account that nobody has answered yet, each by a process with this environment.
    ///
    /// # Errors
    /// When there are too few, or a command fails.
    pub(super) fn answer(&mut self, account: &str, count: usize, environment: &Environment) -> Result<()> {
        let agent = format!("admin@{account}.people.example");
        let tickets: Vec<TicketRow> = read::rows(&self.desk, &[account.to_owned()], &["ticket", "list"])?;
        let answered = |number: i64| {
            self.answers.iter().any(|answer| answer.account == account && answer.ticket == number)
        };
        let open: Vec<i64> =
            tickets.iter().map(|ticket| ticket.number).filter(|number| !answered(*number)).collect();
        ensure!(open.len() >= count, "{} tickets to answer, {count} wanted", open.len());
        for number in open.into_iter().take(count) {
            let ticket = number.to_string();
            let line = ["ticket", "reply", &ticket, "--as", &agent, "--public", "--body", "We look into it."];
            let line = [line.as_slice(), &["--account", account]].concat();
            self.desk.command_with(environment, &line)?;
            self.answers.push(Answer { account: account.to_owned(), ticket: number, at: Instant::now() });
        }
        Ok(())
    }

    /// Waits until nothing moves any more; what is left over after `within` is named by the checks, one by one.
    pub(super) fn settle(&self, within: Duration) {
        let quiet = until("ledger and outbox come to rest", within, || {
            read::is_quiet(&self.desk, &self.accounts).map(|quiet| quiet.then_some(()))
        });
        if let Err(error) = quiet {
            eprintln!("{error:#}\n{}", self.desk.log_tail());
        }
    }

    /// Stops all processes and reads what there is to see.
    ///
    /// # Errors
    /// When a process does not stop gracefully, or a list cannot be read.
    pub(super) fn finish(mut self) -> Result<Evidence> {
        let ended = Instant::now();
        for playing in &self.playing {
            self.healthy.extend(playing.until(ended));
        }
        let decided = self.watch.take().map(Watch::end).transpose()?.unwrap_or_default();
        self.playing.drain(..).try_for_each(|playing| playing.node.stop())?;
        Ok(Evidence {
            ledger: read::rows(&self.desk, &self.accounts, &["ledger", "list"])?,
            tickets: read::rows(&self.desk, &self.accounts, &["ticket", "list"])?,
            outbox: read::rows(&self.desk, &self.accounts, &["outbox", "list"])?,
            taken: self.sink.taken(),
            attempts: self.sink.attempts(),
            // Nobody dies here: nothing leaves twice.
            relay_peaks: Vec::new(),
            deliveries_at_once: 0,
            timed: Some(Timed {
                healthy: self.healthy,
                decided,
                exempt: self.exempt,
                patience: PATIENCE,
                ended,
            }),
            posted: self.posted,
            answers: self.answers,
        })
    }
}

impl Playing {
    /// The time for which it has been healthy so far.
    fn until(&self, to: Instant) -> Option<Healthy> {
        self.healthy_from.map(|from| Healthy {
            node: self.node.name().to_owned(),
            has_engine: self.roles.has_engine,
            has_outbox: self.roles.has_outbox,
            from,
            to,
        })
    }
}
