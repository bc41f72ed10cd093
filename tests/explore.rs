//! What the explorer of the simulator finds among the production electors: the verdict table of the
//! strict profile, and the faults of client-go, each with its shortest way there.
//!
//! `cargo test --test explore` explores up to 120,000 states of each world, farther than any
//! violation that there is to find in it but for a few of client-go's, and exhausts the smaller ones.
//! Those of two objects, a watch or a handing over it explores twice as far if nothing else happens in them,
//! else 30,000 states.
//! `EXPLORE_STATES=40000000 cargo test --release --test explore` is `tenure explore` without
//! arguments: it exhausts all strict ones but the larger of those with two objects, a watch or a
//! handing over.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tenure::election::Profile;
use tenure_sim::explore::{Faults, Judgement, Outcome, Row, Rules, Story, explore, laws, rows};

/// How many states of a world to explore.
fn states(row: &Row) -> usize {
    let budget = std::env::var("EXPLORE_STATES").ok().map(|text| text.parse().unwrap());
    // Where there is something to find, enough to find it.
    let found = match row.expected {
        Some(_) => 800_000,
        None if offered(row) && row.rules.faults != Faults::default() => 30_000,
        None if offered(row) => 600_000,
        None => 120_000,
    };
    budget.unwrap_or(found).min(row.states)
}

/// A strict elector has two objects, a watch, or somebody to hand over to.
fn offered(row: &Row) -> bool {
    let Rules { locks, watch, preferred, faults, .. } = &row.rules;
    let more = !locks.is_empty() || *watch || preferred.is_some() || faults.hand_overs > 0;
    more && row.rules.profile == Profile::Strict
}

/// Explores a world, and fails unless it is as expected, or only the budget was too small.
fn as_expected(row: &Row) -> Outcome {
    let outcome = explore(&row.rules, states(row), &mut |_| {});
    let found = outcome.violation.as_ref().map(|violation| violation.law);
    assert_eq!(found, row.expected, "{}: {}", row.name, row.shows);
    if let Some(violation) = &outcome.violation {
        // On electors that were never restated or looked up, and from the text that is printed.
        let told: Story = violation.story.to_string().parse().unwrap();
        assert_eq!(told, violation.story, "{}", row.name);
        assert_eq!(told.replay(), Ok(Some(violation.law)), "{}", row.name);
        assert!(
            outcome.steps < row.least,
            "{}: {} steps: raise its depth",
            row.name,
            outcome.steps
        );
    }
    outcome
}

fn all(which: impl Fn(&Row) -> bool) -> Vec<(Row, Outcome)> {
    let rows = rows().into_iter().filter(which);
    rows.map(|row| (row.clone(), as_expected(&row))).collect()
}

fn assert_deep_enough(explored: &[(Row, Outcome)]) {
    for (row, outcome) in explored {
        assert_eq!(row.judge(outcome), Judgement::Expected, "{}: {}", row.name, outcome.steps);
    }
}

#[test]
fn strict_is_safe_exactly_within_its_bound() {
    let explored = all(|row| row.rules.profile == Profile::Strict && !offered(row));
    assert_deep_enough(&explored);
    let exhausted = explored.iter().filter(|(_, outcome)| outcome.exhausted).count();
    assert!(exhausted >= 4, "{exhausted} worlds are exhausted");
}

#[test]
fn two_objects_a_watch_and_handing_over_are_safe_within_the_same_bound() {
    let mut explored = all(offered);
    assert_eq!(explored.len(), 33);
    explored.retain(|(row, _)| row.expected.is_some() || states(row) > 30_000);
    assert_deep_enough(&explored);
    let violated = explored.iter().filter(|(row, _)| row.expected.is_some()).count();
    assert_eq!((explored.len(), violated), (16, 9));
}

#[test]
fn each_fault_of_client_go_has_its_shortest_way() {
    for (row, outcome) in all(|row| row.rules.profile != Profile::Strict) {
        let model = usize::from(row.model);
        // The model's steps are finer: an elector here does in one what follows from an answer.
        assert!(model == 0 || outcome.steps <= model, "{}: {} steps", row.name, outcome.steps);
    }
}

#[test]
fn the_shortest_way_is_told_step_by_step() {
    let rows = rows();
    let row = rows.iter().find(|row| row.name == "client-go-v4").unwrap();
    let story = as_expected(row).violation.unwrap().story.to_string();
    let told = "\
wake a          # a asks for get
apply a         # the store executes a's get: held by nobody, version 1
answer a        # a is answered held by nobody, version 1; a asks for update to {a, 3 s} over 1
apply a         # the store executes a's update to {a, 3 s} over 1: held by a, version 2
answer a        # a is answered held by a, version 2; a STARTED LEADING, token 2; a asks for update \
to {a, 3 s} over 2; a leads
wake b          # b asks for get
delete          # somebody deletes the lock
apply b         # the store executes b's get: not found
answer b        # b is answered not found; b asks for create {b, 3 s}
apply b         # the store executes b's create {b, 3 s}: held by b, version 3
answer b        # b is answered held by b, version 3; b STARTED LEADING, token 3; b asks for update \
to {b, 3 s} over 3; A AND B LEAD
violates two believe to lead
";
    assert_eq!(story.split_once('\n').unwrap().1, told, "{story}");
}

#[test]
fn the_same_world_explored_again_is_the_same() {
    let rules: Rules = "rates=1:1:1 faults=crash:1,delete:1".parse().unwrap();
    let once = || explore(&rules, 20_000, &mut |_| {});
    assert_eq!(once(), once());
}

#[test]
fn equal_replicas_are_not_told_apart_and_others_are() {
    let states = |text: &str| {
        let outcome = explore(&text.parse().unwrap(), 1_000_000, &mut |_| {});
        assert!(outcome.exhausted, "{text}");
        outcome.states
    };
    assert_eq!(states("rates=1:1"), EQUAL);
    assert_eq!(states("rates=1:2 lease=4s"), states("rates=2:1 lease=4s"), "the fast one's name");
}

/// States of the smallest safe world: a change of an elector may change them; look why.
const EQUAL: usize = 33_591;

#[test]
fn a_script_of_something_else_is_not_as_told() {
    let rules = "profile=client-go-v1.36 lease=3s retry=1s network=prompt faults=delete:1";
    let story = explore(&rules.parse().unwrap(), 10_000, &mut |_| {}).violation.unwrap().story;
    let text = story.to_string();
    let replay = |text: String| text.parse::<Story>().unwrap().replay();
    // Without the last step nothing is violated.
    let last = text.lines().rev().nth(1).unwrap();
    assert_eq!(replay(text.replace(&format!("{last}\n"), "")), Ok(None));
    assert_eq!(replay(text.replace("lease=3s", "lease=4s")), Ok(Some(laws::BELIEF)));
    // A strict elector that finds no lock creates it for nobody.
    assert_eq!(replay(text.replace("profile=client-go-v1.36", "profile=strict")), Ok(None));
    let error = text.replace("delete ", "remove ").parse::<Story>().unwrap_err().to_string();
    assert!(error.starts_with("line 8: no step: write tick"), "{error}");
}
