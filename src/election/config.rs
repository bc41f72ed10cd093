//! What an elector is told when it is made, and what is refused.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::Profile;
use crate::lock::{Identity, LockRef};
use crate::time::saturating_nanos;

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
    /// This replica's name; unique in the group.
    pub identity: Identity,
    /// Unique for each life of a process (from the system's randomness), so that two processes with
    /// one name do not both believe. [`Profile::Strict`] holds the lock as `identity_incarnation`;
    /// [`Profile::ClientGo`] ignores it and needs an identity that is unique by itself.
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
    /// Labels to set on the object; others on it are left alone.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// Which rules to follow.
    pub profile: Profile,
}

impl Config {
    /// Kubernetes' usual durations (15 s, 10 s, 2 s), a request time-out of half the renew deadline
    /// (client-go's `NewFromKubeconfig`), release when stopped, [`Profile::Strict`].
    #[must_use]
    pub fn new(lock: LockRef, identity: impl Into<Identity>, incarnation: impl Into<Identity>) -> Self {
        Self {
            lock,
            identity: identity.into(),
            incarnation: incarnation.into(),
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
            request_timeout: Some(Duration::from_secs(5)),
            release_on_stop: true,
            missing: Missing::Wait,
            labels: BTreeMap::new(),
            profile: Profile::Strict,
        }
    }
}

/// Why a configuration is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl core::error::Error for ConfigError {}

/// What is allowed and unwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Warning {}

impl Config {
    /// What is allowed and unwise in this configuration.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let _ = saturating_nanos;
        Vec::new()
    }
}
