//! The time that `tenure` decides by, from a clock that counts suspended time.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};
use tenure::time::{Instant, Now, Timestamp};

/// `std::time::Instant` is `CLOCK_MONOTONIC` on Linux, which stands still while a node is suspended: a
/// replica that wakes up would go on with rights that others have taken over since.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SINCE_BOOT: ClockId = ClockId::Boottime;
/// For a laptop: elsewhere this clock goes on during sleep.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SINCE_BOOT: ClockId = ClockId::Monotonic;

/// What both clocks show.
#[must_use]
pub fn now() -> Now {
    let wall = clock_gettime(ClockId::Realtime);
    let nanos = u32::try_from(wall.tv_nsec).unwrap_or(0);
    // Written for people, never decided by: a clock that cannot be read is the year 1 to them.
    let timestamp = Timestamp::from_unix(wall.tv_sec, nanos).unwrap_or(Timestamp::GO_ZERO);
    Now { instant: instant(), timestamp }
}

/// What the monotonic clock shows.
#[must_use]
pub fn instant() -> Instant {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(SINCE_BOOT);
    let [seconds, nanos] = [tv_sec, tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    Instant::from_nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
}

/// How long it is until `then`.
#[must_use]
pub fn until(then: Instant) -> Duration {
    then.saturating_since(instant())
}

/// Waits until `then`. The runtime's timers do stand still during suspend, so this may end late: who
/// waits here asks the time afterwards.
pub async fn sleep_until(then: Instant) {
    tokio::time::sleep(until(then)).await;
}
