//! A whole desk in a test: a database of its own, a clock to turn, account `acme` with Alice who administers and Bob
//! who answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use desk::clock::{Clock, Millis};
use desk::envelope::{Door, Envelope};
use desk::id::{AccountId, MailId, TicketId};
use desk::setting::Settings;
use desk::ticket::Ticket;
use desk::update::{NewComment, Update};
use desk::user::Role;
use engine::admin::AccountRequest;
use engine::{Command, DueDone, Engine, EngineOptions, Queued, SubmitError};
use mail::address::AddressKey;
use store::comment::CommentRow;
use store::ledger::Row;
use store::outbox::OutboxRow;
use store::spool::NewMail;
use store::{Store, StoreOptions, Tx};
use testkit::database::{Database, both};
use tokio_util::sync::CancellationToken;

/// How long anything may take before a test says that it does not happen.
const PATIENCE: Duration = Duration::from_secs(60);
/// When a desk's clock begins.
const NOW: Millis = 1_900_000_000_000;

/// A clock that stands still until it is turned.
#[derive(Debug)]
pub(crate) struct FakeClock(AtomicI64);

impl FakeClock {
    pub(crate) fn turn(&self, by: Millis) {
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Millis {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct TestDesk {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) account: AccountId,
    database: Database,
}

/// Runs a case on a desk of its own on each database; the case must leave no mail undecided.
pub(crate) async fn on_both(options: EngineOptions, case: impl AsyncFn(&TestDesk)) {
    for database in both() {
        println!("on {}", database.engine);
        let desk = TestDesk::new(database, options.clone()).await;
        case(&desk).await;
        let account = desk.account;
        assert_eq!(
            desk.read(move |tx| store::spool::count(&mut tx.account(account))).await,
            0,
            "mail was left undecided"
        );
    }
}

/// Options of a node that waits for nothing.
pub(crate) fn quick() -> EngineOptions {
    EngineOptions { batch_wait_ms: 0, ..EngineOptions::default() }
}

pub(crate) fn key(text: &str) -> AddressKey {
    AddressKey::parse(text).unwrap()
}

/// A mail as a few header lines, an empty line, and text; without From it is Ada's.
pub(crate) fn raw(text: &str) -> Vec<u8> {
    let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
    let from = if lines.iter().any(|line| line.starts_with("From:")) {
        ""
    } else {
        "From: Ada <ada@customer.example>\r\n"
    };
    format!("{from}{}\r\n", lines.join("\r\n")).into_bytes()
}

pub(crate) fn envelope(mail_from: Option<&str>, recipients: &[&str]) -> Envelope {
    Envelope {
        door: Door::Smtp,
        client: "192.0.2.1".into(),
        helo: "mx.customer.example".into(),
        mail_from: mail_from.map(str::to_owned),
        recipients: recipients.iter().map(|text| (*text).to_owned()).collect(),
        trusted: false,
        tls: true,
    }
}

fn open(database: &Database, clock: &Arc<FakeClock>) -> Store {
    open_at(&database.url, &blobs(database), clock)
}

fn blobs(database: &Database) -> String {
    format!("file:{}", database.folder.join("blobs").display())
}

fn open_at(url: &str, blobs: &str, clock: &Arc<FakeClock>) -> Store {
    let options = StoreOptions {
        url: url.into(),
        blobs: blobs.into(),
        connections: 4,
        allow_unsafe: false,
        clock: Some(clock.clone()),
    };
    let store = Store::open(&options).unwrap();
    store.migrate().unwrap();
    store
}

/// An engine on a database that may have no accounts.
pub(crate) async fn bare(database: &Database) -> Engine {
    let clock = Arc::new(FakeClock(AtomicI64::new(NOW)));
    let store = blocking(|| open(database, &clock)).await;
    Engine::new(store, quick(), clock).await.unwrap()
}

impl TestDesk {
    pub(crate) async fn new(database: Database, options: EngineOptions) -> TestDesk {
        let clock = Arc::new(FakeClock(AtomicI64::new(NOW)));
        let store = blocking(|| open(&database, &clock)).await;
        let engine = Engine::new(store, options, clock.clone()).await.unwrap();
        let request = AccountRequest {
            subdomain: "acme".into(),
            name: "Acme".into(),
            admin_email: "alice@acme.example".into(),
            native_host: "acme.desk.example".into(),
        };
        let account = engine.create_account(request).await.unwrap().id;
        engine.add_user(account, "bob@acme.example", "Bob", Role::Agent).await.unwrap();
        TestDesk { engine, clock, account, database }
    }

    /// Another node on the same database and the same clock.
    pub(crate) async fn node(&self, options: EngineOptions) -> Engine {
        let store = blocking(|| open(&self.database, &self.clock)).await;
        Engine::new(store, options, self.clock.clone()).await.unwrap()
    }

    /// Another node on the same database, whose blobs are looked for in another folder.
    pub(crate) async fn node_with_blobs(&self, options: EngineOptions, folder: &str) -> Engine {
        let blobs = format!("file:{}", self.database.folder.join(folder).display());
        let store = blocking(|| open_at(&self.database.url, &blobs, &self.clock)).await;
        Engine::new(store, options, self.clock.clone()).await.unwrap()
    }

    /// The folder of the blobs.
    pub(crate) fn blob_folder(&self) -> std::path::PathBuf {
        self.database.folder.join("blobs")
    }

    /// The desk in one line, for a program of its own that calls [`work_at`].
    pub(crate) fn place(&self) -> String {
        format!("{} {} {}", self.account, self.database.url, blobs(&self.database))
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        closure: impl FnMut(&mut Tx<'_>) -> store::Result<T> + Send + 'static,
    ) -> T {
        self.engine.store().read_now(closure).await.unwrap()
    }

    /// Accepts a mail as a door does; returns its id.
    pub(crate) async fn accept(&self, envelope: Envelope, raw: &[u8]) -> i64 {
        self.accept_for(self.account, envelope, raw).await
    }

    /// Accepts a mail for another account.
    pub(crate) async fn accept_for(&self, account_id: AccountId, envelope: Envelope, raw: &[u8]) -> i64 {
        let store = self.engine.store();
        let id = store.ids(1).await.unwrap().next().unwrap();
        let packed = store.pack_mail(account_id, MailId(id), &Arc::new(raw.to_vec())).await.unwrap();
        let envelope = serde_json::to_string(&envelope).unwrap();
        self.clock.turn(1);
        let mail = NewMail { account_id, id: MailId(id), accepted_at: self.clock.now(), envelope, packed };
        store.spool(vec![mail]).await.unwrap();
        id
    }

    /// Accepts mails to `support@`, one after another.
    pub(crate) async fn receive(&self, mails: &[&str]) -> Vec<i64> {
        let mut ids = Vec::new();
        for mail in mails {
            ids.push(
                self.accept(
                    envelope(Some("ada@customer.example"), &["support@acme.desk.example"]),
                    &raw(mail),
                )
                .await,
            );
        }
        ids
    }

    /// Changes the account's settings.
    pub(crate) async fn set(&self, change: impl Fn(&mut Settings) + Send + 'static) {
        set(&self.engine, self.account, change).await;
    }

    /// Processes the spool until no mail of the account waits.
    pub(crate) async fn work(&self) {
        self.work_by(&self.engine).await;
    }

    pub(crate) async fn work_by(&self, engine: &Engine) {
        work(engine, self.account).await;
    }

    /// Does everything that is due, without a failure.
    pub(crate) async fn work_due(&self) -> DueDone {
        let done = self.engine.work_due().await;
        assert_eq!(done.failed, 0, "a due job failed");
        done
    }

    /// Polls until a condition holds.
    pub(crate) async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        until(what, is_so).await;
    }

    /// What became of every mail that came in, in the order of their ids.
    pub(crate) async fn ledger(&self) -> Vec<Row> {
        let account = self.account;
        let mut rows = self
            .read(move |tx| store::ledger::decided(&mut tx.account(account), store::Before::FIRST, 1_000))
            .await;
        rows.sort_by_key(|row| row.id);
        rows
    }

    /// `outcome ticket` of every mail that came in.
    pub(crate) async fn outcomes(&self) -> Vec<String> {
        let shown = |row: Row| match row.ticket {
            Some(ticket) => format!("{} {ticket}", row.outcome.unwrap_or_default()),
            None => row.outcome.unwrap_or_default(),
        };
        self.ledger().await.into_iter().map(shown).collect()
    }

    pub(crate) async fn ticket(&self, number: i64) -> Ticket {
        let account = self.account;
        self.read(move |tx| store::ticket::by_number(&mut tx.account(account), number)).await.unwrap()
    }

    pub(crate) async fn comments(&self, number: i64) -> Vec<CommentRow> {
        let (account, id) = (self.account, self.ticket(number).await.id.0);
        self.read(move |tx| {
            Ok(store::comment::of_tickets(&mut tx.account(account), &[TicketId(id)])?
                .remove(&TicketId(id))
                .unwrap_or_default())
        })
        .await
    }

    pub(crate) async fn outbox(&self) -> Vec<OutboxRow> {
        let account = self.account;
        self.read(move |tx| store::outbox::list(&mut tx.account(account), None, 1_000)).await
    }

    /// What is in the outbox from a row on, as `kind to`.
    pub(crate) async fn sent_after(&self, rows: usize) -> Vec<String> {
        self.outbox().await.into_iter().skip(rows).map(|row| format!("{} {}", row.kind, row.to)).collect()
    }

    /// Bob changes a ticket.
    pub(crate) async fn bob(&self, number: i64, update: Update) -> Result<Vec<Queued>, SubmitError> {
        let command = Command::UpdateTicket { number, actor: key("bob@acme.example"), update };
        self.engine.submit(self.account, command).await.map(|submitted| submitted.queued)
    }
}

/// Opening a database blocks, so it has a thread of its own.
async fn blocking<T: Send>(open: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(open).join().unwrap())
}

pub(crate) fn answer(body: &str, is_public: bool) -> Update {
    Update { comment: Some(NewComment { body: body.into(), is_public }), ..Update::default() }
}

/// Changes an account's settings.
pub(crate) async fn set(
    engine: &Engine,
    account: AccountId,
    change: impl Fn(&mut Settings) + Send + 'static,
) {
    let changed = engine.change_settings(account, move |settings| {
        let mut settings = settings.clone();
        change(&mut settings);
        Ok::<_, ()>(settings)
    });
    changed.await.unwrap();
}

/// Processes the spool of the desk that [`TestDesk::place`] names until no mail of its account waits.
pub(crate) async fn work_at(place: &str, options: EngineOptions) {
    let [account, url, blobs] =
        place.splitn(3, ' ').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    let clock = Arc::new(FakeClock(AtomicI64::new(NOW)));
    let store = blocking(|| open_at(&url, &blobs, &clock)).await;
    work(&Engine::new(store, options, clock).await.unwrap(), AccountId(account.parse().unwrap())).await;
}

async fn work(engine: &Engine, account: AccountId) {
    let stop = CancellationToken::new();
    let sorter = tokio::spawn({
        let (engine, stop) = (engine.clone(), stop.clone());
        async move { engine.run_sorter(stop).await }
    });
    let left = async || {
        engine.store().read_now(move |tx| store::spool::count(&mut tx.account(account))).await.unwrap()
    };
    until("all mail is decided", async || left().await == 0).await;
    stop.cancel();
    sorter.await.unwrap();
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let looking = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        while !is_so().await {
            ticks.tick().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "{what}: it does not happen");
}
