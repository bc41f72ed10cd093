//! An election is a subject.

use super::finds::Finds;
use super::vacancy::Vacancy;
use super::{Find, Ran, Subject, line};
use crate::check::{Checks, Violation};
use crate::explain::{Excerpt, explain};
use crate::marks::Marks;
use crate::plan;
use crate::scenario::{Scenario, ScenarioError};
use crate::trace::Recorder;
use crate::verdict::judge;
use crate::world::World;

impl Subject for Scenario {
    type Error = ScenarioError;

    fn name(&self) -> &str {
        &self.name
    }

    fn seed(&self) -> Option<u64> {
        self.seed
    }

    fn drawn(&self, seed: u64) -> Self {
        plan::drawn(self, seed)
    }

    fn run_while(
        &self,
        seed: u64,
        go_on: &mut dyn FnMut(&Find) -> bool,
    ) -> Result<Ran, ScenarioError> {
        let drawn = self.drawn(seed);
        let world = World::new(&drawn, seed)?;
        Ok(ran(self, &drawn, world, go_on))
    }

    fn lines(&self, seed: u64) -> Result<Vec<String>, ScenarioError> {
        let mut recorder = Recorder::default();
        World::new(self, seed)?.run(&mut recorder);
        Ok(recorder.entries.iter().map(line).collect())
    }

    fn explain(&self, seed: u64, violation: &Violation) -> Result<String, ScenarioError> {
        let drawn = self.drawn(seed);
        let mut excerpt = Excerpt::around(&[violation]);
        World::new(&drawn, seed)?.run(&mut excerpt);
        Ok(explain(&drawn, seed, &excerpt.entries, violation))
    }
}

/// Runs a world of `drawn`, which is what was drawn of `scenario`.
pub(crate) fn ran(
    scenario: &Scenario,
    drawn: &Scenario,
    mut world: World,
    go_on: &mut dyn FnMut(&Find) -> bool,
) -> Ran {
    let finds = Finds::default();
    let (mut marks, mut vacancy) = (Marks::default(), Vacancy::default());
    let measures = (&mut marks, &mut vacancy);
    let mut checks = ((Checks::for_scenario(drawn), &finds), measures);
    let outcome = world.run_while(&mut checks, |_| finds.each(go_on));
    Ran {
        digest: outcome.digest,
        end: outcome.end,
        finds: finds.into_inner(),
        verdict: judge(scenario, &outcome),
        marks: [outcome.statistics.marks().to_vec(), marks.counted()].concat(),
        without_leader: Some(vacancy.longest()),
    }
}
