use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Key, Member, Members, Ranking};

/// A finite set of keys, each assigned to a member, of which none has more than its capacity: consistent
/// hashing with bounded loads over a [`Ring`](super::Ring), or capped rendezvous over
/// [`Rendezvous`](super::Rendezvous).
///
/// The keys go in ascending order. Each goes to the first member of its ranking that has room. Of m
/// keys a member with the weight w, of W in all, takes at most ⌈(1 + e) m w/W⌉, computed with integers;
/// e is given in percent. The keys that a capacity turns away are what differs from the placement
/// below.
///
/// *There is room for each key.* A capacity is at least (1 + e) m w/W; the sum over all members is at
/// least (1 + e) m ≥ m, so while a key is not assigned at most m - 1 are, and some member is not full.
/// A ranking has all members, so the walk meets it.
///
/// The assignment is a function of the members, the *set* of keys and e; neither the order nor the
/// number of times in which a key is given matters. It is no [`Placement`](super::Placement): a key
/// outside the set has no owner. Nor is it rationalizable, or of least disruption: a key that comes or
/// goes, or a member, can move keys between members that stay. With e = 25 few do (the paper: O(1/e²)
/// for each change); the smaller e is, the more.
///
/// | | cost |
/// | --- | --- |
/// | [`new`](Self::new) | O(m log m), m rankings of about 1 + 1/e² members, and no allocation per key |
/// | [`owner`](Self::owner) | O(log m), no allocation |
/// | memory | 12 bytes a key, 16 a member |
///
/// Source: Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2016
/// (arXiv:1608.01350); there keys come one by one, here all are known, so that replicas agree.
///
/// ```
/// use tenure::placement::{Bounded, Key, Members, MembersError, Rendezvous};
/// let placement = Rendezvous::new(Members::new(["a", "b", "c", "d"])?);
/// let keys = (0..100).map(Key::from_hash);
/// let bounded = Bounded::new(&placement, keys.clone().rev(), 10);
/// // A quarter of 100, and 10 % more, rounded up.
/// assert!(bounded.loads().all(|(_, load, capacity)| load <= capacity && capacity == 28));
/// assert!(keys.clone().all(|key| bounded.owner(key).is_some()));
/// assert_eq!(bounded.owner(Key::from_hash(100)), None);
/// # Ok::<(), MembersError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bounded {
    members: Members,
    keys: Box<[Key]>,             // ascending
    owners: Box<[u32]>,           // the position of each key's owner
    loads: Box<[(usize, usize)]>, // of each member, and its capacity
}

impl Bounded {
    /// Assigns `keys`, a set: which is given twice counts once. Each member takes `extra_percent` more
    /// than its share, rounded up. Without members no key has an owner.
    pub fn new(
        placement: &(impl Ranking + ?Sized),
        keys: impl IntoIterator<Item = Key>,
        extra_percent: u32,
    ) -> Self {
        let members = placement.members().clone();
        let mut keys: Vec<Key> = keys.into_iter().collect();
        keys.sort_unstable();
        keys.dedup();
        let mut loads = capacities(&members, keys.len(), extra_percent);
        let mut ranked = Vec::new();
        let mut owners = Vec::with_capacity(keys.len());
        keys.retain(|key| {
            let owner = first_with_room(placement, *key, &mut loads, &mut ranked);
            owners.extend(owner);
            owner.is_some()
        });
        Self { members, keys: keys.into(), owners: owners.into(), loads }
    }

    /// The member that `key` is assigned to; `None` if it is none of the keys given.
    #[must_use]
    pub fn owner(&self, key: Key) -> Option<&Member> {
        let number = self.keys.binary_search(&key).ok()?;
        self.members.get(*self.owners.get(number)? as usize)
    }

    /// All keys, ascending, and the members they are assigned to.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Member)> {
        let member = |owner: &u32| self.members.get(*owner as usize);
        let keys = self.keys.iter().zip(&self.owners);
        keys.filter_map(move |(key, owner)| Some((*key, member(owner)?)))
    }

    /// Each member with the number of keys that it has, and its capacity, in canonical order.
    pub fn loads(&self) -> impl Iterator<Item = (&Member, usize, usize)> {
        let loads = self.members.iter().zip(&self.loads);
        loads.map(|(member, (load, capacity))| (member, *load, *capacity))
    }
}

/// For each member, no load and its capacity.
fn capacities(members: &Members, keys: usize, extra_percent: u32) -> Box<[(usize, usize)]> {
    let weight = |member: &Member| u128::from(member.weight().get());
    let total: u128 = members.iter().map(weight).sum();
    // A key is 8 bytes, so there are less than 2⁶¹, and this is below 2¹²⁷.
    let wanted = (100 + u128::from(extra_percent)) * keys as u128;
    let capacity = |member| (wanted * weight(member)).div_ceil(100 * total);
    let capacity = |member| (0, usize::try_from(capacity(member)).unwrap_or(usize::MAX));
    members.iter().map(capacity).collect()
}

/// Loads the first member of the key's ranking that is not full.
fn first_with_room<'a>(
    placement: &'a (impl Ranking + ?Sized),
    key: Key,
    loads: &mut [(usize, usize)],
    ranked: &mut Vec<&'a Member>,
) -> Option<u32> {
    let members = placement.members();
    // Mostly the first has room. Twice as many each time: the work is that of the last time, twice.
    let (mut seen, mut k) = (0, 1);
    while seen < members.len() {
        placement.best_into(key, k, ranked);
        for member in ranked.iter().skip(seen) {
            let owner = members.position(member.name())?;
            let (load, capacity) = loads.get_mut(owner)?;
            if load < capacity {
                *load += 1;
                return u32::try_from(owner).ok();
            }
        }
        (seen, k) = (k, k.saturating_mul(2));
    }
    None
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;
    use core::num::NonZeroU32;

    use super::{Bounded, Key, Member, Members, Ranking};
    use crate::placement::hash::mix;
    use crate::placement::{Placement, Rendezvous, Ring};

    fn weighted(weights: &[u32]) -> Members {
        let member = |(number, weight): (usize, &u32)| {
            Member::new(format!("m{number}")).with_weight(NonZeroU32::new(*weight).unwrap())
        };
        Members::new(weights.iter().enumerate().map(member)).unwrap()
    }

    fn rankings(members: &Members) -> [(&'static str, alloc::boxed::Box<dyn Ranking>); 2] {
        let ring = Ring::new(members.clone(), NonZeroU32::new(3).unwrap()).unwrap();
        let rendezvous = Rendezvous::new(members.clone());
        [("ring", alloc::boxed::Box::new(ring)), ("rendezvous", alloc::boxed::Box::new(rendezvous))]
    }

    /// All weights up to 3 of up to 4 members, all numbers of keys up to 13, from no slack to much:
    /// there is room for all, all are assigned, none exceeds its capacity, and the capacity is the
    /// least integer that is not below the share.
    #[test]
    fn every_key_has_an_owner_and_no_owner_too_many() {
        for count in 1..=4_u32 {
            for code in 0..3_u32.pow(count) {
                let weights: Vec<_> = (0..count).map(|i| code / 3_u32.pow(i) % 3 + 1).collect();
                let members = weighted(&weights);
                let total: u32 = weights.iter().sum();
                for (name, ranking) in rankings(&members) {
                    for (keys, extra) in
                        (0..=13).flat_map(|keys| [0, 1, 25, 100].map(|e| (keys, e)))
                    {
                        let bounded = Bounded::new(&*ranking, (0..keys).map(Key::from_hash), extra);
                        let context = format!("{name} {weights:?} {keys} keys, {extra} %");
                        assert_eq!(bounded.iter().count(), keys as usize, "{context}");
                        let mut room = 0;
                        for ((member, load, capacity), weight) in bounded.loads().zip(&weights) {
                            let share = (100 + extra) as usize * keys as usize * *weight as usize;
                            let unit = 100 * total as usize;
                            assert!(capacity * unit >= share && capacity * unit < share + unit);
                            assert!(load <= capacity, "{context}");
                            let owned =
                                bounded.iter().filter(|(_, owner)| *owner == member).count();
                            assert_eq!(owned, load, "{context}");
                            room += capacity;
                        }
                        assert!(room >= keys as usize, "{context}");
                    }
                }
            }
        }
    }

    #[test]
    fn neither_order_nor_repetition_of_keys_matters() {
        let members = weighted(&[1, 5, 2, 1, 1, 3, 1]);
        for (name, ranking) in rankings(&members) {
            let keys: Vec<_> = (0..500).map(|n| Key::from_hash(mix(n))).collect();
            let one = Bounded::new(&*ranking, keys.clone(), 5);
            for round in 0..10 {
                let mut shuffled = keys.clone();
                shuffled.sort_by_key(|key| mix(key.as_u64() ^ round));
                shuffled.extend_from_within(..100);
                assert_eq!(Bounded::new(&*ranking, shuffled, 5), one, "{name}");
            }
            assert_eq!(one.loads().map(|(_, load, _)| load).sum::<usize>(), 500);
        }
    }

    /// Where a capacity turned nobody away the assignment is the placement; elsewhere the owner is the
    /// first of the ranking that was not full when the key's turn came.
    #[test]
    fn keys_go_in_order_to_the_first_with_room() {
        let members = weighted(&[1, 1, 1, 1, 1]);
        for (name, ranking) in rankings(&members) {
            for extra in [0, 10, 1000] {
                let bounded = Bounded::new(&*ranking, (0..200).map(Key::from_hash).rev(), extra);
                let capacity = bounded.loads().next().unwrap().2;
                let mut loads = [0; 5];
                let mut turned_away = 0;
                for (key, owner) in bounded.iter() {
                    let ranks = ranking.rank(key);
                    let position = |member: &Member| members.position(member.name()).unwrap();
                    let free = ranks.iter().find(|member| loads[position(member)] < capacity);
                    assert_eq!(Some(owner), free.copied(), "{name} {extra}");
                    turned_away += usize::from(ranking.place(key) != Some(owner));
                    loads[position(owner)] += 1;
                }
                assert_eq!(turned_away > 0, extra < 1000, "{name} {extra}");
            }
        }
    }

    #[test]
    fn without_members_or_keys_there_is_nothing() {
        let none = Rendezvous::default();
        assert!(none.members().is_empty());
        let bounded = Bounded::new(&none, [Key::from_hash(1)], u32::MAX);
        assert_eq!((bounded.owner(Key::from_hash(1)), bounded.iter().count()), (None, 0));
        let bounded = Bounded::new(&Rendezvous::new(weighted(&[u32::MAX, 1])), [], u32::MAX);
        assert!(bounded.loads().all(|(_, load, capacity)| load == 0 && capacity == 0));
        let bounded =
            Bounded::new(&Rendezvous::new(weighted(&[u32::MAX, 1])), [Key::from_hash(1)], 0);
        assert!(bounded.loads().all(|(_, _, capacity)| capacity == 1));
    }
}
