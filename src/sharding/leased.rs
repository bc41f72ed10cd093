//! Mode `leased`: a lease for each slot, in what Knative (buckets) and multicluster-runtime (fences)
//! do; a slot belongs to whoever holds its lease.
//!
//! Each member runs an elector for each slot. Who *should* have a slot follows from the members that
//! act, by rendezvous: all others stand by, that is they watch the lease and leave it alone. A holder
//! that should have it no more drains it, then releases the lease to whoever comes first; that is the
//! one who should have it, since all others stand by. When a member dies, whoever should have its slots
//! takes their leases as soon as it is excluded, whether they have run out or not: else one that starts
//! anew, and has seen none of them before, would wait for them all over again.
//!
//! # Why no slot has two owners
//! Within a configuration the leases see to that, as in any election, whatever members know of each
//! other: two who differ about who should have a slot go for one lease. A lease that has not run out is
//! taken only from who may do nothing with it, since authority over a slot ends with that of the member:
//! its record says so in a later version than the lease, and a later life of it writes the lease before
//! it acts. That too is a compare-and-swap on the version that was judged. Who is not a member any
//! more gives all its leases back, and may start no work meanwhile. That is for the sake of members of
//! other configurations, for which the same lease is of other keys: no two of these ever act at once,
//! by the rules of membership alone.
//!
//! # What was mended
//! Authority counts from the sending of a renewal (there: from the answer, or until somebody notices),
//! ends by itself, and comes with a token; a lease is released after the work has ended (Knative's is
//! free before its `Demote`); one failed call costs nothing (multicluster-runtime gives the lease up);
//! names do not contain the number of slots, and a change of that number is a change of generation
//! (Knative's old and new pods hold different locks, so that each key has two owners); expiry is judged
//! by one's own clock.
//!
//! # Cost
//! N members, S slots, retry period R: (N + S) / R writes a second. Without watches N / R lists, and
//! (N - 1) · S reads every 1.6 R; with watches neither.

mod ends;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::machine::Machine;
use super::outbox::Outbox;
use super::rules::Rule;
use super::{Answer, Config, Lapse, Op, Request, RequestId, Response, Slot, SlotSet, Slots};
use crate::election::{self, Cause, Elector, ElectorId, Electors, Failure, Missing};
use crate::lock::LockRef;
use crate::time::{Instant, Now};
use ends::Ends;

/// The electors of a member's life; none in other modes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Leases {
    seed: u64,
    electors: Electors,
    /// By slot, as long as there are electors. The index of an id is that of its slot, too.
    seats: Vec<ElectorId>,
    /// May hold leases; else gives them back.
    acting: bool,
    ends: Ends,
    /// What was asked last of each elector, by slot, and by its name outside.
    asked: Vec<Option<RequestId>>,
    calls: BTreeMap<RequestId, (ElectorId, election::RequestId)>,
}

/// How a slot is locked.
pub(super) fn election(config: &Config, slot: Slot) -> election::Config {
    let name = format!("{}-slot-{slot}", config.group);
    let lock = LockRef::lease(config.namespace.clone(), name);
    election::Config {
        lease_duration: config.lease_duration,
        renew_deadline: config.renew_deadline,
        retry_period: config.retry_period,
        request_timeout: Some(config.request_timeout),
        missing: if config.distrust_deletion { Missing::Wait } else { Missing::NewGroup },
        ..election::Config::new(lock, config.member.name(), config.incarnation.clone())
    }
}

impl Leases {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    // --- what holds

    /// When the first of the held leases ends; the end of time if there is none.
    #[inline]
    pub(super) const fn first_end(&self) -> Instant {
        self.ends.first()
    }

    /// Whose leases have ended at `now`, though nobody was told.
    pub(super) fn ended(&self, now: Instant) -> impl Iterator<Item = Slot> {
        self.ends.ended(now)
    }

    /// When authority over `slot` ends, or the right to finish work on it that was begun, if it has a
    /// lease and holds it.
    #[inline]
    pub(super) fn end(&self, slot: Slot) -> Option<Instant> {
        self.ends.of(slot)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.electors.poll_timeout()
    }

    /// The next request of an elector.
    pub(super) fn poll_request(&mut self, out: &mut Outbox) -> Option<Request> {
        let (id, request) = self.electors.poll_request()?;
        let name = out.name();
        // Of one elector the latest alone counts.
        if let Some(before) = self.asked.get_mut(id.index()).and_then(|last| last.replace(name)) {
            self.calls.remove(&before);
        }
        self.calls.insert(name, (id, request.id));
        let deadline = request.deadline.unwrap_or(Instant::END);
        Some(Request { id: name, op: Op::Elect(request.lock, request.op), deadline })
    }

    // --- what happens; the machine knows of it already

    pub(super) fn handle_timeout(&mut self, machine: &mut Machine, now: Now) {
        self.settle(machine, now);
        self.electors.handle_timeout(now);
        self.settle(machine, now);
    }

    /// Whether this answers one of the electors.
    pub(super) fn asked(&self, id: RequestId) -> bool {
        self.calls.contains_key(&id)
    }

    pub(super) fn handle_response(&mut self, machine: &mut Machine, now: Now, response: Response) {
        self.settle(machine, now);
        let Some((id, request)) = self.calls.remove(&response.id) else { return };
        let result = match response.result {
            Ok(Answer::Elected(stored)) => Ok(stored),
            Ok(_) => Err(Failure::Other), // an answer to another question
            Err(failure) => Err(failure),
        };
        self.electors.handle_response(now, id, election::Response { id: request, result });
        self.inherit(machine, now, id);
        self.settle(machine, now);
        let slot = slot_of(id);
        let until = self.electors.get(id).and_then(Elector::working_until);
        if until.is_some() && self.ends.of(slot).is_some() {
            self.ends.set(slot, until);
        }
    }

    pub(super) fn handle_watch(
        &mut self,
        machine: &mut Machine,
        now: Now,
        lock: &LockRef,
        watched: election::Watched,
    ) {
        self.settle(machine, now);
        if let Some(id) = self.find(lock) {
            self.electors.handle_watch(now, id, watched);
            self.inherit(machine, now, id);
        }
        self.settle(machine, now);
    }

    /// Work on these has ended.
    pub(super) fn drained(&mut self, machine: &mut Machine, now: Now, slots: &SlotSet) {
        for slot in slots {
            self.ends.set(slot, None);
            if let Some(id) = self.seats.get(slot.at()) {
                self.electors.work_stopped(now, *id);
            }
        }
        self.settle(machine, now);
    }

    /// Does what follows from what the machine and the electors have learnt.
    pub(super) fn settle(&mut self, machine: &mut Machine, now: Now) {
        if !machine.is_leased() && self.electors.is_empty() && !self.acting {
            machine.take_reckoned();
            return; // another mode
        }
        let may = machine.may_lease();
        if may && self.electors.is_empty() {
            self.begin(machine, now);
        } else if !may && self.acting {
            self.acting = false;
            self.electors.stop_all(now);
        }
        if machine.take_reckoned() && self.acting {
            self.prefer(machine, now);
        }
        self.tell(machine, now);
        self.bury(machine, now);
    }

    /// The lock's elector.
    fn find(&self, lock: &LockRef) -> Option<ElectorId> {
        let (_, index) = lock.name.rsplit_once('-')?;
        let id = *self.seats.get(index.parse::<usize>().ok()?)?;
        let elector = self.electors.get(id)?;
        (elector.config().lock == *lock).then_some(id)
    }

    /// One elector after the other, over a retry period, so that they do not renew all at once.
    fn begin(&mut self, machine: &mut Machine, now: Now) {
        let config = &machine.config;
        let slots = config.slots;
        let mut electors = Electors::new();
        self.seats.clear();
        for slot in slots.iter() {
            let begin = now.instant + config.retry_period * slot.index() / slots.count();
            let seed = self.seed ^ (u64::from(slot.index()) + 1) << 32;
            let elector = Elector::unchecked(election(config, slot), seed, begin);
            let id = electors.insert(elector);
            electors.stand_by(now, id, !machine.is_preferred(slot));
            self.seats.push(id);
        }
        self.electors = electors;
        self.ends = Ends::new(slots);
        self.asked = vec![None; slots.count() as usize];
        self.calls.clear();
        self.acting = true;
        machine.take_reckoned();
        machine.lease(now, true);
    }

    /// Goes for what should be this member's, and gives away what should not.
    fn prefer(&mut self, machine: &Machine, now: Now) {
        for (slot, id) in machine.config.slots.iter().zip(&self.seats) {
            let mine = machine.is_preferred(slot);
            self.electors.stand_by(now, *id, !mine);
            if !mine {
                self.electors.step_down(now, *id);
            }
        }
        for at in 0..self.seats.len() {
            if let Some(id) = self.seats.get(at).copied() {
                self.inherit(machine, now, id);
            }
        }
    }

    /// A lease of who is no member any more need not run out.
    fn inherit(&mut self, machine: &Machine, now: Now, id: ElectorId) {
        let Some((holder, version)) = self.electors.held(id) else { return };
        if self.acting
            && machine.is_preferred(slot_of(id))
            && machine.is_over(holder.as_str(), version)
        {
            self.electors.presume_released(now, id, version);
        }
    }

    /// Tells what the electors tell.
    fn tell(&mut self, machine: &mut Machine, now: Now) {
        let (mut acquired, mut moved, mut lost) = (Vec::new(), Vec::new(), Lost::default());
        while let Some((id, event)) = self.electors.poll_event() {
            let slot = slot_of(id);
            match event {
                election::Event::StartedLeading { token } => {
                    if self.acting && machine.is_preferred(slot) {
                        let until = self.electors.get(id).and_then(Elector::leading_until);
                        self.ends.set(slot, until);
                        machine.acquire(slot, token);
                        acquired.push(slot);
                    } else {
                        // It has changed since the lease was asked for. No work has begun.
                        self.electors.step_down(now, id);
                        self.electors.work_stopped(now, id);
                    }
                }
                election::Event::StoppedLeading { cause } => {
                    if !machine.config.rules.hold(Rule::DrainBeforeAck) {
                        self.ends.set(slot, None);
                        self.electors.work_stopped(now, id);
                    }
                    if !machine.holdings.revoke(slot) {
                        continue; // told already, with all others
                    }
                    let end = self.ends.of(slot).unwrap_or(now.instant);
                    match cause {
                        // Its end stays until the work has stopped.
                        Cause::HandedOver | Cause::Stopped => {
                            moved.push(slot);
                            continue;
                        }
                        Cause::Expired => lost.expired.push((end, slot)),
                        Cause::Preempted => lost.preempted.push(slot),
                        Cause::Deleted => lost.deleted.push(slot),
                    }
                    self.ends.set(slot, None);
                }
                _ => {}
            }
        }
        self.miss(machine, now, &mut lost);
        let slots = machine.config.slots;
        if let Some(acquired) = set(slots, acquired) {
            machine.acquired(acquired);
        }
        if let Some(moved) = set(slots, moved) {
            machine.moved(now.instant, moved);
        }
        for (lost, cause) in lost.by_cause() {
            if let Some(lost) = set(slots, lost) {
                machine.lost(now.instant, lost, cause);
            }
        }
    }

    /// Leases that were lost while work under them winds down: electors that stepped down tell nothing
    /// more.
    fn miss(&mut self, machine: &Machine, now: Now, lost: &mut Lost) {
        let told = machine.phase.life().is_none(); // with all others
        for slot in &machine.holdings.draining {
            let Some(end) = self.ends.of(slot) else { continue };
            let elector = self.seats.get(slot.at()).and_then(|id| self.electors.get(*id));
            let until = elector.and_then(Elector::working_until);
            if !told && until.is_some_and(|until| now.instant < until) {
                continue;
            }
            self.ends.set(slot, None);
            if told {
                continue;
            }
            if end <= now.instant {
                lost.expired.push((end, slot));
            } else {
                lost.preempted.push(slot);
            }
        }
    }

    /// Takes out electors that have ended. With the last of them all leases are given back.
    fn bury(&mut self, machine: &mut Machine, now: Now) {
        let mut any = false;
        while let Some(id) = self.electors.poll_finished() {
            any |= self.electors.remove(id).is_some();
        }
        if any && self.electors.is_empty() {
            *self = Self::new(self.seed);
            machine.lease(now, false);
        }
    }
}

/// Leases that were lost, by cause.
#[derive(Default)]
struct Lost {
    expired: Vec<(Instant, Slot)>,
    preempted: Vec<Slot>,
    deleted: Vec<Slot>,
}

impl Lost {
    fn by_cause(self) -> [(Vec<Slot>, Lapse); 3] {
        let at = self.expired.iter().map(|(at, _)| *at).min().unwrap_or_default();
        let expired = self.expired.into_iter().map(|(_, slot)| slot).collect();
        [
            (expired, Lapse::Expired { at }),
            (self.preempted, Lapse::Replaced),
            (self.deleted, Lapse::Missing),
        ]
    }
}

/// `None` if that is none of them: most often, and then nothing is allocated.
fn set(slots: Slots, of: Vec<Slot>) -> Option<SlotSet> {
    let mut set = (!of.is_empty()).then(|| SlotSet::none(slots))?;
    set.extend(of);
    Some(set)
}

fn slot_of(id: ElectorId) -> Slot {
    Slot::new(u32::try_from(id.index()).unwrap_or(u32::MAX))
}
