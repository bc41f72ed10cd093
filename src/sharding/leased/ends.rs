use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec;

use crate::sharding::{Slot, Slots};
use crate::time::Instant;

/// When the authority of each held lease ends, and the first of these. A lease under which work winds
/// down is held, too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Ends {
    of: Box<[Option<Instant>]>,
    order: BTreeSet<(Instant, Slot)>,
    first: Instant,
}

impl Default for Ends {
    fn default() -> Self {
        Self { of: Box::default(), order: BTreeSet::new(), first: Instant::END }
    }
}

impl Ends {
    pub(super) fn new(slots: Slots) -> Self {
        Self { of: vec![None; slots.count() as usize].into(), ..Self::default() }
    }

    pub(super) fn set(&mut self, slot: Slot, end: Option<Instant>) {
        let Some(place) = self.of.get_mut(slot.at()) else { return };
        if let Some(before) = core::mem::replace(place, end) {
            self.order.remove(&(before, slot));
        }
        self.order.extend(end.map(|end| (end, slot)));
        self.first = self.order.first().map_or(Instant::END, |(end, _)| *end);
    }

    #[inline]
    pub(super) fn of(&self, slot: Slot) -> Option<Instant> {
        self.of.get(slot.at()).copied().flatten()
    }

    /// Those that have ended at `now`.
    pub(super) fn ended(&self, now: Instant) -> impl Iterator<Item = Slot> {
        let ended = self.order.iter().take_while(move |(end, _)| *end <= now);
        ended.map(|(_, slot)| *slot)
    }

    /// The end of time if none is held.
    #[inline]
    pub(super) const fn first(&self) -> Instant {
        self.first
    }
}

#[cfg(test)]
mod tests {
    use super::{Ends, Instant, Slot, Slots};

    #[test]
    fn the_first_end_is_known_whatever_changes() {
        let (at, slot) = (Instant::from_nanos, Slot::new);
        let mut ends = Ends::new(Slots::new(4).unwrap());
        assert_eq!(ends.first(), Instant::END);
        ends.set(slot(0), Some(at(7)));
        ends.set(slot(1), Some(at(5)));
        assert_eq!((ends.first(), ends.of(slot(0)), ends.of(slot(2))), (at(5), Some(at(7)), None));
        assert!(ends.ended(at(4)).eq([]) && ends.ended(at(5)).eq([slot(1)]));
        assert!(ends.ended(at(7)).eq([slot(1), slot(0)]));
        ends.set(slot(1), Some(at(9)));
        assert_eq!(ends.first(), at(7));
        ends.set(slot(0), None);
        assert_eq!(ends.first(), at(9));
        ends.set(slot(1), None);
        ends.set(slot(4), Some(at(1))); // there is no such slot
        assert_eq!(ends.first(), Instant::END);
    }
}
