//! Each write obeys its version: what the store itself must do.
//!
//! - rule `stale-write`: an update took effect over another version than the one it was sent for.
//! - rule `not-increasing`: a write got a version that is not greater than all before it. (A write
//!   that changes nothing may keep its version.)
//! - rule `not-current`: a read, or what a write found, was not the latest version; while API servers
//!   lag behind by a fault a read may be of an earlier one.
//! - rule `same-uid`: a lock that was deleted and made anew has the uid of an earlier one; or an
//!   update changed the uid.
//! - rule `over-existing`: a create took effect over a lock that was there.
//! - rule `stored-otherwise`: what was stored is not what was sent.
//!
//! Where several objects carry the lock each is looked at by itself; the counter of versions, and the
//! uids, are the store's and one for all.

use std::collections::VecDeque;

use tenure::election::Failure;
use tenure::lock::{Kind, Record};

use super::replicas::{Names, Objects, Table};
use super::{Check, Violation};
use crate::fault::Fault;
use crate::scenario::Scenario;
use crate::trace::{Actor, Entry, Reply, Snapshot, Verb, What};

/// How many of a replica's last writes are remembered: many more than can be under way.
const REMEMBERED: usize = 32;

/// Each write obeys its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    names: Names,
    writers: Table<Writer>,
    objects: Objects<Object>,
    greatest: u64,
    uids: Vec<u64>,
    /// Faults by which API servers lag behind.
    lags: Vec<u32>,
}

/// One object of the lock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Object {
    /// Version and uid as they stand.
    current: Option<(u64, u64)>,
    /// `current` is known: something was seen.
    known: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Writer {
    life: u32,
    sent: VecDeque<Sent>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    life: u32,
    request: u64,
    version: Option<u64>,
    record: Option<Record>,
}

impl Versions {
    /// For runs of `scenario`.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            names: Names::new(scenario),
            writers: Table::new(scenario),
            objects: Objects::default(),
            greatest: 0,
            uids: Vec::new(),
            lags: Vec::new(),
        }
    }

    fn sent(&mut self, replica: u32, request: u64, version: Option<u64>, record: Option<&Record>) {
        let writer = self.writers.of(replica);
        if writer.sent.len() == REMEMBERED {
            writer.sent.pop_front();
        }
        let record = record.cloned();
        writer.sent.push_back(Sent { life: writer.life, request, version, record });
    }

    fn applied(&mut self, applied: &Applied<'_>, mut wrong: impl FnMut(&'static str, String)) {
        let before = applied.before.map(|before| (before.version, before.uid));
        let object = self.objects.of(applied.object);
        let current = if object.known { object.current } else { before };
        (object.known, object.current) = (true, current);
        if before != current {
            let text = format!("found {}, not {}", version(before), version(current));
            wrong("not-current", text);
        }
        let after = match applied.reply {
            Reply::Is(after) => after,
            Reply::Gone => {
                object.current = None;
                return;
            }
            Reply::Failed(failure) => {
                let misses = applied.verb == Verb::Get && *failure == Failure::NotFound;
                if misses && before.is_some() && self.lags.is_empty() {
                    wrong("not-current", format!("found no lock, not {}", version(before)));
                }
                return;
            }
        };
        let stored = Some((after.version, after.uid));
        if applied.verb == Verb::Get {
            let latest = self.greatest.max(before.map_or(0, |it| it.0));
            let is_old = stored.is_some_and(|(version, _)| version <= latest);
            if stored != before && (self.lags.is_empty() || !is_old) {
                wrong("not-current", format!("read {}, not {}", version(stored), version(before)));
            }
            return;
        }
        if let Actor::Replica { replica, life } = applied.by {
            self.obeys(replica, life, applied, after, &mut wrong);
        }
        self.stored(applied, after, wrong);
        self.objects.of(applied.object).current = stored;
    }

    /// Whether a write is what its replica sent, over the version for which it was sent.
    fn obeys(
        &mut self,
        replica: u32,
        life: u32,
        applied: &Applied<'_>,
        after: &Snapshot,
        wrong: &mut impl FnMut(&'static str, String),
    ) {
        let writer = self.writers.of(replica);
        let is_it = |sent: &&Sent| sent.life == life && Some(sent.request) == applied.request;
        let Some(sent) = writer.sent.iter().rev().find(is_it) else { return };
        let over = applied.before.map(|before| before.version);
        if applied.verb == Verb::Update && sent.version != over {
            let (over, meant) = (number(over), number(sent.version));
            wrong("stale-write", format!("wrote over {over} a write meant for {meant}"));
        }
        if let Some(record) = &sent.record
            && (record.holder != after.record.holder
                || record.leader_transitions != after.record.leader_transitions
                || record.lease_duration_seconds != after.record.lease_duration_seconds)
        {
            wrong("stored-otherwise", "had something else stored than it sent".to_owned());
        }
    }

    fn stored(
        &mut self,
        applied: &Applied<'_>,
        after: &Snapshot,
        mut wrong: impl FnMut(&'static str, String),
    ) {
        let kept = applied.before.is_some_and(|before| *before == *after);
        if after.version <= self.greatest.max(applied.before.map_or(0, |it| it.version)) && !kept {
            let text = format!("got version {} after {}", after.version, self.greatest);
            wrong("not-increasing", text);
        }
        self.greatest = self.greatest.max(after.version);
        match applied.before {
            Some(_) if applied.verb == Verb::Create => {
                wrong("over-existing", "created a lock over the one that was there".to_owned());
            }
            Some(before) if before.uid != after.uid => {
                wrong("same-uid", format!("changed the uid {} to {}", before.uid, after.uid));
            }
            None if self.uids.contains(&after.uid) => {
                wrong("same-uid", format!("made a lock with the uid {} of an old one", after.uid));
            }
            _ => {}
        }
        if !self.uids.contains(&after.uid) {
            self.uids.push(after.uid);
        }
    }
}

/// What the store did with one request.
struct Applied<'a> {
    by: Actor,
    request: Option<u64>,
    verb: Verb,
    before: Option<&'a Snapshot>,
    reply: &'a Reply,
    object: Kind,
}

fn version(of: Option<(u64, u64)>) -> String {
    of.map_or_else(|| "no lock".to_owned(), |(version, uid)| format!("version {version} of {uid}"))
}

fn number(version: Option<u64>) -> String {
    version.map_or_else(|| "no version".to_owned(), |version| format!("version {version}"))
}

impl Check for Versions {
    fn name(&self) -> &'static str {
        "versions"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        match &entry.what {
            What::Started { replica, life, .. } => self.writers.of(*replica).life = *life,
            What::Sent {
                replica,
                request,
                verb: Verb::Update | Verb::Create,
                version,
                record,
                ..
            } => {
                self.sent(*replica, *request, *version, record.as_ref());
            }
            What::Applied { by, request, verb, before, reply, object } => {
                let before = before.as_deref();
                let (by, request, verb, object) = (*by, *request, *verb, *object);
                let names = self.names.clone();
                let applied = Applied { by, request, verb, before, reply, object };
                self.applied(&applied, |rule, did| {
                    let (name, replicas) = match by {
                        Actor::Replica { replica, .. } => (names.of(replica), vec![replica]),
                        Actor::Outsider => ("an outsider".into(), Vec::new()),
                    };
                    found.push(Violation {
                        check: "versions".to_owned(),
                        rule: rule.to_owned(),
                        at: entry.at,
                        seq: entry.seq,
                        replicas,
                        what: format!("versions: {name} {did}, at {}", entry.at),
                    });
                });
            }
            What::Fault { fault, kind, .. } if matches!(**kind, Fault::StaleReads { .. }) => {
                self.lags.push(*fault);
            }
            What::FaultEnded { fault } => self.lags.retain(|other| other != fault),
            What::Healed => self.lags.clear(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, lock, with_uid};
    use super::*;

    fn check(story: &Story) -> Vec<String> {
        let violations = story.check(&mut Versions::new(&Scenario::default()));
        violations.into_iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn writes_in_order_obey() {
        let (a, b, c) = (lock(1, "r0", 0, 0, 0), lock(2, "r0", 0, 2, 0), lock(5, "r1", 0, 2, 1));
        let story = Story::new()
            .refused(0, 0, Verb::Get, None, Failure::NotFound)
            .sent(0, 1, Verb::Create, None)
            .applied(0, 1, Verb::Create, None, &a)
            .applied(1, 0, Verb::Get, Some(&a), &a)
            .sent(0, 2, Verb::Update, Some(1))
            .applied(0, 2, Verb::Update, Some(&a), &b)
            .refused(1, 3, Verb::Update, Some(&b), Failure::Conflict)
            .applied(1, 4, Verb::Update, Some(&b), &b)
            .deleted(&b)
            .applied(1, 5, Verb::Create, None, &with_uid(&c, 2));
        assert_eq!(check(&story), [""; 0]);
    }

    #[test]
    fn an_old_version_may_be_read_while_api_servers_lag_behind() {
        let (a, b, c) = (lock(1, "r0", 0, 0, 0), lock(2, "r0", 0, 2, 0), lock(3, "r1", 0, 2, 1));
        let lag = Fault::StaleReads { api: None, behind: None };
        let story = Story::new()
            .applied(0, 1, Verb::Create, None, &a)
            .applied(0, 2, Verb::Update, Some(&a), &b)
            .fault(0, &[], lag)
            .applied(1, 1, Verb::Get, Some(&b), &a)
            .refused(1, 2, Verb::Get, Some(&b), Failure::NotFound);
        assert_eq!(check(&story), [""; 0]);
        assert_eq!(check(&story.clone().applied(1, 3, Verb::Get, Some(&b), &c)), ["not-current"]);
        assert_eq!(check(&story.clone().deleted(&b).applied(1, 3, Verb::Get, None, &b)), [""; 0]);
        let over = story.says(What::FaultEnded { fault: 0 });
        assert_eq!(check(&over.applied(1, 3, Verb::Get, Some(&b), &a)), ["not-current"]);
    }

    #[test]
    fn each_rule_has_something_to_find() {
        let (a, b, c) = (lock(1, "r0", 0, 0, 0), lock(2, "r0", 0, 2, 0), lock(3, "r1", 0, 2, 1));
        let story = Story::new().applied(0, 1, Verb::Create, None, &a);
        let cases: [(&str, Story); 8] = [
            (
                "stale-write",
                story
                    .clone()
                    .applied(0, 2, Verb::Update, Some(&a), &b)
                    .sent(1, 2, Verb::Update, Some(1))
                    .applied(1, 2, Verb::Update, Some(&b), &c),
            ),
            (
                "not-increasing",
                story.clone().applied(0, 2, Verb::Update, Some(&a), &lock(1, "r1", 0, 0, 0)),
            ),
            ("not-current", story.clone().applied(0, 2, Verb::Update, Some(&b), &c)),
            ("not-current", story.clone().applied(1, 2, Verb::Get, Some(&a), &b)),
            ("not-current", story.clone().refused(1, 2, Verb::Get, Some(&a), Failure::NotFound)),
            ("same-uid", story.clone().deleted(&a).applied(1, 2, Verb::Create, None, &b)),
            ("same-uid", story.clone().applied(0, 2, Verb::Update, Some(&a), &with_uid(&b, 9))),
            ("over-existing", story.applied(1, 2, Verb::Create, Some(&a), &b)),
        ];
        for (rule, story) in cases {
            assert_eq!(check(&story), [rule]);
        }
        let record = Some(a.record.clone());
        let (replica, request, verb, version) = (0, 1, Verb::Create, None);
        let other = Story::new()
            .says(What::Sent { replica, request, verb, record, version, object: Kind::Lease })
            .applied(0, 1, Verb::Create, None, &c);
        assert_eq!(check(&other), ["stored-otherwise"]);
    }

    #[test]
    fn objects_are_apart_but_for_the_counter() {
        let (lease, map) = (lock(1, "r0", 0, 0, 0), with_uid(&lock(2, "r0", 0, 0, 0), 2));
        let story = Story::new().applied(0, 1, Verb::Create, None, &lease);
        let both = story.clone().about(Kind::ConfigMap).applied(0, 2, Verb::Create, None, &map);
        assert_eq!(check(&both), [""; 0]);
        let again = both.about(Kind::Lease);
        assert_eq!(check(&again.applied(0, 3, Verb::Get, Some(&lease), &lease)), [""; 0]);
        let old = with_uid(&lock(1, "r0", 0, 0, 0), 2);
        let old = story.about(Kind::ConfigMap).applied(0, 2, Verb::Create, None, &old);
        assert_eq!(check(&old), ["not-increasing"]);
    }
}
