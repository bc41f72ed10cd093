//! States by their fingerprints.

use std::hash::{Hash, Hasher};

/// 128 bits that stand for a value.
pub(crate) type Digest = (u64, u64);

/// Digests a value as if each replica had the name of the one that is in its place in `names`.
pub(crate) fn digest(value: &impl Hash, names: [u8; 3]) -> Digest {
    let mut folding = Folding { lanes: SEED, names };
    value.hash(&mut folding);
    folding.lanes
}

const SEED: Digest = (0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344);

/// Two lanes of multiply and fold; the standard hasher gives 64 bits only, and not the same ones
/// for ever.
pub(crate) struct Folding {
    lanes: Digest,
    names: [u8; 3],
}

impl Folding {
    pub(crate) const fn new() -> Self {
        Self { lanes: SEED, names: [0, 1, 2] }
    }

    pub(crate) const fn word(&mut self, word: u64) {
        self.lanes.0 =
            fold(self.lanes.0 ^ word, 0x9e37_79b9_7f4a_7c15).wrapping_add(0xa409_3822_299f_31d0);
        self.lanes.1 = fold(self.lanes.1.rotate_left(23) ^ word, 0xd6e8_feb8_6659_fd93)
            .wrapping_add(0x082e_fa98_ec4e_6c89);
    }

    /// 64 bits, never 0.
    pub(crate) const fn end(&self) -> u64 {
        let both = fold(self.lanes.0 ^ self.lanes.1.rotate_left(32), 0x9e37_79b9_7f4a_7c15);
        if both == 0 { 1 } else { both }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of a product")]
const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128) * (b as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

impl Hasher for Folding {
    fn finish(&self) -> u64 {
        self.lanes.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            // A name is a letter alone, or with its incarnation: `a`, `a_1`.
            if let (true, [b @ b'a'..=b'c'] | [b @ b'a'..=b'c', b'_', _]) = (bytes.len() < 4, chunk)
                && let Some(other) = self.names.get(usize::from(b - b'a'))
            {
                word[0] = b'a' + other;
            }
            self.word(u64::from_le_bytes(word) ^ ((chunk.len() as u64) << 56));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.word(number.into());
    }

    fn write_u16(&mut self, number: u16) {
        self.word(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.word(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.word(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.word(number as u64);
    }
}

/// A set of fingerprints: 8 bytes for a place, of which three in four are taken at most.
///
/// Among 10⁸ states the chance that any two are taken for one, so that one is not explored, is
/// below 10⁻³.
pub(crate) struct Fingerprints {
    places: Vec<u64>,
    taken: usize,
}

impl Fingerprints {
    pub(crate) fn new() -> Self {
        Self { places: vec![0; 1 << 12], taken: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.taken
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<u64>()
    }

    /// True if it is new.
    pub(crate) fn insert(&mut self, fingerprint: u64) -> bool {
        if self.taken * 4 >= self.places.len() * 3 {
            self.grow();
        }
        let new = Self::place(&mut self.places, fingerprint);
        self.taken += usize::from(new);
        new
    }

    fn place(places: &mut [u64], fingerprint: u64) -> bool {
        let mask = places.len() - 1;
        // The lower bits say where; a fingerprint is well mixed.
        #[expect(clippy::cast_possible_truncation, reason = "the lower bits are enough")]
        let mut at = fingerprint as usize & mask;
        while places[at] != 0 {
            if places[at] == fingerprint {
                return false;
            }
            at = (at + 1) & mask;
        }
        places[at] = fingerprint;
        true
    }

    fn grow(&mut self) {
        let mut larger = vec![0; self.places.len() * 2];
        for fingerprint in self.places.iter().filter(|place| **place != 0) {
            Self::place(&mut larger, *fingerprint);
        }
        self.places = larger;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_knows_what_was_put_in() {
        let mut set = Fingerprints::new();
        let numbers = || (1..20_000u64).map(|n| digest(&n, [0, 1, 2]).0);
        assert!(numbers().all(|number| set.insert(number)));
        assert!(numbers().all(|number| !set.insert(number)));
        assert_eq!(set.len(), 19_999);
    }

    #[test]
    fn names_change_places_and_other_words_do_not() {
        let swapped = [1, 0, 2];
        let digest = |text: &str, names| digest(&text, names);
        assert_eq!(digest("a_1", swapped), digest("b_1", [0, 1, 2]));
        assert_eq!(digest("b", swapped), digest("a", [0, 1, 2]));
        assert_ne!(digest("a_1", swapped), digest("b_2", [0, 1, 2]));
        for other in ["c", "lock", "a-1", "tenure.dev/unclaimed", ""] {
            assert_eq!(digest(other, swapped), digest(other, [0, 1, 2]), "{other}");
        }
    }
}
