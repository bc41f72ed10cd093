//! What to change so that a configuration has a margin.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::{Conditions, SECOND, nanos};
use crate::election::{Config, Profile};

/// One change that gives a configuration a margin.
///
/// ```
/// use core::time::Duration;
/// use tenure::election::{Conditions, Config, Profile, Ratio, Release, Remedy};
/// use tenure::lock::LockRef;
///
/// let config = Config::new(LockRef::lease("default", "controller"), "pod-0", "6ba7b810");
/// let conditions = Conditions { ratio: Ratio::new(8, 5).unwrap(), ..Conditions::default() };
/// let remedies = config.remedies(&conditions);
/// assert_eq!(remedies[0], Remedy::LeaseDuration(Duration::from_secs(16)));
/// assert_eq!(remedies[1].to_string(), "renew_deadline 9.3s");
/// for remedy in remedies {
///     assert!(remedy.applied(&config).margin(&conditions).is_inside());
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Remedy {
    /// Another [`lease_duration`](Config::lease_duration).
    LeaseDuration(Duration),
    /// Another [`renew_deadline`](Config::renew_deadline).
    RenewDeadline(Duration),
    /// Another [`retry_period`](Config::retry_period).
    RetryPeriod(Duration),
    /// Another [`request_timeout`](Config::request_timeout).
    RequestTimeout(Duration),
    /// No [`release_on_stop`](Config::release_on_stop).
    NoRelease,
    /// [`Profile::Strict`].
    Strict,
}

impl Remedy {
    /// The configuration with this change.
    #[must_use]
    pub fn applied(self, config: &Config) -> Config {
        let mut config = config.clone();
        match self {
            Self::LeaseDuration(lease) => config.lease_duration = lease,
            Self::RenewDeadline(deadline) => config.renew_deadline = deadline,
            Self::RetryPeriod(retry) => config.retry_period = retry,
            Self::RequestTimeout(timeout) => config.request_timeout = Some(timeout),
            Self::NoRelease => config.release_on_stop = false,
            Self::Strict => config.profile = Profile::Strict,
        }
        config
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeaseDuration(lease) => write!(f, "lease_duration {lease:?}"),
            Self::RenewDeadline(deadline) => write!(f, "renew_deadline {deadline:?}"),
            Self::RetryPeriod(retry) => write!(f, "retry_period {retry:?}"),
            Self::RequestTimeout(timeout) => write!(f, "request_timeout {timeout:?}"),
            Self::NoRelease => f.write_str("release_on_stop false"),
            Self::Strict => f.write_str("profile strict"),
        }
    }
}

/// Durations are looked for in steps of this.
const STEP: Duration = Duration::from_millis(100);

impl Config {
    /// The changes of one setting each that give this configuration a margin under `conditions`, and
    /// with which it is accepted; none if it has one. Durations other than the lease in steps of
    /// 100 ms.
    #[must_use]
    pub fn remedies(&self, conditions: &Conditions) -> Vec<Remedy> {
        let margin = self.margin(conditions);
        let mut remedies = Vec::new();
        if margin.is_inside() {
            return remedies;
        }
        let helps = |remedy: &Remedy| {
            let config = remedy.applied(self);
            config.margin(conditions).is_inside() && config.validate().is_ok()
        };
        let largest = |below: Duration, make: fn(Duration) -> Remedy| {
            let inside = |steps: u32| {
                let remedy = make(STEP.saturating_mul(steps));
                remedy.applied(self).margin(conditions).is_inside()
            };
            let steps = below.saturating_sub(Duration::from_nanos(1)).as_nanos() / STEP.as_nanos();
            largest(u32::try_from(steps).unwrap_or(u32::MAX), inside)
                .map(|steps| make(STEP.saturating_mul(steps)))
        };
        let lease = margin.needed().and_then(nanos).map(|needed| {
            let scaled = u128::from(needed) * u128::from(conditions.ratio.fastest());
            let lease = scaled.div_ceil(u128::from(conditions.ratio.slowest()));
            let seconds = lease.div_ceil(SECOND.as_nanos());
            Remedy::LeaseDuration(Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)))
        });
        let timeout = self.request_timeout.unwrap_or(self.renew_deadline);
        let client_go = self.profile != Profile::Strict;
        remedies.extend(client_go.then_some(Remedy::Strict));
        remedies.extend(lease);
        remedies.extend(largest(self.renew_deadline, Remedy::RenewDeadline));
        if client_go {
            remedies.extend(largest(timeout, Remedy::RequestTimeout));
            remedies.extend(largest(self.retry_period, Remedy::RetryPeriod));
            remedies.push(Remedy::RetryPeriod(SECOND)); // which a shorter one does not imply
            remedies.push(Remedy::NoRelease);
        }
        remedies.retain(helps);
        remedies.dedup();
        remedies
    }
}

/// The largest number from 1 to `most` of which `inside` says yes, if it says yes up to some number and
/// no from there on.
fn largest(most: u32, inside: impl Fn(u32) -> bool) -> Option<u32> {
    let (mut yes, mut no) = (0, most.saturating_add(1));
    while yes + 1 < no {
        let middle = yes + (no - yes) / 2;
        if inside(middle) { yes = middle } else { no = middle }
    }
    (yes > 0).then_some(yes)
}
