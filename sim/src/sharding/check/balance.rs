//! At the end, if nothing has changed for long, shares are what they are to be. By weighted rendezvous
//! (rule `share`) each replica's part of the slots is within six standard deviations of what its weight
//! gives it. By a plan (rule `load`) each has of what is measured what its weight gives it, but for the
//! policy's slack and the load of a slot. A ring promises neither.

use super::coverage::Bounds;
use super::group::Group;
use super::{Found, Property};
use crate::sharding::scenario::{Mode, Scenario};
use crate::sharding::trace::{Entry, What};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Balance {
    mode: Option<Mode>,
    bounds: Bounds,
    slack_per_mille: u32,
    /// By slot.
    loads: Vec<u32>,
    /// How many slots the configuration has by which replicas have gained last.
    slots: u32,
}

impl Balance {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let alike = scenario.modes().all(|mode| mode == scenario.mode);
        let even = scenario.finest().count() == scenario.slots;
        let promised = match scenario.mode {
            Mode::Ranked => alike,
            Mode::Planned => alike && even,
            Mode::Ring(_) | Mode::Leased => false,
        };
        Self {
            mode: promised.then_some(scenario.mode),
            bounds: Bounds::of(scenario),
            slack_per_mille: scenario.policy.slack_per_mille,
            loads: vec![1; scenario.slots as usize],
            slots: scenario.slots,
        }
    }

    /// Shares of what is measured.
    fn loads(&self, group: &Group, found: &mut Found<'_>) {
        let weights: u128 = group.holders().map(|(_, it)| u128::from(it.weight)).sum();
        let all: u128 = self.loads.iter().copied().map(u128::from).sum();
        // A slot of the configuration is so many of the finest.
        let each = u128::from(group.slots.count()) / u128::from(self.slots.max(1));
        let most = each * u128::from(self.loads.iter().copied().max().unwrap_or(1));
        let slack = 1000 + u128::from(self.slack_per_mille);
        for (replica, it) in group.holders() {
            let of = |slot: tenure::sharding::Slot| self.loads.get(slot.index() as usize);
            let has: u128 = it.claims.iter().filter_map(of).copied().map(u128::from).sum();
            let fair = all * u128::from(it.weight);
            if has * weights * 1000 > (fair + most * weights) * slack {
                let what = format!(
                    "replica {replica} of weight {} of {weights} has a load of {has} of {all}",
                    it.weight
                );
                found.tell("load", &[replica], what);
            }
        }
    }
}

impl Property for Balance {
    fn name(&self) -> &'static str {
        "balance"
    }

    fn observe(&mut self, _: &Group, entry: &Entry, _: &mut Found<'_>) {
        if let What::Gained { slots, .. } = &entry.what {
            self.slots = slots.0.slots().count();
        }
        if let What::Measured { slots: [first, last], load } = entry.what
            && let Some(some) = self.loads.get_mut(first as usize..=last as usize)
        {
            some.fill(load);
        }
    }

    fn finish(&mut self, group: &Group, found: &mut Found<'_>) {
        let quiet = group.now.saturating_since(group.changed) > self.bounds.healing();
        let alive = group.replicas.iter().filter(|it| it.alive).count();
        if !quiet || group.holders().count() != alive || group.faults > 0 {
            return;
        }
        match self.mode {
            Some(Mode::Ranked) => {}
            Some(Mode::Planned) => return self.loads(group, found),
            _ => return,
        }
        let weights: u128 = group.holders().map(|(_, it)| u128::from(it.weight)).sum();
        let slots = u128::from(self.slots);
        // Claims are counted by the finest slots of the run.
        let each = u128::from(group.slots.count()) / slots.max(1);
        for (replica, it) in group.holders() {
            let claims = it.claims.len() as u128 / each.max(1);
            let (has, fair) = (claims * weights, slots * u128::from(it.weight));
            // |has - fair|² <= 36 · variance, all times the sum of the weights.
            let off = has.abs_diff(fair).saturating_sub(weights);
            if off * off > 36 * fair * weights {
                let what = format!(
                    "replica {replica} of weight {} of {weights} has {claims} slots of {slots}",
                    it.weight
                );
                found.tell("share", &[replica], what);
            }
        }
    }
}
