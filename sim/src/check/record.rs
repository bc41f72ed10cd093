//! What replicas write changes as it should, and only its holder gives a lock up.
//!
//! - rule `transitions`: one more on each change of holder; the same on renewal, adoption and
//!   release; 0 in a lock created anew (under ClientGo the holder of a deleted lock creates it again
//!   with what it had counted).
//! - rule `acquire-time`: stays while the holder does. On a change of holder it is the time of the
//!   write (strict; ClientGo may keep one that it had copied before).
//! - rule `released-by-another`: the holder was emptied by somebody whom the record did not name.
//! - rule `foreign-holder`: somebody wrote a name that is not its own.
//! - rule `duration`: the duration of the writer's configuration rounded up to whole seconds (strict;
//!   ClientGo cuts it).
//!
//! What outsiders write is not judged, nor what leaves the record as it is (a wish to hold the lock).
//! Over what is no record only the name and the duration are judged; so it is where client-go with
//! two objects writes over its own name, since it may have found that the other names another.
//! Where several objects carry the lock each is looked at by itself; what a replica writes to the
//! second of its two is a copy of the first, so that its transitions and times are not judged by what
//! stood there.

use tenure::election::Profile;
use tenure::lock::{Identity, Record};

use super::no_early_takeover::UNCLAIMED;
use super::replicas::{Names, Table};
use super::{Check, Violation};
use crate::scenario::{Lock, Scenario};
use crate::time::Span;
use crate::trace::{Actor, Entry, Verb, What};

/// What replicas write changes as it should, and only its holder gives a lock up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRules {
    names: Names,
    writers: Table<Writer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Writer {
    /// By number: a write may take effect after its life.
    lives: Vec<Life>,
    /// As planned at the beginning.
    lease_duration: Span,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Life {
    /// The name under which it holds the lock.
    identity: Identity,
    strict: bool,
    lock: Lock,
    lease_duration: Span,
}

impl Life {
    fn seconds(&self) -> i64 {
        i64::try_from(self.lease_duration.as_nanos().div_ceil(1_000_000_000)).unwrap_or(i64::MAX)
    }
}

impl RecordRules {
    /// For runs of `scenario`.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let mut writers: Table<Writer> = Table::new(scenario);
        for (writer, replica) in writers.iter_mut().zip(&scenario.replicas) {
            writer.lease_duration = replica.lease_duration.unwrap_or(scenario.lease_duration);
        }
        Self { names: Names::new(scenario), writers }
    }
}

/// One write of a replica.
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact")]
struct Write<'a> {
    me: &'a Identity,
    strict: bool,
    seconds: i64,
    /// It writes the second of two objects, which follows the first.
    follows: bool,
    /// Its lock is two objects.
    several: bool,
    /// What stood there was no record.
    garbled: bool,
    before: Option<&'a Record>,
    after: &'a Record,
}

impl Write<'_> {
    /// The rules that it breaks, and what to say of it.
    fn judge(&self, mut wrong: impl FnMut(&'static str, String)) {
        let after = self.after;
        let holder = &after.holder;
        if !holder.is_empty() && self.strict && after.lease_duration_seconds != self.seconds {
            let (is, right) = (after.lease_duration_seconds, self.seconds);
            wrong("duration", format!("recorded a duration of {is} s, not {right} s"));
        }
        let Some(before) = self.before else {
            self.judge_created(wrong);
            return;
        };
        self.judge_holder(before, &mut wrong);
        // Objects that disagree name an unknown holder to client-go, from whom it takes what may be
        // its own.
        let unknown = self.several && !self.strict && before.holder == *self.me;
        if !self.follows && !self.garbled && !unknown {
            self.judge_history(before, wrong);
        }
    }

    fn judge_holder(&self, before: &Record, wrong: &mut impl FnMut(&'static str, String)) {
        let holder = &self.after.holder;
        if holder.is_empty() {
            if !before.holder.is_empty() && before.holder != *self.me {
                let whose = &before.holder;
                wrong("released-by-another", format!("released the lock of {whose}"));
            }
        } else if holder != self.me {
            wrong("foreign-holder", format!("wrote the name of {holder}, not its own"));
        }
    }

    fn judge_history(&self, before: &Record, mut wrong: impl FnMut(&'static str, String)) {
        let after = self.after;
        let (holder, count) = (&after.holder, after.leader_transitions);
        let expected = if holder.is_empty() || *holder == before.holder {
            before.leader_transitions
        } else {
            next(before.leader_transitions, self.strict)
        };
        if count != expected {
            let from = before.leader_transitions;
            let text = format!("counted transitions from {from} to {count}, not {expected}");
            wrong("transitions", text);
        }
        if *holder == before.holder {
            if after.acquire_time != before.acquire_time && !holder.is_empty() {
                wrong("acquire-time", "changed acquireTime without a change of holder".to_owned());
            }
        } else if self.strict && after.acquire_time != after.renew_time {
            wrong("acquire-time", "took the lock with an acquireTime of another time".to_owned());
        }
    }

    fn judge_created(&self, mut wrong: impl FnMut(&'static str, String)) {
        let (holder, count) = (&self.after.holder, self.after.leader_transitions);
        if holder != self.me && holder.as_str() != UNCLAIMED {
            wrong("foreign-holder", format!("created the lock for {holder}"));
        }
        if count != 0 && self.strict && !self.follows {
            wrong("transitions", format!("created the lock with {count} transitions, not 0"));
        }
    }
}

/// One more, as far as a Lease can hold it: client-go wraps, strict stays at the greatest.
#[expect(clippy::cast_possible_truncation, reason = "int32(x) in Go cuts the upper bits")]
fn next(transitions: i64, strict: bool) -> i64 {
    if strict {
        transitions.clamp(0, i64::from(i32::MAX) - 1) + 1
    } else {
        i64::from(transitions.wrapping_add(1) as i32)
    }
}

impl Check for RecordRules {
    fn name(&self) -> &'static str {
        "record"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        match &entry.what {
            What::Started { replica, life, identity, profile, lock, lease_duration, .. } => {
                let writer = self.writers.of(*replica);
                writer.lives.resize_with(*life as usize, Life::default);
                writer.lives.push(Life {
                    identity: identity.clone(),
                    strict: matches!(profile, Profile::Strict),
                    lock: *lock,
                    lease_duration: lease_duration.unwrap_or(writer.lease_duration),
                });
            }
            What::Applied {
                by: Actor::Replica { replica, life },
                verb: Verb::Create | Verb::Update,
                before,
                reply,
                object,
                ..
            } => {
                let Some(after) = reply.snapshot() else { return };
                if before.as_ref().is_some_and(|before| before.record == after.record) {
                    return;
                }
                let writer = self.writers.of(*replica);
                let Some(life) = writer.lives.get(*life as usize) else { return };
                let write = Write {
                    me: &life.identity,
                    strict: life.strict,
                    seconds: life.seconds(),
                    follows: life.lock.primary() != *object,
                    several: life.lock.secondary().is_some(),
                    garbled: before.as_ref().is_some_and(|before| before.unreadable),
                    before: before.as_ref().map(|before| &before.record),
                    after: &after.record,
                };
                let name = self.names.of(*replica);
                write.judge(|rule, did| {
                    found.push(Violation {
                        check: "record".to_owned(),
                        rule: rule.to_owned(),
                        at: entry.at,
                        seq: entry.seq,
                        replicas: vec![*replica],
                        what: format!("record: {name} {did}, at {}", entry.at),
                    });
                });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::story::{Story, found, lock};
    use super::*;
    use crate::trace::Snapshot;

    fn check(profile: &str, before: Option<&Arc<Snapshot>>, after: &Arc<Snapshot>) -> Vec<String> {
        let verb = if before.is_some() { Verb::Update } else { Verb::Create };
        let story = Story::new().started(0, profile).applied(0, 1, verb, before, after);
        let violations = story.check(&mut RecordRules::new(&Scenario::default()));
        violations.into_iter().map(|violation| violation.rule).collect()
    }

    const STRICT: &str = "strict";
    const CLIENT_GO: &str = "client-go-v1.36";

    #[test]
    fn renewals_takeovers_and_releases_as_they_should_be() {
        let before = lock(3, "r0", 10, 20, 4);
        assert_eq!(check(STRICT, Some(&before), &lock(4, "r0", 10, 22, 4)), [""; 0]);
        assert_eq!(check(STRICT, Some(&before), &lock(4, "", 22, 22, 4)), [""; 0]);
        let others = lock(3, "r1", 10, 20, 4);
        assert_eq!(check(STRICT, Some(&others), &lock(4, "r0", 40, 40, 5)), [""; 0]);
        let free = lock(3, "", 20, 20, 4);
        assert_eq!(check(STRICT, Some(&free), &lock(4, "r0", 22, 22, 5)), [""; 0]);
        assert_eq!(check(STRICT, None, &lock(4, "r0", 22, 22, 0)), [""; 0]);
        assert_eq!(check(STRICT, None, &lock(4, UNCLAIMED, 22, 22, 0)), [""; 0]);
    }

    #[test]
    fn transitions_change_exactly_with_the_holder() {
        let (mine, others) = (lock(3, "r0", 10, 20, 4), lock(3, "r1", 10, 20, 4));
        for profile in [STRICT, CLIENT_GO] {
            let check = |before, after| check(profile, Some(before), &after);
            assert_eq!(check(&mine, lock(4, "r0", 10, 22, 5)), ["transitions"]);
            assert_eq!(check(&mine, lock(4, "", 22, 22, 5)), ["transitions"]);
            assert_eq!(check(&others, lock(4, "r0", 22, 22, 4)), ["transitions"]);
        }
        assert_eq!(check(STRICT, None, &lock(4, "r0", 22, 22, 7)), ["transitions"]);
        assert_eq!(check(CLIENT_GO, None, &lock(4, "r0", 22, 22, 7)), [""; 0]);
    }

    #[test]
    fn the_acquire_time_changes_exactly_with_the_holder() {
        let (mine, others) = (lock(3, "r0", 10, 20, 4), lock(3, "r1", 10, 20, 4));
        assert_eq!(check(STRICT, Some(&mine), &lock(4, "r0", 22, 22, 4)), ["acquire-time"]);
        assert_eq!(check(STRICT, Some(&others), &lock(4, "r0", 10, 22, 5)), ["acquire-time"]);
        assert_eq!(check(CLIENT_GO, Some(&others), &lock(4, "r0", 10, 22, 5)), [""; 0]);
    }

    #[test]
    fn only_the_holder_releases_and_only_its_own_name_is_written() {
        let others = lock(3, "r1", 10, 20, 4);
        for profile in [STRICT, CLIENT_GO] {
            let released = check(profile, Some(&others), &lock(4, "", 22, 22, 4));
            assert_eq!(released, ["released-by-another"]);
            let given = check(profile, Some(&others), &lock(4, "r2", 22, 22, 5));
            assert_eq!(given, ["foreign-holder"]);
            assert_eq!(check(profile, None, &lock(4, "r2", 22, 22, 0)), ["foreign-holder"]);
        }
    }

    #[test]
    fn the_duration_is_that_of_the_configuration_rounded_up() {
        let scenario =
            Scenario { lease_duration: Span::from_millis(14_100), ..Scenario::default() };
        let story = |profile, seconds| {
            let mut after = (*lock(4, "r0", 22, 22, 0)).clone();
            after.record.lease_duration_seconds = seconds;
            let story = Story::new().started(0, profile);
            let story = story.applied(0, 1, Verb::Create, None, &Arc::new(after));
            found(&story.check(&mut RecordRules::new(&scenario)))
        };
        assert_eq!(story(STRICT, 15), [""; 0]);
        assert_eq!(story(STRICT, 14), ["record/duration at 0.000s of [0]"]);
        assert_eq!(story(CLIENT_GO, 14), [""; 0]);
    }

    #[test]
    fn a_write_of_an_earlier_life_is_judged_by_its_name() {
        let before = lock(3, "r0_a", 10, 20, 4);
        let story = Story::new()
            .started_as(0, 0, STRICT, "r0_a")
            .crashed(0)
            .started_as(0, 1, STRICT, "r0_b")
            .applied(0, 7, Verb::Update, Some(&before), &lock(4, "r0_a", 10, 22, 4));
        assert_eq!(found(&story.check(&mut RecordRules::new(&Scenario::default()))), [""; 0]);
    }

    #[test]
    fn the_second_object_follows_and_a_rollout_changes_the_duration() {
        let (other, mine) = (lock(3, "r1", 10, 20, 4), lock(4, "r0", 40, 40, 9));
        let on = |lock: Lock, lease_duration: Option<Span>| {
            let story = Story::new().started_on(0, 0, STRICT, "r0", lock, lease_duration);
            let story = story.applied(0, 1, Verb::Update, Some(&other), &mine);
            let violations = story.check(&mut RecordRules::new(&Scenario::default()));
            violations.into_iter().map(|violation| violation.rule).collect::<Vec<_>>()
        };
        assert_eq!(on(Lock::Lease, None), ["transitions"]);
        assert_eq!(on(Lock::ConfigMapAndLease, None), [""; 0]);
        let longer = on(Lock::ConfigMapAndLease, Some(Span::from_secs(60)));
        assert_eq!(longer, ["duration"]);
    }

    #[test]
    fn a_wish_is_no_write_of_a_record_and_over_garbage_there_is_no_history() {
        let before = lock(3, "r1", 10, 20, 4);
        assert_eq!(check(STRICT, Some(&before), &lock(4, "r1", 10, 20, 4)), [""; 0]);
        let garbled =
            Arc::new(Snapshot { record: Record::default(), unreadable: true, ..(*before).clone() });
        assert_eq!(check(STRICT, Some(&garbled), &lock(4, "r0", 22, 22, 7)), [""; 0]);
        assert_eq!(check(STRICT, Some(&garbled), &lock(4, "r2", 22, 22, 7)), ["foreign-holder"]);
    }
}
