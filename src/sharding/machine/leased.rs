//! What differs where leases decide who owns what: membership only says who should have which.

use super::{Machine, Phase};
use crate::election::Token;
use crate::sharding::{Cause, Event, Lapse, Mode, Slot, SlotSet, State};
use crate::time::{Instant, Now};

impl Machine {
    pub(in crate::sharding) const fn is_leased(&self) -> bool {
        matches!(self.config.mode, Mode::Leased)
    }

    /// Whether this member may hold leases.
    pub(in crate::sharding) const fn may_lease(&self) -> bool {
        self.is_leased() && matches!(self.phase, Phase::Active(_)) && self.stopping.is_none()
    }

    /// Reckons which slots should be whose.
    pub(super) fn prefer(&mut self) {
        if self.may_lease() {
            let me = &self.config.member;
            self.owners.update(self.view.acting(me), me.name(), self.config.rules);
            self.reckoned = true;
        }
    }

    /// Whether that has changed since this was asked last.
    pub(in crate::sharding) const fn take_reckoned(&mut self) -> bool {
        core::mem::replace(&mut self.reckoned, false)
    }

    /// Whether this slot should be this member's.
    pub(in crate::sharding) fn is_preferred(&self, slot: Slot) -> bool {
        self.owners.mine().contains(slot)
    }

    /// Whether who holds a lease in this name, by a write of this version, has no authority any more: by
    /// what was written later its process is no member, and a later life of it must write first.
    pub(in crate::sharding) fn is_over(&self, holder: &str, version: u64) -> bool {
        let Some((name, process)) = holder.rsplit_once('_') else { return false };
        self.view.get(name).is_some_and(|known| {
            let record = known.record();
            let lives = *process == *record.incarnation.process && record.state.counts();
            !lives && !known.gone && known.stored.version > version
        })
    }

    /// Whether no work can be under way, and no lease be held.
    pub(super) fn is_idle(&self) -> bool {
        self.holdings.is_idle() && !self.leasing
    }

    /// Whether the next renewal says more than that this member lives.
    pub(super) fn wants_to_renew(&self) -> bool {
        let joins = || self.own().is_some_and(|own| own.record().state == State::Joining);
        self.holdings.wants_token() || self.is_leased() && joins()
    }

    /// Leases are sought from now on, be it those of slots or the leader's; or none is held or sought any
    /// more.
    pub(in crate::sharding) fn lease(&mut self, now: Now, any: bool) {
        self.leasing = any;
        self.advance(now);
    }

    pub(in crate::sharding) fn acquire(&mut self, slot: Slot, token: Option<Token>) {
        self.holdings.acquire(slot, token.map(Token::as_u64));
    }

    pub(in crate::sharding) fn acquired(&mut self, slots: SlotSet) {
        self.out.event(Event::Acquired(slots));
    }

    pub(in crate::sharding) fn moved(&mut self, now: Instant, slots: SlotSet) {
        self.revoking(now, slots, Cause::Moved);
    }

    /// The leases of these slots were lost.
    pub(in crate::sharding) fn lost(&mut self, now: Instant, slots: SlotSet, cause: Lapse) {
        self.await_drain(now, true);
        self.out.event(Event::Lapsed { slots, cause });
    }
}
