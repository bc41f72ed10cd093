//! Members and their store.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "seats are numbers that this group gave; what is not expected fails the test"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tenure::election::Failure;
use tenure::sharding::{
    Answer, Config, Event, MemberRecord, Op, Request, Response, Sharder, Slot, StoredMember,
    Watched,
};
use tenure::time::{Instant, Now, Timestamp};

pub(crate) struct Group {
    pub(crate) millis: u64,
    pub(crate) members: Vec<Seat>,
    pub(crate) records: BTreeMap<Arc<str>, StoredMember>,
    pub(crate) version: u64,
    pub(crate) writes: u64,
    pub(crate) lists: u64,
    /// Shows members what is written, at once.
    pub(crate) watches: bool,
}

pub(crate) struct Seat {
    pub(crate) sharder: Sharder,
    pub(crate) events: Vec<(u64, Event)>,
    /// Reports slots as drained as soon as it is told to drain them.
    pub(crate) prompt: bool,
    /// Its requests are not answered.
    pub(crate) cut: bool,
    watching: bool,
}

impl Group {
    pub(crate) fn new() -> Self {
        Self {
            millis: 0,
            members: Vec::new(),
            records: BTreeMap::new(),
            version: 0,
            writes: 0,
            lists: 0,
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
        let seat = Seat { sharder, events: Vec::new(), prompt: true, cut: false, watching: false };
        self.members.push(seat);
        self.settle();
        self.members.len() - 1
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.millis + u64::try_from(duration.as_millis()).unwrap();
        while self.millis < end {
            self.millis += 10;
            for index in 0..self.members.len() {
                let now = self.now();
                self.members[index].sharder.handle_timeout(now);
                self.settle();
            }
            self.check();
        }
    }

    /// No slot has two owners.
    pub(crate) fn check(&self) {
        let now = self.now().instant;
        for (at, one) in self.members.iter().enumerate() {
            for other in &self.members[..at] {
                if let (Some(one), Some(other)) = (one.sharder.owned(now), other.sharder.owned(now))
                {
                    assert!(one.is_disjoint(other), "two owners at {} ms", self.millis);
                }
            }
        }
    }

    /// How many slots each owns.
    pub(crate) fn shares(&self) -> Vec<usize> {
        let now = self.now().instant;
        let share = |seat: &Seat| seat.sharder.owned(now).map_or(0, tenure::sharding::SlotSet::len);
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

    fn poll(&mut self, index: usize) -> bool {
        let now = self.now();
        let mut busy = false;
        while let Some(event) = self.members[index].sharder.poll_event() {
            busy = true;
            let seat = &mut self.members[index];
            seat.events.push((self.millis, event.clone()));
            if let Event::Revoking { slots, .. } | Event::Lapsed { slots, .. } = &event
                && seat.prompt
            {
                seat.sharder.drained(now, slots);
            }
        }
        while let Some(request) = self.members[index].sharder.poll_request() {
            busy = true;
            if self.members[index].cut {
                continue;
            }
            let id = request.id;
            if std::env::var("DBG").is_ok() {
                eprintln!("{} {index} {:?}", self.millis, request.op);
            }
            let result = self.call(request);
            let listed = match &result {
                Ok(Answer::Listed { version, .. }) => Some(*version),
                _ => None,
            };
            let seat = &mut self.members[index];
            seat.sharder.handle_response(now, Response { id, result });
            if let Some(after) = listed.filter(|_| self.watches && !seat.watching) {
                seat.watching = true;
                seat.sharder.handle_watch(now, Watched::Started { after });
            }
        }
        busy
    }

    fn call(&mut self, request: Request) -> Result<Answer, Failure> {
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
            other => panic!("not asked in this mode: {other:?}"),
        }
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
        for seat in self.members.iter_mut().filter(|seat| seat.watching && !seat.cut) {
            seat.sharder.handle_watch(now, watched.clone());
        }
    }
}
