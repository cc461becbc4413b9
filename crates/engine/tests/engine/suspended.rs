//! Suspended tickets: let through, deleted, purged, reported in digests; mails decided again.

use desk::clock::{DAY, HOUR};
use desk::id::MailId;
use desk::setting::SuspendedNotification;
use desk::suspension::HELD_FOR;
use engine::EngineOptions;
use engine::redecide::{RecoverAs, RedecideError};
use store::Before;
use store::testing::Sql as _;
use store::values;
use testdesk::{TestDesk, envelope, key, on_both, quick, raw};

/// A mail from a mail system: held with cause 9.
const HELD: &str =
    "From: postmaster@customer.example\nMessage-ID: <held@customer.example>\nSubject: Lamp\n\nIt is dark.";

async fn hold(desk: &TestDesk) -> i64 {
    let id = desk.receive(&[HELD]).await.remove(0);
    desk.work().await;
    id
}

async fn held(desk: &TestDesk) -> Vec<i64> {
    let account = desk.account;
    desk.read(move |tx| store::suspended::page(&mut tx.account(account), None, Before::FIRST, 100))
        .await
        .into_iter()
        .map(|row| row.id.0)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovered_mail_becomes_what_it_would_have_been() {
    on_both(quick(), async |desk| {
        let id = hold(desk).await;
        assert_eq!(desk.outcomes().await, ["suspended"]);
        let done =
            desk.engine.recover(desk.account, MailId(id), RecoverAs::AsSent, "the operator").await.unwrap();
        assert_eq!(
            (done.before.as_str(), done.outcome.as_str(), done.ticket),
            ("suspended", "new_ticket", Some(1))
        );
        assert_eq!(desk.outcomes().await, ["new_ticket 1"]);
        assert_eq!(held(desk).await, Vec::<i64>::new());
        assert_eq!(desk.comments(1).await.len(), 1);
        let reasons = desk.ledger().await.remove(0).reasons;
        assert!(reasons.iter().any(|reason| reason == "recovered by the operator"), "{reasons:?}");
        assert!(reasons.iter().any(|reason| reason.contains("cause 9")), "{reasons:?}");
        // A second time does nothing.
        let again = desk.engine.recover(desk.account, MailId(id), RecoverAs::AsSent, "the operator").await;
        assert!(matches!(again, Err(RedecideError::NotHeld(_))), "{again:?}");
        // An answer to it finds its ticket.
        desk.receive(&[
            "From: postmaster@customer.example\nIn-Reply-To: <held@customer.example>\n\nStill dark.",
        ])
        .await;
        desk.work().await;
        let second = held(desk).await.remove(0);
        let joined = desk
            .engine
            .recover(desk.account, MailId(second), RecoverAs::AsSent, "the operator")
            .await
            .unwrap();
        assert_eq!((joined.outcome.as_str(), joined.ticket), ("comment", Some(1)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_recovered_by_two_at_once_becomes_one_ticket() {
    on_both(quick(), async |desk| {
        let id = hold(desk).await;
        let other = desk.node(quick()).await;
        let (one, two) = tokio::join!(
            desk.engine.recover(desk.account, MailId(id), RecoverAs::AsSent, "one"),
            other.recover(desk.account, MailId(id), RecoverAs::AsSent, "two")
        );
        assert_eq!([one.is_ok(), two.is_ok()].iter().filter(|done| **done).count(), 1);
        assert_eq!(desk.outcomes().await, ["new_ticket 1"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_recovered_into_a_ticket_of_choice() {
    on_both(quick(), async |desk| {
        desk.receive(&["Subject: Door\n\nIt is shut."]).await;
        let id = hold(desk).await;
        let missing = desk.engine.recover(desk.account, MailId(id), RecoverAs::Into(7), "the operator").await;
        assert!(matches!(missing, Err(RedecideError::NoTicket(7))), "{missing:?}");
        let done =
            desk.engine.recover(desk.account, MailId(id), RecoverAs::Into(1), "the operator").await.unwrap();
        assert_eq!((done.outcome.as_str(), done.ticket), ("comment", Some(1)));
        assert_eq!(desk.comments(1).await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_takes_a_held_mail_as_requester() {
    on_both(quick(), async |desk| {
        let id = hold(desk).await;
        let stranger = RecoverAs::Agent(key("ada@customer.example"));
        let refused = desk.engine.recover(desk.account, MailId(id), stranger, "ada").await;
        assert!(matches!(refused, Err(RedecideError::NotAnAgent(_))), "{refused:?}");
        let bob = key("bob@acme.example");
        desk.engine.recover(desk.account, MailId(id), RecoverAs::Agent(bob.clone()), "bob").await.unwrap();
        let requester = desk.ticket(1).await.requester_id.0;
        let account = desk.account;
        let people =
            desk.read(move |tx| store::user::by_addresses(&mut tx.account(account), &[bob.as_str()])).await;
        assert_eq!(people.first().map(|(_, person)| person.id.0), Some(requester));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_mail_leaves_its_row_in_the_ledger() {
    on_both(quick(), async |desk| {
        let id = hold(desk).await;
        assert_eq!(
            desk.engine
                .delete_suspended(desk.account, vec![MailId(id), MailId(1)], "the operator")
                .await
                .unwrap(),
            1
        );
        assert_eq!(held(desk).await, Vec::<i64>::new());
        let row = desk.ledger().await.remove(0);
        assert_eq!(
            (row.outcome.as_deref(), row.reason.as_str()),
            (Some("discarded"), "deleted by the operator")
        );
        let account = desk.account;
        let packed =
            desk.read(move |tx| store::raw::find(&mut tx.account(account), MailId(id))).await.unwrap();
        assert!(packed.body.is_none() && packed.blob.is_none());
        let gone = desk.engine.recover(desk.account, MailId(id), RecoverAs::AsSent, "the operator").await;
        assert!(matches!(gone, Err(RedecideError::NotHeld(_))), "{gone:?}");
        let gone = desk.engine.replay(desk.account, MailId(id), true).await;
        assert!(matches!(gone, Err(RedecideError::Gone(_))), "{gone:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn held_mail_is_deleted_14_days_later() {
    on_both(quick(), async |desk| {
        // Large enough to lie in a blob.
        let noise: String = (0..400_000_u32)
            .map(|at| char::from(b'a' + (at.wrapping_mul(2_654_435_761) >> 27) as u8 % 26))
            .collect();
        let mail = format!("From: postmaster@customer.example\r\nSubject: Big\r\n\r\n{noise}\r\n");
        let id = desk
            .accept(envelope(Some("ada@customer.example"), &["support@acme.desk.example"]), mail.as_bytes())
            .await;
        desk.work().await;
        let account = desk.account;
        let blob =
            desk.read(move |tx| store::raw::find(&mut tx.account(account), MailId(id))).await.unwrap().blob;
        desk.clock.turn(HELD_FOR - 1);
        assert_eq!(desk.work_due().await.purged, 0);
        desk.clock.turn(1);
        assert_eq!(desk.work_due().await.purged, 1);
        assert_eq!(desk.work_due().await.purged, 0);
        assert_eq!(held(desk).await, Vec::<i64>::new());
        assert!(desk.ledger().await.remove(0).reason.contains("14 days"));
        if let Some(name) = blob {
            assert!(desk.engine.store().blobs().get(&name).await.is_err(), "the blob is still there");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digest_reports_held_mail_once() {
    on_both(quick(), async |desk| {
        desk.set(|settings| {
            settings.suspended_notification = SuspendedNotification::Hourly;
            settings.suspended_notification_address = "lead@acme.example".into();
        })
        .await;
        hold(desk).await;
        assert_eq!(desk.work_due().await.digests, 0);
        desk.clock.turn(HOUR);
        assert_eq!(desk.work_due().await.digests, 1);
        assert_eq!(desk.sent_after(0).await, ["digest lead@acme.example"]);
        desk.clock.turn(DAY);
        assert_eq!(desk.work_due().await.digests, 0);
        desk.receive(&["From: mailer-daemon@customer.example\nSubject: Door\n\nShut."]).await;
        desk.work().await;
        desk.clock.turn(HOUR);
        assert_eq!(desk.work_due().await.digests, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_digest_could_not_report_is_in_the_next_one() {
    on_both(quick(), async |desk| {
        desk.set(|settings| {
            settings.suspended_notification = SuspendedNotification::Hourly;
            settings.suspended_notification_address = "lead@acme.example".into();
        })
        .await;
        let account = desk.account;
        // Whether the account has an address that a digest can be sent from. Changing the settings makes nodes read it.
        let has_sender = async |is_so: bool| {
            let sql = "UPDATE support_addresses SET is_system = $2, is_default = $2 WHERE account_id = $1";
            let write = desk.engine.store().write(move |tx| tx.execute(sql, &values![account, is_so]));
            assert!(write.await.unwrap() > 0);
            desk.set(move |settings| settings.acknowledge = is_so).await;
        };
        hold(desk).await;
        has_sender(false).await;
        desk.clock.turn(HOUR);
        assert_eq!(desk.work_due().await.digests, 0);
        has_sender(true).await;
        desk.clock.turn(DAY);
        desk.receive(&["From: mailer-daemon@customer.example\nSubject: Door\n\nShut."]).await;
        desk.work().await;
        desk.clock.turn(HOUR);
        assert_eq!(desk.work_due().await.digests, 1);
        let digest = desk
            .read(move |tx| {
                let sql = "SELECT content FROM outgoing_mails WHERE account_id = $1 AND kind = 'digest'";
                tx.find(sql, &values![account])?.unwrap().text()
            })
            .await;
        assert!(digest.contains("2 suspended tickets"), "{digest}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_counts_nobody_again() {
    on_both(EngineOptions { sender_per_hour: 1, ..quick() }, async |desk| {
        let ids = desk.receive(&["Subject: One\n\nhi", "Subject: Two\n\nhi"]).await;
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["new_ticket 1", "suspended"]);
        let account = desk.account;
        let rates = async || {
            desk.read(move |tx| {
                let sql = "SELECT window_start, count, held_until FROM sender_rates WHERE account_id = $1";
                let rows = tx.query(sql, &values![account])?;
                rows.into_iter()
                    .map(|mut row| Ok((row.int()?, row.int()?, row.maybe_int()?)))
                    .collect::<store::Result<Vec<_>>>()
            })
            .await
        };
        let before = rates().await;
        desk.clock.turn(HOUR / 2);
        let again = desk.engine.replay(account, MailId(ids[1]), true).await.unwrap();
        assert_eq!((again.before.as_str(), again.outcome.as_str()), ("suspended", "new_ticket"));
        assert_eq!(rates().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_follows_changed_settings_and_duplicates_nothing() {
    on_both(quick(), async |desk| {
        // Written to a no-reply address: held. With the channel off it would be held for that.
        let noreply = envelope(Some("ada@customer.example"), &["noreply@acme.desk.example"]);
        let id =
            desk.accept(noreply, &raw("Message-ID: <n@customer.example>\nSubject: Hello\n\nAnybody?")).await;
        desk.receive(&["Subject: Door\n\nIt is shut."]).await;
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["suspended", "new_ticket 1"]);
        let same = desk.engine.replay(desk.account, MailId(id), true).await.unwrap();
        assert!(!same.is_changed && same.outcome.as_str() == "suspended", "{same:?}");
        let ticket = desk.ledger().await.pop().unwrap().id;
        let settled = desk.engine.replay(desk.account, MailId(ticket), true).await;
        assert!(matches!(settled, Err(RedecideError::Settled { ticket: 1, .. })), "{settled:?}");
        let missing = desk.engine.replay(desk.account, MailId(1), true).await;
        assert!(matches!(missing, Err(RedecideError::NoMail(MailId(1)))), "{missing:?}");
    })
    .await;
}
