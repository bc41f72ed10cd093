//! One replica's clocks: a monotonic one that may run at a wrong rate or stand still, and a wall
//! clock, independent of it, that may be off, be set and stand still.

use core::hash::{Hash, Hasher};

use tenure::time::{Instant, Now, Timestamp};

use crate::time::{Shift, SimTime, Span};

/// A rate that is right: local nanoseconds in 10⁹ real ones.
pub const RIGHT: u64 = 1_000_000_000;

/// What a right wall clock shows at the beginning of a run: 2026-01-01T00:00:00Z.
pub const EPOCH_SECONDS: i64 = 1_767_225_600;

/// One replica's clocks. All changes take effect at a real time that is not before the last one.
///
/// ```
/// use tenure_sim::clock::{Clock, EPOCH_SECONDS, RIGHT};
/// use tenure_sim::time::{Shift, SimTime, Span};
///
/// let mut clock = Clock::new(Span::from_secs(7), 820_000_000, Shift::default());
/// let later = SimTime::from_nanos(10_000_000_000);
/// assert_eq!(clock.instant(later).as_nanos(), 7_000_000_000 + 8_200_000_000);
/// assert_eq!(clock.when(clock.instant(later)), Some(later));
///
/// // From now on the monotonic clock runs right; the wall clock, which did, is set back by a minute,
/// clock.set_rate(later, RIGHT);
/// clock.step_wall(Shift::from_secs(-60));
/// let seconds = |clock: &Clock, after: u64| {
///     let now = clock.now(SimTime::from_nanos(after * 1_000_000_000));
///     now.timestamp.unix_nanos() / 1_000_000_000 - i128::from(EPOCH_SECONDS)
/// };
/// assert_eq!((clock.rate_ppb(), seconds(&clock, 10)), (RIGHT, -50));
/// // gains half of it again while it is slewed,
/// clock.slew_wall(later, 1, Shift::from_secs(60), Span::from_secs(20));
/// let half = SimTime::from_nanos(20_000_000_000);
/// clock.end_slew(half, 1);
/// assert_eq!((seconds(&clock, 20), seconds(&clock, 30)), (-10, 0));
/// // and stands still.
/// clock.freeze_wall(half, true);
/// assert_eq!(seconds(&clock, 30), -10);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// At this real time …
    anchor: u64,
    /// … the monotonic clock showed this …
    local: u64,
    /// … and has run at this rate since; 0 stands still.
    rate_ppb: u64,
    /// What the wall clock shows too much.
    wall_offset: i128,
    /// What it shows while it stands still.
    wall_frozen: Option<i128>,
    /// What is being added to the wall clock little by little.
    slews: Vec<Slew>,
}

/// Part of a wall clock's time that comes little by little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Slew {
    /// Which, among several.
    id: u32,
    from: u64,
    gains: i64,
    lasts: u64,
}

impl Slew {
    /// What has come of it.
    fn gained(&self, at: SimTime) -> i128 {
        let passed = at.as_nanos().saturating_sub(self.from).min(self.lasts);
        i128::from(self.gains) * i128::from(passed) / i128::from(self.lasts.max(1))
    }
}

/// Clocks that are not slewed hash as they did when none could be, so that digests stay comparable.
impl Hash for Clock {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.anchor, self.local, self.rate_ppb).hash(state);
        (self.wall_offset, self.wall_frozen).hash(state);
        if !self.slews.is_empty() {
            self.slews.hash(state);
        }
    }
}

impl Clock {
    /// Clocks that show `offset` and a wall time that is off by `wall_offset` at the beginning.
    #[must_use]
    pub fn new(offset: Span, rate_ppb: u64, wall_offset: Shift) -> Self {
        Self {
            anchor: 0,
            local: offset.as_nanos(),
            rate_ppb,
            wall_offset: wall_offset.as_nanos().into(),
            wall_frozen: None,
            slews: Vec::new(),
        }
    }

    /// The monotonic clock's rate now; 0 if it stands still.
    #[must_use]
    pub const fn rate_ppb(&self) -> u64 {
        self.rate_ppb
    }

    /// What the monotonic clock shows.
    #[must_use]
    pub fn instant(&self, at: SimTime) -> Instant {
        let real = at.as_nanos().saturating_sub(self.anchor);
        let passed =
            if self.rate_ppb == RIGHT { real } else { muldiv(real, self.rate_ppb, RIGHT).0 };
        Instant::from_nanos(self.local.saturating_add(passed))
    }

    /// What both clocks show.
    #[must_use]
    pub fn now(&self, at: SimTime) -> Now {
        let nanos = self.wall_frozen.unwrap_or_else(|| self.wall(at));
        Now { instant: self.instant(at), timestamp: Timestamp::from_unix_nanos(nanos) }
    }

    /// The first real time at which the monotonic clock shows `instant` or more, so that a timer set
    /// to it never fires early; `None` if it never will.
    #[must_use]
    pub fn when(&self, instant: Instant) -> Option<SimTime> {
        let ahead = instant.as_nanos().saturating_sub(self.local);
        let real = match (ahead, self.rate_ppb) {
            (0, _) => 0,
            (_, 0) => return None,
            (ahead, RIGHT) => ahead,
            (ahead, rate) => {
                let (real, rest) = muldiv(ahead, RIGHT, rate);
                real.saturating_add(u64::from(rest))
            }
        };
        self.anchor.checked_add(real).map(SimTime::from_nanos)
    }

    /// The monotonic clock goes on at another rate; 0 stands still.
    pub fn set_rate(&mut self, at: SimTime, rate_ppb: u64) {
        self.local = self.instant(at).as_nanos();
        self.anchor = at.as_nanos();
        self.rate_ppb = rate_ppb;
    }

    /// The wall clock is set forward or back. One that stands still shows the new time.
    pub fn step_wall(&mut self, by: Shift) {
        self.wall_offset += i128::from(by.as_nanos());
        if let Some(frozen) = &mut self.wall_frozen {
            *frozen += i128::from(by.as_nanos());
        }
    }

    /// The wall clock stops, or goes on from what it would show had it not stopped.
    pub fn freeze_wall(&mut self, at: SimTime, freeze: bool) {
        self.wall_frozen = freeze.then(|| self.wall(at));
    }

    /// From now on the wall clock gains `by` over `lasts`, or until that is ended under this number.
    pub fn slew_wall(&mut self, at: SimTime, id: u32, by: Shift, lasts: Span) {
        let (from, gains, lasts) = (at.as_nanos(), by.as_nanos(), lasts.as_nanos());
        self.slews.push(Slew { id, from, gains, lasts });
    }

    /// What the wall clock has gained so it keeps, and it gains no more.
    pub fn end_slew(&mut self, at: SimTime, id: u32) {
        let ended = self.slews.iter().filter(|slew| slew.id == id);
        self.wall_offset += ended.map(|slew| slew.gained(at)).sum::<i128>();
        self.slews.retain(|slew| slew.id != id);
    }

    fn wall(&self, at: SimTime) -> i128 {
        let right = i128::from(EPOCH_SECONDS) * 1_000_000_000 + i128::from(at.as_nanos());
        right + self.wall_offset + self.slews.iter().map(|slew| slew.gained(at)).sum::<i128>()
    }
}

/// `a * b / c` rounded down, and whether there was a rest. Saturates.
fn muldiv(a: u64, b: u64, c: u64) -> (u64, bool) {
    let product = u128::from(a) * u128::from(b);
    let c = u128::from(c.max(1));
    (u64::try_from(product / c).unwrap_or(u64::MAX), product % c != 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    #[test]
    fn a_frozen_wall_clock_stands_while_the_monotonic_runs() {
        let mut clock = Clock::new(Span::ZERO, RIGHT, Shift::from_secs(-5));
        clock.freeze_wall(at(10), true);
        let then = clock.now(at(1_000));
        assert_eq!(then.instant.as_nanos(), 1_000);
        assert_eq!(then.timestamp.unix_nanos(), i128::from(EPOCH_SECONDS - 5) * 1_000_000_000 + 10);
        clock.step_wall(Shift::from_nanos(-3));
        assert_eq!(clock.now(at(1_000)).timestamp.unix_nanos() % 1_000_000_000, 7);
        clock.freeze_wall(at(2_000), false);
        assert_eq!(clock.now(at(2_000)).timestamp.unix_nanos() % 1_000_000_000, 1_997);
    }

    #[test]
    fn a_slewed_wall_clock_gains_little_by_little_and_keeps_what_it_has() {
        let mut clock = Clock::new(Span::ZERO, RIGHT, Shift::default());
        let right = |now: u64| i128::from(EPOCH_SECONDS) * 1_000_000_000 + i128::from(now);
        let gained = |clock: &Clock, now| clock.now(at(now)).timestamp.unix_nanos() - right(now);
        clock.slew_wall(at(1_000), 7, Shift::from_nanos(100), Span::from_nanos(1_000));
        clock.slew_wall(at(1_000), 8, Shift::from_nanos(-10), Span::from_nanos(1_000));
        assert_eq!([500, 1_500, 5_000].map(|now| gained(&clock, now)), [0, 45, 90]);
        clock.end_slew(at(1_500), 7);
        assert_eq!([1_500, 5_000].map(|now| gained(&clock, now)), [45, 40]);
        assert_eq!(clock.rate_ppb(), RIGHT, "the monotonic clock is another matter");
    }

    #[test]
    fn a_clock_that_stands_still_reaches_nothing_new() {
        let mut clock = Clock::new(Span::from_nanos(5), RIGHT, Shift::default());
        clock.set_rate(at(10), 0);
        assert_eq!(clock.instant(at(99)).as_nanos(), 15);
        assert_eq!(clock.when(Instant::from_nanos(15)), Some(at(10)));
        assert_eq!(clock.when(Instant::from_nanos(16)), None);
        clock.set_rate(at(100), RIGHT);
        assert_eq!(clock.when(Instant::from_nanos(16)), Some(at(101)));
    }

    proptest! {
        #[test]
        fn a_timer_never_fires_early_and_never_late(
            offset in 0..u64::MAX / 4,
            rate in 1_000_000..1_000_000_000_000_u64,
            now in 0..1_u64 << 50,
            ahead in 0..1_u64 << 50,
        ) {
            let clock = Clock::new(Span::from_nanos(offset), rate, Shift::default());
            let due = Instant::from_nanos(clock.instant(at(now)).as_nanos() + ahead);
            let when = clock.when(due).unwrap();
            prop_assert!(clock.instant(when) >= due);
            prop_assert!(when == SimTime::ZERO || clock.instant(when - Span::from_nanos(1)) < due);
        }

        #[test]
        fn a_change_of_rate_is_seamless_and_time_never_goes_back(
            rates in prop::collection::vec(0..3_000_000_000_u64, 1..10),
            spans in prop::collection::vec(0..10_000_000_000_u64, 1..10),
        ) {
            let mut clock = Clock::new(Span::ZERO, RIGHT, Shift::default());
            let mut now = 0;
            for (rate, span) in rates.into_iter().zip(spans) {
                let before = clock.instant(at(now));
                clock.set_rate(at(now), rate);
                prop_assert_eq!(clock.instant(at(now)), before);
                now += span;
                prop_assert!(clock.instant(at(now)) >= before);
            }
        }
    }
}
