//! A replica that is alone, with nothing wrong, owns everything within the lease duration, six retry
//! periods and some writes: it excludes who is gone, joins, and gets the token.

use super::coverage::Bounds;
use super::group::Group;
use super::{Found, Property};
use crate::sharding::scenario::Scenario;
use crate::sharding::trace::{Entry, What};
use crate::time::{SimTime, Span};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Alone {
    bound: Span,
    /// Who is, and since when.
    since: Option<(u32, SimTime)>,
    told: bool,
}

impl Alone {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let bounds = Bounds::of(scenario);
        let times =
            |span: Span, count: u64| Span::from_nanos(span.as_nanos().saturating_mul(count));
        // The slowest clock may need this much longer.
        let slowest = scenario.replicas.iter().map(|it| it.rate_ppb).min().unwrap_or(1).max(1);
        let local = bounds.lease + times(bounds.retry, 6);
        let real = u128::from(local.as_nanos()) * u128::from(crate::clock::RIGHT);
        let real = Span::from_nanos(u64::try_from(real / u128::from(slowest)).unwrap_or(u64::MAX));
        Self { bound: real + bounds.drain + times(bounds.rtt, 6), since: None, told: false }
    }
}

impl Property for Alone {
    fn name(&self) -> &'static str {
        "alone"
    }

    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>) {
        match entry.what {
            What::Started { .. }
            | What::Ended { .. }
            | What::Leaving { .. }
            | What::Fault { .. }
            | What::FaultEnded { .. }
            | What::Healed => {
                let mut alive = (0..).zip(&group.replicas).filter(|(_, it)| it.alive);
                let one = alive.next().filter(|(_, it)| !it.leaving && !it.paused);
                let only = one.filter(|_| alive.next().is_none());
                let calm = group.faults == 0 || matches!(entry.what, What::Healed);
                self.since = only.filter(|_| calm).map(|(index, _)| (index, entry.at));
                self.told = false;
            }
            _ => {}
        }
        let Some((replica, since)) = self.since else { return };
        if self.told || entry.at <= since + self.bound {
            return;
        }
        self.told = true;
        let all = group.slots.count() as usize;
        let has = group.get(replica).map_or(0, |it| it.claims.len());
        if has < all || !group.holds(replica) {
            let what =
                format!("replica {replica} is alone since {since} and has {has} slots of {all}");
            found.tell("all", &[replica], what);
        }
    }
}
