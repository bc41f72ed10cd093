//! Somebody's own rule of election, in place of this library's elector: the same world, the same faults,
//! the same checks.
//!
//! A [`Rule`] is a machine without I/O: [`handle`](Rule::handle) says what happened, the other methods say
//! what it wants. [`World::with_rules`](crate::world::World::with_rules) gives each life of each replica
//! one. The driver sends its calls, keeps their deadlines, and from
//! [`leading_until`](Rule::leading_until) it derives when the replica begins and ceases to believe that it
//! leads. `sim/examples/own_rule.rs` is one, and how it is caught. [`Ruled`] is a rule and a scenario: what
//! sweeps, shrinking and property tests (the feature `proptest`) work on.
//!
//! The scenario's `profile` says what the checks ask: under `strict` work asks for authority before each
//! write, under client-go's profiles it goes on until it is told to stop. For one's own sharding there is
//! [`sharding::System`](crate::sharding::System), for placements [`balance`](crate::balance).

mod ruled;

use core::fmt::Debug;
use core::hash::{Hash, Hasher};
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use tenure::election::{
    Cause, Config, Elector, Event, Failure, Op, Profile, Request, RequestId, Response, Stored,
    Token, Watched,
};
use tenure::lock::lease::{Lease, LeaseSpec, Metadata};
use tenure::lock::{Identity, LockRef, Object, Record, Version};
use tenure::time::{Instant, Now};

pub use ruled::Ruled;

use crate::check::Checks;
use crate::explain::explain;
use crate::scenario::{Scenario, ScenarioError};
use crate::trace::Recorder;
use crate::world::World;

/// The lock as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Seen {
    /// What it says.
    pub record: Record,
    /// To be named by who writes over it.
    pub version: Version,
}

/// What happened to a [`Rule`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Input {
    /// Its time has come, or the process has just begun.
    Timeout,
    /// The answer to its call: the lock as it is now. A call of which nothing was heard until its deadline
    /// is answered with [`Failure::Other`]; it may have taken effect all the same.
    Answer(Result<Seen, Failure>),
    /// A watch showed the lock; `None` if it was deleted.
    Watched(Option<Seen>),
    /// A graceful shutdown: it leads no more, and may make one more call, to give the lock up.
    Stop,
}

/// What a [`Rule`] asks of the store. It has one call at a time: a later one replaces an earlier.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Call {
    /// Read the lock.
    Read,
    /// Make it, which fails with [`Failure::AlreadyExists`] if there is one.
    Create(Record),
    /// Write over this version, which fails with [`Failure::Conflict`] if it is another.
    Update(Record, Version),
}

/// A rule of who leads, for one life of one replica.
pub trait Rule: Debug + Send {
    /// Something happened. `now` is what this replica's clocks show; nobody else's clock agrees with it.
    fn handle(&mut self, now: Now, input: Input);

    /// What to ask of the store.
    fn poll_call(&mut self) -> Option<Call>;

    /// When to be called with [`Input::Timeout`], by this replica's monotonic clock; but 10 ms after the
    /// last such call at the earliest if it asks for what was due then, or this would never end.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Before when it may act, by the same clock; `None` if it does not lead.
    fn leading_until(&self) -> Option<Instant>;
}

/// For whom a [`Rule`] is made.
#[derive(Debug)]
pub struct Newcomer<'a> {
    /// The replica's index.
    pub replica: u32,
    /// The number of its life, from 0.
    pub life: u32,
    /// The name under which it is to hold the lock: no other life has it.
    pub holder: Identity,
    /// The durations, and what else the scenario sets.
    pub config: &'a Config,
    /// For its chance.
    pub seed: u64,
}

/// Runs a scenario with somebody's own rule under all checks, and explains what was found first.
///
/// # Errors
/// As [`World::with_rules`].
pub fn first_violation<R: Rule + 'static>(
    scenario: &Scenario,
    seed: u64,
    rules: impl FnMut(&Newcomer<'_>) -> R + Send + 'static,
) -> Result<Option<String>, ScenarioError> {
    let mut world = World::with_rules(scenario, seed, rules)?;
    let drawn = world.scenario().clone();
    let mut checks = (Checks::for_scenario(&drawn), Recorder::default());
    let found = world.run(&mut checks).violations;
    let first = found.first().map(|first| explain(&drawn, seed, &checks.1.entries, first));
    Ok(first.map(|text| ruled::without_command(&text)))
}

/// Who takes part in the election on a replica.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are the larger one")]
pub(crate) enum Machine {
    Tenure(Elector),
    Own(Box<Own>),
}

/// An elector hashes as it did before there were others; what another rule keeps to itself is not looked
/// at, only what it does.
impl Hash for Machine {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Tenure(elector) => elector.hash(state),
            Self::Own(own) => (own.ids, own.rule.leading_until()).hash(state),
        }
    }
}

macro_rules! each {
    ($machine:expr, $it:ident => $what:expr) => {
        match $machine {
            Machine::Tenure($it) => $what,
            Machine::Own($it) => $what,
        }
    };
}

impl Machine {
    pub(crate) const fn tenure(&self) -> Option<&Elector> {
        match self {
            Self::Tenure(elector) => Some(elector),
            Self::Own(_) => None,
        }
    }

    /// Whether an answer at the very deadline is in time, as client-go has it.
    pub(crate) fn takes_at_deadline(&self) -> bool {
        let profile = self.tenure().map(|elector| elector.config().profile);
        matches!(profile, Some(Profile::ClientGo(_)))
    }

    pub(crate) fn identity(&self) -> &Identity {
        each!(self, it => it.identity())
    }

    pub(crate) fn handle_timeout(&mut self, now: Now) {
        each!(self, it => it.handle_timeout(now));
    }

    pub(crate) fn handle_response(&mut self, now: Now, response: Response) {
        each!(self, it => it.handle_response(now, response));
    }

    pub(crate) fn handle_watch(&mut self, now: Now, watched: Watched) {
        each!(self, it => it.handle_watch(now, watched));
    }

    /// Another rule knows nothing of that.
    pub(crate) fn hand_over(&mut self, now: Now, to: Identity) {
        if let Self::Tenure(elector) = self {
            elector.hand_over(now, to);
        }
    }

    pub(crate) fn stop(&mut self, now: Now) {
        each!(self, it => it.stop(now));
    }

    pub(crate) fn work_stopped(&mut self, now: Now) {
        if let Self::Tenure(elector) = self {
            elector.work_stopped(now);
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        each!(self, it => it.poll_event())
    }

    pub(crate) fn poll_request(&mut self) -> Option<Request> {
        each!(self, it => it.poll_request())
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        each!(self, it => it.poll_timeout())
    }

    pub(crate) fn leading_until(&self) -> Option<Instant> {
        each!(self, it => it.leading_until())
    }

    pub(crate) fn is_leading(&self, now: Instant) -> bool {
        each!(self, it => it.is_leading(now))
    }

    pub(crate) fn fencing_token(&self) -> Option<Token> {
        each!(self, it => it.fencing_token())
    }

    pub(crate) fn is_finished(&self) -> bool {
        each!(self, it => it.is_finished())
    }
}

/// See [`Rule::poll_timeout`].
const BREATH: Duration = Duration::from_millis(10);

/// Somebody's rule, driven as an elector is.
#[derive(Debug)]
pub(crate) struct Own {
    rule: Box<dyn Rule>,
    /// When its time had come.
    woken: Option<Instant>,
    holder: Identity,
    lock: Arc<LockRef>,
    timeout: Option<Duration>,
    ids: u64,
    /// The call under way, and its deadline.
    outstanding: Option<(RequestId, Option<Instant>, bool)>,
    /// The lock as it was read last: what else is in it stays.
    lease: Option<Lease>,
    /// The version of the last write of which it knows.
    wrote: Option<u64>,
    believes: bool,
    /// The token of its term.
    token: Option<u64>,
    stopped: bool,
    events: VecDeque<Event>,
    request: Option<Request>,
}

impl Own {
    pub(crate) fn new(rule: Box<dyn Rule>, config: &Config, holder: Identity) -> Self {
        Self {
            rule,
            woken: None,
            holder,
            lock: Arc::new(config.lock.clone()),
            timeout: config.request_timeout,
            ids: 0,
            outstanding: None,
            lease: None,
            wrote: None,
            believes: false,
            token: None,
            stopped: false,
            events: VecDeque::new(),
            request: None,
        }
    }

    const fn identity(&self) -> &Identity {
        &self.holder
    }

    fn handle_timeout(&mut self, now: Now) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now.instant);
        if self.outstanding.take_if(|(_, deadline, _)| due(*deadline)).is_some() {
            self.rule.handle(now, Input::Answer(Err(Failure::Other)));
        }
        if self.ids == 0 || due(self.wants()) {
            self.woken = Some(now.instant);
            self.rule.handle(now, Input::Timeout);
        }
        self.settle(now);
    }

    fn handle_response(&mut self, now: Now, response: Response) {
        let Some((_, deadline, write)) = self.outstanding.take_if(|it| it.0 == response.id) else {
            return; // replaced, or given up
        };
        let late = deadline.is_some_and(|deadline| deadline <= now.instant);
        let result = if late { Err(Failure::Other) } else { response.result };
        if let (Ok(stored), true) = (&result, write) {
            self.wrote = stored.version.as_ordered();
        }
        let seen = result.and_then(|stored| self.seen(stored));
        self.rule.handle(now, Input::Answer(seen));
        self.settle(now);
    }

    fn handle_watch(&mut self, now: Now, watched: Watched) {
        let seen = match watched {
            Watched::Stored(stored) => self.seen(stored).ok(),
            Watched::Deleted => None,
        };
        self.rule.handle(now, Input::Watched(seen));
        self.settle(now);
    }

    fn seen(&mut self, stored: Stored) -> Result<Seen, Failure> {
        let record = stored.object.record().map_err(|_| Failure::Other)?;
        if let Object::Lease(lease) = stored.object {
            self.lease = Some(lease);
        }
        Ok(Seen { record, version: stored.version })
    }

    fn stop(&mut self, now: Now) {
        self.stopped = true;
        self.rule.handle(now, Input::Stop);
        self.settle(now);
    }

    /// What it wants now, and whether it believes.
    fn settle(&mut self, now: Now) {
        let leads = self.is_leading(now.instant);
        match (leads, core::mem::replace(&mut self.believes, leads)) {
            (true, false) => {
                self.token = self.wrote;
                let token = self.wrote.map(Token::from_u64);
                self.events.push_back(Event::StartedLeading { token });
            }
            (false, true) => {
                self.token = None;
                let cause = if self.stopped { Cause::Stopped } else { Cause::Expired };
                self.events.push_back(Event::StoppedLeading { cause });
            }
            _ => {}
        }
        let Some(call) = self.rule.poll_call() else { return };
        let id = RequestId::from_u64(self.ids);
        self.ids += 1;
        let write = call != Call::Read;
        let op = match call {
            Call::Read => Op::Get,
            Call::Create(record) => Op::Create(self.object(None, &record)),
            Call::Update(record, over) => {
                Op::Update(self.object(self.lease.clone(), &record), over)
            }
        };
        let deadline = self.timeout.map(|timeout| now.instant + timeout);
        self.outstanding = Some((id, deadline, write));
        self.request = Some(Request { id, lock: Arc::clone(&self.lock), op, deadline });
    }

    fn object(&self, over: Option<Lease>, record: &Record) -> Object {
        let mut lease = over.unwrap_or_else(|| {
            let (namespace, name) = (self.lock.namespace.clone(), self.lock.name.clone());
            let metadata = Metadata { namespace, name, ..Metadata::default() };
            Lease { metadata: metadata.into(), ..Lease::default() }
        });
        lease.spec = LeaseSpec::from_record(record);
        Object::Lease(lease)
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    const fn poll_request(&mut self) -> Option<Request> {
        self.request.take()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let deadline = self.outstanding.and_then(|(_, deadline, _)| deadline);
        let ends = self.leading_until().filter(|_| self.believes);
        let wants = self.wants().filter(|_| !self.stopped);
        [deadline, ends, wants].into_iter().flatten().min()
    }

    fn wants(&self) -> Option<Instant> {
        let at = self.rule.poll_timeout()?;
        Some(self.woken.filter(|woken| at <= *woken).map_or(at, |woken| woken + BREATH))
    }

    fn leading_until(&self) -> Option<Instant> {
        self.rule.leading_until().filter(|_| !self.stopped)
    }

    fn is_leading(&self, now: Instant) -> bool {
        self.leading_until().is_some_and(|until| now < until)
    }

    fn fencing_token(&self) -> Option<Token> {
        self.token.map(Token::from_u64)
    }

    /// It was told to stop, and its last call is over.
    const fn is_finished(&self) -> bool {
        self.stopped && self.outstanding.is_none()
    }
}
