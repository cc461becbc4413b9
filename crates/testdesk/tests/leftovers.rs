//! A desk is left with nothing except what its test says.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too and may panic")]

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use store::testing::Sql as _;
use store::work::Kind;
use testdesk::{Leftover, TestDesk, on_both, quick};

const LAMP: &str = "Subject: Lamp\n\nIt is dark.";

/// What the end of the test complains about; empty: nothing.
async fn complaint(desk: &TestDesk) -> String {
    match AssertUnwindSafe(desk.finish()).catch_unwind().await {
        Ok(()) => String::new(),
        Err(panic) => panic.downcast_ref::<String>().unwrap().clone(),
    }
}

async fn forget_all_work(desk: &TestDesk) {
    desk.engine.store().write(|tx| tx.batch("DELETE FROM work")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn undecided_mail_is_a_fault_until_it_is_decided() {
    on_both(quick(), async |desk| {
        assert_eq!(complaint(desk).await, "");
        desk.receive(&[LAMP]).await;
        let said = complaint(desk).await;
        assert!(said.contains("Undecided") && !said.contains("Unannounced"), "{said}");
        desk.work().await;
        assert_eq!(complaint(desk).await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_nobody_announced_is_a_fault() {
    on_both(quick(), async |desk| {
        // The acknowledgement waits in the outbox, which is no fault while a row announces it.
        desk.receive(&[LAMP]).await;
        desk.work().await;
        assert_eq!(desk.outbox().await.len(), 1);
        assert_eq!(complaint(desk).await, "");
        forget_all_work(desk).await;
        let said = complaint(desk).await;
        assert!(said.contains("Unannounced(Outbox)"), "{said}");
        // We removed the row, so it is left over.
        desk.leaves(desk.account, Leftover::Unannounced(Kind::Outbox));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_test_says_is_left_must_be_left() {
    on_both(quick(), async |desk| {
        desk.leaves(desk.account, Leftover::Undecided);
        let said = complaint(desk).await;
        assert!(said.contains("not left with"), "{said}");
        desk.receive(&[LAMP]).await;
        assert_eq!(complaint(desk).await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[should_panic(expected = "the desk is left with")]
async fn on_both_complains_of_what_a_case_leaves() {
    on_both(quick(), async |desk| {
        desk.receive(&[LAMP]).await;
    })
    .await;
}
