//! What else differs from release to release.

use std::time::Duration;

use tenure::election::{Config, Elector, Failure, Op, Profile, Release, Response, Stored};
use tenure::lock::{Kind, LockRef, Record, Version};
use tenure::time::Now;

use super::{Done, Give, Replica, Text, record};

/// A leader whose record is valid writes at once since 1.30; before, it reads first.
#[test]
fn the_fast_path() {
    for release in Release::ALL {
        for kind in [Kind::Lease, Kind::ConfigMap, Kind::Endpoints] {
            let mut replica = Replica::new("fast path", &[kind], release);
            assert!(replica.attempt(&[("get P", super::NotFound), ("create P", Done)]));
            let renew = [("get P", super::Held("baz")), ("update P", Done)];
            let from = usize::from(release >= Release::V1_30);
            assert!(replica.attempt(&renew[from..]), "{}", replica.what);
            replica.is("baz", 0);
        }
    }
}

/// Strategy and preferred holder: up to 1.30 neither read nor compared, whatever they hold.
#[test]
fn fields_of_coordinated_election() {
    let marked = |preferred: &str| Record {
        lease_duration_seconds: 10,
        strategy: Some("s".into()),
        preferred_holder: preferred.into(),
        ..record("bing")
    };
    for release in Release::ALL {
        let knows = release >= Release::V1_31;
        let mut replica = Replica::new("marked", &[Kind::Lease], release);
        assert!(!replica.attempt(&[("get P", Give::Record(marked("a")))]));
        let observed = replica.state.observed_record.clone();
        assert_eq!(observed.strategy.is_some(), knows, "{}", replica.what);
        assert_eq!(!observed.preferred_holder.is_empty(), knows, "{}", replica.what);
        let raw = replica.state.observed_raw.as_ref().unwrap().to_text(release);
        assert_eq!(raw.contains("strategy"), knows, "{raw}");
        // Another preferred holder is a renewal to those only who know of it.
        replica.wait(Duration::from_secs(10));
        let take = [("get P", Give::Record(marked("b"))), ("update P", Done)];
        let calls = if knows { &take[..1] } else { &take[..] };
        assert_eq!(replica.attempt(calls), !knows, "{}", replica.what);

        let odd = r#"{"holderIdentity":"","strategy":5}"#;
        let mut replica = Replica::new(odd, &[Kind::ConfigMap], release);
        let take = [("get P", Text(odd)), ("update P", Done)];
        let calls = if knows { &take[..1] } else { &take[..] };
        assert_eq!(replica.attempt(calls), !knows, "{}", replica.what);
    }
}

/// Tries while renewing, every 2 s, of which the first takes 3.5 s: the ticker has run since the
/// cycle's start, and the tick at 2 s waits; up to 1.31 it starts when the first try has ended, and
/// one that is missed is lost.
#[test]
fn tries_while_renewing() {
    for release in Release::ALL {
        let config = Config {
            request_timeout: None,
            profile: Profile::ClientGo(release),
            ..Config::new(LockRef::lease("foo", "bar"), "baz", "")
        };
        let start = Replica::new("", &[Kind::Lease], release).now;
        let at = |millis| Now { instant: start.instant + Duration::from_millis(millis), ..start };
        let mut elector = Elector::new(config, 1, start.instant).unwrap();
        elector.handle_timeout(start);
        let fail = |elector: &mut Elector, now| {
            while let Some(request) = elector.poll_request() {
                let result = match request.op {
                    Op::Create(object) => Ok(Stored { object, version: Version::ordered(1) }),
                    Op::Get if elector.is_leading(start.instant) => Err(Failure::Other),
                    Op::Get => Err(Failure::NotFound),
                    Op::Update(..) => Err(Failure::Other),
                };
                let created = result.is_ok();
                elector.handle_response(now, Response { id: request.id, result });
                if created {
                    return; // The cycle's first try waits for its answer.
                }
            }
        };
        fail(&mut elector, start);
        fail(&mut elector, at(3500));
        let due = elector.poll_timeout().unwrap().saturating_since(start.instant).as_millis();
        let old = release < Release::V1_34;
        assert_eq!(due, if old { 5500 } else { 3500 }, "{release:?}");
        elector.handle_timeout(at(u64::try_from(due).unwrap()));
        // The second takes until 7.6 s.
        fail(&mut elector, at(7600));
        let due = elector.poll_timeout().unwrap().saturating_since(start.instant).as_millis();
        assert_eq!(due, if old { 9500 } else { 7600 }, "{release:?}");
    }
}

/// No try begins when a cycle of renewing has ended, also if one is asked for: the leader leaves.
#[test]
fn a_poke_after_the_end() {
    for release in Release::ALL {
        let config = Config {
            release_on_stop: false,
            profile: Profile::ClientGo(release),
            ..Config::new(LockRef::lease("foo", "bar"), "baz", "")
        };
        let start = Replica::new("", &[Kind::Lease], release).now;
        let after = |secs| Now { instant: start.instant + Duration::from_secs(secs), ..start };
        let mut elector = Elector::new(config, 1, start.instant).unwrap();
        elector.handle_timeout(start);
        for failure in [Some(Failure::NotFound), None, Some(Failure::Other), Some(Failure::Other)] {
            let Some(request) = elector.poll_request() else { break };
            let result = match (failure, request.op) {
                (None, Op::Create(object)) => Ok(Stored { object, version: Version::ordered(1) }),
                (failure, _) => Err(failure.unwrap()),
            };
            elector.handle_response(start, Response { id: request.id, result });
        }
        let mut late = elector.clone();
        late.poke(after(11));
        assert!(late.is_finished() && late.poll_request().is_none(), "{release:?}");
        elector.poke(after(9));
        assert!(!elector.is_finished() && elector.poll_request().is_some(), "{release:?}");
    }
}
