//! What an elector tells its driver.

use crate::lock::{Identity, Version};
use crate::time::Instant;

/// Something that happened, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// This replica leads: start the work.
    StartedLeading {
        /// Orders the terms of all leaders of this lock; `None` if the store's versions are not
        /// ordered. Give it to the resources that the work changes.
        token: Option<Token>,
    },
    /// This replica leads no more: stop the work, then say so with
    /// [`Elector::work_stopped`](super::Elector::work_stopped).
    ///
    /// Under [`Profile::ClientGo`](super::Profile::ClientGo) it comes once, when the elector ends,
    /// even if it never led (client-go's `OnStoppedLeading`).
    StoppedLeading {
        /// Why.
        cause: Cause,
    },
    /// This replica still leads, but the end of its authority is near: the last success is so long
    /// ago that less than [`Config::warn_before`](super::Config::warn_before) is left. Finish what
    /// must not be cut off, begin nothing new. Once for each success ([`Profile::Strict`] only).
    ///
    /// [`Profile::Strict`]: super::Profile::Strict
    Endangered {
        /// When authority ends, if no renewal succeeds before.
        until: Instant,
    },
    /// Another identity, maybe this replica's own, holds the lock now; empty if it was released;
    /// [`UNKNOWN_HOLDER`](crate::lock::UNKNOWN_HOLDER) if that cannot be told.
    NewLeader {
        /// Who.
        identity: Identity,
    },
    /// Somebody wrote the lock without changing the record, other than to say who should hold it next
    /// ([`Profile::Strict`] only). Such a write
    /// restarts every candidate's wait: done more often than the lease lasts, it blocks a takeover.
    ///
    /// [`Profile::Strict`]: super::Profile::Strict
    ForeignWrite {
        /// The version that the write made.
        version: Version,
    },
}

/// Why a replica leads no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// [`Elector::stop`](super::Elector::stop) was called.
    Stopped,
    /// It could not renew in time.
    Expired,
    /// It read, or was shown by a watch, a record that names another holder.
    Preempted,
    /// It found that the lock is gone.
    Deleted,
    /// It gives the lock to another, as it was asked to
    /// ([`Elector::hand_over`](super::Elector::hand_over), [`Config::preferred`](super::Config::preferred)).
    HandedOver,
}

/// Orders the terms of leaders: the store's version of the write that began the term; of a lock of
/// two objects, of the second ([`Config::secondary`](super::Config::secondary)).
///
/// A guarded resource that refuses a token smaller than one it has seen is safe from leaders that
/// do not know yet that they were replaced. Tokens of different objects do not compare.
///
/// ```
/// use tenure::election::Token;
/// assert!(Token::from_u64(7) < Token::from_u64(9));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u64);

impl Token {
    /// A token with this number.
    #[must_use]
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// The number, for the wire.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}
