//! The seam through which tickets change: what an edit leaves behind, and what it does not.

use desk::actor::Actor;
use desk::changes::Changes;
use desk::channel::Channel;
use desk::clock::{DAY, MINUTE};
use desk::comment::Text;
use desk::edit::{Action, NewComment, Origin};
use desk::event::{Change, Event, Field, FromTo};
use desk::facts::Facts;
use desk::id::{CommentId, TicketId, UserId};
use desk::id_source::Counting;
use desk::ticket::{Priority, Status};
use desk::writer::Writer;

use crate::scene::{NOW, account, changed_fields, facts};

const ADAS: TicketId = TicketId(100);
const BOB: UserId = UserId(13);

/// What is left when a writer has worked on the scene.
fn written(work: impl FnOnce(&mut Writer<'_>)) -> (Changes, Facts) {
    let account = account();
    let mut facts = facts();
    let mut supply = Counting::from(10_000);
    let mut changes = Changes::default();
    work(&mut Writer {
        account: &account,
        facts: &mut facts,
        supply: &mut supply,
        changes: &mut changes,
        now: NOW,
    });
    (changes, facts)
}

fn note(id: i64) -> NewComment {
    NewComment {
        id: CommentId(id),
        author: BOB,
        is_public: false,
        text: Text::whole("hm".into()),
        mail: None,
        flags: vec![],
    }
}

#[test]
fn the_image_before_the_batch_stays_and_each_edit_has_its_own() {
    let (changes, facts) = written(|writer| {
        for priority in [Priority::High, Priority::Urgent] {
            let mut edit = writer.edit(ADAS, Origin::command(BOB, NOW)).unwrap();
            edit.apply(Action::SetPriority(Some(priority))).unwrap();
            let before = edit.before().unwrap().priority;
            assert_eq!(before, (priority == Priority::Urgent).then_some(Priority::High));
            writer.finish(edit);
        }
    });
    let changed = &changes.tickets[&ADAS];
    assert_eq!(changed.before.as_ref().unwrap().priority, None);
    // The second one stands after the first, though the clock says the same.
    assert_eq!((changed.after.priority, changed.after.updated_at), (Some(Priority::Urgent), NOW + 1));
    assert_eq!(facts.tickets[&ADAS].ticket, changed.after);
    assert_eq!(changes.audits.len(), 2);
}

#[test]
fn comments_stand_in_the_order_in_which_they_were_decided() {
    let (changes, facts) = written(|writer| {
        // A minute before the clock was set back, twice after that, and what was said last year, in mail that is imported.
        for (id, said_at) in [(1, NOW + MINUTE), (2, NOW), (3, NOW), (4, NOW - 365 * DAY)] {
            let mut edit = writer.edit(ADAS, Origin::command(BOB, said_at)).unwrap();
            edit.comment(note(id));
            writer.finish(edit);
        }
    });
    let times: Vec<_> = changes.comments.iter().map(|comment| comment.created_at).collect();
    assert_eq!(times, [NOW + MINUTE, NOW + MINUTE + 1, NOW + MINUTE + 2, NOW - 365 * DAY]);
    assert_eq!(facts.tickets[&ADAS].ticket.updated_at, NOW + MINUTE + 2);
}

#[test]
fn an_edit_that_is_refused_dropped_or_empty_leaves_no_trace() {
    let (changes, known) = written(|writer| {
        let mut refused = writer.edit(ADAS, Origin::command(BOB, NOW)).unwrap();
        refused.apply(Action::SetPriority(Some(Priority::Low))).unwrap();
        refused.comment(note(1));
        assert!(refused.apply(Action::SetStatus(Status::New)).is_err());
        drop(refused);
        let empty = writer.edit(ADAS, Origin::command(BOB, NOW)).unwrap();
        writer.finish(empty);
        let mut back_and_forth = writer.edit(ADAS, Origin::command(BOB, NOW)).unwrap();
        back_and_forth.apply(Action::AddTags(vec!["lamp".into()])).unwrap();
        back_and_forth.apply(Action::RemoveTags(vec!["LAMP".into()])).unwrap();
        writer.finish(back_and_forth);
        assert!(writer.edit(TicketId(5), Origin::system(NOW)).is_none());
    });
    assert_eq!(changes, Changes::default());
    assert_eq!(known.tickets, facts().tickets);
}

#[test]
fn actions_between_two_events_are_told_as_one_change_a_field() {
    let (changes, _) = written(|writer| {
        let mut edit = writer.edit(TicketId(300), Origin::command(BOB, NOW)).unwrap();
        edit.apply(Action::SetStatus(Status::Open)).unwrap();
        edit.apply(Action::SetStatus(Status::Solved)).unwrap();
        edit.comment(note(1));
        edit.apply(Action::SetTags(vec!["b".into(), "a".into()])).unwrap();
        writer.finish(edit);
    });
    let audit = &changes.audits[0];
    assert_eq!((audit.author, &audit.channel), (Actor::Person(BOB), &Channel::Api));
    let solved = FromTo { from: Status::Pending, to: Status::Solved };
    assert_eq!(audit.events[0], Event::Change(Change::Status(solved)));
    assert_eq!(audit.events[2], Event::comment(CommentId(1), false));
    assert_eq!(changed_fields(&changes), [Field::Status, Field::Assignee, Field::Tags]);
    assert_eq!(changes.tickets[&TicketId(300)].after.tags, ["a", "b"]);
}

#[test]
fn people_are_added_once_and_the_requester_is_no_cc() {
    let (changes, facts) = written(|writer| {
        let mut edit = writer.edit(ADAS, Origin::system(NOW)).unwrap();
        for person in [11, 12, 15] {
            edit.apply(Action::AddCc(UserId(person))).unwrap();
        }
        edit.apply(Action::AddFollower(BOB)).unwrap();
        writer.finish(edit);
    });
    assert_eq!(changes.ccs, [(ADAS, UserId(15))].into(), "Ada asks, and Carl is a CC already");
    assert_eq!(changes.followers, [(ADAS, BOB)].into());
    assert_eq!(facts.tickets[&ADAS].ccs, [UserId(12), UserId(15)].into());
    assert!(changes.tickets.is_empty() && changes.audits.is_empty());
}

#[test]
fn only_a_solved_ticket_is_closed_by_time() {
    let (changes, _) = written(|writer| {
        assert!(!writer.close(ADAS), "it is open");
        assert!(!writer.close(TicketId(200)), "it is closed");
        let mut edit = writer.edit(TicketId(300), Origin::command(BOB, NOW - 9)).unwrap();
        edit.apply(Action::SetStatus(Status::Solved)).unwrap();
        writer.finish(edit);
        assert!(writer.close(TicketId(300)));
    });
    let closed = &changes.tickets[&TicketId(300)].after;
    assert_eq!((closed.status, closed.updated_at), (Status::Closed, NOW));
    assert_eq!((changes.audits[1].author, &changes.audits[1].channel), (Actor::System, &Channel::System));
}
