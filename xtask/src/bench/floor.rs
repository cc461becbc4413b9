//! Floors: a bare loop that writes the same mails into the same database with the same durability, and parsing alone.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rusqlite::{Connection, TransactionBehavior};
use tokio_postgres::NoTls;

use super::figures::Floor;
use crate::load::mails::Mail;
use crate::load::process;

/// Each mail is one row of one table, with `group` rows per transaction and WAL with `synchronous = FULL`: one sync per
/// transaction.
///
/// # Errors
/// When the database cannot be written.
pub(crate) fn sqlite(folder: &Path, mails: &[Mail], group: usize) -> Result<Floor> {
    let mut database =
        Connection::open(folder.join(format!("floor-{group}.db"))).context("opening the floor's database")?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.execute("CREATE TABLE mails (id INTEGER PRIMARY KEY, raw BLOB NOT NULL) STRICT", [])?;
    let begun = Instant::now();
    let cpu = process::own_cpu()?;
    for batch in mails.chunks(group.max(1)) {
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut insert = transaction.prepare_cached("INSERT INTO mails (raw) VALUES (?1)")?;
        for mail in batch {
            insert.execute([mail.raw().as_ref()])?;
        }
        drop(insert);
        transaction.commit()?;
    }
    Ok(Floor::new("sqlite", group, mails.len(), begun.elapsed(), process::own_cpu()?.saturating_sub(cpu)))
}

/// Each mail is one row of one table, with `group` rows per statement and transaction by `unnest`, and
/// `synchronous_commit = on`.
/// `server` is the postmaster's process id: the CPU time of its process tree counts.
///
/// # Errors
/// When the server does not answer.
pub(crate) fn postgres(url: &str, server: u32, mails: &[Mail], group: usize) -> Result<Floor> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(url, NoTls).await.context("connecting for the floor")?;
        let connection = tokio::spawn(connection);
        let table = format!("floor_{group}");
        client
            .batch_execute(&format!("CREATE TABLE {table} (id BIGINT PRIMARY KEY, raw BYTEA NOT NULL)"))
            .await?;
        let insert = format!("INSERT INTO {table} (id, raw) SELECT * FROM unnest($1::bigint[], $2::bytea[])");
        let insert = client.prepare(&insert).await?;
        let begun = Instant::now();
        let cpu = both(server)?;
        let mut next = 0_i64;
        for batch in mails.chunks(group.max(1)) {
            let raws: Vec<_> = batch.iter().map(Mail::raw).collect();
            let raws: Vec<&[u8]> = raws.iter().map(AsRef::as_ref).collect();
            let ids: Vec<i64> = (next..).take(raws.len()).collect();
            next = next.saturating_add(i64::try_from(raws.len())?);
            client.execute(&insert, &[&ids, &raws]).await?;
        }
        let took = begun.elapsed();
        let cpu = both(server)?.saturating_sub(cpu);
        drop(client);
        connection.await??;
        Ok(Floor::new("postgres", group, mails.len(), took, cpu))
    })
}

/// Parsing alone: `mail-parser` over every mail, with the first text body decoded, on one thread.
///
/// # Errors
/// When /proc cannot be read, or a mail of the sample cannot be parsed.
pub(crate) fn parse(mails: &[Mail]) -> Result<Floor> {
    let parser = mail_parser::MessageParser::default();
    let begun = Instant::now();
    let cpu = process::own_cpu()?;
    for mail in mails {
        let raw = mail.raw();
        let parsed = parser.parse(raw.as_ref()).context("a mail of the sample cannot be parsed")?;
        std::hint::black_box(parsed.body_text(0));
    }
    Ok(Floor::new("parse", 1, mails.len(), begun.elapsed(), process::own_cpu()?.saturating_sub(cpu)))
}

fn both(server: u32) -> Result<Duration> {
    Ok(process::own_cpu()?.saturating_add(process::tree_cpu(server)?))
}
