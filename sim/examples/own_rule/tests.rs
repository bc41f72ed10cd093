//! The example does what it says.

use tenure_sim::check::Checks;
use tenure_sim::rule::{Newcomer, first_violation};
use tenure_sim::scenario::Scenario;
use tenure_sim::world::World;

use super::RemoteClock;

#[test]
fn the_rule_that_trusts_anothers_clock_is_caught() {
    let off: Scenario = serde_json::from_str(include_str!("../own_rule.json")).unwrap();
    let rule = |it: &Newcomer<'_>| RemoteClock::for_holder(it.holder.clone());
    let found = first_violation(&off, 1, rule).unwrap().unwrap();
    assert!(found.starts_with("taken early: replica-2 took the lock of replica-0"), "{found}");
    assert!(!found.contains("tenure run"), "no command runs it: {found}");
    let mut checks = Checks::for_scenario(&off);
    let outcome = World::with_rules(&off, 1, rule).unwrap().run(&mut checks);
    assert!(outcome.violations.iter().any(|it| it.is_of("one-leader/authority")));
    // With right clocks it does well: what is caught is the mistake, not the machinery.
    let mut right = off;
    right.replicas.last_mut().unwrap().wall_offset = "0s".parse().unwrap();
    assert_eq!(first_violation(&right, 1, rule).unwrap(), None);
}

#[test]
fn it_takes_less_than_sixty_lines() {
    let text = include_str!("../own_rule.rs");
    let (rule, _) = text.split_once("#[cfg(test)]").unwrap();
    assert!(rule.lines().count() < 60, "{}", rule.lines().count());
}
