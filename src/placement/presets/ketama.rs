//! Ketama, the ring of memcached's clients: a circle of 32-bit numbers, points from MD5.
//!
//! Three variants, which place keys differently: [`Ketama::go`] as Dryski's go-ketama and the original
//! libketama do, [`Ketama::weighted`] as libmemcached with `MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED`, and
//! [`Ketama::unweighted`] as libmemcached with `MEMCACHED_BEHAVIOR_KETAMA`, where other hashes are used
//! ([`one_at_a_time`]).
//!
//! A server's label is its name, so a member is called `host` if its port is 11211, and `host:port`
//! otherwise.
//!
//! Pitfalls: with weights the number of a server's points depends on all others (on how many there are
//! and on the sum of weights), so a server that joins moves keys between those that stay; and
//! 32 bits are few: of 1,000 servers about three points in 160,000 fall together. The programs give such
//! a point to whom their sort leaves in front; here the smaller name has it.
//!
//! Sources: dgryski/go-ketama at 8c956565 (described, not copied), libmemcached 1.1.4, `hosts.cc`.

use alloc::format;
use alloc::vec::Vec;
use core::iter;

use md5::{Digest, Md5};

use crate::placement::hash::Draw;
use crate::placement::{Key, Member, Members, Placement, Ranking, Ring, RingError};

/// A ring of memcached servers. Keys are 32-bit hashes, by [`key`] or, for
/// [`unweighted`](Self::unweighted), by [`one_at_a_time`]; of others the low half counts.
///
/// It is not [`Rationalizable`](crate::placement::Rationalizable): points depend on the whole set.
///
/// ```
/// use tenure::placement::presets::ketama::{Ketama, key};
/// use tenure::placement::{Members, Placement};
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// let servers = Ketama::weighted(Members::new(["10.0.1.1", "10.0.1.2", "10.0.1.3:11212"])?)?;
/// assert!(servers.place(key("user:7")).is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ketama {
    ring: Ring<Upper, false>,
}

impl Ketama {
    /// As go-ketama: about 160 points a server, more or less by its weight.
    ///
    /// # Errors
    /// There would be more than 2²⁶ points.
    pub fn go(members: Members) -> Result<Self, RingError> {
        Self::by_weight(members, go_digests)
    }

    /// As libmemcached with weights. Differs from [`go`](Self::go) in rounding only, so for few sets.
    ///
    /// # Errors
    /// There would be more than 2²⁶ points.
    pub fn weighted(members: Members) -> Result<Self, RingError> {
        Self::by_weight(members, libmemcached_digests)
    }

    /// As libmemcached without weights: 100 points a server, the [`one_at_a_time`] hash of its label, as
    /// for keys.
    ///
    /// # Errors
    /// There would be more than 2²⁶ points.
    ///
    /// ```
    /// use tenure::placement::presets::ketama::{Ketama, one_at_a_time};
    /// use tenure::placement::{Members, Placement};
    /// # fn main() -> Result<(), Box<dyn core::error::Error>> {
    /// let servers = Ketama::unweighted(Members::new(["10.0.1.1", "10.0.1.2"])?)?;
    /// assert!(servers.place(one_at_a_time("user:7")).is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn unweighted(members: Members) -> Result<Self, RingError> {
        let points = |member: &Member| {
            let point = |i| one_at_a_time(&format!("{}-{i}", member.name()));
            (0..100).map(|i| Upper::draw(point(i).as_u64(), 0)).collect::<Vec<_>>()
        };
        Ok(Self { ring: Ring::drawn(members, points)? })
    }

    /// Four points for each digest; `digests` says how many a member has, by its weight, the sum of all
    /// weights, and the number of members.
    fn by_weight(
        members: Members,
        digests: fn(weight: u32, total: u64, members: usize) -> u32,
    ) -> Result<Self, RingError> {
        let total = members.iter().map(|member| u64::from(member.weight().get())).sum();
        let points = members.iter().zip(0..).flat_map(|(member, position)| {
            let digest = |i| Md5::digest(format!("{}-{i}", member.name()));
            let digests = (0..digests(member.weight().get(), total, members.len())).map(digest);
            let words = digests.flat_map(|digest| iter::zip(0..4, [digest; 4]));
            words.map(move |(number, digest)| (Upper::draw(word(&digest, number), 0), position))
        });
        let points = points.collect();
        Ok(Self { ring: Ring::owned(members, points)? })
    }
}

impl Placement for Ketama {
    fn members(&self) -> &Members {
        self.ring.members()
    }

    #[inline]
    fn place(&self, key: Key) -> Option<&Member> {
        self.ring.place(key)
    }
}

/// The servers as they come upwards from the key's place; last those whose weight is too small for a
/// point.
impl Ranking for Ketama {
    fn best_into<'a>(&'a self, key: Key, k: usize, best: &mut Vec<&'a Member>) {
        self.ring.best_into(key, k, best);
    }

    fn best_across_zones_into<'a>(&'a self, key: Key, k: usize, best: &mut Vec<&'a Member>) {
        self.ring.best_across_zones_into(key, k, best);
    }
}

/// The key of a text where points are MD5's: the first four bytes of its digest, little-endian.
#[must_use]
pub fn key(text: &str) -> Key {
    Key::from_hash(word(&Md5::digest(text), 0))
}

/// The key of a text for [`Ketama::unweighted`]: Jenkins' one-at-a-time hash.
///
/// Of ASCII, that is: libmemcached takes other bytes as negative numbers where C's `char` is signed.
#[must_use]
pub fn one_at_a_time(text: &str) -> Key {
    let mut hash = text.bytes().fold(0_u32, |hash, byte| {
        let hash = hash.wrapping_add(u32::from(byte));
        let hash = hash.wrapping_add(hash << 10);
        hash ^ (hash >> 6)
    });
    hash = hash.wrapping_add(hash << 3);
    hash ^= hash >> 11;
    Key::from_hash(u64::from(hash.wrapping_add(hash << 15)))
}

/// A 32-bit number of a digest, little-endian.
fn word(digest: &[u8], number: usize) -> u64 {
    let bytes = digest.get(4 * number..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)))
}

/// The circle of 32-bit numbers on that of 64: in the same order, and spread over the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Upper {}

impl Draw for Upper {
    #[inline]
    fn draw(key: u64, _: u64) -> u64 {
        key << 32
    }
}

/// The share of the weight as a 32-bit float; that times 40 and the number of servers as 64-bit floats;
/// and the integer part of the nearest 32-bit one.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "defined by IEEE's division and multiplication, which are the same everywhere"
)]
fn go_digests(weight: u32, total: u64, members: usize) -> u32 {
    let share = weight as f32 / total as f32;
    (f64::from(share) * 40.0 * members as f64) as f32 as u32
}

/// All with 32-bit floats.
///
/// There 10⁻¹⁰ is added at last, and the sum rounded to a 32-bit float before its integer part is taken.
/// That changes nothing: from 1/2 on the nearest such float to the sum is what it was, for its
/// neighbours are 2⁻²⁵ away or more, and 10⁻¹⁰ is less than half of that; and below 1/2 the integer part
/// is 0 with it and without.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "defined by IEEE's division and multiplication, which are the same everywhere"
)]
fn libmemcached_digests(weight: u32, total: u64, members: usize) -> u32 {
    let share = weight as f32 / total as f32;
    (share * 160.0 / 4.0 * members as f32) as u32
}

#[cfg(test)]
mod tests {
    use super::{go_digests, libmemcached_digests};

    /// Shares are rounded down: ten equal servers have 40 digests, 11 have them by go-ketama's
    /// arithmetic as by libmemcached's, of weights 1, 1, 2, 4 the last has 80.
    #[test]
    fn digests_are_the_share_rounded_down() {
        for digests in [go_digests, libmemcached_digests] {
            assert_eq!([1, 2, 4].map(|weight| digests(weight, 8, 4)), [20, 40, 80]);
            assert_eq!(digests(1, 10, 10), 40);
            assert_eq!(digests(1, 1000, 2), 0);
            assert_eq!(digests(u32::MAX, u64::from(u32::MAX), 1), 40);
        }
    }
}
