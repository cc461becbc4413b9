//! A bounce of our mail finds its recipient and stops further mail to them.

use desk::channel::Channel;
use desk::id::TicketId;
use desk::notice::NoticeKind;
use desk::signed::Purpose;
use engine::EngineOptions;
use testdesk::{answer, envelope, on_both, quick, raw};

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_marks_its_recipient_and_the_next_answer_leaves_them_out() {
    on_both(EngineOptions { can_deliver: true, ..quick() }, async |desk| {
        desk.receive(&["Cc: carl@customer.example\nSubject: Lamp\n\nDark."]).await;
        desk.work().await;
        desk.bob(1, answer("Hello.", true)).await.unwrap();
        let to_ada = desk
            .outbox()
            .await
            .into_iter()
            .find(|row| row.kind == NoticeKind::Comment && row.to.starts_with("ada"))
            .unwrap();
        let path = format!(
            "bounce+{}@acme.desk.example",
            desk.engine.keys().sign(Purpose::Bounce, desk.account, to_ada.id.0)
        );
        let forged = "bounce+1-aaaaaaaaaaaaaaaa@acme.desk.example";
        let report = raw("From: MAILER-DAEMON@mx.customer.example\nSubject: Undeliverable\n\nNo such user.");
        desk.accept(envelope(None, &[forged]), &report).await;
        desk.accept(envelope(None, &[&path]), &report).await;
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["new_ticket 1", "suspended", "bounce 1"]);
        let row = desk.outbox().await.into_iter().find(|row| row.id == to_ada.id).unwrap();
        assert_eq!((row.state.as_str(), row.last_answer.as_str()), ("bounced", "Undeliverable"));

        let before = desk.outbox().await.len();
        desk.bob(1, answer("Are you there?", true)).await.unwrap();
        assert_eq!(
            desk.sent_after(before).await,
            Vec::<String>::new(),
            "nobody reads answers behind the requester's back"
        );
        let (account, id) = (desk.account, desk.ticket(1).await.id.0);
        let audits =
            desk.read(move |tx| store::audit::of_ticket(&mut tx.account(account), TicketId(id))).await;
        let reported = audits.iter().filter(|audit| audit.channel == Channel::System).count();
        assert_eq!(reported, 1, "the ticket says so");
    })
    .await;
}
