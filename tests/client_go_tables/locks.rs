//! `resourcelock/leaselock_test.go` and the conversion of Leases. Its calls of a lock are an
//! elector's here. `TestRecordEventSuccess` and `TestRecordEventNilRecorder` are about Kubernetes
//! events, which are a driver's; `TestCreateError` is the race of the table of acquisitions.

use std::sync::Arc;

use tenure::election::{ClientGoState, Config, Elector, Profile, Release};
use tenure::lock::lease::{Entries, Lease, LeaseSpec, Metadata};
use tenure::lock::wire::{lease_from_json, lease_to_json, record_from_json, record_to_json};
use tenure::lock::{LockRef, Object, Record};
use tenure::time::{Instant, Timestamp};

use super::play::Step::{Fail, Serve};
use super::play::{Play, config, lease, wall};

fn client_go(config: Config, state: ClientGoState) -> Elector {
    let profile = Profile::ClientGo(Release::Head);
    Elector::resume_client_go(Config { profile, ..config }, Instant::default(), state)
}

fn full_record() -> Record {
    Record {
        holder: "test-identity".into(),
        lease_duration_seconds: 15,
        acquire_time: Some(wall(0)),
        renew_time: Some(wall(1_000)),
        leader_transitions: 1,
        strategy: Some("strategy".into()),
        preferred_holder: "preferred-holder".into(),
    }
}

/// `TestLeaseSpecToLeaderElectionRecordRoundTrip`.
#[test]
fn a_spec_is_the_same_after_a_round_trip() {
    let spec = LeaseSpec {
        holder_identity: Some("foo".into()),
        lease_duration_seconds: Some(10),
        acquire_time: Some(wall(0)),
        renew_time: Some(wall(0)),
        lease_transitions: Some(1),
        ..LeaseSpec::default()
    };
    let record = spec.to_record();
    let expected = Record {
        holder: "foo".into(),
        lease_duration_seconds: 10,
        acquire_time: Some(wall(0)),
        renew_time: Some(wall(0)),
        leader_transitions: 1,
        ..Record::default()
    };
    assert_eq!(record, expected);
    assert_eq!(LeaseSpec::from_record(&record), spec);
}

/// `TestLeaseConversion`, both ways; `TestGet`: what was created is read, each of seven fields, and
/// the text that renewals are compared by is the record's.
#[test]
fn all_fields_convert() {
    let record = full_record();
    let spec = LeaseSpec::from_record(&record);
    let expected = LeaseSpec {
        holder_identity: Some("test-identity".into()),
        lease_duration_seconds: Some(15),
        acquire_time: Some(wall(0)),
        renew_time: Some(wall(1_000)),
        lease_transitions: Some(1),
        strategy: Some("strategy".into()),
        preferred_holder: Some("preferred-holder".into()),
    };
    assert_eq!(spec, expected);
    let created = Lease { spec, ..Lease::default() };
    let (got, _) = lease_from_json(lease_to_json(&created, None).as_bytes()).unwrap();
    assert_eq!(got.spec.to_record(), record);
    assert_eq!(record_from_json(record_to_json(&record).as_bytes()), Ok(record.clone()));

    let given = Object::Lease(got);
    let mut play = Play::new(client_go(config(), ClientGoState::default()), Some(given));
    play.steps(&[Serve]);
    let state = play.elector.client_go_state().unwrap();
    assert_eq!(state.observed_record, record);
    let raw = state.observed_raw.as_ref().unwrap().to_text(Release::Head);
    assert_eq!(record_from_json(raw.as_bytes()), Ok(record));
}

/// `TestGetError`: a lock that is missing is created.
#[test]
fn a_missing_lock_is_not_found() {
    let mut play = Play::new(client_go(config(), ClientGoState::default()), None);
    play.steps(&[Serve, Serve]);
    assert_eq!(play.calls, ["get", "create"]);
}

/// `TestUpdateError`: an update of a lock that was never read fails, and is not sent.
#[test]
fn an_update_before_a_read_is_not_sent() {
    let mut observed_record = lease(("baz", 15, 0, 0, 3)).record().unwrap();
    let given = Some(lease(("baz", 15, 0, 0, 3)));
    observed_record.leader_transitions = 9; // what is read counts
    let observed_time = Some(Instant::default());
    let state = ClientGoState { observed_record, observed_time, ..ClientGoState::default() };
    let mut play = Play::new(client_go(config(), state), given);
    play.steps(&[Serve, Serve]);
    assert_eq!(play.calls, ["get", "update"]);
    assert_eq!(play.record().unwrap().leader_transitions, 3);
}

/// `TestDescribe`.
#[test]
fn a_lock_is_described_by_its_place() {
    assert_eq!(
        LockRef::lease("test-namespace", "test-name").to_string(),
        "test-namespace/test-name"
    );
}

fn entries(pairs: &[(&str, &str)]) -> Entries {
    pairs.iter().map(|(key, value)| (Arc::from(*key), Arc::from(*value))).collect()
}

/// Labels of the lock, of the Lease as it is read, and of the Lease as it is written; by the slow
/// path and by the fast one.
#[test]
fn labels() {
    let own = entries(&[("custom-key", "custom-val")]);
    let rows = [
        ("TestUpdateWithNilLabelsOnLease", own.clone(), Entries::new(), own.clone()),
        ("TestUpdateWithNilLabelsOnLeaseLock", Entries::new(), own.clone(), own.clone()),
        (
            "TestLabelUpdate",
            own,
            entries(&[("custom-key", "changed"), ("custom-key-2", "custom-val-2")]),
            entries(&[("custom-key", "custom-val"), ("custom-key-2", "custom-val-2")]),
        ),
        ("lacks: neither has any", Entries::new(), Entries::new(), Entries::new()),
    ];
    for (case, labels, given, expected) in rows {
        let metadata = Arc::new(Metadata { labels: given, ..Metadata::default() });
        let given = Object::Lease(Lease { metadata, ..Lease::default() });
        let elector = client_go(Config { labels, ..config() }, ClientGoState::default());
        let mut play = Play::new(elector, Some(given));
        // Two writes with one read before them, then one more read.
        let conflict = Fail(tenure::election::Failure::Conflict);
        play.steps(&[Serve, Serve, Serve, conflict, Serve, Serve]);
        assert_eq!(play.calls, ["get", "update", "update", "update", "get", "update"]);
        for written in &play.written {
            assert_eq!(written.metadata().labels, expected, "{case}");
        }
    }
}

/// Lacks: `metav1.MicroTime` is read with six digits after the point, no others.
#[test]
fn micro_times() {
    let rows = [
        ("", None),
        (".", None),
        (".1", None),
        (".123", None),
        (".12345", None),
        (".123456", Some(123_456_000)),
        (".1234567", None),
        (".123456789", None),
    ];
    for (fraction, nanos) in rows {
        let time = format!("2023-11-14T22:13:20{fraction}Z");
        let text = format!(
            r#"{{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","spec":{{"renewTime":"{time}"}}}}"#
        );
        let read =
            lease_from_json(text.as_bytes()).ok().and_then(|(lease, _)| lease.spec.renew_time);
        let expected = nanos.and_then(|nanos| Timestamp::from_unix(1_700_000_000, nanos));
        assert_eq!(read, expected, "{time}");
    }
}
