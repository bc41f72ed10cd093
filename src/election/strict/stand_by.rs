//! Leaving the lock to another without leaving, for those who know otherwise who should hold it
//! ([`sharding`](crate::sharding), mode `leased`).
//!
//! Why this is safe: one who stands by takes less than it might; stepping down is stopping, but that
//! the elector goes on as a candidate. Both are free of promises to anybody. Who takes over from a holder
//! that is known otherwise to have no authority need not wait, and takes by compare-and-swap all the same.

use super::{Phase, Strict};
use crate::election::elector::Context;
use crate::election::outbox::Part;
use crate::election::{Cause, Event};
use crate::lock::Identity;
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

    /// Who holds the lock, and by which ordered version, as far as is known; `None` if nobody does.
    pub(in crate::election) fn held(&self) -> Option<(&Identity, u64)> {
        let known = self.view.get(Part::Primary)?;
        let version = known.seen.version.as_ordered()?;
        let holder = &known.seen.record.holder;
        (!holder.is_empty()).then_some((holder, version))
    }

    /// Whoever holds the lock by this version has no authority any more: that is as good as a release.
    pub(in crate::election) fn presume_released(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        version: u64,
    ) {
        let Some(known) = self.view.get_mut(Part::Primary) else { return };
        if !matches!(self.phase, Phase::Candidate)
            || known.seen.version.as_ordered() != Some(version)
        {
            return;
        }
        known.seen.record.holder = Identity::default();
        if self.may_take() {
            self.next = now.instant;
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
