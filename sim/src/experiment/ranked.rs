//! Sharding by Tenure's own machine in mode `ranked`: its driver, with a Lease for each member.

use std::collections::BTreeMap;
use std::sync::Arc;

use tenure::election::{Failure, Stored};
use tenure::lock::Object;
use tenure::sharding::{
    self, Config, Event, GROUP_LABEL, KeyHash, MemberRecord, Op, RequestId, Response, Sharder,
    SlotSet, StoredMember,
};
use tenure::time::{Instant, Now};

use super::naive::Terms;
use crate::store::{Answer, Call};

const NAMESPACE: &str = "default";
const GROUP: &str = "experiment";

/// More calls than are ever waited for at once.
const CALLS: usize = 64;

/// How a member takes part; its name and incarnation are for the caller to put in.
pub(super) fn config(name: &str, incarnation: String, terms: Terms) -> Config {
    Config {
        lease_duration: terms.lease,
        renew_deadline: terms.deadline,
        retry_period: terms.retry,
        request_timeout: terms.timeout,
        hash: KeyHash::Xxh3, // that of the workload's keys
        ..Config::new(NAMESPACE, GROUP, name, incarnation)
    }
}

/// One replica's membership.
#[derive(Debug, Clone)]
pub(super) struct Membership {
    sharder: Sharder,
    calls: BTreeMap<u64, RequestId>,
    /// Slots on which work is to end, or has.
    ending: SlotSet,
}

impl Membership {
    pub(super) const fn new(sharder: Sharder, none: SlotSet) -> Self {
        Self { sharder, calls: BTreeMap::new(), ending: none }
    }

    pub(super) fn handle_timeout(&mut self, now: Now) {
        self.sharder.handle_timeout(now);
        self.take_events();
    }

    pub(super) fn handle_answer(&mut self, now: Now, id: u64, answer: &Result<Answer, Failure>) {
        let Some(id) = self.calls.remove(&id) else { return };
        let result = answer.as_ref().map_err(|failure| *failure).and_then(read);
        self.sharder.handle_response(now, Response { id, result });
        self.take_events();
    }

    /// Work goes on only on the slots that `busy` says.
    pub(super) fn busy_with(&mut self, now: Now, busy: impl FnOnce() -> SlotSet) {
        if self.ending.is_empty() {
            return;
        }
        let ended = self.ending.without(&busy());
        if !ended.is_empty() {
            self.ending.subtract(&ended);
            self.sharder.drained(now, &ended);
            self.take_events();
        }
    }

    pub(super) const fn sharder(&self) -> &Sharder {
        &self.sharder
    }

    pub(super) fn poll_call(&mut self) -> Option<(u64, Call)> {
        let request = self.sharder.poll_request()?;
        let id = request.id.as_u64();
        self.calls.insert(id, request.id);
        while self.calls.len() > CALLS {
            self.calls.pop_first(); // was never answered, and is not waited for any more
        }
        Some((id, call(request.op)))
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.sharder.poll_timeout()
    }

    fn take_events(&mut self) {
        while let Some(event) = self.sharder.poll_event() {
            if let Event::Revoking { slots, .. } | Event::Lapsed { slots, .. } = event {
                self.ending.add(&slots);
            }
        }
    }
}

fn call(op: Op) -> Call {
    match op {
        Op::Create(record) => Call::Create(lease(&record)),
        Op::Update(record, version) => Call::Update { object: lease(&record), version },
        Op::Delete(name, version) => {
            Call::Delete { name: format!("{GROUP}-{name}").into(), version: Some(version) }
        }
        // Nothing else is asked in this mode.
        _ => Call::List { label: Some((GROUP_LABEL.into(), GROUP.into())) },
    }
}

fn lease(record: &MemberRecord) -> Object {
    // The names are those of replicas, which Kubernetes allows.
    Object::Lease(record.to_lease(NAMESPACE, GROUP).unwrap_or_default())
}

fn read(answer: &Answer) -> Result<sharding::Answer, Failure> {
    Ok(match answer {
        Answer::Stored(stored) => sharding::Answer::Written { version: version(stored) },
        Answer::Deleted => sharding::Answer::Deleted,
        // One that cannot be read makes a failure of the whole list.
        Answer::List(leases, version) => {
            let members = leases.iter().map(member).collect::<Option<_>>();
            sharding::Answer::Listed { members: members.ok_or(Failure::Other)?, version: *version }
        }
    })
}

fn member(stored: &Stored) -> Option<StoredMember> {
    let Object::Lease(lease) = &stored.object else { return None };
    let record = MemberRecord::from_lease(lease).ok()?;
    Some(StoredMember { record: Arc::new(record), version: version(stored) })
}

fn version(stored: &Stored) -> u64 {
    stored.version.as_ordered().unwrap_or(0)
}
