use alloc::sync::Arc;
use alloc::vec::Vec;
use core::num::{NonZeroU8, NonZeroU32};
use core::ops::RangeInclusive;
use core::time::Duration;
use core::{error, fmt};

use crate::sharding::Slots;

/// What the leader aims at when it plans. Only the leader reads it: replicas may have different ones for
/// a while, as in a rolling update.
///
/// A member's *share* is its part of all slots, or of what is measured on them, by its
/// [weight](crate::placement::Member::weight). By default each has its share to within one slot, moves
/// are the fewest that bring this about, and happen at once.
///
/// ```
/// use core::num::NonZeroU32;
/// use core::time::Duration;
/// use tenure::sharding::Slots;
/// use tenure::sharding::planned::{Budget, Layout, Pin, Policy};
/// let policy = Policy {
///     layout: Layout::CONTIGUOUS,
///     slack_per_mille: 250,
///     pins: vec![Pin { slots: 0..=3, member: "controller-0".into() }],
///     budget: Some(Budget { moves: NonZeroU32::new(64).unwrap(), every: Duration::from_secs(10) }),
///     hold: Duration::from_secs(60),
///     ..Policy::default()
/// };
/// assert!(policy.validate(Slots::new(1024)?).is_ok());
/// let error = policy.validate(Slots::new(2)?).unwrap_err();
/// assert_eq!(error.to_string(), "pins has slots 0 to 3: name slots below 2, the first one first");
/// # Ok::<(), tenure::sharding::SlotsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Whether slots of a member lie side by side. Default [`Layout::Spread`].
    pub layout: Layout,
    /// By how many thousandths a member may be above or below its share, which is rounded outwards to
    /// whole slots (with measured load, by the mean load of a slot) after that. The greater, the fewer
    /// moves. From 1000 on nobody is given slots for having few. Default 0: at most ⌈S/N⌉ slots of S
    /// for each of N equal members.
    pub slack_per_mille: u32,
    /// Whether all zones have equal shares, however many members are in them; within a zone weights
    /// count. Those without a zone are one together. Default false.
    pub zones: bool,
    /// Slots that belong to a certain member whenever it is there. Default none.
    pub pins: Vec<Pin>,
    /// How much may move at a time that does not have to. Default everything.
    pub budget: Option<Budget>,
    /// How long a member must have been here without a break before it is given anything, unless nobody
    /// else is: so one that comes and goes more often than that is given nothing. Default 0.
    pub hysteresis: Duration,
    /// How long a member that is gone keeps its slots, on which nobody works meanwhile: longer than a
    /// replica that keeps its name takes to restart. While it does no others' slots move on its
    /// account. Default 0.
    pub hold: Duration,
    /// How long the text of a plan may be, in bytes: what an annotation may have, less what others
    /// need. Default 252 KiB, at most [`MAX_TEXT`](super::MAX_TEXT).
    pub size_limit: u32,
}

/// How the slots of a member lie.
///
/// ```
/// use core::num::NonZeroU8;
/// use tenure::sharding::planned::Layout;
/// assert_eq!(Layout::CONTIGUOUS, Layout::Contiguous { ranges: NonZeroU8::new(3).unwrap() });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Layout {
    /// Anyhow: the fewest moves.
    #[default]
    Spread,
    /// In a few ranges of the hash space, for `shardSelector`. Costs moves, the fewer the more slack there
    /// is: joins and leaves around 100 members of 4,096 slots in three ranges each move 1.2 times the
    /// least possible with a [slack](Policy::slack_per_mille) of 250, 1.4 times with 100, and 7 times
    /// without, as borders must shift through the hands of many.
    Contiguous {
        /// How many at most for each member. Pins and what is held may force more.
        ranges: NonZeroU8,
    },
}

impl Layout {
    /// Three ranges each.
    pub const CONTIGUOUS: Self = Self::Contiguous { ranges: const { NonZeroU8::new(3).unwrap() } };
}

/// Slots that belong to a certain member whenever it is there. While it is not, they are as any others.
///
/// ```
/// use tenure::sharding::planned::Pin;
/// let pin = Pin { slots: 7..=7, member: "controller-0".into() };
/// assert!(pin.slots.contains(&7));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pin {
    /// Their indices.
    pub slots: RangeInclusive<u32>,
    /// The member's name.
    pub member: Arc<str>,
}

/// How much may move at a time that does not have to: all but the slots that nobody has or can have.
///
/// ```
/// use core::num::NonZeroU32;
/// use core::time::Duration;
/// use tenure::sharding::planned::Budget;
/// // At most 100 slots in 10 s.
/// let budget = Budget { moves: NonZeroU32::new(100).unwrap(), every: Duration::from_secs(10) };
/// assert!(!budget.every.is_zero());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Budget {
    /// How many slots in one plan.
    pub moves: NonZeroU32,
    /// How long after one such plan the next.
    pub every: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            layout: Layout::default(),
            slack_per_mille: 0,
            zones: false,
            pins: Vec::new(),
            budget: None,
            hysteresis: Duration::ZERO,
            hold: Duration::ZERO,
            size_limit: 252 << 10,
        }
    }
}

impl Policy {
    /// The most slack there may be: a thousand times the share.
    pub const MAX_SLACK: u32 = 1_000_000;

    /// Whether it can be followed with so many slots.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn validate(&self, slots: Slots) -> Result<(), PolicyError> {
        use PolicyError as E;
        if self.slack_per_mille > Self::MAX_SLACK {
            return Err(E::Slack { slack_per_mille: self.slack_per_mille });
        }
        let mut pins: Vec<_> = self.pins.iter().collect();
        for pin in &pins {
            let (first, last) = (*pin.slots.start(), *pin.slots.end());
            if first > last || last >= slots.count() {
                return Err(E::PinSlots { first, last, slots: slots.count() });
            }
            if pin.member.is_empty() {
                return Err(E::PinMember { first, last });
            }
        }
        pins.sort_by_key(|pin| (*pin.slots.start(), *pin.slots.end()));
        let mut neighbours = pins.iter().zip(pins.iter().skip(1));
        if let Some((_, next)) =
            neighbours.find(|(one, next)| one.slots.contains(next.slots.start()))
        {
            return Err(E::PinnedTwice { slot: *next.slots.start() });
        }
        let every = self.budget.map(|budget| budget.every);
        if every.is_some_and(|every| every.is_zero()) {
            return Err(E::NoPause);
        }
        let durations = [("hysteresis", self.hysteresis), ("hold", self.hold)];
        let durations = durations.into_iter().chain(every.map(|every| ("budget", every)));
        for (field, duration) in durations {
            if duration.as_nanos() > u128::from(u64::MAX) {
                return Err(E::TooLong { field, duration });
            }
        }
        if self.size_limit as usize > super::MAX_TEXT {
            return Err(E::SizeLimit { size_limit: self.size_limit });
        }
        Ok(())
    }
}

/// A policy that cannot be followed.
///
/// ```
/// use tenure::sharding::Slots;
/// use tenure::sharding::planned::{Policy, PolicyError};
/// let policy = Policy { slack_per_mille: 2_000_000, ..Policy::default() };
/// let error = PolicyError::Slack { slack_per_mille: 2_000_000 };
/// assert_eq!(policy.validate(Slots::new(8)?), Err(error));
/// # Ok::<(), tenure::sharding::SlotsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PolicyError {
    /// More slack than a thousand shares.
    Slack {
        /// The slack.
        slack_per_mille: u32,
    },
    /// A pin has no slots, or some that are not there.
    PinSlots {
        /// Its first.
        first: u32,
        /// Its last.
        last: u32,
        /// How many there are.
        slots: u32,
    },
    /// A pin names no member.
    PinMember {
        /// Its first slot.
        first: u32,
        /// Its last.
        last: u32,
    },
    /// Two pins have a slot in common.
    PinnedTwice {
        /// The slot.
        slot: u32,
    },
    /// The budget's pause is zero, so that it limits nothing.
    NoPause,
    /// A duration is longer than the clock.
    TooLong {
        /// Whose.
        field: &'static str,
        /// The duration.
        duration: Duration,
    },
    /// A plan may be longer than what is read as one.
    SizeLimit {
        /// The limit.
        size_limit: u32,
    },
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slack { slack_per_mille } => write!(
                f,
                "slack_per_mille is {slack_per_mille}: it must be at most {}; from 1000 on nobody is \
                 given slots for having few",
                Policy::MAX_SLACK
            ),
            Self::PinSlots { first, last, slots } => write!(
                f,
                "pins has slots {first} to {last}: name slots below {slots}, the first one first"
            ),
            Self::PinMember { first, last } => {
                write!(f, "pins has slots {first} to {last} without a member: name one")
            }
            Self::PinnedTwice { slot } => {
                write!(f, "pins has slot {slot} twice: name each slot in one pin only")
            }
            Self::NoPause => f.write_str(
                "budget.every is 0, so that the budget limits nothing: give it a time, or no budget",
            ),
            Self::TooLong { field, duration } => write!(
                f,
                "{field} is {duration:?}: it must be at most {:?}",
                Duration::from_nanos(u64::MAX)
            ),
            Self::SizeLimit { size_limit } => write!(
                f,
                "size_limit is {size_limit}: it must be at most {}, which is all that is read",
                super::MAX_TEXT
            ),
        }
    }
}

impl error::Error for PolicyError {}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    #[test]
    fn what_cannot_be_followed_is_refused() {
        let (good, eight) = (Policy::default(), Slots::new(8).unwrap());
        assert_eq!(good.validate(eight), Ok(()));
        let long = Duration::from_secs(u64::MAX);
        let moves = NonZeroU32::MIN;
        let pin = |slots| Pin { slots, member: "a".into() };
        #[expect(clippy::reversed_empty_ranges, reason = "that is the error")]
        let pins = [
            (vec![pin(5..=4)], "pins has slots 5 to 4"),
            (vec![pin(5..=8)], "pins has slots 5 to 8"),
            (vec![Pin { member: "".into(), ..pin(1..=2) }], "without a member"),
            (vec![pin(4..=5), pin(0..=1), pin(1..=1)], "pins has slot 1 twice"),
            (vec![pin(0..=7), pin(3..=3)], "pins has slot 3 twice"),
        ];
        let pins = pins.map(|(pins, says)| (Policy { pins, ..good.clone() }, says));
        let others = [
            (Policy { slack_per_mille: 1_000_001, ..good.clone() }, "slack_per_mille is 1000001"),
            (
                Policy { budget: Some(Budget { moves, every: Duration::ZERO }), ..good.clone() },
                "budget.every is 0",
            ),
            (Policy { budget: Some(Budget { moves, every: long }), ..good.clone() }, "budget is"),
            (Policy { hysteresis: long, ..good.clone() }, "hysteresis is"),
            (Policy { hold: long, ..good.clone() }, "hold is"),
            (Policy { size_limit: (1 << 20) + 1, ..good.clone() }, "size_limit is 1048577"),
        ];
        for (policy, says) in pins.into_iter().chain(others) {
            let error = policy.validate(eight).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let apart = Policy { pins: vec![pin(4..=5), pin(0..=3), pin(7..=7)], ..good };
        assert_eq!(apart.validate(eight), Ok(()));
    }
}
