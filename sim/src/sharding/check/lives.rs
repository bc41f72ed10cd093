//! What a replica had before its process ended is void (rule `void`): the work of a later life of the same
//! name begins with greater tokens only, and an earlier one begins none any more. And what has ended does
//! not come back (rule `revived`): claims hold again only after they were given up, and the replica has
//! joined anew. Not where each slot has a lease, each with an end of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::group::Group;
use super::{Found, Property};
use crate::sharding::scenario::{Mode, Scenario};
use crate::sharding::trace::{Entry, What};
use crate::time::SimTime;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Lives {
    leased: bool,
    /// By replica: until when its claims held.
    until: BTreeMap<u32, SimTime>,
    names: BTreeMap<u32, Arc<str>>,
    known: BTreeMap<Arc<str>, Life>,
}

impl Lives {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let leased = scenario.modes().any(|mode| mode == Mode::Leased);
        Self { leased, until: BTreeMap::new(), names: BTreeMap::new(), known: BTreeMap::new() }
    }
}

#[derive(Debug, Default)]
struct Life {
    of: (u32, u32),
    /// The largest token of this life, and of all before.
    largest: u64,
    before: u64,
}

impl Property for Lives {
    fn name(&self) -> &'static str {
        "lives"
    }

    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>) {
        match &entry.what {
            What::Started { replica, name, .. } => {
                self.names.insert(*replica, Arc::clone(name));
            }
            What::Ended { replica, .. } => {
                self.until.remove(replica);
            }
            What::Until { replica, until, .. } if !self.leased => {
                let until = until.unwrap_or(SimTime::NEVER);
                let before = self.until.insert(*replica, until);
                let Some(before) = before.filter(|it| *it > SimTime::ZERO) else { return };
                let has = group.get(*replica).is_some_and(|it| !it.claims.is_empty());
                if has && before < entry.at && entry.at < until {
                    let what = format!(
                        "replica {replica}'s claims, which had ended at {before}, hold again until \
                         {until}: it has not joined anew"
                    );
                    found.tell("revived", &[*replica], what);
                }
            }
            What::Began { replica, life, token, .. } => {
                let Some(name) = self.names.get(replica) else { return };
                let known = self.known.entry(Arc::clone(name)).or_default();
                if known.of != (*replica, *life) {
                    known.of = (*replica, *life);
                    known.before = known.before.max(known.largest);
                }
                known.largest = known.largest.max(*token);
                if *token <= known.before {
                    let what = format!(
                        "{name}, replica {replica} in life {life}, begins work with token {token}: an \
                         earlier life did with {}",
                        known.before
                    );
                    found.tell("void", &[*replica], what);
                }
            }
            _ => {}
        }
    }
}
