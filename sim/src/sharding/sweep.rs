//! Many runs of one scenario of a sharded group, a seed each. What comes out does not depend on threads.

use core::ops::Range;
use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;
use tenure::sharding::Rule;

use super::check::Checks;
use super::scenario::{Scenario, ScenarioError};
use super::world::Outcome;
use super::{judge, tenure_world};
use crate::outcome::Digest;
use crate::sweep::Found;
use crate::verdict::Verdict;

/// Of how many runs something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Runs {
    /// All.
    pub all: u64,
    /// What was expected of the scenario was so.
    pub passed: u64,
    /// Nothing happened that could have gone wrong.
    pub unknown: u64,
    /// Something was not so.
    pub violated: u64,
    /// A process crashed.
    pub crash: u64,
    /// A process stood still.
    pub pause: u64,
    /// A write failed on its version.
    pub conflict: u64,
    /// A message was lost.
    pub loss: u64,
    /// A watch showed something.
    pub watch: u64,
    /// A fault began.
    pub fault: u64,
}

/// What a sweep came to, or a part of one: parts add up to the same in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Of how many runs something is so.
    pub runs: Runs,
    /// What was found, by check and rule.
    pub found: BTreeMap<(String, String), Found>,
    digest: u128,
}

impl Tally {
    fn of(seed: u64, outcome: &Outcome, verdict: Verdict) -> Self {
        let s = &outcome.statistics;
        let violated = matches!(verdict, Verdict::Unexpected | Verdict::Missing);
        let unknown = verdict == Verdict::Unknown;
        let runs = Runs {
            all: 1,
            passed: u64::from(!violated && !unknown),
            unknown: u64::from(unknown),
            violated: u64::from(violated),
            crash: u64::from(s.crashes > 0),
            pause: u64::from(s.pauses > 0),
            conflict: u64::from(s.conflicts > 0),
            loss: u64::from(s.lost > 0),
            watch: u64::from(s.shown > 0),
            fault: u64::from(s.faults > 0),
        };
        let mut found: BTreeMap<_, Found> = BTreeMap::new();
        for violation in &outcome.violations {
            let rule = (violation.check.clone(), violation.rule.clone());
            let one = || Found { times: 0, runs: 1, first_seed: seed, first: violation.clone() };
            found.entry(rule).or_insert_with(one).times += 1;
        }
        Self { runs, found, digest: outcome.digest.0 }
    }

    fn and(mut self, other: Self) -> Self {
        let (mine, theirs) = (&mut self.runs, other.runs);
        for (mine, theirs) in [
            (&mut mine.all, theirs.all),
            (&mut mine.passed, theirs.passed),
            (&mut mine.unknown, theirs.unknown),
            (&mut mine.violated, theirs.violated),
            (&mut mine.crash, theirs.crash),
            (&mut mine.pause, theirs.pause),
            (&mut mine.conflict, theirs.conflict),
            (&mut mine.loss, theirs.loss),
            (&mut mine.watch, theirs.watch),
            (&mut mine.fault, theirs.fault),
        ] {
            *mine += theirs;
        }
        for (rule, theirs) in other.found {
            match self.found.get_mut(&rule) {
                None => {
                    self.found.insert(rule, theirs);
                }
                Some(mine) => mine.merge(theirs),
            }
        }
        self.digest = self.digest.wrapping_add(other.digest);
        self
    }

    /// The digest of the whole sweep.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        Digest(self.digest)
    }
}

/// Runs `scenario` with each seed, without the rules named, on the threads of the current pool; tells
/// `done` of each run.
///
/// # Errors
/// If the scenario makes no sense.
///
/// ```
/// use tenure_sim::sharding::{catalogue, sweep::sweep};
/// let scenario = catalogue::find("sharding/calm").unwrap();
/// let tally = sweep(&scenario, &[], 0..3, || {})?;
/// assert_eq!((tally.runs.all, tally.runs.violated), (3, 0));
/// # Ok::<(), tenure_sim::sharding::ScenarioError>(())
/// ```
pub fn sweep(
    scenario: &Scenario,
    without: &[Rule],
    seeds: Range<u64>,
    done: impl Fn() + Sync,
) -> Result<Tally, ScenarioError> {
    let one = |seed| {
        let mut world = tenure_world(scenario, seed, without)?;
        let mut checks = Checks::new(world.scenario());
        let outcome = world.run(&mut checks);
        done();
        Ok(Tally::of(seed, &outcome, judge(scenario, &outcome)))
    };
    seeds.into_par_iter().map(one).try_reduce(Tally::default, |one, other| Ok(one.and(other)))
}
