//! `tenure_sim::strategy`: what it draws makes sense and runs; a wrong rule is found and told by a fault or
//! two; a right one passes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rules;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tenure::placement::{Key, Member, Members, Placement, Rendezvous};
use tenure_sim::fault::Fault;
use tenure_sim::plan::{Mix, safe_rates};
use tenure_sim::rule::Ruled;
use tenure_sim::scenario::Scenario;
use tenure_sim::sharding::{Mode, Swarm};
use tenure_sim::strategy::{
    Change, Failed, Property, elections, fault_plans, group_plans, groups, keys, memberships,
};
use tenure_sim::subject::Subject;
use tenure_sim::{sharding, strategy};

use rules::{Local, RemoteClock};

/// So many values of a strategy, always the same.
fn drawn<S: Strategy>(count: usize, strategy: &S) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn every_election_is_valid_and_each_kind_of_fault_is_drawn() {
    for (mix, kinds) in [(Mix::Safe, 15), (Mix::Broad, 22), (Mix::Wild, 18), (Mix::Full, 27)] {
        let mut seen = std::collections::BTreeSet::new();
        let (mut timed, mut triggered) = (0, 0);
        for scenario in drawn(1_500, &elections(mix)) {
            assert_eq!(scenario.validate(), Ok(()));
            seen.extend(scenario.faults.iter().map(|planned| planned.fault.kind()));
            timed += scenario.faults.iter().filter(|planned| planned.at.is_some()).count();
            triggered += scenario.faults.iter().filter(|planned| planned.on.is_some()).count();
            if mix == Mix::Safe {
                let (slowest, fastest) = safe_rates(&scenario);
                let drifts = scenario.faults.iter().filter_map(|planned| match planned.fault {
                    Fault::Drift { rate_ppb, .. } => Some(rate_ppb),
                    _ => None,
                });
                let rates = scenario.replicas.iter().filter_map(|replica| replica.rate_ppb);
                assert!(drifts.chain(rates).all(|rate| (slowest..=fastest).contains(&rate)));
            }
        }
        assert_eq!(seen.len(), kinds, "{mix:?}: {seen:?}");
        assert!(timed > triggered && triggered * 5 > timed, "{timed} {triggered}");
    }
}

#[test]
fn plans_for_ones_own_scenario_fit_it() {
    let tiny: Scenario = serde_json::from_str(
        r#"{"replicas": [{}], "lease_duration": "2s", "renew_deadline": "1s", "retry_period": "100ms",
            "horizon": "3s"}"#,
    )
    .unwrap();
    for faults in drawn(500, &fault_plans(&tiny, Mix::Full)) {
        let with = Scenario { faults, ..tiny.clone() };
        assert_eq!(with.validate(), Ok(()));
    }
    for mode in [Mode::Ranked, Mode::Planned, Mode::Leased] {
        let lone = sharding::Scenario { slots: 4, ..sharding::Scenario::new(mode) };
        for faults in drawn(300, &group_plans(&lone, Swarm::Changing)) {
            let with = sharding::Scenario { faults, ..lone.clone() };
            assert_eq!(with.checked().err(), None);
        }
        for swarm in [Swarm::Safe, Swarm::Wild, Swarm::Changing] {
            for scenario in drawn(300, &groups(mode, swarm)) {
                assert_eq!(scenario.checked().err(), None);
            }
        }
    }
}

#[test]
fn this_librarys_own_machines_hold() {
    let property = Property { cases: 100, seed: Some(3), ..Property::default() };
    for mix in [Mix::Safe, Mix::Broad] {
        let tally = property.holds(elections(mix)).unwrap();
        assert_eq!(tally.runs.all, 100);
        assert!(tally.mark("takeovers").runs > 30, "{:?}", tally.marks);
    }
    let property = Property { cases: 20, ..property };
    let modes = [Mode::Ranked, Mode::Ring(const { core::num::NonZeroU32::new(4).unwrap() })];
    for mode in modes.into_iter().chain([Mode::Planned, Mode::Leased]) {
        property.holds(groups(mode, Swarm::Safe)).unwrap();
    }
}

/// The mistake of `sim/examples/own_rule.rs`: a lease is over by the wall clock of whoever wrote it.
#[test]
fn a_rule_that_trusts_anothers_clock_is_found_and_told_by_a_fault_or_two() {
    let property = Property {
        cases: 100,
        seed: Some(7),
        checks: &["one-leader/authority"],
        ..Property::default()
    };
    let failed = property.holds(elections(Mix::Safe).prop_map(Ruled::<RemoteClock>::new));
    let Err(Failed::Violated(found)) = failed else { panic!("{failed:?}") };
    assert!(found.case <= 100 && found.faults <= 2, "{found}");
    let told = found.to_string();
    assert!(told.starts_with("one-leader/authority is violated, in case "), "{told}");
    assert!(told.contains("two leaders: replica-"), "{told}");
    assert!(!found.explained.contains("tenure run "), "no command runs it: {told}");
    assert!(told.contains("\nThe plan:\n\n") && found.plan.contains("seed = "), "{told}");
    assert!(found.plan.lines().count() < 30, "readable:\n{}", found.plan);
    let page = include_str!("../../docs/simulation.md");
    assert!(page.contains(&told), "docs/simulation.md does not show:\n{told}");

    // The plan shows the same again, with that rule, and nothing with a right one.
    let again = property.replay::<Ruled<RemoteClock>>(&found.plan);
    let Err(Failed::Violated(again)) = again else { panic!("{again:?}") };
    assert_eq!((again.find, again.faults), (found.find, found.faults));
    property.replay::<Ruled<Local>>(&found.plan).unwrap();
}

#[test]
fn a_right_rule_passes() {
    let checks: &[&str] = &["one-leader/authority", "no-early-takeover", "fencing", "events"];
    let property = Property { cases: 150, seed: Some(7), checks, ..Property::default() };
    let tally = property.holds(elections(Mix::Broad).prop_map(Ruled::<Local>::new)).unwrap();
    assert!(tally.mark("takeovers").runs > 50, "{:?}", tally.marks);
}

/// It leads from the start, and dies of the first answer.
#[derive(Debug)]
struct Brittle;

impl From<&tenure_sim::rule::Newcomer<'_>> for Brittle {
    fn from(_: &tenure_sim::rule::Newcomer<'_>) -> Self {
        Self
    }
}

impl tenure_sim::rule::Rule for Brittle {
    fn handle(&mut self, _: tenure::time::Now, input: tenure_sim::rule::Input) {
        assert!(!matches!(input, tenure_sim::rule::Input::Stop), "nobody stops me");
    }
    fn poll_call(&mut self) -> Option<tenure_sim::rule::Call> {
        None
    }
    fn poll_timeout(&self) -> Option<tenure::time::Instant> {
        None
    }
    fn leading_until(&self) -> Option<tenure::time::Instant> {
        None
    }
}

#[test]
fn a_rule_that_panics_is_told_with_the_plan_that_makes_it() {
    let property =
        Property { cases: 100, seed: Some(1), checks: &["acting"], ..Property::default() };
    let failed = property.holds(elections(Mix::Safe).prop_map(Ruled::<Brittle>::new));
    let Err(Failed::Violated(found)) = failed else { panic!("{failed:?}") };
    assert_eq!((found.faults, found.explained.as_str()), (1, "panicked: nobody stops me"));
    assert!(found.plan.contains("[faults.fault.stop]"), "{}", found.plan);
}

#[test]
fn a_property_of_nothing_does_not_hold_and_what_makes_no_sense_is_refused() {
    let idle = Scenario { name: "idle".to_owned(), ..Scenario::default() };
    let short = Property { cases: 2, seed: Some(1), ..Property::default() };
    let never = Scenario { election: false, ..idle.clone() };
    assert_eq!(short.holds(Just(never)).unwrap_err(), Failed::Unknown { cases: 2 });
    let empty = Scenario { replicas: Vec::new(), ..idle };
    let failed = short.holds(Just(empty)).unwrap_err().to_string();
    assert!(failed.contains("idle makes no sense: replicas is empty: list 1 to"), "{failed}");
    let unknown = Property { checks: &["fair"], ..short }.places(Rendezvous::new).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "no law is called \"fair\": name some of owner, same, movement"
    );
    let json = short.replay::<Scenario>("{\"seed\": 3, \"horizon\": \"1m\"}").unwrap();
    assert_eq!(
        json,
        Scenario { horizon: "1m".parse().unwrap(), ..Scenario::default() }.run(3).unwrap()
    );
}

#[test]
fn keys_have_real_shapes_and_members_come_and_go() {
    let all: Vec<String> = drawn(50, &keys()).concat();
    let has = |shape: fn(&str) -> bool| all.iter().filter(|key| shape(key)).count() > 100;
    assert!(has(|key| key.len() == 36 && key.matches('-').count() == 4), "UIDs");
    assert!(has(|key| key.matches('/').count() == 1), "namespace/name");
    assert!(has(|key| key.matches('/').count() == 2), "real objects: kind, namespace, name");
    let histories = drawn(200, &memberships());
    let count = |of: fn(&Change) -> bool| {
        histories.iter().flat_map(|it| &it.changes).filter(|it| of(it)).count()
    };
    assert!(count(|it| matches!(it, Change::Join(_))) > 100);
    assert!(count(|it| matches!(it, Change::Leave(_))) > 100);
    assert!(count(|it| matches!(it, Change::Alter(member) if member.weight().get() > 1)) > 30);
    assert!(count(|it| matches!(it, Change::Alter(member) if member.zone().is_some())) > 30);
    for step in histories.iter().flat_map(strategy::Membership::steps) {
        Members::new(step).unwrap();
    }
}

/// Right but for one thing, each.
struct Wrong(Members, fn(&Members, Key) -> Option<&Member>);

impl Placement for Wrong {
    fn members(&self) -> &Members {
        &self.0
    }

    fn place(&self, key: Key) -> Option<&Member> {
        (self.1)(&self.0, key)
    }
}

#[test]
fn each_law_of_placement_is_broken_by_a_placement_that_breaks_it() {
    let property = Property { seed: Some(1), ..Property::default() };
    property.places(Rendezvous::new).unwrap();
    let law = |wrong: fn(&Members, Key) -> Option<&Member>| {
        let failed = property.places(move |members| Wrong(members, wrong));
        let Err(Failed::Misplaced(found)) = failed else { panic!("{failed:?}") };
        found
    };
    assert_eq!(law(|_, _| None).law, "owner");
    let modulo = law(|members, key| {
        let index = usize::try_from(key.as_u64()).unwrap().checked_rem(members.len())?;
        members.get(index)
    });
    assert_eq!(modulo.law, "movement");
    assert!(modulo.members.len() <= 4 && modulo.change.is_some(), "{modulo}");

    let made = std::cell::Cell::new(0);
    let forgetful = property.places(|members| {
        made.set(made.get() + 1);
        if made.get() % 2 == 0 {
            return Wrong(members, |members, _| members.get(0));
        }
        Wrong(members, |members, _| members.get(members.len().checked_sub(1)?))
    });
    let told = forgetful.unwrap_err().to_string();
    assert!(told.starts_with("the law `same` is broken for the key "), "{told}");
}
