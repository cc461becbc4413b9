//! Postfix storing the same mails into a Maildir: the yardstick every mail engineer knows.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use testkit::server::{Postfix, PostfixOptions, as_root, run};

use super::figures::{Served, each_ms, ms, rate};
use super::wait::{send_all, until_count};
use crate::load::connection::Protocol;
use crate::load::mails::{Mail, Sample};
use crate::load::process;
use crate::load::sender::{Fate, Sent, Target};

/// Undoes the test server's haste: by default Postfix scans its queue every five minutes, not every second. The mailbox
/// limit must not be below that for one mail.
const SETTINGS: [(&str, &str); 4] = [
    ("queue_run_delay", "300s"),
    ("minimal_backoff_time", "300s"),
    ("maximal_backoff_time", "4000s"),
    ("virtual_mailbox_limit", "0"),
];

/// Measures one Postfix with the given numbers of connections, one after the other.
///
/// # Errors
/// When Postfix is missing, refuses mails, or loses one.
pub(crate) fn measure(domain: &str, samples: &[(usize, Sample)]) -> Result<Vec<Served>> {
    let settings = SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = PostfixOptions { stored: vec![domain.to_owned()], settings, ..PostfixOptions::default() };
    let postfix = Postfix::start(&options)?;
    let master = postfix.pid()?;
    let mut rows = Vec::new();
    let mut stored = 0_usize;
    for (connections, sample) in samples {
        run(&mut std::process::Command::new("sync"))?;
        let before = (process::tree_cpu(master)?, process::own_cpu()?);
        let begun = Instant::now();
        let sent = sent(&postfix, &sample.mails, *connections)?;
        let sender_cpu = process::own_cpu()?.saturating_sub(before.1);
        let accepted = sent.count(Fate::Accepted);
        stored = stored.saturating_add(accepted);
        until_count("Postfix stores everything", stored, || count(&postfix))?;
        let took = begun.elapsed();
        let cpu = process::tree_cpu(master)?.saturating_sub(before.0);
        rows.push(row(*connections, &sent, took, cpu, sender_cpu));
    }
    Ok(rows)
}

fn sent(postfix: &Postfix, mails: &[Mail], connections: usize) -> Result<Sent> {
    let target = Target {
        protocol: Protocol::Smtp,
        addresses: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, postfix.port()))],
        connections,
        patience: Duration::from_secs(60),
        pace: Duration::ZERO,
    };
    send_all("Postfix", mails, &target)
}

fn row(connections: usize, sent: &Sent, took: Duration, cpu: Duration, sender_cpu: Duration) -> Served {
    let accepted = sent.count(Fate::Accepted);
    Served {
        what: "postfix".to_owned(),
        database: String::new(),
        with: String::new(),
        connections,
        accepted,
        rate_accepted: rate(accepted, sent.took),
        rate_done: rate(accepted, took),
        cpu_ms: each_ms(cpu, accepted),
        database_cpu_ms: 0.0,
        sender_cpu_ms: each_ms(sender_cpu, accepted),
        accept_ms: (ms(sent.quantile(0.5)), ms(sent.quantile(0.99))),
        done_ms: None,
        idle_bytes: 0,
        peak_bytes: 0,
        deferred: sent.deferred,
        complaints: sent.complaints.clone(),
    }
}

/// Files in the Maildir's `new`; only root may look.
fn count(postfix: &Postfix) -> Result<usize> {
    let folder = postfix.maildir().join("new");
    let said = run(as_root("sh").args(["-c", "ls -U \"$0\" 2>/dev/null | wc -l"]).arg(&folder))?;
    said.trim().parse().with_context(|| format!("counting said {said:?}"))
}
