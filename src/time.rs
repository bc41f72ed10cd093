//! Two clocks, two types: [`Instant`] decides, [`Timestamp`] is only written for people.
//!
//! Every call into a machine carries a [`Now`] or an [`Instant`]. No function of this crate asks the
//! platform for the time, and none decides by a [`Timestamp`]: that expiry never looks at a wall clock,
//! let alone another machine's, is a type error to violate. Only
//! [`election::coordinated`](crate::election::coordinated) does, since Kubernetes' coordinator does,
//! and is the worse for it.
//!
//! ```
//! use core::time::Duration;
//! use tenure::time::{Instant, Now, Timestamp};
//!
//! let now = Now {
//!     instant: Instant::from_nanos(5_000_000_000),
//!     timestamp: Timestamp::from_unix(1_709_251_200, 0).unwrap(),
//! };
//! let later = now.instant + Duration::from_secs(2);
//! assert_eq!(later.saturating_since(now.instant), Duration::from_secs(2));
//! ```

use core::ops::Add;
use core::time::Duration;

/// A point on one process's monotonic clock, in nanoseconds since an origin that its driver chose.
///
/// The clock must count time that the machine spends suspended (`CLOCK_BOOTTIME` on Linux; the
/// `Instant` of Rust's and Go's standard libraries stops during suspend). Instants of different
/// processes have nothing to do with each other.
///
/// No wall clock gives one: whether a lease has run out, or authority, cannot be asked by a time that
/// somebody wrote (planted bugs 1 and 2 of `docs/simulation.md`).
///
/// ```compile_fail,E0308
/// # use tenure::election::Elector;
/// # use tenure::lock::Record;
/// # use tenure::time::Now;
/// fn by_the_record(elector: &Elector, record: &Record) -> bool {
///     elector.is_leading(record.renew_time.unwrap())
/// }
/// ```
/// ```compile_fail,E0308
/// # use tenure::time::Now;
/// fn is_over(now: Now, until: Now) -> bool {
///     until.instant <= now.timestamp
/// }
/// ```
///
/// Arithmetic saturates: the clock ends after 584 years.
///
/// ```
/// # use core::time::Duration;
/// # use tenure::time::Instant;
/// let start = Instant::from_nanos(10);
/// assert_eq!((start + Duration::from_nanos(5)).as_nanos(), 15);
/// assert_eq!(start.saturating_since(Instant::from_nanos(12)), Duration::ZERO);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The last one: later ones saturate to it.
    pub(crate) const END: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the clock's origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates at the end of the clock.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(saturating_nanos(duration)))
    }
}

/// A duration in whole nanoseconds, at most `u64::MAX`.
pub(crate) fn saturating_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A time of day as a wall clock shows it: seconds and nanoseconds since 1970-01-01T00:00:00Z.
///
/// It is written into records for people to read; nothing in this crate decides by it, but for
/// [`election::coordinated`](crate::election::coordinated).
///
/// ```
/// # use tenure::time::Timestamp;
/// let time = Timestamp::from_unix(1_709_251_199, 999_999_999).unwrap();
/// assert_eq!(time.truncate_to_seconds(), Timestamp::from_unix(1_709_251_199, 0).unwrap());
/// assert_eq!(Timestamp::from_unix(0, 1_000_000_000), None);
/// assert_eq!((time.subsec_nanos(), time.truncate_to_micros().subsec_nanos()), (999_999_999, 999_999_000));
/// assert_eq!(Timestamp::from_unix_nanos(time.unix_nanos()), time);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

impl Timestamp {
    /// 0001-01-01T00:00:00Z, the zero value of Go's `time.Time`, which Go writes as `null`.
    pub const GO_ZERO: Self = Self { seconds: -62_135_596_800, nanos: 0 };

    /// `seconds` (which may be negative) and `nanos` after 1970; `None` if `nanos` is not below 10⁹.
    #[must_use]
    pub const fn from_unix(seconds: i64, nanos: u32) -> Option<Self> {
        if nanos < 1_000_000_000 { Some(Self { seconds, nanos }) } else { None }
    }

    /// The timestamp `nanos` nanoseconds after 1970 (before it, if negative). Saturates.
    #[must_use]
    pub fn from_unix_nanos(nanos: i128) -> Self {
        // Up to the year 2262: a division of half the width costs a tenth.
        if let Ok(nanos) = i64::try_from(nanos) {
            let (seconds, rest) =
                (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
            return Self { seconds, nanos: u32::try_from(rest).unwrap_or(0) };
        }
        let seconds = nanos.div_euclid(1_000_000_000);
        let rest = nanos.rem_euclid(1_000_000_000);
        match i64::try_from(seconds) {
            Ok(seconds) => Self { seconds, nanos: u32::try_from(rest).unwrap_or(0) },
            Err(_) if seconds < 0 => Self { seconds: i64::MIN, nanos: 0 },
            Err(_) => Self { seconds: i64::MAX, nanos: 999_999_999 },
        }
    }

    /// Whole seconds since 1970, rounded towards the past.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds since [`unix_seconds`](Self::unix_seconds), below 10⁹.
    #[must_use]
    pub const fn subsec_nanos(self) -> u32 {
        self.nanos
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub const fn unix_nanos(self) -> i128 {
        self.seconds as i128 * 1_000_000_000 + self.nanos as i128
    }

    /// Cut to whole seconds, as the annotation of a lock has it (`metav1.Time`).
    #[must_use]
    pub const fn truncate_to_seconds(self) -> Self {
        Self { seconds: self.seconds, nanos: 0 }
    }

    /// Cut to whole microseconds, as a Lease has it (`metav1.MicroTime`).
    #[must_use]
    pub const fn truncate_to_micros(self) -> Self {
        Self { seconds: self.seconds, nanos: self.nanos - self.nanos % 1000 }
    }
}

/// What both clocks of a process show at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Now {
    /// The monotonic clock, which decides.
    pub instant: Instant,
    /// The wall clock, which is only written into records.
    pub timestamp: Timestamp,
}
