//! Systems compared: the same scenarios, the same faults, the same seeds.
//!
//! ```
//! use tenure_sim::sharding::compare::{Case, Figures, Group, Names, Subject, run};
//! use tenure_sim::time::Span;
//! let group = Group { replicas: 3, slots: 16, names: Names::StatefulSet };
//! let scenario = Case::Leave.scenario(&group, 1);
//! let subject = Subject::find("tenure-ranked").unwrap();
//! assert_eq!(run(subject, &scenario, 1)?.two_owner_nanos, 0);
//!
//! // The figures of several runs add up.
//! let kcl = Subject::find("kcl2").unwrap();
//! let mut sum = Figures::default();
//! for seed in 0..2 {
//!     sum.add(&run(kcl, &Case::Crash.scenario(&group, seed), seed)?);
//! }
//! assert_eq!(sum.runs, 2);
//! assert!(sum.gaps > 0 && sum.longest_gap > Span::from_secs(10));
//!
//! // Whose owners depend on the order in which members are listed?
//! let members = group.names(20, 1);
//! let disorder = |name| Subject::find(name).unwrap().disorder_permille(&members, 1);
//! assert_eq!(disorder("tenure-ranked"), Some(0));
//! assert!(disorder("timebertt") > Some(0), "where two tokens of its ring are one");
//! # Ok::<(), tenure_sim::sharding::ScenarioError>(())
//! ```

mod case;
mod measure;

use std::sync::Arc;

use serde::Serialize;
use tenure::placement::{Key, Members, Placement as _, Rendezvous};

use super::peers::{Peer, peer_world};
use super::scenario::{Mode, Scenario, ScenarioError};
use super::system::System;
use super::tenure::tenure_world;
use super::world::{Statistics, World};
use crate::rng::{Purpose, Stream};
use crate::time::{SimTime, Span};
use measure::Measure;

pub(crate) use case::Kind;
pub use case::{Case, Group, Names};

/// The steady rates are those from here to [`SETTLED`].
const FROM: Span = Span::from_secs(60);
/// Until then a group has time to find its shares, and nothing goes wrong.
const SETTLED: Span = Span::from_secs(120);

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Tenure, in a mode.
    Tenure(Mode),
    /// Somebody else.
    Peer(Peer),
}

impl Subject {
    /// All of them, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        let modes = [Mode::Ranked, Mode::Planned, Mode::Leased];
        modes.into_iter().map(Self::Tenure).chain(Peer::ALL.into_iter().map(Self::Peer))
    }

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenure(Mode::Ranked | Mode::Ring(_)) => "tenure-ranked",
            Self::Tenure(Mode::Planned) => "tenure-planned",
            Self::Tenure(Mode::Leased) => "tenure-leased",
            Self::Peer(peer) => peer.name(),
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::all().find(|subject| subject.name() == name)
    }

    /// Whether its replicas must be a `StatefulSet`'s.
    #[must_use]
    pub(crate) const fn needs_ordinals(self) -> bool {
        matches!(self, Self::Peer(Peer::ArgoStatic | Peer::StateMetrics))
    }

    /// Of 1,000 keys, how many may belong to another member if the same members are listed in another
    /// order: the most of 20 orders. None if who owns what is not a function of the members.
    #[must_use]
    pub fn disorder_permille(self, members: &[String], seed: u64) -> Option<u64> {
        const KEYS: u32 = 1 << 14;
        if self == Self::Peer(Peer::Naive) {
            return Some(0);
        }
        let mut stream = Stream::new(seed, Purpose::Experiment, 11);
        let mut order: Vec<&str> = members.iter().map(String::as_str).collect();
        let named = |order: &[&str]| -> Option<Vec<Option<Arc<str>>>> {
            let owners = self.owners(order, KEYS)?;
            Some(owners.iter().map(|owner| order.get(*owner).map(|name| (*name).into())).collect())
        };
        let first = named(&order)?;
        let mut most = 0;
        for _ in 0..20 {
            for last in (1..order.len()).rev() {
                let other = usize::try_from(stream.below(last as u64 + 1)).unwrap_or(0);
                order.swap(last, other);
            }
            let again = named(&order)?;
            most = most.max(first.iter().zip(&again).filter(|(a, b)| a != b).count());
        }
        Some((most as u64 * 1_000).div_ceil(u64::from(KEYS)))
    }

    fn owners(self, members: &[&str], slots: u32) -> Option<Vec<usize>> {
        match self {
            Self::Tenure(Mode::Ranked | Mode::Ring(_)) => {
                let placement = Rendezvous::new(Members::new(members.iter().copied()).ok()?);
                let owner = |slot: u32| {
                    let width = u64::MAX / u64::from(slots.max(1));
                    let member = placement.place(Key::from_hash(u64::from(slot) * width))?;
                    members.iter().position(|name| *name == member.name())
                };
                (0..slots).map(owner).collect()
            }
            Self::Tenure(_) => None,
            Self::Peer(peer) => peer.owners(members, slots),
        }
    }
}

/// What was measured in one run, or in many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Figures {
    /// How many runs.
    pub runs: u64,
    /// For how long two that ran held or worked on a slot, slot by slot, in slot-nanoseconds.
    pub two_owner_nanos: u64,
    /// How often a slot that had had an owner had none.
    pub gaps: u64,
    /// For how long, in slot-nanoseconds.
    pub unowned_nanos: u64,
    /// The longest.
    pub longest_gap: Span,
    /// How many slots had no owner at the end.
    pub unowned_at_end: u64,
    /// How often a slot went to another replica after the group had settled.
    pub moves: u64,
    /// How often it must: what those had that went for good, or a fair share for each that came, if
    /// that is more.
    pub least_moves: u64,
    /// Before the first fault: the most of any replica over the mean, in thousandths; of many runs the
    /// sum.
    pub busiest_permille: u64,
    /// At that time: of 1,000 replicas how many ranges they have; of many runs the sum.
    pub ranges_permille: u64,
    /// In the minute before: calls and deliveries in 1,000 s; of many runs the sum.
    pub writes_per_1000s: u64,
    /// See there.
    pub reads_per_1000s: u64,
    /// See there.
    pub shown_per_1000s: u64,
    /// Writes from then to the end.
    pub writes_after: u64,
}

impl Figures {
    /// With those of other runs.
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.two_owner_nanos = self.two_owner_nanos.saturating_add(other.two_owner_nanos);
        self.gaps += other.gaps;
        self.unowned_nanos = self.unowned_nanos.saturating_add(other.unowned_nanos);
        self.longest_gap = self.longest_gap.max(other.longest_gap);
        self.unowned_at_end += other.unowned_at_end;
        self.moves += other.moves;
        self.least_moves += other.least_moves;
        self.busiest_permille += other.busiest_permille;
        self.ranges_permille += other.ranges_permille;
        self.writes_per_1000s += other.writes_per_1000s;
        self.reads_per_1000s += other.reads_per_1000s;
        self.shown_per_1000s += other.shown_per_1000s;
        self.writes_after += other.writes_after;
    }
}

/// One run.
///
/// # Errors
/// If the scenario makes no sense.
pub fn run(subject: Subject, scenario: &Scenario, seed: u64) -> Result<Figures, ScenarioError> {
    match subject {
        Subject::Tenure(mode) => {
            let scenario = Scenario { mode, ..scenario.clone() };
            Ok(measured(tenure_world(&scenario, seed, &[])?, &scenario.checked()?))
        }
        Subject::Peer(peer) => {
            Ok(measured(peer_world(peer, scenario, seed)?, &scenario.checked()?))
        }
    }
}

fn measured<S: System>(mut world: World<S>, scenario: &Scenario) -> Figures {
    let (from, settled) = (SimTime::ZERO + FROM, SimTime::ZERO + SETTLED);
    let mut measure = Measure::new(scenario, settled);
    let (mut first, mut second) = (None, None);
    loop {
        let before = *world.statistics();
        let Some(entries) = world.step() else { break };
        for entry in entries {
            measure.observe(entry);
        }
        if world.now() >= from {
            first.get_or_insert(before);
        }
        if world.now() >= settled {
            second.get_or_insert(before);
        }
    }
    let last = *world.statistics();
    let (first, second) = (first.unwrap_or(last), second.unwrap_or(last));
    let seconds = (settled.saturating_since(from).as_nanos() / 1_000_000_000).max(1);
    let rate = |of: fn(&Statistics) -> u64| (of(&second) - of(&first)) * 1_000 / seconds;
    Figures {
        runs: 1,
        writes_per_1000s: rate(|statistics| statistics.writes),
        reads_per_1000s: rate(|statistics| statistics.reads),
        shown_per_1000s: rate(|statistics| statistics.shown),
        writes_after: last.writes - second.writes,
        ..measure.figures(world.now())
    }
}
