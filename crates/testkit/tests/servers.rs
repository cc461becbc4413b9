//! Each throw-away server starts, does its work, and leaves nothing behind.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use testkit::client::Client;
use testkit::database;
use testkit::server::{
    Dovecot, Exim, Inbound, Mailbox, Postfix, PostfixOptions, Postgres, PostgresOptions, READY_WITHIN, Route,
    as_root, msmtp, run, swaks, until,
};

const MAIL: &[u8] =
    b"From: ann@client.example\r\nTo: bob@stored.example\r\nSubject: hello\r\n\r\nHello Bob.\r\n";

#[test]
fn postgres_survives_kill_and_is_removed() -> Result<()> {
    let mut server = Postgres::start(PostgresOptions::default())?;
    let url = server.fresh_database()?;
    assert_eq!(database::query_text(&url, "SELECT current_setting('fsync')::text")?, "on");
    database::execute(&url, "CREATE TABLE kept (n BIGINT); INSERT INTO kept VALUES (7)")?;
    server.kill()?;
    assert!(!database::answers(&url));
    server.restart()?;
    assert_eq!(database::query_text(&url, "SELECT n::text FROM kept")?, "7");
    let data = server.data().to_owned();
    drop(server);
    assert!(!data.exists());
    Ok(())
}

#[test]
fn postgres_without_durability_says_so() -> Result<()> {
    let server = Postgres::start(PostgresOptions { durable: false, ..PostgresOptions::default() })?;
    assert_eq!(database::query_text(&server.url(), "SELECT current_setting('fsync')::text")?, "off");
    Ok(())
}

#[test]
fn postfix_stores_what_swaks_and_msmtp_send() -> Result<()> {
    let options = PostfixOptions {
        inbound: Inbound::StartTls,
        stored: vec!["stored.example".to_owned()],
        ..PostfixOptions::default()
    };
    let postfix = Postfix::start(&options)?;
    run(swaks(postfix.port())?.args([
        "--to",
        "bob@stored.example",
        "--from",
        "ann@client.example",
        "--tls",
    ]))?;
    let trust = &postfix.certificate().certificate;
    let sent = msmtp(postfix.port(), Some(trust), "ann@client.example", &["bob@stored.example"], MAIL)?;
    ensure!(sent.status.success(), "msmtp: {}", String::from_utf8_lossy(&sent.stderr));
    stored(&postfix, 2)?;
    let maildir = postfix.maildir();
    drop(postfix);
    assert!(!maildir.exists());
    Ok(())
}

fn stored(postfix: &Postfix, count: usize) -> Result<()> {
    until("mails are stored", READY_WITHIN, || {
        let files = run(as_root("ls").arg(postfix.maildir().join("new"))).unwrap_or_default();
        Ok((files.lines().count() == count).then_some(()))
    })
}

#[test]
fn postfix_delivers_into_dovecot_and_bounces_what_it_refuses() -> Result<()> {
    let mailbox = Mailbox { address: "bob@box.example".to_owned(), password: "secret".to_owned() };
    let dovecot = Dovecot::start(&[mailbox])?;
    let options = PostfixOptions {
        routes: vec![("box.example".to_owned(), Route::LmtpUnix(dovecot.lmtp()))],
        stored: vec!["client.example".to_owned()],
        ..PostfixOptions::default()
    };
    let postfix = Postfix::start(&options)?;
    let mut client = Client::smtp(postfix.port())?;
    client.send("ann@client.example", "bob@box.example", MAIL)?.with_code(250)?;
    until("Dovecot stores the mail", READY_WITHIN, || {
        Ok(dovecot.log().contains("saved mail to INBOX").then_some(()))
    })?;
    client.send("ann@client.example", "ghost@box.example", MAIL)?.with_code(250)?;
    stored(&postfix, 1)
}

#[test]
fn exim_delivers_by_smtp_and_lmtp() -> Result<()> {
    let mailbox = |domain: &str| Mailbox { address: format!("bob@{domain}"), password: "secret".to_owned() };
    let dovecot = Dovecot::start(&[mailbox("box.example")])?;
    let options = PostfixOptions {
        inbound: Inbound::StartTls,
        stored: vec!["stored.example".to_owned()],
        ..PostfixOptions::default()
    };
    let postfix = Postfix::start(&options)?;
    let socket: PathBuf = dovecot.lmtp();
    let exim = Exim::start(&[
        ("stored.example".to_owned(), Route::Smtp { port: postfix.port(), starttls: true }),
        ("box.example".to_owned(), Route::LmtpUnix(socket)),
    ])?;
    exim.send("ann@client.example", &["bob@stored.example", "bob@box.example"], MAIL)?;
    stored(&postfix, 1)?;
    ensure!(exim.log().matches(" Completed").count() == 1, "{}", exim.log());
    ensure!(postfix.log().contains("Anonymous TLS connection established from"), "{}", postfix.log());
    Ok(())
}
