//! Doors on free ports, with a store of their own.

use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};

use desk::account::Brand;
use desk::address::Kind;
use desk::address_check::NewAddress;
use desk::clock::{Clock, Millis};
use desk::id::{AccountId, BrandId, SupportAddressId};
use mail::address::AddressKey;
use store::account::NewAccount;
use store::{Store, StoreOptions};
use testkit::client::Client;

use super::*;
use crate::memory::FREE_BYTES;

const SUPPORT: &str = "support@acme.desk.example";
const HOUR_MS: u64 = 3_600_000;

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Millis {
        Millis(1_790_000_000_000)
    }
}

/// A store with account `acme`.
async fn store(folder: &Path) -> Store {
    let (url, blobs) =
        (format!("sqlite:{}/desk.db", folder.display()), format!("file:{}/blobs", folder.display()));
    let store =
        Store::open(&StoreOptions { url, blobs, connections: 2, allow_unsafe: false, clock: None }).unwrap();
    let migrated = store.clone();
    tokio::task::spawn_blocking(move || migrated.migrate()).await.unwrap().unwrap();
    let made = store.write(|tx| {
        let name = "acme".to_owned();
        store::account::insert(
            tx,
            &NewAccount {
                id: AccountId(1),
                subdomain: name.clone(),
                name: name.clone(),
                created_at: Millis(1),
            },
        )?;
        let native_host = "acme.desk.example".to_owned();
        let brand =
            Brand { id: BrandId(10), name: name.clone(), subdomain: name, native_host, is_default: true };
        store::brand::insert(&mut tx.account(AccountId(1)), &brand, Millis(1))?;
        let email = AddressKey::parse(SUPPORT).unwrap();
        let (written, name, brand_id) = (SUPPORT.to_owned(), String::new(), BrandId(10));
        let address = NewAddress { email, written, name, brand_id, kind: Kind::Native, is_default: true };
        store::address::insert(
            &mut tx.account(AccountId(1)),
            SupportAddressId(100),
            &address,
            true,
            Millis(1),
        )
    });
    made.await.unwrap();
    store
}

fn options(listen: Listen) -> DoorOptions {
    DoorOptions {
        listen,
        protocol: smtp::Protocol::Smtp,
        hostname: "desk.example".to_owned(),
        max_mail_bytes: 50_000_000,
        limits: smtp::Limits::default(),
        tls: None,
        trusted_relays: Vec::new(),
        connections: 100,
        connections_per_client: 100,
        idle_ms: HOUR_MS,
        mail_ms: HOUR_MS,
    }
}

/// Runs a door with so much room for mail, and what a client does to it.
async fn with_door(room_bytes: u64, mail_ms: u64, client: impl FnOnce(u16) + Send + 'static) {
    let folder = tempfile::tempdir().unwrap();
    let intake = Intake::new(store(folder.path()).await, Arc::new(Stopped), room_bytes);
    let listen = Listen::Tcp("127.0.0.1:0".parse().unwrap());
    let door = intake.open(DoorOptions { mail_ms, ..options(listen) }).await.unwrap();
    let port = door.local_addr().rsplit_once(':').unwrap().1.parse().unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(door.run(stop.clone()));
    tokio::task::spawn_blocking(move || client(port)).await.unwrap();
    stop.cancel();
    running.await.unwrap();
}

/// Begins a mail and gives its text up to its end.
fn begin(client: &mut Client, text: &[u8]) {
    for (command, want) in [
        ("MAIL FROM:<ada@customer.example>".to_owned(), 250),
        (format!("RCPT TO:<{SUPPORT}>"), 250),
        ("DATA".to_owned(), 354),
    ] {
        assert_eq!(client.command(&command).unwrap().code, want, "{command}");
    }
    client.write(text).unwrap();
}

fn end(client: &mut Client) -> String {
    client.write(b".\r\n").unwrap();
    let answer = client.answer().unwrap();
    format!("{} {}", answer.code, answer.text.get(..5).unwrap_or_default())
}

fn text_of(bytes: usize) -> Vec<u8> {
    let line = format!("{}\r\n", "x".repeat(98));
    [b"Subject: x\r\n\r\n".to_vec(), line.repeat(bytes / 100).into_bytes()].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn large_mails_that_find_no_room_are_refused_for_now_and_small_ones_are_not() {
    // For one of the two large mails, whose memory grows by doubling.
    with_door(700_000, HOUR_MS, |port| {
        let (mut one, mut other, mut small) =
            (Client::smtp(port).unwrap(), Client::smtp(port).unwrap(), Client::smtp(port).unwrap());
        begin(&mut one, &text_of(400_000));
        begin(&mut other, &text_of(400_000));
        begin(&mut small, &text_of(usize::try_from(FREE_BYTES / 4).unwrap()));
        assert_eq!(end(&mut small), "250 2.0.0");
        let mut answers = [end(&mut other), end(&mut one)];
        // Which of the two came first is the door's business.
        answers.sort();
        assert_eq!(answers, ["250 2.0.0", "452 4.3.1"]);
        // What was taken or refused gives its room back.
        for client in [&mut one, &mut other] {
            begin(client, &text_of(400_000));
            assert_eq!(end(client), "250 2.0.0");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_never_ends_is_cut() {
    with_door(1_000_000, 200, |port| {
        let mut client = Client::smtp(port).unwrap();
        begin(&mut client, b"Subject: x\r\n");
        let answer = client.answer().unwrap();
        assert_eq!((answer.code, answer.text.get(..5)), (421, Some("4.4.2")), "{answer:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_is_replaced_only_when_nobody_listens_at_it() {
    let folder = tempfile::tempdir().unwrap();
    let intake = Intake::new(store(folder.path()).await, Arc::new(Stopped), 1_000_000);
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    std::fs::write(at("file"), "kept").unwrap();
    std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
    drop(StdUnixListener::bind(at("stale")).unwrap());
    let _used = StdUnixListener::bind(at("used")).unwrap();
    for (name, want) in [("new", true), ("stale", true), ("used", false), ("file", false), ("link", false)] {
        let opened = intake.open(options(Listen::Unix(at(name)))).await;
        assert_eq!(opened.is_ok(), want, "{name}: {opened:?}");
    }
    assert_eq!(std::fs::read_to_string(at("link")).unwrap(), "kept");
}
