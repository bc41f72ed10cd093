//! The stable hash functions behind every placement: same input, same number, on every platform.
//!
//! | function | what for | source |
//! | --- | --- | --- |
//! | [`xxh3_64`] | bytes to a number: the hash of a [`Key`](super::Key) | Collet: XXH3 (2020) |
//! | [`fnv1a_64`], [`xxh64`] | bytes to a number, where others chose them | Fowler, Noll, Vo: RFC 9923; Collet |
//! | [`siphash_2_4`] | bytes and a secret to a number: against names chosen with intent | Aumasson, Bernstein (2012) |
//! | [`mix`] | one number to a well mixed one | Steele, Lea, Flood: `SplitMix64` (2014), Stafford's variant 13 |
//! | [`fold`] | two well mixed numbers to one | the 64 x 64 → 128 multiplication of wyhash and mum-hash |
//! | [`Draw`] | further numbers from one key | [`mix`], or whatever another program does |
//!
//! FNV-1a is simple and known everywhere, but it does not avalanche: names that differ in their last
//! bytes differ little in the top bits. So nothing here decides by its result before [`mix`].
//! None but SipHash withstands an adversary who chooses the names; they spread honest ones.
//!
//! The `Hash` trait of the standard library never decides a placement: what it feeds to a hasher, and
//! what the default hasher makes of it, may change with a release of the compiler.

/// XXH3 with 64 bits and seed 0: the fastest here, and well mixed. Source: xxHash 0.8's specification.
///
/// ```
/// use tenure::placement::hash::xxh3_64;
/// assert_eq!(xxh3_64(b""), 0x2d06_8005_38d3_94c2);
/// ```
#[must_use]
#[inline]
pub fn xxh3_64(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// XXH64 with seed 0, the hash of Thanos and of kubernetes-controller-sharding. Source: xxHash's
/// specification.
///
/// ```
/// use tenure::placement::hash::xxh64;
/// assert_eq!(xxh64(b""), 0xef46_db37_51d8_e999);
/// ```
#[must_use]
#[inline]
pub fn xxh64(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh64::xxh64(bytes, 0)
}

/// SipHash-2-4 with 64 bits of result: who does not know the `secret` cannot choose names that all
/// fall to one member. All replicas need the same secret. About four times as slow as [`xxh3_64`].
///
/// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; the secret's halves are
/// the paper's k0 and k1.
///
/// ```
/// use tenure::placement::hash::siphash_2_4;
/// // The paper's appendix A.
/// let secret = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
/// let message: Vec<u8> = (0..15).collect();
/// assert_eq!(siphash_2_4(secret, &message), 0xa129_ca61_49be_45e5);
/// ```
#[must_use]
pub fn siphash_2_4(secret: [u64; 2], bytes: &[u8]) -> u64 {
    let [k0, k1] = secret;
    siphasher::sip::SipHasher24::new_with_keys(k0, k1).hash(bytes)
}

/// FNV-1a with 64 bits, the hash of Kubernetes' `shardSelector` and of kube-state-metrics.
///
/// One multiplication a byte. Source: RFC 9923 (its test values are this function's).
///
/// ```
/// use tenure::placement::hash::fnv1a_64;
/// assert_eq!(fnv1a_64(b""), 0xcbf2_9ce4_8422_2325);
/// assert_eq!(fnv1a_64(b"foobar"), 0x8594_4171_f739_67e8);
/// ```
#[must_use]
pub const fn fnv1a_64(bytes: &[u8]) -> u64 {
    fnv1a_64_continue(0xcbf2_9ce4_8422_2325, bytes)
}

/// FNV-1a of what was hashed into `hash` before, followed by `bytes`.
pub(super) const fn fnv1a_64_continue(mut hash: u64, mut bytes: &[u8]) -> u64 {
    while let [first, rest @ ..] = bytes {
        hash = (hash ^ *first as u64).wrapping_mul(0x0000_0100_0000_01b3);
        bytes = rest;
    }
    hash
}

/// Mixes 64 bits: each bit of `value` sways each bit of the result. Different values have different
/// results.
///
/// It is the first output of `SplitMix64` with the seed `value`: two multiplications. The constant that
/// is added first keeps 0, a likely key, from being mixed to 0, which [`fold`] could not tell from
/// anything.
///
/// ```
/// use tenure::placement::hash::mix;
/// assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
/// assert_eq!(mix(1), 0x910a_2dec_8902_5cc1);
/// ```
#[must_use]
pub const fn mix(value: u64) -> u64 {
    let z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Makes one number of two: the halves of their 128-bit product, exclusive-or.
///
/// One multiplication, and as good as its arguments: both must be well mixed (see [`mix`]), for 0
/// gives 0 with anything and small numbers give small ones. It does not matter which is `a`.
///
/// ```
/// use tenure::placement::hash::{fold, mix};
/// assert_eq!(fold(mix(1), mix(2)), fold(mix(2), mix(1)));
/// assert_eq!(fold(u64::MAX, u64::MAX), 0xffff_ffff_ffff_ffff);
/// ```
#[must_use]
pub const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are what is wanted")]
    let (high, low) = ((product >> 64) as u64, product as u64);
    high ^ low
}

/// Draws further numbers from a key, for algorithms that need more than one. [`Mixed`] unless an
/// algorithm must place keys as another program does, which draws them in another way.
///
/// ```
/// use tenure::placement::hash::{Draw, Mixed, mix};
///
/// /// As some other program draws them.
/// enum Other {}
/// impl Draw for Other {
///     fn draw(key: u64, seed: u64) -> u64 {
///         (key ^ seed).wrapping_mul(0x2545_f491_4f6c_dd1d)
///     }
/// }
/// assert_eq!(Other::draw(0, 7), 7_u64.wrapping_mul(0x2545_f491_4f6c_dd1d));
/// assert_eq!(Mixed::draw(7, 0), mix(7));
/// ```
pub trait Draw {
    /// A well mixed number that depends on both. What an algorithm takes as the `seed` is in its
    /// documentation.
    #[must_use]
    fn draw(key: u64, seed: u64) -> u64;
}

/// Draws by [`mix`]: three multiplications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mixed {}

impl Draw for Mixed {
    #[inline]
    fn draw(key: u64, seed: u64) -> u64 {
        // Small seeds and keys in sequence must not meet: so far apart are no two keys by design.
        mix(key ^ seed.wrapping_mul(0xd6e8_feb8_6659_fd93))
    }
}

/// The hash of a text that stands beside others: its length, eight bytes little-endian, goes first,
/// so that it neither runs into what follows nor equals the hash of a [`Key`](super::Key) with the
/// same text.
pub(super) const fn prefixed(text: &str) -> u64 {
    let length = fnv1a_64(&(text.len() as u64).to_le_bytes());
    mix(fnv1a_64_continue(length, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::format;
    use alloc::vec::Vec;

    use super::{fnv1a_64, fold, mix, prefixed};

    /// RFC 9923, and the vectors that come with the reference code.
    #[test]
    fn fnv_is_the_published_one() {
        assert_eq!(fnv1a_64(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a_64(b"b"), 0xaf63_df4c_8601_f1a5);
        assert_eq!(fnv1a_64(b"foo"), 0xdcb2_7518_fed9_d577);
        assert_eq!(fnv1a_64(b"chongo was here!\n"), 0x4681_0940_eff5_f915);
    }

    /// Second and third output for the seed 0, as published with `SplitMix64`.
    #[test]
    fn mix_is_splitmix64() {
        let gamma = 0x9e37_79b9_7f4a_7c15_u64;
        assert_eq!(mix(gamma), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(mix(gamma.wrapping_mul(2)), 0x06c4_5d18_8009_454f);
    }

    /// Each of the 64 x 64 pairs of an input and an output bit: turned one turns the other in about
    /// half the cases. With 4,096 values, some pairs of which count twice, the standard deviation is
    /// 45 at most; six of them are allowed.
    #[test]
    fn mix_avalanches() {
        for input in 0..64 {
            let mut turned = [0_u32; 64];
            for value in 0..4096_u64 {
                let difference = mix(value) ^ mix(value ^ (1 << input));
                for (output, count) in turned.iter_mut().enumerate() {
                    *count += u32::from(difference >> output & 1 == 1);
                }
            }
            for count in turned {
                assert!(count.abs_diff(2048) <= 272, "bit {input}: {count} of 4096");
            }
        }
    }

    /// `team-a0` to `team-z9`: FNV-1a puts all 260 into one sixteenth, by the top bits; mixed, they
    /// fall into all sixteen.
    #[test]
    fn fnv_alone_does_not_reach_the_top() {
        let names = ('a'..='z').flat_map(|x| (0..10).map(move |y| format!("team-{x}{y}")));
        let hashes: Vec<_> = names.map(|name| fnv1a_64(name.as_bytes())).collect();
        let sixteenths: BTreeSet<_> = hashes.iter().map(|hash| hash >> 60).collect();
        assert_eq!(sixteenths.len(), 1);
        let sixteenths: BTreeSet<_> = hashes.iter().map(|hash| mix(*hash) >> 60).collect();
        assert_eq!(sixteenths.len(), 16);
    }

    #[test]
    fn fold_is_the_product_folded() {
        assert_eq!(fold(1 << 63, 6), 3);
        assert_eq!(fold((1 << 63) + 1, 6), 3 ^ 6);
        assert_eq!(fold(0, mix(7)), 0);
    }

    #[test]
    fn a_length_goes_first() {
        assert_eq!(prefixed("ab"), mix(fnv1a_64(b"\x02\0\0\0\0\0\0\0ab")));
        assert_ne!(prefixed("ab"), mix(fnv1a_64(b"ab")));
    }
}
