//! `tryAcquireOrRenew`.

use super::resource::{At, Fetched, Outcome};
use super::{ClientGo, Step};
use crate::election::elector::Context;
use crate::election::{Failure, Release};
use crate::lock::Record;
use crate::time::{Instant, Now};

/// One call of `tryAcquireOrRenew`, `tryCoordinatedRenew` or `release` under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Attempt {
    /// Taken once, before any request: expiry is judged with it.
    pub(super) started: Instant,
    /// What will be written.
    pub(super) record: Record,
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
        let fast = self.release >= Release::V1_30
            && !self.is_coordinated(cx)
            && self.is_leader(cx)
            && self.lease_valid(cx, now.instant);
        let (step, at) = if fast {
            record.acquire_time = self.state.observed_record.acquire_time;
            record.leader_transitions = self.state.observed_record.leader_transitions;
            (Step::FastUpdate, At::Update)
        } else {
            (Step::Get, At::Get)
        };
        self.ask(cx, now, step, at, Attempt { started: now.instant, record });
    }

    pub(super) fn try_answered(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        step: Step,
        attempt: Attempt,
        outcome: Outcome,
    ) {
        match (step, outcome) {
            (_, Outcome::Written) => {
                self.observe(attempt.record, now.instant);
                self.try_done(cx, now, true);
            }
            (_, Outcome::Read(fetched)) if self.is_coordinated(cx) => {
                self.coordinated_fetched(cx, now, attempt, fetched);
            }
            (_, Outcome::Read(fetched)) => self.fetched(cx, now, attempt, fetched),
            // Any failure of the fast path leads to the slow one; what it copied stays copied.
            (Step::FastUpdate, Outcome::Failed(_)) => {
                self.ask(cx, now, Step::Get, At::Get, attempt);
            }
            (Step::Get, Outcome::Failed(Failure::NotFound)) if !self.is_coordinated(cx) => {
                self.ask(cx, now, Step::Create, At::Create, attempt);
            }
            (_, Outcome::Failed(_)) => self.try_done(cx, now, false),
        }
    }

    /// The slow path after `Get`.
    fn fetched(&mut self, cx: &mut Context<'_>, now: Now, mut attempt: Attempt, fetched: Fetched) {
        let Fetched { record, raw } = fetched;
        self.adopt(&record, raw, now.instant);
        let leader = self.is_leader(cx);
        if !record.holder.is_empty() && self.lease_valid(cx, attempt.started) && !leader {
            self.try_done(cx, now, false);
            return;
        }
        if leader {
            attempt.record.acquire_time = record.acquire_time;
            attempt.record.leader_transitions = record.leader_transitions;
        } else {
            attempt.record.leader_transitions = record.leader_transitions.wrapping_add(1);
        }
        self.ask(cx, now, Step::Update, At::Update, attempt);
    }

    /// Takes note of what `Get` gave if it is another text than before.
    pub(super) fn adopt(&mut self, record: &Record, raw: Option<super::state::Raw>, now: Instant) {
        if self.state.observed_raw != raw {
            self.observe(record.clone(), now);
            self.state.observed_raw = raw;
        }
    }

    /// `setObservedRecord`. Fault: dated when the answer has arrived, so that a leader's own view
    /// of its lease is younger than the lease.
    pub(super) fn observe(&mut self, record: Record, now: Instant) {
        self.state.observed_record = record;
        self.state.observed_time = Some(now);
    }

    /// `isLeaseValid`: strictly before the end of the recorded duration after the observation; up to
    /// 1.26, of the elector's own.
    fn lease_valid(&self, cx: &Context<'_>, now: Instant) -> bool {
        let duration = if self.release < Release::V1_27 {
            i128::from(crate::time::saturating_nanos(cx.config.lease_duration))
        } else {
            go_seconds(self.state.observed_record.lease_duration_seconds)
        };
        self.observed_at().is_some_and(|at| at + duration > i128::from(now.as_nanos()))
    }

    pub(super) fn observed_at(&self) -> Option<i128> {
        self.state.observed_time.map(|at| i128::from(at.as_nanos()))
    }
}

/// `time.Second * time.Duration(seconds)`, which wraps.
pub(super) fn go_seconds(seconds: i64) -> i128 {
    i128::from(seconds.wrapping_mul(1_000_000_000))
}
