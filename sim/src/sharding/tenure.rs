//! Tenure's own machine in a simulated replica, driven as its documentation says.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tenure::election;
use tenure::lock::{LockRef, Object, Version};
use tenure::sharding::{
    self, Answer, Event, MemberRecord, Mode, Permit, Plan, RequestId, Response, Rule, Rules,
    Sharder, Slot, SlotSet, State, StoredMember, StoredPlan, Watched,
};
use tenure::time::{Instant, Now};

use super::scenario::{Scenario, ScenarioError};
use super::system::{Birth, Call, Claim, Held, Input, Op, Reply, Shown, Summary, System, Value};
use super::world::{World, record_of};
use crate::time::Span;

/// The beginning of the names of members' records.
const MEMBERS: &str = "member/";
/// How many calls are remembered: an answer may come twice, and late.
const CALLS: usize = 256;

/// What it stores.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Stored {
    /// A member's record.
    Member(Arc<MemberRecord>),
    /// The plan.
    Plan(Arc<Plan>),
    /// An elector's lock.
    Lock(Object),
}

impl Value for Stored {
    fn summary(&self) -> Summary {
        match self {
            Self::Member(record) => Summary {
                state: record.state.to_string(),
                incarnation: record.incarnation.to_string(),
                acted_on: record.acted_on,
                generation: Some(record.generation.to_string()),
                weight: Some(record.member.weight().get()),
                lease: Some(Span::from(record.lease_duration)),
            },
            Self::Plan(plan) => {
                Summary { generation: Some(plan.generation().to_string()), ..Summary::default() }
            }
            Self::Lock(_) => Summary::default(),
        }
    }

    fn forged(&self, state: State) -> Option<Self> {
        let Self::Member(record) = self else { return None };
        Some(Self::Member(Arc::new(MemberRecord { state, ..MemberRecord::clone(record) })))
    }
}

/// What an answer must be made into.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Asked {
    Members,
    Write,
    Delete,
    Plan,
    Lock,
}

/// A [`Sharder`] and its driver.
#[derive(Debug, Clone, Hash)]
pub struct Tenure {
    sharder: Sharder,
    calls: BTreeMap<u64, (RequestId, Asked)>,
    stops: VecDeque<SlotSet>,
    /// Events so far: what is claimed changes with some of them, and in no other way but by time.
    events: u64,
    memberships: u64,
    record: Arc<str>,
}

/// A world whose replicas run Tenure's machine, without the rules named.
///
/// # Errors
/// If the scenario makes no sense.
pub fn tenure_world(
    scenario: &Scenario,
    seed: u64,
    without: &[Rule],
) -> Result<World<Tenure>, ScenarioError> {
    let without = scenario.without.iter().chain(without);
    let rules = without.fold(Rules::default(), |rules, rule| rules.without(*rule));
    World::new(scenario, seed, move |birth| Tenure::new(birth, rules))
}

impl Tenure {
    /// The machine of a life.
    ///
    /// # Panics
    /// If the scenario was not checked.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a world checks its scenario first")]
    pub fn new(birth: &Birth<'_>, rules: Rules) -> Self {
        let config = birth.scenario.config(birth.replica, Arc::clone(&birth.incarnation));
        let config = sharding::Config { rules, ..config.expect("the scenario was checked") };
        let record = record_of(config.member.name());
        let sharder = Sharder::new(config, birth.seed, birth.now.instant);
        Self {
            sharder: sharder.expect("the scenario was checked"),
            calls: BTreeMap::new(),
            stops: VecDeque::new(),
            events: 0,
            memberships: 0,
            record,
        }
    }

    /// The machine.
    #[must_use]
    pub const fn sharder(&self) -> &Sharder {
        &self.sharder
    }

    fn take_events(&mut self) {
        while let Some(event) = self.sharder.poll_event() {
            self.events += 1;
            match event {
                Event::Revoking { slots, .. } => self.stops.push_back(slots),
                Event::Lapsed { slots, .. } => {
                    self.memberships += 1;
                    self.stops.push_back(slots);
                }
                _ => {}
            }
        }
    }

    fn answer(asked: &Asked, reply: Reply<Stored>) -> Option<Answer> {
        Some(match (asked, reply) {
            (Asked::Members, Reply::Listed { objects, version }) => {
                let members = objects.into_iter().filter_map(member).collect();
                Answer::Listed { members, version }
            }
            (Asked::Write, Reply::Stored(held)) => Answer::Written { version: held.version },
            (Asked::Delete, Reply::Deleted) => Answer::Deleted,
            (Asked::Plan, Reply::Stored(Held { value: Stored::Plan(plan), version, .. })) => {
                Answer::Planned(StoredPlan { plan, version })
            }
            (Asked::Lock, Reply::Stored(Held { value: Stored::Lock(object), version, .. })) => {
                Answer::Elected(election::Stored { object, version: Version::ordered(version) })
            }
            _ => return None,
        })
    }

    fn op(&self, op: sharding::Op) -> (Op<Stored>, Asked) {
        let plan = || Arc::<str>::from("plan");
        match op {
            sharding::Op::List => (Op::List(MEMBERS.into()), Asked::Members),
            sharding::Op::Create(record) => {
                (Op::Create(self.name(record.name()), Stored::Member(record)), Asked::Write)
            }
            sharding::Op::Update(record, version) => {
                let name = self.name(record.name());
                (Op::Update(name, Stored::Member(record), version), Asked::Write)
            }
            sharding::Op::Delete(name, version) => {
                (Op::Delete(self.name(&name), Some(version)), Asked::Delete)
            }
            sharding::Op::ReadPlan => (Op::Get(plan()), Asked::Plan),
            sharding::Op::CreatePlan(it) => (Op::Create(plan(), Stored::Plan(it)), Asked::Write),
            sharding::Op::UpdatePlan(it, version) => {
                (Op::Update(plan(), Stored::Plan(it), version), Asked::Write)
            }
            sharding::Op::Elect(lock, op) => (elect(&lock, op), Asked::Lock),
        }
    }

    fn name(&self, member: &str) -> Arc<str> {
        match self.record.strip_prefix(MEMBERS) {
            Some(own) if own == member => Arc::clone(&self.record),
            _ => record_of(member),
        }
    }
}

fn member(held: Held<Stored>) -> Option<StoredMember> {
    match held.value {
        Stored::Member(record) => Some(StoredMember { record, version: held.version }),
        _ => None,
    }
}

fn elect(lock: &LockRef, op: election::Op) -> Op<Stored> {
    let name: Arc<str> = format!("lock/{}/{}", lock.namespace, lock.name).into();
    match op {
        election::Op::Get => Op::Get(name),
        election::Op::Create(object) => Op::Create(name, Stored::Lock(object)),
        election::Op::Update(object, version) => {
            // The versions that it knows are this store's.
            let version = version.as_ordered().unwrap_or_default();
            Op::Update(name, Stored::Lock(object), version)
        }
    }
}

impl System for Tenure {
    type Value = Stored;

    fn handle(&mut self, now: Now, input: Input<Stored>) {
        match input {
            Input::Timeout => self.sharder.handle_timeout(now),
            Input::Answer { id, result } => {
                let Some((id, asked)) = self.calls.get(&id).cloned() else { return };
                let result = result
                    .and_then(|reply| Self::answer(&asked, reply).ok_or(election::Failure::Other));
                self.sharder.handle_response(now, Response { id, result });
            }
            Input::Watched(shown) => {
                let watched = match shown {
                    Shown::Started(after) => Watched::Started { after },
                    Shown::Stored(held) => match member(held) {
                        Some(stored) => Watched::Stored(stored),
                        None => return,
                    },
                    Shown::Deleted(name, version) => {
                        let name = name.strip_prefix(MEMBERS).unwrap_or(&name).into();
                        Watched::Deleted { name, version }
                    }
                    Shown::Broken => Watched::Broken,
                };
                self.sharder.handle_watch(now, watched);
            }
            Input::Drained(slots) => self.sharder.drained(now, &slots),
            Input::Leave => self.sharder.leave(now),
            Input::Reconfigure(config) => {
                let sharding::Config { incarnation, rules, .. } = self.sharder.config().clone();
                // A world checks its scenario first; what is refused changes nothing.
                let config = sharding::Config { incarnation, rules, ..*config };
                let _ = self.sharder.reconfigure(now, config);
            }
            Input::Measured(loads) => self.sharder.measure(now, loads.to_vec()),
        }
        self.take_events();
    }

    fn poll_stop(&mut self) -> Option<SlotSet> {
        self.stops.pop_front()
    }

    fn poll_call(&mut self) -> Option<Call<Stored>> {
        self.take_events();
        let request = self.sharder.poll_request()?;
        let id = request.id.as_u64();
        let (op, asked) = self.op(request.op);
        self.calls.insert(id, (request.id, asked));
        while self.calls.len() > CALLS {
            self.calls.pop_first();
        }
        Some(Call { id, op })
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.sharder.poll_timeout()
    }

    fn changes(&self) -> Option<u64> {
        Some(self.events)
    }

    fn claim(&self, now: Instant) -> Claim<'_> {
        Claim {
            slots: self.sharder.owned(now),
            until: Some(self.sharder.until().unwrap_or_default()),
            each: self.sharder.config().mode == Mode::Leased,
            membership: self.memberships,
        }
    }

    fn permit(&self, slot: Slot, now: Instant) -> Option<Permit> {
        self.sharder.permit(slot, now)
    }

    fn until(&self, slot: Slot) -> Option<Instant> {
        self.sharder.work_until(slot)
    }

    fn is_finished(&self) -> bool {
        self.sharder.is_finished()
    }

    fn watches(&self) -> Option<&str> {
        Some(MEMBERS)
    }
}
