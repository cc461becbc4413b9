//! Guichet under load: accounts and addresses by its command line, mails by SMTP, figures from the kernel and `/metrics`.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use testkit::database::{execute, query_text};
use testkit::server::run;

use super::bulk::Bulk;
use super::figures::{Disk, Served, each_ms, ms, rate};
use super::fill;
use super::space::folder_size;
use super::wait::{send_all, until_count};
use super::with::With;
use crate::load::connection::Protocol;
use crate::load::desk::{ACCOUNT, Database, Desk, DeskOptions, Node};
use crate::load::mails::{Mix, Recipe, Sample};
use crate::load::process;
use crate::load::sender::{Fate, Sent, Target};

/// Counts mails whose decision is committed, by outcome.
const DECIDED: &str = "guichet_mails_decided_total";
/// Seconds from 250 to the committed decision.
const DECIDE_SECONDS: &str = "guichet_mail_decide_seconds";
/// Local parts of the support addresses in the plain case.
const LOCAL_PARTS: [&str; 8] = ["support", "orders", "returns", "sales", "it", "people", "security", "aide"];
/// Mails sent to fill a desk; what they become is copied inside the database.
const FILL: usize = 5_000;

/// One desk to be measured.
#[derive(Debug)]
pub(crate) struct Case {
    /// What its rows are called.
    pub(crate) what: &'static str,
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
    /// Creates the desk, fills it, and measures it with each number of connections, each in a process of its own.
    ///
    /// # Errors
    /// When the program fails, refuses a mail, or does not decide what it accepted.
    pub(crate) fn measure(&self) -> Result<(Vec<Served>, Disk)> {
        let options = DeskOptions {
            binary: self.binary.clone(),
            database: self.database.clone(),
            relay: None,
            further: String::new(),
        };
        let desk = Desk::create(&options)?;
        let supports = self.fill(&desk)?;
        let before = self.size(&desk)?;
        let mut rows = Vec::new();
        let mut raw_bytes = 0_u64;
        for (run, connections) in self.connections.iter().enumerate() {
            let sample = self.sample(run, &supports)?;
            raw_bytes = raw_bytes.saturating_add(sample.raw_size_bytes());
            rows.push(self.run(&desk, &sample, *connections)?);
        }
        let grown_bytes = self.size(&desk)?.saturating_sub(before);
        let vacuumed_bytes = self.vacuumed_size(&desk)?.map(|size| size.saturating_sub(before));
        let disk = Disk {
            what: self.what.to_owned(),
            database: self.database.name().to_owned(),
            with: self.with_name(),
            grown_bytes,
            vacuumed_bytes,
            raw_bytes,
        };
        Ok((rows, disk))
    }

    fn with_name(&self) -> String {
        self.with.map(|with| with.to_string()).unwrap_or_default()
    }

    fn sample(&self, run: usize, supports: &[String]) -> Result<Sample> {
        let run = u32::try_from(run)?;
        let seed = self.seed.wrapping_add(u64::from(run));
        let tag = run.saturating_add(1);
        Ok(Sample::make(&Recipe {
            count: self.mails,
            seed,
            tag,
            supports: supports.to_vec(),
            mix: Mix::Desk,
        }))
    }

    /// Creates what the case needs; returns the addresses that mails go to.
    fn fill(&self, desk: &Desk) -> Result<Vec<String>> {
        let host = desk.native_host();
        let begun = Instant::now();
        let mut supports: Vec<String> = LOCAL_PARTS.iter().map(|part| format!("{part}@{host}")).collect();
        if let Some(With::Accounts(number)) = self.with {
            let others = number.saturating_sub(1);
            let bulk = self.bulk(desk)?;
            fill::accounts(&bulk, ACCOUNT, others)?;
            bulk.finish()?;
            supports.truncate(1);
            supports.extend(
                (1..=others)
                    .map(|place| format!("support@{}", host.replace(ACCOUNT, &format!("other{place}")))),
            );
        } else {
            // `account create` has already created support@.
            supports.iter().skip(1).try_for_each(|address| desk.add_address(address))?;
        }
        if let Some(With::Addresses(number)) = self.with {
            let more = number.saturating_sub(supports.len());
            let bulk = self.bulk(desk)?;
            fill::addresses(&bulk, host, more)?;
            bulk.finish()?;
            supports.extend((1..=more).map(|place| format!("address{place}@{host}")));
        }
        if let Some(With::Tickets(number)) = self.with {
            self.fill_tickets(desk, &supports, number)?;
        }
        if let Some(with) = self.with {
            eprintln!("  {with} are there after {:.1} s", begun.elapsed().as_secs_f64());
        }
        Ok(supports)
    }

    /// Takes in a few mails by the product's own way, with everything that belongs to a ticket, and copies what they became.
    fn fill_tickets(&self, desk: &Desk, supports: &[String], number: usize) -> Result<()> {
        let before = fill::last_id(&self.bulk(desk)?)?;
        let count = FILL.min(number);
        let recipe =
            Recipe { count, seed: self.seed, tag: u32::MAX, supports: supports.to_vec(), mix: Mix::Short };
        let node = desk.start()?;
        let sent = load(&node, &Sample::make(&recipe), 50)?;
        wait_decided(&node, sent.count(Fate::Accepted))?;
        node.stop()?;
        let bulk = self.bulk(desk)?;
        fill::tickets(&bulk, before, number.div_ceil(count.max(1)).saturating_sub(1))?;
        bulk.finish()
    }

    fn bulk(&self, desk: &Desk) -> Result<Bulk> {
        match &self.database {
            Database::Sqlite => Bulk::sqlite(&desk.sqlite()),
            Database::Postgres(url) => Bulk::postgres(url),
        }
    }

    fn run(&self, desk: &Desk, sample: &Sample, connections: usize) -> Result<Served> {
        let node = desk.start()?;
        // What earlier runs left to be written back must not count in this one.
        run(&mut Command::new("sync"))?;
        let idle = process::memory(node.pid())?;
        let own = process::tree_cpu(node.pid())?;
        let server = self.server_cpu()?;
        let sender = process::own_cpu()?;
        let begun = Instant::now();
        let sent = load(&node, sample, connections)?;
        let sender = process::own_cpu()?.saturating_sub(sender);
        let accepted = sent.count(Fate::Accepted);
        wait_decided(&node, accepted)?;
        let took = begun.elapsed();
        let own = process::tree_cpu(node.pid())?.saturating_sub(own);
        let server = self.server_cpu()?.saturating_sub(server);
        let peak = process::memory(node.pid())?;
        let metrics = node.metrics()?;
        let quantile = |part| metrics.quantile(DECIDE_SECONDS, part).map(|seconds| seconds * 1_000.0);
        node.stop()?;
        Ok(Served {
            what: self.what.to_owned(),
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

    /// The same once short-lived rows are gone for good, which autovacuum sees to within a minute.
    fn vacuumed_size(&self, desk: &Desk) -> Result<Option<u64>> {
        let Database::Postgres(url) = &self.database else {
            return Ok(None);
        };
        execute(url, "VACUUM")?;
        self.size(desk).map(Some)
    }
}

fn load(node: &Node, sample: &Sample, connections: usize) -> Result<Sent> {
    let target = Target {
        protocol: Protocol::Smtp,
        addresses: vec![node.smtp()],
        connections,
        patience: Duration::from_secs(60),
        pace: Duration::ZERO,
    };
    send_all("guichet", &sample.mails, &target)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of mails")]
fn wait_decided(node: &Node, accepted: usize) -> Result<()> {
    until_count("the desk decides what it accepted", accepted, || Ok(node.metrics()?.sum(DECIDED) as usize))
}
