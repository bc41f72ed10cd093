//! No two replicas have a slot at one instant (rule `authority`), nor work on it (rule `work`).

use std::collections::BTreeMap;

use tenure::sharding::SlotSet;

use super::group::Group;
use super::{Found, Property};
use crate::sharding::scenario::Scenario;
use crate::sharding::trace::{Entry, What};
use crate::time::SimTime;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct OneOwner {
    /// Who gained each slot last, plus one.
    holders: Vec<u32>,
    /// Until when each replica's claims held, as far as was known before this entry.
    until: Vec<Option<SimTime>>,
    /// The same of slots with ends of their own, by replica.
    ends: Vec<BTreeMap<u32, SimTime>>,
}

impl OneOwner {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let count = scenario.replicas.iter().map(|it| it.count as usize).sum();
        let until = vec![Some(SimTime::ZERO); count];
        let ends = vec![BTreeMap::new(); count];
        Self { holders: vec![0; scenario.finest().count() as usize], until, ends }
    }

    /// Claims to `slots` that had expired hold again: nobody may have taken any of them over.
    fn extended(group: &Group, replica: u32, slots: &SlotSet, found: &mut Found<'_>) {
        let Some(one) = group.get(replica).filter(|it| !it.claims.is_empty()) else { return };
        let both = |other: &super::group::Replica| {
            let mut both = other.claims.clone();
            both.keep(&one.claims);
            both.keep(slots);
            both
        };
        for (other, it) in group.holders().filter(|(other, _)| *other != replica) {
            if let Some(slot) = both(it).iter().find(|slot| group.has(other, *slot)) {
                let what = format!(
                    "replica {replica}'s claim to slot {slot} holds again after its end, and replica \
                     {other} has it"
                );
                found.tell("authority", &[replica, other], what);
                return;
            }
        }
    }
}

impl Property for OneOwner {
    fn name(&self) -> &'static str {
        "one-owner"
    }

    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>) {
        match &entry.what {
            What::Gained { replica, slots } => {
                let mut told = false;
                for slot in &group.fine(&slots.0) {
                    let Some(holder) = self.holders.get_mut(slot.index() as usize) else {
                        continue;
                    };
                    let other = holder.wrapping_sub(1);
                    *holder = replica + 1;
                    if !told
                        && other != *replica
                        && group.has(*replica, slot)
                        && group.has(other, slot)
                    {
                        told = true;
                        let until = group.end(other, slot.index());
                        let what = format!(
                            "replica {replica} gains slot {slot}, which replica {other} has until {}",
                            until.unwrap_or(SimTime::NEVER)
                        );
                        found.tell("authority", &[*replica, other], what);
                    }
                }
            }
            What::Until { replica, until, .. } => {
                let Some(before) = self.until.get_mut(*replica as usize) else { return };
                let had_ended = before.is_some_and(|before| before <= entry.at);
                *before = *until;
                let differ = group.get(*replica).is_some_and(|it| !it.ends.is_empty());
                if had_ended && !differ && group.holds(*replica) {
                    Self::extended(group, *replica, &SlotSet::all(group.slots), found);
                }
            }
            What::Ends { replica, slots, until } => {
                let Some(ends) = self.ends.get_mut(*replica as usize) else { return };
                let mut again = SlotSet::none(group.slots);
                for slot in &group.fine(&slots.0) {
                    let before = ends.insert(slot.index(), *until);
                    if before.is_some_and(|before| before <= entry.at) && group.has(*replica, slot)
                    {
                        again.insert(slot);
                    }
                }
                if !again.is_empty() {
                    Self::extended(group, *replica, &again, found);
                }
            }
            What::Ended { replica, .. } => {
                if let Some(until) = self.until.get_mut(*replica as usize) {
                    *until = Some(SimTime::ZERO);
                }
                if let Some(ends) = self.ends.get_mut(*replica as usize) {
                    ends.clear();
                }
            }
            What::Began { replica, slot, of, .. } => {
                let (first, end) = group.range(*slot, *of);
                if let Some(other) = group.workers(first, end).find(|other| other != replica) {
                    let what = format!(
                        "replica {replica} begins work on slot {slot}, on which replica {other} works"
                    );
                    found.tell("work", &[*replica, other], what);
                }
            }
            _ => {}
        }
    }
}
