//! Where to cut the hash space when keys are not spread evenly over it: one range for each replica, of
//! unequal width and equal load.

use alloc::vec::Vec;
use core::iter;
use core::num::NonZeroU16;

use super::super::{KeyRange, Slots};
use crate::placement::Key;

mod sums;

use sums::Sums;

const SPACE: u128 = 1 << 64;

/// How much load lies where in the hash space: what was observed, from which to choose
/// [where to cut](Self::cut).
///
/// A key that cannot be divided, such as a namespace with many objects, stays with one replica. So the
/// greatest share of a cut is *the least that any cut into as many ranges has*, and at most total / n
/// + the load of the hottest hash.
///
/// ```
/// use core::num::NonZeroU16;
/// use tenure::sharding::Field;
/// use tenure::sharding::planned::{Cuts, Loads};
/// // Names that differ in their last letters lie side by side: one replica of 16 would have all.
/// let teams = ('a'..='z').flat_map(|team| (0..10).map(move |n| format!("team-{team}{n}")));
/// let loads = Loads::new(teams.map(|name| (Field::Namespace.key(&name), 1)));
/// let replicas = NonZeroU16::new(16).unwrap();
/// assert_eq!(loads.shares(&Cuts::equal(replicas)).into_iter().max(), Some(260));
/// let cuts = loads.cut(replicas);
/// assert_eq!(loads.shares(&cuts).into_iter().max(), Some(17)); // 260 / 16 = 16.25
/// let selected = cuts.ranges().flatten().count(); // none of them is empty
/// assert_eq!(selected, 16);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Loads {
    /// Hashes that agree in so many upper bits are not parted.
    bits: u32,
    /// These bits of the hashes, in ascending order.
    cells: Vec<u64>,
    /// The load of all cells before each, and of all.
    sums: Sums,
}

impl Loads {
    /// Keys and their loads, in any order; loads of equal keys are added up. O(n log n).
    #[must_use]
    pub fn new(loads: impl IntoIterator<Item = (Key, u64)>) -> Self {
        Self::by_bits(64, loads)
    }

    /// The same, to be cut at the borders of slots only, as a [`Plan`](super::Plan) must: keys of one
    /// slot count as one.
    #[must_use]
    pub fn in_slots(slots: Slots, loads: impl IntoIterator<Item = (Key, u64)>) -> Self {
        Self::by_bits(slots.bits(), loads)
    }

    fn by_bits(bits: u32, loads: impl IntoIterator<Item = (Key, u64)>) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "shifted from 64 bits")]
        let cell = |key: Key| (u128::from(key.as_u64()) >> (64 - bits)) as u64;
        let loads = loads.into_iter().filter(|(_, load)| *load > 0);
        let mut loads: Vec<(u64, u64)> = loads.map(|(key, load)| (cell(key), load)).collect();
        loads.sort_unstable();
        let (mut cells, mut sums) = (Vec::new(), Sums::default());
        for same in loads.chunk_by(|(a, _), (b, _)| a == b) {
            cells.extend(same.first().map(|(cell, _)| *cell));
            sums.push(same.iter().map(|(_, load)| u128::from(*load)).sum());
        }
        Self { bits, cells, sums }
    }

    /// All of it together.
    ///
    /// ```
    /// use tenure::placement::Key;
    /// use tenure::sharding::planned::Loads;
    /// let loads = Loads::new([(Key::from_hash(7), 1), (Key::from_hash(9), 5), (Key::from_hash(7), 2)]);
    /// assert_eq!((loads.total(), loads.hottest()), (8, 5));
    /// ```
    #[must_use]
    pub fn total(&self) -> u128 {
        self.sums.total()
    }

    /// The load of the hottest hash, or slot: no share can be less than this for all.
    #[must_use]
    pub fn hottest(&self) -> u128 {
        self.sums.hottest()
    }

    /// What each replica bears with these cuts.
    #[must_use]
    pub fn shares(&self, cuts: &Cuts) -> Vec<u128> {
        self.sums.parts(&self.indices(cuts))
    }

    /// Cuts the space so that the greatest share is the least possible; within that, each cut leaves
    /// the replicas on its right as much for each as there is on average.
    ///
    /// Where nothing lies, the cut is in the middle, so that each range has room for keys to come;
    /// without any load all are of equal width. The same loads give the same cuts. O(n log² keys).
    #[must_use]
    pub fn cut(&self, replicas: NonZeroU16) -> Cuts {
        let indices = self.sums.evenly(replicas.get(), self.sums.least(replicas.get()));
        self.place(&indices, &[])
    }

    /// Cuts again after the loads have changed, and moves little: each cut stays `before` or goes as
    /// short a way as it may while the greatest share is within `tolerance` thousandths of the least
    /// possible. So nothing moves at all while the cuts that there are serve well enough.
    ///
    /// Cuts are placed from the first to the last and from the last to the first, and those taken that
    /// move less load; never more than [cutting anew](Self::cut) would. That is seldom more than the
    /// least possible: on some thousand small cases, all of which were tried, by 0.3 % in total.
    ///
    /// Replicas keep their numbers. New ones are the last, and so are those that leave.
    ///
    /// ```
    /// use core::num::NonZeroU16;
    /// use tenure::placement::Key;
    /// use tenure::sharding::planned::Loads;
    /// let two = NonZeroU16::new(2).unwrap();
    /// let loads = |left: u64, right: u64| {
    ///     let keys = (0..left).chain(1 << 63..(1 << 63) + right);
    ///     Loads::new(keys.map(|hash| (Key::from_hash(hash), 1)))
    /// };
    /// let before = loads(500, 500).cut(two);
    /// let now = loads(520, 500); // 2 % above the mean of 510
    /// assert_eq!(now.cut_again(&before, two, 50), before);
    /// let cuts = now.cut_again(&before, two, 0);
    /// assert_eq!((now.shares(&cuts), now.moved(&before, &cuts)), (vec![510, 510], 10));
    /// ```
    #[must_use]
    pub fn cut_again(&self, before: &Cuts, replicas: NonZeroU16, tolerance: u16) -> Cuts {
        let count = replicas.get();
        let least = self.sums.least(count);
        let tolerance = u128::from(tolerance);
        let more = (least / 1000).saturating_mul(tolerance) + least % 1000 * tolerance / 1000;
        let cap = least.saturating_add(more);
        let mut old = self.indices(before);
        old.resize(usize::from(count) - 1, self.cells.len());
        let ways = [
            self.sums.staying(count, cap, &old),
            self.sums.staying_mirrored(count, cap, &old),
            self.sums.evenly(count, least),
        ];
        let best = ways.into_iter().min_by_key(|new| self.sums.moved(&old, new));
        self.place(&best.unwrap_or_default(), &before.at)
    }

    /// How much load has another replica with the second cuts than with the first.
    #[must_use]
    pub fn moved(&self, from: &Cuts, to: &Cuts) -> u128 {
        let (mut from, mut to) = (self.indices(from), self.indices(to));
        let most = from.len().max(to.len());
        from.resize(most, self.cells.len());
        to.resize(most, self.cells.len());
        self.sums.moved(&from, &to)
    }

    /// How many cells lie before each cut.
    fn indices(&self, cuts: &Cuts) -> Vec<usize> {
        let before = |at: &u128| {
            self.cells.partition_point(|cell| u128::from(*cell) << (64 - self.bits) < *at)
        };
        cuts.at.iter().map(before).collect()
    }

    /// Where to cut between cells: where it was cut before if that will do, or else at equal distances
    /// if there are several cuts between the same two cells.
    fn place(&self, indices: &[usize], before: &[u128]) -> Cuts {
        let width = SPACE >> self.bits;
        let mut at: Vec<u128> = Vec::with_capacity(indices.len());
        for group in indices.chunk_by(|a, b| a == b) {
            let Some(index) = group.first() else { continue };
            let cell = |index| self.cells.get(index).map(|cell| u128::from(*cell));
            // The border must be above the cell on the left, and not above the one on the right.
            let left = index.checked_sub(1).and_then(cell);
            let low = left.unwrap_or(0);
            let high = cell(*index).unwrap_or(1 << self.bits);
            let above = |at: u128| left.is_none_or(|left| left < at);
            let good =
                |at: &u128| at.is_multiple_of(width) && above(at / width) && at / width <= high;
            let old = before.get(at.len()..at.len() + group.len());
            if let Some(old) = old.filter(|old| old.iter().all(good)) {
                at.extend_from_slice(old);
                continue;
            }
            let (gap, parts) = (high - low, group.len() as u128 + 1);
            at.extend((1..parts).map(|n| (low + (gap * n / parts).max(1).min(gap)) * width));
        }
        Cuts { at }
    }
}

/// Where the hash space is cut into one range for each replica, in the order of their numbers.
///
/// ```
/// use core::num::NonZeroU16;
/// use tenure::placement::Key;
/// use tenure::sharding::planned::Cuts;
/// let cuts = Cuts::equal(NonZeroU16::new(3).unwrap());
/// let ranges: Vec<_> = cuts.ranges().flatten().map(|range| range.to_string()).collect();
/// assert_eq!(ranges, [
///     "'0x0000000000000000', '0x5555555555555555'",
///     "'0x5555555555555555', '0xaaaaaaaaaaaaaaaa'",
///     "'0xaaaaaaaaaaaaaaaa', '0x10000000000000000'",
/// ]);
/// assert_eq!(cuts.owner(Key::from_hash(0x5555_5555_5555_5555)), 1);
/// assert_eq!(cuts, Cuts::of_starts([0x5555_5555_5555_5555, 0xaaaa_aaaa_aaaa_aaaa]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cuts {
    /// The first hash behind each cut, in ascending order; 2⁶⁴ behind the last.
    at: Vec<u128>,
}

impl Cuts {
    /// Into ranges of equal width, as Kubernetes' `NewShardRangeSelector` does.
    #[must_use]
    pub fn equal(replicas: NonZeroU16) -> Self {
        let count = u128::from(replicas.get());
        Self { at: (1..count).map(|number| SPACE * number / count).collect() }
    }

    /// The cuts at the starts of all ranges but the first, in any order.
    #[must_use]
    pub fn of_starts(starts: impl IntoIterator<Item = u64>) -> Self {
        let mut at: Vec<u128> = starts.into_iter().map(u128::from).collect();
        at.sort_unstable();
        Self { at }
    }

    /// How many ranges there are.
    #[must_use]
    pub const fn replicas(&self) -> usize {
        self.at.len() + 1
    }

    /// The range of each replica. None for one that gets nothing, which happens only where neighbouring
    /// hashes leave no room between them: it must not list.
    pub fn ranges(&self) -> impl Iterator<Item = Option<KeyRange>> + '_ {
        let starts = iter::once(0).chain(self.at.iter().copied());
        let ends = self.at.iter().copied().chain([SPACE]);
        starts.zip(ends).map(|(start, end)| {
            let end = u64::try_from(end).ok();
            KeyRange::new(u64::try_from(start).ok()?, end)
        })
    }

    /// Which replica owns this key. O(log replicas).
    #[must_use]
    pub fn owner(&self, key: Key) -> usize {
        self.at.partition_point(|at| *at <= u128::from(key.as_u64()))
    }
}

#[cfg(test)]
mod tests;
