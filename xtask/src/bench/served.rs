//! Guichet under load: accounts and addresses by its command line, mails by SMTP, figures from the kernel and `/metrics`.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use testkit::database::{execute, query_text};
use testkit::server::{run, until};

use super::figures::{Disk, Served, each_ms, ms, rate, to_f64};
use super::space::folder_size;
use super::with::With;
use crate::load::connection::Protocol;
use crate::load::desk::{Database, Desk, DeskOptions, Node};
use crate::load::mails::{Mix, Recipe, Sample};
use crate::load::process;
use crate::load::sender::{Control, Fate, Sent, Target, send};

/// Counts mails whose decision is committed, by outcome.
const DECIDED: &str = "guichet_mails_decided_total";
/// Seconds from 250 to the committed decision.
const DECIDE_SECONDS: &str = "guichet_mail_decide_seconds";
/// How long the desk may take for what it has accepted.
const DECIDED_WITHIN: Duration = Duration::from_secs(900);
/// Local parts of the support addresses in the plain case.
const LOCAL_PARTS: [&str; 8] = ["support", "orders", "returns", "sales", "it", "people", "security", "aide"];
/// Mails made and sent at once while tickets are filled in.
const FILL: usize = 20_000;

/// One desk to be measured.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) binary: PathBuf,
    pub(crate) database: Database,
    /// The postmaster's process id, when the database is PostgreSQL.
    pub(crate) server: Option<u32>,
    pub(crate) with: Option<With>,
    pub(crate) connections: Vec<usize>,
    pub(crate) mails: usize,
    pub(crate) seed: u64,
}

impl Case {
    /// Makes the desk, fills it, and measures it with each number of connections, each in a process of its own.
    ///
    /// # Errors
    /// When the program fails, refuses a mail, or does not decide what it accepted.
    pub(crate) fn measure(&self) -> Result<(Vec<Served>, Disk)> {
        let options =
            DeskOptions { binary: self.binary.clone(), database: self.database.clone(), relay: None, further: String::new() };
        let desk = Desk::create(&options)?;
        let supports = self.fill(&desk)?;
        let before = self.size(&desk)?;
        let (mut rows, mut raw_bytes) = (Vec::new(), 0_u64);
        for (run, connections) in self.connections.iter().enumerate() {
            let sample = self.sample(run, &supports)?;
            raw_bytes = raw_bytes.saturating_add(sample.raw_size_bytes());
            rows.push(self.run(&desk, &sample, *connections)?);
        }
        let grown_bytes = self.size(&desk)?.saturating_sub(before);
        Ok((rows, Disk { database: self.database.name().to_owned(), with: self.with_name(), grown_bytes, raw_bytes }))
    }

    fn with_name(&self) -> String {
        self.with.map(|with| with.to_string()).unwrap_or_default()
    }

    fn sample(&self, run: usize, supports: &[String]) -> Result<Sample> {
        let run = u32::try_from(run)?;
        let seed = self.seed.wrapping_add(u64::from(run));
        let tag = run.saturating_add(1);
        Ok(Sample::make(&Recipe { count: self.mails, seed, tag, supports: supports.to_vec(), mix: Mix::Desk }))
    }

    /// Makes what the case wants to be there; returns the addresses that mails go to.
    fn fill(&self, desk: &Desk) -> Result<Vec<String>> {
        let host = desk.native_host();
        let mut supports: Vec<String> = LOCAL_PARTS.iter().map(|part| format!("{part}@{host}")).collect();
        match self.with {
            None | Some(With::Tickets(_)) => {}
            Some(With::Addresses(number)) => {
                let more = (supports.len()..number).map(|place| format!("address{place}@{host}"));
                supports.extend(more);
            }
            Some(With::Accounts(number)) => {
                let others = (1..number).map(|place| Ok(format!("support@{}", desk.create_account(&format!("other{place}"))?)));
                let others: Result<Vec<String>> = others.collect();
                supports.truncate(1);
                supports.extend(others?);
                return Ok(supports);
            }
        }
        // `account create` made support@ already.
        supports.iter().skip(1).try_for_each(|address| desk.add_address(address))?;
        if let Some(With::Tickets(number)) = self.with {
            self.fill_tickets(desk, &supports, number)?;
        }
        Ok(supports)
    }

    /// Writes tickets by sending short mails: the product's own way, with everything that belongs to a ticket.
    fn fill_tickets(&self, desk: &Desk, supports: &[String], number: usize) -> Result<()> {
        let node = desk.start()?;
        let mut done = 0_usize;
        while done < number {
            let count = FILL.min(number.saturating_sub(done));
            // Tags from the top, so that they never meet those of the measured runs.
            let tag = u32::MAX.saturating_sub(u32::try_from(done / FILL)?);
            let recipe = Recipe { count, seed: u64::from(tag), tag, supports: supports.to_vec(), mix: Mix::Short };
            let sent = load(&node, &Sample::make(&recipe), 50);
            done = done.saturating_add(sent.count(Fate::Accepted));
            wait_decided(&node, done)?;
            eprintln!("  {done} of {number} tickets are there");
        }
        node.stop()
    }

    fn run(&self, desk: &Desk, sample: &Sample, connections: usize) -> Result<Served> {
        let node = desk.start()?;
        // What earlier runs left to write back shall not fall into this one.
        run(&mut Command::new("sync"))?;
        let idle = process::memory(node.pid())?;
        let (own, server, sender) = (process::tree_cpu(node.pid())?, self.server_cpu()?, process::own_cpu()?);
        let begun = Instant::now();
        let sent = load(&node, sample, connections);
        let sender = process::own_cpu()?.saturating_sub(sender);
        let accepted = sent.count(Fate::Accepted);
        wait_decided(&node, accepted)?;
        let took = begun.elapsed();
        let own = process::tree_cpu(node.pid())?.saturating_sub(own);
        let server = self.server_cpu()?.saturating_sub(server);
        let (peak, metrics) = (process::memory(node.pid())?, node.metrics()?);
        let quantile = |part| metrics.quantile(DECIDE_SECONDS, part).map(|seconds| seconds * 1_000.0);
        node.stop()?;
        Ok(Served {
            what: "guichet".to_owned(),
            database: self.database.name().to_owned(),
            with: self.with_name(),
            connections,
            accepted,
            rate_accepted: rate(accepted, sent.took),
            rate_done: rate(accepted, took),
            cpu_ms: each_ms(own.saturating_add(server), accepted),
            database_cpu_ms: each_ms(server, accepted),
            sender_cpu_ms: each_ms(sender, accepted),
            accept_ms: (ms(sent.quantile(0.5)), ms(sent.quantile(0.99))),
            done_ms: quantile("0.5").zip(quantile("0.99")),
            idle_bytes: idle.resident_bytes,
            peak_bytes: peak.peak_bytes,
            deferred: sent.deferred,
            complaints: sent.complaints,
        })
    }

    fn server_cpu(&self) -> Result<Duration> {
        self.server.map_or(Ok(Duration::ZERO), process::tree_cpu)
    }

    /// Bytes on disk after a checkpoint, while no process of the desk runs.
    fn size(&self, desk: &Desk) -> Result<u64> {
        let files = folder_size(&desk.data())?;
        let Database::Postgres(url) = &self.database else {
            return Ok(files);
        };
        execute(url, "CHECKPOINT")?;
        let size = query_text(url, "SELECT pg_database_size(current_database())::text")?;
        Ok(files.saturating_add(size.parse().with_context(|| format!("a size: {size:?}"))?))
    }
}

fn load(node: &Node, sample: &Sample, connections: usize) -> Sent {
    let target = Target {
        protocol: Protocol::Smtp,
        addresses: vec![node.smtp()],
        connections,
        patience: Duration::from_secs(60),
        pace: Duration::ZERO,
    };
    send(&sample.mails, &target, &Control::default())
}

fn wait_decided(node: &Node, accepted: usize) -> Result<()> {
    if accepted == 0 {
        bail!("no mail was accepted");
    }
    let decided = || node.metrics().map(|metrics| metrics.sum(DECIDED));
    until("the desk decides what it accepted", DECIDED_WITHIN, || Ok((decided()? >= to_f64(accepted)).then_some(())))
        .with_context(|| format!("{accepted} accepted, {:?} decided", decided().ok()))
}
