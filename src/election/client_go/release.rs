//! `release`. Three forms, by what they know of the lock when they write:
//! - 1.14 and 1.20: what was seen last, and nothing is read.
//! - 1.34: the version is read, whose lock it is was seen before.
//! - Head: the same again upon a conflict.

use super::attempt::Attempt;
use super::resource::{At, Outcome};
use super::{ClientGo, Phase, Step};
use crate::election::elector::Context;
use crate::election::{Failure, Release};
use crate::lock::Record;
use crate::time::Now;

impl ClientGo {
    pub(in crate::election) fn begin_release(&mut self, cx: &mut Context<'_>, now: Now) {
        self.state.returned = Some(false);
        let deadline = now.instant + cx.config.renew_deadline;
        let deadline = Some(deadline).filter(|_| self.release >= Release::V1_30);
        self.phase = Phase::Releasing { deadline };
        if self.release >= Release::V1_34 {
            self.read_to_release(cx, now);
        } else if self.is_leader(cx) {
            self.write_released(cx, now, self.state.observed_record.leader_transitions);
        } else {
            self.finish(cx);
        }
    }

    fn read_to_release(&mut self, cx: &mut Context<'_>, now: Now) {
        let attempt = Attempt { started: now.instant, record: Record::default() };
        self.ask(cx, now, Step::ReleaseGet, At::Get, attempt);
    }

    fn write_released(&mut self, cx: &mut Context<'_>, now: Now, leader_transitions: i64) {
        let record = if self.release < Release::V1_20 {
            // Fault: a duration of 0, which the API refuses in a Lease.
            Record { leader_transitions, ..Record::default() }
        } else {
            Record {
                lease_duration_seconds: 1,
                acquire_time: Some(now.timestamp),
                renew_time: Some(now.timestamp),
                leader_transitions,
                ..Record::default()
            }
        };
        let attempt = Attempt { started: now.instant, record };
        self.ask(cx, now, Step::ReleaseUpdate, At::Update, attempt);
    }

    pub(super) fn release_answered(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        step: Step,
        attempt: Attempt,
        outcome: Outcome,
    ) {
        match (step, outcome) {
            // Fault: "am I leader" is answered from what was seen before, not from what was just
            // read, so that a deposed leader clears the record of its successor.
            (_, Outcome::Read(fetched)) if self.is_leader(cx) => {
                self.write_released(cx, now, fetched.record.leader_transitions);
            }
            (_, Outcome::Written) => {
                self.observe(attempt.record, now.instant);
                self.state.returned = Some(true);
                self.finish(cx);
            }
            // Fault: the conflict may be the successor's own write; it is retried until it wins.
            (Step::ReleaseUpdate, Outcome::Failed(Failure::Conflict))
                if self.release >= Release::Head =>
            {
                self.read_to_release(cx, now);
            }
            (_, Outcome::Read(_) | Outcome::Failed(_)) => self.finish(cx),
        }
    }
}
