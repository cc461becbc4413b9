//! The worker on a store of its own, with rows written by hand.

use std::sync::Arc;
use std::time::Duration;

use desk::clock::{Clock, Millis};
use desk::id::AccountId;
use desk::signed::SigningKeys;
use outbox::pool::Limits;
use outbox::retry::Policy;
use outbox::route::{RelayUrl, Route};
use outbox::transport::{Options, Transport};
use outbox::worker::{OutboxOptions, Worker};
use store::outbox::OutboxRow;
use store::testing::Sql as _;
use store::work::{self, Kind};
use store::{Store, StoreOptions, Value};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::dns::Zone;
use crate::server::{DROP, Script, Server};

const NOW: Millis = Millis(1_790_000_000_000);
const CONTENT: &str = r#"{"kind":"probe","from":{"address":"desk@a.example"},"reply_to":{"address":"desk@a.example"},
    "to":[{"address":"alice@example.com"}],"subject":"Hello","text":"Good morning.","host":"a.example","probe":"s3cret"}"#;

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Millis {
        NOW
    }
}

/// A row to be sent; its mail has the same id.
struct Row {
    account_id: i64,
    id: i64,
    to: String,
    state: &'static str,
    message_id: String,
    content: &'static str,
    raw: Option<&'static [u8]>,
}

impl Row {
    fn new(account_id: i64, id: i64, to: &str) -> Row {
        let message_id = format!("m{id}@a.example");
        Row { account_id, id, to: to.to_owned(), state: "queued", message_id, content: CONTENT, raw: None }
    }
}

struct Bench {
    store: Store,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// A store whose clock stands still.
    async fn new(accounts: i64) -> Bench {
        Bench::by(Some(Arc::new(Stopped)), accounts).await
    }

    async fn by(clock: Option<Arc<dyn Clock>>, accounts: i64) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let (url, blobs) = (format!("sqlite:{path}/desk.db"), format!("file:{path}/blobs"));
        let store =
            Store::open(&StoreOptions { url, blobs, connections: 2, allow_unsafe: false, clock }).unwrap();
        let migrated = store.clone();
        tokio::task::spawn_blocking(move || migrated.migrate()).await.unwrap().unwrap();
        let made = store.write(move |tx| {
            for id in 1..=accounts {
                let (subdomain, name) = (format!("a{id}"), format!("A{id}"));
                store::account::insert(
                    tx,
                    &store::account::NewAccount { id: AccountId(id), subdomain, name, created_at: NOW },
                )?;
            }
            Ok(())
        });
        made.await.unwrap();
        Bench { store, _folder: folder }
    }

    /// Writes rows as they are due, in their order.
    async fn put(&self, rows: Vec<Row>) {
        let put = self.store.write(move |tx| {
            for row in &rows {
                let (account, id) = (Value::Int(row.account_id), Value::Int(row.id));
                let sql = "INSERT INTO outgoing_mails (account_id, id, kind, message_id, content, raw, created_at)
                           VALUES ($1, $2, 'probe', $3, $4, $5, $6)";
                let raw = row.raw.map_or(Value::Null, Value::Bytes);
                tx.execute(sql, &[account, id, Value::Text(&row.message_id), Value::Text(row.content), raw, NOW.into()])?;
                let sql = "INSERT INTO outbox (account_id, id, mail_id, recipient, state, attempts, due_at, last_answer,
                           created_at, updated_at) VALUES ($1, $2, $2, $3, $4, 0, 0, '', $5, $5)";
                tx.execute(sql, &[account, id, Value::Text(&row.to), Value::Text(row.state), NOW.into()])?;
            }
            Ok(())
        });
        put.await.unwrap();
    }

    /// Writes one more recipient of a mail.
    async fn put_also(&self, account_id: i64, id: i64, mail_id: i64) {
        let put = self.store.write(move |tx| {
            let sql = "INSERT INTO outbox (account_id, id, mail_id, recipient, state, attempts, due_at, last_answer,
                       created_at, updated_at) VALUES ($1, $2, $3, 'carl@example.com', 'queued', 0, 0, '', $4, $4)";
            tx.execute(sql, &[Value::Int(account_id), Value::Int(id), Value::Int(mail_id), NOW.into()])
        });
        put.await.unwrap();
    }

    async fn announce(&self, account_id: i64) {
        let announced =
            self.store.write(move |tx| work::announce(tx, Kind::Outbox, &[AccountId(account_id)], Millis(0)));
        announced.await.unwrap();
    }

    async fn rows(&self, account_id: i64) -> Vec<OutboxRow> {
        self.store
            .read_now(move |tx| store::outbox::list(&mut tx.account(AccountId(account_id)), None, 100_000))
            .await
            .unwrap()
    }

    /// How many rows of an account are in a state.
    async fn count(&self, account_id: i64, state: &str) -> usize {
        self.rows(account_id).await.iter().filter(|row| row.state.as_str() == state).count()
    }

    /// Waits until this many rows of an account are in a state.
    async fn until(&self, account_id: i64, state: &str, want: usize) {
        let waited = async { while self.count(account_id, state).await != want {} };
        let in_time = tokio::time::timeout(Duration::from_secs(60), waited).await;
        assert!(in_time.is_ok(), "{:?}", self.rows(account_id).await);
    }

    async fn lease_until(&self) -> i64 {
        let sql = "SELECT until FROM work WHERE account_id = 1 AND kind = 'outbox'";
        self.store.read_now(move |tx| tx.find(sql, &[])?.unwrap().int()).await.unwrap()
    }

    fn run(&self, transport: Transport, lease_ms: i64) -> (CancellationToken, JoinHandle<()>) {
        let options = OutboxOptions {
            holder: "node".to_owned(),
            lease_ms,
            policy: Policy { give_up_after_ms: 3_600_000 },
        };
        let keys = SigningKeys::new(vec![[7; 32]]).unwrap();
        let worker = Worker::new(self.store.clone(), keys, transport, options);
        let stop = CancellationToken::new();
        let told = stop.clone();
        (stop, tokio::spawn(async move { worker.run(told).await }))
    }
}

fn relay(server: &Server) -> Transport {
    relay_with(server, Limits::default())
}

fn relay_with(server: &Server, limits: Limits) -> Transport {
    let relay = RelayUrl::parse(&format!("smtp://{}", server.address)).unwrap();
    let options = Options { limits, ..Options::new("desk.example") };
    Transport::new(Route::Relay(relay), options).unwrap()
}

/// The database refuses to note that the mail 1 was sent.
async fn refuse(bench: &Bench) {
    let sql = "CREATE TRIGGER refuse BEFORE UPDATE ON outbox WHEN NEW.id = 1 AND NEW.state = 'sent'
               BEGIN SELECT RAISE(ABORT, 'refused'); END";
    bench.store.write(move |tx| tx.execute(sql, &[])).await.unwrap();
}

/// Starts a worker with one connection and waits until the result of the mail 1 was refused: the mail 2 was sent over
/// the same connection after it.
async fn run_refused(
    bench: &Bench,
    server: &Server,
    gate: &Semaphore,
) -> (CancellationToken, JoinHandle<()>) {
    bench.put(vec![Row::new(1, 1, "alice@example.com")]).await;
    bench.announce(1).await;
    let run = bench.run(relay_with(server, Limits { to_relay: 1, ..Limits::default() }), 60_000);
    let heard = async {
        while server.heard().mails.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), heard).await.unwrap();
    bench.put(vec![Row::new(1, 2, "bob@example.com")]).await;
    bench.announce(1).await;
    bench.store.ring_here(Kind::Outbox, AccountId(1));
    gate.add_permits(2);
    bench.until(1, "sent", 1).await;
    assert_eq!(bench.count(1, "sending").await, 1);
    run
}

async fn end((stop, task): (CancellationToken, JoinHandle<()>)) {
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_cannot_be_made_is_bounced_and_stops_nobody_else() {
    let (bench, server) = (Bench::new(2).await, Script::default().start().await);
    let bad = |id| Row::new(1, id, "alice@example.com");
    bench
        .put(vec![
            Row::new(1, 1, "alice@example.com"),
            Row { message_id: "no message id".to_owned(), ..bad(2) },
            Row { content: "{", ..bad(3) },
            Row { raw: Some(b"\x09\0\0\0damaged"), ..bad(4) },
            Row::new(1, 5, "alice@example.com"),
            Row::new(2, 6, "bob@example.net"),
        ])
        .await;
    bench.put_also(1, 7, 2).await;
    bench.put_also(1, 8, 5).await;
    bench.put_also(1, 9, 99).await;
    bench.announce(1).await;
    bench.announce(2).await;
    let run = bench.run(relay(&server), 60_000);
    bench.until(2, "sent", 1).await;
    bench.until(1, "bounced", 4).await;
    bench.until(1, "sent", 3).await;
    for row in bench.rows(1).await.iter().filter(|row| row.state.as_str() == "bounced") {
        assert!(row.last_answer.starts_with("the mail could not be made: "), "{row:?}");
        assert_eq!(row.attempts, 0, "{row:?}");
    }
    let sql = "SELECT state FROM outbox WHERE account_id = 1 AND id = 9";
    let without_mail =
        bench.store.read_now(|tx| tx.find(sql, &[])?.map(|mut row| row.text()).transpose()).await.unwrap();
    assert_eq!(without_mail.as_deref(), Some("bounced"));
    assert_eq!(server.heard().mails.len(), 4);
    end(run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_only_a_newer_version_can_make_waits_for_it() {
    let (bench, server) = (Bench::new(1).await, Script::default().start().await);
    let content = r#"{"kind":"survey","from":{"address":"desk@a.example"},"reply_to":{"address":"desk@a.example"},
        "to":[{"address":"alice@example.com"}],"question":"How was it?","host":"a.example"}"#;
    bench
        .put(vec![
            Row { content, ..Row::new(1, 1, "alice@example.com") },
            Row::new(1, 2, "alice@example.com"),
        ])
        .await;
    bench.announce(1).await;
    let run = bench.run(relay(&server), 60_000);
    bench.until(1, "sent", 1).await;
    bench.until(1, "deferred", 1).await;
    let rows = bench.rows(1).await;
    let waiting = rows.iter().find(|row| row.state.as_str() == "deferred").unwrap();
    assert_eq!((waiting.id.0, waiting.attempts), (1, 0));
    assert_eq!(waiting.last_answer, "only a newer version can make this mail of the kind survey");
    end(run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_destination_leaves_places_to_others() {
    let gate = Arc::new(Semaphore::new(0));
    let slow = Script::default().gate(&gate).start().await;
    let address = std::net::SocketAddr::new("127.0.0.2".parse().unwrap(), slow.address.port());
    let quick = Script::default().start_at(address).await;
    let zone =
        Zone::default().mx("slow.example", 10, "mx.slow.example").mx("quick.example", 10, "mx.quick.example");
    let zone = zone.a("mx.slow.example", "127.0.0.1").a("mx.quick.example", "127.0.0.2");
    let dns = zone.start().await;
    let route =
        Route::Direct { port: slow.address.port(), dns_servers: vec![dns.address], allow_loopback: true };
    let transport = Transport::new(route, Options::new("desk.example")).unwrap();
    let most = 2 * transport.connections();

    let bench = Bench::new(1).await;
    let mut rows: Vec<Row> = (1..=250).map(|id| Row::new(1, id, "alice@slow.example")).collect();
    rows.push(Row::new(1, 251, "bob@quick.example"));
    bench.put(rows).await;
    bench.announce(1).await;
    let run = bench.run(transport, 60_000);
    bench.until(1, "sent", 1).await;
    assert_eq!(quick.heard().mails.len(), 1);
    assert_eq!(bench.count(1, "sending").await, most);
    let rows = bench.rows(1).await;
    let back: Vec<&OutboxRow> = rows.iter().filter(|row| row.state.as_str() == "queued").collect();
    assert_eq!(back.len(), 250 - most);
    assert!(back.iter().all(|row| row.due_at == NOW + 30_000 && row.attempts == 0));
    gate.add_permits(250);
    end(run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_are_kept_while_the_last_mails_are_on_the_wire() {
    let gate = Arc::new(Semaphore::new(0));
    let (bench, server) = (Bench::by(None, 1).await, Script::default().gate(&gate).start().await);
    bench.put(vec![Row::new(1, 1, "alice@example.com")]).await;
    bench.announce(1).await;
    let (stop, task) = bench.run(relay(&server), 400);
    bench.until(1, "sending", 1).await;
    stop.cancel();
    let mut last = bench.lease_until().await;
    for _ in 0..3 {
        let renewed = async { while bench.lease_until().await <= last {} };
        tokio::time::timeout(Duration::from_secs(60), renewed).await.unwrap();
        last = bench.lease_until().await;
    }
    gate.add_permits(1);
    task.await.unwrap();
    assert_eq!(bench.count(1, "sent").await, 1);
    assert_eq!(bench.lease_until().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_its_place_is_not_begun_once_another_node_took_over() {
    let gate = Arc::new(Semaphore::new(0));
    let (bench, server) = (Bench::new(1).await, Script::default().gate(&gate).start().await);
    let transport = relay(&server);
    let places = transport.connections();
    bench.put((1..=100).map(|id| Row::new(1, id, "alice@example.com")).collect()).await;
    bench.announce(1).await;
    let run = bench.run(transport, 60_000);
    bench.until(1, "sending", 100).await;
    let at_data = || server.heard().lines.iter().filter(|line| line.starts_with("DATA")).count();
    let begun = async {
        while at_data() < places {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), begun).await.unwrap();
    let sql = "UPDATE work SET epoch = epoch + 1, holder = 'other' WHERE account_id = 1 AND kind = 'outbox'";
    bench.store.write(move |tx| tx.execute(sql, &[])).await.unwrap();
    gate.add_permits(100);
    end(run).await;
    assert_eq!(server.heard().mails.len(), places, "only what was on the wire");
    assert_eq!(bench.count(1, "sending").await, 100, "its results are the other node's to write");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_that_was_refused_is_written_later_and_its_mail_not_sent_again() {
    let gate = Arc::new(Semaphore::new(0));
    let (bench, server) = (Bench::new(1).await, Script::default().gate(&gate).start().await);
    refuse(&bench).await;
    let run = run_refused(&bench, &server, &gate).await;
    bench.store.write(|tx| tx.execute("DROP TRIGGER refuse", &[])).await.unwrap();
    bench.until(1, "sent", 2).await;
    end(run).await;
    assert_eq!(server.heard().mails.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_that_stays_refused_does_not_keep_the_program_from_ending() {
    let gate = Arc::new(Semaphore::new(0));
    let (bench, server) = (Bench::new(1).await, Script::default().gate(&gate).start().await);
    refuse(&bench).await;
    let run = run_refused(&bench, &server, &gate).await;
    end(run).await;
    assert_eq!((bench.count(1, "sending").await, server.heard().mails.len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_that_stays_refused_is_given_up_once_another_node_took_over() {
    let gate = Arc::new(Semaphore::new(0));
    let (bench, server) = (Bench::new(1).await, Script::default().gate(&gate).start().await);
    refuse(&bench).await;
    let run = run_refused(&bench, &server, &gate).await;
    let take_over = bench.store.write(|tx| {
        tx.execute("DROP TRIGGER refuse", &[])?;
        let sql =
            "UPDATE work SET epoch = epoch + 1, holder = 'other' WHERE account_id = 1 AND kind = 'outbox'";
        tx.execute(sql, &[])
    });
    take_over.await.unwrap();
    end(run).await;
    assert_eq!(bench.count(1, "sending").await, 1, "its result is the other node's to write");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_begun_under_a_lease_that_ran_out() {
    let (bench, server) = (Bench::new(1).await, Script::default().start().await);
    bench.put(vec![Row::new(1, 1, "alice@example.com")]).await;
    bench.announce(1).await;
    let run = bench.run(relay(&server), 0);
    bench.until(1, "sending", 1).await;
    end(run).await;
    assert_eq!(server.heard().mails.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_that_waited_for_a_relay_goes_out_when_there_is_one() {
    let (bench, server) = (Bench::new(1).await, Script::default().start().await);
    bench.put(vec![Row { state: "waiting", ..Row::new(1, 1, "alice@example.com") }]).await;
    bench.announce(1).await;
    let run = bench.run(relay(&server), 60_000);
    bench.until(1, "sent", 1).await;
    end(run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_with_as_much_in_hand_as_may_be_hides_nobody() {
    let gate = Arc::new(Semaphore::new(0));
    let (bench, server) = (Bench::new(2).await, Script::default().gate(&gate).start().await);
    bench.put((1..=150).map(|id| Row::new(1, id, "alice@example.com")).collect()).await;
    bench.announce(1).await;
    let run = bench.run(relay(&server), 60_000);
    bench.until(1, "sending", 100).await;
    // Now it can take no more, and more is announced before the other account's mail.
    bench.announce(1).await;
    bench.put(vec![Row::new(2, 151, "bob@example.net")]).await;
    bench.announce(2).await;
    bench.until(2, "sending", 1).await;
    gate.add_permits(151);
    bench.until(1, "sent", 150).await;
    bench.until(2, "sent", 1).await;
    end(run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_to_a_relay_that_is_down_waits_untried() {
    let (bench, server) =
        (Bench::new(1).await, Script::default().always("greeting", "450 busy").start().await);
    bench.put((1..=1_000).map(|id| Row::new(1, id, "alice@example.com")).collect()).await;
    bench.announce(1).await;
    let run = bench.run(relay(&server), 60_000);
    bench.until(1, "deferred", 100).await;
    let rows = bench.rows(1).await;
    let untried = rows.iter().filter(|row| row.state.as_str() == "deferred" && row.attempts == 0);
    assert!(untried.clone().count() > 50, "{}", untried.clone().count());
    assert!(untried.clone().all(|row| row.due_at == NOW + 30_000 && row.last_answer.contains("450 busy")));
    // The rest is left as it is, and looked at when the relay is.
    assert_eq!(bench.count(1, "queued").await, 900);
    end(run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_that_a_relay_closes_holds_back_one_mail() {
    for (step, answer) in
        [("RCPT", "421 4.4.2 lookup timed out"), ("MAIL", "421 4.7.0 too many"), ("RCPT", DROP)]
    {
        let (bench, server) = (Bench::new(1).await, Script::default().once(step, answer).start().await);
        bench.put((1..=50).map(|id| Row::new(1, id, "alice@example.com")).collect()).await;
        bench.announce(1).await;
        let run = bench.run(relay(&server), 60_000);
        bench.until(1, "sent", 49).await;
        let deferred = bench.rows(1).await.into_iter().find(|row| row.state.as_str() == "deferred").unwrap();
        assert_eq!(deferred.attempts, 1, "{step} {answer}");
        end(run).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_closes_every_connection_is_left_alone() {
    let server = Script::default().always("RCPT", "421 4.3.0 not now").start().await;
    let bench = Bench::new(1).await;
    bench.put((1..=100).map(|id| Row::new(1, id, "alice@example.com")).collect()).await;
    bench.announce(1).await;
    let run = bench.run(relay(&server), 60_000);
    bench.until(1, "deferred", 100).await;
    let tried = bench.rows(1).await.iter().filter(|row| row.attempts == 1).count();
    // As many as may be lost in a row, and what was on the wire then.
    assert!((20..=40).contains(&tried), "{tried}");
    end(run).await;
}
