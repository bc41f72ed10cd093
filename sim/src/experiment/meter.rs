//! What a run of the experiment comes to, measured from its entries: who might work on which object,
//! and who did.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::controller::Right;
use super::measured::{Measured, Moment};
use super::replica::Group;
use super::{Mode, note};
use crate::check::{Check, Violation};
use crate::fault::Fault;
use crate::time::{SimTime, Span};
use crate::trace::{Entry, What};

/// Objects times nanoseconds.
type Area = u128;

/// What a replica is and may do.
#[derive(Debug, Clone)]
struct Standing {
    up: bool,
    paused: bool,
    right: Right,
    /// The right ends then.
    until: SimTime,
    /// The right that is counted in `owners`.
    counted: Right,
    working: Vec<bool>,
}

/// A [`Check`] that finds nothing and measures.
#[derive(Debug)]
pub(super) struct Meter {
    group: Arc<Group>,
    now: SimTime,
    replicas: Vec<Standing>,
    /// How many replicas may work on each object.
    owners: Vec<u32>,
    /// How many objects have no owner, one, more; and for how long.
    tally: [u64; 3],
    area: [Area; 3],
    /// How many replicas work on each object, and whether it were ever more than one.
    workers: Vec<u32>,
    doubled: Vec<bool>,
    doubled_now: u64,
    doubled_area: Area,
    begun: Vec<u32>,
    begun_by: Vec<u64>,
    minute: Minute,
    calls: BTreeMap<u64, u64>,
    sent: u64,
    moments: Vec<Moment>,
    /// Not all objects have one owner; after which moment that began.
    disturbed: Option<usize>,
}

impl Meter {
    pub(super) fn new(group: Arc<Group>) -> Self {
        let (objects, count) = (group.workload.len(), group.members.len());
        let down = Standing {
            up: false,
            paused: false,
            right: Right::Nothing,
            until: SimTime::NEVER,
            counted: Right::Nothing,
            working: vec![false; objects],
        };
        let start = Moment { at: SimTime::ZERO, kind: "start".into(), recovered: Some(Span::ZERO) };
        Self {
            group,
            now: SimTime::ZERO,
            replicas: vec![down; count],
            owners: vec![0; objects],
            tally: [objects as u64, 0, 0],
            area: [0; 3],
            workers: vec![0; objects],
            doubled: vec![false; objects],
            doubled_now: 0,
            doubled_area: 0,
            begun: vec![0; objects],
            begun_by: vec![0; count],
            minute: Minute { number: 0, begun_by: vec![0; count], busiest: 0 },
            calls: BTreeMap::new(),
            sent: 0,
            moments: vec![start],
            disturbed: Some(0),
        }
    }

    /// What it came to.
    pub(super) fn measured(&self) -> Measured {
        let millis = |area: Area| u64::try_from(area / 1_000_000).unwrap_or(u64::MAX);
        let [none, one, more] = self.area;
        Measured {
            mode: self.group.mode,
            objects: self.owners.len() as u64,
            lasted: self.now.saturating_since(SimTime::ZERO),
            reconciles: self.begun_by.iter().sum(),
            least: self.begun.iter().copied().min().unwrap_or(0),
            most: self.begun.iter().copied().max().unwrap_or(0),
            by_replica: self.begun_by.clone(),
            busiest: self.minute.busiest + self.minute.most(),
            doubled_objects: self.doubled.iter().filter(|doubled| **doubled).count() as u64,
            doubled_millis: millis(self.doubled_area),
            none_millis: millis(none),
            one_millis: millis(one),
            more_millis: millis(more),
            exclusive: more == 0,
            election_requests: self.sent,
            membership_writes: self.calls.get(&note::WRITES).copied().unwrap_or(0),
            membership_lists: self.calls.get(&note::LISTS).copied().unwrap_or(0),
            moments: self.moments.clone(),
        }
    }

    /// Lets time pass; rights that end meanwhile end at their time.
    fn pass(&mut self, to: SimTime) {
        loop {
            let ends = |standing: &Standing| {
                Some(standing.until)
                    .filter(|until| *until <= to && standing.right != Right::Nothing)
            };
            let Some(first) = self.replicas.iter().filter_map(ends).min() else { break };
            self.add_up(first);
            for replica in 0..self.replicas.len() {
                if let Some(standing) = self.replicas.get_mut(replica)
                    && standing.until <= first
                {
                    standing.right = Right::Nothing;
                    standing.until = SimTime::NEVER;
                    self.recount(replica);
                }
            }
        }
        self.add_up(to);
    }

    /// Everything was as it is from `now` to `to`.
    fn add_up(&mut self, to: SimTime) {
        let nanos = Area::from(to.saturating_since(self.now).as_nanos());
        if nanos > 0 {
            for (area, objects) in self.area.iter_mut().zip(self.tally) {
                *area += nanos * Area::from(objects);
            }
            self.doubled_area += nanos * Area::from(self.doubled_now);
            self.see_disturbance();
            self.now = to;
        }
    }

    /// What is so for more than an instant counts as disturbance, or as its end.
    fn see_disturbance(&mut self) {
        let [none, _, more] = self.tally;
        match (none > 0 || more > 0, self.disturbed) {
            (true, None) => self.disturbed = Some(self.moments.len() - 1),
            (false, Some(after)) => {
                self.disturbed = None;
                if let Some(moment) = self.moments.get_mut(after) {
                    moment.recovered = Some(self.now.saturating_since(moment.at));
                }
            }
            _ => {}
        }
    }

    fn end(&mut self) {
        if let Some(after) = self.disturbed.take() {
            // Nor did anything recover that happened since.
            for moment in self.moments.iter_mut().skip(after) {
                moment.recovered = None;
            }
        }
    }

    fn moment(&mut self, fault: &Fault) {
        let kind = fault.kind().to_owned();
        self.moments.push(Moment { at: self.now, kind, recovered: Some(Span::ZERO) });
    }

    /// Changes what a replica may do.
    fn change(&mut self, replica: u32, change: impl FnOnce(&mut Standing)) {
        if let Some(standing) = self.replicas.get_mut(replica as usize) {
            change(standing);
            self.recount(replica as usize);
        }
    }

    /// Counts a replica's right anew, if it changed.
    fn recount(&mut self, replica: usize) {
        let Some(standing) = self.replicas.get_mut(replica) else { return };
        let acts = standing.up && !standing.paused;
        let right = if acts { standing.right.clone() } else { Right::Nothing };
        if right == standing.counted {
            return;
        }
        for (object, owners) in (0_u32..).zip(&mut self.owners) {
            let before = class(*owners);
            *owners += u32::from(right.covers(object));
            *owners -= u32::from(standing.counted.covers(object));
            let after = class(*owners);
            if before != after {
                if let Some(objects) = self.tally.get_mut(before) {
                    *objects -= 1;
                }
                if let Some(objects) = self.tally.get_mut(after) {
                    *objects += 1;
                }
            }
        }
        standing.counted = right;
    }

    fn began(&mut self, replica: usize, object: usize) {
        if let Some(begun) = self.begun.get_mut(object) {
            *begun += 1;
        }
        if let Some(begun) = self.begun_by.get_mut(replica) {
            *begun += 1;
        }
        self.minute.began(replica, self.now);
        self.work(replica, object, true);
    }

    fn work(&mut self, replica: usize, object: usize, working: bool) {
        let standing = self.replicas.get_mut(replica);
        let before = standing.and_then(|standing| standing.working.get_mut(object));
        let (Some(before), Some(workers), Some(doubled)) =
            (before, self.workers.get_mut(object), self.doubled.get_mut(object))
        else {
            return;
        };
        if *before == working {
            return;
        }
        *before = working;
        match (working, *workers) {
            (true, 1) => {
                *doubled = true;
                self.doubled_now += 1;
            }
            (false, 2) => self.doubled_now -= 1,
            _ => {}
        }
        if working {
            *workers += 1;
        } else {
            *workers -= 1;
        }
    }

    fn ended(&mut self, replica: u32) {
        self.change(replica, |standing| {
            standing.up = false;
            standing.paused = false;
            standing.right = Right::Nothing;
        });
        for object in 0..self.workers.len() {
            self.work(replica as usize, object, false);
        }
    }

    /// A replica may work on a slot's objects, or may not.
    fn mark(&mut self, replica: u32, slot: u64, may: bool) {
        let group = Arc::clone(&self.group);
        self.change(replica, |standing| {
            let mut these = match &standing.right {
                Right::Some(these) => these.to_vec(),
                _ => vec![false; group.slot_of.len()],
            };
            for (marked, of) in these.iter_mut().zip(&group.slot_of) {
                if u64::from(of.index()) == slot {
                    *marked = may;
                }
            }
            standing.right = Right::Some(Arc::new(these));
        });
    }

    fn noted(&mut self, replica: u32, kind: u32, a: u64) {
        match kind {
            note::BEGAN => self.began(replica as usize, usize::try_from(a).unwrap_or(usize::MAX)),
            note::ENDED => {
                self.work(replica as usize, usize::try_from(a).unwrap_or(usize::MAX), false);
            }
            note::COUNTS => {
                let right = self.group.naively(a, replica);
                self.change(replica, |standing| standing.right = right);
            }
            note::GAINED | note::LOST => self.mark(replica, a, kind == note::GAINED),
            note::CALLED => *self.calls.entry(a).or_default() += 1,
            _ => {}
        }
    }
}

/// What replicas did in the minute that runs; the busiest replica is another one each minute.
#[derive(Debug)]
struct Minute {
    number: u64,
    begun_by: Vec<u64>,
    /// What the busiest replica of each minute before did.
    busiest: u64,
}

impl Minute {
    fn began(&mut self, replica: usize, at: SimTime) {
        let number = at.as_nanos() / 60_000_000_000;
        if number != self.number {
            self.busiest += self.most();
            self.begun_by.fill(0);
            self.number = number;
        }
        if let Some(begun) = self.begun_by.get_mut(replica) {
            *begun += 1;
        }
    }

    fn most(&self) -> u64 {
        self.begun_by.iter().copied().max().unwrap_or(0)
    }
}

/// None, one, or more.
fn class(owners: u32) -> usize {
    owners.min(2) as usize
}

impl Check for Meter {
    fn name(&self) -> &'static str {
        "meter"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        self.pass(entry.at);
        match &entry.what {
            What::Started { replica, .. } => {
                let everything = self.group.mode == Mode::Alone;
                self.change(*replica, |standing| {
                    standing.up = true;
                    standing.until = SimTime::NEVER;
                    standing.right = if everything { Right::Everything } else { Right::Nothing };
                });
            }
            What::Ended { replica, .. } => self.ended(*replica),
            What::Paused { replica } => self.change(*replica, |standing| standing.paused = true),
            What::Resumed { replica } => self.change(*replica, |standing| standing.paused = false),
            What::Authority { replica, until } => self.change(*replica, |standing| {
                standing.until = until.unwrap_or(SimTime::NEVER);
                standing.right = match until {
                    Some(until) if *until > entry.at => Right::Everything,
                    _ => Right::Nothing,
                };
            }),
            What::Sent { .. } => self.sent += 1,
            What::Fault { kind, .. } => self.moment(kind),
            What::FaultEnded { fault } => {
                let kind = self.group.faults.get(*fault as usize).map(|planned| &planned.fault);
                if let Some(fault) = kind.cloned() {
                    self.moment(&fault);
                }
            }
            What::Note { replica, kind, a, .. } => self.noted(*replica, *kind, *a),
            What::Horizon => self.end(),
            _ => {}
        }
    }
}
