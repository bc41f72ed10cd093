//! What an elector is told when it is made, and what is refused.

use alloc::format;
use core::fmt;
use core::time::Duration;

use super::{Profile, Release, Rule, Rules};
use crate::jitter::jittered;
use crate::lock::lease::Entries;
use crate::lock::{Identity, LockRef};

/// What to do when there is no lock ([`Profile::Strict`] only).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Missing {
    /// Write a placeholder that nobody holds, wait for a lease duration like everybody else, then
    /// take it. A lock that somebody deleted under a live leader then makes no second leader; the
    /// price is that the first start of a group takes a lease duration.
    #[default]
    Wait,
    /// Create the lock and lead at once, as client-go does. Asserts that no leader of a deleted
    /// lock is alive.
    NewGroup,
}

/// What an [`Elector`](super::Elector) is told when it is made.
///
/// ```
/// use core::time::Duration;
/// use tenure::election::{Config, Elector};
/// use tenure::lock::LockRef;
/// use tenure::time::Instant;
///
/// let config = Config {
///     retry_period: Duration::from_secs(1),
///     ..Config::new(LockRef::lease("default", "controller"), "pod-0", "6ba7b810")
/// };
/// assert!(config.warnings().is_empty());
/// let elector = Elector::new(config, 42, Instant::from_nanos(0)).unwrap();
/// assert_eq!(elector.identity().as_str(), "pod-0_6ba7b810");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Config {
    /// The object that carries the lock.
    pub lock: LockRef,
    /// A second object that carries the lock, while a group migrates from one kind to another:
    /// client-go's `MultiLock`, of which [`lock`](Self::lock) is the primary. Two replicas exclude
    /// each other if they have an object in common: `ConfigMap`, then both, then Lease alone, each
    /// step rolled out to all before the next.
    ///
    /// [`Profile::Strict`] reads both, then writes the primary and the secondary, each over the
    /// version that it has read, and leads once both have succeeded, from the sending of the first.
    /// It takes the lock only if each object may be taken; one that is missing gets a placeholder.
    /// [`Event::NewLeader`](super::Event::NewLeader) names
    /// [`UNKNOWN_HOLDER`](crate::lock::UNKNOWN_HOLDER) while they name different ones. The token is
    /// the version of the secondary, which outlives the migration: it does not compare with those of
    /// the primary alone. Costs two requests for one, one after the other.
    pub secondary: Option<LockRef>,
    /// This replica's name; unique in the group.
    pub identity: Identity,
    /// Unique for each life of a process, better for each elector (from the system's randomness), so
    /// that two with one name do not both believe. Without `_`: [`Profile::Strict`] holds the lock as
    /// `identity_incarnation`. [`Profile::ClientGo`] ignores it and needs an identity that is unique
    /// by itself.
    pub incarnation: Identity,
    /// How long candidates wait, after they have seen a renewal, before they take the lock. Recorded
    /// in whole seconds: rounded up under [`Profile::Strict`], cut under [`Profile::ClientGo`].
    pub lease_duration: Duration,
    /// Strict: authority ends this long after the last successful request was sent. ClientGo: how
    /// long one cycle of renewing may retry.
    pub renew_deadline: Duration,
    /// How long to wait between tries.
    pub retry_period: Duration,
    /// How long to wait for an answer; `None` for no limit but the authority's end.
    pub request_timeout: Option<Duration>,
    /// Whether to release the lock when stopped.
    pub release_on_stop: bool,
    /// What to do when there is no lock.
    pub missing: Missing,
    /// Whether a coordinator says who leads (coordinated leader election, KEP-4355): this replica
    /// then never takes the lock by itself. [`Profile::ClientGo`] from 1.31 on.
    pub coordinated: bool,
    /// How long before the end of authority to say [`Event::Endangered`](super::Event::Endangered);
    /// never if `None`. Less than the renew deadline less the retry period, else a leader is warned
    /// before it has tried to renew. The `DynamoDB` lock client's safe time without heartbeat.
    /// [`Profile::Strict`] only.
    pub warn_before: Option<Duration>,
    /// How much longer than the lease lasts candidates wait after a holder that did not release the
    /// lock, so that what it had begun comes to rest (Chubby's and Consul's lock delay). After a
    /// release, or a placeholder, they do not. Each candidate goes by its own. Authority does not
    /// last longer by it: it is for work that cannot be fenced. [`Profile::Strict`] only.
    pub lock_delay: Duration,
    /// Whether this replica should lead whenever it can: as a candidate it writes its name into the
    /// annotation `tenure.dev/preferred-holder` of the holder's object, unless a name stands there,
    /// and the holder hands the lock over ([`Elector::hand_over`](super::Elector::hand_over)) when it
    /// reads that: by its watch, or because its next renewal fails. One that is preferred itself does
    /// not heed it, nor does client-go. Each term's first write removes the name, so that one who
    /// died costs one handing over and a lease duration, once.
    ///
    /// The announcement is a new version: it restarts other candidates' waits, once a term, and costs
    /// the leader two requests. [`Profile::Strict`] only.
    pub preferred: bool,
    /// Labels to set on the object if it is a Lease, as client-go's `LeaseLock` does: each write sets
    /// them again, others on it are left alone. A `ConfigMap` and Endpoints get none.
    pub labels: Entries,
    /// Which rules to follow.
    pub profile: Profile,
    #[doc(hidden)]
    pub rules: Rules,
}

impl Config {
    /// Kubernetes' usual durations (15 s, 10 s, 2 s), a request time-out of half the renew deadline
    /// (client-go's `NewFromKubeconfig`), release when stopped, [`Profile::Strict`].
    #[must_use]
    pub fn new(
        lock: LockRef,
        identity: impl Into<Identity>,
        incarnation: impl Into<Identity>,
    ) -> Self {
        Self {
            lock,
            secondary: None,
            identity: identity.into(),
            incarnation: incarnation.into(),
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
            request_timeout: Some(Duration::from_secs(5)),
            release_on_stop: true,
            missing: Missing::Wait,
            coordinated: false,
            warn_before: None,
            lock_delay: Duration::ZERO,
            preferred: false,
            labels: Entries::new(),
            profile: Profile::Strict,
            rules: Rules::default(),
        }
    }

    /// The name under which the lock is held.
    pub(super) fn holder(&self) -> Identity {
        match self.profile {
            Profile::Strict if self.rules.hold(Rule::Incarnation) => {
                Identity::from(format!("{}_{}", self.identity, self.incarnation))
            }
            Profile::Strict | Profile::ClientGo(_) => self.identity.clone(),
        }
    }

    /// The lease duration in whole seconds, rounded up.
    pub(super) fn recorded_seconds(&self) -> i64 {
        let part = self.lease_duration.subsec_nanos() > 0 && self.rules.hold(Rule::RoundUp);
        let seconds = self.lease_duration.as_secs().saturating_add(u64::from(part));
        let unit = if self.rules.hold(Rule::Seconds) { 1 } else { 1_000 };
        i64::try_from(seconds.saturating_mul(unit)).unwrap_or(i64::MAX)
    }

    /// # Errors
    /// See [`ConfigError`].
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        match self.profile {
            Profile::Strict => self.validate_strict()?,
            Profile::ClientGo(_) => self.validate_client_go()?,
        }
        self.validate_objects()?;
        match self.profile {
            Profile::Strict if self.coordinated => Err(ConfigError::StrictCoordinated),
            Profile::ClientGo(release) if self.coordinated && release < Release::V1_31 => {
                Err(ConfigError::NotCoordinated { profile: self.profile })
            }
            _ => Ok(()),
        }
    }

    /// `NewLeaderElector`, checks 1 to 5 and 9 in its order. The others have no counterpart here.
    fn validate_client_go(&self) -> Result<(), ConfigError> {
        let (lease, deadline, retry) =
            (self.lease_duration, self.renew_deadline, self.retry_period);
        if lease <= deadline {
            return Err(ConfigError::LeaseNotLonger { lease, deadline });
        }
        if deadline <= jittered(retry) {
            return Err(ConfigError::DeadlineWithinJitter { deadline, retry });
        }
        // The first check has seen to lease > 0, the second to deadline > 0.
        if retry.is_zero() {
            return Err(ConfigError::RetryZero);
        }
        if self.request_timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(ConfigError::RequestTimeoutZero);
        }
        if self.identity.is_empty() {
            return Err(ConfigError::IdentityEmpty);
        }
        Ok(())
    }

    fn validate_objects(&self) -> Result<(), ConfigError> {
        if self.lock.name.is_empty() {
            return Err(ConfigError::LockUnnamed);
        }
        match &self.secondary {
            Some(secondary) if secondary.name.is_empty() => Err(ConfigError::SecondaryUnnamed),
            Some(secondary) if *secondary == self.lock => Err(ConfigError::SecondaryIsPrimary),
            _ => Ok(()),
        }
    }

    fn validate_strict(&self) -> Result<(), ConfigError> {
        let (lease, deadline, retry) =
            (self.lease_duration, self.renew_deadline, self.retry_period);
        if lease < Duration::from_secs(1) || self.recorded_seconds() > i64::from(i32::MAX) {
            return Err(ConfigError::LeaseNotRecordable { lease });
        }
        if lease <= deadline && self.rules.hold(Rule::DeadlineWithinLease) {
            return Err(ConfigError::LeaseNotLonger { lease, deadline });
        }
        if retry.is_zero() {
            return Err(ConfigError::RetryZero);
        }
        if deadline <= retry {
            return Err(ConfigError::DeadlineWithinRetry { deadline, retry });
        }
        if self.request_timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(ConfigError::RequestTimeoutZero);
        }
        if self.identity.is_empty() {
            return Err(ConfigError::IdentityEmpty);
        }
        if self.incarnation.is_empty() {
            return Err(ConfigError::IncarnationEmpty);
        }
        if self.incarnation.as_str().contains('_') {
            return Err(ConfigError::IncarnationSeparator);
        }
        self.validate_strict_extras()
    }

    /// What client-go does not have.
    fn validate_strict_extras(&self) -> Result<(), ConfigError> {
        let (lease, delay) = (self.lease_duration, self.lock_delay);
        if lease.checked_add(delay).is_none_or(|sum| u64::try_from(sum.as_nanos()).is_err()) {
            return Err(ConfigError::LockDelayTooLong { lease, delay });
        }
        let deadline = self.renew_deadline;
        match self.warn_before {
            Some(warning) if warning.is_zero() || warning >= deadline => {
                Err(ConfigError::WarningOutside { warning, deadline })
            }
            _ => Ok(()),
        }
    }
}

/// Why a configuration is refused. The first part of each text is client-go's, where client-go
/// refuses the same; the values follow.
///
/// ```
/// use core::time::Duration;
/// use tenure::election::{Config, Elector};
/// use tenure::lock::LockRef;
/// use tenure::time::Instant;
///
/// let config = Config {
///     lease_duration: Duration::from_secs(10),
///     ..Config::new(LockRef::lease("default", "controller"), "pod-0", "6ba7b810")
/// };
/// let error = Elector::new(config, 0, Instant::default()).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "leaseDuration must be greater than renewDeadline: lease_duration is 10s, renew_deadline is 10s",
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigError {
    /// Candidates would take the lock while its holder may still renew it.
    LeaseNotLonger {
        /// The lease duration.
        lease: Duration,
        /// The renew deadline.
        deadline: Duration,
    },
    /// ClientGo: a renew deadline of at most 1.2 retry periods.
    DeadlineWithinJitter {
        /// The renew deadline.
        deadline: Duration,
        /// The retry period.
        retry: Duration,
    },
    /// Strict: no try fits into the renew deadline.
    DeadlineWithinRetry {
        /// The renew deadline.
        deadline: Duration,
        /// The retry period.
        retry: Duration,
    },
    /// The retry period is zero.
    RetryZero,
    /// The request time-out is zero: every request would be given up at once.
    RequestTimeoutZero,
    /// Strict: the lease duration cannot be recorded in whole seconds from 1 to 2³¹ - 1.
    LeaseNotRecordable {
        /// The lease duration.
        lease: Duration,
    },
    /// The identity is empty, which in a record means "nobody".
    IdentityEmpty,
    /// Strict: the incarnation is empty, so that two processes of one name would look the same.
    IncarnationEmpty,
    /// Strict: the incarnation contains `_`, which separates it from the identity: `a_b` with `c` and
    /// `a` with `b_c` would hold the lock under one name.
    IncarnationSeparator,
    /// The lock has no name.
    LockUnnamed,
    /// The second object of the lock has no name.
    SecondaryUnnamed,
    /// Both objects of the lock are the same.
    SecondaryIsPrimary,
    /// Strict: what candidates wait for does not fit into a clock of 64 bits of nanoseconds.
    LockDelayTooLong {
        /// The lease duration.
        lease: Duration,
        /// The lock delay.
        delay: Duration,
    },
    /// Strict: the warning would come before the success that it follows, or with the end.
    WarningOutside {
        /// How long before the end of authority.
        warning: Duration,
        /// The renew deadline.
        deadline: Duration,
    },
    /// Strict: a coordinator that names the holder judges by a wall clock whose lease has run out
    /// (KEP-4355), which is no ground for authority.
    StrictCoordinated,
    /// Coordinated election under a release that does not know it.
    NotCoordinated {
        /// The profile.
        profile: Profile,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeaseNotLonger { lease, deadline } => write!(
                f,
                "leaseDuration must be greater than renewDeadline: \
                 lease_duration is {lease:?}, renew_deadline is {deadline:?}"
            ),
            Self::DeadlineWithinJitter { deadline, retry } => write!(
                f,
                "renewDeadline must be greater than retryPeriod*JitterFactor: \
                 renew_deadline is {deadline:?}, retry_period is {retry:?}, the factor is 1.2"
            ),
            Self::DeadlineWithinRetry { deadline, retry } => write!(
                f,
                "renew_deadline must be greater than retry_period: \
                 renew_deadline is {deadline:?}, retry_period is {retry:?}"
            ),
            Self::RetryZero => {
                f.write_str("retryPeriod must be greater than zero: retry_period is 0ns")
            }
            Self::RequestTimeoutZero => f.write_str(
                "request_timeout must be greater than zero, or None for no limit: it is 0ns",
            ),
            Self::LeaseNotRecordable { lease } => write!(
                f,
                "lease_duration must be from 1s to 2147483647s: it is {lease:?}, \
                 and locks record it in whole seconds"
            ),
            Self::IdentityEmpty => {
                f.write_str("Lock identity is empty: set identity to a name unique in the group")
            }
            Self::LockUnnamed => f.write_str(
                "lock.name is empty: set it to the name of the object that carries the lock",
            ),
            Self::SecondaryUnnamed => f.write_str(
                "secondary.name is empty: set it to the name of the second object that carries the \
                 lock, or secondary to None",
            ),
            Self::SecondaryIsPrimary => f.write_str(
                "secondary is the same object as lock: name another one, or set it to None",
            ),
            Self::LockDelayTooLong { lease, delay } => write!(
                f,
                "lock_delay is {delay:?}: with lease_duration {lease:?} it must be at most \
                 {:?}",
                Duration::from_nanos(u64::MAX)
            ),
            Self::WarningOutside { warning, deadline } => write!(
                f,
                "warn_before must be greater than zero and less than renew_deadline: \
                 warn_before is {warning:?}, renew_deadline is {deadline:?}"
            ),
            Self::StrictCoordinated => f.write_str(
                "coordinated is true: Profile::Strict takes no lock from a coordinator, since that \
                 judges by wall clocks; set it to false, or use Profile::ClientGo",
            ),
            Self::NotCoordinated { profile } => write!(
                f,
                "coordinated is true, which profile {profile} does not know: \
                 set it to false, or profile to client-go-v1.31 or later"
            ),
            Self::IncarnationEmpty => f.write_str(
                "incarnation is empty: set it to a text unique to this life of the process, \
                 from the system's randomness",
            ),
            Self::IncarnationSeparator => f.write_str(
                "incarnation contains '_', which separates it from the identity: leave it out",
            ),
        }
    }
}

impl core::error::Error for ConfigError {}
