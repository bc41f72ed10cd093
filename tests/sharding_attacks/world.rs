//! Members, a store that answers at once, and who meddles with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tenure::election::{self, Failure, Stored};
use tenure::lock::Version;
use tenure::sharding::planned::Policy;
use tenure::sharding::{
    Answer, Config, Event, MemberRecord, Mode, Op, Request, Response, Sharder, Slot, Slots,
    StoredMember, StoredPlan,
};
use tenure::time::{Instant, Now, Timestamp};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    Served,
    /// It fails, without effect.
    Fails,
    /// Nobody ever answers, and it has no effect.
    Dropped,
}

/// Decides, by who asks for what.
type Meddler = Box<dyn FnMut(usize, &Op) -> Fate>;

#[derive(Default)]
pub(crate) struct World {
    pub(crate) nanos: u64,
    pub(crate) members: Vec<Sharder>,
    /// What each was told that it may work on, and not that it may not.
    pub(crate) told: Vec<BTreeSet<Slot>>,
    pub(crate) prompt: bool,
    pub(crate) records: BTreeMap<Arc<str>, StoredMember>,
    pub(crate) plan: Option<StoredPlan>,
    pub(crate) locks: BTreeMap<Arc<str>, Stored>,
    pub(crate) version: u64,
    pub(crate) requests: usize,
    pub(crate) fate: Option<Meddler>,
    pub(crate) tokens: BTreeMap<Slot, (usize, u64)>,
    /// Each record is deleted as soon as it was written.
    pub(crate) vanishes: bool,
}

pub(crate) fn at(nanos: u64) -> Now {
    let timestamp = Timestamp::from_unix_nanos(i128::from(nanos) + 1_700_000_000_000_000_000);
    Now { instant: Instant::from_nanos(nanos), timestamp }
}

pub(crate) fn config(name: &str) -> Config {
    Config {
        slots: Slots::new(16).unwrap(),
        ..Config::new("ns", "group", name, format!("of-{name}"))
    }
}

pub(crate) fn planned(name: &str) -> Config {
    Config { mode: Mode::Planned(Policy::default()), ..config(name) }
}

impl World {
    pub(crate) fn new(configs: impl IntoIterator<Item = Config>) -> Self {
        let mut world = Self { prompt: true, ..Self::default() };
        for config in configs {
            world.add(config);
        }
        world
    }

    pub(crate) fn add(&mut self, config: Config) -> usize {
        let seed = self.members.len() as u64 + 1;
        self.members.push(Sharder::new(config, seed, self.now().instant).unwrap());
        self.told.push(BTreeSet::new());
        self.members.len() - 1
    }

    pub(crate) fn now(&self) -> Now {
        at(self.nanos)
    }

    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.nanos + u64::try_from(duration.as_nanos()).unwrap();
        while self.nanos < end {
            self.nanos += 50_000_000;
            let now = self.now();
            for index in 0..self.members.len() {
                self.members[index].handle_timeout(now);
                self.settle(index);
            }
            self.check();
        }
    }

    /// Serves one member until it has nothing more to say; how many requests that were.
    pub(crate) fn settle(&mut self, index: usize) -> usize {
        let now = self.now();
        let before = self.requests;
        for round in 0.. {
            assert!(round < 1_000, "events without end");
            let mut busy = false;
            while let Some(event) = self.members[index].poll_event() {
                busy = true;
                self.event(index, event);
            }
            while let Some(request) = self.members[index].poll_request() {
                busy = true;
                self.requests += 1;
                let count = self.requests - before;
                assert!(count < 1_000, "{count} requests at one instant");
                if let Some(response) = self.serve(index, request) {
                    self.members[index].handle_response(now, response);
                }
            }
            if !busy {
                break;
            }
        }
        self.requests - before
    }

    pub(crate) fn event(&mut self, index: usize, event: Event) {
        let now = self.now();
        match event {
            Event::Acquired(slots) => {
                for slot in &slots {
                    assert!(self.told[index].insert(slot), "acquired twice: {slot}");
                    let Some(token) = self.members[index].token(slot, now.instant) else {
                        continue;
                    };
                    if let Some((owner, last)) = self.tokens.insert(slot, (index, token.as_u64())) {
                        assert!(last < token.as_u64(), "slot {slot}: {owner} {last} {index}");
                    }
                }
            }
            Event::Revoking { slots, .. } | Event::Lapsed { slots, .. } => {
                self.told[index].retain(|slot| !slots.contains(*slot));
                if self.prompt {
                    self.members[index].drained(now, &slots);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn serve(&mut self, index: usize, request: Request) -> Option<Response> {
        let fate = self.fate.as_mut().map_or(Fate::Served, |fate| fate(index, &request.op));
        let result = match fate {
            Fate::Dropped => return None,
            Fate::Fails => Err(Failure::Other),
            Fate::Served => self.call(request.op),
        };
        Some(Response { id: request.id, result })
    }

    pub(crate) fn call(&mut self, op: Op) -> Result<Answer, Failure> {
        match op {
            Op::List => {
                let members = self.records.values().cloned().collect();
                Ok(Answer::Listed { members, version: self.version })
            }
            Op::Create(record) => self.write(record, None),
            Op::Update(record, over) => self.write(record, Some(over)),
            Op::Delete(name, over) => {
                same(self.records.get(&name).map(|stored| stored.version), Some(over))?;
                self.records.remove(&name);
                self.version += 1;
                Ok(Answer::Deleted)
            }
            Op::ReadPlan => self.plan.clone().map(Answer::Planned).ok_or(Failure::NotFound),
            Op::CreatePlan(plan) => {
                same(self.plan.as_ref().map(|stored| stored.version), None)?;
                self.version += 1;
                self.plan = Some(StoredPlan { plan, version: self.version });
                Ok(Answer::Written { version: self.version })
            }
            Op::UpdatePlan(plan, over) => {
                same(self.plan.as_ref().map(|stored| stored.version), Some(over))?;
                self.version += 1;
                self.plan = Some(StoredPlan { plan, version: self.version });
                Ok(Answer::Written { version: self.version })
            }
            Op::Elect(lock, op) => {
                let before = self.locks.get(&lock.name);
                let object = match (op, before) {
                    (election::Op::Get, before) => {
                        return before.cloned().map(Answer::Elected).ok_or(Failure::NotFound);
                    }
                    (election::Op::Create(_), Some(_)) => return Err(Failure::AlreadyExists),
                    (election::Op::Update(..), None) => return Err(Failure::NotFound),
                    (election::Op::Update(_, over), Some(stored)) if stored.version != over => {
                        return Err(Failure::Conflict);
                    }
                    (election::Op::Create(object) | election::Op::Update(object, _), _) => object,
                };
                self.version += 1;
                let stored = Stored { object, version: Version::ordered(self.version) };
                self.locks.insert(lock.name.clone(), stored.clone());
                Ok(Answer::Elected(stored))
            }
        }
    }

    pub(crate) fn write(
        &mut self,
        record: Arc<MemberRecord>,
        over: Option<u64>,
    ) -> Result<Answer, Failure> {
        same(self.records.get(record.name()).map(|stored| stored.version), over)?;
        self.version += 1;
        let stored = StoredMember { record, version: self.version };
        self.records.insert(stored.record.name().into(), stored);
        let version = self.version;
        if self.vanishes {
            self.records.clear();
            self.version += 1;
        }
        Ok(Answer::Written { version })
    }

    /// No slot has two owners.
    pub(crate) fn check(&self) {
        let now = self.now().instant;
        for slot in self.members[0].config().slots.iter() {
            let owns = |member: &&Sharder| member.token(slot, now).is_some();
            let owners = self.members.iter().filter(owns).count();
            assert!(owners <= 1, "{owners} own slot {slot} at {} ms", self.nanos / 1_000_000);
        }
    }

    pub(crate) fn owned(&self) -> Vec<usize> {
        let now = self.now().instant;
        self.members.iter().map(|member| member.owned(now).map_or(0, |owned| owned.len())).collect()
    }
}

pub(crate) fn same(found: Option<u64>, over: Option<u64>) -> Result<(), Failure> {
    match (found, over) {
        (found, over) if found == over => Ok(()),
        (Some(_), None) => Err(Failure::AlreadyExists),
        (None, _) => Err(Failure::NotFound),
        _ => Err(Failure::Conflict),
    }
}
