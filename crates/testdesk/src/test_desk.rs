//! A whole desk in a test: a database of its own, a clock to turn, and the account `acme` with Alice, who administers,
//! and Bob, who answers.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use desk::clock::Clock as _;
use desk::envelope::Envelope;
use desk::id::{AccountId, MailId, TicketId};
use desk::setting::Settings;
use desk::ticket::Ticket;
use desk::update::Update;
use desk::user::Role;
use engine::admin::AccountRequest;
use engine::{Command, DueDone, Engine, EngineOptions, Queued, SubmitError};
use store::Tx;
use store::comment::CommentRow;
use store::ledger::Row;
use store::outbox::OutboxRow;
use store::spool::NewMail;
use testkit::database::Database;
use tokio_util::sync::CancellationToken;

use crate::clock::FakeClock;
use crate::leftover::{self, Leftover};
use crate::node;
use crate::patience;
use crate::text::{envelope, key, raw};

/// A desk for one test.
#[derive(Debug)]
pub struct TestDesk {
    /// Its node.
    pub engine: Engine,
    /// The clock of its nodes and of its store.
    pub clock: Arc<FakeClock>,
    /// Account `acme`.
    pub account: AccountId,
    database: Database,
    /// What the test says the desk is left with.
    said: Mutex<Vec<(AccountId, Leftover)>>,
}

impl TestDesk {
    /// Creates the desk in an empty database.
    pub async fn new(database: Database, options: EngineOptions) -> TestDesk {
        let clock = Arc::new(FakeClock::default());
        let engine = node::start(&database.url, &node::blobs(&database), options, clock.clone()).await;
        let request = AccountRequest {
            subdomain: "acme".into(),
            name: "Acme".into(),
            admin_email: "alice@acme.example".into(),
            native_host: "acme.desk.example".into(),
        };
        let account = engine.create_account(request).await.unwrap().id;
        engine.add_user(account, "bob@acme.example", "Bob", Role::Agent).await.unwrap();
        TestDesk { engine, clock, account, database, said: Mutex::default() }
    }

    /// Says that an account is left with something in this test; otherwise [`TestDesk::finish`] complains.
    pub fn leaves(&self, account: AccountId, leftover: Leftover) {
        self.said.lock().unwrap().push((account, leftover));
    }

    /// Ends the test; [`crate::on_both`] does so after each case.
    ///
    /// # Panics
    /// When any account is left with something that the test did not announce, or is not left with what it announced.
    pub async fn finish(&self) {
        let found = self.read(leftover::of_all).await;
        let said = self.said.lock().unwrap().clone();
        let unsaid: Vec<_> = found.iter().filter(|left| !said.contains(left)).collect();
        assert!(unsaid.is_empty(), "the desk is left with {unsaid:?}");
        let missing: Vec<_> = said.iter().filter(|left| !found.contains(left)).collect();
        assert!(missing.is_empty(), "the desk is not left with {missing:?}, which the test said");
    }

    /// Another node on the same database and the same clock.
    pub async fn node(&self, options: EngineOptions) -> Engine {
        node::start(&self.database.url, &node::blobs(&self.database), options, self.clock.clone()).await
    }

    /// Another node on the same database that looks for blobs in another folder.
    pub async fn node_with_blobs(&self, options: EngineOptions, folder: &str) -> Engine {
        let blobs = format!("file:{}", self.database.folder.join(folder).display());
        node::start(&self.database.url, &blobs, options, self.clock.clone()).await
    }

    /// The folder with the blobs.
    #[must_use]
    pub fn blob_folder(&self) -> PathBuf {
        self.database.folder.join("blobs")
    }

    /// The desk's database.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Reads from the store.
    pub async fn read<T: Send + 'static>(
        &self,
        closure: impl FnMut(&mut Tx<'_>) -> store::Result<T> + Send + 'static,
    ) -> T {
        self.engine.store().read_now(closure).await.unwrap()
    }

    /// Accepts a mail as a door does; returns its id.
    pub async fn accept(&self, envelope: Envelope, raw: &[u8]) -> i64 {
        self.accept_for(self.account, envelope, raw).await
    }

    /// Accepts a mail for another account.
    pub async fn accept_for(&self, account_id: AccountId, envelope: Envelope, raw: &[u8]) -> i64 {
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
    pub async fn receive(&self, mails: &[&str]) -> Vec<i64> {
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
    pub async fn set(&self, change: impl Fn(&mut Settings) + Send + 'static) {
        set(&self.engine, self.account, change).await;
    }

    /// Processes the spool until no mail of the account waits.
    pub async fn work(&self) {
        self.work_by(&self.engine).await;
    }

    /// Processes the spool on another node until no mail of the account waits.
    pub async fn work_by(&self, engine: &Engine) {
        work(engine, self.account).await;
    }

    /// Does everything that is due, without a failure.
    pub async fn work_due(&self) -> DueDone {
        let done = self.engine.work_due().await;
        assert_eq!(done.failed, 0, "a due job failed");
        done
    }

    /// Polls until a condition holds.
    pub async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        patience::until(what, is_so).await;
    }

    /// What became of every mail that came in, in the order of their ids.
    pub async fn ledger(&self) -> Vec<Row> {
        let account = self.account;
        let mut rows = self
            .read(move |tx| store::ledger::decided(&mut tx.account(account), store::Before::FIRST, 1_000))
            .await;
        rows.sort_by_key(|row| row.id);
        rows
    }

    /// `outcome ticket` of every mail that came in.
    pub async fn outcomes(&self) -> Vec<String> {
        let shown = |row: Row| match row.ticket {
            Some(ticket) => format!("{} {ticket}", row.outcome.unwrap_or_default()),
            None => row.outcome.unwrap_or_default(),
        };
        self.ledger().await.into_iter().map(shown).collect()
    }

    /// A ticket by its number.
    pub async fn ticket(&self, number: i64) -> Ticket {
        let account = self.account;
        self.read(move |tx| store::ticket::by_number(&mut tx.account(account), number)).await.unwrap()
    }

    /// A ticket's comments, oldest first.
    pub async fn comments(&self, number: i64) -> Vec<CommentRow> {
        let (account, id) = (self.account, self.ticket(number).await.id.0);
        self.read(move |tx| {
            Ok(store::comment::of_tickets(&mut tx.account(account), &[TicketId(id)])?
                .remove(&TicketId(id))
                .unwrap_or_default())
        })
        .await
    }

    /// Everything that went out or is waiting to, oldest first.
    pub async fn outbox(&self) -> Vec<OutboxRow> {
        let account = self.account;
        self.read(move |tx| store::outbox::list(&mut tx.account(account), None, 1_000)).await
    }

    /// What is in the outbox, starting at a row, as `kind to`.
    pub async fn sent_after(&self, rows: usize) -> Vec<String> {
        self.outbox().await.into_iter().skip(rows).map(|row| format!("{} {}", row.kind, row.to)).collect()
    }

    /// Bob changes a ticket.
    pub async fn bob(&self, number: i64, update: Update) -> Result<Vec<Queued>, SubmitError> {
        let command = Command::UpdateTicket { number, actor: key("bob@acme.example"), update };
        self.engine.submit(self.account, command).await.map(|submitted| submitted.queued)
    }
}

/// Changes an account's settings.
pub async fn set(engine: &Engine, account: AccountId, change: impl Fn(&mut Settings) + Send + 'static) {
    let changed = engine.change_settings(account, move |settings| {
        let mut settings = settings.clone();
        change(&mut settings);
        Ok::<_, ()>(settings)
    });
    changed.await.unwrap();
}

/// Processes the spool with an engine until no mail of the account waits.
///
/// # Panics
/// When mail still waits after a minute.
pub async fn work(engine: &Engine, account: AccountId) {
    let stop = CancellationToken::new();
    let sorter = tokio::spawn({
        let (engine, stop) = (engine.clone(), stop.clone());
        async move { engine.run_sorter(stop).await }
    });
    let left = async || {
        engine.store().read_now(move |tx| store::spool::count(&mut tx.account(account))).await.unwrap()
    };
    patience::until("all mail is decided", async || left().await == 0).await;
    stop.cancel();
    sorter.await.unwrap();
}
