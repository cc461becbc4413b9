//! `guichet serve`: opens the rooms, lets them work side by side, and stops them in order.
//!
//! Rooms never call each other here either: they share the store, and meet in its tables.

mod descriptors;
mod lock;
mod logging;
mod node;
mod signals;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use desk::clock::Clock;
use engine::{Engine, EngineOptions};
use intake::{Door, DoorOptions, Intake, Limits, Listen};
use outbox::retry::Policy;
use outbox::transport::{Options, Transport};
use outbox::worker::{OutboxOptions, Worker};
use serde_json::json;
use store::Store;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::Common;
use crate::clock::SystemClock;
use crate::config::{Config, Loaded, Role};
use crate::failure::{Doing as _, Failure, Result};
use crate::http::setup::{self, Setup};
use crate::http::{self, Pages};
use crate::open;
use crate::output::Output;

pub(crate) use lock::is_running;
pub(crate) use node::holder;
pub(crate) use signals::listen as listen_for_signals;

/// How long a stop may take to finish what is in hand; what is not finished is done again after the next start.
const STOP_WITHIN: Duration = Duration::from_secs(25);
/// How long pages may take to end after everything else.
const PAGES_WITHIN: Duration = Duration::from_secs(2);
/// How long the database may take to end what is in hand, after everything else.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// A desk that has come up.
#[derive(Debug, Clone)]
pub(crate) struct Started {
    /// Where pages are, when this process serves them.
    pub(crate) http: Option<SocketAddr>,
    /// Where SMTP is taken.
    pub(crate) smtp: Option<String>,
    /// Where LMTP is taken.
    pub(crate) lmtp: Option<String>,
    /// The engine, for whoever has something to submit.
    pub(crate) engine: Engine,
    /// The set-up page, to which no link leads yet.
    setup: Arc<Setup>,
}

/// Runs `serve`.
///
/// # Errors
/// When it cannot start, or a part of it ended that should not have.
pub(crate) fn run(common: &Common) -> Result<()> {
    let loaded = open::configuration(common)?;
    keep_serving(&loaded, async |started| {
        if started.engine.store().read(store::account::has_any).await.is_ok_and(|has_any| !has_any) {
            invite(&started, loaded.config.hostname(), common.json);
        }
        Ok(())
    })
}

/// Tells an operator without an account how to make one; here alone the set-up link is told.
fn invite(started: &Started, hostname: &str, as_json: bool) {
    const COMMAND: &str = "guichet account create SUBDOMAIN --admin EMAIL";
    let Some(http) = started.http else {
        tracing::warn!("There is no account yet: make one with `{COMMAND}`; nothing needs a restart");
        return;
    };
    let link = setup::link(http, hostname, &started.setup.open());
    let lines = format!(
        "There is no account yet. Make one on this page, which works once:\n\n  {link}\n\nOr with: {COMMAND}"
    );
    // The log says it too.
    let _ = Output::standard(as_json).answer(&json!({"setup_link": link}), &lines);
    tracing::warn!(
        "There is no account yet: make one at {link} or with `{COMMAND}`; nothing needs a restart"
    );
}

/// Starts the desk, does something with it, and goes on until it is told to stop.
///
/// # Errors
/// As [`run`], and what `then` says.
pub(crate) fn keep_serving(loaded: &Loaded, then: impl AsyncFnOnce(Started) -> Result<()>) -> Result<()> {
    logging::start(&loaded.config.log);
    // Fails only when it is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    descriptors::raise(&loaded.config);
    let _lock = lock::take(loaded)?;
    let store = open::serving_store(loaded)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .doing("the program could not start its runtime")?;
    let ended = runtime.block_on(async {
        store.check_blobs().await.doing("blobs.url cannot be used")?;
        let stop = CancellationToken::new();
        signals::listen(stop.clone()).doing("signals cannot be listened to")?;
        let running = Running::start(loaded, &store, stop.clone()).await?;
        let done = tokio::select! {
            done = then(running.started.clone()) => done,
            () = stop.cancelled() => Ok(()),
        };
        if done.is_err() {
            stop.cancel();
        }
        running.until_stopped().await.and(done)
    });
    runtime.shutdown_timeout(PAGES_WITHIN);
    if !close(store, CLOSE_WITHIN) {
        let seconds = CLOSE_WITHIN.as_secs();
        tracing::warn!(
            "The database does not answer: left after {seconds} s; what was in hand is done after the next start"
        );
    }
    ended
}

/// Closes the store, and says whether that ended in time. It waits for commits, which a server that hangs never answers, and
/// no signal is heard any more.
fn close(store: Store, within: Duration) -> bool {
    let (tell, told) = std::sync::mpsc::channel();
    let closing = std::thread::Builder::new().name("closing".into()).spawn(move || {
        store.close();
        // Dropped here too: the last one may wait again.
        drop(store);
        let _ = tell.send(());
    });
    closing.is_ok() && told.recv_timeout(within).is_ok()
}

/// The parts of a running desk.
struct Running {
    tasks: JoinSet<&'static str>,
    pages: JoinSet<()>,
    shown: Arc<Pages>,
    stop: CancellationToken,
    stop_pages: CancellationToken,
    started: Started,
}

impl Running {
    async fn start(loaded: &Loaded, store: &Store, stop: CancellationToken) -> Result<Running> {
        let config = &loaded.config;
        let shown = Arc::new(Pages::new(store.clone()));
        let listener = listener(config).await?;
        let http = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let holder = holder(
            config,
            loaded.config.sqlite_file(&loaded.data).is_some(),
            http.unwrap_or(config.http.listen),
        );
        node::take(config, store, &holder).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let engine = engine(config, store, &holder, &clock).await?;
        let setup = Arc::new(Setup::new(engine.clone(), config));
        let started =
            Started { http, smtp: None, lmtp: None, engine: engine.clone(), setup: Arc::clone(&setup) };
        let stop_pages = CancellationToken::new();
        let intake = Intake::new(store.clone(), Arc::clone(&clock), config.limits.room_bytes());
        let mut running =
            Running { tasks: JoinSet::new(), pages: JoinSet::new(), shown, stop, stop_pages, started };
        if let Some(listener) = listener {
            let others = intake::http::router(intake.clone(), limits(config)).merge(setup::router(setup));
            running.pages.spawn(http::serve(
                listener,
                Arc::clone(&running.shown),
                others,
                running.stop_pages.clone(),
            ));
        }
        if config.has_role(Role::Outbox) && config.can_deliver() {
            running.spawn_outbox(config, store, &engine, &holder, &clock)?;
        }
        if config.has_role(Role::Engine) {
            running.spawn_engine(engine);
        }
        if config.has_role(Role::Smtp) {
            running.spawn_doors(loaded, &intake).await?;
        }
        running.shown.set_ready(true);
        running.greet(config);
        Ok(running)
    }

    fn spawn_engine(&mut self, engine: Engine) {
        let (sorter, stop) = (engine.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            sorter.run_sorter(stop).await;
            "the sorter"
        });
        let (closer, stop) = (engine.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            closer.run_closer(stop).await;
            "the closer"
        });
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            engine.run_sweeper(stop).await;
            "the sweeper"
        });
    }

    fn spawn_outbox(
        &mut self,
        config: &Config,
        store: &Store,
        engine: &Engine,
        holder: &str,
        clock: &Arc<dyn Clock>,
    ) -> Result<()> {
        let mut options = Options::new(config.hostname());
        let ca_file = config.delivery.ca_file.as_ref();
        options.extra_ca_pem =
            ca_file.map(std::fs::read).transpose().doing("delivery.ca_file cannot be read")?;
        let transport = Transport::new(config.route(), options).doing("outgoing mail cannot be prepared")?;
        let options = OutboxOptions {
            holder: holder.to_owned(),
            lease_ms: millis(config.engine.lease_ms),
            policy: Policy { give_up_after_ms: millis(config.delivery.give_up_after_ms) },
        };
        let worker = Worker::new(store.clone(), engine.keys().clone(), Arc::clone(clock), transport, options);
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            worker.run(stop).await;
            "the outbox"
        });
        Ok(())
    }

    async fn spawn_doors(&mut self, loaded: &Loaded, intake: &Intake) -> Result<()> {
        let config = &loaded.config;
        let tls = tls::server_config(loaded)?;
        let smtp = config.smtp.listen.map(|listen| (Listen::Tcp(listen), smtp::Protocol::Smtp));
        let lmtp = config.lmtp.listen.clone().map(|listen| (listen, smtp::Protocol::Lmtp));
        for (listen, protocol) in smtp.into_iter().chain(lmtp) {
            let name = if protocol == smtp::Protocol::Smtp { "smtp.listen" } else { "lmtp.listen" };
            let options = door_options(config, listen.clone(), protocol, Arc::clone(&tls));
            let door =
                intake.open(options).await.map_err(|error| cannot_listen(name, &shown(&listen), &error))?;
            let address = Some(door.local_addr());
            match protocol {
                smtp::Protocol::Smtp => self.started.smtp = address,
                smtp::Protocol::Lmtp => self.started.lmtp = address,
            }
            self.spawn_door(door);
        }
        Ok(())
    }

    fn spawn_door(&mut self, door: Door) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            door.run(stop).await;
            "a door"
        });
    }

    fn greet(&self, config: &Config) {
        let or_none = |address: &Option<String>| address.clone().unwrap_or_else(|| "-".into());
        let (smtp, lmtp) = (or_none(&self.started.smtp), or_none(&self.started.lmtp));
        let http = or_none(&self.started.http.map(|http| format!("http://{http}")));
        tracing::info!(http, smtp, lmtp, "Guichet is ready: pages {http}, SMTP {smtp}, LMTP {lmtp}");
        if config.has_role(Role::Outbox) && !config.can_deliver() {
            tracing::warn!("Outgoing mail waits: delivery.relay is not set");
        }
    }

    /// Waits for the word to stop, then for what is in hand.
    async fn until_stopped(mut self) -> Result<()> {
        let ended_early = tokio::select! {
            // Told to stop, parts end at once: that is no failure, so the word to stop is looked at first.
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

async fn listener(config: &Config) -> Result<Option<TcpListener>> {
    if !config.has_role(Role::Web) {
        return Ok(None);
    }
    let bound = TcpListener::bind(config.http.listen).await;
    bound.map(Some).map_err(|error| cannot_listen("http.listen", &config.http.listen.to_string(), &error))
}

fn cannot_listen(key: &str, address: &str, error: &std::io::Error) -> Failure {
    let next = format!("stop what listens there, or set {key} to another address");
    Failure::new(format!("{address} cannot be listened on"), error.to_string(), next)
}

fn shown(listen: &Listen) -> String {
    match listen {
        Listen::Tcp(address) => address.to_string(),
        Listen::Unix(path) => format!("unix:{}", path.display()),
    }
}

async fn engine(config: &Config, store: &Store, holder: &str, clock: &Arc<dyn Clock>) -> Result<Engine> {
    let options = EngineOptions {
        holder: holder.to_owned(),
        lease_ms: millis(config.engine.lease_ms),
        can_deliver: config.can_deliver(),
        sender_per_hour: config.limits.sender_per_hour,
        authenticate: config.authenticate(),
        ..EngineOptions::default()
    };
    Engine::new(store.clone(), options, Arc::clone(clock)).await.doing("the engine cannot start")
}

/// Time for one mail, first recipient to end: 50 MB need no more at 14 KB a second.
const MAIL_MS: u64 = 60 * 60 * 1_000;

fn door_options(
    config: &Config,
    listen: Listen,
    protocol: smtp::Protocol,
    tls: Arc<rustls::ServerConfig>,
) -> DoorOptions {
    DoorOptions {
        listen,
        protocol,
        hostname: config.hostname().to_owned(),
        max_mail_bytes: config.limits.max_mail_bytes,
        limits: smtp::Limits { recipients: config.limits.recipients, ..smtp::Limits::default() },
        tls: Some(tls),
        trusted_relays: config.smtp.trusted_relays.clone(),
        connections: config.limits.connections,
        connections_per_client: config.limits.connections_per_client,
        idle_ms: config.limits.idle_ms,
        mail_ms: MAIL_MS,
    }
}

/// The limits of the doors without a dialogue.
pub(crate) fn limits(config: &Config) -> Limits {
    Limits { max_mail_bytes: config.limits.max_mail_bytes, recipients: config.limits.recipients }
}

fn millis(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_hangs_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Config::default().store_options(folder.path())).unwrap();
        let (let_go, hangs) = std::sync::mpsc::channel::<()>();
        let (begin, begun) = std::sync::mpsc::channel();
        let (hanging, writer) = (std::sync::Mutex::new(hangs), store.clone());
        let writing = std::thread::spawn(move || {
            writer.write_blocking(move |_| {
                let _ = begin.send(());
                let _ = hanging.lock().unwrap().recv();
                Ok(())
            })
        });
        begun.recv().unwrap();
        assert!(!close(store.clone(), Duration::ZERO));
        drop(let_go);
        writing.join().unwrap().unwrap();
        assert!(close(store, Duration::MAX), "it is waited for when it answers");
    }
}
