//! A small group of members and a store: whatever is late, lost or said twice, no slot has two owners;
//! and whatever a broken driver says, nothing panics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use tenure::election::{self, Failure};
use tenure::lock::{LockRef, Version};
use tenure::sharding::planned::Policy;
use tenure::sharding::{
    Answer, Config, ConfigError, Event, MemberRecord, Mode, Op, Plan, Ranking, Request, Response,
    Sharder, Slot, Slots, State, StoredMember, StoredPlan, Watched,
};
use tenure::time::{Instant, Now, Timestamp};

type Marks = BTreeSet<&'static str>;

/// Reads a schedule from `data` and plays it.
pub fn sharders(data: &[u8]) {
    marks(data);
}

/// Inputs to start from.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    crate::random_seeds(marks)
}

fn marks(data: &[u8]) -> Marks {
    let mut bytes = Unstructured::new(data);
    let mut marks = Marks::new();
    // Bytes that end early end the play.
    if let Ok(mut group) = Group::new(&mut bytes) {
        _ = group.play(&mut bytes);
        marks = group.marks;
    }
    marks
}

struct Seat {
    sharder: Sharder,
    requests: Vec<Request>,
    answers: Vec<Response>,
    /// What is to be drained.
    draining: Vec<tenure::sharding::SlotSet>,
    /// How much of the log its watch has shown, if it has one.
    shown: Option<usize>,
}

struct Group {
    mode: Mode,
    /// Whether the driver and the store keep to their contract.
    honest: bool,
    now: Now,
    seats: Vec<Seat>,
    version: u64,
    records: BTreeMap<Arc<str>, StoredMember>,
    plan: Option<StoredPlan>,
    locks: BTreeMap<LockRef, election::Stored>,
    log: Vec<(u64, Watched)>,
    tokens: BTreeMap<Slot, u64>,
    marks: Marks,
}

impl Group {
    fn new(bytes: &mut Unstructured<'_>) -> Result<Self> {
        let mode = match bytes.int_in_range(0..=3)? {
            0 => Mode::Leased,
            1 => Mode::Planned(Policy::default()),
            _ => Mode::Ranked(Ranking::default()),
        };
        let honest = !bytes.ratio(1, 4)?;
        let timestamp = Timestamp::from_unix(1_700_000_000, 0).expect("a time");
        let now = Now { instant: Instant::from_nanos(1 << 40), timestamp };
        let mut group = Self {
            mode,
            honest,
            now,
            seats: Vec::new(),
            version: 5,
            records: BTreeMap::new(),
            plan: None,
            locks: BTreeMap::new(),
            log: Vec::new(),
            tokens: BTreeMap::new(),
            marks: Marks::new(),
        };
        for _ in 0..bytes.int_in_range(1..=3)? {
            group.add(bytes)?;
        }
        Ok(group)
    }

    fn config(&self, bytes: &mut Unstructured<'_>) -> Result<Config> {
        let name = *bytes.choose(&["a", "b", "c"])?;
        Ok(Config {
            lease_duration: Duration::from_secs(3),
            renew_deadline: Duration::from_secs(2),
            retry_period: Duration::from_millis(500),
            request_timeout: Duration::from_millis(700),
            collect_after: Duration::from_secs(bytes.int_in_range(0..=9)?),
            generation: if bytes.ratio(1, 16)? { 2 } else { 1 },
            slots: Slots::new(8).expect("few"),
            mode: self.mode.clone(),
            distrust_deletion: bytes.ratio(1, 8)?,
            ..Config::new("default", "group", name, format!("process-{}", self.seats.len()))
        })
    }

    fn add(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let config = self.config(bytes)?;
        let sharder = Sharder::new(config, bytes.arbitrary()?, self.now.instant).expect("it works");
        let (requests, answers, draining) = (Vec::new(), Vec::new(), Vec::new());
        self.seats.push(Seat { sharder, requests, answers, draining, shown: None });
        Ok(())
    }

    fn play(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        while !bytes.is_empty() {
            let index = bytes.choose_index(self.seats.len())?;
            self.step(index, bytes)?;
            self.fetch(index);
            self.check();
        }
        Ok(())
    }

    fn step(&mut self, index: usize, bytes: &mut Unstructured<'_>) -> Result<()> {
        match bytes.arbitrary::<u8>()? {
            0..=39 => {
                let seat = &mut self.seats[index];
                let due = seat.sharder.poll_timeout().unwrap_or_default();
                let wait = due.saturating_since(self.now.instant).min(Duration::from_secs(4));
                self.pass(wait);
                self.seats[index].sharder.handle_timeout(self.now);
            }
            40..=55 => {
                self.pass(Duration::from_millis(bytes.int_in_range(0..=1_500)?));
                self.seats[index].sharder.handle_timeout(self.now);
            }
            56..=139 => self.round(index, bytes)?,
            140..=159 => {
                // The store applies it; the answer comes later, or never.
                let seat = &mut self.seats[index];
                if !seat.requests.is_empty() {
                    let request = seat.requests.remove(bytes.choose_index(seat.requests.len())?);
                    let response = self.serve(request);
                    self.seats[index].answers.push(response);
                }
            }
            160..=179 => {
                let seat = &mut self.seats[index];
                if !seat.answers.is_empty() {
                    let at = bytes.choose_index(seat.answers.len())?;
                    let response = seat.answers[at].clone(); // and maybe again
                    seat.sharder.handle_response(self.now, response);
                }
            }
            180..=189 => _ = self.seats[index].requests.pop(),
            190..=214 => self.watch(index),
            215..=229 => self.drain(index, bytes)?,
            230..=234 => self.seats[index].sharder.poke(self.now),
            235 => self.seats[index].sharder.leave(self.now),
            236..=238 => {
                let member = self.seats[index].sharder.config().member.clone();
                let incarnation = self.seats[index].sharder.config().incarnation.clone();
                let config = Config { member, incarnation, ..self.config(bytes)? };
                let asked = self.seats[index].sharder.reconfigure(self.now, config);
                assert!(matches!(asked, Ok(()) | Err(ConfigError::Leaving)), "{asked:?}");
            }
            239..=242 if self.seats.len() < 6 => self.add(bytes)?,
            243..=248 => self.garble(bytes)?,
            _ if !self.honest => self.lie(index, bytes)?,
            _ => {}
        }
        Ok(())
    }

    fn pass(&mut self, time: Duration) {
        self.now.instant = self.now.instant + time;
    }

    /// All that was asked is answered, in the order in which it was asked.
    fn round(&mut self, index: usize, bytes: &mut Unstructured<'_>) -> Result<()> {
        for _ in 0..8 {
            let requests = std::mem::take(&mut self.seats[index].requests);
            if requests.is_empty() {
                break;
            }
            for request in requests {
                let response = self.serve(request);
                let watches = self.seats[index].shown.is_none() && bytes.ratio(1, 16)?;
                let listed = match &response.result {
                    Ok(Answer::Listed { version, .. }) if watches => Some(*version),
                    _ => None,
                };
                let seat = &mut self.seats[index];
                seat.sharder.handle_response(self.now, response);
                if let Some(after) = listed {
                    seat.shown = Some(self.log.len());
                    seat.sharder.handle_watch(self.now, Watched::Started { after });
                    self.marks.insert("watched");
                }
            }
            self.fetch(index);
        }
        Ok(())
    }

    fn watch(&mut self, index: usize) {
        let seat = &mut self.seats[index];
        while let Some((_, watched)) = seat.shown.and_then(|at| self.log.get(at)) {
            seat.sharder.handle_watch(self.now, watched.clone());
            seat.shown = seat.shown.map(|at| at + 1);
        }
    }

    fn drain(&mut self, index: usize, bytes: &mut Unstructured<'_>) -> Result<()> {
        let seat = &mut self.seats[index];
        if !seat.draining.is_empty() {
            let slots = seat.draining.remove(bytes.choose_index(seat.draining.len())?);
            seat.sharder.drained(self.now, &slots);
            self.marks.insert("drained");
        }
        Ok(())
    }

    fn written(&mut self, watched: impl FnOnce(u64) -> Watched) -> u64 {
        self.version = self.version.saturating_add(1);
        self.log.push((self.version, watched(self.version)));
        self.version
    }

    fn write(&mut self, record: &Arc<MemberRecord>) -> u64 {
        let stored = |version| StoredMember { record: record.clone(), version };
        let version = self.written(|version| Watched::Stored(stored(version)));
        self.records.insert(record.name().into(), stored(version));
        version
    }

    fn serve(&mut self, request: Request) -> Response {
        Response { id: request.id, result: self.apply(request.op) }
    }

    fn apply(&mut self, op: Op) -> std::result::Result<Answer, Failure> {
        let guard = |found: Option<u64>, over: u64| match found {
            None => Err(Failure::NotFound),
            Some(found) if found != over => Err(Failure::Conflict),
            Some(_) => Ok(()),
        };
        match op {
            Op::List => {
                let members = self.records.values().cloned().collect();
                Ok(Answer::Listed { members, version: self.version })
            }
            Op::Create(record) if self.records.contains_key(record.name()) => {
                Err(Failure::AlreadyExists)
            }
            Op::Create(record) => Ok(Answer::Written { version: self.write(&record) }),
            Op::Update(record, over) => {
                guard(self.records.get(record.name()).map(|stored| stored.version), over)?;
                Ok(Answer::Written { version: self.write(&record) })
            }
            Op::Delete(name, over) => {
                guard(self.records.get(&name).map(|stored| stored.version), over)?;
                self.records.remove(&name);
                self.written(|version| Watched::Deleted { name, version });
                Ok(Answer::Deleted)
            }
            Op::ReadPlan => self.plan.clone().map(Answer::Planned).ok_or(Failure::NotFound),
            Op::CreatePlan(_) if self.plan.is_some() => Err(Failure::AlreadyExists),
            Op::CreatePlan(plan) => Ok(self.store(&plan)),
            Op::UpdatePlan(plan, over) => {
                guard(self.plan.as_ref().map(|stored| stored.version), over)?;
                Ok(self.store(&plan))
            }
            Op::Elect(lock, op) => self.elect(&lock, op).map(Answer::Elected),
        }
    }

    fn store(&mut self, plan: &Arc<Plan>) -> Answer {
        let stored = |version| StoredPlan { plan: plan.clone(), version };
        let version = self.written(|version| Watched::Planned(stored(version)));
        self.plan = Some(stored(version));
        self.marks.insert("planned");
        Answer::Written { version }
    }

    fn elect(
        &mut self,
        lock: &LockRef,
        op: election::Op,
    ) -> std::result::Result<election::Stored, Failure> {
        let before = self.locks.get(lock);
        let object = match (op, before) {
            (election::Op::Get, before) => return before.cloned().ok_or(Failure::NotFound),
            (election::Op::Create(_), Some(_)) => return Err(Failure::AlreadyExists),
            (election::Op::Update(..), None) => return Err(Failure::NotFound),
            (election::Op::Update(_, over), Some(stored)) if stored.version != over => {
                return Err(Failure::Conflict);
            }
            (election::Op::Create(object) | election::Op::Update(object, _), _) => object,
        };
        self.version = self.version.saturating_add(1);
        let stored = election::Stored { object, version: Version::ordered(self.version) };
        self.locks.insert(lock.clone(), stored.clone());
        Ok(stored)
    }

    /// Somebody changes a record or a plan by hand, so that nobody can read it.
    fn garble(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        if bytes.ratio(1, 8)? && self.plan.is_some() {
            let version = self.written(|version| Watched::Planned(StoredPlan::unreadable(version)));
            self.plan = Some(StoredPlan::unreadable(version));
            self.marks.insert("plan garbled");
        } else if bytes.arbitrary()? {
            let name = *bytes.choose(&["a", "b", "c", "d"])?;
            let seconds = bytes.int_in_range(0..=4)?;
            self.write(&MemberRecord::unreadable(name, Duration::from_secs(seconds)).into());
            self.marks.insert("garbled");
        }
        Ok(())
    }

    /// A driver or a store that breaks its contract: nothing is promised then, but that nothing panics.
    fn lie(&mut self, index: usize, bytes: &mut Unstructured<'_>) -> Result<()> {
        self.marks.insert("lied");
        let version = if bytes.arbitrary()? {
            bytes.arbitrary()?
        } else {
            *bytes.choose(&[0, 1, u64::MAX])?
        };
        let record = MemberRecord {
            state: *bytes.choose(&State::ALL)?,
            acted_on: bytes.arbitrary()?,
            lease_duration: Duration::new(bytes.arbitrary()?, 0),
            joined: Some(Timestamp::from_unix(bytes.arbitrary()?, 0).expect("no nanoseconds")),
            ..MemberRecord::unreadable(*bytes.choose(&["a", "b", "", "z"])?, Duration::ZERO)
        };
        let stored = StoredMember { record: record.into(), version };
        let watched = match bytes.int_in_range(0..=7)? {
            0 => Watched::Started { after: version },
            1 => Watched::Stored(stored.clone()),
            2 => Watched::Deleted { name: stored.record.name().into(), version },
            3 => Watched::Planned(StoredPlan::unreadable(version)),
            4 => Watched::Progress { version },
            5 => Watched::Broken,
            6 => {
                self.records.insert(stored.record.name().into(), stored.clone());
                Watched::Broken
            }
            _ => {
                self.version = version;
                Watched::Broken
            }
        };
        let (now, seat) = (self.now, &mut self.seats[index]);
        let result = match bytes.int_in_range(0..=5)? {
            0 => Ok(Answer::Deleted),
            1 => Ok(Answer::Written { version }),
            2 => Ok(Answer::Listed { members: vec![stored.clone(), stored], version }),
            3 => Ok(Answer::Planned(StoredPlan::unreadable(version))),
            4 => Err(Failure::Conflict),
            _ => Err(Failure::AlreadyExists),
        };
        if let Some(request) = seat.requests.pop() {
            seat.sharder.handle_response(now, Response { id: request.id, result });
        }
        seat.sharder.handle_watch(now, watched);
        Ok(())
    }

    fn fetch(&mut self, index: usize) {
        let now = self.now.instant;
        let seat = &mut self.seats[index];
        for _ in 0..1_000 {
            let Some(event) = seat.sharder.poll_event() else { break };
            match event {
                Event::Acquired(slots) => {
                    self.marks.insert("owned");
                    for slot in slots.iter().filter(|_| self.honest) {
                        let Some(permit) = seat.sharder.permit(slot, now) else { continue };
                        let token = permit.token.as_u64();
                        let before = self.tokens.insert(slot, token).unwrap_or(0);
                        assert!(token >= before, "an older token");
                    }
                }
                Event::Revoking { slots, .. } | Event::Lapsed { slots, .. } => {
                    seat.draining.push(slots);
                }
                Event::Excluded { .. } => _ = self.marks.insert("excluded"),
                Event::Left => _ = self.marks.insert("left"),
                _ => {}
            }
        }
        assert_eq!(seat.sharder.poll_event(), None, "events without end");
        while let Some(request) = seat.sharder.poll_request() {
            seat.requests.push(request);
            assert!(seat.requests.len() < 2_000, "requests without end");
        }
    }

    fn check(&self) {
        if !self.honest {
            return;
        }
        let now = self.now.instant;
        for (at, one) in self.seats.iter().enumerate() {
            for other in &self.seats[..at] {
                for slot in one.sharder.config().slots.iter() {
                    let two =
                        [one, other].iter().all(|seat| seat.sharder.permit(slot, now).is_some());
                    assert!(!two, "two owners of {slot}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn random_schedules() {
        let wanted =
            ["owned", "watched", "planned", "garbled", "drained", "lied", "excluded", "left"];
        crate::tests::reach(3_000, &wanted, super::marks);
    }
}
