//! Memory for mails that are coming in, of all doors together: each is held whole until it is durable.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What each mail may take without asking: small mail comes in however much large mail does.
pub(crate) const FREE_BYTES: u64 = 64 * 1024;

/// The memory that mails share; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct MemoryBudget {
    limit: u64,
    taken: Arc<AtomicU64>,
}

impl MemoryBudget {
    pub(crate) fn new(limit_bytes: u64) -> MemoryBudget {
        MemoryBudget { limit: limit_bytes, taken: Arc::default() }
    }

    /// A share of it that has nothing yet.
    pub(crate) fn share(&self) -> Share {
        Share { budget: self.clone(), held: 0 }
    }
}

/// What one mail has of the budget; released when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: MemoryBudget,
    held: u64,
}

impl Share {
    /// Grows the share to what a mail of this many bytes needs. False, with nothing changed, when there is no room.
    pub(crate) fn hold(&mut self, bytes: usize) -> bool {
        let wanted = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_sub(FREE_BYTES);
        let (held, limit) = (self.held, self.budget.limit);
        let grown = |taken: u64| {
            let next = taken.saturating_sub(held).saturating_add(wanted);
            (next <= limit || wanted <= held).then_some(next)
        };
        let is_held = self.budget.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).is_ok();
        if is_held {
            self.held = wanted;
        }
        is_held
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.hold(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_together_stay_within_the_room() {
        struct Case {
            name: &'static str,
            share: u8,
            bytes: usize,
            want: bool,
        }
        fn usual() -> Case {
            Case { name: "", share: 0, bytes: 0, want: true }
        }

        let free = usize::try_from(FREE_BYTES).unwrap();
        let budget = MemoryBudget::new(1_000);
        let (mut one, mut other) = (budget.share(), budget.share());
        for Case { name, share, bytes, want } in [
            Case { name: "what is free", bytes: free, ..usual() },
            Case { name: "a part", bytes: free + 600, ..usual() },
            Case { name: "up to the limit", share: 1, bytes: free + 400, ..usual() },
            Case { name: "one byte more", share: 1, bytes: free + 401, want: false },
            Case { name: "what is free of another", bytes: free + 601, want: false, ..usual() },
            Case { name: "less", bytes: free + 599, ..usual() },
            Case { name: "what was released", share: 1, bytes: free + 401, ..usual() },
            Case { name: "nothing", bytes: 0, ..usual() },
            Case { name: "all but that", bytes: free + 599, ..usual() },
        ] {
            let share = if share == 0 { &mut one } else { &mut other };
            assert_eq!(share.hold(bytes), want, "{name}");
        }
        drop(one);
        drop(other);
        assert!(budget.share().hold(free + 1_000) && !budget.share().hold(free + 1_001));
    }
}
