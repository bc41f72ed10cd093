//! The candidate's side, against client-go's `leasecandidate_test.go` and the rules of its own.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use tenure::election::Failure;
use tenure::election::coordinated::{
    Candidate, CandidateConfig, Op, RENEW_PERIOD, Request, Response, Stored, Watched,
};
use tenure::lock::Version;
use tenure::lock::candidate::{CandidateError, LeaseCandidate, OLDEST_EMULATION_VERSION};
use tenure::time::{Instant, Now, Timestamp};

const MILLI: u64 = 1_000_000;

fn at(millis: u64) -> Now {
    wall(millis, 0)
}

/// A wall clock that is off by `skew` seconds.
fn wall(millis: u64, skew: i128) -> Now {
    let nanos = i128::from(millis * MILLI) + (1_700_000_000 + skew) * 1_000_000_000;
    Now {
        instant: Instant::from_nanos(millis * MILLI),
        timestamp: Timestamp::from_unix_nanos(nanos),
    }
}

fn config() -> CandidateConfig {
    CandidateConfig {
        namespace: "default".into(),
        name: "component-identity-1".into(),
        lease_name: "component-A".into(),
        binary_version: "1.36.2".into(),
        emulation_version: "1.35.0".into(),
        strategy: OLDEST_EMULATION_VERSION.into(),
        request_timeout: Some(Duration::from_secs(5)),
    }
}

fn candidate() -> Candidate {
    Candidate::new(config(), at(0).instant).unwrap_or_else(|error| panic!("{error}"))
}

/// A store of one object.
#[derive(Default)]
struct Store {
    stored: Option<Stored>,
    writes: u64,
}

impl Store {
    fn apply(&mut self, request: &Request) -> Result<Stored, Failure> {
        assert_eq!((&*request.namespace, &*request.name), ("default", "component-identity-1"));
        match (&request.op, &self.stored) {
            (Op::Get, stored) => stored.clone().ok_or(Failure::NotFound),
            (Op::Create(_), Some(_)) => Err(Failure::AlreadyExists),
            (Op::Update(..), None) => Err(Failure::NotFound),
            (Op::Update(_, version), Some(stored)) if *version != stored.version => {
                Err(Failure::Conflict)
            }
            (Op::Create(object) | Op::Update(object, _), _) => Ok(self.put(object.clone())),
        }
    }

    fn put(&mut self, candidate: LeaseCandidate) -> Stored {
        self.writes += 1;
        let stored = Stored { candidate, version: Version::ordered(self.writes) };
        self.stored.insert(stored).clone()
    }

    fn object(&self) -> LeaseCandidate {
        self.stored.as_ref().map(|stored| stored.candidate.clone()).unwrap_or_default()
    }

    /// The coordinator asks.
    fn ping(&mut self, time: Timestamp) -> Watched {
        let mut object = self.object();
        object.spec.ping_time = Some(time);
        Watched::Stored(self.put(object))
    }

    /// Answers requests until there are none; how many there were.
    fn serve(&mut self, candidate: &mut Candidate, now: Now) -> u64 {
        let mut served = 0;
        while let Some(request) = candidate.poll_request() {
            let result = self.apply(&request);
            candidate.handle_response(now, Response { id: request.id, result });
            served += 1;
        }
        served
    }
}

/// A candidate that has made its object at 0 s.
fn settled() -> (Candidate, Store) {
    let (mut candidate, mut store) = (candidate(), Store::default());
    candidate.handle_timeout(at(0));
    assert_eq!(store.serve(&mut candidate, at(0)), 2, "it reads, then creates");
    (candidate, store)
}

fn request(candidate: &mut Candidate) -> Request {
    candidate.poll_request().unwrap_or_else(|| panic!("no request"))
}

fn due(candidate: &Candidate) -> Option<u64> {
    candidate.poll_timeout().map(|due| due.as_nanos() / MILLI)
}

#[test]
fn test_lease_candidate_creation() {
    let (candidate, store) = settled();
    let object = store.object();
    assert_eq!(object.validate(), Ok(()));
    assert_eq!(
        (&*object.spec.lease_name, &*object.spec.strategy),
        ("component-A", OLDEST_EMULATION_VERSION)
    );
    let versions = (&*object.spec.binary_version, &*object.spec.emulation_version);
    assert_eq!(versions, ("1.36.2", "1.35.0"));
    assert_eq!(object.spec.renew_time, Some(at(0).timestamp));
    assert_eq!(object.spec.ping_time, None);
    assert_eq!(due(&candidate), Some(300_000));
}

#[test]
fn test_lease_candidate_ack() {
    let (mut candidate, mut store) = settled();
    let ping = at(7_000);
    let watched = store.ping(ping.timestamp);
    candidate.handle_watch(at(7_010), watched);
    assert_eq!(store.serve(&mut candidate, at(7_020)), 1, "the watch showed what there is");
    let spec = store.object().spec;
    assert!(spec.renew_time >= Some(ping.timestamp) && spec.is_acked());
    assert_eq!(spec.ping_time, Some(ping.timestamp), "it stays");
    assert_eq!(due(&candidate), Some(307_020));
}

#[test]
fn it_renews_every_five_minutes_and_not_before() {
    let (mut candidate, mut store) = settled();
    candidate.handle_timeout(at(299_999));
    assert_eq!(candidate.poll_request(), None);
    candidate.handle_timeout(at(300_000));
    assert_eq!(store.serve(&mut candidate, at(300_000)), 1);
    assert_eq!(store.object().spec.renew_time, Some(at(300_000).timestamp));
    assert_eq!(due(&candidate), Some(600_000));
    assert_eq!(RENEW_PERIOD, Duration::from_secs(300));
}

#[test]
fn what_is_no_ping_is_not_answered() {
    let (mut candidate, mut store) = settled();
    let own = Watched::Stored(store.stored.clone().unwrap_or_else(|| panic!("nothing stored")));
    candidate.handle_watch(at(1), own);
    let answered = store.ping(at(0).timestamp); // as old as the renewal
    candidate.handle_watch(at(2), answered);
    candidate.handle_watch(at(3), Watched::Deleted);
    assert_eq!(candidate.poll_request(), None);
    // As in client-go, an object that somebody deleted comes back with the next renewal.
    store.stored = None;
    candidate.handle_timeout(at(300_000));
    assert!(matches!(request(&mut candidate).op, Op::Create(_)));
}

#[test]
fn failures_are_retried_by_a_fresh_read_after_waits_that_double() {
    let (mut candidate, mut store) = settled();
    let mut now = 300_000;
    for wait in [5, 10, 20, 40] {
        candidate.handle_timeout(at(now));
        let id = request(&mut candidate).id;
        candidate.handle_response(at(now), Response { id, result: Err(Failure::Other) });
        assert_eq!(candidate.poll_request(), None);
        assert_eq!(due(&candidate), Some(now + wait));
        now += wait;
    }
    candidate.handle_timeout(at(now));
    assert_eq!(store.serve(&mut candidate, at(now)), 2, "it reads, then writes");
    // A success ends the waits.
    now += 300_000;
    candidate.handle_timeout(at(now));
    let id = request(&mut candidate).id;
    candidate.handle_response(at(now), Response { id, result: Err(Failure::Other) });
    assert_eq!(due(&candidate), Some(now + 5));
}

#[test]
fn waits_grow_to_the_period_and_a_ping_ends_them() {
    let (mut candidate, mut store) = settled();
    for _ in 0..40 {
        let now = Now { instant: candidate.poll_timeout().unwrap_or_default(), ..at(0) };
        candidate.handle_timeout(now);
        let id = request(&mut candidate).id;
        candidate.handle_response(now, Response { id, result: Err(Failure::Other) });
        let wait = candidate.poll_timeout().unwrap_or_default().saturating_since(now.instant);
        assert!(wait <= RENEW_PERIOD);
    }
    let now = Now { instant: candidate.poll_timeout().unwrap_or_default(), ..at(9) };
    let watched = store.ping(at(8).timestamp);
    candidate.handle_watch(now, watched);
    assert_eq!(store.serve(&mut candidate, now), 1);
    assert!(store.object().spec.is_acked());
}

#[test]
fn a_conflict_is_read_again() {
    let (mut candidate, mut store) = settled();
    store.ping(at(100).timestamp); // which the watch has not shown yet
    candidate.handle_timeout(at(300_000));
    assert_eq!(store.serve(&mut candidate, at(300_000)), 1);
    assert!(!store.object().spec.is_acked());
    candidate.handle_timeout(at(300_005));
    assert_eq!(store.serve(&mut candidate, at(300_005)), 2);
    assert!(store.object().spec.is_acked(), "the ping was kept");
}

#[test]
fn creation_that_meets_another_becomes_a_renewal() {
    let (mut candidate, mut store) = (candidate(), Store::default());
    candidate.handle_timeout(at(0));
    let get = request(&mut candidate);
    candidate.handle_response(at(0), Response { id: get.id, result: Err(Failure::NotFound) });
    let mut other = LeaseCandidate::default();
    other.spec.lease_name = "component-A".into();
    other.spec.binary_version = "1.34.0".into();
    store.put(other);
    assert_eq!(store.serve(&mut candidate, at(0)), 1);
    candidate.handle_timeout(at(5));
    assert_eq!(store.serve(&mut candidate, at(5)), 2);
    assert_eq!(&*store.object().spec.binary_version, "1.36.2", "this program's");
}

#[test]
fn one_request_is_outstanding_and_late_answers_do_not_count() {
    let (mut candidate, mut store) = settled();
    candidate.handle_timeout(at(300_000));
    let first = request(&mut candidate);
    assert_eq!(first.deadline, Some(at(305_000).instant));
    let watched = store.ping(at(300_001).timestamp);
    candidate.handle_watch(at(300_002), watched);
    assert_eq!(candidate.poll_request(), None, "one is outstanding");
    assert_eq!(due(&candidate), Some(305_000));
    candidate.handle_timeout(at(305_000));
    assert_eq!(due(&candidate), Some(305_005), "given up: a failure");
    candidate.handle_timeout(at(305_005));
    let second = request(&mut candidate);
    assert_eq!(second.op, Op::Get);
    let result = store.apply(&first);
    candidate.handle_response(at(305_006), Response { id: first.id, result });
    assert_eq!(candidate.poll_request(), None);
    let result = store.apply(&second);
    candidate.handle_response(at(310_005), Response { id: second.id, result });
    assert_eq!(candidate.poll_request(), None, "at its very deadline an answer is late");
    assert_eq!(due(&candidate), Some(310_015));
}

#[test]
fn a_ping_that_comes_while_a_write_is_outstanding_is_answered_after_it() {
    let (mut candidate, mut store) = settled();
    candidate.handle_timeout(at(300_000));
    let renewal = request(&mut candidate);
    let result = store.apply(&renewal);
    let watched = store.ping(at(300_010).timestamp);
    candidate.handle_watch(at(300_020), watched);
    candidate.handle_response(at(300_021), Response { id: renewal.id, result });
    assert_eq!(store.serve(&mut candidate, at(300_021)), 1, "over what the watch showed");
    assert!(store.object().spec.is_acked());
}

#[test]
fn a_watch_during_the_first_read_does_not_lose_the_write() {
    let (mut candidate, mut store) = (candidate(), Store::default());
    candidate.handle_timeout(at(0));
    let get = request(&mut candidate);
    let mut object = LeaseCandidate::default();
    object.spec.renew_time = Some(at(0).timestamp);
    let stored = store.put(object);
    candidate.handle_watch(at(1), Watched::Stored(stored.clone()));
    candidate.handle_response(at(2), Response { id: get.id, result: Ok(stored) });
    assert_eq!(store.serve(&mut candidate, at(2)), 1);
    assert_eq!(store.object().spec.renew_time, Some(at(2).timestamp));
}

#[test]
fn a_ping_from_the_future_is_answered_at_once_and_when_it_has_come() {
    let (mut candidate, mut store) = settled();
    // The coordinator's clock is 4 s ahead of this one.
    let watched = store.ping(wall(10_000, 4).timestamp);
    candidate.handle_watch(at(10_000), watched);
    assert_eq!(store.serve(&mut candidate, at(10_000)), 1);
    assert!(!store.object().spec.is_acked());
    // Its own write comes by, as from any watch: no storm.
    let own = Watched::Stored(store.stored.clone().unwrap_or_else(|| panic!("nothing stored")));
    candidate.handle_watch(at(10_001), own);
    assert_eq!(candidate.poll_request(), None);
    assert_eq!(due(&candidate), Some(14_000));
    candidate.handle_timeout(at(14_000));
    assert_eq!(store.serve(&mut candidate, at(14_000)), 1);
    assert!(store.object().spec.is_acked());
    assert_eq!(due(&candidate), Some(314_000));
}

#[test]
fn a_wall_clock_that_stands_still_makes_no_storm() {
    let (mut candidate, mut store) = settled();
    let frozen = |millis| Now { timestamp: at(0).timestamp, ..at(millis) };
    let nanos = at(0).timestamp.unix_nanos() + 1_000;
    let watched = store.ping(Timestamp::from_unix_nanos(nanos));
    candidate.handle_watch(frozen(10), watched);
    store.serve(&mut candidate, frozen(10));
    assert_eq!(due(&candidate), Some(15), "not 1 µs later");
}

#[test]
fn a_ping_whose_answer_failed_is_answered_when_it_is_seen_again() {
    let (mut candidate, mut store) = settled();
    let ping = store.ping(at(10).timestamp);
    candidate.handle_watch(at(20), ping.clone());
    let id = request(&mut candidate).id;
    candidate.handle_response(at(21), Response { id, result: Err(Failure::Other) });
    assert_eq!(due(&candidate), Some(26));
    candidate.handle_watch(at(22), ping);
    assert_eq!(store.serve(&mut candidate, at(22)), 1);
    assert!(store.object().spec.is_acked());
}

#[test]
fn an_old_watch_is_ignored() {
    let (mut candidate, mut store) = settled();
    let ping = store.ping(at(10).timestamp);
    candidate.handle_watch(at(20), ping.clone());
    store.serve(&mut candidate, at(20));
    candidate.handle_watch(at(30), ping);
    assert_eq!(candidate.poll_request(), None);
    candidate.handle_timeout(at(300_020));
    assert_eq!(store.serve(&mut candidate, at(300_020)), 1);
    assert_eq!(store.object().spec.renew_time, Some(at(300_020).timestamp), "no conflict");
}

#[test]
fn stopped_it_asks_for_nothing_and_leaves_its_object() {
    let (mut candidate, mut store) = settled();
    candidate.handle_timeout(at(300_000));
    candidate.stop();
    assert!(candidate.is_finished());
    assert_eq!((candidate.poll_request(), candidate.poll_timeout()), (None, None));
    let watched = store.ping(at(300_001).timestamp);
    candidate.handle_watch(at(300_002), watched);
    candidate.handle_timeout(at(900_000));
    assert_eq!(candidate.poll_request(), None);
    assert!(store.stored.is_some());
}

#[test]
fn what_a_server_would_refuse_is_refused_at_once() {
    let config = config();
    let nameless = CandidateConfig { lease_name: "".into(), ..config.clone() };
    let error = Candidate::new(nameless, at(0).instant);
    assert_eq!(error, Err(CandidateError::Missing { field: "spec.leaseName" }));
    let impatient = CandidateConfig { request_timeout: Some(Duration::ZERO), ..config };
    let error = Candidate::new(impatient, at(0).instant);
    assert_eq!(error, Err(CandidateError::RequestTimeoutZero));
}
