//! The bound of [`Config::margin`], confirmed from both sides: for each [`Case`] an adversary's schedule
//! is built from the configuration, the ratio of clock rates and the answers; one hundredth inside the
//! bound no seed may make two leaders, one hundredth outside some seed must.
//!
//! The seed decides the rates of both clocks (their ratio is the case's), latencies, and when the
//! candidate polls. Everything else happens at the worst moment: the last write takes effect at once,
//! its answer comes as late as it may, then the leader is cut off, and the candidate polls five hundred
//! times in a lease.
//!
//! ```
//! use tenure_sim::margin::{Case, Confirmation, Schedule, Side};
//! let case = &Case::all()[0];
//! assert!(!case.run(Side::Inside, 1)?.two_leaders);
//! assert!(case.run(Side::Outside, 1)?.two_leaders);
//!
//! // Many seeds, of the case whose answer is late when the lock is acquired.
//! let all = Case::all();
//! let case = all.iter().find(|case| case.schedule == Schedule::Acquisition).unwrap();
//! let confirmation = case.confirm(0..8, 0..1_000, || {})?;
//! let Confirmation { inside, violated, found, .. } = confirmation;
//! assert!(confirmation.confirms());
//! assert_eq!((inside, violated, found.is_some()), (8, 0, true));
//! // That nothing goes wrong inside does not show that the bound is tight.
//! assert!(!case.confirm(0..8, 0..0, || {})?.confirms());
//! # Ok::<(), tenure_sim::scenario::ScenarioError>(())
//! ```

mod cases;
mod schedule;

use core::ops::Range;

use rayon::prelude::*;
use tenure::election::{Conditions, Config, Margin, Profile, Ratio};

use crate::check::one_leader::OneLeader;
use crate::check::{Check, Violation};
use crate::scenario::{Scenario, ScenarioError};
use crate::time::SimTime;
use crate::trace::{Entry, What};
use crate::world::World;

/// One configuration, and how its bound is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// A short name.
    pub name: &'static str,
    /// The leader's configuration, and the candidate's but for the retry period.
    pub config: Config,
    /// Which answers there are; the ratio is the largest that the margin allows, but for a hundredth.
    pub conditions: Conditions,
    /// What happens.
    pub schedule: Schedule,
}

/// How a leader comes to go on for as long as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Schedule {
    /// A renewal is answered late, then the leader is cut off; with release it can read, when it
    /// releases, and not write.
    Renewal,
    /// The answer to a renewal is lost; the same attempt reads, and writes the same again.
    RepeatedRenewal,
    /// The first acquisition is answered late, then the leader is cut off.
    Acquisition,
    /// As repeated renewals, in an attempt to acquire: two earlier ones wrote, unanswered.
    RepeatedAcquisition,
    /// The last of many renewals within one second, then the leader is cut off.
    WithinSecond,
}

impl core::fmt::Display for Schedule {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Renewal => "a renewal",
            Self::RepeatedRenewal => "a renewal, repeated",
            Self::Acquisition => "the acquisition",
            Self::RepeatedAcquisition => "the acquisition, repeated",
            Self::WithinSecond => "renewals within a second",
        })
    }
}

/// On which side of the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The ratio of clock rates is one hundredth less than allowed.
    Inside,
    /// One hundredth more.
    Outside,
}

/// What a run of a case showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// The check `one-leader` found something.
    pub two_leaders: bool,
    /// The leader led, and somebody led after or beside it: without that a run shows nothing.
    pub complete: bool,
}

/// What the runs of a case came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    /// Runs inside.
    pub inside: u64,
    /// Of these, how many had two leaders; the first seed.
    pub violated: u64,
    /// The first seed of these.
    pub first_violated: Option<u64>,
    /// Runs on either side that showed nothing.
    pub incomplete: u64,
    /// How many seeds were allowed outside.
    pub outside: u64,
    /// The first seed outside that had two leaders.
    pub found: Option<u64>,
}

impl Confirmation {
    /// Whether the bound holds, and is tight.
    #[must_use]
    pub const fn confirms(&self) -> bool {
        self.violated == 0 && self.incomplete == 0 && self.found.is_some()
    }
}

impl Case {
    /// Every case: each profile, each term of the bound.
    #[must_use]
    pub fn all() -> Vec<Self> {
        cases::all()
    }

    /// The margin, with clocks that run alike.
    #[must_use]
    pub fn margin(&self) -> Margin {
        self.config.margin(&self.conditions)
    }

    /// The ratio of clock rates on this side of the bound; `None` if there is no bound.
    #[must_use]
    pub fn ratio(&self, side: Side) -> Option<Ratio> {
        let max = self.margin().max_ratio()?;
        let hundredths = match side {
            Side::Inside => 99,
            Side::Outside => 101,
        };
        Ratio::new(max.fastest().checked_mul(hundredths)?, max.slowest().checked_mul(100)?)
    }

    /// What is run.
    #[must_use]
    pub fn scenario(&self, side: Side, seed: u64) -> Scenario {
        schedule::scenario(self, self.ratio(side).unwrap_or_default(), seed)
    }

    /// Runs it.
    ///
    /// # Errors
    /// The simulator refuses the case's durations.
    pub fn run(&self, side: Side, seed: u64) -> Result<Seen, ScenarioError> {
        let scenario = self.scenario(side, seed);
        let mut turns = Turns::default();
        let outcome =
            World::new(&scenario, seed)?.run(&mut (OneLeader::new(&scenario), &mut turns));
        // client-go's IsLeader has no end; what its users go by is the callbacks.
        let counts = |violation: &Violation| {
            self.config.profile == Profile::Strict || violation.rule == "belief"
        };
        Ok(Seen { two_leaders: outcome.violations.iter().any(counts), complete: turns.complete() })
    }

    /// Runs all seeds of `inside`, and those of `outside` until one has two leaders; `progress` is
    /// called for each run, on any thread of the current pool.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn confirm(
        &self,
        inside: Range<u64>,
        outside: Range<u64>,
        progress: impl Fn() + Sync,
    ) -> Result<Confirmation, ScenarioError> {
        let run = |side, seed| {
            let seen = self.run(side, seed);
            progress();
            seen
        };
        let none = Confirmation {
            inside: 0,
            violated: 0,
            first_violated: None,
            incomplete: 0,
            outside: outside.end.saturating_sub(outside.start),
            found: None,
        };
        let one = |seed| {
            let seen = run(Side::Inside, seed)?;
            Ok(Confirmation {
                inside: 1,
                violated: u64::from(seen.two_leaders),
                first_violated: seen.two_leaders.then_some(seed),
                incomplete: u64::from(!seen.complete),
                ..none
            })
        };
        let both = |one: Confirmation, other: Confirmation| {
            let first = [one.first_violated, other.first_violated].into_iter().flatten().min();
            Ok(Confirmation {
                inside: one.inside + other.inside,
                violated: one.violated + other.violated,
                first_violated: first,
                incomplete: one.incomplete + other.incomplete,
                ..none
            })
        };
        let mut confirmation = inside.into_par_iter().map(one).try_reduce(|| none, both)?;
        for seed in outside {
            let seen = run(Side::Outside, seed)?;
            confirmation.incomplete += u64::from(!seen.complete);
            if seen.two_leaders {
                confirmation.found = Some(seed);
                break;
            }
        }
        Ok(confirmation)
    }
}

/// Whether the first replica led and the other did after it began.
#[derive(Debug, Default)]
struct Turns {
    led: bool,
    followed: bool,
    ended: bool,
}

impl Turns {
    const fn complete(&self) -> bool {
        self.led && self.followed && self.ended
    }
}

impl Check for Turns {
    fn name(&self) -> &'static str {
        "turns"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        match entry.what {
            What::StartedLeading { replica: 0, .. } => self.led = true,
            What::StartedLeading { .. } => self.followed = true,
            What::StoppedLeading { replica: 0, led: true, .. } => self.ended = true,
            _ => {}
        }
    }

    fn finish(&mut self, _: SimTime, _: &mut Vec<Violation>) {}
}
