//! Laws of the planner, as properties of histories: a fleet to which things happen, and the plans for it.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString as _;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::num::{NonZeroU8, NonZeroU32};
use core::time::Duration;

use proptest::prelude::*;

use super::{Input, Outcome, Unmet, next};
use crate::placement::hash::mix;
use crate::placement::{Member, Members};
use crate::sharding::planned::{Budget, Layout, Pin, Plan, Policy, Roster, StoredPlan};
use crate::sharding::{Generation, Slot, Slots};
use crate::time::Instant;

mod figures;
mod small;
mod time;

const GENERATION: Generation = Generation { number: 1, fingerprint: 7 };

/// A fleet, the plan that is stored for it, and what the leader remembers.
#[derive(Clone)]
struct Fleet {
    policy: Policy,
    slots: Slots,
    members: BTreeMap<String, Member>,
    stored: Option<StoredPlan>,
    roster: Roster,
    loads: Vec<u32>,
    now: Instant,
}

impl Fleet {
    fn new(policy: Policy, slots: u32, members: impl IntoIterator<Item = Member>) -> Self {
        let slots = Slots::new(slots).unwrap();
        policy.validate(slots).unwrap();
        let members = members.into_iter().map(|member| (member.name().into(), member)).collect();
        let (stored, roster, now) = (None, Roster::default(), Instant::from_nanos(1));
        Self { policy, slots, members, stored, roster, loads: Vec::new(), now }
    }

    fn equal(policy: Policy, slots: u32, count: u32) -> Self {
        Self::new(policy, slots, (0..count).map(|i| Member::from(format!("m-{i}"))))
    }

    fn join(&mut self, member: impl Into<Member>) {
        let member = member.into();
        self.members.insert(member.name().into(), member);
    }

    fn leave(&mut self, name: &str) {
        self.members.remove(name).unwrap();
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    fn set(&self) -> Members {
        Members::new(self.members.values().cloned()).unwrap()
    }

    /// Asks for a plan, stores it, and checks what holds for each.
    fn plan(&mut self) -> Outcome {
        let before = self.stored.as_ref().map(|stored| Arc::clone(&stored.plan));
        self.roster.observe(before.as_deref(), &self.set(), self.now);
        let input = Input {
            generation: GENERATION,
            slots: self.slots,
            previous: self.stored.as_ref(),
            roster: &self.roster,
            loads: &self.loads,
            now: self.now,
        };
        let outcome = next(&self.policy, &input);
        assert_eq!(outcome.plan.is_some(), !outcome.moves.is_empty(), "{outcome:?}");
        if let Some(plan) = &outcome.plan {
            let old = self.stored.as_ref().map(StoredPlan::resolved);
            let version = self.stored.as_ref().map_or(10, |stored| stored.version + 10);
            for slot in self.slots.iter() {
                let owner = plan.owner(slot);
                let was = old.as_ref().and_then(|old| old.owner(slot));
                let since = old.as_ref().map_or(0, |old| old.since(slot));
                assert_eq!(plan.since(slot), if owner == was { since } else { 0 }, "{slot}");
            }
            assert_eq!(outcome.moves, plan.moves(old.as_ref()));
            self.stored = Some(StoredPlan { plan: plan.clone().into(), version });
            self.roster.stored(outcome.voluntary, self.now);
        }
        if !self.members.is_empty() {
            let held: Vec<_> = outcome
                .unmet
                .iter()
                .filter_map(|unmet| match unmet {
                    Unmet::Held { member, .. } => Some(&**member),
                    _ => None,
                })
                .collect();
            for run in self.current().runs() {
                let owner = run.owner.expect("each slot has an owner");
                assert!(self.members.contains_key(owner) != held.contains(&owner), "{owner}");
            }
        }
        outcome
    }

    fn current(&self) -> &Plan {
        &self.stored.as_ref().unwrap().plan
    }

    /// How many slots each has.
    fn counts(&self) -> Vec<u32> {
        self.members.keys().map(|name| count(self.current(), name)).collect()
    }

    fn load(&self, name: &str) -> u64 {
        let slots = self.current().slots_of(name);
        slots.iter().map(|slot| u64::from(self.loads[slot.index() as usize])).sum()
    }

    /// How many ranges each has.
    fn ranges(&self) -> Vec<usize> {
        self.members
            .keys()
            .map(|name| {
                let all: Vec<_> = self.current().slots_of(name).iter().map(Slot::index).collect();
                all.iter().filter(|slot| **slot == 0 || !all.contains(&(**slot - 1))).count()
            })
            .collect()
    }
}

fn count(plan: &Plan, name: &str) -> u32 {
    plan.runs_of(name).map(|run| run.slots).sum()
}

fn moved(outcome: &Outcome) -> u32 {
    outcome.moves.iter().map(|one| one.slots).sum()
}

fn contiguous(slack_per_mille: u32) -> Policy {
    Policy { layout: Layout::CONTIGUOUS, slack_per_mille, ..Policy::default() }
}

fn spread(counts: &[u32]) -> u32 {
    counts.iter().max().unwrap() - counts.iter().min().unwrap()
}

#[derive(Debug, Clone)]
enum Happening {
    Join,
    Leave(prop::sample::Index),
    Weigh(prop::sample::Index, u32),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let one = prop_oneof![
        3 => Just(Happening::Join),
        3 => any::<prop::sample::Index>().prop_map(Happening::Leave),
        1 => (any::<prop::sample::Index>(), 1_u32..20).prop_map(|(at, to)| Happening::Weigh(at, to)),
    ];
    prop::collection::vec(one, 1..24)
}

impl Fleet {
    /// Lets it happen; who left, and what it had.
    fn happen(&mut self, happening: &Happening, number: usize) -> Option<u32> {
        match happening {
            Happening::Join => self.join(format!("n-{number}").as_str()),
            Happening::Leave(at) => {
                let name = self.members.keys().nth(at.index(self.members.len())).unwrap().clone();
                let had = count(self.current(), &name);
                self.leave(&name);
                return Some(had);
            }
            Happening::Weigh(at, weight) => {
                let at = at.index(self.members.len());
                let member = self.members.values().nth(at).unwrap().clone();
                self.join(member.with_weight(NonZeroU32::new(*weight).unwrap()));
            }
        }
        None
    }
}

proptest! {
    /// Equal members: shares within one slot of each other; a join moves what the joiner gets and no
    /// more, a leave what the leaver had.
    #[test]
    fn equal_members_share_with_the_fewest_moves(
        bits in 3_u32..9, count in 1_u32..9, happenings in happenings(),
    ) {
        let mut fleet = Fleet::equal(Policy::default(), 1 << bits, count);
        fleet.plan();
        for (number, happening) in happenings.iter().enumerate() {
            if matches!(happening, Happening::Weigh(..)) || fleet.members.len() == 1 && matches!(happening, Happening::Leave(_)) {
                continue;
            }
            let had = fleet.happen(happening, number);
            let outcome = fleet.plan();
            prop_assert!(spread(&fleet.counts()) <= 1, "{:?}", fleet.counts());
            let share = (1 << bits) / u32::try_from(fleet.members.len()).unwrap();
            prop_assert_eq!(moved(&outcome), had.unwrap_or(share));
            prop_assert_eq!(outcome.voluntary, if had.is_some() { 0 } else { share });
            prop_assert_eq!(outcome.unmet, []);
            prop_assert_eq!(fleet.plan().plan, None);
        }
    }

    /// Weights: everybody has its share, rounded down or up, after any history.
    #[test]
    fn weights_are_honoured(
        bits in 3_u32..9, slack in prop_oneof![Just(0_u32), 0_u32..500], happenings in happenings(),
    ) {
        let policy = Policy { slack_per_mille: slack, ..Policy::default() };
        let mut fleet = Fleet::equal(policy, 1 << bits, 3);
        fleet.plan();
        for (number, happening) in happenings.iter().enumerate() {
            if fleet.members.len() == 1 {
                continue;
            }
            fleet.happen(happening, number);
            let outcome = fleet.plan();
            let total: u64 = fleet.members.values().map(|member| u64::from(member.weight().get())).sum();
            for (name, member) in &fleet.members {
                let share = u64::from(member.weight().get()) << bits;
                let least = share * u64::from(1000 - slack) / (1000 * total);
                let most = (share * u64::from(1000 + slack)).div_ceil(1000 * total);
                let has = u64::from(count(fleet.current(), name));
                prop_assert!((least..=most).contains(&has), "{name} {has} {least} {most}");
            }
            prop_assert_eq!(outcome.unmet, []);
            prop_assert_eq!(fleet.plan().plan, None);
        }
    }

    /// The same in any order in which the members are given.
    #[test]
    fn order_does_not_matter(mut names in prop::collection::btree_map("x-1{0,3}0?", 1_u32..9, 1..9), ranges in any::<bool>()) {
        let policy = if ranges { contiguous(100) } else { Policy::default() };
        let member = |(name, weight): (&String, &u32)| {
            Member::from(&**name).with_weight(NonZeroU32::new(*weight).unwrap())
        };
        let mut one = Fleet::new(policy.clone(), 64, names.iter().map(member));
        let mut other = Fleet::new(policy, 64, names.iter().rev().map(member));
        prop_assert_eq!(one.plan(), other.plan());
        names.pop_first();
        if !names.is_empty() {
            one.members = names.iter().map(|of| (of.0.clone(), member(of))).collect();
            other.members = one.members.clone();
            prop_assert_eq!(one.plan(), other.plan());
        }
    }

    /// Ranges: few, and shares within the slack and a slot, whatever happened before.
    #[test]
    fn contiguous_members_have_few_ranges(
        bits in 3_u32..9, count in 1_u32..9, ranges in 1_u8..5,
        slack in prop_oneof![Just(0_u32), Just(100), Just(250)], happenings in happenings(),
    ) {
        let ranges = NonZeroU8::new(ranges).unwrap();
        let policy = Policy { layout: Layout::Contiguous { ranges }, ..contiguous(slack) };
        let mut fleet = Fleet::equal(policy, 1 << bits, count);
        fleet.plan();
        for (number, happening) in happenings.iter().enumerate() {
            if fleet.members.len() == 1 {
                continue;
            }
            fleet.happen(happening, number);
            let outcome = fleet.plan();
            prop_assert_eq!(outcome.unmet, []);
            prop_assert!(fleet.ranges().iter().all(|of| *of <= ranges.get().into()), "{:?}", fleet.ranges());
            prop_assert_eq!(fleet.plan().plan, None);
        }
    }

    /// Measured loads: nothing moves when nothing has changed, and nobody is left with more than the
    /// mean load of a slot too much, unless a single slot weighs more.
    #[test]
    fn measured_loads_are_balanced(
        bits in 4_u32..9, count in 2_u32..9, happenings in happenings(), seed in any::<u64>(), ranges in any::<bool>(),
        scale in prop_oneof![Just(3_u64), Just(1000), Just(u64::from(u32::MAX))],
    ) {
        let policy = if ranges { contiguous(250) } else { Policy { slack_per_mille: 100, ..Policy::default() } };
        let mut fleet = Fleet::equal(policy, 1 << bits, count);
        let load = |slot: u64| u32::try_from(mix(seed ^ slot) % scale).unwrap();
        fleet.loads = (0..1 << bits).map(load).collect();
        fleet.plan();
        for (number, happening) in happenings.iter().enumerate() {
            if fleet.members.len() == 1 {
                continue;
            }
            fleet.happen(happening, number);
            let outcome = fleet.plan();
            let weights: u64 = fleet.members.values().map(|member| u64::from(member.weight().get())).sum();
            let total: u64 = fleet.loads.iter().map(|load| u64::from(*load)).sum();
            let greatest = u64::from(*fleet.loads.iter().max().unwrap());
            for (name, member) in &fleet.members {
                let share = total * u64::from(member.weight().get()) / weights;
                let allowed = share + share / 4 + 2 * greatest + 1;
                prop_assert!(fleet.load(name) <= allowed, "{name} {} {allowed} {:?}", fleet.load(name), outcome.unmet);
            }
            prop_assert_eq!(fleet.plan().plan, None);
        }
    }

    /// A budget: no plan takes more from those that could keep it; the last one is as good as without.
    #[test]
    fn a_budget_is_kept_and_suffices(
        bits in 3_u32..8, moves in 1_u32..20, happenings in happenings(), ranges in any::<bool>(),
    ) {
        let budget = Budget { moves: NonZeroU32::new(moves).unwrap(), every: Duration::from_secs(5) };
        let policy = if ranges { contiguous(0) } else { Policy::default() };
        let mut fleet = Fleet::equal(Policy { budget: Some(budget), ..policy }, 1 << bits, 4);
        fleet.plan();
        for (number, happening) in happenings.iter().enumerate() {
            if fleet.members.len() == 1 {
                continue;
            }
            fleet.happen(happening, number);
            let mut rounds = 0;
            loop {
                let outcome = fleet.plan();
                prop_assert!(outcome.voluntary <= moves, "{} {moves}", outcome.voluntary);
                if outcome.unmet.is_empty() {
                    break;
                }
                rounds += 1;
                prop_assert!(rounds < 2000, "{:?}", outcome.unmet);
                // Before its time nothing more moves.
                let until = outcome.next_due.unwrap();
                if outcome.voluntary > 0 {
                    prop_assert_eq!(until, fleet.now + budget.every);
                    prop_assert_eq!(fleet.plan().plan, None);
                }
                fleet.now = until;
            }
        }
    }

    /// What nobody has costs nothing: however small the budget, a first plan gives out everything, and
    /// what somebody left behind is given out at once.
    #[test]
    fn a_budget_is_for_what_somebody_has(bits in 4_u32..8, pinned in 1_u32..4, ranges in any::<bool>()) {
        let budget = Budget { moves: NonZeroU32::MIN, every: Duration::from_secs(5) };
        let layout = if ranges { contiguous(0) } else { Policy::default() };
        let pins = alloc::vec![Pin { slots: 0..=pinned, member: "m-1".into() }];
        let mut fleet = Fleet::equal(Policy { budget: Some(budget), pins, ..layout }, 1 << bits, 3);
        let outcome = fleet.plan();
        prop_assert_eq!((outcome.voluntary, outcome.unmet), (0, vec![]));
        let mut pinned = fleet.slots.iter().take_while(|slot| slot.index() <= pinned);
        prop_assert!(pinned.all(|slot| fleet.current().owner(slot) == Some("m-1")));
        fleet.leave("m-2");
        // Each slot has an owner that is here, see `plan`.
        prop_assert!(fleet.plan().voluntary <= 1);
    }

    /// Who is between two leaves them its range, to the slot, however small the budget.
    #[test]
    fn a_budget_is_not_for_what_is_dealt_out_and_shifted(bits in 3_u32..10) {
        let budget = Budget { moves: NonZeroU32::MIN, every: Duration::from_secs(5) };
        let mut fleet = Fleet::equal(Policy { budget: Some(budget), ..contiguous(0) }, 1 << bits, 3);
        fleet.plan();
        fleet.leave("m-1");
        let outcome = fleet.plan();
        prop_assert!(outcome.voluntary <= 1 && outcome.unmet.is_empty(), "{outcome:?}");
        prop_assert_eq!(fleet.counts(), [1 << (bits - 1); 2]);
        prop_assert_eq!(fleet.ranges(), [1; 2]);
    }

    /// Pins: theirs as long as they are there, others' as before.
    #[test]
    fn pins_are_kept(
        bits in 4_u32..8, first in 0_u32..16, length in 0_u32..6, happenings in happenings(), ranges in any::<bool>(),
    ) {
        let last = (first + length).min(15);
        let pins = alloc::vec![Pin { slots: first..=last, member: "m-1".into() }];
        let policy = if ranges { contiguous(100) } else { Policy::default() };
        let mut fleet = Fleet::equal(Policy { pins, ..policy }, 1 << bits, 3);
        fleet.plan();
        for (number, happening) in happenings.iter().enumerate() {
            if fleet.members.len() == 1 {
                continue;
            }
            fleet.happen(happening, number);
            let outcome = fleet.plan();
            let here = fleet.members.contains_key("m-1");
            for slot in fleet.slots.iter().filter(|slot| (first..=last).contains(&slot.index())) {
                prop_assert!(!here || fleet.current().owner(slot) == Some("m-1"));
            }
            prop_assert_eq!(outcome.unmet.iter().any(|unmet| matches!(unmet, Unmet::Pin { .. })), !here);
            prop_assert_eq!(fleet.plan().plan, None);
        }
    }

    /// Zones have equal shares, however many members they have, give or take one slot for each of them.
    #[test]
    fn zones_have_equal_shares(sizes in prop::collection::vec(1_u32..7, 1..5), bits in 6_u32..10, without in 0_u32..3) {
        let policy = Policy { zones: true, ..Policy::default() };
        let members = (0..).zip(&sizes).flat_map(|(zone, size)| {
            (0..*size).map(move |i| Member::from(format!("{zone}-{i}")).in_zone(format!("z{zone}")))
        });
        let members = members.chain((0..without).map(|i| Member::from(format!("none-{i}"))));
        let mut fleet = Fleet::new(policy, 1 << bits, members);
        fleet.plan();
        let mut zones: BTreeMap<_, (u32, u32)> = BTreeMap::new();
        for member in fleet.members.values() {
            let zone = zones.entry(member.zone()).or_default();
            *zone = (zone.0 + count(fleet.current(), member.name()), zone.1 + 1);
        }
        let share = (1 << bits) / u32::try_from(zones.len()).unwrap();
        for (slots, members) in zones.values() {
            prop_assert!(slots.abs_diff(share) <= *members, "{zones:?}");
        }
        prop_assert_eq!(fleet.plan().plan, None);
    }
}
