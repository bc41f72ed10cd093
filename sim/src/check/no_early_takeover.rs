//! Nobody takes a lease that has not expired.
//!
//! - rule `early`: a replica's update put another holder in the place of one whose record had stood
//!   for less than its duration, on the taker's clock at its fastest. The placeholder of a missing
//!   lock is a holder like others. A lock that was released is free, and what somebody else changed
//!   by hand may be taken as it stands.
//! - rule `after-deletion`: a replica created the lock in its own name although another's was
//!   deleted less than that one's duration ago.
//!
//! Where several objects carry the lock each is looked at by itself, and a taker with two is judged by
//! the first, whose compare-and-swap decides: the second only follows. What nobody can read names no
//! holder, and whoever replaces it takes it from nobody.

use tenure::lock::{Identity, Kind, Record};

use super::replicas::{Names, Objects, RIGHT_RATE, Table, real_time, seconds};
use super::{Check, Violation};
use crate::scenario::{Lock, Scenario};
use crate::time::{SimTime, Span};
use crate::trace::{Actor, Entry, Reply, Snapshot, Verb, What};

/// The holder of a lock that was created because it was missing.
pub(super) const UNCLAIMED: &str = "tenure.dev/unclaimed";

/// Nobody takes a lease that has not expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoEarlyTakeover {
    names: Names,
    clocks: Table<Fastest>,
    /// The objects of each replica's lock.
    locks: Table<Lock>,
    objects: Objects<Object>,
}

/// One object of the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    /// When the version that stands now took effect; `None` if somebody wrote it by hand.
    written: Option<SimTime>,
    deleted: Option<Deleted>,
}

impl Default for Object {
    fn default() -> Self {
        Self { written: Some(SimTime::ZERO), deleted: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fastest(u64);

impl Default for Fastest {
    fn default() -> Self {
        Self(RIGHT_RATE)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Deleted {
    at: SimTime,
    /// When the record that was deleted took effect, if a replica wrote it.
    written: SimTime,
    holder: Identity,
    lasts: Span,
}

impl NoEarlyTakeover {
    /// For runs of `scenario`.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let mut clocks: Table<Fastest> = Table::new(scenario);
        for (clock, replica) in clocks.iter_mut().zip(&scenario.replicas) {
            clock.0 = replica.rate_ppb.unwrap_or(RIGHT_RATE);
        }
        let (names, locks) = (Names::new(scenario), Table::new(scenario));
        Self { names, clocks, locks, objects: Objects::default() }
    }

    fn taken(
        &mut self,
        entry: &Entry,
        replica: u32,
        object: Kind,
        before: &Snapshot,
        after: &Snapshot,
    ) -> Option<Violation> {
        let (old, new) = (&before.record.holder, &after.record.holder);
        let follows = self.locks.of(replica).primary() != object;
        if old.is_empty() || new.is_empty() || old == new || follows {
            return None;
        }
        let stood = entry.at.saturating_since(self.objects.of(object).written?);
        let lasts = lasts(&before.record);
        let owed = real_time(lasts, self.clocks.of(replica).0);
        // The clock shows whole nanoseconds: two of its readings can differ by one more than it ran.
        if stood + Span::from_nanos(2) >= owed {
            return None;
        }
        let what = format!(
            "taken early: {} took the lock of {old} at {}, {} after the last write; it lasts {} \
             ({} on the fastest of the taker's clock)",
            self.names.of(replica),
            entry.at,
            seconds(stood),
            seconds(lasts),
            seconds(owed),
        );
        Some(violation(entry, replica, "early", what))
    }

    fn created(
        &mut self,
        entry: &Entry,
        replica: u32,
        object: Kind,
        after: &Snapshot,
    ) -> Option<Violation> {
        let deleted = self.objects.of(object).deleted.take()?;
        if self.locks.of(replica).primary() != object {
            return None;
        }
        let new = &after.record.holder;
        if new.as_str() == UNCLAIMED || *new == deleted.holder {
            return None;
        }
        let stood = entry.at.saturating_since(deleted.written);
        let owed = real_time(deleted.lasts, self.clocks.of(replica).0);
        if stood + Span::from_nanos(2) >= owed {
            return None;
        }
        let what = format!(
            "taken early: {} created the lock in its name at {}, {} after that of {} was deleted and \
             {} after its last write; it lasts {}",
            self.names.of(replica),
            entry.at,
            seconds(entry.at.saturating_since(deleted.at)),
            deleted.holder,
            seconds(stood),
            seconds(deleted.lasts),
        );
        Some(violation(entry, replica, "after-deletion", what))
    }
}

fn lasts(record: &Record) -> Span {
    Span::from_secs(u64::try_from(record.lease_duration_seconds).unwrap_or(0))
}

fn violation(entry: &Entry, replica: u32, rule: &str, what: String) -> Violation {
    let (check, rule) = ("no-early-takeover".to_owned(), rule.to_owned());
    Violation { check, rule, at: entry.at, seq: entry.seq, replicas: vec![replica], what }
}

impl Check for NoEarlyTakeover {
    fn name(&self) -> &'static str {
        "no-early-takeover"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        match &entry.what {
            What::Started { replica, rate_ppb, lock, .. } => {
                *self.locks.of(*replica) = *lock;
                let fastest = &mut self.clocks.of(*replica).0;
                *fastest = (*fastest).max(*rate_ppb);
            }
            What::Clock { replica, rate_ppb } => {
                let fastest = &mut self.clocks.of(*replica).0;
                *fastest = (*fastest).max(*rate_ppb);
            }
            What::Applied {
                by, verb: Verb::Update, before: Some(before), reply, object, ..
            } => {
                let Some(after) = reply.snapshot() else { return };
                if let Actor::Replica { replica, .. } = *by {
                    found.extend(self.taken(entry, replica, *object, before, after));
                }
                // A write that changes nothing may keep the version; then nothing was written.
                if after.version != before.version {
                    self.objects.of(*object).written = Some(entry.at);
                }
            }
            What::Applied { by, verb: Verb::Create, reply: Reply::Is(after), object, .. } => {
                if let Actor::Replica { replica, .. } = *by {
                    found.extend(self.created(entry, replica, *object, after));
                }
                *self.objects.of(*object) = Object { written: Some(entry.at), deleted: None };
            }
            // A label touched by somebody does not renew the lease.
            What::Applied { verb: Verb::Edit, before, reply: Reply::Is(after), object, .. }
                if before.as_ref().is_none_or(|before| before.record != after.record) =>
            {
                self.objects.of(*object).written = None;
            }
            What::Applied {
                verb: Verb::Delete,
                before: Some(before),
                reply: Reply::Gone,
                object,
                ..
            } => {
                let record = &before.record;
                let held = !record.holder.is_empty() && record.holder.as_str() != UNCLAIMED;
                let object = self.objects.of(*object);
                object.deleted = object.written.filter(|_| held).map(|written| Deleted {
                    at: entry.at,
                    written,
                    holder: record.holder.clone(),
                    lasts: lasts(record),
                });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, found, lock};
    use super::*;

    fn check(story: &Story) -> Vec<String> {
        found(&story.check(&mut NoEarlyTakeover::new(&Scenario::default())))
    }

    /// r0 leads and renews at 5 s; r1 takes the lock at `at`.
    fn takeover(rate_ppb: u64, at: &str) -> Story {
        let (first, renewed, taken) =
            (lock(1, "r0", 0, 0, 0), lock(2, "r0", 0, 5, 0), lock(3, "r1", 20, 20, 1));
        Story::new()
            .says(What::Clock { replica: 1, rate_ppb })
            .applied(0, 1, Verb::Create, None, &first)
            .at("5s")
            .applied(0, 2, Verb::Update, Some(&first), &renewed)
            .at(at)
            .applied(1, 9, Verb::Update, Some(&renewed), &taken)
    }

    #[test]
    fn a_takeover_waits_for_the_recorded_duration() {
        assert_eq!(check(&takeover(RIGHT_RATE, "20s")), [""; 0]);
        assert_eq!(
            check(&takeover(RIGHT_RATE, "19.9s")),
            ["no-early-takeover/early at 19.900s of [1]"]
        );
    }

    #[test]
    fn a_fast_clock_may_take_it_sooner() {
        assert_eq!(check(&takeover(1_200_000_000, "17.5s")), [""; 0]);
        assert_eq!(
            check(&takeover(1_200_000_000, "17.4s")),
            ["no-early-takeover/early at 17.400s of [1]"]
        );
    }

    #[test]
    fn what_was_released_or_edited_is_free() {
        let (first, free, taken) =
            (lock(1, "r0", 0, 0, 0), lock(2, "", 1, 1, 0), lock(3, "r1", 2, 2, 1));
        let released = Story::new()
            .applied(0, 1, Verb::Create, None, &first)
            .applied(0, 2, Verb::Update, Some(&first), &free)
            .applied(1, 3, Verb::Update, Some(&free), &taken);
        assert_eq!(check(&released), [""; 0]);
        let given = lock(2, "nobody", 0, 0, 0);
        let edited = Story::new()
            .applied(0, 1, Verb::Create, None, &first)
            .edited(&first, &given)
            .applied(1, 3, Verb::Update, Some(&given), &taken);
        assert_eq!(check(&edited), [""; 0]);
        let touched = lock(2, "r0", 0, 0, 0);
        let label = Story::new()
            .applied(0, 1, Verb::Create, None, &first)
            .edited(&first, &touched)
            .at("14s")
            .applied(1, 3, Verb::Update, Some(&touched), &taken);
        assert_eq!(check(&label), ["no-early-takeover/early at 14.000s of [1]"]);
    }

    #[test]
    fn a_deleted_lock_is_not_free() {
        let first = lock(1, "r0", 0, 0, 0);
        let story = |at, holder| {
            let anew = lock(3, holder, 5, 5, 0);
            Story::new()
                .applied(0, 1, Verb::Create, None, &first)
                .at("5s")
                .deleted(&first)
                .at(at)
                .applied(1, 3, Verb::Create, None, &anew)
        };
        assert_eq!(
            check(&story("6s", "r1")),
            ["no-early-takeover/after-deletion at 6.000s of [1]"]
        );
        assert_eq!(check(&story("6s", UNCLAIMED)), [""; 0]);
        assert_eq!(check(&story("6s", "r0")), [""; 0]);
        assert_eq!(check(&story("15s", "r1")), [""; 0]);
    }

    #[test]
    fn a_placeholder_is_waited_for_like_any_other() {
        let (placeholder, taken) = (lock(1, UNCLAIMED, 0, 0, 0), lock(2, "r1", 9, 9, 1));
        let story = |at| {
            Story::new().applied(0, 1, Verb::Create, None, &placeholder).at(at).applied(
                1,
                3,
                Verb::Update,
                Some(&placeholder),
                &taken,
            )
        };
        assert_eq!(check(&story("15s")), [""; 0]);
        assert_eq!(check(&story("14s")), ["no-early-takeover/early at 14.000s of [1]"]);
    }

    #[test]
    fn objects_are_apart_and_the_first_of_two_decides() {
        let (first, taken) = (lock(1, "r0", 0, 0, 0), lock(2, "r1", 9, 9, 1));
        let story = |lock, at| {
            Story::new()
                .started_on(1, 0, "strict", "r1", lock, None)
                .about(Kind::ConfigMap)
                .applied(0, 1, Verb::Create, None, &first)
                .about(Kind::Lease)
                .at("10s")
                .applied(0, 2, Verb::Create, None, &first)
                .at(at)
                .applied(1, 3, Verb::Update, Some(&first), &taken)
        };
        assert_eq!(check(&story(Lock::Lease, "25s")), [""; 0]);
        let early = ["no-early-takeover/early at 24.000s of [1]"];
        assert_eq!(check(&story(Lock::Lease, "24s")), early);
        assert_eq!(check(&story(Lock::ConfigMapAndLease, "24s")), [""; 0]);
        let map = story(Lock::ConfigMapAndLease, "14s").about(Kind::ConfigMap);
        let map = map.applied(1, 4, Verb::Update, Some(&first), &taken);
        assert_eq!(check(&map), ["no-early-takeover/early at 14.000s of [1]"]);
    }
}
