//! What is done where a rule is left out, for tests of checks. With all rules, each of these does nothing.

use core::time::Duration;

use super::view::View;
use super::{Phase, Step, Strict};
use crate::election::elector::Context;
use crate::election::{Failure, Rule};
use crate::lock::{Observed, Record};
use crate::time::{Instant, Now, Timestamp};

/// When an observation is said to have been made.
pub(super) fn dated(cx: &Context<'_>, now: Now) -> Instant {
    if cx.holds(Rule::Monotonic) { now.instant } else { by_wall(now.timestamp) }
}

fn by_wall(time: Timestamp) -> Instant {
    Instant::from_nanos(u64::try_from(time.unix_nanos()).unwrap_or(0))
}

/// Whether a wait is over, if that is not to be told by the monotonic clock.
pub(super) fn is_over(cx: &Context<'_>, now: Now, view: &View, due: Instant) -> Option<bool> {
    if !cx.holds(Rule::OwnWait) {
        let wall = now.timestamp.unix_nanos();
        let end = |record: &Record, hold: Duration| {
            let renewed = record.renew_time.unwrap_or(Timestamp::GO_ZERO).unix_nanos();
            renewed.saturating_add(i128::try_from(hold.as_nanos()).unwrap_or(i128::MAX))
        };
        let mut holds = view
            .known()
            .filter_map(|known| known.hold(cx).map(|hold| end(&known.seen.record, hold)));
        return Some(holds.all(|end| end <= wall));
    }
    (!cx.holds(Rule::Monotonic)).then(|| due <= by_wall(now.timestamp))
}

/// When the wait has begun, if a new version is taken for the one that was seen.
pub(super) fn unseen(cx: &Context<'_>, seen: &Observed, record: &Record) -> Option<Instant> {
    let second = |time: Option<Timestamp>| time.map(Timestamp::unix_seconds);
    let same_second = second(seen.record.renew_time) == second(record.renew_time);
    let missed =
        !cx.holds(Rule::NewVersionWaits) || !cx.holds(Rule::SubSecondRenewal) && same_second;
    (missed && seen.record.holder == record.holder).then_some(seen.at)
}

/// Whether a renewal that failed counts as one.
pub(super) const fn renews(cx: &Context<'_>, failure: Failure) -> bool {
    match failure {
        Failure::Conflict => !cx.holds(Rule::ConflictIsNoRenewal),
        Failure::Other => !cx.holds(Rule::ErrorIsNoRenewal),
        Failure::NotFound | Failure::AlreadyExists => false,
    }
}

/// What a failure is taken for.
pub(super) const fn heard(cx: &Context<'_>, step: Step, failure: Failure) -> Failure {
    match (step, failure) {
        (Step::Look, Failure::Other) if !cx.holds(Rule::ErrorIsNotMissing) => Failure::NotFound,
        _ => failure,
    }
}

/// What a renewal writes again of the record before, but for duration and time of renewal.
pub(super) fn kept(cx: &Context<'_>, now: Now, before: &Record) -> Record {
    let mut record = before.clone();
    if !cx.holds(Rule::KeepAcquireTime) {
        record.acquire_time = Some(now.timestamp);
    }
    if !cx.holds(Rule::RenewalIsNoTransition) {
        record.leader_transitions += 1;
    }
    record
}

/// Whether a record of an earlier life is taken for this one's.
pub(super) fn is_mine(cx: &Context<'_>, record: &Record) -> bool {
    let life = record.holder.as_str().strip_prefix(cx.config.identity.as_str());
    !cx.holds(Rule::EarlierLifeWaits) && life.is_some_and(|life| life.starts_with('_'))
}

/// How often the end of leading is told.
pub(super) const fn times(cx: &Context<'_>) -> u8 {
    match (cx.holds(Rule::TellTheEnd), cx.holds(Rule::TellOnce)) {
        (false, _) => 0,
        (true, true) => 1,
        (true, false) => 2,
    }
}

impl Strict {
    /// What follows a candidate's failure.
    pub(super) fn try_again(&mut self, cx: &mut Context<'_>, now: Now) {
        self.wait(cx, now);
        if !cx.holds(Rule::TryAgain) && matches!(self.phase, Phase::Candidate) {
            self.next = Instant::END;
        }
    }
}
