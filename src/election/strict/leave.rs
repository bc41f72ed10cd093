//! Stopping: first the work, then the lock.

use super::{Call, Phase, Step, Strict};
use crate::election::elector::Context;
use crate::election::{Cause, Event};
use crate::lock::Identity;
use crate::time::Now;

impl Strict {
    pub(in crate::election) fn stop(&mut self, cx: &mut Context<'_>, now: Now) {
        self.handle_timeout(cx, now);
        self.stopping = true;
        match self.phase {
            Phase::Leading { until, .. } => {
                self.phase = Phase::Draining { until };
                self.token = None;
                cx.out.event(Event::StoppedLeading { cause: Cause::Stopped });
            }
            Phase::Candidate => match &self.call {
                // The write may make this replica the holder: wait for its answer, then give up.
                Some(call) if matches!(call.step, Step::Take | Step::Found) => {}
                _ => self.wind_up(cx, now),
            },
            Phase::Draining { .. } | Phase::Lapsed | Phase::Releasing { .. } | Phase::Finished => {}
        }
    }

    pub(in crate::election) fn work_stopped(&mut self, cx: &mut Context<'_>, now: Now) {
        // Work that asks for its authority may stop before the end of it was handled here.
        self.lapse(cx, now);
        if matches!(self.phase, Phase::Leading { .. }) {
            return;
        }
        self.working = false;
        match self.phase {
            Phase::Draining { .. } | Phase::Lapsed => self.wind_up(cx, now),
            Phase::Candidate => self.hurry(cx, now),
            _ => {}
        }
    }

    /// Asked to stop, or to hand over, and without authority: gives the lock up if it may still be mine, but not
    /// before the work has stopped.
    pub(super) fn wind_up(&mut self, cx: &mut Context<'_>, now: Now) {
        self.call = None;
        cx.out.withdraw();
        if self.working {
            self.phase = Phase::Lapsed;
        } else if (cx.config.release_on_stop || !self.successor.is_empty())
            && (self.view.names_anywhere(cx.holder) || self.uncertain)
        {
            self.phase = Phase::Releasing { until: now.instant + cx.config.renew_deadline };
            self.uncertain = false;
            self.next = now.instant;
            self.attempt(cx, now);
        } else {
            self.finish(cx, now);
        }
    }

    /// An object was just read. When all were, frees those, and only those, whose record names this
    /// life of this replica.
    pub(super) fn release_looked(&mut self, cx: &mut Context<'_>, now: Now, call: &Call) {
        if self.go_on(cx, now, call) {
            return;
        }
        self.report(cx);
        if !self.begin(cx, now, Step::Release) {
            self.finish(cx, now);
        }
    }

    /// The lock is released, or not mine to release: ends, or is a candidate again.
    pub(super) fn finish(&mut self, cx: &mut Context<'_>, now: Now) {
        self.call = None;
        self.successor = Identity::default();
        cx.out.withdraw();
        if self.stopping {
            self.phase = Phase::Finished;
        } else {
            self.phase = Phase::Candidate;
            self.wait(cx, now);
        }
    }
}
