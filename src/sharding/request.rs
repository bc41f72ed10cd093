//! What a sharder asks of its store, and what it is told.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{MemberRecord, Plan, StoredMember, StoredPlan};
use crate::election;
use crate::lock::LockRef;
use crate::time::Instant;

/// Names a request; to be repeated in its [`Response`]. Greater for each later request of a sharder.
///
/// ```
/// # use tenure::sharding::{Config, Sharder};
/// # use tenure::time::{Instant, Now, Timestamp};
/// # let now = Now { instant: Instant::default(), timestamp: Timestamp::GO_ZERO };
/// # let config = Config::new("default", "controller", "pod-0", "6ba7b810");
/// # let mut member = Sharder::new(config, 7, now.instant)?;
/// # member.handle_timeout(now);
/// let mut on_their_way = std::collections::BTreeMap::new();
/// while let Some(request) = member.poll_request() {
///     on_their_way.insert(request.id.as_u64(), request);
/// }
/// # Ok::<(), tenure::sharding::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(super) u64);

impl RequestId {
    /// The number, for tables and logs of the driver.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// One call of the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Request {
    /// To be repeated in the response.
    pub id: RequestId,
    /// What to do.
    pub op: Op,
    /// After this instant the answer is ignored: the driver should give the call up then. The store
    /// may still apply it.
    pub deadline: Instant,
}

/// What to do. Each is about the records of the sharder's own group. In mode `ranked` only the first four
/// are asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Op {
    /// Read all records in *one consistent read* of the store as it is now: never from a cache, never
    /// page by page at different versions. Answer: [`Answer::Listed`].
    List,
    /// Store this if there is no record of its name; else fail with
    /// [`AlreadyExists`](election::Failure::AlreadyExists). Answer: [`Answer::Written`].
    Create(Arc<MemberRecord>),
    /// Store this over the record of its name that has this version; fail with
    /// [`Conflict`](election::Failure::Conflict) if it has another, with
    /// [`NotFound`](election::Failure::NotFound) if there is none. Answer: [`Answer::Written`].
    Update(Arc<MemberRecord>, u64),
    /// Delete the record of this name if it has this version; else fail, with
    /// [`Conflict`](election::Failure::Conflict) or [`NotFound`](election::Failure::NotFound). Answer:
    /// [`Answer::Deleted`]. Whatever the failure, it is asked again only after
    /// [`Config::collect_after`](super::Config::collect_after): a store that cannot delete may refuse.
    Delete(Arc<str>, u64),
    /// Read the plan as it is now (mode `planned`). Answer: [`Answer::Planned`]. One that
    /// cannot be read, after somebody's edit, is [`StoredPlan::unreadable`](super::planned::StoredPlan::unreadable).
    /// Fail with [`NotFound`](election::Failure::NotFound) only if there is none: then the leader makes one.
    ReadPlan,
    /// Store this if there is no plan; else fail with
    /// [`AlreadyExists`](election::Failure::AlreadyExists). Answer: [`Answer::Written`].
    CreatePlan(Arc<Plan>),
    /// Store this over the plan with this version; fail with
    /// [`Conflict`](election::Failure::Conflict) if it has another, with
    /// [`NotFound`](election::Failure::NotFound) if there is none. Answer: [`Answer::Written`].
    UpdatePlan(Arc<Plan>, u64),
    /// What an elector of this sharder asks, of the lock of the leader (mode `planned`) or of a slot (mode
    /// `leased`); its id and deadline are those of the whole. Answer: [`Answer::Elected`], with
    /// [`Version::ordered`](crate::lock::Version::ordered): a slot whose lease has an opaque version is
    /// owned without a token, so that there is no [`Permit`](super::Permit) for it.
    Elect(Arc<LockRef>, election::Op),
}

/// What the store answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Response {
    /// The id of the request.
    pub id: RequestId,
    /// What came of it. How a request failed is told in the words of
    /// [`election`](election::Failure).
    pub result: Result<Answer, election::Failure>,
}

/// A call that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Answer {
    /// To [`Op::List`].
    Listed {
        /// All records of the group, in any order.
        members: Vec<StoredMember>,
        /// The version of the store at which they were read: not below any of theirs.
        version: u64,
    },
    /// To [`Op::Create`], [`Op::Update`], [`Op::CreatePlan`] and [`Op::UpdatePlan`].
    Written {
        /// The version of the write.
        version: u64,
    },
    /// To [`Op::Delete`].
    Deleted,
    /// To [`Op::ReadPlan`].
    Planned(StoredPlan),
    /// To [`Op::Elect`].
    Elected(election::Stored),
}

/// What a watch of the group's records shows. Deliveries are in the order of the store's versions, and
/// none is left out between [`Started`](Watched::Started) and [`Broken`](Watched::Broken).
///
/// ```
/// use tenure::sharding::{Answer, Response, Sharder, StoredMember, Watched};
/// use tenure::time::Now;
///
/// /// A list was answered: hand it in, and watch from there.
/// fn listed(sharder: &mut Sharder, now: Now, response: Response) -> Option<u64> {
///     let Ok(Answer::Listed { version, .. }) = response.result else {
///         sharder.handle_response(now, response);
///         return None;
///     };
///     sharder.handle_response(now, response);
///     sharder.handle_watch(now, Watched::Started { after: version });
///     Some(version)
/// }
///
/// /// What the watch delivers; `None` when it has ended.
/// fn delivered(sharder: &mut Sharder, now: Now, event: Option<StoredMember>) {
///     sharder.handle_watch(now, event.map_or(Watched::Broken, Watched::Stored));
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Watched {
    /// A watch has begun: everything after this version will be delivered. Start one from the version
    /// of a list that was [answered](Answer::Listed).
    Started {
        /// What was written up to this version is not delivered.
        after: u64,
    },
    /// A record was written.
    Stored(StoredMember),
    /// A record was deleted.
    Deleted {
        /// Whose.
        name: Arc<str>,
        /// The version of the deletion.
        version: u64,
    },
    /// The lock of a slot was written or deleted (mode `leased`); others are ignored. May come in any
    /// order, before [`Started`](Watched::Started) and after [`Broken`](Watched::Broken), too.
    Lock(Arc<LockRef>, election::Watched),
    /// The plan was written (mode `planned`). As for locks, in any order and at any time.
    Planned(StoredPlan),
    /// Nothing more was written up to this version.
    Progress {
        /// The version.
        version: u64,
    },
    /// The watch has ended, or something was left out (410, expired).
    Broken,
}
