//! A mail server hands mails over through a pipe, and keeps them while the desk cannot take them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context, Result, ensure};
use e2e::{Desk, DeskOptions, Letter, NATIVE_HOST, SUPPORT, WITHIN};
use testkit::client::Client;
use testkit::database::{both, sqlite};
use testkit::server::{Postfix, PostfixOptions, as_root, run, until};

#[test]
fn a_piped_mail_is_taken_beside_a_running_desk() -> Result<()> {
    for database in both() {
        let desk = Desk::open(database, &DeskOptions::default())?;
        // As procmail pipes it.
        let piped = b"From ann@customer.example  Mon Nov  2 10:00:00 2026\nReceived: by mx.example\n\
            From: Ann <ann@customer.example>\nSubject: by pipe\n\nhi\n";
        let (code, said) = desk.feed(&["intake", "--rcpt", SUPPORT, "--json"], piped)?;
        ensure!(code == 0, "{code} {said}");
        let ticket = desk.ticket(1)?;
        assert_eq!(ticket["subject"], "by pipe", "{ticket}");
        assert_eq!(ticket["recipient"], SUPPORT, "{ticket}");
        let rows = desk.decided(1)?;
        ensure!(said.contains(&rows[0]["id"].to_string()), "{said} {rows:?}");
    }
    Ok(())
}

#[test]
fn every_end_has_the_code_that_mail_servers_know() -> Result<()> {
    let desk = Desk::configure(sqlite(), &DeskOptions { max_mail_bytes: 1_000, ..DeskOptions::default() })?;
    let mail = b"Subject: x\n\nhi\n";
    let to_support = vec!["intake", "--rcpt", SUPPORT];
    let (code, said) = desk.feed(&to_support, mail)?;
    ensure!(code == 75, "there is no desk yet: {code} {said}");
    desk.create_account()?;
    let large = [&mail[..], &[b'x'; 1_000]].concat();
    for (line, input, want) in [
        (vec!["intake"], &mail[..], 64),
        (vec!["intake", "--rcpt", SUPPORT, "--mail-from", "nobody"], mail, 64),
        (to_support.clone(), b" \n", 65),
        (to_support.clone(), b"no header, no mail", 65),
        (to_support, &large, 65),
        (vec!["intake", "--rcpt", "ghost@acme.desk.example"], mail, 67),
        (vec!["intake", "--rcpt", SUPPORT, "--rcpt", "ghost@acme.desk.example"], mail, 67),
        (vec!["intake", "--rcpt", "ghost"], mail, 67),
        (vec!["intake", "--rcpt", SUPPORT, "--set", "no.such=key"], mail, 75),
        (vec!["intake", "--rcpt", SUPPORT, "--mail-from", "MAILER-DAEMON"], mail, 0),
    ] {
        let (code, said) = desk.feed(&line, input)?;
        ensure!(code == want, "{line:?} ended with {code}: {said}");
    }
    let rows = desk.list(&["ledger", "list"])?;
    ensure!(rows.len() == 1, "only what was taken is there: {rows:?}");
    Ok(())
}

#[test]
fn postfix_keeps_a_mail_until_the_desk_can_take_it() -> Result<()> {
    let mut desk = Desk::configure(sqlite(), &DeskOptions::default())?;
    desk.create_account()?;
    // Postfix runs pipes as a user of its own, who must be able to run the program and write to the data folder.
    let mut words = desk.words(&["intake", "--mail-from", "${sender}", "--rcpt=${recipient}"])?;
    let program = desk.file("guichet");
    if fs::hard_link(&words[0], &program).is_err() {
        fs::copy(&words[0], &program)?;
    }
    words[0] = program.display().to_string();
    let open = fs::metadata(desk.data())?.permissions();
    fs::set_permissions(desk.data(), fs::Permissions::from_mode(0o000))?;
    let options =
        PostfixOptions { pipes: vec![(NATIVE_HOST.to_owned(), words)], ..PostfixOptions::default() };
    let postfix = Postfix::start(&options)?;
    let send = |subject: &str| -> Result<()> {
        let letter = Letter::new("ann@customer.example", SUPPORT, subject);
        Client::smtp(postfix.port())?
            .send(&letter.from, &letter.to, &letter.bytes())?
            .with_code(250)
            .map(drop)
    };
    let logged = |what: &str, times: usize| {
        let is_there = || Ok((postfix.log().matches(what).count() >= times).then_some(()));
        until(what, WITHIN, is_there).with_context(|| postfix.log())
    };
    send("through a pipe")?;
    logged("status=deferred", 1)?;
    fs::set_permissions(desk.data(), open)?;
    run(as_root("chown").arg("-R").arg(Postfix::pipe_user()).arg(desk.data()))?;
    // A queue run that finds the first mail while its pipe is still ending sets it aside until other mail comes.
    send("behind it")?;
    logged("status=sent", 2)?;
    desk.serve(&[])?;
    desk.decided(2)?;
    let tickets = desk.list(&["ticket", "list"])?;
    let subjects: std::collections::BTreeSet<_> =
        tickets.iter().filter_map(|ticket| ticket["subject"].as_str()).collect();
    ensure!(subjects == ["behind it", "through a pipe"].into(), "{tickets:?}");
    ensure!(tickets.iter().all(|ticket| ticket["recipient"] == SUPPORT), "{tickets:?}");
    Ok(())
}
