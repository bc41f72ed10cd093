//! A rule of one's own, and what it runs under: something that is swept, shrunk and tested as any scenario.

use core::fmt;
use core::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Newcomer, Rule};
use crate::check::Violation;
use crate::explain::{Excerpt, explain};
use crate::plan;
use crate::scenario::{Scenario, ScenarioError};
use crate::subject::{Find, Ran, Subject, line, ran};
use crate::trace::Recorder;
use crate::world::World;

/// A scenario in which every replica follows the rule `R`: a [`Subject`], so that
/// [`sweep`](crate::sweep::sweep) runs it with many seeds, [`shrink`](crate::shrink::shrink) makes what
/// it finds small, and `strategy` (feature `proptest`) tests it. As data it is its scenario.
///
/// Each life of a replica makes its rule by `R::from(&newcomer)`.
///
/// ```
/// use tenure::time::{Instant, Now};
/// use tenure_sim::check::one_leader::OneLeader;
/// use tenure_sim::rule::{Call, Input, Newcomer, Rule, Ruled};
/// use tenure_sim::{sweep::sweep, world::World};
///
/// /// Leads from the start, without asking.
/// #[derive(Debug)]
/// struct Bold;
///
/// impl From<&Newcomer<'_>> for Bold {
///     fn from(_: &Newcomer<'_>) -> Self {
///         Self
///     }
/// }
///
/// impl Rule for Bold {
///     fn handle(&mut self, _: Now, _: Input) {}
///     fn poll_call(&mut self) -> Option<Call> {
///         None
///     }
///     fn poll_timeout(&self) -> Option<Instant> {
///         None
///     }
///     fn leading_until(&self) -> Option<Instant> {
///         Some(Instant::from_nanos(u64::MAX))
///     }
/// }
///
/// let calm = tenure_sim::catalogue::find("calm").unwrap();
/// let tally = sweep(&Ruled::<Bold>::new(calm), 0..3, |_, _| {})?;
/// assert_eq!((tally.runs.all, tally.runs.violated), (3, 3));
///
/// // One run, under one check.
/// let calm = tenure_sim::catalogue::find("calm").unwrap();
/// let mut world = World::with_rules(&calm, 1, |newcomer| Bold::from(newcomer))?;
/// let found = world.run(&mut OneLeader::new(&calm)).violations;
/// assert!(found.iter().any(|it| it.is_of("one-leader/authority") && it.replicas.len() == 2));
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
pub struct Ruled<R> {
    /// What it runs under. The lock is a Lease.
    pub scenario: Scenario,
    rule: PhantomData<fn() -> R>,
}

impl<R> Ruled<R> {
    /// The rule `R` under `scenario`.
    #[must_use]
    pub const fn new(scenario: Scenario) -> Self {
        Self { scenario, rule: PhantomData }
    }
}

// By hand, since none of these asks anything of the rule.
impl<R> Clone for Ruled<R> {
    fn clone(&self) -> Self {
        Self::new(self.scenario.clone())
    }
}

impl<R> fmt::Debug for Ruled<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scenario.fmt(f)
    }
}

impl<R> PartialEq for Ruled<R> {
    fn eq(&self, other: &Self) -> bool {
        self.scenario == other.scenario
    }
}

impl<R> Serialize for Ruled<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.scenario.serialize(serializer)
    }
}

impl<'de, R> Deserialize<'de> for Ruled<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Scenario::deserialize(deserializer).map(Self::new)
    }
}

impl<R> Ruled<R>
where
    R: Rule + for<'a> From<&'a Newcomer<'a>> + 'static,
{
    fn world(scenario: &Scenario, seed: u64) -> Result<World, ScenarioError> {
        World::with_rules(scenario, seed, |newcomer| R::from(newcomer))
    }
}

impl<R> Subject for Ruled<R>
where
    R: Rule + for<'a> From<&'a Newcomer<'a>> + 'static,
{
    type Error = ScenarioError;

    fn name(&self) -> &str {
        &self.scenario.name
    }

    fn seed(&self) -> Option<u64> {
        self.scenario.seed
    }

    fn drawn(&self, seed: u64) -> Self {
        Self::new(plan::drawn(&self.scenario, seed))
    }

    fn run_while(
        &self,
        seed: u64,
        go_on: &mut dyn FnMut(&Find) -> bool,
    ) -> Result<Ran, ScenarioError> {
        let drawn = self.drawn(seed).scenario;
        let world = Self::world(&drawn, seed)?;
        Ok(ran(&self.scenario, &drawn, world, go_on))
    }

    fn lines(&self, seed: u64) -> Result<Vec<String>, ScenarioError> {
        let mut recorder = Recorder::default();
        Self::world(&self.scenario, seed)?.run(&mut recorder);
        Ok(recorder.entries.iter().map(line).collect())
    }

    fn explain(&self, seed: u64, violation: &Violation) -> Result<String, ScenarioError> {
        let drawn = self.drawn(seed).scenario;
        let mut excerpt = Excerpt::around(&[violation]);
        Self::world(&drawn, seed)?.run(&mut excerpt);
        Ok(without_command(&explain(&drawn, seed, &excerpt.entries, violation)))
    }
}

/// An explanation but for its last paragraph: no command runs somebody's own rule again.
pub(super) fn without_command(explained: &str) -> String {
    explained.rsplit_once("\n\n").map_or(explained, |(text, _)| text).to_owned()
}
