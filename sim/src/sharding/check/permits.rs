//! No work begins at or after the end of its permit (rule `late`), or on a slot that its replica does
//! not claim (rule `unowned`).

use super::group::Group;
use super::{Found, Property};
use crate::sharding::trace::{Entry, What};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Permits;

impl Property for Permits {
    fn name(&self) -> &'static str {
        "permits"
    }

    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>) {
        let What::Began { replica, slot, of, until, .. } = entry.what else { return };
        let (first, _) = group.range(slot, of);
        let end = group.end(replica, first);
        if entry.at >= until || end.is_some_and(|end| end <= entry.at) {
            let what = format!(
                "replica {replica} begins work on slot {slot} at or after the end of its right, {until}"
            );
            found.tell("late", &[replica], what);
        }
        let has = |it: &super::group::Replica| {
            group.slots.get(first).is_some_and(|slot| it.claims.contains(slot))
        };
        if !group.get(replica).is_some_and(has) {
            let what =
                format!("replica {replica} begins work on slot {slot}, which it does not claim");
            found.tell("unowned", &[replica], what);
        }
    }
}
