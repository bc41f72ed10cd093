//! Does anything notice a bug? [`Bug`]s that elections and sharded groups are known to have are planted one
//! at a time, by rules that are left out. For each: which scenario shows it at once, in how many of many random
//! runs a check finds it, and how little is left of the first of these when it is shrunken. A checker that
//! finds nothing in sound runs has shown little before it was seen to find what is planted.

mod bugs;

use core::fmt::Display;
use core::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tenure::election::{Profile, Release};

use crate::scenario::Scenario;
use crate::shrink::shrink;
use crate::subject::{Ran, Subject};
use crate::sweep::{self, sweep};
use crate::verdict::Verdict;
use crate::{catalogue, sharding};

pub use bugs::{Bug, Plant, all};

/// With these seeds each scenario is tried.
const SEEDS: Range<u64> = 1..4;

/// So many runs may shrinking take.
const BUDGET: u64 = 500;

/// What found a bug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// In which scenario.
    pub scenario: String,
    /// With which seed, the smallest.
    pub seed: u64,
    /// The first check and rule that found what it should not; `None` if what should be found was not.
    pub property: Option<String>,
    /// How many faults the run had.
    pub faults_before: usize,
    /// How many are left when it is shrunken; `None` if it was not.
    pub faults: Option<usize>,
}

/// What came of many random runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Swarm {
    /// Which scenario.
    pub scenario: String,
    /// How many runs.
    pub runs: u64,
    /// In how many of them something was found that should not have been, or not found that should.
    pub hits: u64,
    /// With so many seeds it is found with a probability of 95 %.
    pub seeds_for_95: Option<u64>,
    /// The first of them.
    pub first: Option<Shown>,
}

/// What there is to be seen of a bug.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// See [`Bug`].
    pub number: String,
    /// What is wrong.
    pub bug: String,
    /// The rules that are left out.
    pub without: Vec<String>,
    /// Where it cannot be planted: what refuses it.
    pub refused_by: Option<String>,
    /// The scenario that shows it.
    pub shown_by: Option<Shown>,
    /// Random runs.
    pub swarms: Vec<Swarm>,
    /// Why it is equivalent, if nothing notices it.
    pub argument: Option<String>,
}

impl Row {
    /// Whether nothing noticed.
    #[must_use]
    pub fn survives(&self) -> bool {
        let unseen = self.swarms.iter().all(|swarm| swarm.hits == 0);
        self.refused_by.is_none() && self.shown_by.is_none() && unseen
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

/// Plants `bug` in its scenario with the seeds 1 to 3, or if that does not show it in all others, and in the
/// random ones with each of `seeds`. What is found is shrunken if `small`.
///
/// # Errors
/// If a scenario makes no sense.
///
/// ```
/// use tenure_sim::mutants::{Bug, Plant, Row, Shown, all, detect, detect_in};
/// let bug: Bug = all().into_iter().find(|bug| bug.is_called("own-release")).unwrap();
/// assert_eq!((bug.number, bug.what), ("8", "a release clears another's record"));
/// assert!(matches!(bug.plant, Plant::Election([_], [])));
///
/// let row: Row = detect(&bug, 0..0, true)?;
/// assert!(!row.survives());
/// let shown = row.shown_by.unwrap();
/// assert_eq!(shown.property.as_deref(), Some("record/released-by-another"));
/// assert_eq!(shown.faults, Some(2));
/// // The same once more, and not shrunken.
/// let again = detect_in(&bug, &shown.scenario, shown.seed)?;
/// assert_eq!(again, Some(Shown { faults: None, ..shown }));
/// # Ok::<(), String>(())
/// ```
pub fn detect(bug: &Bug, seeds: Range<u64>, small: bool) -> Result<Row, String> {
    let mut row = Row {
        number: bug.number.to_owned(),
        bug: bug.what.to_owned(),
        without: bug.without().into_iter().map(str::to_owned).collect(),
        refused_by: None,
        shown_by: None,
        swarms: Vec::new(),
        argument: Some(bug.argument.to_owned()).filter(|why| !why.is_empty()),
    };
    (row.shown_by, row.swarms) = match bug.plant {
        Plant::Refused(by) => {
            row.refused_by = Some(by.to_owned());
            (None, Vec::new())
        }
        Plant::Election(..) | Plant::ClientGo => look::<Scenario>(bug, seeds, small)?,
        Plant::Sharding(_) => look::<sharding::Scenario>(bug, seeds, small)?,
    };
    Ok(row)
}

/// A bug in one scenario with one seed, as [`detect`] has it: what found it, if anything did.
///
/// # Errors
/// If there is no such scenario, or it makes no sense.
pub fn detect_in(bug: &Bug, scenario: &str, seed: u64) -> Result<Option<Shown>, String> {
    fn one<S: Ground>(bug: &Bug, name: &str, seed: u64) -> Result<Option<Shown>, String> {
        let scenario = S::named(name).ok_or_else(|| format!("{name:?} is no scenario"))?;
        shown(&scenario.with(bug), seed, false)
    }
    match bug.plant {
        Plant::Refused(_) => Ok(None),
        Plant::Election(..) | Plant::ClientGo => one::<Scenario>(bug, scenario, seed),
        Plant::Sharding(_) => one::<sharding::Scenario>(bug, scenario, seed),
    }
}

/// What bugs are planted in.
trait Ground: Subject<Error: Display> {
    /// What is drawn at random.
    const SWARMS: &'static [&'static str];

    fn named(name: &str) -> Option<Self>;

    /// Those that draw nothing, and in which a sound machine does nothing wrong; the one that shows the bug
    /// first.
    fn directed(bug: &Bug) -> Vec<Self>;

    fn with(&self, bug: &Bug) -> Self;

    /// The checks, or rules of checks, that find something in a sound machine.
    fn foreseen(&self) -> &[String];

    fn count_faults(&self) -> usize;
}

impl Ground for Scenario {
    const SWARMS: &'static [&'static str] = &["random"];

    fn named(name: &str) -> Option<Self> {
        catalogue::find(name).or_else(|| bugs::refused(name))
    }

    fn directed(bug: &Bug) -> Vec<Self> {
        let others = catalogue::all().filter(|it| it.swarm.is_none() && it.grid.is_none());
        let others = others.filter(|it| it.name != bug.shown_in);
        Self::named(bug.shown_in).into_iter().chain(others).collect()
    }

    fn with(&self, bug: &Bug) -> Self {
        let mut planted = Self { profile: Profile::Strict, ..self.clone() };
        match bug.plant {
            Plant::Election(..) => planted.without.extend(bug.rules()),
            Plant::ClientGo => {
                for replica in &mut planted.replicas {
                    replica.profile = Some(Profile::ClientGo(Release::Head));
                }
            }
            Plant::Sharding(_) | Plant::Refused(_) => {}
        }
        // Only client-go's electors hold under a name that is like another's.
        if bug.without() == ["exact-names"] {
            planted.profile = Profile::ClientGo(Release::V1_36);
        }
        planted
    }

    fn foreseen(&self) -> &[String] {
        self.expected()
    }

    fn count_faults(&self) -> usize {
        self.faults.len()
    }
}

impl Ground for sharding::Scenario {
    const SWARMS: &'static [&'static str] = &["sharding/swarm", "sharding/planned-swarm"];

    fn named(name: &str) -> Option<Self> {
        sharding::catalogue::find(name)
    }

    fn directed(bug: &Bug) -> Vec<Self> {
        let sound = |it: &Self| it.swarm.is_none() && it.expect.is_empty();
        let others = sharding::catalogue::all().filter(|it| sound(it) && it.name != bug.shown_in);
        Self::named(bug.shown_in).into_iter().chain(others).collect()
    }

    fn with(&self, bug: &Bug) -> Self {
        let mut planted = self.clone();
        if let Plant::Sharding(rules) = bug.plant {
            planted.without.extend(rules);
        }
        planted
    }

    fn foreseen(&self) -> &[String] {
        &self.expect
    }

    fn count_faults(&self) -> usize {
        self.faults.len()
    }
}

fn look<S: Ground>(
    bug: &Bug,
    seeds: Range<u64>,
    small: bool,
) -> Result<(Option<Shown>, Vec<Swarm>), String> {
    let directed: Vec<S> = S::directed(bug).iter().map(|scenario| scenario.with(bug)).collect();
    let own = usize::from(!bug.shown_in.is_empty());
    let (first, others) = directed.split_at(own.min(directed.len()));
    let mut shown_by = None;
    for scenarios in [first, others] {
        let all: Vec<_> =
            SEEDS.flat_map(|seed| scenarios.iter().map(move |it| (it, seed))).collect();
        let find = |(scenario, seed): &(&S, u64)| shown(*scenario, *seed, small).transpose();
        shown_by = all.par_iter().find_map_first(find).transpose()?;
        if shown_by.is_some() {
            break;
        }
    }
    let mut swarms = Vec::new();
    for scenario in S::SWARMS.iter().filter_map(|name| S::named(name)).map(|it| it.with(bug)) {
        let tally = sweep(&scenario, seeds.clone(), |_, _| {}).map_err(|why| why.to_string())?;
        let first = tally.failed.first().map(|seed| shown(&scenario, *seed, small)).transpose()?;
        swarms.push(Swarm {
            scenario: scenario.name().to_owned(),
            runs: tally.runs.all,
            hits: tally.runs.violated,
            seeds_for_95: seeds_for_95(tally.runs.violated, tally.runs.all),
            first: first.flatten(),
        });
    }
    Ok((shown_by, swarms))
}

/// What is found in a scenario with a seed that should not be.
fn shown<S: Ground>(scenario: &S, seed: u64, small: bool) -> Result<Option<Shown>, String> {
    let text = |error: S::Error| error.to_string();
    let ran: Ran = sweep::run(scenario, seed).map_err(text)?;
    if !matches!(ran.verdict, Verdict::Unexpected | Verdict::Missing) {
        return Ok(None);
    }
    let foreseen = scenario.foreseen();
    let unforeseen = |violation: &crate::check::Violation| {
        !foreseen.iter().any(|expected| violation.is_of(expected))
    };
    let find = ran.finds.iter().find(|find| unforeseen(&find.violation));
    let faults_before = scenario.drawn(seed).count_faults();
    let shrunk = match find {
        Some(find) if small => shrink(scenario, seed, find, BUDGET, &mut |_| {}).map_err(text)?,
        _ => None,
    };
    Ok(Some(Shown {
        scenario: scenario.name().to_owned(),
        seed,
        property: find.map(|it| format!("{}/{}", it.violation.check, it.violation.rule)),
        faults_before,
        faults: shrunk.map(|shrunk| shrunk.faults),
    }))
}
