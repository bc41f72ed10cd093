use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::num::NonZeroU32;

use super::{Ranking, Slot, SlotSet, Slots};
use crate::placement::hash::{Draw, Mixed};
use crate::placement::{Key, Member, Members, Placement, Ranking as _, Rendezvous, Ring};

/// The most points a member has on a ring, so that no set of members has too many.
const MOST_POINTS: u32 = 1_024;

/// Up to so many members that come or go at once it is cheaper to look at what changes.
const FEW: usize = 8;

/// Nobody, in the table of owners.
const NOBODY: u32 = u32::MAX;

/// Who owns each slot, of a set of members.
///
/// One member that comes or goes costs a comparison a slot, another set O(slots · members).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Owners {
    ranking: Ranking,
    slots: Slots,
    members: Members,
    /// By slot, a seat.
    table: Box<[u32]>,
    /// Members that own something keep their seats when others come and go.
    seats: Vec<Option<Member>>,
}

impl Owners {
    pub(super) fn new(ranking: Ranking, slots: Slots) -> Self {
        Self {
            ranking,
            slots,
            members: Members::default(),
            table: vec![NOBODY; slots.count() as usize].into(),
            seats: Vec::new(),
        }
    }

    pub(super) fn owner(&self, slot: Slot) -> Option<&Member> {
        self.seat(*self.table.get(slot.at())?)
    }

    /// All members, the owner of `slot` first.
    pub(super) fn rank(&self, slot: Slot) -> Vec<Member> {
        rank_among(self.ranking, self.slots, self.members.clone(), slot)
    }

    /// What the member called `name` owns.
    pub(super) fn of(&self, name: &str) -> SlotSet {
        let mut set = SlotSet::none(self.slots);
        let named = |one: &Option<Member>| one.as_ref().is_some_and(|one| one.name() == name);
        if let Some(at) = self.seats.iter().position(named) {
            let mine = |(_, owner): &(Slot, &u32)| **owner as usize == at;
            set.extend(self.slots.iter().zip(&self.table).filter(mine).map(|(slot, _)| slot));
        }
        set
    }

    /// Puts `members` in place of those before; whether they are others.
    pub(super) fn update(&mut self, members: Members) -> bool {
        let come: Vec<_> = members.iter().filter(|new| !self.has(new)).cloned().collect();
        let gone: Vec<_> =
            self.members.iter().filter(|old| !is_in(&members, old)).cloned().collect();
        if come.is_empty() && gone.is_empty() {
            return false;
        }
        let few = come.len() + gone.len() <= FEW && gone.len() < self.members.len();
        self.members = members;
        if few {
            self.leave(&gone);
            self.join(&come);
        } else {
            self.rebuild();
        }
        true
    }

    /// The same whatever came and went before.
    pub(super) fn settle(&mut self) {
        self.rebuild();
    }

    fn has(&self, member: &Member) -> bool {
        is_in(&self.members, member)
    }

    fn rebuild(&mut self) {
        self.seats = self.members.iter().cloned().map(Some).collect();
        let placer = Placer::new(self.ranking, self.members.clone());
        for (slot, owner) in self.slots.iter().zip(&mut self.table) {
            let place = placer.place(key(self.ranking, self.slots, slot));
            let seat = place.and_then(|place| self.members.position(place.name()));
            *owner = seat.and_then(|seat| u32::try_from(seat).ok()).unwrap_or(NOBODY);
        }
    }

    /// What those that have gone owned goes to others.
    fn leave(&mut self, gone: &[Member]) {
        if gone.is_empty() {
            return;
        }
        let mut placer = None;
        for (slot, at) in self.slots.iter().zip(0..) {
            let seat = self.table.get(at).copied().unwrap_or(NOBODY);
            if !self.seat(seat).is_some_and(|owner| gone.contains(owner)) {
                continue;
            }
            let placer =
                placer.get_or_insert_with(|| Placer::new(self.ranking, self.members.clone()));
            let heir = placer.place(key(self.ranking, self.slots, slot)).cloned();
            let seat = heir.map_or(NOBODY, |heir| self.sit(heir));
            if let Some(owner) = self.table.get_mut(at) {
                *owner = seat;
            }
        }
        for seat in &mut self.seats {
            seat.take_if(|member| gone.contains(member));
        }
    }

    /// Each of those that have come takes what it wins from the owner, one after the other. That is the
    /// owner among all, since each slot has one order of members.
    fn join(&mut self, come: &[Member]) {
        for new in come {
            let seat = self.sit(new.clone());
            let rivals: Vec<_> = (0..)
                .zip(&self.seats)
                .map(|(at, rival)| {
                    let rival = rival.as_ref().filter(|_| at != seat)?;
                    let two = Members::new([rival.clone(), new.clone()]).ok()?;
                    Some(Placer::new(self.ranking, two))
                })
                .collect();
            for (slot, owner) in self.slots.iter().zip(&mut self.table) {
                let key = key(self.ranking, self.slots, slot);
                let rival = rivals.get(*owner as usize).and_then(Option::as_ref);
                if rival.is_none_or(|rival| rival.place(key) == Some(new)) {
                    *owner = seat;
                }
            }
        }
    }

    fn seat(&self, seat: u32) -> Option<&Member> {
        self.seats.get(seat as usize)?.as_ref()
    }

    /// The seat of `member`, a new one if it has none.
    fn sit(&mut self, member: Member) -> u32 {
        let at = |found| u32::try_from(found).unwrap_or(NOBODY);
        if let Some(found) = self.seats.iter().position(|seat| seat.as_ref() == Some(&member)) {
            return at(found);
        }
        if let Some(free) = self.seats.iter().position(Option::is_none) {
            if let Some(seat) = self.seats.get_mut(free) {
                *seat = Some(member);
            }
            return at(free);
        }
        self.seats.push(Some(member));
        at(self.seats.len() - 1)
    }
}

/// All of these members, the one that would own `slot` first.
pub(super) fn rank_among(
    ranking: Ranking,
    slots: Slots,
    members: Members,
    slot: Slot,
) -> Vec<Member> {
    let placer = Placer::new(ranking, members);
    placer.rank(key(ranking, slots, slot)).into_iter().cloned().collect()
}

/// Whether exactly this member is there: with this weight, in this zone.
fn is_in(members: &Members, member: &Member) -> bool {
    members
        .by_name(member.name())
        .is_some_and(|found| (found.weight(), found.zone()) == (member.weight(), member.zone()))
}

/// Where a slot lies for a ranking: on the ring where it lies in the hash space, so that slots side by
/// side mostly have one owner.
fn key(ranking: Ranking, slots: Slots, slot: Slot) -> Key {
    match ranking {
        Ranking::Rendezvous => Key::from_hash(slot.index().into()),
        Ranking::Ring(_) => Key::from_hash(slots.start(slot)),
    }
}

/// Keys lie where they are.
#[derive(Debug)]
enum InPlace {}

impl Draw for InPlace {
    fn draw(key: u64, _: u64) -> u64 {
        key
    }
}

enum Placer {
    Rendezvous(Rendezvous),
    Ring(Ring<InPlace, false>),
}

impl Placer {
    fn new(ranking: Ranking, members: Members) -> Self {
        let ring = match ranking {
            Ranking::Rendezvous => None,
            Ranking::Ring(points) => ring(&members, points),
        };
        ring.map_or_else(|| Self::Rendezvous(Rendezvous::new(members)), Self::Ring)
    }

    fn place(&self, key: Key) -> Option<&Member> {
        match self {
            Self::Rendezvous(placement) => placement.place(key),
            Self::Ring(placement) => placement.place(key),
        }
    }

    fn rank(&self, key: Key) -> Vec<&Member> {
        match self {
            Self::Rendezvous(placement) => placement.rank(key),
            Self::Ring(placement) => placement.rank(key),
        }
    }
}

/// `None` only for more members than a ring can hold, which are 65,536.
fn ring(members: &Members, points: NonZeroU32) -> Option<Ring<InPlace, false>> {
    let of = |member: &Member| member.weight().get().saturating_mul(points.get()).min(MOST_POINTS);
    let drawn = |member: &Member| {
        let hash = member.name_hash();
        (0..of(member)).map(move |n| Mixed::draw(hash, n.into()))
    };
    Ring::drawn(members.clone(), drawn).ok()
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use alloc::{format, vec};

    use proptest::prelude::*;

    use super::{Member, Members, NonZeroU32, Owners, Ranking, Slots};

    fn member(name: u8, weight: u32) -> Member {
        Member::new(format!("x-{name}")).with_weight(NonZeroU32::new(weight).unwrap())
    }

    fn names(owners: &Owners) -> Vec<Option<&str>> {
        owners.slots.iter().map(|slot| owners.owner(slot).map(Member::name)).collect()
    }

    fn ring(points: u32) -> Ranking {
        Ranking::Ring(NonZeroU32::new(points).unwrap())
    }

    proptest! {
        /// However members come and go, owners are those of the members that are there, whatever came
        /// before, and in whichever order names were given.
        #[test]
        fn owners_depend_on_the_members_alone(
            steps in prop::collection::vec(prop::collection::btree_map(0_u8..14, 1_u32..4, 0..12), 1..8),
            kind in 0_u32..3,
        ) {
            let ranking = [Ranking::Rendezvous, ring(3), ring(100)][kind as usize];
            let slots = Slots::new(256).unwrap();
            let mut owners = Owners::new(ranking, slots);
            for step in steps {
                let all: Vec<_> = step.iter().map(|(name, weight)| member(*name, *weight)).collect();
                owners.update(Members::new(all.clone()).unwrap());
                let mut anew = Owners::new(ranking, slots);
                anew.update(Members::new(all.iter().rev().cloned()).unwrap());
                prop_assert_eq!(names(&owners), names(&anew));
                for slot in slots.iter() {
                    let rank = owners.rank(slot);
                    prop_assert_eq!(owners.owner(slot), rank.first());
                }
                let shares = all.iter().map(|one| owners.of(one.name()).len()).sum::<usize>();
                prop_assert_eq!(shares, if all.is_empty() { 0 } else { 256 });
            }
        }
    }

    /// On a ring a member's slots lie side by side, as many ranges as it has points at most.
    #[test]
    fn a_ring_keeps_slots_together() {
        let slots = Slots::new(1024).unwrap();
        let members = Members::new((0..10).map(|name| member(name, 1))).unwrap();
        let pieces = |ranking| {
            let mut owners = Owners::new(ranking, slots);
            owners.update(members.clone());
            let names = names(&owners);
            names.windows(2).filter(|two| two[0] != two[1]).count()
        };
        assert!(pieces(ring(4)) <= 40, "{}", pieces(ring(4)));
        assert!(pieces(Ranking::Rendezvous) > 800);
    }

    /// Weights and points far beyond reason keep to a bound, the same for any set of members.
    #[test]
    fn a_ring_of_any_weight_is_bounded() {
        let mut owners = Owners::new(ring(u32::MAX), Slots::new(16).unwrap());
        owners.update(Members::new(vec![member(1, u32::MAX), member(2, 1)]).unwrap());
        assert!(names(&owners).iter().all(Option::is_some));
    }
}
