//! An election drawn.

use std::collections::BTreeMap;

use super::super::percent;
use super::{Drawing, Faults, STORE, Track, pid};
use crate::check::Violation;
use crate::check::replicas::Names;
use crate::scenario::Scenario;
use crate::time::SimTime;
use crate::trace::{Actor, Entry, Reply, Verb, What};

/// A run of an election: who runs, stands still, may act and believes to lead, each call from its sending
/// over its effect to its answer, all faults, and `violations`.
///
/// ```
/// use tenure_sim::{catalogue, explain::perfetto, trace::Recorder, world::World};
///
/// let scenario = catalogue::find("leader-cut").unwrap();
/// let mut recorder = Recorder::default();
/// let outcome = World::new(&scenario, 1)?.run(&mut recorder);
/// let text = perfetto(&scenario, &recorder.entries, &outcome.violations);
/// let json: serde_json::Value = serde_json::from_str(&text).unwrap();
/// assert!(json["traceEvents"].as_array().unwrap().len() > 100);
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
#[must_use]
pub fn perfetto(scenario: &Scenario, entries: &[Entry], violations: &[Violation]) -> String {
    let names = Names::new(scenario);
    let replicas = 0..u32::try_from(scenario.replicas.len()).unwrap_or(u32::MAX);
    let mut run = Run {
        drawing: Drawing::new(replicas.map(|replica| names.of(replica).into_owned())),
        faults: Faults::default(),
        calls: BTreeMap::new(),
        lives: BTreeMap::new(),
        until: BTreeMap::new(),
    };
    for entry in entries {
        run.run_out(entry.at);
        run.take_in(entry);
    }
    let end = entries.last().map_or(SimTime::ZERO, |entry| entry.at);
    run.run_out(end);
    run.faults.end_all(&mut run.drawing, end);
    for ((replica, life, request), verb) in core::mem::take(&mut run.calls) {
        run.call('e', (replica, life, request), verb, end);
    }
    run.drawing.finish(end, violations)
}

struct Run {
    drawing: Drawing,
    faults: Faults,
    /// Calls that were neither answered nor given up: by replica, life and number.
    calls: BTreeMap<(u32, u32, u64), Verb>,
    lives: BTreeMap<u32, u32>,
    /// When the right to act ends, for those that have one.
    until: BTreeMap<u32, SimTime>,
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
                self.lives.insert(*replica, *life);
                self.drawing.begin(*replica, Track::Process, format!("life {life}"), at);
            }
            What::Ended { replica, .. } => {
                self.until.remove(replica);
                self.drawing.end_all(*replica, at);
                let mine: Vec<_> =
                    self.calls.keys().filter(|it| it.0 == *replica).copied().collect();
                for call in mine {
                    self.over(call, at);
                }
            }
            What::Paused { replica } => {
                self.drawing.begin(*replica, Track::Paused, "stands still", at);
            }
            What::Resumed { replica } => self.drawing.end(*replica, Track::Paused, at),
            What::StartedLeading { replica, token } => {
                let token = token.map_or_else(String::new, |token| format!(" (token {token})"));
                self.drawing.begin(*replica, Track::Believing, format!("believes{token}"), at);
            }
            What::StoppedLeading { replica, .. } => {
                self.drawing.end(*replica, Track::Believing, at);
            }
            What::Authority { replica, until } => self.authority(*replica, *until, at),
            What::Fault { fault, replicas, kind } => {
                let Self { faults, drawing, .. } = self;
                faults.begin(drawing, *fault, kind.kind(), replicas, at);
            }
            What::FaultEnded { fault } => self.faults.end(&mut self.drawing, *fault, at),
            What::Applied { by: Actor::Outsider, verb, .. } => {
                self.drawing.instant(STORE, &format!("by hand: {}", name(*verb)), at);
            }
            What::GuardedWrite { replica, accepted: false, .. } => {
                self.drawing.instant(pid(*replica), "guarded write refused", at);
            }
            What::Stopping { replica } => self.drawing.instant(pid(*replica), "told to stop", at),
            What::Clock { replica, rate_ppb } => {
                let name = format!("clock at {}", percent(*rate_ppb));
                self.drawing.instant(pid(*replica), &name, at);
            }
            what => self.of_a_call(what, at),
        }
    }

    fn of_a_call(&mut self, what: &What, at: SimTime) {
        let life = |replica: &u32| self.lives.get(replica).copied().unwrap_or_default();
        match what {
            What::Sent { replica, request, verb, .. } => {
                let call = (*replica, life(replica), *request);
                self.calls.insert(call, *verb);
                self.call('b', call, *verb, at);
            }
            What::Applied {
                by: Actor::Replica { replica, life }, request, verb, reply, ..
            } => {
                let call = (*replica, *life, request.unwrap_or_default());
                if self.calls.contains_key(&call) {
                    self.call('n', call, *verb, at);
                }
                if let (Reply::Is(now), false) = (reply, *verb == Verb::Get) {
                    let name = format!("v{} ({})", now.version, now.record.holder);
                    self.drawing.instant(STORE, &name, at);
                }
            }
            What::Answered { replica, request, .. } | What::GivenUp { replica, request } => {
                self.over((*replica, life(replica), *request), at);
            }
            _ => {}
        }
    }

    fn over(&mut self, call: (u32, u32, u64), at: SimTime) {
        if let Some(verb) = self.calls.remove(&call) {
            self.call('e', call, verb, at);
        }
    }

    fn call(&mut self, phase: char, call: (u32, u32, u64), verb: Verb, at: SimTime) {
        let (replica, life, request) = call;
        let id = format!("call-{replica}-{life}-{request}");
        self.drawing.asynchronous(phase, pid(replica), "call", &id, name(verb), at);
    }

    fn authority(&mut self, replica: u32, until: Option<SimTime>, at: SimTime) {
        match until.filter(|until| *until > at) {
            None => {
                self.until.remove(&replica);
                self.drawing.end(replica, Track::Acting, at);
            }
            Some(until) => {
                if self.until.insert(replica, until).is_none() {
                    self.drawing.begin(replica, Track::Acting, "may act", at);
                }
            }
        }
    }
}

const fn name(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "get",
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
        Verb::Edit => "edit",
    }
}
