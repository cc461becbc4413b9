//! The shell around the desk: gathers facts, asks the desk, writes once. Processes the spool, does what is due, takes
//! commands.
//!
//! Knows no SQL, and of sockets only the resolver that authenticates senders. Mail comes from the spool, answers go to
//! the outbox, both by way of the store alone; [`Engine::submit`] is the one way for people and programs to change a
//! ticket. Everything that writes to an account goes through `transact`.

pub mod admin;
pub mod explain;
pub mod redecide;

mod accounts;
mod authenticate;
mod batch;
mod command;
mod due;
mod id_source;
mod isolate;
mod parse;
mod queue;
mod sorter;
mod sweeper;
mod transact;

use std::sync::Arc;

use desk::clock::Clock;
use desk::signed::SigningKeys;
use store::Store;

pub use authenticate::AuthenticateOptions;
pub use command::{Command, Queued, SubmitError, Submitted};
pub use due::DueDone;

/// A step of a mail's way, named for faults that tests inject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Before the raw bytes are parsed.
    Parse,
    /// Before the mail is decided, inside the transaction.
    Decide,
}

/// A fault that tests inject: called with the step and the raw mail; it may panic or stall.
pub type Fault = Arc<dyn Fn(Step, &[u8]) + Send + Sync>;

/// Options of the engine.
#[derive(Clone)]
pub struct EngineOptions {
    /// Who holds leases: the same after a restart of the same node, different for every other node.
    pub holder: String,
    /// How long a lease lasts without being renewed, milliseconds.
    pub lease_ms: i64,
    /// Maximum number of mails decided in one transaction.
    pub batch_max: usize,
    /// How long a batch waits for more mail, milliseconds.
    pub batch_wait_ms: u64,
    /// How long reading one mail may take before it counts as stalled, milliseconds.
    pub parse_budget_ms: u64,
    /// Whether mail can leave; without a relay it waits visibly.
    pub can_deliver: bool,
    /// Mails of one sender in an hour before they are held, where the account says nothing else; 0 switches the guard
    /// off.
    pub sender_per_hour: u32,
    /// How senders are authenticated; none: not at all.
    pub authenticate: Option<AuthenticateOptions>,
    /// For tests: what to do at each step.
    pub fault: Option<Fault>,
}

impl Default for EngineOptions {
    fn default() -> EngineOptions {
        EngineOptions {
            holder: "guichet".into(),
            lease_ms: 8_000,
            batch_max: 256,
            batch_wait_ms: 15,
            parse_budget_ms: 10_000,
            can_deliver: false,
            sender_per_hour: 0,
            authenticate: None,
            fault: None,
        }
    }
}

impl std::fmt::Debug for EngineOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineOptions")
            .field("holder", &self.holder)
            .field("lease_ms", &self.lease_ms)
            .finish_non_exhaustive()
    }
}

/// The engine of a desk; cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<EngineInner>,
}

#[derive(Debug)]
struct EngineInner {
    store: Store,
    options: EngineOptions,
    clock: Arc<dyn Clock>,
    keys: SigningKeys,
    accounts: accounts::Accounts,
    authenticator: Option<authenticate::Authenticator>,
    queues: queue::Queues,
    guilty: batch::Guilty,
    readers: parse::Readers,
    /// Mail read and not decided yet, in bytes that may still come.
    room: batch::Room,
    /// Held by the one account whose mail is processed one at a time.
    careful: tokio::sync::Mutex<()>,
}

impl Engine {
    /// An engine on an open, migrated store.
    ///
    /// # Errors
    /// [`store::StoreError`] when the signing keys cannot be read or made.
    pub async fn new(store: Store, options: EngineOptions, clock: Arc<dyn Clock>) -> store::Result<Engine> {
        let now = clock.now();
        let keys = store.write(move |tx| store::signing::load_or_make(tx, now)).await?;
        let authenticator = authenticator(&options);
        let inner = EngineInner {
            store,
            options,
            clock,
            keys,
            accounts: accounts::Accounts::default(),
            authenticator,
            queues: queue::Queues::default(),
            guilty: batch::Guilty::default(),
            readers: parse::Readers::default(),
            room: batch::Room::default(),
            careful: tokio::sync::Mutex::default(),
        };
        Ok(Engine { inner: Arc::new(inner) })
    }

    /// This node's accounts for a kind of work.
    fn lane(&self, kind: store::work::Kind) -> store::lane::Lane {
        let options = &self.inner.options;
        store::lane::Lane::new(self.store().clone(), kind, &options.holder, options.lease_ms)
    }

    /// The store it uses.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The keys that sign marks and return paths.
    #[must_use]
    pub fn keys(&self) -> &SigningKeys {
        &self.inner.keys
    }

    /// The time now, by the engine's clock.
    #[must_use]
    pub fn now(&self) -> desk::clock::Millis {
        self.inner.clock.now()
    }
}

/// Without name servers mail is taken all the same; its senders are unchecked.
fn authenticator(options: &EngineOptions) -> Option<authenticate::Authenticator> {
    let made = authenticate::Authenticator::new(options.authenticate.clone()?);
    made.inspect_err(|error| {
        tracing::error!(error = format!("{error:#}"), "Senders are not authenticated: DNS cannot be asked")
    })
    .ok()
}
