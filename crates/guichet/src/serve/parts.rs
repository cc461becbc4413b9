//! What runs in which role: a table of the parts of a desk, and how each is started.

use std::pin::Pin;

use engine::Engine;
use intake::{Intake, Listen};
use outbox::retry::Policy;
use outbox::transport::{Options, Transport};
use outbox::worker::{OutboxOptions, Worker};
use smtp::Protocol;
use store::Store;
use tokio_util::sync::CancellationToken;

use super::door;
use crate::config::{Config, Loaded, Role};
use crate::failure::{Doing as _, Result};

/// Something that runs until it is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Sends mail.
    Outbox,
    /// Decides mail.
    Sorter,
    /// Runs the jobs that fall due: closes tickets, deletes held mail, sends digests and probes.
    Due,
    /// Removes blobs that no row names.
    Sweeper,
    /// Accepts mail by SMTP.
    SmtpDoor,
    /// Accepts mail by LMTP.
    LmtpDoor,
}

/// Every part with the role that wants it, in the order in which they start: mail is accepted once it can be processed.
const PARTS: &[(Role, Part)] = &[
    (Role::Outbox, Part::Outbox),
    (Role::Engine, Part::Sorter),
    (Role::Engine, Part::Due),
    (Role::Engine, Part::Sweeper),
    (Role::Smtp, Part::SmtpDoor),
    (Role::Smtp, Part::LmtpDoor),
];

/// The parts that a configuration's roles need.
pub(super) fn wanted(config: &Config) -> impl Iterator<Item = Part> {
    PARTS.iter().filter(|(role, _)| config.has_role(*role)).map(|(_, part)| *part)
}

/// What parts are made of.
pub(super) struct Kit<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) store: &'a Store,
    pub(super) engine: Engine,
    pub(super) intake: Intake,
    /// The name by which this process holds accounts.
    pub(super) holder: String,
}

/// A part that is ready to run.
pub(super) struct Work {
    /// Where a door listens.
    pub(super) address: Option<String>,
    /// Ends after it is told to stop.
    pub(super) run: Run,
}

/// A running part.
type Run = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Work {
    fn new(run: impl Future<Output = ()> + Send + 'static) -> Work {
        Work { address: None, run: Box::pin(run) }
    }
}

impl Part {
    /// What it is called in the report that it ended by itself.
    pub(super) fn name(self) -> &'static str {
        match self {
            Part::Outbox => "the outbox",
            Part::Sorter => "the sorter",
            Part::Due => "the due jobs",
            Part::Sweeper => "the sweeper",
            Part::SmtpDoor | Part::LmtpDoor => "a door",
        }
    }

    /// Prepares the part; none when the configuration leaves it nothing to do.
    ///
    /// # Errors
    /// When it cannot be prepared, such as a door whose address is taken.
    pub(super) async fn start(self, kit: &Kit<'_>, stop: CancellationToken) -> Result<Option<Work>> {
        let engine = kit.engine.clone();
        Ok(match self {
            Part::Outbox => outbox(kit)?.map(|worker| Work::new(async move { worker.run(stop).await })),
            Part::Sorter => Some(Work::new(async move { engine.run_sorter(stop).await })),
            Part::Due => Some(Work::new(async move { engine.run_due(stop).await })),
            Part::Sweeper => Some(Work::new(async move { engine.run_sweeper(stop).await })),
            Part::SmtpDoor => {
                let listen = kit.loaded.config.smtp.listen.map(Listen::Tcp);
                open_door(kit, listen, Protocol::Smtp, stop).await?
            }
            Part::LmtpDoor => {
                let listen = kit.loaded.config.lmtp.listen.clone();
                open_door(kit, listen, Protocol::Lmtp, stop).await?
            }
        })
    }
}

/// The outbox; none without a way out.
fn outbox(kit: &Kit<'_>) -> Result<Option<Worker>> {
    let config = &kit.loaded.config;
    if !config.can_deliver() {
        return Ok(None);
    }
    let mut options = Options::new(config.hostname());
    let ca_file = config.delivery.ca_file.as_ref();
    options.extra_ca_pem = ca_file.map(std::fs::read).transpose().doing("delivery.ca_file cannot be read")?;
    let transport = Transport::new(config.route(), options).doing("outgoing mail cannot be prepared")?;
    let options = OutboxOptions {
        holder: kit.holder.clone(),
        lease_ms: millis(config.engine.lease_ms),
        policy: Policy { give_up_after_ms: millis(config.delivery.give_up_after_ms) },
    };
    let keys = kit.engine.keys().clone();
    Ok(Some(Worker::new(kit.store.clone(), keys, transport, options)))
}

/// Opens a door; none where it stays shut.
async fn open_door(
    kit: &Kit<'_>,
    listen: Option<Listen>,
    protocol: Protocol,
    stop: CancellationToken,
) -> Result<Option<Work>> {
    let Some(listen) = listen else { return Ok(None) };
    let door = door::open(kit.loaded, &kit.intake, listen, protocol).await?;
    let address = Some(door.local_addr());
    Ok(Some(Work { address, run: Box::pin(async move { door.run(stop).await }) }))
}

/// A length of time as the rooms take it.
pub(super) fn millis(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_runs_what_its_roles_want_and_doors_come_last() {
        let mut config = Config::default();
        let all: Vec<Part> = wanted(&config).collect();
        assert_eq!(all.len(), PARTS.len());
        assert_eq!(all.last(), Some(&Part::LmtpDoor));
        config.roles = vec![Role::Web];
        assert_eq!(wanted(&config).count(), 0);
        config.roles = vec![Role::Outbox, Role::Web];
        assert_eq!(wanted(&config).collect::<Vec<_>>(), [Part::Outbox]);
    }
}
