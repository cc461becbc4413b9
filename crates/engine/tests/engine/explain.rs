//! `explain` says what intake then does.

use crate::support::{envelope, on_both, quick, raw};

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
async fn a_recipient_that_smtp_would_refuse_is_nobodys() {
    on_both(quick(), async |desk| {
        for recipient in ["nobody@acme.desk.example", "x@else.example", "not an address"] {
            let explained = desk.engine.explain(&raw("Subject: x\n\nhi"), envelope(None, &[recipient])).await.unwrap();
            assert!(explained.is_none(), "{recipient}");
        }
    })
    .await;
}
