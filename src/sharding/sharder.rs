use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::leased::Leases;
use super::machine::{Machine, Phase, Restated, Restatement};
use super::planned::Leader;
use super::rules::Rule;
use super::{
    Config, ConfigError, Event, Explanation, Field, KeyHash, KeyRanges, NotSelectable, Permit,
    Request, Response, Selector, Slot, SlotSet, Standing, Status, Watched,
};
use crate::election::Token;
use crate::placement::Key;
use crate::time::{Instant, Now};

/// One member's part in sharding: a state machine without I/O, clock or threads. One type for all
/// [modes](super::Mode).
///
/// **The contract: after each call that has a `now` and changes something, fetch everything: first the
/// events, then all requests; call [`handle_timeout`](Self::handle_timeout) when
/// [`poll_timeout`](Self::poll_timeout) says so; and report slots as [`drained`](Self::drained) only when
/// all work on them has ended.** The first two keep the group alive; the third keeps it safe.
///
/// # A driver's loop
/// 1. [`poll_event`](Self::poll_event) until `None`. On [`Event::Acquired`] list, watch and work on these
///    slots. On [`Event::Revoking`] and [`Event::Lapsed`] begin nothing more on them, and when what was
///    begun has ended call `drained`, for all of them or for some after others; on `Lapsed` stop it.
/// 2. [`poll_request`](Self::poll_request) until `None`; send all, in any order. Several may be on their
///    way at once; each is answered by its id, and given up at its deadline.
/// 3. Wait for whichever comes first: an answer, something from a watch, the instant of `poll_timeout`,
///    work that has ended, a wish to leave.
/// 4. Hand it in with the time, and go to 1. Leave the loop when [`is_finished`](Self::is_finished), but
///    after step 1.
///
/// Work asks [`owns`](Self::owns) before each act, or carries a [`Permit`] and asks that, since events
/// arrive late in a process that is paused or slow; and it passes the [`Token`] on where the resource can
/// check it.
///
/// # Methods
/// - what happens: [`handle_timeout`](Self::handle_timeout),
///   [`handle_response`](Self::handle_response), [`handle_watch`](Self::handle_watch),
///   [`drained`](Self::drained), [`poke`](Self::poke), [`measure`](Self::measure),
///   [`leave`](Self::leave), [`reconfigure`](Self::reconfigure). They never fail, but for a configuration
///   that cannot work; calls too early or repeated do nothing.
/// - what to do: [`poll_event`](Self::poll_event), [`poll_request`](Self::poll_request),
///   [`poll_timeout`](Self::poll_timeout).
/// - what holds: [`owns`](Self::owns), [`owned`](Self::owned), [`ranges`](Self::ranges),
///   [`permit`](Self::permit), [`token`](Self::token), [`until`](Self::until),
///   [`selector`](Self::selector), [`key`](Self::key), [`config`](Self::config),
///   [`is_finished`](Self::is_finished); and for people [`status`](Self::status),
///   [`explain`](Self::explain), [`explain_key`](Self::explain_key).
///
/// | | cost |
/// | --- | --- |
/// | [`owns`](Self::owns), [`owned`](Self::owned), [`token`](Self::token) | O(1), no allocation |
/// | a renewal, a read that shows nothing new | O(members) |
/// | a member that comes; one that goes | O(own slots × members); O(slots × log members) by rendezvous of equal weights |
/// | [`ranges`](Self::ranges), [`explain`](Self::explain) | O(slots), O(members) |
///
/// ```
/// use tenure::sharding::{
///     Answer, Config, Event, Field, Op, Response, Sharder, Standing, StoredMember,
/// };
/// use tenure::time::{Instant, Now, Timestamp};
///
/// let at = |secs: u64| Now {
///     instant: Instant::from_nanos(secs * 1_000_000_000),
///     timestamp: Timestamp::from_unix(1_700_000_000 + secs as i64, 0).unwrap(),
/// };
/// let config = Config::new("default", "controller", "pod-0", "6ba7b810");
/// let mut member = Sharder::new(config, 1, at(0).instant)?;
/// let (mut own, mut version) = (None, 40);
/// let mut turn = |member: &mut Sharder, secs| {
///     while let Some(request) = member.poll_request() {
///         let answer = match request.op {
///             Op::List => Answer::Listed { members: own.iter().cloned().collect(), version },
///             Op::Create(record) | Op::Update(record, _) => {
///                 version += 1; // it is alone, so that all these succeed
///                 own = Some(StoredMember { record, version });
///                 Answer::Written { version }
///             }
///             _ => unreachable!("of other modes"),
///         };
///         member.handle_response(at(secs), Response { id: request.id, result: Ok(answer) });
///     }
/// };
/// member.handle_timeout(at(0));
/// turn(&mut member, 0); // it reads, joins, reads and renews
/// assert_eq!(member.poll_event(), Some(Event::Joined));
/// let Some(Event::Acquired(slots)) = member.poll_event() else { panic!() };
/// assert_eq!(slots.len(), 1024);
///
/// let key = member.key(b"2ddc2ef5-4eb1-44a4-9ab6-3a4f7a1e9c0b"); // the hash of an object's UID
/// let slot = member.config().slots.of(key);
/// // Authority lasts for the renew deadline from the sending of what succeeded last.
/// assert!(member.owns(key, at(9).instant) && !member.owns(key, at(10).instant));
/// let permit = member.permit(slot, at(9).instant).unwrap();
/// assert_eq!(Some(permit.until), member.until());
/// assert_eq!(member.work_until(slot), Some(at(10).instant)); // what was begun must end by then
/// assert_eq!(member.explain(slot, at(9).instant).standing, Standing::Owned);
/// assert_eq!(member.ranges(at(9).instant).len(), 1); // the whole hash space
/// let selector = member.selector(Field::Uid, at(9).instant).unwrap().unwrap();
/// assert!(selector.matches("2ddc2ef5-4eb1-44a4-9ab6-3a4f7a1e9c0b"));
///
/// member.leave(at(1));
/// assert!(matches!(member.poll_event(), Some(Event::Revoking { .. })));
/// assert!(!member.owns(key, at(1).instant)); // no work may begin any more
/// member.drained(at(1), &slots); // all that was begun has ended
/// turn(&mut member, 1);
/// assert!(member.is_finished());
/// # Ok::<(), tenure::sharding::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sharder {
    machine: Machine,
    /// Mode `leased` only.
    leases: Leases,
    /// Mode `planned` only.
    leader: Leader,
}

impl Sharder {
    /// A member that joins from `now` on, which may be in the future: it does nothing before. `seed`
    /// decides its random waits; give each replica another one.
    ///
    /// # Errors
    /// A configuration that cannot work, see [`ConfigError`].
    pub fn new(config: Config, seed: u64, now: Instant) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self::unchecked(config, seed, now))
    }

    /// As [`new`](Self::new), for configurations that are not allowed: to explore what happens then.
    #[doc(hidden)]
    #[must_use]
    pub fn unchecked(config: Config, seed: u64, now: Instant) -> Self {
        let machine = Machine::new(config, seed, now);
        Self { machine, leases: Leases::new(seed), leader: Leader::new(seed) }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.machine.config
    }

    /// Time has come, or gone by: does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Now) {
        self.machine.handle_timeout(now);
        self.leases.handle_timeout(&mut self.machine, now);
        self.leader.settle(&mut self.machine, now);
    }

    /// The store has answered. An answer to no request, or one after the request's deadline, is ignored.
    pub fn handle_response(&mut self, now: Now, response: Response) {
        if self.leases.asked(response.id) {
            self.machine.handle_timeout(now);
            self.leases.handle_response(&mut self.machine, now, response);
        } else if self.leader.asked(response.id) {
            self.machine.handle_timeout(now);
            self.leader.handle_response(&mut self.machine, now, response);
        } else {
            self.machine.handle_response(now, response);
            self.settle(now);
        }
    }

    /// A watch of the group's records has shown something. Optional: without a watch, or when it goes
    /// quiet, the member reads by itself.
    pub fn handle_watch(&mut self, now: Now, watched: Watched) {
        if let Watched::Lock(lock, watched) = watched {
            self.machine.handle_timeout(now);
            self.leases.handle_watch(&mut self.machine, now, &lock, watched);
        } else {
            self.machine.handle_watch(now, watched);
            self.settle(now);
        }
    }

    /// Asks for a renewal and a read at once, in mode `planned` of the plan, too.
    pub fn poke(&mut self, now: Now) {
        self.machine.poke(now);
        if self.machine.is_planned() {
            self.machine.poke_plan(now);
        }
        self.settle(now);
    }

    /// All work on these slots has ended; those of them that were not to be drained do not matter. A set
    /// of another number of slots than the configuration has says nothing.
    pub fn drained(&mut self, now: Now, slots: &SlotSet) {
        // Work that asks the clock may end before the end of its slot's lease was handled here.
        if self.leases.first_end() <= now.instant {
            self.leases.handle_timeout(&mut self.machine, now);
        }
        let released = self.machine.drained(now, slots);
        self.leases.drained(&mut self.machine, now, &released);
        self.leader.settle(&mut self.machine, now);
    }

    /// Asks to give everything away, and to leave. If the store is out of reach, it has left when its
    /// authority has ended and all is drained, and one more call has failed; others exclude it in time.
    pub fn leave(&mut self, now: Now) {
        self.machine.leave(now);
        self.settle(now);
    }

    /// Asks to give everything away, and to join anew with another configuration.
    ///
    /// # Errors
    /// A configuration that cannot work, or that is of another member or group; or this one is leaving.
    /// Nothing has changed then.
    ///
    /// ```
    /// use tenure::sharding::{Config, Sharder, Slots};
    /// use tenure::time::{Instant, Now, Timestamp};
    /// let now = Now { instant: Instant::default(), timestamp: Timestamp::GO_ZERO };
    /// let config = Config::new("default", "controller", "pod-0", "6ba7b810");
    /// let mut member = Sharder::new(config.clone(), 1, now.instant)?;
    /// let finer = Config { slots: Slots::new(4096)?, generation: config.generation + 1, ..config };
    /// member.reconfigure(now, finer.clone())?;
    /// let stranger = Config { group: "another".into(), ..finer };
    /// assert!(member.reconfigure(now, stranger).is_err()); // a group is for life
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn reconfigure(&mut self, now: Now, config: Config) -> Result<(), ConfigError> {
        config.validate()?;
        self.config().allows(&config)?;
        if self.machine.is_leaving() {
            return Err(ConfigError::Leaving);
        }
        self.machine.reconfigure(now, config);
        self.settle(now);
        Ok(())
    }

    /// What is measured on each slot, in any unit, from slot 0 on: the leader in mode `planned` evens it
    /// out by its next plan. Tell it every member, since any may lead.
    pub fn measure(&mut self, now: Now, loads: Vec<u32>) {
        self.leader.measure(&mut self.machine, now, loads);
    }

    fn settle(&mut self, now: Now) {
        self.leases.settle(&mut self.machine, now);
        self.leader.settle(&mut self.machine, now);
    }

    /// The next thing to tell.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.machine.out.take_event()
    }

    /// The next request to send.
    #[must_use]
    pub fn poll_request(&mut self) -> Option<Request> {
        let Self { machine, leases, .. } = self;
        machine.out.take_request().or_else(|| leases.poll_request(&mut machine.out))
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let leader = self.leader.poll_timeout();
        let all = [self.machine.poll_timeout(), self.leases.poll_timeout(), leader];
        all.into_iter().flatten().min()
    }

    /// Whether this member has left, and nothing is to be done any more.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.machine.phase == Phase::Left
    }

    /// The key of what is called so, by the group's [hash](super::KeyHash).
    #[must_use]
    #[inline]
    pub fn key(&self, text: &[u8]) -> Key {
        self.machine.config.hash.key(text)
    }

    /// Whether work on `key` may start at `now`.
    #[must_use]
    #[inline]
    pub fn owns(&self, key: Key, now: Instant) -> bool {
        self.owns_slot(self.machine.config.slots.of(key), now)
    }

    /// The slots on which work may start at `now`; `None` if this member has no right at all, be it
    /// since it has not joined, or since its authority has ended.
    ///
    /// Borrowed, at no cost, but for the moment in mode `leased` between the end of a lease and the
    /// driver's [`handle_timeout`](Self::handle_timeout): then it is a copy without that slot.
    #[must_use]
    #[inline]
    pub fn owned(&self, now: Instant) -> Option<Cow<'_, SlotSet>> {
        let owned = self.machine.owned(now)?;
        if now < self.leases.first_end() || !self.has_clock() {
            return Some(Cow::Borrowed(owned));
        }
        let mut left = owned.clone();
        for slot in self.leases.ended(now) {
            left.remove(slot);
        }
        Some(Cow::Owned(left))
    }

    /// The right to work on `slot`, if there is one at `now`.
    #[must_use]
    pub fn permit(&self, slot: Slot, now: Instant) -> Option<Permit> {
        let token = self.token(slot, now)?;
        Some(Permit { slot, token, until: self.work_until(slot)? })
    }

    /// What orders the owners of `slot`, if this member is the owner at `now`.
    #[must_use]
    pub fn token(&self, slot: Slot, now: Instant) -> Option<Token> {
        let token = self.machine.holdings.token(slot).map(Token::from_u64);
        token.filter(|_| self.owns_slot(slot, now))
    }

    /// The least ranges of the hash space that hold the slots on which work may start at `now`; none if
    /// there are no such slots. What to list and watch, see
    /// [`selector`](Self::selector). O(slots).
    #[must_use]
    pub fn ranges(&self, now: Instant) -> KeyRanges {
        self.owned(now).map_or_else(KeyRanges::default, |slots| slots.ranges())
    }

    /// What to list and watch now: objects whose `field` lies in [`ranges`](Self::ranges). None if there
    /// are no such slots; then nothing is to be listed, since without a selector everything comes.
    ///
    /// # Errors
    /// The group's [hash](super::KeyHash) is not FNV-1a: servers know no other.
    pub fn selector(&self, field: Field, now: Instant) -> Result<Option<Selector>, NotSelectable> {
        match self.machine.config.hash {
            KeyHash::Fnv1a => Ok(Selector::new(field, self.ranges(now))),
            hash @ KeyHash::Xxh3 => Err(NotSelectable { hash }),
        }
    }

    /// When authority ends, if no renewal and no read succeeds before; in mode `leased` that over the
    /// slot that is the first to go, or the right to finish work on one that is being given away.
    #[must_use]
    pub fn until(&self) -> Option<Instant> {
        self.machine.until().map(|until| until.min(self.leases.first_end()))
    }

    /// When the right to finish work on `slot` that has begun ends, if no renewal and no read succeeds
    /// before: of a slot that is owned, or that is being given away and not
    /// [`drained`](Self::drained) yet. None of any other. Where [`until`](Self::until) tells of the first
    /// end of all, this tells of the slot's own: in mode `leased` these differ.
    #[must_use]
    pub fn work_until(&self, slot: Slot) -> Option<Instant> {
        let holdings = &self.machine.holdings;
        if !holdings.owned.contains(slot) && !holdings.draining.contains(slot) {
            return None;
        }
        let until = self.machine.until()?;
        if !self.machine.is_leased() {
            return Some(until);
        }
        Some(until.min(self.leases.end(slot)?))
    }

    #[inline]
    fn owns_slot(&self, slot: Slot, now: Instant) -> bool {
        self.machine.owned(now).is_some_and(|owned| owned.contains(slot))
            && (now < self.leases.first_end()
                || self.leases.end(slot).is_none_or(|end| now < end)
                || !self.has_clock())
    }

    fn has_clock(&self) -> bool {
        self.machine.config.rules.hold(Rule::Clock)
    }

    /// For explorers of all states; see [`Restatement`].
    #[doc(hidden)]
    pub fn restate(&mut self, mut to: Restatement<'_>) -> Restated {
        self.leader = Leader::new(0);
        self.machine.restate(&mut to)
    }

    /// For explorers: renewals and reads come by `poke_members` and `poke_plan` only, and this
    /// member's leader is forgotten, so that plans come from elsewhere.
    #[doc(hidden)]
    pub fn only_poked(&mut self, never: Instant) {
        self.leader = Leader::new(0);
        self.machine.only_poked(never);
    }

    /// For explorers: asks for a renewal and a read of the members at once.
    #[doc(hidden)]
    pub fn poke_members(&mut self, now: Now) {
        self.machine.poke(now);
        self.settle(now);
    }

    /// For explorers: asks for a read of the plan at once.
    #[doc(hidden)]
    pub fn poke_plan(&mut self, now: Now) {
        self.machine.poke_plan(now);
        self.settle(now);
    }

    /// Who owns `slot` as far as this member knows, and why. For people: it costs O(members), and its
    /// text is no interface.
    #[must_use]
    pub fn explain(&self, slot: Slot, now: Instant) -> Explanation {
        let machine = &self.machine;
        let owned = self.owns_slot(slot, now);
        let standing = if owned { Standing::Owned } else { machine.standing(slot, now) };
        let planned = machine.planned_owner(slot);
        let rank = machine.rank(slot);
        let since = planned.as_ref().map(|(_, since)| *since);
        Explanation {
            slot,
            standing,
            owner: planned.map_or_else(|| rank.first().cloned(), |(owner, _)| owner),
            rank,
            since,
            token: machine.holdings.token(slot).filter(|_| owned).map(Token::from_u64),
            until: (self.work_until(slot).or_else(|| machine.until()))
                .filter(|_| !machine.has_lapsed(now)),
            version: machine.view.version,
        }
    }

    /// As [`explain`](Self::explain), of the slot in which `key` lies.
    #[must_use]
    pub fn explain_key(&self, key: Key, now: Instant) -> Explanation {
        self.explain(self.machine.config.slots.of(key), now)
    }

    /// What this member does, why it stands by if it does, and how fresh its knowledge is. Nothing tells
    /// of changes: ask after each turn of the loop, or when somebody wants to know. O(members).
    #[must_use]
    pub fn status(&self, now: Instant) -> Status {
        let machine = &self.machine;
        let [read, written] = machine.ages(now);
        Status {
            presence: machine.presence(now),
            members: machine.counted(),
            version: machine.view.version,
            read,
            written,
            until: self.until(),
        }
    }
}
