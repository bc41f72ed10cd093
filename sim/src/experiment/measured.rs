//! The figures of one mode.

use super::Mode;
use crate::time::{SimTime, Span};

/// What a run came to. Areas are in thousandths of an object-second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Who may work.
    pub mode: Mode,
    /// How many objects there are.
    pub objects: u64,
    /// How long it was simulated.
    pub lasted: Span,
    /// Reconciles begun.
    pub reconciles: u64,
    /// Of the object with the fewest.
    pub least: u32,
    /// Of the object with the most.
    pub most: u32,
    /// By each replica.
    pub by_replica: Vec<u64>,
    /// By the busiest replica of each minute, together.
    pub busiest: u64,
    /// Objects that two replicas worked on at once.
    pub doubled_objects: u64,
    /// For how long they did.
    pub doubled_millis: u64,
    /// For how long objects had no owner: nobody who ran might have begun to work on them.
    pub none_millis: u64,
    /// For how long they had one.
    pub one_millis: u64,
    /// For how long they had several.
    pub more_millis: u64,
    /// Whether they never had, not for a nanosecond.
    pub exclusive: bool,
    /// What the electors sent.
    pub election_requests: u64,
    /// What members wrote into their Leases.
    pub membership_writes: u64,
    /// How often they listed them.
    pub membership_lists: u64,
    /// What happened after which everything should be as it was.
    pub moments: Vec<Moment>,
}

impl Measured {
    /// The longest that it took to recover from anything of this kind; `None` if it once never did.
    #[must_use]
    pub fn longest(&self, kind: &str) -> Option<Span> {
        let of_kind = self.moments.iter().filter(|moment| moment.kind == kind);
        of_kind
            .map(|moment| moment.recovered)
            .try_fold(Span::ZERO, |longest, recovered| Some(longest.max(recovered?)))
    }

    /// Requests for election or membership.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.election_requests + self.membership_writes + self.membership_lists
    }
}

/// What may happen after which everything should be as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: SimTime,
    /// What: `start`, `partition`, `crash`, `pause`; the end of a fault counts as the fault.
    pub kind: String,
    /// How long after it each object had exactly one owner again, for good or until the next moment;
    /// zero if nothing changed, none if it never had.
    pub recovered: Option<Span>,
}
