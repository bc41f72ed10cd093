//! What may happen in a world.

use std::time::Duration;

use tenure::election::{Missing, Profile};

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Rules {
    pub(crate) profile: Profile,
    pub(crate) lease: Duration,
    pub(crate) deadline: u64,
    pub(crate) retry: Duration,
    pub(crate) request_timeout: Option<Duration>,
    /// Seconds per tick, one for each replica.
    pub(crate) rates: Vec<u64>,
    pub(crate) missing: Missing,
    pub(crate) release: bool,
    pub(crate) network: Network,
    /// A write that was given up may still be applied.
    pub(crate) late_writes: bool,
    /// There is a lock that nobody holds, else there is none.
    pub(crate) free: bool,
    pub(crate) faults: Faults,
    /// Two that believe to lead are a violation.
    pub(crate) beliefs_count: bool,
    /// Everybody may be shown what the store has, by a watch, at any time.
    pub(crate) watch: bool,
    /// The second replica should lead whenever it can.
    pub(crate) preferred: bool,
    /// Which of the two objects carry the lock of each replica.
    pub(crate) locks: Vec<Lock>,
}

/// The objects of one replica's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    First,
    Both,
    Second,
}

impl Lock {
    pub(crate) fn shares(self, other: Self) -> bool {
        self == other || self == Self::Both || other == Self::Both
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// Requests are executed and answered before the next tick.
    Prompt,
    /// Or are lost on their way to the store.
    Lossy,
    /// They and their answers take any time, for ever included.
    Slow,
}

/// How often each may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Faults {
    /// Somebody calls `stop`.
    pub(crate) stops: u8,
    /// A process dies, and starts again with a new incarnation.
    pub(crate) crashes: u8,
    /// Somebody from outside deletes the lock.
    pub(crate) deletions: u8,
    /// A process does nothing for a while, and its clock goes on.
    pub(crate) pauses: u8,
    /// Somebody asks a leader to hand over to another, who may have died.
    pub(crate) hand_overs: u8,
    /// A watch shows what is no longer so, or that the lock was deleted when it was not.
    pub(crate) late_shows: u8,
}

impl Rules {
    /// Whether there are two objects.
    pub(crate) fn two(&self) -> bool {
        self.locks.iter().any(|lock| *lock != Lock::First)
    }
}
