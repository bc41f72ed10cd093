//! Why a slot is owned by whom.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::status::Names;
use super::{Slot, Wait};
use crate::election::Token;
use crate::placement::Member;
use crate::time::Instant;

/// Why a slot is owned by whom ([`Sharder::explain`](super::Sharder::explain)).
///
/// ```
/// use tenure::sharding::{Config, Sharder, Standing};
/// use tenure::time::Instant;
/// let now = Instant::default();
/// let config = Config::new("default", "controller", "pod-0", "6ba7b810");
/// let member = Sharder::new(config, 7, now)?;
/// let why = member.explain_key(member.key(b"2ddc2ef5-4eb1-44a4-9ab6-3a4f7a1e9c0b"), now);
/// assert_eq!(why.standing, Standing::Outside); // `Sharder::status` says why
/// let text = why.to_string();
/// assert!(text.ends_with(": this member takes no part; by the members seen at version 0: none"), "{text}");
/// # Ok::<(), tenure::sharding::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Explanation {
    /// Which slot.
    pub slot: Slot,
    /// What this member may do with it.
    pub standing: Standing,
    /// Who is to own it: of the members that count the first in rank; in mode `planned` who owns it by
    /// the plan.
    pub owner: Option<Member>,
    /// All members that count, in the order in which they would own it. A plan has no such order, so
    /// there it is empty.
    pub rank: Vec<Member>,
    /// In mode `planned`: the version of the plan that last moved it. Nobody acts on it before all others
    /// have acknowledged that.
    pub since: Option<u64>,
    /// Since when this member owns it: the version of the write that gave it the right.
    pub token: Option<Token>,
    /// Until when this member has authority over it, or would have, if nothing more succeeds.
    pub until: Option<Instant>,
    /// Up to which version of the store this member has seen everything.
    pub version: u64,
}

/// What a member may do with a slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Work on it.
    Owned,
    /// It has to finish its work, since the slot goes to somebody else.
    Draining,
    /// It is the owner, and waits for the renewal that gives the token.
    AwaitingToken,
    /// It is the owner by the plan, and waits for all others to have finished with it (mode `planned`).
    AwaitingAcknowledgement {
        /// The version of the plan that moved the slot here.
        version: u64,
        /// Who has not acknowledged it. This member's own name stands for a read of all members that is
        /// not older than the plan.
        members: Vec<Arc<str>>,
    },
    /// It should have it, and waits for its lease (mode `leased`).
    AwaitingLease,
    /// Nothing yet: it has joined, and waits.
    Joining(Wait),
    /// Nothing: it belongs to somebody else.
    Elsewhere,
    /// Nothing: it takes no part in the group now. Why, says [`Sharder::status`](super::Sharder::status).
    Outside,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Owned => "owned here",
            Self::Draining => "being given away",
            Self::AwaitingToken => "to be owned here after the next renewal",
            Self::AwaitingLease => "to be owned here as soon as its lease is free",
            Self::AwaitingAcknowledgement { version, members } => {
                let names = Names(members);
                return write!(
                    f,
                    "to be owned here; waits for {names} to acknowledge version {version}"
                );
            }
            Self::Joining(wait) => return write!(f, "this member joins, and waits for {wait}"),
            Self::Elsewhere => "owned elsewhere",
            Self::Outside => "this member takes no part",
        })
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {}: ", self.slot)?;
        let owner = self.owner.as_ref().map_or("nobody", Member::name);
        match &self.standing {
            Standing::Elsewhere => write!(f, "owned by {owner}")?,
            standing => standing.fmt(f)?,
        }
        if let Some(token) = self.token {
            write!(f, " since version {}", token.as_u64())?;
        }
        if let Some(since) = self.since {
            let version = self.version;
            return write!(
                f,
                "; planned for {owner} since version {since}; members seen at version {version}"
            );
        }
        write!(f, "; by the members seen at version {}:", self.version)?;
        for (place, member) in (1..).zip(&self.rank) {
            write!(f, " {place}. {}", member.name())?;
        }
        if self.rank.is_empty() {
            f.write_str(" none")?;
        }
        Ok(())
    }
}
