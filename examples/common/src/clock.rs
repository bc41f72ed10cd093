//! The clock of a driver: `CLOCK_BOOTTIME`, which goes on while the machine is suspended.
//!
//! `std::time::Instant` stands still then, on Linux, and its owner would wake up with rights that others
//! have taken over meanwhile.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};
use tenure::time::{Instant, Now, Timestamp};

/// No sleep is longer: the timers below stand still during suspend, so whatever was due meanwhile is
/// noticed so long after it at the latest. Authority does not depend on it, it is asked by [`instant`].
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// What decides: the time since the machine was started. All processes of one machine read the same, so
/// that what they write down can be put in order; `tenure` does not need that.
#[must_use]
pub fn instant() -> Instant {
    let (seconds, nanos) = parts(clock_gettime(ClockId::Boottime));
    Instant::from_nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
}

/// The same, and the time of day, which is only written.
#[must_use]
pub fn now() -> Now {
    let (seconds, nanos) = parts(clock_gettime(ClockId::Realtime));
    let nanos = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    Now { instant: instant(), timestamp: Timestamp::from_unix_nanos(nanos) }
}

/// Waits until then; for ever if there is no then.
pub async fn sleep_until(until: Option<Instant>) {
    let Some(until) = until else { return std::future::pending().await };
    loop {
        let left = until.saturating_since(instant());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
    }
}

/// Neither clock is negative, unless the time of day is set to before 1970.
fn parts(time: Timespec) -> (u64, u64) {
    (u64::try_from(time.tv_sec).unwrap_or(0), u64::try_from(time.tv_nsec).unwrap_or(0))
}
