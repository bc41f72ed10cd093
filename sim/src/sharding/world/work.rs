//! What replicas do with their slots: pieces of work that begin with a permit and end with a guarded
//! write, and cleaning up after slots that were revoked.

use tenure::sharding::{Slot, SlotSet};
use tenure::time::Instant;

use super::super::system::{Claim, Input, System};
use super::super::trace::{Set, What};
use super::outside::{At, Event, Outside};
use super::process::Process;
use crate::time::{SimTime, Span};

/// Work in flight.
#[derive(Debug, Clone)]
pub(super) struct Work {
    kind: Kind,
    /// It goes on beyond `until` only as long as this is the same.
    membership: u64,
    pub(super) until: Option<Instant>,
    ends: SimTime,
}

#[derive(Debug, Clone)]
enum Kind {
    Piece { at: At, token: u64 },
    Cleaning(SlotSet),
}

impl<S: System> Process<S> {
    /// Time for the next piece.
    pub(super) fn work(&mut self, outside: &mut Outside<S::Value>, life: u32) {
        if !self.is_alive() || self.life() != life {
            return;
        }
        let next = self.habits.every.draw(self.chance.bits()).max(Span::from_nanos(1));
        outside.queue.push(outside.now + next, Event::Work { replica: self.index, life });
        if self.paused.is_empty() {
            self.begin_work(outside);
        } else {
            self.ticks = true;
        }
    }

    /// Begins a piece of work on one of the slots that it last knew to be its own, if it may.
    pub(super) fn begin_work(&mut self, outside: &mut Outside<S::Value>) {
        let (which, takes) = (self.chance.bits(), self.chance.bits());
        let Some(of) = self.claimed().map(SlotSet::slots) else { return };
        let count = self.list.len() as u64;
        let nth = usize::try_from(crate::distribution::scale(which, count)).unwrap_or(0);
        let Some(&slot) = self.list.get(nth) else { return };
        let now = self.clock.instant(outside.now);
        let Some(system) = &self.system else { return };
        let Some(permit) = system.permit(slot, now) else { return };
        let membership = system.claim(now).membership;
        let token = permit.token.as_u64();
        let ends = outside.now + self.habits.takes.draw(takes);
        let number = self.number();
        let until = self.clock.when(permit.until).unwrap_or(SimTime::NEVER);
        outside.statistics.works += 1;
        outside.emit(What::Began {
            replica: self.index,
            life: self.life(),
            work: number,
            slot: slot.index(),
            of: of.count(),
            token,
            until,
        });
        let kind = Kind::Piece { at: At { slot, of }, token };
        self.put(outside, number, Work { kind, membership, until: Some(permit.until), ends });
    }

    const fn number(&mut self) -> u64 {
        self.made += 1;
        ((self.index as u64) << 40) | self.made
    }

    fn put(&mut self, outside: &mut Outside<S::Value>, work: u64, piece: Work) {
        outside.queue.push(piece.ends, Event::Finish { replica: self.index, work });
        if let Some(at) = piece.until.and_then(|until| self.clock.when(until)) {
            let limit = Event::Limit { replica: self.index, work };
            outside.queue.push(at.max(outside.now), limit);
        }
        self.works.insert(work, piece);
    }

    /// No more work on these: those without work are cleaned up now, the others when it has ended. What
    /// is being cleaned up already is not cleaned up twice.
    pub(super) fn revoke(&mut self, outside: &mut Outside<S::Value>, slots: &SlotSet) {
        let mut busy = SlotSet::none(slots.slots());
        let mut idle = slots.clone();
        for work in self.works.values() {
            match &work.kind {
                Kind::Piece { at, .. } if at.of == slots.slots() && slots.contains(at.slot) => {
                    busy.insert(at.slot);
                }
                Kind::Cleaning(cleaning) if cleaning.slots() == slots.slots() => {
                    idle.subtract(cleaning);
                }
                _ => {}
            }
        }
        idle.subtract(&busy);
        if !busy.is_empty() {
            self.busy.push(busy);
        }
        self.clean(outside, &idle);
    }

    /// Cleans up, which may take no time.
    fn clean(&mut self, outside: &mut Outside<S::Value>, slots: &SlotSet) {
        if slots.is_empty() {
            return;
        }
        let bits = self.chance.bits();
        let slow = self.drains.iter().map(|(_, by)| by.draw(bits.rotate_left(17)));
        let takes = slow.fold(self.habits.drain.draw(bits), |sum, by| sum + by);
        let now = self.clock.instant(outside.now);
        let Some(system) = &self.system else { return };
        let claim = system.claim(now);
        let (mut over, mut until) = (SlotSet::none(slots.slots()), None);
        for slot in slots {
            match end_of(system, &claim, slot).filter(|end| !takes.is_zero() && now < *end) {
                Some(end) => until = until.into_iter().chain([end]).min(),
                None => _ = over.insert(slot),
            }
        }
        let (membership, rest) = (claim.membership, slots.without(&over));
        if !rest.is_empty() {
            let number = self.number();
            let set = Set(rest.clone().into());
            outside.emit(What::Cleaning { replica: self.index, work: number, slots: set });
            let ends = outside.now + takes;
            self.put(outside, number, Work { kind: Kind::Cleaning(rest), membership, until, ends });
        }
        if !over.is_empty() {
            self.tell(outside, Input::Drained(over));
        }
    }

    /// A piece of work comes to its end, if the process runs.
    pub(super) fn finish(&mut self, outside: &mut Outside<S::Value>, work: u64) {
        if !self.paused.is_empty() {
            return;
        }
        let Some(piece) = self.works.remove(&work) else { return };
        outside.emit(What::Done { replica: self.index, work, cut: false });
        if let Kind::Piece { at, token } = piece.kind {
            let link = outside.net.write(self.index);
            if let Some(takes) = link.and_then(|link| outside.net.send(link, |_| {}).takes) {
                let write = Event::Write { replica: self.index, slot: at, token };
                outside.queue.push(outside.now + takes, write);
            }
        }
        self.ended(outside, piece.kind);
    }

    /// The right to a piece of work ends, unless it was extended.
    pub(super) fn limit(&mut self, outside: &mut Outside<S::Value>, work: u64) {
        let now = self.clock.instant(outside.now);
        let Some(system) = &self.system else { return };
        let claim = system.claim(now);
        let Some(piece) = self.works.get_mut(&work) else { return };
        if claim.membership == piece.membership {
            piece.until = match &piece.kind {
                Kind::Piece { at, .. } => end_of(system, &claim, at.slot),
                Kind::Cleaning(slots) if claim.each => {
                    let ends = slots.iter().map(|slot| system.until(slot).unwrap_or_default());
                    ends.min()
                }
                Kind::Cleaning(_) => claim.until,
            };
        }
        let each = claim.each;
        if piece.until.is_some_and(|until| until <= now) {
            let Some(piece) = self.works.remove(&work) else { return };
            outside.emit(What::Done { replica: self.index, work, cut: true });
            match piece.kind {
                // The right to some of them goes on.
                Kind::Cleaning(slots) if each => self.clean(outside, &slots),
                kind => self.ended(outside, kind),
            }
        } else if let Some(at) = piece.until.and_then(|until| self.clock.when(until)) {
            outside.queue.push(at, Event::Limit { replica: self.index, work });
        }
    }

    /// Work is no more in flight: what waited for that goes on.
    fn ended(&mut self, outside: &mut Outside<S::Value>, kind: Kind) {
        match kind {
            Kind::Cleaning(slots) => {
                self.free(outside, &slots);
                let idle = self.idle(slots);
                if !idle.is_empty() {
                    self.tell(outside, Input::Drained(idle));
                }
            }
            Kind::Piece { .. } if self.busy.is_empty() => {}
            Kind::Piece { at, .. } => {
                let mut one = SlotSet::none(at.of);
                one.insert(at.slot);
                self.free(outside, &one);
            }
        }
    }

    /// Cleans up those of `slots` that were revoked and on which nothing goes on any more.
    fn free(&mut self, outside: &mut Outside<S::Value>, slots: &SlotSet) {
        if self.busy.is_empty() {
            return;
        }
        let idle = self.idle(slots.clone());
        let mut waited = SlotSet::none(idle.slots());
        for busy in &mut self.busy {
            if busy.slots() == idle.slots() {
                let mut now = busy.clone();
                now.keep(&idle);
                busy.subtract(&now);
                waited.add(&now);
            }
        }
        self.busy.retain(|busy| !busy.is_empty());
        self.clean(outside, &waited);
    }

    /// Those on which nothing goes on.
    fn idle(&self, mut slots: SlotSet) -> SlotSet {
        for work in self.works.values() {
            match &work.kind {
                Kind::Piece { at, .. } if at.of == slots.slots() => {
                    slots.remove(at.slot);
                }
                Kind::Cleaning(cleaning) if cleaning.slots() == slots.slots() => {
                    slots.subtract(cleaning);
                }
                _ => {}
            }
        }
        slots
    }

    /// The process goes on: what should have ended meanwhile ends now.
    pub(super) fn catch_up(&mut self, outside: &mut Outside<S::Value>) {
        let due = self.works.iter().filter(|(_, work)| work.ends <= outside.now);
        let due: Vec<u64> = due.map(|(&work, _)| work).collect();
        for work in due {
            self.finish(outside, work);
        }
    }
}

/// When the right to work on a slot ends; never, if none.
fn end_of<S: System>(system: &S, claim: &Claim<'_>, slot: Slot) -> Option<Instant> {
    if claim.each { Some(system.until(slot).unwrap_or_default()) } else { claim.until }
}
