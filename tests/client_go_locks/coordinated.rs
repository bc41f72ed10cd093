//! Coordinated election: `TestTryCoordinatedRenew`, and what it lacks.

use std::time::Duration;

use tenure::election::Release;
use tenure::lock::{Kind, Record};

use super::{Conflict, Done, Error, Give, Held, NotFound, Replica, Seen, record};

fn each(mut test: impl FnMut(Release)) {
    Release::ALL.into_iter().filter(|release| *release >= Release::V1_31).for_each(&mut test);
}

fn coordinated(test: &str, release: Release) -> Replica {
    let mut replica = Replica::new(test, &[Kind::Lease], release);
    replica.config.coordinated = true;
    replica
}

/// As a coordinator writes it.
fn given(holder: &str) -> Record {
    Record {
        lease_duration_seconds: 5,
        leader_transitions: 4,
        strategy: Some("OldestEmulationVersion".into()),
        ..record(holder)
    }
}

#[test]
fn dont_acquire_from_led_acked_object() {
    each(|release| {
        let mut replica = coordinated("don't acquire from led, acked object", release);
        replica = replica.observed("", None, Seen::Future);
        assert!(!replica.attempt(&[("get P", Held("bing"))]), "{}", replica.what);
        replica.is("bing", 0);
    });
}

#[test]
fn renew_already_acquired_object() {
    each(|release| {
        let mut replica = coordinated("renew already acquired object", release);
        let raw = replica.raw("P", "baz");
        replica = replica.observed("baz", Some(raw), Seen::Future);
        assert!(replica.attempt(&[("get P", Held("baz")), ("update P", Done)]));
        replica.is("baz", 0);
    });
}

/// A lease that names this replica is renewed as it stands, by a read and a write each time; its
/// strategy stays.
#[test]
fn what_it_was_given() {
    each(|release| {
        let mut replica = coordinated("given", release);
        for _ in 0..2 {
            let calls = [("get P", Give::Record(given("baz"))), ("update P", Done)];
            assert!(replica.attempt(&calls), "{}", replica.what);
            replica.is("baz", 4);
            let written = replica.last_written();
            assert_eq!(written.strategy.as_deref(), Some("OldestEmulationVersion"));
            assert_eq!(written.acquire_time, None, "{}", replica.what);
            assert!(written.renew_time.is_some());
        }
    });
}

/// Nothing is created, and nothing is taken: neither a free lease nor one that has run out.
#[test]
fn what_it_was_not_given() {
    each(|release| {
        for give in
            [NotFound, Error, Held(""), Give::Record(given("")), Give::Record(given("bing"))]
        {
            let mut replica = coordinated("not given", release);
            let script = [("get P", give)];
            assert!(!replica.attempt(&script), "{}", replica.what);
            replica.wait(Duration::from_secs(100));
            assert!(!replica.attempt(&script), "{}", replica.what);
        }
    });
}

/// Not even its own once it has run out. At its very end it has not: the other way round than in
/// `tryAcquireOrRenew`.
#[test]
fn what_has_run_out() {
    each(|release| {
        let mut replica = coordinated("run out", release);
        let get = ("get P", Give::Record(given("baz")));
        assert!(!replica.attempt(&[get.clone(), ("update P", Conflict)]), "{}", replica.what);
        let observed = replica.state.observed_time.unwrap();
        let since = replica.now.instant.saturating_since(observed);
        replica.wait(Duration::from_secs(5).saturating_sub(since));
        assert!(!replica.attempt(&[get.clone(), ("update P", Conflict)]), "{}", replica.what);
        assert_eq!(replica.now.instant.saturating_since(observed).as_nanos(), 5_000_000_002);
        assert!(!replica.attempt(&[get]), "{}", replica.what);
    });
}

/// With another one preferred the term ends: it is not renewed.
#[test]
fn end_of_term() {
    each(|release| {
        let mut replica = coordinated("end of term", release);
        assert!(replica.attempt(&[("get P", Give::Record(given("baz"))), ("update P", Done)]));
        let ends = Record { preferred_holder: "bing".into(), ..given("baz") };
        assert!(!replica.attempt(&[("get P", Give::Record(ends.clone()))]), "{}", replica.what);
        // It is a leader still, until its cycle of renewing has ended.
        assert_eq!(replica.state.observed_record, ends);
        // A plain elector takes no heed, and drops both.
        replica.config.coordinated = false;
        replica.wait(Duration::from_secs(20)); // so that it reads first
        assert!(replica.attempt(&[("get P", Give::Record(ends)), ("update P", Done)]));
        let written = replica.last_written();
        assert!(written.strategy.is_none() && written.preferred_holder.is_empty());
    });
}
