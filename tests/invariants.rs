//! Whatever goes wrong of what a lease can survive: the strict profile violates nothing. All checks
//! run over random plans of faults; a failure prints the scenario, which repeats it.

use proptest::prelude::*;
use tenure_sim::check::Checks;
use tenure_sim::fault::{Edit, Fault, Planned};
use tenure_sim::plan::{self, Mix};
use tenure_sim::scenario::Scenario;
use tenure_sim::time::Span;
use tenure_sim::world::World;

/// Scenarios of all kinds: durations, numbers of replicas, release, request time-outs.
fn bases() -> impl Strategy<Value = Scenario> {
    let durations = prop_oneof![
        Just(("15s", "10s", "2s", Some("5s"))),
        Just(("15s", "14s", "2s", None)),
        Just(("6s", "5.8s", "1s", Some("2s"))),
        Just(("1.9s", "1.5s", "250ms", Some("500ms"))),
        Just(("60s", "15s", "5s", Some("7s"))),
    ];
    let stop_takes = prop_oneof![Just("0s"), Just("1s"), Just("25s")];
    (durations, 2..6_usize, any::<bool>(), stop_takes).prop_map(
        |((lease, deadline, retry, timeout), replicas, release_on_stop, stop_takes)| {
            let span = |text: &str| text.parse::<Span>().expect("a duration");
            let mut scenario = Scenario {
                lease_duration: span(lease),
                renew_deadline: span(deadline),
                retry_period: span(retry),
                request_timeout: timeout.map(span),
                release_on_stop,
                horizon: Span::from_secs(400),
                ..Scenario::default()
            }
            .with_replicas(replicas);
            scenario.work.stop_takes = span(stop_takes);
            scenario
        },
    )
}

/// The violations of a run, and what repeats it.
fn violations(scenario: &Scenario, seed: u64) -> Vec<String> {
    let mut world = World::new(scenario, seed).expect("a sound scenario");
    let outcome = world.run(&mut Checks::for_scenario(scenario));
    outcome
        .violations
        .into_iter()
        .map(|it| format!("{}/{}: {}", it.check, it.rule, it.what))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Deleting the lock is no way to two leaders either, nor is touching it.
    #[test]
    fn strict_survives_deletions(
        base in bases(),
        seed in any::<u64>(),
        deletions in prop::collection::btree_map(0..240_u64, any::<bool>(), 1..5),
    ) {
        let mut scenario = plan::scenario(&base, Mix::Safe, seed);
        for (at, delete) in deletions {
            let fault = if delete { Fault::Delete {} } else { Fault::Edit(Edit::TouchLabel {}) };
            scenario.faults.push(Planned::at(Span::from_secs(at), fault));
        }
        let found = violations(&scenario, seed);
        prop_assert!(found.is_empty(), "{found:#?}\n{}", serde_json::to_string(&scenario).expect("JSON"));
    }

    #[test]
    fn strict_violates_nothing(base in bases(), seed in any::<u64>()) {
        let scenario = plan::scenario(&base, Mix::Safe, seed);
        let found = violations(&scenario, seed);
        prop_assert!(found.is_empty(), "{found:#?}\n{}", serde_json::to_string(&scenario).expect("JSON"));
    }
}
