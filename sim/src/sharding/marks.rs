//! What a run of a sharded group went through: as [`crate::marks`], of an election.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Check;
use super::scenario::Scenario;
use super::trace::{Entry, What};
use crate::check::Violation;
use crate::time::{SimTime, Span};

/// A thing that may happen in a sharded group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Moved,
    TwoViews,
    DrainOverdue,
    CutOff,
    RanOut,
    Joined,
    Left,
    Excluded,
    Collected,
    Reconfigured,
    Planned,
    Planner,
    ByHand,
    ClockChanged,
    Restarted,
    OwnerPaused,
    OwnerCrashed,
}

/// Each, and its name in a sweep.
const NAMES: [(Mark, &str); 17] = [
    (Mark::Moved, "slots moved"),
    (Mark::TwoViews, "two views at once"),
    (Mark::DrainOverdue, "drains overdue"),
    (Mark::CutOff, "pieces of work cut off"),
    (Mark::RanOut, "rights that ran out"),
    (Mark::Joined, "joins"),
    (Mark::Left, "leaves"),
    (Mark::Excluded, "exclusions"),
    (Mark::Collected, "records collected"),
    (Mark::Reconfigured, "configurations changed"),
    (Mark::Planned, "plans"),
    (Mark::Planner, "changes of planner"),
    (Mark::ByHand, "writes by hand"),
    (Mark::ClockChanged, "clocks changed"),
    (Mark::Restarted, "restarts"),
    (Mark::OwnerPaused, "owners paused"),
    (Mark::OwnerCrashed, "owners crashed"),
];

/// Counts what happens in a sharded group. It is a [`Check`] that finds nothing.
///
/// ```
/// use tenure_sim::sharding::{catalogue, marks::Marks, tenure_world};
///
/// let scenario = catalogue::find("sharding/crash").unwrap();
/// let mut world = tenure_world(&scenario, 1, &[])?;
/// let mut marks = Marks::new(world.scenario());
/// world.run(&mut marks);
/// let of = |name| marks.counted().into_iter().find(|it| it.0 == name).unwrap().1;
/// assert!(of("owners crashed") > 0 && of("exclusions") > 0 && of("slots moved") > 0);
/// # Ok::<(), tenure_sim::sharding::ScenarioError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Marks {
    counts: [u64; NAMES.len()],
    drain_deadline: Span,
    replicas: BTreeMap<u32, Replica>,
    names: BTreeMap<u32, String>,
    /// Who had each slot last, by how many slots there are and which it is.
    last: BTreeMap<(u32, u32), u32>,
    /// The configuration of each member's last record.
    configurations: BTreeMap<String, String>,
    planner: Option<u32>,
}

#[derive(Debug, Clone, Default)]
struct Replica {
    claims: BTreeSet<(u32, u32)>,
    until: Option<SimTime>,
    /// Slots that were given away with work on them, since when.
    revoked: BTreeMap<(u32, u32), SimTime>,
    /// What is worked on.
    works: BTreeMap<u64, Vec<(u32, u32)>>,
}

impl Marks {
    /// For runs of this scenario, as it was drawn.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            counts: [0; NAMES.len()],
            drain_deadline: scenario.drain_deadline,
            replicas: BTreeMap::new(),
            names: BTreeMap::new(),
            last: BTreeMap::new(),
            configurations: BTreeMap::new(),
            planner: None,
        }
    }

    /// How often each thing happened, by its name.
    #[must_use]
    pub fn counted(&self) -> Vec<(&'static str, u64)> {
        NAMES.iter().map(|(_, name)| *name).zip(self.counts).collect()
    }

    fn add(&mut self, mark: Mark) {
        if let Some(count) = self.counts.get_mut(mark as usize) {
            *count += 1;
        }
    }

    fn add_if(&mut self, whether: bool, mark: Mark) {
        if whether {
            self.add(mark);
        }
    }

    fn of(&mut self, replica: u32) -> &mut Replica {
        self.replicas.entry(replica).or_default()
    }

    fn gained(&mut self, replica: u32, slots: &[(u32, u32)]) {
        let mut two = false;
        for slot in slots {
            let moved = self.last.insert(*slot, replica).is_some_and(|last| last != replica);
            self.add_if(moved, Mark::Moved);
            let mut others = self.replicas.iter().filter(|(other, _)| **other != replica);
            two |= others.any(|(_, other)| other.claims.contains(slot));
        }
        self.add_if(two, Mark::TwoViews);
        let mine = self.of(replica);
        mine.claims.extend(slots);
        mine.revoked.retain(|slot, _| !slots.contains(slot));
    }

    fn lost(&mut self, replica: u32, slots: &[(u32, u32)], at: SimTime) {
        let mine = self.of(replica);
        let ran_out = mine.until.is_some_and(|until| until <= at);
        mine.claims.retain(|slot| !slots.contains(slot));
        mine.revoked.extend(slots.iter().map(|slot| (*slot, at)));
        self.add_if(ran_out, Mark::RanOut);
    }

    /// Work has ended: some of it may have been awaited.
    fn done(&mut self, replica: u32, work: u64, at: SimTime) {
        let deadline = self.drain_deadline;
        let mine = self.of(replica);
        let slots = mine.works.remove(&work).unwrap_or_default();
        let since = slots.iter().filter_map(|slot| mine.revoked.remove(slot)).min();
        let overdue = since.is_some_and(|since| at.saturating_since(since) > deadline);
        self.add_if(overdue, Mark::DrainOverdue);
    }

    fn committed(&mut self, what: &What) {
        let What::Committed { by, name, now, was, .. } = what else { return };
        self.add_if(by.is_none(), Mark::ByHand);
        if **name == *"plan" {
            self.add(Mark::Planned);
            let other = self.planner.is_some() && self.planner != *by;
            self.planner = *by;
            self.add_if(other, Mark::Planner);
        }
        let Some(whose) = name.strip_prefix("member/") else { return };
        let own = by.and_then(|by| self.names.get(&by)).is_some_and(|name| name == whose);
        let Some(now) = now else {
            self.add_if(by.is_some() && !own, Mark::Collected);
            return;
        };
        let became = was
            .as_ref()
            .is_none_or(|was| was.state != now.state || was.incarnation != now.incarnation);
        if became {
            match now.state.as_str() {
                "Joining" if own => self.add(Mark::Joined),
                "Left" if own => self.add(Mark::Left),
                "Excluded" if by.is_some() => self.add(Mark::Excluded),
                _ => {}
            }
        }
        if let Some(generation) = &now.generation {
            let known = self.configurations.entry(whose.to_owned());
            let known = known.or_insert_with(|| generation.clone());
            if known != generation {
                known.clone_from(generation);
                self.add(Mark::Reconfigured);
            }
        }
    }

    fn ended(&mut self, replica: u32, crashed: bool) {
        let mine = core::mem::take(self.of(replica));
        self.add_if(crashed && !mine.claims.is_empty(), Mark::OwnerCrashed);
    }
}

/// Each of them, and of how many.
fn listed(slots: &super::trace::Set) -> Vec<(u32, u32)> {
    let of = slots.0.slots().count();
    slots.0.iter().map(|slot| (of, slot.index())).collect()
}

impl Check for Marks {
    fn name(&self) -> &'static str {
        "marks"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        let at = entry.at;
        match &entry.what {
            What::Started { replica, life, name, .. } => {
                self.names.insert(*replica, name.to_string());
                *self.of(*replica) = Replica::default();
                self.add_if(*life > 0, Mark::Restarted);
            }
            What::Ended { replica, crashed } => self.ended(*replica, *crashed),
            What::Paused { replica } => {
                let owns = !self.of(*replica).claims.is_empty();
                self.add_if(owns, Mark::OwnerPaused);
            }
            What::Clock { .. } => self.add(Mark::ClockChanged),
            What::Until { replica, until, .. } => self.of(*replica).until = *until,
            What::Gained { replica, slots } => self.gained(*replica, &listed(slots)),
            What::Lost { replica, slots } => self.lost(*replica, &listed(slots), at),
            What::Began { replica, work, slot, of, .. } => {
                self.of(*replica).works.insert(*work, vec![(*of, *slot)]);
            }
            What::Cleaning { replica, work, slots } => {
                self.of(*replica).works.insert(*work, listed(slots));
            }
            What::Done { replica, work, cut } => {
                self.add_if(*cut, Mark::CutOff);
                self.done(*replica, *work, at);
            }
            What::Committed { .. } => self.committed(&entry.what),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_stands_in_its_place() {
        for (place, (mark, _)) in NAMES.iter().enumerate() {
            assert_eq!(*mark as usize, place);
        }
    }
}
