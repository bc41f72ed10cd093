//! What one run shows: who had, or worked on, which slot from when to when.

use std::collections::BTreeMap;

use tenure::sharding::{Slot, SlotSet, Slots};

use super::Figures;
use crate::sharding::scenario::Scenario;
use crate::sharding::trace::{Entry, What};
use crate::time::{SimTime, Span};

/// A replica had a slot, or worked on it.
#[derive(Debug, Clone, Copy)]
struct Held {
    replica: u32,
    from: SimTime,
    to: SimTime,
    /// It took it to be its own; else work went on.
    owns: bool,
}

#[derive(Debug, Clone)]
struct Replica {
    alive: bool,
    paused: bool,
    until: Option<SimTime>,
    /// The same of slots with ends of their own.
    ends: BTreeMap<u32, SimTime>,
    claims: SlotSet,
    /// Since when each slot is held, while it runs.
    since: BTreeMap<u32, SimTime>,
}

impl Replica {
    fn end(&self, slot: u32) -> Option<SimTime> {
        self.ends.get(&slot).copied().into_iter().chain(self.until).min()
    }
}

/// Measures.
#[derive(Debug)]
pub(super) struct Measure {
    slots: Slots,
    settled: SimTime,
    replicas: Vec<Replica>,
    /// Pieces of work: whose, on which slots, since when.
    works: BTreeMap<u64, (u32, core::ops::Range<u32>, SimTime)>,
    held: BTreeMap<u32, Vec<Held>>,
    /// What those had that went, unless they came back.
    gone: BTreeMap<u32, usize>,
    /// Fair shares of those that came.
    came: usize,
    shares: Option<(u64, u64)>,
}

impl Measure {
    /// Of the replicas of `scenario`, and of no more.
    pub(super) fn new(scenario: &Scenario, settled: SimTime) -> Self {
        let slots = scenario.finest();
        let replica = Replica {
            alive: false,
            paused: false,
            until: Some(SimTime::ZERO),
            ends: BTreeMap::new(),
            claims: SlotSet::none(slots),
            since: BTreeMap::new(),
        };
        Self {
            slots,
            settled,
            replicas: vec![replica; scenario.replicas.len()],
            works: BTreeMap::new(),
            held: BTreeMap::new(),
            gone: BTreeMap::new(),
            came: 0,
            shares: None,
        }
    }

    fn fine(&self, set: &SlotSet) -> Vec<u32> {
        let width = self.slots.count() / set.slots().count().max(1);
        set.iter().flat_map(|slot| slot.index() * width..(slot.index() + 1) * width).collect()
    }

    fn claims(&self, replica: u32) -> usize {
        self.replicas.get(replica as usize).map_or(0, |it| it.claims.len())
    }

    /// A fair share of one that comes.
    fn share(&self) -> usize {
        let alive = self.replicas.iter().filter(|it| it.alive).count();
        self.slots.count() as usize / alive.max(1)
    }

    /// What a replica holds is held no more, or not while it stands still.
    fn close(&mut self, replica: u32, slots: Option<&[u32]>, now: SimTime) {
        let Some(it) = self.replicas.get_mut(replica as usize) else { return };
        let all: Vec<u32> = it.since.keys().copied().collect();
        for slot in slots.unwrap_or(&all) {
            let to = it.end(*slot).map_or(now, |until| until.min(now));
            if let Some(from) = it.since.remove(slot).filter(|from| *from < to) {
                self.held.entry(*slot).or_default().push(Held { replica, from, to, owns: true });
            }
        }
    }

    /// What it claims is held from now on, if it runs and the claim is good.
    fn open(&mut self, replica: u32, now: SimTime) {
        let Some(it) = self.replicas.get_mut(replica as usize) else { return };
        if it.alive && !it.paused && it.until.is_none_or(|until| until > now) {
            let held = it.claims.iter().map(Slot::index);
            let held: Vec<u32> =
                held.filter(|slot| it.end(*slot).is_none_or(|end| end > now)).collect();
            for slot in held {
                it.since.entry(slot).or_insert(now);
            }
        }
    }

    fn with(&mut self, replica: u32, change: impl FnOnce(&mut Replica)) {
        if let Some(replica) = self.replicas.get_mut(replica as usize) {
            change(replica);
        }
    }

    fn work_ends(&mut self, work: u64, now: SimTime) {
        let Some((replica, slots, from)) = self.works.remove(&work) else { return };
        for slot in slots {
            let held = Held { replica, from, to: now, owns: false };
            self.held.entry(slot).or_default().push(held);
        }
    }

    pub(super) fn observe(&mut self, entry: &Entry) {
        let now = entry.at;
        if self.shares.is_none() && now >= self.settled {
            self.shares = Some(self.shares());
        }
        match &entry.what {
            What::Until { replica, until, .. } => {
                let lapsed = |it: &Replica| it.until.is_some_and(|old| old <= now);
                let over = self.replicas.get(*replica as usize).is_some_and(lapsed);
                if over || *until == Some(SimTime::ZERO) {
                    self.close(*replica, None, now);
                }
                self.with(*replica, |it| it.until = *until);
                self.open(*replica, now);
            }
            What::Ends { replica, slots, until } => {
                let slots = self.fine(&slots.0);
                let Some(it) = self.replicas.get(*replica as usize) else { return };
                let lapsed = |slot: &u32| it.ends.get(slot).is_some_and(|old| *old <= now);
                let lapsed: Vec<u32> = slots.iter().copied().filter(lapsed).collect();
                self.close(*replica, Some(&lapsed), now);
                self.with(*replica, |it| it.ends.extend(slots.iter().map(|slot| (*slot, *until))));
                self.open(*replica, now);
            }
            What::Gained { replica, slots } => {
                let slots = self.fine(&slots.0);
                let all = self.slots;
                self.with(*replica, |it| {
                    it.claims.extend(slots.iter().filter_map(|slot| all.get(*slot)));
                });
                self.open(*replica, now);
            }
            What::Lost { replica, slots } => {
                let slots = self.fine(&slots.0);
                self.close(*replica, Some(&slots), now);
                let all = self.slots;
                self.with(*replica, |it| {
                    for slot in slots.iter().filter_map(|slot| all.get(*slot)) {
                        it.claims.remove(slot);
                    }
                });
            }
            What::Began { replica, work, slot, of, .. } => {
                let width = self.slots.count() / (*of).max(1);
                let slots = slot * width..(slot + 1) * width;
                self.works.insert(*work, (*replica, slots, now));
            }
            What::Done { work, .. } => self.work_ends(*work, now),
            _ => self.members(entry),
        }
    }

    /// Somebody comes, goes, stands still.
    fn members(&mut self, entry: &Entry) {
        let (now, settled) = (entry.at, entry.at >= self.settled);
        match &entry.what {
            What::Started { replica, life, .. } => {
                self.gone.remove(replica);
                self.with(*replica, |it| {
                    (it.alive, it.until) = (true, Some(SimTime::ZERO));
                    it.ends.clear();
                });
                if settled && *life == 0 && (*replica as usize) < self.replicas.len() {
                    self.came += self.share();
                }
            }
            What::Leaving { replica } => {
                self.gone.insert(*replica, self.claims(*replica));
            }
            What::Ended { replica, crashed } => {
                if *crashed && settled {
                    self.gone.insert(*replica, self.claims(*replica));
                }
                self.close(*replica, None, now);
                let own = self.works.iter().filter(|(_, (of, ..))| of == replica);
                let own: Vec<u64> = own.map(|(work, _)| *work).collect();
                for work in own {
                    self.work_ends(work, now);
                }
                self.with(*replica, |it| {
                    (it.alive, it.paused, it.until) = (false, false, Some(SimTime::ZERO));
                    it.claims = SlotSet::none(it.claims.slots());
                });
            }
            What::Paused { replica } => {
                self.close(*replica, None, now);
                self.with(*replica, |it| it.paused = true);
            }
            What::Resumed { replica } => {
                self.with(*replica, |it| it.paused = false);
                self.open(*replica, now);
                // While it stood still, nothing went on.
                for (of, _, since) in self.works.values_mut() {
                    if of == replica {
                        *since = now;
                    }
                }
            }
            _ => {}
        }
    }

    /// The most of any replica over the mean, and how many ranges one has; in thousandths.
    fn shares(&self) -> (u64, u64) {
        let alive = || self.replicas.iter().filter(|it| it.alive);
        let count = alive().count().max(1);
        let sum: usize = alive().map(|it| it.claims.len()).sum();
        let most = alive().map(|it| it.claims.len()).max().unwrap_or(0);
        let ranges: usize = alive().map(|it| it.claims.ranges().len()).sum();
        ((most * count * 1_000 / sum.max(1)) as u64, (ranges * 1_000 / count) as u64)
    }

    /// All of it, if the run ended at `end`.
    pub(super) fn figures(mut self, end: SimTime) -> Figures {
        let works: Vec<u64> = self.works.keys().copied().collect();
        for work in works {
            self.work_ends(work, end);
        }
        for replica in 0..u32::try_from(self.replicas.len()).unwrap_or(0) {
            self.close(replica, None, end);
        }
        let (busiest_permille, ranges_permille) = self.shares.unwrap_or_else(|| self.shares());
        let mut figures = Figures {
            busiest_permille,
            ranges_permille,
            least_moves: self.came.max(self.gone.values().sum()) as u64,
            ..Figures::default()
        };
        let members = self.replicas.len();
        for slot in 0..self.slots.count() {
            let held = self.held.entry(slot).or_default();
            held.retain(|held| (held.replica as usize) < members);
            held.sort_unstable_by_key(|held| (held.from, held.to, held.replica));
            add_slot(&mut figures, held, self.settled, end);
        }
        figures
    }
}

/// What one slot adds: `held` is in order of time.
fn add_slot(figures: &mut Figures, held: &[Held], settled: SimTime, end: SimTime) {
    figures.two_owner_nanos = figures.two_owner_nanos.saturating_add(doubled(held));
    let mut owner = None;
    // From when on nobody has it.
    let mut free: Option<SimTime> = None;
    let mut gap = |from: SimTime, to: SimTime, open: bool| {
        let from = from.max(settled);
        let took = to.saturating_since(from);
        if took > Span::ZERO {
            figures.gaps += 1;
            figures.unowned_nanos = figures.unowned_nanos.saturating_add(took.as_nanos());
            figures.longest_gap = figures.longest_gap.max(took);
            figures.unowned_at_end += u64::from(open);
        }
    };
    let mut moves = 0;
    for held in held.iter().filter(|held| held.owns) {
        if let Some(free) = free
            && held.from > free
        {
            gap(free, held.from, false);
        }
        free = Some(free.map_or(held.to, |free| free.max(held.to)));
        if owner != Some(held.replica) {
            moves += u64::from(owner.is_some() && held.from >= settled);
            owner = Some(held.replica);
        }
    }
    gap(free.unwrap_or(SimTime::ZERO), end, true);
    figures.moves += moves;
}

/// For how long at least two different replicas had it.
fn doubled(held: &[Held]) -> u64 {
    let mut edges: Vec<(SimTime, bool, u32)> = Vec::with_capacity(held.len() * 2);
    for held in held.iter().filter(|held| held.from < held.to) {
        edges.push((held.from, true, held.replica));
        edges.push((held.to, false, held.replica));
    }
    edges.sort_unstable();
    let mut active: BTreeMap<u32, u32> = BTreeMap::new();
    let (mut before, mut nanos) = (SimTime::ZERO, 0_u64);
    for (at, begins, replica) in edges {
        if active.len() > 1 {
            nanos += at.saturating_since(before).as_nanos();
        }
        before = at;
        let count = active.entry(replica).or_default();
        *count = if begins { *count + 1 } else { count.saturating_sub(1) };
        if *count == 0 {
            active.remove(&replica);
        }
    }
    nanos
}
