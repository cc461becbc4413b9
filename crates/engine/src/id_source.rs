//! Ids from a run that was taken before the transaction, and chance from the operating system, as the desk takes them.

use desk::id_source::IdSource;
use rand::Rng as _;
use store::ids::Ids;

/// Gives the ids of a run, each once, as they are needed.
///
/// A run that is used up says so in the end instead of failing in the middle of a decision: nothing of that decision is
/// written, and it is taken again with a longer run.
#[derive(Debug)]
pub(crate) struct BatchIds {
    ids: Ids,
    ran_out: bool,
}

impl BatchIds {
    pub(crate) fn new(ids: Ids) -> BatchIds {
        BatchIds { ids, ran_out: false }
    }

    /// Whether more ids were requested than available.
    pub(crate) fn ran_out(&self) -> bool {
        self.ran_out
    }

    /// What was not taken.
    pub(crate) fn rest(self) -> Ids {
        self.ids
    }
}

impl IdSource for BatchIds {
    fn id(&mut self) -> i64 {
        // 0 is nobody's id, and is never written.
        self.ids.next().unwrap_or_else(|_| {
            self.ran_out = true;
            0
        })
    }

    fn random(&mut self) -> u64 {
        rand::rng().next_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_is_used_up_is_told_in_the_end() {
        let mut ids = BatchIds::new(Ids::starting_at(7, 2));
        assert_eq!([ids.id(), ids.id()], [7, 8]);
        assert!(!ids.ran_out());
        assert_eq!(ids.id(), 0);
        assert!(ids.ran_out());
    }
}
