//! Many random runs: a fault plan from each seed of a range, all checked. What a sweep comes to does
//! not depend on how many threads ran it, or in which order.

use core::ops::Range;
use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use crate::check::Violation;
use crate::outcome::{Digest, Outcome, Statistics};

/// Of how many runs something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Runs {
    /// All.
    pub all: u64,
    /// A takeover happened, a fault had an effect, and no check found anything.
    pub passed: u64,
    /// No check found anything, but no takeover happened or no fault had an effect.
    pub unknown: u64,
    /// A check found something.
    pub violated: u64,
    /// The lock changed hands, not only the first time.
    pub takeover: u64,
    /// A write failed on its version.
    pub conflict: u64,
    /// An answer came after its call was given up.
    pub late_answer: u64,
    /// A process stood still.
    pub pause: u64,
    /// A process crashed.
    pub crash: u64,
    /// A fault changed something.
    pub effect: u64,
    /// A watch showed something to an elector.
    pub watch: u64,
    /// A replica was restarted with other settings.
    pub rollout: u64,
}

/// What a rule of a check found in a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// How often.
    pub times: u64,
    /// In how many runs.
    pub runs: u64,
    /// The smallest seed of these.
    pub first_seed: u64,
    /// The first violation with that seed.
    pub first: Violation,
}

impl Found {
    /// Both together.
    pub(crate) fn merge(&mut self, theirs: Self) {
        self.times += theirs.times;
        self.runs += theirs.runs;
        if theirs.first_seed < self.first_seed {
            self.first_seed = theirs.first_seed;
            self.first = theirs.first;
        }
    }
}

/// What a sweep came to, or a part of one: parts add up to the same in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Of how many runs something is so.
    pub runs: Runs,
    /// What happened in all of them together.
    pub statistics: Statistics,
    /// What was found, by check and rule.
    pub found: BTreeMap<(String, String), Found>,
    /// The sum of all runs' digests.
    pub digest: u128,
}

impl Tally {
    /// One run.
    #[must_use]
    pub fn of(seed: u64, outcome: &Outcome) -> Self {
        let s = &outcome.statistics;
        let takeover = s.takeovers > 1;
        let effect = s.effective_faults > 0;
        let violated = !outcome.violations.is_empty();
        let runs = Runs {
            all: 1,
            passed: u64::from(!violated && takeover && effect),
            unknown: u64::from(!(violated || takeover && effect)),
            violated: u64::from(violated),
            takeover: u64::from(takeover),
            conflict: u64::from(s.conflicts > 0),
            late_answer: u64::from(s.late_answers > 0),
            pause: u64::from(s.pauses > 0),
            crash: u64::from(s.crashes > 0),
            effect: u64::from(effect),
            watch: u64::from(s.watched > 0),
            rollout: u64::from(s.rolled_out > 0),
        };
        let mut found: BTreeMap<_, Found> = BTreeMap::new();
        for violation in &outcome.violations {
            let rule = (violation.check.clone(), violation.rule.clone());
            let one = || Found { times: 0, runs: 1, first_seed: seed, first: violation.clone() };
            found.entry(rule).or_insert_with(one).times += 1;
        }
        Self { runs, statistics: *s, found, digest: outcome.digest.0 }
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (mine, theirs) in [
            (&mut self.runs.all, other.runs.all),
            (&mut self.runs.passed, other.runs.passed),
            (&mut self.runs.unknown, other.runs.unknown),
            (&mut self.runs.violated, other.runs.violated),
            (&mut self.runs.takeover, other.runs.takeover),
            (&mut self.runs.conflict, other.runs.conflict),
            (&mut self.runs.late_answer, other.runs.late_answer),
            (&mut self.runs.pause, other.runs.pause),
            (&mut self.runs.crash, other.runs.crash),
            (&mut self.runs.effect, other.runs.effect),
            (&mut self.runs.watch, other.runs.watch),
            (&mut self.runs.rollout, other.runs.rollout),
        ] {
            *mine += theirs;
        }
        self.statistics.add(&other.statistics);
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

/// Runs each seed and adds up; `run` may be called on any thread of the current pool.
///
/// # Errors
/// Any error of `run`.
pub fn sweep<E: Send>(
    seeds: Range<u64>,
    run: impl Fn(u64) -> Result<Outcome, E> + Sync,
) -> Result<Tally, E> {
    let one = |seed| run(seed).map(|outcome| Tally::of(seed, &outcome));
    seeds.into_par_iter().map(one).try_reduce(Tally::default, |one, other| Ok(one.and(other)))
}
