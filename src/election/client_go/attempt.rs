//! `tryAcquireOrRenew`, and the calls of `LeaseLock` under it.

use super::{Call, ClientGo, Step};
use crate::election::elector::{Context, Raw};
use crate::election::outbox::Part;
use crate::election::{Failure, Op, Stored, object};
use crate::lock::lease::Lease;
use crate::lock::{Object, Record, Version};
use crate::time::{Instant, Now};

/// One call of `tryAcquireOrRenew` under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Attempt {
    /// Taken once, before any request: expiry is judged with it.
    started: Instant,
    /// What will be written.
    record: Record,
}

impl ClientGo {
    pub(super) fn begin_try(&mut self, cx: &mut Context<'_>, now: Now) {
        let mut record = Record {
            holder: cx.holder.clone(),
            // Fault: cut, not rounded up; below one second it becomes 0.
            lease_duration_seconds: i64::try_from(cx.config.lease_duration.as_secs())
                .unwrap_or(i64::MAX),
            acquire_time: Some(now.timestamp),
            renew_time: Some(now.timestamp),
            ..Record::default()
        };
        let fast = self.is_leader(cx) && self.lease_valid(now.instant);
        if fast {
            record.acquire_time = self.state.observed_record.acquire_time;
            record.leader_transitions = self.state.observed_record.leader_transitions;
        }
        self.attempt = Some(Attempt { started: now.instant, record: record.clone() });
        if fast {
            self.update(cx, now, Step::FastUpdate, &record);
        } else {
            self.send(cx, now, Step::Get, Op::Get);
        }
    }

    pub(super) fn try_answered(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        step: Step,
        result: Result<Stored, Failure>,
    ) {
        let Some(attempt) = self.attempt.clone() else { return };
        match (step, result) {
            (Step::FastUpdate | Step::Update | Step::Create, Ok(stored)) => {
                self.state.held = Some(stored);
                self.observe(attempt.record, now.instant);
                self.try_done(cx, now, true);
            }
            (Step::Get, Ok(stored)) => self.fetched(cx, now, attempt, stored),
            // Any failure of the fast path leads to the slow one; what it copied stays copied.
            (Step::FastUpdate, Err(_)) => self.send(cx, now, Step::Get, Op::Get),
            (Step::Get, Err(Failure::NotFound)) => self.create(cx, now, &attempt.record),
            (Step::Create, Err(_)) => {
                // The typed client returns a blank object beside the error, and LeaseLock keeps it.
                self.state.held = Some(Stored {
                    object: Object::Lease(Lease::default()),
                    version: Version::opaque(""),
                });
                self.try_done(cx, now, false);
            }
            (_, Err(_)) => self.try_done(cx, now, false),
            (Step::ReleaseGet | Step::ReleaseUpdate, Ok(_)) => {}
        }
    }

    /// The slow path after its GET.
    fn fetched(&mut self, cx: &mut Context<'_>, now: Now, mut attempt: Attempt, stored: Stored) {
        let Ok(fetched) = stored.object.record() else {
            self.try_done(cx, now, false);
            return;
        };
        self.state.held = Some(stored);
        // Fault: compared as text with whole seconds, so that renewals within one second, or by a
        // holder whose wall clock stands still, are not seen.
        let raw = Raw::Record(fetched.clone().truncate_to_seconds());
        if self.state.observed_raw.as_ref() != Some(&raw) {
            self.observe(fetched.clone(), now.instant);
            self.state.observed_raw = Some(raw);
        }
        let leader = self.is_leader(cx);
        if !fetched.holder.is_empty() && self.lease_valid(attempt.started) && !leader {
            self.try_done(cx, now, false);
            return;
        }
        if leader {
            attempt.record.acquire_time = fetched.acquire_time;
            attempt.record.leader_transitions = fetched.leader_transitions;
        } else {
            attempt.record.leader_transitions = fetched.leader_transitions.wrapping_add(1);
        }
        let record = attempt.record.clone();
        self.attempt = Some(attempt);
        self.update(cx, now, Step::Update, &record);
    }

    /// `setObservedRecord`. Fault: dated when the answer has arrived, so that a leader's own view
    /// of its lease is younger than the lease.
    pub(super) fn observe(&mut self, record: Record, now: Instant) {
        self.state.observed_record = record;
        self.state.observed_time = Some(now);
    }

    /// `isLeaseValid`: strictly before the end of the recorded duration after the observation.
    fn lease_valid(&self, now: Instant) -> bool {
        let Some(observed) = self.state.observed_time else { return false };
        // time.Second * time.Duration(seconds) wraps.
        let nanos = self.state.observed_record.lease_duration_seconds.wrapping_mul(1_000_000_000);
        i128::from(observed.as_nanos()) + i128::from(nanos) > i128::from(now.as_nanos())
    }

    /// `LeaseLock.Create`.
    fn create(&mut self, cx: &mut Context<'_>, now: Now, record: &Record) {
        self.send(
            cx,
            now,
            Step::Create,
            Op::Create(object::with(cx.config, Part::Primary, record)),
        );
    }

    /// `LeaseLock.Update`: changes the object it holds, then sends it. With none it fails unsent.
    pub(super) fn update(&mut self, cx: &mut Context<'_>, now: Now, step: Step, record: &Record) {
        let Some(held) = &mut self.state.held else {
            self.answered(cx, now, step, Err(Failure::Other));
            return;
        };
        object::put(cx.config, record, &mut held.object);
        let op = Op::Update(held.object.clone(), held.version.clone());
        self.send(cx, now, step, op);
    }

    pub(super) fn send(&mut self, cx: &mut Context<'_>, now: Now, step: Step, op: Op) {
        let timeout = cx.config.request_timeout.map(|timeout| now.instant + timeout);
        let deadline = match (self.context_end(), timeout) {
            (Some(end), Some(timeout)) => Some(end.min(timeout)),
            (end, timeout) => end.or(timeout),
        };
        let id = cx.out.request(Part::Primary, op, deadline);
        self.call = Some(Call { id, step, deadline });
    }
}
