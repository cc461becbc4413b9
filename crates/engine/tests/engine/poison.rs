//! A mail that makes a step fail is held with cause 19 or 24; nobody else's mail waits for it.

use std::sync::{Arc, Mutex, mpsc};

use engine::{EngineOptions, Fault, Step};

use crate::support::{TestDesk, on_both, quick};

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
    let mails: Vec<String> = (0..20)
        .map(|n| format!("Message-ID: <{n}@customer.example>\nSubject: {n}\n\n{}", if n == GUILTY { "poison" } else { "hi" }))
        .collect();
    let ids = desk.receive(&mails.iter().map(String::as_str).collect::<Vec<_>>()).await;
    desk.work().await;
    let ledger = desk.ledger().await;
    assert_eq!(ledger.len(), 20);
    for (number, row) in ledger.iter().enumerate() {
        let want = if number == GUILTY { "suspended" } else { "new_ticket" };
        assert_eq!((row.outcome.as_deref(), row.id), (Some(want), ids[number]), "mail {number}: {row:?}");
    }
    let numbers: Vec<i64> = ledger.iter().filter_map(|row| row.ticket).collect();
    assert_eq!(numbers, (1..=19).collect::<Vec<_>>(), "the others keep their order");
    let account = desk.account;
    let held = desk.read(move |tx| store::suspended::list(tx, account, 10)).await;
    assert_eq!((held.len(), held[0].cause, held[0].id), (1, cause, ids[GUILTY]));
    assert!(held[0].detail.contains(words), "{}", held[0].detail);
    let guilty = ids[GUILTY];
    let kept = desk.read(move |tx| store::raw::find(tx, account, guilty)).await.unwrap();
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
    on_both(options, async |desk| one_of_twenty_is_held(desk, 19, "cannot decide").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_whose_words_no_database_keeps_holds_its_mail_all_the_same() {
    let options = EngineOptions { fault: Some(fault(Step::Decide, || panic!("cannot decide a\0b"))), ..quick() };
    on_both(options, async |desk| one_of_twenty_is_held(desk, 19, "cannot decide").await).await;
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
