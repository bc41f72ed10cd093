//! The Lease object (`coordination.k8s.io/v1`) and how a record is kept in it.
//!
//! Conversions follow client-go's `resourcelock/leaselock.go`
//! (`LeaseSpecToLeaderElectionRecord`, `LeaderElectionRecordToLeaseSpec`).

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use super::{Identity, Record};
use crate::time::Timestamp;

/// Labels or annotations.
///
/// ```
/// use tenure::lock::lease::{Entries, Metadata};
/// let labels = Entries::from([("app".into(), "controller".into())]);
/// assert_eq!(Metadata { labels, ..Metadata::default() }.labels["app"].as_ref(), "controller");
/// ```
pub type Entries = BTreeMap<Arc<str>, Arc<str>>;

/// A Lease: what the elector reads and writes of it.
///
/// ```
/// use tenure::lock::{lease::{Lease, LeaseSpec}, Record};
/// let record = Record { holder: "a".into(), lease_duration_seconds: 15, ..Record::default() };
/// let lease = Lease { spec: LeaseSpec::from_record(&record), ..Lease::default() };
/// assert_eq!(lease.spec.to_record(), record);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Lease {
    /// Name, labels and the like. Shared, so that a renewal copies none of it.
    pub metadata: Arc<Metadata>,
    /// Who holds it.
    pub spec: LeaseSpec,
}

/// The part of a Kubernetes object's metadata that a lock needs.
///
/// The store's version is not here: it travels beside the object, so that no write can forget it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Metadata {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The name.
    pub name: Arc<str>,
    /// The store's unique id of the object; empty before it is stored.
    pub uid: Arc<str>,
    /// The labels.
    pub labels: Entries,
    /// The annotations.
    pub annotations: Entries,
    /// What else the object holds (owner references, finalizers; a `ConfigMap`'s data, the subsets of
    /// Endpoints), since a store takes for removed what a write leaves out. What was read with an
    /// object comes back, untouched, with each write over it.
    ///
    /// The readers of [`wire`](super::wire) fill it with JSON, the object less all that is modelled,
    /// and its writers put that back in its place; they leave out what is not a JSON object. A driver
    /// that uses neither may keep here what it likes.
    pub rest: Option<Arc<[u8]>>,
}

/// `spec` of a Lease. Each field may be absent.
///
/// `Some(Timestamp::GO_ZERO)` is a time that is present and zero: Go writes it as `null`, where an
/// absent one is not written at all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct LeaseSpec {
    /// The holder.
    pub holder_identity: Option<Identity>,
    /// How long candidates must wait after a renewal was seen, in seconds.
    pub lease_duration_seconds: Option<i32>,
    /// When the tenure began. Microseconds; what is finer is cut off when written.
    pub acquire_time: Option<Timestamp>,
    /// When the holder renewed last. Microseconds.
    pub renew_time: Option<Timestamp>,
    /// How often the lock has changed hands.
    pub lease_transitions: Option<i32>,
    /// Strategy of coordinated leader election.
    pub strategy: Option<Arc<str>>,
    /// Who should hold the lock next.
    pub preferred_holder: Option<Identity>,
}

impl Metadata {
    /// Sets each of `labels`, leaving all others as they are. Copies only if they change.
    pub(crate) fn merge_labels(this: &mut Arc<Self>, labels: &Entries) {
        if labels.iter().all(|(key, value)| this.labels.get(key) == Some(value)) {
            return;
        }
        let merged = &mut Arc::make_mut(this).labels;
        for (key, value) in labels {
            merged.insert(key.clone(), value.clone());
        }
    }
}

impl LeaseSpec {
    /// The record in this spec; what is absent becomes zero (`LeaseSpecToLeaderElectionRecord`).
    #[must_use]
    pub fn to_record(&self) -> Record {
        Record {
            holder: self.holder_identity.clone().unwrap_or_default(),
            lease_duration_seconds: self.lease_duration_seconds.unwrap_or(0).into(),
            acquire_time: self.acquire_time.filter(|time| *time != Timestamp::GO_ZERO),
            renew_time: self.renew_time.filter(|time| *time != Timestamp::GO_ZERO),
            leader_transitions: self.lease_transitions.unwrap_or(0).into(),
            strategy: self.strategy.clone().filter(|strategy| !strategy.is_empty()),
            preferred_holder: self.preferred_holder.clone().unwrap_or_default(),
        }
    }

    /// The spec for a record (`LeaderElectionRecordToLeaseSpec`): all fields present but strategy
    /// and preferred holder, which are absent when empty. Numbers are cut to 32 bits as Go does.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "int32(x) in Go cuts the upper bits")]
    pub fn from_record(record: &Record) -> Self {
        Self {
            holder_identity: Some(record.holder.clone()),
            lease_duration_seconds: Some(record.lease_duration_seconds as i32),
            acquire_time: Some(record.acquire_time.unwrap_or(Timestamp::GO_ZERO)),
            renew_time: Some(record.renew_time.unwrap_or(Timestamp::GO_ZERO)),
            lease_transitions: Some(record.leader_transitions as i32),
            strategy: record.strategy.clone().filter(|strategy| !strategy.is_empty()),
            preferred_holder: Some(record.preferred_holder.clone())
                .filter(|holder| !holder.is_empty()),
        }
    }
}
