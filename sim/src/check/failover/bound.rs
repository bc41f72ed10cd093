//! The bound itself, and what it depends on.

use tenure::election::Profile;
use tenure::lock::{Identity, Record};

use crate::check::no_early_takeover::UNCLAIMED;
use crate::check::replicas::{RIGHT_RATE, real_time};
use crate::scenario::Scenario;
use crate::time::{SimTime, Span};
use crate::trace::Snapshot;

/// Holds, as far as the others are concerned, a lock that was handed over and not taken yet.
const SUCCESSOR: &str = "its successor";

/// The terms of the bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bound {
    /// The longest retry period.
    retry: Span,
    /// The longest way of a message.
    latency: Span,
    /// How long to wait for a record that says nothing sensible: the longest own duration.
    own: Span,
    /// How much longer candidates wait for a holder that did not release the lock.
    delay: Span,
    /// Whether a lock may be two objects, each attempt more calls.
    several: bool,
    slowest: u64,
}

impl Bound {
    /// `None` if nothing is owed.
    pub(super) fn of(scenario: &Scenario) -> Option<Self> {
        let (network, store) = (&scenario.network, &scenario.store);
        let there = network.request.longest() + store.before.longest();
        let back = network.response.longest() + store.after.longest();
        if !scenario.election || network.loss_ppm > 0 || store.error_ppm > 0 {
            return None;
        }
        let (mut retry, mut own) = (scenario.retry_period, Span::from_secs(1));
        let mut delay = Span::ZERO;
        for (_, replica) in scenario.all_settings() {
            let timeout = replica.request_timeout.or(scenario.request_timeout);
            let deadline = replica.renew_deadline.unwrap_or(scenario.renew_deadline);
            if there + back >= timeout.map_or(deadline, |timeout| timeout.min(deadline)) {
                return None;
            }
            retry = retry.max(replica.retry_period.unwrap_or(Span::ZERO));
            delay = delay.max(replica.lock_delay.unwrap_or(Span::ZERO));
            let lease = replica.lease_duration.unwrap_or(scenario.lease_duration);
            let profile = replica.profile.unwrap_or(scenario.profile);
            let client_go = matches!(profile, Profile::ClientGo(_));
            if client_go && lease < Span::from_secs(1) && store.validate {
                return None; // it records 0 s, which the store refuses
            }
            let whole = lease.as_nanos().div_ceil(1_000_000_000);
            own = own.max(Span::from_secs(whole));
        }
        let rates = scenario.replicas.iter().map(|replica| replica.rate_ppb.unwrap_or(RIGHT_RATE));
        let slowest = rates.min().unwrap_or(RIGHT_RATE);
        let several = scenario.has_several_objects();
        Some(Self { retry, latency: there.max(back), own, delay, several, slowest })
    }

    /// A clock runs at this rate from now on. One that stands still counts as one that is not there.
    pub(super) fn saw_rate(&mut self, rate_ppb: u64) {
        if rate_ppb > 0 {
            self.slowest = self.slowest.min(rate_ppb);
        }
    }

    /// Until who took the lock has said so.
    pub(super) fn until_said(&self) -> Span {
        times(self.latency, if self.several { 7 } else { 1 })
    }

    /// Until somebody leads (until there is a lock, if there is none).
    pub(super) fn until_led(&self, lock: &Lock) -> Span {
        let (lease, tenths, ways) = self.terms(lock);
        let retries = Span::from_nanos(self.retry.as_nanos().saturating_mul(tenths) / 10);
        real_time(lease + retries, self.slowest) + times(self.latency, ways)
    }

    /// Until the write that takes the lock has taken effect.
    pub(super) fn until_taken(&self, lock: &Lock) -> Span {
        let led = self.until_led(lock).as_nanos();
        Span::from_nanos(led.saturating_sub(self.latency.as_nanos()))
    }

    /// Until somebody leads whatever stands in the store now, with a takeover to spare.
    pub(super) fn until_settled(&self, longest: Span) -> Span {
        let lasts = self.own.max(longest);
        let held = self.until_led(&Lock::Held { holder: Identity::default(), lasts });
        self.until_led(&Lock::Missing) + held + held
    }

    /// The lease, tenths of retry periods, ways of messages.
    fn terms(&self, lock: &Lock) -> (Span, u64, u64) {
        let (lease, tenths, one, two) = match lock {
            Lock::Missing => (Span::ZERO, 22, 4, 8),
            Lock::Free => (Span::ZERO, 22, 5, 14),
            Lock::Held { lasts, .. } => {
                let lasts = if lasts.is_zero() { self.own } else { *lasts };
                (lasts + self.delay, 44, 9, 22)
            }
        };
        (lease, tenths, if self.several { two } else { one })
    }

    /// The value of each term.
    pub(super) fn story(&self, lock: &Lock) -> String {
        let (lease, tenths, ways) = self.terms(lock);
        let retries = format!("{}.{} R", tenths / 10, tenths % 10);
        let duration = if lease.is_zero() { String::new() } else { "L + ".to_owned() };
        let rate = if self.slowest == RIGHT_RATE {
            String::new()
        } else {
            format!(", slowest clock at {} ppb", self.slowest)
        };
        let (retry, latency) = (self.retry, self.latency);
        let lease = if lease.is_zero() { String::new() } else { format!("L {lease}, ") };
        format!("{duration}{retries} + {ways} λ ({lease}R {retry}, λ {latency}{rate})")
    }
}

fn times(span: Span, factor: u64) -> Span {
    Span::from_nanos(span.as_nanos().saturating_mul(factor))
}

/// What stands in the store, as far as candidates wait for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Lock {
    #[default]
    Missing,
    /// Released.
    Free,
    Held {
        holder: Identity,
        lasts: Span,
    },
}

impl Lock {
    /// How long it is to be waited for.
    pub(super) const fn lasts(&self) -> Span {
        match self {
            Self::Held { lasts, .. } => *lasts,
            Self::Missing | Self::Free => Span::ZERO,
        }
    }

    pub(super) fn of(snapshot: &Snapshot, by_replica: bool) -> Self {
        let record = &snapshot.record;
        if by_replica && record.holder.is_empty() && record.lease_duration_seconds > 1 {
            // Handed over: all but the successor wait for that long.
            let held = Record { holder: SUCCESSOR.into(), ..record.clone() };
            return Self::of_record(&held);
        }
        if snapshot.unreadable {
            return Self::Held { holder: Identity::from("?"), lasts: Span::ZERO };
        }
        Self::of_record(record)
    }

    /// What candidates wait for if both stand there: the worse of both.
    pub(super) fn and(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Missing, other) => other.clone(),
            (Self::Free, Self::Held { .. }) => other.clone(),
            (Self::Held { holder, lasts }, Self::Held { lasts: theirs, .. }) => {
                // None of all is the own duration, which is not shorter than any.
                let none = lasts.is_zero() || theirs.is_zero();
                Self::Held { holder, lasts: if none { Span::ZERO } else { lasts.max(*theirs) } }
            }
            (mine, _) => mine,
        }
    }

    fn of_record(record: &Record) -> Self {
        if record.holder.is_empty() {
            return Self::Free;
        }
        let lasts = u64::try_from(record.lease_duration_seconds).unwrap_or(0);
        Self::Held { holder: record.holder.clone(), lasts: Span::from_secs(lasts) }
    }

    pub(super) fn at_the_beginning(scenario: &Scenario) -> Self {
        let Some(initial) = &scenario.store.initial else { return Self::Missing };
        Self::of_record(&Record {
            holder: Identity::from(initial.holder.as_str()),
            lease_duration_seconds: initial.lease_duration_seconds.into(),
            ..Record::default()
        })
    }

    pub(super) const fn is_held(&self) -> bool {
        matches!(self, Self::Held { .. })
    }

    /// Who holds it, if that is somebody in particular.
    fn holder(&self) -> Option<&Identity> {
        match self {
            Self::Held { holder, .. } => {
                Some(holder).filter(|holder| ![UNCLAIMED, SUCCESSOR].contains(&holder.as_str()))
            }
            Self::Missing | Self::Free => None,
        }
    }

    /// Whether these name different holders: then whoever took one of them has not got the lock.
    pub(super) fn is_disputed(objects: &[&Self]) -> bool {
        let mut holders = objects.iter().filter_map(|lock| lock.holder());
        let first = holders.next();
        holders.any(|holder| Some(holder) != first)
    }

    /// Whether this, written by a replica, gives the lock to another holder than before.
    pub(super) fn is_taken_from(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Held { holder, .. }, _) if [UNCLAIMED, SUCCESSOR].contains(&holder.as_str()) => {
                false
            }
            (Self::Held { holder, .. }, Self::Held { holder: old, .. }) => holder != old,
            (Self::Held { .. }, _) => true,
            _ => false,
        }
    }

    pub(super) const fn rule(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Free => "released",
            Self::Held { .. } => "held",
        }
    }

    /// What the bound counts from.
    pub(super) fn story(&self, since: SimTime, start: SimTime) -> String {
        let lock = match self {
            Self::Missing => format!("the lock was missing (since {since})"),
            Self::Free => format!("the lock was released (at {since})"),
            Self::Held { holder, .. } => format!("the last write ({holder} holds, at {since})"),
        };
        if start > since {
            format!("{lock} and a candidate could go on (from {start})")
        } else {
            lock
        }
    }
}

/// How near a takeover came to its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// From the last version of the old holder to the takeover.
    pub took: Span,
    /// The longest that it may take.
    pub bound: Span,
}

impl Reached {
    /// In hundredths, rounded down.
    #[must_use]
    pub fn percent(&self) -> u64 {
        let percent = u128::from(self.took.as_nanos()) * 100;
        let percent = percent / u128::from(self.bound.as_nanos().max(1));
        u64::try_from(percent).unwrap_or(u64::MAX)
    }

    pub(super) fn nearer(self, other: Self) -> Self {
        let cross =
            |a: Self, b: Self| u128::from(a.took.as_nanos()) * u128::from(b.bound.as_nanos());
        if cross(other, self) > cross(self, other) { other } else { self }
    }
}
