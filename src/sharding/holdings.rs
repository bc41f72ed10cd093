use alloc::vec::Vec;

use super::{Slot, SlotSet, Slots};

/// What a member has, is to get and gives away. Nothing here knows of time or of other members.
///
/// A slot to which the member is entitled is `gained`; a renewal sent after that gives it a token, and
/// then it is `owned`. One to which it is entitled no more is `draining` until the driver says that work
/// on it has ended, and is gained anew only after that.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Holdings {
    pub(super) owned: SlotSet,
    gained: SlotSet,
    /// Those of the gained ones for which the renewal under way brings the token.
    asked: SlotSet,
    pub(super) draining: SlotSet,
    /// Of those owned, in the order of slots.
    tokens: Vec<(Slot, u64)>,
}

impl Holdings {
    pub(super) fn new(slots: Slots) -> Self {
        let none = SlotSet::none(slots);
        Self {
            owned: none.clone(),
            gained: none.clone(),
            asked: none.clone(),
            draining: none,
            tokens: Vec::new(),
        }
    }

    /// The member is entitled to `target` and nothing else; what it had beyond that, which is to be
    /// drained now.
    pub(super) fn entitle(&mut self, target: &SlotSet) -> SlotSet {
        let lost = self.owned.without(target);
        if !lost.is_empty() {
            self.owned.subtract(&lost);
            self.draining.add(&lost);
            self.tokens.retain(|(slot, _)| !lost.contains(*slot));
        }
        self.gained = target.without(&self.owned);
        self.gained.subtract(&self.draining);
        self.asked.keep(&self.gained);
        lost
    }

    /// A renewal is sent.
    pub(super) fn ask(&mut self) {
        self.asked = self.gained.clone();
    }

    /// The renewal was answered, with this version; what is owned by it.
    pub(super) fn grant(&mut self, token: u64) -> SlotSet {
        let granted = self.asked.take();
        self.gained.subtract(&granted);
        self.own(&granted, token);
        granted
    }

    /// Nothing will come of the renewal that was sent.
    pub(super) fn forget(&mut self) {
        self.asked.take();
    }

    /// What the owned slots' tokens are decides nothing.
    pub(super) fn forget_tokens(&mut self) {
        for (_, token) in &mut self.tokens {
            *token = 0;
        }
    }

    fn own(&mut self, slots: &SlotSet, token: u64) {
        if slots.is_empty() {
            return;
        }
        self.owned.add(slots);
        self.tokens.extend(slots.iter().map(|slot| (slot, token)));
        self.tokens.sort_unstable();
    }

    /// A lease has given this slot.
    pub(super) fn acquire(&mut self, slot: Slot, token: Option<u64>) {
        self.owned.insert(slot);
        if let Some(token) = token
            && let Err(at) = self.tokens.binary_search_by_key(&slot, |(slot, _)| *slot)
        {
            self.tokens.insert(at, (slot, token));
        }
    }

    /// Its lease gives this slot no more: it is to be drained. Whether it was owned.
    pub(super) fn revoke(&mut self, slot: Slot) -> bool {
        let owned = self.owned.remove(slot);
        if owned {
            self.draining.insert(slot);
            self.tokens.retain(|(other, _)| *other != slot);
        }
        owned
    }

    /// Work on `slots` has ended; those of them that were to be drained.
    pub(super) fn drained(&mut self, slots: &SlotSet) -> SlotSet {
        let mut released = self.draining.clone();
        released.keep(slots);
        self.draining.subtract(&released);
        released
    }

    /// All right is gone; what must be stopped.
    pub(super) fn lapse(&mut self) -> SlotSet {
        self.gained.take();
        self.asked.take();
        self.tokens.clear();
        let owned = self.owned.take();
        self.draining.add(&owned);
        self.draining.clone()
    }

    /// What work may be under way on.
    pub(super) fn in_flight(&self) -> SlotSet {
        let mut all = self.owned.clone();
        all.add(&self.draining);
        all
    }

    /// Whether no work can be under way.
    pub(super) fn is_idle(&self) -> bool {
        self.owned.is_empty() && self.draining.is_empty()
    }

    /// Whether a renewal would bring something.
    pub(super) fn wants_token(&self) -> bool {
        !self.gained.is_empty()
    }

    pub(super) fn awaits_token(&self, slot: Slot) -> bool {
        self.gained.contains(slot)
    }

    /// Whether it is owned or gained.
    pub(super) fn has(&self, slot: Slot) -> bool {
        self.owned.contains(slot) || self.gained.contains(slot)
    }

    pub(super) fn token(&self, slot: Slot) -> Option<u64> {
        let at = self.tokens.binary_search_by_key(&slot, |(slot, _)| *slot).ok()?;
        self.tokens.get(at).map(|(_, token)| *token)
    }
}

#[cfg(test)]
mod tests {
    use super::{Holdings, Slot, SlotSet, Slots};

    fn set(of: &[u32]) -> SlotSet {
        let mut set = SlotSet::none(Slots::new(8).unwrap());
        set.extend(of.iter().map(|index| Slot::new(*index)));
        set
    }

    #[test]
    fn a_slot_is_owned_from_the_first_renewal_sent_after_it_was_gained() {
        let mut holdings = Holdings::new(Slots::new(8).unwrap());
        assert!(holdings.entitle(&set(&[1, 2])).is_empty());
        holdings.ask();
        holdings.entitle(&set(&[1, 2, 3])); // too late for that renewal
        assert_eq!(holdings.grant(10), set(&[1, 2]));
        assert_eq!((holdings.token(Slot::new(2)), holdings.token(Slot::new(3))), (Some(10), None));
        // Lost and gained anew while the next one is under way: the token would be too old.
        holdings.ask();
        holdings.entitle(&set(&[1, 2]));
        holdings.entitle(&set(&[1, 2, 3]));
        assert!(holdings.grant(11).is_empty() && holdings.wants_token());
        holdings.ask();
        assert_eq!(holdings.grant(12), set(&[3]));
        assert_eq!(holdings.token(Slot::new(3)), Some(12));
    }

    #[test]
    fn what_is_given_away_must_be_drained_even_if_it_comes_back() {
        let mut holdings = Holdings::new(Slots::new(8).unwrap());
        holdings.entitle(&set(&[1, 2]));
        holdings.ask();
        holdings.grant(10);
        assert_eq!(holdings.entitle(&set(&[2])), set(&[1]));
        assert!(holdings.entitle(&set(&[1, 2])).is_empty());
        assert!(!holdings.wants_token() && holdings.token(Slot::new(1)).is_none());
        assert_eq!(holdings.drained(&set(&[1, 2])), set(&[1])); // 2 is at work still
        holdings.entitle(&set(&[1, 2]));
        assert!(holdings.awaits_token(Slot::new(1)));
        assert_eq!(holdings.lapse(), set(&[2]));
        assert!(!holdings.is_idle() && !holdings.wants_token());
        holdings.drained(&set(&[2]));
        assert!(holdings.is_idle());
        // What it has anew has a new token.
        holdings.entitle(&set(&[2]));
        assert!(holdings.has(Slot::new(2)) && holdings.token(Slot::new(2)).is_none());
        holdings.ask();
        holdings.grant(20);
        assert_eq!(holdings.token(Slot::new(2)), Some(20));
    }
}
