//! Mutations of inputs, endless and the same in every run: a sieve for what a change breaks at once, while searching
//! for more is the fuzzer's work.

/// Octets and words at which readers turn.
const NASTY: [&[u8]; 22] = [
    b"\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"\n\n",
    b"\t",
    b" ",
    b"\x1f",
    b"\x80",
    b"\xff",
    b"\xe2\x80\xae",
    b"\"",
    b"<",
    b">",
    b"&#0;",
    b"@",
    b"--",
    b"=",
    b"=?utf-8?q?",
    b"?=",
    b">From ",
    b"\r\n.\r\n",
];

/// The longest input in octets: seeds would double now and then.
const LENGTH_MAX: usize = 16_384;

/// Endless mutations of some seeds.
pub(crate) struct Mutations<'s> {
    seeds: &'s [Vec<u8>],
    state: u64,
}

impl<'s> Mutations<'s> {
    /// The mutations of some seeds, which are not none.
    pub(crate) fn of(seeds: &'s [Vec<u8>]) -> Mutations<'s> {
        assert!(!seeds.is_empty(), "there are seeds");
        Mutations { seeds, state: 1 }
    }

    /// A number below a bound; 0 where the bound is 0. (SplitMix64.)
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (bound.max(1) as u64)).unwrap_or_default()
    }

    fn seed(&mut self) -> &'s [u8] {
        let at = self.below(self.seeds.len());
        &self.seeds[at]
    }

    /// A part of some octets, short more often than long.
    fn part<'o>(&mut self, octets: &'o [u8]) -> &'o [u8] {
        let from = self.below(octets.len() + 1);
        let length = self.below(octets.len() - from + 1);
        &octets[from..from + self.below(length + 1)]
    }

    /// Changes an input in one place.
    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        match self.below(6) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 => {
                let end = at + self.below((input.len() - at).min(16) + 1);
                input.drain(at..end);
            }
            2 => input.truncate(at),
            3 => {
                let part = self.part(&input.clone()).to_vec();
                input.splice(at..at, part);
            }
            4 => {
                let seed = self.seed();
                let part = self.part(seed);
                input.splice(at..at, part.iter().copied());
            }
            _ => {
                let word = NASTY[self.below(NASTY.len())];
                let times = 1 + self.below(4);
                input.splice(at..at, word.repeat(times));
            }
        }
    }
}

impl Iterator for Mutations<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut input = self.seed().to_vec();
        for _ in 0..=self.below(4) {
            self.change(&mut input);
        }
        input.truncate(LENGTH_MAX);
        Some(input)
    }
}
