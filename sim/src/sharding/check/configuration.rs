//! No two replicas have slots at one instant under different configurations.

use super::group::Group;
use super::{Found, Property};
use crate::sharding::trace::{Entry, What};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct OneConfiguration;

impl Property for OneConfiguration {
    fn name(&self) -> &'static str {
        "one-configuration"
    }

    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>) {
        let What::Gained { replica, .. } = entry.what else { return };
        if !group.holds(replica) {
            return;
        }
        let own = group.get(replica).and_then(|it| it.generation.as_ref());
        let mut others = group.holders().filter(|(other, _)| *other != replica);
        let Some(own) = own else { return };
        let other = others.find(|(_, it)| it.generation.as_ref().is_some_and(|it| it != own));
        if let Some((other, it)) = other {
            let theirs = it.generation.as_deref().unwrap_or_default();
            let what = format!(
                "replica {replica} gains slots under configuration {own}, and replica {other} has some \
                 under {theirs}"
            );
            found.tell("mixed", &[replica, other], what);
        }
    }
}
