//! A whole desk inside this process: door, sorter and engine on a database, so that commands can be given without starting a
//! process for each.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use desk::clock::{Clock, Millis};
use desk::id::AccountId;
use engine::admin::AccountRequest;
use engine::{Engine, EngineOptions};
use intake::{DoorOptions, Intake, Listen};
use mail::address::AddressKey;
use store::{Store, StoreOptions};
use testkit::server::Folder;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::wait::until_count;
use crate::load::desk::Database;

/// Where its mail comes in: the native host of its only account.
pub(crate) const HOST: &str = "bench.desk.example";
/// Its only agent, who is its admin too.
const AGENT: &str = "admin@bench.people.example";
/// Memory for incoming messages, as `limits.mail_memory` has it by default.
const ROOM_BYTES: u64 = 512_000_000;
/// The largest mail, as `limits.max_mail_size` has it by default.
const MAIL_BYTES: u64 = 50_000_000;
/// How long a session may be silent, and a mail may take; never reached here.
const IDLE_MS: u64 = 300_000;
/// Connections of the database, as `store.connections` has it by default.
const CONNECTIONS: usize = 8;

/// The desk; it stops when [`Inside::stop`] says so.
pub(crate) struct Inside {
    runtime: Runtime,
    tasks: JoinSet<()>,
    word: CancellationToken,
    engine: Engine,
    door: SocketAddr,
    account: AccountId,
    agent: AddressKey,
    _folder: Folder,
}

impl Inside {
    /// Opens a desk with one account on an empty database. Outgoing mail waits: there is no relay.
    ///
    /// # Errors
    /// When the database refuses, or no port can be bound.
    pub(crate) fn open(database: &Database) -> Result<Self> {
        let folder = Folder::new("inside")?;
        let store = open_store(database, &folder)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let word = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let opened = runtime.block_on(async {
            store.check_blobs().await?;
            let engine = Engine::new(store.clone(), EngineOptions::default(), Arc::clone(&clock)).await?;
            let account = engine.create_account(account_request()).await?.id;
            let intake = Intake::new(store, clock, ROOM_BYTES);
            let door = intake.open(door_options()).await?;
            let address: SocketAddr = door.local_addr().parse().context("the door's address")?;
            let sorter = engine.clone();
            let stop = word.clone();
            tasks.spawn(async move { sorter.run_sorter(stop).await });
            let stop = word.clone();
            tasks.spawn(async move { door.run(stop).await });
            anyhow::Ok((engine, account, address))
        });
        let (engine, account, door) = opened?;
        let agent = AddressKey::parse(AGENT).context("the agent's address")?;
        Ok(Self { runtime, tasks, word, engine, door, account, agent, _folder: folder })
    }

    /// Where it takes mail by SMTP.
    pub(crate) fn door(&self) -> SocketAddr {
        self.door
    }

    /// Its engine, for submitting commands.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Its only account.
    pub(crate) fn account(&self) -> AccountId {
        self.account
    }

    /// Who answers.
    pub(crate) fn agent(&self) -> &AddressKey {
        &self.agent
    }

    /// The runtime of its tasks.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Waits until all of `accepted` mails, this run's and those before, are decided.
    ///
    /// # Errors
    /// When it makes no more progress.
    pub(crate) fn wait_decided(&self, accepted: usize) -> Result<()> {
        until_count("the desk decides what it accepted", accepted, || {
            let account = self.account;
            let waiting =
                self.engine.store().read_blocking(move |tx| store::spool::count(&mut tx.account(account)))?;
            Ok(accepted.saturating_sub(usize::try_from(waiting)?))
        })
    }

    /// Stops its tasks gracefully and closes the database.
    pub(crate) fn stop(mut self) {
        self.word.cancel();
        self.runtime.block_on(async { while self.tasks.join_next().await.is_some() {} });
        self.engine.store().close();
        self.runtime.shutdown_timeout(Duration::from_secs(5));
    }
}

fn open_store(database: &Database, folder: &Folder) -> Result<Store> {
    let url = match database {
        Database::Sqlite => format!("sqlite:{}", folder.join("guichet.db").display()),
        Database::Postgres(url) => url.clone(),
    };
    let blobs = format!("file:{}", folder.join("blobs").display());
    let options = StoreOptions { url, blobs, connections: CONNECTIONS, allow_unsafe: false, clock: None };
    let store = Store::open(&options).context("opening the database of the desk")?;
    store.migrate().context("making its tables")?;
    Ok(store)
}

fn account_request() -> AccountRequest {
    AccountRequest {
        subdomain: "bench".to_owned(),
        name: "Bench".to_owned(),
        admin_email: AGENT.to_owned(),
        native_host: HOST.to_owned(),
    }
}

/// Limits that protect a real desk are off: load comes from one client.
fn door_options() -> DoorOptions {
    DoorOptions {
        listen: Listen::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        protocol: smtp::Protocol::Smtp,
        hostname: HOST.to_owned(),
        max_mail_bytes: MAIL_BYTES,
        limits: smtp::Limits::default(),
        tls: None,
        trusted_relays: Vec::new(),
        connections: 1_000,
        connections_per_client: 1_000,
        idle_ms: IDLE_MS,
        mail_ms: IDLE_MS,
    }
}

/// The system's clock.
#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "a benchmark runs in real time")]
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).map_or(Millis::MAX, Millis)
    }
}
