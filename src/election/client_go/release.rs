//! `release`, as of client-go 1.34 and later: it reads the lock first.

use super::{ClientGo, Phase, Step};
use crate::election::elector::Context;
use crate::election::{Failure, Op, Release, Stored};
use crate::lock::Record;
use crate::time::Now;

impl ClientGo {
    pub(in crate::election) const fn is_releasing(&self) -> bool {
        matches!(self.phase, Phase::Releasing { .. })
    }

    pub(in crate::election) fn begin_release(&mut self, cx: &mut Context<'_>, now: Now) {
        self.attempt = None;
        self.state.returned = Some(false);
        self.phase = Phase::Releasing { deadline: now.instant + cx.config.renew_deadline };
        self.send(cx, now, Step::ReleaseGet, Op::Get);
    }

    pub(super) fn release_answered(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        step: Step,
        result: Result<Stored, Failure>,
    ) {
        match (step, result) {
            // Fault: "am I leader" is answered from what was seen before, not from what was just
            // read, so that a deposed leader clears the record of its successor.
            (Step::ReleaseGet, Ok(stored)) if self.is_leader(cx) => {
                let record = Record {
                    lease_duration_seconds: 1,
                    acquire_time: Some(now.timestamp),
                    renew_time: Some(now.timestamp),
                    leader_transitions: stored
                        .object
                        .record()
                        .unwrap_or_default()
                        .leader_transitions,
                    ..Record::default()
                };
                self.state.held = Some(stored);
                self.update(cx, now, Step::ReleaseUpdate, &record);
            }
            (Step::ReleaseGet, Ok(stored)) => {
                self.state.held = Some(stored);
                self.finish(cx);
            }
            (Step::ReleaseUpdate, Ok(stored)) => {
                let record = self.state.held.as_ref().and_then(|held| held.object.record().ok());
                self.observe(record.unwrap_or_default(), now.instant);
                self.state.held = Some(stored);
                self.state.returned = Some(true);
                self.finish(cx);
            }
            // Fault: the conflict may be the successor's own write; it is retried until it wins.
            (Step::ReleaseUpdate, Err(Failure::Conflict)) if self.release >= Release::Head => {
                self.send(cx, now, Step::ReleaseGet, Op::Get);
            }
            _ => self.finish(cx),
        }
    }
}
