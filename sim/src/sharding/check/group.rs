//! What a group is at some moment of its trace.

use std::collections::BTreeMap;
use std::sync::Arc;

use tenure::sharding::{Slot, SlotSet, Slots};

use crate::sharding::scenario::Scenario;
use crate::sharding::trace::{Entry, What};
use crate::sharding::world::record_of;
use crate::time::SimTime;

/// Who claims what, and what work is in flight. Slots are those of the finest configuration.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// The slots.
    pub(crate) slots: Slots,
    /// The time of the last entry.
    pub(crate) now: SimTime,
    /// The replicas.
    pub(crate) replicas: Vec<Replica>,
    pieces: BTreeMap<u64, (u32, u32, u32)>,
    /// By slot.
    busy: BTreeMap<u32, Vec<(u64, u32)>>,
    cleaning: BTreeMap<u64, (u32, SlotSet)>,
    names: BTreeMap<Arc<str>, Vec<u32>>,
    /// How often the members changed: joins, leaves, exclusions, ends of processes.
    pub(crate) changes: u64,
    /// When the last of these was.
    pub(crate) changed: SimTime,
    /// How many faults go on.
    pub(crate) faults: u64,
}

/// A replica.
#[derive(Debug, Clone)]
pub(crate) struct Replica {
    /// Its process lives.
    pub(crate) alive: bool,
    /// It stands still.
    pub(crate) paused: bool,
    /// It was told to leave.
    pub(crate) leaving: bool,
    /// Until when what it claims holds; for ever if none.
    pub(crate) until: Option<SimTime>,
    /// The same of each slot, where these differ: then [`until`](Self::until) is the last of them.
    pub(crate) ends: BTreeMap<u32, SimTime>,
    /// What it claims.
    pub(crate) claims: SlotSet,
    /// Since when it claims anything.
    pub(crate) since: SimTime,
    /// The configuration of its last record.
    pub(crate) generation: Option<String>,
    /// The incarnation of its last record.
    pub(crate) incarnation: String,
    /// What it can bear.
    pub(crate) weight: u32,
    /// The slowest and the fastest that its clock ever ran.
    pub(crate) rates: (u64, u64),
    /// When its process started.
    pub(crate) started: SimTime,
}

impl Group {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let slots = scenario.finest();
        let replica = Replica {
            alive: false,
            paused: false,
            leaving: false,
            until: Some(SimTime::ZERO),
            ends: BTreeMap::new(),
            claims: SlotSet::none(slots),
            since: SimTime::ZERO,
            generation: None,
            incarnation: String::new(),
            weight: 1,
            rates: (u64::MAX, 0),
            started: SimTime::ZERO,
        };
        let count = scenario.replicas.iter().map(|it| it.count as usize).sum();
        Self {
            slots,
            now: SimTime::ZERO,
            replicas: vec![replica; count],
            pieces: BTreeMap::new(),
            busy: BTreeMap::new(),
            cleaning: BTreeMap::new(),
            names: BTreeMap::new(),
            changes: 0,
            changed: SimTime::ZERO,
            faults: 0,
        }
    }

    /// The replica of this index.
    #[must_use]
    pub(crate) fn get(&self, replica: u32) -> Option<&Replica> {
        self.replicas.get(replica as usize)
    }

    /// Whether anything that a replica claims holds now.
    #[must_use]
    pub(crate) fn holds(&self, replica: u32) -> bool {
        self.get(replica)
            .is_some_and(|it| it.alive && it.until.is_none_or(|until| self.now < until))
    }

    /// Whether a replica claims a slot of the finest configuration, and the claim holds now.
    #[must_use]
    pub(crate) fn has(&self, replica: u32, slot: Slot) -> bool {
        self.get(replica).is_some_and(|it| it.alive && it.claims.contains(slot))
            && self.end(replica, slot.index()).is_none_or(|end| self.now < end)
    }

    /// Until when a replica's claim to a slot of the finest configuration holds; for ever if none.
    #[must_use]
    pub(crate) fn end(&self, replica: u32, slot: u32) -> Option<SimTime> {
        let Some(it) = self.get(replica) else { return Some(SimTime::ZERO) };
        let own = it.ends.get(&slot).copied();
        own.into_iter().chain(it.until).min()
    }

    /// Those of whose claims any hold, and are not empty.
    pub(crate) fn holders(&self) -> impl Iterator<Item = (u32, &Replica)> {
        let all = (0..).zip(&self.replicas);
        all.filter(|(index, replica)| !replica.claims.is_empty() && self.holds(*index))
    }

    /// A set of slots of any configuration, in slots of the finest.
    #[must_use]
    pub(crate) fn fine(&self, set: &SlotSet) -> SlotSet {
        if set.slots() == self.slots {
            return set.clone();
        }
        let mut fine = SlotSet::none(self.slots);
        for slot in set {
            let (first, end) = self.range(slot.index(), set.slots().count());
            fine.extend((first..end).filter_map(|index| self.slots.get(index)));
        }
        fine
    }

    /// A slot of so many, as the first slot of the finest configuration and the one after the last.
    #[must_use]
    pub(crate) fn range(&self, slot: u32, of: u32) -> (u32, u32) {
        let width = self.slots.count() / of.max(1);
        (slot * width, (slot + 1) * width)
    }

    /// Who works on these slots now, cleaning up included.
    pub(crate) fn workers(&self, first: u32, end: u32) -> impl Iterator<Item = u32> + '_ {
        let pieces = self.busy.range(first..end).flat_map(|(_, works)| works);
        let hits = move |set: &SlotSet| {
            (first..end).filter_map(|index| self.slots.get(index)).any(|slot| set.contains(slot))
        };
        let cleaning = self.cleaning.values().filter(move |(_, set)| hits(set));
        pieces.map(|(_, replica)| *replica).chain(cleaning.map(|(replica, _)| *replica))
    }

    /// Whether a replica has work in flight.
    #[must_use]
    pub(crate) fn works(&self, replica: u32) -> bool {
        self.pieces.values().any(|(of, ..)| *of == replica)
            || self.cleaning.values().any(|(of, _)| *of == replica)
    }

    /// Whether the object is the record of this replica.
    #[must_use]
    pub(crate) fn is_record(&self, name: &str, replica: u32) -> bool {
        self.names.get(name).is_some_and(|replicas| replicas.contains(&replica))
    }

    fn drop_work(&mut self, work: u64) {
        self.cleaning.remove(&work);
        let Some((_, first, end)) = self.pieces.remove(&work) else { return };
        for slot in first..end {
            if let Some(works) = self.busy.get_mut(&slot) {
                works.retain(|(other, _)| *other != work);
                if works.is_empty() {
                    self.busy.remove(&slot);
                }
            }
        }
    }

    fn change(&mut self) {
        self.changes += 1;
        self.changed = self.now;
    }

    pub(crate) fn apply(&mut self, entry: &Entry) {
        self.now = entry.at;
        match &entry.what {
            What::Started { replica, name, weight, rate_ppb, .. } => {
                let replicas = self.names.entry(record_of(name)).or_default();
                if !replicas.contains(replica) {
                    replicas.push(*replica);
                }
                self.change();
                let now = self.now;
                self.with(*replica, |it| {
                    (it.alive, it.leaving, it.started, it.weight) = (true, false, now, *weight);
                    it.until = Some(SimTime::ZERO);
                    it.ends.clear();
                    it.ran(*rate_ppb);
                });
            }
            What::Ended { replica, .. } => self.ended(*replica),
            What::Paused { replica } => self.with(*replica, |it| it.paused = true),
            What::Resumed { replica } => self.with(*replica, |it| it.paused = false),
            What::Leaving { replica } => self.with(*replica, |it| it.leaving = true),
            What::Clock { replica, rate_ppb } => self.with(*replica, |it| it.ran(*rate_ppb)),
            What::Until { replica, until, .. } => self.with(*replica, |it| it.until = *until),
            What::Ends { replica, slots, until } => {
                let slots = self.fine(&slots.0);
                let ends = slots.iter().map(|slot| (slot.index(), *until));
                self.with(*replica, |it| it.ends.extend(ends));
            }
            What::Gained { replica, slots } => {
                let (slots, now) = (self.fine(&slots.0), self.now);
                self.with(*replica, |it| {
                    if it.claims.is_empty() {
                        it.since = now;
                    }
                    it.claims.add(&slots);
                });
            }
            What::Lost { replica, slots } => {
                let slots = self.fine(&slots.0);
                self.with(*replica, |it| it.claims.subtract(&slots));
            }
            What::Began { replica, work, slot, of, .. } => {
                let (first, end) = self.range(*slot, *of);
                self.pieces.insert(*work, (*replica, first, end));
                for slot in first..end {
                    self.busy.entry(slot).or_default().push((*work, *replica));
                }
            }
            What::Cleaning { replica, work, slots } => {
                let slots = self.fine(&slots.0);
                self.cleaning.insert(*work, (*replica, slots));
            }
            What::Done { work, .. } => self.drop_work(*work),
            What::Committed { .. } => self.committed(&entry.what),
            What::Fault { .. } => self.faults += 1,
            What::FaultEnded { .. } => self.faults = self.faults.saturating_sub(1),
            What::Wrote { .. }
            | What::Spins { .. }
            | What::Healed
            | What::Horizon
            | What::Measured { .. } => {}
        }
    }

    fn ended(&mut self, replica: u32) {
        self.change();
        self.with(replica, |it| {
            (it.alive, it.until) = (false, Some(SimTime::ZERO));
            it.claims = SlotSet::none(it.claims.slots());
        });
        let own = self.pieces.iter().filter(|(_, (of, ..))| *of == replica);
        let own: Vec<u64> = own.map(|(work, _)| *work).collect();
        for work in own {
            self.drop_work(work);
        }
        self.cleaning.retain(|_, (of, _)| *of != replica);
    }

    fn committed(&mut self, what: &What) {
        let What::Committed { by, name, now, was, .. } = what else { return };
        let states = (was.as_ref().map(|was| was.state.as_str()), now.as_ref());
        if let (before, Some(now)) = states
            && !now.state.is_empty()
            && (before != Some(&now.state)
                || was.as_ref().is_some_and(|was| was.incarnation != now.incarnation))
        {
            self.change();
        }
        if let (Some(by), Some(now)) = (by, now)
            && self.is_record(name, *by)
        {
            self.with(*by, |it| {
                it.generation.clone_from(&now.generation);
                it.incarnation.clone_from(&now.incarnation);
                it.weight = now.weight.unwrap_or(it.weight);
            });
        }
    }

    fn with(&mut self, replica: u32, change: impl FnOnce(&mut Replica)) {
        if let Some(replica) = self.replicas.get_mut(replica as usize) {
            change(replica);
        }
    }
}

impl Replica {
    fn ran(&mut self, rate_ppb: u64) {
        self.rates = (self.rates.0.min(rate_ppb), self.rates.1.max(rate_ppb));
    }
}
