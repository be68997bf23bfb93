//! Deterministic guids that can be turned back into the id they stand for.
use super::Books;

/// The steps of splitmix64: a well-mixed number for every input.
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const HALF_BITS: u32 = 24;
const HALF_MASK: u64 = (1 << HALF_BITS) - 1;
const ROUNDS: u64 = 4;

/// A permutation of 48-bit numbers, so that neighbouring ids do not look alike and no table is needed to turn one back.
fn scramble(id: u64, key: u64) -> u64 {
    let (mut left, mut right) = ((id >> HALF_BITS) & HALF_MASK, id & HALF_MASK);
    for round in 0..ROUNDS {
        (left, right) = (right, left ^ (mix(key ^ right ^ (round << 56)) & HALF_MASK));
    }
    (left << HALF_BITS) | right
}

fn unscramble(code: u64, key: u64) -> u64 {
    let (mut left, mut right) = ((code >> HALF_BITS) & HALF_MASK, code & HALF_MASK);
    for round in (0..ROUNDS).rev() {
        (left, right) = (right ^ (mix(key ^ left ^ (round << 56)) & HALF_MASK), left);
    }
    (left << HALF_BITS) | right
}

/// The guid of number `id` of a kind of thing in the company with this seed: lower case, shaped like a version 4 guid.
pub fn guid(seed: u64, kind: &str, id: u64) -> String {
    let key = kind.bytes().fold(mix(seed), |key, byte| mix(key ^ u64::from(byte)));
    let node = scramble(id & 0xffff_ffff_ffff, key);
    let high = mix(key ^ mix(id));
    let version = 0x4000 | (high & 0x0fff);
    let variant = 0x8000 | ((high >> 12) & 0x3fff);
    let first = (high >> 26) & 0xffff_ffff;
    let second = mix(high) & 0xffff;
    format!("{first:08x}-{second:04x}-{version:04x}-{variant:04x}-{node:012x}")
}

impl Books {
    /// The guid Xero shows for number `id` of a kind of thing (`"Invoice"`, `"Account"`, ...).
    pub fn guid(&self, kind: &str, id: u64) -> String {
        guid(self.seed, kind, id)
    }

    /// The number behind a guid of this company and kind, any case; `None` for every guid that `guid` never gives. It does not say
    /// that a thing with this number exists.
    pub fn id_of_guid(&self, kind: &str, text: &str) -> Option<u64> {
        let text = text.to_ascii_lowercase();
        let node = text.get(24..36).filter(|_| text.len() == 36)?;
        let node = u64::from_str_radix(node, 16).ok()?;
        let key = kind.bytes().fold(mix(self.seed), |key, byte| mix(key ^ u64::from(byte)));
        let id = unscramble(node, key);
        (guid(self.seed, kind, id) == text).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrambling_is_undone_for_small_and_large_ids() {
        for key in [0, 7, u64::MAX] {
            for id in (0..2_000).chain([0xffff_ffff_ffff, 0x1234_5678_9abc]) {
                assert_eq!(unscramble(scramble(id, key), key), id);
            }
        }
    }
}
