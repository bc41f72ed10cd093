//! A `LeaseCandidate` in a store that keeps Leases: a Lease with a label, its fields in annotations.

use std::sync::Arc;

use tenure::election::Stored as StoredLease;
use tenure::election::coordinated::Stored;
use tenure::lock::Object;
use tenure::lock::candidate::{LeaseCandidate, LeaseCandidateSpec};
use tenure::lock::lease::Lease;
use tenure::time::Timestamp;

/// The label that tells candidates from Leases; its value is the Lease's name.
const LABEL: &str = "tenure.dev/lease-candidate";

const CREATED: &str = "created";
const PING: &str = "ping-time";
const RENEW: &str = "renew-time";
const BINARY: &str = "binary-version";
const EMULATION: &str = "emulation-version";
const STRATEGY: &str = "strategy";

/// The Lease that stands for `candidate`.
pub(super) fn encode(candidate: &LeaseCandidate) -> Object {
    let mut metadata = (*candidate.metadata).clone();
    let spec = &candidate.spec;
    metadata.labels.insert(LABEL.into(), spec.lease_name.clone());
    let texts = [
        (BINARY, &spec.binary_version),
        (EMULATION, &spec.emulation_version),
        (STRATEGY, &spec.strategy),
    ];
    for (key, text) in texts {
        metadata.annotations.insert(key.into(), text.clone());
    }
    // Made by the candidate itself, where an API server would date it.
    let created = candidate.created.or(spec.renew_time);
    for (key, time) in [(CREATED, created), (PING, spec.ping_time), (RENEW, spec.renew_time)] {
        if let Some(time) = time {
            metadata.annotations.insert(key.into(), time.unix_nanos().to_string().into());
        }
    }
    Object::Lease(Lease { metadata: metadata.into(), ..Lease::default() })
}

/// The candidate that a Lease stands for, if it does.
pub(super) fn decode(stored: &StoredLease) -> Option<Stored> {
    let metadata = stored.object.metadata();
    let lease_name = metadata.labels.get(LABEL)?.clone();
    let text = |key: &str| metadata.annotations.get(key).cloned();
    let time = |key: &str| -> Option<Timestamp> {
        Some(Timestamp::from_unix_nanos(text(key)?.parse().ok()?))
    };
    let spec = LeaseCandidateSpec {
        lease_name,
        ping_time: time(PING),
        renew_time: time(RENEW),
        binary_version: text(BINARY)?,
        emulation_version: text(EMULATION)?,
        strategy: text(STRATEGY)?,
    };
    let candidate = LeaseCandidate { metadata: Arc::clone(metadata), created: time(CREATED), spec };
    Some(Stored { candidate, version: stored.version.clone() })
}
