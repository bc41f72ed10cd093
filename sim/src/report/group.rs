//! A sharded group drawn while it runs.

use std::collections::BTreeMap;

use super::Report;
use super::model::{Call, Came, Kind, Sign};
use super::owners::Owners;
use super::sketch::{Sketch, micros};
use crate::check::Violation;
use crate::explain::name;
use crate::sharding::Scenario;
use crate::sharding::check::Check;
use crate::sharding::trace::{Entry, What};
use crate::time::SimTime;

/// Draws a sharded group: a lane for each replica, whose bar is as thick as its share, and who has which
/// slot when. It is a [`Check`] that finds nothing.
///
/// ```
/// use tenure_sim::report;
/// use tenure_sim::sharding::{catalogue, tenure_world};
///
/// let scenario = catalogue::find("sharding/crash").unwrap();
/// let mut world = tenure_world(&scenario, 1, &[])?;
/// let mut group = report::Group::new(world.scenario());
/// let outcome = world.run(&mut group);
/// assert!(group.report(&outcome.violations).html().contains("two owners"));
/// # Ok::<(), tenure_sim::sharding::ScenarioError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Group {
    sketch: Sketch,
    owners: Owners,
    names: Vec<String>,
    /// How many slots each had when this was looked at last.
    counts: Vec<u32>,
    /// Work under way.
    works: BTreeMap<u64, (u32, Call)>,
}

impl Group {
    /// Of a run of this scenario, as it was drawn from its seed.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let count = u32::try_from(scenario.replicas.len()).unwrap_or(u32::MAX);
        let names: Vec<String> = (0..count).map(|replica| name(scenario, replica)).collect();
        let sketch = Sketch::new(names.iter().cloned());
        let counts = vec![0; names.len()];
        let works = BTreeMap::new();
        Self { sketch, owners: Owners::new(scenario), names, counts, works }
    }

    /// What came of it, with what the checks have found. Its head is empty.
    #[must_use]
    pub fn report(mut self, violations: &[Violation]) -> Report {
        let works: Vec<u64> = self.works.keys().copied().collect();
        for work in works {
            self.over(work, Came::Work, "under way at the end");
        }
        let mut report = self.sketch.finish(violations, |replica| replica);
        let names = self.names;
        let of = |replica: u32| names.get(replica as usize).cloned().unwrap_or_default();
        report.grid = Some(self.owners.grid(&mut report.texts, of));
        report.list_terms("Who had how many slots when", "has");
        report
    }

    /// Draws how slots are shared at this time, if that has changed.
    fn share(&mut self, at: SimTime) {
        let slots = u64::from(self.owners.slots().max(1));
        let Some(counts) = self.owners.look() else { return };
        for ((replica, count), known) in (0..).zip(counts).zip(&mut self.counts) {
            if count == known {
                continue;
            }
            *known = *count;
            if *count == 0 {
                self.sketch.end(replica, Kind::Leads, micros(at));
                self.sketch.end(replica, Kind::Acts, micros(at));
                continue;
            }
            let share = u32::try_from(u64::from(*count) * 1_000 / slots).unwrap_or(1_000);
            let text = format!("{count} slots");
            self.sketch.begin(replica, Kind::Leads, micros(at), &text, share.max(1));
            if !self.sketch.is_open(replica, Kind::Acts) {
                self.sketch.begin(replica, Kind::Acts, micros(at), "may act", 0);
            }
        }
    }

    fn take_in(&mut self, entry: &Entry) {
        let at = micros(entry.at);
        let sketch = &mut self.sketch;
        match &entry.what {
            What::Started { replica, life, weight, rate_ppb, .. } => {
                let text = format!("life {life}, weight {weight}");
                sketch.begin(*replica, Kind::Up, at, &text, 0);
                if *life > 0 {
                    sketch.mark(*replica, Sign::Starts, at, &format!("starts, {text}"));
                }
                sketch.clock(*replica, *rate_ppb, at);
            }
            What::Ended { replica, crashed } => {
                sketch.end_all(*replica, at);
                let (sign, text) =
                    if *crashed { (Sign::Crashes, "crashes") } else { (Sign::Exits, "exits") };
                sketch.mark(*replica, sign, at, text);
                let mine = self.works.iter().filter(|(_, (whose, _))| whose == replica);
                let mine: Vec<u64> = mine.map(|(work, _)| *work).collect();
                for work in mine {
                    self.over(work, Came::Failed, "ended with its process");
                }
            }
            What::Paused { replica } => sketch.begin(*replica, Kind::Paused, at, "stands still", 0),
            What::Resumed { replica } => sketch.end(*replica, Kind::Paused, at),
            What::Leaving { replica } => sketch.mark(*replica, Sign::Told, at, "is told to leave"),
            What::Spins { replica } => {
                sketch.mark(*replica, Sign::Warns, at, "wants to be called, for ever");
            }
            What::Clock { replica, rate_ppb } => sketch.clock(*replica, *rate_ppb, at),
            What::Fault { fault, kind, who } => {
                let names = who.iter().filter_map(|it| self.names.get(*it as usize));
                let names: Vec<&str> = names.map(String::as_str).collect();
                let of = if names.is_empty() { "" } else { " of " };
                let text = format!("{kind}{of}{}", names.join(", "));
                sketch.fault(*fault, is_of_network(kind), &text, who, at);
                if is_momentary(kind) {
                    sketch.fault_over(*fault, at);
                }
            }
            What::FaultEnded { fault } => sketch.fault_over(*fault, at),
            what => self.of_work(what, at),
        }
    }

    fn of_work(&mut self, what: &What, at: u64) {
        let texts = &mut self.sketch.report.texts;
        let (came, from, became) = (Came::Work, at, texts.put(""));
        let call = Call { came, from, effect: None, to: at, what: became, became, number: None };
        match what {
            What::Began { replica, work, slot, .. } => {
                let what = texts.put("work on slot");
                let number = Some(u64::from(*slot));
                self.works.insert(*work, (*replica, Call { what, number, ..call }));
            }
            What::Cleaning { replica, work, slots } => {
                let what = texts.put("cleaning up, slots:");
                let number = Some(slots.0.len() as u64);
                self.works.insert(*work, (*replica, Call { what, number, ..call }));
            }
            What::Done { work, cut: false, .. } => self.over(*work, Came::Work, "done"),
            What::Done { work, cut: true, .. } => {
                self.over(*work, Came::Failed, "cut off: its right has ended");
            }
            What::Wrote { replica, slot, accepted: false, .. } => {
                let text = format!("guarded write to slot {slot} refused");
                self.sketch.mark(*replica, Sign::Refused, at, &text);
            }
            What::Committed { by: Some(by), sent, name, version, now, .. } => {
                let state = now.as_ref().map_or("deleted", |now| now.state.as_str());
                let [what, became] = [format!("write of {name}"), state.to_owned()];
                let [what, became] = [&what, &became].map(|text| texts.put(text));
                let (came, from, effect) = (Came::Written, micros(*sent), Some(at));
                let number = Some(*version);
                self.sketch.call(*by, Call { came, from, effect, what, became, number, ..call });
            }
            What::Committed { by: None, name, now, .. } => {
                let state = now.as_ref().map_or("deleted", |now| now.state.as_str());
                let whose = self.names.iter().position(|it| name.ends_with(it.as_str()));
                let whose = whose.and_then(|it| u32::try_from(it).ok()).unwrap_or_default();
                self.sketch.mark(whose, Sign::ByHand, at, &format!("by hand: {name} {state}"));
            }
            _ => {}
        }
    }

    fn over(&mut self, work: u64, came: Came, text: &str) {
        if let Some((replica, mut call)) = self.works.remove(&work) {
            call.came = came;
            call.became = self.sketch.report.texts.put(text);
            call.to = self.sketch.now;
            self.sketch.call(replica, call);
        }
    }
}

impl Check for Group {
    fn name(&self) -> &'static str {
        "report"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        for end in self.owners.ends(entry.at) {
            self.owners.pass(end);
            self.share(end);
        }
        self.sketch.now = micros(entry.at);
        self.owners.apply(entry);
        self.take_in(entry);
        self.share(entry.at);
    }
}

fn is_of_network(kind: &str) -> bool {
    ["partition", "delay", "loss", "duplicate", "slow-calls", "watch-stall"].contains(&kind)
}

/// Whether it is over as soon as it has happened.
fn is_momentary(kind: &str) -> bool {
    matches!(kind, "start" | "leave" | "reconfigure" | "delete" | "edit" | "load" | "watch-break")
}
