use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use core::num::NonZeroU32;
use core::time::Duration;

use proptest::prelude::*;

use super::super::{Generation, Incarnation};
use super::{ACTED_ON, CONFIGURATION, GROUP_LABEL, INCARNATION, STATE, WEIGHT, ZONE};
use super::{Lease, Member, MemberRecord, State, Timestamp};
use crate::lock::lease::Metadata;
use crate::lock::wire;

const GROUP: &str = "shards";
const ANNOTATIONS: [&str; 6] = [STATE, INCARNATION, ACTED_ON, WEIGHT, ZONE, CONFIGURATION];

fn any_time() -> impl Strategy<Value = Option<Timestamp>> {
    let time = (0..4_000_000_000_i64, 0..1_000_000_u32);
    prop::option::of(time.prop_map(|(s, micros)| Timestamp::from_unix(s, micros * 1000).unwrap()))
}

fn any_record() -> impl Strategy<Value = MemberRecord> {
    let member =
        ("[a-z]([-a-z0-9]{0,20}[a-z0-9])?", 1..=u32::MAX, prop::option::of("[a-z0-9-]{1,12}"));
    let rest = ("[a-z0-9-]{1,36}", any::<u32>(), prop::option::of(any::<u64>()));
    let numbers = (any::<u64>(), any::<u64>(), 1..=i32::MAX.unsigned_abs());
    let state = prop::sample::select(State::ALL.to_vec());
    (member, rest, numbers, state, any_time(), any_time()).prop_map(
        |((name, weight, zone), (process, life, acted_on), numbers, state, joined, renewed)| {
            let member = Member::from(name).with_weight(NonZeroU32::new(weight).unwrap());
            MemberRecord {
                member: member.in_zone(zone.unwrap_or_default()),
                state,
                incarnation: Incarnation { process: process.into(), life },
                acted_on,
                generation: Generation { number: numbers.0, fingerprint: numbers.1 },
                lease_duration: Duration::from_secs(numbers.2.into()),
                joined,
                renewed,
            }
        },
    )
}

fn record() -> MemberRecord {
    let time = |seconds| Timestamp::from_unix(seconds, 0);
    MemberRecord {
        member: Member::from("pod-0").with_weight(NonZeroU32::new(3).unwrap()).in_zone("a"),
        state: State::Active,
        incarnation: Incarnation { process: "6ba7b810".into(), life: 2 },
        acted_on: Some(70),
        generation: Generation { number: 3, fingerprint: 0x1a },
        lease_duration: Duration::from_secs(15),
        joined: time(1_709_251_200),
        renewed: time(1_709_251_210),
    }
}

/// Exactly what is stored, for other programs that read it.
#[test]
fn the_lease_is_this_one() {
    let text = wire::lease_to_api_json(&record().to_lease("default", "shards").unwrap(), None);
    assert_eq!(
        text.trim_end(),
        concat!(
            r#"{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"#,
            r#""name":"shards-pod-0","namespace":"default","labels":{"tenure.dev/group":"shards"},"#,
            r#""annotations":{"tenure.dev/acted-on":"70","tenure.dev/configuration":"3-000000000000001a","#,
            r#""tenure.dev/incarnation":"6ba7b810.2","tenure.dev/state":"Active","#,
            r#""tenure.dev/weight":"3","tenure.dev/zone":"a"}},"#,
            r#""spec":{"holderIdentity":"pod-0_6ba7b810.2","leaseDurationSeconds":15,"#,
            r#""acquireTime":"2024-03-01T00:00:00.000000Z","renewTime":"2024-03-01T00:00:10.000000Z","#,
            r#""leaseTransitions":2}}"#,
        )
    );
}

/// Each field that is wrong or missing, by its name, with what to write.
#[test]
fn a_lease_that_is_no_record_is_refused_by_field() {
    let good = record().to_lease("default", "shards").unwrap();
    assert_eq!(MemberRecord::from_lease(&good, GROUP), Ok(record()));
    let long = "x".repeat(300);
    for (key, value, message) in [
        (STATE, "active", "tenure.dev/state is \"active\": write Joining, Active,"),
        (
            INCARNATION,
            "6ba7b810",
            "tenure.dev/incarnation is \"6ba7b810\": write a process, a point",
        ),
        (INCARNATION, "6ba7b810.+2", "\"6ba7b810.+2\""),
        (INCARNATION, ".2", "\".2\""),
        (INCARNATION, "6ba7b810.4294967296", "a number"),
        (INCARNATION, &long, "xxx…\": write 1 to 253 bytes"),
        (
            ACTED_ON,
            "-1",
            "tenure.dev/acted-on is \"-1\": write a version of the store, or leave it out",
        ),
        (ACTED_ON, "007", "\"007\""),
        (ACTED_ON, "18446744073709551616", "write a version"),
        (WEIGHT, "0", "tenure.dev/weight is \"0\": write a number from 1 to 4294967295"),
        (WEIGHT, "1.5", "\"1.5\""),
        (ZONE, "", "tenure.dev/zone is \"\": write 1 to 253 bytes"),
        (CONFIGURATION, "3-1a", "tenure.dev/configuration is \"3-1a\": write a number, '-' and 16"),
        (CONFIGURATION, "3-+00000000000001a", "as 3-000000000000001a"),
        (CONFIGURATION, "3-000000000000001A", "as 3-000000000000001a"),
    ] {
        let mut lease = good.clone();
        let annotations = &mut Arc::make_mut(&mut lease.metadata).annotations;
        annotations.insert(key.into(), value.into());
        let error = MemberRecord::from_lease(&lease, GROUP).unwrap_err();
        assert_eq!(error.field(), key);
        assert!(error.to_string().contains(message), "{error}");
    }
    for key in [STATE, INCARNATION, WEIGHT, CONFIGURATION] {
        let mut lease = good.clone();
        Arc::make_mut(&mut lease.metadata).annotations.remove(key);
        let error = MemberRecord::from_lease(&lease, GROUP).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{key} is missing: if this Lease is no member's")),
            "{error}"
        );
    }
    for name in ["shards-", "shards", "shard-pod-0", "pod-0", "", &format!("shards-{long}")] {
        let mut lease = good.clone();
        Arc::make_mut(&mut lease.metadata).name = name.into();
        assert_eq!(
            MemberRecord::from_lease(&lease, GROUP).unwrap_err().field(),
            "metadata.name",
            "{name}"
        );
    }
    for seconds in [None, Some(0), Some(-15), Some(i32::MIN)] {
        let mut lease = good.clone();
        lease.spec.lease_duration_seconds = seconds;
        let error = MemberRecord::from_lease(&lease, GROUP).unwrap_err();
        assert_eq!(error.field(), "spec.leaseDurationSeconds");
    }
}

#[test]
fn what_does_not_fit_is_rounded_to_the_safe_side() {
    let mut record = record();
    record.lease_duration = Duration::from_millis(15_001); // others wait longer
    record.joined = Timestamp::from_unix(5, 1_999);
    let read =
        MemberRecord::from_lease(&record.to_lease("default", GROUP).unwrap(), GROUP).unwrap();
    assert_eq!(read.lease_duration, Duration::from_secs(16));
    assert_eq!(read.joined, Timestamp::from_unix(5, 1_000));
    record.lease_duration = Duration::MAX;
    let lease = record.to_lease("default", "shards").unwrap();
    assert_eq!(lease.spec.lease_duration_seconds, Some(i32::MAX));
}

/// Go writes a time that was never set as the zero of its own.
#[test]
fn a_time_that_was_never_set_is_none() {
    let mut lease = record().to_lease("default", GROUP).unwrap();
    lease.spec.acquire_time = Some(Timestamp::GO_ZERO);
    lease.spec.renew_time = None;
    let read = MemberRecord::from_lease(&lease, GROUP).unwrap();
    assert_eq!((read.joined, read.renewed), (None, None));
}

/// What others have put there.
fn foreign() -> Lease {
    let rest: &[u8] = br#"{"metadata":{"finalizers":["example.com/a"]}}"#;
    let mut lease = Lease::default();
    let metadata: &mut Metadata = Arc::make_mut(&mut lease.metadata);
    metadata.labels.insert("app".into(), "controller".into());
    metadata.annotations.insert("example.com/note".into(), "keep".into());
    metadata.rest = Some(rest.into());
    metadata.uid = "6f1b0d4e".into();
    lease.spec.strategy = Some("example.com/strategy".into());
    lease
}

/// Or nobody could read the whole group any more.
#[test]
fn what_could_not_be_read_or_stored_is_not_written() {
    let good = record();
    let named = |name: &str| MemberRecord { member: Member::from(name), ..good.clone() };
    let zone = good.member.clone().in_zone("z".repeat(254));
    let process = |process: &str| Incarnation { process: process.into(), life: 1 };
    for (record, field) in [
        (named("pod_0"), "member"),
        (named("Pod-0"), "member"),
        (named("pod-0-"), "member"),
        (named("pod..0"), "member"),
        (named(""), "member"),
        (named(&"x".repeat(250)), "metadata.name"),
        (MemberRecord { member: zone, ..good.clone() }, ZONE),
        (MemberRecord { incarnation: process(""), ..good.clone() }, INCARNATION),
        (MemberRecord { incarnation: process(&"x".repeat(252)), ..good.clone() }, INCARNATION),
        (
            MemberRecord { lease_duration: Duration::ZERO, ..good.clone() },
            "spec.leaseDurationSeconds",
        ),
    ] {
        let error = record.to_lease("default", "shards").unwrap_err();
        assert_eq!(error.field(), field, "{error}");
    }
    for group in ["", "-a", "a-", "a.", "Shards", "a_b", "ä", &"x".repeat(64)] {
        let error = good.to_lease("default", group).unwrap_err();
        assert!(error.to_string().contains(": write at most 63 small"), "{error}");
        assert_eq!(error.field(), "group");
    }
    let mut lease = good.to_lease("default", "shards").unwrap();
    let before = lease.clone();
    let error = named("pod-1").put_into(&mut lease, GROUP).unwrap_err();
    assert_eq!(
        error.to_string(),
        "metadata.name is \"shards-pod-0\": it is not the Lease of this member"
    );
    assert_eq!(lease, before);
}

proptest! {
    #[test]
    fn a_record_is_read_back(record in any_record(), group in "[a-z]([-a-z0-9]{0,20}[a-z0-9])?") {
        let lease = record.to_lease("default", &*group).unwrap();
        prop_assert_eq!(MemberRecord::from_lease(&lease, &group), Ok(record.clone()));
        let holder = lease.spec.holder_identity.clone().unwrap();
        prop_assert_eq!(holder.is_empty(), !record.state.counts());
        // Through the API server's text as well.
        let text = wire::lease_to_api_json(&lease, Some("7"));
        let (read, _) = wire::lease_from_api_json(text.as_bytes()).unwrap();
        prop_assert_eq!(MemberRecord::from_lease(&read, &group), Ok(record));
    }

    /// Over another record of the same member: nothing of it is left, and nothing of others is lost.
    #[test]
    fn what_others_wrote_stays(old in any_record(), new in any_record()) {
        let new = MemberRecord { member: Member::from(old.name()).in_zone("b"), ..new };
        let mut lease = foreign();
        let metadata = Arc::make_mut(&mut lease.metadata);
        metadata.name = format!("shards-{}", old.name()).into();
        metadata.labels.insert(GROUP_LABEL.into(), "shards".into());
        old.put_into(&mut lease, GROUP).unwrap();
        prop_assert_eq!(MemberRecord::from_lease(&lease, GROUP), Ok(old));
        new.put_into(&mut lease, GROUP).unwrap();
        prop_assert_eq!(MemberRecord::from_lease(&lease, GROUP), Ok(new.clone()));

        let before = Arc::clone(&lease.metadata);
        new.put_into(&mut lease, GROUP).unwrap();
        prop_assert!(Arc::ptr_eq(&before, &lease.metadata), "nothing to copy");

        let mut metadata = (*lease.metadata).clone();
        metadata.annotations.retain(|key, _| !ANNOTATIONS.contains(&&**key));
        metadata.labels.remove(GROUP_LABEL);
        metadata.name = "".into();
        prop_assert_eq!(metadata, (*foreign().metadata).clone());
        prop_assert_eq!(lease.spec.strategy, foreign().spec.strategy);
    }

    /// Whatever stands in a Lease: a record that is written back as it was read, or an error.
    #[test]
    fn any_lease_is_read_or_refused(
        record in any_record(),
        at in 0..ANNOTATIONS.len() + 2,
        value in prop_oneof!["\\PC{0,12}", "[0-9.+-]{0,25}", "[a-z]{240,270}", "[0-9]-[0-9a-fA-F+]{16}"],
        seconds in prop::option::of(any::<i32>()),
    ) {
        let mut lease = record.to_lease("default", "shards").unwrap();
        lease.spec.lease_duration_seconds = seconds.or(lease.spec.lease_duration_seconds);
        let metadata = Arc::make_mut(&mut lease.metadata);
        match ANNOTATIONS.get(at) {
            Some(key) => drop(metadata.annotations.insert((*key).into(), value.as_str().into())),
            None if at == ANNOTATIONS.len() => metadata.name = value.as_str().into(),
            None => drop(metadata.labels.insert(GROUP_LABEL.into(), value.as_str().into())),
        }
        match MemberRecord::from_lease(&lease, GROUP) {
            Ok(read) => {
                let mut again = lease.clone();
                prop_assert_eq!(read.put_into(&mut again, GROUP), Ok(()));
                prop_assert_eq!(again.metadata, lease.metadata);
            }
            Err(error) => {
                prop_assert!(error.to_string().len() < 600, "{}", error);
                // Of a member of the group something is always to be handed in; of others nothing is.
                let name = lease.metadata.name.strip_prefix("shards-").filter(|name| !name.is_empty());
                let ours = &*lease.metadata.labels[GROUP_LABEL] == GROUP;
                let ours = name.filter(|_| ours && lease.metadata.name.len() <= 253);
                let instead = error.instead();
                prop_assert_eq!(instead.as_ref().map(MemberRecord::name), ours);
                if let Some(instead) = instead {
                    prop_assert_eq!(instead.state, State::Unreadable);
                    let known = lease.spec.lease_duration_seconds.filter(|seconds| *seconds > 0);
                    prop_assert_eq!(instead.lease_duration.as_secs(), u64::from(known.unwrap_or(0).unsigned_abs()));
                    // It is never written, and one that excludes it is a record again.
                    prop_assert!(instead.put_into(&mut lease.clone(), GROUP).is_err());
                    let duration = instead.lease_duration.max(Duration::from_secs(1));
                    let excluded =
                        MemberRecord { state: State::Excluded, lease_duration: duration, ..instead };
                    let mut lease = lease.clone();
                    prop_assert_eq!(excluded.put_into(&mut lease, GROUP), Ok(()));
                    prop_assert_eq!(MemberRecord::from_lease(&lease, GROUP).unwrap().state, State::Excluded);
                }
            }
        }
    }
}

/// Leases of one name, of two groups: whose it is, the label says; and who asks for its own only reads,
/// lists and writes its own.
#[test]
fn another_groups_record_is_never_taken_for_ones_own() {
    let named = |name: &str| MemberRecord { member: Member::from(name), ..record() };
    let one = named("b-c").to_lease("default", "a").unwrap();
    let other = named("c").to_lease("default", "a-b").unwrap();
    assert_eq!(one.metadata.name, other.metadata.name);
    for (lease, own, name, another) in [(&one, "a", "b-c", "a-b"), (&other, "a-b", "c", "a")] {
        assert_eq!(MemberRecord::from_lease(lease, own).unwrap().name(), name);
        let error = MemberRecord::from_lease(lease, another).unwrap_err();
        assert_eq!((error.field(), error.instead()), (GROUP_LABEL, None), "{error}");
        let mut over = lease.clone();
        for name in ["b-c", "c"] {
            let error = named(name).put_into(&mut over, another).unwrap_err();
            assert_eq!(error.field(), GROUP_LABEL);
        }
        assert_eq!(&over, lease);
    }
    // One that cannot be read stays its group's.
    let mut garbage = one.clone();
    Arc::make_mut(&mut garbage.metadata).annotations.clear();
    assert_eq!(MemberRecord::from_lease(&garbage, "a-b").unwrap_err().instead(), None);
    let instead = MemberRecord::from_lease(&garbage, "a").unwrap_err().instead().unwrap();
    assert_eq!((instead.name(), instead.lease_duration), ("b-c", Duration::from_secs(15)));
}
