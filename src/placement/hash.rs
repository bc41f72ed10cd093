//! The stable hash functions behind every placement: same input, same number, on every platform.
//!
//! | function | what for | source |
//! | --- | --- | --- |
//! | [`fnv1a_64`] | bytes to a number | Fowler, Noll, Vo; RFC 9923 |
//! | [`mix`] | one number to a well mixed one | Steele, Lea, Flood: `SplitMix64` (2014), Stafford's variant 13 |
//! | [`fold`] | two well mixed numbers to one | the 64 x 64 → 128 multiplication of wyhash and mum-hash |
//!
//! FNV-1a is simple and known everywhere, but it does not avalanche: names that differ in their last
//! bytes differ little in the top bits. So nothing here decides by its result before [`mix`].
//! None of the three withstands an adversary who chooses the names; they spread honest ones.
//!
//! The `Hash` trait of the standard library never decides a placement: what it feeds to a hasher, and
//! what the default hasher makes of it, may change with a release of the compiler.

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
const fn fnv1a_64_continue(mut hash: u64, mut bytes: &[u8]) -> u64 {
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
