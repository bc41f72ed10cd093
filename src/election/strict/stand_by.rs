//! Leaving the lock to another without leaving, for those who know otherwise who should hold it
//! ([`sharding`](crate::sharding), mode `leased`).
//!
//! Why this is safe: one who stands by takes less than it might; stepping down is stopping, but that
//! the elector goes on as a candidate. Both are free of promises to anybody.

use super::{Phase, Strict};
use crate::election::elector::Context;
use crate::election::{Cause, Event};
use crate::time::Now;

impl Strict {
    /// Whether a candidate may go for the lock.
    pub(super) const fn may_take(&self) -> bool {
        !self.working && !self.standing_by
    }

    pub(in crate::election) fn stand_by(&mut self, cx: &mut Context<'_>, now: Now, on: bool) {
        let ends = self.standing_by && !on;
        self.standing_by = on;
        if ends && matches!(self.phase, Phase::Candidate) {
            if self.rests_on_watch(cx.config) {
                self.hurry(cx, now);
            } else {
                self.next = now.instant;
            }
            self.handle_timeout(cx, now);
        }
    }

    pub(in crate::election) fn step_down(&mut self, cx: &mut Context<'_>, now: Now) {
        self.handle_timeout(cx, now);
        let Phase::Leading { until, .. } = self.phase else { return };
        self.phase = Phase::Draining { until };
        self.token = None;
        cx.out.event(Event::StoppedLeading { cause: Cause::HandedOver });
    }
}
