//! What is allowed and unwise in a configuration.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::{Config, Mode};

/// More leases than this are renewed a second in mode `leased`: an API server notices.
const MANY_RENEWALS: u128 = 100;

/// The ratio of L to D in millionths below which clocks that are slewed, or virtual, are not safe.
const NARROW_PPM: u64 = 1_010_000;

/// What is allowed in a configuration and unwise. Its text says what to change.
///
/// ```
/// use core::time::Duration;
/// use tenure::sharding::{Config, Warning};
/// let mut config = Config::new("default", "controller", "controller-0", "6ba7b810");
/// assert!(config.warnings().is_empty());
/// config.request_timeout = Duration::from_secs(8);
/// let [warning @ Warning::FewTries { .. }] = config.warnings()[..] else { panic!() };
/// assert_eq!(
///     warning.to_string(),
///     "request_timeout 8s and retry_period 2s use up renew_deadline 10s, so that one lost answer ends a \
///      member's authority: shorten request_timeout",
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Warning {
    /// A renewal comes a retry period after the one before. If its answer is lost, that is known when its
    /// time is out, and authority has ended before there is another: one lost answer, and all work stops.
    FewTries {
        /// The request time-out.
        timeout: Duration,
        /// The retry period.
        retry: Duration,
        /// The renew deadline.
        deadline: Duration,
    },
    /// Two members own a slot if one's clock gains this little on the other's.
    NarrowClocks {
        /// The bound, [`Config::greatest_clock_ratio_ppm`].
        ratio_ppm: u64,
    },
    /// Records are deleted so soon that members may not have read them: they then wait for those that
    /// have left as if these had crashed.
    CollectsEarly {
        /// After how long they are deleted.
        collect_after: Duration,
        /// The lease duration.
        lease: Duration,
    },
    /// Mode `leased` renews the lease of each slot in each retry period.
    ManyLeases {
        /// How many slots there are.
        slots: u32,
        /// How many writes that is in a second, of the whole group.
        renewals_per_second: u64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewTries { timeout, retry, deadline } => write!(
                f,
                "request_timeout {timeout:?} and retry_period {retry:?} use up renew_deadline \
                 {deadline:?}, so that one lost answer ends a member's authority: shorten request_timeout"
            ),
            Self::NarrowClocks { ratio_ppm } => write!(
                f,
                "two members own a slot if one's clock gains {} millionths on the other's: lengthen \
                 lease_duration, or shorten renew_deadline",
                ratio_ppm.saturating_sub(1_000_000)
            ),
            Self::CollectsEarly { collect_after, lease } => write!(
                f,
                "collect_after {collect_after:?} deletes records that others may not have read, who then \
                 wait {lease:?}: make it longer than lease_duration"
            ),
            Self::ManyLeases { slots, renewals_per_second } => write!(
                f,
                "mode leased with {slots} slots writes {renewals_per_second} times a second: use fewer \
                 slots, a longer retry_period, or another mode"
            ),
        }
    }
}

impl Config {
    /// What is allowed and unwise in this configuration.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let (timeout, retry) = (self.request_timeout, self.retry_period);
        let (lease, deadline) = (self.lease_duration, self.renew_deadline);
        let mut warnings = Vec::new();
        if timeout.saturating_add(retry) >= deadline {
            warnings.push(Warning::FewTries { timeout, retry, deadline });
        }
        let ratio_ppm = self.greatest_clock_ratio_ppm();
        if ratio_ppm < NARROW_PPM {
            warnings.push(Warning::NarrowClocks { ratio_ppm });
        }
        let collect_after = self.collect_after;
        if collect_after <= lease {
            warnings.push(Warning::CollectsEarly { collect_after, lease });
        }
        let slots = self.slots.count();
        let renewals = u128::from(slots) * 1_000_000_000 / retry.as_nanos().max(1);
        if self.mode == Mode::Leased && renewals > MANY_RENEWALS {
            let renewals_per_second = u64::try_from(renewals).unwrap_or(u64::MAX);
            warnings.push(Warning::ManyLeases { slots, renewals_per_second });
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use core::time::Duration;

    use super::{Config, Mode, Warning};
    use crate::sharding::Slots;

    const MILLI: Duration = Duration::from_millis(1);

    fn of(change: impl FnOnce(&mut Config)) -> Vec<Warning> {
        let mut config = Config::new("default", "group", "a", "life");
        change(&mut config);
        config.validate().unwrap();
        config.warnings()
    }

    /// Each where it begins, and not before.
    #[test]
    fn each_has_its_bound() {
        assert_eq!(of(|_| ()), []);
        let (retry, deadline) = (Duration::from_secs(2), Duration::from_secs(10));
        let timeout = Duration::from_secs(8);
        let shorter = Duration::from_millis(7_999);
        assert_eq!(of(|config| config.request_timeout = shorter), []);
        let few = Warning::FewTries { timeout, retry, deadline };
        assert_eq!(of(|config| config.request_timeout = timeout), [few]);

        let deadline = |millis| move |config: &mut Config| config.renew_deadline = MILLI * millis;
        assert_eq!(of(deadline(14_851)), []); // 15 / 14.851 is 1.01003
        let narrow = of(deadline(14_900));
        assert_eq!(narrow, [Warning::NarrowClocks { ratio_ppm: 1_006_711 }]);
        assert!(narrow[0].to_string().contains("gains 6711 millionths"));

        let lease = Duration::from_secs(15);
        assert_eq!(of(|config| config.collect_after = lease + MILLI), []);
        let early = Warning::CollectsEarly { collect_after: lease, lease };
        assert_eq!(of(|config| config.collect_after = lease), [early]);
        assert!(early.to_string().contains("wait 15s"));

        let leased = |slots| {
            of(|config| {
                config.mode = Mode::Leased;
                config.slots = Slots::new(slots).unwrap();
            })
        };
        assert_eq!(leased(128), []);
        let many = Warning::ManyLeases { slots: 256, renewals_per_second: 128 };
        assert_eq!(leased(256), [many]);
        assert!(
            many.to_string().starts_with("mode leased with 256 slots writes 128 times a second")
        );
    }
}
