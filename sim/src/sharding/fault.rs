//! What goes wrong in a sharded group, as data: kinds are called as in [`crate::fault`] where they are
//! the same.
//!
//! ```
//! use tenure_sim::distribution::Distribution;
//! use tenure_sim::sharding::fault::{Calls, Change, Fault, Planned};
//! use tenure_sim::sharding::{Mode, Scenario, check::Checks, tenure_world};
//! use tenure_sim::{fault::Direction, time::Span};
//!
//! let (calls, by) = (vec![Calls::Own], Distribution::Constant(Span::from_secs(3)));
//! let slow = Fault::SlowCalls { who: vec![0], calls, direction: Direction::Incoming, by };
//! let with = Change { weight: Some(2), ..Change::default() };
//! let crash = Fault::Crash { who: vec![1], back: Some(Span::from_secs(40)), with };
//! let mut scenario = Scenario::new(Mode::Ranked);
//! scenario.faults = vec![
//!     Planned::at(Span::from_secs(60), slow).lasting(Span::from_secs(60)),
//!     Planned::at(Span::from_secs(90), crash),
//! ];
//! let outcome = tenure_world(&scenario, 1, &[])?.run(&mut Checks::new(&scenario));
//! assert_eq!(outcome.violations, []);
//! assert_eq!((outcome.statistics.faults, outcome.statistics.crashes), (2, 1));
//! # Ok::<(), tenure_sim::sharding::ScenarioError>(())
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenure::sharding::State;

use super::scenario::{Hash, Mode};
use crate::distribution::Distribution;
use crate::fault::{Direction, Outage};
use crate::time::Span;

/// One fault of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// When, after the beginning.
    pub at: Span,
    /// For how long; without it until the healing. Means nothing for what happens at one instant.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Span>,
    /// Again each time this has passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// How often, with `every`; 1 if absent.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u32,
    /// What.
    pub fault: Fault,
}

const fn once() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_once(times: &u32) -> bool {
    *times == 1
}

impl Planned {
    /// `fault` at a time, once.
    #[must_use]
    pub const fn at(at: Span, fault: Fault) -> Self {
        Self { at, lasts: None, every: None, times: 1, fault }
    }

    /// The same, for this long.
    #[must_use]
    pub const fn lasting(mut self, span: Span) -> Self {
        self.lasts = Some(span);
        self
    }
}

/// A kind of call of the store, by what it is about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Calls {
    /// Writes of the own record.
    Own,
    /// Writes of others' records: exclusions, deletions.
    Others,
    /// Lists of all records.
    List,
    /// Reads and writes of the plan.
    Plan,
    /// Reads and writes of locks, be it the leader's or a slot's.
    Lock,
}

/// What a replica runs with from now on; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// How much it can bear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The number of its configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// How many slots its configuration has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// Who decides who owns what, by its configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The hash of keys, by its configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<Hash>,
}

/// What goes wrong. `who` are indices of replicas.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// Messages between replicas and store are dropped.
    Partition {
        /// Whose.
        who: Vec<u32>,
        /// Which way.
        #[serde(default)]
        direction: Direction,
    },
    /// Messages take longer, by a draw each.
    Delay {
        /// Whose.
        who: Vec<u32>,
        /// Which way.
        #[serde(default)]
        direction: Direction,
        /// By how much.
        by: Distribution,
    },
    /// Messages get lost by chance.
    Loss {
        /// Whose.
        who: Vec<u32>,
        /// Which way.
        #[serde(default)]
        direction: Direction,
        /// How many of a million.
        ppm: u32,
    },
    /// Messages arrive twice by chance.
    Duplicate {
        /// Whose.
        who: Vec<u32>,
        /// How many of a million.
        ppm: u32,
    },
    /// Calls of some kinds, or their answers, take longer; all else does not. Longer than a caller waits
    /// is as good as lost, but for writes: they take effect all the same.
    SlowCalls {
        /// Whose.
        who: Vec<u32>,
        /// Which.
        calls: Vec<Calls>,
        /// `outgoing`: until they arrive; `incoming`: until their answers do.
        #[serde(default)]
        direction: Direction,
        /// By how much.
        by: Distribution,
    },
    /// A replica's watch goes quiet and nothing says so. Afterwards it shows what it held back.
    WatchStall {
        /// Whose.
        who: Vec<u32>,
    },
    /// A watch says that it left something out (410, expired).
    WatchBreak {
        /// Whose.
        who: Vec<u32>,
    },
    /// A process stands still; its clock runs on.
    Pause {
        /// Whose.
        who: Vec<u32>,
    },
    /// A process dies.
    Crash {
        /// Whose.
        who: Vec<u32>,
        /// How long until it starts again, under the same name and as a new incarnation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        back: Option<Span>,
        /// With what.
        #[serde(default)]
        with: Change,
    },
    /// A process that is down starts.
    Start {
        /// Whose.
        who: Vec<u32>,
    },
    /// A process leaves gracefully and exits when it has left.
    Leave {
        /// Whose.
        who: Vec<u32>,
        /// How long after the exit it starts again under the same name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        back: Option<Span>,
        /// With what.
        #[serde(default)]
        with: Change,
    },
    /// A running process gets another weight, zone or configuration.
    Reconfigure {
        /// Whose.
        who: Vec<u32>,
        /// Which.
        with: Change,
    },
    /// Cleaning up after revoked work takes longer.
    SlowDrain {
        /// Whose.
        who: Vec<u32>,
        /// By how much.
        by: Distribution,
    },
    /// A monotonic clock runs at another rate.
    Drift {
        /// Whose.
        who: Vec<u32>,
        /// Local nanoseconds in 10⁹ real ones.
        rate_ppb: u64,
    },
    /// Somebody deletes a replica's record.
    Delete {
        /// Whose.
        who: Vec<u32>,
    },
    /// Somebody writes a state into a replica's record.
    Edit {
        /// Whose.
        who: Vec<u32>,
        /// Which state, as `Left`.
        #[serde(with = "crate::wire::text")]
        #[schemars(with = "String")]
        state: State,
    },
    /// What is measured changes, and every replica is told: a leader that plans evens it out. The load of
    /// a slot that no fault has named is 1.
    Load {
        /// The first and the last of the slots that it is about.
        slots: [u32; 2],
        /// What is measured on each of these.
        load: u32,
    },
    /// The store fails.
    StoreOutage {
        /// How.
        #[serde(default)]
        how: Outage,
    },
    /// The store is slow.
    StoreSlow {
        /// By how much before a request takes effect.
        #[serde(default)]
        before: Distribution,
        /// By how much after it took effect.
        #[serde(default)]
        after: Distribution,
    },
    /// The store answers with errors by chance.
    StoreErrors {
        /// How many of a million requests are refused without effect.
        #[serde(default)]
        before_ppm: u32,
        /// How many of a million take effect and are answered with an error.
        #[serde(default)]
        after_ppm: u32,
    },
}

impl Fault {
    /// The replicas that it names.
    #[must_use]
    pub fn who(&self) -> &[u32] {
        match self {
            Self::Partition { who, .. }
            | Self::Delay { who, .. }
            | Self::Loss { who, .. }
            | Self::Duplicate { who, .. }
            | Self::SlowCalls { who, .. }
            | Self::WatchStall { who }
            | Self::WatchBreak { who }
            | Self::Pause { who }
            | Self::Crash { who, .. }
            | Self::Start { who }
            | Self::Leave { who, .. }
            | Self::Reconfigure { who, .. }
            | Self::SlowDrain { who, .. }
            | Self::Drift { who, .. }
            | Self::Delete { who }
            | Self::Edit { who, .. } => who,
            Self::Load { .. }
            | Self::StoreOutage { .. }
            | Self::StoreSlow { .. }
            | Self::StoreErrors { .. } => &[],
        }
    }

    /// Whether it hits replicas that it names.
    #[must_use]
    pub(super) const fn is_about_replicas(&self) -> bool {
        !matches!(
            self,
            Self::Load { .. }
                | Self::StoreOutage { .. }
                | Self::StoreSlow { .. }
                | Self::StoreErrors { .. }
        )
    }

    /// The name of its kind, as in a scenario.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Partition { .. } => "partition",
            Self::Delay { .. } => "delay",
            Self::Loss { .. } => "loss",
            Self::Duplicate { .. } => "duplicate",
            Self::SlowCalls { .. } => "slow-calls",
            Self::WatchStall { .. } => "watch-stall",
            Self::WatchBreak { .. } => "watch-break",
            Self::Pause { .. } => "pause",
            Self::Crash { .. } => "crash",
            Self::Start { .. } => "start",
            Self::Leave { .. } => "leave",
            Self::Reconfigure { .. } => "reconfigure",
            Self::SlowDrain { .. } => "slow-drain",
            Self::Drift { .. } => "drift",
            Self::Delete { .. } => "delete",
            Self::Edit { .. } => "edit",
            Self::Load { .. } => "load",
            Self::StoreOutage { .. } => "store-outage",
            Self::StoreSlow { .. } => "store-slow",
            Self::StoreErrors { .. } => "store-errors",
        }
    }

    /// What it gives a replica to run with.
    #[must_use]
    pub(super) const fn change(&self) -> Option<&Change> {
        match self {
            Self::Crash { with, .. }
            | Self::Leave { with, .. }
            | Self::Reconfigure { with, .. } => Some(with),
            _ => None,
        }
    }

    /// Whether it goes on until it ends, so that `for` means something.
    #[must_use]
    pub(crate) const fn can_last(&self) -> bool {
        matches!(
            self,
            Self::Partition { .. }
                | Self::Delay { .. }
                | Self::Loss { .. }
                | Self::Duplicate { .. }
                | Self::SlowCalls { .. }
                | Self::WatchStall { .. }
                | Self::Pause { .. }
                | Self::SlowDrain { .. }
                | Self::Drift { .. }
                | Self::StoreOutage { .. }
                | Self::StoreSlow { .. }
                | Self::StoreErrors { .. }
        )
    }
}
