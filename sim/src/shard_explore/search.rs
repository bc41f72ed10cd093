//! Breadth-first over all states, so that the first violation found is a shortest one.

use super::laws::Law;
use super::rules::Rules;
use super::step::Step;
use super::world::{Stage, World};
use crate::explore::fingerprint::Fingerprints;

/// What came of an exploration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Distinct states.
    pub states: usize,
    /// Steps to the farthest of them, or to the violation.
    pub steps: usize,
    /// Steps that were taken: several lead to one state.
    pub transitions: u64,
    /// How many members with different things in mind there were, and how often one was called; all
    /// other calls were looked up.
    pub members: (usize, usize),
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
    /// A shortest way there, a step a line.
    pub story: Vec<String>,
}

/// Explores what `rules` allow until something is violated, nothing is left, or `states` are known.
pub fn explore(rules: &Rules, states: usize, progress: &mut dyn FnMut(usize, usize)) -> Outcome {
    let mut search = Search::new(rules);
    loop {
        progress(search.seen.len(), search.depth);
        match search.layer(states) {
            Layer::Explored if search.seen.len() < states => {}
            Layer::Explored => return search.outcome(false, None),
            Layer::Nothing => return search.outcome(true, None),
            Layer::Violated(from, step, law) => {
                let mut steps = search.way(from);
                steps.push(step);
                search.depth = steps.len();
                let story = super::tell::story(rules, &steps);
                return search.outcome(false, Some(Violation { law, story }));
            }
        }
    }
}

enum Layer {
    Explored,
    Nothing,
    Violated(u32, Step, Law),
}

struct Search {
    stage: Stage,
    seen: Fingerprints,
    /// Of each state in order: the one before it, and the step between.
    trail: Vec<(u32, Step)>,
    frontier: Vec<(u32, World)>,
    depth: usize,
    transitions: u64,
}

impl Search {
    fn new(rules: &Rules) -> Self {
        let mut stage = Stage::new(rules);
        let start = stage.start();
        let mut seen = Fingerprints::new();
        seen.insert(start.fingerprint());
        let (trail, frontier) = (vec![(0, Step::Tick)], vec![(0, start)]);
        Self { stage, seen, trail, frontier, depth: 0, transitions: 0 }
    }

    /// Explores the states that are so many steps away.
    fn layer(&mut self, limit: usize) -> Layer {
        let mut next_frontier = Vec::new();
        let mut steps = Vec::new();
        for (from, world) in core::mem::take(&mut self.frontier) {
            self.stage.steps(&world, &mut steps);
            for &step in &steps {
                let mut next = world.clone();
                self.transitions += 1;
                if let Err(law) = self.stage.step(&mut next, step) {
                    return Layer::Violated(from, step, law);
                }
                if self.seen.insert(next.fingerprint()) {
                    let number = u32::try_from(self.trail.len()).expect("fewer states than 2^32");
                    next_frontier.push((number, next));
                    self.trail.push((from, step));
                }
            }
            if self.seen.len() >= limit {
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
            let (from, step) = self.trail[at as usize];
            steps.push(step);
            at = from;
        }
        steps.reverse();
        steps
    }

    fn outcome(self, exhausted: bool, violation: Option<Violation>) -> Outcome {
        Outcome {
            states: self.seen.len(),
            steps: self.depth,
            transitions: self.transitions,
            members: self.stage.table.size(),
            exhausted,
            violation,
        }
    }
}
