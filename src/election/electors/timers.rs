//! When each elector is due: a heap that knows where each of its entries is.

use alloc::vec::Vec;

use super::ElectorId;
use crate::time::Instant;

/// Children of an entry. Measured, two setters a renewal: 2, 4 and 8 cost the same up to 10,000
/// electors, 8 an eighth less at 100,000.
const CHILDREN: usize = 8;
/// The place of an elector that is not in the heap.
const ABSENT: usize = usize::MAX;

/// At most one due time for each elector; earlier ones first, at one time the elder elector first.
///
/// Not a `BTreeSet`: that one allocates as it changes, and takes five times as long for ten electors,
/// half as long again for 10,000.
#[derive(Debug, Clone, Default)]
pub(super) struct Timers {
    heap: Vec<Timer>,
    /// Where in the heap the elector of each slot is.
    places: Vec<usize>,
}

type Timer = (Instant, ElectorId);

impl Timers {
    /// The first, in constant time.
    pub(super) fn first(&self) -> Option<Timer> {
        self.heap.first().copied()
    }

    /// When `id` is due.
    pub(super) fn of(&self, id: ElectorId) -> Option<Instant> {
        self.heap.get(*self.places.get(id.slot)?).map(|(due, _)| *due)
    }

    /// From now on `id` is due then, or not at all. O(log n).
    pub(super) fn set(&mut self, id: ElectorId, due: Option<Instant>) {
        if self.places.len() <= id.slot {
            self.places.resize(id.slot + 1, ABSENT);
            self.heap.reserve(self.places.len() - self.heap.len());
        }
        let place = self.places.get(id.slot).copied().unwrap_or(ABSENT);
        match (self.heap.get(place).copied(), due) {
            (Some(timer), Some(due)) if timer == (due, id) => {}
            (Some(_), Some(due)) => self.settle(place, (due, id)),
            (None, Some(due)) => {
                self.heap.push((due, id));
                self.settle(self.heap.len() - 1, (due, id));
            }
            (Some(_), None) => self.take(place, id),
            (None, None) => {}
        }
    }

    fn take(&mut self, place: usize, id: ElectorId) {
        if let Some(gone) = self.places.get_mut(id.slot) {
            *gone = ABSENT;
        }
        let last = self.heap.pop();
        if let Some(last) = last.filter(|_| place < self.heap.len()) {
            self.settle(place, last);
        }
    }

    /// Puts `timer`, for which there is room at `at`, where it belongs.
    fn settle(&mut self, mut at: usize, timer: Timer) {
        while let Some(above) = at.checked_sub(1).map(|before| before / CHILDREN) {
            let Some(parent) = self.heap.get(above).copied().filter(|parent| timer < *parent)
            else {
                break;
            };
            self.put(at, parent);
            at = above;
        }
        while let Some((below, child)) = self.first_child(at).filter(|(_, child)| *child < timer) {
            self.put(at, child);
            at = below;
        }
        self.put(at, timer);
    }

    fn first_child(&self, at: usize) -> Option<(usize, Timer)> {
        let begin = at * CHILDREN + 1;
        let end = self.heap.len().min(begin + CHILDREN);
        let children = self.heap.get(begin..end)?;
        let (offset, child) = children.iter().enumerate().min_by_key(|(_, child)| **child)?;
        Some((begin + offset, *child))
    }

    fn put(&mut self, at: usize, timer: Timer) {
        if let (Some(entry), Some(place)) =
            (self.heap.get_mut(at), self.places.get_mut(timer.1.slot))
        {
            *entry = timer;
            *place = at;
        }
    }
}

#[cfg(test)]
mod tests;
