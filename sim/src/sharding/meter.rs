//! Figures of a run: who had what for how long, what moved, what it cost.

use std::collections::BTreeMap;

use serde::Serialize;

use super::check::Check;
use super::check::gaps::{Cause, Gaps};
use super::check::group::Group;
use super::scenario::Scenario;
use super::trace::{Entry, What};
use super::world::Statistics;
use crate::check::Violation;
use crate::time::{SimTime, Span};

/// Measures, and finds nothing.
///
/// ```
/// use tenure_sim::sharding::meter::{Figures, Meter, Unowned};
/// use tenure_sim::sharding::{catalogue, tenure_world};
/// use tenure_sim::time::Span;
///
/// let scenario = catalogue::find("sharding/crash").unwrap();
/// let mut meter = Meter::new(&scenario);
/// let outcome = tenure_world(&scenario, 1, &[])?.run(&mut meter);
/// let figures: Figures = meter.figures(&outcome.statistics);
/// assert_eq!(figures.two_owner_slot_nanos, 0);
/// // The slots of those that died found others when the leases had run out.
/// let Unowned { gaps, longest, .. } = figures.unowned["crash"];
/// assert!(gaps > 0 && gaps <= figures.moves);
/// assert!(scenario.lease_duration < longest + scenario.retry_period && longest < Span::from_secs(30));
/// # Ok::<(), tenure_sim::sharding::ScenarioError>(())
/// ```
#[derive(Debug)]
pub struct Meter {
    group: Group,
    gaps: Gaps,
    figures: Figures,
    unowned: BTreeMap<Cause, Unowned>,
    last: SimTime,
}

/// How long slots had no owner.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Unowned {
    /// How often.
    pub gaps: u64,
    /// Of all slots together, in slot-nanoseconds.
    pub slot_nanos: u64,
    /// The longest.
    pub longest: Span,
}

/// What was measured.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// For how long two had one slot at once, slot by slot, in slot-nanoseconds.
    pub two_owner_slot_nanos: u64,
    /// For how long slots had no owner, by cause.
    pub unowned: BTreeMap<String, Unowned>,
    /// How often a slot went from one replica to another.
    pub moves: u64,
    /// How often a slot was gained.
    pub gains: u64,
    /// Of the last moment at which all slots had owners: the greatest share of any replica over the
    /// mean, in thousandths.
    pub busiest_to_mean_permille: u64,
    /// Changes of members.
    pub changes: u64,
    /// Calls and deliveries for each 1,000 seconds.
    pub writes_per_1000s: u64,
    /// See there.
    pub reads_per_1000s: u64,
    /// See there.
    pub shown_per_1000s: u64,
}

impl Meter {
    /// For runs of this scenario.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            group: Group::new(scenario),
            gaps: Gaps::new(scenario),
            figures: Figures::default(),
            unowned: BTreeMap::new(),
            last: SimTime::ZERO,
        }
    }

    /// What was measured in a run that ended.
    #[must_use]
    pub fn figures(mut self, statistics: &Statistics) -> Figures {
        let seconds = u128::from(self.last.as_nanos());
        let rate = |count: u64| {
            let rate = u128::from(count) * 1_000_000_000_000 / seconds.max(1);
            u64::try_from(rate).unwrap_or(u64::MAX)
        };
        self.figures.writes_per_1000s = rate(statistics.writes);
        self.figures.reads_per_1000s = rate(statistics.reads);
        self.figures.shown_per_1000s = rate(statistics.shown);
        self.figures.changes = self.group.changes;
        let unowned = Cause::ALL
            .iter()
            .filter_map(|cause| Some((cause.name().to_owned(), *self.unowned.get(cause)?)));
        self.figures.unowned = unowned.collect();
        self.figures
    }

    fn gained(&mut self, replica: u32, entry: &Entry) {
        let What::Gained { slots, .. } = &entry.what else { return };
        let (now, group) = (entry.at, &self.group);
        let fine = group.fine(&slots.0);
        self.figures.gains += fine.len() as u64;
        // Until when somebody else has a slot: as long as nothing is said of it.
        for (other, it) in group.holders().filter(|(other, _)| *other != replica) {
            if !it.claims.is_disjoint(&fine) {
                let mut both = it.claims.clone();
                both.keep(&fine);
                for slot in &both {
                    let until = group.end(other, slot.index()).unwrap_or(SimTime::NEVER);
                    self.figures.two_owner_slot_nanos = self
                        .figures
                        .two_owner_slot_nanos
                        .saturating_add(until.saturating_since(now).as_nanos());
                }
            }
        }
        let count = self.group.slots.count() as usize;
        let shares: Vec<usize> = self.group.holders().map(|(_, it)| it.claims.len()).collect();
        if shares.iter().sum::<usize>() == count
            && let Some(most) = shares.iter().max()
        {
            let permille = most * shares.len() * 1_000 / count;
            self.figures.busiest_to_mean_permille = permille as u64;
        }
    }
}

impl Check for Meter {
    fn name(&self) -> &'static str {
        "meter"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        self.group.apply(entry);
        self.last = entry.at;
        let Self { gaps, unowned, group, figures, .. } = self;
        gaps.observe(group, entry, |gap| {
            if gap.from.is_some() && gap.from != gap.to {
                figures.moves += 1;
            }
            let took = entry.at.saturating_since(gap.since);
            let sum = unowned.entry(gap.cause).or_default();
            sum.gaps += 1;
            sum.slot_nanos = sum.slot_nanos.saturating_add(took.as_nanos());
            sum.longest = sum.longest.max(took);
        });
        if let What::Gained { replica, .. } = entry.what {
            self.gained(replica, entry);
        }
    }

    fn finish(&mut self, at: SimTime, _: &mut Vec<Violation>) {
        self.last = at;
        for gap in self.gaps.open(at) {
            let took = at.saturating_since(gap.since);
            let sum = self.unowned.entry(gap.cause).or_default();
            sum.gaps += 1;
            sum.slot_nanos = sum.slot_nanos.saturating_add(took.as_nanos());
            sum.longest = sum.longest.max(took);
        }
    }
}
