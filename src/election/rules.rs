//! The rules of an elector by name, so that each can be left out to show that checks notice.

use core::hash::{Hash, Hasher};

/// A rule that [`Config`](super::Config) may leave out (feature `mutants`, for tests only). Without it
/// the elector has a bug that elections are known to have. [`ExactNames`](Self::ExactNames) is about
/// [`Profile::ClientGo`](super::Profile::ClientGo), all others about
/// [`Profile::Strict`](super::Profile::Strict).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Whether a lease has run out is judged by how long it was seen unchanged, not by the times that
    /// its record tells.
    OwnWait,
    /// Observations are dated by the monotonic clock.
    Monotonic,
    /// Authority ends.
    Deadline,
    /// Authority counts from the sending of a request, not from its answer.
    SendTime,
    /// Each change of holder counts as a transition.
    CountTransitions,
    /// A renewal does not.
    RenewalIsNoTransition,
    /// A release is written only over a record that names this replica.
    OwnRelease,
    /// A candidate waits for as long as the record says, not for its own lease duration.
    RecordedDuration,
    /// To read the same version again does not begin the wait anew.
    SameVersionWaits,
    /// A new version does, though its holder is the same.
    NewVersionWaits,
    /// So does one that was renewed within the second of the last.
    SubSecondRenewal,
    /// A renewal keeps the time of the acquisition.
    KeepAcquireTime,
    /// A conflict is no renewal.
    ConflictIsNoRenewal,
    /// Any other error is none, either.
    ErrorIsNoRenewal,
    /// Only the answer to the outstanding request counts.
    RequestId,
    /// A candidate tries again after a failure.
    TryAgain,
    /// A released lock may be taken at once.
    ReleasedIsFree,
    /// A read that fails does not say that there is no lock.
    ErrorIsNotMissing,
    /// The holder's name has this life's incarnation.
    Incarnation,
    /// The lease duration is recorded in seconds.
    Seconds,
    /// A leader renews each retry period.
    RenewInTime,
    /// A leader that finds no lock stops.
    MissingEnds,
    /// Whether it leads is asked by the clock, not by the last event.
    Clock,
    /// A renewal changes the record, however little time has passed.
    FreshRenewal,
    /// A write that keeps its version renews nothing.
    SameVersionRenewsNothing,
    /// A leader that learns of another holder stops.
    AnotherEnds,
    /// Candidates' waits are drawn.
    Jitter,
    /// A lock may be taken at the end of the wait, not only after it.
    AtTheEnd,
    /// An answer after the end of authority extends nothing.
    LateAnswer,
    /// The lock of this replica's earlier life is another's.
    EarlierLifeWaits,
    /// The renew deadline is less than the lease duration.
    DeadlineWithinLease,
    /// Names are compared letter by letter.
    ExactNames,
    /// The recorded duration is rounded up.
    RoundUp,
    /// The end of leading is told once.
    TellOnce,
    /// The end of leading is told.
    TellTheEnd,
    /// Of two objects, both holders are waited for.
    BothWait,
    /// Of two objects, both must be held.
    BothHeld,
}

impl Rule {
    /// All of them, and their names on the command line.
    const NAMES: [(Self, &'static str); 37] = [
        (Self::OwnWait, "own-wait"),
        (Self::Monotonic, "monotonic"),
        (Self::Deadline, "deadline"),
        (Self::SendTime, "send-time"),
        (Self::CountTransitions, "count-transitions"),
        (Self::RenewalIsNoTransition, "renewal-is-no-transition"),
        (Self::OwnRelease, "own-release"),
        (Self::RecordedDuration, "recorded-duration"),
        (Self::SameVersionWaits, "same-version-waits"),
        (Self::NewVersionWaits, "new-version-waits"),
        (Self::SubSecondRenewal, "sub-second-renewal"),
        (Self::KeepAcquireTime, "keep-acquire-time"),
        (Self::ConflictIsNoRenewal, "conflict-is-no-renewal"),
        (Self::ErrorIsNoRenewal, "error-is-no-renewal"),
        (Self::RequestId, "request-id"),
        (Self::TryAgain, "try-again"),
        (Self::ReleasedIsFree, "released-is-free"),
        (Self::ErrorIsNotMissing, "error-is-not-missing"),
        (Self::Incarnation, "incarnation"),
        (Self::Seconds, "seconds"),
        (Self::RenewInTime, "renew-in-time"),
        (Self::MissingEnds, "missing-ends"),
        (Self::Clock, "clock"),
        (Self::FreshRenewal, "fresh-renewal"),
        (Self::SameVersionRenewsNothing, "same-version-renews-nothing"),
        (Self::AnotherEnds, "another-ends"),
        (Self::Jitter, "jitter"),
        (Self::AtTheEnd, "at-the-end"),
        (Self::LateAnswer, "late-answer"),
        (Self::EarlierLifeWaits, "earlier-life-waits"),
        (Self::DeadlineWithinLease, "deadline-within-lease"),
        (Self::ExactNames, "exact-names"),
        (Self::RoundUp, "round-up"),
        (Self::TellOnce, "tell-once"),
        (Self::TellTheEnd, "tell-the-end"),
        (Self::BothWait, "both-wait"),
        (Self::BothHeld, "both-held"),
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NAMES.into_iter().map(|(rule, _)| rule)
    }

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        let mut names = Self::NAMES.into_iter();
        names.find(|(rule, _)| *rule == self).map_or("", |(_, name)| name)
    }
}

/// Which rules hold: all, but for those that a test left out.
///
/// ```
/// use tenure::election::{Rule, Rules};
/// assert_eq!(Rule::Deadline.name(), "deadline");
/// assert!(Rule::all().all(|rule| Rules::default().hold(rule)));
/// # #[cfg(feature = "mutants")]
/// assert!(!Rules::default().without(Rule::Deadline).hold(Rule::Deadline));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    #[cfg(feature = "mutants")]
    off: u64,
}

/// With all rules an elector hashes as it does without the feature.
impl Hash for Rules {
    fn hash<H: Hasher>(&self, state: &mut H) {
        #[cfg(feature = "mutants")]
        if self.off != 0 {
            self.off.hash(state);
        }
        let _ = state;
    }
}

impl Rules {
    /// All but `rule`.
    #[cfg(feature = "mutants")]
    #[must_use]
    pub const fn without(self, rule: Rule) -> Self {
        Self { off: self.off | 1 << rule as u64 }
    }

    /// Whether `rule` holds. Always, without the feature.
    #[must_use]
    #[inline]
    pub const fn hold(self, rule: Rule) -> bool {
        #[cfg(feature = "mutants")]
        return self.off >> rule as u64 & 1 == 0;
        #[cfg(not(feature = "mutants"))]
        {
            let _ = (self, rule);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_a_name_and_a_place_of_its_own() {
        for (place, (rule, name)) in Rule::NAMES.into_iter().enumerate() {
            assert_eq!((rule as usize, rule.name()), (place, name));
            assert!(Rules::default().hold(rule));
        }
        let mut names: alloc::vec::Vec<_> = Rule::all().map(Rule::name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Rule::NAMES.len());
    }
}
