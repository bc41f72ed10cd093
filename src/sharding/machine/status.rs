//! What is told of a member to people.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Life, Machine, Phase, Stopping, ranking};
use crate::placement::{Member, Members};
use crate::sharding::owners::rank_among;
use crate::sharding::view::Known;
use crate::sharding::{Mode, Presence, Slot, Standing, State, Wait};
use crate::time::Instant;

impl Machine {
    pub(in crate::sharding) fn presence(&self, now: Instant) -> Presence {
        let leaving = matches!(self.stopping, Some(Stopping::Leaving));
        match self.phase {
            Phase::Left => Presence::Left,
            Phase::Standby if leaving => Presence::Stopping,
            Phase::Joining(_) | Phase::Active(_) if self.stopping.is_some() => Presence::Stopping,
            Phase::Standby => Presence::StandingBy(self.stands_by_for(now)),
            Phase::Joining(life) => Presence::Joining(self.joins_after(&life, now)),
            Phase::Active(_) => Presence::Active,
        }
    }

    /// What keeps this member from joining, the first thing first.
    fn stands_by_for(&self, now: Instant) -> Wait {
        let fresh = self.read.is_some_and(|read| now < read + self.config.renew_deadline);
        let others = self.of_another_configuration();
        let own = self.own().filter(|own| !self.is_of_this_process(own));
        let namesake = own.filter(|own| own.record().state.counts());
        if !self.is_idle() {
            Wait::Work
        } else if !fresh || self.unsure.is_some() {
            Wait::Read
        } else if !others.is_empty() {
            Wait::Configuration(others)
        } else if let Some(own) = namesake {
            Wait::Namesake(own.record().incarnation.clone())
        } else {
            Wait::Turn
        }
    }

    fn joins_after(&self, life: &Life, now: Instant) -> Wait {
        if self.view.version < life.joined || life.seen < life.joined {
            return Wait::Read;
        }
        let others = self.of_another_configuration();
        if !others.is_empty() {
            return Wait::Configuration(others);
        }
        let awaited = self.awaited(if self.is_planned() { 0 } else { life.joined });
        if !awaited.is_empty() {
            return Wait::Acknowledgement(awaited);
        }
        let trusts = self.met.map(|met| met + self.config.lease_duration);
        match trusts.filter(|at| self.config.distrust_deletion && now < *at) {
            Some(at) => Wait::Distrust(at),
            None => Wait::Turn,
        }
    }

    fn of_another_configuration(&self) -> Vec<Arc<str>> {
        let other = |known: &&Known| known.record().generation != self.generation;
        self.counted_others().filter(other).map(|known| known.record().name().into()).collect()
    }

    /// Who of the others has not acknowledged this version.
    fn awaited(&self, version: u64) -> Vec<Arc<str>> {
        let silent = |known: &&Known| known.acknowledged() < version;
        self.counted_others().filter(silent).map(|known| known.record().name().into()).collect()
    }

    /// How long ago the last read and the last write that succeeded were sent.
    pub(in crate::sharding) fn ages(&self, now: Instant) -> [Option<Duration>; 2] {
        [self.read, self.written].map(|at| at.map(|at| now.saturating_since(at)))
    }

    /// The members that count.
    pub(in crate::sharding) fn counted(&self) -> Members {
        self.view.counted(self.config.rules)
    }

    /// What this member may do with a slot on which it may not work now.
    pub(in crate::sharding) fn standing(&self, slot: Slot, now: Instant) -> Standing {
        if self.holdings.draining.contains(slot) {
            return Standing::Draining;
        }
        if self.has_lapsed(now) {
            return Standing::Outside;
        }
        if self.holdings.awaits_token(slot) {
            return Standing::AwaitingToken;
        }
        match self.presence(now) {
            Presence::StandingBy(_) | Presence::Left => Standing::Outside,
            Presence::Stopping if self.phase.life().is_none() => Standing::Outside,
            Presence::Joining(wait) => Standing::Joining(wait),
            Presence::Active if self.is_leased() && self.is_preferred(slot) => {
                Standing::AwaitingLease
            }
            Presence::Active => self.awaits(slot).unwrap_or(Standing::Elsewhere),
            Presence::Stopping => Standing::Elsewhere,
        }
    }

    /// What keeps this member from a slot that the plan gives it.
    fn awaits(&self, slot: Slot) -> Option<Standing> {
        let (owner, version) = self.planned_owner(slot)?;
        if owner?.name() != self.config.member.name() {
            return None;
        }
        let mut members = self.awaited(version);
        if !self.has_seen_plan() {
            members.push(self.config.member.name().into());
        }
        if members.is_empty() {
            return Some(Standing::AwaitingToken); // in the same call, or the next
        }
        Some(Standing::AwaitingAcknowledgement { version, members })
    }

    /// By the plan, if there is one of this configuration: who is to own a slot, and since when.
    pub(in crate::sharding) fn planned_owner(&self, slot: Slot) -> Option<(Option<Member>, u64)> {
        let plan = self.followed_plan().filter(|plan| plan.generation() == self.generation)?;
        let owner = plan.owner(slot).map(|name| {
            let known = self.view.get(name).map(|known| known.record().member.clone());
            known.unwrap_or_else(|| Member::new(name))
        });
        Some((owner, plan.since(slot)))
    }

    /// Who would own a slot, one after the other; empty where a plan decides.
    pub(in crate::sharding) fn rank(&self, slot: Slot) -> Vec<Member> {
        let members = match self.config.mode {
            Mode::Planned(_) => return Vec::new(),
            _ if matches!(self.phase, Phase::Active(_)) => return self.owners.rank(slot),
            Mode::Ranked(_) => self.counted(),
            Mode::Leased => {
                let acting = self.counted_others().map(Known::record);
                let acting = acting.filter(|record| record.state == State::Active);
                Members::new(acting.map(|record| record.member.clone())).unwrap_or_default()
            }
        };
        rank_among(ranking(&self.config.mode), self.config.slots, members, slot)
    }
}
