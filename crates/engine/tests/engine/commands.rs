//! Agents answer: comments, statuses, what leaves, and what is refused.

use desk::id::TicketId;
use desk::ticket::Status;
use desk::update::{Update, UpdateRefusal};
use engine::{Command, EngineOptions, Queued, SubmitError};
use testdesk::{answer, envelope, key, on_both, quick, raw};

const LAMP: &str =
    "Message-ID: <a@customer.example>\nCc: carl@customer.example\nSubject: Lamp\n\nIt is dark.";

#[tokio::test(flavor = "multi_thread")]
async fn a_public_answer_leaves_and_the_customers_reply_joins() {
    on_both(EngineOptions { can_deliver: true, ..quick() }, async |desk| {
        desk.receive(&[LAMP]).await;
        desk.work().await;
        let update = Update { status: Some(Status::Pending), ..answer("A new one is on its way.", true) };
        desk.bob(1, update).await.unwrap();
        assert_eq!(
            desk.sent_after(1).await,
            ["comment ada@customer.example", "comment carl@customer.example"]
        );
        let row = desk.outbox().await.remove(1);
        assert_eq!(
            (row.from.as_str(), row.state.as_str(), row.ticket),
            ("support@acme.desk.example", "queued", Some(1))
        );
        assert_eq!(desk.ticket(1).await.status, Status::Pending);

        // By its Message-ID, and by the address that Reply-To named.
        let token = desk.ticket(1).await.token;
        desk.receive(&[&format!("In-Reply-To: <{}>\nSubject: Re: Lamp\n\nThank you.", row.message_id)]).await;
        let reply_to = format!("support+id{}@acme.desk.example", token.as_str());
        desk.accept(
            envelope(Some("carl@customer.example"), &[&reply_to]),
            &raw("From: carl@customer.example\nCc: ada@customer.example\nSubject: x\n\nMe too."),
        )
        .await;
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["new_ticket 1", "comment 1", "comment 1"]);
        assert_eq!(desk.ticket(1).await.status, Status::Open);
        let shown: Vec<_> =
            desk.comments(1).await.into_iter().map(|comment| (comment.body, comment.is_public)).collect();
        let want = ["It is dark.", "A new one is on its way.", "Thank you.", "Me too."]
            .map(|text| (text.to_owned(), true));
        assert_eq!(shown, want);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_and_a_change_of_status_send_nothing() {
    on_both(quick(), async |desk| {
        desk.receive(&[LAMP]).await;
        desk.work().await;
        desk.bob(1, answer("Between us.", false)).await.unwrap();
        desk.bob(
            1,
            Update { status: Some(Status::Solved), add_tags: vec!["lamp".into()], ..Update::default() },
        )
        .await
        .unwrap();
        assert_eq!(desk.sent_after(1).await, Vec::<String>::new());
        let ticket = desk.ticket(1).await;
        assert_eq!((ticket.status, ticket.tags), (Status::Solved, vec!["lamp".to_owned()]));
        let (account, id) = (desk.account, ticket.id.0);
        let audits =
            desk.read(move |tx| store::audit::of_ticket(&mut tx.account(account), TicketId(id))).await;
        assert_eq!(
            audits.iter().map(|audit| audit.channel.as_str()).collect::<Vec<_>>(),
            ["email", "api", "api"]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_command_changes_nothing() {
    struct Case {
        name: &'static str,
        number: i64,
        actor: &'static str,
        update: Update,
        want: UpdateRefusal,
    }
    fn usual() -> Case {
        Case {
            name: "",
            number: 1,
            actor: "bob@acme.example",
            update: answer("hi", true),
            want: UpdateRefusal::EmptyComment,
        }
    }

    on_both(quick(), async |desk| {
        desk.receive(&[LAMP]).await;
        desk.work().await;
        let before = desk.ticket(1).await;
        for Case { name, number, actor, update, want } in [
            Case {
                name: "an end user",
                actor: "ada@customer.example",
                want: UpdateRefusal::NotAnAgent("ada@customer.example".into()),
                ..usual()
            },
            Case {
                name: "nobody",
                actor: "nobody@else.example",
                want: UpdateRefusal::NotAnAgent("nobody@else.example".into()),
                ..usual()
            },
            Case { name: "no ticket", number: 9, want: UpdateRefusal::NoTicket(9), ..usual() },
            Case { name: "no text", update: answer(" ", true), want: UpdateRefusal::EmptyComment, ..usual() },
        ] {
            let command = Command::UpdateTicket { number, actor: key(actor), update };
            let refused = desk.engine.submit(desk.account, command).await;
            assert!(
                matches!(&refused, Err(SubmitError::Refused(got)) if *got == want),
                "{name}: {refused:?}"
            );
        }
        assert_eq!(
            (desk.ticket(1).await, desk.comments(1).await.len(), desk.outbox().await.len()),
            (before, 1, 1)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_come_from_the_address_that_was_written_to() {
    on_both(quick(), async |desk| {
        desk.engine.add_address(desk.account, "help@acme.example", "Acme Help", None, false).await.unwrap();
        desk.accept(envelope(Some("ada@customer.example"), &["help@acme.example"]), &raw("Subject: x\n\nhi"))
            .await;
        desk.work().await;
        let queued = desk.bob(1, answer("Hello.", true)).await.unwrap();
        assert_eq!(queued, [Queued { kind: "comment".into(), to: vec!["ada@customer.example".into()] }]);
        let from: Vec<String> = desk.outbox().await.into_iter().map(|row| row.from).collect();
        assert_eq!(from, ["help@acme.example", "help@acme.example"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_mail_that_come_together_are_all_decided_in_order_of_their_changes() {
    on_both(quick(), async |desk| {
        desk.receive(&[LAMP]).await;
        desk.work().await;
        let stop = tokio_util::sync::CancellationToken::new();
        let sorter = tokio::spawn({
            let engine = desk.engine.clone();
            let stop = stop.clone();
            async move { engine.run_sorter(stop).await }
        });
        let mut asked = tokio::task::JoinSet::new();
        for number in 0..20 {
            let engine = desk.engine.clone();
            let account = desk.account;
            let update = answer(&format!("Answer {number}"), false);
            asked.spawn(async move {
                let command = Command::UpdateTicket { number: 1, actor: key("bob@acme.example"), update };
                engine.submit(account, command).await.unwrap().change
            });
            desk.receive(&[&format!(
                "Message-ID: <c{number}@customer.example>\nIn-Reply-To: <a@customer.example>\n\nMore {number}"
            )])
            .await;
        }
        let changes: Vec<i64> = asked.join_all().await;
        desk.until("all mail is decided", async || desk.ledger().await.len() == 21).await;
        stop.cancel();
        sorter.await.unwrap();
        let account = desk.account;
        let last = desk.read(move |tx| store::account_state::change(&mut tx.account(account))).await;
        assert!(changes.iter().all(|change| *change > 0 && *change <= last), "{changes:?} up to {last}");
        let comments = desk.comments(1).await;
        assert_eq!(comments.len(), 41, "nothing is lost and nothing doubled");
        let said = |word: &str| comments.iter().filter(|comment| comment.body.starts_with(word)).count();
        assert_eq!((said("Answer"), said("More")), (20, 20));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_command_does_not_affect_others_that_wait() {
    on_both(quick(), async |desk| {
        desk.receive(&[LAMP]).await;
        desk.work().await;
        let mut asked = tokio::task::JoinSet::new();
        for number in 0..12 {
            let engine = desk.engine.clone();
            let account = desk.account;
            let body = if number % 3 == 0 { " " } else { "Hello." };
            let update = answer(body, false);
            asked.spawn(async move {
                let command = Command::UpdateTicket { number: 1, actor: key("bob@acme.example"), update };
                engine.submit(account, command).await.is_ok()
            });
        }
        let done = asked.join_all().await;
        assert_eq!(done.iter().filter(|is_done| **is_done).count(), 8);
        assert_eq!(desk.comments(1).await.len(), 9);
    })
    .await;
}
