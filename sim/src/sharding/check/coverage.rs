//! Each slot finds an owner within the bound. In a scenario that is `bounded`, by the cause of its
//! having none (the rules are the causes), with rtt the longest write, w the longest delivery of a
//! watch, d the longest work and cleaning up, r a retry period where members list instead of watching:
//!
//! | cause | bound |
//! | --- | --- |
//! | `start` | 3 R + 4 rtt + 2 w + 3 r |
//! | `move` | d + 3 rtt + 2 w + 3 r |
//! | `leave` | d + 3 rtt + 2 w + 2 r |
//! | `crash`, `lapse` | L + R + 3 rtt + 2 w + 2 r |
//!
//! In any scenario that heals, each slot has an owner by four lease durations and twenty retry periods
//! after that (rule `healed`).

use super::gaps::{Cause, Gap, Gaps};
use super::group::Group;
use super::{Found, Property};
use crate::sharding::fault::Fault;
use crate::sharding::scenario::Scenario;
use crate::sharding::trace::Entry;
use crate::time::{SimTime, Span};

/// The bounds of a scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// A write and its answer.
    pub(crate) rtt: Span,
    /// A watch's delivery.
    pub(crate) watch: Span,
    /// Work and cleaning up.
    pub(crate) drain: Span,
    /// A retry period.
    pub(crate) retry: Span,
    /// The longest lease duration.
    pub(crate) lease: Span,
    /// A retry period if anybody lists, else nothing.
    pub(crate) lists: Span,
}

impl Bounds {
    /// Of a scenario.
    #[must_use]
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let (network, store, work) = (&scenario.network, &scenario.store, &scenario.work);
        let leases = scenario.replicas.iter().filter_map(|replica| replica.lease_duration);
        let slow = scenario.faults.iter().filter_map(|planned| match &planned.fault {
            Fault::SlowDrain { by, .. } => Some(by.longest()),
            _ => None,
        });
        let slow = slow.fold(Span::ZERO, |sum, by| sum + by);
        let lists = scenario.replicas.iter().any(|replica| !replica.watch);
        let (there, back) = (network.request.longest(), network.response.longest());
        Self {
            rtt: there + store.before.longest() + store.after.longest() + back,
            watch: network.response.longest(),
            drain: work.takes.longest() + work.drain.longest() + slow,
            retry: scenario.retry_period,
            lease: leases.chain([scenario.lease_duration]).max().unwrap_or_default(),
            lists: if lists { scenario.retry_period } else { Span::ZERO },
        }
    }

    /// For how long a slot may have no owner.
    #[must_use]
    pub(crate) fn longest(&self, cause: Cause) -> Span {
        let times =
            |span: Span, count: u64| Span::from_nanos(span.as_nanos().saturating_mul(count));
        let Self { rtt, watch, drain, retry, lease, lists } = *self;
        let hand_over = times(rtt, 3) + times(watch, 2);
        match cause {
            Cause::Start => times(retry, 3) + rtt + hand_over + times(lists, 3),
            Cause::Move => drain + hand_over + times(lists, 3),
            Cause::Leave => drain + hand_over + times(lists, 2),
            Cause::Crash | Cause::Lapse => lease + retry + hand_over + times(lists, 2),
        }
    }

    /// How long after healing everything must have an owner.
    #[must_use]
    pub(crate) fn healing(&self) -> Span {
        let times =
            |span: Span, count: u64| Span::from_nanos(span.as_nanos().saturating_mul(count));
        times(self.lease, 4) + times(self.retry, 20) + times(self.drain, 4)
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Coverage {
    gaps: Gaps,
    bounds: Bounds,
    bounded: bool,
    heal_at: Option<SimTime>,
}

impl Coverage {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self {
            gaps: Gaps::new(scenario),
            bounds: Bounds::of(scenario),
            bounded: scenario.bounded,
            heal_at: scenario.heal_at.map(|heal_at| SimTime::ZERO + heal_at),
        }
    }

    fn late(&self, gap: &Gap, now: SimTime, found: &mut Found<'_>) {
        let bound = self.bounds.longest(gap.cause);
        let took = now.saturating_since(gap.since);
        if took > bound {
            let who: Vec<u32> = gap.to.into_iter().chain(gap.from).collect();
            let what = format!(
                "slot {} has had no owner for {took}: at most {bound} after a {}",
                gap.slot,
                gap.cause.name()
            );
            found.tell(gap.cause.name(), &who, what);
        }
    }
}

impl Property for Coverage {
    fn name(&self) -> &'static str {
        "coverage"
    }

    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>) {
        let mut longest: Option<Gap> = None;
        self.gaps.observe(group, entry, |gap| {
            if longest.is_none_or(|longest| gap.since < longest.since) {
                longest = Some(gap);
            }
        });
        if let Some(gap) = longest.filter(|_| self.bounded) {
            self.late(&gap, entry.at, found);
        }
    }

    fn finish(&mut self, group: &Group, found: &mut Found<'_>) {
        let open = self.gaps.open(group.now).min_by_key(|gap| gap.since);
        let Some(gap) = open else { return };
        if self.bounded {
            self.late(&gap, group.now, found);
        }
        let healed = self.heal_at.map(|at| at.max(gap.since) + self.bounds.healing());
        let anybody = group.replicas.iter().any(|replica| replica.alive);
        if anybody && healed.is_some_and(|healed| healed <= group.now) {
            let what = format!(
                "slot {} has had no owner since {}, and all faults have ended",
                gap.slot, gap.since
            );
            found.tell("healed", &gap.from.into_iter().collect::<Vec<_>>(), what);
        }
    }
}
