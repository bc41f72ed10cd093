//! No slot changes its owner more often than the group changed its members (rule `moves`). Modes that
//! rank only. Where a leader plans by a budget (rule `budget`): slots that move between two that take part
//! without a break are at most the budget's, for each of its periods and each change of members.

use super::group::Group;
use super::{Found, Property};
use crate::sharding::scenario::{Budget, Mode, Scenario};
use crate::sharding::trace::{Entry, What};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Thrash {
    ranked: bool,
    /// By slot: who gained it last, and how often that was another than before.
    slots: Vec<(Option<u32>, u64)>,
    budget: Option<Budget>,
    /// How many have moved that did not have to.
    moved: u64,
}

impl Thrash {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let slots = vec![(None, 0); scenario.finest().count() as usize];
        let budget = scenario.policy.budget.filter(|_| scenario.mode == Mode::Planned);
        Self { ranked: scenario.is_ranked(), slots, budget, moved: 0 }
    }

    /// More has moved than may have.
    fn beyond(&mut self, group: &Group, moved: u64) -> Option<String> {
        let Budget { moves, every } = self.budget?;
        self.moved += moved;
        let began = group.replicas.iter().map(|it| it.started).min()?;
        let periods = group.now.saturating_since(began).as_nanos() / every.as_nanos().max(1) + 1;
        let most = (periods + group.changes) * u64::from(moves.get());
        (self.moved > most).then(|| {
            let (moved, changes) = (self.moved, group.changes);
            format!(
                "{moved} slots have moved that did not have to, in {periods} periods of {every} with \
                 {changes} changes of members: at most {most}"
            )
        })
    }
}

impl Property for Thrash {
    fn name(&self) -> &'static str {
        "thrash"
    }

    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>) {
        let What::Gained { replica, slots } = &entry.what else { return };
        let mut told = !self.ranked;
        let stays = |other: u32| {
            let it = group.get(other).filter(|it| it.alive && !it.leaving && !it.paused);
            it.is_some() && group.holds(other)
        };
        let mut taken = 0;
        for slot in &group.fine(&slots.0) {
            let Some((owner, moves)) = self.slots.get_mut(slot.index() as usize) else { continue };
            let before = owner.replace(*replica);
            if before == Some(*replica) {
                continue;
            }
            taken += u64::from(before.is_some_and(stays));
            *moves += 1;
            if !told && *moves > group.changes {
                told = true;
                let changes = group.changes;
                let what = format!(
                    "slot {slot} has its {moves}th owner after {changes} changes of members"
                );
                found.tell("moves", &[*replica], what);
            }
        }
        if let Some(what) = self.beyond(group, taken) {
            found.tell("budget", &[*replica], what);
            self.budget = None; // once is enough
        }
    }
}
