//! What the explorer finds among members of a sharded group: with all rules nothing, as far as a test
//! may look; without one what that rule is for.
//!
//! `tenure explore --sharding` goes to the ends of the worlds.

use std::collections::BTreeSet;

use tenure::sharding::Rule;
use tenure_sim::explore::Judgement;
use tenure_sim::shard_explore::{Rules, explore, lockstep, rest, rows};

/// States of a world in which nothing is to be found.
const SAFE: usize = 65_000;

#[test]
fn each_rule_left_out_is_found_and_the_way_told() {
    for row in rows().iter().filter(|row| row.expected.is_some()) {
        let outcome = explore(&row.rules(), row.states, &mut |_, _| {});
        assert_eq!(
            row.judge(&outcome, row.states),
            Judgement::Expected,
            "{}: {outcome:?}",
            row.name
        );
        let violation = outcome.violation.unwrap();
        assert_eq!(violation.story.len(), outcome.steps + 1, "{}", row.name);
        assert!(violation.story.last().unwrap().ends_with(violation.law), "{}", row.name);
    }
}

#[test]
fn with_all_rules_nothing_is_found() {
    let mut exhausted = 0;
    for row in rows().iter().filter(|row| row.expected.is_none()) {
        let outcome = explore(&row.rules(), row.states.min(SAFE), &mut |_, _| {});
        assert_eq!(outcome.violation, None, "{}", row.name);
        exhausted += usize::from(outcome.exhausted);
    }
    assert!(exhausted >= 5, "{exhausted}");
}

/// From wherever a random walk has led: everybody acts as soon as the dead are excluded, and by then
/// has counted what it distrusts.
#[test]
fn when_nothing_more_goes_wrong_all_act_in_time() {
    for text in [
        "slow=11 joins=20 late-writes lease=3",
        "rates=1:1:1 slow=111 slots=4 joins=20 late-writes crashes=2",
        "slow=11 joins=20 watch=2",
        "slow=11 joins=20 distrust deletions=1",
        "slow=11 joins=20 changes=2 leaves=1 lease=3",
        "settled=1 slow=11 joins=20 crashes=1 collect=1 late-writes late-drivers",
        "slow=11 joins=20 plans=20 late-writes lease=3",
        "rates=1:1:1 slow=111 joins=20 plans=20 late-writes crashes=2",
        "slow=11 joins=20 plans=20 watch=2 changes=2 leaves=1 lease=3",
    ] {
        let rules: Rules = text.parse().unwrap();
        for seed in 0_u32..40 {
            let ticks = rest(&rules, seed.into(), 20 + seed * 4, rules.lease);
            assert!(ticks.is_ok(), "{text}, seed {seed}: {ticks:?}");
        }
    }
}

/// Rules of who should have a slot, not of who may act: scenarios show what comes of leaving them out.
const OF_PLACEMENT: [Rule; 4] =
    [Rule::GoneHaveNone, Rule::OneHash, Rule::LeastMoves, Rule::LabelsApart];

/// What comes of leaving out a rule is known for each.
#[test]
fn no_rule_is_forgotten() {
    let explored = rows().into_iter().filter_map(|row| row.rules().without);
    let known: BTreeSet<Rule> = explored.chain(OF_PLACEMENT).collect();
    let missing: Vec<_> = Rule::ALL.iter().filter(|rule| !known.contains(rule)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// States are merged by restating members: that changes nothing of what they do. Untouched ones go
/// beside them, with clocks that go on and the store's own versions.
#[test]
fn restated_members_do_what_untouched_ones_do() {
    for text in [
        "lease=4 deadline=3 slow=11 joins=20 late-writes late-drivers crashes=1 leaves=1",
        "lease=3 deadline=2 slow=w1 joins=20 watch=2 distrust deletions=1 changes=2",
        "rates=1:2:1 lease=6 deadline=2 slow=11d slots=4 joins=20 late-writes collect=2 crashes=2",
        "lease=4 deadline=3 slow=11 joins=20 plans=20 late-writes late-drivers crashes=1",
        "lease=3 deadline=2 slow=p1 settled=2 joins=20 plans=20 watch=2 leaves=1 changes=2",
        "rates=1:2:1 lease=6 deadline=2 slow=111 joins=20 plans=20 collect=2 deletions=1 distrust",
        "lease=3 slow=11 settled=1 joins=20 plans=9 newer=1",
    ] {
        let rules: Rules = text.parse().unwrap();
        for seed in 0..40 {
            let calls = lockstep(&rules, seed, 300);
            assert!(calls.is_ok_and(|calls| calls > 200), "{text}, seed {seed}: {calls:?}");
        }
    }
}

/// A world is the same whenever it is explored.
#[test]
fn the_same_world_explored_again_is_the_same() {
    let rules = "settled=2 slow=w0 joins=2".parse().unwrap();
    let once = || explore(&rules, 10_000, &mut |_, _| {});
    assert_eq!(once(), once());
}
