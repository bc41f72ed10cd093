//! One replica's process, machine and clock.

use core::hash::{Hash, Hasher};
use std::collections::BTreeMap;
use std::sync::Arc;

use tenure::sharding::{Slot, SlotSet};
use tenure::time::{Instant, Now};

use super::super::scenario::{Replica, Scenario, Work as Habits};
use super::super::system::{Birth, Claim, Input, Reply, System};
use super::super::trace::{Set, What};
use super::lag::about;
use super::outside::{Answered, Body, Event, Message, Outside};
use super::watch::Watch;
use super::work::Work;
use super::{Make, record_of};
use crate::clock::Clock;
use crate::distribution::Distribution;
use crate::queue::Cause;
use crate::rng::{Purpose, Stream};
use crate::time::{SimTime, Span};

/// How often in a row a machine may want to be called at once.
const SPINS: u32 = 10;

/// Something that came while the process stood still, or comes now.
#[derive(Debug, Clone)]
pub(super) struct Delivery<V> {
    pub(super) input: Input<V>,
    /// Of when it says how the store was.
    pub(super) learnt: Option<SimTime>,
    /// When the own record was written, of which it says so.
    pub(super) renewed: Option<SimTime>,
}

pub(super) struct Process<S: System> {
    pub(super) index: u32,
    /// With what it runs, or starts next.
    pub(super) replica: Replica,
    pub(super) record: Arc<str>,
    pub(super) habits: Habits,
    pub(super) clock: Clock,
    pub(super) system: Option<S>,
    pub(super) lives: u32,
    /// The faults that make it stand still.
    pub(super) paused: Vec<u32>,
    pub(super) inbox: Vec<(Cause, Delivery<S::Value>)>,
    armed: Option<Instant>,
    generation: u64,
    /// When the last timer fired: none may fire twice at one instant for ever.
    fired: Option<SimTime>,
    /// How often in a row it wanted to be called at a time that had passed.
    spins: u32,
    pub(super) watch: Option<Watch>,
    pub(super) conns: u32,
    /// The faults that make its watch go quiet.
    pub(super) stalls: Vec<u32>,
    pub(super) works: BTreeMap<u64, Work>,
    pub(super) made: u64,
    /// Revoked slots on which work goes on.
    pub(super) busy: Vec<SlotSet>,
    /// Faults that make cleaning up slow.
    pub(super) drains: Vec<(u32, Distribution)>,
    /// It is to begin work as soon as it can again.
    pub(super) ticks: bool,
    claimed: Option<Arc<SlotSet>>,
    /// The same, to draw one from.
    pub(super) list: Vec<Slot>,
    /// How often that had changed.
    changes: Option<u64>,
    /// The end of its claims that was told last.
    until: Option<SimTime>,
    /// The same by its own clock, as it runs now.
    local_until: Option<Instant>,
    /// The same of each slot, where these differ.
    ends: BTreeMap<Slot, Instant>,
    learnt: SimTime,
    renewed: SimTime,
    /// Once it has left: how long until it starts again.
    pub(super) back: Option<Span>,
    jitter: Stream,
    names: Stream,
    pub(super) chance: Stream,
}

impl<S: System> Hash for Process<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.lives.hash(state);
        self.clock.hash(state);
        self.system.hash(state);
    }
}

impl<S: System> Process<S> {
    pub(super) fn new(index: u32, replica: &Replica, habits: &Habits, seed: u64) -> Self {
        let stream = |purpose| Stream::new(seed, purpose, u64::from(index));
        Self {
            index,
            record: record_of(replica.name.as_deref().unwrap_or_default()),
            clock: Clock::new(replica.clock_offset, replica.rate_ppb, replica.wall_offset),
            replica: replica.clone(),
            habits: habits.clone(),
            system: None,
            lives: 0,
            paused: Vec::new(),
            inbox: Vec::new(),
            armed: None,
            generation: 0,
            fired: None,
            spins: 0,
            watch: None,
            conns: 0,
            stalls: Vec::new(),
            works: BTreeMap::new(),
            made: 0,
            busy: Vec::new(),
            drains: Vec::new(),
            ticks: false,
            claimed: None,
            list: Vec::new(),
            changes: None,
            until: None,
            local_until: None,
            ends: BTreeMap::new(),
            learnt: SimTime::ZERO,
            renewed: SimTime::ZERO,
            back: None,
            jitter: stream(Purpose::Jitter),
            names: stream(Purpose::Incarnation),
            chance: stream(Purpose::Program),
        }
    }

    pub(super) const fn system(&self) -> Option<&S> {
        self.system.as_ref()
    }

    pub(super) const fn is_alive(&self) -> bool {
        self.system.is_some()
    }

    /// What its clocks show, if it is able to look.
    pub(super) fn clocks(&self, now: SimTime) -> Option<Now> {
        (self.is_alive() && self.paused.is_empty()).then(|| self.clock.now(now))
    }

    /// Which life this is.
    pub(super) const fn life(&self) -> u32 {
        self.lives.saturating_sub(1)
    }

    /// Whether its process has nothing more to do.
    pub(super) fn exits(&self) -> bool {
        self.system.as_ref().is_some_and(S::is_finished)
    }

    pub(super) fn start(
        &mut self,
        outside: &mut Outside<S::Value>,
        scenario: &Scenario,
        make: &mut Make<S>,
    ) {
        let life = self.lives;
        self.lives += 1;
        let birth = Birth {
            scenario,
            index: self.index,
            life,
            replica: &self.replica,
            incarnation: format!("{:016x}", self.names.bits()).into(),
            seed: self.jitter.bits(),
            now: self.clock.now(outside.now),
        };
        let mut system = make(&birth);
        if let Some(loads) = &outside.loads {
            system.handle(birth.now, Input::Measured(Arc::clone(loads)));
        }
        self.system = Some(system);
        outside.statistics.starts += 1;
        outside.emit(What::Started {
            replica: self.index,
            life,
            name: self.replica.name.as_deref().unwrap_or_default().into(),
            weight: self.replica.weight,
            rate_ppb: self.clock.rate_ppb(),
        });
        let first = scenario.work.every.draw(self.chance.bits());
        outside.queue.push(outside.now + first, Event::Work { replica: self.index, life });
        self.settle(outside);
    }

    /// It is no more.
    pub(super) fn stop(&mut self, outside: &mut Outside<S::Value>, crashed: bool) {
        self.system = None;
        self.inbox.clear();
        self.armed = None;
        self.generation += 1;
        self.watch = None;
        self.works.clear();
        self.busy.clear();
        self.ticks = false;
        self.claimed = None;
        self.changes = None;
        (self.until, self.local_until) = (None, None);
        self.ends.clear();
        (self.learnt, self.renewed) = (SimTime::ZERO, SimTime::ZERO);
        outside.statistics.crashes += u64::from(crashed);
        outside.emit(What::Ended { replica: self.index, crashed });
    }

    /// The timer fires, unless it was set anew.
    pub(super) fn fire(&mut self, outside: &mut Outside<S::Value>, generation: u64) {
        if self.generation == generation && self.paused.is_empty() {
            self.timeout(outside);
        }
    }

    pub(super) fn timeout(&mut self, outside: &mut Outside<S::Value>) {
        self.armed = None;
        self.fired = Some(outside.now);
        let now = self.clock.now(outside.now);
        if let Some(system) = &mut self.system {
            system.handle(now, Input::Timeout);
        }
        self.settle(outside);
    }

    /// Something arrives.
    pub(super) fn deliver(
        &mut self,
        outside: &mut Outside<S::Value>,
        delivery: Delivery<S::Value>,
    ) {
        if !self.paused.is_empty() {
            self.inbox.push((outside.queue.cause(), delivery));
            return;
        }
        let now = self.clock.now(outside.now);
        let Some(system) = &mut self.system else { return };
        let listed = match &delivery.input {
            Input::Answer { result: Ok(Reply::Listed { version, .. }), .. } => Some(*version),
            _ => None,
        };
        self.learnt = self.learnt.max(delivery.learnt.unwrap_or_default());
        self.renewed = self.renewed.max(delivery.renewed.unwrap_or_default());
        system.handle(now, delivery.input);
        if let Some(version) = listed {
            self.list_answered(outside, version);
        }
        self.settle(outside);
    }

    pub(super) fn answered(
        &mut self,
        outside: &mut Outside<S::Value>,
        life: u32,
        answered: Answered<S::Value>,
    ) {
        if !self.is_alive() || self.life() != life {
            return;
        }
        let Answered { id, result, at, renewed } = answered;
        let learnt = matches!(result, Ok(Reply::Listed { .. })).then_some(at);
        let renewed = (renewed && result.is_ok()).then_some(at);
        let input = Input::Answer { id, result };
        self.deliver(outside, Delivery { input, learnt, renewed });
    }

    /// Something that happens to it at once, even now while it stands still: then when it goes on.
    pub(super) fn tell(&mut self, outside: &mut Outside<S::Value>, input: Input<S::Value>) {
        if self.is_alive() {
            self.deliver(outside, Delivery { input, learnt: None, renewed: None });
        }
    }

    /// Does what the machine wants, and looks at what it claims.
    pub(super) fn settle(&mut self, outside: &mut Outside<S::Value>) {
        while let Some(stop) = self.system.as_mut().and_then(S::poll_stop) {
            self.revoke(outside, &stop);
        }
        while let Some(call) = self.system.as_mut().and_then(S::poll_call) {
            let message = Message {
                replica: self.index,
                life: self.life(),
                sent: outside.now,
                luck: 0,
                about: Some(about(&call.op, &self.record)),
                body: Body::Call(call),
            };
            let link = outside.net.request(self.index, 0);
            outside.send(link, &message, Event::Arrive);
        }
        self.arm(outside);
        self.look(outside);
        if self.exits() {
            outside.exiting.push(self.index);
        }
    }

    fn arm(&mut self, outside: &mut Outside<S::Value>) {
        let wanted = self.system.as_ref().and_then(S::poll_timeout);
        if wanted == self.armed || !self.paused.is_empty() {
            return;
        }
        self.armed = wanted;
        self.generation += 1;
        if let Some(at) = wanted.and_then(|wanted| self.clock.when(wanted)) {
            let again = self.fired == Some(outside.now);
            let late = again && at <= outside.now;
            self.spins = if late { self.spins + 1 } else { 0 };
            if self.spins == SPINS {
                outside.emit(What::Spins { replica: self.index });
            }
            let least = if late { outside.now + Span::from_millis(1) } else { outside.now };
            let timer = Event::Timer { replica: self.index, generation: self.generation };
            outside.queue.push(at.max(least), timer);
        }
    }

    /// The clock runs at another rate from now on.
    pub(super) fn drift(&mut self, outside: &mut Outside<S::Value>, rate_ppb: u64) {
        self.clock.set_rate(outside.now, rate_ppb);
        outside.emit(What::Clock { replica: self.index, rate_ppb });
        (self.armed, self.local_until) = (None, None);
        self.ends.clear();
        self.generation += 1;
        self.arm(outside);
        self.look(outside);
        for (&work, piece) in &self.works {
            if let Some(at) = piece.until.and_then(|until| self.clock.when(until)) {
                let limit = Event::Limit { replica: self.index, work };
                outside.queue.push(at.max(outside.now), limit);
            }
        }
    }

    /// What it claims now, as entries.
    fn look(&mut self, outside: &mut Outside<S::Value>) {
        let Some(system) = &self.system else { return };
        let (replica, now) = (self.index, self.clock.instant(outside.now));
        let claim = system.claim(now);
        let (latest, told) = if claim.each {
            news(system, &claim, &mut self.ends)
        } else {
            (claim.until, BTreeMap::new())
        };
        if latest.is_none() || self.local_until != latest {
            self.local_until = latest;
            let until = latest.map(|until| self.clock.when(until).unwrap_or(SimTime::NEVER));
            let end = until.unwrap_or(SimTime::NEVER);
            if self.until != Some(end) {
                self.until = Some(end);
                let (learnt, renewed) = (self.learnt, self.renewed);
                outside.emit(What::Until { replica, until, learnt, renewed });
            }
        }
        for (until, slots) in told {
            let until = self.clock.when(until).unwrap_or(SimTime::NEVER);
            outside.emit(What::Ends { replica, slots: Set(slots.into()), until });
        }
        let changes = system.changes();
        let same = changes.is_some() && changes == self.changes;
        if same && self.claimed.is_some() == claim.slots.is_some()
            || self.claimed.as_deref() == claim.slots.as_deref()
        {
            return;
        }
        self.changes = changes;
        let had = self.claimed.take();
        self.list.clear();
        self.list.extend(claim.slots.iter().flat_map(|slots| slots.iter()));
        self.claimed = claim.slots.map(|slots| Arc::new(slots.into_owned()));
        let (mut lost, mut gained) = (had.clone(), self.claimed.clone());
        if let (Some(had), Some(has)) = (&had, &self.claimed)
            && had.slots() == has.slots()
        {
            lost = Some(Arc::new(had.without(has)));
            gained = Some(Arc::new(has.without(had)));
        }
        if let Some(slots) = lost.filter(|lost| !lost.is_empty()) {
            outside.emit(What::Lost { replica, slots: Set(slots) });
        }
        if let Some(slots) = gained.filter(|gained| !gained.is_empty()) {
            outside.statistics.gained += slots.len() as u64;
            outside.emit(What::Gained { replica, slots: Set(slots) });
        }
    }

    /// What it claims.
    pub(super) fn claimed(&self) -> Option<&SlotSet> {
        self.claimed.as_deref()
    }
}

/// The last of all ends, and those that differ from what `told` said, which says it from now on.
fn news<S: System>(
    system: &S,
    claim: &Claim<'_>,
    told: &mut BTreeMap<Slot, Instant>,
) -> (Option<Instant>, BTreeMap<Instant, SlotSet>) {
    let before = core::mem::take(told);
    let mut news: BTreeMap<Instant, SlotSet> = BTreeMap::new();
    let mut last = Instant::default();
    if let Some(slots) = &claim.slots {
        for slot in slots.iter() {
            let until = system.until(slot).unwrap_or_default();
            last = last.max(until);
            if before.get(&slot) != Some(&until) {
                let none = || SlotSet::none(slots.slots());
                news.entry(until).or_insert_with(none).insert(slot);
            }
            told.insert(slot, until);
        }
    }
    (Some(last), news)
}
