//! What a run of a sharded group went through: as [`crate::marks`], of an election.

use std::collections::BTreeMap;

use tenure::sharding::SlotSet;

use super::check::Check;
use super::scenario::Scenario;
use super::trace::{Entry, Set, What};
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
    /// The slots, by how many there are.
    slots: BTreeMap<u32, Vec<Slot>>,
    /// The configuration of each member's last record.
    configurations: BTreeMap<String, String>,
    planner: Option<u32>,
}

/// A slot of so many.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// Who had it last.
    last: Option<u32>,
    /// How many claim it.
    claims: u32,
}

#[derive(Debug, Clone, Default)]
struct Replica {
    /// By how many slots there are.
    claims: BTreeMap<u32, SlotSet>,
    until: Option<SimTime>,
    /// Slots that were given away with work on them, since when.
    revoked: BTreeMap<(u32, u32), SimTime>,
    /// What is worked on.
    works: BTreeMap<u64, Work>,
}

impl Replica {
    fn owns(&self) -> bool {
        self.claims.values().any(|claims| !claims.is_empty())
    }
}

#[derive(Debug, Clone)]
enum Work {
    One(u32, u32),
    Many(Set),
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
            slots: BTreeMap::new(),
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

    fn gained(&mut self, replica: u32, gained: &SlotSet) {
        let of = gained.slots().count();
        let all = self.slots.entry(of).or_insert_with(|| vec![Slot::default(); of as usize]);
        let mine = self.replicas.entry(replica).or_default();
        let claims = mine.claims.entry(of).or_insert_with(|| SlotSet::none(gained.slots()));
        let (mut moved, mut two) = (0, false);
        for slot in gained {
            let Some(known) = all.get_mut(slot.index() as usize) else { continue };
            let own = u32::from(!claims.insert(slot));
            two |= known.claims > own;
            known.claims += 1 - own;
            moved += u64::from(known.last.replace(replica).is_some_and(|last| last != replica));
            if !mine.revoked.is_empty() {
                mine.revoked.remove(&(of, slot.index()));
            }
        }
        if let Some(count) = self.counts.get_mut(Mark::Moved as usize) {
            *count += moved;
        }
        self.add_if(two, Mark::TwoViews);
    }

    fn lost(&mut self, replica: u32, lost: &SlotSet, at: SimTime) {
        let of = lost.slots().count();
        let mine = self.replicas.entry(replica).or_default();
        let ran_out = mine.until.is_some_and(|until| until <= at);
        mine.revoked.extend(lost.iter().map(|slot| ((of, slot.index()), at)));
        if let Some(claims) = mine.claims.get_mut(&of) {
            let mut given = claims.clone();
            given.keep(lost);
            claims.subtract(&given);
            self.unclaimed(&given);
        }
        self.add_if(ran_out, Mark::RanOut);
    }

    /// One claims these no more.
    fn unclaimed(&mut self, given: &SlotSet) {
        let Some(all) = self.slots.get_mut(&given.slots().count()) else { return };
        for slot in given {
            if let Some(known) = all.get_mut(slot.index() as usize) {
                known.claims = known.claims.saturating_sub(1);
            }
        }
    }

    /// Work has ended: some of it may have been awaited.
    fn done(&mut self, replica: u32, work: u64, at: SimTime) {
        let deadline = self.drain_deadline;
        let mine = self.of(replica);
        let Some(work) = mine.works.remove(&work) else { return };
        if mine.revoked.is_empty() {
            return;
        }
        let since = match work {
            Work::One(of, slot) => mine.revoked.remove(&(of, slot)),
            Work::Many(Set(slots)) => {
                let of = slots.slots().count();
                let since = slots.iter().filter_map(|it| mine.revoked.remove(&(of, it.index())));
                since.min()
            }
        };
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
            match self.configurations.get_mut(whose) {
                Some(known) if known == generation => {}
                Some(known) => {
                    known.clone_from(generation);
                    self.add(Mark::Reconfigured);
                }
                None => {
                    self.configurations.insert(whose.to_owned(), generation.clone());
                }
            }
        }
    }

    fn ended(&mut self, replica: u32, crashed: bool) {
        let mine = core::mem::take(self.of(replica));
        mine.claims.values().for_each(|claims| self.unclaimed(claims));
        self.add_if(crashed && mine.owns(), Mark::OwnerCrashed);
    }
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
                self.ended(*replica, false);
                self.add_if(*life > 0, Mark::Restarted);
            }
            What::Ended { replica, crashed } => self.ended(*replica, *crashed),
            What::Paused { replica } => {
                let owns = self.of(*replica).owns();
                self.add_if(owns, Mark::OwnerPaused);
            }
            What::Clock { .. } => self.add(Mark::ClockChanged),
            What::Until { replica, until, .. } => self.of(*replica).until = *until,
            What::Gained { replica, slots } => self.gained(*replica, &slots.0),
            What::Lost { replica, slots } => self.lost(*replica, &slots.0, at),
            What::Began { replica, work, slot, of, .. } => {
                self.of(*replica).works.insert(*work, Work::One(*of, *slot));
            }
            What::Cleaning { replica, work, slots } => {
                self.of(*replica).works.insert(*work, Work::Many(slots.clone()));
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
