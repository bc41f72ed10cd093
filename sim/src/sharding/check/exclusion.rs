//! Nobody is excluded who gave a sign within its lease duration, by the clock of whoever excludes it:
//! what an exclusion replaces was written at least that long before the exclusion was sent.

use std::collections::BTreeMap;

use super::group::Group;
use super::{Found, Property};
use crate::clock::RIGHT;
use crate::sharding::trace::{Entry, What};
use crate::time::{SimTime, Span};

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Exclusion {
    /// When each record was written last.
    written: BTreeMap<std::sync::Arc<str>, SimTime>,
}

impl Property for Exclusion {
    fn name(&self) -> &'static str {
        "exclusion"
    }

    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>) {
        let What::Committed { by, sent, name, now, was, .. } = &entry.what else { return };
        let written = self.written.insert(name.clone(), entry.at);
        let (Some(by), Some(now), Some(was)) = (by, now, was) else { return };
        if now.state != "Excluded" || was.state == "Excluded" {
            return;
        }
        let (Some(written), Some(lease)) = (written, was.lease) else { return };
        let fastest = u128::from(group.get(*by).map_or(RIGHT, |it| it.rates.1).max(1));
        let shortest = u128::from(lease.as_nanos()) * u128::from(RIGHT) / fastest;
        let shortest = Span::from_nanos(u64::try_from(shortest).unwrap_or(u64::MAX));
        let waited = sent.saturating_since(written);
        if waited + Span::from_nanos(4) < shortest {
            let what = format!(
                "replica {by} excludes {name} {waited} after its last sign: at least {shortest} must pass"
            );
            found.tell("early", &[*by], what);
        }
    }
}
