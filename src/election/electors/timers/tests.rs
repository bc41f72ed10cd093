//! The laws of the heap, against a sorted map.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{ABSENT, CHILDREN, Timers};
use crate::election::ElectorId;
use crate::time::Instant;

/// What to set, and for whom. Few slots and few times, so that they meet.
fn changes() -> impl Strategy<Value = Vec<(usize, Option<u64>)>> {
    let due = prop_oneof![4 => (0..20u64).prop_map(Some), 1 => Just(None)];
    prop::collection::vec((0..60usize, due), 0..300)
}

/// Elder electors need not have lower slots.
fn id(slot: usize) -> ElectorId {
    ElectorId { serial: (slot as u64 * 37) % 61, slot }
}

fn assert_is_a_heap(timers: &Timers) {
    for (at, timer) in timers.heap.iter().enumerate().skip(1) {
        assert!(timers.heap[(at - 1) / CHILDREN] <= *timer);
    }
    for (slot, place) in timers.places.iter().enumerate() {
        let entry = timers.heap.get(*place);
        assert_eq!(entry.map(|entry| entry.1.slot), (*place != ABSENT).then_some(slot));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn does_what_a_sorted_map_does(changes in changes()) {
        let mut timers = Timers::default();
        let mut model = BTreeMap::new();
        for (slot, due) in changes {
            let due = due.map(Instant::from_nanos);
            timers.set(id(slot), due);
            model.remove(&slot);
            model.extend(due.map(|due| (slot, (due, id(slot)))));
            prop_assert_eq!(timers.first(), model.values().min().copied());
            prop_assert_eq!(timers.heap.len(), model.len());
            assert_is_a_heap(&timers);
        }
        // Taken out one by one, they come in order.
        let mut sorted: Vec<_> = model.into_values().collect();
        sorted.sort_unstable();
        for timer in sorted {
            prop_assert_eq!(timers.first(), Some(timer));
            timers.set(timer.1, None);
            assert_is_a_heap(&timers);
        }
        prop_assert_eq!(timers.first(), None);
    }
}
