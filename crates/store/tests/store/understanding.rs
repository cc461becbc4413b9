//! What a decision about a mail asks besides tickets: sender counters, troubled addresses, followers, organizations, comments.

use desk::changes::{Bounced, Changes};
use desk::clock::Millis;
use desk::comment::{Comment, Hidden, HiddenKind};
use desk::delivery::Delivery;
use desk::delivery::DeliveryResult;
use desk::envelope::{Door, Envelope};
use desk::facts::Facts;
use desk::id::{
    AccountId, CommentId, MailId, OrganizationId, OutboxId, OutgoingId, TicketId, TicketNumber, UserId,
};
use desk::inbound::Inbound;
use desk::organization::Organization;
use desk::rate::Rate;
use desk::signed::SigningKeys;
use desk::ticket::{Priority, Ticket, TicketType};
use desk::user::{Deliverable, Person, Role, SOFT_BOUNCES_MAX};
use mail::letter::Letter;
use store::Store;

use crate::support::{
    Conditions, USUAL, account, key, new_person, on_both, opening, person, ticket, write, write_as,
};

const ADA: &str = "ada@customer.example";

fn gathered(store: &Store, raw: &'static str, per_hour: u32) -> Facts {
    gathered_of(store, vec![raw], per_hour)
}

fn gathered_of(store: &Store, raws: Vec<&'static str>, per_hour: u32) -> Facts {
    let gather = move |tx: &mut store::Tx<'_>| {
        let (_, account) = store::account::load(&mut tx.account(AccountId(1)))?.unwrap();
        let envelope = Envelope {
            door: Door::Smtp,
            client: String::new(),
            helo: String::new(),
            mail_from: Some(ADA.into()),
            recipients: vec!["support@acme.desk.example".into()],
            trusted: false,
            tls: false,
        };
        let letters: Vec<Letter> = raws.iter().map(|raw| Letter::parse(raw.as_bytes())).collect();
        let inbound =
            |(raw, letter)| Inbound { raw, ..Inbound::new(MailId(7), Millis(1), &envelope, letter) };
        let mails: Vec<Inbound<'_>> =
            raws.iter().map(|raw| raw.as_bytes()).zip(&letters).map(inbound).collect();
        store::facts::gather(
            &mut tx.account(AccountId(1)),
            &account,
            &SigningKeys::new(vec![[7; 32]]).unwrap(),
            per_hour,
            &mails,
        )
    };
    store.read_blocking(gather).unwrap()
}

fn bounce(store: &Store, result: DeliveryResult) {
    let delivery = Delivery {
        outbox_id: OutboxId(501),
        mail_id: OutgoingId(400),
        recipient: "Ada@Customer.example".into(),
        ticket: None,
    };
    let bounced = vec![Bounced { delivery, result, answer: "no".into(), at: Millis(300) }];
    write(store, 1, Changes { bounced, ..Changes::default() }).unwrap();
}

#[test]
fn the_tenth_soft_bounce_in_a_row_silences_an_address_and_a_mail_from_it_gives_it_back() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        write(store, 1, Changes { people: vec![new_person(50, ADA)], ..Changes::default() }).unwrap();
        let trouble =
            || gathered(store, "From: ada@customer.example\n\nhi", 0).troubles.get(&key(ADA)).copied();
        assert_eq!(trouble(), None);
        for count in 1..=SOFT_BOUNCES_MAX {
            bounce(store, DeliveryResult::Soft);
            let found = trouble().unwrap();
            assert_eq!(found.bounces, count);
            assert_eq!(
                found.deliverable == Deliverable::Undeliverable,
                count == SOFT_BOUNCES_MAX,
                "after {count}"
            );
        }
        write(store, 1, Changes { well_addresses: [key(ADA)].into(), ..Changes::default() }).unwrap();
        assert_eq!(trouble(), None);
        bounce(store, DeliveryResult::Doubtful);
        assert_eq!(trouble(), None, "what could be about another counts against nobody");
        bounce(store, DeliveryResult::Hard);
        assert_eq!(trouble().unwrap().deliverable, Deliverable::Undeliverable);
    });
}

#[test]
fn senders_are_counted_where_the_guard_is_on_and_forgotten_after_hours() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let sender = "unknown ada@customer.example".to_owned();
        let rate = |window_start, count| Rate { window_start, count, held_until: Some(window_start + 5) };
        let counted = |rate: Rate, now: i64| {
            let changes = Changes { rates: [(sender.clone(), rate)].into(), ..Changes::default() };
            write_as(store, AccountId(1), Conditions { now, ..USUAL }, changes).unwrap();
        };
        counted(rate(Millis(1_000), 3), 1_000);
        counted(rate(Millis(2_000), 4), 2_000);
        let found = |per_hour| gathered(store, "From: ada@customer.example\n\nhi", per_hour);
        assert_eq!(found(20).rates, [(sender.clone(), rate(Millis(2_000), 4))].into());
        assert_eq!(found(20).sender_per_hour, 20);
        assert_eq!((found(0).rates.len(), found(0).sender_per_hour), (0, 0), "off: nobody asks");
        let day = 24 * 3_600_000;
        let other = Changes {
            rates: [("unknown eve@else.example".to_owned(), rate(Millis(day), 1))].into(),
            ..Changes::default()
        };
        write_as(store, AccountId(1), Conditions { now: day, ..USUAL }, other).unwrap();
        assert_eq!(found(20).rates.len(), 0, "yesterday's counter is gone");
    });
}

#[test]
fn an_agents_mail_asks_for_whom_it_names_and_what_it_may_quote() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let agent = Person { role: Role::Agent, ..person(51, "bob@acme.example", Role::Agent) };
        let bob = desk::changes::NewPerson {
            person: agent,
            address: key("bob@acme.example"),
            created_at: Millis(1),
        };
        let comment = Comment {
            id: CommentId(5),
            ticket_id: TicketId(900),
            author_id: UserId(51),
            is_public: false,
            is_cut: false,
            body: "secret".into(),
            mail_id: None,
            flags: vec![],
            hidden: vec![Hidden { from: 0, to: 6, kind: HiddenKind::Quote }],
            created_at: Millis(1),
        };
        let first = ticket(900, 50);
        let token = first.token.as_str().to_owned();
        let changes = Changes {
            people: vec![new_person(50, ADA), bob, new_person(52, "dora@customer.example")],
            comments: vec![comment],
            followers: [(TicketId(900), UserId(51))].into(),
            ..opening(vec![first])
        };
        write(store, 1, changes).unwrap();
        let shown = store
            .read_blocking(|tx| store::comment::of_tickets(&mut tx.account(AccountId(1)), &[TicketId(900)]))
            .unwrap()
            .remove(&TicketId(900))
            .unwrap();
        assert_eq!(shown[0].hidden, [Hidden { from: 0, to: 6, kind: HiddenKind::Quote }]);
        let mail = |from: &str| -> &'static str {
            Box::leak(
                format!("From: {from}\nSubject: x\n\n#assignee dora@customer.example\n[{token}]")
                    .into_boxed_str(),
            )
        };
        let agents = gathered(store, mail("bob@acme.example"), 0);
        assert_eq!(agents.comments[&TicketId(900)], [(false, "secret".to_owned())]);
        assert!(agents.people.contains_key(&key("dora@customer.example")));
        assert_eq!(agents.tickets[&TicketId(900)].followers, [UserId(51)].into());
        let customers = gathered(store, mail(ADA), 0);
        assert_eq!(
            (customers.comments.len(), customers.people.len()),
            (0, 1),
            "a customer's commands ask nothing"
        );
    });
}

#[test]
fn organizations_are_found_by_the_domains_of_a_mail() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let organization = Organization {
            id: OrganizationId(70),
            name: "Customers".into(),
            domains: ["customer.example".to_owned(), "kunde.example".to_owned()].into(),
        };
        let version = || {
            store.read_blocking(|tx| store::account_state::version(&mut tx.account(AccountId(1)))).unwrap()
        };
        let before = version();
        let made = organization.clone();
        store
            .write_blocking(move |tx| {
                store::organization::insert(&mut tx.account(AccountId(1)), &made, Millis(5), 1)
            })
            .unwrap();
        assert!(version() > before, "nodes read the account again");
        assert_eq!(
            store.read_blocking(|tx| store::organization::list(&mut tx.account(AccountId(1)))).unwrap(),
            [organization]
        );
        let (_, loaded) =
            store.read_blocking(|tx| store::account::load(&mut tx.account(AccountId(1)))).unwrap().unwrap();
        assert!(loaded.has_organization_domains);
        let asked = gathered(store, "From: ada@customer.example\nCc: eve@club.customer.example\n\nhi", 0);
        assert_eq!(asked.organizations.of(&key(ADA)), Some(OrganizationId(70)));
        assert_eq!(asked.organizations.of(&key("eve@club.customer.example")), None);
        let mut ada = new_person(50, ADA);
        ada.person.organization_id = Some(OrganizationId(70));
        let whole = Ticket {
            organization_id: Some(OrganizationId(70)),
            priority: Some(Priority::High),
            ticket_type: Some(TicketType::Task),
            is_machine: true,
            ..ticket(900, 50)
        };
        let locales = [(UserId(50), "fr".to_owned())].into();
        write(store, 1, Changes { people: vec![ada], locales, ..opening(vec![whole.clone()]) }).unwrap();
        assert_eq!(
            store.read_blocking(|tx| store::ticket::by_number(&mut tx.account(AccountId(1)), 1)).unwrap(),
            Some(Ticket { number: Some(TicketNumber(1)), ..whole })
        );
        let found = gathered(store, "From: ada@customer.example\n\nhi", 0).people[&key(ADA)].clone();
        assert_eq!((found.organization_id, found.locale.as_deref()), (Some(OrganizationId(70)), Some("fr")));
    });
}

#[test]
fn the_newest_500_comments_of_each_ticket_are_known() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let bob = Person { role: Role::Agent, ..person(51, "bob@acme.example", Role::Agent) };
        let bob = desk::changes::NewPerson { person: bob, ..new_person(51, "bob@acme.example") };
        let comment = |id: i64, ticket: i64| Comment {
            id: CommentId(id),
            ticket_id: TicketId(ticket),
            author_id: UserId(51),
            is_public: false,
            is_cut: false,
            body: format!("comment {id}"),
            mail_id: None,
            flags: vec![],
            hidden: vec![],
            created_at: Millis(1),
        };
        let (quiet, busy) = (ticket(900, 51), ticket(901, 51));
        let mail = |ticket: &Ticket| -> &'static str {
            let token = ticket.token.as_str();
            Box::leak(format!("From: bob@acme.example\nSubject: x\n\nhi\n[{token}]").into_boxed_str())
        };
        let raws = vec![mail(&quiet), mail(&busy)];
        let comments = (0..501).map(|id| comment(1_000 + id, 901)).chain([comment(5, 900)]).collect();
        write(store, 1, Changes { people: vec![bob], comments, ..opening(vec![quiet, busy]) }).unwrap();
        let known = gathered_of(store, raws, 0).comments;
        assert_eq!(known[&TicketId(900)], [(false, "comment 5".to_owned())]);
        let busy = &known[&TicketId(901)];
        assert_eq!((busy.len(), busy[0].1.as_str()), (500, "comment 1500"));
    });
}
