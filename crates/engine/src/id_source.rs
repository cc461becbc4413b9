//! Ids from a reserved run and chance from the operating system, as the desk takes them.

use rand::Rng as _;
use store::ids::Ids;

/// Gives the ids that were reserved for a batch.
#[derive(Debug)]
pub(crate) struct BatchIds {
    ids: Ids,
}

impl BatchIds {
    pub(crate) fn new(ids: Ids) -> BatchIds {
        BatchIds { ids }
    }

    /// What was not taken.
    pub(crate) fn rest(self) -> Ids {
        self.ids
    }
}

impl desk::id_source::IdSource for BatchIds {
    fn id(&mut self) -> i64 {
        self.ids.next().expect("batch::ids_needed counts every id a decision can take")
    }

    fn random(&mut self) -> u64 {
        rand::rng().next_u64()
    }
}
