//! A forwarding probe goes out, comes back through the forward, and binds the external address to the native one.

use desk::address::{Forwarding, PROBE_WINDOW};
use desk::received::Source;
use engine::admin::AddressError;
use testdesk::{TestDesk, envelope, on_both, quick, raw};

const EXTERNAL: &str = "help@acme.example";
const NATIVE: &str = "support@acme.desk.example";

/// Sends a probe and returns the secret that it carries.
async fn probed(desk: &TestDesk) -> String {
    desk.engine.add_address(desk.account, EXTERNAL, "Help", None, false).await.unwrap();
    let waiting = desk.engine.send_probe(desk.account, EXTERNAL).await.unwrap();
    assert_eq!(waiting.forwarding_at(desk.engine.now()), Forwarding::Waiting);
    let out = desk.outbox().await;
    assert_eq!((out.len(), out[0].kind.as_str(), out[0].to.as_str()), (1, "probe", EXTERNAL));
    let secret = waiting.probe_token.unwrap();
    assert!(out[0].message_id.starts_with(&secret), "the Message-ID carries the secret");
    secret
}

async fn state(desk: &TestDesk) -> Forwarding {
    desk.engine.support_address(desk.account, EXTERNAL).await.unwrap().forwarding_at(desk.engine.now())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_comes_back_verifies_the_forward() {
    on_both(quick(), async |desk| {
        let secret = probed(desk).await;
        let returned = raw(&format!("From: {NATIVE}\nX-Guichet-Probe: {secret}\nSubject: Test\n\nx"));
        desk.accept(envelope(None, &[NATIVE]), &returned).await;
        // A customer's mail in the same batch, decided before the binding is known, and one after it.
        desk.receive(&["Subject: Before\n\nx"]).await;
        desk.work().await;
        assert_eq!(state(desk).await, Forwarding::Verified);
        desk.receive(&["Subject: After\n\nx"]).await;
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["discarded", "new_ticket 1", "new_ticket 2"]);
        let received = desk.ticket(2).await.received;
        assert_eq!((received.recipient.as_str(), received.source), (EXTERNAL, Source::Forward));
        assert_eq!(received.matches, [EXTERNAL, NATIVE]);
        // Once verified it may become the default.
        desk.engine.make_default(desk.account, EXTERNAL).await.unwrap();
        let account = desk.engine.account(desk.account).await.unwrap();
        let defaults: Vec<&str> = account
            .addresses()
            .filter(|address| address.is_default)
            .map(|address| address.email.as_str())
            .collect();
        assert_eq!(defaults, [EXTERNAL]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_or_forged_probe_verifies_nothing() {
    on_both(quick(), async |desk| {
        let secret = probed(desk).await;
        desk.receive(&["X-Guichet-Probe: 0123456789abcdef\nSubject: Forged\n\nx"]).await;
        desk.work().await;
        assert_eq!(state(desk).await, Forwarding::Waiting);
        desk.clock.turn(PROBE_WINDOW);
        assert_eq!(state(desk).await, Forwarding::Failed);
        desk.receive(&[&format!("X-Guichet-Probe: {secret}\nSubject: Late\n\nx")]).await;
        desk.work().await;
        assert_eq!(state(desk).await, Forwarding::Failed);
        let refused = desk.engine.make_default(desk.account, EXTERNAL).await;
        assert!(matches!(refused, Err(AddressError::Refused(_))), "{refused:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_address_has_nothing_to_check() {
    on_both(quick(), async |desk| {
        let refused = desk.engine.send_probe(desk.account, NATIVE).await;
        assert!(matches!(refused, Err(AddressError::NothingToCheck(_))), "{refused:?}");
        assert!(desk.outbox().await.is_empty());
    })
    .await;
}
