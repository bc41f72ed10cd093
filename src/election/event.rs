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
    /// ([`Profile::Strict`] only). Such a write restarts every candidate's wait: done more often than
    /// the lease lasts, it blocks a takeover.
    ///
    /// [`Profile::Strict`]: super::Profile::Strict
    ForeignWrite {
        /// The version that the write made.
        version: Version,
    },
}

/// Why a replica leads no more.
///
/// A leader in good order: it is asked to stop, its work stops, the lock is released, all is over.
///
/// ```
/// # use tenure::election::{Config, Elector, Failure, Missing, Response};
/// use tenure::election::{Cause, Event, Op, Stored};
/// # use tenure::lock::{LockRef, Version};
/// # use tenure::time::{Instant, Now, Timestamp};
/// # let now = Now {
/// #     instant: Instant::default(),
/// #     timestamp: Timestamp::from_unix(1_700_000_000, 0).unwrap(),
/// # };
/// # let config = Config {
/// #     missing: Missing::NewGroup,
/// #     ..Config::new(LockRef::lease("default", "controller"), "pod-0", "6ba7b810")
/// # };
/// # let mut elector = Elector::new(config, 1, now.instant)?;
/// # elector.handle_timeout(now);
/// # let get = elector.poll_request().unwrap();
/// # elector.handle_response(now, Response { id: get.id, result: Err(Failure::NotFound) });
/// # let create = elector.poll_request().unwrap();
/// # let Op::Create(object) = create.op else { panic!() };
/// # let version = Version::ordered(7);
/// # let mut stored = Stored { object, version };
/// # let result = Ok(stored.clone());
/// # elector.handle_response(now, Response { id: create.id, result });
/// # assert!(matches!(elector.poll_event(), Some(Event::NewLeader { .. })));
/// // `elector` leads.
/// assert!(matches!(elector.poll_event(), Some(Event::StartedLeading { .. })));
/// elector.stop(now);
/// assert_eq!(elector.poll_event(), Some(Event::StoppedLeading { cause: Cause::Stopped }));
/// // It holds on to the lock while the work is still running,
/// assert!(!elector.is_leading(now.instant) && elector.poll_request().is_none());
/// elector.work_stopped(now);
/// // then it reads the lock, to release it if it is still its own.
/// let get = elector.poll_request().unwrap();
/// # assert_eq!(get.op, Op::Get);
/// elector.handle_response(now, Response { id: get.id, result: Ok(stored) });
/// let release = elector.poll_request().unwrap();
/// let Op::Update(object, version) = release.op else { panic!() };
/// assert!(object.record().unwrap().holder.is_empty());
/// stored = Stored { object, version: Version::ordered(8) };
/// elector.handle_response(now, Response { id: release.id, result: Ok(stored) });
/// assert!(elector.is_finished());
/// # Ok::<(), tenure::election::ConfigError>(())
/// ```
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
/// # use core::time::Duration;
/// # use tenure::election::{Config, Elector, Failure, Missing, Response};
/// use tenure::election::{Op, Stored, Token};
/// # use tenure::lock::LockRef;
/// use tenure::lock::Version;
/// # use tenure::time::{Instant, Now, Timestamp};
/// # let now = Now {
/// #     instant: Instant::default(),
/// #     timestamp: Timestamp::from_unix(1_700_000_000, 0).unwrap(),
/// # };
/// # let config = Config {
/// #     missing: Missing::NewGroup,
/// #     ..Config::new(LockRef::lease("default", "controller"), "pod-0", "6ba7b810")
/// # };
/// # let mut elector = Elector::new(config, 1, now.instant)?;
/// # elector.handle_timeout(now);
/// # let get = elector.poll_request().unwrap();
/// # elector.handle_response(now, Response { id: get.id, result: Err(Failure::NotFound) });
/// // `elector` asks to create its lock, so as to lead.
/// let create = elector.poll_request().unwrap();
/// let Op::Create(object) = create.op else { panic!() };
/// assert_eq!((elector.fencing_token(), elector.leading_until()), (None, None));
/// let stored = Stored { object, version: Version::ordered(7) };
/// elector.handle_response(now, Response { id: create.id, result: Ok(stored) });
/// // The version of that write is the token for as long as the term lasts.
/// assert_eq!(elector.fencing_token(), Some(Token::from_u64(7)));
/// assert_eq!(elector.leading_until(), Some(now.instant + Duration::from_secs(10)));
/// assert!(Token::from_u64(7) < Token::from_u64(9));
/// # Ok::<(), tenure::election::ConfigError>(())
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
