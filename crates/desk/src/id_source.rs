//! Ids and chance, handed in so that the desk stays pure.

use crate::id::Id;

/// Gives what a change needs and the desk cannot make itself.
pub trait IdSource {
    /// An id never given before, on any node.
    fn id(&mut self) -> i64;
    /// 64 random bits from a generator fit for secrets.
    fn random(&mut self) -> u64;
}

impl dyn IdSource + '_ {
    /// An id never given before, of whatever it is to name.
    pub fn take<T: Id>(&mut self) -> T {
        T::of(self.id())
    }
}

/// A source that counts: the same values each time, for tests.
#[derive(Debug)]
pub struct Counting {
    next: i64,
}

impl Counting {
    /// Begins at `next`.
    #[must_use]
    pub fn from(next: i64) -> Counting {
        Counting { next }
    }
}

impl IdSource for Counting {
    fn id(&mut self) -> i64 {
        self.next += 1;
        self.next - 1
    }

    fn random(&mut self) -> u64 {
        self.next += 1;
        // Spreads neighbouring counters over all bits (the multiplier of Knuth's multiplicative hash).
        (self.next as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}
