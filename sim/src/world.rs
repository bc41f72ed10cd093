//! The engine: a [`World`] runs one scenario with one seed.
//!
//! ```no_run
//! use tenure_sim::scenario::Scenario;
//! use tenure_sim::trace::Recorder;
//! use tenure_sim::world::World;
//!
//! let mut recorder = Recorder::default();
//! let mut world = World::new(&Scenario::default(), 42)?;
//! let outcome = world.run(&mut recorder);
//! println!("{} {}", outcome.digest, recorder.entries.len());
//! # Ok::<(), tenure_sim::scenario::ScenarioError>(())
//! ```

use crate::check::{Check, Violation};
use crate::outcome::{Digest, Outcome, Statistics};
use crate::program::{GuardedWork, Program};
use crate::scenario::{Scenario, ScenarioError};
use crate::time::SimTime;
use crate::trace::Entry;

/// One run. The same scenario and seed give the same run on every machine.
///
/// - made by [`new`](World::new), or [`with_programs`](World::with_programs) for replicas that do
///   something else than [`GuardedWork`];
/// - run by [`run`](World::run) or [`run_while`](World::run_while), or by hand by
///   [`step`](World::step) until it gives `None`;
/// - asked by [`now`](World::now), [`digest`](World::digest), [`statistics`](World::statistics).
#[derive(Debug)]
pub struct World<P = GuardedWork> {
    programs: Vec<P>,
}

impl World {
    /// A world whose replicas do [`GuardedWork`].
    ///
    /// # Errors
    /// If the scenario makes no sense, or its durations are refused by the elector.
    pub fn new(scenario: &Scenario, seed: u64) -> Result<Self, ScenarioError> {
        let _ = (scenario, seed);
        todo!()
    }
}

impl<P: Program> World<P> {
    /// A world whose replicas run what `program` makes, for each life anew: it is given the
    /// replica's index, the number of its life from 0, and a seed of its own.
    ///
    /// # Errors
    /// As [`World::new`].
    pub fn with_programs(
        scenario: &Scenario,
        seed: u64,
        program: impl FnMut(u32, u32, u64) -> P + 'static,
    ) -> Result<Self, ScenarioError> {
        let _ = (scenario, seed, program);
        todo!()
    }

    /// Takes one event from the queue and gives the entries that came of it (often none); `None`
    /// when the run is over.
    pub fn step(&mut self) -> Option<&[Entry]> {
        todo!()
    }

    /// Runs to the end.
    pub fn run(&mut self, checks: &mut (impl Check + ?Sized)) -> Outcome {
        self.run_while(checks, |_| true)
    }

    /// Runs to the end, or until `go_on` says no to a violation.
    pub fn run_while(
        &mut self,
        checks: &mut (impl Check + ?Sized),
        go_on: impl FnMut(&Violation) -> bool,
    ) -> Outcome {
        let _ = (checks, go_on);
        todo!()
    }

    /// Real time.
    #[must_use]
    pub fn now(&self) -> SimTime {
        todo!()
    }

    /// The digest over the entries so far; at the end also over the machines' states.
    #[must_use]
    pub fn digest(&self) -> Digest {
        todo!()
    }

    /// How much has happened so far.
    #[must_use]
    pub fn statistics(&self) -> &Statistics {
        todo!()
    }

    /// Whether each planned fault fired and had an effect, in the order of
    /// [`Scenario::faults`](crate::scenario::Scenario::faults).
    #[must_use]
    pub fn fault_effects(&self) -> &[FaultEffect] {
        todo!()
    }

    /// What the replicas' programs are now; of a process that is down, as it was when it ended.
    pub fn programs(&self) -> impl Iterator<Item = &P> {
        self.programs.iter()
    }
}

/// What became of a planned fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FaultEffect {
    /// It began.
    pub fired: bool,
    /// It changed something: dropped or delayed a message, hit a live process, changed the record.
    pub had_effect: bool,
}
