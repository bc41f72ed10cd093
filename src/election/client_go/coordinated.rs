//! `tryCoordinatedRenew` (KEP-4355): a coordinator says who leads, and the elector only renews.

use super::attempt::{Attempt, go_seconds};
use super::resource::{At, Fetched};
use super::{ClientGo, Step};
use crate::election::Release;
use crate::election::elector::Context;
use crate::time::Now;

impl ClientGo {
    pub(super) fn is_coordinated(&self, cx: &Context<'_>) -> bool {
        cx.config.coordinated && self.release >= Release::V1_31
    }

    /// After `Get`. Nothing is ever created, nor taken over: a lease that has expired is the
    /// coordinator's, also if it was this replica's.
    pub(super) fn coordinated_fetched(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        mut attempt: Attempt,
        fetched: Fetched,
    ) {
        let Fetched { record, raw } = fetched;
        self.adopt(&record, raw, now.instant);
        let lasts = go_seconds(record.lease_duration_seconds);
        let started = i128::from(attempt.started.as_nanos());
        // Strict the other way round than isLeaseValid: at its very end it has not expired.
        let expired = self.observed_at().is_none_or(|at| at + lasts < started);
        // Another is preferred: the term ends, which means that the lease runs out.
        let term_ends = !record.preferred_holder.is_empty();
        if expired || term_ends || !self.is_leader(cx) {
            self.try_done(cx, now, false);
            return;
        }
        attempt.record.acquire_time = record.acquire_time;
        attempt.record.leader_transitions = record.leader_transitions;
        attempt.record.strategy = record.strategy;
        self.ask(cx, now, Step::Update, At::Update, attempt);
    }
}
