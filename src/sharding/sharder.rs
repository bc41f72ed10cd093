use alloc::vec::Vec;
use core::fmt;

use super::leased::Leases;
use super::machine::{Machine, Phase, Restated, Restatement};
use super::planned::Leader;
use super::rules::Rule;
use super::{Config, ConfigError, Event, Permit, Request, Response, Slot, SlotSet, Watched};
use crate::election::Token;
use crate::placement::{Key, Member};
use crate::time::{Instant, Now};

/// One member's part in sharding: a state machine without I/O, clock or threads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sharder {
    machine: Machine,
    /// Mode `leased` only.
    leases: Leases,
    /// Mode `planned` only.
    leader: Leader,
}

impl Sharder {
    /// A member that joins from `now` on, which may be in the future: it does nothing before. `seed`
    /// decides its random waits; give each replica another one.
    ///
    /// # Errors
    /// A configuration that cannot work, see [`ConfigError`].
    pub fn new(config: Config, seed: u64, now: Instant) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self::unchecked(config, seed, now))
    }

    /// As [`new`](Self::new), for configurations that are not allowed: to explore what happens then.
    #[doc(hidden)]
    #[must_use]
    pub fn unchecked(config: Config, seed: u64, now: Instant) -> Self {
        let machine = Machine::new(config, seed, now);
        Self { machine, leases: Leases::new(seed), leader: Leader::new(seed) }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.machine.config
    }

    /// Time has come, or gone by: does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Now) {
        self.machine.handle_timeout(now);
        self.leases.handle_timeout(&mut self.machine, now);
        self.leader.settle(&mut self.machine, now);
    }

    /// The store has answered. An answer to no request, or one after the request's deadline, is ignored.
    pub fn handle_response(&mut self, now: Now, response: Response) {
        if self.leases.asked(response.id) {
            self.machine.handle_timeout(now);
            self.leases.handle_response(&mut self.machine, now, response);
        } else if self.leader.asked(response.id) {
            self.machine.handle_timeout(now);
            self.leader.handle_response(&mut self.machine, now, response);
        } else {
            self.machine.handle_response(now, response);
            self.settle(now);
        }
    }

    /// A watch of the group's records has shown something. Optional: without a watch, or when it goes
    /// quiet, the member reads by itself.
    pub fn handle_watch(&mut self, now: Now, watched: Watched) {
        if let Watched::Lock(lock, watched) = watched {
            self.machine.handle_timeout(now);
            self.leases.handle_watch(&mut self.machine, now, &lock, watched);
        } else {
            self.machine.handle_watch(now, watched);
            self.settle(now);
        }
    }

    /// Asks for a renewal and a read at once.
    pub fn poke(&mut self, now: Now) {
        self.machine.poke(now);
        self.settle(now);
    }

    /// All work on these slots has ended; those of them that were not to be drained do not matter.
    pub fn drained(&mut self, now: Now, slots: &SlotSet) {
        let released = self.machine.drained(now, slots);
        self.leases.drained(&mut self.machine, now, &released);
        self.leader.settle(&mut self.machine, now);
    }

    /// Asks to give everything away, and to leave.
    pub fn leave(&mut self, now: Now) {
        self.machine.leave(now);
        self.settle(now);
    }

    /// Asks to give everything away, and to join anew with another configuration.
    ///
    /// # Errors
    /// A configuration that cannot work; nothing has changed then.
    pub fn reconfigure(&mut self, now: Now, config: Config) -> Result<(), ConfigError> {
        config.validate()?;
        self.machine.reconfigure(now, config);
        self.settle(now);
        Ok(())
    }

    /// What is measured on each slot, in any unit, from slot 0 on: the leader in mode `planned` evens it
    /// out by its next plan. Tell it every member, since any may lead.
    pub fn measure(&mut self, now: Now, loads: Vec<u32>) {
        self.leader.measure(&mut self.machine, now, loads);
    }

    fn settle(&mut self, now: Now) {
        self.leases.settle(&mut self.machine, now);
        self.leader.settle(&mut self.machine, now);
    }

    /// The next thing to tell.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.machine.out.take_event()
    }

    /// The next request to send.
    #[must_use]
    pub fn poll_request(&mut self) -> Option<Request> {
        let Self { machine, leases, .. } = self;
        machine.out.take_request().or_else(|| leases.poll_request(&mut machine.out))
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let leader = self.leader.poll_timeout();
        let all = [self.machine.poll_timeout(), self.leases.poll_timeout(), leader];
        all.into_iter().flatten().min()
    }

    /// Whether this member has left, and nothing is to be done any more.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.machine.phase == Phase::Left
    }

    /// Whether work on `key` may start at `now`.
    #[must_use]
    #[inline]
    pub fn owns(&self, key: Key, now: Instant) -> bool {
        self.owns_slot(self.machine.config.slots.of(key), now)
    }

    /// The slots on which work may start at `now`; `None` if this member has no right at all, be it
    /// since it has not joined, or since its authority has ended. In mode `leased` the end of any held
    /// lease gives `None` until the driver has called [`handle_timeout`](Self::handle_timeout), which
    /// takes its slot out; [`owns`](Self::owns) and the others always answer for each slot by itself.
    #[must_use]
    #[inline]
    pub fn owned(&self, now: Instant) -> Option<&SlotSet> {
        self.machine.owned(now).filter(|_| now < self.leases.first_end() || !self.has_clock())
    }

    /// The right to work on `slot`, if there is one at `now`.
    #[must_use]
    pub fn permit(&self, slot: Slot, now: Instant) -> Option<Permit> {
        let token = self.token(slot, now)?;
        Some(Permit { slot, token, until: self.slot_until(slot)? })
    }

    /// What orders the owners of `slot`, if this member is the owner at `now`.
    #[must_use]
    pub fn token(&self, slot: Slot, now: Instant) -> Option<Token> {
        let token = self.machine.holdings.token(slot).map(Token::from_u64);
        token.filter(|_| self.owns_slot(slot, now))
    }

    /// When authority ends, if no renewal and no read succeeds before; in mode `leased` that over the
    /// slot that is the first to go.
    #[must_use]
    pub fn until(&self) -> Option<Instant> {
        self.machine.until().map(|until| until.min(self.leases.first_end()))
    }

    #[inline]
    fn owns_slot(&self, slot: Slot, now: Instant) -> bool {
        self.machine.owned(now).is_some_and(|owned| owned.contains(slot))
            && (now < self.leases.first_end()
                || self.leases.end(slot).is_none_or(|end| now < end)
                || !self.has_clock())
    }

    /// When authority over `slot` ends, if this member has some.
    fn slot_until(&self, slot: Slot) -> Option<Instant> {
        let until = self.machine.until()?;
        Some(self.leases.end(slot).map_or(until, |end| until.min(end)))
    }

    fn has_clock(&self) -> bool {
        self.machine.config.rules.hold(Rule::Clock)
    }

    /// For explorers of all states; see [`Restatement`].
    #[doc(hidden)]
    pub fn restate(&mut self, mut to: Restatement<'_>) -> Restated {
        self.machine.restate(&mut to)
    }

    /// Who owns `slot` as far as this member knows, and why.
    #[must_use]
    pub fn explain(&self, slot: Slot, now: Instant) -> Explanation {
        let machine = &self.machine;
        let standing = if self.owns_slot(slot, now) {
            Standing::Owned
        } else if machine.holdings.draining.contains(slot) {
            Standing::Draining
        } else if machine.holdings.awaits_token(slot) {
            Standing::AwaitingToken
        } else if machine.phase.life().is_none() {
            Standing::Outside
        } else if machine.may_lease() && machine.is_preferred(slot) {
            Standing::AwaitingLease
        } else {
            Standing::Elsewhere
        };
        Explanation {
            slot,
            standing,
            owner: machine.owners.owner(slot).cloned(),
            rank: machine.owners.rank(slot),
            token: machine.holdings.token(slot).map(Token::from_u64),
            until: self.slot_until(slot),
            version: machine.view.version,
        }
    }
}

/// Why a slot is owned by whom ([`Sharder::explain`]).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Explanation {
    /// Which slot.
    pub slot: Slot,
    /// What this member may do with it.
    pub standing: Standing,
    /// Who is to own it, of the members that count.
    pub owner: Option<Member>,
    /// All of these, in the order in which they would own it.
    pub rank: Vec<Member>,
    /// Since when this member owns it: the version of the write that gave it the right.
    pub token: Option<Token>,
    /// Until when this member has authority over it, or would have, if nothing more succeeds.
    pub until: Option<Instant>,
    /// Up to which version of the store this member has seen everything.
    pub version: u64,
}

/// What a member may do with a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Work on it.
    Owned,
    /// It has to finish its work, since the slot goes to somebody else.
    Draining,
    /// It is the owner, and waits for the renewal that gives the token.
    AwaitingToken,
    /// It should have it, and waits for its lease (mode `leased`).
    AwaitingLease,
    /// Nothing: it belongs to somebody else.
    Elsewhere,
    /// Nothing: it takes no part in the group now.
    Outside,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {}: ", self.slot)?;
        f.write_str(match self.standing {
            Standing::Owned => "owned here",
            Standing::Draining => "being given away",
            Standing::AwaitingToken => "to be owned here after the next renewal",
            Standing::AwaitingLease => "to be owned here as soon as its lease is free",
            Standing::Elsewhere => "owned elsewhere",
            Standing::Outside => "this member takes no part",
        })?;
        if let Some(token) = self.token {
            write!(f, " since version {}", token.as_u64())?;
        }
        write!(f, "; by the members seen at version {}:", self.version)?;
        for (place, member) in (1..).zip(&self.rank) {
            write!(f, " {place}. {}", member.name())?;
        }
        if self.rank.is_empty() {
            f.write_str(" none")?;
        }
        Ok(())
    }
}
