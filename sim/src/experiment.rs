//! The experiment: three replicas of one controller and the objects that they reconcile, in four
//! modes, through the same faults.
//!
//! | mode | who works on an object |
//! | --- | --- |
//! | [`Alone`](Mode::Alone) | every replica: there is no election |
//! | [`Leader`](Mode::Leader) | the leader |
//! | [`Naive`](Mode::Naive) | whoever owns it by rendezvous over the members that a replica sees |
//! | [`Ranked`](Mode::Ranked) | whoever owns its slot by [`tenure::sharding`] |
//!
//! The naive mode shows why there is a protocol: it has nothing between two replicas that see different
//! members. What comes of that is measured, not hidden.
//!
//! ```
//! use tenure::election::Profile;
//! use tenure_sim::check::Checks;
//! use tenure_sim::experiment::{BadName, Experiment, Finding, Holds, Measured, Run, Workload};
//!
//! let names: Vec<String> = (0..60).map(|number| format!("Deployment/team-{number}/web")).collect();
//! let experiment = Experiment::new(Workload::new(&names.join("\n"))?, Profile::Strict, 1);
//! let report = experiment.run_all(|_, scenario| Checks::for_scenario(scenario))?;
//! let [alone, leader, naive, ranked]: &[Run; 4] = report.runs.as_slice().try_into()?;
//! assert!(!alone.measured.exclusive && !naive.measured.exclusive);
//! for Run { measured: Measured { exclusive, doubled_objects, .. }, .. } in [leader, ranked] {
//!     assert!(*exclusive && *doubled_objects == 0);
//! }
//! // Whoever works alone has all the work; and members cost more requests than a lock.
//! assert!(leader.measured.busiest > ranked.measured.busiest);
//! assert!(leader.measured.requests() < ranked.measured.requests());
//! assert!(report.findings.iter().all(|it: &Finding| it.verdict != Holds::Failed));
//!
//! let BadName { line, remedy, .. } = Workload::new("a\nb\na").unwrap_err();
//! assert_eq!((line, remedy), (Some(3), "name each object once"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;

use tenure::election::Profile;
use tenure::placement::Member;

use crate::check::{Check, Violation};
use crate::fault::{Direction, Fault, Links, Planned, Reborn, Site, Target, WakeUp};
use crate::outcome::Outcome;
use crate::scenario::{Replica as Machine, Scenario, ScenarioError, Work};
use crate::time::Span;
use crate::world::{FaultEffect, World};

mod controller;
mod measured;
mod meter;
mod naive;
pub mod note;
mod ranked;
mod replica;
mod report;
mod verdict;
mod workload;

pub use measured::{Measured, Moment};
pub use report::Report;
pub use verdict::{Finding, Holds};
pub(crate) use workload::SHIPPED as SHIPPED_NAMES;
pub use workload::{BadName, Workload};

use controller::Pace;
use meter::Meter;
use naive::Terms;
use replica::{Group, Replica};

/// The rates of the replicas' clocks: local nanoseconds in 10⁹ real ones. They differ by less than
/// lease duration to renew deadline, 3 to 2.
const RATES: [u64; 3] = [1_000_000_000, 1_100_000_000, 900_000_000];

/// How long each simulated world lasts.
const HORIZON: Span = Span::from_secs(30 * 60);

/// Who works on an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Everybody: there is no election.
    Alone,
    /// The leader.
    Leader,
    /// Its owner among the members that a replica sees, naively.
    Naive,
    /// The owner of its slot, by a [`Sharder`](tenure::sharding::Sharder) in each replica.
    Ranked,
}

impl Mode {
    /// All, in the order of the table.
    pub const ALL: [Self; 4] = [Self::Alone, Self::Leader, Self::Naive, Self::Ranked];

    /// What it is called for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Alone => "without election",
            Self::Leader => "leader election",
            Self::Naive => "sharded, naively",
            Self::Ranked => "sharded, ranked",
        }
    }

    /// What it is called for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alone => "without-election",
            Self::Leader => "leader-election",
            Self::Naive => "sharded-naively",
            Self::Ranked => "sharded-ranked",
        }
    }
}

/// What the experiment is done with.
#[derive(Debug, Clone)]
pub struct Experiment {
    workload: Arc<Workload>,
    pace: Pace,
    profile: Profile,
    seed: u64,
}

/// One mode's run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What it came to.
    pub measured: Measured,
    /// What the other checks say.
    pub outcome: Outcome,
    /// What became of each fault.
    pub effects: Vec<FaultEffect>,
}

impl Experiment {
    /// The experiment on these objects; leaders are elected by the rules of `profile`.
    #[must_use]
    pub fn new(workload: Workload, profile: Profile, seed: u64) -> Self {
        Self { workload: Arc::new(workload), pace: Pace::default(), profile, seed }
    }

    /// The world of a mode: the same in all, but for who is elected.
    #[must_use]
    pub fn scenario(&self, mode: Mode) -> Scenario {
        let machine = |rate| Machine { rate_ppb: Some(rate), ..Machine::default() };
        Scenario {
            name: format!("experiment-{}", mode.name()),
            description:
                "Three replicas of a controller, each cut off, crashed and paused in turn."
                    .to_owned(),
            profile: self.profile,
            replicas: RATES.map(machine).to_vec(),
            election: mode == Mode::Leader,
            work: Work { period: Span::ZERO, ..Work::default() },
            faults: faults(),
            horizon: HORIZON,
            ..Scenario::default()
        }
    }

    /// Runs one mode; `others` see all that happens as well.
    ///
    /// # Errors
    /// None but mistakes of this module.
    pub fn run(&self, mode: Mode, others: &mut impl Check) -> Result<Run, ScenarioError> {
        let scenario = self.scenario(mode);
        let group = Arc::new(self.group(mode, &scenario));
        let mut meter = Meter::new(Arc::clone(&group));
        let make = move |index, life, seed| Replica::new(Arc::clone(&group), index, life, seed);
        let mut world = World::with_programs(&scenario, self.seed, make)?;
        let outcome = world.run(&mut (&mut meter, others));
        let effects = world.fault_effects().to_vec();
        Ok(Run { measured: meter.measured(), outcome, effects })
    }

    /// Runs all modes, each beside the checks that `others` makes for its scenario.
    ///
    /// # Errors
    /// As [`Experiment::run`].
    pub fn run_all<C: Check>(
        &self,
        mut others: impl FnMut(Mode, &Scenario) -> C,
    ) -> Result<Report, ScenarioError> {
        let mut runs = Vec::new();
        for mode in Mode::ALL {
            runs.push(self.run(mode, &mut others(mode, &self.scenario(mode)))?);
        }
        Ok(Report::new(self, runs))
    }

    /// The seed of its chances.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    fn group(&self, mode: Mode, scenario: &Scenario) -> Group {
        let terms = Terms {
            lease: scenario.lease_duration.as_duration(),
            deadline: scenario.renew_deadline.as_duration(),
            retry: scenario.retry_period.as_duration(),
            timeout: scenario.request_timeout.unwrap_or(scenario.retry_period).as_duration(),
        };
        let slots = ranked::config("", String::new(), terms).slots;
        Group {
            mode,
            slots,
            slot_of: self.workload.slots(slots),
            workload: Arc::clone(&self.workload),
            members: members(),
            pace: self.pace,
            terms,
            faults: scenario.faults.clone(),
        }
    }
}

/// The replicas as members of a group.
fn members() -> Vec<Member> {
    (0..RATES.len()).map(|index| Member::from(format!("replica-{index}"))).collect()
}

/// Each kind of fault hits each replica once, so that it hits the leader whoever that is.
fn faults() -> Vec<Planned> {
    let replicas = || (0_u64..).zip((0..3).map(Target::Replica));
    let cut = |target| Links::of(Site::Of(target));
    let mut plan = Vec::new();
    for (number, target) in replicas() {
        let fault = Fault::Partition(cut(target));
        plan.push(Planned::at(minutes(3 + 2 * number), fault).lasting(Span::from_secs(40)));
    }
    for (number, target) in replicas() {
        let fault = Fault::Partition(cut(target).direction(Direction::Incoming));
        plan.push(Planned::at(minutes(9 + 2 * number), fault).lasting(Span::from_secs(40)));
    }
    for (number, target) in replicas() {
        let fault = Fault::Crash { target, reborn: Reborn::New };
        plan.push(Planned::at(minutes(15 + 2 * number), fault).lasting(Span::from_secs(30)));
    }
    for (number, target) in replicas() {
        let fault = Fault::Pause { target, wake_up: WakeUp::TimersFirst };
        plan.push(Planned::at(minutes(21 + 2 * number), fault).lasting(Span::from_secs(25)));
    }
    plan
}

const fn minutes(minutes: u64) -> Span {
    Span::from_secs(60 * minutes)
}

/// Violations that the checks of a run found, by check.
fn by_check(violations: &[Violation]) -> Vec<(&str, usize)> {
    let mut checks: Vec<(&str, usize)> = Vec::new();
    for violation in violations {
        match checks.iter_mut().find(|(check, _)| *check == violation.check) {
            Some((_, count)) => *count += 1,
            None => checks.push((&violation.check, 1)),
        }
    }
    checks
}
