//! What must hold for any bytes whatever: one property a function, which panics if it does not.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};

pub mod candidate;
pub mod elector;
pub mod electors;
pub mod placement;
pub mod sharders;
pub mod sharding_text;
pub mod wire;

/// `SplitMix64`, as in the core.
fn random_bytes(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let words = next() % 256;
    (0..words).flat_map(|_| next().to_le_bytes()).collect()
}

/// Random bytes of which each reaches something that those before have seldom reached.
fn random_seeds(marks: impl Fn(&[u8]) -> BTreeSet<&'static str>) -> Vec<Vec<u8>> {
    let mut counts = BTreeMap::<&str, u32>::new();
    let mut seeds = Vec::new();
    for data in (0..2_000).map(random_bytes) {
        let marks = marks(&data);
        if marks.iter().any(|mark| counts.get(mark).is_none_or(|count| *count < 4)) {
            for mark in marks {
                *counts.entry(mark).or_default() += 1;
            }
            seeds.push(data);
        }
    }
    seeds
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    /// Plays `runs` random inputs: each of `wanted` must be reached by some.
    pub(crate) fn reach(
        runs: u64,
        wanted: &[&str],
        marks: impl Fn(&[u8]) -> BTreeSet<&'static str>,
    ) {
        let mut counts = BTreeMap::<&str, u32>::new();
        for data in (0..runs).map(crate::random_bytes) {
            for mark in marks(&data) {
                *counts.entry(mark).or_default() += 1;
            }
        }
        let rare = |mark: &&&str| counts.get(**mark).is_none_or(|count| *count < 10);
        let rare: Vec<_> = wanted.iter().filter(rare).collect();
        assert!(rare.is_empty(), "{rare:?} of {counts:?}");
    }
}
