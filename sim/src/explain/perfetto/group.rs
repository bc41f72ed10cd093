//! A sharded group drawn.

use std::collections::BTreeMap;

use super::super::{percent, sharded::name};
use super::{Drawing, Faults, STORE, Track, pid};
use crate::check::Violation;
use crate::sharding::Scenario;
use crate::sharding::trace::{Entry, What};
use crate::time::SimTime;

/// The same of a sharded group: who has how many slots and may act on them, each piece of work, each
/// write of the store.
///
/// ```
/// use tenure_sim::explain::perfetto_sharded;
/// use tenure_sim::sharding::{catalogue, tenure_world, trace::Recorder};
///
/// let scenario = catalogue::find("sharding/crash").unwrap();
/// let (mut world, mut recorder) = (tenure_world(&scenario, 1, &[])?, Recorder::default());
/// let outcome = world.run(&mut recorder);
/// let text = perfetto_sharded(world.scenario(), &recorder.entries, &outcome.violations);
/// let json: serde_json::Value = serde_json::from_str(&text).unwrap();
/// assert!(json["traceEvents"].as_array().unwrap().len() > 100);
/// # Ok::<(), tenure_sim::sharding::ScenarioError>(())
/// ```
#[must_use]
pub fn perfetto_sharded(
    scenario: &Scenario,
    entries: &[Entry],
    violations: &[Violation],
) -> String {
    let replicas = 0..u32::try_from(scenario.replicas.len()).unwrap_or(u32::MAX);
    let mut run = Run {
        drawing: Drawing::new(replicas.map(|replica| name(scenario, replica))),
        faults: Faults::default(),
        owned: BTreeMap::new(),
        until: BTreeMap::new(),
        works: BTreeMap::new(),
    };
    for entry in entries {
        run.run_out(entry.at);
        run.take_in(entry);
    }
    let end = entries.last().map_or(SimTime::ZERO, |entry| entry.at);
    run.run_out(end);
    run.faults.end_all(&mut run.drawing, end);
    let works: Vec<u64> = run.works.keys().copied().collect();
    for work in works {
        run.over(work, end);
    }
    run.drawing.finish(end, violations)
}

struct Run {
    drawing: Drawing,
    faults: Faults,
    /// How many slots each has.
    owned: BTreeMap<u32, usize>,
    /// Until when it may act on them.
    until: BTreeMap<u32, SimTime>,
    /// Work under way: whose, and what it is called.
    works: BTreeMap<u64, (u32, String)>,
}

impl Run {
    /// Rights end by the clock, without an entry.
    fn run_out(&mut self, now: SimTime) {
        let Self { drawing, until, .. } = self;
        until.retain(|replica, until| {
            if *until <= now {
                drawing.end(*replica, Track::Acting, *until);
            }
            *until > now
        });
    }

    fn take_in(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.what {
            What::Started { replica, life, .. } => {
                self.drawing.begin(*replica, Track::Process, format!("life {life}"), at);
            }
            What::Ended { replica, .. } => {
                self.until.remove(replica);
                self.owned.remove(replica);
                self.drawing.end_all(*replica, at);
                let mine = self.works.iter().filter(|(_, (whose, _))| whose == replica);
                let mine: Vec<u64> = mine.map(|(work, _)| *work).collect();
                for work in mine {
                    self.over(work, at);
                }
            }
            What::Paused { replica } => {
                self.drawing.begin(*replica, Track::Paused, "stands still", at);
            }
            What::Resumed { replica } => self.drawing.end(*replica, Track::Paused, at),
            What::Leaving { replica } => self.drawing.instant(pid(*replica), "told to leave", at),
            What::Clock { replica, rate_ppb } => {
                let name = format!("clock at {}", percent(*rate_ppb));
                self.drawing.instant(pid(*replica), &name, at);
            }
            What::Until { replica, until, .. } => {
                match until.unwrap_or(SimTime::NEVER) {
                    until if until > at => self.until.insert(*replica, until),
                    _ => self.until.remove(replica),
                };
                self.acts(*replica, at);
            }
            What::Gained { replica, slots } => {
                let owned = self.owned.entry(*replica).or_default();
                *owned += slots.0.len();
                self.has(*replica, at);
            }
            What::Lost { replica, slots } => {
                let owned = self.owned.entry(*replica).or_default();
                *owned = owned.saturating_sub(slots.0.len());
                self.has(*replica, at);
            }
            What::Fault { fault, kind, who } => {
                self.faults.begin(&mut self.drawing, *fault, kind, who, at);
            }
            What::FaultEnded { fault } => self.faults.end(&mut self.drawing, *fault, at),
            what => self.of_work(what, at),
        }
    }

    fn of_work(&mut self, what: &What, at: SimTime) {
        match what {
            What::Began { replica, work, slot, token, .. } => {
                self.under_way(*replica, *work, format!("slot {slot} (token {token})"), at);
            }
            What::Cleaning { replica, work, slots } => {
                self.under_way(*replica, *work, format!("cleaning {} slots", slots.0.len()), at);
            }
            What::Done { work, .. } => self.over(*work, at),
            What::Wrote { replica, slot, accepted: false, .. } => {
                self.drawing.instant(pid(*replica), &format!("write to {slot} refused"), at);
            }
            What::Committed { name, version, now, .. } => {
                let state = now.as_ref().map_or("deleted", |now| now.state.as_str());
                self.drawing.instant(STORE, &format!("{name} v{version} {state}"), at);
            }
            _ => {}
        }
    }

    fn under_way(&mut self, replica: u32, work: u64, name: String, at: SimTime) {
        self.drawing.asynchronous('b', pid(replica), "work", &work.to_string(), &name, at);
        self.works.insert(work, (replica, name));
    }

    fn over(&mut self, work: u64, at: SimTime) {
        if let Some((replica, name)) = self.works.remove(&work) {
            self.drawing.asynchronous('e', pid(replica), "work", &work.to_string(), &name, at);
        }
    }

    /// It has so many slots now.
    fn has(&mut self, replica: u32, at: SimTime) {
        let owned = self.owned.get(&replica).copied().unwrap_or_default();
        if owned == 0 {
            self.drawing.end(replica, Track::Believing, at);
        } else {
            self.drawing.begin(replica, Track::Believing, format!("{owned} slots"), at);
        }
        self.acts(replica, at);
    }

    /// It may act while it has slots, and its time is not up.
    fn acts(&mut self, replica: u32, at: SimTime) {
        let owned = self.owned.get(&replica).copied().unwrap_or_default();
        let acting = self.drawing.open.contains_key(&(replica, Track::Acting));
        if owned > 0 && self.until.contains_key(&replica) {
            if !acting {
                self.drawing.begin(replica, Track::Acting, "may act", at);
            }
        } else {
            self.drawing.end(replica, Track::Acting, at);
        }
    }
}
