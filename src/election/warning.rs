//! What is allowed and unwise in a configuration, and how much margin it has.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::{Config, Missing, Profile};

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
        /// The longest that a leader may go on after its last effective renewal.
        needed: Duration,
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
            Self::NoMargin { needed: Duration::MAX, .. } => f.write_str(
                "two leaders are possible even with perfect clocks: without request_timeout an \
                 acquisition may be answered at any time: set it, or use Profile::Strict",
            ),
            Self::NoMargin { needed, lease } => write!(
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
            Self::NewGroup => f.write_str(
                "Missing::NewGroup leads at once when the lock is missing: use it only for the first \
                 start of a group",
            ),
        }
    }
}

/// How long a leader may go on after its last effective renewal, and how long candidates wait.
///
/// Two leaders are impossible while `needed` times the ratio between the fastest and the slowest
/// monotonic clock is at most `lease`. Strict: `needed` is the renew deadline plus `slack`. ClientGo:
/// retry period + renew deadline + the longest answer + the time spent in release + `slack`; without
/// a request time-out an acquisition may be answered at any time, and there is no bound.
///
/// ```
/// use core::time::Duration;
/// use tenure::election::{Config, Profile, Release};
/// use tenure::lock::LockRef;
///
/// let strict = Config::new(LockRef::lease("default", "controller"), "pod-0", "6ba7b810");
/// let margin = strict.margin(Duration::from_millis(500));
/// assert_eq!(margin.needed, Duration::from_millis(10_500));
/// assert!(margin.covers(10, 7) && !margin.covers(3, 2));
///
/// let client_go = Config { profile: Profile::ClientGo(Release::Head), ..strict };
/// assert_eq!(client_go.margin(Duration::ZERO).needed, Duration::from_secs(2 + 10 + 5 + 10));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Margin {
    /// The longest that a leader may go on after its last effective renewal.
    pub needed: Duration,
    /// How long candidates wait: the recorded duration.
    pub lease: Duration,
}

impl Margin {
    /// Whether two leaders are impossible while clock rates differ by at most `fastest / slowest`.
    #[must_use]
    pub fn covers(&self, fastest: u32, slowest: u32) -> bool {
        let needed = self.needed.as_nanos().saturating_mul(fastest.into());
        needed <= self.lease.as_nanos().saturating_mul(slowest.into())
    }
}

impl Config {
    /// The margin of this configuration if the process handles due timers and events, and its work
    /// stops, within `slack` (zero for work that asks [`is_leading`](super::Elector::is_leading)
    /// before each act).
    #[must_use]
    pub fn margin(&self, slack: Duration) -> Margin {
        let (deadline, retry) = (self.renew_deadline, self.retry_period);
        match self.profile {
            Profile::Strict => Margin {
                needed: deadline.saturating_add(slack),
                lease: Duration::from_secs(u64::try_from(self.recorded_seconds()).unwrap_or(0)),
            },
            Profile::ClientGo(_) => {
                let release = if self.release_on_stop { deadline } else { Duration::ZERO };
                let stop = deadline.saturating_add(release).saturating_add(slack);
                // After a renewal: its answer, the sleep of one retry period, a whole cycle.
                let answer = self.request_timeout.map_or(deadline, |timeout| timeout.min(deadline));
                let renewal = answer.saturating_add(retry).saturating_add(stop);
                // After the acquisition: its answer, which only a time-out bounds, and a cycle.
                let acquisition =
                    self.request_timeout.unwrap_or(Duration::MAX).saturating_add(stop);
                Margin {
                    needed: renewal.max(acquisition),
                    lease: Duration::from_secs(self.lease_duration.as_secs()),
                }
            }
        }
    }

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
                let margin = self.margin(Duration::ZERO);
                if !margin.covers(1, 1) {
                    let Margin { needed, lease } = margin;
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
            }
        }
        warnings
    }
}
