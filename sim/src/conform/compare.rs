//! From the trace's values to the elector's, and what differs between them.

use std::sync::Arc;

use tenure::election::{ClientGoState, Op, Release, Stored};
use tenure::lock::lease::{Lease, LeaseSpec, Metadata};
use tenure::lock::{Identity, Object as LockObject, Record, Version, wire};
use tenure::time::{Instant, Now, Timestamp};

use super::format::{Object, ObservedRecord, State, Verb};

/// 2000-01-01T00:00:00Z, where the times of a trace begin.
const EPOCH_SECONDS: i128 = 946_684_800;
const NANOS_PER_SECOND: i128 = 1_000_000_000;
/// Where a trace's time 0 lies on the elector's clock; times before it exist.
const ORIGIN: u64 = 1 << 62;

/// Namespace of the lock; traces do not name one.
pub(super) const NAMESPACE: &str = "default";

/// What the trace has and what the elector has instead.
pub(super) type Difference = (String, String);

pub(super) fn instant(t_ns: i64) -> Instant {
    Instant::from_nanos(ORIGIN.saturating_add_signed(t_ns))
}

/// The trace's time of `instant`.
pub(super) fn trace_time(instant: Instant) -> i64 {
    let nanos = i128::from(instant.as_nanos()) - i128::from(ORIGIN);
    i64::try_from(nanos).unwrap_or(i64::MAX)
}

pub(super) fn now(t_ns: i64) -> Now {
    Now { instant: instant(t_ns), timestamp: timestamp(t_ns) }
}

fn timestamp(t_ns: i64) -> Timestamp {
    Timestamp::from_unix_nanos(EPOCH_SECONDS * NANOS_PER_SECOND + i128::from(t_ns))
}

/// The trace's form of a time that may be absent or Go's zero, which it does not tell apart.
pub(super) fn recorded_time(timestamp: Option<Timestamp>) -> Option<i128> {
    let timestamp = timestamp.filter(|timestamp| *timestamp != Timestamp::GO_ZERO)?;
    Some(timestamp.unix_nanos() - EPOCH_SECONDS * NANOS_PER_SECOND)
}

/// The object as an elector gets it; an error names a number that no Lease can hold.
pub(super) fn stored(object: &Object) -> Result<Stored, String> {
    let int32 = |field: &str, value: Option<i64>| match value.map(i32::try_from).transpose() {
        Ok(value) => Ok(value),
        Err(_) => Err(format!("{field} {} beyond 32 bits", shown(value.as_ref()))),
    };
    let spec = LeaseSpec {
        holder_identity: object.holder.as_deref().map(Into::into),
        lease_duration_seconds: int32("lease_duration_seconds", object.lease_duration_seconds)?,
        acquire_time: object.acquire_time_ns.map(timestamp),
        renew_time: object.renew_time_ns.map(timestamp),
        lease_transitions: int32("lease_transitions", object.lease_transitions)?,
        ..LeaseSpec::default()
    };
    let metadata = Metadata {
        namespace: NAMESPACE.into(),
        name: object.name.as_str().into(),
        uid: object.uid.as_deref().unwrap_or_default().into(),
        ..Metadata::default()
    };
    let version = Version::opaque(Arc::<str>::from(object.rv.as_str()));
    Ok(Stored { object: LockObject::Lease(Lease { metadata: metadata.into(), spec }), version })
}

pub(super) fn record(observed: &ObservedRecord) -> Record {
    Record {
        holder: observed.holder.as_str().into(),
        lease_duration_seconds: observed.lease_duration_seconds,
        acquire_time: observed.acquire_time_ns.map(timestamp),
        renew_time: observed.renew_time_ns.map(timestamp),
        leader_transitions: observed.leader_transitions,
        ..Record::default()
    }
}

/// The record in the bytes that client-go compares.
pub(super) fn raw_record(text: &str) -> Result<Record, String> {
    wire::record_from_json(text.as_bytes()).map_err(|error| error.to_string())
}

/// What the elector asks for, in the trace's terms.
pub(super) fn verb(op: &Op) -> Verb {
    match op {
        Op::Get => Verb::Get,
        Op::Create(_) => Verb::Create,
        Op::Update(..) => Verb::Update,
    }
}

/// The first field in which the recorded body differs from the elector's.
pub(super) fn body_difference(recorded: Option<&Object>, op: &Op) -> Option<Difference> {
    let (object, version) = match op {
        Op::Get => (None, String::new()),
        Op::Create(object) => (Some(object), String::new()),
        Op::Update(object, version) => (Some(object), version.to_string()),
    };
    match (recorded, object) {
        (None, None) => None,
        (Some(_), None) => Some(("a request body".into(), "none".into())),
        (None, Some(_)) => Some(("no request body".into(), "one".into())),
        (Some(recorded), Some(LockObject::Lease(lease))) => {
            object_difference("request", recorded, lease, &version)
        }
        (Some(_), Some(other)) => Some(("a Lease".into(), other.kind().to_string())),
    }
}

/// The first field in which the object that LeaseLock holds differs.
pub(super) fn held_difference(
    recorded: Option<&Object>,
    held: Option<&Stored>,
) -> Option<Difference> {
    match (recorded, held) {
        (None, None) => None,
        (Some(_), None) => Some(("a held object".into(), "none".into())),
        (None, Some(_)) => Some(("no held object".into(), "one".into())),
        (Some(recorded), Some(held)) => {
            let LockObject::Lease(lease) = &held.object else {
                return Some(("a held Lease".into(), held.object.kind().to_string()));
            };
            object_difference("held_object_after", recorded, lease, &held.version.to_string())
        }
    }
}

fn object_difference(
    what: &str,
    recorded: &Object,
    lease: &Lease,
    version: &str,
) -> Option<Difference> {
    let spec = &lease.spec;
    let uid = recorded.uid.as_deref().unwrap_or_default();
    let transitions = spec.lease_transitions.map(i64::from);
    let duration = spec.lease_duration_seconds.map(i64::from);
    let acquire = recorded.acquire_time_ns.map(i128::from);
    let renew = recorded.renew_time_ns.map(i128::from);
    let holder = spec.holder_identity.as_ref().map(Identity::as_str);
    None.or_else(|| differ(what, "rv", Some(&recorded.rv.as_str()), Some(&version)))
        .or_else(|| differ(what, "uid", Some(&uid), Some(&&*lease.metadata.uid)))
        .or_else(|| {
            differ(what, "name", Some(&recorded.name.as_str()), Some(&&*lease.metadata.name))
        })
        .or_else(|| differ(what, "holder", recorded.holder.as_deref().as_ref(), holder.as_ref()))
        .or_else(|| {
            let recorded = recorded.lease_duration_seconds.as_ref();
            differ(what, "lease_duration_seconds", recorded, duration.as_ref())
        })
        .or_else(|| {
            let got = recorded_time(spec.acquire_time);
            differ(what, "acquire_time_ns", acquire.as_ref(), got.as_ref())
        })
        .or_else(|| {
            let got = recorded_time(spec.renew_time);
            differ(what, "renew_time_ns", renew.as_ref(), got.as_ref())
        })
        .or_else(|| {
            let recorded = recorded.lease_transitions.as_ref();
            differ(what, "lease_transitions", recorded, transitions.as_ref())
        })
}

/// The first part of the recorded state in which the elector's differs.
pub(super) fn state_difference(
    recorded: &State,
    state: &ClientGoState,
    identity: &str,
    release: Release,
) -> Option<Difference> {
    let what = "state_after";
    let observed = &recorded.observed_record;
    record_difference(observed, &state.observed_record)
        .or_else(|| {
            let time = state.observed_time.map(trace_time);
            let recorded = recorded.observed_time_ns.as_ref();
            differ(what, "observed_time_ns", recorded, time.as_ref())
        })
        .or_else(|| raw_difference(recorded.observed_raw_record.as_deref(), state, release))
        .or_else(|| {
            let got = state.reported_leader.as_str();
            differ(what, "reported_leader", Some(&recorded.reported_leader.as_str()), Some(&got))
        })
        .or_else(|| {
            let got = state.observed_record.holder.as_str() == identity;
            differ(what, "is_leader", Some(&recorded.is_leader), Some(&got))
        })
}

fn record_difference(recorded: &ObservedRecord, record: &Record) -> Option<Difference> {
    let what = "state_after.observed_record";
    let times = [
        ("acquire_time_ns", recorded.acquire_time_ns, record.acquire_time),
        ("renew_time_ns", recorded.renew_time_ns, record.renew_time),
    ];
    let numbers = [
        ("lease_duration_seconds", recorded.lease_duration_seconds, record.lease_duration_seconds),
        ("leader_transitions", recorded.leader_transitions, record.leader_transitions),
    ];
    differ(what, "holder", Some(&recorded.holder.as_str()), Some(&record.holder.as_str()))
        .or_else(|| {
            numbers
                .iter()
                .find_map(|(name, recorded, got)| differ(what, name, Some(recorded), Some(got)))
        })
        .or_else(|| {
            times.iter().find_map(|(name, recorded, got)| {
                let recorded = recorded.map(i128::from);
                differ(what, name, recorded.as_ref(), recorded_time(*got).as_ref())
            })
        })
}

/// client-go compares these bytes, so they must be equal byte by byte.
fn raw_difference(
    recorded: Option<&str>,
    state: &ClientGoState,
    release: Release,
) -> Option<Difference> {
    let raw = state.observed_raw.as_ref().map(|raw| raw.to_text(release));
    differ("state_after", "observed_raw_record", recorded.as_ref(), raw.as_deref().as_ref())
}

pub(super) fn differ<T: PartialEq + std::fmt::Debug>(
    what: &str,
    field: &str,
    recorded: Option<&T>,
    got: Option<&T>,
) -> Option<Difference> {
    let line = |value| format!("{what}.{field} {}", shown(value));
    (recorded != got).then(|| (line(recorded), line(got)))
}

fn shown<T: std::fmt::Debug>(value: Option<&T>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| format!("{value:?}"))
}
