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
        let result = answer.as_ref().map(read).map_err(|failure| *failure);
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

fn read(answer: &Answer) -> sharding::Answer {
    match answer {
        Answer::Stored(stored) => sharding::Answer::Written { version: version(stored) },
        Answer::Deleted => sharding::Answer::Deleted,
        Answer::List(leases, version) => {
            let members = leases.iter().filter_map(member).collect();
            sharding::Answer::Listed { members, version: *version }
        }
    }
}

fn member(stored: &Stored) -> Option<StoredMember> {
    let Object::Lease(lease) = &stored.object else { return None };
    let record = MemberRecord::from_lease(lease, GROUP);
    // One that cannot be read counts all the same.
    let record = record.or_else(|error| error.instead().ok_or(error)).ok()?;
    Some(StoredMember { record: Arc::new(record), version: version(stored) })
}

fn version(stored: &Stored) -> u64 {
    stored.version.as_ordered().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use tenure::sharding::Slot;
    use tenure::time::Timestamp;

    const TERMS: Terms = Terms {
        lease: Duration::from_secs(15),
        retry: Duration::from_secs(2),
        deadline: Duration::from_secs(10),
        timeout: Duration::from_secs(5),
    };

    fn at(secs: u64) -> Now {
        let instant = Instant::from_nanos(secs * 1_000_000_000);
        Now { instant, timestamp: Timestamp::from_unix_nanos(instant.as_nanos().into()) }
    }

    fn member() -> Membership {
        let config = config("b", "1-0".to_owned(), TERMS);
        let none = SlotSet::none(config.slots);
        let mut member = Membership::new(Sharder::new(config, 1, at(0).instant).unwrap(), none);
        member.handle_timeout(at(0));
        member
    }

    /// Answers all calls as a store does that has nobody else.
    fn serve(member: &mut Membership, now: Now, stored: &mut Vec<Stored>, version: &mut u64) {
        while let Some((id, call)) = member.poll_call() {
            let answer = match call {
                Call::Create(object) | Call::Update { object, .. } => {
                    *version += 1;
                    let version = tenure::lock::Version::ordered(*version);
                    *stored = vec![Stored { object, version }];
                    Answer::Stored(stored[0].clone())
                }
                _ => Answer::List(stored.clone(), *version),
            };
            member.handle_answer(now, id, &Ok(answer));
        }
    }

    #[test]
    fn slots_are_given_away_when_work_on_them_has_ended() {
        let (mut member, mut stored, mut version) = (member(), Vec::new(), 7);
        serve(&mut member, at(0), &mut stored, &mut version);
        let all = member.sharder().owned(at(0).instant).unwrap().into_owned();
        assert_eq!(all, SlotSet::all(all.slots()));
        member.handle_timeout(at(60)); // it has lapsed
        let first: Slot = all.iter().next().unwrap();
        let mut busy = SlotSet::none(all.slots());
        busy.insert(first);
        member.busy_with(at(60), || busy.clone());
        serve(&mut member, at(60), &mut stored, &mut version);
        assert!(member.sharder().owned(at(60).instant).is_none());
        member.busy_with(at(61), || SlotSet::none(all.slots()));
        serve(&mut member, at(61), &mut stored, &mut version);
        member.handle_timeout(at(64));
        serve(&mut member, at(64), &mut stored, &mut version);
        assert!(member.sharder().owned(at(64).instant).is_some());
    }

    #[test]
    fn a_record_that_cannot_be_read_is_not_left_out() {
        let (mut member, mut stored, mut version) = (member(), Vec::new(), 7);
        serve(&mut member, at(0), &mut stored, &mut version);
        let states = |stored: &[Stored]| match read(&Answer::List(stored.to_vec(), 9)) {
            sharding::Answer::Listed { members, .. } => {
                members.iter().map(|member| member.record.state).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(states(&stored), [sharding::State::Active]);
        if let Object::Lease(lease) = &mut stored[0].object {
            Arc::make_mut(&mut lease.metadata).annotations.clear();
        }
        assert_eq!(states(&stored), [sharding::State::Unreadable]);
    }
}
