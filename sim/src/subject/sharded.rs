//! A sharded group is a subject.

use super::finds::Finds;
use super::{Find, Ran, Subject, line};
use crate::check::Violation;
use crate::explain::{Excerpt, explain_sharded};
use crate::sharding::check::Checks;
use crate::sharding::marks::Marks;
use crate::sharding::trace::Recorder;
use crate::sharding::{Scenario, ScenarioError, judge, tenure_world};

impl Subject for Scenario {
    type Error = ScenarioError;

    fn name(&self) -> &str {
        &self.name
    }

    fn seed(&self) -> Option<u64> {
        self.seed
    }

    fn drawn(&self, seed: u64) -> Self {
        self.written_out(seed)
    }

    fn run_while(
        &self,
        seed: u64,
        go_on: &mut dyn FnMut(&Find) -> bool,
    ) -> Result<Ran, ScenarioError> {
        let mut world = tenure_world(self, seed, &[])?;
        let finds = Finds::default();
        let mut marks = Marks::new(world.scenario());
        let mut checks = ((Checks::new(world.scenario()), &finds), &mut marks);
        let outcome = world.run_while(&mut checks, |_| finds.each(go_on));
        Ok(Ran {
            digest: outcome.digest,
            end: outcome.end,
            finds: finds.into_inner(),
            verdict: judge(self, &outcome),
            marks: [outcome.statistics.marks().to_vec(), marks.counted()].concat(),
            without_leader: None,
        })
    }

    fn lines(&self, seed: u64) -> Result<Vec<String>, ScenarioError> {
        let mut recorder = Recorder::default();
        tenure_world(self, seed, &[])?.run(&mut recorder);
        Ok(recorder.entries.iter().map(line).collect())
    }

    fn explain(&self, seed: u64, violation: &Violation) -> Result<String, ScenarioError> {
        let mut world = tenure_world(self, seed, &[])?;
        let mut excerpt = Excerpt::around(&[violation]);
        world.run(&mut excerpt);
        Ok(explain_sharded(world.scenario(), &excerpt.entries, violation))
    }
}
