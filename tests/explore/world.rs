//! The world that is explored: a few electors, a store, and all that can go wrong between them.
//!
//! Time goes in ticks; at each tick the clock of replica i advances by its rate, in seconds. Nothing
//! else takes time, and between two ticks anything may happen in any order. Requests and answers
//! that are never delivered are lost ones, so there is no step for loss; delay is unbounded.

use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::time::Duration;

use tenure::election::{
    Config, Elector, Event, Failure, Op, Profile, RequestId, Response, Restatement, Stored, Token,
    Watched,
};
use tenure::lock::lease::{Lease, LeaseSpec, Metadata};
use tenure::lock::{Identity, LockRef, Object, Record, Version};
use tenure::time::{Instant, Now, Timestamp};

use super::laws;
use super::rules::{Faults, Lock, Network, Rules};
use super::tell;

/// What the objects are called.
const PLACES: [&str; 2] = ["lock", "lock-2"];

/// What a strict elector's clock shows after each step: far from the ends of time.
pub(crate) const SHOWN: u64 = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Tick,
    Timeout(u8),
    Poke(u8),
    /// The store executes the request.
    Apply(u8),
    /// The answer arrives.
    Answer(u8),
    /// A request that was given up is executed after all.
    Late(u8),
    Stop(u8),
    WorkStopped(u8),
    Crash(u8),
    Pause(u8),
    Resume(u8),
    Delete(u8),
    HandOver(u8),
    /// A watch shows a replica an object as it is.
    Show(u8, u8),
    /// As it was before the last write.
    ShowOld(u8, u8),
    /// That it was deleted, whether it was or not.
    ShowDeleted(u8),
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) rules: Rc<Rules>,
    pub(crate) replicas: Vec<Replica>,
    /// The two objects that may carry a lock.
    pub(crate) store: [Option<Stored>; 2],
    /// What they were before the last write, for as long as a watch may show it.
    pub(crate) old: [Option<Stored>; 2],
    pub(crate) next_version: u64,
    /// Writes that their senders have given up.
    pub(crate) orphans: Vec<(Writer, Call)>,
    pub(crate) faults: Faults,
    pub(crate) last_token: u64,
    /// For people; not part of the state.
    pub(crate) ticks: u64,
    pub(crate) note: Option<String>,
}

#[derive(Debug, Clone, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "what a driver knows, item by item")]
pub(crate) struct Replica {
    pub(crate) elector: Elector,
    pub(crate) clock: u64,
    pub(crate) flight: Option<Flight>,
    /// Between `StartedLeading` and `StoppedLeading`.
    pub(crate) believes: bool,
    /// Between `StartedLeading` and `work_stopped`.
    pub(crate) working: bool,
    pub(crate) paused: bool,
    stopped: bool,
    outstanding: bool,
    life: u8,
}

#[derive(Debug, Clone, Hash)]
pub(crate) struct Call {
    /// Which object.
    pub(crate) place: usize,
    pub(crate) op: Op,
}

#[derive(Debug, Clone, Hash)]
pub(crate) enum Flight {
    Sent(Call),
    Answered(Result<Stored, Failure>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    pub(crate) replica: usize,
    pub(crate) identity: Identity,
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.replicas.hash(state);
        self.store.hash(state);
        self.old.hash(state);
        self.orphans.hash(state);
        self.faults.hash(state);
        self.last_token.hash(state);
    }
}

/// The id of an elector's outstanding request: each is restated to be its first.
fn first_id() -> RequestId {
    let config = Config::new(LockRef::lease("", "lock"), "x", "0");
    let mut elector = Elector::unchecked(config, 0, Instant::default());
    elector.poke(Now { instant: Instant::default(), timestamp: Timestamp::GO_ZERO });
    elector.poll_request().unwrap().id
}

pub(crate) fn instant(seconds: u64) -> Instant {
    Instant::default() + Duration::from_secs(seconds)
}

impl Replica {
    fn new(rules: &Rules, index: usize, life: u8, clock: u64) -> Self {
        let name = ["a", "b", "c"][index];
        let place = |place: usize| LockRef::lease("", PLACES[place]);
        let (lock, secondary) = match rules.locks.get(index) {
            None | Some(Lock::First) => (place(0), None),
            Some(Lock::Both) => (place(0), Some(place(1))),
            Some(Lock::Second) => (place(1), None),
        };
        let config = Config {
            lease_duration: rules.lease,
            renew_deadline: Duration::from_secs(rules.deadline),
            retry_period: rules.retry,
            request_timeout: rules.request_timeout,
            release_on_stop: rules.release,
            missing: rules.missing,
            profile: rules.profile,
            secondary,
            preferred: rules.preferred && index == 1,
            ..Config::new(lock, name, life.to_string())
        };
        Self {
            elector: Elector::unchecked(config, 0, instant(clock)),
            clock,
            flight: None,
            believes: false,
            working: false,
            paused: false,
            stopped: false,
            outstanding: false,
            life,
        }
    }

    fn is_strict(&self) -> bool {
        self.elector.config().profile == Profile::Strict
    }

    pub(crate) fn leads(&self) -> bool {
        self.is_strict() && self.elector.is_leading(instant(self.clock))
    }

    fn due(&self) -> bool {
        self.elector.poll_timeout().is_some_and(|due| due <= instant(self.clock))
    }

    /// A process that runs handles the end of authority in time; client-go's timers all are its
    /// leader's, else each would be a violation.
    fn must_act(&self) -> bool {
        let until = self.elector.leading_until();
        let overdue = until.is_some_and(|until| until <= instant(self.clock));
        self.believes && !self.paused && if self.is_strict() { overdue } else { self.due() }
    }
}

impl World {
    pub(crate) fn new(rules: Rules) -> Self {
        let clock = if rules.profile == Profile::Strict { SHOWN } else { 0 };
        let replicas =
            (0..rules.rates.len()).map(|index| Replica::new(&rules, index, 1, clock)).collect();
        let free = |version: u64| Stored {
            object: Object::Lease(Lease {
                spec: LeaseSpec::from_record(&Record::default()),
                metadata: Metadata {
                    name: PLACES[usize::from(version > 1)].into(),
                    ..Metadata::default()
                }
                .into(),
            }),
            version: Version::ordered(version),
        };
        Self {
            replicas,
            store: [Some(free(1)).filter(|_| rules.free), Some(free(2)).filter(|_| rules.two())],
            old: [None, None],
            next_version: if rules.two() { 3 } else { 2 },
            orphans: Vec::new(),
            faults: rules.faults,
            last_token: 0,
            ticks: 0,
            note: None,
            rules: Rc::new(rules),
        }
    }

    /// All steps that may come next.
    pub(crate) fn steps(&self, out: &mut Vec<Step>) {
        out.clear();
        let hurried = |replica: &Replica| match (self.rules.network, &replica.flight) {
            (Network::Slow, _) | (_, None) | (Network::Lossy, Some(Flight::Sent(_))) => false,
            (Network::Prompt | Network::Lossy, Some(_)) => !replica.paused,
        };
        let urgent = |replica| Replica::must_act(replica) || hurried(replica);
        if !self.replicas.iter().any(urgent) {
            out.push(Step::Tick);
        }
        for (i, replica) in (0u8..).zip(&self.replicas) {
            if let Some(Flight::Sent(_)) = replica.flight {
                out.push(Step::Apply(i));
            }
            if replica.paused {
                out.push(Step::Resume(i));
                continue;
            }
            let finished = replica.elector.is_finished();
            if replica.due() {
                out.push(Step::Timeout(i));
            } else if !replica.outstanding && !replica.believes && !finished {
                out.push(Step::Poke(i));
            }
            if let Some(Flight::Answered(_)) = replica.flight {
                out.push(Step::Answer(i));
            }
            if replica.working && !replica.believes && replica.is_strict() {
                out.push(Step::WorkStopped(i));
            }
            if self.faults.stops > 0 && !replica.stopped {
                out.push(Step::Stop(i));
            }
            if self.faults.hand_overs > 0 && replica.believes {
                out.push(Step::HandOver(i));
            }
            // A candidate may be slow without a step for it, and one that asked for nothing is as new.
            if self.faults.crashes > 0 && (replica.working || replica.outstanding) {
                out.push(Step::Crash(i));
            }
            if self.faults.pauses > 0 && replica.believes {
                out.push(Step::Pause(i));
            }
        }
        if self.rules.watch {
            self.shows(out);
        }
        out.extend((0u8..).zip(&self.orphans).map(|(i, _)| Step::Late(i)));
        for (i, stored) in (0u8..).zip(&self.store) {
            if self.faults.deletions > 0 && stored.is_some() {
                out.push(Step::Delete(i));
            }
        }
    }

    fn shows(&self, out: &mut Vec<Step>) {
        let replicas = (0u8..).zip(&self.replicas);
        for (i, _) in replicas.filter(|(_, it)| !it.paused && !it.elector.is_finished()) {
            for place in 0..2 {
                if self.store[usize::from(place)].is_some() {
                    out.push(Step::Show(i, place));
                }
                if self.old[usize::from(place)].is_some() {
                    out.push(Step::ShowOld(i, place));
                }
            }
            if self.faults.late_shows > 0 {
                out.push(Step::ShowDeleted(i));
            }
        }
    }

    fn show(&mut self, i: u8, stored: Option<Stored>) -> Result<(), String> {
        let watched = stored.map_or(Watched::Deleted, Watched::Stored);
        self.call(i.into(), |elector, now| elector.handle_watch(now, watched))
    }

    /// # Errors
    /// The property that does not hold afterwards.
    pub(crate) fn step(&mut self, step: Step) -> Result<(), String> {
        if self.note.is_some() {
            self.note = Some(self.describe(step));
        }
        match step {
            Step::Tick => self.tick()?,
            Step::Timeout(i) => self.call(i.into(), Elector::handle_timeout)?,
            Step::Poke(i) => self.call(i.into(), Elector::poke)?,
            Step::WorkStopped(i) => {
                self.replicas[usize::from(i)].working = false;
                self.call(i.into(), Elector::work_stopped)?;
            }
            Step::Stop(i) => {
                self.faults.stops -= 1;
                self.replicas[usize::from(i)].stopped = true;
                self.call(i.into(), Elector::stop)?;
            }
            Step::Apply(i) => self.apply_flight(i.into())?,
            Step::Answer(i) => {
                let Some(Flight::Answered(result)) = self.replicas[usize::from(i)].flight.take()
                else {
                    return Err("no answer".into());
                };
                let response = Response { id: first_id(), result };
                self.call(i.into(), |elector, now| elector.handle_response(now, response))?;
            }
            Step::Late(k) => {
                let (writer, call) = self.orphans.remove(k.into());
                let _ = self.apply(&writer, call)?;
            }
            Step::Crash(i) => self.crash(i.into()),
            Step::Pause(i) => {
                self.faults.pauses -= 1;
                self.replicas[usize::from(i)].paused = true;
            }
            Step::Resume(i) => {
                self.replicas[usize::from(i)].paused = false;
                self.act(i.into())?;
            }
            Step::Delete(place) => {
                self.faults.deletions -= 1;
                self.store[usize::from(place)] = None;
            }
            Step::HandOver(i) => {
                self.faults.hand_overs -= 1;
                let other = (usize::from(i) + 1) % self.replicas.len();
                let to = self.replicas[other].elector.identity().clone();
                self.call(i.into(), |elector, now| elector.hand_over(now, to))?;
            }
            Step::Show(i, place) => {
                self.show(i, self.store[usize::from(place)].clone())?;
            }
            Step::ShowOld(i, place) => {
                self.faults.late_shows -= 1;
                self.show(i, self.old[usize::from(place)].clone())?;
            }
            Step::ShowDeleted(i) => {
                self.faults.late_shows -= 1;
                self.show(i, None)?;
            }
        }
        self.merge();
        laws::hold(self)
    }

    fn tick(&mut self) -> Result<(), String> {
        self.ticks += 1;
        for (replica, rate) in self.replicas.iter_mut().zip(&self.rules.rates) {
            replica.clock += rate;
            if self.rules.network == Network::Lossy {
                replica.flight.take_if(|flight| matches!(flight, Flight::Sent(_)));
            }
        }
        (0..self.replicas.len()).try_for_each(|i| self.act(i))
    }

    /// What a running process does by itself.
    fn act(&mut self, i: usize) -> Result<(), String> {
        if self.replicas[i].must_act() {
            self.call(i, Elector::handle_timeout)?;
        }
        Ok(())
    }

    fn crash(&mut self, i: usize) {
        self.faults.crashes -= 1;
        let life = self.replicas[i].life + 1;
        let next = Replica::new(&self.rules, i, life, self.replicas[i].clock);
        let old = std::mem::replace(&mut self.replicas[i], next);
        self.give_up(i, old.flight, old.elector.identity());
    }

    /// The wall clock shows another time than the one in the record, so that it need not be part of
    /// the state.
    fn now(&self, i: usize) -> Now {
        let clock = self.replicas[i].clock;
        let shown = |seconds: i64| {
            let mut stored = self.store.iter().flatten();
            stored.any(|stored| {
                let time = stored.object.record().unwrap().renew_time;
                time.is_some_and(|time| (seconds..seconds + 5).contains(&time.unix_seconds()))
            })
        };
        let other = [1_000, 1_010, 1_020].into_iter().find(|seconds| !shown(*seconds)).unwrap();
        let timestamp = match self.rules.profile {
            Profile::Strict => Timestamp::from_unix(other, 0).unwrap(),
            Profile::ClientGo(_) => {
                Timestamp::from_unix(1_000_000 + i64::try_from(clock).unwrap(), 0).unwrap()
            }
        };
        Now { instant: instant(clock), timestamp }
    }

    /// Calls the elector, then does what the contract asks of a driver.
    fn call(&mut self, i: usize, door: impl FnOnce(&mut Elector, Now)) -> Result<(), String> {
        let now = self.now(i);
        door(&mut self.replicas[i].elector, now);
        while let Some(event) = self.replicas[i].elector.poll_event() {
            self.event(i, &event)?;
        }
        let request = self.replicas[i].elector.poll_request();
        let outstanding = self.replicas[i].restate();
        if request.is_some() || !outstanding {
            let flight = self.replicas[i].flight.take();
            let identity = self.replicas[i].elector.identity().clone();
            self.give_up(i, flight, &identity);
        }
        if let Some(request) = request {
            let place = usize::from(*request.lock.name != *PLACES[0]);
            let call = Call { place, op: request.op };
            if let Some(note) = &mut self.note {
                write!(note, "; asks {}", tell::call(&call)).unwrap();
            }
            self.replicas[i].flight = Some(Flight::Sent(call));
        }
        let replica = &self.replicas[i];
        let idle = !outstanding && replica.elector.poll_timeout().is_none();
        let winding_down = replica.stopped && replica.working;
        if idle && !replica.elector.is_finished() && !winding_down {
            return Err(format!("{} waits for nothing", replica.elector.identity()));
        }
        Ok(())
    }

    fn event(&mut self, i: usize, event: &Event) -> Result<(), String> {
        if let Some(note) = &mut self.note {
            match event {
                Event::StartedLeading { .. } => note.push_str("; STARTED LEADING"),
                Event::StoppedLeading { cause } => write!(note, "; stopped ({cause:?})").unwrap(),
                _ => {}
            }
        }
        let replica = &mut self.replicas[i];
        match event {
            Event::StartedLeading { token } => {
                let token = token.map_or(0, Token::as_u64);
                if replica.is_strict() && (replica.believes || replica.working) {
                    return Err("a term begins before the work of the last has stopped".into());
                }
                if replica.is_strict() && token <= self.last_token {
                    return Err(laws::TOKEN.into());
                }
                self.last_token = token;
                (replica.believes, replica.working) = (true, true);
            }
            Event::StoppedLeading { .. } => {
                if replica.is_strict() && !replica.believes {
                    return Err("stopped without having started".into());
                }
                replica.believes = false;
            }
            Event::NewLeader { .. } | Event::ForeignWrite { .. } | Event::Endangered { .. } => {}
        }
        Ok(())
    }

    fn give_up(&mut self, i: usize, flight: Option<Flight>, identity: &Identity) {
        if let (true, Some(Flight::Sent(call))) = (self.rules.late_writes, flight) {
            self.orphans.push((Writer { replica: i, identity: identity.clone() }, call));
        }
    }

    fn apply_flight(&mut self, i: usize) -> Result<(), String> {
        let Some(Flight::Sent(call)) = self.replicas[i].flight.take() else {
            return Err("no request".into());
        };
        let identity = self.replicas[i].elector.identity().clone();
        let result = self.apply(&Writer { replica: i, identity }, call)?;
        self.replicas[i].flight = Some(Flight::Answered(result));
        Ok(())
    }

    fn apply(&mut self, writer: &Writer, call: Call) -> Result<Result<Stored, Failure>, String> {
        let place = &self.store[call.place];
        let before = place.as_ref().map(|stored| stored.object.record().unwrap());
        let object = match (call.op, place) {
            (Op::Get, stored) => return Ok(stored.clone().ok_or(Failure::NotFound)),
            (Op::Create(_), Some(_)) => return Ok(Err(Failure::AlreadyExists)),
            (Op::Update(..), None) => return Ok(Err(Failure::NotFound)),
            (Op::Update(_, version), Some(stored)) if version != stored.version => {
                return Ok(Err(Failure::Conflict));
            }
            (Op::Create(object) | Op::Update(object, _), _) => object,
        };
        laws::write(self, writer, before.as_ref(), &object.record().unwrap())?;
        let stored = Stored { object, version: Version::ordered(self.next_version) };
        self.next_version += 1;
        let old = self.store[call.place].replace(stored.clone());
        if self.faults.late_shows > 0 {
            self.old[call.place] = old;
        }
        Ok(Ok(stored))
    }
}

impl Replica {
    fn restate(&mut self) -> bool {
        let now = instant(self.clock);
        let rename = &mut Version::clone;
        self.outstanding = self.elector.restate(Restatement { now, shown: now, rename });
        self.outstanding
    }
}
