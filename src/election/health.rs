//! What a health endpoint says.

use alloc::sync::Arc;
use core::fmt;

/// A leader has not renewed for longer than the lease lasts, and has not stopped either.
///
/// ```
/// # use core::time::Duration;
/// # use tenure::election::{Config, Elector};
/// # use tenure::lock::LockRef;
/// # use tenure::time::Instant;
/// let config = Config::new(LockRef::lease("default", "controller"), "pod-0", "6ba7b810");
/// let elector = Elector::new(config, 0, Instant::default()).unwrap();
/// // A candidate is healthy however long it waits.
/// let later = Instant::default() + Duration::from_secs(3600);
/// assert_eq!(elector.check_health(later, Duration::from_secs(20)), Ok(()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unhealthy {
    pub(super) name: Arc<str>,
}

impl fmt::Display for Unhealthy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed election to renew leadership on lease {}", self.name)
    }
}

impl core::error::Error for Unhealthy {}
