//! What follows an answer.

use core::time::Duration;

use super::{Call, Phase, Step, Strict, UNCLAIMED, changed};
use crate::election::elector::Context;
use crate::election::outbox::Part;
use crate::election::{Cause, Failure, Missing, Op, Stored, object};
use crate::lock::{Identity, Observed, Record};
use crate::time::{Instant, Now};

impl Strict {
    pub(super) fn succeeded(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        call: &Call,
        stored: Stored,
    ) {
        match call.step {
            Step::Take | Step::Found | Step::Renew if !self.took_effect(cx, &stored) => {
                // Look before anything is built on it.
                self.failed(cx, now, call, Failure::Other);
            }
            Step::Look => {
                self.observe(cx, now, stored);
                self.uncertain = false;
                self.looked(cx, now, call.sent);
            }
            Step::Placeholder => {
                self.observe(cx, now, stored);
                self.wait(cx, now);
            }
            Step::Take | Step::Found => {
                // My own write: the record is new, whatever its text.
                self.seen = None;
                self.observe(cx, now, stored);
                if self.stopping {
                    self.wind_up(cx, now);
                } else {
                    self.lead(cx, call.sent, now);
                }
            }
            Step::Renew => self.renew_succeeded(cx, now, call.sent, stored),
            Step::Recheck => {
                self.observe(cx, now, stored);
                // Stays so until a renewal succeeds: a second conflict says that reads are stale.
                self.uncertain = self.names_me(cx);
                if self.uncertain {
                    self.renew(cx, now);
                } else {
                    self.lose(cx, now, Cause::Preempted);
                }
            }
            Step::ReleaseLook => {
                self.observe(cx, now, stored);
                self.release_looked(cx, now);
            }
            Step::Release => self.finish(cx),
        }
        if self.stopping && matches!(self.phase, Phase::Candidate) && self.call.is_none() {
            self.wind_up(cx, now);
        }
    }

    pub(super) fn failed(&mut self, cx: &mut Context<'_>, now: Now, call: &Call, failure: Failure) {
        match (call.step, failure) {
            (Step::Look, Failure::NotFound) => self.missing(cx, now),
            (Step::Renew, Failure::Conflict | Failure::NotFound) if !self.uncertain => {
                self.send(cx, now, Step::Recheck, Op::Get);
            }
            (Step::Recheck, Failure::NotFound) => {
                self.seen = None;
                self.lose(cx, now, Cause::Deleted);
            }
            (Step::Renew | Step::Recheck, _) => {
                self.uncertain = true;
                self.next = (call.sent + cx.config.retry_period).max(now.instant);
            }
            (Step::ReleaseLook, Failure::NotFound) => self.finish(cx),
            (Step::Release, Failure::Conflict) if !self.uncertain => {
                self.uncertain = true;
                self.send(cx, now, Step::ReleaseLook, Op::Get);
            }
            (Step::ReleaseLook | Step::Release, _) => {
                self.next = now.instant + cx.config.retry_period;
            }
            (Step::Take | Step::Found, Failure::Other) => {
                self.uncertain = true;
                self.wait(cx, now);
            }
            (Step::Look | Step::Placeholder | Step::Take | Step::Found, _) => self.wait(cx, now),
        }
        if self.stopping && matches!(self.phase, Phase::Candidate) && self.call.is_none() {
            self.wind_up(cx, now);
        }
    }

    /// Whether a write that was answered as a success makes me the holder, and made a version that
    /// candidates can see: else it gives no right.
    fn took_effect(&self, cx: &Context<'_>, stored: &Stored) -> bool {
        let same = self.seen.as_ref().is_some_and(|seen| seen.version == stored.version);
        !same && stored.object.is_held_by(cx.holder)
    }

    fn renew_succeeded(&mut self, cx: &mut Context<'_>, now: Now, sent: Instant, stored: Stored) {
        self.seen = None;
        self.observe(cx, now, stored);
        self.renewed(cx, sent, now);
        if let Phase::Leading { until } | Phase::Draining { until } = &mut self.phase {
            *until = (*until).max(sent + cx.config.renew_deadline);
        }
    }

    /// A candidate has read the lock with a request sent at `sent`: takes it, or waits.
    fn looked(&mut self, cx: &mut Context<'_>, now: Now, sent: Instant) {
        let Some(seen) = &self.seen else { return };
        let mine = self.names_me(cx);
        let expired = seen.at + wait_for(&seen.record, cx) <= sent;
        let free = mine || seen.record.holder.is_empty() || expired;
        // The work of the last term may still run: then this replica only watches.
        if !free || self.working {
            self.wait(cx, now);
            return;
        }
        let record = if mine {
            // An unanswered write of mine took effect; the term is the one it began.
            let renew_time = Some(changed(seen.record.renew_time, now.timestamp));
            Record { renew_time, ..seen.record.clone() }
        } else {
            Record {
                acquire_time: Some(now.timestamp),
                renew_time: Some(now.timestamp),
                leader_transitions: next_transition(&seen.record),
                ..Record::default()
            }
        };
        let record = Record {
            holder: cx.holder.clone(),
            lease_duration_seconds: cx.config.recorded_seconds(),
            ..record
        };
        self.swap(cx, now, Step::Take, &record);
    }

    /// A candidate has found no lock.
    fn missing(&mut self, cx: &mut Context<'_>, now: Now) {
        self.seen = None;
        let (step, holder) = match cx.config.missing {
            Missing::NewGroup if !self.working => (Step::Found, cx.holder.clone()),
            _ => (Step::Placeholder, Identity::from(UNCLAIMED)),
        };
        let record = Record {
            holder,
            lease_duration_seconds: cx.config.recorded_seconds(),
            acquire_time: Some(now.timestamp),
            renew_time: Some(now.timestamp),
            ..Record::default()
        };
        self.send(cx, now, step, Op::Create(object::with(cx.config, Part::Primary, &record)));
    }

    pub(super) fn names_me(&self, cx: &Context<'_>) -> bool {
        self.seen.as_ref().is_some_and(|Observed { record, .. }| record.holder == *cx.holder)
    }
}

/// How long to wait after another's record was first seen: as long as it says. One that says
/// nothing sensible gets my own duration.
pub(super) fn wait_for(record: &Record, cx: &Context<'_>) -> Duration {
    let seconds = match record.lease_duration_seconds {
        ..=0 => cx.config.recorded_seconds(),
        seconds => seconds,
    };
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// One more, within what a Lease may hold (0 to 2³¹ - 1).
fn next_transition(record: &Record) -> i64 {
    record.leader_transitions.clamp(0, i64::from(i32::MAX) - 1) + 1
}
