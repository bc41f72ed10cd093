//! Stores that tell versions apart, and do not order them.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{
    Answer, Config, ConfigError, Event, Explanation, Incarnation, KeyRanges, MemberRecord, Mode,
    Op, RequestId, Response, Sharder, SlotSet, State, StoredMember,
};
use crate::election::Failure;
use crate::lock::Version;
use crate::placement::Key;
use crate::time::{Instant, Now};

/// A member of a group whose store has versions without an order, such as `ETag`s, or one order for each
/// record. Only for the mode [`Ranked`](Mode::Ranked).
///
/// Instead of a version up to which it has acknowledged everything, a member publishes *whom* it has
/// acknowledged: [names and incarnations](PublishedRecord::acknowledged). What is new is told by the
/// order of the member's own reads: it numbers versions as it meets them, and so it makes one call at a
/// time, each after the answer to the one before, or after that one's deadline.
///
/// What it costs, compared to a [`Sharder`]: no tokens, hence no [`Permit`](super::Permit)s; no watches;
/// records of N members, N² names in a list. A call that hangs holds up the others, so that
/// [`request_timeout`](Config::request_timeout) should be a third of the renew deadline at most. A store
/// that can keep the whole group in one object, with a counter in it, has ordered versions.
///
/// It is driven as a `Sharder` is: after each call all events are fetched, and the request.
///
/// ```
/// use tenure::lock::Version;
/// use tenure::sharding::{Config, Event, PublishedRecord, Unordered, UnorderedAnswer, UnorderedOp};
/// use tenure::time::{Instant, Now, Timestamp};
///
/// let now = Now { instant: Instant::default(), timestamp: Timestamp::GO_ZERO };
/// let config = Config::new("default", "controller", "pod-0", "6ba7b810");
/// let mut member = Unordered::new(config, 1, now.instant)?;
/// let (mut own, mut tags) = (None, ["c3", "07", "9a"].into_iter());
/// member.handle_timeout(now);
/// while let Some(request) = member.poll_request() {
///     let answer = match request.op {
///         UnorderedOp::List => UnorderedAnswer::Listed(own.iter().cloned().collect()),
///         UnorderedOp::Create(record) | UnorderedOp::Update(record, _) => {
///             let tag = Version::opaque(tags.next().unwrap()); // it is alone: all these succeed
///             own = Some((record, tag.clone()));
///             UnorderedAnswer::Written(tag)
///         }
///         UnorderedOp::Delete(..) => UnorderedAnswer::Deleted,
///     };
///     member.handle_response(now, request.id, Ok(answer));
/// }
/// assert_eq!(member.poll_event(), Some(Event::Joined));
/// assert!(member.owns(member.key(b"2ddc2ef5-4eb1-44a4-9ab6-3a4f7a1e9c0b"), now.instant));
/// # Ok::<(), tenure::sharding::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unordered {
    sharder: Sharder,
    now: Now,
    /// The last number given to a version.
    last: u64,
    /// What was seen of each record last.
    seen: BTreeMap<Arc<str>, Seen>,
    /// The life that was begun last, and the number of its joining write.
    own: Option<(Incarnation, u64)>,
    /// The call under way, its deadline, and what it writes.
    call: Option<(RequestId, Instant, Option<Arc<MemberRecord>>)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Seen {
    version: Version,
    number: u64,
    incarnation: Incarnation,
    counts: bool,
    /// The number at which this incarnation was seen first.
    met: u64,
}

/// A record, and whom its member has acknowledged: all of it is to be stored.
///
/// ```
/// use tenure::sharding::{MemberRecord, PublishedRecord};
/// # use core::time::Duration;
/// # let record = MemberRecord::unreadable("pod-0", Duration::from_secs(15));
/// let stored = PublishedRecord { record: record.into(), acknowledged: [].into() };
/// assert!(stored.acknowledged.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublishedRecord {
    /// The record. [`acted_on`](MemberRecord::acted_on) is not stored.
    pub record: Arc<MemberRecord>,
    /// Those whom its member knows, and for whom it has finished its work on everything that moved away
    /// by their coming: name and incarnation.
    pub acknowledged: Arc<[(Arc<str>, Incarnation)]>,
}

/// A call of a store without ordered versions; see [`Request`](super::Request).
///
/// ```
/// use tenure::sharding::{Config, Slots, Unordered, UnorderedOp, UnorderedRequest};
/// use tenure::time::{Instant, Now, Timestamp};
/// let now = Now { instant: Instant::default(), timestamp: Timestamp::GO_ZERO };
/// let config = Config::new("default", "controller", "pod-0", "6ba7b810");
/// let mut member = Unordered::new(config.clone(), 1, now.instant)?;
/// member.handle_timeout(now);
/// let request: Option<UnorderedRequest> = member.poll_request();
/// assert_eq!(request.map(|request| request.op), Some(UnorderedOp::List)); // who else is there?
///
/// let finer = Config { slots: Slots::new(4096)?, generation: 2, ..config };
/// assert_eq!(member.reconfigure(now, finer), Ok(()));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnorderedRequest {
    /// To be repeated with the answer.
    pub id: RequestId,
    /// What to do.
    pub op: UnorderedOp,
    /// After this instant the answer is ignored. The store may still apply it.
    pub deadline: Instant,
}

/// What to do; see [`Op`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum UnorderedOp {
    /// Read all records in one consistent read of the store as it is now.
    List,
    /// Store this if there is no record of its name.
    Create(PublishedRecord),
    /// Store this over the record of its name that has this version.
    Update(PublishedRecord, Version),
    /// Delete the record of this name if it has this version.
    Delete(Arc<str>, Version),
}

/// A call that succeeded; see [`Answer`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum UnorderedAnswer {
    /// All records of the group and their versions, in any order. A version never comes again.
    Listed(Vec<(PublishedRecord, Version)>),
    /// The version of the write.
    Written(Version),
    /// It is deleted.
    Deleted,
}

impl Unordered {
    /// As [`Sharder::new`].
    ///
    /// # Errors
    /// A configuration that cannot work, or another mode than `Ranked`.
    pub fn new(config: Config, seed: u64, now: Instant) -> Result<Self, ConfigError> {
        needs_no_order(&config)?;
        let now = Now { instant: now, timestamp: crate::time::Timestamp::GO_ZERO };
        let sharder = Sharder::new(config, seed, now.instant)?;
        Ok(Self { sharder, now, last: 0, seen: BTreeMap::new(), own: None, call: None })
    }

    /// As [`Sharder::handle_timeout`].
    pub fn handle_timeout(&mut self, now: Now) {
        self.at(now);
        self.sharder.handle_timeout(now);
    }

    /// The store has answered the request `id`. Answers to others than the last, and late ones, are
    /// ignored.
    pub fn handle_response(
        &mut self,
        now: Now,
        id: RequestId,
        result: Result<UnorderedAnswer, Failure>,
    ) {
        self.at(now);
        let Some((_, _, written)) = self.call.take_if(|(of, ..)| *of == id) else {
            self.sharder.handle_timeout(now);
            return;
        };
        let result = result.and_then(|answer| match (answer, written) {
            (UnorderedAnswer::Listed(members), None) => Ok(self.listed(members)),
            (UnorderedAnswer::Written(version), Some(record)) => Ok(self.written(&record, version)),
            (UnorderedAnswer::Deleted, None) => Ok(Answer::Deleted),
            _ => Err(Failure::Other),
        });
        self.sharder.handle_response(now, Response { id, result });
    }

    /// As [`Sharder::poke`].
    pub fn poke(&mut self, now: Now) {
        self.at(now);
        self.sharder.poke(now);
    }

    /// As [`Sharder::drained`].
    pub fn drained(&mut self, now: Now, slots: &SlotSet) {
        self.at(now);
        self.sharder.drained(now, slots);
    }

    /// As [`Sharder::leave`].
    pub fn leave(&mut self, now: Now) {
        self.at(now);
        self.sharder.leave(now);
    }

    /// As [`Sharder::reconfigure`].
    ///
    /// # Errors
    /// A configuration that cannot work, or another mode than `Ranked`; nothing has changed then.
    pub fn reconfigure(&mut self, now: Now, config: Config) -> Result<(), ConfigError> {
        needs_no_order(&config)?;
        self.at(now);
        self.sharder.reconfigure(now, config)
    }

    /// As [`Sharder::poll_event`].
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.sharder.poll_event()
    }

    /// The next request to send: none while one is under way.
    #[must_use]
    pub fn poll_request(&mut self) -> Option<UnorderedRequest> {
        while self.call.is_none() {
            let request = self.sharder.poll_request()?;
            let (id, deadline) = (request.id, request.deadline);
            let (op, written) = match request.op {
                Op::List => (Some(UnorderedOp::List), None),
                Op::Create(record) => {
                    let op = UnorderedOp::Create(self.publish(&record));
                    (Some(op), Some(record))
                }
                Op::Update(record, over) => {
                    let over = self.version(record.name(), over);
                    let op = over.map(|over| UnorderedOp::Update(self.publish(&record), over));
                    (op, Some(record))
                }
                Op::Delete(name, over) => {
                    let over = self.version(&name, over);
                    (over.map(|over| UnorderedOp::Delete(name, over)), None)
                }
                _ => (None, None), // of other modes
            };
            if let Some(op) = op {
                self.call = Some((id, deadline, written));
                return Some(UnorderedRequest { id, op, deadline });
            }
            // Another version has been seen since: it cannot succeed.
            let result = Err(Failure::Conflict);
            self.sharder.handle_response(self.now, Response { id, result });
        }
        None
    }

    /// As [`Sharder::poll_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let call = self.call.as_ref().map(|(_, deadline, _)| *deadline);
        [self.sharder.poll_timeout(), call].into_iter().flatten().min()
    }

    /// As [`Sharder::owns`].
    #[must_use]
    pub fn owns(&self, key: Key, now: Instant) -> bool {
        self.sharder.owns(key, now)
    }

    /// As [`Sharder::owned`].
    #[must_use]
    pub fn owned(&self, now: Instant) -> Option<Cow<'_, SlotSet>> {
        self.sharder.owned(now)
    }

    /// As [`Sharder::ranges`].
    #[must_use]
    pub fn ranges(&self, now: Instant) -> KeyRanges {
        self.sharder.ranges(now)
    }

    /// As [`Sharder::until`].
    #[must_use]
    pub fn until(&self) -> Option<Instant> {
        self.sharder.until()
    }

    /// As [`Sharder::explain`]; the version is a number of this member's own, and there is no token.
    #[must_use]
    pub fn explain(&self, slot: super::Slot, now: Instant) -> Explanation {
        Explanation { token: None, ..self.sharder.explain(slot, now) }
    }

    /// As [`Sharder::key`].
    #[must_use]
    pub fn key(&self, text: &[u8]) -> Key {
        self.sharder.key(text)
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        self.sharder.config()
    }

    /// As [`Sharder::is_finished`].
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.sharder.is_finished()
    }

    /// A call whose deadline has come holds up nothing any more, and its answer says nothing.
    fn at(&mut self, now: Now) {
        self.now = now;
        self.call.take_if(|(_, deadline, _)| *deadline <= now.instant);
    }

    /// The version that has this number, if it was the last seen of the record.
    fn version(&self, name: &str, number: u64) -> Option<Version> {
        let seen = self.seen.get(name).filter(|seen| seen.number == number);
        seen.map(|seen| seen.version.clone())
    }

    /// A record as it is to be stored.
    fn publish(&self, record: &Arc<MemberRecord>) -> PublishedRecord {
        let me = self.config().member.name();
        let up_to = record.acted_on.filter(|_| record.name() == me).unwrap_or(0);
        let known = self
            .seen
            .iter()
            .filter(|(name, seen)| ***name != *me && seen.counts && seen.met <= up_to);
        let acknowledged = known.map(|(name, seen)| (name.clone(), seen.incarnation.clone()));
        let record = MemberRecord { acted_on: None, ..MemberRecord::clone(record) };
        PublishedRecord { record: record.into(), acknowledged: acknowledged.collect() }
    }

    fn written(&mut self, record: &Arc<MemberRecord>, version: Version) -> Answer {
        let number = self.number(record, version);
        // A joining write acknowledges nothing yet: nobody can tell what it has seen.
        if record.name() == self.config().member.name() && record.acted_on.is_none() {
            self.own = Some((record.incarnation.clone(), number));
        }
        Answer::Written { version: number }
    }

    fn listed(&mut self, members: Vec<(PublishedRecord, Version)>) -> Answer {
        let mut before = core::mem::take(&mut self.seen);
        let mut listed = Vec::with_capacity(members.len());
        for (stored, version) in members {
            let name: Arc<str> = stored.record.name().into();
            if let Some(seen) = before.remove(&name) {
                self.seen.insert(name, seen);
            }
            let number = self.number(&stored.record, version);
            let acted_on = self.own.as_ref().filter(|(own, _)| {
                let me = (self.config().member.name(), own);
                stored.acknowledged.iter().any(|(name, of)| (&**name, of) == me)
            });
            let acted_on = Some(acted_on.map_or(0, |(_, joined)| *joined));
            let record = MemberRecord { acted_on, ..MemberRecord::clone(&stored.record) };
            listed.push(StoredMember { record: record.into(), version: number });
        }
        Answer::Listed { members: listed, version: self.last }
    }

    /// The number of a version that was seen now.
    fn number(&mut self, record: &MemberRecord, version: Version) -> u64 {
        let before = self.seen.get(record.name());
        if let Some(seen) = before.filter(|seen| seen.version == version) {
            return seen.number;
        }
        self.last += 1;
        let same = before.filter(|seen| seen.incarnation == record.incarnation && seen.counts);
        let seen = Seen {
            version,
            number: self.last,
            incarnation: record.incarnation.clone(),
            counts: record.state.counts() && record.state != State::Unreadable,
            met: same.map_or(self.last, |seen| seen.met),
        };
        self.seen.insert(record.name().into(), seen);
        self.last
    }
}

const fn needs_no_order(config: &Config) -> Result<(), ConfigError> {
    if matches!(config.mode, Mode::Ranked(_)) { Ok(()) } else { Err(ConfigError::Unordered) }
}
