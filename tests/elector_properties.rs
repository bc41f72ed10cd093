//! Properties of one elector under arbitrary schedules: whatever the driver, the store and the
//! clock do, of both profiles.
//!
//! `PROPTEST_CASES=100000 cargo test --release --test elector_properties` looks longer.
//!
//! The world of several electors, where safety is at stake, is explored by `tests/explore.rs`.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tenure::election::{
    Config, Elector, Event, Failure, Missing, Op, Profile, Release, Request, Response, Stored,
    Watched,
};
use tenure::lock::lease::{Lease, LeaseSpec, Metadata};
use tenure::lock::{LockRef, Object, Record, Version};
use tenure::time::{Instant, Now, Timestamp};

#[derive(Debug, Clone)]
enum Act {
    /// Time goes by, in milliseconds.
    Wait(u64),
    /// The driver sleeps until the timer is due, or a little longer.
    Sleep(u64),
    Timeout,
    Poke,
    Stop,
    WorkStopped,
    HandOver(&'static str),
    /// A watch shows an object as it is.
    Watch(bool),
    /// A watch shows anything, or nothing.
    WatchOther(Option<(Record, u64)>, bool),
    /// To the outstanding request, or to the one so many before it.
    Answer(Answer, u64),
    /// The driver does not fetch what comes of the next acts, or does so again.
    Fetch(bool),
    /// The monotonic clock breaks its contract.
    Back(u64),
}

#[derive(Debug, Clone)]
enum Answer {
    /// As a store answers that has what the elector believes it to have.
    Good,
    /// Success, and the version is the one that was overwritten.
    Unchanged,
    Read(Record, u64),
    Blank,
    Fail(Failure),
}

fn record() -> impl Strategy<Value = Record> {
    let holder = prop_oneof![
        3 => Just("me_1"), 3 => Just("other"), 1 => Just(""), 1 => Just("me"), 1 => Just("me_0"),
        1 => Just("tenure.dev/unclaimed"),
    ];
    let number = prop_oneof![3 => 0..20i64, 1 => Just(i64::from(i32::MIN)), 1 => Just(i64::from(i32::MAX)), 1 => Just(-1)];
    let time = prop_oneof![
        Just(None),
        any::<(i64, u32)>().prop_map(|(s, n)| Timestamp::from_unix(s, n % 1_000_000_000))
    ];
    (holder, number.clone(), number, time.clone(), time).prop_map(
        |(holder, lease_duration_seconds, leader_transitions, acquire_time, renew_time)| Record {
            holder: holder.into(),
            lease_duration_seconds,
            leader_transitions,
            acquire_time,
            renew_time,
            ..Record::default()
        },
    )
}

fn answer() -> impl Strategy<Value = Answer> {
    let failure = prop_oneof![
        Just(Failure::NotFound),
        Just(Failure::AlreadyExists),
        Just(Failure::Conflict),
        Just(Failure::Other)
    ];
    prop_oneof![
        16 => Just(Answer::Good),
        1 => Just(Answer::Unchanged),
        3 => (record(), 0..20u64).prop_map(|(record, version)| Answer::Read(record, version)),
        1 => Just(Answer::Blank),
        4 => failure.prop_map(Answer::Fail),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..20_000u64).prop_map(Act::Wait),
        40 => prop_oneof![9 => Just(0u64), 1 => 0..20_000u64].prop_map(Act::Sleep),
        8 => Just(Act::Timeout),
        8 => Just(Act::Poke),
        1 => Just(Act::Stop),
        6 => Just(Act::WorkStopped),
        1 => prop_oneof![Just("other_1"), Just("me_1"), Just("")].prop_map(Act::HandOver),
        8 => any::<bool>().prop_map(Act::Watch),
        2 => (prop::option::of((record(), 0..300u64)), any::<bool>())
            .prop_map(|(what, first)| Act::WatchOther(what, first)),
        60 => (answer(), prop_oneof![20 => Just(0u64), 1 => 1..4u64]).prop_map(|(a, n)| Act::Answer(a, n)),
        2 => any::<bool>().prop_map(Act::Fetch),
    ]
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
struct Setup {
    profile: Profile,
    start: u64,
    timeout: Option<u64>,
    missing: Missing,
    release: bool,
    ordered: bool,
    frozen: Option<Timestamp>,
    /// Strict only, as is what follows.
    two_objects: bool,
    preferred: bool,
    delay: u64,
    warn_before: Option<Duration>,
}

fn setup() -> impl Strategy<Value = Setup> {
    let profile = prop_oneof![
        3 => Just(Profile::Strict),
        1 => Just(Profile::ClientGo(Release::V1_36)),
        1 => Just(Profile::ClientGo(Release::Head)),
    ];
    let start = prop_oneof![3 => Just(0), 3 => Just(1 << 40), 1 => (0..200_000_000_000u64).prop_map(|n| u64::MAX - n)];
    let timeout = prop_oneof![Just(None), Just(Some(5_000)), Just(Some(1))];
    let missing = prop_oneof![Just(Missing::Wait), Just(Missing::NewGroup)];
    let frozen = prop_oneof![
        2 => Just(None),
        1 => Just(Some(Timestamp::GO_ZERO)),
        1 => any::<i64>().prop_map(|s| Timestamp::from_unix(s, 0)),
    ];
    let warn_before = prop_oneof![Just(None), Just(Some(Duration::from_secs(4)))];
    let extras = (
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.2),
        prop_oneof![Just(0), Just(5)],
        warn_before,
    );
    (profile, start, timeout, missing, any::<bool>(), any::<bool>(), frozen, extras).prop_map(
        |(profile, start, timeout, missing, release, ordered, frozen, extras)| Setup {
            profile,
            start,
            timeout,
            missing,
            release,
            ordered,
            frozen,
            two_objects: extras.0 && profile == Profile::Strict,
            preferred: extras.1,
            delay: extras.2,
            warn_before: extras.3,
        },
    )
}

const DEADLINE: Duration = Duration::from_secs(10);
/// More time-outs in a row at one instant would be a busy loop.
const ROW: usize = 4;

#[expect(clippy::struct_excessive_bools, reason = "what a driver knows, item by item")]
struct Driver {
    setup: Setup,
    elector: Elector,
    clock: u64,
    fetches: bool,
    /// Each request and when it came to be known, newest last.
    requests: Vec<(Request, Instant)>,
    answered: bool,
    version: u64,
    held: [Option<Stored>; 2],
    /// When the last write of each object that succeeded was sent.
    sent: [Option<Instant>; 2],
    started: usize,
    releases: usize,
    stopped: usize,
    asked_to_stop: bool,
    work_ended: bool,
    /// What the last effective renewal gives.
    entitled: Instant,
    monotonic: bool,
    /// Events were always fetched at once, so that what the driver knows is so.
    orderly: bool,
}

impl Driver {
    fn new(setup: Setup) -> Self {
        let config = Config {
            profile: setup.profile,
            request_timeout: setup.timeout.map(Duration::from_millis),
            missing: setup.missing,
            release_on_stop: setup.release,
            secondary: setup.two_objects.then(|| LockRef::lease("ns", "lock-2")),
            preferred: setup.preferred,
            lock_delay: Duration::from_secs(setup.delay),
            warn_before: setup.warn_before,
            ..Config::new(
                LockRef::lease("ns", "lock"),
                if setup.profile == Profile::Strict { "me" } else { "me_1" },
                "1",
            )
        };
        let clock = setup.start;
        let elector = Elector::new(config, 7, Instant::from_nanos(clock)).unwrap();
        Self {
            setup,
            elector,
            clock,
            fetches: true,
            requests: Vec::new(),
            answered: false,
            version: 100,
            held: [None, None],
            sent: [None, None],
            started: 0,
            releases: 0,
            stopped: 0,
            asked_to_stop: false,
            work_ended: true,
            entitled: Instant::default(),
            monotonic: true,
            orderly: true,
        }
    }

    fn now(&self) -> Now {
        let wall = Timestamp::from_unix_nanos(i128::from(self.clock) + 1_700_000_000_000_000_000);
        Now {
            instant: Instant::from_nanos(self.clock),
            timestamp: self.setup.frozen.unwrap_or(wall),
        }
    }

    fn strict(&self) -> bool {
        self.setup.profile == Profile::Strict
    }

    fn act(&mut self, act: &Act) {
        let was_finished = self.elector.is_finished();
        let now = self.now();
        match act {
            Act::Wait(millis) => self.clock = self.clock.saturating_add(millis * 1_000_000),
            Act::Sleep(over) => {
                if let Some(due) = self.elector.poll_timeout() {
                    self.clock = self.clock.max(due.as_nanos()).saturating_add(over * 1_000_000);
                }
                self.timeouts();
            }
            Act::Timeout => self.elector.handle_timeout(now),
            Act::Poke => self.elector.poke(now),
            Act::Stop => {
                self.asked_to_stop = true;
                self.elector.stop(now);
            }
            Act::WorkStopped => {
                self.elector.work_stopped(now);
                self.work_ended |= self.elector.leading_until().is_none();
            }
            Act::HandOver(to) => self.elector.hand_over(now, (*to).into()),
            Act::Watch(first) => {
                let watched = self.held[usize::from(!first)].clone();
                let watched = watched.map_or(Watched::Deleted, Watched::Stored);
                self.elector.handle_watch(now, watched);
            }
            Act::WatchOther(what, first) => {
                let place = usize::from(!first);
                let watched = what.as_ref().map_or(Watched::Deleted, |(record, version)| {
                    Watched::Stored(self.stored(place, record, *version))
                });
                self.elector.handle_watch(now, watched);
            }
            Act::Answer(answer, back) => self.answer(answer, *back),
            Act::Fetch(fetches) => {
                self.fetches = *fetches;
                self.orderly = false;
            }
            Act::Back(millis) => {
                self.monotonic = false;
                self.clock = self.clock.saturating_sub(millis * 1_000_000);
            }
        }
        if self.fetches {
            self.fetch();
        }
        self.check(was_finished);
    }

    /// As a driver does: until nothing is due.
    fn timeouts(&mut self) {
        for _ in 0..ROW {
            self.elector.handle_timeout(self.now());
            if self.fetches {
                self.fetch();
            }
            let now = Instant::from_nanos(self.clock);
            if self.elector.poll_timeout().is_none_or(|due| due > now) || self.clock == u64::MAX {
                return;
            }
        }
        panic!("time-outs go on and on: {:?}", self.elector);
    }

    fn fetch(&mut self) {
        while let Some(event) = self.elector.poll_event() {
            match event {
                Event::StartedLeading { .. } => {
                    assert_eq!(self.started, self.stopped, "started twice");
                    let vague = !self.strict() || !self.orderly;
                    assert!(vague || self.work_ended, "the last work still runs");
                    self.started += 1;
                    self.work_ended = false;
                }
                Event::StoppedLeading { .. } => {
                    self.stopped += 1;
                    if self.strict() {
                        assert_eq!(self.started, self.stopped, "stopped what was not started");
                    }
                }
                Event::Endangered { until } => {
                    assert!(self.started > self.stopped, "in danger without leading");
                    assert!(!self.monotonic || until <= self.entitled);
                }
                Event::NewLeader { .. } | Event::ForeignWrite { .. } => {}
            }
        }
        if let Some(request) = self.elector.poll_request() {
            if let Some((last, _)) = self.requests.last() {
                assert!(request.id > last.id, "ids increase");
            }
            let now = Instant::from_nanos(self.clock);
            let in_time = request.deadline.is_none_or(|deadline| deadline > now);
            // client-go calls its lock with contexts that are done, and recordings show it.
            let vague = !self.strict() || !self.orderly || !self.monotonic;
            let vague = vague || self.clock == u64::MAX;
            assert!(vague || in_time, "asked for after its deadline");
            if let Op::Update(object, _) = &request.op {
                self.releases += usize::from(object.record().unwrap().holder.is_empty());
            }
            self.answered = false;
            self.requests.push((request, now));
        }
        assert_eq!(self.elector.poll_request(), None, "one at a time");
    }

    fn version(&self, number: u64) -> Version {
        if self.setup.ordered {
            Version::ordered(number)
        } else {
            Version::opaque(number.to_string())
        }
    }

    fn stored(&self, place: usize, record: &Record, version: u64) -> Stored {
        let name = ["lock", "lock-2"][place].into();
        let metadata = Metadata { name, ..Metadata::default() }.into();
        let lease = Lease { metadata, spec: LeaseSpec::from_record(record) };
        Stored { object: Object::Lease(lease), version: self.version(version) }
    }

    fn answer(&mut self, answer: &Answer, back: u64) {
        let Some(index) = self.requests.len().checked_sub(1 + usize::try_from(back).unwrap())
        else {
            return;
        };
        let (request, sent) = self.requests[index].clone();
        let place = usize::from(request.lock.name.as_ref() == "lock-2");
        let result = match (answer, request.op.clone()) {
            (Answer::Good, Op::Get) => self.held[place].clone().ok_or(Failure::NotFound),
            (Answer::Good, Op::Create(object) | Op::Update(object, _)) => {
                self.version += 1;
                let now = Instant::from_nanos(self.clock);
                let names_me = object.record().unwrap().holder == *self.elector.identity();
                if back == 0
                    && !self.answered
                    && names_me
                    && request.deadline.is_none_or(|deadline| deadline > now)
                {
                    self.sent[place] = Some(sent);
                    // Of two objects, both must have been written.
                    let sent = if self.setup.two_objects {
                        self.sent[0].zip(self.sent[1]).map(|(first, second)| first.min(second))
                    } else {
                        Some(sent)
                    };
                    self.entitled =
                        self.entitled.max(sent.map_or(self.entitled, |it| it + DEADLINE));
                }
                Ok(Stored { object, version: self.version(self.version) })
            }
            (Answer::Unchanged, Op::Update(object, version)) => Ok(Stored { object, version }),
            (Answer::Fail(failure), _) => Err(*failure),
            (Answer::Read(record, version), Op::Get) => Ok(self.stored(place, record, *version)),
            (Answer::Read(record, version), _) if record.holder != *self.elector.identity() => {
                Ok(self.stored(place, record, *version))
            }
            _ => Ok(Stored { object: Object::Lease(Lease::default()), version: self.version(0) }),
        };
        if let Ok(stored) = &result {
            self.held[place] = Some(stored.clone());
        }
        self.answered |= back == 0;
        let now = self.now();
        self.elector.handle_response(now, Response { id: request.id, result });
    }

    fn check(&mut self, was_finished: bool) {
        let now = Instant::from_nanos(self.clock);
        let finished = self.elector.is_finished();
        assert!(finished || !was_finished, "finished stays finished");
        if finished {
            assert_eq!(self.elector.poll_timeout(), None);
            assert_eq!(self.elector.fencing_token(), None);
        }
        if !self.strict() {
            return;
        }
        let leads = self.elector.is_leading(now);
        assert!(!leads || !self.asked_to_stop, "leads after stop");
        if self.fetches {
            assert!(!leads || self.started > self.stopped, "leads after StoppedLeading");
            let idle = self.elector.poll_timeout().is_none() && !finished;
            let winding_down = self.asked_to_stop && (!self.work_ended || !self.orderly);
            assert!(!idle || winding_down, "waits for nothing");
        }
        if let (Some(until), true) = (self.elector.leading_until(), self.monotonic) {
            assert!(until <= self.entitled, "authority that no renewal gave");
        }
    }

    /// Whatever happened before: it ends soon after it is told to.
    fn end(&mut self) {
        self.fetches = true;
        self.fetch();
        let begun = self.clock;
        self.act(&Act::Stop);
        self.act(&Act::WorkStopped);
        for _ in 0..100 {
            if self.elector.is_finished() {
                let took = Duration::from_nanos(self.clock - begun);
                assert!(took <= 2 * DEADLINE + Duration::from_millis(1), "ends late: {took:?}");
                return;
            }
            self.act(&Act::Sleep(0));
        }
        panic!("does not end: {:?}", self.elector);
    }
}

fn settings() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(1_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// The schedules are not idle: they lead, lose and lead again, and release.
#[test]
fn schedules_get_somewhere() {
    let mut runner = TestRunner::deterministic();
    let strategy = (setup(), prop::collection::vec(act(), 80));
    let (mut led, mut again, mut released) = (0, 0, 0);
    for _ in 0..1_000 {
        let (setup, acts) = strategy.new_tree(&mut runner).unwrap().current();
        let mut driver = Driver::new(setup);
        for act in &acts {
            driver.act(act);
        }
        driver.end();
        led += usize::from(driver.started > 0);
        again += usize::from(driver.started > 1);
        released += usize::from(driver.releases > 0);
    }
    println!("of 1000: {led} led, {again} again, {released} released");
    assert!(led > 300 && again > 30 && released > 50, "{led} {again} {released}");
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn arbitrary_schedules(setup in setup(), acts in prop::collection::vec(act(), 0..80)) {
        let mut driver = Driver::new(setup);
        driver.act(&Act::Timeout);
        for act in &acts {
            driver.act(act);
        }
        driver.end();
    }

    /// A clock that goes back breaks the contract: then nothing is promised but to survive.
    #[test]
    fn broken_clocks(
        setup in setup(),
        acts in prop::collection::vec(prop_oneof![8 => act(), 1 => (0..40_000u64).prop_map(Act::Back)], 0..80),
    ) {
        let mut driver = Driver::new(setup);
        driver.monotonic = false;
        for act in &acts {
            match act {
                Act::Sleep(_) => driver.elector.handle_timeout(driver.now()),
                act => driver.act(act),
            }
        }
    }
}
