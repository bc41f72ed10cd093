//! Everything but the processes: time, network, store, guarded resource, trace.

use core::hash::Hash as _;
use std::sync::Arc;

use serde::Serialize;
use tenure::sharding::{Slot, Slots};

use super::super::fault::Calls;
use super::super::scenario::{Scenario, Store as Behaviour};
use super::super::store::Store;
use super::super::system::{Call, Op, Reply, Value};
use super::super::trace::{Entry, What};
use super::lag::Lags;
use crate::digest::Digester;
use crate::distribution::Distribution;
use crate::fault::Outage;
use crate::net::{LinkId, Net};
use crate::queue::{Cause, Queue, Slab};
use crate::rng::{Draw, happens, mix};
use crate::scenario;
use crate::time::{SimTime, Span};
use tenure::election::Failure;

/// What will happen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    Timer { replica: u32, generation: u64 },
    Arrive(u32),
    Commit(u32),
    Answer(u32),
    Show { replica: u32, conn: u32, index: Option<u32> },
    Rewatch { replica: u32, conn: u32 },
    Work { replica: u32, life: u32 },
    Finish { replica: u32, work: u64 },
    Limit { replica: u32, work: u64 },
    Write { replica: u32, slot: At, token: u64 },
    Start { replica: u32, lives: u32 },
    Begin(u32),
    End(u32),
    Heal,
    Horizon,
}

/// A slot of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct At {
    pub(super) slot: Slot,
    pub(super) of: Slots,
}

/// Something on its way between a replica and the store.
#[derive(Debug, Clone)]
pub(super) struct Message<V> {
    pub(super) replica: u32,
    pub(super) life: u32,
    pub(super) sent: SimTime,
    pub(super) luck: u64,
    /// What it is about, if it is a call.
    pub(super) about: Option<Calls>,
    pub(super) body: Body<V>,
}

#[derive(Debug, Clone)]
pub(super) enum Body<V> {
    Call(Call<V>),
    Answer(Answered<V>),
    /// Begin a watch of what was written after this version.
    Watch {
        conn: u32,
        after: u64,
    },
}

/// An answer, and what checks want to know of it.
#[derive(Debug, Clone)]
pub(super) struct Answered<V> {
    pub(super) id: u64,
    pub(super) result: Result<Reply<V>, Failure>,
    /// When it took effect.
    pub(super) at: SimTime,
    /// The replica's own record was written.
    pub(super) renewed: bool,
}

/// How much happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Statistics {
    /// Entries taken from the event queue.
    pub events: u64,
    /// Entries of the trace.
    pub entries: u64,
    /// Reads that arrived at the store.
    pub reads: u64,
    /// Writes that arrived at the store.
    pub writes: u64,
    /// Writes that the store took.
    pub commits: u64,
    /// Calls that failed on their version.
    pub conflicts: u64,
    /// Answers that came when their call's time was up.
    pub late_answers: u64,
    /// What watches showed.
    pub shown: u64,
    /// Messages lost or cut off.
    pub lost: u64,
    /// Processes started, the first lives included.
    pub starts: u64,
    /// Processes killed.
    pub crashes: u64,
    /// Processes paused.
    pub pauses: u64,
    /// Pieces of work begun.
    pub works: u64,
    /// Slots gained, each time counted.
    pub gained: u64,
    /// Guarded writes refused.
    pub refused: u64,
    /// Faults that began.
    pub faults: u64,
}

impl Statistics {
    /// Whether nothing happened that could have gone wrong: nobody gained or worked. Of a run that was
    /// drawn to be `counted` among many more is asked: that a fault began.
    #[must_use]
    pub(crate) const fn is_vacuous(&self, counted: bool) -> bool {
        self.gained == 0 || self.works == 0 || (counted && self.faults == 0)
    }

    /// Each number that says how well a run went through what may happen, by its name.
    #[must_use]
    pub const fn marks(&self) -> [(&'static str, u64); 16] {
        [
            ("events", self.events),
            ("entries", self.entries),
            ("reads", self.reads),
            ("writes", self.writes),
            ("commits", self.commits),
            ("conflicts", self.conflicts),
            ("late answers", self.late_answers),
            ("shown by a watch", self.shown),
            ("messages lost", self.lost),
            ("starts", self.starts),
            ("crashes", self.crashes),
            ("pauses", self.pauses),
            ("pieces of work", self.works),
            ("slots gained", self.gained),
            ("guarded writes refused", self.refused),
            ("faults", self.faults),
        ]
    }
}

#[derive(Debug)]
pub(super) struct Outside<V> {
    pub(super) now: SimTime,
    pub(super) queue: Queue<Event>,
    pub(super) messages: Slab<Message<V>>,
    pub(super) net: Net,
    pub(super) store: Store<V>,
    /// When each write that the store's log still has took effect.
    committed: Vec<SimTime>,
    pub(super) entries: Vec<Entry>,
    seq: u64,
    pub(super) digester: Digester,
    pub(super) statistics: Statistics,
    pub(super) outages: Vec<(u32, Outage)>,
    pub(super) slow: Vec<(u32, Distribution, Distribution)>,
    pub(super) errors: Vec<(u32, u32, u32)>,
    pub(super) lags: Lags,
    /// What is measured on each slot, once it has been.
    pub(super) loads: Option<Arc<[u32]>>,
    pub(super) behaviour: Behaviour,
    pub(super) rewatch: Span,
    /// The largest token that the resource has seen, by slot of the finest configuration.
    tokens: Vec<u64>,
    /// The last that each replica's machine did or met: of that comes what it does by itself.
    last: Vec<Cause>,
    /// The last write.
    written: Cause,
    /// Processes that have finished.
    pub(super) exiting: Vec<u32>,
}

impl<V: Value> Outside<V> {
    pub(super) fn new(scenario: &Scenario, seed: u64) -> Self {
        let replicas = scenario.replicas.iter();
        let replicas = replicas.map(|replica| scenario::Replica {
            zone: replica.zone.clone(),
            ..scenario::Replica::default()
        });
        let network = scenario::Scenario {
            replicas: replicas.collect(),
            network: scenario.network.clone(),
            ..scenario::Scenario::default()
        };
        Self {
            now: SimTime::ZERO,
            queue: Queue::default(),
            messages: Slab::default(),
            net: Net::new(&network, seed),
            store: Store::default(),
            committed: Vec::new(),
            entries: Vec::new(),
            seq: 0,
            digester: Digester::default(),
            statistics: Statistics::default(),
            outages: Vec::new(),
            slow: Vec::new(),
            errors: Vec::new(),
            lags: Lags::default(),
            loads: None,
            behaviour: scenario.store.clone(),
            rewatch: scenario.network.rewatch,
            tokens: vec![0; scenario.finest().count() as usize],
            last: vec![Cause::default(); scenario.replicas.len()],
            written: Cause::default(),
            exiting: Vec::new(),
        }
    }

    pub(super) fn emit(&mut self, what: What) {
        let (cause, this) = (self.queue.cause(), Cause::of(self.seq));
        if let Some(last) = what.process().and_then(|replica| self.last.get_mut(replica as usize)) {
            *last = this;
        }
        if what.leads_on() {
            self.queue.set_cause(this);
        }
        let entry = Entry { seq: self.seq, at: self.now, cause: cause.entry(), what };
        self.seq += 1;
        self.statistics.entries += 1;
        entry.hash(&mut self.digester);
        self.entries.push(entry);
    }

    /// What happens now comes of the last that the replica did.
    pub(super) fn goes_on(&mut self, replica: u32) {
        let last = self.last.get(replica as usize).copied().unwrap_or_default();
        self.queue.set_cause(last);
    }

    /// Puts a message on its way; whether it will arrive.
    pub(super) fn send(
        &mut self,
        link: Option<LinkId>,
        message: &Message<V>,
        event: impl Fn(u32) -> Event,
    ) -> bool {
        let Some(link) = link else { return false };
        let fate = self.net.send(link, |_| {});
        if fate.takes.is_none() {
            self.statistics.lost += 1;
        }
        let lag = self.lags.call(message.replica, message.about, fate.luck);
        for takes in fate.takes.into_iter().chain(fate.again) {
            let number = self.messages.insert(Message { luck: fate.luck, ..message.clone() });
            self.queue.push(self.now + lag + takes, event(number));
        }
        fate.takes.is_some()
    }

    /// A request has arrived: when does it take effect, if at all.
    pub(super) fn arrive(&mut self, message: Message<V>) {
        let Body::Call(call) = &message.body else { return };
        let statistics = &mut self.statistics;
        if call.op.is_read() {
            statistics.reads += 1;
        } else {
            statistics.writes += 1;
        }
        if self.outages.iter().any(|(_, how)| *how == Outage::Hang) {
            return;
        }
        let chance = mix(message.luck, Draw::Refused);
        let spoiled = mix(message.luck, Draw::RefusedByFault);
        let refuses = !self.outages.is_empty()
            || happens(chance, self.behaviour.error_ppm)
            || self.errors.iter().any(|(_, ppm, _)| happens(spoiled, *ppm));
        if refuses {
            let (id, at) = (call.id, self.now);
            let result = Err(Failure::Other);
            self.reply(&message, &Answered { id, result, at, renewed: false }, Span::ZERO);
            return;
        }
        let mut wait = self.behaviour.before.draw(mix(message.luck, Draw::Before));
        for (_, before, _) in &self.slow {
            wait = wait + before.draw(mix(message.luck, Draw::SlowBefore));
        }
        let number = self.messages.insert(message);
        self.queue.push(self.now + wait, Event::Commit(number));
    }

    /// The answer leaves the store.
    pub(super) fn reply(&mut self, message: &Message<V>, answered: &Answered<V>, wait: Span) {
        let link = self.net.response(message.replica, 0);
        let Some(link) = link else { return };
        let fate = self.net.send(link, |_| {});
        if fate.takes.is_none() {
            self.statistics.lost += 1;
        }
        let wait = wait + self.lags.answer(message.replica, message.about, message.luck);
        for takes in fate.takes.into_iter().chain(fate.again) {
            let body = Body::Answer(answered.clone());
            let number = self.messages.insert(Message { body, ..message.clone() });
            self.queue.push(self.now + wait + takes, Event::Answer(number));
        }
    }

    /// A call takes effect. Gives the number of the write in the log, if it was one.
    pub(super) fn apply(
        &mut self,
        by: Option<u32>,
        sent: SimTime,
        op: Op<V>,
    ) -> (Result<Reply<V>, Failure>, Option<u32>) {
        if op.is_read() {
            // What comes of a read comes of the last write that it saw.
            self.queue.set_cause(self.queue.cause().max(self.written));
        }
        let before = self.store.written();
        let result = self.store.apply(op);
        if matches!(result, Err(Failure::Conflict | Failure::AlreadyExists)) {
            self.statistics.conflicts += 1;
        }
        let number = self.store.written().saturating_sub(1);
        if self.store.written() == before {
            return (result, None);
        }
        self.committed.push(self.now);
        self.statistics.commits += 1;
        if let Some(write) = self.store.write(number) {
            let what = What::Committed {
                by,
                sent,
                name: write.name.clone(),
                version: write.version,
                before: write.before,
                now: write.value.as_ref().map(Value::summary),
                was: write.replaced.as_ref().map(Value::summary),
            };
            self.emit(what);
            self.written = self.queue.cause();
        }
        (result, u32::try_from(number).ok())
    }

    /// The time of a write.
    pub(super) fn committed(&self, number: usize) -> Option<SimTime> {
        self.committed
            .get(number.checked_sub(self.store.written() - self.committed.len())?)
            .copied()
    }

    /// No watch will ask for writes before this number.
    pub(super) fn forget(&mut self, before: usize) {
        self.store.forget(before);
        let kept = self.store.kept();
        self.committed.drain(..self.committed.len() - kept);
    }

    /// A guarded write arrives: it is taken unless a larger token has been there.
    pub(super) fn guard(&mut self, replica: u32, at: At, token: u64) {
        let finest = self.tokens.len();
        let width = (finest / at.of.count() as usize).max(1);
        let first = at.slot.index() as usize * width;
        let seen = self.tokens.get_mut(first..first + width).unwrap_or_default();
        let accepted = seen.iter().all(|seen| *seen <= token);
        if accepted {
            seen.fill(token);
        } else {
            self.statistics.refused += 1;
        }
        let (slot, of) = (at.slot.index(), at.of.count());
        self.emit(What::Wrote { replica, slot, of, token, accepted });
    }
}
