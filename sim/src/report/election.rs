//! An election drawn while it runs.

use std::collections::BTreeMap;

use tenure::lock::{Identity, Kind as Object};

use super::Report;
use super::model::{Call, Came, Kind, Lane, Sign};
use super::sketch::{Sketch, micros};
use crate::check::replicas::Names;
use crate::check::{Check, Violation};
use crate::explain::describe;
use crate::fault::Fault;
use crate::scenario::Scenario;
use crate::time::SimTime;
use crate::trace::{Actor, End, Entry, Reply, Verb, What};

type CallId = (u32, u32, u64);

/// Draws an election: a lane for each object that carries the lock, by what it says of its holder, and one
/// for each replica. It is a [`Check`] that finds nothing; its memory is that of the report, not of the
/// trace.
///
/// The example of [`report`](super) has it run.
#[derive(Debug, Clone)]
pub struct Election {
    sketch: Sketch,
    names: Names,
    /// Which replica holds under this name.
    holders: BTreeMap<Identity, u32>,
    /// The lanes of objects.
    locks: Vec<Object>,
    replicas: Vec<Replica>,
    /// Calls that are not over: by replica, life and number.
    calls: BTreeMap<CallId, Call>,
}

/// What is known of a replica now.
#[derive(Debug, Clone, Default)]
struct Replica {
    life: u32,
    rate_ppb: u64,
    /// When its right to act ends.
    until: Option<SimTime>,
}

impl Election {
    /// Of a run of this scenario, as it was drawn from its seed.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let names = Names::new(scenario);
        let count = u32::try_from(scenario.replicas.len()).unwrap_or(u32::MAX);
        let sketch = Sketch::new((0..count).map(|replica| names.of(replica).into_owned()));
        let replicas = vec![Replica::default(); scenario.replicas.len()];
        let (holders, calls) = Default::default();
        Self { sketch, names, holders, locks: Vec::new(), replicas, calls }
    }

    /// What came of it, with what the checks have found. Its head is empty.
    #[must_use]
    pub fn report(mut self, violations: &[Violation]) -> Report {
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        for id in calls {
            self.over(id, self.sketch.now, Came::Failed, "no answer before the end");
        }
        let mut report = self.sketch.finish(violations, |replica| replica);
        report.colour_leaders();
        report.list_terms("Who led when", "leads");
        report
    }

    /// Rights end by the clock, without an entry.
    fn run_out(&mut self, now: SimTime) {
        for (lane, replica) in (0..).zip(&mut self.replicas) {
            if let Some(until) = replica.until.filter(|until| *until <= now) {
                self.sketch.end(lane, Kind::Acts, micros(until));
                replica.until = None;
            }
        }
    }

    fn take_in(&mut self, entry: &Entry) {
        let at = micros(entry.at);
        let sketch = &mut self.sketch;
        match &entry.what {
            What::Started { replica, life, identity, profile, rate_ppb, .. } => {
                self.holders.insert(identity.clone(), *replica);
                let text = format!("life {life}, {profile}");
                sketch.begin(*replica, Kind::Up, at, &text, 0);
                if *life > 0 {
                    sketch.mark(*replica, Sign::Starts, at, &format!("starts, {text}"));
                }
                if let Some(it) = self.replicas.get_mut(*replica as usize) {
                    (it.life, it.rate_ppb) = (*life, *rate_ppb);
                }
                sketch.clock(*replica, *rate_ppb, at);
            }
            What::Ended { replica, end } => self.ended(*replica, *end, at),
            What::Paused { replica } => {
                sketch.begin(*replica, Kind::Paused, at, "stands still", 0);
            }
            What::Resumed { replica } => sketch.end(*replica, Kind::Paused, at),
            What::Stopping { replica } => sketch.mark(*replica, Sign::Told, at, "is told to stop"),
            What::Clock { replica, rate_ppb } => self.clock(*replica, *rate_ppb, at),
            What::StartedLeading { replica, token } => {
                let token = token.map_or_else(String::new, |token| format!(", token {token}"));
                sketch.begin(*replica, Kind::Leads, at, &format!("believes to lead{token}"), 1_000);
            }
            What::StoppedLeading { replica, cause, led: true } => {
                sketch.end(*replica, Kind::Leads, at);
                let text = format!("stops leading ({})", format!("{cause:?}").to_lowercase());
                sketch.mark(*replica, Sign::Told, at, &text);
            }
            What::Authority { replica, until } => self.authority(*replica, *until, entry.at),
            What::Endangered { replica, until } => {
                sketch.mark(*replica, Sign::Warns, at, &format!("in danger: leads until {until}"));
            }
            What::ForeignWrite { replica, version } => {
                sketch.mark(*replica, Sign::Warns, at, &format!("notes foreign version {version}"));
            }
            What::RolledOut { replica, rollout } => {
                let text = format!("is given other settings (rollout {rollout})");
                sketch.mark(*replica, Sign::Told, at, &text);
            }
            What::Fault { fault, replicas, kind } => {
                let text = describe(kind, replicas, &self.names);
                sketch.fault(*fault, kind.is_of_network(), &text, replicas, at);
                if is_momentary(kind) {
                    sketch.fault_over(*fault, at);
                }
            }
            What::FaultEnded { fault } => sketch.fault_over(*fault, at),
            what => self.of_calls(what, at),
        }
    }

    fn ended(&mut self, replica: u32, end: End, at: u64) {
        self.sketch.end_all(replica, at);
        let (sign, text) = match end {
            End::Crashed => (Sign::Crashes, "crashes"),
            End::Finished => (Sign::Exits, "exits"),
        };
        self.sketch.mark(replica, sign, at, text);
        let of_replica = (replica, 0, 0)..=(replica, u32::MAX, u64::MAX);
        let calls: Vec<CallId> = self.calls.range(of_replica).map(|(id, _)| *id).collect();
        for id in calls {
            self.over(id, at, Came::Failed, "who asked is no more");
        }
        if let Some(it) = self.replicas.get_mut(replica as usize) {
            it.until = None;
        }
    }

    /// A clock has another rate; if that is the one it had, a wall clock was set.
    fn clock(&mut self, replica: u32, rate_ppb: u64, at: u64) {
        let Some(it) = self.replicas.get_mut(replica as usize) else { return };
        if it.rate_ppb == rate_ppb {
            self.sketch.mark(replica, Sign::Warns, at, "its wall clock is set");
        }
        it.rate_ppb = rate_ppb;
        self.sketch.clock(replica, rate_ppb, at);
    }

    fn authority(&mut self, replica: u32, until: Option<SimTime>, at: SimTime) {
        let Some(it) = self.replicas.get_mut(replica as usize) else { return };
        it.until = until.filter(|until| *until > at);
        if it.until.is_none() {
            self.sketch.end(replica, Kind::Acts, micros(at));
        } else if !self.sketch.is_open(replica, Kind::Acts) {
            self.sketch.begin(replica, Kind::Acts, micros(at), "may act", 0);
        }
    }

    fn life(&self, replica: u32) -> u32 {
        self.replicas.get(replica as usize).map_or(0, |it| it.life)
    }

    fn of_calls(&mut self, what: &What, at: u64) {
        match what {
            What::Sent { replica, request, verb, .. } => {
                let came = if *verb == Verb::Get { Came::Read } else { Came::Written };
                let (texts, number) = (&mut self.sketch.report.texts, None);
                let (what, became) = (texts.put(name(*verb)), texts.put(""));
                let call = Call { came, from: at, effect: None, to: at, what, became, number };
                self.calls.insert((*replica, self.life(*replica), *request), call);
            }
            What::Applied { by, request, verb, reply, object, .. } => {
                if let Actor::Replica { replica, life } = by {
                    let id = (*replica, *life, request.unwrap_or_default());
                    if let Some(call) = self.calls.get_mut(&id) {
                        call.effect = Some(at);
                    }
                }
                if *verb != Verb::Get {
                    self.stored(*object, *by == Actor::Outsider, reply, at);
                }
            }
            What::Answered { replica, request, reply, late } => {
                let id = (*replica, self.life(*replica), *request);
                let (came, text) = match reply {
                    _ if *late => (Came::Failed, "too late: ignored".to_owned()),
                    Reply::Failed(failure) => (Came::Failed, format!("{failure:?}").to_lowercase()),
                    Reply::Gone => (Came::Written, "deleted".to_owned()),
                    Reply::Is(is) => {
                        if let Some(call) = self.calls.get_mut(&id) {
                            call.number = Some(is.version);
                        }
                        (Came::Read, format!("{} holds", self.holder(&is.record.holder)))
                    }
                };
                self.over(id, at, came, &text);
            }
            What::GivenUp { replica, request } => {
                let id = (*replica, self.life(*replica), *request);
                self.over(id, at, Came::Failed, "given up: no answer in time");
            }
            What::GuardedWrite { replica, token, sent, accepted, .. } => {
                let from = micros(*sent);
                let texts = &mut self.sketch.report.texts;
                let what = texts.put("guarded write");
                let (came, became) = match accepted {
                    true => (Came::Work, texts.put("taken")),
                    false => (Came::Failed, texts.put("refused: its token is old")),
                };
                let (effect, number) = (Some(at), *token);
                let call = Call { came, from, effect, to: at, what, became, number };
                self.sketch.call(*replica, call);
                if !accepted {
                    self.sketch.mark(*replica, Sign::Refused, at, "guarded write refused");
                }
            }
            _ => {}
        }
    }

    /// Reads keep that they are reads, writes that they are writes.
    fn over(&mut self, id: CallId, at: u64, came: Came, text: &str) {
        let Some(mut call) = self.calls.remove(&id) else { return };
        call.came = call.came.max(came);
        call.became = self.sketch.report.texts.put(text);
        call.to = at;
        self.sketch.call(id.0, call);
    }

    /// What an object says now.
    fn stored(&mut self, object: Object, by_hand: bool, reply: &Reply, at: u64) {
        let lane = self.lock(object);
        let text = match reply {
            Reply::Failed(_) => return,
            Reply::Gone => {
                self.sketch.end(lane, Kind::Holds, at);
                "deleted".to_owned()
            }
            Reply::Is(is) if is.unreadable => {
                self.sketch.end(lane, Kind::Holds, at);
                "no record".to_owned()
            }
            Reply::Is(is) => {
                let holder = self.holder(&is.record.holder);
                let of = self.holders.get(&is.record.holder).map_or(0, |replica| replica + 1);
                if is.record.holder.is_empty() {
                    self.sketch.end(lane, Kind::Holds, at);
                } else if !self.sketch.goes_on(lane, Kind::Holds, &holder) {
                    self.sketch.begin(lane, Kind::Holds, at, &holder, of);
                }
                format!("version {}, {holder} holds", is.version)
            }
        };
        if by_hand {
            self.sketch.mark(lane, Sign::ByHand, at, &format!("by hand: {text}"));
        }
    }

    /// The lane of an object.
    fn lock(&mut self, object: Object) -> u32 {
        let known = self.locks.iter().position(|known| *known == object);
        let place = known.unwrap_or_else(|| {
            self.locks.push(object);
            let name = self.sketch.report.texts.put(&format!("the {object}"));
            self.sketch.report.lanes.push(Lane { name, ..Lane::default() });
            self.locks.len() - 1
        });
        u32::try_from(self.replicas.len() + place).unwrap_or(u32::MAX)
    }

    fn holder(&self, holder: &Identity) -> String {
        match self.holders.get(holder) {
            Some(replica) => self.names.of(*replica).into_owned(),
            None if holder.is_empty() => "nobody".to_owned(),
            None => holder.to_string(),
        }
    }
}

impl Check for Election {
    fn name(&self) -> &'static str {
        "report"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        self.run_out(entry.at);
        self.sketch.now = micros(entry.at);
        self.take_in(entry);
    }
}

const fn name(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "read",
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
        Verb::Edit => "edit",
    }
}

/// Whether it is over as soon as it has happened.
const fn is_momentary(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Edit(_)
            | Fault::Delete {}
            | Fault::HandOver { .. }
            | Fault::ClockJump { .. }
            | Fault::Heal {}
            | Fault::Resume { .. }
            | Fault::Restart { .. }
    )
}
