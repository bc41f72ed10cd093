//! Ways to break an elector that once worked, one test each.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use tenure::election::{
    Cause, Conditions, Config, ConfigError, Elector, Event, Failure, Missing, Op, Profile, Release,
    Request, Response, Stored,
};
use tenure::lock::{Kind, LockRef, Version};
use tenure::time::{Instant, Now, Timestamp};

fn config() -> Config {
    Config { missing: Missing::NewGroup, ..Config::new(LockRef::lease("ns", "lock"), "me", "1") }
}

/// The wall clock stands still, at Go's zero time: what a driver without one might pass.
fn now(seconds: u64) -> Now {
    let instant = Instant::default() + Duration::from_secs(seconds);
    Now { instant, timestamp: Timestamp::GO_ZERO }
}

fn answer(elector: &mut Elector, at: u64, request: &Request, result: Result<Stored, Failure>) {
    elector.handle_response(now(at), Response { id: request.id, result });
}

fn as_asked(request: &Request, version: u64) -> Result<Stored, Failure> {
    match &request.op {
        Op::Create(object) | Op::Update(object, _) => {
            Ok(Stored { object: object.clone(), version: Version::ordered(version) })
        }
        Op::Get => Err(Failure::NotFound),
    }
}

fn events(elector: &mut Elector) -> Vec<Event> {
    std::iter::from_fn(|| elector.poll_event()).collect()
}

/// A leader since 0 s, by a record of version 1.
fn leader() -> Elector {
    let mut elector = Elector::new(config(), 1, Instant::default()).unwrap();
    elector.handle_timeout(now(0));
    for version in 0..2 {
        let request = elector.poll_request().unwrap();
        answer(&mut elector, 0, &request, as_asked(&request, version));
    }
    assert!(elector.is_leading(now(0).instant));
    let _ = events(&mut elector);
    elector
}

/// A store that takes a write which changes nothing for none answers success and keeps the version:
/// candidates have seen nothing, so nothing was renewed.
#[test]
fn a_success_without_a_new_version_renews_nothing() {
    let mut elector = leader();
    for at in [2, 4, 6, 8] {
        elector.handle_timeout(now(at));
        while let Some(request) = elector.poll_request() {
            let stored = match &request.op {
                Op::Update(object, version) => {
                    Ok(Stored { object: object.clone(), version: version.clone() })
                }
                _ => Err(Failure::Other),
            };
            answer(&mut elector, at, &request, stored);
        }
    }
    assert_eq!(elector.leading_until(), Some(now(10).instant));
}

/// Something between this replica and the store put another name in.
#[test]
fn a_success_that_names_another_renews_nothing() {
    let mut elector = leader();
    elector.handle_timeout(now(2));
    let request = elector.poll_request().unwrap();
    let Ok(mut stored) = as_asked(&request, 2) else { return };
    let tenure::lock::Object::Lease(lease) = &mut stored.object else { panic!() };
    lease.spec.holder_identity = Some("other".into());
    answer(&mut elector, 2, &request, Ok(stored.clone()));
    assert_eq!(elector.leading_until(), Some(now(10).instant));
    elector.handle_timeout(now(4));
    let look = elector.poll_request().unwrap();
    assert_eq!(look.op, Op::Get);
    answer(&mut elector, 4, &look, Ok(stored));
    let stopped = Event::StoppedLeading { cause: Cause::Preempted };
    assert!(events(&mut elector).contains(&stopped));
}

/// A driver that reads from a cache, against its duty: each write conflicts, each read says that
/// all is well. That must not become a loop at the speed of the network.
#[test]
fn stale_reads_make_no_busy_loop() {
    let stale = |elector: &mut Elector, kept: &Stored, at| {
        let mut requests = 0;
        while let Some(request) = elector.poll_request() {
            requests += 1;
            assert!(requests < 10, "a busy loop");
            let result = match request.op {
                Op::Get => Ok(kept.clone()),
                _ => Err(Failure::Conflict),
            };
            answer(elector, at, &request, result);
        }
    };
    let mut elector = leader();
    elector.handle_timeout(now(2));
    let renewal = elector.poll_request().unwrap();
    let kept = as_asked(&renewal, 1).unwrap();
    answer(&mut elector, 2, &renewal, Err(Failure::Conflict));
    stale(&mut elector, &kept, 2);
    assert_eq!(elector.poll_timeout(), Some(now(4).instant));
    assert!(elector.is_leading(now(3).instant));

    elector.stop(now(3));
    elector.work_stopped(now(3));
    stale(&mut elector, &kept, 3);
    assert_eq!(elector.poll_timeout(), Some(now(5).instant));
}

/// A driver with a watch pokes at each change, those that the elector made itself included.
#[test]
fn a_leader_that_is_poked_by_its_own_renewals_does_not_renew_more_often() {
    let mut elector = leader();
    let mut renewals = 0;
    for at in 1..=8 {
        elector.handle_timeout(now(at));
        while let Some(renewal) = elector.poll_request() {
            renewals += 1;
            assert!(renewals <= 4, "a busy loop");
            answer(&mut elector, at, &renewal, as_asked(&renewal, 10 + renewals));
            elector.poke(now(at));
        }
    }
    assert_eq!(renewals, 4);
}

/// But if it does not know what became of its renewal, a look is worth it.
#[test]
fn a_leader_in_doubt_looks_when_poked() {
    let mut elector = leader();
    elector.handle_timeout(now(2));
    let renewal = elector.poll_request().unwrap();
    answer(&mut elector, 2, &renewal, Err(Failure::Other));
    elector.poke(now(3));
    assert_eq!(elector.poll_request().unwrap().op, Op::Get);
}

/// Work that watches `is_leading` may have stopped before the time-out was handled. If that were not
/// heard, and not said again, the replica would watch for ever.
#[test]
fn work_that_stopped_with_the_authority_is_heard() {
    let mut elector = leader();
    assert!(!elector.is_leading(now(10).instant));
    elector.work_stopped(now(10));
    elector.handle_timeout(now(10));
    assert_eq!(events(&mut elector), [Event::StoppedLeading { cause: Cause::Expired }]);
    elector.poke(now(10));
    let look = elector.poll_request().unwrap();
    let Config { missing: Missing::NewGroup, .. } = elector.config() else { return };
    answer(&mut elector, 10, &look, Err(Failure::NotFound));
    let create = elector.poll_request().unwrap();
    answer(&mut elector, 10, &create, as_asked(&create, 30));
    assert!(elector.is_leading(now(11).instant));
}

#[test]
fn durations_at_their_limits_are_survived() {
    let elector = leader();
    assert_eq!(elector.check_health(now(1).instant, Duration::MAX), Ok(()));
    let base = config();
    let endless = Config {
        profile: Profile::ClientGo(Release::Head),
        lease_duration: Duration::MAX,
        renew_deadline: Duration::from_secs(u64::MAX),
        retry_period: Duration::from_secs(1 << 40),
        ..base.clone()
    };
    let longest = Config {
        lease_duration: Duration::from_secs((1 << 31) - 1),
        renew_deadline: Duration::from_secs((1 << 31) - 2),
        ..base
    };
    let conditions = Conditions { slack: Duration::MAX, ..Conditions::default() };
    for config in [endless, longest] {
        let _ = config.remedies(&conditions);
        let _ = (config.warnings(), config.margin(&conditions).max_answer());
        let mut elector = Elector::new(config, 1, now(0).instant).unwrap();
        for at in 0..100 {
            elector.handle_timeout(now(at << 26));
            while let Some(request) = elector.poll_request() {
                answer(&mut elector, at << 26, &request, as_asked(&request, at));
            }
            let _ = elector.check_health(now(at << 26).instant, Duration::MAX);
        }
    }
}

/// The last nanosecond is due again and again; no call may wait for the next.
#[test]
fn the_end_of_the_clock_is_survived() {
    for profile in [Profile::Strict, Profile::ClientGo(Release::Head)] {
        let config = Config { profile, ..config() };
        let end = Now { instant: Instant::from_nanos(u64::MAX), timestamp: Timestamp::GO_ZERO };
        let mut elector = Elector::new(config, 1, end.instant).unwrap();
        for _ in 0..3 {
            elector.handle_timeout(end);
            elector.poke(end);
        }
        assert!(!elector.is_leading(end.instant));
        elector.stop(end);
        elector.handle_timeout(end);
        assert!(elector.is_finished());
    }
}

/// `a_b` with incarnation `c` and `a` with incarnation `b_c` would hold the lock under one name.
#[test]
fn two_identities_never_make_one_holder() {
    let config = Config { incarnation: "b_c".into(), ..config() };
    let error = Elector::new(config, 1, Instant::default()).unwrap_err();
    assert_eq!(error, ConfigError::IncarnationSeparator);
}

/// The configured labels are set on each write, and nobody else's are lost.
#[test]
fn labels_are_merged() {
    use tenure::lock::Object;
    let label = |key: &str, value: &str| (key.into(), value.into());
    for profile in [Profile::Strict, Profile::ClientGo(Release::Head)] {
        let labels = [label("app", "mine")].into();
        let config = Config { profile, labels, ..config() };
        let mut elector = Elector::new(config, 1, now(0).instant).unwrap();
        elector.handle_timeout(now(0));
        let look = elector.poll_request().unwrap();
        answer(&mut elector, 0, &look, Err(Failure::NotFound));
        let create = elector.poll_request().unwrap();
        let Ok(mut stored) = as_asked(&create, 1) else { return };
        let Object::Lease(lease) = &mut stored.object else { panic!() };
        assert_eq!(lease.metadata.labels, [label("app", "mine")].into());
        std::sync::Arc::make_mut(&mut lease.metadata).labels =
            [label("app", "theirs"), label("team", "blue")].into();
        answer(&mut elector, 0, &create, Ok(stored));
        elector.handle_timeout(now(2));
        let Op::Update(object, _) = elector.poll_request().unwrap().op else { return };
        let Object::Lease(lease) = object else { panic!() };
        let merged = [label("app", "mine"), label("team", "blue")];
        assert_eq!(lease.metadata.labels, merged.into(), "{profile}");
    }
}

/// A driver that watches all Leases of a namespace hands in others, too; they are no reason to stop.
/// One that leaves the names out cannot be told from either of two objects: then a read decides.
#[test]
fn what_a_watch_shows_of_other_objects_is_ignored() {
    use tenure::election::Watched;
    use tenure::lock::{Object, lease::Lease};
    let shown = |name: &str| {
        let mut lease = Lease::default();
        lease.spec.holder_identity = Some("other".into());
        std::sync::Arc::make_mut(&mut lease.metadata).name = name.into();
        Watched::Stored(Stored { object: Object::Lease(lease), version: Version::ordered(90) })
    };
    let mut elector = leader();
    elector.handle_watch(now(1), shown("another"));
    assert_eq!((events(&mut elector).as_slice(), elector.poll_request()), ([].as_slice(), None));
    assert!(elector.is_leading(now(1).instant));
    elector.handle_watch(now(1), shown("lock"));
    assert!(!elector.is_leading(now(1).instant));

    let config = Config { secondary: Some(LockRef::lease("ns", "lock-2")), ..config() };
    let mut elector = Elector::new(config, 1, Instant::default()).unwrap();
    elector.handle_timeout(now(0));
    for version in 0..4 {
        let request = elector.poll_request().unwrap();
        answer(&mut elector, 0, &request, as_asked(&request, version));
    }
    assert!(elector.is_leading(now(1).instant));
    elector.handle_watch(now(1), shown(""));
    assert!(elector.is_leading(now(1).instant));
    assert_eq!(elector.poll_request().unwrap().op, Op::Get);
}

/// A wall clock decides nothing. One that shows a year which no lock can record must not hide who
/// leads either: the holder's, whose record nobody could read, its own writes included.
#[test]
fn a_year_that_cannot_be_recorded_hides_nobody() {
    for seconds in [i64::MIN, -62_135_596_801, 253_402_300_799, 253_402_300_800, i64::MAX] {
        let timestamp = Timestamp::from_unix(seconds, 999_999_999).unwrap();
        let lock = LockRef { kind: Kind::ConfigMap, ..LockRef::lease("ns", "lock") };
        let mut elector = Elector::new(Config { lock, ..config() }, 1, Instant::default()).unwrap();
        for at in [0, 2, 4] {
            let now = Now { timestamp, ..now(at) };
            elector.handle_timeout(now);
            while let Some(request) = elector.poll_request() {
                if let Op::Create(object) | Op::Update(object, _) = &request.op {
                    let record = object.record();
                    assert!(
                        record.is_ok_and(|record| record.holder.as_str() == "me_1"),
                        "{object:?}"
                    );
                }
                let result = as_asked(&request, at);
                elector.handle_response(now, Response { id: request.id, result });
            }
        }
        assert_eq!(elector.leading_until(), Some(now(14).instant), "{timestamp:?}");
    }
}

/// A name is its bytes: one that differs in case, or by a blank, is another's, to wait for, to make
/// way for, and not to release.
#[test]
fn a_name_that_looks_alike_is_anothers() {
    use tenure::lock::{Object, lease::Lease};
    for profile in [Profile::Strict, Profile::ClientGo(Release::Head)] {
        let config = Config { profile, ..config() };
        let own = config.clone();
        let own = Elector::new(own, 1, now(0).instant).unwrap().identity().as_str().to_owned();
        for other in [own.to_uppercase(), format!(" {own}"), format!("{own} ")] {
            let named = |version| {
                let mut lease = Lease::default();
                std::sync::Arc::make_mut(&mut lease.metadata).name = "lock".into();
                lease.spec.holder_identity = Some(other.as_str().into());
                lease.spec.lease_duration_seconds = Some(15);
                Ok(Stored { object: Object::Lease(lease), version: Version::ordered(version) })
            };
            let mut elector = Elector::new(config.clone(), 1, now(0).instant).unwrap();
            elector.handle_timeout(now(0));
            let look = elector.poll_request().unwrap();
            answer(&mut elector, 0, &look, named(7));
            assert_eq!(elector.poll_request(), None, "{profile}: {other:?} is waited for");

            let mut elector = Elector::new(config.clone(), 1, now(0).instant).unwrap();
            elector.handle_timeout(now(0));
            for version in 0..2 {
                let request = elector.poll_request().unwrap();
                answer(&mut elector, 0, &request, as_asked(&request, version));
            }
            assert!(elector.is_leading(now(1).instant));
            elector.handle_timeout(now(2));
            // Under client-go a new cycle begins with a renewal at once.
            let renewal = elector.poll_request().unwrap();
            answer(&mut elector, 2, &renewal, Err(Failure::Conflict));
            let look = elector.poll_request().unwrap();
            assert_eq!(look.op, Op::Get);
            answer(&mut elector, 2, &look, named(8));
            assert!(!elector.is_leading(now(2).instant), "{profile}: {other:?} has the lock");
            assert_eq!(elector.poll_request(), None, "{profile}: {other:?} has the lock");
        }
    }
}
