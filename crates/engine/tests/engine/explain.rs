//! `explain` says what intake then does.

use engine::admin::AccountRequest;
use testdesk::{envelope, on_both, quick, raw};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_explained_is_what_happens() {
    on_both(quick(), async |desk| {
        desk.receive(&["Message-ID: <a@customer.example>\nSubject: Lamp\n\nDark."]).await;
        desk.work().await;
        let token = desk.ticket(1).await.token;
        let plus = format!("support+id{}@acme.desk.example", token.as_str());
        let native = "support@acme.desk.example";
        let mut outcomes = Vec::new();
        for (recipient, mail) in [
            (native, "Subject: New\n\nhi"),
            (native, "Message-ID: <b@customer.example>\nIn-Reply-To: <a@customer.example>\n\nhi"),
            (native, "Message-ID: <b@customer.example>\nIn-Reply-To: <a@customer.example>\n\nhi"),
            (plus.as_str(), "From: eve@else.example\n\nhi"),
            (native, "From: eve@else.example\nIn-Reply-To: <a@customer.example>\n\nhi"),
            (native, "From: bob@acme.example\nIn-Reply-To: <a@customer.example>\n\nhi"),
            (native, "From: mailer-daemon@else.example\n\nhi"),
            ("noreply@acme.desk.example", "Subject: x\n\nhi"),
            (native, "Auto-Submitted: auto-replied\n\naway"),
            (native, ""),
        ] {
            let (raw, envelope) = (raw(mail), envelope(Some("ada@customer.example"), &[recipient]));
            let explained = desk.engine.explain(&raw, envelope.clone()).await.unwrap().unwrap();
            let before = desk.ledger().await.len();
            assert_eq!(explained.account, "acme");
            desk.accept(envelope, &raw).await;
            assert_eq!(desk.ledger().await.len(), before, "explaining writes nothing");
            desk.work().await;
            let row = desk.ledger().await.pop().unwrap();
            assert_eq!(row.outcome.as_deref(), Some(explained.decision.outcome().as_str()), "{mail}");
            assert_eq!(row.reasons, explained.decision.reasons, "{mail}");
            assert_eq!(row.reason, explained.decision.reason(), "{mail}");
            outcomes.push(row.outcome.unwrap());
        }
        let want = [
            "new_ticket",
            "comment",
            "duplicate",
            "comment",
            "suspended",
            "comment",
            "suspended",
            "suspended",
            "suspended",
            "suspended",
        ];
        assert_eq!(outcomes, want);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_that_smtp_would_refuse_belongs_to_nobody() {
    on_both(quick(), async |desk| {
        for recipient in ["nobody@acme.desk.example", "x@else.example", "not an address"] {
            let explained =
                desk.engine.explain(&raw("Subject: x\n\nhi"), envelope(None, &[recipient])).await.unwrap();
            assert!(explained.is_none(), "{recipient}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_of_others_decide_nothing() {
    on_both(quick(), async |desk| {
        desk.receive(&["Subject: Lamp\n\nDark."]).await;
        desk.work().await;
        let request = AccountRequest {
            subdomain: "shop".into(),
            name: String::new(),
            admin_email: "carol@shop.example".into(),
            native_host: "shop.desk.example".into(),
        };
        desk.engine.create_account(request).await.unwrap();
        let token = desk.ticket(1).await.token;
        let raw = raw("Subject: New\n\nhi");
        let ours = "support@acme.desk.example";
        let explain = async |recipients: &[&str]| {
            let envelope = envelope(Some("ada@customer.example"), recipients);
            desk.engine.explain(&raw, envelope).await.unwrap().unwrap().decision
        };
        let want = explain(&[ours]).await;
        assert_eq!(want.outcome().as_str(), "new_ticket");
        for other in
            ["shop", "nobody"].map(|host| format!("support+id{}@{host}.desk.example", token.as_str()))
        {
            for recipients in [[ours, other.as_str()], [other.as_str(), ours]] {
                let is_ours = recipients[0] == ours || other.contains("nobody");
                assert_eq!(explain(&recipients).await == want, is_ours, "{recipients:?}");
            }
        }
    })
    .await;
}
