//! What is known of the objects that carry the lock.

use alloc::boxed::Box;
use core::time::Duration;

use crate::election::elector::Context;
use crate::election::outbox::Part;
use crate::election::{Config, Rule, Stored};
use crate::lock::{Identity, Object, Observed, Record};
use crate::time::Instant;

use super::UNCLAIMED;
use super::prefer::{is_me, preferred};
use super::without;

/// The objects of a lock, in the order in which they are read and written: the same everywhere, so
/// that of two who go for both objects the first one decides.
pub(super) const fn parts(config: &Config) -> &'static [Part] {
    match config.secondary {
        None => &[Part::Primary],
        Some(_) => &[Part::Primary, Part::Secondary],
    }
}

/// One object, as it was read or written last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Known {
    pub(super) seen: Observed,
    /// What carried the record; an update changes only what is the elector's.
    pub(super) object: Object,
    /// A watch showed this version, and no write over it has failed since: the takeover needs no
    /// read before it.
    pub(super) watched: bool,
    /// I have said there that I should lead, the store did not keep it, and the holder is the same.
    pub(super) wished: bool,
}

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct View {
    primary: Option<Known>,
    /// Rare, so elsewhere.
    secondary: Option<Box<Known>>,
}

/// Who holds the lock, as far as its objects agree.
pub(super) enum Holder<'a> {
    /// Nobody has had it yet.
    Unclaimed,
    /// Empty if it was released.
    Named(&'a Identity),
    /// They name different ones.
    Disputed,
}

impl Known {
    pub(super) fn new(stored: Stored, record: Record, at: Instant) -> Self {
        let Stored { object, version } = stored;
        Self { seen: Observed { record, version, at }, object, watched: false, wished: false }
    }

    /// When this object may be taken by whoever has seen no change of it since: at the beginning of
    /// time if it is free, or mine already.
    pub(super) fn due(&self, cx: &Context<'_>) -> Instant {
        self.hold(cx).map_or_else(Instant::default, |hold| self.seen.at + hold)
    }

    /// How long others must leave it alone after it was seen to change.
    pub(super) fn hold(&self, cx: &Context<'_>) -> Option<Duration> {
        let record = &self.seen.record;
        if record.holder == *cx.holder || without::is_mine(cx, record) {
            return None;
        }
        if record.holder.is_empty() {
            let next = preferred(&self.object);
            let mine = next.is_empty() || is_me(cx, next);
            let free = mine && cx.holds(Rule::ReleasedIsFree);
            return if free { None } else { Some(recorded(record, cx)) };
        }
        // Nobody works under a placeholder, so nothing has to come to rest after it.
        let unclaimed = record.holder.as_str() == UNCLAIMED;
        let delay = if unclaimed { Duration::ZERO } else { cx.config.lock_delay };
        Some(recorded(record, cx).saturating_add(delay))
    }
}

/// For how long a record speaks: for as long as it says. One that says nothing sensible gets my own
/// duration.
fn recorded(record: &Record, cx: &Context<'_>) -> Duration {
    let seconds = match record.lease_duration_seconds {
        1.. if cx.holds(Rule::RecordedDuration) => record.lease_duration_seconds,
        _ => cx.config.recorded_seconds(),
    };
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

impl View {
    pub(super) fn get(&self, part: Part) -> Option<&Known> {
        match part {
            Part::Primary => self.primary.as_ref(),
            Part::Secondary => self.secondary.as_deref(),
        }
    }

    pub(super) fn get_mut(&mut self, part: Part) -> Option<&mut Known> {
        match part {
            Part::Primary => self.primary.as_mut(),
            Part::Secondary => self.secondary.as_deref_mut(),
        }
    }

    /// In place of what was known.
    pub(super) fn put(&mut self, part: Part, known: Known) {
        match (part, &mut self.secondary) {
            (Part::Primary, _) => self.primary = Some(known),
            (Part::Secondary, Some(old)) => **old = known, // allocates nothing
            (Part::Secondary, none) => *none = Some(Box::new(known)),
        }
    }

    pub(super) fn forget(&mut self, part: Part) {
        match part {
            Part::Primary => self.primary = None,
            Part::Secondary => self.secondary = None,
        }
    }

    pub(super) fn known(&self) -> impl Iterator<Item = &Known> {
        self.primary.iter().chain(self.secondary.as_deref())
    }

    pub(super) fn known_mut(&mut self) -> impl Iterator<Item = &mut Known> {
        self.primary.iter_mut().chain(self.secondary.as_deref_mut())
    }

    /// Whether this object names `holder`.
    pub(super) fn names(&self, part: Part, holder: &Identity) -> bool {
        self.get(part).is_some_and(|known| known.seen.record.holder == *holder)
    }

    /// Whether any object names `holder`.
    pub(super) fn names_anywhere(&self, holder: &Identity) -> bool {
        self.known().any(|known| known.seen.record.holder == *holder)
    }

    /// When all objects may be taken; `None` while one is not known.
    pub(super) fn due(&self, cx: &Context<'_>) -> Option<Instant> {
        let mut due = Instant::default();
        for &part in parts(cx.config) {
            let known = self.get(part)?;
            if part == Part::Primary || cx.holds(Rule::BothWait) {
                due = due.max(known.due(cx));
            }
        }
        Some(due)
    }

    /// Whether a watch showed all objects.
    pub(super) fn watched(&self, config: &Config) -> bool {
        parts(config).iter().all(|&part| self.get(part).is_some_and(|known| known.watched))
    }

    /// `None` if nothing is known.
    pub(super) fn holder(&self) -> Option<Holder<'_>> {
        let mut said = None;
        for known in self.known() {
            let holder = &known.seen.record.holder;
            said = Some(match said {
                _ if holder.as_str() == UNCLAIMED => said.unwrap_or(Holder::Unclaimed),
                Some(Holder::Named(other)) if holder.is_empty() => Holder::Named(other),
                Some(Holder::Named(other)) if !other.is_empty() && other != holder => {
                    Holder::Disputed
                }
                _ => Holder::Named(holder),
            });
        }
        said
    }
}
