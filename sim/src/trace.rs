//! What happened: a stream of [`Entry`]s that holds everything a third party needs to check the
//! properties again.
//!
//! As text a trace is JSON lines: a [`Header`], then one entry a line. Times are nanoseconds of
//! real time ([`SimTime`]), versions and tokens are numbers of the simulated store.
//!
//! ```
//! use tenure_sim::catalogue;
//! use tenure_sim::check::{Checks, recheck};
//! use tenure_sim::time::SimTime;
//! use tenure_sim::trace::{
//!     self, Actor, End, Entry, FORMAT, Header, Reply, Snapshot, Verb, What, Writer,
//! };
//! use tenure_sim::world::World;
//!
//! let scenario = catalogue::find("leader-crash").unwrap();
//! let mut writer = Writer::new(Vec::new(), &Header::new(&scenario, 1));
//! World::new(&scenario, 1)?.run(&mut writer);
//! let file = writer.finish().unwrap();
//!
//! let (header, entries) = trace::read(file.as_slice()).unwrap();
//! assert_eq!((header.format, header.seed), (FORMAT, 1));
//! assert_eq!(recheck(&entries, &mut Checks::for_scenario(&header.scenario)), []);
//!
//! // Who took the lock over from whom, and when.
//! let holder = |it: &Snapshot| it.record.holder.clone();
//! let taken = |entry: &Entry| match &entry.what {
//!     What::Applied { by: Actor::Replica { replica, .. }, verb: Verb::Update, before, reply, .. } => {
//!         let (before, after) = (before.as_ref()?, reply.snapshot()?);
//!         (holder(before) != holder(after)).then_some((*replica, entry.at))
//!     }
//!     _ => None,
//! };
//! let crashed = entries.iter().find_map(|entry| match entry.what {
//!     What::Ended { replica, end: End::Crashed } => Some((replica, entry.at)),
//!     _ => None,
//! });
//! let (leader, crashed) = crashed.unwrap();
//! let (successor, at) = entries.iter().filter_map(taken).find(|(_, at)| *at > crashed).unwrap();
//! assert!(successor != leader && at > crashed + scenario.renew_deadline && at < SimTime::NEVER);
//! let failed = |entry: &Entry| matches!(entry.what, What::Answered { reply: Reply::Failed(_), .. });
//! assert!(entries.iter().any(failed), "somebody came too late");
//! # Ok::<(), tenure_sim::scenario::ScenarioError>(())
//! ```

mod record;

use core::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenure::election::{Cause, Failure, Profile};
use tenure::lock::{Identity, Kind, Record};

use crate::fault::Fault;
use crate::scenario::{Lock, Scenario};
use crate::time::{SimTime, Span};
pub use record::{Recorder, Writer, read};

/// Number of the trace format, in [`Header::format`].
pub const FORMAT: u32 = 1;

/// The first line of a trace: what would make this run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of this crate.
    pub version: String,
    /// The seed of the run.
    pub seed: u64,
    /// The scenario, its fault plan included.
    pub scenario: Scenario,
}

impl Header {
    /// The header of a run of `scenario` with `seed`.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, version, seed, scenario: scenario.clone() }
    }
}

/// One thing that happened. Entries are in order: by time, then by number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Number in the run, from 0.
    pub seq: u64,
    /// When, in real time.
    pub at: SimTime,
    /// The entry that it came of: of an answer the call's effect, of an effect the call, of what a replica
    /// does by itself the last that happened to it; absent if nothing in the run led to it. Digests do
    /// not cover it: it says how things hang together, not what happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<u64>,
    /// What.
    pub what: What,
}

/// The lock, or one of its objects, as it stood in the store at one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The store's version of the write that made it.
    pub version: u64,
    /// Which object; a lock that was deleted and made anew has another.
    pub uid: u64,
    /// What it said.
    #[serde(with = "crate::wire::record")]
    pub record: Record,
    /// It said nothing that can be read: its annotation is no record, and `record` is that of nobody.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unreadable: bool,
}

/// One that can be read hashes as it did before there were others.
impl Hash for Snapshot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.version, self.uid, &self.record).hash(state);
        if self.unreadable {
            true.hash(state);
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// What an entry says of the object if it is a Lease: nothing.
const LEASE: Kind = Kind::Lease;

const fn lease() -> Kind {
    LEASE
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_lease(kind: &Kind) -> bool {
    *kind == LEASE
}

/// What a call to the store came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// It succeeded; the lock as it is now (a successful `Get` changed nothing).
    Is(Arc<Snapshot>),
    /// It succeeded, and there is no lock now.
    Gone,
    /// It failed.
    Failed(#[serde(with = "crate::wire::failure")] Failure),
}

impl Reply {
    /// The lock after a success.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        match self {
            Self::Is(snapshot) => Some(snapshot),
            Self::Gone | Self::Failed(_) => None,
        }
    }
}

/// What was asked of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Read.
    Get,
    /// Make.
    Create,
    /// Write over a version.
    Update,
    /// Remove. Only outsiders do.
    Delete,
    /// Write whatever the version. Only outsiders do.
    Edit,
}

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// The elector of a replica; the number of its life tells whether it is still alive.
    Replica {
        /// Its index.
        replica: u32,
        /// Its life when it sent the request.
        life: u32,
    },
    /// Somebody else: a person, another program.
    Outsider,
}

/// How a replica's life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// A fault killed the process: nothing more is done, in-flight calls may still take effect.
    Crashed,
    /// The elector had finished and its process exited.
    Finished,
}

/// What an [`Entry`] says. `replica` is an index into [`Scenario::replicas`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum What {
    /// A process began.
    Started {
        /// Which replica.
        replica: u32,
        /// How many lives it had before.
        life: u32,
        /// The name under which it holds the lock; empty without election.
        #[serde(with = "crate::wire::identity")]
        identity: Identity,
        /// The rules it follows.
        #[serde(with = "crate::wire::text")]
        profile: Profile,
        /// Local nanoseconds in 10⁹ real ones.
        rate_ppb: u64,
        /// The objects that carry its lock; absent if that is a Lease alone.
        #[serde(default, skip_serializing_if = "Lock::is_lease")]
        lock: Lock,
        /// Its lease duration, if a rollout has made that another than the scenario says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lease_duration: Option<Span>,
    },
    /// A process ended. Belief, authority and work end with it.
    Ended {
        /// Which.
        replica: u32,
        /// How.
        end: End,
    },
    /// A process stands still: nothing is handled until it resumes.
    Paused {
        /// Which.
        replica: u32,
    },
    /// It goes on; what it missed is handled now.
    Resumed {
        /// Which.
        replica: u32,
    },
    /// The driver calls `Elector::stop`.
    Stopping {
        /// Which.
        replica: u32,
    },
    /// A monotonic clock changed its rate (0: it stands still) or a wall clock was set.
    Clock {
        /// Whose.
        replica: u32,
        /// Local nanoseconds in 10⁹ real ones, from now on.
        rate_ppb: u64,
    },
    /// An elector sent a request.
    Sent {
        /// Whose.
        replica: u32,
        /// The request's id; ids begin anew with each life.
        request: u64,
        /// What.
        verb: Verb,
        /// The record to be stored.
        #[serde(with = "crate::wire::optional_record")]
        record: Option<Record>,
        /// The version to be written over.
        version: Option<u64>,
        /// Of which object; absent if it is the Lease.
        #[serde(with = "crate::wire::kind", default = "lease", skip_serializing_if = "is_lease")]
        object: Kind,
    },
    /// The store handled a request about the lock: the linearization point.
    Applied {
        /// Whose it was.
        by: Actor,
        /// Its id, unless it was an outsider's.
        request: Option<u64>,
        /// What.
        verb: Verb,
        /// The lock before.
        before: Option<Arc<Snapshot>>,
        /// What came of it. It may never reach who asked.
        reply: Reply,
        /// Of which object; absent if it is the Lease.
        #[serde(with = "crate::wire::kind", default = "lease", skip_serializing_if = "is_lease")]
        object: Kind,
    },
    /// A watch showed an object to a replica, which handed that to its elector
    /// (`Elector::handle_watch`).
    Watched {
        /// Which replica.
        replica: u32,
        /// The version shown; `null` if the object was shown to be gone.
        version: Option<u64>,
        /// Which object; absent if it is the Lease.
        #[serde(with = "crate::wire::kind", default = "lease", skip_serializing_if = "is_lease")]
        object: Kind,
    },
    /// An answer reached the elector's driver, which handed it on.
    Answered {
        /// Whose.
        replica: u32,
        /// To which request.
        request: u64,
        /// What it said.
        reply: Reply,
        /// The driver had given the call up: the elector must ignore it.
        late: bool,
    },
    /// The driver gave a call up, at its deadline.
    GivenUp {
        /// Whose.
        replica: u32,
        /// Which request.
        request: u64,
    },
    /// `Event::StartedLeading`: the belief begins and so does the work.
    StartedLeading {
        /// Which.
        replica: u32,
        /// Its fencing token.
        token: Option<u64>,
    },
    /// `Event::StoppedLeading`: the belief ends. Under ClientGo it comes also if there was none.
    StoppedLeading {
        /// Which.
        replica: u32,
        /// Why.
        #[serde(with = "crate::wire::cause")]
        cause: Cause,
        /// Whether it believed until now.
        led: bool,
    },
    /// The work that began with the belief has ended.
    WorkEnded {
        /// Whose.
        replica: u32,
    },
    /// `Event::Endangered`: it still leads, but its authority is near its end.
    Endangered {
        /// Which.
        replica: u32,
        /// When authority ends if nothing happens, in real time.
        until: SimTime,
    },
    /// `Event::NewLeader`.
    NewLeader {
        /// Who saw it.
        replica: u32,
        /// Whom.
        #[serde(with = "crate::wire::identity")]
        identity: Identity,
    },
    /// `Event::ForeignWrite`.
    ForeignWrite {
        /// Who saw it.
        replica: u32,
        /// The version written.
        version: u64,
    },
    /// From now on `Elector::is_leading` holds on this replica while real time is before `until`
    /// (and is false at once for `None`), unless another such entry follows. Emitted whenever that
    /// time changes: after an input and after a clock fault.
    Authority {
        /// Whose.
        replica: u32,
        /// Until when; [`SimTime::NEVER`] without a bound.
        until: Option<SimTime>,
    },
    /// A write reached the guarded resource.
    GuardedWrite {
        /// Who wrote.
        replica: u32,
        /// Its life when it wrote.
        life: u32,
        /// Which thing of the resource.
        key: u32,
        /// With which token.
        token: Option<u64>,
        /// When it was sent: when the replica *acted*.
        sent: SimTime,
        /// Whether the resource took it.
        accepted: bool,
    },
    /// A fault begins.
    Fault {
        /// Its place in [`Scenario::faults`].
        fault: u32,
        /// The replicas that it hits, roles resolved.
        replicas: Vec<u32>,
        /// What it is.
        kind: Arc<Fault>,
    },
    /// A fault is over.
    FaultEnded {
        /// Its place in [`Scenario::faults`].
        fault: u32,
    },
    /// A step of a rollout: from its next life on the replica has other settings. If it runs it is
    /// asked to stop, and starts again when it has.
    RolledOut {
        /// Which.
        replica: u32,
        /// The rollout's place in [`Scenario::rollouts`].
        rollout: u32,
    },
    /// Everything heals: from now on nothing goes wrong.
    Healed,
    /// Something that only the [`Program`](crate::program::Program) of this run understands.
    Note {
        /// Whose.
        replica: u32,
        /// What kind; the program's own numbering.
        kind: u32,
        /// A number.
        a: u64,
        /// Another.
        b: u64,
    },
    /// The run is over.
    Horizon,
}

impl What {
    /// The replica that this is about, if it is one.
    #[must_use]
    pub const fn replica(&self) -> Option<u32> {
        match self {
            Self::Started { replica, .. }
            | Self::Ended { replica, .. }
            | Self::Paused { replica }
            | Self::Resumed { replica }
            | Self::Stopping { replica }
            | Self::Clock { replica, .. }
            | Self::Sent { replica, .. }
            | Self::Applied { by: Actor::Replica { replica, .. }, .. }
            | Self::Answered { replica, .. }
            | Self::Watched { replica, .. }
            | Self::Endangered { replica, .. }
            | Self::RolledOut { replica, .. }
            | Self::GivenUp { replica, .. }
            | Self::StartedLeading { replica, .. }
            | Self::StoppedLeading { replica, .. }
            | Self::WorkEnded { replica }
            | Self::NewLeader { replica, .. }
            | Self::ForeignWrite { replica, .. }
            | Self::Authority { replica, .. }
            | Self::GuardedWrite { replica, .. }
            | Self::Note { replica, .. } => Some(*replica),
            Self::Applied { by: Actor::Outsider, .. }
            | Self::Fault { .. }
            | Self::FaultEnded { .. }
            | Self::Healed
            | Self::Horizon => None,
        }
    }
}

impl What {
    /// The replica whose process does or meets this; what the store and the resource do is nobody's.
    pub(crate) const fn process(&self) -> Option<u32> {
        match self {
            Self::Applied { .. } | Self::GuardedWrite { .. } | Self::Note { .. } => None,
            _ => self.replica(),
        }
    }
}
