//! What is allowed and unwise in a configuration.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::{Conditions, Config, Missing, Profile};

/// What is allowed in a configuration and unwise. Its text says what to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Warning {
    /// An unanswered request and one retry period use up the renew deadline: there is no second try.
    FewTries {
        /// The request time-out; `None` if there is none.
        timeout: Option<Duration>,
        /// The retry period.
        retry: Duration,
        /// The renew deadline.
        deadline: Duration,
    },
    /// ClientGo: two leaders are possible though all clocks run alike.
    NoMargin {
        /// The longest that a leader may go on after its last effective renewal; `None` if nothing
        /// bounds it.
        needed: Option<Duration>,
        /// How long candidates wait.
        lease: Duration,
    },
    /// ClientGo releases the lock before the work has stopped.
    ReleasesBeforeStop,
    /// ClientGo: the recorded duration is cut to whole seconds.
    DurationCut {
        /// The lease duration.
        lease: Duration,
    },
    /// ClientGo: renewals within one second look the same to candidates.
    RetryBelowSecond {
        /// The retry period.
        retry: Duration,
    },
    /// ClientGo: a setting that only the strict profile heeds.
    StrictOnly {
        /// The field of [`Config`].
        setting: &'static str,
    },
    /// Two leaders are possible after the lock was deleted under a live one.
    NewGroup,
    /// Strict: a leader is warned before it has tried to renew, each time.
    WarnsEarly {
        /// How long before the end of authority it is warned.
        warning: Duration,
        /// The retry period.
        retry: Duration,
        /// The renew deadline.
        deadline: Duration,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewTries { timeout: Some(timeout), retry, deadline } => write!(
                f,
                "request_timeout {timeout:?} and retry_period {retry:?} leave no second try within \
                 renew_deadline {deadline:?}: shorten request_timeout"
            ),
            Self::FewTries { timeout: None, deadline, .. } => write!(
                f,
                "without request_timeout one unanswered request uses up renew_deadline {deadline:?}: \
                 set it to half of that"
            ),
            Self::NoMargin { needed: None, .. } => f.write_str(
                "two leaders are possible even with perfect clocks: without request_timeout an \
                 acquisition may be answered at any time: set it, or use Profile::Strict",
            ),
            Self::NoMargin { needed: Some(needed), lease } => write!(
                f,
                "two leaders are possible even with perfect clocks: a leader may go on for {needed:?} \
                 after a renewal, candidates wait {lease:?}: use Profile::Strict, or lengthen \
                 lease_duration"
            ),
            Self::ReleasesBeforeStop => f.write_str(
                "release_on_stop under ClientGo frees the lock before the work has stopped: \
                 use Profile::Strict, or do not release",
            ),
            Self::DurationCut { lease } => write!(
                f,
                "lease_duration {lease:?} is recorded as {} s: use whole seconds",
                lease.as_secs()
            ),
            Self::RetryBelowSecond { retry } => write!(
                f,
                "retry_period {retry:?} is below the one second by which candidates tell renewals \
                 apart: use at least 1s"
            ),
            Self::WarnsEarly { warning, retry, deadline } => write!(
                f,
                "warn_before {warning:?} warns before the first renewal, which comes retry_period \
                 {retry:?} after a success: make it shorter than {:?}",
                deadline.saturating_sub(*retry)
            ),
            Self::StrictOnly { setting } => write!(
                f,
                "{setting} does nothing under client-go's rules: use Profile::Strict, or leave it out"
            ),
            Self::NewGroup => f.write_str(
                "Missing::NewGroup leads at once when the lock is missing: use it only for the first \
                 start of a group",
            ),
        }
    }
}

impl Config {
    /// What is allowed and unwise in this configuration.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let (lease, deadline, retry) =
            (self.lease_duration, self.renew_deadline, self.retry_period);
        let timeout = self.request_timeout;
        let mut warnings = Vec::new();
        if timeout.is_none_or(|timeout| timeout.saturating_add(retry) >= deadline) {
            warnings.push(Warning::FewTries { timeout, retry, deadline });
        }
        match self.profile {
            Profile::Strict => {
                if self.missing == Missing::NewGroup {
                    warnings.push(Warning::NewGroup);
                }
                let early = |warning: &Duration| *warning >= deadline.saturating_sub(retry);
                if let Some(warning) = self.warn_before.filter(early) {
                    warnings.push(Warning::WarnsEarly { warning, retry, deadline });
                }
            }
            Profile::ClientGo(_) => {
                let margin = self.margin(&Conditions::default());
                if !margin.is_inside() {
                    let (needed, lease) = (margin.needed(), margin.lease);
                    warnings.push(Warning::NoMargin { needed, lease });
                }
                if self.release_on_stop {
                    warnings.push(Warning::ReleasesBeforeStop);
                }
                if lease.subsec_nanos() > 0 {
                    warnings.push(Warning::DurationCut { lease });
                }
                if retry < Duration::from_secs(1) {
                    warnings.push(Warning::RetryBelowSecond { retry });
                }
                let unheeded = [
                    ("warn_before", self.warn_before.is_some()),
                    ("lock_delay", !self.lock_delay.is_zero()),
                    ("preferred", self.preferred),
                ];
                let unheeded = unheeded.into_iter().filter(|(_, given)| *given);
                warnings.extend(unheeded.map(|(setting, _)| Warning::StrictOnly { setting }));
            }
        }
        warnings
    }
}
