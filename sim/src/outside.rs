//! Everything outside the replicas: the queue, messages under way, API servers and store, the
//! guarded resource, and the log.

mod faults;
mod left_out;
mod watch;

use std::sync::Arc;

use tenure::election::{Failure, Op, Request, Response, Stored, Watched};
use tenure::lock::{Identity, Kind};

use crate::distribution::Distribution;
use crate::fault::{Code, Edit, Outage};
use crate::guarded::{Resource, Write};
use crate::left_out::Duty;
use crate::log::Log;
use crate::net::{Fate, LinkId, Net, Way};
use crate::queue::{Queue, Slab};
use crate::rng::{Draw, mix};
use crate::scenario::Scenario;
use crate::store::{Answer, Call, Store};
use crate::time::{SimTime, Span};
use crate::trace::{Actor, Reply, Snapshot, Verb, What};
use crate::world::FaultEffect;
pub(crate) use faults::{Errors, Lag};
use faults::{Past, failure, is_write, writes};
use left_out::LeftOut;
use watch::Watch;

/// The lock of the election.
pub(crate) const NAMESPACE: &str = "default";
/// Its name.
pub(crate) const LOCK: &str = "lock";

/// What the queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A replica's timer, if its generation is still the replica's.
    Timer { replica: u32, generation: u32 },
    /// A message is where it was sent.
    Arrive(u32),
    /// A request takes effect in the store.
    Commit(u32),
    /// An answer leaves an API server.
    Leave { api: u32, message: u32 },
    /// A process starts, if the replica has still had this many lives.
    Start { replica: u32, lives: u32 },
    /// A slow process comes to what it has to do.
    Attend { replica: u32, lives: u32 },
    /// A planned fault begins.
    Begin(u32),
    /// A planned fault is over.
    End(u32),
    /// A wall clock jumps, by a fault that goes on.
    Strobe(u32),
    /// A replica's watch that was not there, or broke, is begun anew if it still is not there.
    Rewatch { replica: u32, object: Kind, connection: u32 },
    /// A step of a rollout.
    Roll { rollout: u32, replica: u32 },
    /// Everything heals.
    Heal,
    /// The run is over.
    Horizon,
}

/// Who a message is from or to: a replica and its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) replica: u32,
    pub(crate) life: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) who: Who,
    pub(crate) body: Body,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Request { api: u32, request: Box<Request>, luck: u64 },
    Answer { response: Box<Response>, reply: Reply },
    Call { api: u32, id: u64, call: Box<Call>, luck: u64 },
    CallAnswer { id: u64, answer: Box<Result<Answer, Failure>> },
    Write { write: Write, sent: SimTime, answer: bool },
    Written { write: Write, accepted: bool },
    Watch { api: u32, object: Kind, connection: u32 },
    Shown { object: Kind, connection: u32, watched: Box<Watched> },
}

#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) now: SimTime,
    pub(crate) queue: Queue<Event>,
    pub(crate) messages: Slab<Message>,
    pub(crate) net: Net,
    pub(crate) store: Store,
    pub(crate) resource: Resource,
    pub(crate) log: Log,
    pub(crate) effects: Vec<FaultEffect>,
    /// Faults of the store that are on.
    pub(crate) outages: Vec<(u32, Option<u32>, Outage)>,
    pub(crate) slow: Vec<(u32, Distribution, Distribution)>,
    pub(crate) errors: Vec<Errors>,
    /// Messages that are held up by faults, in the order of their sending.
    held: Vec<(LinkId, Fate, Message)>,
    /// Faults by which API servers lag behind, and what the lock's objects were.
    pub(crate) lags: Vec<Lag>,
    past: Option<Past>,
    before: Distribution,
    after: Distribution,
    error_ppm: u32,
    /// The name under which each replica holds the lock now.
    pub(crate) names: Vec<Identity>,
    last_holder: Identity,
    watches: Vec<Watch>,
    rewatch: Span,
    /// Faults that silence a replica's watches.
    stalls: Vec<(u32, u32)>,
    left_out: LeftOut,
}

impl Outside {
    pub(crate) fn new(scenario: &Scenario, seed: u64) -> Self {
        let rules = &scenario.store;
        let mut store = Store::new(rules);
        let restores = scenario.faults.iter().any(|planned| planned.fault.kind() == "edit");
        if restores {
            store.remember();
        }
        if let Some(initial) = &rules.initial {
            store.seed(scenario.lock.primary(), LOCK, NAMESPACE, initial);
        }
        let mut outside = Self {
            now: SimTime::ZERO,
            queue: Queue::default(),
            messages: Slab::default(),
            net: Net::new(scenario, seed),
            store,
            resource: Resource::new(scenario.work.accept_unfenced),
            log: Log::default(),
            effects: vec![FaultEffect::default(); scenario.faults.len()],
            outages: Vec::new(),
            slow: Vec::new(),
            errors: Vec::new(),
            held: Vec::new(),
            lags: Vec::new(),
            past: None,
            before: rules.before,
            after: rules.after,
            error_ppm: rules.error_ppm,
            names: vec![Identity::default(); scenario.replicas.len()],
            last_holder: Identity::default(),
            watches: Vec::new(),
            rewatch: scenario.network.rewatch,
            stalls: Vec::new(),
            left_out: LeftOut::of(scenario),
        };
        outside.remember(&scenario.faults);
        outside
    }

    pub(crate) fn emit(&mut self, what: What) {
        let follows = self.log.emit(self.now, what, self.queue.cause());
        self.queue.set_cause(follows);
    }

    /// From now on nothing goes wrong by chance.
    pub(crate) fn calm(&mut self) {
        self.net.calm();
        self.error_ppm = 0;
    }

    /// A fault changed something.
    pub(crate) fn blame(&mut self, fault: u32) {
        blame(&mut self.effects, &mut self.log, fault);
    }

    /// What becomes of the next message on a link.
    fn fate(&mut self, link: Option<LinkId>) -> Fate {
        let Self { net, effects, log, .. } = self;
        let fate = link
            .map_or_else(Fate::default, |link| net.send(link, |fault| blame(effects, log, fault)));
        self.log.statistics.lost += u64::from(fate.takes.is_none());
        fate
    }

    /// Sends a message on a link: it arrives, waits there or gets lost, or its sender hears an error.
    fn post(&mut self, link: Option<LinkId>, fate: Fate, message: Message) {
        match (fate.way, link) {
            (Way::Held, Some(link)) => self.held.push((link, fate, message)),
            (Way::Reset, _) => self.reset(fate, message),
            _ => self.forward(fate, message),
        }
    }

    fn forward(&mut self, fate: Fate, message: Message) {
        if let Some(takes) = fate.again {
            let double = self.messages.insert(message.clone());
            self.queue.push(self.now + takes, Event::Arrive(double));
        }
        if let Some(takes) = fate.takes {
            let message = self.messages.insert(message);
            self.queue.push(self.now + takes, Event::Arrive(message));
        }
    }

    /// An elector sends a request.
    pub(crate) fn send_request(&mut self, who: Who, api: u32, request: Box<Request>) {
        let link = self.net.request(who.replica, api);
        let fate = self.fate(link);
        let body = Body::Request { api, request, luck: fate.luck };
        self.post(link, fate, Message { who, body });
    }

    /// A program sends a call.
    pub(crate) fn send_call(&mut self, who: Who, api: u32, id: u64, call: Box<Call>) {
        let link = self.net.request(who.replica, api);
        let fate = self.fate(link);
        let body = Body::Call { api, id, call, luck: fate.luck };
        self.post(link, fate, Message { who, body });
    }

    /// A program writes to the guarded resource.
    pub(crate) fn send_write(&mut self, who: Who, write: Write, answer: bool) {
        let link = self.net.write(who.replica);
        let fate = self.fate(link);
        let body = Body::Write { write, sent: self.now, answer };
        self.post(link, fate, Message { who, body });
    }

    /// A message has reached an API server or the resource.
    pub(crate) fn arrive(&mut self, message: Message) {
        let Message { who, body } = message;
        match body {
            Body::Write { write, sent, answer } => self.written(who, write, sent, answer),
            Body::Request { api, luck, .. } | Body::Call { api, luck, .. } => {
                let message = Message { who, body };
                if let Some(how) = self.outage(api) {
                    if how == Outage::Refuse {
                        self.refuse(message, Code::Internal);
                    }
                } else if let Some(code) = self.refused(luck, writes(&message.body)) {
                    self.refuse(message, code);
                } else {
                    let wait = self.wait_before(luck);
                    if wait.is_zero() {
                        self.commit(message);
                    } else {
                        let message = self.messages.insert(message);
                        self.queue.push(self.now + wait, Event::Commit(message));
                    }
                }
            }
            Body::Watch { api, object, connection } => self.opened(who, api, object, connection),
            Body::Answer { .. }
            | Body::CallAnswer { .. }
            | Body::Written { .. }
            | Body::Shown { .. } => {} // for replicas
        }
    }

    fn written(&mut self, who: Who, write: Write, sent: SimTime, answer: bool) {
        let accepted = self.resource.write(&write);
        let Write { key, token, .. } = write;
        let Who { replica, life } = who;
        self.emit(What::GuardedWrite { replica, life, key, token, sent, accepted });
        if answer {
            let link = self.net.written(replica);
            let fate = self.fate(link);
            let body = Body::Written { write, accepted };
            self.post(link, fate, Message { who, body });
        }
    }

    fn outage(&mut self, api: u32) -> Option<Outage> {
        let hit = |outage: &&(u32, Option<u32>, Outage)| outage.1.is_none_or(|out| out == api);
        let (fault, _, how) = *self.outages.iter().find(hit)?;
        self.blame(fault);
        Some(how)
    }

    fn wait_before(&mut self, luck: u64) -> Span {
        let mut wait = self.before.draw(mix(luck, Draw::Before));
        for index in 0..self.slow.len() {
            let Some((fault, before, _)) = self.slow.get(index).copied() else { break };
            let more = before.draw(mix(luck, Draw::SlowBefore));
            if !more.is_zero() {
                self.blame(fault);
                wait = wait + more;
            }
        }
        wait
    }

    fn wait_after(&mut self, luck: u64) -> Span {
        let mut wait = self.after.draw(mix(luck, Draw::After));
        for index in 0..self.slow.len() {
            let Some((fault, _, after)) = self.slow.get(index).copied() else { break };
            let more = after.draw(mix(luck, Draw::SlowAfter));
            if !more.is_zero() {
                self.blame(fault);
                wait = wait + more;
            }
        }
        wait
    }

    fn respond(&mut self, who: Who, api: u32, after: Span, body: Body) {
        let message = Message { who, body };
        if after.is_zero() {
            self.leave(api, message);
        } else {
            let message = self.messages.insert(message);
            self.queue.push(self.now + after, Event::Leave { api, message });
        }
    }

    /// An answer leaves an API server: only now it meets the network as it is.
    pub(crate) fn leave(&mut self, api: u32, message: Message) {
        let link = self.net.response(message.who.replica, api);
        let fate = self.fate(link);
        self.post(link, fate, message);
    }

    /// A request takes effect.
    pub(crate) fn commit(&mut self, message: Message) {
        let Message { who, body } = message;
        match body {
            Body::Request { api, request, luck } => {
                let id = request.id;
                let (mut result, mut reply) = self.apply(who, api, &request);
                match self.spoiled(luck, !matches!(request.op, Op::Get)) {
                    Some(Code::Timeout) => return,
                    Some(code) => {
                        let failure = failure(code);
                        (result, reply) = (Err(failure), Reply::Failed(failure));
                    }
                    None => {}
                }
                let after = self.wait_after(luck);
                let body = Body::Answer { response: Response { id, result }.into(), reply };
                self.respond(who, api, after, body);
            }
            Body::Call { api, id, call, luck } => {
                let mut answer = self.store.call(&call);
                if let Some(object) = written_lock(&call).filter(|_| answer.is_ok()) {
                    self.changed(object);
                }
                match self.spoiled(luck, is_write(&call)) {
                    Some(Code::Timeout) => return,
                    Some(code) => answer = Err(failure(code)),
                    None => {}
                }
                let after = self.wait_after(luck);
                self.respond(who, api, after, Body::CallAnswer { id, answer: answer.into() });
            }
            _ => {}
        }
    }

    fn apply(&mut self, who: Who, api: u32, request: &Request) -> (Result<Stored, Failure>, Reply) {
        let (object, name) = (request.lock.kind, &*request.lock.name);
        let before = self.store.snapshot_of(object, name).cloned();
        let present = before.as_ref().map_or(0, |before| before.version);
        let old =
            self.left_out.has(Duty::CurrentReads).then(|| self.store.get_of(object, name).cloned());
        let (verb, result) = match &request.op {
            Op::Get => (Verb::Get, self.store.get_of(object, name).cloned()),
            Op::Create(object) => match self.store.create(object).cloned() {
                Err(Failure::AlreadyExists) if self.left_out.has(Duty::CreateOnly) => {
                    (Verb::Create, self.store.update(object, present).cloned())
                }
                created => (Verb::Create, created),
            },
            Op::Update(object, version) => {
                // This store gives ordered versions only; none is refused, as the API server does.
                let version = version.as_ordered().ok_or(Failure::Other);
                let any = self.left_out.has(Duty::CompareVersions);
                let version = version.map(|version| if any { present } else { version });
                let updated = version.and_then(|version| self.store.update(object, version));
                (Verb::Update, updated.cloned())
            }
        };
        let reply = match (&result, self.store.snapshot_of(object, name)) {
            (Err(failure), _) => Reply::Failed(*failure),
            (Ok(_), Some(snapshot)) => Reply::Is(Arc::clone(snapshot)),
            (Ok(_), None) => Reply::Gone,
        };
        let cached = if verb == Verb::Get { self.cached(api, object) } else { None };
        let (result, reply) = cached.unwrap_or((result, reply));
        let written = match (verb, &reply) {
            (Verb::Create | Verb::Update, Reply::Is(snapshot)) => {
                self.took_over(who, snapshot);
                before.as_ref().is_none_or(|before| before.version != snapshot.version)
            }
            _ => false,
        };
        let by = Actor::Replica { replica: who.replica, life: who.life };
        let id = Some(request.id.as_u64());
        self.emit(What::Applied { by, request: id, verb, before, reply: reply.clone(), object });
        if written {
            self.changed(object);
        }
        match old {
            Some(old) => self.left_out.answer(request, old, (result, reply)),
            None => (result, reply),
        }
    }

    /// Somebody edits an object of the lock by hand, or deletes it (`None`). Whether that changed anything.
    pub(crate) fn meddle(&mut self, object: Kind, edit: Option<&Edit>) -> bool {
        let before = self.store.snapshot_of(object, LOCK).cloned();
        let (verb, done) = match edit {
            Some(edit) => (Verb::Edit, self.store.edit(object, LOCK, edit)),
            None => (Verb::Delete, self.store.delete(object, LOCK, None).is_ok()),
        };
        let after = self.store.snapshot_of(object, LOCK).cloned();
        let changed = before != after;
        let reply = match after {
            _ if !done => Reply::Failed(Failure::NotFound),
            Some(snapshot) => Reply::Is(snapshot),
            None => Reply::Gone,
        };
        let by = Actor::Outsider;
        self.emit(What::Applied { by, request: None, verb, before, reply, object });
        if changed {
            self.changed(object);
        }
        changed
    }

    /// Counts changes of holder from replica to replica.
    fn took_over(&mut self, who: Who, snapshot: &Snapshot) {
        let holder = &snapshot.record.holder;
        if *holder != self.last_holder && self.names.get(who.replica as usize) == Some(holder) {
            self.last_holder = holder.clone();
            self.log.statistics.takeovers += 1;
        }
    }
}

/// The kind of the lock's object that a program's call may change.
fn written_lock(call: &Call) -> Option<Kind> {
    let (kind, name) = match call {
        Call::Create(object) | Call::Update { object, .. } => {
            (object.kind(), &object.metadata().name)
        }
        Call::Delete { name, .. } => (Kind::Lease, name),
        Call::Get { .. } | Call::List { .. } => return None,
    };
    (**name == *LOCK).then_some(kind)
}

fn blame(effects: &mut [FaultEffect], log: &mut Log, fault: u32) {
    if let Some(effect) = effects.get_mut(fault as usize)
        && !effect.had_effect
    {
        effect.had_effect = true;
        log.statistics.effective_faults += 1;
    }
}
