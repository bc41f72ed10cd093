//! What a sharder tells its driver.

use alloc::sync::Arc;

use super::SlotSet;
use super::planned::TooLarge;
use crate::time::Instant;

/// Something that happened, in order.
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
///         Event::PlanTooLarge(error) => println!("{error}"),
///         Event::Joined | Event::Released(_) | Event::Left => {}
///     }
/// }
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
    /// This member leads (mode `planned`), and its next plan is larger than
    /// [allowed](super::planned::Policy::size_limit): the stored one stays, so that whoever has come is
    /// given nothing, and nobody has the slots of whoever is gone, until a plan fits.
    PlanTooLarge(TooLarge),
    /// This member has left.
    Left,
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
