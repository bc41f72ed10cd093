use alloc::vec::Vec;
use core::fmt;

use super::machine::{Machine, Phase, Restated, Restatement};
use super::{
    Config, ConfigError, Event, Permit, Request, Response, Slot, SlotSet, Watched,
};
use crate::election::Token;
use crate::placement::{Key, Member};
use crate::time::{Instant, Now};

/// One member's part in sharding: a state machine without I/O, clock or threads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sharder {
    machine: Machine,
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
        Self { machine: Machine::new(config, seed, now) }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.machine.config
    }

    /// Time has come, or gone by: does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Now) {
        self.machine.handle_timeout(now);
    }

    /// The store has answered. An answer to no request, or one after the request's deadline, is ignored.
    pub fn handle_response(&mut self, now: Now, response: Response) {
        self.machine.handle_response(now, response);
    }

    /// A watch of the group's records has shown something. Optional: without a watch, or when it goes
    /// quiet, the member reads by itself.
    pub fn handle_watch(&mut self, now: Now, watched: Watched) {
        self.machine.handle_watch(now, watched);
    }

    /// Asks for a renewal and a read at once.
    pub fn poke(&mut self, now: Now) {
        self.machine.poke(now);
    }

    /// All work on these slots has ended; those of them that were not to be drained do not matter.
    pub fn drained(&mut self, now: Now, slots: &SlotSet) {
        self.machine.drained(now, slots);
    }

    /// Asks to give everything away, and to leave.
    pub fn leave(&mut self, now: Now) {
        self.machine.leave(now);
    }

    /// Asks to give everything away, and to join anew with another configuration.
    ///
    /// # Errors
    /// A configuration that cannot work; nothing has changed then.
    pub fn reconfigure(&mut self, now: Now, config: Config) -> Result<(), ConfigError> {
        config.validate()?;
        self.machine.reconfigure(now, config);
        Ok(())
    }

    /// The next thing to tell.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.machine.out.take_event()
    }

    /// The next request to send.
    #[must_use]
    pub fn poll_request(&mut self) -> Option<Request> {
        self.machine.out.take_request()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.machine.poll_timeout()
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
        let slot = self.machine.config.slots.of(key);
        self.owned(now).is_some_and(|owned| owned.contains(slot))
    }

    /// The slots on which work may start at `now`; `None` if this member has no right at all, be it
    /// since it has not joined, or since its authority has ended.
    #[must_use]
    #[inline]
    pub fn owned(&self, now: Instant) -> Option<&SlotSet> {
        self.machine.owned(now)
    }

    /// The right to work on `slot`, if there is one at `now`.
    #[must_use]
    pub fn permit(&self, slot: Slot, now: Instant) -> Option<Permit> {
        let token = self.token(slot, now)?;
        Some(Permit { slot, token, until: self.until()? })
    }

    /// What orders the owners of `slot`, if this member is the owner at `now`.
    #[must_use]
    pub fn token(&self, slot: Slot, now: Instant) -> Option<Token> {
        self.owned(now).filter(|owned| owned.contains(slot))?;
        self.machine.holdings.token(slot).map(Token::from_u64)
    }

    /// When authority ends, if no renewal and no read succeeds before.
    #[must_use]
    pub fn until(&self) -> Option<Instant> {
        self.machine.until()
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
        let standing = if self.owned(now).is_some_and(|owned| owned.contains(slot)) {
            Standing::Owned
        } else if machine.holdings.draining.contains(slot) {
            Standing::Draining
        } else if machine.holdings.awaits_token(slot) {
            Standing::AwaitingToken
        } else if machine.phase.life().is_none() {
            Standing::Outside
        } else {
            Standing::Elsewhere
        };
        Explanation {
            slot,
            standing,
            owner: machine.owners.owner(slot).cloned(),
            rank: machine.owners.rank(slot),
            token: machine.holdings.token(slot).map(Token::from_u64),
            until: self.until(),
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
    /// Until when this member has authority, if nothing more succeeds.
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
