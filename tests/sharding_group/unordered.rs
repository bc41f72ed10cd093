//! A store that tells versions apart and does not order them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tenure::election::Failure;
use tenure::lock::Version;
use tenure::sharding::planned::Policy;
use tenure::sharding::{
    Config, ConfigError, Event, Mode, PublishedRecord, Ranking, RequestId, Slot, SlotSet, Slots,
    State, Unordered, UnorderedAnswer, UnorderedOp,
};
use tenure::time::{Instant, Now, Timestamp};

type Answer = Result<UnorderedAnswer, Failure>;

/// Calls take effect and are answered at some time, or never.
struct World {
    millis: u64,
    random: u64,
    faults: bool,
    tags: u64,
    records: BTreeMap<Arc<str>, (PublishedRecord, Version)>,
    members: Vec<Seat>,
    /// Under way: when they take effect, and when, if ever, they are answered.
    calls: Vec<(u64, Option<u64>, usize, RequestId, UnorderedOp)>,
    answers: Vec<(u64, usize, RequestId, Answer)>,
}

struct Seat {
    member: Unordered,
    working: BTreeSet<Slot>,
    /// When work on what was taken away ends.
    draining: Vec<(u64, SlotSet)>,
    frozen_until: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            millis: 0,
            random: seed * 2 + 1,
            faults: true,
            tags: 0,
            records: BTreeMap::new(),
            members: Vec::new(),
            calls: Vec::new(),
            answers: Vec::new(),
        }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % end
    }

    fn now(&self) -> Now {
        let nanos = self.millis * 1_000_000;
        Now {
            instant: Instant::from_nanos(nanos),
            timestamp: Timestamp::from_unix_nanos(nanos.into()),
        }
    }

    fn add(&mut self, name: &str, process: &str) {
        let config = Config {
            lease_duration: Duration::from_secs(3),
            renew_deadline: Duration::from_secs(2),
            retry_period: Duration::from_millis(400),
            request_timeout: Duration::from_millis(500),
            slots: Slots::new(16).unwrap(),
            ..Config::new("default", "group", name, process)
        };
        let member = Unordered::new(config, self.below(1 << 32), self.now().instant).unwrap();
        let working = BTreeSet::new();
        self.members.push(Seat { member, working, draining: Vec::new(), frozen_until: 0 });
    }

    fn step(&mut self) {
        self.millis += 10;
        let due = self.calls.extract_if(.., |(at, ..)| *at <= self.millis).collect::<Vec<_>>();
        for (_, answered, index, id, op) in due {
            let answer = self.apply(op);
            if let Some(at) = answered {
                self.answers.push((at, index, id, answer));
            }
        }
        let now = self.now();
        let millis = self.millis;
        for index in 0..self.members.len() {
            if self.members[index].frozen_until > millis {
                continue;
            }
            let mine = |(at, of, ..): &mut (u64, usize, _, _)| *at <= millis && *of == index;
            for (_, _, id, answer) in self.answers.extract_if(.., mine).collect::<Vec<_>>() {
                self.members[index].member.handle_response(now, id, answer);
            }
            self.members[index].member.handle_timeout(now);
            self.drive(index);
        }
        self.check();
    }

    fn drive(&mut self, index: usize) {
        let now = self.now();
        loop {
            while let Some(event) = self.members[index].member.poll_event() {
                let lasts = if self.faults { self.below(600) } else { 0 };
                let seat = &mut self.members[index];
                match event {
                    Event::Acquired(slots) => seat.working.extend(slots.iter()),
                    Event::Revoking { slots, .. } => {
                        seat.draining.push((self.millis + lasts, slots));
                    }
                    Event::Lapsed { slots, .. } => {
                        seat.draining.clear();
                        seat.working.retain(|slot| !slots.contains(*slot));
                        seat.member.drained(now, &slots);
                    }
                    _ => {}
                }
            }
            let seat = &mut self.members[index];
            for (_, slots) in seat.draining.extract_if(.., |(at, _)| *at <= self.millis) {
                seat.working.retain(|slot| !slots.contains(*slot));
                seat.member.drained(now, &slots);
            }
            let Some(request) = seat.member.poll_request() else { break };
            let fate = if self.faults { self.below(10) } else { 9 };
            let slow = if fate < 2 { 3_000 } else { 100 };
            let applied = self.millis + self.below(slow);
            let answered = (fate != 0).then_some(applied + self.below(slow));
            if fate != 1 {
                self.calls.push((applied, answered, index, request.id, request.op));
            }
        }
    }

    fn apply(&mut self, op: UnorderedOp) -> Answer {
        let (record, over) = match op {
            UnorderedOp::List => {
                return Ok(UnorderedAnswer::Listed(self.records.values().cloned().collect()));
            }
            UnorderedOp::Delete(name, version) => {
                return match self.records.get(&name) {
                    None => Err(Failure::NotFound),
                    Some((_, found)) if *found != version => Err(Failure::Conflict),
                    Some(_) => {
                        self.records.remove(&name);
                        Ok(UnorderedAnswer::Deleted)
                    }
                };
            }
            UnorderedOp::Create(record) => (record, None),
            UnorderedOp::Update(record, over) => (record, Some(over)),
        };
        assert_eq!(record.record.acted_on, None);
        let name: Arc<str> = record.record.name().into();
        match (self.records.get(&name).map(|(_, version)| version), over) {
            (Some(_), None) => return Err(Failure::AlreadyExists),
            (None, Some(_)) => return Err(Failure::NotFound),
            (found, over) if found != over.as_ref() => return Err(Failure::Conflict),
            _ => {}
        }
        self.tags += 1;
        let tag = (self.tags << 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        let version = Version::opaque(format!("{tag:x}"));
        self.records.insert(name, (record, version.clone()));
        Ok(UnorderedAnswer::Written(version))
    }

    fn check(&self) {
        let now = self.now().instant;
        for (at, one) in self.members.iter().enumerate() {
            for other in &self.members[..at] {
                let owned = (one.member.owned(now), other.member.owned(now));
                if let (Some(a), Some(b)) = owned {
                    assert!(a.is_disjoint(&b), "two owners at {} ms", self.millis);
                }
                let awake = one.frozen_until <= self.millis && other.frozen_until <= self.millis;
                let apart = one.working.is_disjoint(&other.working);
                assert!(!awake || apart, "two work at {} ms", self.millis);
            }
        }
    }

    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds * 100 {
            if self.faults && self.below(800) == 0 {
                let index = usize::try_from(self.below(self.members.len() as u64)).unwrap();
                let until = self.millis + self.below(6_000);
                self.members[index].frozen_until = until;
            }
            self.step();
        }
    }

    fn owned(&self) -> Vec<usize> {
        let now = self.now().instant;
        self.members
            .iter()
            .map(|seat| seat.member.owned(now).map_or(0, |owned| owned.len()))
            .collect()
    }
}

#[test]
fn members_share_all_slots_and_leave_them() {
    let mut world = World::new(7);
    world.faults = false;
    world.add("member-0", "first");
    world.run(3);
    assert_eq!(world.owned(), [16]);
    world.add("member-1", "second");
    world.add("member-2", "third");
    world.run(5);
    let shares = world.owned();
    assert_eq!(shares.iter().sum::<usize>(), 16);
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
    // Whom each has acknowledged stands in its record.
    let (record, _) = &world.records["member-0"];
    let names: Vec<_> =
        record.acknowledged.iter().map(|(name, of)| (&**name, &*of.process)).collect();
    assert_eq!(names, [("member-1", "second"), ("member-2", "third")]);
    // A renewal and a read are due: one is asked for, and then the other.
    let (now, member) = (world.now(), &mut world.members[2].member);
    member.poke(now);
    let request = member.poll_request().unwrap();
    assert!(member.poll_request().is_none());
    member.handle_response(now, request.id, Err(Failure::Other));
    assert!(member.poll_request().is_some());
    let now = world.now();
    world.members[1].member.leave(now);
    world.run(3);
    assert!(world.members[1].member.is_finished());
    assert_eq!(world.records["member-1"].0.record.state, State::Left);
    assert_eq!(world.owned().iter().sum::<usize>(), 16);
    let explained =
        world.members[0].member.explain(Slots::new(16).unwrap().get(0).unwrap(), now.instant);
    assert_eq!(explained.token, None);
}

/// Late, lost and belated calls, frozen members, and processes that take the names of others.
#[test]
fn no_slot_has_two_owners_whatever_fails() {
    let mut owners = BTreeSet::new();
    for seed in 1..=60 {
        let mut world = World::new(seed);
        for n in 0..4 {
            world.add(&format!("member-{n}"), &format!("process-{n}"));
            world.run(2);
        }
        world.run(20);
        world.add("member-1", "process-of-another-life");
        world.run(30);
        owners.insert(world.owned());
        world.faults = false;
        world.members.iter_mut().for_each(|seat| seat.frozen_until = 0);
        let now = world.now();
        world.members[1].member.leave(now);
        world.run(15);
        assert_eq!(world.owned().iter().sum::<usize>(), 16, "seed {seed}: {:?}", world.owned());
        assert!(world.owned().iter().filter(|share| **share > 0).count() >= 3);
    }
    assert!(owners.len() > 8, "{owners:?}");
}

/// Who acknowledged an earlier life of this name has not acknowledged this one.
#[test]
fn an_acknowledgement_is_of_one_life() {
    let mut world = World::new(7);
    world.faults = false;
    world.add("member-0", "first");
    world.add("member-1", "second");
    world.run(5);
    world.members[1].frozen_until = u64::MAX;
    let now = world.now();
    world.members[0].member.leave(now);
    world.drive(0);
    world.run(1);
    assert!(world.members.remove(0).member.is_finished());
    let acknowledged = &world.records["member-1"].0.acknowledged;
    assert_eq!((&*acknowledged[0].0, &*acknowledged[0].1.process), ("member-0", "first"));
    world.add("member-0", "again");
    world.run(1);
    // The other one renews before it has read of that.
    world.records.get_mut("member-1").unwrap().1 = Version::opaque("late");
    world.run(1); // less than the lease duration: it has not been given up
    assert_eq!(world.records["member-0"].0.record.state, State::Joining);
    world.members[0].frozen_until = 0;
    world.run(3);
    let shares = world.owned();
    assert!(shares.iter().all(|share| *share > 0) && shares.iter().sum::<usize>() == 16);
}

#[test]
fn other_modes_are_refused() {
    for mode in [Mode::Leased, Mode::Planned(Policy::default())] {
        let config = Config { mode, ..Config::new("default", "group", "member-0", "process") };
        let error = Unordered::new(config.clone(), 1, Instant::default()).unwrap_err();
        assert_eq!(error, ConfigError::Unordered);
        let ranked = Config { mode: Mode::Ranked(Ranking::default()), ..config.clone() };
        let mut member = Unordered::new(ranked, 1, Instant::default()).unwrap();
        assert_eq!(member.reconfigure(World::new(1).now(), config), Err(ConfigError::Unordered));
        assert!(error.to_string().contains("without ordered versions only Ranked works"));
    }
}

/// A driver that only wakes when it is told to, and a store that never answers: each call ends at its deadline,
/// and another one is made.
#[test]
fn timers_alone_drive_a_member() {
    let config = Config::new("default", "group", "member-0", "process");
    let mut member = Unordered::new(config, 1, Instant::default()).unwrap();
    let mut deadlines = Vec::new();
    for _ in 0..40 {
        let call = member.poll_request().map(|request| request.deadline);
        let wake = member.poll_timeout().expect("there is always something to wait for");
        assert!(call.is_none_or(|deadline| wake <= deadline), "a call without end");
        deadlines.extend(call);
        member.handle_timeout(Now { instant: wake, timestamp: Timestamp::from_unix_nanos(0) });
    }
    assert!(deadlines.len() > 3 && deadlines.is_sorted(), "{deadlines:?}");
}
