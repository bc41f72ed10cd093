use alloc::boxed::Box;
use alloc::vec;
use core::{fmt, slice};

use super::{Slot, Slots};

/// A set of slots: a bit for each.
///
/// ```
/// use tenure::sharding::{SlotSet, Slots};
/// let slots = Slots::new(8)?;
/// let mut set = SlotSet::none(slots);
/// assert!(set.insert(slots.get(2).unwrap()) && set.insert(slots.get(5).unwrap()));
/// assert_eq!(set.iter().map(|slot| slot.index()).collect::<Vec<_>>(), [2, 5]);
/// assert_eq!(SlotSet::of(slots, &set), set);
/// assert_eq!(set.to_string(), "2, 5");
/// assert_eq!((set.len(), SlotSet::all(slots).len()), (2, 8));
///
/// let (mut rest, mut both) = (SlotSet::all(slots), SlotSet::all(slots));
/// rest.subtract(&set); // all but 2 and 5
/// both.keep(&set); // only these
/// assert!(rest.is_disjoint(&both) && both == set);
/// # Ok::<(), tenure::sharding::SlotsError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SlotSet {
    slots: Slots,
    words: Box<[u64]>,
    /// How many bits are set: most questions are whether there is any.
    len: u32,
}

impl SlotSet {
    /// The empty set of some of these.
    #[must_use]
    pub fn none(slots: Slots) -> Self {
        Self { slots, words: vec![0; words(slots)].into(), len: 0 }
    }

    /// Those of these that are given.
    #[must_use]
    pub fn of(slots: Slots, given: impl IntoIterator<Item = Slot>) -> Self {
        let mut set = Self::none(slots);
        set.extend(given);
        set
    }

    /// All of these.
    #[must_use]
    pub fn all(slots: Slots) -> Self {
        Self { slots, words: vec![word(slots); words(slots)].into(), len: slots.count() }
    }

    /// Of how many slots this is a set.
    #[must_use]
    pub const fn slots(&self) -> Slots {
        self.slots
    }

    /// How many are in it. O(1).
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether none is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether `slot` is in it. O(1).
    #[must_use]
    #[inline]
    pub fn contains(&self, slot: Slot) -> bool {
        self.words.get(slot.at() / 64).is_some_and(|word| word >> (slot.at() % 64) & 1 == 1)
    }

    /// Puts `slot` in, if it is one of these; whether it was not in it before.
    pub fn insert(&mut self, slot: Slot) -> bool {
        let new = slot.index() < self.slots.count() && !self.contains(slot);
        if new && let Some(word) = self.words.get_mut(slot.at() / 64) {
            *word |= 1 << (slot.at() % 64);
            self.len += 1;
        }
        new
    }

    /// Takes `slot` out; whether it was in it.
    pub fn remove(&mut self, slot: Slot) -> bool {
        let found = self.contains(slot);
        if found && let Some(word) = self.words.get_mut(slot.at() / 64) {
            *word &= !(1 << (slot.at() % 64));
            self.len -= 1;
        }
        found
    }

    /// Those in it, in the order of the hash space.
    #[must_use]
    pub fn iter(&self) -> SlotSetIter<'_> {
        SlotSetIter { words: self.words.iter(), taken: 0, rest: 0 }
    }

    /// Puts in what is in `other`, as far as it is one of these.
    pub fn add(&mut self, other: &Self) {
        self.each(other, |mine, theirs| mine | theirs);
    }

    /// Takes out what is in `other`.
    pub fn subtract(&mut self, other: &Self) {
        self.each(other, |mine, theirs| mine & !theirs);
    }

    /// Keeps only what is in `other`, too.
    pub fn keep(&mut self, other: &Self) {
        self.each(other, |mine, theirs| mine & theirs);
    }

    /// Whether nothing is in both.
    #[must_use]
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).all(|(mine, theirs)| mine & theirs == 0)
    }

    /// What is in this and not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        rest.subtract(other);
        rest
    }

    /// Takes everything out and gives it away.
    pub(super) fn take(&mut self) -> Self {
        core::mem::replace(self, Self::none(self.slots))
    }

    fn each(&mut self, other: &Self, join: impl Fn(u64, u64) -> u64) {
        let mut len = 0;
        let all = word(self.slots);
        // A set of fewer slots has nothing beyond them.
        let theirs = other.words.iter().copied().chain(core::iter::repeat(0));
        for (mine, theirs) in self.words.iter_mut().zip(theirs) {
            *mine = join(*mine, theirs) & all;
            len += mine.count_ones();
        }
        self.len = len;
    }
}

fn words(slots: Slots) -> usize {
    slots.count().div_ceil(64) as usize
}

/// A word with a bit for each of its slots.
fn word(slots: Slots) -> u64 {
    if slots.count() < 64 { (1 << slots.count()) - 1 } else { u64::MAX }
}

impl fmt::Debug for SlotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Slot::index)).finish()
    }
}

impl Extend<Slot> for SlotSet {
    fn extend<T: IntoIterator<Item = Slot>>(&mut self, slots: T) {
        for slot in slots {
            self.insert(slot);
        }
    }
}

impl<'a> IntoIterator for &'a SlotSet {
    type Item = Slot;
    type IntoIter = SlotSetIter<'a>;

    fn into_iter(self) -> SlotSetIter<'a> {
        self.iter()
    }
}

/// The slots of a set, in the order of the hash space ([`SlotSet::iter`]).
///
/// ```
/// use tenure::sharding::{SlotSet, SlotSetIter, Slots};
/// let all = SlotSet::all(Slots::new(128)?);
/// let mut slots: SlotSetIter<'_> = all.iter();
/// assert_eq!(slots.nth(100).map(|slot| slot.index()), Some(100));
/// assert_eq!(slots.count(), 27);
/// # Ok::<(), tenure::sharding::SlotsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SlotSetIter<'a> {
    words: slice::Iter<'a, u64>,
    /// How many words were taken.
    taken: u32,
    /// What is left of the last one.
    rest: u64,
}

impl Iterator for SlotSetIter<'_> {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        while self.rest == 0 {
            self.rest = *self.words.next()?;
            self.taken += 1;
        }
        let bit = self.rest.trailing_zeros();
        self.rest &= self.rest - 1;
        Some(Slot::new((self.taken - 1) * 64 + bit))
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::{Slot, SlotSet, Slots};

    fn set(slots: Slots, of: &BTreeSet<u32>) -> SlotSet {
        let mut set = SlotSet::none(slots);
        set.extend(of.iter().map(|index| Slot::new(index % slots.count())));
        set
    }

    #[test]
    fn all_of_any_number() {
        for bits in 0..=10 {
            let slots = Slots::new(1 << bits).unwrap();
            let all = SlotSet::all(slots);
            assert_eq!(all.len(), 1 << bits);
            assert!(all.iter().eq(slots.iter()));
        }
        let eight = Slots::new(8).unwrap();
        let mut none = SlotSet::none(eight);
        assert!(!none.insert(Slot::new(8)) && !none.insert(Slot::new(1 << 20)));
        assert!(none.is_empty() && !none.contains(Slot::new(1 << 20)));
    }

    /// Sets of other numbers of slots have the slots that they have.
    #[test]
    fn of_another_number() {
        let [eight, large] = [8, 256].map(|count| Slots::new(count).unwrap());
        let few = set(eight, &[1, 2].into());
        let many = set(large, &[2, 3, 20, 200].into());
        let indices = |set: &SlotSet| set.iter().map(Slot::index).collect::<Vec<_>>();
        let check = |set: SlotSet, wanted: &[u32]| {
            assert_eq!((indices(&set).as_slice(), set.len()), (wanted, wanted.len()));
        };
        let joined = |one: &SlotSet, other, join: fn(&mut SlotSet, &SlotSet)| {
            let mut set = one.clone();
            join(&mut set, other);
            set
        };
        check(joined(&few, &many, SlotSet::add), &[1, 2, 3]);
        check(joined(&few, &many, SlotSet::subtract), &[1]);
        check(joined(&few, &many, SlotSet::keep), &[2]);
        check(joined(&many, &few, SlotSet::add), &[1, 2, 3, 20, 200]);
        check(joined(&many, &few, SlotSet::subtract), &[3, 20, 200]);
        check(joined(&many, &few, SlotSet::keep), &[2]);
        assert!(!few.is_disjoint(&many) && !many.is_disjoint(&few));
    }

    proptest! {
        /// The same as the set of the standard library.
        #[test]
        fn is_a_set(
            bits in 0_u32..9,
            a in prop::collection::btree_set(0_u32..512, 0..40),
            b in prop::collection::btree_set(0_u32..512, 0..40),
        ) {
            let slots = Slots::new(1 << bits).unwrap();
            let cut = |of: &BTreeSet<u32>| of.iter().map(|i| i % (1 << bits)).collect::<BTreeSet<_>>();
            let (x, y) = (set(slots, &a), set(slots, &b));
            let (a, b) = (cut(&a), cut(&b));
            let list = |set: &SlotSet| set.iter().map(Slot::index).collect::<Vec<_>>();
            let joined = |join: &dyn Fn(&mut SlotSet)| { let mut z = x.clone(); join(&mut z); list(&z) };
            prop_assert_eq!(list(&x), a.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(joined(&|z| z.add(&y)), a.union(&b).copied().collect::<Vec<_>>());
            prop_assert_eq!(joined(&|z| z.keep(&y)), a.intersection(&b).copied().collect::<Vec<_>>());
            prop_assert_eq!(list(&x.without(&y)), a.difference(&b).copied().collect::<Vec<_>>());
            prop_assert_eq!(x.is_disjoint(&y), a.is_disjoint(&b));
            prop_assert_eq!(x.len(), a.len());
            let mut z = x.clone();
            for slot in &y {
                prop_assert_eq!(z.remove(slot), a.contains(&slot.index()));
                prop_assert!(!z.contains(slot));
                prop_assert_eq!(z.len(), list(&z).len());
            }
        }
    }
}
