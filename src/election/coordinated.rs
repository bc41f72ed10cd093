//! Coordinated leader election (KEP-4355): candidates say that they could lead, a coordinator says
//! who does.
//!
//! | part | here | in Kubernetes |
//! | --- | --- | --- |
//! | says "I could lead, in this version", and answers pings | [`Candidate`] | client-go's `leasecandidate.go` |
//! | holds the Lease once it was given it, and renews it | [`Elector`](super::Elector) with [`Config::coordinated`](super::Config::coordinated) | client-go's `tryCoordinatedRenew` |
//! | chooses, and writes the Lease | [`reconcile`] | the `leader-election-controller` in the API server |
//! | removes candidates that are gone | [`garbage`] | its garbage collector |
//!
//! A replica runs a `Candidate` beside its elector; both under one name: the `LeaseCandidate`'s name
//! is the identity that the coordinator writes into the Lease.
//!
//! Sources: Kubernetes' `pkg/controlplane/controller/leaderelection` and client-go's
//! `tools/leaderelection/leasecandidate.go`, read as of 1.36; the table of the controller's test in its
//! form for 1.31. Unlike the elector neither was compared with recordings of the real one.
//!
//! # It is not tolerant of clock skew
//! Everything else in this crate lets one process's monotonic clock decide. Here wall clocks of
//! *different* machines are compared, since that is what Kubernetes does: the coordinator's with the
//! times that holder and candidates wrote (this module, and nothing else in the crate, decides by a
//! [`Timestamp`](crate::time::Timestamp)). What follows:
//! - **Two leaders.** A live lease looks expired to a coordinator whose clock is ahead of the
//!   holder's by more than the lease duration (less the age of the last renewal). It then gives the
//!   Lease to another candidate while the holder leads on, until that reads the Lease and its renew
//!   deadline has passed: at the defaults up to 12 s of two leaders. A plain elector has none under
//!   the same skew.
//! - **No leader.** Answers to pings must look younger than 5 s. While the coordinator's clock is
//!   ahead of *all* candidates' by that much, it elects nobody; so a coordinator that is alone with
//!   its wrong clock is not the dangerous one (unless leases are shorter than 5 s), but one that
//!   shares it with a standby is.
//! - A coordinator whose clock is behind takes a dead leader for alive for that much longer.
//!
//! The simulator's `coordination` module shows the first two and counts them.
//!
//! # It is slower
//! After a crash the Lease must expire, the coordinator look again (every 5 s), the dead candidate
//! leave a ping unanswered (5 s) and the elected one poll: at 15 s / 10 s / 2 s up to 30 s. Measured
//! in the simulator, three candidates, 50 runs: 20.6 to 27.5 s without a leader, where plain electors
//! take 14.2 to 18.5 s. A candidate that is better than the holder takes over after the holder's term
//! has ended and the Lease has run out: 3.6 to 11.9 s without a leader.
//!
//! # Transitions
//! `leaseTransitions` is not raised by a coordinator, so under coordination it counts nothing. The
//! Lease's version orders terms as ever.

mod candidate;
mod reconcile;

use alloc::sync::Arc;

pub use candidate::{Candidate, CandidateConfig, RENEW_PERIOD};
pub use reconcile::{Action, ElectionError, Parameters, Step, garbage, reconcile};

use super::{Failure, RequestId};
use crate::lock::Version;
use crate::lock::candidate::LeaseCandidate;
use crate::time::Instant;

/// One call to the store, about the candidate's own `LeaseCandidate`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Request {
    /// To be repeated in the [`Response`].
    pub id: RequestId,
    /// The object's namespace.
    pub namespace: Arc<str>,
    /// The object's name.
    pub name: Arc<str>,
    /// What to do with it.
    pub op: Op,
    /// After this instant the answer is ignored: the driver should give the call up then.
    pub deadline: Option<Instant>,
}

/// What to do with a `LeaseCandidate`; as [`election::Op`](super::Op).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Op {
    /// Read it, as it is in the store now.
    Get,
    /// Store it if there is none of its name.
    Create(LeaseCandidate),
    /// Store it over the one with this version.
    Update(LeaseCandidate, Version),
}

/// The store's answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Response {
    /// The id of the request.
    pub id: RequestId,
    /// The object as it is in the store now and its version, or why not.
    pub result: Result<Stored, Failure>,
}

/// A `LeaseCandidate` in the store, and its version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stored {
    /// The whole object.
    pub candidate: LeaseCandidate,
    /// Its version.
    pub version: Version,
}

/// What a watch of the store showed of the candidate's own object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Watched {
    /// It was written; so it is now.
    Stored(Stored),
    /// It was deleted.
    Deleted,
}
