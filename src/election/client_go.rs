//! `Profile::ClientGo`: what client-go's `leaderelection.go` does, request by request.
//!
//! Names in backquotes are functions there. Faults are kept on purpose: this is the yardstick. The
//! quirks that cost safety are marked "fault"; the strict profile has none of them.

mod attempt;
mod release;

use super::elector::{ClientGoState, Context};
use super::{Cause, Event, Failure, Release, Response, Stored, Token};
use crate::lock::Identity;
use crate::time::{Instant, Now};
use attempt::Attempt;

/// The loops of `Run`: `acquire`, then `renew`, then `release`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ClientGo {
    release: Release,
    state: ClientGoState,
    phase: Phase,
    attempt: Option<Attempt>,
    call: Option<Call>,
    /// When `stop` was called: the context given to `Run` is done.
    cancelled: Option<Instant>,
    token: Option<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Phase {
    /// `acquire`: `JitterUntil` with a new wait after each attempt.
    Acquiring { next: Instant },
    /// One `PollUntilContextTimeout` of `renew`.
    Renewing(Cycle),
    /// Between two cycles of `renew`.
    Sleeping { until: Instant },
    /// `release`, with its own time-out of one renew deadline.
    Releasing { deadline: Instant },
    /// `Run` has returned.
    Finished,
}

/// A cycle of renewing: tries at its start and at each tick of a ticker, until one succeeds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Cycle {
    start: Instant,
    deadline: Instant,
    next: Instant,
    /// When the last tick was taken from the ticker's channel, which holds one.
    taken: Instant,
}

/// What the outstanding request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    FastUpdate,
    Get,
    Create,
    Update,
    ReleaseGet,
    ReleaseUpdate,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Call {
    id: super::RequestId,
    step: Step,
    deadline: Option<Instant>,
}

impl ClientGo {
    pub(super) fn new(release: Release, now: Instant, state: ClientGoState) -> Self {
        Self {
            release,
            state,
            phase: Phase::Acquiring { next: now },
            attempt: None,
            call: None,
            cancelled: None,
            token: None,
        }
    }

    pub(super) const fn state(&self) -> &ClientGoState {
        &self.state
    }

    /// `IsLeader`. Fault: it has no bound in time, and outlives `Run`.
    fn is_leader(&self, cx: &Context<'_>) -> bool {
        self.state.observed_record.holder == *cx.holder
    }

    pub(super) const fn observed_holder(&self) -> &Identity {
        &self.state.observed_record.holder
    }

    pub(super) const fn token(&self) -> Option<Token> {
        self.token
    }

    pub(super) const fn is_finished(&self) -> bool {
        matches!(self.phase, Phase::Finished)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        if let Some(call) = &self.call {
            return call.deadline;
        }
        match &self.phase {
            Phase::Acquiring { next } => Some(self.cancelled.unwrap_or(*next)),
            Phase::Renewing(cycle) => {
                Some(self.context_end().map_or(cycle.next, |end| end.min(cycle.next)))
            }
            Phase::Sleeping { until } => Some(self.cancelled.unwrap_or(*until)),
            Phase::Releasing { deadline } => Some(*deadline),
            Phase::Finished => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, cx: &mut Context<'_>, now: Now) {
        loop {
            if let Some(call) = &self.call {
                if call.deadline.is_none_or(|deadline| deadline > now.instant) {
                    return;
                }
                let step = call.step;
                self.call = None;
                cx.out.withdraw();
                self.answered(cx, now, step, Err(Failure::Other));
            } else if !self.advance(cx, now) {
                return;
            }
        }
    }

    /// Does what is due with no request outstanding; false if nothing is.
    fn advance(&mut self, cx: &mut Context<'_>, now: Now) -> bool {
        let context_done = self.context_end().is_some_and(|end| end <= now.instant);
        match &mut self.phase {
            Phase::Acquiring { .. } if self.cancelled.is_some() => self.finish(cx),
            // At the end of the clock every wait is over as soon as it begins.
            Phase::Acquiring { next } if *next <= now.instant && now.instant < Instant::END => {
                self.begin_try(cx, now);
            }
            Phase::Renewing(_) if context_done => {
                self.report_transition(cx);
                self.leave_renew(cx, now);
            }
            Phase::Renewing(cycle) if cycle.next <= now.instant => {
                cycle.taken = now.instant;
                self.begin_try(cx, now);
            }
            // Leaving during the sleep reports no transition.
            Phase::Sleeping { .. } if self.cancelled.is_some() => self.leave_renew(cx, now),
            Phase::Sleeping { until } if *until <= now.instant => self.begin_cycle(cx, now),
            _ => return false,
        }
        true
    }

    pub(super) fn handle_response(&mut self, cx: &mut Context<'_>, now: Now, response: Response) {
        let Some(call) = self.call.take_if(|call| call.id == response.id) else { return };
        cx.out.withdraw();
        let late = call.deadline.is_some_and(|deadline| deadline < now.instant);
        let result = if late { Err(Failure::Other) } else { response.result };
        self.answered(cx, now, call.step, result);
    }

    /// Makes an attempt now if none is under way: a candidate's wait is cut short, a renewing
    /// leader's tick comes early.
    pub(super) fn poke(&mut self, cx: &mut Context<'_>, now: Now) {
        if self.call.is_some() || self.cancelled.is_some() {
            return;
        }
        match &mut self.phase {
            Phase::Acquiring { .. } => self.begin_try(cx, now),
            Phase::Renewing(cycle) => {
                cycle.taken = now.instant;
                self.begin_try(cx, now);
            }
            _ => {}
        }
    }

    pub(super) fn stop(&mut self, cx: &mut Context<'_>, now: Now) {
        // The context of a release is another one.
        if self.cancelled.is_some() || matches!(self.phase, Phase::Releasing { .. }) {
            return;
        }
        self.cancelled = Some(now.instant);
        match &mut self.call {
            // The call ends with its context: at the next time-out, or with an answer before it.
            Some(call) => call.deadline = Some(now.instant),
            None => self.handle_timeout(cx, now),
        }
    }

    /// For explorers: the outstanding request becomes the first. True if there is one.
    pub(super) fn restate(&mut self) -> bool {
        if let Some(call) = &mut self.call {
            call.id = super::outbox::FIRST;
        }
        self.call.is_some()
    }

    /// When the context of the current attempt is done, if that is known.
    fn context_end(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Renewing(cycle) => {
                Some(self.cancelled.map_or(cycle.deadline, |at| at.min(cycle.deadline)))
            }
            Phase::Releasing { deadline } => Some(*deadline),
            _ => self.cancelled,
        }
    }

    /// A new cycle of `renew`, with its first try at once. Fault: it gets a whole renew deadline,
    /// however long ago the last success was.
    fn begin_cycle(&mut self, cx: &mut Context<'_>, now: Now) {
        let start = now.instant;
        let deadline = start + cx.config.renew_deadline;
        self.phase = Phase::Renewing(Cycle { start, deadline, next: start, taken: start });
        if self.context_end().is_some_and(|end| end > start) {
            self.begin_try(cx, now);
        }
    }

    /// What follows an attempt of `tryAcquireOrRenew`.
    fn try_done(&mut self, cx: &mut Context<'_>, now: Now, succeeded: bool) {
        self.attempt = None;
        self.state.returned = Some(succeeded);
        match &mut self.phase {
            Phase::Acquiring { next } => {
                *next = now.instant + cx.jitter.candidate_wait(cx.config.retry_period);
                self.report_transition(cx);
                if succeeded {
                    self.started_leading(cx, now);
                }
            }
            Phase::Renewing(cycle) if !succeeded => {
                cycle.next = cycle.tick_after(now.instant, cx.config.retry_period);
            }
            Phase::Renewing(_) => {
                self.report_transition(cx);
                self.phase = Phase::Sleeping { until: now.instant + cx.config.retry_period };
            }
            _ => {}
        }
    }

    fn started_leading(&mut self, cx: &mut Context<'_>, now: Now) {
        let version = self.state.held.as_ref().and_then(|held| held.version.as_ordered());
        self.token = version.map(Token::from_u64);
        cx.out.event(Event::StartedLeading { token: self.token });
        if self.cancelled.is_some() {
            self.leave_renew(cx, now);
        } else {
            self.begin_cycle(cx, now);
        }
    }

    /// `maybeReportTransition`.
    fn report_transition(&mut self, cx: &mut Context<'_>) {
        if self.state.reported_leader != self.state.observed_record.holder {
            self.state.reported_leader = self.state.observed_record.holder.clone();
            cx.out.event(Event::NewLeader { identity: self.state.reported_leader.clone() });
        }
    }

    /// The end of `renew`. Fault: the lock is released before the work is told to stop.
    fn leave_renew(&mut self, cx: &mut Context<'_>, now: Now) {
        if cx.config.release_on_stop {
            self.begin_release(cx, now);
        } else {
            self.finish(cx);
        }
    }

    fn finish(&mut self, cx: &mut Context<'_>) {
        self.phase = Phase::Finished;
        self.token = None;
        let cause = if self.cancelled.is_some() { Cause::Stopped } else { Cause::Expired };
        cx.out.event(Event::StoppedLeading { cause });
    }

    fn answered(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        step: Step,
        result: Result<Stored, Failure>,
    ) {
        match step {
            Step::ReleaseGet | Step::ReleaseUpdate => self.release_answered(cx, now, step, result),
            _ => self.try_answered(cx, now, step, result),
        }
    }
}

impl Cycle {
    /// When the ticker gives the next tick to one who asks at `now`: at once if one waits in its
    /// channel, else at the next whole period since the start.
    fn tick_after(&self, now: Instant, period: core::time::Duration) -> Instant {
        let period = crate::time::saturating_nanos(period).max(1);
        let ticks = |at: Instant| at.as_nanos().saturating_sub(self.start.as_nanos()) / period;
        if ticks(now) > ticks(self.taken) {
            return now;
        }
        let next = ticks(now).saturating_add(1).saturating_mul(period);
        Instant::from_nanos(self.start.as_nanos().saturating_add(next))
    }
}
