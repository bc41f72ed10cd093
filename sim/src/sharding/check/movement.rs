//! A slot moves from a replica that still takes part only to one that came after it had gained the
//! slot: a join moves what the joiner wins, a leave what the leaver had, and nothing else moves. Modes
//! that rank only.

use super::group::Group;
use super::{Found, Property};
use crate::sharding::scenario::Scenario;
use crate::sharding::trace::{Entry, What};
use crate::time::SimTime;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Movement {
    ranked: bool,
    /// By slot: who gained it last, when, and as which incarnation.
    gained: Vec<Option<(u32, SimTime, u64)>>,
    /// Counts each replica's processes and lapses.
    terms: Vec<u64>,
}

impl Movement {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let count = scenario.replicas.iter().map(|it| it.count as usize).sum();
        Self {
            ranked: scenario.is_ranked(),
            gained: vec![None; scenario.finest().count() as usize],
            terms: vec![0; count],
        }
    }
}

impl Property for Movement {
    fn name(&self) -> &'static str {
        "movement"
    }

    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>) {
        match &entry.what {
            What::Committed { name, now, was, .. } => {
                // A new incarnation, or the end of one: whatever it had, it may lose.
                let same = match (now, was) {
                    (Some(now), Some(was)) => {
                        now.incarnation == was.incarnation && now.state == was.state
                    }
                    _ => false,
                };
                for (replica, term) in (0..).zip(&mut self.terms) {
                    if !same && group.is_record(name, replica) {
                        *term += 1;
                    }
                }
            }
            What::Ended { replica, .. } | What::Leaving { replica } => {
                if let Some(term) = self.terms.get_mut(*replica as usize) {
                    *term += 1;
                }
            }
            What::Gained { replica, slots } if self.ranked => {
                let since = group.get(*replica).map_or(entry.at, |it| it.since);
                let term = self.terms.get(*replica as usize).copied().unwrap_or_default();
                let mut told = false;
                for slot in &group.fine(&slots.0) {
                    let Some(place) = self.gained.get_mut(slot.index() as usize) else { continue };
                    if let Some((other, when, in_term)) = *place
                        && other != *replica
                        && !told
                        && since < when
                        && self.terms.get(other as usize) == Some(&in_term)
                    {
                        told = true;
                        let what = format!(
                            "slot {slot} goes from replica {other}, which had gained it at {when} and \
                             still takes part, to replica {replica}, which has had slots since {since}"
                        );
                        found.tell("needless", &[*replica, other], what);
                    }
                    *place = Some((*replica, entry.at, term));
                }
            }
            _ => {}
        }
    }
}
