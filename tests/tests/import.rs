//! Old mail comes in once, in its order, notifying nobody, however often the import is killed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use e2e::{Desk, DeskOptions, SUPPORT, WITHIN};
use serde_json::Value;
use testkit::database::both;
use testkit::server::{signal, until};

/// As in an archive: a question, its answer, prose that looks like a separator, and something that is not a mail.
const ARCHIVE: &str = "From ann@customer.example Mon Mar  5 10:00:00 2018\n\
    Message-ID: <q1@customer.example>\nDate: Mon, 05 Mar 2018 10:00:00 +0000\nFrom: Ann <ann@customer.example>\n\
    To: support@acme.desk.example\nSubject: An old lamp\n\nIt is dark.\n\n>From noon on it is light.\n\n\
    From ann@customer.example Tue Mar  6 10:00:00 2018\n\
    Message-ID: <q2@customer.example>\nIn-Reply-To: <q1@customer.example>\nDate: Tue, 06 Mar 2018 10:00:00 +0000\n\
    From: Ann <ann@customer.example>\nTo: support@acme.desk.example\nSubject: Re: An old lamp\n\nStill dark.\n\n\
    From nobody Tue Mar  6 11:00:00 2018\nthis is no mail\n\n";

fn write(desk: &Desk, name: &str, text: &str) -> Result<PathBuf> {
    let path = desk.file(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, text)?;
    Ok(path)
}

/// Imports and returns the code it ended with and its summary.
fn import(desk: &Desk, kind: &str, source: &Path, more: &[&str]) -> Result<(i32, Value)> {
    let source = source.display().to_string();
    let line = [&["import", kind, &source, "--rcpt", SUPPORT, "--json"], more].concat();
    let (code, said) = desk.feed(&line, b"")?;
    let summary =
        said.lines().find(|line| line.starts_with("{\"already\"")).map(serde_json::from_str).transpose()?;
    Ok((code, summary.unwrap_or_else(|| said.into())))
}

#[test]
fn an_archive_becomes_tickets_as_old_as_its_mails_and_nobody_is_told() -> Result<()> {
    for database in both() {
        // With a relay, so that a mail to anybody would show in the outbox, whatever became of it.
        let desk = Desk::open(database, &DeskOptions { relay: Some(1), ..DeskOptions::default() })?;
        let source = write(&desk, "old.mbox", ARCHIVE)?;
        let (code, summary) = import(&desk, "mbox", &source, &[])?;
        ensure!(code == 3, "one mail was skipped: {code} {summary}");
        ensure!((&summary["imported"], &summary["skipped"]) == (&2.into(), &1.into()), "{summary}");
        ensure!(
            summary["problems"][0]["place"].as_str().is_some_and(|place| place.starts_with("mail 3")),
            "{summary}"
        );
        let comments = desk.comments(1, 2)?;
        ensure!(comments[0]["body"] == "It is dark.\n\nFrom noon on it is light.", "{comments:?}");
        desk.decided(2)?;
        let ticket = desk.ticket(1)?;
        assert_eq!(ticket["status"], "new", "{ticket}");
        assert_eq!(ticket["recipient"], SUPPORT, "{ticket}");
        ensure!(ticket["created_at"].as_str().is_some_and(|at| at.starts_with("2018-03-05")), "{ticket}");
        ensure!(
            comments[1]["created_at"].as_str().is_some_and(|at| at.starts_with("2018-03-06")),
            "{comments:?}"
        );
        assert_eq!(desk.list(&["outbox", "list"])?, Vec::<Value>::new());
        let (_, summary) = import(&desk, "mbox", &source, &[])?;
        ensure!((&summary["imported"], &summary["already"]) == (&0.into(), &2.into()), "{summary}");
        desk.decided(2)?;
    }
    Ok(())
}

#[test]
fn maildirs_and_folders_are_read() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &DeskOptions::default())?;
        for (file, subject) in [
            ("Maildir/cur/2.b:2,S", "second"),
            ("Maildir/new/1.a", "first"),
            ("Maildir/cur/3.c:2,T", "trash"),
            ("Maildir/.Lists/cur/4.d:2,", "list"),
            ("mails/a/one.eml", "eml"),
            ("mails/notes.txt", "not this"),
        ] {
            write(&desk, file, &format!("From: ann@customer.example\nSubject: {subject}\n\nhi\n"))?;
        }
        let (code, summary) = import(&desk, "maildir", &desk.file("Maildir"), &[])?;
        assert_eq!(code, 0, "{summary}");
        assert_eq!(summary["imported"], 2, "{summary}");
        assert_eq!(summary["left_out"], 1, "{summary}");
        let (code, summary) = import(&desk, "maildir", &desk.file("Maildir"), &["--subfolders"])?;
        assert_eq!(code, 0, "{summary}");
        assert_eq!(summary["imported"], 1, "{summary}");
        assert_eq!(summary["already"], 2, "{summary}");
        let (code, summary) = import(&desk, "eml", &desk.file("mails"), &[])?;
        assert_eq!(code, 0, "{summary}");
        assert_eq!(summary["imported"], 1, "{summary}");
        desk.decided(4)?;
        let tickets = desk.list(&["ticket", "list"])?;
        let subjects: Vec<&str> = tickets.iter().filter_map(|ticket| ticket["subject"].as_str()).collect();
        ensure!(subjects == ["first", "second", "list", "eml"], "{subjects:?}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_imported_is_told() -> Result<()> {
    let desk = Desk::configure(testkit::database::sqlite(), &DeskOptions::default())?;
    desk.create_account()?;
    let source = write(&desk, "a.eml", "Subject: x\n\nhi\n")?.display().to_string();
    for (line, want) in [
        (vec!["import", "mbox", &source, "--rcpt", SUPPORT], "does not begin with"),
        (vec!["import", "maildir", "/nowhere", "--rcpt", SUPPORT], "neither cur nor new"),
        (
            vec!["import", "eml", &source, "--rcpt", "ghost@acme.desk.example"],
            "guichet address add ghost@acme.desk.example",
        ),
        (vec!["import", "eml", &source, "--rcpt", "ghost"], "is not an e-mail address"),
        (vec!["import", "eml", &source, "--rcpt", SUPPORT, "--subfolders"], "--subfolders is for a Maildir"),
    ] {
        let (code, said) = desk.feed(&line, b"")?;
        assert_eq!(code, 1, "{line:?} ended with {code}: {said}");
        assert!(said.contains(want), "{line:?} ended with {code}: {said}");
    }
    let notes = write(&desk, "notes.md", "title: Notes\ncolour: red\n\nFrom: nobody\n")?;
    let (code, summary) = import(&desk, "eml", &notes, &[])?;
    assert_eq!(code, 3, "{code}: {summary}");
    assert_eq!(summary["imported"], 0, "{code}: {summary}");
    assert_eq!(summary["skipped"], 1, "{code}: {summary}");
    let reason = &summary["problems"][0]["reason"];
    ensure!(reason.as_str().is_some_and(|reason| reason.contains("none of From, To, Date")), "{summary}");
    assert_eq!(desk.list(&["ledger", "list"])?, Vec::<Value>::new());
    Ok(())
}

/// So many that an import has to wait for the desk, and is killed before its end.
const MANY: usize = 4_000;

#[test]
fn an_import_that_is_killed_and_run_again_takes_each_mail_once() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &DeskOptions::default())?;
        let mails = (0..MANY).map(|number| {
            format!(
                "From - Mon Mar  5 10:00:00 2018\nFrom: ann{}@customer.example\nSubject: {number}\n\n{}\n\n",
                number % 50,
                "words ".repeat(200)
            )
        });
        let source = write(&desk, "many.mbox", &mails.collect::<String>())?.display().to_string();
        let line = ["import", "mbox", &source, "--rcpt", SUPPORT];
        let accepted = || -> Result<usize> { Ok(desk.list(&["ledger", "list"])?.len()) };
        // Killed as soon as it has taken something more, then asked to stop, then left to finish.
        let mut killed = 0;
        for how in ["KILL", "KILL", "INT"] {
            let before = accepted()?;
            let mut child = desk.start(&line)?;
            until("more mails are in, or all", WITHIN, || {
                Ok((child.try_wait()?.is_some() || accepted()? > before).then_some(()))
            })?;
            if child.try_wait()?.is_none() {
                let _ = signal(child.id(), how);
            }
            let status = child.wait()?;
            killed += usize::from(status.code() != Some(0));
            ensure!(how == "KILL" || matches!(status.code(), Some(0 | 130)), "{how}: {status}");
        }
        ensure!(killed > 0, "no run was killed on its way");
        let (code, said) = desk.feed(&line, b"")?;
        ensure!(code == 0, "{said}");
        let rows = desk.decided(MANY)?;
        ensure!(rows.iter().all(|row| row["outcome"] == "new_ticket"), "another outcome than a ticket");
        let tickets = desk.list(&["ticket", "list"])?;
        let subjects: BTreeSet<String> = tickets.iter().map(|ticket| ticket["subject"].to_string()).collect();
        ensure!(
            (tickets.len(), subjects.len()) == (MANY, MANY),
            "{} tickets, {} subjects",
            tickets.len(),
            subjects.len()
        );
    }
    Ok(())
}
