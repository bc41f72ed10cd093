//! What follows from what was seen: who owns what, what is acknowledged, whether to act.

use super::{Life, Machine, Move, Phase};
use crate::sharding::rules::Rule;
use crate::sharding::view::Known;
use crate::sharding::{Cause, Event, Lapse, SlotSet};
use crate::time::Instant;

impl Machine {
    /// The view has changed, or its version has; everything up to `before` had been seen already.
    pub(super) fn seen(&mut self, now: Instant, before: u64) {
        self.watchdog = self.watchdog.min(self.next_watch(now));
        if self.take_change() {
            self.reckon(now, before);
        }
        self.entitle_if_waiting(now);
        self.activate_if_acknowledged(now);
    }

    /// Whether something has changed that decides who owns what.
    pub(super) fn take_change(&mut self) -> bool {
        if self.is_leased() || self.is_planned() {
            self.view.take_restatement()
        } else {
            self.view.take_change()
        }
    }

    /// As [`seen`](Self::seen), for what is known otherwise than by a read.
    pub(super) fn view_changed(&mut self, now: Instant) {
        self.take_change();
        self.reckon(now, self.view.version);
        self.activate_if_acknowledged(now);
    }

    /// Reckons who owns what, by the members that count.
    pub(super) fn reckon(&mut self, now: Instant, before: u64) {
        if self.phase.life().is_none() {
            return;
        }
        if self.is_leased() {
            self.prefer();
            return;
        }
        if self.is_planned() {
            self.members_changed();
            self.entitle(now);
            return;
        }
        if !matches!(self.phase, Phase::Active(_)) {
            return; // a joiner has nothing yet; it reckons when it may act
        }
        let counted = self.view.counted(self.config.rules);
        let rules = self.config.rules;
        if !self.owners.update(counted, self.config.member.name(), rules) {
            return;
        }
        let mut moved = self.holdings.in_flight().without(self.owners.mine());
        for earlier in &self.moves {
            moved.subtract(&earlier.slots);
        }
        if !moved.is_empty() {
            self.moves.push(Move { before, slots: moved });
        }
        self.entitle(now);
    }

    /// Takes and gives what follows from the owners.
    pub(super) fn entitle(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Active(_)) || self.is_leased() {
            return;
        }
        let target = if self.stopping.is_some() {
            SlotSet::none(self.config.slots)
        } else if self.is_planned() {
            self.planned()
        } else {
            self.owners.mine().clone()
        };
        let lost = self.holdings.entitle(&target);
        self.revoking(now, lost, Cause::Moved);
    }

    /// The largest version such that everything up to it has been seen, and everything that moved away
    /// by it is drained.
    pub(super) fn acted_on(&self) -> u64 {
        let moved = self.moves.first().filter(|_| self.config.rules.hold(Rule::DrainBeforeAck));
        let drained = moved.map(|moved| moved.before);
        if self.is_planned() {
            return drained.unwrap_or_else(|| self.planned_up_to());
        }
        drained.unwrap_or(u64::MAX).min(self.view.understood())
    }

    /// A joiner acts when all others know of it.
    pub(super) fn activate_if_acknowledged(&mut self, now: Instant) {
        let Phase::Joining(life) = self.phase else { return };
        if life.seen >= life.joined && self.met.is_none() {
            self.met = Some(now);
            self.wake = self.trusts_from().filter(|_| self.config.distrust_deletion);
        }
        if self.yields(&life) {
            self.lapse(now, Lapse::OtherGeneration);
            return;
        }
        if self.stopping.is_none() && self.may_activate(&life, now) {
            self.phase = Phase::Active(life);
            self.out.event(Event::Joined);
            self.reckon(now, self.view.version);
            self.entitle(now);
        }
    }

    fn may_activate(&self, life: &Life, now: Instant) -> bool {
        let rules = self.config.rules;
        let read = self.view.version >= life.joined && life.seen >= life.joined;
        if !read && rules.hold(Rule::ActivationRead) {
            return false;
        }
        let trusted =
            !self.config.distrust_deletion || self.trusts_from().is_some_and(|at| at <= now);
        // By a plan nobody gives anything to a joiner unasked.
        let unasked = self.is_planned() || !rules.hold(Rule::JoinWait);
        let any_generation = !rules.hold(Rule::OneGeneration);
        let keeps = |known: &Known| {
            (!unasked && known.acknowledged() < life.joined)
                || (!any_generation && known.record().generation != self.generation)
        };
        trusted && !self.view.iter().any(|known| keeps(known) && self.is_counted_other(known))
    }

    /// From when on a joiner need not fear that a record was deleted before it could see it: who had it
    /// has no authority any more.
    fn trusts_from(&self) -> Option<Instant> {
        Some(self.met? + self.config.lease_duration)
    }

    /// Whether a member of another configuration goes first: it acts already, or it joins too and has
    /// the greater generation.
    fn yields(&self, life: &Life) -> bool {
        let mine = self.generation;
        let seen = self.view.version >= life.joined;
        let first = |known: &Known| {
            let other = known.record().generation;
            other != mine && (!known.joins() || other > mine)
        };
        seen && self.config.rules.hold(Rule::OneGeneration)
            && self.view.iter().any(|known| first(known) && self.is_counted_other(known))
    }

    fn is_counted_other(&self, known: &Known) -> bool {
        known.counts(self.config.rules) && known.record().name() != self.config.member.name()
    }

    pub(super) fn counted_others(&self) -> impl Iterator<Item = &Known> {
        self.view.iter().filter(|known| self.is_counted_other(known))
    }
}
