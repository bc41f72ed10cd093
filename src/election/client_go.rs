//! `Profile::ClientGo`: what client-go's `leaderelection.go` does, request by request.
//!
//! Names in backquotes are functions there. Faults are kept on purpose: this is the yardstick. The
//! quirks that cost safety are marked "fault"; the strict profile has none of them.

mod attempt;
mod coordinated;
mod multi;
mod release;
mod resource;
mod state;

use super::elector::Context;
use super::outbox::Part;
use super::{Cause, Config, Event, Failure, Op, Release, Response, Rule, Stored, Token};
use crate::lock::Identity;
use crate::time::{Instant, Now};
use attempt::Attempt;
use resource::{At, Lock, Progress};
pub use state::{ClientGoState, Raw};

/// The loops of `Run`: `acquire`, then `renew`, then `release`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ClientGo {
    release: Release,
    state: ClientGoState,
    phase: Phase,
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
    /// `release`, with its own time-out of one renew deadline since 1.30.
    Releasing { deadline: Option<Instant> },
    /// `Run` has returned.
    Finished,
}

/// A cycle of renewing: tries at its start and at each tick of a ticker, until one succeeds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Cycle {
    deadline: Instant,
    next: Instant,
    /// Since when the ticker ticks.
    ticker: Instant,
    /// When the last tick was taken from the ticker's channel, which holds one.
    taken: Instant,
}

/// Which call of the lock is under way, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    FastUpdate,
    Get,
    Create,
    Update,
    ReleaseGet,
    ReleaseUpdate,
}

/// The outstanding request: one of those that a call of the lock is made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Call {
    id: super::RequestId,
    deadline: Option<Instant>,
    step: Step,
    at: At,
    attempt: Attempt,
}

impl ClientGo {
    pub(super) fn new(release: Release, now: Instant, state: ClientGoState) -> Self {
        Self {
            release,
            state,
            phase: Phase::Acquiring { next: now },
            call: None,
            cancelled: None,
            token: None,
        }
    }

    pub(super) const fn state(&self) -> &ClientGoState {
        &self.state
    }

    /// `IsLeader`. Fault: it has no bound in time, and outlives `Run`.
    pub(super) fn leads(&self, config: &Config, identity: &Identity) -> bool {
        let holder = &self.state.observed_record.holder;
        let alike = || holder.as_str().eq_ignore_ascii_case(identity.as_str());
        holder == identity || !config.rules.hold(Rule::ExactNames) && alike()
    }

    fn is_leader(&self, cx: &Context<'_>) -> bool {
        self.leads(cx.config, cx.holder)
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
            Phase::Releasing { deadline } => *deadline,
            Phase::Finished => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, cx: &mut Context<'_>, now: Now) {
        loop {
            let due = |call: &mut Call| call.deadline.is_some_and(|it| it <= now.instant);
            if let Some(call) = self.call.take_if(due) {
                self.answered(cx, now, call, Err(Failure::Other));
            } else if self.call.is_some() || !self.advance(cx, now) {
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
        let late = call.deadline.is_some_and(|deadline| deadline < now.instant);
        let result = if late { Err(Failure::Other) } else { response.result };
        self.answered(cx, now, call, result);
    }

    /// Makes an attempt now if none is under way: a candidate's wait is cut short, a renewing
    /// leader's tick comes early, unless its cycle has ended.
    pub(super) fn poke(&mut self, cx: &mut Context<'_>, now: Now) {
        if self.call.is_some() || self.cancelled.is_some() {
            return;
        }
        let context_done = self.context_end().is_some_and(|end| end < now.instant);
        match &mut self.phase {
            Phase::Acquiring { .. } => self.begin_try(cx, now),
            Phase::Renewing(_) if context_done => self.handle_timeout(cx, now),
            // A tick of the very instant at which the cycle ends may come first.
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
            Phase::Releasing { deadline } => *deadline,
            _ => self.cancelled,
        }
    }

    /// A new cycle of `renew`, with its first try at once. Fault: it gets a whole renew deadline,
    /// however long ago the last success was.
    fn begin_cycle(&mut self, cx: &mut Context<'_>, now: Now) {
        let start = now.instant;
        let deadline = start + cx.config.renew_deadline;
        let cycle = Cycle { deadline, next: start, ticker: start, taken: start };
        self.phase = Phase::Renewing(cycle);
        if self.context_end().is_some_and(|end| end > start) {
            self.begin_try(cx, now);
        }
    }

    /// What follows an attempt of `tryAcquireOrRenew`.
    fn try_done(&mut self, cx: &mut Context<'_>, now: Now, succeeded: bool) {
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
                let period = crate::time::saturating_nanos(cx.config.retry_period).max(1);
                cycle.next = if self.release < Release::V1_34 {
                    cycle.tick_after_the_first(now.instant, period)
                } else {
                    cycle.tick_since_the_start(now.instant, period)
                };
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

    /// Asks for what a call of the lock is to do next.
    fn ask(&mut self, cx: &mut Context<'_>, now: Now, step: Step, at: At, attempt: Attempt) {
        let progress = self.lock(cx).ask(at, &attempt.record);
        self.go_on(cx, now, step, attempt, progress);
    }

    /// The outstanding request has come to its end.
    fn answered(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        call: Call,
        result: Result<Stored, Failure>,
    ) {
        cx.out.withdraw();
        let Call { step, at, attempt, .. } = call;
        let progress = self.lock(cx).answered(at, &attempt.record, result);
        self.go_on(cx, now, step, attempt, progress);
    }

    fn go_on(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        step: Step,
        attempt: Attempt,
        progress: Progress,
    ) {
        match (progress, step) {
            (Progress::Ask(part, op, at), _) => self.send(cx, now, (part, op), step, at, attempt),
            (Progress::Done(outcome), Step::ReleaseGet | Step::ReleaseUpdate) => {
                self.release_answered(cx, now, step, attempt, outcome);
            }
            (Progress::Done(outcome), _) => self.try_answered(cx, now, step, attempt, outcome),
        }
    }

    fn send(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        (part, op): (Part, Op),
        step: Step,
        at: At,
        attempt: Attempt,
    ) {
        let timeout = cx.config.request_timeout.map(|timeout| now.instant + timeout);
        let deadline = match (self.context_end(), timeout) {
            (Some(end), Some(timeout)) => Some(end.min(timeout)),
            (end, timeout) => end.or(timeout),
        };
        let id = cx.out.request(part, op, deadline);
        self.call = Some(Call { id, deadline, step, at, attempt });
    }

    const fn lock<'a>(&'a mut self, cx: &Context<'a>) -> Lock<'a> {
        let Self { release, state, .. } = self;
        Lock { config: cx.config, identity: cx.holder, release: *release, state }
    }
}

impl Cycle {
    /// When the ticker gives the next tick to one who asks at `now`, `period` in nanoseconds: at once
    /// if one waits in its channel, else at the next whole period since the start
    /// (`PollUntilContextTimeout`).
    fn tick_since_the_start(&self, now: Instant, period: u64) -> Instant {
        if self.ticks(now, period) > self.ticks(self.taken, period) {
            return now;
        }
        self.tick_after(now, period)
    }

    /// Up to 1.31 (`PollImmediateUntil`): the ticker starts when the first try has ended, and a tick
    /// that nobody waits for is lost.
    fn tick_after_the_first(&mut self, now: Instant, period: u64) -> Instant {
        if self.taken == self.ticker {
            self.ticker = now;
        }
        self.tick_after(now, period)
    }

    fn ticks(&self, at: Instant, period: u64) -> u64 {
        at.as_nanos().saturating_sub(self.ticker.as_nanos()) / period
    }

    fn tick_after(&self, now: Instant, period: u64) -> Instant {
        let next = self.ticks(now, period).saturating_add(1).saturating_mul(period);
        Instant::from_nanos(self.ticker.as_nanos().saturating_add(next))
    }
}
