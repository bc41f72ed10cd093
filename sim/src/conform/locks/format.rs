//! The format "client-go-locks-micro/1", as it is read.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::conform::format::{Object, State, present};

/// `client-go-locks-micro/1`.
#[derive(Debug, Deserialize)]
pub(in crate::conform) struct Locks {
    pub(super) identity: String,
    pub(super) lease_duration_ns: u64,
    pub(super) cases: Vec<Case>,
}

/// What one elector does with one lock, call by call of `tryAcquireOrRenew` and `release`.
#[derive(Debug, Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) lock: String,
    pub(super) stored_before: Objects,
    pub(super) steps: Vec<Step>,
}

/// The three objects that a lock may be kept in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Objects {
    pub(super) configmaps: Held,
    pub(super) endpoints: Held,
    pub(super) leases: Held,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub(super) struct Held {
    pub(super) exists: bool,
    pub(super) rv: Option<String>,
    #[serde(deserialize_with = "present")]
    pub(super) annotation: Option<String>,
    #[serde(deserialize_with = "present")]
    pub(super) spec: Option<Object>,
    /// What the lock must leave alone: a `ConfigMap`'s data and the like.
    #[serde(flatten)]
    pub(super) rest: BTreeMap<String, Value>,
}

/// One call of `tryAcquireOrRenew` or `release`.
#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) wait_ns: i64,
    pub(super) t_ns: i64,
    pub(super) op: String,
    pub(super) outsider: Option<String>,
    /// By "resource/verb": with what result such calls fail.
    #[serde(default)]
    pub(super) fail: BTreeMap<String, String>,
    pub(super) calls: Vec<Call>,
    pub(super) returned: bool,
    pub(super) state_after: State,
    pub(super) stored_after: Objects,
}

/// One call to the store.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Call {
    pub(super) t_ns: i64,
    pub(super) resource: String,
    pub(super) verb: String,
    pub(super) request_rv: Option<String>,
    pub(super) request_annotation: Option<String>,
    pub(super) request_spec: Option<Object>,
    pub(super) result: String,
}
