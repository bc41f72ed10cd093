use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::sharding::Generation;

/// Who is to own what, as the leader stored it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Plan {
    /// The configuration of the members it is for.
    pub generation: Generation,
    /// The names of the members that own something.
    pub members: Vec<Arc<str>>,
    /// The slots, from the first to the last, in runs of one owner and one `since`.
    pub runs: Vec<Run>,
}

/// Slots side by side that moved together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Run {
    /// How many.
    pub slots: u32,
    /// Their owner's place among [`Plan::members`]; none if they have no owner.
    pub member: Option<u16>,
    /// The version of the plan that last moved them; 0 if that is this very plan.
    pub since: u64,
}

/// A plan in the store, and the version of its write.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoredPlan {
    /// What is stored.
    pub plan: Arc<Plan>,
    /// The store's version of the write; of the same order as the versions of members' records.
    pub version: u64,
}
