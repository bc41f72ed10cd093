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

mod faults;

use core::fmt;
use core::hash::Hash as _;
use std::sync::Arc;

use tenure::election::{Config, Elector, Profile};
use tenure::lock::LockRef;
use tenure::time::Instant;

use crate::check::{Check, Violation};
use crate::fault::Fault;
use crate::outcome::{Digest, Outcome, Statistics};
use crate::outside::{Body, Event, LOCK, Message, NAMESPACE, Outside};
use crate::plan;
use crate::program::{GuardedWork, Program};
use crate::replica::{Birth, Making, Replica, Rules};
use crate::rng::{Purpose, Stream};
use crate::rule::{Newcomer, Rule};
use crate::scenario::{self, Gate, Scenario, ScenarioError};
use crate::store::Store;
use crate::time::{SimTime, Span};
use crate::trace::{Entry, What};
use faults::Active;

/// One run. The same scenario and seed give the same run on every machine.
///
/// - made by [`new`](World::new), or [`with_programs`](World::with_programs) for replicas that do
///   something else than [`GuardedWork`];
/// - run by [`run`](World::run) or [`run_while`](World::run_while), or by hand by
///   [`step`](World::step) until it gives `None`;
/// - asked by [`now`](World::now), [`digest`](World::digest), [`statistics`](World::statistics),
///   [`fault_effects`](World::fault_effects), [`program`](World::program), [`store`](World::store).
///
/// ```
/// use tenure_sim::catalogue;
/// use tenure_sim::check::Checks;
/// use tenure_sim::time::SimTime;
/// use tenure_sim::world::{FaultEffect, World};
///
/// let mut scenario = catalogue::find("pause").unwrap();
/// scenario.profile = "client-go-head".parse().unwrap();
/// let mut world = World::new(&scenario, 1)?;
/// // To the first violation, and no further.
/// let outcome = world.run_while(&mut Checks::for_scenario(&scenario), |_| false);
/// assert_eq!(outcome.violations.len(), 1);
/// assert!(outcome.end < SimTime::ZERO + scenario.horizon);
/// assert_eq!(world.fault_effects(), [FaultEffect { fired: true, had_effect: true }]);
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
pub struct World<P = GuardedWork> {
    scenario: Scenario,
    replicas: Vec<Replica<P>>,
    outside: Outside,
    programs: Programs<P>,
    rules: Option<Box<Rules>>,
    faults: Vec<Arc<Fault>>,
    active: Vec<Option<Active>>,
    /// Who pulled each fault's trigger.
    actors: Vec<Option<u32>>,
    healed: bool,
    over: bool,
}

type Programs<P> = Box<dyn FnMut(&Birth) -> P + Send>;

impl World {
    /// A world whose replicas do [`GuardedWork`].
    ///
    /// # Errors
    /// If the scenario makes no sense, or its durations are refused by the elector.
    pub fn new(scenario: &Scenario, seed: u64) -> Result<Self, ScenarioError> {
        let work = scenario.work.clone();
        let programs = move |birth: &Birth| {
            let gate = match birth.profile {
                Profile::ClientGo(_) => Gate::Belief,
                Profile::Strict => Gate::Authority,
            };
            GuardedWork::new(&work, gate)
        };
        Self::made(scenario, seed, Box::new(programs))
    }

    /// A world whose replicas follow somebody's own rule: what `rules` makes, for each life anew. The lock
    /// is a Lease.
    ///
    /// # Errors
    /// As [`World::new`], and if the lock is to be carried by another object.
    pub fn with_rules<R: Rule + 'static>(
        scenario: &Scenario,
        seed: u64,
        mut rules: impl FnMut(&Newcomer<'_>) -> R + Send + 'static,
    ) -> Result<Self, ScenarioError> {
        let mut world = Self::new(scenario, seed)?;
        let own = world.scenario.all_settings().into_iter().filter_map(|(_, it)| it.lock);
        let mut locks = own.chain([world.scenario.lock]);
        if let Some(lock) = locks.find(|lock| !lock.is_lease()) {
            return Err(ScenarioError {
                field: "lock".to_owned(),
                value: format!("{lock:?}"),
                remedy: "a rule of one's own knows only Leases: leave it out".to_owned(),
            });
        }
        world.rules = Some(Box::new(move |newcomer| Box::new(rules(newcomer))));
        Ok(world)
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
        mut program: impl FnMut(u32, u32, u64) -> P + Send + 'static,
    ) -> Result<Self, ScenarioError> {
        let programs = move |birth: &Birth| program(birth.replica, birth.life, birth.seed);
        Self::made(scenario, seed, Box::new(programs))
    }

    fn made(scenario: &Scenario, seed: u64, programs: Programs<P>) -> Result<Self, ScenarioError> {
        scenario.validate()?;
        let scenario = plan::drawn(scenario, seed);
        scenario.validate()?;
        accepted(&scenario)?;
        let mut outside = Outside::new(&scenario, seed);
        let mut replicas = Vec::with_capacity(scenario.replicas.len());
        for (index, replica) in (0..).zip(&scenario.replicas) {
            let stream = |purpose| Stream::new(seed, purpose, u64::from(index));
            let purposes = [Purpose::Jitter, Purpose::Incarnation, Purpose::Program, Purpose::Pace];
            let streams = purposes.map(stream);
            replicas.push(Replica::new(&scenario, index, streams));
            let start = Event::Start { replica: index, lives: 0 };
            outside.queue.push(SimTime::ZERO + replica.start, start);
        }
        for (number, rollout) in (0..).zip(&scenario.rollouts) {
            for (at, replica) in rollout.steps(&scenario) {
                outside.queue.push(SimTime::ZERO + at, Event::Roll { rollout: number, replica });
            }
        }
        for (index, planned) in (0..).zip(&scenario.faults) {
            match (planned.at, &planned.on) {
                (Some(at), _) => outside.queue.push(SimTime::ZERO + at, Event::Begin(index)),
                (None, Some(trigger)) => outside.log.await_trigger(index, trigger),
                (None, None) => {}
            }
        }
        if let Some(heal_at) = scenario.heal_at {
            outside.queue.push(SimTime::ZERO + heal_at, Event::Heal);
        }
        outside.queue.push(SimTime::ZERO + scenario.horizon, Event::Horizon);
        let count = scenario.faults.len();
        Ok(Self {
            replicas,
            outside,
            programs,
            rules: None,
            faults: scenario.faults.iter().map(|planned| planned.fault.clone().into()).collect(),
            active: (0..count).map(|_| None).collect(),
            actors: vec![None; count],
            healed: false,
            over: false,
            scenario,
        })
    }

    /// What is simulated, with what was drawn from the seed.
    #[must_use]
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Takes one event from the queue and gives the entries that came of it (often none); `None`
    /// when the run is over.
    pub fn step(&mut self) -> Option<&[Entry]> {
        self.outside.log.entries.clear();
        if self.over {
            return None;
        }
        let (at, event) = self.outside.queue.pop()?;
        self.outside.now = at;
        self.outside.log.statistics.events += 1;
        self.handle(event);
        if !self.outside.log.pulled.is_empty() {
            self.pull_triggers();
        }
        Some(&self.outside.log.entries)
    }

    fn handle(&mut self, event: Event) {
        let Self { replicas, outside, .. } = self;
        match event {
            Event::Timer { replica, generation } => {
                outside.queue.set_cause(outside.log.last(replica));
                if let Some(replica) = replicas.get_mut(replica as usize) {
                    replica.fire(outside, generation);
                }
            }
            Event::Arrive(message) => {
                let Some(message) = outside.messages.remove(message) else { return };
                match message.body {
                    Body::Answer { .. }
                    | Body::CallAnswer { .. }
                    | Body::Written { .. }
                    | Body::Shown { .. } => self.deliver(message),
                    _ => outside.arrive(message),
                }
            }
            Event::Commit(message) => {
                if let Some(message) = outside.messages.remove(message) {
                    outside.commit(message);
                }
            }
            Event::Leave { api, message } => {
                if let Some(message) = outside.messages.remove(message) {
                    outside.leave(api, message);
                }
            }
            Event::Start { replica, lives } => {
                let waits = |replica: &Replica<P>| !replica.alive && replica.lives == lives;
                if self.replicas.get(replica as usize).is_some_and(waits) {
                    self.start(replica);
                }
            }
            Event::Attend { replica, lives } => {
                if let Some(replica) = replicas.get_mut(replica as usize) {
                    replica.attend(outside, lives);
                }
            }
            Event::Rewatch { replica, object, connection } => {
                outside.rewatch(replica, object, connection);
            }
            Event::Roll { rollout, replica } => {
                let change = self.scenario.rollouts.get(rollout as usize).map(|it| &it.set);
                if let (Some(change), Some(replica)) = (change, replicas.get_mut(replica as usize))
                {
                    replica.roll_out(outside, rollout, change);
                }
            }
            Event::Begin(fault) => self.begin(fault),
            Event::End(fault) => self.end(fault),
            Event::Strobe(fault) => self.strobe(fault),
            Event::Heal => self.heal(),
            Event::Horizon => self.finish(),
        }
    }

    fn deliver(&mut self, message: Message) {
        if let Some(replica) = self.replicas.get_mut(message.who.replica as usize) {
            replica.deliver(&mut self.outside, message);
        }
    }

    /// A process starts; on a machine that is suspended, when that wakes.
    fn start(&mut self, replica: u32) {
        let Self { replicas, outside, scenario, programs, rules, .. } = self;
        let Some(replica) = replicas.get_mut(replica as usize) else { return };
        if replica.asleep() {
            replica.starts_on_waking = true;
            replica.suspends.iter().for_each(|suspend| outside.blame(suspend.fault));
        } else {
            let rules = rules.as_deref_mut();
            replica.start(outside, &mut Making { scenario, program: &mut **programs, rules });
        }
    }

    /// The run is over: the machines' states go into the digest.
    fn finish(&mut self) {
        self.over = true;
        self.outside.emit(What::Horizon);
        let statistics = self.outside.log.statistics;
        let digester = &mut self.outside.log.digester;
        statistics.digest(digester);
        for replica in &self.replicas {
            replica.elector.hash(digester);
            replica.clock.hash(digester);
        }
        self.outside.store.hash(digester);
        self.outside.resource.hash(digester);
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
            digest: self.digest(),
            end: self.now(),
            violations,
            statistics: *self.statistics(),
        }
    }

    /// Real time.
    #[must_use]
    pub const fn now(&self) -> SimTime {
        self.outside.now
    }

    /// The digest over the entries so far; at the end also over the machines' states.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.outside.log.digester.digest()
    }

    /// How much has happened so far.
    #[must_use]
    pub const fn statistics(&self) -> &Statistics {
        &self.outside.log.statistics
    }

    /// Whether each planned fault fired and had an effect, in the order of
    /// [`Scenario::faults`](crate::scenario::Scenario::faults).
    #[must_use]
    pub fn fault_effects(&self) -> &[FaultEffect] {
        &self.outside.effects
    }

    /// What a replica's program is now; of a process that is down, as it was when it ended; `None`
    /// before the first start.
    #[must_use]
    pub fn program(&self, replica: u32) -> Option<&P> {
        self.replicas.get(replica as usize)?.program.as_ref()
    }

    /// A replica's elector, likewise; none if it follows another [`Rule`].
    #[must_use]
    pub fn elector(&self, replica: u32) -> Option<&Elector> {
        self.replicas.get(replica as usize)?.elector.as_ref()?.tenure()
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.outside.store
    }

    /// The store, to put objects there before the first step.
    pub const fn store_mut(&mut self) -> &mut Store {
        &mut self.outside.store
    }
}

impl<P> fmt::Debug for World<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("scenario", &self.scenario.name)
            .field("now", &self.outside.now)
            .field("statistics", &self.outside.log.statistics)
            .finish_non_exhaustive()
    }
}

/// What became of a planned fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FaultEffect {
    /// It began.
    pub fired: bool,
    /// It changed something: dropped or delayed a message, kept a process from doing what was due,
    /// ended one or kept it down, showed one another time, changed the record.
    pub had_effect: bool,
}

/// What a replica's elector is told.
pub(crate) fn config(
    scenario: &Scenario,
    replica: u32,
    settings: &scenario::Replica,
    incarnation: &str,
) -> Config {
    let profile = settings.profile.unwrap_or(scenario.profile);
    let name = settings.identity.clone().unwrap_or_else(|| format!("replica-{replica}"));
    let (identity, incarnation) = match (profile, settings.bare_identity) {
        (Profile::ClientGo(_), true) => (name, ""),
        (Profile::ClientGo(_), false) => (format!("{name}_{incarnation}"), ""),
        (Profile::Strict, _) => (name, incarnation),
    };
    let lease = LockRef::lease(NAMESPACE, LOCK);
    let of = |kind| LockRef { kind, ..lease.clone() };
    let lock = settings.lock.unwrap_or(scenario.lock);
    let timeout = settings.request_timeout.or(scenario.request_timeout);
    Config {
        secondary: lock.secondary().map(of),
        lease_duration: settings.lease_duration.unwrap_or(scenario.lease_duration).as_duration(),
        renew_deadline: settings.renew_deadline.unwrap_or(scenario.renew_deadline).as_duration(),
        retry_period: settings.retry_period.unwrap_or(scenario.retry_period).as_duration(),
        request_timeout: timeout.map(Span::as_duration),
        release_on_stop: settings.release_on_stop.unwrap_or(scenario.release_on_stop),
        missing: scenario.missing,
        warn_before: settings.warn_before.map(Span::as_duration),
        lock_delay: settings.lock_delay.unwrap_or_default().as_duration(),
        preferred: settings.preferred,
        profile,
        rules: crate::left_out::of_electors(&scenario.without),
        ..Config::new(of(lock.primary()), identity, incarnation)
    }
}

/// Whether electors take their configurations.
fn accepted(scenario: &Scenario) -> Result<(), ScenarioError> {
    if scenario.unchecked || !scenario.election {
        return Ok(());
    }
    for (index, settings) in scenario.all_settings() {
        let config = config(scenario, index, &settings, "incarnation");
        let value = format!(
            "{:?}, {:?}, {:?}",
            config.lease_duration, config.renew_deadline, config.retry_period
        );
        if let Err(error) = Elector::new(config, 0, Instant::from_nanos(0)) {
            return Err(ScenarioError {
                field: format!("lease_duration, renew_deadline, retry_period of replicas[{index}]"),
                value,
                remedy: format!("{error}; or set `unchecked` to run it all the same"),
            });
        }
    }
    Ok(())
}
