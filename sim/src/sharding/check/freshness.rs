//! Who has not heard of the store for the renew deadline has nothing: no claim holds for longer than the
//! renew deadline, by the replica's own clock, after the last moment of which it knows how the store was,
//! and after its last renewal that it knows to have been taken. So a stale watch, a lost answer or a
//! late one gives nobody more time.

use super::group::Group;
use super::{Found, Property};
use crate::clock::RIGHT;
use crate::sharding::scenario::Scenario;
use crate::sharding::trace::{Entry, What};
use crate::time::{SimTime, Span};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Freshness {
    /// By replica.
    deadlines: Vec<Span>,
    /// By replica: the last of its claims' ends, and what it knew then.
    last: Vec<(Option<SimTime>, SimTime, SimTime)>,
}

impl Freshness {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let mut deadlines = Vec::new();
        for replica in &scenario.replicas {
            let deadline = replica.renew_deadline.unwrap_or(scenario.renew_deadline);
            deadlines.extend((0..replica.count).map(|_| deadline));
        }
        let none = (Some(SimTime::ZERO), SimTime::ZERO, SimTime::ZERO);
        Self { last: vec![none; deadlines.len()], deadlines }
    }
}

impl Property for Freshness {
    fn name(&self) -> &'static str {
        "freshness"
    }

    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>) {
        let replica = match &entry.what {
            What::Until { replica, until, learnt, renewed } => {
                if let Some(last) = self.last.get_mut(*replica as usize) {
                    *last = (*until, *learnt, *renewed);
                }
                *replica
            }
            What::Gained { replica, .. } => *replica,
            _ => return,
        };
        let Some(it) = group.get(replica).filter(|it| !it.claims.is_empty()) else { return };
        let Some(&(until, learnt, renewed)) = self.last.get(replica as usize) else { return };
        let deadline = self.deadlines.get(replica as usize).copied().unwrap_or_default();
        let slowest = u128::from(it.rates.0.max(1));
        let real = (u128::from(deadline.as_nanos()) * u128::from(RIGHT)).div_ceil(slowest);
        // A nanosecond for each rounding of the clock.
        let real = Span::from_nanos(u64::try_from(real).unwrap_or(u64::MAX)) + Span::from_nanos(4);
        let most = learnt.min(renewed) + real;
        let until = until.unwrap_or(SimTime::NEVER);
        // An end that has passed is what the clock says now: when it was does not matter any more.
        if until > most.max(entry.at) {
            let what = format!(
                "replica {replica}'s claims hold until {until}: it knows how the store was at {learnt} \
                 and of its own renewal at {renewed}, so they must end at {most}"
            );
            found.tell("until", &[replica], what);
        }
    }
}
