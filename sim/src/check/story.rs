//! Runs told by hand, for the tests of checks.

use std::sync::Arc;

use tenure::election::{Cause, Failure, Profile};
use tenure::lock::{Kind, Record};
use tenure::time::Timestamp;

use super::{Check, Violation, recheck};
use crate::fault::Fault;
use crate::scenario::Lock;
use crate::time::{SimTime, Span};
use crate::trace::{Actor, End, Entry, Reply, Snapshot, Verb, What};

/// A run told by hand.
#[derive(Debug, Clone, Default)]
pub(super) struct Story {
    entries: Vec<Entry>,
    at: SimTime,
    /// Whether what follows is not about the Lease.
    object: Option<Kind>,
}

fn time(text: &str) -> SimTime {
    match text {
        "never" => SimTime::NEVER,
        text => SimTime::ZERO + text.parse::<Span>().unwrap(),
    }
}

impl Story {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn at(mut self, text: &str) -> Self {
        assert!(time(text) >= self.at, "entries are in order");
        self.at = time(text);
        self
    }

    /// What follows is about this object.
    pub(super) fn about(mut self, object: Kind) -> Self {
        self.object = Some(object);
        self
    }

    fn object(&self) -> Kind {
        self.object.unwrap_or(Kind::Lease)
    }

    pub(super) fn says(mut self, what: What) -> Self {
        let seq = self.entries.len() as u64;
        self.entries.push(Entry { seq, at: self.at, cause: None, what });
        self
    }

    pub(super) fn check(&self, check: &mut impl Check) -> Vec<Violation> {
        recheck(&self.entries, check)
    }

    pub(super) fn started(self, replica: u32, profile: &str) -> Self {
        self.started_as(replica, 0, profile, &format!("r{replica}"))
    }

    pub(super) fn started_as(self, replica: u32, life: u32, profile: &str, identity: &str) -> Self {
        self.started_on(replica, life, profile, identity, Lock::Lease, None)
    }

    /// A life whose lock is this, with this lease duration if it is not the planned one.
    pub(super) fn started_on(
        self,
        replica: u32,
        life: u32,
        profile: &str,
        identity: &str,
        lock: Lock,
        lease_duration: Option<Span>,
    ) -> Self {
        let profile: Profile = profile.parse().unwrap();
        let identity = identity.to_owned().into();
        let rate_ppb = 1_000_000_000;
        self.says(What::Started {
            replica,
            life,
            identity,
            profile,
            rate_ppb,
            lock,
            lease_duration,
        })
    }

    pub(super) fn crashed(self, replica: u32) -> Self {
        self.says(What::Ended { replica, end: End::Crashed })
    }

    pub(super) fn finished(self, replica: u32) -> Self {
        self.says(What::Ended { replica, end: End::Finished })
    }

    pub(super) fn paused(self, replica: u32) -> Self {
        self.says(What::Paused { replica })
    }

    pub(super) fn resumed(self, replica: u32) -> Self {
        self.says(What::Resumed { replica })
    }

    pub(super) fn leads(self, replica: u32) -> Self {
        self.says(What::StartedLeading { replica, token: None })
    }

    pub(super) fn leads_with(self, replica: u32, token: u64) -> Self {
        self.says(What::StartedLeading { replica, token: Some(token) })
    }

    pub(super) fn stops_leading(self, replica: u32) -> Self {
        self.says(What::StoppedLeading { replica, cause: Cause::Expired, led: true })
    }

    pub(super) fn authority(self, replica: u32, until: Option<&str>) -> Self {
        self.says(What::Authority { replica, until: until.map(time) })
    }

    pub(super) fn guarded(self, replica: u32, token: u64, sent: &str, accepted: bool) -> Self {
        let (sent, token) = (time(sent), Some(token));
        self.says(What::GuardedWrite { replica, life: 0, key: 0, token, sent, accepted })
    }

    pub(super) fn sent(self, replica: u32, request: u64, verb: Verb, version: Option<u64>) -> Self {
        let object = self.object();
        self.says(What::Sent { replica, request, verb, record: None, version, object })
    }

    /// The store takes a write of a replica, or answers its read.
    pub(super) fn applied(
        self,
        replica: u32,
        request: u64,
        verb: Verb,
        before: Option<&Arc<Snapshot>>,
        after: &Arc<Snapshot>,
    ) -> Self {
        let by = Actor::Replica { replica, life: 0 };
        let (request, before) = (Some(request), before.cloned());
        let reply = Reply::Is(after.clone());
        let object = self.object();
        self.says(What::Applied { by, request, verb, before, reply, object })
    }

    pub(super) fn refused(
        self,
        replica: u32,
        request: u64,
        verb: Verb,
        before: Option<&Arc<Snapshot>>,
        failure: Failure,
    ) -> Self {
        let by = Actor::Replica { replica, life: 0 };
        let (request, before, reply) = (Some(request), before.cloned(), Reply::Failed(failure));
        let object = self.object();
        self.says(What::Applied { by, request, verb, before, reply, object })
    }

    pub(super) fn edited(self, before: &Arc<Snapshot>, after: &Arc<Snapshot>) -> Self {
        let (by, before, reply) = (Actor::Outsider, Some(before.clone()), Reply::Is(after.clone()));
        let (request, verb, object) = (None, Verb::Edit, self.object());
        self.says(What::Applied { by, request, verb, before, reply, object })
    }

    pub(super) fn deleted(self, before: &Arc<Snapshot>) -> Self {
        let (by, before) = (Actor::Outsider, Some(before.clone()));
        let (request, verb, object) = (None, Verb::Delete, self.object());
        self.says(What::Applied { by, request, verb, before, reply: Reply::Gone, object })
    }

    pub(super) fn answered(self, replica: u32, request: u64, reply: Reply, late: bool) -> Self {
        self.says(What::Answered { replica, request, reply, late })
    }

    pub(super) fn given_up(self, replica: u32, request: u64) -> Self {
        self.says(What::GivenUp { replica, request })
    }

    pub(super) fn watched(self, replica: u32, version: u64) -> Self {
        let (version, object) = (Some(version), self.object());
        self.says(What::Watched { replica, version, object })
    }

    pub(super) fn preempted(self, replica: u32) -> Self {
        self.says(What::StoppedLeading { replica, cause: Cause::Preempted, led: true })
    }

    pub(super) fn fault(self, fault: u32, replicas: &[u32], kind: Fault) -> Self {
        let (replicas, kind) = (replicas.to_vec(), Arc::new(kind));
        self.says(What::Fault { fault, replicas, kind })
    }

    pub(super) fn horizon(self) -> Self {
        self.says(What::Horizon)
    }
}

/// The lock: `holder acquired/renewed transitions`, times in seconds.
pub(super) fn lock(
    version: u64,
    holder: &str,
    acquired: i64,
    renewed: i64,
    leader_transitions: i64,
) -> Arc<Snapshot> {
    let record = Record {
        holder: holder.to_owned().into(),
        lease_duration_seconds: if holder.is_empty() { 1 } else { 15 },
        acquire_time: Timestamp::from_unix(acquired, 0),
        renew_time: Timestamp::from_unix(renewed, 0),
        leader_transitions,
        ..Record::default()
    };
    Arc::new(Snapshot { version, uid: 1, record, unreadable: false })
}

/// The same lock as another object.
pub(super) fn with_uid(lock: &Arc<Snapshot>, uid: u64) -> Arc<Snapshot> {
    Arc::new(Snapshot { uid, ..(**lock).clone() })
}

/// What was found, in short.
pub(super) fn found(violations: &[Violation]) -> Vec<String> {
    let short = |v: &Violation| format!("{}/{} at {} of {:?}", v.check, v.rule, v.at, v.replicas);
    violations.iter().map(short).collect()
}
