//! Who was called because its time had come does not want to be called at a time that has passed, again
//! and again: its driver would do nothing else.

use super::group::Group;
use super::{Found, Property};
use crate::sharding::trace::{Entry, What};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Timers;

impl Property for Timers {
    fn name(&self) -> &'static str {
        "timers"
    }

    fn observe(&mut self, _: &Group, entry: &Entry, found: &mut Found<'_>) {
        if let What::Spins { replica } = entry.what {
            let what = format!("replica {replica} wants to be called at a time that has passed");
            found.tell("past", &[replica], what);
        }
    }
}
