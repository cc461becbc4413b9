//! What is left of held mail that was let through or deleted.

use std::sync::{Arc, Mutex};

use desk::event::Event;
use desk::id::{MailId, TicketId};
use desk::suspension::Cause;
use desk::ticket::Status;
use engine::redecide::{RecoverAs, RedecideError};
use engine::{EngineOptions, Fault, Step};
use testdesk::{TestDesk, on_both, quick};
use tokio::runtime::Handle;

/// A mail from a mail system: held with cause 9.
const HELD: &str = "From: postmaster@customer.example\nMessage-ID: <held@customer.example>\n\
                    Date: Mon, 2 Nov 2026 10:00:00 +0000\nSubject: Lamp\n\nIt is dark.";

async fn hold(desk: &TestDesk) -> i64 {
    let id = desk.receive(&[HELD]).await.remove(0);
    desk.work().await;
    assert_eq!(desk.outcomes().await, ["suspended"]);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovered_ticket_is_new_unassigned_and_says_why_it_was_held() {
    on_both(quick(), async |desk| {
        let id = hold(desk).await;
        desk.engine.recover(desk.account, MailId(id), RecoverAs::AsSent, "the operator").await.unwrap();
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.status, ticket.assignee_id), (Status::New, None));
        let (account, ticket_id) = (desk.account, ticket.id.0);
        let audits =
            desk.read(move |tx| store::audit::of_ticket(&mut tx.account(account), TicketId(ticket_id))).await;
        let recovered = Event::recovered(MailId(id), Some(Cause::SystemUser), "the operator");
        let told = audits.iter().flat_map(|audit| &audit.events).filter(|event| **event == recovered).count();
        assert_eq!(told, 1, "{audits:?}");
        assert_eq!(desk.outbox().await.len(), 0, "a machine is told of nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_mail_that_is_sent_again_is_a_duplicate_and_nobody_is_told() {
    on_both(quick(), async |desk| {
        let id = hold(desk).await;
        assert_eq!(
            desk.engine.delete_suspended(desk.account, vec![MailId(id)], "the operator").await.unwrap(),
            1
        );
        assert_eq!(desk.outbox().await.len(), 0, "its sender is not told");
        desk.receive(&[HELD, &HELD.replace("It is dark.", "It is still dark.")]).await;
        desk.work().await;
        assert_eq!(
            desk.outcomes().await,
            ["discarded", "duplicate", "suspended"],
            "another text is another mail"
        );
        let account = desk.account;
        assert_eq!(desk.read(move |tx| store::ticket::list(&mut tx.account(account), 0, 10)).await.len(), 0);
        assert!(
            desk.ledger().await[1].reason.contains(&format!("mail {id}")),
            "it names the mail that was deleted"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_deleted_while_it_is_read_again_stays_deleted() {
    // Somebody deletes it between the reading and the lock.
    type Deletes = Box<dyn Fn() + Send>;
    let deletes: Arc<Mutex<Option<Deletes>>> = Arc::default();
    let asked = Arc::clone(&deletes);
    let fault: Fault = Arc::new(move |step, _: &[u8]| {
        if step == Step::Parse
            && let Some(delete) = asked.lock().unwrap().take()
        {
            delete();
        }
    });
    on_both(EngineOptions { fault: Some(fault), ..quick() }, async |desk| {
        let id = MailId(hold(desk).await);
        let (engine, account) = (desk.engine.clone(), desk.account);
        let runtime = Handle::current();
        *deletes.lock().unwrap() = Some(Box::new(move || {
            let deleted = runtime.block_on(engine.delete_suspended(account, vec![id], "somebody"));
            assert_eq!(deleted.unwrap(), 1);
        }));
        let replayed = desk.engine.replay(desk.account, id, true).await;
        assert!(matches!(replayed, Err(RedecideError::Gone(gone)) if gone == id), "{replayed:?}");
        assert_eq!(desk.outcomes().await, ["discarded"]);
    })
    .await;
}
