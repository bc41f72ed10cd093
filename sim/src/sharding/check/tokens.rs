//! The tokens of a slot grow strictly with each change of owner (rule `grow`), and a guarded resource
//! takes none that is smaller than one it has seen (rule `guard`).

use super::group::Group;
use super::{Found, Property};
use crate::sharding::scenario::Scenario;
use crate::sharding::trace::{Entry, What};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Tokens {
    /// By slot: the last token with which work began, and whose.
    last: Vec<Option<(u64, u32, u32)>>,
    /// By slot: the largest that was taken.
    taken: Vec<u64>,
}

impl Tokens {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let count = scenario.finest().count() as usize;
        Self { last: vec![None; count], taken: vec![0; count] }
    }
}

impl Property for Tokens {
    fn name(&self) -> &'static str {
        "tokens"
    }

    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>) {
        match entry.what {
            What::Began { replica, life, slot, of, token, .. } => {
                let (first, end) = group.range(slot, of);
                let mut told = false;
                for last in self.last.get_mut(first as usize..end as usize).unwrap_or_default() {
                    if let Some((before, other, in_life)) = *last
                        && !told
                        && (token < before
                            || (token == before && (other, in_life) != (replica, life)))
                    {
                        told = true;
                        let what = format!(
                            "replica {replica} begins work on slot {slot} with token {token}, after \
                             replica {other} did with token {before}"
                        );
                        found.tell("grow", &[replica, other], what);
                    }
                    *last = Some((token, replica, life));
                }
            }
            What::Wrote { replica, slot, of, token, accepted: true } => {
                let (first, end) = group.range(slot, of);
                for taken in self.taken.get_mut(first as usize..end as usize).unwrap_or_default() {
                    if token < *taken {
                        let what = format!(
                            "replica {replica}'s write with token {token} is taken after {taken}"
                        );
                        found.tell("guard", &[replica], what);
                        return;
                    }
                    *taken = token;
                }
            }
            _ => {}
        }
    }
}
