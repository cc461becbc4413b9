//! 250 comes after the sync, seen from outside; a database that does not sync is refused.

use anyhow::{Context, Result, ensure};
use e2e::{Call, Desk, DeskOptions, Letter, SUPPORT, WITHIN, calls};
use testkit::client::Client;
use testkit::database::{Database, sqlite};
use testkit::server::{Folder, Postgres, PostgresOptions, until};

#[test]
fn the_write_ahead_log_is_synced_between_the_last_byte_and_250() -> Result<()> {
    let calls = trace(2_000)?;
    let (read, answer) = (last_read(&calls)?, answer(&calls)?);
    synced(&calls, read, answer, "-wal")?;
    Ok(())
}

#[test]
fn the_blob_of_a_large_mail_is_synced_before_the_row_that_names_it() -> Result<()> {
    let calls = trace(1_000_000)?;
    let (read, answer) = (last_read(&calls)?, answer(&calls)?);
    let blob = synced(&calls, read, answer, "/blobs/")?;
    let log = calls.iter().filter(|call| is_sync(call, "-wal") && call.ended_us <= answer.begun_us);
    let log = log.max_by_key(|call| call.begun_us).context("no sync of the write-ahead log before 250")?;
    ensure!(blob.ended_us <= log.begun_us, "the blob was synced after the row: {blob:?} {log:?}");
    Ok(())
}

#[test]
fn a_postgresql_that_does_not_sync_is_refused_unless_allowed() -> Result<()> {
    let server = Postgres::start(PostgresOptions { durable: false, ..PostgresOptions::default() })?;
    let database = |server: &Postgres| -> Result<Database> {
        Ok(Database { engine: "postgres", url: server.fresh_database()?, folder: Folder::new("unsafe")? })
    };
    let careful = Desk::configure(database(&server)?, &DeskOptions::default())?;
    let (status, said) = careful.serve_in_vain()?;
    ensure!(!status.success(), "{said}");
    assert!(said.contains("fsync"), "what to do is not said: {said}");
    assert!(said.contains("store.allow_unsafe"), "what to do is not said: {said}");
    let mut bold =
        Desk::configure(database(&server)?, &DeskOptions { allow_unsafe: true, ..DeskOptions::default() })?;
    bold.serve(&[])
}

/// Sends one letter with a body of `bytes` to a desk under strace and returns its system calls.
fn trace(bytes: usize) -> Result<Vec<Call>> {
    let mut desk = Desk::configure(sqlite(), &DeskOptions::default())?;
    desk.create_account()?;
    let prefix = desk.file("trace");
    let output = prefix.display().to_string();
    let traced = "read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,fsync,fdatasync";
    // -D: the program stays our child, and strace runs detached.
    let wrapper =
        ["strace", "-D", "-ff", "-ttt", "-T", "-y", "-s", "64", "-e", traced, "-o", output.as_str()];
    desk.serve(&wrapper)?;
    let letter = Letter::new("ann@customer.example", SUPPORT, "on paper").with_random_body(bytes);
    Client::smtp(desk.smtp_port())?.send(&letter.from, &letter.to, &letter.bytes())?.with_code(250)?;
    desk.decided(1)?;
    desk.terminate()?;
    desk.wait_for_end()?;
    until("strace has written the answer", WITHIN, || {
        Ok(calls(&prefix).ok().filter(|calls| answer(calls).is_ok()))
    })
}

/// The answer to the data: the first 250 after 354 on the same connection.
fn answer(calls: &[Call]) -> Result<&Call> {
    let is_write = |call: &&Call| ["write", "writev", "sendto", "sendmsg"].contains(&call.name.as_str());
    let go_ahead =
        calls.iter().filter(is_write).find(|call| call.text.contains("\"354 ")).context("no write of 354")?;
    let after = calls.iter().filter(is_write).filter(|call| call.begun_us >= go_ahead.ended_us);
    let mut here = after.filter(|call| socket(call) == socket(go_ahead));
    here.find(|call| call.text.contains("\"250 ")).context("no write of 250")
}

/// The last read before the answer that returned bytes: those with the end of the mail.
fn last_read(calls: &[Call]) -> Result<&Call> {
    let answer = answer(calls)?;
    let is_read = |call: &&Call| ["read", "readv", "recvfrom", "recvmsg"].contains(&call.name.as_str());
    let here = calls
        .iter()
        .filter(is_read)
        .filter(|call| socket(call) == socket(answer) && !call.text.contains(" = -1 "));
    here.filter(|call| call.ended_us <= answer.begun_us)
        .max_by_key(|call| call.begun_us)
        .context("no read of the mail")
}

/// The descriptor and what it is, such as `12<socket:[4711]>`.
fn socket(call: &Call) -> &str {
    call.text
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map_or("", |(descriptor, _)| descriptor)
}

fn is_sync(call: &Call, path: &str) -> bool {
    ["fsync", "fdatasync"].contains(&call.name.as_str())
        && call.text.contains(path)
        && call.text.contains("= 0")
}

/// The sync of a file with `path` in its name that began after the read and had ended before the answer.
fn synced<'a>(calls: &'a [Call], read: &Call, answer: &Call, path: &str) -> Result<&'a Call> {
    let between = |call: &&Call| call.begun_us >= read.begun_us && call.ended_us <= answer.begun_us;
    let found = calls.iter().filter(|call| is_sync(call, path)).find(between);
    found.with_context(|| format!("no finished sync of {path} between {read:?} and {answer:?}"))
}
