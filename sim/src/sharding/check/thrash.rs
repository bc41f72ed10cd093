//! No slot changes its owner more often than the group changed its members. Modes that rank only.

use super::group::Group;
use super::{Found, Property};
use crate::sharding::scenario::Scenario;
use crate::sharding::trace::{Entry, What};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Thrash {
    ranked: bool,
    /// By slot: who gained it last, and how often that was another than before.
    slots: Vec<(Option<u32>, u64)>,
}

impl Thrash {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let slots = vec![(None, 0); scenario.finest().count() as usize];
        Self { ranked: scenario.mode.is_ranked(), slots }
    }
}

impl Property for Thrash {
    fn name(&self) -> &'static str {
        "thrash"
    }

    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>) {
        let What::Gained { replica, slots } = &entry.what else { return };
        let mut told = !self.ranked;
        for slot in &group.fine(&slots.0) {
            let Some((owner, moves)) = self.slots.get_mut(slot.index() as usize) else { continue };
            if owner.replace(*replica) == Some(*replica) {
                continue;
            }
            *moves += 1;
            if !told && *moves > group.changes {
                told = true;
                let changes = group.changes;
                let what = format!(
                    "slot {slot} has its {moves}th owner after {changes} changes of members"
                );
                found.tell("moves", &[*replica], what);
            }
        }
    }
}
