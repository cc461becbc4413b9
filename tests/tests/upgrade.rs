//! A newer version migrates the database further while this one is working on it (docs/operating.md §12).

use anyhow::{Result, ensure};
use e2e::{AGENT, Desk, DeskOptions, Letter, SUPPORT, WITHIN};
use store::{Migration, Store, StoreOptions};
use testkit::client::Client;
use testkit::database::both;
use testkit::server::until;

/// What the next version may add alongside this one: a table, a nullable column filled in pieces, an index.
const ADDED: Migration = Migration {
    number: 9_001,
    name: "mood",
    text: "CREATE TABLE moods (account_id BIGINT NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (account_id, id)) {{rows}};
-- step
ALTER TABLE tickets ADD COLUMN mood TEXT;
-- in pieces
UPDATE tickets SET mood = 'calm' WHERE id IN (SELECT id FROM tickets WHERE mood IS NULL LIMIT 1);
-- outside a transaction
DROP INDEX {{concurrently}} IF EXISTS tickets_mood;
CREATE INDEX {{concurrently}} tickets_mood ON tickets (account_id, mood);",
};

/// What the version after that removes.
const CLOSED: Migration =
    Migration { number: 9_002, name: "no_moods", text: "-- compatible from 9001\nDROP TABLE moods;" };

/// Does what `guichet migrate` of a later version would do.
fn migrate(desk: &Desk, later: &[Migration]) -> Result<Vec<i64>> {
    let options = StoreOptions {
        url: desk.database_url(),
        blobs: format!("file:{}", desk.data().join("blobs").display()),
        connections: 1,
        allow_unsafe: false,
        clock: None,
    };
    let store = Store::open(&options)?;
    let ran = store.migrate_further(later);
    store.close();
    Ok(ran?)
}

fn send(desk: &Desk, subject: &str) -> Result<()> {
    let letter = Letter::new("ann@customer.example", SUPPORT, subject);
    Client::smtp(desk.smtp_port())?.send(&letter.from, &letter.to, &letter.bytes())?.with_code(250)?;
    Ok(())
}

#[test]
fn a_desk_works_on_while_a_newer_version_adds_to_its_database() -> Result<()> {
    for database in both() {
        let mut desk = Desk::open(database, &DeskOptions::default())?;
        send(&desk, "before")?;
        desk.decided(1)?;
        assert_eq!(migrate(&desk, &[ADDED])?, [9_001]);

        send(&desk, "after")?;
        desk.decided(2)?;
        desk.run(&["ticket", "reply", "2", "--as", AGENT, "--public", "--body", "Hello"])?;
        assert_eq!(desk.comments(2, 2)?.len(), 2);
        assert_eq!(desk.page("/readyz")?.status, 200);
        let findings = desk.list(&["doctor"])?;
        let schema = findings.iter().find(|finding| finding["check"] == "schema");
        let told = schema.map(|finding| finding["detail"].to_string()).unwrap_or_default();
        assert!(told.contains("9001"), "{findings:?}");

        desk.terminate()?;
        ensure!(desk.wait_for_end()?.success(), "{}", desk.log());
        desk.serve(&[])?;
        send(&desk, "after a restart")?;
        desk.decided(3)?;
    }
    Ok(())
}

#[test]
fn a_database_that_a_newer_version_closed_is_refused_everywhere() -> Result<()> {
    const WHY: &str = "only programs that know migration 9001 may use it";
    for database in both() {
        let mut desk = Desk::open(database, &DeskOptions::default())?;
        assert_eq!(migrate(&desk, &[ADDED, CLOSED])?, [9_001, 9_002]);
        until("the desk is not ready any more", WITHIN, || {
            let page = desk.page("/readyz")?;
            Ok((page.status == 503 && page.body.contains(WHY)).then_some(()))
        })?;
        for (arguments, code) in [
            (&["ticket", "list"][..], 1),
            (&["migrate"], 1),
            (&["account", "create", "other", "--admin", "ann@other.example"], 1),
            (&["doctor"], 1),
            (&["intake", "--rcpt", SUPPORT], 75),
        ] {
            let (ended, said) = desk.feed(arguments, b"Subject: hello\r\n\r\nHello\r\n")?;
            assert_eq!(ended, code, "{arguments:?}: {said}");
            assert!(said.contains(WHY), "{arguments:?}: {said}");
            assert!(said.contains("start the newer version"), "{arguments:?}: {said}");
        }
        desk.kill()?;
        let (status, said) = desk.serve_in_vain()?;
        assert!(!status.success(), "{said}");
        assert!(said.contains(WHY), "{said}");
    }
    Ok(())
}

#[test]
fn commands_make_no_tables_but_those_of_the_first_account() -> Result<()> {
    for database in both() {
        let mut desk = Desk::configure(database, &DeskOptions::default())?;
        let (ended, said) = desk.feed(&["ticket", "list"], b"")?;
        assert_eq!(ended, 1, "{said}");
        assert!(said.contains("there is no desk"), "{said}");
        desk.create_account()?;
        desk.serve(&[])?;
        send(&desk, "first")?;
        desk.decided(1)?;
    }
    Ok(())
}
