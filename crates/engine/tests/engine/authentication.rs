//! Senders are authenticated before their mail is decided.

use desk::envelope::Envelope;
use engine::{AuthenticateOptions, EngineOptions};
use testdesk::{envelope, on_both, quick, raw};
use testkit::dns::{Entry, NameServer};

/// The options of a node that asks this name server.
fn asking(server: &NameServer, budget_ms: u64) -> EngineOptions {
    let authenticate = AuthenticateOptions {
        dns_servers: vec![server.address],
        budget_ms,
        ..AuthenticateOptions::default()
    };
    EngineOptions { authenticate: Some(authenticate), ..quick() }
}

fn by_bob(client: &str) -> (Envelope, Vec<u8>) {
    let envelope = Envelope {
        client: client.into(),
        ..envelope(Some("bob@acme.example"), &["support@acme.desk.example"])
    };
    let mail = format!(
        "From: bob@acme.example\nMessage-ID: <{client}@acme.example>\nIn-Reply-To: <a@customer.example>\n\nTry the switch."
    );
    (envelope, raw(&mail))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_mail_speaks_for_the_agent_when_it_is_authentic() {
    let server = NameServer::start(&[Entry::Txt("acme.example", "v=spf1 ip4:192.0.2.7 -all")]).await;
    on_both(asking(&server, 60_000), async |desk| {
        desk.receive(&["Message-ID: <a@customer.example>\nSubject: Lamp\n\nIt is dark."]).await;
        let (genuine, forged) = (by_bob("192.0.2.7"), by_bob("198.51.100.66"));
        desk.accept(genuine.0.clone(), &genuine.1).await;
        desk.accept(forged.0.clone(), &forged.1).await;
        desk.work().await;
        let public: Vec<bool> = desk.comments(1).await.into_iter().map(|comment| comment.is_public).collect();
        assert_eq!(public[..2], [true, true], "the customer's mail and the answer");
        let ledger = desk.ledger().await;
        assert!(!public[2..].contains(&true), "a forger reaches no customer: {}", ledger[2].reason);
        // Asked beforehand, the answer is the same.
        let explained = desk.engine.explain(&genuine.1, genuine.0).await.unwrap().unwrap();
        assert!(
            explained.decision.notes.iter().any(|note| note.contains("SPF pass")),
            "{:?}",
            explained.decision.notes
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_decided_without_dns() {
    let server = NameServer::silent().await;
    on_both(asking(&server, 20), async |desk| {
        let (envelope, mail) = by_bob("192.0.2.7");
        desk.accept(envelope, &mail).await;
        desk.receive(&["Subject: Lamp\n\nIt is dark."]).await;
        desk.work().await;
        assert_eq!(desk.outcomes().await.len(), 2);
    })
    .await;
}
