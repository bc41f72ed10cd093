mod without;

use alloc::vec::Vec;
use core::num::NonZeroU32;

use super::rules::{Rule, Rules};
use super::{Ranking, Slot, SlotSet, Slots};
use crate::placement::hash::{Draw, Mixed};
use crate::placement::{Key, Member, Members, Ranking as _, Rendezvous, Ring};

/// The most points a member has on a ring, so that no set of members has too many.
const MOST_POINTS: u32 = 1_024;

/// Which slots a member owns among others.
///
/// It keeps no table of all owners: whether a slot is its own it knows from the first few members that
/// rank before it there. So it costs O(slots · log members) when a member goes, and O(own slots ·
/// members) when one comes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Owners {
    ranking: Ranking,
    slots: Slots,
    members: Members,
    mine: SlotSet,
}

impl Owners {
    pub(super) fn new(ranking: Ranking, slots: Slots) -> Self {
        Self { ranking, slots, members: Members::default(), mine: SlotSet::none(slots) }
    }

    /// All members, the owner of `slot` first. O(members log members).
    pub(super) fn rank(&self, slot: Slot) -> Vec<Member> {
        rank_among(self.ranking, self.slots, self.members.clone(), slot)
    }

    /// What the member owns for which this was updated last.
    pub(super) const fn mine(&self) -> &SlotSet {
        &self.mine
    }

    /// Puts `members` in place of those before, for the one called `me`, always the same; whether they
    /// are others.
    pub(super) fn update(&mut self, members: Members, me: &str, rules: Rules) -> bool {
        let come = members.iter().any(|new| !is_in(&self.members, new));
        let gone = self.members.iter().any(|old| !is_in(&members, old));
        if !come && !gone {
            return false;
        }
        let fewer = !gone && self.members.contains(me) && rules.hold(Rule::LeastMoves);
        self.members = members;
        let before = core::mem::replace(&mut self.mine, SlotSet::none(self.slots));
        let Some(position) = self.members.position(me) else { return true };
        let placer = Placer::new(self.ranking, self.members.clone());
        let has = |slot: &Slot| {
            without::has(rules, &self.members, position, *slot)
                .unwrap_or_else(|| placer.has(position, key(self.ranking, self.slots, *slot)))
        };
        if fewer {
            self.mine.extend(before.iter().filter(has));
        } else {
            self.mine.extend(self.slots.iter().filter(has));
        }
        true
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

    fn has(&self, position: usize, key: Key) -> bool {
        match self {
            Self::Rendezvous(placement) => placement.has(position, key),
            Self::Ring(placement) => placement.has(position, key),
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

    use super::{Member, Members, NonZeroU32, Owners, Ranking, Rules, Slots};

    fn member(name: u8, weight: u32) -> Member {
        Member::new(format!("x-{name}")).with_weight(NonZeroU32::new(weight).unwrap())
    }

    fn ring(points: u32) -> Ranking {
        Ranking::Ring(NonZeroU32::new(points).unwrap())
    }

    proptest! {
        /// However members come and go, each slot has one owner, the first of its rank, which knows that
        /// it is; whatever came before, and in whichever order names were given.
        #[test]
        fn owners_depend_on_the_members_alone(
            steps in prop::collection::vec(prop::collection::btree_map(0_u8..14, 1_u32..4, 0..12), 1..8),
            even in any::<bool>(),
            kind in 0_u32..3,
        ) {
            let ranking = [Ranking::Rendezvous, ring(3), ring(100)][kind as usize];
            let slots = Slots::new(256).unwrap();
            let names: Vec<_> = (0..14).map(|name| member(name, 1)).collect();
            let mut owners = vec![Owners::new(ranking, slots); names.len()];
            for step in steps {
                let weigh = |weight: u32| if even { 1 } else { weight };
                let all: Vec<_> =
                    step.iter().map(|(name, weight)| member(*name, weigh(*weight))).collect();
                let mut shares = 0;
                for (me, owners) in names.iter().zip(&mut owners) {
                    owners.update(Members::new(all.clone()).unwrap(), me.name(), Rules::default());
                    let mut anew = Owners::new(ranking, slots);
                    let members = Members::new(all.iter().rev().cloned()).unwrap();
                    anew.update(members, me.name(), Rules::default());
                    prop_assert_eq!(&*owners, &anew);
                    for slot in slots.iter() {
                        let first = owners.rank(slot).first().map(|first| first.name() == me.name());
                        prop_assert_eq!(owners.mine().contains(slot), first == Some(true));
                    }
                    shares += owners.mine().len();
                }
                prop_assert_eq!(shares, if all.is_empty() { 0 } else { 256 });
            }
        }
    }

    /// On a ring a member's slots lie side by side, as many ranges as it has points at most.
    #[test]
    fn a_ring_keeps_slots_together() {
        let slots = Slots::new(1024).unwrap();
        let members = Members::new((0..10).map(|name| member(name, 1))).unwrap();
        let pieces = |ranking| -> usize {
            let pieces = members.iter().map(|me| {
                let mut owners = Owners::new(ranking, slots);
                owners.update(members.clone(), me.name(), Rules::default());
                let mine: Vec<u32> = owners.mine().iter().map(super::Slot::index).collect();
                mine.windows(2).filter(|two| two[0] + 1 != two[1]).count() + 1
            });
            pieces.sum()
        };
        assert!(pieces(ring(4)) <= 50, "{}", pieces(ring(4)));
        assert!(pieces(Ranking::Rendezvous) > 800);
    }

    /// Weights and points far beyond reason keep to a bound, the same for any set of members.
    #[test]
    fn a_ring_of_any_weight_is_bounded() {
        let members = Members::new(vec![member(1, u32::MAX), member(2, 1)]).unwrap();
        let share = |name: u8| {
            let mut owners = Owners::new(ring(u32::MAX), Slots::new(16).unwrap());
            owners.update(members.clone(), member(name, 1).name(), Rules::default());
            owners.mine().len()
        };
        assert_eq!(share(1) + share(2), 16);
    }
}
