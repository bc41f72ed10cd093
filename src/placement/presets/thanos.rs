//! The hash ring of Thanos' receivers, which it calls ketama: where a time series is written, with
//! replicas across availability zones.
//!
//! Source: thanos-io/thanos, `pkg/receive/hashring.go` at e103a81b (`newKetamaHashring`,
//! `calculateSectionReplicas`).

use alloc::format;
use alloc::vec::Vec;

use super::Unmixed;
use crate::placement::hash::xxh64;
use crate::placement::{Key, Member, Members, Placement, Ring, RingError};

/// How many points an endpoint has.
///
/// ```
/// assert_eq!(tenure::placement::presets::thanos::SECTIONS, 1000);
/// ```
pub const SECTIONS: u32 = 1000;

/// The ring: each member, named by its address, has [`SECTIONS`] points, the [`xxh64`] of
/// `address:i` for i from 1. Weights are ignored. A key is the hash of tenant and labels
/// ([`Key::from_hash`]), as it is.
///
/// # Errors
/// There would be more than 2²⁶ points.
///
/// ```
/// use tenure::placement::presets::thanos;
/// use tenure::placement::{Key, Member, Members};
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// let endpoint = |i, zone: &str| Member::new(format!("receive-{i}:10901")).in_zone(zone);
/// let endpoints = [endpoint(0, "a"), endpoint(1, "b"), endpoint(2, "a"), endpoint(3, "b")];
/// let ring = thanos::ring(Members::new(endpoints)?)?;
/// let replicas = thanos::replicas(&ring, Key::from_hash(7960286522194355700), 2);
/// assert_ne!(replicas[0].zone(), replicas[1].zone());
/// # Ok(())
/// # }
/// ```
pub fn ring(members: Members) -> Result<Ring<Unmixed, false>, RingError> {
    Ring::drawn(members, |member| {
        let section = |i| xxh64(format!("{}:{i}", member.name()).as_bytes());
        (1..=SECTIONS).map(section).collect::<Vec<_>>()
    })
}

/// The members that hold `count` replicas of what has this key, the owner first: upwards from the key,
/// those that are different, of which none joins a zone that has more replicas than another zone.
/// Members in no zone are in one together.
///
/// There are fewer than `count` if a zone is used up, for then no other may have more than one more; and
/// if there are not so many members. Thanos does not start with too few endpoints, but with too few in
/// a zone it searches for ever: with one endpoint in zone a and three in zone b, for four replicas.
///
/// O(p count) for p points passed, at most `count` times the ring.
#[must_use]
pub fn replicas(ring: &Ring<Unmixed, false>, key: Key, count: usize) -> Vec<&Member> {
    let members = ring.members();
    let mut zones: Vec<_> = members.iter().map(|member| (member.zone(), 0)).collect();
    zones.sort_unstable();
    zones.dedup();
    let mut replicas = Vec::with_capacity(count.min(members.len()));
    // Who was passed because its zone was full is met again on the next turn.
    let mut turn = ring.owners(key.as_u64());
    let mut added = false;
    while replicas.len() < count.min(members.len()) {
        let Some(position) = turn.next() else {
            if !added {
                break;
            }
            (turn, added) = (ring.owners(key.as_u64()), false);
            continue;
        };
        let Some(member) = members.get(position) else { continue };
        let least = zones.iter().map(|(_, used)| *used).min().unwrap_or(0);
        let Some((_, used)) = zones.iter_mut().find(|(zone, _)| *zone == member.zone()) else {
            continue;
        };
        if *used <= least && !replicas.contains(&member) {
            replicas.push(member);
            *used += 1;
            added = true;
        }
    }
    replicas
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::{Key, Member, Members, Ring, replicas, ring};
    use crate::placement::Ranking;

    /// Where Thanos would search for ever.
    #[test]
    fn a_zone_that_is_used_up_ends_the_search() {
        let endpoint =
            |i: u32| Member::new(format!("e{i}")).in_zone(if i == 0 { "a" } else { "b" });
        let ring = ring(Members::new((0..4).map(endpoint)).unwrap()).unwrap();
        for key in (0..200).map(|i| Key::from_hash(u64::MAX / 200 * i)) {
            let all = replicas(&ring, key, 4);
            let in_b = all.iter().filter(|member| member.zone() == Some("b")).count();
            assert_eq!((all.len(), in_b), (3, 2), "no third in b before a has two");
        }
        let none = super::ring(Members::default()).unwrap();
        assert!(replicas(&none, Key::from_hash(1), 3).is_empty());
    }

    /// Thanos goes on around the circle. With [`super::SECTIONS`] of each one turn finds all that can be
    /// found; with one, x and y are passed while zone a has none, and on the next turn y comes first.
    #[test]
    fn the_second_turn_begins_at_the_key_as_well() {
        let of = |name: &str| match name {
            "x" => 10,
            "a" => 12,
            "z" => 20,
            _ => 30,
        };
        let member = |name| Member::new(name).in_zone(if name == "a" { "a" } else { "b" });
        let members = Members::new(["a", "x", "y", "z"].map(member)).unwrap();
        let ring = Ring::drawn(members, |member| [of(member.name())]).unwrap();
        let all = replicas(&ring, Key::from_hash(15), 4);
        assert!(all.iter().map(|member| member.name()).eq(["z", "a", "y"]), "{all:?}");
    }

    #[test]
    fn in_one_zone_replicas_are_the_ranking_and_more_of_them_only_grow() {
        let lone = ring(Members::new(["e1", "e2", "e3", "e4"]).unwrap()).unwrap();
        let endpoint = |i: u32| Member::new(format!("e{i}")).in_zone(format!("z{}", i % 3));
        let zoned = ring(Members::new((0..9).map(endpoint)).unwrap()).unwrap();
        for key in (0..200).map(|i| Key::from_hash(u64::MAX / 200 * i)) {
            assert_eq!(replicas(&lone, key, 9), lone.rank(key));
            let all = replicas(&zoned, key, 9);
            assert_eq!(all.len(), 9);
            for count in 0..9 {
                assert_eq!(replicas(&zoned, key, count), all[..count]);
            }
        }
    }
}
