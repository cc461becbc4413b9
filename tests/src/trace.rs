//! Reads what `strace -ff -ttt -T -y` wrote: one file per thread, one line per system call.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// One system call of one thread.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its name, such as `fdatasync`.
    pub name: String,
    /// Arguments and result as strace shows them; descriptors carry their path.
    pub text: String,
    /// When it began, in microseconds of an unspecified clock.
    pub begun_us: u64,
    /// When it had returned.
    pub ended_us: u64,
}

/// Every call in the files `PREFIX.THREAD`, by the time at which it began. Lines that are not calls (signals, the end
/// of a thread) are left out, and so are calls that never returned.
///
/// # Errors
/// When a file cannot be read.
pub fn calls(prefix: &Path) -> Result<Vec<Call>> {
    let folder = prefix.parent().context("the prefix has a folder")?;
    let start = prefix.file_name().context("the prefix has a name")?.to_string_lossy().into_owned() + ".";
    let mut calls = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&start) {
            let text = fs::read(entry.path())?;
            calls.extend(String::from_utf8_lossy(&text).lines().filter_map(call));
        }
    }
    calls.sort_by_key(|call| call.begun_us);
    Ok(calls)
}

/// `1700000000.123456 fdatasync(9</path>) = 0 <0.000321>`
fn call(line: &str) -> Option<Call> {
    let (begun, rest) = line.split_once(' ')?;
    let (text, took) = rest.strip_suffix('>')?.rsplit_once(" <")?;
    let (name, _) = text.split_once('(')?;
    let begun_us = microseconds(begun)?;
    Some(Call {
        name: name.to_owned(),
        text: text.to_owned(),
        begun_us,
        ended_us: begun_us + microseconds(took)?,
    })
}

fn microseconds(seconds: &str) -> Option<u64> {
    let (whole, fraction) = seconds.split_once('.')?;
    Some(
        whole.parse::<u64>().ok()? * 1_000_000
            + fraction.parse::<u64>().ok().filter(|_| fraction.len() == 6)?,
    )
}

#[cfg(test)]
mod tests {
    use super::call;

    #[test]
    fn a_line_is_a_call_with_a_begin_and_an_end() {
        let call = call("1700000000.000100 fdatasync(9</tmp/x.db-wal>) = 0 <0.000321>").expect("a call");
        assert_eq!((call.name.as_str(), call.ended_us - call.begun_us), ("fdatasync", 321));
        assert!(call.text.contains("x.db-wal"));
    }

    #[test]
    fn other_lines_are_none() {
        for line in [
            "",
            "1700000000.000100 +++ exited with 0 +++",
            "1700000000.000100 --- SIGTERM {si_signo=SIGTERM} ---",
        ] {
            assert!(call(line).is_none(), "{line}");
        }
    }
}
