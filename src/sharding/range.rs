use alloc::vec::Vec;
use core::ops::Deref;
use core::{fmt, slice};

use super::SlotSet;
use crate::placement::Key;

/// A part of the hash space, without gaps and never empty: the hashes from one up to another, which
/// it does not contain.
///
/// ```
/// use tenure::placement::Key;
/// use tenure::sharding::KeyRange;
/// let lower = KeyRange::new(0, Some(1 << 63)).unwrap();
/// let upper = KeyRange::new(1 << 63, None).unwrap(); // up to the end of the space
/// assert!(upper.contains(Key::from_hash(1 << 63)) && !lower.contains(Key::from_hash(1 << 63)));
/// assert_eq!((lower.start(), lower.end(), upper.end()), (0, Some(1 << 63), None));
/// assert_eq!((lower.width(), KeyRange::ALL.width()), (1 << 63, 1 << 64));
/// assert_eq!(upper.to_string(), "'0x8000000000000000', '0x10000000000000000'");
/// assert_eq!(KeyRange::new(5, Some(5)), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyRange {
    start: u64,
    last: u64, // not below `start`
}

impl KeyRange {
    /// The whole space.
    pub const ALL: Self = Self { start: 0, last: u64::MAX };

    /// From `start` up to `end` without it; without `end`, up to the end of the space. None if that is
    /// nothing.
    #[must_use]
    pub const fn new(start: u64, end: Option<u64>) -> Option<Self> {
        match end {
            None => Some(Self { start, last: u64::MAX }),
            Some(end) if start < end => Some(Self { start, last: end - 1 }),
            Some(_) => None,
        }
    }

    /// The first hash in it.
    #[must_use]
    pub const fn start(self) -> u64 {
        self.start
    }

    /// The first hash behind it; none if it reaches to the end of the space, 2⁶⁴.
    #[must_use]
    pub const fn end(self) -> Option<u64> {
        self.last.checked_add(1)
    }

    /// Whether the hash of `key` is in it.
    #[must_use]
    #[inline]
    pub const fn contains(self, key: Key) -> bool {
        self.start <= key.as_u64() && key.as_u64() <= self.last
    }

    /// How many hashes are in it: from 1 to 2⁶⁴.
    #[must_use]
    pub const fn width(self) -> u128 {
        (self.last - self.start) as u128 + 1
    }
}

impl fmt::Display for KeyRange {
    /// As the last two arguments of Kubernetes' `shardRange`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = u128::from(self.last) + 1;
        write!(f, "'0x{:016x}', '0x{end:016x}'", self.start)
    }
}

/// A part of the hash space in as few [ranges](KeyRange) as can be: in ascending order, none
/// overlapping or touching another. Made of ranges in any order, or of a [set of
/// slots](SlotSet::ranges).
///
/// When a member's ranges change, it needs a new list and watch of what it
/// [gained](Self::without), and of nothing else; what it keeps, it watches already.
///
/// ```
/// use tenure::sharding::{KeyRange, KeyRanges};
/// let range = |start, end| KeyRange::new(start, Some(end)).unwrap();
/// let before: KeyRanges = [range(0, 10), range(20, 30), range(10, 15)].into_iter().collect();
/// assert_eq!(before.as_slice(), [range(0, 15), range(20, 30)]);
/// let after: KeyRanges = [range(5, 25)].into_iter().collect();
/// assert_eq!(after.without(&before).as_slice(), [range(15, 20)]); // gained
/// assert_eq!(before.without(&after).as_slice(), [range(0, 5), range(25, 30)]); // lost
/// assert_eq!(before.width(), 25); // hashes
/// assert_eq!(before.first(), Some(&range(0, 15))); // a slice otherwise
/// assert_eq!(before.to_string(), "0x0000000000000000-0x000000000000000f, 0x0000000000000014-0x000000000000001e");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct KeyRanges(Vec<KeyRange>);

impl KeyRanges {
    /// The ranges.
    #[must_use]
    pub fn as_slice(&self) -> &[KeyRange] {
        &self.0
    }

    /// The ranges, in ascending order.
    pub fn iter(&self) -> slice::Iter<'_, KeyRange> {
        self.0.iter()
    }

    /// How many ranges there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the hash of `key` is in one of them. O(log of their number).
    #[must_use]
    pub fn contains(&self, key: Key) -> bool {
        let behind = self.0.partition_point(|range| range.start <= key.as_u64());
        let before = behind.checked_sub(1).and_then(|at| self.0.get(at));
        before.is_some_and(|range| range.contains(key))
    }

    /// How many hashes are in them: at most 2⁶⁴.
    #[must_use]
    pub fn width(&self) -> u128 {
        self.0.iter().map(|range| range.width()).sum()
    }

    /// What is in these and not in `others`. Linear in the number of both.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        let mut rest = Vec::new();
        let mut others = others.0.iter().peekable();
        for range in &self.0 {
            let mut start = Some(range.start);
            while let Some(other) = others.peek().filter(|other| other.start <= range.last) {
                let piece = start.and_then(|start| KeyRange::new(start, Some(other.start)));
                rest.extend(piece);
                // What is behind `other`; nothing, if that reaches to the end of the space.
                start = start.and_then(|start| Some(start.max(other.end()?)));
                if other.last > range.last {
                    break; // it may cut the next as well
                }
                others.next();
            }
            rest.extend(start.and_then(|start| KeyRange::new(start, range.end())));
        }
        Self(rest)
    }
}

impl FromIterator<KeyRange> for KeyRanges {
    /// Sorts, and joins what overlaps or touches.
    fn from_iter<T: IntoIterator<Item = KeyRange>>(ranges: T) -> Self {
        let mut ranges: Vec<KeyRange> = ranges.into_iter().collect();
        ranges.sort_unstable();
        ranges.dedup_by(|next, range| {
            let touches = range.end().is_none_or(|end| next.start <= end);
            if touches {
                range.last = range.last.max(next.last);
            }
            touches
        });
        Self(ranges)
    }
}

impl Deref for KeyRanges {
    type Target = [KeyRange];

    fn deref(&self) -> &[KeyRange] {
        &self.0
    }
}

impl<'a> IntoIterator for &'a KeyRanges {
    type Item = &'a KeyRange;
    type IntoIter = slice::Iter<'a, KeyRange>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl SlotSet {
    /// The fewest ranges of the hash space that hold these slots' keys and no others. O(slots).
    ///
    /// ```
    /// use tenure::sharding::{SlotSet, Slots};
    /// let slots = Slots::new(4)?;
    /// let mut set = SlotSet::all(slots);
    /// set.remove(slots.get(1).unwrap());
    /// let ranges: Vec<_> = set.ranges().iter().map(|range| (range.start(), range.end())).collect();
    /// assert_eq!(ranges, [(0, Some(1 << 62)), (1 << 63, None)]);
    /// assert!(SlotSet::none(slots).ranges().is_empty());
    /// # Ok::<(), tenure::sharding::SlotsError>(())
    /// ```
    #[must_use]
    pub fn ranges(&self) -> KeyRanges {
        let slots = self.slots();
        let range = |slot: super::Slot| {
            let next = slots.get(slot.index() + 1).map(|next| slots.start(next));
            KeyRange::new(slots.start(slot), next)
        };
        self.iter().filter_map(range).collect()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::{Key, KeyRange, KeyRanges};
    use crate::sharding::{SlotSet, Slots};

    /// Bounds close to each other and to the ends of the space, so that they meet.
    fn bound() -> impl Strategy<Value = u64> {
        prop_oneof![0..12_u64, (1_u64 << 63) - 4..(1 << 63) + 4, u64::MAX - 6..=u64::MAX]
    }

    fn any_range() -> impl Strategy<Value = KeyRange> {
        (bound(), prop::option::of(bound())).prop_filter_map("empty", |(a, b)| match b {
            Some(b) if b < a => KeyRange::new(b, Some(a)),
            end => KeyRange::new(a, end),
        })
    }

    fn some() -> impl Strategy<Value = Vec<KeyRange>> {
        prop::collection::vec(any_range(), 0..6)
    }

    fn is_least(ranges: &KeyRanges) -> bool {
        let mut pairs = ranges.iter().zip(ranges.iter().skip(1));
        pairs.all(|(range, next)| range.end().is_some_and(|end| end < next.start()))
    }

    #[test]
    fn the_ends_of_the_space() {
        assert_eq!(KeyRange::new(0, None), Some(KeyRange::ALL));
        assert_eq!(KeyRange::ALL.width(), 1 << 64);
        let last = KeyRange::new(u64::MAX, None).unwrap();
        assert_eq!((last.width(), last.end()), (1, None));
        assert!(last.contains(Key::from_hash(u64::MAX)) && !last.contains(Key::from_hash(0)));
        assert_eq!(KeyRange::new(0, Some(0)), None);
        assert_eq!(KeyRange::new(7, Some(6)), None);
        assert_eq!(KeyRange::ALL.to_string(), "'0x0000000000000000', '0x10000000000000000'");
        let all = SlotSet::all(Slots::new(1 << 16).unwrap());
        assert_eq!(all.ranges().as_slice(), [KeyRange::ALL]);
        let one = SlotSet::all(Slots::new(1).unwrap());
        assert_eq!(one.ranges().as_slice(), [KeyRange::ALL]);
    }

    proptest! {
        #[test]
        fn ranges_of_slots_are_theirs_and_the_fewest(
            bits in 0_u32..8,
            of in prop::collection::vec(any::<u32>(), 0..100),
            keys in prop::collection::vec(any::<u64>(), 20),
        ) {
            let slots = Slots::new(1 << bits).unwrap();
            let mut set = SlotSet::none(slots);
            set.extend(of.iter().filter_map(|slot| slots.get(slot % slots.count())));
            let ranges = set.ranges();
            prop_assert!(is_least(&ranges));
            let ends = slots.iter().flat_map(|slot| {
                [slots.start(slot), slots.start(slot).wrapping_sub(1)]
            });
            for key in keys.into_iter().chain(ends).map(Key::from_hash) {
                prop_assert_eq!(ranges.contains(key), set.contains(slots.of(key)));
            }
            prop_assert_eq!(ranges.width(), (1_u128 << 64 >> bits) * set.len() as u128);
        }

        #[test]
        fn joined_and_taken_apart_they_hold_what_they_should(
            a in some(), b in some(), keys in prop::collection::vec(bound(), 1..30),
        ) {
            let (these, those): (KeyRanges, KeyRanges) =
                (a.iter().copied().collect(), b.iter().copied().collect());
            let (rest, gained) = (these.without(&those), those.without(&these));
            prop_assert!(is_least(&these) && is_least(&rest) && is_least(&gained));
            for key in keys.into_iter().map(Key::from_hash) {
                prop_assert_eq!(these.contains(key), a.iter().any(|range| range.contains(key)));
                prop_assert_eq!(rest.contains(key), these.contains(key) && !those.contains(key));
                prop_assert_eq!(gained.contains(key), those.contains(key) && !these.contains(key));
            }
            let both: KeyRanges = a.into_iter().chain(b).collect();
            prop_assert_eq!(both.width(), these.width() + gained.width());
            prop_assert_eq!(both.without(&those), rest);
            prop_assert!(these.without(&both).is_empty());
        }
    }
}
