//! What the figures depend on: processors, file system, the price of one sync, durability settings.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use testkit::database::query_text;

use super::figures::ms;
use crate::load::sender::quantile;

/// Settings of PostgreSQL that durability depends on.
const POSTGRES: [&str; 5] =
    ["server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method"];

/// Describes machine and file system of `folder`.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn describe(folder: &Path) -> Result<Vec<(String, String)>> {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut lines = vec![
        ("processors".to_owned(), processors.to_string()),
        ("load before".to_owned(), load.split(' ').next().unwrap_or_default().to_owned()),
        ("folder".to_owned(), folder.display().to_string()),
        ("file system".to_owned(), file_system(folder)?),
        ("one fdatasync of 4 KB".to_owned(), sync_price(folder)?),
        ("sqlite".to_owned(), format!("{}, journal_mode=WAL, synchronous=FULL", rusqlite::version())),
    ];
    if lines.iter().any(|(_, value)| value.starts_with("tmpfs")) {
        lines.push((
            "beware".to_owned(),
            "nothing is durable on tmpfs; set TMPDIR to a folder on a disk".to_owned(),
        ));
    }
    Ok(lines)
}

/// The durability settings of a PostgreSQL server.
///
/// # Errors
/// When it does not answer.
pub(crate) fn describe_postgres(url: &str) -> Result<(String, String)> {
    let settings: Result<Vec<String>> = POSTGRES
        .iter()
        .map(|name| Ok(format!("{name}={}", query_text(url, &format!("SELECT current_setting('{name}')"))?)))
        .collect();
    Ok(("postgres".to_owned(), settings?.join(", ")))
}

/// Type and device of the file system that holds `folder`: the longest mount point that leads there.
fn file_system(folder: &Path) -> Result<String> {
    let folder = folder.canonicalize()?;
    let mounts = fs::read_to_string("/proc/self/mounts").context("reading the mounts")?;
    let fitting = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let device = fields.next()?;
        let point = fields.next()?;
        let kind = fields.next()?;
        let options = fields.next()?;
        folder.starts_with(point).then(|| (point.len(), format!("{kind} on {device} ({options})")))
    });
    Ok(fitting
        .max_by_key(|(length, _)| *length)
        .map(|(_, text)| text)
        .unwrap_or_else(|| "unknown".to_owned()))
}

fn sync_price(folder: &Path) -> Result<String> {
    let path = folder.join("sync-price");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    let mut waits = Vec::new();
    for _ in 0..200 {
        file.write_all(&[0x5A; 4_096])?;
        let begun = Instant::now();
        file.sync_data()?;
        waits.push(begun.elapsed());
    }
    fs::remove_file(&path)?;
    waits.sort_unstable();
    Ok(format!("p50 {:.2} ms, p99 {:.2} ms", ms(quantile(&waits, 0.5)), ms(quantile(&waits, 0.99))))
}
