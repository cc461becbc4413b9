//! The database commits, and the answer is lost on the way: nothing is done twice, and nothing is lost.

use std::sync::Arc;

use desk::clock::Clock as _;
use desk::id::MailId;
use engine::SubmitError;
use store::StoreError;
use store::spool::NewMail;
use testdesk::{TestDesk, answer, envelope, key, node, quick, raw};
use testkit::database;
use testkit::server::LossyRelay;

const LAMP: &str = "Message-ID: <a@customer.example>\nSubject: Lamp\n\nIt is dark.";

/// A desk, and a second node that reaches its database by way of a relay.
async fn desk() -> (TestDesk, LossyRelay, engine::Engine) {
    let desk = TestDesk::new(database::postgres(), quick()).await;
    let relay = LossyRelay::to(&desk.database().url);
    let url = relay.by_way_of(&desk.database().url);
    let blobs = node::blobs(desk.database());
    let node = node::start(&url, &blobs, quick(), desk.clock.clone()).await;
    (desk, relay, node)
}

async fn bodies(desk: &TestDesk) -> Vec<String> {
    desk.comments(1).await.into_iter().map(|comment| comment.body).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_was_accepted_is_not_refused() {
    let (desk, relay, node) = desk().await;
    let store = node.store();
    let id = MailId(store.ids(1).await.unwrap().next().unwrap());
    let packed = store.pack_mail(desk.account, id, &Arc::new(raw(LAMP))).await.unwrap();
    let envelope = envelope(Some("ada@customer.example"), &["support@acme.desk.example"]);
    let envelope = serde_json::to_string(&envelope).unwrap();
    relay.lose("ada@customer.example");
    let mail = NewMail { account_id: desk.account, id, accepted_at: desk.clock.now(), envelope, packed };
    store.spool(vec![mail]).await.unwrap();
    assert!(relay.has_lost());
    desk.work().await;
    assert_eq!(desk.outcomes().await, ["new_ticket 1"]);
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_was_decided_is_not_decided_again() {
    let (desk, relay, node) = desk().await;
    desk.receive(&[
        LAMP,
        "Message-ID: <b@customer.example>\nIn-Reply-To: <a@customer.example>\n\nStill dark.",
    ])
    .await;
    relay.lose("It is dark.");
    desk.work_by(&node).await;
    assert!(relay.has_lost());
    assert_eq!(desk.outcomes().await, ["new_ticket 1", "comment 1"]);
    assert_eq!(bodies(&desk).await, ["It is dark.", "Still dark."]);
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_not_given_again_and_its_agent_is_told_to_look() {
    let (desk, relay, node) = desk().await;
    desk.receive(&[LAMP]).await;
    desk.work().await;
    let before = desk.outbox().await.len();
    relay.lose("A new one is on its way.");
    let update = engine::Command::UpdateTicket {
        number: 1,
        actor: key("bob@acme.example"),
        update: answer("A new one is on its way.", true),
    };
    let told = node.submit(desk.account, update).await;
    assert!(relay.has_lost());
    assert!(matches!(told, Err(SubmitError::Store(StoreError::Unavailable(_)))), "{told:?}");
    assert_eq!(bodies(&desk).await, ["It is dark.", "A new one is on its way."]);
    assert_eq!(desk.outbox().await.len(), before + 1);
    desk.finish().await;
}
