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
/// | [`new`](Self::new) | O(m log m), m rankings of about 1 + 1/e² members (see below), and no allocation per key |
/// | [`owner`](Self::owner) | O(log m), no allocation |
/// | memory | 12 bytes a key, 16 a member |
///
/// With e = 0 there may be no slack at all: when the last keys come nearly all members are full, and a
/// ranking of all n is walked to find the one that is not. Such a key costs O(n log n) over a
/// [`Rendezvous`](super::Rendezvous), and O(n²) over a [`Ring`](super::Ring), 1 ms for 1,000 members and
/// 115 for 10,000. They are few as long as keys are many: with 20 for each of 1,000 members the mean is 2.5
/// times that with e = 25 over a ring, and 1.5 times over rendezvous.
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
