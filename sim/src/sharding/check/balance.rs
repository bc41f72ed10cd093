//! At the end, if nothing has changed for long, each replica's share of the slots is within six standard
//! deviations of what its weight gives it. By weighted rendezvous only: others promise something else.

use super::coverage::Bounds;
use super::group::Group;
use super::{Found, Property};
use crate::sharding::scenario::{Mode, Scenario};
use crate::sharding::trace::Entry;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Balance {
    applies: bool,
    bounds: Bounds,
}

impl Balance {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self { applies: scenario.mode == Mode::Ranked && scenario.is_ranked(), bounds: Bounds::of(scenario) }
    }
}

impl Property for Balance {
    fn name(&self) -> &'static str {
        "balance"
    }

    fn observe(&mut self, _: &Group, _: &Entry, _: &mut Found<'_>) {}

    fn finish(&mut self, group: &Group, found: &mut Found<'_>) {
        let quiet = group.now.saturating_since(group.changed) > self.bounds.healing();
        let alive = group.replicas.iter().filter(|it| it.alive).count();
        if !self.applies || !quiet || group.holders().count() != alive || group.faults > 0 {
            return;
        }
        let weights: u128 = group.holders().map(|(_, it)| u128::from(it.weight)).sum();
        let slots = u128::from(group.slots.count());
        for (replica, it) in group.holders() {
            let (has, fair) = (it.claims.len() as u128 * weights, slots * u128::from(it.weight));
            // |has - fair|² <= 36 · variance, all times the sum of the weights.
            let off = has.abs_diff(fair).saturating_sub(weights);
            if off * off > 36 * fair * weights {
                let what = format!(
                    "replica {replica} of weight {} of {weights} has {} slots of {slots}",
                    it.weight,
                    it.claims.len()
                );
                found.tell("share", &[replica], what);
            }
        }
    }
}
