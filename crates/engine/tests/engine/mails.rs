//! Mail from the spool to tickets.

use desk::clock::Millis;
use desk::id::{MailId, UserId};
use testdesk::{envelope, on_both, quick, raw, set};

#[tokio::test(flavor = "multi_thread")]
async fn mails_become_tickets_in_the_order_of_acceptance() {
    on_both(quick(), async |desk| {
        desk.receive(&[
            "Subject: One\n\n1",
            "From: eve@else.example\nSubject: Two\n\n2",
            "Subject: Three\n\n3",
        ])
        .await;
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["new_ticket 1", "new_ticket 2", "new_ticket 3"]);
        for (number, subject) in [(1, "One"), (2, "Two"), (3, "Three")] {
            let ticket = desk.ticket(number).await;
            assert_eq!(
                (ticket.subject.as_str(), ticket.received.recipient.as_str()),
                (subject, "support@acme.desk.example")
            );
            assert_eq!(desk.comments(number).await[0].body, number.to_string());
        }
        // One Ada, no matter which of her mails created her.
        assert_eq!(desk.ticket(1).await.requester_id, desk.ticket(3).await.requester_id);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_in_the_same_batch_joins_the_ticket_it_answers() {
    on_both(quick(), async |desk| {
        desk.receive(&[
            "Message-ID: <a@customer.example>\nSubject: Lamp\n\nIt is dark.",
            "Message-ID: <b@customer.example>\nIn-Reply-To: <a@customer.example>\nSubject: Re: Lamp\n\nStill dark.",
            "Message-ID: <b@customer.example>\nIn-Reply-To: <a@customer.example>\nSubject: Re: Lamp\n\nStill dark.",
            "From: eve@else.example\nIn-Reply-To: <b@customer.example>\n\nMine too.",
        ])
        .await;
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["new_ticket 1", "comment 1", "duplicate 1", "suspended"]);
        let bodies: Vec<String> = desk.comments(1).await.into_iter().map(|comment| comment.body).collect();
        assert_eq!(bodies, ["It is dark.", "Still dark."]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_that_arrive_in_reverse_order_join_one_ticket() {
    on_both(quick(), async |desk| {
        desk.receive(&["Message-ID: <b@customer.example>\nReferences: <r@customer.example> <a@customer.example>\n\nStill dark."])
            .await;
        desk.work().await;
        desk.receive(&["Message-ID: <a@customer.example>\nReferences: <r@customer.example>\n\nIt is dark."]).await;
        desk.work().await;
        desk.receive(&[
            "Message-ID: <r@customer.example>\n\nHello.",
            "Message-ID: <c@customer.example>\nIn-Reply-To: <a@customer.example>\n\nWell?",
        ])
        .await;
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["new_ticket 1", "comment 1", "comment 1", "comment 1"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_takes_as_many_mails_as_allowed_and_the_rest_follow_in_order() {
    let options = engine::EngineOptions { batch_max: 7, ..quick() };
    on_both(options, async |desk| {
        let mails: Vec<String> =
            (1..=60).map(|n| format!("Message-ID: <{n}@customer.example>\nSubject: {n}\n\n{n}")).collect();
        desk.receive(&mails.iter().map(String::as_str).collect::<Vec<_>>()).await;
        desk.work().await;
        let want: Vec<String> = (1..=60).map(|n| format!("new_ticket {n}")).collect();
        assert_eq!(desk.outcomes().await, want);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgements_wait_visibly_while_there_is_no_relay() {
    on_both(quick(), async |desk| {
        desk.receive(&["Subject: One\n\n1", "Auto-Submitted: auto-replied\nSubject: Two\n\n2"]).await;
        desk.work().await;
        let outbox = desk.outbox().await;
        assert_eq!(outbox.len(), 1);
        let row = &outbox[0];
        assert_eq!(
            (row.kind.as_str(), row.to.as_str(), row.state.as_str()),
            ("acknowledgement", "ada@customer.example", "waiting")
        );
        assert_eq!((row.ticket, row.from.as_str(), row.attempts), (Some(1), "support@acme.desk.example", 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_are_listed_and_read_out_of_the_raw_mail() {
    on_both(quick(), async |desk| {
        let mail = "Subject: Photo
            Content-Type: multipart/mixed; boundary=b

            --b
            Content-Type: text/plain

            See the photo.
            --b
            Content-Type: image/png; name=lamp.png
            Content-Disposition: attachment; filename=lamp.png
            Content-Transfer-Encoding: base64

            AAECAw==
            --b--";
        let ids = desk.receive(&[mail]).await;
        desk.work().await;
        let comment = desk.comments(1).await.remove(0);
        assert_eq!(comment.raw_id, Some(MailId(ids[0])));
        let (account, comment_id, mail_id) = (desk.account, comment.id, ids[0]);
        let (attachments, packed) = desk
            .read(move |tx| {
                Ok((
                    store::attachment::of_comments(&mut tx.account(account), &[comment_id])?,
                    store::raw::find(&mut tx.account(account), MailId(mail_id))?,
                ))
            })
            .await;
        assert_eq!((attachments[0].name.as_str(), attachments[0].size_bytes), ("lamp.png", 4));
        let kept = packed.unwrap().unpack(desk.engine.store()).await.unwrap();
        assert_eq!(kept, raw(mail), "the raw mail is kept byte for byte");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_kept_in_a_blob_is_decided_like_any_other() {
    on_both(quick(), async |desk| {
        // Text that does not compress: hashes of numbers.
        let noise: String = (0..20_000_u64)
            .map(|n| format!("{:016x}\r\n", n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29) ^ n.pow(3)))
            .collect();
        let large =
            [raw("Subject: Large\n\nx"), noise.clone().into_bytes(), noise.repeat(2).into_bytes()].concat();
        let id =
            desk.accept(envelope(Some("ada@customer.example"), &["support@acme.desk.example"]), &large).await;
        let account = desk.account;
        let packed =
            desk.read(move |tx| store::raw::find(&mut tx.account(account), MailId(id))).await.unwrap();
        assert_eq!(packed.unpack(desk.engine.store()).await.unwrap(), large);
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["new_ticket 1"]);
        let comment = desk.comments(1).await.remove(0);
        assert!(comment.is_cut);
        assert_eq!(comment.body.chars().count(), 65_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_to_as_many_people_as_allowed_is_taken_and_answered_by_any_of_them() {
    on_both(quick(), async |desk| {
        let ccs: Vec<String> = (0..48).map(|n| format!("p{n}@else.example")).collect();
        let first = format!("Message-ID: <a@customer.example>\nCc: {}\n\nhi", ccs.join(", "));
        let more =
            "From: p7@else.example\nCc: ada@customer.example\nIn-Reply-To: <a@customer.example>\n\nme too";
        desk.receive(&[&first, more]).await;
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["new_ticket 1", "comment 1"]);
        // The acknowledgement, then the comment to all CCs but its author; the requester had it.
        assert_eq!(desk.outbox().await.len(), 1 + 47);
        desk.receive(&[more]).await;
        desk.work().await;
        assert_eq!(desk.outbox().await.len(), 1 + 47 * 2, "facts read again count the CCs too");
        desk.bob(1, testdesk::answer("To you all.", true)).await.unwrap();
        assert_eq!(desk.outbox().await.len(), 1 + 47 * 2 + 49);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_full_of_odd_bytes_is_kept_and_stops_nobody() {
    on_both(quick(), async |desk| {
        let odd: Vec<Vec<u8>> = vec![
            b"".to_vec(),
            b"\0".to_vec(),
            vec![0; 5_000],
            b"From: \"A\0da\" <a\0da@customer.example>\r\nTo: x\0@y.example\r\nSubject: a\0b\r\nMessage-ID: <a\0b@c>\r\n\r\na\0b\r\n".to_vec(),
            b"From: ada@customer.example\r\nReferences: <\0@c> <d\0@c>\r\nSubject: =?utf-8?b?YQBi?=\r\n\r\n=00".to_vec(),
            b"From: =?utf-8?q?A=00da?= <ada@customer.example>\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n\0a\0\0\0b".to_vec(),
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: a\0/b; name=\"x\0y\"\r\nContent-ID: <a\0b>\r\nContent-Disposition: attachment; filename*=utf-8''x%00y\r\n\r\nz\r\n--b--".to_vec(),
            b"From: MAILER-DAEMON@x.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a\0@b\r\nAction: failed\r\nDiagnostic-Code: x; a\0b\r\n--b--".to_vec(),
            (0..=255).cycle().take(3_000).collect(),
            format!("From: ada@customer.example\r\nMessage-ID: <{}@x>\r\nReferences:{}\r\n\r\nx", "i".repeat(900), (0..300).map(|n| format!(" <{n}{}@x>\r\n", "r".repeat(800))).collect::<String>()).into_bytes(),
        ];
        for raw in &odd {
            desk.accept(envelope(Some("a\0da@customer.example"), &["support@acme.desk.example", "\0@acme.desk.example"]), raw).await;
        }
        desk.receive(&["Subject: Last\n\nhi"]).await;
        desk.work().await;
        let ledger = desk.ledger().await;
        assert_eq!(ledger.len(), odd.len() + 1);
        let broken: Vec<_> = ledger.iter().filter(|row| row.reason.contains("processing failed")).collect();
        assert!(broken.is_empty(), "{broken:#?}");
        assert_eq!(ledger.last().unwrap().outcome.as_deref(), Some("new_ticket"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_side_by_side_do_not_see_each_other() {
    on_both(quick(), async |desk| {
        let other = engine::admin::AccountRequest {
            subdomain: "other".into(),
            name: String::new(),
            admin_email: "alice@acme.example".into(),
            native_host: "other.desk.example".into(),
        };
        let other = desk.engine.create_account(other).await.unwrap().id;
        desk.receive(&["Message-ID: <a@customer.example>\n\nhi"]).await;
        let store = desk.engine.store();
        let id = store.ids(1).await.unwrap().next().unwrap();
        let text = raw("Message-ID: <b@customer.example>\nIn-Reply-To: <a@customer.example>\n\nhi");
        let packed = store.pack_mail(other, MailId(id), &std::sync::Arc::new(text)).await.unwrap();
        let envelope =
            serde_json::to_string(&envelope(Some("ada@customer.example"), &["support@other.desk.example"]))
                .unwrap();
        store
            .spool(vec![store::spool::NewMail {
                account_id: other,
                id: MailId(id),
                accepted_at: Millis(5),
                envelope,
                packed,
            }])
            .await
            .unwrap();
        desk.work().await;
        desk.until("the other account's mail is decided", async || {
            desk.work_by(&desk.engine).await;
            desk.read(move |tx| store::spool::count(&mut tx.account(other))).await == 0
        })
        .await;
        let theirs = desk
            .read(move |tx| store::ledger::decided(&mut tx.account(other), store::Before::FIRST, 9))
            .await;
        assert_eq!((theirs[0].outcome.as_deref(), theirs[0].ticket), (Some("new_ticket"), Some(1)));
        let ada_there = desk
            .read(move |tx| store::ticket::by_number(&mut tx.account(other), 1))
            .await
            .unwrap()
            .requester_id;
        assert_ne!(ada_there, desk.ticket(1).await.requester_id);
        assert_ne!(ada_there, UserId(0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_configuration_counts_from_the_next_batch_on() {
    on_both(quick(), async |desk| {
        desk.receive(&["Subject: One\n\n1"]).await;
        desk.work().await;
        assert_eq!(desk.outbox().await.len(), 1);
        // By another process, as the command line is.
        let other = desk.node(engine::EngineOptions { holder: "cli".into(), ..quick() }).await;
        other.add_address(desk.account, "sales@acme.desk.example", "Sales", None, false).await.unwrap();
        set(&other, desk.account, |settings| settings.acknowledge = false).await;
        desk.accept(
            envelope(Some("eve@else.example"), &["sales@acme.desk.example"]),
            &raw("Subject: Two\n\n2"),
        )
        .await;
        desk.work().await;
        assert_eq!(desk.ticket(2).await.received.recipient, "sales@acme.desk.example");
        assert_eq!(desk.outbox().await.len(), 1, "acknowledgements are off");
    })
    .await;
}
