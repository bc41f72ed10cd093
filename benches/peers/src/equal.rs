//! Equal terms: what peers may be given in place of their own hashers.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use rand_core_05::{Error, RngCore, impls};
use rendezvous_hash::NodeHasher;
use tenure::placement::hash::{Draw, fold, mix, xxh3_64};

/// For crates that take a [`BuildHasher`](std::hash::BuildHasher).
pub type BuildMix = BuildHasherDefault<Mix>;

/// A number costs one [`mix`], bytes cost one [`xxh3_64`]: what a key costs in ours.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mix(u64);

impl Hasher for Mix {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= xxh3_64(bytes);
    }

    /// The end of a text, after its bytes: nothing to hash.
    #[inline]
    fn write_u8(&mut self, _: u8) {}

    #[inline]
    fn write_u16(&mut self, number: u16) {
        self.write_u64(u64::from(number));
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = mix(self.0 ^ number);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

/// The hash of `value` by [`Mix`].
#[inline]
pub fn mixed(value: &impl Hash) -> u64 {
    let mut hasher = Mix::default();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The score of ours for `rendezvous_hash`: its nodes are hashes of names.
#[derive(Debug, Clone, Copy)]
pub struct Fold;

impl NodeHasher<u64> for Fold {
    #[inline]
    fn hash<T: Hash>(&self, node: &u64, item: &T) -> u64 {
        fold(mixed(item), *node)
    }
}

/// `SplitMix64`, seeded with the key, for `jump-back-hash`: hash4j's choice and ours.
#[derive(Debug)]
pub struct SplitMix(pub u64);

impl RngCore for SplitMix {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the low half")]
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    #[inline]
    fn next_u64(&mut self) -> u64 {
        let next = mix(self.0); // adds the constant first, as the generator does
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        next
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        impls::fill_bytes_via_next(self, bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

/// The draws of the crate `fliphash` for ours: a mixing of its own, for a bit and an attempt.
#[derive(Debug)]
pub enum FlipDraws {}

impl Draw for FlipDraws {
    #[inline]
    fn draw(key: u64, seed: u64) -> u64 {
        let (bit, attempt) = (seed & u64::from(u32::MAX), seed >> 32);
        let key = key.wrapping_mul(2 * bit + 1);
        let key = (key ^ (key >> 27)).wrapping_mul(0x3c79_ac49_2ba7_b653);
        let key = key.wrapping_mul(2 * attempt + 1);
        let key = (key ^ (key >> 33)).wrapping_mul(0x1c69_b3f7_4ac4_ae35);
        key ^ (key >> 27)
    }
}
