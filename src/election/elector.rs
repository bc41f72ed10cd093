//! The elector's doors.

use alloc::boxed::Box;
use core::time::Duration;

use super::client_go::{ClientGo, ClientGoState};
use super::outbox::Outbox;
use super::strict::Strict;
use super::{
    Config, ConfigError, Event, Profile, Request, Response, Rule, Token, Unhealthy, Watched,
};
use crate::jitter::Jitter;
use crate::lock::{Identity, Record, Version};
use crate::time::{Instant, Now, saturating_nanos};

/// One replica's part in the election of a leader: a state machine without I/O, clock or threads.
///
/// **The contract: after each call of a `handle_*` method, [`poke`](Self::poke),
/// [`hand_over`](Self::hand_over), [`stop`](Self::stop) or [`work_stopped`](Self::work_stopped), fetch
/// everything: first the events, then the request; and call [`handle_timeout`](Self::handle_timeout) when
/// [`poll_timeout`](Self::poll_timeout) says so.**
///
/// # A driver's loop
/// 1. [`poll_event`](Self::poll_event) until `None`; on [`Event::StartedLeading`] start the work, on
///    [`Event::StoppedLeading`] stop it, and when it has stopped call `work_stopped`.
/// 2. [`poll_request`](Self::poll_request); if there is one, send it. There is at most one
///    outstanding: a new one replaces the old, whose answer no longer matters.
/// 3. Wait for whichever comes first: an answer, the instant of `poll_timeout`, a wish to stop.
/// 4. Hand it in with the time, and go to 1. Leave the loop when [`is_finished`](Self::is_finished),
///    but after step 1: under [`Profile::ClientGo`] the event that stops the work comes with the end.
///
/// Work asks [`is_leading`](Self::is_leading) before each act, since events arrive late in a process
/// that is paused or slow, and passes the [`Token`] on where the resource can check it.
///
/// # Methods
/// - what happens: [`handle_timeout`](Self::handle_timeout),
///   [`handle_response`](Self::handle_response), [`handle_watch`](Self::handle_watch),
///   [`poke`](Self::poke), [`hand_over`](Self::hand_over), [`stop`](Self::stop),
///   [`work_stopped`](Self::work_stopped). They never fail; calls too early or repeated do nothing.
/// - what to do: [`poll_event`](Self::poll_event), [`poll_request`](Self::poll_request),
///   [`poll_timeout`](Self::poll_timeout).
/// - what holds: [`is_leading`](Self::is_leading), [`leading_until`](Self::leading_until),
///   [`fencing_token`](Self::fencing_token), [`is_finished`](Self::is_finished),
///   [`identity`](Self::identity), [`config`](Self::config), [`check_health`](Self::check_health).
///
/// A renewal costs no allocation.
///
/// ```
/// use tenure::election::{Config, Elector, Event, Failure, Missing, Op, Response, Stored};
/// use tenure::lock::{LockRef, Version};
/// use tenure::time::{Instant, Now, Timestamp};
///
/// let at = |secs: u64| Now {
///     instant: Instant::from_nanos(secs * 1_000_000_000),
///     timestamp: Timestamp::from_unix(1_700_000_000 + secs as i64, 0).unwrap(),
/// };
/// let config = Config {
///     missing: Missing::NewGroup,
///     ..Config::new(LockRef::lease("default", "controller"), "pod-0", "6ba7b810")
/// };
/// let mut elector = Elector::new(config, 1, at(0).instant)?;
/// elector.handle_timeout(at(0));
///
/// let get = elector.poll_request().unwrap();
/// assert_eq!(get.op, Op::Get);
/// elector.handle_response(at(0), Response { id: get.id, result: Err(Failure::NotFound) });
///
/// let create = elector.poll_request().unwrap(); // sent at 0 s
/// let Op::Create(object) = create.op else { panic!() };
/// let stored = Stored { object, version: Version::ordered(7) };
/// elector.handle_response(at(1), Response { id: create.id, result: Ok(stored) });
///
/// assert!(matches!(elector.poll_event(), Some(Event::NewLeader { .. })));
/// assert!(matches!(elector.poll_event(), Some(Event::StartedLeading { token: Some(_) })));
/// // Authority counts from the sending, not from the answer: 10 s, the renew deadline.
/// assert!(elector.is_leading(at(9).instant) && !elector.is_leading(at(10).instant));
/// assert_eq!(elector.poll_timeout(), Some(at(2).instant)); // the next renewal
/// # Ok::<(), tenure::election::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Elector {
    config: Config,
    /// The name in the record.
    holder: Identity,
    jitter: Jitter,
    out: Outbox,
    machine: Machine,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(
    clippy::large_enum_variant,
    reason = "the one that most electors have is not a load away from the rest"
)]
enum Machine {
    Strict(Strict),
    /// The larger one: elsewhere, so that many strict ones lie close together.
    ClientGo(Box<ClientGo>),
}

/// What a machine works with: the parts of an elector that are the same for each profile.
pub(super) struct Context<'a> {
    pub(super) config: &'a Config,
    pub(super) holder: &'a Identity,
    pub(super) jitter: &'a mut Jitter,
    pub(super) out: &'a mut Outbox,
}

impl Context<'_> {
    /// Whether a rule holds: always, but in tests of checks.
    pub(super) const fn holds(&self, rule: Rule) -> bool {
        self.config.rules.hold(rule)
    }
}

/// Strict only, see [`Elector::restate`]: what the elector's clock is to show instead of `now`, other
/// names for versions, and other records in place of the ones known. Versions that were ordered must
/// stay so; of a record only the times and the transitions may change, which decide nothing.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "a closure has no text")]
pub struct Restatement<'a> {
    pub now: Instant,
    pub shown: Instant,
    pub rename: &'a mut dyn FnMut(&Version) -> Version,
    pub rewrite: &'a mut dyn FnMut(&mut Record),
}

impl Restatement<'_> {
    pub(super) fn shift(&self, at: Instant) -> Instant {
        let earlier = saturating_nanos(self.now.saturating_since(at));
        let shown = Instant::from_nanos(self.shown.as_nanos().saturating_sub(earlier));
        shown + at.saturating_since(self.now)
    }
}

impl Elector {
    /// An elector whose first attempt is due at `now`, which may be in the future: it does nothing
    /// before. `seed` decides its random waits; give each replica another one.
    ///
    /// # Errors
    /// A configuration that cannot work, see [`ConfigError`]. What works and is unwise is listed by
    /// [`Config::warnings`].
    pub fn new(config: Config, seed: u64, now: Instant) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self::unchecked(config, seed, now))
    }

    /// As [`new`](Self::new), for configurations that are not allowed: to explore what happens
    /// then. The retry period must not be zero.
    #[doc(hidden)]
    #[must_use]
    pub fn unchecked(config: Config, seed: u64, now: Instant) -> Self {
        let machine = match config.profile {
            Profile::Strict => Machine::Strict(Strict::new(now)),
            Profile::ClientGo(release) => {
                let state = ClientGoState::default();
                Machine::ClientGo(Box::new(ClientGo::new(release, now, state)))
            }
        };
        let out = Outbox::new(&config);
        Self { holder: config.holder(), config, jitter: Jitter::new(seed), out, machine }
    }

    /// ClientGo only: an elector about to make its first attempt that knows `state` already.
    #[doc(hidden)]
    #[must_use]
    pub fn resume_client_go(config: Config, now: Instant, state: ClientGoState) -> Self {
        let mut elector = Self::unchecked(config, 0, now);
        if let Profile::ClientGo(release) = elector.config.profile {
            elector.machine = Machine::ClientGo(Box::new(ClientGo::new(release, now, state)));
        }
        elector
    }

    /// ClientGo only: releases now, as if the renew loop had just ended.
    #[doc(hidden)]
    pub fn release_client_go(&mut self, now: Now) {
        let (machine, mut cx) = self.split();
        if let Machine::ClientGo(machine) = machine {
            machine.begin_release(&mut cx, now);
        }
    }

    /// ClientGo only: what the elector knows.
    #[doc(hidden)]
    #[must_use]
    pub const fn client_go_state(&self) -> Option<&ClientGoState> {
        match &self.machine {
            Machine::Strict(_) => None,
            Machine::ClientGo(machine) => Some(machine.state()),
        }
    }

    /// ClientGo only: whether `release` is under way, which comes before the end of the belief.
    #[doc(hidden)]
    #[must_use]
    pub const fn is_releasing_client_go(&self) -> bool {
        match &self.machine {
            Machine::Strict(_) => false,
            Machine::ClientGo(machine) => machine.is_releasing(),
        }
    }

    /// The name under which this replica holds the lock: identity and incarnation, or the identity
    /// alone under [`Profile::ClientGo`].
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.holder
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Time has come, or gone by: does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Now) {
        let (machine, mut cx) = self.split();
        match machine {
            Machine::Strict(machine) => machine.handle_timeout(&mut cx, now),
            Machine::ClientGo(machine) => machine.handle_timeout(&mut cx, now),
        }
    }

    /// The store has answered. An answer to any but the outstanding request, or one after the
    /// request's deadline, is ignored.
    pub fn handle_response(&mut self, now: Now, response: Response) {
        let (machine, mut cx) = self.split();
        match machine {
            Machine::Strict(machine) => machine.handle_response(&mut cx, now, response),
            Machine::ClientGo(machine) => machine.handle_response(&mut cx, now, response),
        }
    }

    /// Asks for an attempt at once, for instance since a watch saw the lock change. Does nothing
    /// while an attempt is under way, nor for a leader whose last renewal succeeded: the change may
    /// be that renewal.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use tenure::election::{Config, Elector, Op};
    /// # use tenure::lock::LockRef;
    /// # use tenure::time::{Instant, Now, Timestamp};
    /// # let timestamp = Timestamp::from_unix(1_700_000_000, 0).unwrap();
    /// let now = Now { instant: Instant::default(), timestamp };
    /// let config = Config::new(LockRef::lease("default", "controller"), "pod-0", "6ba7b810");
    /// let mut elector = Elector::new(config, 1, now.instant + Duration::from_secs(60))?;
    /// elector.handle_timeout(now);
    /// assert!(elector.poll_request().is_none()); // not due for a minute
    /// elector.poke(now);
    /// assert_eq!(elector.poll_request().unwrap().op, Op::Get);
    /// # Ok::<(), tenure::election::ConfigError>(())
    /// ```
    pub fn poke(&mut self, now: Now) {
        let (machine, mut cx) = self.split();
        match machine {
            Machine::Strict(machine) => machine.poke(&mut cx, now),
            Machine::ClientGo(machine) => machine.poke(&mut cx, now),
        }
    }

    /// A watch of the store has shown an object of the lock. Optional: without it, or when it goes
    /// quiet, the elector reads by itself. [`Profile::Strict`] only.
    ///
    /// A candidate waits from the delivery on, as from a read, and does not read while deliveries
    /// come at least every other retry period. It takes what a watch has shown without a read: at
    /// once when the lock is released, else exactly when the wait is over. A leader that is shown a
    /// newer version that names another stops at once; its own renewals do nothing. After
    /// [`Watched::Deleted`] everybody reads at once.
    ///
    /// Late, repeated and reordered deliveries do no harm. Of ordered versions the older are ignored.
    /// Of others it cannot be told what is newer: a candidate may wait longer for it, or write in
    /// vain, and a leader reads. An object of another name or kind is ignored; one that may be either
    /// of two makes everybody read.
    ///
    /// It saves the candidates' reads (1,900 a minute of 100 candidates at a retry period of 2 s, then
    /// none), and a takeover comes after the lease duration and the watch's latency, where polling
    /// takes up to 4.4 retry periods more. The price: all candidates go for a free lock at once, and
    /// all but one of these writes fail. `cargo test --test elector_watch` counts both.
    pub fn handle_watch(&mut self, now: Now, watched: Watched) {
        let (machine, mut cx) = self.split();
        if let Machine::Strict(machine) = machine {
            machine.handle_watch(&mut cx, now, watched);
        }
    }

    /// Asks a leader to hand the lock over to the replica whose [`identity`](Self::identity), or
    /// [`Config::identity`] for whichever incarnation there is, is `to`. Does nothing for one that does
    /// not lead, nor if `to` is its own or empty. [`Profile::Strict`] only.
    ///
    /// The leader says [`Event::StoppedLeading`] and goes on renewing, without leading, until
    /// [`work_stopped`](Self::work_stopped), as if stopped; then it frees the lock, whatever
    /// [`Config::release_on_stop`] says, and takes part again. `to` stands in the object's annotation
    /// `tenure.dev/preferred-holder`: it takes the lock when it sees that, all others, this replica
    /// included, when they have seen it unchanged for this replica's lease duration. So a successor
    /// that died, or never was, costs that long. client-go's candidates do not know the annotation,
    /// and may be first.
    ///
    /// ```
    /// # use tenure::election::{Cause, Config, Elector, Event, Failure, Missing, Op, Response, Stored};
    /// # use tenure::lock::{LockRef, Version};
    /// # use tenure::time::{Now, Timestamp};
    /// # let now = Now { instant: Default::default(), timestamp: Timestamp::GO_ZERO };
    /// # let lock = LockRef::lease("default", "controller");
    /// # let config = Config { missing: Missing::NewGroup, ..Config::new(lock, "pod-0", "6ba7b810") };
    /// # let mut elector = Elector::new(config, 1, now.instant).unwrap();
    /// # elector.handle_timeout(now);
    /// # let mut version = 0;
    /// # let mut store = |op| match op {
    /// #     Op::Get if version == 0 => Err(Failure::NotFound),
    /// #     Op::Get => Err(Failure::Other),
    /// #     Op::Create(object) | Op::Update(object, _) => {
    /// #         version += 1;
    /// #         Ok(Stored { object, version: Version::ordered(version) })
    /// #     }
    /// # };
    /// # while let Some(request) = elector.poll_request() {
    /// #     let result = store(request.op);
    /// #     elector.handle_response(now, Response { id: request.id, result });
    /// # }
    /// # while elector.poll_event().is_some() {}
    /// assert!(elector.is_leading(now.instant));
    /// elector.hand_over(now, "pod-1_9c858901".into());
    /// let stopped = Event::StoppedLeading { cause: Cause::HandedOver };
    /// assert_eq!(elector.poll_event(), Some(stopped));
    /// assert!(!elector.is_leading(now.instant) && !elector.is_finished());
    /// ```
    pub fn hand_over(&mut self, now: Now, to: Identity) {
        let (machine, mut cx) = self.split();
        if let Machine::Strict(machine) = machine {
            machine.hand_over(&mut cx, now, to);
        }
    }

    /// Asks to leave for good (client-go: the context is cancelled).
    ///
    /// A strict leader says [`Event::StoppedLeading`] and goes on renewing, without leading, until
    /// [`work_stopped`](Self::work_stopped); then it releases the lock, if so configured. [`Cause`] has
    /// an example. A candidate has nothing to wind up:
    ///
    /// ```
    /// # use tenure::election::{Config, Elector};
    /// # use tenure::lock::LockRef;
    /// # use tenure::time::{Instant, Now, Timestamp};
    /// # let timestamp = Timestamp::from_unix(1_700_000_000, 0).unwrap();
    /// # let now = Now { instant: Instant::default(), timestamp };
    /// let config = Config::new(LockRef::lease("default", "controller"), "pod-0", "6ba7b810");
    /// let mut elector = Elector::new(config, 1, now.instant)?;
    /// elector.stop(now);
    /// assert!(elector.is_finished() && elector.poll_timeout().is_none());
    /// # Ok::<(), tenure::election::ConfigError>(())
    /// ```
    ///
    /// [`Cause`]: super::Cause
    pub fn stop(&mut self, now: Now) {
        let (machine, mut cx) = self.split();
        match machine {
            Machine::Strict(machine) => machine.stop(&mut cx, now),
            Machine::ClientGo(machine) => machine.stop(&mut cx, now),
        }
    }

    /// The work that [`Event::StoppedLeading`] told to stop has stopped. Until then a strict elector
    /// neither releases the lock nor takes it again. Ignored while leading (see
    /// [`is_leading`](Self::is_leading)), and by [`Profile::ClientGo`].
    pub fn work_stopped(&mut self, now: Now) {
        let (machine, mut cx) = self.split();
        if let Machine::Strict(machine) = machine {
            machine.work_stopped(&mut cx, now);
        }
    }

    /// Strict only: whether, as a candidate, it only looks, since another should have the lock. When
    /// that ends it goes for the lock at once.
    pub(super) fn stand_by(&mut self, now: Now, on: bool) {
        let (machine, mut cx) = self.split();
        if let Machine::Strict(machine) = machine {
            machine.stand_by(&mut cx, now, on);
        }
    }

    /// Strict only: who holds the lock by which ordered version.
    pub(crate) fn held(&self) -> Option<(&Identity, u64)> {
        match &self.machine {
            Machine::Strict(machine) => machine.held(),
            Machine::ClientGo(_) => None,
        }
    }

    /// Strict only: whoever holds the lock by this version has no authority any more.
    pub(crate) fn presume_released(&mut self, now: Now, version: u64) {
        let (machine, mut cx) = self.split();
        if let Machine::Strict(machine) = machine {
            machine.presume_released(&mut cx, now, version);
        }
    }

    /// Strict only: as [`hand_over`](Self::hand_over), to whoever comes first.
    pub(super) fn step_down(&mut self, now: Now) {
        let (machine, mut cx) = self.split();
        if let Machine::Strict(machine) = machine {
            machine.step_down(&mut cx, now);
        }
    }

    /// The next request to send.
    #[must_use]
    pub const fn poll_request(&mut self) -> Option<Request> {
        self.out.take_request()
    }

    /// The next event.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.out.take_event()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) if nothing happens before; `None` if
    /// only an answer, or nothing at all, is awaited.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.machine {
            Machine::Strict(machine) => machine.poll_timeout(&self.config),
            Machine::ClientGo(machine) => machine.poll_timeout(),
        }
    }

    /// Whether this replica may act at `now`.
    ///
    /// Strict: bounded by time, so it is right even before the driver has handled the time-out. Under
    /// [`Profile::ClientGo`] it is client-go's `IsLeader`, which is not bounded.
    #[must_use]
    pub fn is_leading(&self, now: Instant) -> bool {
        match &self.machine {
            Machine::Strict(machine) => machine
                .leading_until()
                .is_some_and(|until| now < until || !self.config.rules.hold(Rule::Clock)),
            Machine::ClientGo(machine) => machine.leads(&self.config, &self.holder),
        }
    }

    /// Until when [`is_leading`](Self::is_leading) answers yes if nothing happens; `None` if it
    /// answers no. The end of time under [`Profile::ClientGo`].
    #[must_use]
    pub fn leading_until(&self) -> Option<Instant> {
        match &self.machine {
            Machine::Strict(machine) => machine.leading_until(),
            Machine::ClientGo(machine) => {
                machine.leads(&self.config, &self.holder).then_some(Instant::END)
            }
        }
    }

    /// Strict only: as [`leading_until`](Self::leading_until), and until when work may wind down that
    /// was told to stop.
    pub(crate) const fn working_until(&self) -> Option<Instant> {
        match &self.machine {
            Machine::Strict(machine) => machine.working_until(),
            Machine::ClientGo(_) => None,
        }
    }

    /// The token of the current term; `None` while this replica does not lead, or if the store's
    /// versions are not ordered. A term that has run out unnoticed still has its token: whether it
    /// may be used is what [`is_leading`](Self::is_leading) says.
    #[must_use]
    pub const fn fencing_token(&self) -> Option<Token> {
        match &self.machine {
            Machine::Strict(machine) => machine.token(),
            Machine::ClientGo(machine) => machine.token(),
        }
    }

    /// Whether this elector has ended: no request will come, and no event but those not fetched yet
    /// (client-go: `Run` has returned). To take part again, make a new one.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        match &self.machine {
            Machine::Strict(machine) => machine.is_finished(),
            Machine::ClientGo(machine) => machine.is_finished(),
        }
    }

    /// Whether a leader that renews too late should be restarted: fails while this replica believes
    /// to lead and its last renewal is older than the lease duration plus `tolerance`.
    ///
    /// client-go's `Check` and its text; a strict leader stops by itself long before.
    ///
    /// # Errors
    /// [`Unhealthy`] as above.
    pub fn check_health(&self, now: Instant, tolerance: Duration) -> Result<(), Unhealthy> {
        let renewed = match &self.machine {
            Machine::Strict(machine) => machine.leading_until().and_then(|_| machine.renewed_at()),
            Machine::ClientGo(machine) if machine.leads(&self.config, &self.holder) => {
                machine.state().observed_time
            }
            Machine::ClientGo(_) => None,
        };
        let limit = self.config.lease_duration.saturating_add(tolerance);
        match renewed {
            Some(at) if now.saturating_since(at) > limit => {
                Err(Unhealthy { name: self.config.lock.name.clone() })
            }
            _ => Ok(()),
        }
    }

    /// For explorers of all states: makes electors equal that will do the same, as far as is easily
    /// seen, but for the ids of their requests and their random waits. All requests and events must
    /// have been fetched. True if a request is outstanding; it then counts as the first.
    #[doc(hidden)]
    pub fn restate(&mut self, mut to: Restatement<'_>) -> bool {
        self.jitter = Jitter::new(0);
        let (machine, cx) = self.split();
        let outstanding = match machine {
            Machine::Strict(machine) => machine.restate(&cx, &mut to),
            Machine::ClientGo(machine) => machine.restate(),
        };
        self.out.recount(outstanding);
        outstanding
    }

    /// What waits to be polled.
    pub(super) const fn outbox(&self) -> &Outbox {
        &self.out
    }

    fn split(&mut self) -> (&mut Machine, Context<'_>) {
        let Self { config, holder, jitter, out, machine } = self;
        (machine, Context { config, holder, jitter, out })
    }
}
