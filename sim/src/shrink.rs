//! The smallest scenario that still shows the same: of a run that goes wrong after dozens of faults few
//! matter, and these few tell what is wrong.
//!
//! Faults are left out by delta debugging (Zeller and Hildebrandt, 2002), then everything else: what a
//! scenario says but need not, replicas, time, and the digits of times. A smaller scenario is taken if
//! it shows the same violation by the same way ([`Find::is_like`]). What is left runs again from a file.

mod candidates;
mod ddmin;

use serde_json::Value;

use crate::subject::{Find, Subject};
use crate::sweep::run_while;

/// What a run was made of at last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shrunk<S> {
    /// It shows the same with the same seed.
    pub scenario: S,
    /// The same as a file says it: without what is so by default.
    pub plan: Value,
    /// What it shows.
    pub find: Find,
    /// How many faults the run had that was to be shrunk.
    pub faults_before: usize,
    /// And how many it has now.
    pub faults: usize,
    /// How many runs it took.
    pub runs: u64,
}

/// Shrinks a run of `scenario`, in which `find` is found, with at most `budget` runs. The result says
/// nothing of a swarm: its faults are written out.
///
/// Cost: a run for each candidate, up to what was found; a few hundred as a rule. `tried` is told of each.
/// What a budget leaves is not as small as could be, but right. None if `find` is not found.
///
/// # Errors
/// If the scenario makes no sense.
///
/// ```
/// use tenure_sim::shrink::{Shrunk, shrink};
/// use tenure_sim::subject::Subject;
///
/// let mut random = tenure_sim::catalogue::find("random").unwrap();
/// random.profile = "client-go-head".parse().unwrap();
/// let seed = (0..).find(|seed| !random.run(*seed).unwrap().finds.is_empty()).unwrap();
/// let find = random.run(seed)?.finds.remove(0);
/// let Shrunk { scenario, faults, faults_before, runs, .. } =
///     shrink(&random, seed, &find, 2_000, &mut |_| {})?.unwrap();
/// assert!(faults <= faults_before && faults < 5 && runs <= 2_000);
/// assert!(scenario.run(seed)?.finds.iter().any(|it| it.is_like(&find)));
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
pub fn shrink<S: Subject>(
    scenario: &S,
    seed: u64,
    find: &Find,
    budget: u64,
    tried: &mut dyn FnMut(u64),
) -> Result<Option<Shrunk<S>>, S::Error> {
    let drawn = scenario.drawn(seed);
    run_while(&drawn, seed, &mut |_| false)?; // whether it makes sense
    let mut value = candidates::pruned(&drawn);
    let mut search = Search { seed, find: find.clone(), budget, runs: 0, tried, best: None };
    let faults_before = faults(&value).len();
    if !search.is_like::<S>(&value) {
        return Ok(None);
    }
    loop {
        let before = value.clone();
        let all = faults(&value).to_vec();
        let few = ddmin::ddmin(all, |few| search.is_like::<S>(&with_faults(&value, few)));
        value = with_faults(&value, &few);
        while let Some(smaller) =
            candidates::smaller(&value, search.end()).into_iter().find(|it| search.is_like::<S>(it))
        {
            value = smaller;
        }
        if value == before || search.runs >= budget {
            break;
        }
    }
    let Search { runs, best, .. } = search;
    // What was run came from that value.
    let (Ok(scenario), Some(find)) = (S::deserialize(&value), best) else { return Ok(None) };
    let faults = faults(&value).len();
    Ok(Some(Shrunk { scenario, plan: value, find, faults_before, faults, runs }))
}

struct Search<'a> {
    seed: u64,
    find: Find,
    budget: u64,
    runs: u64,
    tried: &'a mut dyn FnMut(u64),
    /// What was found in the smallest run that is like it.
    best: Option<Find>,
}

impl Search<'_> {
    /// Whether this scenario shows the same.
    fn is_like<S: Subject>(&mut self, value: &Value) -> bool {
        if self.runs >= self.budget {
            return false;
        }
        let Ok(scenario) = S::deserialize(value) else { return false };
        self.runs += 1;
        (self.tried)(self.runs);
        let mut like = None;
        let ran = run_while(&scenario, self.seed, &mut |find| {
            if find.is_like(&self.find) {
                like = Some(find.clone());
            }
            like.is_none()
        });
        // What checks find at the end is told with the run.
        let like = like.or_else(|| ran.ok()?.finds.into_iter().find(|it| it.is_like(&self.find)));
        match like {
            Some(find) => {
                self.best = Some(find);
                true
            }
            None => false,
        }
    }

    /// When it showed, in nanoseconds.
    fn end(&self) -> u64 {
        self.best.as_ref().map_or(u64::MAX, |find| find.violation.at.as_nanos())
    }
}

fn faults(value: &Value) -> &[Value] {
    value.get("faults").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn with_faults(value: &Value, faults: &[Value]) -> Value {
    let mut value = value.clone();
    if let Some(place) = value.get_mut("faults") {
        *place = Value::Array(faults.to_vec());
    }
    value
}
