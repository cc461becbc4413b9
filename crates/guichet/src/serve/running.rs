//! A running desk: its parts and pages, started together and stopped in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use desk::clock::Clock;
use engine::{Engine, EngineOptions};
use intake::Intake;
use store::Store;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::parts::{self, Kit, Part};
use super::{door, node};
use crate::clock::SharedClock;
use crate::config::{Config, Loaded, Role};
use crate::failure::{Doing as _, Failure, Result};
use crate::http::setup::{self, Setup};
use crate::http::{self, Pages};

/// How often a node asks the database for the time, and whether a newer version has closed it.
const HEED_EVERY: Duration = Duration::from_secs(2);
/// How long a stop may take to finish work in hand; unfinished work is done again after the next start.
const STOP_WITHIN: Duration = Duration::from_secs(25);
/// How long the pages may take to end after everything else.
pub(super) const PAGES_WITHIN: Duration = Duration::from_secs(2);

/// A desk that has come up.
#[derive(Debug, Clone)]
pub(crate) struct Started {
    /// Where pages are, when this process serves them.
    pub(crate) http: Option<SocketAddr>,
    /// Where the SMTP door is.
    pub(crate) smtp: Option<String>,
    /// Where the LMTP door is.
    pub(crate) lmtp: Option<String>,
    /// The engine, for whatever has something to submit.
    pub(crate) engine: Engine,
    /// The set-up page, to which no link leads yet.
    pub(super) setup: Arc<Setup>,
}

/// The parts of a running desk.
pub(super) struct Running {
    tasks: JoinSet<&'static str>,
    pages: JoinSet<()>,
    shown: Arc<Pages>,
    stop: CancellationToken,
    stop_pages: CancellationToken,
    /// What has come up.
    pub(super) started: Started,
}

impl Running {
    /// Starts the pages and every part that the roles of this process need.
    ///
    /// # Errors
    /// When an address cannot be listened on, another process has this node's name, or a part cannot be prepared.
    pub(super) async fn start(loaded: &Loaded, store: &Store, stop: CancellationToken) -> Result<Running> {
        let config = &loaded.config;
        let shown = Arc::new(Pages::new(store.clone()));
        let listener = door::pages(config).await?;
        let http = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let is_embedded = config.sqlite_file(&loaded.data).is_some();
        let holder = node::holder(config, is_embedded, http.unwrap_or(config.http.listen));
        node::take(config, store, &holder).await?;
        let shared = SharedClock::of(store).await;
        let clock: Arc<dyn Clock> = Arc::clone(&shared) as Arc<dyn Clock>;
        let engine = engine(config, store, &holder, &clock).await?;
        let setup = Arc::new(Setup::new(engine.clone(), config));
        let intake = Intake::new(store.clone(), Arc::clone(&clock), config.limits.room_bytes());
        let started =
            Started { http, smtp: None, lmtp: None, engine: engine.clone(), setup: Arc::clone(&setup) };
        let stop_pages = CancellationToken::new();
        let mut running =
            Running { tasks: JoinSet::new(), pages: JoinSet::new(), shown, stop, stop_pages, started };
        if let Some(listener) = listener {
            let hooks = intake::http::router(intake.clone(), door::limits(config));
            let others = hooks.merge(setup::router(setup));
            let pages = Arc::clone(&running.shown);
            running.pages.spawn(http::serve(listener, pages, others, running.stop_pages.clone()));
        }
        running.tasks.spawn(heed_the_database(store.clone(), shared, running.stop.clone()));
        let kit = Kit { loaded, store, engine, intake, holder };
        running.start_parts(&kit).await?;
        running.shown.set_ready(true);
        running.greet(config);
        Ok(running)
    }

    async fn start_parts(&mut self, kit: &Kit<'_>) -> Result<()> {
        for part in parts::wanted(&kit.loaded.config) {
            let Some(work) = part.start(kit, self.stop.clone()).await? else { continue };
            match part {
                Part::SmtpDoor => self.started.smtp = work.address,
                Part::LmtpDoor => self.started.lmtp = work.address,
                Part::Outbox | Part::Sorter | Part::Due | Part::Sweeper => {}
            }
            let run = work.run;
            self.tasks.spawn(async move {
                run.await;
                part.name()
            });
        }
        Ok(())
    }

    fn greet(&self, config: &Config) {
        let or_none = |address: &Option<String>| address.clone().unwrap_or_else(|| "-".into());
        let smtp = or_none(&self.started.smtp);
        let lmtp = or_none(&self.started.lmtp);
        let http = or_none(&self.started.http.map(|http| format!("http://{http}")));
        tracing::info!(http, smtp, lmtp, "Guichet is ready: pages {http}, SMTP {smtp}, LMTP {lmtp}");
        if config.has_role(Role::Outbox) && !config.can_deliver() {
            tracing::warn!("Outgoing mail waits: delivery.relay is not set");
        }
    }

    /// Waits until told to stop, then for work in hand.
    ///
    /// # Errors
    /// When a part ended that should not have.
    pub(super) async fn until_stopped(mut self) -> Result<()> {
        let ended_early = tokio::select! {
            // Told to stop, parts end at once: that is no failure, so the token is checked first.
            biased;
            () = self.stop.cancelled() => None,
            Some(ended) = self.tasks.join_next() => Some(ended),
        };
        self.shown.set_ready(false);
        self.stop.cancel();
        tracing::info!("Stopping: what is in hand is finished first");
        let finish = async { while self.tasks.join_next().await.is_some() {} };
        let in_time = tokio::time::timeout(STOP_WITHIN, finish).await;
        if in_time.is_err() {
            tracing::warn!(
                "Not everything was finished in {} s; it is done after the next start",
                STOP_WITHIN.as_secs()
            );
        }
        self.stop_pages.cancel();
        let _ = tokio::time::timeout(PAGES_WITHIN, async { while self.pages.join_next().await.is_some() {} })
            .await;
        match ended_early {
            None => {
                tracing::info!("Stopped");
                Ok(())
            }
            Some(Ok(part)) => Err(ended(part, "it gave up")),
            Some(Err(error)) => Err(ended("a part of the desk", &error.to_string())),
        }
    }
}

fn ended(part: &str, why: &str) -> Failure {
    tracing::error!(why, "The desk stops, because {part} ended");
    Failure::new(
        format!("{part} ended by itself"),
        why,
        "start the desk again; no accepted mail is lost, the log says more",
    )
}

/// Heeds what the database says: a node that is running when a newer version closes the database stops working on it, and its
/// clock follows the database's.
async fn heed_the_database(store: Store, clock: Arc<SharedClock>, stop: CancellationToken) -> &'static str {
    while stop.run_until_cancelled(tokio::time::sleep(HEED_EVERY)).await.is_some() {
        if let Err(error) = store.heed_newer_versions().await {
            tracing::debug!(%error, "Cannot see now whether a newer version has closed the database");
        }
        if let Err(error) = clock.set_by(&store).await {
            tracing::debug!(%error, "The database's clock cannot be asked now");
        }
    }
    "the watch on the database"
}

async fn engine(config: &Config, store: &Store, holder: &str, clock: &Arc<dyn Clock>) -> Result<Engine> {
    let options = EngineOptions {
        holder: holder.to_owned(),
        lease_ms: parts::millis(config.engine.lease_ms),
        can_deliver: config.can_deliver(),
        sender_per_hour: config.limits.sender_per_hour,
        authenticate: config.authenticate(),
        ..EngineOptions::default()
    };
    Engine::new(store.clone(), options, Arc::clone(clock)).await.doing("the engine cannot start")
}
