//! The stored form of messages of ours: what stands in `notices/` is what databases hold, so it may grow but
//! not change.

use desk::id::BrandId;
use desk::notice::{self, Content, Letter, NoticeKind, Party};
use desk::ticket::{Status, Ticket};
use desk::user::Role;

use crate::scene::{account, key, person, ticket};

fn adas() -> Ticket {
    Ticket {
        last_message_id: Some("m1@customer.example".into()),
        ..ticket(100, 1, "AAAAAA-AAAA", Status::Open)
    }
}

fn party(person: &desk::user::Person) -> Party {
    person.mailbox().into()
}

#[test]
fn every_kind_is_stored_and_read_as_its_file_says() {
    let account = account();
    let ada = person(11, "Ada", Role::EndUser);
    let bob = person(13, "Bob", Role::Agent);
    let carl = party(&person(12, "Carl", Role::EndUser));
    let ticket = adas();
    let external = account.address(&key("help@acme.example")).unwrap();
    let digest = Letter { subject: "[Acme] 1 suspended ticket".into(), text: "1 mail was held back.".into() };
    let answered = Some("m1@customer.example".to_owned());
    for (made, stored) in [
        (notice::acknowledgement(&account, &ticket, &ada), include_str!("notices/acknowledgement.json")),
        (
            notice::comment(&account, &ticket, &bob, vec![party(&ada)], vec![carl]),
            include_str!("notices/comment.json"),
        ),
        (notice::follower(&account, &ticket, &bob, party(&ada)), include_str!("notices/follower.json")),
        (
            notice::sign_up(&account, BrandId(1), "support@acme.desk.example", party(&ada), answered),
            include_str!("notices/sign_up.json"),
        ),
        (notice::probe(&account, external, "s3cret"), include_str!("notices/probe.json")),
        (notice::digest(&account, "boss@acme.example", digest), include_str!("notices/digest.json")),
    ] {
        let made = made.unwrap();
        assert_eq!(serde_json::to_string(&made).unwrap(), stored.trim_end());
        assert_eq!(serde_json::from_str::<Content>(stored).unwrap(), made, "{stored}");
        assert!(NoticeKind::KNOWN.contains(&made.notice.kind()), "{stored}");
    }
}
