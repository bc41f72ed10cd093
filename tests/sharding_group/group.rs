//! Members and their store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tenure::election::{self, Failure, Stored};
use tenure::lock::{LockRef, Version};
use tenure::sharding::{
    Answer, Config, Event, MemberRecord, Op, Plan, Request, Response, Sharder, Slot, SlotSet,
    StoredMember, StoredPlan, Watched,
};
use tenure::time::{Instant, Now, Timestamp};

#[derive(Clone)]
pub(crate) struct Group {
    pub(crate) millis: u64,
    pub(crate) members: Vec<Seat>,
    pub(crate) records: BTreeMap<Arc<str>, StoredMember>,
    pub(crate) version: u64,
    pub(crate) plan: Option<StoredPlan>,
    pub(crate) plans: u64,
    pub(crate) writes: u64,
    pub(crate) lists: u64,
    /// Calls about the plan, those that met another version than they expected, and all.
    pub(crate) plan_calls: u64,
    pub(crate) conflicts: u64,
    pub(crate) calls: u64,
    /// The leases of slots, by name, and how often one was read and written.
    pub(crate) locks: BTreeMap<Arc<str>, Stored>,
    pub(crate) looks: u64,
    pub(crate) elections: u64,
    /// The last owner of each slot, and its token.
    tokens: BTreeMap<Slot, (usize, u64)>,
    /// Of so many calls two fail, one of them after it took effect; none if 0.
    pub(crate) loses: u64,
    random: u64,
    /// The call of this number fails: 0 at once, 1 after it took effect.
    pub(crate) fails: Option<(u64, u64)>,
    /// How time passes, in milliseconds; and whether nobody is ahead of the others in a step.
    pub(crate) step: u64,
    pub(crate) together: bool,
    /// Answers come so many milliseconds later at most, about locks and about all.
    pub(crate) lock_latency: u64,
    pub(crate) latency: u64,
    late: Vec<(u64, usize, Response)>,
    /// No call on the lease of a slot succeeds.
    pub(crate) locked: bool,
    /// Shows members what is written, at once.
    pub(crate) watches: bool,
}

#[derive(Clone)]
pub(crate) struct Seat {
    pub(crate) sharder: Sharder,
    pub(crate) events: Vec<(u64, Event)>,
    /// Reports slots as drained as soon as it is told to drain them.
    pub(crate) prompt: bool,
    /// Its requests are not answered.
    pub(crate) cut: bool,
    /// Its reads of the plan fail.
    pub(crate) planless: bool,
    /// Its process stands still: it does nothing, and does not notice.
    pub(crate) frozen: bool,
    watching: bool,
    /// On what it works: from when it was told to until it says that it is drained.
    pub(crate) working: BTreeSet<Slot>,
}

impl Group {
    pub(crate) fn new() -> Self {
        Self {
            millis: 0,
            members: Vec::new(),
            records: BTreeMap::new(),
            version: 0,
            plan: None,
            plans: 0,
            writes: 0,
            lists: 0,
            plan_calls: 0,
            conflicts: 0,
            calls: 0,
            locks: BTreeMap::new(),
            looks: 0,
            elections: 0,
            tokens: BTreeMap::new(),
            loses: 0,
            random: 1,
            fails: None,
            step: 10,
            together: false,
            lock_latency: 0,
            latency: 0,
            late: Vec::new(),
            locked: false,
            watches: false,
        }
    }

    pub(crate) fn config(name: &str) -> Config {
        Config::new("default", "group", name, format!("process-of-{name}"))
    }

    pub(crate) fn now(&self) -> Now {
        let nanos = self.millis * 1_000_000;
        Now {
            instant: Instant::from_nanos(nanos),
            timestamp: Timestamp::from_unix_nanos(i128::from(nanos) + 1_700_000_000_000_000_000),
        }
    }

    pub(crate) fn add(&mut self, config: Config) -> usize {
        let seed = self.members.len() as u64 + 1;
        let sharder = Sharder::new(config, seed, self.now().instant).unwrap();
        let seat = Seat {
            sharder,
            events: Vec::new(),
            prompt: true,
            cut: false,
            planless: false,
            frozen: false,
            watching: false,
            working: BTreeSet::new(),
        };
        self.members.push(seat);
        self.settle();
        self.members.len() - 1
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.millis + u64::try_from(duration.as_millis()).unwrap();
        while self.millis < end {
            self.millis += self.step;
            self.answer_late();
            for index in 0..self.members.len() {
                let now = self.now();
                if !self.members[index].frozen {
                    self.members[index].sharder.handle_timeout(now);
                }
                if !self.together {
                    self.settle();
                }
            }
            self.settle();
            self.check();
        }
    }

    fn answer_late(&mut self) {
        let now = self.now();
        let due = |(at, ..): &mut (u64, usize, Response)| *at <= self.millis;
        for (_, index, response) in self.late.extract_if(.., due).collect::<Vec<_>>() {
            if !self.members[index].frozen {
                self.members[index].sharder.handle_response(now, response);
            }
        }
        self.settle();
    }

    /// All work of a member on these slots ends.
    pub(crate) fn drain(&mut self, index: usize, slots: &SlotSet) {
        let now = self.now();
        let seat = &mut self.members[index];
        seat.working.retain(|slot| !slots.contains(*slot));
        seat.sharder.drained(now, slots);
        self.settle();
    }

    /// No slot has two owners, nor are two at work on it.
    pub(crate) fn check(&self) {
        let now = self.now().instant;
        for (at, one) in self.members.iter().enumerate() {
            for other in &self.members[..at] {
                if let (Some(one), Some(other)) = (one.sharder.owned(now), other.sharder.owned(now))
                {
                    assert!(one.is_disjoint(&other), "two owners at {} ms", self.millis);
                }
                let noticed = !one.frozen && !other.frozen;
                assert!(
                    !noticed || one.working.is_disjoint(&other.working),
                    "two work at {} ms",
                    self.millis
                );
            }
        }
    }

    /// How many slots each owns.
    pub(crate) fn shares(&self) -> Vec<usize> {
        let now = self.now().instant;
        let share = |seat: &Seat| seat.sharder.owned(now).map_or(0, |owned| owned.len());
        self.members.iter().map(share).collect()
    }

    pub(crate) fn owner(&self, slot: Slot) -> Option<usize> {
        let now = self.now().instant;
        let owns = |seat: &Seat| seat.sharder.owned(now).is_some_and(|owned| owned.contains(slot));
        self.members.iter().position(owns)
    }

    /// Until nobody has anything to say.
    pub(crate) fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 1_000, "they never come to rest");
            let mut busy = false;
            for index in 0..self.members.len() {
                busy |= self.poll(index);
            }
            if !busy {
                return;
            }
        }
    }

    /// Tokens grow.
    fn acquired(&mut self, index: usize, slots: &SlotSet) {
        let now = self.now().instant;
        let seat = &mut self.members[index];
        seat.working.extend(slots.iter());
        for slot in slots {
            let Some(permit) = seat.sharder.permit(slot, now) else { continue };
            assert!(permit.is_valid(now) && permit.slot == slot);
            let token = permit.token.as_u64();
            if let Some((owner, before)) = self.tokens.insert(slot, (index, token)) {
                assert!(token > before || owner == index && token == before, "{slot}");
            }
        }
    }

    fn poll(&mut self, index: usize) -> bool {
        let now = self.now();
        let mut busy = false;
        if self.members[index].frozen {
            return false;
        }
        while let Some(event) = self.members[index].sharder.poll_event() {
            busy = true;
            let seat = &mut self.members[index];
            seat.events.push((self.millis, event.clone()));
            match event {
                Event::Acquired(slots) => self.acquired(index, &slots),
                Event::Revoking { slots, .. } | Event::Lapsed { slots, .. } if seat.prompt => {
                    seat.working.retain(|slot| !slots.contains(*slot));
                    seat.sharder.drained(now, &slots);
                }
                _ => {}
            }
        }
        while let Some(request) = self.members[index].sharder.poll_request() {
            busy = true;
            if self.members[index].cut {
                continue;
            }
            let id = request.id;
            let about_lock = matches!(request.op, Op::Elect(..));
            let latest = self.now().instant + self.members[index].sharder.config().request_timeout;
            assert!(request.deadline <= latest, "{request:?}");
            self.calls += 1;
            let fate = if self.loses == 0 { 2 } else { self.random() % self.loses };
            let fate =
                self.fails.filter(|(at, _)| *at == self.calls).map_or(fate, |(_, fate)| fate);
            let planless = self.members[index].planless && request.op == Op::ReadPlan;
            let result =
                if fate == 0 || planless { Err(Failure::Other) } else { self.call(request) };
            let result = if fate == 1 { Err(Failure::Other) } else { result };
            let listed = match &result {
                Ok(Answer::Listed { version, .. }) => Some(*version),
                _ => None,
            };
            let response = Response { id, result };
            let latency = if about_lock { self.lock_latency } else { 0 }.max(self.latency);
            if latency > 0 {
                let due = self.millis + self.random() % latency;
                self.late.push((due, index, response));
                continue;
            }
            let seat = &mut self.members[index];
            seat.sharder.handle_response(now, response);
            if let Some(after) = listed.filter(|_| self.watches && !seat.watching) {
                seat.watching = true;
                seat.sharder.handle_watch(now, Watched::Started { after });
            }
        }
        busy
    }

    /// An xorshift.
    pub(crate) fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn call(&mut self, request: Request) -> Result<Answer, Failure> {
        let plan = matches!(request.op, Op::ReadPlan | Op::CreatePlan(_) | Op::UpdatePlan(..));
        self.plan_calls += u64::from(plan);
        let result = self.act(request);
        self.conflicts += u64::from(matches!(result, Err(Failure::Conflict)));
        result
    }

    fn act(&mut self, request: Request) -> Result<Answer, Failure> {
        match request.op {
            Op::List => {
                self.lists += 1;
                let members = self.records.values().cloned().collect();
                Ok(Answer::Listed { members, version: self.version })
            }
            Op::Create(record) => {
                if self.records.contains_key(record.name()) {
                    return Err(Failure::AlreadyExists);
                }
                Ok(Answer::Written { version: self.write(record) })
            }
            Op::Update(record, over) => match self.records.get(record.name()) {
                None => Err(Failure::NotFound),
                Some(stored) if stored.version != over => Err(Failure::Conflict),
                Some(_) => Ok(Answer::Written { version: self.write(record) }),
            },
            Op::Delete(name, over) => match self.records.get(&name) {
                None => Err(Failure::NotFound),
                Some(stored) if stored.version != over => Err(Failure::Conflict),
                Some(_) => {
                    self.delete(&name);
                    Ok(Answer::Deleted)
                }
            },
            Op::Elect(lock, op) => self.elect(&lock, op).map(Answer::Elected),
            Op::ReadPlan => self.plan.clone().map(Answer::Planned).ok_or(Failure::NotFound),
            Op::CreatePlan(_) if self.plan.is_some() => Err(Failure::AlreadyExists),
            Op::CreatePlan(plan) => Ok(self.store_plan(plan)),
            Op::UpdatePlan(plan, over) => match &self.plan {
                None => Err(Failure::NotFound),
                Some(stored) if stored.version != over => Err(Failure::Conflict),
                Some(_) => Ok(self.store_plan(plan)),
            },
        }
    }

    fn store_plan(&mut self, plan: Arc<Plan>) -> Answer {
        self.version += 1;
        self.plans += 1;
        let stored = StoredPlan { plan, version: self.version };
        self.plan = Some(stored.clone());
        self.show(&Watched::Planned(stored));
        Answer::Written { version: self.version }
    }

    fn elect(&mut self, lock: &Arc<LockRef>, op: election::Op) -> Result<Stored, Failure> {
        if self.locked {
            return Err(Failure::Other);
        }
        let before = self.locks.get(&lock.name);
        let object = match (op, before) {
            (election::Op::Get, before) => {
                self.looks += 1;
                return before.cloned().ok_or(Failure::NotFound);
            }
            (election::Op::Create(_), Some(_)) => return Err(Failure::AlreadyExists),
            (election::Op::Update(..), None) => return Err(Failure::NotFound),
            (election::Op::Update(_, over), Some(stored)) if stored.version != over => {
                return Err(Failure::Conflict);
            }
            (election::Op::Create(object) | election::Op::Update(object, _), _) => object,
        };
        self.version += 1;
        self.elections += 1;
        let stored = Stored { object, version: Version::ordered(self.version) };
        self.locks.insert(lock.name.clone(), stored.clone());
        self.show(&Watched::Lock(lock.clone(), election::Watched::Stored(stored.clone())));
        Ok(stored)
    }

    pub(crate) fn write(&mut self, record: Arc<MemberRecord>) -> u64 {
        self.version += 1;
        self.writes += 1;
        let stored = StoredMember { record, version: self.version };
        self.records.insert(stored.record.name().into(), stored.clone());
        self.show(&Watched::Stored(stored));
        self.version
    }

    pub(crate) fn delete(&mut self, name: &Arc<str>) {
        self.version += 1;
        self.records.remove(name);
        self.show(&Watched::Deleted { name: name.clone(), version: self.version });
    }

    fn show(&mut self, watched: &Watched) {
        let now = self.now();
        for seat in
            self.members.iter_mut().filter(|seat| seat.watching && !seat.cut && !seat.frozen)
        {
            seat.sharder.handle_watch(now, watched.clone());
        }
    }
}
