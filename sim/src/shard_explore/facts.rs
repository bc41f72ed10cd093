//! What a world is to know of a member.

use tenure::sharding::{Restated, Sharder, Slot, SlotSet, Standing};
use tenure::time::Instant;

use super::doors::Version;
use super::table::{at, version};

/// What is to be known of a member.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) plain: Plain,
    pub(super) due: bool,
    /// By its own names: older lists say nothing.
    pub(super) view: Version,
    /// By its own names: what others have to acknowledge.
    pub(super) joined: Option<Version>,
    /// Requests that are not answered.
    pub(super) asked: Vec<u8>,
}

impl core::ops::Deref for Facts {
    type Target = Plain;

    fn deref(&self) -> &Plain {
        &self.plain
    }
}

/// What anybody may know of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "item by item")]
pub(super) struct Plain {
    /// What it may start work on now.
    pub(super) owned: u8,
    /// It takes part, whether it owns something or not.
    pub(super) acts: bool,
    /// What it wants drained.
    pub(super) draining: u8,
    /// Its authority lasts.
    pub(super) lives: bool,
    /// Its authority has ended, and it does not know.
    pub(super) overdue: bool,
    pub(super) finished: bool,
}

pub(super) fn facts(sharder: &Sharder, restated: &Restated) -> Facts {
    let now = at(0).instant;
    Facts {
        plain: plain(sharder, now),
        due: sharder.poll_timeout().is_some_and(|due| due <= now),
        view: version(restated.view),
        joined: restated.joined.map(version),
        asked: restated
            .outstanding
            .iter()
            .map(|(number, _)| u8::try_from(*number).unwrap_or(0))
            .collect(),
    }
}

pub(super) fn plain(sharder: &Sharder, now: Instant) -> Plain {
    let until = sharder.until();
    let drains = |slot: &Slot| sharder.explain(*slot, now).standing == Standing::Draining;
    let slots = sharder.config().slots;
    Plain {
        owned: sharder.owned(now).map_or(0, |owned| mask(&owned)),
        acts: sharder.owned(now).is_some(),
        draining: slots.iter().filter(drains).fold(0, |mask, slot| mask | 1 << slot.index()),
        lives: until.is_some_and(|until| until > now),
        overdue: until.is_some_and(|until| until <= now),
        finished: sharder.is_finished(),
    }
}

pub(super) fn mask(slots: &SlotSet) -> u8 {
    slots.iter().fold(0, |mask, slot| mask | 1 << slot.index())
}
