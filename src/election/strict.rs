//! `Profile::Strict`: what a correct lease does.
//!
//! 1. Authority ends one renew deadline after the last *successful* request was *sent*.
//! 2. A late answer never revives it.
//! 3. On reading another holder, or no lock, or being shown one by a watch, it ends at once.
//! 4. A release is: the work has stopped, then read, then write only over a record that names me.
//! 5. The recorded duration is rounded up to whole seconds.
//! 6. A record is observed by its version: each change restarts a candidate's wait. Expiry is judged
//!    with the time at which a read was sent, observations are dated when the answer or the delivery
//!    arrived, and a takeover is a compare-and-swap on that version.
//! 7. Creating a missing lock gives no right: it is created with a placeholder for a holder.
//! 8. The holder is written with this life's incarnation.
//!
//! With these, two replicas never have authority at one instant while the rates of their clocks
//! differ by at most `lease_duration / renew_deadline`. Proof sketch: a holder's last effective
//! acknowledged write was sent at s and took effect at c ≥ s; its authority ends by s + D on its own
//! clock. A candidate's wait starts at or after c and lasts L on the candidate's; any later write of
//! the holder changes the version and makes the compare-and-swap fail.
//!
//! What was added to that, and why the proof holds:
//! - Two objects (`parts.rs`): let O be one that two replicas share. A holder's authority counts from
//!   the sending of the first of its writes, so from before its write of O took effect at c; a
//!   candidate takes O by the rules above, whatever the other object says; it leads only when it has
//!   taken all of its own. Between two writes what is known may change by a watch: then the next
//!   object is judged anew. Who dies between two writes has no authority, and is waited for like any
//!   holder; who was beaten at the second keeps the first in its name, which others wait out once,
//!   and writes it no more until the second may be taken: nobody is blocked for ever.
//! - A watch (`watch.rs`), handing over and wishes (`prefer.rs`): see there.
//! - A lock delay only lengthens a wait, and the end of authority is not moved by announcing it.

mod answer;
mod leave;
mod parts;
mod prefer;
mod restate;
mod stand_by;
mod view;
mod watch;
mod without;

use core::time::Duration;

use super::elector::Context;
use super::outbox::Part;
use super::{Cause, Config, Event, Failure, RequestId, Response, Rule, Stored, Token};
use crate::lock::{Identity, Observed, Record, UNKNOWN_HOLDER, Version};
use crate::time::{Instant, Now, Timestamp, saturating_nanos};
use view::{Holder, Known, View, parts};

/// The holder of a lock that was created because it was missing: nobody in particular.
pub(super) const UNCLAIMED: &str = "tenure.dev/unclaimed";

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is another question")]
pub(super) struct Strict {
    phase: Phase,
    /// When the next attempt is due, if none is under way.
    next: Instant,
    call: Option<Call>,
    view: View,
    /// A write of mine was not answered, or refused twice: the version in hand may be stale.
    uncertain: bool,
    token: Option<Token>,
    /// The driver was told to start work and has not said that it stopped.
    working: bool,
    /// `stop` was called.
    stopping: bool,
    /// As a candidate it only looks.
    standing_by: bool,
    /// Who is to have the lock next; empty unless it is being handed over.
    successor: Identity,
    /// The last holder that was reported.
    reported: Identity,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Phase {
    Candidate,
    /// Has authority until then.
    Leading {
        until: Instant,
        /// That the end is near has been said.
        warned: bool,
    },
    /// Asked to stop, the work is winding down: holds on to the lock, as long as it can.
    Draining {
        until: Instant,
    },
    /// Asked to stop, lost the lock, and the work is still winding down.
    Lapsed,
    /// Gives up the lock, if it is still mine, until then at most.
    Releasing {
        until: Instant,
    },
    Finished,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Call {
    id: RequestId,
    step: Step,
    part: Part,
    /// When the step's first request was sent.
    sent: Instant,
    deadline: Instant,
    /// The version that it writes over.
    over: Option<Version>,
}

/// What the outstanding request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    /// A candidate looks.
    Look,
    /// Nobody's record, for a missing lock.
    Placeholder,
    /// A new group's first record.
    Found,
    /// Compare-and-swap on the version just read.
    Take,
    Renew,
    /// A leader looks, since the version in hand may be stale.
    Recheck,
    ReleaseLook,
    Release,
    /// A candidate says that it should lead.
    Wish,
}

impl Strict {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            phase: Phase::Candidate,
            next: now,
            call: None,
            view: View::default(),
            uncertain: false,
            token: None,
            working: false,
            stopping: false,
            standing_by: false,
            successor: Identity::default(),
            reported: Identity::default(),
        }
    }

    /// When authority ends; `None` without.
    pub(super) const fn leading_until(&self) -> Option<Instant> {
        match self.phase {
            Phase::Leading { until, .. } => Some(until),
            _ => None,
        }
    }

    /// Until when the lock is held for the sake of work: that of a leader, or what goes on after it
    /// stepped down.
    pub(super) const fn working_until(&self) -> Option<Instant> {
        match self.phase {
            Phase::Leading { until, .. } | Phase::Draining { until } => Some(until),
            _ => None,
        }
    }

    pub(super) const fn token(&self) -> Option<Token> {
        self.token
    }

    /// When the last write of a leader was answered.
    pub(super) fn renewed_at(&self) -> Option<Instant> {
        self.view.get(Part::Primary).map(|known| known.seen.at)
    }

    pub(super) const fn is_finished(&self) -> bool {
        matches!(self.phase, Phase::Finished)
    }

    /// When the lock is no longer held for sure; then whatever was begun under it ends.
    const fn held_until(&self) -> Option<Instant> {
        match self.phase {
            Phase::Leading { until, .. }
            | Phase::Draining { until }
            | Phase::Releasing { until } => Some(until),
            _ => None,
        }
    }

    /// When the end of authority is to be announced, and the end; `None` if that is not to be, or
    /// was done.
    fn endangered(&self, config: &Config) -> Option<(Instant, Instant)> {
        let Phase::Leading { until, warned: false } = self.phase else { return None };
        let before = saturating_nanos(config.warn_before?);
        Some((Instant::from_nanos(until.as_nanos().saturating_sub(before)), until))
    }

    pub(super) fn poll_timeout(&self, config: &Config) -> Option<Instant> {
        let attempt = match (&self.call, &self.phase) {
            (Some(call), _) => Some(call.deadline),
            (None, Phase::Lapsed | Phase::Finished) => None,
            (None, _) => Some(self.next),
        };
        let until = self.endangered(config).map(|(at, _)| at).or_else(|| self.held_until());
        match (attempt, until) {
            (Some(attempt), Some(until)) => Some(attempt.min(until)),
            (attempt, until) => attempt.or(until),
        }
    }

    pub(super) fn handle_timeout(&mut self, cx: &mut Context<'_>, now: Now) {
        self.lapse(cx, now);
        if let Some((_, until)) = self.endangered(cx.config).filter(|(at, _)| *at <= now.instant) {
            self.phase = Phase::Leading { until, warned: true };
            cx.out.event(Event::Endangered { until });
        }
        if let Some(call) = self.call.take_if(|call| call.deadline <= now.instant) {
            cx.out.withdraw();
            self.failed(cx, now, &call, Failure::Other);
        }
        if self.call.is_none() && self.next <= now.instant {
            self.attempt(cx, now);
        }
    }

    pub(super) fn handle_response(&mut self, cx: &mut Context<'_>, now: Now, response: Response) {
        let heeds_ends = cx.holds(Rule::LateAnswer);
        if heeds_ends {
            self.lapse(cx, now);
        }
        let is_any = !cx.holds(Rule::RequestId);
        let Some(call) = self.call.take_if(|call| call.id == response.id || is_any) else { return };
        cx.out.withdraw();
        match response.result {
            _ if call.deadline <= now.instant && heeds_ends => {
                self.failed(cx, now, &call, Failure::Other);
            }
            Ok(stored) => self.succeeded(cx, now, &call, stored),
            Err(failure) => self.failed(cx, now, &call, failure),
        }
    }

    pub(super) fn poke(&mut self, cx: &mut Context<'_>, now: Now) {
        // What a watch shows a holder is most often its own renewal: to answer that with the next
        // would be a loop.
        if self.uncertain || !matches!(self.phase, Phase::Leading { .. } | Phase::Draining { .. }) {
            self.next = self.next.min(now.instant);
        }
        self.handle_timeout(cx, now);
    }

    /// Begins the attempt that the phase calls for.
    fn attempt(&mut self, cx: &mut Context<'_>, now: Now) {
        let step = match self.phase {
            Phase::Candidate if self.take_due(cx).is_some_and(|due| due <= now.instant) => {
                Step::Take
            }
            Phase::Candidate => Step::Look,
            Phase::Leading { .. } | Phase::Draining { .. } if self.uncertain => Step::Recheck,
            Phase::Leading { .. } | Phase::Draining { .. } => Step::Renew,
            Phase::Releasing { .. } => Step::ReleaseLook,
            Phase::Lapsed | Phase::Finished => return,
        };
        self.begin(cx, now, step);
    }

    /// Takes in what the store has of an object.
    fn observe(&mut self, cx: &mut Context<'_>, now: Now, part: Part, stored: Stored) {
        let record = readable(&stored);
        let Some(known) = self.view.get_mut(part) else {
            self.view.put(part, Known::new(stored, record, without::dated(cx, now)));
            return;
        };
        let wished = prefer::preferred(&known.object) != prefer::preferred(&stored.object);
        known.object = stored.object;
        if known.seen.version == stored.version {
            if !cx.holds(Rule::SameVersionWaits) {
                known.seen.at = now.instant;
            }
            return;
        }
        if known.seen.record == record && !self.uncertain && !wished {
            cx.out.event(Event::ForeignWrite { version: stored.version.clone() });
        }
        known.wished &= known.seen.record.holder == record.holder;
        let at =
            without::unseen(cx, &known.seen, &record).unwrap_or_else(|| without::dated(cx, now));
        known.seen = Observed { record, version: stored.version, at };
        known.watched = false;
    }

    /// Takes in what a write of mine made: it is new, whatever its text.
    fn wrote(&mut self, cx: &Context<'_>, now: Now, part: Part, stored: Stored) {
        let record = readable(&stored);
        self.view.put(part, Known::new(stored, record, without::dated(cx, now)));
    }

    /// Says who holds the lock, if that was not said yet.
    fn report(&mut self, cx: &mut Context<'_>) {
        let identity = match self.view.holder() {
            Some(Holder::Named(identity)) if *identity != self.reported => identity.clone(),
            Some(Holder::Disputed) if self.reported.as_str() != UNKNOWN_HOLDER => {
                UNKNOWN_HOLDER.into()
            }
            _ => return,
        };
        self.reported = identity.clone();
        cx.out.event(Event::NewLeader { identity });
    }

    fn lead(&mut self, cx: &mut Context<'_>, sent: Instant, now: Now) {
        self.phase = Phase::Leading { until: gained(cx, sent, now), warned: false };
        // Of two objects the later one: the one that outlives a migration.
        let last = parts(cx.config).last().and_then(|&part| self.view.get(part));
        let version = last.and_then(|known| known.seen.version.as_ordered());
        self.token = version.map(Token::from_u64);
        self.working = true;
        self.renewed(cx, sent, now);
        cx.out.event(Event::StartedLeading { token: self.token });
    }

    fn renewed(&mut self, cx: &Context<'_>, sent: Instant, now: Now) {
        self.uncertain = false;
        let in_time = cx.holds(Rule::RenewInTime);
        let wait = if in_time { cx.config.retry_period } else { cx.config.lease_duration };
        self.next = (sent + wait).max(now.instant);
    }

    /// Authority is over though nobody asked.
    fn lose(&mut self, cx: &mut Context<'_>, now: Now, cause: Cause) {
        let leading = matches!(self.phase, Phase::Leading { .. });
        self.phase = if self.stopping { Phase::Lapsed } else { Phase::Candidate };
        self.token = None;
        self.successor = Identity::default();
        self.call = None;
        cx.out.withdraw();
        self.wait(cx, now);
        if leading {
            for _ in 0..without::times(cx) {
                cx.out.event(Event::StoppedLeading { cause });
            }
        }
    }

    /// What was held until now is held no more.
    fn lapse(&mut self, cx: &mut Context<'_>, now: Now) {
        if self.held_until().is_none_or(|until| until > now.instant) {
            return;
        }
        match self.phase {
            Phase::Leading { .. } | Phase::Draining { .. } => self.lose(cx, now, Cause::Expired),
            Phase::Releasing { .. } => self.finish(cx, now),
            Phase::Candidate | Phase::Lapsed | Phase::Finished => {}
        }
    }

    /// A candidate's wait: until the next look, or until what a watch has shown may be taken.
    fn wait(&mut self, cx: &mut Context<'_>, now: Now) {
        self.wait_longer(cx, now, Duration::ZERO);
    }

    fn wait_longer(&mut self, cx: &mut Context<'_>, now: Now, more: Duration) {
        let period = cx.config.retry_period;
        let drawn = cx.holds(Rule::Jitter);
        let wait = if drawn { cx.jitter.candidate_wait(period) } else { period };
        self.next = now.instant + wait.saturating_add(more);
        self.hurry(cx, now);
    }

    /// Looks no later than when what a watch has shown may be taken.
    fn hurry(&mut self, cx: &Context<'_>, now: Now) {
        if let Some(due) = self.take_due(cx) {
            self.next = self.next.min(due.max(now.instant));
        }
    }

    /// When the lock may be taken without a read before.
    fn take_due(&self, cx: &Context<'_>) -> Option<Instant> {
        if !self.may_take() || self.stopping || !self.rests_on_watch(cx.config) {
            return None;
        }
        self.view.due(cx)
    }
}

/// Until when a success gives authority whose request was sent then (rule 1).
fn gained(cx: &Context<'_>, sent: Instant, now: Now) -> Instant {
    let since = if cx.holds(Rule::SendTime) { sent } else { now.instant };
    if cx.holds(Rule::Deadline) { since + cx.config.renew_deadline } else { Instant::END }
}

/// What cannot be read is held by somebody, for as long as I would hold it.
fn readable(stored: &Stored) -> Record {
    let unknown = || Record { holder: UNKNOWN_HOLDER.into(), ..Record::default() };
    stored.object.record().unwrap_or_else(|_| unknown())
}

/// `now`, or `unit` after `before` if the wall clock has not passed that: a store may take a write
/// that changes nothing for none and keep the version (Kubernetes does), which would hide the
/// renewals of a holder whose wall clock stands still, and those within one `unit` of what the
/// object can say. A clock that was set back is written as it is.
fn changed(before: Option<Timestamp>, now: Timestamp, unit: i128) -> Timestamp {
    let cut = |time: Timestamp| time.unix_nanos().div_euclid(unit) * unit;
    // Go's zero time is stored as none.
    match cut(before.unwrap_or(Timestamp::GO_ZERO)) - cut(now) {
        ahead @ 0..1_000_000_000 => Timestamp::from_unix_nanos(cut(now) + ahead + unit),
        _ => now,
    }
}
