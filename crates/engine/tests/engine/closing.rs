//! Solved tickets are closed after 28 days; an answer then opens a follow-up.

use desk::ticket::{SOLVED_FOR, Status};
use desk::update::{Update, UpdateRefusal};
use engine::SubmitError;
use testdesk::{TestDesk, answer, on_both, quick};

async fn solved(desk: &TestDesk, mails: &[&str]) {
    desk.receive(mails).await;
    desk.work().await;
    for number in 1..=mails.len() {
        let solve = Update { status: Some(Status::Solved), ..Update::default() };
        desk.bob(i64::try_from(number).unwrap(), solve).await.unwrap();
        desk.clock.turn(10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_solved_ticket_is_closed_after_28_days_and_followed_up() {
    on_both(quick(), async |desk| {
        solved(desk, &["Message-ID: <a@customer.example>\nSubject: Lamp\n\nDark."]).await;
        desk.clock.turn(SOLVED_FOR - 11);
        assert_eq!(desk.work_due().await.closed, 0);
        desk.clock.turn(1);
        assert_eq!(desk.work_due().await.closed, 1);
        assert_eq!(desk.ticket(1).await.status, Status::Closed);
        assert_eq!(desk.work_due().await.closed, 0);
        let refused = desk.bob(1, answer("One more thing.", true)).await;
        assert!(matches!(refused, Err(SubmitError::Refused(UpdateRefusal::Status(_)))), "{refused:?}");

        desk.receive(&["In-Reply-To: <a@customer.example>\nSubject: Re: Lamp\n\nDark again."]).await;
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["new_ticket 1", "follow_up 2"]);
        assert_eq!(desk.ticket(2).await.follow_up_of, Some(desk.ticket(1).await.id));
        assert_eq!(desk.comments(1).await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_ticket_is_closed_at_its_own_time() {
    on_both(quick(), async |desk| {
        solved(desk, &["Subject: One\n\n1", "Subject: Two\n\n2", "Subject: Three\n\n3"]).await;
        // Solved at 0, 10 and 20; it is 30 now.
        desk.clock.turn(SOLVED_FOR - 30);
        let mut closed = Vec::new();
        for _ in 0..4 {
            closed.push(desk.work_due().await.closed);
            desk.clock.turn(10);
        }
        assert_eq!(closed, [1, 1, 1, 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_was_opened_again_is_not_closed() {
    on_both(quick(), async |desk| {
        solved(desk, &["Message-ID: <a@customer.example>\nSubject: Lamp\n\nDark."]).await;
        desk.receive(&["In-Reply-To: <a@customer.example>\n\nStill dark."]).await;
        desk.work().await;
        assert_eq!(desk.ticket(1).await.status, Status::Open);
        desk.clock.turn(SOLVED_FOR);
        assert_eq!(desk.work_due().await.closed, 0);
        // Solved once more, it has its 28 days from then on.
        desk.bob(1, Update { status: Some(Status::Solved), ..Update::default() }).await.unwrap();
        desk.clock.turn(SOLVED_FOR - 1);
        assert_eq!(desk.work_due().await.closed, 0);
        desk.clock.turn(1);
        assert_eq!(desk.work_due().await.closed, 1);
    })
    .await;
}
