//! What a replica had before its process ended is void: the work of a later life of the same name begins
//! with greater tokens only, and an earlier one begins none any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::group::Group;
use super::{Found, Property};
use crate::sharding::trace::{Entry, What};

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Lives {
    names: BTreeMap<u32, Arc<str>>,
    lives: BTreeMap<Arc<str>, Life>,
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

    fn observe(&mut self, _: &Group, entry: &Entry, found: &mut Found<'_>) {
        match &entry.what {
            What::Started { replica, name, .. } => {
                self.names.insert(*replica, Arc::clone(name));
            }
            What::Began { replica, life, token, .. } => {
                let Some(name) = self.names.get(replica) else { return };
                let known = self.lives.entry(Arc::clone(name)).or_default();
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
