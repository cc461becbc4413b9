//! An open store with accounts in it, and the rows that cases write.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use desk::account::Brand;
use desk::address::Kind;
use desk::address_check::NewAddress;
use desk::changes::{ChangedTicket, Changes, LedgerRow, NewPerson};
use desk::channel::Channel;
use desk::clock::{Clock, Millis};
use desk::id::{AccountId, BrandId, MailId, SupportAddressId, TicketId, UserId};
use desk::ledger::Outcome;
use desk::received::Received;
use desk::ticket::{Status, Ticket};
use desk::token::ThreadToken;
use desk::user::{Deliverable, Person, Role};
use mail::address::AddressKey;
use store::account::NewAccount;
use store::account_state::{self, State};
use store::changes::Writing;
use store::raw::{Packed, pack};
use store::spool::NewMail;
use store::{Result, Store, StoreOptions};
use testkit::database::{Database, both};

/// Runs a case on an empty, migrated store of each database.
pub(crate) fn on_both(case: impl Fn(&Store)) {
    for database in both() {
        let store = open(&database);
        store.migrate().unwrap();
        println!("on {}", database.engine);
        case(&store);
        store.close();
    }
}

pub(crate) fn options(database: &Database) -> StoreOptions {
    StoreOptions {
        url: database.url.clone(),
        blobs: format!("file:{}", database.folder.join("blobs").display()),
        connections: 4,
        allow_unsafe: false,
        clock: None,
    }
}

pub(crate) fn open(database: &Database) -> Store {
    Store::open(&options(database)).unwrap()
}

/// A clock that stands still until it is turned.
#[derive(Debug, Default)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn turn_to(&self, now: i64) {
        self.0.store(now, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

/// As [`on_both`], with a clock in place of the database's own. It begins at 10,000.
pub(crate) fn on_both_at_will(case: impl Fn(&Store, &HandClock)) {
    for database in both() {
        let clock = Arc::new(HandClock(AtomicI64::new(10_000)));
        let turned: Arc<dyn Clock> = Arc::clone(&clock) as _;
        let store = Store::open(&StoreOptions { clock: Some(turned), ..options(&database) }).unwrap();
        store.migrate().unwrap();
        println!("on {}", database.engine);
        case(&store, &clock);
        store.close();
    }
}

/// Runs a future of the store to its end.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

pub(crate) fn key(text: &str) -> AddressKey {
    AddressKey::parse(text).unwrap()
}

/// Makes account `id`, subdomain and native host after `name`, with brand `id * 10` and its `support@`.
pub(crate) fn account(store: &Store, id: i64, name: &str) -> Result<()> {
    let name = name.to_owned();
    store.write_blocking(move |tx| {
        let new = NewAccount {
            id: AccountId(id),
            subdomain: name.clone(),
            name: name.to_uppercase(),
            created_at: Millis(1),
        };
        store::account::insert(tx, &new)?;
        store::brand::insert(&mut tx.account(AccountId(id)), &brand(id * 10, &name, true), Millis(1))?;
        let support = address(&format!("support@{name}.desk.example"), id * 10, Kind::Native, true);
        store::address::insert(
            &mut tx.account(AccountId(id)),
            SupportAddressId(id * 100),
            &support,
            true,
            Millis(1),
        )
    })
}

pub(crate) fn brand(id: i64, name: &str, is_default: bool) -> Brand {
    Brand {
        id: BrandId(id),
        name: name.to_uppercase(),
        subdomain: name.to_owned(),
        native_host: format!("{name}.desk.example"),
        is_default,
    }
}

pub(crate) fn address(email: &str, brand_id: i64, kind: Kind, is_default: bool) -> NewAddress {
    NewAddress {
        email: key(email),
        written: email.to_owned(),
        name: String::new(),
        brand_id: BrandId(brand_id),
        kind,
        is_default,
    }
}

pub(crate) fn mail(account_id: i64, id: i64, accepted_at: i64) -> NewMail {
    let raw = format!("Subject: {id}\r\n\r\nmail {id}\r\n");
    let packed = Packed { size_bytes: raw.len(), body: Some(pack(raw.as_bytes()).unwrap()), blob: None };
    let envelope =
        r#"{"door":"smtp","mail_from":"ada@customer.example","recipients":["support@acme.desk.example"]}"#
            .into();
    NewMail {
        account_id: AccountId(account_id),
        id: MailId(id),
        accepted_at: Millis(accepted_at),
        envelope,
        packed,
    }
}

pub(crate) fn decided(id: i64, accepted_at: i64) -> LedgerRow {
    LedgerRow {
        id: MailId(id),
        accepted_at: Millis(accepted_at),
        decided_at: Millis(accepted_at + 5),
        message_id: format!("m{id}@customer.example"),
        outcome: Outcome::Discarded,
        reason: "kept".into(),
        reasons: vec!["seen".into(), "kept".into()],
        ticket_id: None,
    }
}

pub(crate) fn person(id: i64, email: &str, role: Role) -> Person {
    Person {
        id: UserId(id),
        name: format!("Person {id}"),
        role,
        is_suspended: false,
        address: email.to_owned(),
        deliverable: Deliverable::Deliverable,
        is_verified: false,
        locale: None,
        organization_id: None,
    }
}

pub(crate) fn new_person(id: i64, email: &str) -> NewPerson {
    NewPerson { person: person(id, email, Role::EndUser), address: key(email), created_at: Millis(1) }
}

pub(crate) fn ticket(id: i64, requester_id: i64) -> Ticket {
    Ticket {
        id: TicketId(id),
        number: None,
        brand_id: BrandId(10),
        subject: format!("Ticket {id}"),
        status: Status::New,
        requester_id: UserId(requester_id),
        submitter_id: UserId(requester_id),
        assignee_id: None,
        organization_id: None,
        priority: None,
        ticket_type: None,
        received: Received { recipient: "support@acme.desk.example".into(), ..Received::default() },
        channel: Channel::Email,
        token: ThreadToken::from_random((id as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)),
        is_public: true,
        is_machine: false,
        tags: vec!["vip".into()],
        follow_up_of: None,
        last_message_id: Some("m1@customer.example".into()),
        created_at: Millis(10),
        updated_at: Millis(20),
        solved_at: None,
    }
}

/// Changes that open these tickets, in this order.
pub(crate) fn opening(tickets: Vec<Ticket>) -> Changes {
    Changes {
        new_tickets: tickets.iter().map(|ticket| ticket.id).collect(),
        tickets: tickets
            .into_iter()
            .map(|ticket| (ticket.id, ChangedTicket { before: None, after: ticket }))
            .collect(),
        ..Changes::default()
    }
}

/// Under what changes are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conditions {
    /// The time, unix milliseconds.
    pub(crate) now: i64,
    pub(crate) can_deliver: bool,
    pub(crate) digest_every: Option<i64>,
}

pub(crate) const USUAL: Conditions = Conditions { now: 1_000, can_deliver: false, digest_every: None };

pub(crate) fn write(store: &Store, account_id: i64, changes: Changes) -> Result<()> {
    write_as(store, AccountId(account_id), USUAL, changes)
}

pub(crate) fn write_as(
    store: &Store,
    account_id: AccountId,
    conditions: Conditions,
    changes: Changes,
) -> Result<()> {
    store.write_blocking(move |tx| {
        let tx = &mut tx.account(account_id);
        let mut state = State { now: Millis(conditions.now), ..account_state::lock(tx)? };
        let writing = Writing {
            state: &mut state,
            can_deliver: conditions.can_deliver,
            digest_every: conditions.digest_every,
        };
        store::changes::write(tx, writing, &changes)
    })
}
