//! What an elector asks of the store, and what the store answers.

use alloc::sync::Arc;

use crate::lock::{LockRef, Object, Version};
use crate::time::Instant;

/// Names one request of one elector. A response carries the id of the request it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

impl RequestId {
    /// The id with this number, for drivers and tests that keep only that.
    ///
    /// ```
    /// use tenure::election::RequestId;
    /// assert_eq!(RequestId::from_u64(3).as_u64(), 3);
    /// ```
    #[must_use]
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// The number; the first request of an elector has 0, each later one is greater.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// One call to the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Request {
    /// To be repeated in the [`Response`].
    pub id: RequestId,
    /// The object it is about.
    pub lock: Arc<LockRef>,
    /// What to do with it.
    pub op: Op,
    /// After this instant the answer is ignored: the driver should give the call up then, and need
    /// not send one whose deadline has passed. The store may still apply it.
    pub deadline: Option<Instant>,
}

/// What to do with an object. There is no update of whatever is there (planted bug 3 of
/// `docs/simulation.md`; a driver that drops the version has it all the same):
///
/// ```compile_fail,E0061
/// # use tenure::election::Op;
/// # use tenure::lock::Object;
/// fn over_anything(object: Object) -> Op {
///     Op::Update(object)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Op {
    /// Read it, as it is in the store now (never from a cache).
    Get,
    /// Store it if there is none of its name; else fail with [`Failure::AlreadyExists`].
    Create(Object),
    /// Store it over the one with this version; fail with [`Failure::Conflict`] if the version in
    /// the store differs.
    Update(Object, Version),
}

/// The store's answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Response {
    /// The id of the request.
    pub id: RequestId,
    /// The object as it is in the store now and its version, or why not.
    pub result: Result<Stored, Failure>,
}

/// An object in the store, and its version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stored {
    /// The whole object.
    pub object: Object,
    /// Its version.
    pub version: Version,
}

/// Why a request failed, as far as an elector cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// There is no such object (404).
    NotFound,
    /// There is one already (409, reason `AlreadyExists`).
    AlreadyExists,
    /// The version in the store is another (409, reason `Conflict`), or the object was deleted and
    /// made anew.
    Conflict,
    /// Anything else: refused, unreachable, timed out. The store may have applied the request.
    Other,
}

/// What a watch of the store showed of an object that carries the lock
/// ([`Elector::handle_watch`](super::Elector::handle_watch)).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Watched {
    /// It was written; so it is now.
    Stored(Stored),
    /// It was deleted.
    Deleted,
}
