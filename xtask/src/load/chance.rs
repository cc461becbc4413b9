//! Repeatable chance: one small generator, so that the seed printed by a failed run repeats that run.
//!
//! SplitMix64 is written out here because the streams of general random crates may change between their versions,
//! and a sample that changes under a benchmark makes its older figures worthless.

/// A seeded stream of pseudo-random numbers (SplitMix64); never for secrets.
#[derive(Debug, Clone)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// Starts the stream that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included; `low` when the range is empty.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        let width = high.saturating_sub(low).saturating_add(1);
        // The bias of a plain remainder is below 2⁻⁴⁰ for the small ranges asked here.
        low.saturating_add(self.bits() % width)
    }

    /// An index below `length`; 0 when `length` is 0.
    pub fn index(&mut self, length: usize) -> usize {
        let last = u64::try_from(length.saturating_sub(1)).unwrap_or(u64::MAX);
        usize::try_from(self.between(0, last)).unwrap_or(0)
    }

    /// One entry of `list`, or the empty text when the list is empty.
    pub fn word<'list>(&mut self, list: &[&'list str]) -> &'list str {
        list.get(self.index(list.len())).copied().unwrap_or("")
    }

    /// True `parts` times out of `of`.
    pub fn odds(&mut self, parts: u64, of: u64) -> bool {
        self.between(1, of) <= parts
    }

    /// `length` random bytes.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(length.saturating_add(8));
        while out.len() < length {
            out.extend_from_slice(&self.bits().to_le_bytes());
        }
        out.truncate(length);
        out
    }

    /// Puts `list` into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = self.index(last.saturating_add(1));
            list.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn same_seed_gives_same_stream() {
        let mut one = Chance::new(7);
        let mut other = Chance::new(7);
        assert_eq!(one.bytes(100), other.bytes(100));
        assert_ne!(one.bits(), Chance::new(8).bits());
    }

    #[test]
    fn ranges_keep_their_ends_and_reach_both() {
        let mut chance = Chance::new(1);
        let drawn: Vec<u64> = (0..1_000).map(|_| chance.between(3, 6)).collect();
        assert!(drawn.iter().all(|number| (3..=6).contains(number)));
        assert!((3..=6).all(|number| drawn.contains(&number)));
    }
}
