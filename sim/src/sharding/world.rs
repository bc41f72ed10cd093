//! The engine: a [`World`] runs one scenario with one seed, whatever [`System`] its replicas follow.

mod faults;
mod lag;
mod outside;
mod process;
mod watch;
mod work;

use core::hash::Hash as _;
use std::sync::Arc;

use tenure::time::Now;

use self::outside::{Event, Outside};
use self::process::Process;
use super::check::Check;
use super::scenario::{Scenario, ScenarioError};
use super::store::Store;
use super::swarm;
use super::system::{Birth, System};
use super::trace::{Entry, What};
use crate::check::Violation;
use crate::net::LinkId;
use crate::outcome::Digest;
use crate::time::SimTime;

pub use self::outside::Statistics;

/// The name of the object in which the member called `name` keeps its record.
#[must_use]
pub fn record_of(name: &str) -> Arc<str> {
    format!("member/{name}").into()
}

/// What a run amounted to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Over everything that happened, and the machines' states at the end.
    pub digest: Digest,
    /// When it ended.
    pub end: SimTime,
    /// What did not hold, in order.
    pub violations: Vec<Violation>,
    /// How much happened.
    pub statistics: Statistics,
}

type Make<S> = Box<dyn FnMut(&Birth<'_>) -> S>;

/// One run. The same scenario, seed and system give the same run on every machine.
pub struct World<S: System> {
    scenario: Scenario,
    processes: Vec<Process<S>>,
    outside: Outside<S::Value>,
    make: Make<S>,
    /// How often each fault is still to come, and which links it troubles now.
    coming: Vec<u32>,
    troubled: Vec<Option<Vec<LinkId>>>,
    healed: bool,
    over: bool,
    /// How many writes that nobody needs any more are kept, so that not each one moves all others.
    forgets: usize,
}

impl<S: System> core::fmt::Debug for World<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("World").field("now", &self.outside.now).finish_non_exhaustive()
    }
}

impl<S: System> World<S> {
    /// A world in which each life of each replica runs what `make` makes.
    ///
    /// # Errors
    /// If the scenario makes no sense.
    pub fn new(
        scenario: &Scenario,
        seed: u64,
        make: impl FnMut(&Birth<'_>) -> S + 'static,
    ) -> Result<Self, ScenarioError> {
        let scenario = swarm::drawn(&scenario.checked()?, seed).checked()?;
        let mut outside = Outside::new(&scenario, seed);
        let mut processes = Vec::with_capacity(scenario.replicas.len());
        for (index, replica) in (0..).zip(&scenario.replicas) {
            processes.push(Process::new(index, replica, &scenario.work, seed));
            if !replica.spare {
                let start = Event::Start { replica: index, lives: 0 };
                outside.queue.push(SimTime::ZERO + replica.start, start);
            }
        }
        for (index, planned) in (0..).zip(&scenario.faults) {
            outside.queue.push(SimTime::ZERO + planned.at, Event::Begin(index));
        }
        if let Some(heal_at) = scenario.heal_at {
            outside.queue.push(SimTime::ZERO + heal_at, Event::Heal);
        }
        outside.queue.push(SimTime::ZERO + scenario.horizon, Event::Horizon);
        Ok(Self {
            processes,
            outside,
            make: Box::new(make),
            coming: scenario.faults.iter().map(|planned| planned.times).collect(),
            troubled: vec![None; scenario.faults.len()],
            scenario,
            healed: false,
            over: false,
            forgets: faults::FORGETS,
        })
    }

    /// What is simulated, with what was drawn from the seed.
    #[must_use]
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Real time.
    #[must_use]
    pub const fn now(&self) -> SimTime {
        self.outside.now
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &Store<S::Value> {
        &self.outside.store
    }

    /// How much has happened.
    #[must_use]
    pub const fn statistics(&self) -> &Statistics {
        &self.outside.statistics
    }

    /// What a replica runs; none if its process is down.
    #[must_use]
    pub fn system(&self, replica: u32) -> Option<&S> {
        self.processes.get(replica as usize)?.system()
    }

    /// What a replica's clocks show; none if its process is down or stands still, and does nothing.
    #[must_use]
    pub fn clocks(&self, replica: u32) -> Option<Now> {
        self.processes.get(replica as usize)?.clocks(self.outside.now)
    }

    /// Takes one event from the queue and gives the entries that came of it; `None` when the run is
    /// over.
    pub fn step(&mut self) -> Option<&[Entry]> {
        self.outside.entries.clear();
        if self.over {
            return None;
        }
        let (at, event) = self.outside.queue.pop()?;
        self.outside.now = at;
        self.outside.statistics.events += 1;
        self.handle(event);
        Some(&self.outside.entries)
    }

    fn handle(&mut self, event: Event) {
        let Self { processes, outside, .. } = self;
        match event {
            Event::Timer { replica, generation } => {
                outside.goes_on(replica);
                if let Some(process) = processes.get_mut(replica as usize) {
                    process.fire(outside, generation);
                }
            }
            Event::Arrive(message) => self.arrive(message),
            Event::Commit(message) => self.commit(message),
            Event::Answer(message) => self.answer(message),
            Event::Show { replica, conn, index } => {
                if let Some(process) = processes.get_mut(replica as usize) {
                    process.shown(outside, conn, index);
                }
            }
            Event::Rewatch { replica, conn } => {
                if let Some(process) = processes.get_mut(replica as usize) {
                    process.rewatch(outside, conn);
                }
            }
            Event::Work { replica, life } => {
                outside.goes_on(replica);
                if let Some(process) = processes.get_mut(replica as usize) {
                    process.work(outside, life);
                }
            }
            Event::Finish { replica, work } => {
                if let Some(process) = processes.get_mut(replica as usize) {
                    process.finish(outside, work);
                }
            }
            Event::Limit { replica, work } => {
                if let Some(process) = processes.get_mut(replica as usize) {
                    process.limit(outside, work);
                }
            }
            Event::Write { replica, slot, token } => outside.guard(replica, slot, token),
            Event::Start { replica, lives } => self.start(replica, lives),
            Event::Begin(fault) => self.begin(fault),
            Event::End(fault) => self.end(fault),
            Event::Heal => self.heal(),
            Event::Horizon => self.finish(),
        }
        for index in core::mem::take(&mut self.outside.exiting) {
            if self.processes.get(index as usize).is_some_and(Process::exits) {
                self.exit(index, false, None);
            }
        }
    }

    /// A process starts, if it has not by other ways.
    fn start(&mut self, replica: u32, lives: u32) {
        let Self { processes, outside, scenario, make, .. } = self;
        if let Some(process) = processes.get_mut(replica as usize)
            && process.lives == lives
            && !process.is_alive()
        {
            process.start(outside, scenario, make);
        }
    }

    /// The run is over: the machines' states go into the digest.
    fn finish(&mut self) {
        self.over = true;
        self.outside.emit(What::Horizon);
        let digester = &mut self.outside.digester;
        for process in &self.processes {
            process.hash(digester);
        }
        self.outside.store.hash(digester);
    }

    /// Runs to the end.
    pub fn run(&mut self, checks: &mut (impl Check + ?Sized)) -> Outcome {
        self.run_while(checks, |_| true)
    }

    /// Runs to the end, or until `go_on` says no to a violation.
    pub fn run_while(
        &mut self,
        checks: &mut (impl Check + ?Sized),
        mut go_on: impl FnMut(&Violation) -> bool,
    ) -> Outcome {
        let mut violations = Vec::new();
        let mut seen = 0;
        'run: while let Some(entries) = self.step() {
            for entry in entries {
                checks.observe(entry, &mut violations);
            }
            while let Some(violation) = violations.get(seen) {
                seen += 1;
                if !go_on(violation) {
                    break 'run;
                }
            }
        }
        if self.over {
            checks.finish(self.now(), &mut violations);
        }
        Outcome {
            digest: self.outside.digester.digest(),
            end: self.now(),
            violations,
            statistics: self.outside.statistics,
        }
    }
}
