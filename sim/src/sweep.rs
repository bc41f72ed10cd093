//! Many runs of one scenario, a seed each. What a sweep comes to does not depend on how many threads
//! ran it, or in which order; a run that panics is a violation, not the end.
//!
//! ```
//! use std::num::NonZeroU64;
//! use tenure_sim::catalogue;
//! use tenure_sim::sweep::{DETERMINISM, Found, Mark, PANIC, Runs, Tally, sweep_twice};
//!
//! let mut pause = catalogue::find("pause").unwrap();
//! pause.profile = "client-go-head".parse().unwrap();
//! pause.expect.clear();
//! let tally: Tally = sweep_twice(&pause, 0..6, NonZeroU64::new(3), |_, _| {})?;
//! let Runs { all, violated, .. } = tally.runs;
//! assert_eq!((all, violated), (6, 6));
//! assert_eq!(tally.failed, [0, 1, 2, 3, 4, 5]);
//! assert_eq!(tally.mark("pauses"), Mark { runs: 6, times: 6 });
//!
//! // Two led, no run panicked, and seeds 0 and 3 were run twice and came to the same.
//! let found = |name: &str| tally.found.iter().find(|it: &&Found| it.check == name);
//! assert!(found("one-leader").is_some_and(|found| found.first_seed == 0));
//! assert!(found(PANIC).is_none() && found(DETERMINISM).is_none());
//! # Ok::<(), tenure_sim::scenario::ScenarioError>(())
//! ```

pub(crate) mod results;
pub mod seeds;
mod twice;

use core::num::NonZeroU64;
use core::ops::Range;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::check::Violation;
use crate::outcome::Digest;
use crate::subject::{Find, Ran, Subject};
use crate::time::SimTime;
use crate::verdict::Verdict;

pub use twice::DETERMINISM;

/// The check that a run fails which panics.
pub const PANIC: &str = "panic";

/// Of how many runs something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Runs {
    /// All.
    pub all: u64,
    /// No check found anything, and something happened.
    pub holds: u64,
    /// What the scenario expects was found, and nothing else.
    pub as_expected: u64,
    /// Something was found that is not expected, or was not found that is.
    pub violated: u64,
    /// Nothing happened that could have gone wrong.
    pub unknown: u64,
}

impl Runs {
    fn of(verdict: Verdict) -> Self {
        let is = |verdicts: &[Verdict]| u64::from(verdicts.contains(&verdict));
        Self {
            all: 1,
            holds: is(&[Verdict::Holds]),
            as_expected: is(&[Verdict::AsExpected]),
            violated: is(&[Verdict::Unexpected, Verdict::Missing]),
            unknown: is(&[Verdict::Unknown]),
        }
    }

    fn add(&mut self, other: Self) {
        self.all += other.all;
        self.holds += other.holds;
        self.as_expected += other.as_expected;
        self.violated += other.violated;
        self.unknown += other.unknown;
    }
}

/// How often something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mark {
    /// In how many runs.
    pub runs: u64,
    /// How often in all of them together.
    pub times: u64,
}

/// What a rule of a check found in a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The check.
    pub check: String,
    /// Its rule.
    pub rule: String,
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
    fn merge(&mut self, theirs: Self) {
        self.times += theirs.times;
        self.runs += theirs.runs;
        if theirs.first_seed < self.first_seed {
            self.first_seed = theirs.first_seed;
            self.first = theirs.first;
        }
    }
}

/// What a sweep came to, or a part of one: parts add up to the same in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Of how many runs something is so.
    pub runs: Runs,
    /// How often what is worth counting happened, by its name.
    pub marks: BTreeMap<String, Mark>,
    /// What was found, by check, then rule.
    pub found: Vec<Found>,
    /// The runs that are violated: their smallest seeds, at most [`KEPT`](Self::KEPT).
    pub failed: Vec<u64>,
    /// The sum of all runs' digests.
    #[serde(with = "crate::wire::text")]
    pub digest: Digest,
}

impl Tally {
    /// How many seeds of violated runs are kept.
    pub const KEPT: usize = 256;

    /// One run.
    #[must_use]
    pub fn of(seed: u64, ran: &Ran) -> Self {
        let runs = Runs::of(ran.verdict);
        let mark = |(name, times): &(&'static str, u64)| {
            ((*name).to_owned(), Mark { runs: u64::from(*times > 0), times: *times })
        };
        let mut tally = Self {
            runs,
            marks: ran.marks.iter().map(mark).collect(),
            found: Vec::new(),
            failed: if runs.violated > 0 { vec![seed] } else { Vec::new() },
            digest: ran.digest,
        };
        for Find { violation, .. } in &ran.finds {
            let Violation { check, rule, .. } = violation.clone();
            let known = tally.found.iter_mut().find(|it| it.check == check && it.rule == rule);
            match known {
                Some(found) => found.times += 1,
                None => tally.found.push(Found {
                    check,
                    rule,
                    times: 1,
                    runs: 1,
                    first_seed: seed,
                    first: violation.clone(),
                }),
            }
        }
        tally.found.sort_by(|a, b| (&a.check, &a.rule).cmp(&(&b.check, &b.rule)));
        tally
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.runs.add(other.runs);
        for (name, theirs) in other.marks {
            let mine = self.marks.entry(name).or_default();
            mine.runs += theirs.runs;
            mine.times += theirs.times;
        }
        for theirs in other.found {
            let key = |it: &Found| (it.check.clone(), it.rule.clone());
            match self.found.binary_search_by_key(&key(&theirs), key) {
                Ok(place) => {
                    if let Some(mine) = self.found.get_mut(place) {
                        mine.merge(theirs);
                    }
                }
                Err(place) => self.found.insert(place, theirs),
            }
        }
        self.failed.extend(other.failed);
        self.failed.sort_unstable();
        self.failed.truncate(Self::KEPT);
        self.digest = Digest(self.digest.0.wrapping_add(other.digest.0));
        self
    }

    /// How often this happened.
    #[must_use]
    pub fn mark(&self, name: &str) -> Mark {
        self.marks.get(name).copied().unwrap_or_default()
    }
}

/// One run. One that panics is violated: check [`PANIC`], and nothing else is known of it.
///
/// # Errors
/// If the scenario makes no sense.
pub fn run<S: Subject>(subject: &S, seed: u64) -> Result<Ran, S::Error> {
    run_while(subject, seed, &mut |_| true)
}

/// The same, or until `go_on` says no to what was found.
pub(crate) fn run_while<S: Subject>(
    subject: &S,
    seed: u64,
    go_on: &mut dyn FnMut(&Find) -> bool,
) -> Result<Ran, S::Error> {
    // What is left of a run that panicked is thrown away.
    catch_unwind(AssertUnwindSafe(|| subject.run_while(seed, go_on))).unwrap_or_else(|thrown| {
        let text = thrown.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| thrown.downcast_ref::<String>().cloned());
        let what = text.unwrap_or_else(|| "something that is no text".to_owned());
        let violation = Violation {
            check: PANIC.to_owned(),
            rule: PANIC.to_owned(),
            at: SimTime::ZERO,
            seq: 0,
            replicas: Vec::new(),
            what: format!("panicked: {what}"),
        };
        Ok(Ran {
            digest: Digest(0),
            end: SimTime::ZERO,
            finds: vec![Find { violation, shown_by: PANIC.to_owned() }],
            verdict: Verdict::Unexpected,
            marks: Vec::new(),
            without_leader: None,
        })
    })
}

/// Runs `subject` with each seed on the threads of the current pool, and tells `done` of each run.
///
/// # Errors
/// If the scenario makes no sense.
///
/// ```
/// use tenure_sim::sharding::catalogue;
/// use tenure_sim::sweep::sweep;
/// let calm = catalogue::find("sharding/calm").unwrap();
/// let tally = sweep(&calm, 0..3, |_, _| {})?;
/// assert_eq!((tally.runs.all, tally.runs.violated), (3, 0));
/// # Ok::<(), tenure_sim::sharding::ScenarioError>(())
/// ```
pub fn sweep<S: Subject>(
    subject: &S,
    seeds: Range<u64>,
    done: impl Fn(u64, &Ran) + Sync,
) -> Result<Tally, S::Error> {
    sweep_twice(subject, seeds, None, done)
}

/// As [`sweep`]; one in so many seeds is run twice, to see that it is the same run.
///
/// # Errors
/// If the scenario makes no sense.
pub fn sweep_twice<S: Subject>(
    subject: &S,
    seeds: Range<u64>,
    one_in: Option<NonZeroU64>,
    done: impl Fn(u64, &Ran) + Sync,
) -> Result<Tally, S::Error> {
    let one = |seed: u64| {
        let mut ran = run(subject, seed)?;
        if one_in.is_some_and(|one_in| seed.is_multiple_of(one_in.get()))
            && let Some(other) = twice::again(subject, seed, &ran)?
        {
            ran = other;
        }
        done(seed, &ran);
        Ok(Tally::of(seed, &ran))
    };
    seeds.into_par_iter().map(one).try_reduce(Tally::default, |one, other| Ok(one.and(other)))
}
