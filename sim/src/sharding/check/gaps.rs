//! When slots had no owner, and why.

use std::collections::BTreeMap;

use super::group::Group;
use crate::sharding::scenario::Scenario;
use crate::sharding::trace::{Entry, What};
use crate::time::SimTime;

/// Why a slot has no owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cause {
    /// It never had one.
    Start,
    /// Its owner gave it away.
    Move,
    /// Its owner left.
    Leave,
    /// Its owner's process died.
    Crash,
    /// Its owner's authority ended.
    Lapse,
}

impl Cause {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Start, Self::Move, Self::Leave, Self::Crash, Self::Lapse];

    /// Its name, as a rule of the check.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Move => "move",
            Self::Leave => "leave",
            Self::Crash => "crash",
            Self::Lapse => "lapse",
        }
    }
}

/// A slot had no owner for a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gap {
    pub(crate) slot: u32,
    pub(crate) since: SimTime,
    pub(crate) cause: Cause,
    /// Who had it, and who has it now.
    pub(crate) from: Option<u32>,
    pub(crate) to: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    owner: Option<u32>,
    /// It has none since then.
    none: Option<(SimTime, Cause)>,
}

/// Follows all slots.
#[derive(Debug)]
pub(crate) struct Gaps {
    slots: Vec<Slot>,
    began: Option<SimTime>,
    until: Vec<Option<SimTime>>,
    /// The same of slots with ends of their own, by replica.
    ends: Vec<BTreeMap<u32, SimTime>>,
}

impl Gaps {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let slot = Slot { owner: None, none: Some((SimTime::ZERO, Cause::Start)) };
        let count = scenario.replicas.iter().map(|it| it.count as usize).sum();
        Self {
            slots: vec![slot; scenario.finest().count() as usize],
            began: None,
            until: vec![Some(SimTime::ZERO); count],
            ends: vec![BTreeMap::new(); count],
        }
    }

    /// Something happened; `tell` hears of each gap that ends by it.
    pub(crate) fn observe(&mut self, group: &Group, entry: &Entry, mut tell: impl FnMut(Gap)) {
        let now = entry.at;
        match &entry.what {
            What::Started { .. } => {
                self.began.get_or_insert(now);
            }
            What::Until { replica, until, .. } => {
                if let Some(known) = self.until.get_mut(*replica as usize) {
                    // "Nothing holds" does not say since when: at most since the end that was known.
                    let none = *until == Some(SimTime::ZERO);
                    *known =
                        if none { Some(known.map_or(now, |was| was.min(now))) } else { *until };
                }
            }
            What::Ends { replica, slots, until } => {
                if let Some(ends) = self.ends.get_mut(*replica as usize) {
                    let fine = group.fine(&slots.0);
                    ends.extend(fine.iter().map(|slot| (slot.index(), *until)));
                }
            }
            What::Gained { replica, slots } => {
                for slot in &group.fine(&slots.0) {
                    if let Some(gap) = self.gap(slot.index(), now) {
                        tell(Gap { to: Some(*replica), ..gap });
                    }
                    if let Some(slot) = self.slots.get_mut(slot.index() as usize) {
                        *slot = Slot { owner: Some(*replica), none: None };
                    }
                }
            }
            What::Lost { replica, slots } => {
                let leaving = group.get(*replica).is_some_and(|it| it.leaving);
                for slot in &group.fine(&slots.0) {
                    let (since, cause) = match self.end(*replica, slot.index()) {
                        Some(until) if until <= now => (until, Cause::Lapse),
                        _ if leaving => (now, Cause::Leave),
                        _ => (now, Cause::Move),
                    };
                    self.lose(slot.index() as usize, *replica, since, cause);
                }
            }
            What::Ended { replica, crashed } => {
                let cause = if *crashed { Cause::Crash } else { Cause::Leave };
                for slot in 0..self.slots.len() {
                    self.lose(slot, *replica, now, cause);
                }
                if let Some(ends) = self.ends.get_mut(*replica as usize) {
                    ends.clear();
                }
            }
            _ => {}
        }
    }

    /// Until when a replica's claim to a slot holds, as was known last.
    fn end(&self, replica: u32, slot: u32) -> Option<SimTime> {
        let all = self.until.get(replica as usize).copied().flatten();
        let own = self.ends.get(replica as usize).and_then(|ends| ends.get(&slot)).copied();
        own.into_iter().chain(all).min()
    }

    fn lose(&mut self, slot: usize, replica: u32, since: SimTime, cause: Cause) {
        if let Some(slot) = self.slots.get_mut(slot)
            && slot.owner == Some(replica)
            && slot.none.is_none()
        {
            slot.none = Some((since, cause));
        }
    }

    /// The gap of a slot that has no owner at `now`.
    fn gap(&self, index: u32, now: SimTime) -> Option<Gap> {
        let slot = self.slots.get(index as usize)?;
        let (since, cause) = match (slot.none, slot.owner) {
            (Some(none), _) => none,
            (None, Some(owner)) => {
                let until = self.end(owner, index);
                (until.filter(|until| *until < now)?, Cause::Lapse)
            }
            (None, None) => return None,
        };
        let since = if cause == Cause::Start { self.began? } else { since };
        Some(Gap { slot: index, since, cause, from: slot.owner, to: None })
    }

    /// Those without owner at the end.
    pub(crate) fn open(&self, now: SimTime) -> impl Iterator<Item = Gap> + '_ {
        let count = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        (0..count).filter_map(move |slot| self.gap(slot, now))
    }
}
