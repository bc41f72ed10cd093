//! How much margin a configuration has: how long a leader may go on, how long candidates wait.
//!
//! Strict: `lease ≥ ratio · (renew_deadline + slack)`, whatever the network does.
//!
//! ClientGo counts from the answer, not from the sending. With a the longest time from the effect of a
//! write to the answer that acknowledges it, the last acknowledged write being
//! - a renewal: `lease ≥ ratio · (a + retry_period + renew_deadline + release + slack)`: the answer, the
//!   sleep, a whole cycle of renewing that fails;
//! - the acquisition: `lease ≥ ratio · (a + renew_deadline + release + slack)`: no sleep, but nothing but
//!   time-outs bounds that a.
//!
//! What bounds a is not one time-out. An attempt of `tryAcquireOrRenew` takes the time once, for all that
//! it writes: after a fast update whose answer was lost it reads, and writes the same record again. The
//! candidates, who compare text, see no difference and count from the first; the leader counts from the
//! answer to the second, up to three time-outs later. A cycle of renewing ends with its deadline, so that
//! a is at most `renew_deadline` for a renewal; for an acquisition it is three time-outs.

mod ratio;
mod remedy;
#[cfg(test)]
mod tests;

use core::fmt;
use core::time::Duration;

pub use ratio::Ratio;
pub use remedy::Remedy;

use super::{Config, Profile, Release};
use crate::time::saturating_nanos;

/// What a [`Config`]'s margin is asked for.
///
/// ```
/// use tenure::election::{Conditions, Ratio};
/// let ideal = Conditions::default();
/// assert_eq!((ideal.ratio, ideal.answer), (Ratio::ONE, None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Conditions {
    /// The rate of the fastest monotonic clock over that of the slowest.
    pub ratio: Ratio,
    /// The longest time from the effect of a write that is acknowledged to its answer, by the leader's
    /// clock. If the answer was lost and the same attempt writes it again, it counts from the first
    /// effect; if [`retry_period`](Config::retry_period) is below one second, from the beginning of
    /// the attempt. `None`: as long as time-outs allow, whatever the network does.
    pub answer: Option<Duration>,
    /// How late the process may handle a timer that is due, and how long its work takes to stop. Zero
    /// for [`Profile::Strict`] if the work asks [`is_leading`](super::Elector::is_leading) before each
    /// act.
    pub slack: Duration,
}

/// How long a leader may go on after its last effective renewal, term by term, and how long candidates
/// wait.
///
/// Two leaders are impossible while [`needed`](Self::needed), which the leader's clock measures, times
/// the [`ratio`](Self::ratio) is at most `lease`. Equality is safe: a leader leads before the end, a
/// candidate takes over at its end or after.
///
/// It says nothing about what no duration mends: under ClientGo a release takes effect before the work
/// is told to stop ([`Warning::ReleasesBeforeStop`](super::Warning::ReleasesBeforeStop)), renewals by a
/// wall clock that stands still are not seen, and [`coordinated`](Config::coordinated) candidates go by
/// the coordinator's wall clock; under either the lock may be edited by hand, or a clock may stop.
///
/// All replicas are taken to have this configuration; [`lock_delay`](Config::lock_delay) is not
/// counted, because only some of them may have it.
///
/// ```
/// use core::time::Duration;
/// use tenure::election::{Answers, Conditions, Config, Profile, Ratio, Release, Term};
/// use tenure::lock::LockRef;
///
/// let strict = Config::new(LockRef::lease("default", "controller"), "pod-0", "6ba7b810");
/// let margin = strict.margin(&Conditions::default());
/// assert!(margin.is_inside());
/// assert_eq!(margin.max_ratio(), Ratio::new(3, 2)); // 15 s over 10 s
/// assert_eq!(margin.max_answer(), Answers::Any);
///
/// let client_go =
///     Config { profile: Profile::ClientGo(Release::Head), release_on_stop: false, ..strict };
/// let at_once = Conditions { answer: Some(Duration::ZERO), ..Conditions::default() };
/// let margin = client_go.margin(&at_once);
/// assert_eq!(margin.max_ratio(), Ratio::new(5, 4)); // 15 s over 2 s + 10 s
/// assert_eq!(margin.max_answer(), Answers::UpTo(Duration::from_secs(3)));
/// assert_eq!(margin.answer_budget(), Some(Duration::from_secs(3)));
///
/// let margin = client_go.margin(&Conditions::default());
/// assert_eq!(margin.needed(), Some(Duration::from_secs(3 * 5 + 10)));
/// assert_eq!(margin.blame(), Some(Term::Answer));
/// // The whole 15 s that a time-out of 5 s in each of three steps allows.
/// assert_eq!(margin.possible_answer(), margin.answer);
/// let sum: Duration = margin.terms().into_iter().filter_map(|(_, term)| term).sum();
/// assert_eq!(Some(sum), margin.needed());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Margin {
    /// The renew deadline.
    pub deadline: Duration,
    /// The retry period; zero if it does not count (Strict), or if the worst case is an acquisition.
    pub retry: Duration,
    /// The longest answer; `None` if nothing bounds it. Zero under Strict.
    pub answer: Option<Duration>,
    /// By how much longer unseen renewals make a candidate's wait begin too early: renewals within one
    /// second look alike to client-go. Zero if the retry period is at least that.
    pub resolution: Duration,
    /// The longest that a release may take, during which client-go still leads; `None` if nothing
    /// bounds it.
    pub release: Option<Duration>,
    /// Timers that are handled late: one in a row under Strict, two under ClientGo, three with release.
    pub slack: Duration,
    /// How long candidates wait: what is recorded; before client-go 1.27 their own lease duration.
    pub lease: Duration,
    /// The ratio of clock rates that was asked for.
    pub ratio: Ratio,
    caps: Caps,
}

/// The longest answers that time-outs allow, and what else it takes to ask for other answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Caps {
    /// For renewals and acquisitions; [`Duration::MAX`] if nothing bounds them.
    renewal: Duration,
    acquisition: Duration,
    /// After a renewal.
    retry: Duration,
    /// Whether answers count.
    count: bool,
}

/// What makes a leader go on, or candidates come early.
///
/// ```
/// use tenure::election::Term;
/// assert_eq!(Term::Rate.to_string(), "the difference of clock rates");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Term {
    /// The renew deadline alone is longer than the lease.
    Deadline,
    /// The retry period.
    Retry,
    /// Renewals within one second look alike.
    Resolution,
    /// The answer.
    Answer,
    /// The release.
    Release,
    /// Timers that are handled late.
    Slack,
    /// With clocks that run alike it would be enough.
    Rate,
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deadline => "the renew deadline",
            Self::Retry => "the retry period",
            Self::Resolution => "renewals within one second, which look alike",
            Self::Answer => "late answers",
            Self::Release => "the time that a release takes",
            Self::Slack => "timers that are handled late",
            Self::Rate => "the difference of clock rates",
        })
    }
}

/// Which answers a configuration can take.
///
/// ```
/// use core::time::Duration;
/// use tenure::election::Answers;
/// assert_eq!(Answers::UpTo(Duration::from_millis(2_500)).to_string(), "up to 2.5s");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answers {
    /// All that its time-outs allow.
    Any,
    /// Those that take no longer.
    UpTo(Duration),
    /// None: not even those that come at once.
    None,
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::UpTo(longest) => write!(f, "up to {longest:?}"),
            Self::None => f.write_str("none"),
        }
    }
}

impl Margin {
    /// How long a leader may go on after its last effective renewal, by its own clock; `None` if
    /// nothing bounds it.
    #[must_use]
    pub fn needed(&self) -> Option<Duration> {
        self.terms().into_iter().try_fold(Duration::ZERO, |sum, (_, term)| sum.checked_add(term?))
    }

    /// Whether two leaders are impossible.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.covers(self.needed(), self.ratio)
    }

    /// The largest ratio of clock rates, exactly, at which two leaders are impossible; below one if two
    /// are possible with perfect clocks; `None` if they are possible at every ratio.
    #[must_use]
    pub fn max_ratio(&self) -> Option<Ratio> {
        let needed = nanos(self.needed()?)?;
        Ratio::new(saturating_nanos(self.lease), needed.max(1))
    }

    /// The longest answers at which two leaders are impossible, if all else stays.
    #[must_use]
    pub fn max_answer(&self) -> Answers {
        if !self.caps.count {
            return if self.is_inside() { Answers::Any } else { Answers::None };
        }
        let Some(budget) = self.answer_budget() else { return Answers::None };
        let of_acquisition = budget + self.caps.retry;
        match (self.caps.renewal <= budget, self.caps.acquisition <= of_acquisition) {
            (true, true) => Answers::Any,
            (true, false) => Answers::UpTo(of_acquisition),
            (false, _) => Answers::UpTo(budget),
        }
    }

    /// What the other terms leave for the answer to a renewal, whether or not time-outs allow that it
    /// takes so long; `None` if nothing is left, or if answers do not count.
    #[must_use]
    pub fn answer_budget(&self) -> Option<Duration> {
        if !self.caps.count {
            return None;
        }
        let at_once = Self { answer: Some(Duration::ZERO), retry: self.caps.retry, ..*self };
        // How much the leader's clock may show when the fastest has shown the lease.
        let room = u128::from(saturating_nanos(self.lease)) * u128::from(self.ratio.slowest())
            / u128::from(self.ratio.fastest());
        let room = Duration::from_nanos(u64::try_from(room).unwrap_or(u64::MAX));
        room.checked_sub(at_once.needed()?)
    }

    /// The longest answer that time-outs allow, to a renewal or to the acquisition, whatever answer was
    /// asked for; `None` if nothing bounds it. Zero under Strict.
    #[must_use]
    pub fn possible_answer(&self) -> Option<Duration> {
        let longest = self.caps.renewal.max(self.caps.acquisition);
        Some(longest).filter(|longest| *longest < Duration::MAX)
    }

    /// Which term makes two leaders possible: the first at which the sum passes the lease; `None` if
    /// they are impossible.
    #[must_use]
    pub fn blame(&self) -> Option<Term> {
        if self.is_inside() {
            return None;
        }
        let mut sum = Some(Duration::ZERO);
        for (name, term) in self.terms() {
            sum = sum.zip(term).and_then(|(sum, term)| sum.checked_add(term));
            if !self.covers(sum, Ratio::ONE) {
                return Some(name);
            }
        }
        Some(Term::Rate)
    }

    /// Of which [`needed`](Self::needed) is the sum, in the order in which they are blamed; `None` is
    /// without bound.
    #[must_use]
    pub const fn terms(&self) -> [(Term, Option<Duration>); 6] {
        [
            (Term::Deadline, Some(self.deadline)),
            (Term::Retry, Some(self.retry)),
            (Term::Resolution, Some(self.resolution)),
            (Term::Answer, self.answer),
            (Term::Release, self.release),
            (Term::Slack, Some(self.slack)),
        ]
    }

    fn covers(&self, needed: Option<Duration>, ratio: Ratio) -> bool {
        needed.and_then(nanos).is_some_and(|needed| {
            u128::from(needed) * u128::from(ratio.fastest())
                <= u128::from(saturating_nanos(self.lease)) * u128::from(ratio.slowest())
        })
    }
}

/// `None` for what is longer than any lease: 584 years.
fn nanos(duration: Duration) -> Option<u64> {
    u64::try_from(duration.as_nanos()).ok().filter(|nanos| *nanos < u64::MAX)
}

/// Which renewals client-go's candidates can tell apart.
const SECOND: Duration = Duration::from_secs(1);

impl Caps {
    fn client_go(config: &Config, release: Release) -> Self {
        let timeout = config.request_timeout.unwrap_or(Duration::MAX);
        let (deadline, retry) = (config.renew_deadline, config.retry_period);
        // How many requests write a lock and read one: a MultiLock writes the primary, reads the
        // secondary and writes it.
        let (writes, reads): (u32, u32) = if config.secondary.is_some() { (3, 2) } else { (1, 1) };
        let attempt =
            if release >= Release::V1_30 { writes + reads + writes } else { reads + writes };
        let attempt = timeout.saturating_mul(attempt);
        let (renewal, acquisition) = if retry < SECOND {
            (attempt.min(deadline), attempt)
        } else {
            // Two tries of one cycle may begin within one second: a tick that was missed comes late.
            let renewal = attempt.saturating_add(SECOND).min(deadline);
            // Without the fast path an acquisition writes once.
            let once = timeout.saturating_mul(writes);
            (renewal, if release >= Release::V1_30 { attempt } else { once })
        };
        Self { renewal, acquisition, retry, count: true }
    }
}

/// How long client-go may still lead after its last cycle: with `release_on_stop` until the release is
/// over. `None` if nothing bounds it.
fn client_go_release(config: &Config, release: Release) -> Option<Duration> {
    if !config.release_on_stop {
        return Some(Duration::ZERO);
    }
    let (writes, reads) = if config.secondary.is_some() { (3, 2) } else { (1, 1) };
    let requests: u32 = match release {
        // It tries again on conflict, as long as it may.
        Release::Head => return Some(config.renew_deadline),
        release if release >= Release::V1_34 => reads + writes,
        _ => writes,
    };
    let by_timeouts = config.request_timeout.map(|timeout| timeout.saturating_mul(requests));
    if release < Release::V1_30 {
        return by_timeouts; // it has no context of its own
    }
    Some(by_timeouts.map_or(config.renew_deadline, |longest| longest.min(config.renew_deadline)))
}

impl Config {
    /// The margin of this configuration under `conditions`.
    #[must_use]
    pub fn margin(&self, conditions: &Conditions) -> Margin {
        let Conditions { ratio, answer, slack } = *conditions;
        let deadline = self.renew_deadline;
        let Profile::ClientGo(release) = self.profile else {
            return Margin {
                deadline,
                retry: Duration::ZERO,
                answer: Some(Duration::ZERO),
                resolution: Duration::ZERO,
                release: Some(Duration::ZERO),
                slack,
                lease: Duration::from_secs(u64::try_from(self.recorded_seconds()).unwrap_or(0)),
                ratio,
                caps: Caps::default(),
            };
        };
        let caps = Caps::client_go(self, release);
        let asked = answer.unwrap_or(Duration::MAX);
        let (renewal, acquisition) = (asked.min(caps.renewal), asked.min(caps.acquisition));
        let by_renewal = renewal.saturating_add(caps.retry) >= acquisition;
        let (retry, answer) =
            if by_renewal { (caps.retry, renewal) } else { (Duration::ZERO, acquisition) };
        Margin {
            deadline,
            retry,
            answer: Some(answer).filter(|answer| *answer < Duration::MAX),
            resolution: if self.retry_period < SECOND { SECOND } else { Duration::ZERO },
            release: client_go_release(self, release),
            slack: slack.saturating_mul(if self.release_on_stop { 3 } else { 2 }),
            lease: if release < Release::V1_27 {
                self.lease_duration
            } else {
                Duration::from_secs(self.lease_duration.as_secs())
            },
            ratio,
            caps,
        }
    }
}
