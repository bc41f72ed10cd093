//! Breadth-first over all states, so that the first violation found is a shortest one.

use tenure::election::Profile;

use super::fingerprint::Fingerprints;
use super::laws::Law;
use super::rules::Rules;
use super::step::Step;
use super::table::{Seat, Table};
use super::tell::Story;
use super::world::{Stage, World};

/// What came of an exploration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Distinct states, those that differ in the names of equal replicas only counted once.
    pub states: usize,
    /// Steps to the farthest of them, or to the violation.
    pub steps: usize,
    /// The most ticks on the way to one of them; with a violation, those on the way to it.
    pub ticks: u16,
    /// Steps that were taken: several lead to one state.
    pub transitions: u64,
    /// How many electors with different things in mind there were, and how often one was called; all
    /// other calls were looked up.
    pub electors: (usize, usize),
    /// About how much memory the search held at the end, in bytes.
    pub bytes: usize,
    /// No state is left that was not explored.
    pub exhausted: bool,
    /// The first violation, of the shortest ones.
    pub violation: Option<Violation>,
}

/// A law that does not hold, and how it came to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What does not hold.
    pub law: Law,
    /// A shortest way there.
    pub story: Story,
}

/// How far an exploration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// States known.
    pub states: usize,
    /// Steps to those that are explored now.
    pub steps: usize,
    /// States that are to be explored next.
    pub frontier: usize,
}

/// Explores what `rules` allow until something is violated, nothing is left, or `states` are known.
/// The same rules and number give the same outcome. `progress` is called now and then.
///
/// ```
/// use tenure_sim::explore::{Rules, explore, laws};
/// let rules = "lease=2s deadline=3s".parse::<Rules>().unwrap();
/// let outcome = explore(&rules, 100_000, &mut |_| {});
/// let violation = outcome.violation.unwrap();
/// assert_eq!(violation.law, laws::AUTHORITY);
/// assert_eq!(violation.story.replay().unwrap(), Some(laws::AUTHORITY));
/// ```
pub fn explore(rules: &Rules, states: usize, progress: &mut dyn FnMut(Progress)) -> Outcome {
    let mut search = Search::new(rules);
    loop {
        match search.layer(states, progress) {
            Layer::Explored if search.seen.len() < states => {}
            Layer::Explored => return search.outcome(false, None),
            Layer::Nothing => return search.outcome(true, None),
            Layer::Violated(from, step, law) => {
                let mut steps = search.way(from);
                steps.push(step);
                search.depth = steps.len();
                let ticks = steps.iter().filter(|step| **step == Step::Tick).count();
                search.ticks = u16::try_from(ticks).unwrap_or(u16::MAX);
                let story = Story::new(rules, steps, law);
                return search.outcome(false, Some(Violation { law, story }));
            }
        }
    }
}

/// States between two calls of `progress`.
const OFTEN: usize = 1 << 14;

enum Layer {
    Explored,
    Nothing,
    Violated(u32, Step, Law),
}

struct Search {
    stage: Stage<Table>,
    seen: Fingerprints,
    /// Of each state in order: the one before it, and the step between.
    trail: Vec<u32>,
    steps: Vec<Step>,
    frontier: Vec<(u32, World<Seat>)>,
    depth: usize,
    ticks: u16,
    transitions: u64,
}

impl Search {
    fn new(rules: &Rules) -> Self {
        let mut stage = Stage::new(rules, Table::new(rules));
        let start = stage.start();
        let mut search = Self {
            stage,
            seen: Fingerprints::new(),
            trail: vec![0],
            steps: vec![Step::Tick],
            frontier: vec![(0, start)],
            depth: 0,
            ticks: 0,
            transitions: 0,
        };
        search.stage.electors.digest_objects();
        search.seen.insert(start.fingerprint(&search.stage.electors));
        search
    }

    /// Explores the states that are so many steps away.
    fn layer(&mut self, limit: usize, progress: &mut dyn FnMut(Progress)) -> Layer {
        let mut next_frontier = Vec::new();
        let mut steps = Vec::new();
        for (at, (from, world)) in core::mem::take(&mut self.frontier).into_iter().enumerate() {
            if at % OFTEN == 0 {
                let (states, steps) = (self.seen.len(), self.depth);
                progress(Progress { states, steps, frontier: next_frontier.len() });
            }
            self.stage.steps(&world, &mut steps);
            for &step in &steps {
                let mut next = world;
                self.transitions += 1;
                if let Err(law) = self.stage.step(&mut next, step) {
                    return Layer::Violated(from, step, law);
                }
                if self.stage.rules.profile == Profile::Strict {
                    next.rename_versions();
                }
                self.stage.electors.digest_objects();
                if self.seen.insert(next.fingerprint(&self.stage.electors)) {
                    let number = u32::try_from(self.trail.len()).expect("fewer states than 2^32");
                    next_frontier.push((number, next));
                    self.trail.push(from);
                    self.steps.push(step);
                    self.ticks = self.ticks.max(next.ticks);
                }
            }
            if self.seen.len() >= limit.saturating_mul(2) {
                break;
            }
        }
        if next_frontier.is_empty() {
            return Layer::Nothing;
        }
        self.depth += 1;
        self.frontier = next_frontier;
        Layer::Explored
    }

    fn way(&self, mut at: u32) -> Vec<Step> {
        let mut steps = Vec::new();
        while at != 0 {
            steps.push(self.steps[at as usize]);
            at = self.trail[at as usize];
        }
        steps.reverse();
        steps
    }

    fn outcome(self, exhausted: bool, violation: Option<Violation>) -> Outcome {
        let trail = self.trail.capacity() * (size_of::<u32>() + size_of::<Step>());
        let frontier = self.frontier.capacity() * size_of::<(u32, World<Seat>)>();
        Outcome {
            states: self.seen.len(),
            steps: self.depth,
            ticks: self.ticks,
            transitions: self.transitions,
            electors: self.stage.electors.size(),
            bytes: self.seen.bytes() + trail + frontier + self.stage.electors.bytes(),
            exhausted,
            violation,
        }
    }
}
