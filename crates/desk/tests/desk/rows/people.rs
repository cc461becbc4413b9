//! Whom a message brings in, and whom it does not.

use desk::id::{TicketId, UserId};
use desk::setting::Settings;
use desk::user::{Person, Role};
use mail::address::AddressKey;

use super::{Table, authenticated, of, table, usual};
use crate::scene::{key, person};

impl Table {
    /// The scene with a person changed wherever they are known.
    pub(super) fn with(mut self, id: i64, change: impl Fn(&mut Person)) -> Table {
        let known = self.facts.people.values_mut().chain(self.facts.people_by_id.values_mut());
        known.filter(|person| person.id == UserId(id)).for_each(change);
        self
    }
}

#[test]
fn row_14_an_unknown_author_becomes_an_end_user_who_is_not_verified() {
    let (changes, _) = usual().changes("From: Eve Ells <Eve@Else.example>\nSubject: x\n\nhi");
    let [new] = changes.people.as_slice() else { panic!("{:?}", changes.people) };
    assert_eq!(
        (new.person.role, new.person.is_verified, new.person.is_suspended),
        (Role::EndUser, false, false)
    );
    assert_eq!((new.person.name.as_str(), new.person.address.as_str()), ("Eve Ells", "Eve@Else.example"));
    assert_eq!(new.address, key("eve@else.example"));
}

#[test]
fn row_14_mail_that_becomes_no_ticket_makes_nobody() {
    for (name, settings, mail) in [
        ("held", of(|all| all.blocklist = "else.example".into()), "From: eve@else.example\nSubject: x\n\nhi"),
        (
            "discarded",
            of(|all| all.blocklist = "reject:else.example".into()),
            "From: eve@else.example\nSubject: x\n\nhi",
        ),
        (
            "held by header",
            Settings::default(),
            "From: eve@else.example\nIn-Reply-To: <first@customer.example>\n\nhi",
        ),
        ("a loop", Settings::default(), "From: eve@else.example\nMessage-ID: <out@acme.desk.example>\n\nhi"),
        (
            "a machine",
            Settings::default(),
            "From: eve@else.example\nCc: new@else.example\nAuto-Submitted: auto-replied\n\nhi",
        ),
    ] {
        let (changes, _) = table(settings).changes(mail);
        assert_eq!((changes.people.len(), changes.ccs.len(), changes.new_tickets.len()), (0, 0, 0), "{name}");
    }
}

#[test]
fn row_11_a_listed_stranger_in_cc_is_not_made_a_person() {
    let mail = "Cc: new@else.example\nSubject: x\n\nhi";
    for (blocklist, want) in
        [("", 1), ("else.example", 0), ("new@else.example", 0), ("suspend:else.example", 0), ("*", 0)]
    {
        let (changes, _) = table(of(|all| all.blocklist = blocklist.into())).changes(mail);
        assert_eq!(changes.new_tickets.len(), 1, "{blocklist}");
        assert_eq!((changes.people.len(), changes.ccs.len()), (want, want), "{blocklist}");
    }
}

/// Tickets 1's CCs after a message to it, of which it had so many before.
fn ccs_after(before: i64, mail: &str) -> usize {
    let mut table = usual();
    for id in 1_000..1_000 + before - 1 {
        let cc = person(id, &format!("P{id}"), Role::EndUser);
        table.facts.people_by_id.insert(cc.id, cc);
        table.facts.tickets.get_mut(&TicketId(100)).unwrap().ccs.insert(UserId(id));
    }
    assert_eq!(table.facts.tickets[&TicketId(100)].ccs.len() as i64, before, "Carl is one of them");
    let (_, facts) = table.changes(mail);
    facts.tickets[&TicketId(100)].ccs.len()
}

#[test]
fn row_6_a_ticket_has_48_ccs_however_many_mails_bring_them() {
    let one = "Cc: dora@customer.example\nSubject: x\n\n[AAAAAA-AAAA]";
    let two = "Cc: dora@customer.example, new@else.example\nSubject: x\n\n[AAAAAA-AAAA]";
    assert_eq!(
        [ccs_after(46, two), ccs_after(47, one), ccs_after(47, two), ccs_after(48, one)],
        [48, 48, 48, 48]
    );
    assert_eq!(ccs_after(45, one), 46);
}

#[test]
fn row_1_1_an_agent_who_was_withdrawn_is_treated_as_what_they_are_now() {
    let mail = "From: bob@acme.example\nIn-Reply-To: <first@customer.example>\n\n#solved\nhi";
    let usual = || usual().by(authenticated());
    usual().check(&[("an agent", mail, "comment on 100 by bob@acme.example")]);
    usual().with(13, |bob| bob.is_suspended = true).check(&[("suspended", mail, "suspended 10")]);
    usual().with(13, |bob| bob.role = Role::EndUser).check(&[("an end user by now", mail, "suspended 6")]);
}

#[test]
fn a_persons_address_is_theirs_in_any_case() {
    let (changes, _) = usual().changes("From: ADA@Customer.example\nSubject: x\n\nhi");
    assert_eq!(
        (changes.people.len(), changes.tickets[&changes.new_tickets[0]].after.requester_id),
        (0, UserId(11))
    );
    assert_eq!(key("ADA@Customer.example"), AddressKey::parse("ada@customer.example").unwrap());
}
