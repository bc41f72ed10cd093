//! Does anything notice when a rule is left out? For each rule of the sharding protocol: in which of many
//! random runs a check finds something, and which scenario shows it at once. A checker that finds nothing in
//! sound runs has shown little before it was seen to find what is planted.

use core::ops::Range;

use serde::Serialize;
use tenure::sharding::Rule;

use crate::sharding::{Scenario, ScenarioError, catalogue};
use crate::sweep::{Tally, run, sweep};
use crate::verdict::Verdict;

/// What came of leaving out a rule in many runs of one scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detection {
    /// Which scenario.
    pub scenario: String,
    /// How many runs.
    pub runs: u64,
    /// In how many of them something was found that should not have been, or not found that should.
    pub hits: u64,
    /// The smallest seed of these.
    pub first_seed: Option<u64>,
    /// The check and its rule that found it with that seed.
    pub property: Option<String>,
    /// With so many seeds it is found with a probability of 95 %.
    pub seeds_for_95: Option<u64>,
}

impl Detection {
    fn of(scenario: &Scenario, tally: &Tally) -> Self {
        let first = tally.failed.first().copied();
        let found = first.and_then(|seed| {
            let of_seed = tally.found.iter().filter(|found| found.first_seed == seed);
            let earliest = of_seed.min_by_key(|found| found.first.seq)?;
            Some(format!("{}/{}", earliest.check, earliest.rule))
        });
        Self {
            scenario: scenario.name.clone(),
            runs: tally.runs.all,
            hits: tally.runs.violated,
            first_seed: first,
            property: found,
            seeds_for_95: seeds_for_95(tally.runs.violated, tally.runs.all),
        }
    }
}

/// How many runs it takes until one is a hit with a probability of 95 %, if so many of so many are.
///
/// ```
/// use tenure_sim::mutants::seeds_for_95;
/// assert_eq!(seeds_for_95(2, 100), Some(149)); // 0.98 to the 149th is just below 0.05
/// assert_eq!((seeds_for_95(7, 7), seeds_for_95(0, 7)), (Some(1), None));
/// ```
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a figure for people, of counts far below 2^53"
)]
pub fn seeds_for_95(hits: u64, runs: u64) -> Option<u64> {
    if hits == 0 || runs == 0 {
        return None;
    }
    let miss = 1.0 - hits as f64 / runs as f64;
    Some(if miss <= 0.0 { 1 } else { (0.05_f64.ln() / miss.ln()).ceil() as u64 })
}

/// What there is to be seen of a rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub rule: &'static str,
    /// Random runs, by swarm.
    pub swarms: Vec<Detection>,
    /// The first scenario, with the smallest seed, that shows it.
    pub shown_by: Option<Detection>,
}

impl Row {
    /// Whether nothing noticed.
    #[must_use]
    pub fn survives(&self) -> bool {
        self.shown_by.is_none() && self.swarms.iter().all(|swarm| swarm.hits == 0)
    }
}

/// Leaves out `rule` in each of the `swarms` with each seed, and in all scenarios with the seeds 1 to 3 until
/// one shows it.
///
/// # Errors
/// If a scenario makes no sense.
///
/// ```
/// use tenure::sharding::Rule;
/// let row = tenure_sim::mutants::detect(Rule::JoinWait, &[], 0..1)?;
/// assert_eq!(row.shown_by.unwrap().scenario, "sharding/join-one");
/// # Ok::<(), tenure_sim::sharding::ScenarioError>(())
/// ```
pub fn detect(rule: Rule, swarms: &[Scenario], seeds: Range<u64>) -> Result<Row, ScenarioError> {
    let without = |scenario: &Scenario| {
        let mut without = scenario.clone();
        without.without.push(rule);
        without
    };
    let swarms = swarms.iter().map(|swarm| {
        let tally = sweep(&without(swarm), seeds.clone(), |_, _| {})?;
        Ok(Detection::of(swarm, &tally))
    });
    let swarms = swarms.collect::<Result<_, ScenarioError>>()?;
    Ok(Row { rule: rule.name(), swarms, shown_by: shown_by(rule, without)? })
}

fn shown_by(
    rule: Rule,
    without: impl Fn(&Scenario) -> Scenario,
) -> Result<Option<Detection>, ScenarioError> {
    // Each seed of all scenarios before the next, and those first that are about nothing else.
    for seed in 1..=3 {
        for scenario in catalogue::all().filter(|it| it.swarm.is_none()) {
            let sound = scenario.expect.is_empty();
            if !sound || !concerns(rule, &scenario) {
                continue;
            }
            let ran = run(&without(&scenario), seed)?;
            if matches!(ran.verdict, Verdict::Unexpected | Verdict::Missing) {
                let tally = Tally::of(seed, &ran);
                return Ok(Some(Detection::of(&scenario, &tally)));
            }
        }
    }
    Ok(None)
}

/// Rules of plans are not looked at where there are none.
fn concerns(rule: Rule, scenario: &Scenario) -> bool {
    use crate::sharding::Mode;
    let of_plans = [Rule::Since, Rule::MembersAfterPlan, Rule::PlanAcknowledged].contains(&rule);
    !of_plans || scenario.mode == Mode::Planned
}
