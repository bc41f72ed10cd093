//! kubernetes-controller-sharding: a sharder gives objects to shards by a label, over a ring of the
//! shards whose leases are good; a shard gives an object back by a drain label.
//!
//! Source: timebertt/kubernetes-controller-sharding at f1d25b3: `pkg/shard/lease`, `pkg/sharding/leases`
//! (`state.go`, `times.go`), `pkg/controller/{sharder,shardlease}`, `pkg/sharding/consistenthash`,
//! `pkg/webhook/sharder`. Shards elect themselves on their own leases with 15 s, 10 s and 2 s; the
//! sharder judges by its *wall clock*: a lease is expired after 15 s, uncertain after 30 s, and then the
//! sharder takes it, which makes the shard dead; a shard that released its lease is dead at once. All
//! objects are looked at again each 5 min.
//!
//! What it shows: a token of the ring is the hash of name and number *strung together*, so `x-1` + `10`
//! is `x-11` + `0`; whoever comes last in a list from a Go map has such a token, so that two evaluations
//! of one membership differ. Here the list is shuffled each time, as Go shuffles.
//!
//! Simplified: a slot stands for an object. The webhook's answer to the shard's patch is settled when
//! the drain label is set; there is no limit of 100 moves at a time.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenure::placement::hash::xxh64;
use tenure::placement::presets::timebertt::{TOKENS, key};
use tenure::sharding::SlotSet;
use tenure::time::Now;

use super::elector::{Became, Elector, RETRY, Times};
use super::io::{Io, Logic, On, QUIET, name, wall};
use super::stored::{Label, Lease, Stored};
use super::{index, numbered};
use crate::sharding::system::{Birth, Held, Op, Reply, Shown};
use crate::time::Span;

const TIMES: Times = (Span::from_secs(15), Span::from_secs(10), Span::from_secs(2));
const RESYNC: Span = Span::from_secs(300);
/// How long until a container that ended runs again.
const RESTART: Span = Span::from_secs(1);
const HOLDER: &str = "shardlease-controller";
const OBJECTS: &str = "ring/object/";
const LEASES: &str = "ring/lease/";

const LIST: u8 = 1;
const PATCH: u8 = 2;
const LOOK: u8 = 3;
const TAKE: u8 = 4;
const SYNC: u8 = 5;
const START: u8 = 6;
const AGAIN: u8 = 7;
/// After a patch that failed.
const RETRY_MOVE: Span = Span::from_secs(1);

/// The ring over shards in this order: each token and its shard's position; of one token the last has
/// it.
pub(super) fn ring(shards: &[&str]) -> BTreeMap<u64, usize> {
    let mut ring = BTreeMap::new();
    for (position, shard) in shards.iter().enumerate() {
        ring.extend((0..TOKENS).map(|i| (xxh64(format!("{shard}{i}").as_bytes()), position)));
    }
    ring
}

/// Whose an object is.
pub(super) fn owner(ring: &BTreeMap<u64, usize>, slot: u32) -> Option<usize> {
    let key = key("apps", "Deployment", "default", &format!("object-{slot}")).as_u64();
    let next = ring.range(key..).next().or_else(|| ring.first_key_value());
    next.map(|(_, position)| *position)
}

pub(super) fn owners(members: &[&str], slots: u32) -> Vec<usize> {
    let ring = ring(members);
    (0..slots).map(|slot| owner(&ring, slot).unwrap_or(0)).collect()
}

/// What a sharder takes a shard to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Dead,
    Uncertain,
    Expired,
    Ready,
}

/// The state of the lease called `name`, by a wall clock.
pub(super) fn state(name: &str, lease: &Lease, wall: i128) -> State {
    let expires = lease.ends();
    if &*lease.holder != name {
        State::Dead
    } else if expires + i128::from(lease.duration.as_nanos()) <= wall {
        State::Uncertain
    } else if expires <= wall {
        State::Expired
    } else {
        State::Ready
    }
}

/// A replica.
pub(super) struct Shard {
    id: Arc<str>,
    elector: Elector,
    objects: BTreeMap<u32, (Label, u64)>,
    leaving: bool,
    left: bool,
}

fn elector(id: &Arc<str>, now: Now, io: &mut Io) -> Elector {
    Elector::new(format!("{LEASES}{id}").into(), Arc::clone(id), TIMES, 0, now, io)
}

impl Shard {
    pub(super) fn new(birth: &Birth<'_>, io: &mut Io) -> Self {
        let id = name(birth);
        let elector = elector(&id, birth.now, io);
        Self { id, elector, objects: BTreeMap::new(), leaving: false, left: false }
    }

    /// An object is so now: whether to work on it.
    fn label(&mut self, now: Now, held: &Held<Stored>, io: &mut Io) {
        let (Stored::Label(label), Some(slot)) = (&held.value, numbered(&held.name)) else {
            return;
        };
        let known = self.objects.get(&slot);
        if known.is_some_and(|(_, version)| *version > held.version) {
            return;
        }
        self.objects.insert(slot, (label.clone(), held.version));
        self.reconcile(now, slot, io);
    }

    fn reconcile(&mut self, now: Now, slot: u32, io: &mut Io) {
        let Some((label, _)) = self.objects.get(&slot) else { return };
        let own = self.elector.leads() && label.shard.as_ref() == Some(&self.id);
        match (own, &label.drain) {
            (false, _) => io.disown(slot),
            (true, None) if !self.leaving => io.own(slot),
            (true, None) => {}
            // The queue hands an object to one worker at a time: what goes on ends first.
            (true, Some(_)) => {
                let Some(at) = io.slot(slot) else { return };
                let mut one = SlotSet::none(io.slots);
                one.insert(at);
                if io.owned.contains(at) {
                    io.stop(one);
                } else if !io.is_draining(at) {
                    self.give(now, slot, io);
                }
            }
        }
    }

    /// Takes both labels off, whereupon the webhook sets the next shard's.
    fn give(&self, now: Now, slot: u32, io: &mut Io) {
        let Some((Label { drain: Some(to), .. }, version)) = self.objects.get(&slot) else {
            return;
        };
        let label = Label { shard: Some(Arc::clone(to)), drain: None };
        let name = format!("{OBJECTS}{slot}").into();
        io.call(now, (PATCH, slot), Op::Update(name, Stored::Label(label), *version), QUIET);
    }

    fn became(&mut self, now: Now, became: Became, io: &mut Io) {
        match became {
            Became::Leader => io.call(now, (LIST, 0), Op::List(OBJECTS.into()), QUIET),
            // The process exits, and its container starts again.
            Became::Lost => {
                io.owned = SlotSet::none(io.slots);
                self.objects.clear();
                io.silence();
                io.after(now, (START, 0), RESTART);
            }
            Became::Released => self.left = true,
            Became::Nothing => {}
        }
    }
}

impl Logic for Shard {
    fn on(&mut self, now: Now, what: On, io: &mut Io) {
        match what {
            On::Timer((RETRY, _)) => {
                let became = self.elector.timer(now, io);
                self.became(now, became, io);
            }
            On::Timer((START, _)) => self.elector = elector(&self.id, now, io),
            On::Answer((LIST, _), Ok(Reply::Listed { objects, .. })) => {
                for held in &objects {
                    self.label(now, held, io);
                }
            }
            On::Answer((LIST, _), Err(_)) => {
                io.call(now, (LIST, 0), Op::List(OBJECTS.into()), QUIET);
            }
            On::Answer((PATCH, _), Ok(Reply::Stored(held))) | On::Shown(Shown::Stored(held)) => {
                self.label(now, &held, io);
            }
            On::Answer((LIST | PATCH, _), _) => {}
            On::Answer((kind, _), result) => {
                let became = self.elector.answer(now, kind, result, io);
                self.became(now, became, io);
            }
            On::Shown(Shown::Broken) => io.call(now, (LIST, 0), Op::List(OBJECTS.into()), QUIET),
            On::Drained(slots) => slots.iter().for_each(|slot| self.give(now, index(slot), io)),
            On::Leave => {
                self.leaving = true;
                io.stop_all();
            }
            _ => {}
        }
        // controller-runtime ends its workers before the election.
        if self.leaving && io.is_idle() && !self.left && !self.elector.is_releasing() {
            let became = self.elector.release(now, io);
            self.became(now, became, io);
        }
        io.finished = self.left;
    }

    fn watches(&self) -> Option<&str> {
        Some(OBJECTS)
    }
}

/// The sharder, the controller of the shards' leases, and the webhook.
pub(super) struct Sharder {
    leases: BTreeMap<Arc<str>, (Lease, u64)>,
    objects: BTreeMap<u32, (Label, u64)>,
    available: BTreeSet<Arc<str>>,
}

impl Sharder {
    pub(super) fn new(birth: &Birth<'_>, io: &mut Io) -> Self {
        // The objects are there before the shards.
        for slot in 0..io.slots.count() {
            let object = format!("{OBJECTS}{slot}").into();
            let op = Op::Create(object, Stored::Label(Label::default()));
            io.call(birth.now, (PATCH, slot), op, QUIET);
        }
        io.call(birth.now, (LIST, 0), Op::List("ring/".into()), QUIET);
        io.after(birth.now, (SYNC, 0), RESYNC);
        let (leases, objects) = (BTreeMap::new(), BTreeMap::new());
        Self { leases, objects, available: BTreeSet::new() }
    }

    fn take(&mut self, now: Now, held: &Held<Stored>, io: &mut Io) {
        match &held.value {
            Stored::Lease(lease) => {
                let Some(name) = held.name.strip_prefix(LEASES) else { return };
                self.leases.insert(name.into(), (lease.clone(), held.version));
                self.look(now, io);
            }
            Stored::Label(label) => {
                let Some(slot) = numbered(&held.name) else { return };
                let known = self.objects.get(&slot).map_or(0, |(_, version)| *version);
                if held.version > known {
                    self.objects.insert(slot, (label.clone(), held.version));
                    if label.shard.is_none() {
                        self.assign(now, io, |it, _| it == slot);
                    }
                }
            }
            _ => {}
        }
    }

    /// At leases: who is available, and which lease to take.
    fn look(&mut self, now: Now, io: &mut Io) {
        let clock = wall(now);
        let mut available = BTreeSet::new();
        let mut soonest = i128::MAX;
        for (number, (name, (lease, version))) in (0..).zip(&self.leases) {
            let is = state(name, lease, clock);
            if is != State::Dead {
                available.insert(Arc::clone(name));
            }
            let (expires, again) = (lease.ends(), i128::from(lease.duration.as_nanos()));
            match is {
                State::Ready => soonest = soonest.min(expires - clock),
                State::Expired => soonest = soonest.min(expires + again - clock),
                State::Uncertain => {
                    let duration = Span::from_nanos(lease.duration.as_nanos() * 2);
                    let holder = HOLDER.into();
                    let lease = Lease { holder, renewed: clock, duration, counter: 0 };
                    let op = Op::Update(
                        format!("{LEASES}{name}").into(),
                        Stored::Lease(lease),
                        *version,
                    );
                    io.call(now, (TAKE, number), op, QUIET);
                }
                State::Dead => {}
            }
        }
        if let Ok(wait) = u64::try_from(soonest) {
            io.after(now, (LOOK, 0), Span::from_nanos(wait.max(1_000_000)));
        }
        if available != self.available {
            self.available = available;
            self.assign(now, io, |_, _| true);
        }
    }

    /// Each object that is chosen goes to its shard.
    fn assign(&self, now: Now, io: &mut Io, chosen: impl Fn(u32, &Label) -> bool) {
        // As Go lists a map.
        let mut shards: Vec<&str> = self.available.iter().map(|shard| &**shard).collect();
        for last in (1..shards.len()).rev() {
            let other = usize::try_from(io.stream.below(last as u64 + 1)).unwrap_or(0);
            shards.swap(last, other);
        }
        let ring = ring(&shards);
        for (&slot, (label, version)) in &self.objects {
            let to = owner(&ring, slot).and_then(|position| shards.get(position));
            let Some(to) = to.filter(|_| chosen(slot, label)) else { continue };
            let to: Option<Arc<str>> = Some((*to).into());
            if label.shard == to && label.drain.is_none() {
                continue;
            }
            let here = label.shard.as_ref().is_some_and(|shard| self.available.contains(shard));
            let next = if here {
                Label { shard: label.shard.clone(), drain: to }
            } else {
                Label { shard: to, drain: None }
            };
            if next != *label {
                let name = format!("{OBJECTS}{slot}").into();
                io.call(now, (PATCH, slot), Op::Update(name, Stored::Label(next), *version), QUIET);
            }
        }
    }
}

impl Logic for Sharder {
    fn on(&mut self, now: Now, what: On, io: &mut Io) {
        match what {
            On::Timer((LOOK, _)) => self.look(now, io),
            On::Timer((SYNC | AGAIN, which)) => {
                if which == 0 {
                    io.after(now, (SYNC, 0), RESYNC);
                }
                self.assign(now, io, |_, _| true);
            }
            On::Answer((LIST, _), Ok(Reply::Listed { objects, .. })) => {
                for held in &objects {
                    self.take(now, held, io);
                }
            }
            On::Answer((LIST, _), _) | On::Shown(Shown::Broken) => {
                io.call(now, (LIST, 0), Op::List("ring/".into()), QUIET);
            }
            On::Answer((PATCH, _), Err(_)) => io.after(now, (AGAIN, 1), RETRY_MOVE),
            On::Answer((PATCH | TAKE, _), Ok(Reply::Stored(held)))
            | On::Shown(Shown::Stored(held)) => self.take(now, &held, io),
            _ => {}
        }
    }

    fn watches(&self) -> Option<&str> {
        Some("ring/")
    }
}
