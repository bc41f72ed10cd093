//! Sharding as one writes it first: each replica keeps a Lease, lists all Leases, and trusts what it
//! sees. There is no protocol: two replicas that see different members may own one object, or none.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tenure::election::{Failure, Stored};
use tenure::lock::lease::{Entries, Lease, LeaseSpec, Metadata};
use tenure::lock::{Identity, Object};
use tenure::time::{Instant, Now};

use crate::store::{Answer, Call};

/// The label that a group's Leases carry.
const LABEL: (&str, &str) = ("tenure.dev/group", "experiment");

/// How a member keeps its Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// A member counts while its Lease's version has changed within this.
    pub(super) lease: Duration,
    /// Renewals and lists are due once in this.
    pub(super) retry: Duration,
    /// How long authority lasts after what succeeded last; the naive way has none such.
    pub(super) deadline: Duration,
    /// How long a call is waited for.
    pub(super) timeout: Duration,
}

/// One replica's membership.
#[derive(Debug, Clone)]
pub(super) struct Membership {
    name: Arc<str>,
    terms: Terms,
    /// The version that each Lease was seen at, and since when.
    seen: BTreeMap<Arc<str>, (u64, Instant)>,
    /// The own Lease, if it was seen.
    own: Option<(Object, u64)>,
    renewing: Outstanding,
    listing: Outstanding,
    /// A list has been answered: whether there is an own Lease is known.
    informed: bool,
    next: Instant,
    calls: u64,
    out: VecDeque<(u64, Call)>,
}

/// A call that is waited for: its id, and until when.
type Outstanding = Option<(u64, Instant)>;

impl Membership {
    /// A member that is about to make its first call.
    pub(super) fn new(name: Arc<str>, terms: Terms, now: Instant) -> Self {
        Self {
            name,
            terms,
            seen: BTreeMap::new(),
            own: None,
            renewing: None,
            listing: None,
            informed: false,
            next: now,
            calls: 0,
            out: VecDeque::new(),
        }
    }

    /// The members that count now, by name.
    pub(super) fn live(&self, now: Instant) -> impl Iterator<Item = &str> {
        let lease = self.terms.lease;
        let fresh = move |(_, since): &(u64, Instant)| now.saturating_since(*since) < lease;
        self.seen.iter().filter(move |(_, seen)| fresh(seen)).map(|(name, _)| &**name)
    }

    pub(super) fn handle_timeout(&mut self, now: Now) {
        for outstanding in [&mut self.renewing, &mut self.listing] {
            *outstanding = outstanding.filter(|(_, until)| *until > now.instant);
        }
        if self.next > now.instant {
            return;
        }
        self.next = now.instant + self.terms.retry;
        if self.informed {
            self.renew(now);
        }
        if self.listing.is_none() {
            let label = Some((LABEL.0.into(), LABEL.1.into()));
            self.listing = Some(self.call(now, Call::List { label }));
        }
    }

    pub(super) fn handle_answer(&mut self, now: Now, id: u64, answer: &Result<Answer, Failure>) {
        if self.listing.is_some_and(|(listing, _)| listing == id) {
            self.listing = None;
            if let Ok(Answer::List(leases, _)) = answer {
                self.saw(now.instant, leases);
                if !self.informed {
                    self.informed = true;
                    self.renew(now); // it joins at once
                }
            }
        } else if self.renewing.is_some_and(|(renewing, _)| renewing == id) {
            self.renewing = None;
            // After a failure the next list tells what the own Lease is now.
            self.own = match answer {
                Ok(Answer::Stored(stored)) => Some(own(stored)),
                _ => None,
            };
        }
    }

    pub(super) fn poll_call(&mut self) -> Option<(u64, Call)> {
        self.out.pop_front()
    }

    /// When a call is due or a member ceases to count.
    pub(super) fn poll_timeout(&self, now: Instant) -> Instant {
        let lapses = self.seen.values().map(|(_, since)| *since + self.terms.lease);
        lapses.filter(|lapse| *lapse > now).fold(self.next, Instant::min)
    }

    fn saw(&mut self, now: Instant, leases: &[Stored]) {
        let mut seen = BTreeMap::new();
        self.own = None;
        for stored in leases {
            let Object::Lease(lease) = &stored.object else { continue };
            let (name, version) = (&lease.metadata.name, version(stored));
            let before = self.seen.get(name).filter(|(before, _)| *before == version);
            seen.insert(Arc::clone(name), before.copied().unwrap_or((version, now)));
            if *name == self.name {
                self.own = Some(own(stored));
            }
        }
        self.seen = seen;
    }

    /// Writes the own Lease, unless a write is under way.
    fn renew(&mut self, now: Now) {
        if self.renewing.is_some() {
            return;
        }
        let renew_time = Some(now.timestamp);
        let call = match self.own.take() {
            Some((Object::Lease(mut lease), version)) => {
                lease.spec.renew_time = renew_time;
                Call::Update { object: Object::Lease(lease), version }
            }
            Some(_) => return,                                    // not mine
            None if self.seen.contains_key(&self.name) => return, // what it is now, a list will tell
            None => Call::Create(Object::Lease(self.lease(now))),
        };
        self.renewing = Some(self.call(now, call));
    }

    fn lease(&self, now: Now) -> Lease {
        let label = (Arc::from(LABEL.0), Arc::from(LABEL.1));
        let metadata = Metadata {
            namespace: "default".into(),
            name: Arc::clone(&self.name),
            labels: Entries::from([label]),
            ..Metadata::default()
        };
        let spec = LeaseSpec {
            holder_identity: Some(Identity::from(Arc::clone(&self.name))),
            lease_duration_seconds: i32::try_from(self.terms.lease.as_secs()).ok(),
            acquire_time: Some(now.timestamp),
            renew_time: Some(now.timestamp),
            ..LeaseSpec::default()
        };
        Lease { metadata: metadata.into(), spec }
    }

    fn call(&mut self, now: Now, call: Call) -> (u64, Instant) {
        self.calls += 1;
        self.out.push_back((self.calls, call));
        (self.calls, now.instant + self.terms.timeout)
    }
}

fn version(stored: &Stored) -> u64 {
    stored.version.as_ordered().unwrap_or(0)
}

fn own(stored: &Stored) -> (Object, u64) {
    (stored.object.clone(), version(stored))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure::lock::Version;
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

    fn calls(member: &mut Membership) -> Vec<(u64, Call)> {
        core::iter::from_fn(|| member.poll_call()).collect()
    }

    fn list(leases: &[(&str, u64)]) -> Vec<Stored> {
        let stored = |&(name, version): &(&str, u64)| {
            let metadata = Metadata { name: name.into(), ..Metadata::default() };
            let object = Object::Lease(Lease { metadata: metadata.into(), ..Lease::default() });
            Stored { object, version: Version::ordered(version) }
        };
        leases.iter().map(stored).collect()
    }

    #[test]
    fn it_lists_then_joins_then_renews_and_lists_each_period() {
        let mut member = Membership::new("b".into(), TERMS, at(0).instant);
        member.handle_timeout(at(0));
        let first = calls(&mut member);
        assert!(matches!(first[..], [(1, Call::List { .. })]));
        member.handle_answer(at(1), 1, &Ok(Answer::List(list(&[("a", 5)]), 9)));
        assert!(matches!(calls(&mut member)[..], [(2, Call::Create(_))]));
        assert!(member.live(at(1).instant).eq(["a"]));
        assert_eq!(member.poll_timeout(at(1).instant), at(2).instant);
        let leases = list(&[("b", 6)]);
        member.handle_answer(at(1), 2, &Ok(Answer::Stored(leases[0].clone())));
        member.handle_timeout(at(2));
        let later = calls(&mut member);
        assert!(matches!(
            later[..],
            [(3, Call::Update { version: 6, .. }), (4, Call::List { .. })]
        ));
    }

    #[test]
    fn whoever_has_not_changed_for_a_lease_does_not_count_itself_included() {
        let mut member = Membership::new("b".into(), TERMS, at(0).instant);
        member.handle_timeout(at(0));
        member.handle_answer(at(1), 1, &Ok(Answer::List(list(&[("a", 5), ("b", 6)]), 9)));
        member.handle_timeout(at(2));
        member.handle_answer(at(3), 3, &Ok(Answer::List(list(&[("a", 5), ("b", 7)]), 9)));
        assert!(member.live(at(15).instant).eq(["a", "b"]));
        assert!(member.live(at(16).instant).eq(["b"]));
        assert_eq!(member.live(at(18).instant).count(), 0);
    }

    #[test]
    fn after_a_conflict_it_waits_for_a_list() {
        let mut member = Membership::new("b".into(), TERMS, at(0).instant);
        member.handle_timeout(at(0));
        member.handle_answer(at(1), 1, &Ok(Answer::List(list(&[("b", 6)]), 9)));
        assert!(matches!(calls(&mut member)[..], [_, (2, Call::Update { .. })]));
        member.handle_answer(at(1), 2, &Err(Failure::Conflict));
        member.handle_timeout(at(2));
        assert!(matches!(calls(&mut member)[..], [(3, Call::List { .. })]));
    }
}
