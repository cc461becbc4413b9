//! What the command line lists: in order of time, with reasons, and with names in place of ids.

use anyhow::{Result, ensure};
use e2e::{AGENT, Desk, DeskOptions, SUPPORT};
use serde_json::Value;
use testkit::database::both;

const RELAY: &str = "no relay is configured (delivery.relay)";

/// Takes a mail through the pipe and waits until it is decided.
fn take(desk: &Desk, from: &str, count: usize) -> Result<()> {
    let mail = format!(
        "From: {from}\r\nMessage-ID: <{count}@customer.example>\r\nSubject: Lamp {count}\r\n\r\nIt is dark.\r\n"
    );
    let (code, said) =
        desk.feed(&["intake", "--rcpt", SUPPORT, "--mail-from", "ann@customer.example"], mail.as_bytes())?;
    ensure!(code == 0, "{said}");
    desk.decided(count).map(drop)
}

fn texts<'r>(rows: &'r [Value], key: &str) -> Vec<&'r str> {
    rows.iter().filter_map(|row| row[key].as_str()).collect()
}

#[test]
fn the_ledger_and_held_mail_begin_with_the_newest() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &DeskOptions::default())?;
        for (at, from) in ["ann@customer.example", "postmaster@customer.example", "noreply@customer.example"]
            .iter()
            .enumerate()
        {
            take(&desk, from, at + 1)?;
        }
        take(&desk, "postmaster@customer.example", 4)?;
        let ledger = desk.list(&["ledger", "list"])?;
        let times = texts(&ledger, "at");
        ensure!(times.is_sorted_by(|newer, older| newer >= older), "{times:?}");
        assert_eq!(ledger.len(), 5, "four came in, one went out: {ledger:?}");
        assert_eq!(ledger[4]["outcome"], "new_ticket", "four came in, one went out: {ledger:?}");
        let newest = desk.list(&["ledger", "list", "--limit", "1"])?;
        assert_eq!(newest, ledger[..1], "{newest:?}");
        assert_eq!(newest[0]["message_id"], "4@customer.example", "{newest:?}");
        let ours = ledger.iter().find(|row| row["direction"] == "out").map(|row| row["message_id"].clone());
        let ours = ours.as_ref().and_then(Value::as_str).unwrap_or_default();
        ensure!(desk.list(&["ledger", "list", "--message-id", ours])?.len() == 1, "{ours} is not found");

        let held = |more: &[&str]| desk.list(&[&["suspended", "list"], more].concat());
        ensure!(texts(&held(&[])?, "subject") == ["Lamp 4", "Lamp 3", "Lamp 2"], "{:?}", held(&[])?);
        ensure!(
            texts(&held(&["--cause", "9", "--limit", "1"])?, "subject") == ["Lamp 4"],
            "{:?}",
            held(&["--cause", "9"])?
        );
        let deleted = desk.run(&["suspended", "delete", "--all", "--cause", "9"])?;
        ensure!(deleted["deleted"] == 2, "{deleted}");
        let (code, said) = desk.feed(&["suspended", "delete", "1"], b"")?;
        assert_eq!(code, 1, "{code}: {said}");
        assert!(said.contains("there is no suspended ticket 1"), "{code}: {said}");
        ensure!(texts(&held(&[])?, "subject") == ["Lamp 3"], "{:?}", held(&[])?);
    }
    Ok(())
}

#[test]
fn a_ticket_names_its_people_and_shows_what_it_sent() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &DeskOptions::default())?;
        take(&desk, "Ann <ann@customer.example>", 1)?;
        desk.run(&[
            "ticket",
            "reply",
            "1",
            "--as",
            AGENT,
            "--public",
            "--body",
            "It left us.",
            "--status",
            "solved",
        ])?;
        let ticket = desk.ticket(1)?;
        let mails = ticket["mails"].as_array().cloned().unwrap_or_default();
        ensure!(texts(&mails, "kind") == ["acknowledgement", "comment"], "{mails:?}");
        ensure!(
            mails.iter().all(|mail| mail["to"] == "ann@customer.example" && mail["reason"] == RELAY),
            "{mails:?}"
        );
        ensure!(desk.list(&["outbox", "list"])? == mails, "the outbox says something else than {mails:?}");
        let (_, text) = desk.feed(&["ticket", "show", "1"], b"")?;
        for line in [
            "to: Bob Agent <bob@agents.example>".to_owned(),
            "from: nobody".to_owned(),
            "    Comment 2  public: true".to_owned(),
            format!(" UTC  comment to ann@customer.example  waiting: {RELAY}"),
        ] {
            ensure!(text.contains(&line), "{line} is not in\n{text}");
        }
    }
    Ok(())
}

#[test]
fn settings_say_what_is_in_force_and_what_is_allowed() -> Result<()> {
    for database in both() {
        let desk = Desk::configure(database, &DeskOptions::default())?;
        desk.create_account()?;
        let row = |key: &str| -> Result<Value> {
            Ok(desk.list(&["setting", "list"])?.into_iter().find(|row| row["key"] == key).unwrap_or_default())
        };
        let guard = row("sender_per_hour")?;
        ensure!(
            (&guard["value"], &guard["from"])
                == (&0.into(), &"limits.sender_per_hour of the installation".into()),
            "{guard}"
        );
        desk.run(&["setting", "set", "sender_per_hour", "7"])?;
        let guard = row("sender_per_hour")?;
        ensure!((&guard["in_force"], &guard["from"]) == (&7.into(), &"this account".into()), "{guard}");
        let (code, said) = desk.feed(&["setting", "set", "sender_per_hour", "many"], b"")?;
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("\"many\" was given"), "{said}");
        assert!(said.contains("for example: guichet setting set"), "{said}");
    }
    Ok(())
}
