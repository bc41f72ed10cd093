//! Points on the circle of 64-bit numbers, each owned by a member: what rings are made of.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::iter;

/// How many points [`Table::first`] looks at in one go, without a branch between them.
const STRIDE: usize = 4;

/// Points in ascending order, those at one place in order of their owners, and an index over their top
/// bits: a search looks at one entry of the index and, where points are well mixed, at the next four
/// points.
///
/// Per point 8 bytes, and for up to 65,531 of them 2 for the owner and 1 to 2 for the index; else
/// twice as much for these.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Points {
    Narrow(Table<u16>),
    Wide(Table<u32>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Table<I> {
    points: Box<[u64]>, // ascending, then a stride of `u64::MAX`, so that every search ends
    owners: Box<[I]>,   // of each point, then the first again: who is past the last is at the first
    index: Box<[I]>, // for each value of the top bits, how many points lie below all such numbers
    shift: u32,      // what takes a number to its top bits
}

impl Points {
    /// The most points there may be: 1 GB of them.
    pub(super) const MOST: usize = 1 << 26;

    /// Points and the positions of their owners, given in any order; what exceeds
    /// [`MOST`](Self::MOST) is dropped. O(p log p).
    pub(super) fn new(mut points: Vec<(u64, u32)>) -> Self {
        points.truncate(Self::MOST);
        points.sort_unstable();
        let owners = points.iter().map(|(_, owner)| *owner).max();
        let narrow = u16::try_from(points.len() + STRIDE).is_ok();
        if narrow && owners.is_none_or(|greatest| u16::try_from(greatest).is_ok()) {
            Self::Narrow(Table::new(&points))
        } else {
            Self::Wide(Table::new(&points))
        }
    }

    /// Who owns the first point at or after `at`, over the top if need be; `None` if there is no point.
    #[inline]
    pub(super) fn owner(&self, at: u64) -> Option<usize> {
        match self {
            Self::Narrow(table) => table.owner(table.first(at)),
            Self::Wide(table) => table.owner(table.first(at)),
        }
    }

    /// The first point at or after `at`, over the top if need be, and its owner.
    #[inline]
    pub(super) fn next(&self, at: u64) -> Option<(u64, usize)> {
        match self {
            Self::Narrow(table) => table.next(at),
            Self::Wide(table) => table.next(at),
        }
    }

    /// The points from the first at or after `at`, with their owners, once round the circle.
    #[inline]
    pub(super) fn clockwise(&self, at: u64) -> impl Iterator<Item = (u64, usize)> {
        let (first, len) = match self {
            Self::Narrow(table) => (table.first(at), table.len()),
            Self::Wide(table) => (table.first(at), table.len()),
        };
        (first..len).chain(0..first).map_while(|number| match self {
            Self::Narrow(table) => table.get(number),
            Self::Wide(table) => table.get(number),
        })
    }
}

impl<I: Copy + Into<u32> + TryFrom<usize>> Table<I> {
    /// Of sorted points. All numbers fit into an `I`.
    fn new(points: &[(u64, u32)]) -> Self {
        let narrow = |number: usize| I::try_from(number).ok();
        let buckets = (points.len().next_power_of_two() / 2).max(2); // so that a shift is below 64
        let shift = u64::BITS - buckets.ilog2();
        let mut below = 0;
        let index = (0..buckets as u64).map_while(|bucket| {
            let rest = points.iter().skip(below);
            below += rest.take_while(|(point, _)| point >> shift < bucket).count();
            narrow(below)
        });
        let owners = points.iter().chain(points.first());
        Self {
            index: index.collect(),
            owners: owners.map_while(|(_, owner)| narrow(*owner as usize)).collect(),
            points: points
                .iter()
                .map(|(point, _)| *point)
                .chain(iter::repeat_n(u64::MAX, STRIDE))
                .collect(),
            shift,
        }
    }

    fn len(&self) -> usize {
        self.points.len().saturating_sub(STRIDE)
    }

    /// How many points lie before `at`: the number of the first that does not.
    #[inline]
    fn first(&self, at: u64) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the index is as long as usize reaches"
        )]
        let bucket = (at >> self.shift) as usize;
        let start = self.index.get(bucket).map_or(0, |start| (*start).into() as usize);
        let next = self.points.get(start..).and_then(<[u64]>::first_chunk::<STRIDE>);
        // All are compared, for a branch that is taken by chance costs more than three comparisons.
        let below = next.map_or(0, |next| next.iter().map(|point| usize::from(*point < at)).sum());
        if below < STRIDE { start + below } else { self.far(bucket, start + below, at) }
    }

    /// The same where a bucket is full: between `start` and the next bucket.
    #[cold]
    fn far(&self, bucket: usize, start: usize, at: u64) -> usize {
        let end = self.index.get(bucket + 1).map_or(self.len(), |end| (*end).into() as usize);
        let rest = self.points.get(start..end).unwrap_or_default();
        start + rest.partition_point(|point| *point < at)
    }

    #[inline]
    fn owner(&self, number: usize) -> Option<usize> {
        self.owners.get(number).map(|owner| (*owner).into() as usize)
    }

    #[inline]
    fn next(&self, at: u64) -> Option<(u64, usize)> {
        let number = self.first(at);
        self.get(if number < self.len() { number } else { 0 })
    }

    #[inline]
    fn get(&self, number: usize) -> Option<(u64, usize)> {
        Some((*self.points.get(number)?, self.owner(number)?))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{Points, STRIDE};
    use crate::placement::hash::mix;

    /// Against a search without an index: well mixed points, points in one heap, and both widths.
    #[test]
    fn the_index_finds_what_a_plain_search_finds() {
        let mixed = |count: u32| (0..count).map(|n| (mix(u64::from(n)), n)).collect::<Vec<_>>();
        let heap = |count: u32| (0..count).map(|n| (u64::from(n) * 9, n)).collect::<Vec<_>>();
        let ends = [(0, 1), (0, 0), (u64::MAX, 3), (u64::MAX, 2), (1 << 63, 4)];
        let long = 65_535 - u32::try_from(STRIDE).unwrap();
        for points in [
            mixed(0),
            mixed(1),
            mixed(2),
            mixed(3),
            mixed(100),
            mixed(1000),
            mixed(long),
            mixed(long + 1),
            mixed(100_000),
            heap(5),
            heap(70_000),
            ends.into(),
            ends[2..4].into(),
            [(7, 70_000)].into(),
        ] {
            let table = Points::new(points.clone());
            let mut sorted = points;
            sorted.sort_unstable();
            assert_eq!(
                matches!(table, Points::Narrow(_)),
                sorted.len() <= long as usize && sorted.iter().all(|p| p.1 < 65_536)
            );
            let near = sorted
                .iter()
                .take(1000)
                .flat_map(|(point, _)| [point.wrapping_sub(1), *point, point.wrapping_add(1)]);
            for at in near.chain((0..1000).map(|n| mix(n + 7_000_000))).chain([0, u64::MAX]) {
                let first = sorted.partition_point(|(point, _)| *point < at);
                let turned = sorted[first..].iter().chain(&sorted[..first]);
                let turned = turned.map(|(point, owner)| (*point, *owner as usize)).take(20);
                assert_eq!(table.owner(at), turned.clone().next().map(|(_, owner)| owner));
                assert_eq!(table.next(at), turned.clone().next());
                assert!(table.clockwise(at).take(20).eq(turned), "{at}");
            }
            assert_eq!(table.clockwise(9).count(), sorted.len());
        }
    }
}
