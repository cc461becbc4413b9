//! Space on disk.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Result;

/// Space that a folder's files take, in whole blocks; SQLite's log is first copied back into the database.
pub(crate) fn folder_size(folder: &Path) -> Result<u64> {
    let mut sum = 0_u64;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sum = sum.saturating_add(folder_size(&path)?);
        }
        if is_sqlite(&path) {
            rusqlite::Connection::open(&path)?.query_row(
                "PRAGMA wal_checkpoint(TRUNCATE)",
                [],
                |_| Ok(()),
            )?;
        }
    }
    for entry in fs::read_dir(folder)? {
        let meta = entry?.metadata()?;
        if meta.is_file() {
            // stat(2): blocks are of 512 bytes, whatever the file system's own are.
            sum = sum.saturating_add(meta.blocks().saturating_mul(512));
        }
    }
    Ok(sum)
}

/// SQLite's file format begins with these sixteen bytes.
fn is_sqlite(path: &Path) -> bool {
    let mut head = [0_u8; 16];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && &head == b"SQLite format 3\0"
}
