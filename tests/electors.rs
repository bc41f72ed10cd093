//! Electors among others do what they do alone, under any schedule; and what only a set of them has:
//! order, removal, ids, and the news of who has ended.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tenure::election::{
    Config, Elector, ElectorId, Electors, Event, Failure, Missing, Op, Profile, Release, Request,
    RequestId, Response, Stored, Watched,
};
use tenure::lock::lease::{Lease, LeaseSpec};
use tenure::lock::{LockRef, Object, Record, Version};
use tenure::time::{Instant, Now, Timestamp};

fn now(millis: u64) -> Now {
    let instant = Instant::from_nanos(millis * 1_000_000);
    Now { instant, timestamp: Timestamp::from_unix_nanos(instant.as_nanos().into()) }
}

fn elector(profile: Profile, missing: Missing, name: u64, begin: u64) -> Elector {
    let config = Config {
        profile,
        missing,
        warn_before: Some(Duration::from_secs(1)),
        ..Config::new(LockRef::lease("ns", format!("lock-{name}")), "me", "1")
    };
    Elector::new(config, name, now(begin).instant).unwrap()
}

/// A candidate whose lock does not exist, and which will lead as soon as it knows that.
fn founder(name: u64, begin: u64) -> Elector {
    elector(Profile::Strict, Missing::NewGroup, name, begin)
}

#[derive(Debug, Clone)]
enum Act {
    /// Time goes by, in milliseconds.
    Wait(u64),
    /// Until the first of all timers is due, or so much longer.
    Sleep(u64),
    Timeout,
    Insert(Profile, Missing, u64),
    /// One of those that were ever inserted.
    One(usize, One),
    StopAll,
    /// The driver fetches so many events and requests at most.
    Fetch(usize, usize),
}

/// Something that happens to one elector.
#[derive(Debug, Clone)]
enum One {
    Remove,
    Poke,
    Stop,
    WorkStopped,
    HandOver,
    Watch(Option<Read>),
    /// To the last request, or to the one so many before it.
    Answer(Answer, usize),
}

type Read = (&'static str, u64);

#[derive(Debug, Clone)]
enum Answer {
    Good,
    Read(Read),
    Fail(Failure),
}

fn read() -> impl Strategy<Value = Read> {
    (prop_oneof![Just("me_1"), Just("me"), Just("other"), Just("")], 0..9u64)
}

fn one() -> impl Strategy<Value = One> {
    let failure = prop_oneof![
        Just(Failure::NotFound),
        Just(Failure::AlreadyExists),
        Just(Failure::Conflict),
        Just(Failure::Other)
    ];
    let answer = prop_oneof![
        16 => Just(Answer::Good),
        3 => read().prop_map(Answer::Read),
        3 => failure.prop_map(Answer::Fail),
    ];
    let back = prop_oneof![20 => Just(0usize), 1 => 1..4usize];
    prop_oneof![
        1 => Just(One::Remove),
        4 => Just(One::Poke),
        1 => Just(One::Stop),
        3 => Just(One::WorkStopped),
        1 => Just(One::HandOver),
        3 => prop::option::of(read()).prop_map(One::Watch),
        40 => (answer, back).prop_map(|(answer, back)| One::Answer(answer, back)),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let profile = prop_oneof![
        3 => Just(Profile::Strict),
        1 => Just(Profile::ClientGo(Release::V1_36)),
        1 => Just(Profile::ClientGo(Release::Head)),
    ];
    let missing = prop_oneof![Just(Missing::Wait), Just(Missing::NewGroup)];
    let few = prop_oneof![4 => Just(usize::MAX), 1 => 0..3usize];
    prop_oneof![
        12 => (0..15_000u64).prop_map(Act::Wait),
        80 => prop_oneof![9 => Just(0u64), 1 => 0..15_000u64].prop_map(Act::Sleep),
        12 => Just(Act::Timeout),
        8 => (profile, missing, 0..3_000u64).prop_map(|(p, m, later)| Act::Insert(p, m, later)),
        200 => (0..8usize, one()).prop_map(|(whose, one)| Act::One(whose, one)),
        1 => Just(Act::StopAll),
        120 => (few.clone(), few).prop_map(|(events, requests)| Act::Fetch(events, requests)),
    ]
}

/// One elector, alone, and what its driver knows.
struct Alone {
    id: ElectorId,
    elector: Elector,
    removed: bool,
    requests: Vec<Request>,
    stored: Option<Stored>,
    told: bool,
}

impl Alone {
    fn answer(&mut self, answer: &Answer, back: usize) -> Option<Response> {
        let index = self.requests.len().checked_sub(1 + back)?;
        let Request { id, op, .. } = self.requests[index].clone();
        let version = self.stored.as_ref().and_then(|stored| stored.version.as_ordered());
        let result = match (answer, op) {
            (Answer::Fail(failure), _) => Err(*failure),
            (Answer::Read(read), _) => Ok(stored(*read)),
            (Answer::Good, Op::Get) => self.stored.clone().ok_or(Failure::NotFound),
            (Answer::Good, Op::Create(object) | Op::Update(object, _)) => {
                let version = Version::ordered(version.unwrap_or(0) + 1);
                Ok(self.stored.insert(Stored { object, version }).clone())
            }
        };
        Some(Response { id, result })
    }
}

fn stored((holder, version): Read) -> Stored {
    let record = Record { holder: holder.into(), lease_duration_seconds: 15, ..Record::default() };
    let lease = Lease { spec: LeaseSpec::from_record(&record), ..Lease::default() };
    Stored { object: Object::Lease(lease), version: Version::ordered(version) }
}

#[derive(Default)]
struct Both {
    together: Electors,
    alone: Vec<Alone>,
    clock: u64,
    started: usize,
    finished: usize,
}

impl Both {
    fn play(acts: &[Act]) -> Self {
        let mut both = Self::default();
        for n in 0..4 {
            let profile = if n == 3 { Profile::ClientGo(Release::Head) } else { Profile::Strict };
            both.act(&Act::Insert(profile, Missing::NewGroup, n * 100));
        }
        for act in acts {
            both.act(act);
            both.compare();
        }
        both.act(&Act::Fetch(usize::MAX, usize::MAX));
        both
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Wait(millis) => self.clock += millis,
            Act::Sleep(over) => {
                let due = self.together.poll_timeout().unwrap_or_default().as_nanos();
                self.clock = self.clock.max(due.div_ceil(1_000_000)) + over;
                self.timeout();
            }
            Act::Timeout => self.timeout(),
            Act::Insert(profile, missing, later) => {
                let elector =
                    elector(*profile, *missing, self.alone.len() as u64, self.clock + later);
                let id = self.together.insert(elector.clone());
                assert!(self.alone.iter().all(|alone| alone.id < id), "ids grow");
                self.alone.push(Alone {
                    id,
                    elector,
                    removed: false,
                    requests: Vec::new(),
                    stored: None,
                    told: false,
                });
            }
            Act::One(whose, one) => {
                let whose = whose % self.alone.len();
                self.one(whose, one);
            }
            Act::StopAll => {
                self.together.stop_all(now(self.clock));
                for alone in self.alone.iter_mut().filter(|alone| !alone.removed) {
                    alone.elector.stop(now(self.clock));
                }
            }
            Act::Fetch(events, requests) => self.fetch(*events, *requests),
        }
    }

    /// Alone, each hears of every instant, due or not.
    fn timeout(&mut self) {
        self.together.handle_timeout(now(self.clock));
        for alone in self.alone.iter_mut().filter(|alone| !alone.removed) {
            alone.elector.handle_timeout(now(self.clock));
        }
    }

    fn one(&mut self, whose: usize, one: &One) {
        let now = now(self.clock);
        let alone = &mut self.alone[whose];
        let (id, together) = (alone.id, &mut self.together);
        let before = alone.removed.then(|| together.clone());
        let mut unheard = alone.elector.clone();
        // What is told to one that was removed reaches nobody.
        let elector = if alone.removed { &mut unheard } else { &mut alone.elector };
        match one {
            One::Remove => {
                let gone = together.remove(id);
                assert_eq!(gone.as_ref(), (!alone.removed).then_some(&alone.elector));
                alone.removed = true;
            }
            One::Poke => {
                together.poke(now, id);
                elector.poke(now);
            }
            One::Stop => {
                together.stop(now, id);
                elector.stop(now);
            }
            One::WorkStopped => {
                together.work_stopped(now, id);
                elector.work_stopped(now);
            }
            One::HandOver => {
                together.hand_over(now, id, "other".into());
                elector.hand_over(now, "other".into());
            }
            One::Watch(read) => {
                let watched = read.map_or(Watched::Deleted, |read| Watched::Stored(stored(read)));
                together.handle_watch(now, id, watched.clone());
                elector.handle_watch(now, watched);
            }
            One::Answer(answer, back) => {
                if let Some(response) = alone.answer(answer, *back) {
                    together.handle_response(now, id, response.clone());
                    let alone = &mut self.alone[whose];
                    if !alone.removed {
                        alone.elector.handle_response(now, response);
                    }
                }
            }
        }
        if let Some(before) = before {
            assert!(self.together == before, "something happened to one that is gone");
        }
    }

    fn find(&mut self, id: ElectorId) -> &mut Alone {
        self.alone.iter_mut().find(|alone| alone.id == id && !alone.removed).unwrap()
    }

    fn fetch(&mut self, events: usize, requests: usize) {
        for _ in 0..events {
            let Some((id, event)) = self.together.poll_event() else { break };
            self.started += usize::from(matches!(event, Event::StartedLeading { .. }));
            assert_eq!(self.find(id).elector.poll_event(), Some(event));
        }
        for _ in 0..requests {
            let Some((id, request)) = self.together.poll_request() else { break };
            let alone = self.find(id);
            assert_eq!(alone.elector.poll_request().as_ref(), Some(&request));
            alone.requests.push(request);
        }
        if events < usize::MAX || requests < usize::MAX {
            return;
        }
        for alone in self.alone.iter_mut().filter(|alone| !alone.removed) {
            assert_eq!((alone.elector.poll_event(), alone.elector.poll_request()), (None, None));
        }
        while let Some(id) = self.together.poll_finished() {
            self.finished += 1;
            let alone = self.find(id);
            assert!(!alone.told && alone.elector.is_finished(), "told once, and when it is so");
            alone.told = true;
        }
        for alone in self.alone.iter().filter(|alone| !alone.removed) {
            assert_eq!(alone.told, alone.elector.is_finished(), "told of all");
        }
    }

    fn compare(&self) {
        let there = || self.alone.iter().filter(|alone| !alone.removed);
        for alone in &self.alone {
            let together = self.together.get(alone.id);
            assert_eq!(together, (!alone.removed).then_some(&alone.elector));
        }
        let first = there().filter_map(|alone| alone.elector.poll_timeout()).min();
        assert_eq!(self.together.poll_timeout(), first);
        let mut all: BTreeMap<_, _> =
            there().map(|alone| (alone.id.index(), (alone.id, &alone.elector))).collect();
        assert_eq!(self.together.len(), all.len(), "no two share an index");
        assert_eq!(self.together.is_empty(), all.is_empty());
        for (id, elector) in self.together.iter() {
            assert_eq!(all.remove(&id.index()), Some((id, elector)));
        }
        assert!(all.is_empty());
    }
}

fn settings() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = asked.unwrap_or(500);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn together_as_alone(acts in prop::collection::vec(act(), 0..300)) {
        Both::play(&acts);
    }
}

/// The schedules are not idle.
#[test]
fn schedules_get_somewhere() {
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(act(), 300);
    let (mut led, mut finished, mut reused) = (0, 0, 0);
    for _ in 0..100 {
        let both = Both::play(&strategy.new_tree(&mut runner).unwrap().current());
        led += both.started;
        finished += both.finished;
        let most = both.alone.iter().map(|alone| alone.id.index()).max().unwrap();
        reused += both.alone.len() - 1 - most;
    }
    println!("in 100 runs: {led} led, {finished} finished, {reused} places taken again");
    assert!(led > 100 && finished > 200 && reused > 100, "{led} {finished} {reused}");
}

fn requests(electors: &mut Electors) -> Vec<(ElectorId, RequestId)> {
    std::iter::from_fn(|| electors.poll_request()).map(|(id, request)| (id, request.id)).collect()
}

fn ids(electors: &mut Electors) -> Vec<ElectorId> {
    requests(electors).into_iter().map(|(id, _)| id).collect()
}

/// Makes `id`, whose GET is to be answered, a leader; gives the request that made it one.
fn lead(electors: &mut Electors, id: ElectorId, millis: u64, get: RequestId) -> RequestId {
    let missing = Response { id: get, result: Err(Failure::NotFound) };
    electors.handle_response(now(millis), id, missing);
    let Some((from, Request { op: Op::Create(object), id: create, .. })) = electors.poll_request()
    else {
        panic!("it creates its lock")
    };
    assert_eq!(from, id);
    let result = Ok(Stored { object, version: Version::ordered(5) });
    electors.handle_response(now(millis), id, Response { id: create, result });
    create
}

#[test]
fn by_due_time_then_by_age() {
    let mut electors = Electors::new();
    let begins = [30, 10, 20, 10, 40, 30, 10];
    let all: Vec<_> = begins.iter().map(|begin| electors.insert(founder(*begin, *begin))).collect();
    assert_eq!(electors.poll_timeout(), Some(now(10).instant));
    electors.handle_timeout(now(9));
    assert_eq!(ids(&mut electors), []);
    electors.handle_timeout(now(30));
    assert_eq!(ids(&mut electors), [1, 3, 6, 2, 0, 5].map(|n: usize| all[n]));
    assert_eq!(electors.poll_timeout(), Some(now(40).instant));
    electors.handle_timeout(now(30));
    assert_eq!(ids(&mut electors), [], "those were done");
}

/// The place of one that was removed goes to a younger one: the age decides, not the place.
#[test]
fn age_is_not_the_place() {
    let mut electors = Electors::new();
    let old = electors.insert(founder(0, 10));
    let older = electors.insert(founder(1, 10));
    electors.remove(old).unwrap();
    let young = electors.insert(founder(2, 10));
    assert_eq!((young.index(), old.index()), (0, 0));
    electors.handle_timeout(now(10));
    assert_eq!(ids(&mut electors), [older, young]);
}

/// A driver that polls fewer requests gets the others later, in the same order, none twice.
#[test]
fn those_that_wait_come_first() {
    let mut electors = Electors::new();
    let early: Vec<_> = (0..6).map(|n| electors.insert(founder(n, 0))).collect();
    let late: Vec<_> = (6..9).map(|n| electors.insert(founder(n, 1))).collect();
    electors.handle_timeout(now(0));
    let mut taken: Vec<_> = (0..2).map(|_| electors.poll_request().unwrap().0).collect();
    electors.handle_timeout(now(1));
    // All fail for want of an answer, and ask anew: those that still wait keep their places.
    electors.handle_timeout(now(5_001));
    electors.handle_timeout(now(10_000));
    taken.extend(ids(&mut electors));
    assert_eq!(taken[..9], [early.clone(), late].concat());
    taken[9..].sort_unstable(); // each waited as long as its own chance said
    assert_eq!(taken[9..], early[..2]);
}

#[test]
fn an_answer_to_one_that_is_gone_is_ignored() {
    let mut electors = Electors::new();
    let old = electors.insert(founder(0, 0));
    electors.handle_timeout(now(0));
    let asked = requests(&mut electors);
    electors.remove(old).unwrap();
    // The same request number, in the same place.
    let new = electors.insert(founder(1, 0));
    electors.handle_timeout(now(0));
    assert_eq!((new.index(), requests(&mut electors)), (old.index(), vec![(new, asked[0].1)]));
    assert_ne!(new, old);

    let before = electors.clone();
    let missing = Response { id: asked[0].1, result: Err(Failure::NotFound) };
    electors.handle_response(now(1), old, missing.clone());
    electors.stop(now(1), old);
    assert!(electors == before && electors.remove(old).is_none() && electors.get(old).is_none());
    electors.handle_response(now(1), new, missing);
    assert!(electors != before);
}

#[test]
fn what_was_not_fetched_goes_with_the_elector() {
    let mut electors = Electors::new();
    let id = electors.insert(founder(0, 0));
    electors.handle_timeout(now(0));
    let get = requests(&mut electors)[0].1;
    lead(&mut electors, id, 0, get);
    electors.handle_timeout(now(2_000)); // a renewal waits to be fetched, and two events
    let mut gone = electors.remove(id).unwrap();
    assert!(electors.is_empty() && electors.poll_timeout().is_none());

    let next = electors.insert(founder(1, 9_000));
    assert_eq!(electors.poll_event(), None);
    assert_eq!(electors.poll_request(), None);
    assert!(matches!(gone.poll_event(), Some(Event::NewLeader { .. })));
    assert!(matches!(gone.poll_event(), Some(Event::StartedLeading { .. })));
    assert!(matches!(gone.poll_request(), Some(Request { op: Op::Update(..), .. })));

    // Among others again, with what it has.
    let stopped_at = now(2_001);
    gone.stop(stopped_at);
    let back = electors.insert(gone);
    assert_eq!(electors.len(), 2);
    assert!(
        matches!(electors.poll_event(), Some((id, Event::StoppedLeading { .. })) if id == back)
    );
    assert!(electors.get(next).is_some());
}

/// All events of one elector come together, in their order.
#[test]
fn events_of_one_elector_come_together() {
    let mut electors = Electors::new();
    let all = [0, 1].map(|n| electors.insert(founder(n, 0)));
    electors.handle_timeout(now(0));
    for (id, get) in requests(&mut electors) {
        lead(&mut electors, id, 0, get);
    }
    let mut told = Vec::new();
    while let Some((id, event)) = electors.poll_event() {
        told.push((id, matches!(event, Event::StartedLeading { .. })));
    }
    let [one, other] = all;
    assert_eq!(told, [(one, false), (one, true), (other, false), (other, true)]);
    assert!(electors.iter().all(|(_, elector)| elector.is_leading(now(1).instant)));
}

#[test]
fn each_end_is_told_once() {
    let mut electors = Electors::new();
    let first = electors.insert(founder(0, 0));
    let second = electors.insert(founder(1, 0));
    electors.stop(now(0), second);
    assert_eq!(electors.poll_finished(), Some(second));
    electors.stop_all(now(0));
    electors.stop_all(now(1));
    assert_eq!((electors.poll_finished(), electors.poll_finished()), (Some(first), None));
    assert_eq!(electors.poll_timeout(), None);

    // One that was removed untold leaves no news behind, and its successor's is told.
    let third = electors.insert(founder(2, 5));
    electors.stop(now(2), third);
    electors.remove(third);
    let fourth = electors.insert(founder(3, 5));
    assert_eq!((fourth.index(), electors.poll_finished()), (third.index(), None));
    electors.stop(now(3), fourth);
    assert_eq!((electors.poll_finished(), electors.poll_finished()), (Some(fourth), None));
}

/// At the end of the clock every wait is over at once, for ever.
#[test]
fn a_call_ends_where_the_clock_ends() {
    let mut electors = Electors::new();
    for n in 0..3 {
        let profile = Profile::ClientGo(Release::Head);
        electors.insert(elector(profile, Missing::Wait, n, 0));
    }
    let end = Now { instant: Instant::from_nanos(u64::MAX), ..now(0) };
    for _ in 0..3 {
        electors.handle_timeout(end);
        assert!(electors.poll_timeout() <= Some(end.instant), "due again, each of them");
        assert_eq!((electors.poll_timeout().is_some(), electors.len()), (true, 3));
    }
}

/// Sets of the same electors are equal, however their timers came to be.
#[test]
fn equal_and_hashed_alike() {
    let hash = |electors: &Electors| {
        let mut hasher = DefaultHasher::new();
        electors.hash(&mut hasher);
        hasher.finish()
    };
    let mut straight = Electors::new();
    for n in 0..9 {
        straight.insert(founder(n, 9 - n));
    }
    straight.stop_all(now(0));
    let mut crossed = Electors::new();
    let all: Vec<_> = (0..9).map(|n| crossed.insert(founder(n, 9 - n))).collect();
    assert!(straight != crossed);
    crossed.stop(now(0), all[0]);
    assert_ne!(hash(&straight), hash(&crossed));
    for id in &all[1..] {
        crossed.stop(now(0), *id);
    }
    assert!(straight == crossed && hash(&straight) == hash(&crossed));
}
