//! The entry points.

use core::cell::{Cell, RefCell};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde_json::{Value, json};
use tenure::placement::{Members, Placement};

use super::laws::{LAWS, broken};
use super::{Failed, Violated, keys, memberships};
use crate::shrink::shrink;
use crate::subject::{Find, Ran, Subject};
use crate::sweep::{self, PANIC, Tally};

/// That nothing is found in any case, and how much is to be tried.
///
/// ```
/// use tenure::placement::Rendezvous;
/// use tenure_sim::strategy::{Failed, Property};
/// // A placement keeps its laws, whoever joins, leaves or grows.
/// Property::default().places(Rendezvous::new)?;
/// # Ok::<(), Failed>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Property<'a> {
    /// How many cases.
    pub cases: u32,
    /// By which they are drawn; new each time if absent. The seed of each run is part of its case.
    pub seed: Option<u64>,
    /// What counts: checks (`one-leader`), rules of checks (`one-leader/authority`), or, of placements,
    /// laws (`owner`, `same`, `movement`). All, if empty.
    pub checks: &'a [&'a str],
    /// With at most so many runs what fails is made small, by each of the two that do.
    pub budget: u32,
}

impl Default for Property<'_> {
    /// 64 cases, drawn anew each time; every check counts; 2,000 runs to make a case small.
    fn default() -> Self {
        Self { cases: 64, seed: None, checks: &[], budget: 2_000 }
    }
}

impl Property<'_> {
    /// Runs each case with its own seed (0 if it has none) under all checks of its world. A run that
    /// panics is violated, too.
    ///
    /// Costs a run for each case, some milliseconds of ten simulated minutes in an optimized build; and
    /// where it fails, up to twice the budget. What a scenario [expects](crate::scenario::Scenario::expect)
    /// is not looked at: name what counts in `checks`.
    ///
    /// # Errors
    /// The smallest case that was found to show the same as the first that failed; a case that makes no
    /// sense; or that nothing was asked of anything, which no property should rest on.
    ///
    /// ```
    /// use tenure_sim::plan::Mix;
    /// use tenure_sim::strategy::{Failed, Property, elections};
    /// // Beyond the bound two leaders are possible: it is an assumption, not a formality.
    /// let wild = Property { cases: 256, seed: Some(1), checks: &["one-leader/authority"], ..Property::default() };
    /// let Err(Failed::Violated(found)) = wild.holds(elections(Mix::Wild)) else { panic!() };
    /// assert!(found.faults <= 2);
    /// ```
    pub fn holds<S: Subject>(&self, cases: impl Strategy<Value = S>) -> Result<Tally, Failed> {
        let tally = RefCell::new(Tally::default());
        // What failed first; the same is looked for in what is smaller.
        let first: RefCell<Option<Find>> = RefCell::new(None);
        let tried = Cell::new(0_u64);
        let outcome = self.runner().run(&cases, |case| {
            tried.set(tried.get() + u64::from(first.borrow().is_none()));
            let seed = case.seed().unwrap_or(0);
            let ran = sweep::run(&case, seed).map_err(|error| senseless(&case, &error))?;
            let like = |find: &&Find| first.borrow().as_ref().is_none_or(|it| find.is_like(it));
            let found = ran.finds.iter().filter(|it| self.counts(it)).find(like).cloned();
            if let Some(find) = found {
                let what = find.violation.what.clone();
                first.borrow_mut().get_or_insert(find);
                return Err(TestCaseError::fail(what));
            }
            let so_far = tally.take();
            *tally.borrow_mut() = so_far.and(Tally::of(seed, &ran));
            Ok(())
        });
        let tally = tally.into_inner();
        match outcome {
            Ok(()) if tally.runs.all == tally.runs.unknown => {
                Err(Failed::Unknown { cases: tally.runs.all })
            }
            Ok(()) => Ok(tally),
            Err(TestError::Abort(why)) => Err(Failed::Senseless(why.to_string())),
            Err(TestError::Fail(why, case)) => {
                let Some(find) = first.into_inner() else {
                    return Err(Failed::Senseless(why.to_string()));
                };
                Err(self.smallest(&case, &find, tried.get()))
            }
        }
    }

    /// Runs the plan of an earlier failure again, as TOML or JSON, with the seed that it has.
    ///
    /// # Errors
    /// What is found, as it is; or the plan cannot be read.
    ///
    /// ```
    /// use tenure_sim::scenario::Scenario;
    /// use tenure_sim::strategy::Property;
    /// let plan = "seed = 7\n[[faults]]\nat = \"1m\"\nfor = \"30s\"\nfault.pause = { target = \"leader\" }\n";
    /// assert!(Property::default().replay::<Scenario>(plan).is_ok());
    /// let error = Property::default().replay::<Scenario>("sed = 7").unwrap_err();
    /// assert!(error.to_string().contains("unknown field `sed`"));
    /// ```
    pub fn replay<S: Subject>(&self, plan: &str) -> Result<Ran, Failed> {
        let json = plan.trim_start().starts_with('{');
        let case: Result<S, String> = if json {
            serde_json::from_str(plan).map_err(|error| error.to_string())
        } else {
            toml::from_str(plan).map_err(|error| error.to_string())
        };
        let case = case.map_err(|error| Failed::Senseless(format!("the plan: {error}")))?;
        let seed = case.seed().unwrap_or(0);
        let ran = sweep::run(&case, seed).map_err(|error| Failed::Senseless(error.to_string()))?;
        match ran.finds.iter().find(|find| self.counts(find)) {
            Some(find) => {
                let find = find.clone();
                let explained = explained(&case, seed, &find);
                let written = serde_json::to_value(&case).unwrap_or_default();
                let faults = written.get("faults").and_then(Value::as_array).map_or(0, Vec::len);
                let plan = plan.to_owned();
                let found = Violated { find, plan, explained, faults, case: 1, runs: 0 };
                Err(Failed::Violated(found.into()))
            }
            None => Ok(ran),
        }
    }

    /// Whether a placement keeps its laws, whatever the keys, whoever joins, leaves, or changes weight or
    /// zone:
    ///
    /// | law | |
    /// | --- | --- |
    /// | `owner` | each key's owner is a member; nobody owns it only if there is none |
    /// | `same` | placed again, on members told in another order, it has the same owner |
    /// | `movement` | who joins takes keys and who leaves gives them away, who changes does either; nothing else moves |
    ///
    /// # Errors
    /// The smallest case that breaks one.
    ///
    /// ```
    /// use tenure::placement::{Maglev, Rendezvous};
    /// use tenure_sim::strategy::{Failed, Property};
    /// Property::default().places(Rendezvous::new)?;
    /// // A table moves more than it must.
    /// let maglev = |members| Maglev::with_size(members, 251).expect("a prime, and enough of it");
    /// assert!(Property { cases: 256, ..Property::default() }.places(maglev).is_err());
    /// Property { checks: &["owner", "same"], ..Property::default() }.places(maglev)?;
    /// # Ok::<(), Failed>(())
    /// ```
    pub fn places<P: Placement>(&self, make: impl Fn(Members) -> P) -> Result<(), Failed> {
        if let Some(unknown) = self.checks.iter().find(|asked| !LAWS.contains(asked)) {
            let known = LAWS.join(", ");
            return Err(Failed::Senseless(format!(
                "no law is called {unknown:?}: name some of {known}"
            )));
        }
        let asked = |law: &str| self.checks.is_empty() || self.checks.contains(&law);
        let broken = |history: &_, keys: &[_]| broken(history, keys, asked, &make);
        let outcome = self.runner().run(&(memberships(), keys()), |(history, keys)| {
            match broken(&history, &keys) {
                Some(found) => Err(TestCaseError::fail(found.what)),
                None => Ok(()),
            }
        });
        let (why, found) = match outcome {
            Ok(()) => return Ok(()),
            Err(TestError::Abort(why)) => (why, None),
            Err(TestError::Fail(why, (history, keys))) => (why, broken(&history, &keys)),
        };
        // A placement that panics, or is not twice the same, is told in proptest's words.
        let senseless = || Failed::Senseless(format!("{why}, and not again"));
        Err(found.map_or_else(senseless, |found| Failed::Misplaced(found.into())))
    }

    fn counts(&self, find: &Find) -> bool {
        let of = |check: &&str| find.violation.is_of(check);
        self.checks.is_empty() || find.violation.check == PANIC || self.checks.iter().any(of)
    }

    fn runner(&self) -> TestRunner {
        let config = Config {
            cases: self.cases,
            max_shrink_iters: self.budget,
            failure_persistence: None,
            ..Config::default()
        };
        let Some(seed) = self.seed else { return TestRunner::new(config) };
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(seed.to_le_bytes()) {
            *to = from;
        }
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    /// What proptest has made small, without all else that does not matter.
    fn smallest<S: Subject>(&self, case: &S, find: &Find, nth: u64) -> Failed {
        let seed = case.seed().unwrap_or(0);
        let small = match shrink(case, seed, find, self.budget.into(), &mut |_| {}) {
            Ok(Some(small)) => small,
            Ok(None) => return Failed::Senseless(format!("seen once, and not again: {find:?}")),
            Err(error) => return Failed::Senseless(error.to_string()),
        };
        let explained = explained(&small.scenario, seed, &small.find);
        let mut plan = small.plan;
        if let Some(fields) = plan.as_object_mut() {
            let says_nothing = [json!(""), json!([]), json!({})];
            fields.retain(|_, value| !says_nothing.contains(value));
            fields.insert("seed".to_owned(), seed.into());
        }
        let text = toml::to_string(&plan).unwrap_or_else(|_| format!("{plan:#}"));
        let (find, faults, runs) = (small.find, small.faults, small.runs);
        Failed::Violated(Violated { find, plan: text, explained, faults, case: nth, runs }.into())
    }
}

/// A case that is refused fails, with what to do about it.
fn senseless<S: Subject>(case: &S, error: &S::Error) -> TestCaseError {
    TestCaseError::fail(format!("{} makes no sense: {error}", case.name()))
}

/// What led to it; what a run said that panicked.
fn explained<S: Subject>(case: &S, seed: u64, find: &Find) -> String {
    if find.violation.check == PANIC {
        return find.violation.what.clone();
    }
    case.explain(seed, &find.violation).unwrap_or_else(|error| error.to_string())
}
