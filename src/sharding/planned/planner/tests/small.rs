//! Small cases, each of which a planner that is a little wrong plans otherwise.

use super::*;

/// A fleet with this plan in the store: whose each slot is, by letters.
fn stored(policy: Policy, owners: &str, members: &[&str]) -> Fleet {
    let slots = u32::try_from(owners.len()).unwrap();
    let members = members.iter().map(|name| Member::from(*name));
    let mut fleet = Fleet::new(policy, slots, members);
    let runs = owners.chars().map(|name| (1, Some(name.to_string().into()), 5));
    let plan = Plan::new(GENERATION, fleet.slots, runs).unwrap();
    fleet.stored = Some(StoredPlan { plan: plan.into(), version: 5 });
    fleet
}

fn owners(fleet: &Fleet) -> String {
    let plan = fleet.current();
    fleet.slots.iter().map(|slot| plan.owner(slot).unwrap()).collect()
}

fn ranges(ranges: u8) -> Policy {
    let ranges = NonZeroU8::new(ranges).unwrap();
    Policy { layout: Layout::Contiguous { ranges }, ..Policy::default() }
}

fn budget(moves: u32) -> Budget {
    let moves = NonZeroU32::new(moves).unwrap();
    Budget { moves, every: Duration::from_secs(10) }
}

fn pin(slots: core::ops::RangeInclusive<u32>, member: &str) -> Pin {
    Pin { slots, member: member.into() }
}

/// What divides by the highest averages gives one with ten times the weight more than it should have,
/// and a budget is not there to take that back.
#[test]
fn a_first_plan_gives_nobody_more_than_it_should_have() {
    let heavy = Member::from("heavy").with_weight(NonZeroU32::new(10).unwrap());
    let others = ["a", "b", "c", "d", "e"].map(Member::from);
    let policy = Policy { budget: Some(budget(1)), ..Policy::default() };
    let mut fleet = Fleet::new(policy, 8, others.into_iter().chain([heavy]));
    let outcome = fleet.plan();
    assert_eq!(outcome.unmet, []);
    assert!(owners(&fleet).matches("heavy").count() <= 6);
}

/// Slots that nobody has cost no budget, pinned or not.
#[test]
fn what_is_free_costs_nothing() {
    for layout in [Layout::Spread, Layout::CONTIGUOUS] {
        let pins = vec![pin(2..=5, "a")];
        let policy = Policy { layout, pins, budget: Some(budget(1)), ..Policy::default() };
        let mut fleet = Fleet::new(policy, 8, ["a", "b"].map(Member::from));
        assert_eq!(fleet.plan().unmet, []);
        assert_eq!(&owners(&fleet)[2..=5], "aaaa");
    }
}

/// Cut out between its pins it would be three ranges.
#[test]
fn nothing_is_cut_out_between_pins_of_one_member() {
    let pins = vec![pin(0..=3, "a"), pin(28..=29, "a")];
    let mut fleet = stored(Policy { pins, ..ranges(1) }, &"a".repeat(32), &["a", "b"]);
    fleet.plan();
    assert_eq!(owners(&fleet), "a".repeat(30) + "bb");
}

/// The first steps of a way that is too long for the budget: next time it is shorter.
#[test]
fn a_budget_shorter_than_the_way_begins_with_the_first_step() {
    let policy = Policy { budget: Some(budget(1)), ..ranges(1) };
    let mut fleet = stored(policy, "aaaaaaabbbbbbccc", &["a", "b", "c"]);
    fleet.plan();
    assert_eq!(owners(&fleet), "aaaaaabbbbbbbccc");
}

/// A piece beside a pinned one of its own is no range to be rid of.
#[test]
fn what_touches_a_pin_of_its_own_is_not_merged() {
    let pins = vec![pin(0..=1, "a")];
    let policy = Policy { pins, budget: Some(budget(14)), ..ranges(1) };
    let mut fleet = stored(policy, "aaaabbbaaaaaaaab", &["a", "b"]);
    let outcome = fleet.plan();
    assert_eq!((owners(&fleet), outcome.unmet), ("aaaaaaaabbbbbbbb".into(), vec![]));
}

/// With loads a share is met to within a mean slot.
#[test]
fn loads_are_even_to_within_a_slot() {
    let mut fleet = stored(Policy::default(), "aabb", &["a", "b"]);
    fleet.loads = vec![10, 10, 10, 11];
    let outcome = fleet.plan();
    assert_eq!((outcome.plan, outcome.unmet), (None, vec![]));
}

/// The heaviest first, each to whoever has least; of equals to the first by name.
#[test]
fn free_slots_are_dealt_in_order() {
    let mut fleet = Fleet::new(Policy::default(), 4, ["a", "b", "c"].map(Member::from));
    fleet.plan();
    assert_eq!(owners(&fleet), "abca");
    let mut fleet = Fleet::new(Policy::default(), 4, ["a", "b"].map(Member::from));
    fleet.loads = vec![1, 1, 1, 3];
    fleet.plan();
    assert_eq!(owners(&fleet), "bbba");
}

/// Who may not have another range is not given one, however little it has.
#[test]
fn what_is_free_goes_to_neighbours_if_ranges_are_used_up() {
    let mut fleet = stored(ranges(1), "aabbbbbccccddddd", &["a", "b", "d"]);
    let outcome = fleet.plan();
    assert_eq!((owners(&fleet), outcome.unmet), ("aaaaabbbbbdddddd".into(), vec![]));
}

/// As much of a range too many goes as the budget allows for, from the end that touches the taker.
#[test]
fn a_range_goes_bit_by_bit() {
    let policy = Policy { budget: Some(budget(1)), slack_per_mille: 1_000, ..ranges(1) };
    let mut fleet = stored(policy, "aabbbbaaaaaaaaaa", &["a", "b"]);
    fleet.plan();
    assert_eq!(owners(&fleet), "abbbbbaaaaaaaaaa");
}

/// Also when all is dealt out anew.
#[test]
fn a_layout_costs_budget() {
    let policy = Policy { budget: Some(budget(5)), ..ranges(1) };
    let mut fleet = stored(policy, &"ab".repeat(32), &["a", "b"]);
    let outcome = fleet.plan();
    assert!((1..=5).contains(&outcome.voluntary), "{}", outcome.voluntary);
    assert!(outcome.unmet.iter().any(|unmet| matches!(unmet, Unmet::Budget { .. })));
}

/// Slots without any load spread as well.
#[test]
fn slots_without_load_spread() {
    let mut fleet = Fleet::new(Policy::default(), 16, ["a", "b"].map(Member::from));
    fleet.loads = vec![100, 100];
    fleet.plan();
    let owners = owners(&fleet);
    for name in ["a", "b"] {
        assert!(owners.matches(name).count() >= 6, "{owners}");
    }
}

/// Even when all is dealt out anew.
#[test]
fn what_is_held_stays_when_ranges_are_laid_out() {
    let policy = Policy { hold: Duration::from_secs(60), ..ranges(1) };
    let mut fleet = stored(policy, &"abc".repeat(43)[..128], &["a", "b"]);
    fleet.plan();
    let owners = owners(&fleet);
    assert!((0..128).all(|slot| (slot % 3 == 2) == (&owners[slot..=slot] == "c")), "{owners}");
}

/// A plan for other slots says nothing of who is to be waited for.
#[test]
fn nobody_is_held_by_a_plan_of_other_slots() {
    let policy = Policy { hold: Duration::from_secs(60), ..Policy::default() };
    let mut fleet = stored(policy.clone(), "aabb", &["b"]);
    fleet.slots = Slots::new(8).unwrap();
    let before = fleet.stored.clone().unwrap();
    fleet.roster.observe(Some(&before.plan), &fleet.set(), fleet.now);
    let input = Input {
        generation: GENERATION,
        slots: fleet.slots,
        previous: Some(&before),
        roster: &fleet.roster,
        loads: &[],
        now: fleet.now,
    };
    let outcome = next(&policy, &input);
    assert_eq!(outcome.unmet, []);
    assert_eq!(outcome.plan.unwrap().slots_of("b").len(), 8);
}

/// The largest plans: 65,536 slots, 1,000 members with the longest names that Kubernetes has, each slot
/// moved by another plan, with versions as far apart as they can be. It is refused with its size, and
/// what fits the default limit is read back.
#[test]
fn a_plan_beyond_the_limit_is_refused_with_its_size() {
    let slots = Slots::new(Slots::MAX).unwrap();
    let name =
        |n: u64, length: usize| -> Arc<str> { format!("{n:04}{}", "x".repeat(length - 4)).into() };
    let plan = |length: usize, apart: u64| {
        let runs = (0..u64::from(Slots::MAX))
            .map(|slot| (1, Some(name(mix(slot) % 1_000, length)), slot * apart + 1));
        Plan::new(GENERATION, slots, runs).unwrap()
    };
    let (usual, large) = (plan(63, 1), plan(253, 1 << 47));
    let length = |plan: &Plan| plan.to_text().len();
    assert!(length(&usual) > 252 << 10 && length(&usual) < 1 << 20, "{}", length(&usual));
    assert_eq!(usual.to_text().parse(), Ok(usual.clone()));
    assert!(length(&large) > 1 << 20);
    assert!(large.to_text().parse::<Plan>().is_err());

    let stored = StoredPlan { plan: usual.clone().into(), version: 1 << 40 };
    let members = Members::new((0..999).map(|n| Member::from(&*name(n, 63)))).unwrap();
    let mut roster = Roster::default();
    let now = Instant::from_nanos(1);
    roster.observe(Some(&usual), &members, now);
    let input = Input {
        generation: GENERATION,
        slots,
        previous: Some(&stored),
        roster: &roster,
        loads: &[],
        now,
    };
    let outcome = next(&Policy::default(), &input);
    assert_eq!(outcome.plan, None);
    let too_large = outcome.unmet.iter().find_map(|unmet| match unmet {
        Unmet::Size(error) => Some(*error),
        _ => None,
    });
    assert!(too_large.unwrap().needed > 252 << 10 && too_large.unwrap().limit == 252 << 10);
    // Where there is room for it, it is stored, and can be read.
    let roomy = Policy { size_limit: 1 << 20, ..Policy::default() };
    let plan = next(&roomy, &input).plan.unwrap();
    assert_eq!(plan.to_text().parse(), Ok(plan));
}
