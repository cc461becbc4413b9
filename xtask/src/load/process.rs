//! What the kernel says about processes, read from /proc (Linux): CPU time of whole trees, memory.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// `AT_CLKTCK`: the entry of the auxiliary vector that tells the unit of CPU times.
const CLOCK_TICKS_KEY: u64 = 17;

/// One process as /proc/PID/stat describes it.
#[derive(Debug, Clone, Copy)]
struct Stat {
    parent: u32,
    /// User and system time of its own, in ticks.
    own_ticks: u64,
    /// The same, plus that of the children it has waited for.
    ticks: u64,
}

/// CPU time that a process, its living descendants, and all children they ever waited for have used so far.
///
/// # Errors
/// When the process is gone or /proc cannot be read.
pub fn tree_cpu(root: u32) -> Result<Duration> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir("/proc").context("reading /proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A process may end while the list is read; then its parent has its time.
        if let Some(stat) = stat(pid) {
            all.insert(pid, stat);
        }
    }
    all.get(&root).with_context(|| format!("process {root} is gone"))?;
    let ticks: u64 = all
        .keys()
        .filter(|pid| descends(&all, **pid, root))
        .filter_map(|pid| all.get(pid))
        .map(|stat| stat.ticks)
        .sum();
    Ok(duration(ticks))
}

fn duration(ticks: u64) -> Duration {
    Duration::from_secs_f64(to_f64(ticks) / to_f64(ticks_per_second()))
}

/// CPU time of this very process, without its children: servers that it started are counted by [`tree_cpu`].
///
/// # Errors
/// When /proc cannot be read.
pub fn own_cpu() -> Result<Duration> {
    let stat = stat(std::process::id()).context("reading /proc/self/stat")?;
    Ok(duration(stat.own_ticks))
}

/// The parent of a process.
///
/// # Errors
/// When the process is gone.
pub fn parent(pid: u32) -> Result<u32> {
    stat(pid).map(|stat| stat.parent).with_context(|| format!("process {pid} is gone"))
}

/// Resident memory of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Now, in bytes.
    pub resident_bytes: u64,
    /// The most since it started, in bytes.
    pub peak_bytes: u64,
}

/// Reads the memory of a process.
///
/// # Errors
/// When the process is gone.
pub fn memory(pid: u32) -> Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("process {pid} is gone"))?;
    let bytes = |key: &str| -> Result<u64> {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .with_context(|| format!("no {key} of {pid}"))?;
        let kilobytes: u64 = line.split_whitespace().next().unwrap_or_default().parse()?;
        Ok(kilobytes.saturating_mul(1_024))
    };
    Ok(Memory { resident_bytes: bytes("VmRSS:")?, peak_bytes: bytes("VmHWM:")? })
}

fn descends(all: &BTreeMap<u32, Stat>, pid: u32, root: u32) -> bool {
    let mut current = pid;
    // A chain of parents ends at 0; the bound guards against a list that was torn while it was read.
    for _ in 0..64 {
        if current == root {
            return true;
        }
        match all.get(&current) {
            Some(stat) if stat.parent != 0 => current = stat.parent,
            _ => return false,
        }
    }
    false
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, so fields are counted from its end.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |place: usize| fields.get(place).and_then(|field| field.parse::<u64>().ok());
    // proc(5): fields 4 (ppid), 14 to 17 (utime, stime, cutime, cstime); the list here begins with field 3.
    let sum = |places: &[usize]| places.iter().copied().filter_map(number).sum();
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        own_ticks: sum(&[11, 12]),
        ticks: sum(&[11, 12, 13, 14]),
    })
}

fn ticks_per_second() -> u64 {
    let words: Vec<u64> = fs::read("/proc/self/auxv")
        .unwrap_or_default()
        .chunks_exact(8)
        .filter_map(|word| Some(u64::from_ne_bytes(word.try_into().ok()?)))
        .collect();
    let pairs = words.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)));
    // 100 is what every Linux has said since 2.6.
    pairs.into_iter().find(|(key, _)| *key == CLOCK_TICKS_KEY).map_or(100, |(_, value)| value)
}

#[expect(clippy::cast_precision_loss, reason = "ticks stay far below 2⁵²")]
fn to_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::{memory, own_cpu, parent, ticks_per_second, tree_cpu};
    use std::process::Command;

    #[test]
    fn time_of_waited_for_children_counts_for_the_tree() {
        let before = tree_cpu(std::process::id()).expect("our own time");
        let status =
            Command::new("sh").args(["-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"]).status();
        assert!(status.expect("a shell").success());
        let after = tree_cpu(std::process::id()).expect("our own time");
        assert!(after > before);
        assert!(after > own_cpu().expect("without children"));
    }

    #[test]
    fn this_process_has_a_parent_and_memory() {
        let pid = std::process::id();
        let memory = memory(pid).expect("ours");
        assert!(memory.peak_bytes >= memory.resident_bytes && memory.resident_bytes > 100_000);
        let own = own_cpu().expect("ours");
        let tree = tree_cpu(parent(pid).expect("somebody started us")).expect("the parent lives");
        assert!(tree >= own);
        assert!(ticks_per_second() >= 100);
    }
}
