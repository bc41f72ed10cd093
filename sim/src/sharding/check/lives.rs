//! What a replica had before its process ended is void (rule `void`): the work of a later life of the same
//! name begins with greater tokens only, and an earlier one begins none any more. And what has ended does
//! not come back (rule `revived`): claims hold again only after they were given up, and the replica has
//! joined anew; where slots have ends of their own, each by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::group::Group;
use super::{Found, Property};
use crate::sharding::trace::{Entry, What};
use crate::time::SimTime;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Lives {
    /// By replica: until when its claims held.
    until: BTreeMap<u32, SimTime>,
    /// The same of slots with ends of their own.
    ends: BTreeMap<(u32, u32), SimTime>,
    names: BTreeMap<u32, Arc<str>>,
    known: BTreeMap<Arc<str>, Life>,
}

impl Lives {
    /// Whether a replica's slots have ends of their own.
    fn differ(&self, replica: u32) -> bool {
        self.ends.range((replica, 0)..=(replica, u32::MAX)).next().is_some()
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
                self.ends.retain(|(of, _), _| of != replica);
            }
            What::Lost { replica, slots } => {
                for slot in &group.fine(&slots.0) {
                    self.ends.remove(&(*replica, slot.index()));
                }
            }
            What::Ends { replica, slots, until } => {
                for slot in &group.fine(&slots.0) {
                    let before = self.ends.insert((*replica, slot.index()), *until);
                    let ended = before.filter(|it| *it < entry.at && entry.at < *until);
                    let Some(before) = ended.filter(|_| group.has(*replica, slot)) else {
                        continue;
                    };
                    let what = format!(
                        "replica {replica}'s claim to slot {slot}, which had ended at {before}, holds \
                         again until {until}"
                    );
                    found.tell("revived", &[*replica], what);
                    return;
                }
            }
            What::Until { replica, until, .. } if !self.differ(*replica) => {
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
