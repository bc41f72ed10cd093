//! `release` of each release: `TestReleaseLeaseLeases`, `TestReleaseMethodCallsGet`,
//! `TestReleaseRetriesOnConflict`, `TestReleaseOnCancellation_Leases`, and what they lack.

use std::time::Duration;

use tenure::election::{
    Config, Elector, Event, Failure, Op, Profile, Release, Request, Response, Stored,
};
use tenure::lock::{Kind, LockRef, Record, Version};
use tenure::time::Now;

use super::{Conflict, Done, Error, Give, Held, NotFound, Replica, Script, record};

const KINDS: [&[Kind]; 4] =
    [&[Kind::Lease], &[Kind::ConfigMap], &[Kind::Endpoints], &[Kind::Endpoints, Kind::Lease]];

/// A leader by its own account, which holds the object that it read last.
fn leader(test: &str, kinds: &[Kind], release: Release) -> Replica {
    let mut replica = Replica::new(test, kinds, release);
    let script: Script<'_> = match kinds {
        [_] => &[("get P", Held("baz")), ("update P", Done)],
        _ => &[
            ("get P", Held("baz")),
            ("get S", Held("baz")),
            ("update P", Done),
            ("get S", Held("baz")),
            ("update S", Done),
        ],
    };
    assert!(replica.attempt(script));
    replica.state.observed_record.leader_transitions = 3;
    replica.written.clear();
    replica
}

/// "release acquired lock from no object": the own identity is adopted, then given up. Since 1.34 the
/// lock is read for that.
#[test]
fn acquire_and_release() {
    for release in Release::ALL {
        for kinds in &KINDS[..3] {
            let mut replica = leader("release acquired lock", kinds, release);
            assert_eq!(replica.reported, ["baz"]);
            let script: Script<'_> = if release < Release::V1_34 {
                &[("update P", Done)]
            } else {
                &[("get P", Held("baz")), ("update P", Done)]
            };
            assert!(replica.release(script), "{}", replica.what);
            let observed = replica.state.observed_record.clone().truncate_to_seconds();
            assert!(observed.holder.is_empty(), "{}", replica.what);
            let written = replica.last_written().truncate_to_seconds();
            assert_eq!(written, observed, "{}", replica.what);
            // Run has no occasion to report that nobody leads.
            assert_eq!(replica.reported, ["baz"]);
        }
    }
}

/// What is written: up to 1.19 nothing but the transitions; those observed, since 1.34 those read.
#[test]
fn what_is_released() {
    for release in Release::ALL {
        let mut replica = leader("what is released", &[Kind::ConfigMap], release);
        let read = Record { leader_transitions: 7, ..record("baz") };
        let script = [("get P", Give::Record(read)), ("update P", Done)];
        let reads = release >= Release::V1_34;
        replica.wait(Duration::from_secs(1));
        let asked = replica.now.timestamp;
        assert!(replica.release(&script[usize::from(!reads)..]), "{}", replica.what);
        let released = &replica.state.observed_record;
        let seconds = i64::from(release >= Release::V1_20);
        assert_eq!(released.lease_duration_seconds, seconds, "{}", replica.what);
        assert_eq!(released.renew_time.is_some(), seconds == 1, "{}", replica.what);
        assert_eq!(released.acquire_time, released.renew_time, "{}", replica.what);
        assert!(released.renew_time.is_none_or(|time| time >= asked), "{}", replica.what);
        assert_eq!(released.leader_transitions, if reads { 7 } else { 3 }, "{}", replica.what);
    }
}

/// `TestReleaseMethodCallsGet`, and what comes of a read that fails.
#[test]
fn release_reads_first_since_1_34() {
    for release in Release::ALL.into_iter().filter(|release| *release >= Release::V1_34) {
        for give in [NotFound, Error] {
            let mut replica = leader("release: get fails", &[Kind::Lease], release);
            assert!(!replica.release(&[("get P", give)]), "{}", replica.what);
            assert_eq!(replica.state.observed_record.holder.as_str(), "baz");
        }
        // Fault: whose lock it is was seen before, so the successor's record is cleared.
        let mut replica = leader("release: another leads", &[Kind::Lease], release);
        assert!(replica.release(&[("get P", Held("bing")), ("update P", Done)]));
    }
}

/// `TestReleaseRetriesOnConflict`: at head until it wins; before, a conflict ends it.
#[test]
fn conflict() {
    for release in Release::ALL {
        let mut replica = leader("release: conflict", &[Kind::Lease], release);
        let script = [
            ("get P", Held("baz")),
            ("update P", Conflict),
            ("get P", Held("baz")),
            ("update P", Conflict),
            ("get P", Held("baz")),
            ("update P", Done),
        ];
        let calls = match release {
            Release::Head => 0..6,
            Release::V1_34 | Release::V1_36 => 0..2,
            _ => 1..2,
        };
        let released = release == Release::Head;
        assert_eq!(replica.release(&script[calls]), released, "{}", replica.what);
        assert_eq!(replica.state.observed_record.holder.is_empty(), released);
        let mut other = leader("release: error", &[Kind::Lease], release);
        let calls = usize::from(release < Release::V1_34)..2;
        assert!(!other.release(&[("get P", Held("baz")), ("update P", Error)][calls]));
    }
}

/// One that does not lead releases nothing; up to 1.33 it asks for nothing, too.
#[test]
fn not_mine() {
    for release in Release::ALL {
        for kinds in &KINDS[..3] {
            let mut replica = Replica::new("not mine", kinds, release);
            assert!(!replica.attempt(&[("get P", Held("bing"))])); // so that there is an object
            let script: Script<'_> =
                if release < Release::V1_34 { &[] } else { &[("get P", Held("baz"))] };
            assert!(!replica.release(script), "{}", replica.what);
            assert_eq!(replica.state.observed_record.holder.as_str(), "bing");
        }
    }
}

/// A MultiLock releases both objects, the primary first.
#[test]
fn both_objects() {
    for release in Release::ALL {
        let mut replica = leader("release: both", KINDS[3], release);
        let script = [
            ("get P", Held("baz")),
            ("get S", Held("baz")),
            ("update P", Done),
            ("get S", Held("baz")),
            ("update S", Done),
        ];
        let from = if release < Release::V1_34 { 2 } else { 0 };
        assert!(replica.release(&script[from..]), "{}", replica.what);
        let empty = |(_, object): &(_, tenure::lock::Object)| {
            object.record().is_ok_and(|record| record.holder.is_empty())
        };
        assert!(replica.written.len() == 2 && replica.written.iter().all(empty));
    }
}

/// What a failed call costs: up to 1.19 any, up to 1.26 a read, and a creation ever since leave the
/// lock with an object without a name. Written over in a release without a read, it is never sent.
#[test]
fn what_a_failure_costs() {
    let read: Script<'_> = &[("get P", Error)];
    let update: Script<'_> = &[("get P", Held("baz")), ("update P", Conflict)];
    for release in Release::ALL.into_iter().filter(|release| *release < Release::V1_34) {
        for (script, kept_since) in [(read, Release::V1_27), (update, Release::V1_20)] {
            for kinds in &KINDS[..3] {
                let mut replica = leader("cost of a failure", kinds, release);
                replica.wait(Duration::from_secs(20)); // so that none takes the fast path
                assert!(!replica.attempt(script), "{}", replica.what);
                let kept = release >= kept_since;
                let give = if kept { Done } else { Error };
                assert_eq!(replica.release(&[("update P", give)]), kept, "{}", replica.what);
                let (_, object) = replica.written.last().unwrap();
                assert_eq!(&*object.metadata().name, if kept { "bar" } else { "" });
            }
        }
    }
}

/// How long a release may take: a renew deadline since 1.30; before, only a request's time-out.
#[test]
fn how_long_it_may_take() {
    for release in Release::ALL {
        let replica = leader("time of a release", &[Kind::Lease], release);
        let mut elector = replica.elector();
        elector.release_client_go(replica.now);
        let deadline = elector.poll_request().unwrap().deadline;
        let after = |time| replica.now.instant + time;
        let expected = Some(after(Duration::from_secs(5))).filter(|_| release >= Release::V1_30);
        assert_eq!(deadline, expected, "{release:?}");
        elector.handle_timeout(Now { instant: after(Duration::from_secs(5)), ..replica.now });
        assert_eq!(elector.is_finished(), release >= Release::V1_30, "{release:?}");
    }
}

/// `TestReleaseOnCancellation_Leases` "release acquired lock on cancellation of update": 15/2/1 s,
/// the first and the third update fail, the fourth is under way when the context is cancelled and fails
/// by that; the fifth releases.
#[test]
fn release_on_cancellation_of_update() {
    for release in Release::ALL.into_iter().filter(|release| *release >= Release::V1_34) {
        let config = Config {
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(2),
            retry_period: Duration::from_secs(1),
            request_timeout: None,
            profile: Profile::ClientGo(release),
            ..Config::new(LockRef::lease("foo", "bar"), "baz", "")
        };
        let mut now = Replica::new("", &[Kind::Lease], release).now;
        let mut elector = Elector::new(config, 1, now.instant).unwrap();
        let mut stored = None;
        let (mut calls, mut updates) = (Vec::new(), 0);
        while !elector.is_finished() {
            elector.handle_timeout(now);
            while let Some(Request { id, op, .. }) = elector.poll_request() {
                let object = match &op {
                    Op::Get => stored.clone().ok_or(Failure::NotFound),
                    Op::Create(object) => Ok(object.clone()),
                    Op::Update(object, _) => {
                        updates += 1;
                        match updates {
                            1 | 3 => Err(Failure::Other),
                            4 => {
                                elector.stop(now);
                                Err(Failure::Other)
                            }
                            _ => Ok(object.clone()),
                        }
                    }
                };
                calls.push(match op {
                    Op::Get => "get",
                    Op::Create(_) => "create",
                    Op::Update(..) => "update",
                });
                stored = object.clone().ok().or(stored);
                let version = Version::ordered(calls.len() as u64);
                let result = object.map(|object| Stored { object, version });
                elector.handle_response(now, Response { id, result });
            }
            now.instant = elector.poll_timeout().unwrap_or(now.instant);
        }
        let [get, create, update] = ["get", "create", "update"];
        let expected = [get, create, update, get, update, update, get, update, get, update];
        assert_eq!(calls, expected, "{release:?}");
        assert!(stored.unwrap().record().unwrap().holder.is_empty(), "{release:?}");
        let events: Vec<Event> = std::iter::from_fn(|| elector.poll_event()).collect();
        assert!(matches!(
            events[..],
            [Event::NewLeader { .. }, Event::StartedLeading { .. }, Event::StoppedLeading { .. }]
        ));
    }
}
