//! Hold, hysteresis, and what has no time at all.

use super::*;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The pods of a `StatefulSet` are restarted one by one, and nothing moves.
#[test]
fn a_rolling_update_with_hold_moves_nothing() {
    for policy in [Policy::default(), contiguous(0), contiguous(250)] {
        for (slots, count) in [(16, 3), (64, 5), (1024, 30)] {
            let mut fleet =
                Fleet::equal(Policy { hold: seconds(60), ..policy.clone() }, slots, count);
            fleet.plan();
            let before = fleet.stored.clone();
            for pod in (0..count).rev().map(|pod| format!("m-{pod}")) {
                fleet.leave(&pod);
                let outcome = fleet.plan();
                let until = fleet.now + seconds(60);
                assert!(
                    outcome.unmet.contains(&Unmet::Held { member: pod.as_str().into(), until })
                );
                assert_eq!(outcome.next_due, Some(until));
                fleet.wait(59);
                fleet.plan();
                fleet.join(pod.as_str());
                fleet.plan();
            }
            assert_eq!(fleet.stored, before);
        }
    }
}

/// After that time they go to others, and only they.
#[test]
fn who_does_not_come_back_is_replaced() {
    for policy in [Policy::default(), contiguous(250)] {
        let mut fleet = Fleet::equal(Policy { hold: seconds(60), ..policy }, 64, 4);
        fleet.plan();
        fleet.leave("m-2");
        assert_eq!(fleet.plan().plan, None);
        fleet.wait(60);
        let outcome = fleet.plan();
        assert_eq!((moved(&outcome), outcome.voluntary, outcome.next_due), (16, 0, None));
        assert_eq!(outcome.unmet, []);
    }
}

/// Others come and go meanwhile: what is held stays where it is.
#[test]
fn what_is_held_is_not_touched() {
    for policy in [Policy::default(), contiguous(0)] {
        let mut fleet = Fleet::equal(Policy { hold: seconds(60), ..policy }, 256, 4);
        fleet.plan();
        let held = fleet.current().slots_of("m-0");
        fleet.leave("m-0");
        fleet.join("n-1");
        fleet.plan();
        assert_eq!(fleet.current().slots_of("m-0"), held);
        // Four share what a fifth of too much leaves: three have theirs.
        assert_eq!(fleet.counts(), [51, 51, 51, 39]);
        fleet.leave("m-1");
        fleet.wait(61);
        fleet.plan();
        // Only m-1's are held now, and it has what is its share of four.
        assert_eq!(count(fleet.current(), "m-0"), 0);
        assert!(count(fleet.current(), "m-1") > 0);
    }
}

/// Who comes and goes is given something at most once in the time of hysteresis; when nobody else is
/// there it is given all at once.
#[test]
fn who_flaps_is_given_little() {
    for up in [1, 9, 10, 11, 25] {
        let mut fleet =
            Fleet::equal(Policy { hysteresis: seconds(10), ..Policy::default() }, 64, 3);
        assert_eq!(moved(&fleet.plan()), 64);
        let mut gains = Vec::new();
        for second in 0..200 {
            match second % (up + 2) {
                1 => fleet.join("flapper"),
                0 if second > 0 => fleet.leave("flapper"),
                _ => {}
            }
            let outcome = fleet.plan();
            let to = |one: &&crate::sharding::planned::Move| one.to.as_deref() == Some("flapper");
            if outcome.moves.iter().any(|one| to(&one)) {
                gains.push(second);
            }
            if let Some(due) = outcome.next_due {
                assert!(fleet.now < due && due <= fleet.now + seconds(10));
            }
            fleet.wait(1);
        }
        assert!(gains.windows(2).all(|two| two[1] - two[0] >= 10), "{up}: {gains:?}");
        assert_eq!(gains.is_empty(), up < 10, "{up}: {gains:?}");
    }
    let mut alone = Fleet::equal(Policy { hysteresis: seconds(10), ..Policy::default() }, 64, 1);
    alone.plan();
    alone.join("new");
    let outcome = alone.plan();
    let until = alone.now + seconds(10);
    assert_eq!(outcome.unmet, [Unmet::Unsettled { member: "new".into(), until }]);
    alone.leave("m-0");
    assert_eq!(moved(&alone.plan()), 64);
    // It has something now, so it takes part.
    alone.join("m-0");
    assert_eq!(alone.plan().plan, None);
    alone.wait(10);
    assert_eq!(moved(&alone.plan()), 32);
}

/// Who is gone for a moment and is held has never been away.
#[test]
fn flapping_within_the_hold_moves_nothing() {
    let policy = Policy { hysteresis: seconds(10), hold: seconds(5), ..Policy::default() };
    let mut fleet = Fleet::equal(policy, 64, 3);
    fleet.plan();
    for _ in 0..20 {
        fleet.leave("m-1");
        assert_eq!(fleet.plan().plan, None);
        fleet.wait(4);
        fleet.join("m-1");
        assert_eq!(fleet.plan().plan, None);
        fleet.wait(1);
    }
}

/// When nobody is there the plan stays; a new leader holds what it finds.
#[test]
fn nobody_and_a_new_leader() {
    let mut fleet = Fleet::equal(Policy { hold: seconds(30), ..Policy::default() }, 16, 2);
    fleet.plan();
    let before = fleet.stored.clone();
    fleet.members.clear();
    let outcome = fleet.plan();
    assert!(outcome.unmet.contains(&Unmet::Nobody), "{outcome:?}");
    fleet.wait(1000);
    fleet.plan();
    assert_eq!(fleet.stored, before);
    fleet.join("m-0");
    fleet.roster = Roster::default();
    assert_eq!(fleet.plan().next_due, Some(fleet.now + seconds(30)));
    fleet.wait(30);
    assert_eq!(moved(&fleet.plan()), 8);
}

/// Another configuration: owners stay, and all must acknowledge. Another number of slots: from scratch.
/// A version that is not there yet is somebody's edit, and is mended.
#[test]
fn what_is_stored_is_not_believed() {
    let mut fleet = Fleet::equal(Policy::default(), 16, 2);
    fleet.plan();
    let stored = fleet.stored.clone().unwrap();
    let input = Input {
        generation: Generation { number: 2, ..GENERATION },
        slots: fleet.slots,
        previous: Some(&stored),
        roster: &fleet.roster,
        loads: &[],
        now: fleet.now,
    };
    let outcome = next(&fleet.policy, &input);
    let plan = outcome.plan.unwrap();
    assert!(outcome.moves.is_empty() && plan.runs().all(|run| run.since == 0));
    assert_eq!(plan.generation().number, 2);
    let wide = Input { slots: Slots::new(32).unwrap(), generation: GENERATION, ..input };
    assert_eq!(moved(&next(&fleet.policy, &wide)), 32);

    let runs = stored.plan.runs().map(|run| (run.slots, run.owner.map(Arc::from), 99));
    let edited = Plan::new(GENERATION, fleet.slots, runs).unwrap();
    let edited = StoredPlan { plan: edited.into(), version: 50 };
    let outcome =
        next(&fleet.policy, &Input { previous: Some(&edited), generation: GENERATION, ..input });
    assert!(outcome.moves.is_empty() && outcome.plan.unwrap().runs().all(|run| run.since == 0));
}

/// A plan beyond the limit is not made; what it would need is told.
#[test]
fn a_plan_that_is_too_large_is_not_made() {
    let mut fleet = Fleet::equal(Policy { size_limit: 30, ..Policy::default() }, 1024, 2);
    fleet.stored = Some(StoredPlan {
        plan: Plan::new(GENERATION, fleet.slots, [(1024, Some("m-0".into()), 3)]).unwrap().into(),
        version: 3,
    });
    let outcome = fleet.plan();
    assert!(outcome.plan.is_none() && outcome.voluntary == 0);
    let [Unmet::Size(error)] = outcome.unmet[..] else { panic!("{outcome:?}") };
    assert!(error.needed > 30 && error.limit == 30, "{error}");
    fleet.policy.size_limit = u32::try_from(error.needed).unwrap();
    assert!(fleet.plan().plan.is_some());
}

/// Budget, pins, and slots too heavy for anybody are told by name.
#[test]
fn what_cannot_be_met_is_told() {
    let pins = alloc::vec![Pin { slots: 0..=11, member: "m-0".into() }];
    let mut fleet = Fleet::equal(Policy { pins, ..Policy::default() }, 16, 3);
    let share =
        |member: &str, load| Unmet::Share { member: member.into(), load, least: 5, most: 6 };
    assert_eq!(fleet.plan().unmet, [share("m-0", 12), share("m-1", 2), share("m-2", 2)]);

    let mut fleet = Fleet::equal(Policy::default(), 16, 3);
    fleet.loads = alloc::vec![1; 16];
    fleet.loads[5] = 1000;
    let outcome = fleet.plan();
    let hot = fleet.current().owner(fleet.slots.get(5).unwrap()).unwrap();
    assert_eq!(count(fleet.current(), hot), 1);
    assert!(
        outcome.unmet.iter().any(
            |unmet| matches!(unmet, Unmet::Share { member, load: 1000, .. } if **member == *hot)
        ),
        "{outcome:?}"
    );
}
