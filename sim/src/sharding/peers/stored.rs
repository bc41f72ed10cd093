//! What peers keep in the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use tenure::sharding::State;

use crate::sharding::system::{Summary, Value};
use crate::time::Span;

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Stored {
    /// Somebody holds it for a time.
    Lease(Lease),
    /// An object's labels.
    Label(Label),
    /// Heartbeats of shards, by number.
    Heartbeats(Arc<Vec<Lease>>),
    /// How many replicas there should be.
    Scale(u32),
    /// What a coordinator has assigned.
    Assignment(Arc<Assignment>),
    /// What a member owns, and of which generation it knows.
    Member(Arc<(u64, Vec<u32>)>),
}

/// A lease.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Lease {
    /// Whose; empty if nobody's.
    pub(super) holder: Arc<str>,
    /// When it was last renewed, by the holder's wall clock, in nanoseconds.
    pub(super) renewed: i128,
    /// For how long.
    pub(super) duration: Span,
    /// How often it was written.
    pub(super) counter: u64,
}

impl Lease {
    /// Whether it has run out by a wall clock that shows `wall`.
    #[must_use]
    pub(super) fn is_expired(&self, wall: i128) -> bool {
        wall > self.ends()
    }

    /// When it runs out, by a wall clock.
    #[must_use]
    pub(super) fn ends(&self) -> i128 {
        self.renewed + i128::from(self.duration.as_nanos())
    }
}

/// The labels of one object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Label {
    /// Whose it is.
    pub(super) shard: Option<Arc<str>>,
    /// The owner is to give it up; whose it will be then.
    pub(super) drain: Option<Arc<str>>,
}

/// What a coordinator has assigned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Assignment {
    /// Counts the rebalances.
    pub(super) generation: u64,
    /// What each member may own.
    pub(super) slots: BTreeMap<Arc<str>, Vec<u32>>,
}

impl Value for Stored {
    fn summary(&self) -> Summary {
        Summary::default()
    }

    fn forged(&self, _: State) -> Option<Self> {
        None
    }
}
