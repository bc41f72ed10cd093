//! The file formats, as they are read (that of locks is in `locks/format.rs`).
//!
//! What a replay needs must be there; what it does not know is skipped. Kinds, verbs and results
//! stay text here, so that a wrong one is a divergence at its place and not a broken file.

use serde::{Deserialize, Deserializer};

/// First look at a file: which format it has and which client-go it comes from.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) client_go: String,
}

/// `client-go-leaderelection-trace/1`.
#[derive(Debug, Deserialize)]
pub(super) struct Trace {
    pub(super) duration_ns: i64,
    pub(super) electors: Vec<ElectorSpec>,
    #[serde(deserialize_with = "present")]
    pub(super) initial_object: Option<Object>,
    pub(super) events: Vec<Event>,
    pub(super) attempts: Vec<Attempt>,
    #[serde(deserialize_with = "present")]
    pub(super) final_object: Option<Object>,
}

/// How one elector was set up.
#[derive(Debug, Deserialize)]
pub(super) struct ElectorSpec {
    pub(super) id: String,
    pub(super) identity: String,
    pub(super) lease_duration_ns: u64,
    pub(super) renew_deadline_ns: u64,
    pub(super) retry_period_ns: u64,
    pub(super) release_on_cancel: bool,
    pub(super) request_timeout_ns: Option<u64>,
    pub(super) start_ns: i64,
    #[serde(default)]
    pub(super) stops: Option<Vec<Stop>>,
    #[serde(default)]
    pub(super) restart_after_ns: i64,
}

/// A planned end of an incarnation.
#[derive(Debug, Deserialize)]
pub(super) struct Stop {
    pub(super) at_ns: i64,
    pub(super) kind: String,
}

/// One entry of `events[]`.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) seq: u64,
    pub(super) t_ns: i64,
    pub(super) kind: String,
    pub(super) elector: Option<String>,
    pub(super) incarnation: Option<u64>,
    pub(super) attempt: Option<u64>,
    pub(super) end_ns: Option<i64>,
    pub(super) applied_ns: Option<i64>,
    pub(super) server_seq: Option<u64>,
    pub(super) server_result: Option<String>,
    pub(super) request: Option<Object>,
    pub(super) result: Option<String>,
    pub(super) response: Option<Object>,
    pub(super) error: Option<String>,
    pub(super) note: Option<String>,
    pub(super) identity: Option<String>,
}

/// One entry of `attempts[]`.
#[derive(Debug, Deserialize)]
pub(super) struct Attempt {
    pub(super) elector: String,
    pub(super) incarnation: u64,
    #[serde(rename = "attempt")]
    pub(super) number: u64,
    pub(super) phase: String,
    pub(super) t_ns: i64,
    pub(super) end_ns: Option<i64>,
    pub(super) calls: Vec<u64>,
    #[serde(deserialize_with = "present")]
    pub(super) returned: Option<bool>,
    pub(super) complete: bool,
    #[serde(deserialize_with = "present")]
    pub(super) state_after: Option<State>,
}

/// A Lease.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Object {
    pub(super) rv: String,
    pub(super) uid: Option<String>,
    pub(super) name: String,
    #[serde(deserialize_with = "present")]
    pub(super) holder: Option<String>,
    #[serde(deserialize_with = "present")]
    pub(super) lease_duration_seconds: Option<i64>,
    #[serde(deserialize_with = "present")]
    pub(super) acquire_time_ns: Option<i64>,
    #[serde(deserialize_with = "present")]
    pub(super) renew_time_ns: Option<i64>,
    #[serde(deserialize_with = "present")]
    pub(super) lease_transitions: Option<i64>,
}

/// A record as client-go's elector keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct ObservedRecord {
    pub(super) holder: String,
    pub(super) lease_duration_seconds: i64,
    #[serde(deserialize_with = "present")]
    pub(super) acquire_time_ns: Option<i64>,
    #[serde(deserialize_with = "present")]
    pub(super) renew_time_ns: Option<i64>,
    pub(super) leader_transitions: i64,
}

/// What client-go's elector knows after an attempt.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct State {
    pub(super) observed_record: ObservedRecord,
    #[serde(deserialize_with = "present")]
    pub(super) observed_time_ns: Option<i64>,
    #[serde(deserialize_with = "present")]
    pub(super) observed_raw_record: Option<String>,
    pub(super) reported_leader: String,
    pub(super) is_leader: bool,
}

/// `client-go-tryacquire-micro/1`.
#[derive(Debug, Deserialize)]
pub(super) struct Micro {
    pub(super) cases: Vec<Case>,
}

/// One call of `tryAcquireOrRenew` or `release`.
#[derive(Debug, Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) op: String,
    pub(super) identity: String,
    pub(super) lease_duration_ns: u64,
    pub(super) renew_deadline_ns: u64,
    pub(super) observed_record: ObservedRecord,
    #[serde(deserialize_with = "present")]
    pub(super) observed_time_ns: Option<i64>,
    #[serde(deserialize_with = "present")]
    pub(super) observed_raw_record: Option<String>,
    pub(super) reported_leader: String,
    #[serde(deserialize_with = "present")]
    pub(super) held_object: Option<Object>,
    pub(super) now_ns: i64,
    pub(super) script: Vec<Step>,
    pub(super) calls: Vec<MicroCall>,
    pub(super) returned: bool,
    pub(super) state_after: State,
    #[serde(deserialize_with = "present")]
    pub(super) held_object_after: Option<Object>,
    pub(super) new_leader_callbacks: Vec<String>,
    pub(super) script_steps_unused: u64,
}

/// One scripted answer.
#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) verb: String,
    pub(super) result: String,
    pub(super) object: Option<Object>,
    #[serde(default)]
    pub(super) delay_ns: i64,
}

/// One call that was made.
#[derive(Debug, Deserialize)]
pub(super) struct MicroCall {
    pub(super) verb: String,
    pub(super) t_ns: i64,
    pub(super) end_ns: i64,
    pub(super) sent: bool,
    pub(super) request: Option<Object>,
    pub(super) result: String,
    pub(super) response: Option<Object>,
}

/// `null` is allowed, but the key must be there.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

/// The API calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Create,
    Update,
}

impl Verb {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "get" => Some(Self::Get),
            "create" => Some(Self::Create),
            "update" => Some(Self::Update),
            _ => None,
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Create => "create",
            Self::Update => "update",
        }
    }

    /// Whether a body goes with it.
    pub(super) const fn writes(self) -> bool {
        !matches!(self, Self::Get)
    }
}

/// How a call ended for the elector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    Conflict,
    NotFound,
    Exists,
    Error,
    /// The process died first.
    Crashed,
    /// The recording ended first.
    Unfinished,
}

impl Outcome {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "ok" => Some(Self::Ok),
            "conflict" => Some(Self::Conflict),
            "notfound" => Some(Self::NotFound),
            "exists" => Some(Self::Exists),
            "error" => Some(Self::Error),
            "crashed" => Some(Self::Crashed),
            "unfinished" => Some(Self::Unfinished),
            _ => None,
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Conflict => "conflict",
            Self::NotFound => "notfound",
            Self::Exists => "exists",
            Self::Error => "error",
            Self::Crashed => "crashed",
            Self::Unfinished => "unfinished",
        }
    }

    /// Whether the elector saw an end at all.
    pub(super) const fn is_seen(self) -> bool {
        !matches!(self, Self::Crashed | Self::Unfinished)
    }
}

/// The client refused the call: the object has no name.
pub(super) const NOT_SENT_NAME: &str = "client-side: not sent";
/// The client refused the call: its context had ended.
pub(super) const NOT_SENT_DONE: &str = "context already done: not sent";
