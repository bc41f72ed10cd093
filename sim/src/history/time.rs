//! Times in recordings: of wall clocks, or of the simulator.

use core::fmt;

use tenure::time::Timestamp;

/// A point in time in nanoseconds: since 1970 by a wall clock, or since the start of a simulated run.
///
/// ```
/// use tenure_sim::history::Moment;
/// let moment = Moment::parse("2026-11-22T10:48:12.5Z").unwrap();
/// assert_eq!(moment.to_string(), "2026-11-22T10:48:12.500Z");
/// assert_eq!(format!("{moment:#}"), "2026-11-22T10:48:12.500000Z");
/// assert_eq!(Moment::simulated(1_500_000_000).to_string(), "1.500s");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    wall: bool,
    nanos: i128,
}

impl Moment {
    /// So long after the start of a simulated run.
    #[must_use]
    pub const fn simulated(nanos: u64) -> Self {
        Self { wall: false, nanos: nanos as i128 }
    }

    /// A time of RFC 3339, as Kubernetes writes it; `None` if the text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let time: jiff::Timestamp = text.parse().ok()?;
        Some(Self { wall: true, nanos: time.as_nanosecond() })
    }

    /// By a record's own words.
    #[must_use]
    pub const fn of(time: Timestamp) -> Self {
        Self { wall: true, nanos: time.unix_nanos() }
    }

    /// As records have it.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_unix_nanos(self.nanos)
    }

    /// Whether it is of a wall clock.
    #[must_use]
    pub(crate) const fn is_wall(self) -> bool {
        self.wall
    }

    /// How long after `earlier` this is, in nanoseconds; negative if it is before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i128 {
        self.nanos.saturating_sub(earlier.nanos)
    }

    /// So many nanoseconds later, or earlier.
    #[must_use]
    pub(crate) const fn plus(self, nanos: i128) -> Self {
        Self { wall: self.wall, nanos: self.nanos.saturating_add(nanos) }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.wall {
            return write!(f, "{}", Length(self.nanos));
        }
        match jiff::Timestamp::from_nanosecond(self.nanos) {
            // All that a Lease can hold, where it is for programs.
            Ok(time) if f.alternate() => write!(f, "{time:.6}"),
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "{} s after 1970", self.nanos / SECOND),
        }
    }
}

/// Nanoseconds in a second.
pub(crate) const SECOND: i128 = 1_000_000_000;

/// A length in nanoseconds, printed in seconds with three digits after the point, and below a tenth of a
/// second in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Length(pub(crate) i128);

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        if nanos != 0 && nanos < 100_000_000 {
            let micros = nanos.div_ceil(1000);
            return write!(f, "{sign}{}.{:03}ms", micros / 1000, micros % 1000);
        }
        let millis = (nanos + 500_000) / 1_000_000;
        write!(f, "{sign}{}.{:03}s", millis / 1000, millis % 1000)
    }
}

/// When a write took effect: not before and not after these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Not before: the server had not received it yet.
    pub(super) from: Moment,
    /// Not after: the server had answered it.
    pub(super) to: Moment,
}

impl Window {
    /// Exactly then.
    pub(super) const fn at(moment: Moment) -> Self {
        Self { from: moment, to: moment }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_a_unit_that_fits() {
        let told = [0, 1, 4_000_000, 99_999_999, 100_000_000, 61_234_567_890, -5_000_000_000];
        let told = told.map(|nanos| Length(nanos).to_string());
        assert_eq!(
            told,
            ["0.000s", "0.001ms", "4.000ms", "100.000ms", "0.100s", "61.235s", "-5.000s"]
        );
    }

    #[test]
    fn times_at_the_ends_of_the_scale_are_told() {
        for seconds in [i64::MIN, -1, i64::MAX] {
            let time = Timestamp::from_unix(seconds, 0).unwrap();
            let moment = Moment::of(time);
            assert!(!moment.plus(i128::MAX).to_string().is_empty());
            assert_eq!(moment.timestamp(), time);
        }
        assert_eq!(Moment::parse("yesterday"), None);
    }
}
