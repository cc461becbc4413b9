//! Failures wait for their owner: a mail, an account, or the system (docs/behaviour/intake.md §9).

use desk::clock::{DAY, HOUR, Millis};
use desk::id::MailId;
use desk::suspension::HELD_FOR;
use engine::EngineOptions;
use store::testing::Sql as _;
use store::values;
use store::work::Kind;
use testdesk::{TestDesk, envelope, on_both, quick};
use tokio_util::sync::CancellationToken;

use crate::support::second_account;

/// A mail so large, and so hard to compress, that it is kept in a blob; returns its id and the name of the blob.
async fn receive_large(desk: &TestDesk, subject: &str) -> (i64, String) {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let noise: String = (0..600_000)
        .map(|at| {
            // Marsaglia's xorshift: nothing that a compressor finds a pattern in.
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            if at % 70 == 69 { '\n' } else { char::from(b'0' + (seed % 64) as u8) }
        })
        .collect();
    let mail = format!("From: Ada <ada@customer.example>\r\nSubject: {subject}\r\n\r\n{noise}\r\n");
    let rcpt = envelope(Some("ada@customer.example"), &["support@acme.desk.example"]);
    let id = desk.accept(rcpt, mail.as_bytes()).await;
    let account = desk.account;
    let packed = desk.read(move |tx| store::raw::find(&mut tx.account(account), MailId(id))).await;
    (id, packed.and_then(|packed| packed.blob).expect("it is kept in a blob"))
}

/// Runs an engine's sorter until a condition holds.
async fn run_until(desk: &TestDesk, engine: &engine::Engine, what: &str, is_so: impl AsyncFn() -> bool) {
    let stop = CancellationToken::new();
    let sorter = tokio::spawn({
        let engine = engine.clone();
        let stop = stop.clone();
        async move { engine.run_sorter(stop).await }
    });
    desk.until(what, is_so).await;
    stop.cancel();
    sorter.await.unwrap();
}

/// When a mail was last noted to keep its account from going on.
async fn troubled_at(desk: &TestDesk, id: i64) -> Millis {
    let account = desk.account;
    let sql = "SELECT troubled_at FROM spool WHERE account_id = $1 AND id = $2";
    let row = desk.engine.store().read_now(move |tx| tx.find(sql, &values![account, id])).await.unwrap();
    row.map_or(Millis::default(), |mut row| row.time().unwrap_or_default())
}

async fn is_troubled(desk: &TestDesk, id: i64) -> bool {
    let account = desk.account;
    let sql = "SELECT troubled_since FROM spool WHERE account_id = $1 AND id = $2";
    let row = desk.read(move |tx| tx.find(sql, &values![account, id])).await;
    row.is_some_and(|mut row| row.maybe_int().unwrap().is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_blob_keeps_its_account_waiting_and_holds_nobody() {
    on_both(quick(), async |desk| {
        desk.receive(&["Subject: Before\n\nhi"]).await;
        let (id, blob) = receive_large(desk, "Large").await;
        desk.receive(&["Subject: After\n\nhi"]).await;
        let path = desk.blob_folder().join(&blob);
        let aside = path.with_extension("aside");
        std::fs::rename(&path, &aside).unwrap();
        run_until(desk, &desk.engine, "the mail is noted", async || is_troubled(desk, id).await).await;
        assert_eq!(
            desk.outcomes().await,
            ["new_ticket 1"],
            "what is before it is decided, what is after it waits"
        );
        std::fs::rename(&aside, &path).unwrap();
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["new_ticket 1", "new_ticket 2", "new_ticket 3"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_stays_missing_is_held_after_hours_and_never_deleted() {
    on_both(quick(), async |desk| {
        let (id, blob) = receive_large(desk, "Large").await;
        desk.receive(&["Subject: After\n\nhi"]).await;
        let path = desk.blob_folder().join(&blob);
        std::fs::rename(&path, path.with_extension("aside")).unwrap();
        run_until(desk, &desk.engine, "the mail is noted", async || is_troubled(desk, id).await).await;
        // Hours in which nobody tried because the desk was stopped do not count.
        desk.clock.turn(7 * HOUR);
        let stopped_at = desk.engine.store().read_now(|tx| tx.database_now()).await.unwrap();
        let is_noted = async || troubled_at(desk, id).await >= stopped_at;
        run_until(desk, &desk.engine, "the mail is noted again", is_noted).await;
        assert_eq!(desk.outcomes().await, Vec::<String>::new());

        let account = desk.account;
        let sql = "UPDATE spool SET troubled_since = troubled_since - $2 WHERE account_id = $1";
        let hours_ago = desk.engine.store().write(move |tx| tx.execute(sql, &values![account, 7 * HOUR]));
        hours_ago.await.unwrap();
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["suspended", "new_ticket 1"]);
        desk.clock.turn(HELD_FOR + DAY);
        assert_eq!(desk.work_due().await.purged, 0, "nobody has seen it yet");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_its_blobs_leaves_the_account_to_a_node_that_is_well() {
    on_both(quick(), async |desk| {
        let (id, _) = receive_large(desk, "Large").await;
        let options = EngineOptions { holder: "sick".into(), ..quick() };
        let sick = desk.node_with_blobs(options, "not-mounted").await;
        assert!(!sick.store().blobs_are_well().await);
        let stop = CancellationToken::new();
        let sorter = tokio::spawn({
            let sick = sick.clone();
            let stop = stop.clone();
            async move { sick.run_sorter(stop).await }
        });
        desk.work().await;
        stop.cancel();
        sorter.await.unwrap();
        assert_eq!(desk.outcomes().await, ["new_ticket 1"]);
        assert!(!is_troubled(desk, id).await, "nothing counts against a mail where no blob can be read");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_of_a_newer_version_in_a_ticket_keeps_its_account_waiting_and_holds_nobody() {
    on_both(quick(), async |desk| {
        desk.receive(&["Message-ID: <a@customer.example>\nSubject: Lamp\n\nDark."]).await;
        desk.work().await;
        let account = desk.account;
        let set = async |status: &'static str| {
            let sql = "UPDATE tickets SET status = $2 WHERE account_id = $1";
            let write = desk.engine.store().write(move |tx| tx.execute(sql, &values![account, status]));
            write.await.unwrap();
        };
        set("dreaming").await;
        let ids =
            desk.receive(&["In-Reply-To: <a@customer.example>\nSubject: Re: Lamp\n\nStill dark."]).await;
        run_until(desk, &desk.engine, "the mail is noted", async || is_troubled(desk, ids[0]).await).await;
        assert_eq!(desk.outcomes().await, ["new_ticket 1"]);
        set("open").await;
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["new_ticket 1", "comment 1"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_ticket_that_cannot_be_deleted_keeps_no_other() {
    on_both(quick(), async |desk| {
        let other = second_account(desk, "bolt").await;
        let raw = b"From: postmaster@customer.example\r\nSubject: Undeliverable\r\n\r\nhi\r\n";
        let mut ids = Vec::new();
        for (account, host) in
            [(desk.account, "acme"), (desk.account, "acme"), (desk.account, "acme"), (other, "bolt")]
        {
            let rcpt = format!("support@{host}.desk.example");
            ids.push(desk.accept_for(account, envelope(None, &[&rcpt]), raw).await);
        }
        desk.work().await;
        desk.until("the other's mail is decided", async || {
            desk.read(move |tx| store::spool::count(&mut tx.account(other))).await == 0
        })
        .await;
        let (account, damaged) = (desk.account, ids[0]);
        let set = async |reasons: &'static str| {
            let sql = "UPDATE ledger SET reasons = $2 WHERE account_id = $1 AND id = $3";
            let write =
                desk.engine.store().write(move |tx| tx.execute(sql, &values![account, reasons, damaged]));
            assert_eq!(write.await.unwrap(), 1);
        };
        set("damaged").await;
        desk.clock.turn(HELD_FOR + HOUR);
        // It comes to an end, so it does not try the damaged one over and over.
        let done = desk.engine.work_due().await;
        assert_eq!((done.purged, done.failed), (3, 1));
        let left = desk
            .read(move |tx| store::suspended::expired(&mut tx.account(account), Millis(i64::MAX), 10))
            .await;
        assert_eq!(left, [MailId(damaged)]);
        // What doctor warns of.
        let unheld = desk.read(|tx| store::node::unheld(tx, 60_000)).await;
        let named: Vec<_> = unheld.iter().map(|one| (one.account_id, one.kind)).collect();
        assert_eq!(named, [(account, Kind::Purge)]);
        set("[]").await;
        assert_eq!(desk.work_due().await.purged, 1);
        assert_eq!(desk.read(|tx| store::node::unheld(tx, 60_000)).await, []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_accounts_failing_job_does_not_stop_the_others() {
    on_both(quick(), async |desk| {
        let other = second_account(desk, "bolt").await;
        for (account, host) in [(desk.account, "acme"), (other, "bolt")] {
            let rcpt = format!("support@{host}.desk.example");
            let raw = b"From: postmaster@customer.example\r\nSubject: Undeliverable\r\n\r\nhi\r\n";
            desk.accept_for(account, envelope(None, &[&rcpt]), raw).await;
        }
        desk.work().await;
        desk.until("the other's mail is decided", async || {
            desk.read(move |tx| store::spool::count(&mut tx.account(other))).await == 0
        })
        .await;
        let account = desk.account;
        let break_it = desk.engine.store().write(move |tx| {
            tx.execute("UPDATE ledger SET reasons = 'damaged' WHERE account_id = $1", &values![account])
        });
        break_it.await.unwrap();
        desk.clock.turn(HELD_FOR + 1);
        let done = desk.engine.work_due().await;
        assert_eq!((done.purged, done.failed), (1, 1));
    })
    .await;
}
