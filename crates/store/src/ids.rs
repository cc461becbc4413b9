//! Ids from counter blocks: known before any insert, small, unique over all nodes.

use std::sync::Mutex;

use crate::error::Result;
use crate::sql::Sql as _;
use crate::{Store, Tx, values};

/// Ids taken from the database at once. A process that stops leaves the rest of its block unused.
const BLOCK: i64 = 65_536;

/// Runs kept at most; beyond that the shortest are given up.
const RUNS_MAX: usize = 64;

/// What this process has left: of the blocks it took, and of runs that came back.
#[derive(Debug, Default)]
pub(crate) struct IdBlocks {
    runs: Mutex<Vec<Ids>>,
}

/// A run of ids that belongs to its holder alone.
#[derive(Debug)]
pub struct Ids {
    next: i64,
    end: i64,
}

impl Ids {
    /// The next id, or none when the run is used up: the taker asked for too few, which is a defect of ours.
    #[expect(clippy::should_implement_trait, reason = "an iterator would hide that running out is a defect")]
    pub fn next(&mut self) -> Result<i64> {
        if self.next == self.end {
            return Err(crate::StoreError::Statement("more ids used than were reserved".into()));
        }
        self.next += 1;
        Ok(self.next - 1)
    }

    /// The first `count` of them as a run of its own.
    fn split_off(&mut self, count: usize) -> Ids {
        let end = i64::try_from(count).map_or(self.end, |count| self.end.min(self.next + count));
        let taken = Ids { next: self.next, end };
        self.next = end;
        taken
    }

    /// How many are left.
    #[must_use]
    pub fn left(&self) -> i64 {
        self.end - self.next
    }

    /// Whether this many are left.
    #[must_use]
    pub fn has(&self, count: usize) -> bool {
        i64::try_from(count).is_ok_and(|count| count <= self.left())
    }

    /// The same run once more, for a closure that is run again. A run that turns out too short must not be topped up in the
    /// transaction: the counter is one row for all accounts and nodes, and would be locked until the commit.
    #[must_use]
    pub fn again(&self) -> Ids {
        Ids { next: self.next, end: self.end }
    }

    /// A run for tests and for callers that have their own.
    #[must_use]
    pub fn starting_at(next: i64, count: i64) -> Ids {
        Ids { next, end: next + count }
    }
}

impl Store {
    /// Takes `count` ids, from memory when the open block has them, else from the database.
    ///
    /// # Errors
    /// [`crate::StoreError::Unavailable`] when a block is needed and the database is away.
    pub async fn ids(&self, count: usize) -> Result<Ids> {
        if let Some(ids) = self.take_open(count) {
            return Ok(ids);
        }
        let wanted = block_for(count);
        let first = self.write(move |tx| take_block(tx, wanted)).await?;
        Ok(self.keep(first, wanted, count))
    }

    /// [`Store::ids`] for threads outside a runtime.
    ///
    /// # Errors
    /// As [`Store::ids`].
    pub fn ids_blocking(&self, count: usize) -> Result<Ids> {
        if let Some(ids) = self.take_open(count) {
            return Ok(ids);
        }
        let wanted = block_for(count);
        let first = self.write_blocking(move |tx| take_block(tx, wanted))?;
        Ok(self.keep(first, wanted, count))
    }

    /// Gives back what was reserved and not used.
    pub fn give_back(&self, rest: Ids) {
        let mut runs = self.inner.ids.runs.lock().expect("plain arithmetic");
        if rest.left() > 0 {
            runs.push(rest);
        }
        if runs.len() > RUNS_MAX {
            let shortest = (0..runs.len()).min_by_key(|at| runs.get(*at).map(Ids::left));
            shortest.map(|at| runs.swap_remove(at));
        }
    }

    fn take_open(&self, count: usize) -> Option<Ids> {
        let mut runs = self.inner.ids.runs.lock().expect("plain arithmetic");
        // The shortest that does: long ones are for batches.
        let fitting = (0..runs.len()).filter(|at| runs.get(*at).is_some_and(|run| run.has(count)));
        let at = fitting.min_by_key(|at| runs.get(*at).map(Ids::left))?;
        let run = runs.get_mut(at)?;
        let taken = run.split_off(count);
        if run.left() == 0 {
            runs.swap_remove(at);
        }
        Some(taken)
    }

    fn keep(&self, first: i64, taken: i64, count: usize) -> Ids {
        let mut block = Ids { next: first, end: first + taken };
        let ids = block.split_off(count);
        self.give_back(block);
        ids
    }
}

fn block_for(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX / 2).max(BLOCK)
}

fn take_block(tx: &mut Tx<'_>, count: i64) -> Result<i64> {
    let sql = "INSERT INTO id_blocks (name, next_id) VALUES ('id', $1)
               ON CONFLICT (name) DO UPDATE SET next_id = id_blocks.next_id + excluded.next_id
               RETURNING next_id";
    let end = tx.find(sql, &values![count])?.map_or(Ok(0), |mut row| row.int())?;
    Ok(end - count + 1)
}
