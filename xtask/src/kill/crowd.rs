//! The scene of a crowd: many accounts with mail for a slow relay, and two nodes that must share it; then one of the
//! two freezes with more accounts in hand than the other looks at in one go.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use testkit::server::{Postgres, PostgresOptions, until};

use super::act::{Act, ActOptions, Load, PATIENCE, QUIET_WITHIN, Roles};
use super::evidence::Evidence;
use super::read;
use super::report::Report;
use super::stage::DELIVERIES_OF_A_NODE;
use super::{Length, Options};
use crate::load::desk::Environment;
use crate::load::mails::Mix;
use crate::load::sink::SinkOptions;

/// How many accounts there are: far more than the 64 that one node processes side by side (docs/limits.md §4).
fn accounts(length: Length) -> usize {
    match length {
        Length::Short => 100,
        Length::Long => 120,
    }
}

/// How long the relay takes for a mail. A node has twenty connections to it, so in the long scene one node alone needs 24
/// seconds for a mail to each account: longer than anybody may wait. Two nodes need half of that.
fn delay(length: Length) -> Duration {
    match length {
        Length::Short => Duration::from_secs(1),
        Length::Long => Duration::from_secs(4),
    }
}

/// The two nodes that send.
const SENDERS: [&str; 2] = ["first", "second"];

/// How long a silent node keeps its accounts where it freezes: longer than the others may wait.
const LONG_LEASE: &str = "30s";

/// Plays both acts.
pub(super) fn play(options: &Options, report: &mut Report) -> Result<()> {
    let server = Postgres::start(PostgresOptions::default())?;
    share(options, &server, report)?;
    freeze(options, &server, report)
}

/// Two healthy nodes share the crowd.
fn share(options: &Options, server: &Postgres, report: &mut Report) -> Result<()> {
    let mut act = set(options, server)?;
    // All accounts are due before anybody sends: the node that comes first must leave some to the second.
    let accounts = act.accounts.clone();
    one_mail_each(&mut act, &accounts)?;
    for name in SENDERS {
        act.start(name, Roles::OUTBOX, Environment::new())?;
    }
    settle(&act, options.length)?;
    if options.length == Length::Long {
        // And once more with both there.
        one_mail_each(&mut act, &accounts)?;
        settle(&act, options.length)?;
    }
    let evidence = act.finish()?;
    let complaints = not_shared(&evidence);
    let delay = delay(options.length);
    report.add(&format!("{} accounts, a relay that takes {delay:?}", accounts.len()), &evidence, complaints);
    Ok(())
}

/// The first node freezes with most accounts in hand. They get more mail, and wait until its lease runs out; the few
/// that nobody holds must not wait behind them.
fn freeze(options: &Options, server: &Postgres, report: &mut Report) -> Result<()> {
    let mut act = set(options, server)?;
    let accounts = act.accounts.clone();
    let (held, free) = accounts.split_at(accounts.len().saturating_mul(4) / 5);
    let lease = || vec![("GUICHET_ENGINE__LEASE".to_owned(), LONG_LEASE.into())];
    one_mail_each(&mut act, held)?;
    let [first, second] = SENDERS;
    act.start(first, Roles::OUTBOX, lease())?;
    until("the first node has begun", QUIET_WITHIN, || Ok((act.sink.count() > 0).then_some(())))?;
    act.node(first)?.freeze()?;
    act.falls_ill(first);
    act.exempt.extend_from_slice(held);
    act.start(second, Roles::OUTBOX, lease())?;
    one_mail_each(&mut act, held)?;
    one_mail_each(&mut act, free)?;
    thread::sleep(PATIENCE.saturating_add(Duration::from_secs(2)));
    act.node(first)?.thaw()?;
    act.recovers(first);
    settle(&act, options.length)?;
    let mut evidence = act.finish()?;
    // What was on the wire of the frozen node may leave twice (docs/behaviour/outgoing-mail.md §5).
    evidence.relay_peaks = vec![DELIVERIES_OF_A_NODE];
    evidence.deliveries_at_once = DELIVERIES_OF_A_NODE;
    let act = format!("a node frozen with {} of {} accounts", held.len(), accounts.len());
    report.add(&act, &evidence, Vec::new());
    Ok(())
}

/// The desk with all accounts, and the process that takes and decides mail.
fn set(options: &Options, server: &Postgres) -> Result<Act> {
    let mut act = Act::set(&ActOptions {
        binary: options.binary.clone(),
        seed: options.seed,
        server: Some(server),
        accounts: accounts(options.length),
        is_watched: false,
        relay: SinkOptions { delay: delay(options.length), ..SinkOptions::default() },
    })?;
    act.start("decides", Roles::DOORS_AND_ENGINE, Environment::new())?;
    Ok(act)
}

/// A mail to each account, decided when this returns.
fn one_mail_each(act: &mut Act, accounts: &[String]) -> Result<()> {
    for account in accounts.chunks(1) {
        act.load_accepted(&Load {
            count: 1,
            mix: Mix::Short,
            accounts: account,
            doors: &["decides"],
            connections: 1,
            pace: Duration::ZERO,
        })?;
    }
    until("all mail is decided", QUIET_WITHIN, || {
        read::is_all_decided(&act.desk, accounts).map(|is_decided| is_decided.then_some(()))
    })
}

/// Waits for the relay first, since reading so many lists takes seconds.
fn settle(act: &Act, length: Length) -> Result<()> {
    // As if one node sent everything.
    let waves = u32::try_from(act.posted.len().div_ceil(DELIVERIES_OF_A_NODE))?;
    let within = delay(length).saturating_mul(waves).saturating_add(QUIET_WITHIN);
    let expected = act.posted.len();
    let taken = until("the relay has all mail", within, || Ok((act.sink.count() >= expected).then_some(())));
    if let Err(error) = taken {
        eprintln!("{error:#}: {} of {expected}\n{}", act.sink.count(), act.desk.log_tail());
    }
    // What the relay has taken is noted a moment later.
    let noted = until("the outbox notes what was taken", Duration::from_secs(20), || {
        read::is_none_in(&act.desk, &act.accounts, &["sending"]).map(|is_noted| is_noted.then_some(()))
    });
    noted.or_else(|error| {
        eprintln!("{error:#}");
        Ok(())
    })
}

/// Each of the two nodes must have sent a fair part.
fn not_shared(evidence: &Evidence) -> Vec<String> {
    let mut sent: BTreeMap<&str, usize> = SENDERS.into_iter().map(|name| (name, 0)).collect();
    for attempt in &evidence.attempts {
        let count = sent.entry(attempt.node.as_str()).or_default();
        *count = count.saturating_add(1);
    }
    let fair = evidence.attempts.len() / 5;
    let idle = sent.iter().filter(|(_, count)| **count < fair);
    idle.map(|(node, count)| {
        format!("node {node} sent {count} of {} mails, less than a fifth", evidence.attempts.len())
    })
    .collect()
}
