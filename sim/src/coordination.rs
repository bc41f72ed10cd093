//! Coordinated leader election (KEP-4355) in the simulator: candidates and a coordinator, and what
//! becomes of them when wall clocks disagree or the leader crashes.
//!
//! ```
//! use tenure_sim::coordination::{Ahead, Term, Trial};
//! use tenure_sim::time::{Shift, SimTime, Span};
//!
//! let skewed = Trial { ahead: Ahead::Standbys, skew: Shift::from_secs(20), ..Trial::default() };
//! let skewed = skewed.run(1)?;
//! assert!(!skewed.violations.is_empty() && skewed.overlap() > Span::from_secs(5));
//!
//! let crash = Trial { crash: Some(Span::from_secs(60)), ..Trial::default() }.run(1)?;
//! let Term { replica, until, .. } = crash.terms[0];
//! assert_eq!((replica, until), (0, SimTime::ZERO + Span::from_secs(60)));
//! assert_eq!(crash.overlap(), Span::ZERO);
//! assert!(crash.vacancy(0).unwrap() > Span::from_secs(20), "it waits for more than the lease");
//! # Ok::<(), tenure_sim::scenario::ScenarioError>(())
//! ```
//!
//! # How it is simulated
//! - Each of three replicas runs an [`Elector`](tenure::election::Elector) with `coordinated` and, in
//!   one process and under one name, a [`Candidate`](tenure::election::coordinated::Candidate). They
//!   are driven by a program of the replica, not by the engine, so that the engine knows nothing of
//!   coordination; what they say is noted in the trace and handed to the check
//!   [`OneLeader`] as if the engine had said it.
//! - A fourth replica is the coordinator. It is not elected itself and does not fail.
//! - The store keeps objects that carry a lock only, so a `LeaseCandidate` is kept as a Lease of its
//!   name with a label, its fields in annotations. The store does not date objects: the candidate writes its own wall
//!   clock as the time of creation.
//! - Instead of watches there are reads, four a second. That adds at most 0.25 s and a round trip
//!   to what a watch takes.
//! - An elector that has finished begins anew two seconds later under the same name.
//!
//! # What it shows
//! At 15 s / 10 s / 2 s with client-go 1.36's rules, over seeds 1 to 50
//! (`cargo test -p tenure-sim --test coordination`, which asserts these figures):
//!
//! | wall clocks | coordinated | plain elector |
//! | --- | --- | --- |
//! | agree | one leader | one leader |
//! | the coordinator's and the standbys' are 20 s ahead of the holder's | **two leaders in all 50 runs**, for 6.7 to 11.7 s | one leader |
//! | the same, 14 s | two leaders in all 50 runs | one leader |
//! | the same, 12 s | one leader | one leader |
//! | the coordinator's alone is 5 s or more ahead, and the leader crashes | **no leader any more**, in all 50 runs | does not apply |
//! | the same, 3 or 4 s | no leader any more in 2 and 1 of 50 runs | does not apply |
//!
//! What makes two leaders is a skew of more than the lease duration less the age of the last renewal.
//! A coordinator that is *alone* ahead makes them only where leases are shorter than the 5 s in which
//! answers to pings count: at 2 s / 1.4 s / 0.3 s and 2.5 s ahead, when a better candidate appears, in
//! all 50 runs, for 0.9 to 1.5 s.
//!
//! How long nobody leads, in seconds (least, median and greatest of 50 runs):
//!
//! | | coordinated | plain elector |
//! | --- | --- | --- |
//! | after a crash of the leader | 20.6, 23.7, 27.5 | 14.2, 16.9, 18.5 |
//! | when a better candidate appears | 3.6, 7.0, 11.9 | does not apply |
//!
//! A coordinated takeover waits for the Lease to expire (up to 15 s), for the coordinator to look
//! again (up to 5 s), for the dead candidate not to answer (5 s), and for the elected one to poll (up
//! to 4.4 s).

use tenure::election::{Cause, Failure, Profile, Release};
use tenure::lock::LockRef;
use tenure::time::{Instant, Now};

use crate::check::one_leader::OneLeader;
use crate::check::{Check, Violation};
use crate::fault::{Fault, Planned, Reborn, Target};
use crate::outside::{LOCK, NAMESPACE};
use crate::program::{Action, Program, Standing};
use crate::scenario::{Replica as Machine, Scenario, ScenarioError, Work};
use crate::store::Answer;
use crate::time::{Shift, SimTime, Span};
use crate::trace::{Entry, What};
use crate::world::World;

mod coordinator;
mod object;
mod replica;

use coordinator::Coordinator;
use replica::{Replica, Role};

/// What replicas note in the trace, beside the election that the engine does not run here.
mod note {
    /// An elector said `StartedLeading`.
    pub(super) const STARTED: u32 = 1;
    /// An elector that had said so said `StoppedLeading`.
    pub(super) const STOPPED: u32 = 2;
    /// The coordinator could elect nobody.
    pub(super) const FAILED: u32 = 3;
}

/// How often objects are read, where a real program watches them.
const WATCH: Span = Span::from_millis(250);

/// The replicas that may lead; the next one is the coordinator.
const CANDIDATES: u32 = 3;

/// When clocks jump.
const JUMP: Span = Span::from_secs(60);

/// Whose wall clocks jump ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// Only the coordinator's.
    Coordinator,
    /// The coordinator's and that of each candidate but the first, which leads: the leader's machine
    /// is the one that is behind.
    Standbys,
}

/// Three candidates for five minutes. The first leads: it emulates the oldest version, and without a
/// coordinator the others start 5 s later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Whether there is a coordinator; else electors compete by themselves.
    pub coordinated: bool,
    /// The rules of the electors.
    pub profile: Profile,
    /// Lease duration, renew deadline, retry period.
    pub durations: [Span; 3],
    /// Whose clocks jump after a minute.
    pub ahead: Ahead,
    /// By how much.
    pub skew: Shift,
    /// When the first candidate crashes, for good; never if absent.
    pub crash: Option<Span>,
    /// When the last candidate starts, if later than the others: it then emulates an older version
    /// than they and should lead.
    pub better: Option<Span>,
}

impl Default for Trial {
    /// Coordinated, client-go 1.36, 15 s / 10 s / 2 s, and nothing goes wrong.
    fn default() -> Self {
        Self {
            coordinated: true,
            profile: Profile::ClientGo(Release::V1_36),
            durations: [15, 10, 2].map(Span::from_secs),
            ahead: Ahead::Coordinator,
            skew: Shift::default(),
            crash: None,
            better: None,
        }
    }
}

/// A time of leadership, from `StartedLeading` to `StoppedLeading` or the end of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Who led.
    pub replica: u32,
    /// From when.
    pub since: SimTime,
    /// Until when; [`SimTime::NEVER`] if the run ended before.
    pub until: SimTime,
}

/// What a trial came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What [`OneLeader`] found.
    pub violations: Vec<Violation>,
    /// All terms, in the order in which they began.
    pub terms: Vec<Term>,
    /// How often the coordinator could elect nobody.
    pub failures: u32,
}

impl Outcome {
    /// The longest time in which two led.
    #[must_use]
    pub fn overlap(&self) -> Span {
        let common = |(one, other): (&Term, &Term)| {
            let until = one.until.min(other.until);
            until.saturating_since(one.since.max(other.since))
        };
        let later = |index: usize| self.terms.iter().skip(index + 1);
        let pairs = self.terms.iter().enumerate();
        let pairs = pairs.flat_map(|(index, one)| later(index).map(move |other| (one, other)));
        pairs.map(common).max().unwrap_or(Span::ZERO)
    }

    /// How long nobody led between the end of a term and the beginning of the next; `None` if there
    /// was no next one.
    #[must_use]
    pub fn vacancy(&self, term: usize) -> Option<Span> {
        let until = self.terms.get(term)?.until;
        Some(self.terms.get(term + 1)?.since.saturating_since(until))
    }
}

impl Trial {
    /// Runs it.
    ///
    /// # Errors
    /// Durations that an elector refuses.
    pub fn run(&self, seed: u64) -> Result<Outcome, ScenarioError> {
        let scenario = self.scenario();
        let trial = self.clone();
        let program = move |index, _, seed| {
            if index == CANDIDATES {
                Process::Coordinator(Box::new(Coordinator::new(lock())))
            } else {
                Process::Replica(Box::new(Replica::new(trial.role(index), seed)))
            }
        };
        let mut world = World::with_programs(&scenario, seed, program)?;
        let mut leaders = Leaders::new(&scenario);
        let outcome = world.run(&mut leaders);
        let Leaders { terms, failures, .. } = leaders;
        Ok(Outcome { violations: outcome.violations, terms, failures })
    }

    fn scenario(&self) -> Scenario {
        let [lease_duration, renew_deadline, retry_period] = self.durations;
        let count = CANDIDATES + u32::from(self.coordinated);
        let mut replicas = vec![Machine::default(); count as usize];
        if !self.coordinated {
            let standbys = replicas.iter_mut().skip(1);
            standbys.for_each(|replica| replica.start = Span::from_secs(5));
        }
        if let (Some(start), Some(last)) = (self.better, replicas.get_mut(CANDIDATES as usize - 1))
        {
            last.start = start;
        }
        let first = match self.ahead {
            Ahead::Coordinator => CANDIDATES,
            Ahead::Standbys => 1,
        };
        let jump = |index| Fault::ClockJump { target: Target::Replica(index), by: self.skew };
        let skewed = first..if self.skew == Shift::default() { first } else { count };
        let jumps = skewed.map(|index| Planned::at(JUMP, jump(index)));
        let crash = Fault::Crash { target: Target::Replica(0), reborn: Reborn::New };
        let crash = self.crash.map(|at| Planned::at(at, crash));
        Scenario {
            name: "coordination".to_owned(),
            description: "Candidates and a coordinator.".to_owned(),
            profile: self.profile,
            replicas,
            election: false,
            lease_duration,
            renew_deadline,
            retry_period,
            work: Work { period: Span::ZERO, ..Work::default() },
            faults: jumps.chain(crash).collect(),
            horizon: Span::from_secs(300),
            ..Scenario::default()
        }
    }

    fn role(&self, index: u32) -> Role {
        let better = self.better.is_some() && index + 1 == CANDIDATES;
        let minor = if better { 34 } else { 35 + u32::from(index > 0) };
        Role {
            name: format!("replica-{index}").into(),
            lock: lock(),
            emulation: format!("1.{minor}.0").into(),
            coordinated: self.coordinated,
            profile: self.profile,
            durations: self.durations.map(Span::as_duration),
        }
    }
}

fn lock() -> LockRef {
    LockRef::lease(NAMESPACE, LOCK)
}

/// A process of the trial.
enum Process {
    Replica(Box<Replica>),
    Coordinator(Box<Coordinator>),
}

impl Program for Process {
    fn handle_start(&mut self, now: Now, _: Standing) {
        match self {
            Self::Replica(replica) => replica.handle_start(now),
            Self::Coordinator(coordinator) => coordinator.handle_timeout(now),
        }
    }

    fn handle_started_leading(&mut self, _: Now, _: Standing) {}

    fn handle_stopped_leading(&mut self, _: Now, _: Standing) {}

    fn handle_timeout(&mut self, now: Now, _: Standing) {
        match self {
            Self::Replica(replica) => replica.handle_timeout(now),
            Self::Coordinator(coordinator) => coordinator.handle_timeout(now),
        }
    }

    fn handle_answer(&mut self, now: Now, _: Standing, id: u64, answer: &Result<Answer, Failure>) {
        match self {
            Self::Replica(replica) => replica.handle_answer(now, id, answer),
            Self::Coordinator(coordinator) => coordinator.handle_answer(now, id, answer),
        }
    }

    fn poll_action(&mut self) -> Option<Action> {
        match self {
            Self::Replica(replica) => replica.poll_action(),
            Self::Coordinator(coordinator) => coordinator.poll_action(),
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Replica(replica) => replica.poll_timeout(),
            Self::Coordinator(coordinator) => Some(coordinator.poll_timeout()),
        }
    }
}

/// Reads the notes: collects terms and tells [`OneLeader`] as the engine would.
struct Leaders {
    one_leader: OneLeader,
    terms: Vec<Term>,
    failures: u32,
}

impl Leaders {
    fn new(scenario: &Scenario) -> Self {
        Self { one_leader: OneLeader::new(scenario), terms: Vec::new(), failures: 0 }
    }

    fn end(&mut self, replica: u32, at: SimTime) {
        let open = |term: &&mut Term| term.replica == replica && term.until == SimTime::NEVER;
        if let Some(term) = self.terms.iter_mut().find(open) {
            term.until = at;
        }
    }
}

impl Check for Leaders {
    fn name(&self) -> &'static str {
        self.one_leader.name()
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        let at = entry.at;
        let what = match entry.what {
            What::Note { replica, kind: note::STARTED, .. } => {
                self.terms.push(Term { replica, since: at, until: SimTime::NEVER });
                What::StartedLeading { replica, token: None }
            }
            What::Note { replica, kind: note::STOPPED, .. } => {
                self.end(replica, at);
                What::StoppedLeading { replica, cause: Cause::Expired, led: true }
            }
            What::Note { kind: note::FAILED, .. } => {
                self.failures += 1;
                return;
            }
            What::Ended { replica, .. } => {
                self.end(replica, at);
                entry.what.clone()
            }
            _ => entry.what.clone(),
        };
        self.one_leader.observe(&Entry { seq: entry.seq, at, cause: entry.cause, what }, found);
    }

    fn finish(&mut self, at: SimTime, found: &mut Vec<Violation>) {
        self.one_leader.finish(at, found);
    }
}
