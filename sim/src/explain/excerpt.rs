//! Of a long run, what an explanation needs.

use core::ops::RangeInclusive;

use crate::check::{Check, Violation};
use crate::sharding::check::Check as ShardedCheck;
use crate::sharding::trace as sharded;
use crate::time::SimTime;
use crate::trace::{Entry, What};

/// So many entries are kept before a violation, and after it: of three replicas, those of some hours.
const BEFORE: u64 = 100_000;
const AFTER: u64 = 20_000;

/// Keeps, of a run that is repeated, the entries around violations that are known from the first time,
/// and of all others those that say how processes stood and what went wrong. What it keeps does not grow
/// with the time that the run takes, only with what goes wrong in it.
///
/// ```
/// use tenure_sim::{catalogue, check::Checks, explain::{Excerpt, explain}, world::World};
///
/// let mut scenario = catalogue::find("pause").unwrap();
/// scenario.profile = "client-go-head".parse().unwrap();
/// let mut checks = Checks::for_scenario(&scenario);
/// let found = World::new(&scenario, 1)?.run(&mut checks).violations;
/// let mut excerpt = Excerpt::around(&[&found[0]]);
/// World::new(&scenario, 1)?.run(&mut excerpt);
/// assert!(explain(&scenario, 1, &excerpt.entries, &found[0]).starts_with("two leaders: "));
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Excerpt<E = Entry> {
    windows: Vec<RangeInclusive<u64>>,
    /// What was kept, in order.
    pub entries: Vec<E>,
}

impl<E> Excerpt<E> {
    /// For these violations.
    #[must_use]
    pub fn around(violations: &[&Violation]) -> Self {
        let window = |it: &Violation| it.seq.saturating_sub(BEFORE)..=it.seq.saturating_add(AFTER);
        Self { windows: violations.iter().copied().map(window).collect(), entries: Vec::new() }
    }

    fn wants(&self, seq: u64) -> bool {
        self.windows.iter().any(|window| window.contains(&seq))
    }
}

impl Check for Excerpt {
    fn name(&self) -> &'static str {
        "excerpt"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        let stands = matches!(
            entry.what,
            What::Started { .. }
                | What::Ended { .. }
                | What::Paused { .. }
                | What::Resumed { .. }
                | What::Stopping { .. }
                | What::Clock { .. }
                | What::StartedLeading { .. }
                | What::StoppedLeading { led: true, .. }
                | What::Fault { .. }
                | What::FaultEnded { .. }
                | What::RolledOut { .. }
                | What::Healed
                | What::Horizon
        );
        // A right with a bound is told anew before it ends; one without only once.
        let lasts = matches!(
            entry.what,
            What::Authority { until, .. } if until.is_none_or(|until| until == SimTime::NEVER)
        );
        if stands || lasts || self.wants(entry.seq) {
            self.entries.push(entry.clone());
        }
    }
}

impl ShardedCheck for Excerpt<sharded::Entry> {
    fn name(&self) -> &'static str {
        "excerpt"
    }

    fn observe(&mut self, entry: &sharded::Entry, _: &mut Vec<Violation>) {
        use sharded::What;
        let stands = matches!(
            entry.what,
            What::Started { .. }
                | What::Ended { .. }
                | What::Paused { .. }
                | What::Resumed { .. }
                | What::Leaving { .. }
                | What::Clock { .. }
                | What::Gained { .. }
                | What::Lost { .. }
                | What::Fault { .. }
                | What::FaultEnded { .. }
                | What::Healed
                | What::Horizon
        );
        let lasts = matches!(
            entry.what,
            What::Until { until, .. } if until.is_none_or(|until| until == SimTime::NEVER)
        );
        if stands || lasts || self.wants(entry.seq) {
            self.entries.push(entry.clone());
        }
    }
}

/// Says that entries are missing, if some are.
pub(super) fn gap(mut seqs: impl Iterator<Item = u64>) -> &'static str {
    let mut next = 0;
    let whole = seqs.all(|seq| core::mem::replace(&mut next, seq + 1) == seq);
    if whole {
        ""
    } else {
        "  (a long run: of what is far from here only starts, ends and faults are told)\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Checks;
    use crate::explain::explain;
    use crate::fault::{Fault, Planned};
    use crate::scenario::Scenario;
    use crate::time::Span;
    use crate::trace::Recorder;
    use crate::world::World;

    /// A violation on the fourth day.
    fn late() -> (Scenario, Violation) {
        let mut scenario = Scenario { horizon: Span::from_secs(400_000), ..Scenario::default() };
        scenario.work.period = Span::ZERO;
        scenario.profile = "client-go-head".parse().unwrap();
        let pause: Planned = serde_json::from_str(
            r#"{ "at": "300000s", "for": "30s", "fault": { "pause": { "target": "leader" } } }"#,
        )
        .unwrap();
        assert!(matches!(pause.fault, Fault::Pause { .. }));
        scenario.faults.push(pause);
        let mut checks = Checks::for_scenario(&scenario);
        let outcome = World::new(&scenario, 1).unwrap().run(&mut checks);
        (scenario, outcome.violations.into_iter().next().unwrap())
    }

    #[test]
    fn of_a_long_run_only_what_is_near_is_kept_and_told_as_of_the_whole() {
        let (scenario, first) = late();
        let (mut recorder, mut excerpt) = (Recorder::default(), Excerpt::around(&[&first]));
        World::new(&scenario, 1).unwrap().run(&mut (&mut recorder, &mut excerpt));
        let (all, kept) = (recorder.entries, excerpt.entries);
        let most = usize::try_from(BEFORE + AFTER).unwrap() + 100;
        assert!(first.seq > 2 * BEFORE && kept.len() < most, "{} of {}", kept.len(), all.len());
        let told = |entries: &[Entry]| explain(&scenario, 1, entries, &first);
        let (whole, part) = (told(&all), told(&kept));
        assert!(part.contains("a long run:") && !whole.contains("a long run:"), "{part}");
        // Where everybody stood, and what happened, but for how often was renewed before.
        let rest = |text: &str| {
            let line = |line: &&str| !line.contains("a long run") && !line.contains(" x ");
            text.lines().filter(line).map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(part.contains("STARTS TO LEAD") && part.contains(">>"), "{part}");
        assert_eq!(rest(&whole)[..8], rest(&part)[..8]);
    }
}
