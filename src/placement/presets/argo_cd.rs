//! Argo CD's three ways to shard clusters over the replicas of its application controller.
//!
//! A shard is a number from 0. Clusters that are pinned to a shard are no matter of these functions.
//!
//! Pitfall: the labels of the ring's points run into each other, for `1` + `10` is `11` + `0`. Of 20
//! shards 900 points of 20,000 fall together, and each such point goes to the greater shard
//! ([`ring`] does the same). The bounded assignment depends on all clusters and the number of their
//! applications, so a replica that knows other ones decides otherwise.
//!
//! Source: argoproj/argo-cd, `controller/sharding/sharding.go` and `consistent/consistent.go` at
//! 37ee0097.

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::num::NonZeroU32;

use blake2::{Blake2b512, Digest};

use super::Unmixed;
use crate::placement::{Key, Members, Placement, Ring, RingError};

/// How many points a shard has.
///
/// ```
/// assert_eq!(tenure::placement::presets::argo_cd::POINTS, 1000);
/// ```
pub const POINTS: u32 = 1000;

/// `legacy`: the shard of the cluster with this id, FNV-1a with 32 bits modulo the number of replicas; 0
/// for an empty id. Another number of replicas moves nearly all clusters.
///
/// ```
/// use core::num::NonZeroU32;
/// use tenure::placement::presets::argo_cd;
/// let three = const { NonZeroU32::new(3).unwrap() };
/// assert_eq!(argo_cd::legacy("0179ec04-acb6-48eb-9b70-2d5633298771", three), 1);
/// ```
#[must_use]
pub fn legacy(id: &str, replicas: NonZeroU32) -> u32 {
    let fnv1a = |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    if id.is_empty() { 0 } else { id.bytes().fold(0x811c_9dc5, fnv1a) % replicas }
}

/// `round-robin`: all ids in ascending order, each with its shard, the rank modulo the number of
/// replicas. A cluster that comes or goes moves nearly all after it.
///
/// ```
/// use core::num::NonZeroU32;
/// use tenure::placement::presets::argo_cd;
/// let two = const { NonZeroU32::new(2).unwrap() };
/// assert_eq!(argo_cd::round_robin(["c", "a", "b"], two), [("a", 0), ("b", 1), ("c", 0)]);
/// ```
#[must_use]
pub fn round_robin<'a>(
    ids: impl IntoIterator<Item = &'a str>,
    replicas: NonZeroU32,
) -> Vec<(&'a str, u32)> {
    let mut ids: Vec<_> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.into_iter().zip((0..replicas.get()).cycle()).collect()
}

/// The ring of `consistent-hashing`, without its limit of load: members are called `0`, `1` and so on,
/// and each has [`POINTS`] points, the [hash](key) of its name followed by 0, 1, 2 and so on in decimal.
///
/// # Errors
/// There would be more than 2²⁶ points.
///
/// ```
/// use core::num::NonZeroU32;
/// use tenure::placement::Placement;
/// use tenure::placement::presets::argo_cd;
/// let ring = argo_cd::ring(const { NonZeroU32::new(3).unwrap() })?;
/// let shard = ring.place(argo_cd::key("0179ec04-acb6-48eb-9b70-2d5633298771"));
/// assert_eq!(shard.map(|member| member.name()), Some("1"));
/// # Ok::<(), tenure::placement::RingError>(())
/// ```
pub fn ring(replicas: NonZeroU32) -> Result<Ring<Unmixed, false>, RingError> {
    let points = u64::from(replicas.get()) * u64::from(POINTS);
    if points > RingError::MOST_POINTS {
        return Err(RingError::TooManyPoints(points));
    }
    let names = || (0..replicas.get()).map(|shard| shard.to_string());
    let members = Members::new(names()).unwrap_or_default();
    let mut points = BTreeMap::new();
    for name in names() {
        let position = members.position(&name).and_then(|at| u32::try_from(at).ok()).unwrap_or(0);
        // In the order of shards: the last that comes to a point has it.
        points.extend((0..POINTS).map(|i| (hash(&format!("{name}{i}")), position)));
    }
    Ring::owned(members, points.into_iter().collect())
}

/// The key of a cluster's id: the first eight bytes of its BLAKE2b-512, little-endian.
#[must_use]
pub fn key(id: &str) -> Key {
    Key::from_hash(hash(id))
}

fn hash(text: &str) -> u64 {
    let digest = Blake2b512::digest(text);
    digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// `consistent-hashing`: all ids in ascending order, each with its shard. Clusters are given by id and
/// by the number of their applications, which is their load.
///
/// In the order of ids, each cluster goes to the first shard upwards on the [`ring`], strictly (a point
/// at the cluster's own place does not count, unlike without the limit), whose load is below 1.25 times the mean: that is ⌈1.25 ⌊(t + 1)/n⌋⌉, where t is the load of all before and
/// n the number of replicas, and 2 while the mean is 0.
///
/// *There is such a shard.* Else each of n loads is at least ⌈1.25 q⌉ with q = ⌊(t + 1)/n⌋, so at least
/// q + 1, or 2 if q = 0; then t ≥ n (q + 1) > t, for (t + 1)/n < q + 1.
///
/// # Errors
/// There would be more than 2²⁶ points.
///
/// ```
/// use core::num::NonZeroU32;
/// use tenure::placement::presets::argo_cd;
/// let shards = argo_cd::bounded([("b", 4), ("a", 4)], const { NonZeroU32::new(2).unwrap() })?;
/// let [("a", one), ("b", other)] = shards[..] else { unreachable!() };
/// assert_ne!(one, other, "a's load exceeds the mean");
/// # Ok::<(), tenure::placement::RingError>(())
/// ```
pub fn bounded<'a>(
    clusters: impl IntoIterator<Item = (&'a str, u64)>,
    replicas: NonZeroU32,
) -> Result<Vec<(&'a str, u32)>, RingError> {
    let ring = ring(replicas)?;
    let mut clusters: Vec<_> = clusters.into_iter().collect();
    clusters.sort_unstable();
    let shard = |name: &str| name.parse().unwrap_or(0);
    let shards: Vec<u32> = ring.members().iter().map(|member| shard(member.name())).collect();
    let mut loads = vec![0_u128; shards.len()];
    let mut total = 0;
    let mut assigned = Vec::with_capacity(clusters.len());
    for (id, applications) in clusters {
        let mean = ((total + 1) / u128::from(replicas.get())).max(1);
        let capacity = (5 * mean).div_ceil(4);
        let mut owners = ring.owners(hash(id).wrapping_add(1)); // strictly upwards
        let Some(owner) = owners.find(|owner| loads.get(*owner).is_some_and(|l| *l < capacity))
        else {
            continue;
        };
        if let (Some(load), Some(shard)) = (loads.get_mut(owner), shards.get(owner)) {
            *load += u128::from(applications);
            assigned.push((id, *shard));
        }
        total += u128::from(applications);
    }
    Ok(assigned)
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;
    use core::num::NonZeroU32;

    use super::{POINTS, bounded, hash, legacy, ring};
    use crate::placement::{Key, Placement};

    fn replicas(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    /// The labels of 20 shards are 19,100 different ones, and what they share belongs to the greater.
    #[test]
    fn labels_run_into_each_other_and_the_greater_shard_has_the_point() {
        for (shards, distinct) in [(20, 19_100), (50, 46_400)] {
            let ring = ring(replicas(shards)).unwrap();
            assert_eq!(ring.owners(0).count(), distinct, "{shards} shards");
            let labels =
                (0..shards).flat_map(|shard| (0..POINTS).map(move |i| format!("{shard}{i}")));
            assert_eq!(labels.collect::<BTreeSet<_>>().len(), distinct);
        }
        let ring = ring(replicas(20)).unwrap();
        for (label, owner) in [("110", "11"), ("1999", "19"), ("20", "2"), ("0110", "0")] {
            let owner_of = ring.place(Key::from_hash(hash(label))).unwrap();
            assert_eq!(owner_of.name(), owner, "{label}");
        }
    }

    /// A cluster whose id is the label of a point lies on it. By the ring alone the point's shard has it;
    /// with a limit of load the search begins above, as in the source: `Get` and `GetLeast`.
    #[test]
    fn who_lies_on_a_point_is_placed_there_but_bounded_above() {
        let ring = ring(replicas(20)).unwrap();
        let bounded = |id| bounded([(id, 1)], replicas(20)).unwrap()[0].1.to_string();
        let mut others = 0;
        for (label, owner) in [("110", "11"), ("1999", "19"), ("20", "2"), ("0110", "0")] {
            let above = Key::from_hash(hash(label) + 1);
            assert_eq!(ring.place(super::key(label)).unwrap().name(), owner);
            assert_eq!(ring.place(above).unwrap().name(), bounded(label), "{label}");
            others += u32::from(bounded(label) != owner);
        }
        assert!(others > 0, "the four points are not followed by others of the same shards");
        let id = "0179ec04-acb6-48eb-9b70-2d5633298771";
        assert_eq!(ring.place(super::key(id)).unwrap().name(), bounded(id));
    }

    #[test]
    fn all_clusters_are_assigned_within_the_bound_of_their_time() {
        for shards in [1, 2, 3, 7, 20] {
            for heavy in [0, 1, 5, 1000] {
                let ids: Vec<_> = (0..200).map(|i| format!("cluster-{i:03}")).collect();
                let load = |i: usize| if i.is_multiple_of(7) { heavy } else { 1 };
                let clusters = ids.iter().enumerate().map(|(i, id)| (id.as_str(), load(i)));
                let assigned = bounded(clusters.clone(), replicas(shards)).unwrap();
                assert!(assigned.iter().map(|(id, _)| *id).eq(ids.iter().map(String::as_str)));
                let mut loads = [0_u64; 20];
                for ((_, shard), (_, load)) in assigned.iter().zip(clusters) {
                    let mean = ((loads.iter().sum::<u64>() + 1) / u64::from(shards)).max(1);
                    assert!(loads[*shard as usize] < (mean * 5).div_ceil(4));
                    loads[*shard as usize] += load;
                }
            }
        }
    }

    #[test]
    fn an_empty_id_is_of_shard_0_and_too_many_shards_are_refused() {
        assert_eq!(legacy("", replicas(3)), 0);
        assert_ne!(0x811c_9dc5_u32 % 3, 0, "what the hash would say");
        assert!(ring(NonZeroU32::MAX).is_err());
        assert!(bounded([("a", 1)], NonZeroU32::MAX).is_err());
        assert_eq!(bounded([("a", u64::MAX), ("b", u64::MAX)], NonZeroU32::MIN).unwrap().len(), 2);
    }
}
