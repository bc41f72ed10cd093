//! What a sharder tells its driver.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::SlotSet;
use super::planned::{Move, Unmet};
use crate::time::Instant;

/// Something that happened, in order. Its text is a line for a log, and no interface.
///
/// ```
/// use tenure::sharding::{Cause, Event, Lapse, SlotSet};
/// /// What a driver makes of one: `end(slots, at_once)` ends the work on them.
/// fn heed(event: Event, start: impl Fn(&SlotSet), end: impl Fn(&SlotSet, bool)) {
///     match event {
///         Event::Acquired(slots) => start(&slots),
///         // When it has ended: `Sharder::drained`.
///         Event::Revoking { slots, cause: Cause::Moved } => end(&slots, false),
///         Event::Revoking { slots, cause: Cause::Leaving | Cause::Reconfiguring } => end(&slots, false),
///         Event::Lapsed { slots, cause: Lapse::Expired { at } } => {
///             println!("without authority since {at:?}: is the store out of reach?");
///             end(&slots, true);
///         }
///         Event::Lapsed { slots, cause } => {
///             println!("{cause:?}");
///             end(&slots, true);
///         }
///         Event::DrainOverdue(slots) => println!("work on {} slots does not end", slots.len()),
///         Event::Excluded { member } => println!("{member} gave no sign"),
///         Event::Planned { moves, unmet } => {
///             unmet.iter().for_each(|unmet| println!("the plan lacks: {unmet}"));
///             println!("{} moves", moves.len());
///         }
///         event @ (Event::Joined | Event::Released(_) | Event::Left) => println!("{event}"),
///     }
/// }
/// let slot = tenure::sharding::Slots::new(8).unwrap().get(3);
/// let slots = SlotSet::of(tenure::sharding::Slots::new(8).unwrap(), slot);
/// let event = Event::Revoking { slots, cause: Cause::Moved };
/// assert_eq!(event.to_string(), "giving away slots 3: they belong to another member now");
/// heed(event, |_| {}, |_, at_once| assert!(!at_once));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// This member takes part: slots follow.
    Joined,
    /// These slots are this member's: start work on them.
    Acquired(SlotSet),
    /// These slots go to somebody else, or this member goes: begin no more work on them, and when what
    /// was begun has ended say so with [`Sharder::drained`](super::Sharder::drained), for each.
    Revoking {
        /// Which.
        slots: SlotSet,
        /// Why.
        cause: Cause,
    },
    /// These slots are given away: work on them has ended, and the store will be told.
    Released(SlotSet),
    /// Authority has ended, for all slots at once (in mode `leased` maybe for some of them only): these
    /// are to be stopped at once, and reported [`drained`](super::Sharder::drained) when all work on them
    /// has ended. The member joins anew by itself, but not before.
    Lapsed {
        /// Which slots it had, or was giving away.
        slots: SlotSet,
        /// Why.
        cause: Lapse,
    },
    /// This member has excluded another, which gave no sign for its lease duration.
    Excluded {
        /// Whom.
        member: Arc<str>,
    },
    /// Work on these slots has not ended within the drain deadline. They stay without owner until it
    /// does, or until this member's authority ends.
    DrainOverdue(SlotSet),
    /// This member leads (mode `planned`), and has stored a new plan; or there is none to store, and what
    /// cannot be met has changed.
    Planned {
        /// What the plan moves.
        moves: Vec<Move>,
        /// What it leaves to wish, and why: pins to members that are not here, slots that wait for one
        /// that is gone, the budget, a plan that is too large to be stored.
        unmet: Vec<Unmet>,
    },
    /// This member has left.
    Left,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined => f.write_str("takes part"),
            Self::Acquired(slots) => write!(f, "acquired slots {slots}"),
            Self::Revoking { slots, cause } => write!(f, "giving away slots {slots}: {cause}"),
            Self::Released(slots) => write!(f, "gave away slots {slots}"),
            Self::Lapsed { slots, cause } => write!(f, "lost slots {slots}: {cause}"),
            Self::Excluded { member } => write!(f, "excluded {member}, which gave no sign"),
            Self::DrainOverdue(slots) => write!(f, "work on slots {slots} does not end"),
            Self::Planned { moves, unmet } => {
                f.write_str("planned:")?;
                list(f, moves, " no moves")?;
                if !unmet.is_empty() {
                    f.write_str("; unmet:")?;
                }
                list(f, unmet, "")
            }
            Self::Left => f.write_str("has left"),
        }
    }
}

/// How much of a list is written out.
const SHOWN: usize = 4;

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, all: &[T], none: &str) -> fmt::Result {
    for (at, one) in all.iter().take(SHOWN).enumerate() {
        write!(f, "{} {one}", if at == 0 { "" } else { "," })?;
    }
    match all.len().saturating_sub(SHOWN) {
        0 if all.is_empty() => f.write_str(none),
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

/// Why slots are revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// They belong to another member now.
    Moved,
    /// [`Sharder::leave`](super::Sharder::leave) was called.
    Leaving,
    /// The member's weight, zone or configuration is to change
    /// ([`Sharder::reconfigure`](super::Sharder::reconfigure)).
    Reconfiguring,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Moved => "they belong to another member now",
            Self::Leaving => "this member leaves",
            Self::Reconfiguring => "this member changes",
        })
    }
}

/// Why authority ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lapse {
    /// No renewal succeeded, or nothing was read, for the renew deadline.
    Expired {
        /// When it ended: in the past, if the driver was late.
        at: Instant,
    },
    /// The own record is gone, or the leases of the slots are.
    Missing,
    /// The own record is another's, or the leases of the slots are.
    Replaced,
    /// Another member has excluded this one.
    Excluded,
    /// Another member runs another configuration, and was first.
    OtherGeneration,
}

impl fmt::Display for Lapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired { .. } => "no renewal or no read has succeeded for the renew deadline",
            Self::Missing => "the record, or the leases, are gone",
            Self::Replaced => "the record, or the leases, are another's",
            Self::Excluded => "another member has excluded this one",
            Self::OtherGeneration => "members of another configuration were first",
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::{Event, Lapse, SlotSet};
    use crate::sharding::Slots;
    use crate::sharding::planned::Unmet;
    use crate::time::Instant;

    #[test]
    fn events_are_lines() {
        let slots = SlotSet::all(Slots::new(8).unwrap());
        let gone = |member: &str| Unmet::Held { member: member.into(), until: Instant::END };
        let unmet = ["a", "b", "c", "d", "e"].map(gone);
        for (event, text) in [
            (
                Event::Lapsed { slots: slots.clone(), cause: Lapse::Missing },
                "lost slots 0-7: the record, or the leases, are gone",
            ),
            (Event::Acquired(slots), "acquired slots 0-7"),
            (
                Event::Planned { moves: vec![], unmet: unmet.into() },
                "planned: no moves; unmet: slots wait for a, slots wait for b, slots wait for c, \
                 slots wait for d and 1 more",
            ),
        ] {
            assert_eq!(event.to_string(), text);
        }
    }
}
