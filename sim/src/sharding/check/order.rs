//! Of two replicas that have slots at one instant, each slot's owner is the one that ranks first for it,
//! whatever came and went before, in whatever order it was heard of, however names are alike: two whose
//! views contain each other never differ. Weighted rendezvous of one configuration only, as anybody can
//! reckon it, and groups of moderate size.

use std::sync::Arc;

use core::num::NonZeroU32;

use tenure::placement::{Key, Member, Members, Placement as _, Rendezvous};
use tenure::sharding::{Slot, SlotSet};

use super::group::Group;
use super::{Found, Property};
use crate::sharding::scenario::{Mode, Scenario};
use crate::sharding::trace::{Entry, What};

/// Slots times replicas, at most: all pairs are looked at.
const MOST: u64 = 1 << 19;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Order {
    applies: bool,
    /// By replica.
    names: Vec<Arc<str>>,
}

impl Order {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let count: usize = scenario.replicas.iter().map(|it| it.count as usize).sum();
        let changes = scenario.faults.iter().filter_map(|planned| planned.fault.change());
        let slots = changes.filter_map(|change| change.slots);
        let slots = slots.chain(scenario.replicas.iter().filter_map(|replica| replica.slots));
        let alike = slots.into_iter().all(|slots| slots == scenario.slots);
        let applies = scenario.mode == Mode::Ranked
            && scenario.is_ranked()
            && alike
            && count as u64 * u64::from(scenario.slots) <= MOST;
        Self { applies, names: vec!["".into(); count] }
    }

    fn member(&self, replica: u32, weight: u32) -> Option<Member> {
        let name = self.names.get(replica as usize).filter(|name| !name.is_empty())?;
        Some(Member::new(Arc::clone(name)).with_weight(NonZeroU32::new(weight)?))
    }

    /// A slot of `owner` for which `other` ranks first.
    fn wrong(&self, owner: (u32, u32), other: (u32, u32), slots: &SlotSet) -> Option<u32> {
        let own = self.member(owner.0, owner.1)?;
        let members = Members::new([self.member(other.0, other.1)?, own.clone()]).ok()?;
        let placement = Rendezvous::new(members);
        let first = |index: u32| placement.place(Key::from_hash(index.into()));
        slots.iter().map(Slot::index).find(|index| first(*index) != Some(&own))
    }
}

impl Property for Order {
    fn name(&self) -> &'static str {
        "order"
    }

    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>) {
        let (replica, slots) = match &entry.what {
            What::Started { replica, name, .. } => {
                if let Some(known) = self.names.get_mut(*replica as usize) {
                    known.clone_from(name);
                }
                return;
            }
            What::Gained { replica, slots } if self.applies => (*replica, &slots.0),
            _ => return,
        };
        let Some(it) = group.get(replica).filter(|_| group.holds(replica)) else { return };
        let one = (replica, it.weight);
        let new = it.claims.len() == slots.len();
        for (other, its) in group.holders().filter(|(other, _)| *other != replica) {
            let two = (other, its.weight);
            let mine = self.wrong(one, two, slots).map(|slot| (slot, replica, other));
            let theirs = || self.wrong(two, one, &its.claims).map(|slot| (slot, other, replica));
            if let Some((slot, owner, first)) = mine.or_else(|| theirs().filter(|_| new)) {
                let what = format!(
                    "slot {slot} is replica {owner}'s, and replica {first}, which has slots too, ranks \
                     before it"
                );
                found.tell("rank", &[owner, first], what);
                return;
            }
        }
    }
}
