//! Chance from a seed: the same seed gives the same requests.

pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed ^ 0x5DEE_CE66_D1CE_F00D)
    }

    /// SplitMix64: <https://prng.di.unimi.it/splitmix64.c>.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, which is not zero.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a length is a number of 64 bits");
        usize::try_from(self.next() % end).expect("it is below a length")
    }

    /// Below `usual`, and below `rare` once in so many times.
    pub fn mostly_below(&mut self, usual: usize, many: usize, rare: usize) -> usize {
        let end = if self.one_in(many) { rare } else { usual };
        self.below(end)
    }

    pub fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    pub fn word<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}
