//! A mail that makes a step fail, or stops the program, is held with cause 19 or 24; nobody else's mail waits for it.

use std::process::Command;
use std::sync::{Arc, Mutex, mpsc};

use desk::id::MailId;
use engine::{EngineOptions, Fault, Step};
use store::Before;
use store::testing::Sql as _;

use testdesk::{TestDesk, on_both, quick};

use crate::support::{place, second_account, work_at};

const GUILTY: usize = 10;

/// What happens to the guilty mail, and only to it.
fn fault(at: Step, act: impl Fn() + Send + Sync + 'static) -> Fault {
    Arc::new(move |step, raw: &[u8]| {
        if step == at && raw.windows(6).any(|word| word == b"poison") {
            act();
        }
    })
}

async fn one_of_twenty_is_held(desk: &TestDesk, cause: i64, words: &str) {
    let ids = receive_twenty(desk).await;
    desk.work().await;
    one_is_held(desk, &ids, cause, words).await;
}

async fn receive_twenty(desk: &TestDesk) -> Vec<i64> {
    let mails: Vec<String> = (0..20)
        .map(|n| {
            format!(
                "Message-ID: <{n}@customer.example>\nSubject: {n}\n\n{}",
                if n == GUILTY { "poison" } else { "hi" }
            )
        })
        .collect();
    desk.receive(&mails.iter().map(String::as_str).collect::<Vec<_>>()).await
}

async fn one_is_held(desk: &TestDesk, ids: &[i64], cause: i64, words: &str) {
    let ledger = desk.ledger().await;
    assert_eq!(ledger.len(), 20);
    for (number, row) in ledger.iter().enumerate() {
        let want = if number == GUILTY { "suspended" } else { "new_ticket" };
        assert_eq!((row.outcome.as_deref(), row.id), (Some(want), ids[number]), "mail {number}: {row:?}");
    }
    let numbers: Vec<i64> = ledger.iter().filter_map(|row| row.ticket).collect();
    assert_eq!(numbers, (1..=19).collect::<Vec<_>>(), "the others keep their order");
    let account = desk.account;
    let held =
        desk.read(move |tx| store::suspended::page(&mut tx.account(account), None, Before::FIRST, 10)).await;
    assert_eq!((held.len(), held[0].cause, held[0].id.0), (1, cause, ids[GUILTY]));
    assert!(held[0].detail.contains(words), "{}", held[0].detail);
    let guilty = ids[GUILTY];
    let kept = desk.read(move |tx| store::raw::find(&mut tx.account(account), MailId(guilty))).await.unwrap();
    let kept = kept.unpack(desk.engine.store()).await.unwrap();
    assert!(kept.ends_with(b"poison\r\n"), "its bytes are kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_reading_panics_is_held() {
    let options = EngineOptions { fault: Some(fault(Step::Parse, || panic!("cannot read"))), ..quick() };
    on_both(options, async |desk| one_of_twenty_is_held(desk, 19, "panicked").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_decision_panics_is_held() {
    let options = EngineOptions { fault: Some(fault(Step::Decide, || panic!("cannot decide"))), ..quick() };
    on_both(options, async |desk| one_of_twenty_is_held(desk, 19, "deciding it panicked").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_whose_message_no_database_accepts_still_holds_its_mail() {
    let options =
        EngineOptions { fault: Some(fault(Step::Decide, || panic!("cannot decide a\0b"))), ..quick() };
    on_both(options, async |desk| one_of_twenty_is_held(desk, 19, "deciding it panicked").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_reading_stalls_is_held() {
    // The reader waits at the gate for as long as it is shut.
    let (shut, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let stall = move || {
        let _ = gate.lock().unwrap().recv();
    };
    let options = EngineOptions { parse_budget_ms: 1_000, fault: Some(fault(Step::Parse, stall)), ..quick() };
    on_both(options, async |desk| one_of_twenty_is_held(desk, 24, "longer than").await).await;
    drop(shut);
}

/// Names the desk that [`a_program_that_a_mail_stops`] processes.
const DESK: &str = "GUICHET_TEST_STOPPED_DESK";

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_stops_the_program_each_time_is_held() {
    on_both(quick(), async |desk| {
        let ids = receive_twenty(desk).await;
        let mut starts = 0;
        loop {
            let mut program = Command::new(std::env::current_exe().unwrap());
            program.args(["--exact", "poison::a_program_that_a_mail_stops"]).env(DESK, place(desk));
            starts += 1;
            if tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap().status.success()
            {
                break;
            }
            assert!(starts < 10, "it never comes up");
        }
        // Twice with a batch in hand, five times with this mail alone; the eighth start holds it.
        assert_eq!(starts, 8);
        one_is_held(desk, &ids, 19, "stopped the program 5 times").await;
        let account = desk.account;
        let sql = "SELECT crashes FROM work WHERE account_id = $1 AND kind = $2";
        let mut lease = desk.read(move |tx| tx.find(sql, &store::values![account, "mail"])).await.unwrap();
        assert_eq!(lease.int().unwrap(), 0, "from here on mail is processed in batches again");
    })
    .await;
}

/// Mails of the account that takes long: far more than are decided before the other account's turn begins.
const LONG: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_are_processed_with_care_take_turns() {
    let decided: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&decided);
    let note: Fault = Arc::new(move |step, raw: &[u8]| {
        if step == Step::Decide {
            let subject = raw.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"Subject: "));
            noted.lock().unwrap().extend(subject.map(|text| String::from_utf8_lossy(text).trim().to_owned()));
        }
    });
    on_both(EngineOptions { fault: Some(note), ..quick() }, async |desk| {
        decided.lock().unwrap().clear();
        let other = second_account(desk, "other").await;
        let mails: Vec<String> =
            (0..LONG).map(|n| format!("Message-ID: <{n}@customer.example>\nSubject: long\n\nhi")).collect();
        desk.receive(&mails.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let short = testdesk::raw("Message-ID: <short@customer.example>\nSubject: short\n\nhi");
        let to = testdesk::envelope(Some("jane@customer.example"), &["support@other.desk.example"]);
        desk.accept_for(other, to, &short).await;
        let sql = "UPDATE work SET crashes = 2, holder = 'gone', until = 1 WHERE kind = 'mail'";
        desk.engine.store().write(move |tx| tx.execute(sql, &[])).await.unwrap();
        desk.work().await;
        let order = decided.lock().unwrap().clone();
        assert!(
            order.iter().take(LONG).any(|subject| subject == "short"),
            "the account with one mail waited for all {LONG} of the other's"
        );
    })
    .await;
}

/// The program that the test above starts again and again; not a test in itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_a_mail_stops() {
    let Ok(place) = std::env::var(DESK) else { return };
    let options = EngineOptions { fault: Some(fault(Step::Parse, || std::process::abort())), ..quick() };
    work_at(&place, options).await;
}
