//! Each scenario of the catalogue gives its expected verdict under each profile.

use std::ops::RangeInclusive;

use rayon::prelude::*;
use tenure::election::{Profile, Release};
use tenure_sim::catalogue;
use tenure_sim::check::Checks;
use tenure_sim::outcome::Outcome;
use tenure_sim::scenario::Scenario;
use tenure_sim::time::Span;
use tenure_sim::verdict::{Verdict, judge};
use tenure_sim::world::World;

/// Strict, and each release of client-go.
fn profiles() -> impl Iterator<Item = Profile> {
    [Profile::Strict].into_iter().chain(Release::ALL.map(Profile::ClientGo))
}

fn under(scenario: &Scenario, profile: Profile) -> Scenario {
    Scenario { profile, ..scenario.clone() }
}

fn run(scenario: &Scenario, seed: u64) -> (Outcome, Checks) {
    let mut world = World::new(scenario, seed).expect("a sound scenario");
    let mut checks = Checks::for_scenario(world.scenario());
    let outcome = world.run(&mut checks);
    (outcome, checks)
}

/// What is wrong with the verdict of a run, if anything is.
fn wrong(scenario: &Scenario, seed: u64) -> Option<String> {
    let (outcome, _) = run(scenario, seed);
    let verdict = judge(scenario, &outcome);
    // Of what is drawn some runs show nothing; sweeps count these.
    let drawn = scenario.swarm.is_some() || scenario.grid.is_some();
    if verdict.is_as_it_should_be() || drawn && verdict == Verdict::Unknown {
        return None;
    }
    let mut found: Vec<_> =
        outcome.violations.iter().map(|it| format!("{}/{}", it.check, it.rule)).collect();
    found.dedup();
    let first = outcome.violations.first().map_or("", |violation| &violation.what);
    Some(format!(
        "{} under {} with seed {seed}: {verdict}\n  expected {:?}, found {found:?}\n  {first}\n",
        scenario.name,
        scenario.profile,
        scenario.expected(),
    ))
}

fn all_verdicts(seeds: &RangeInclusive<u64>) {
    let each = catalogue::all().flat_map(|scenario| profiles().map(move |it| under(&scenario, it)));
    let each: Vec<_> = each.collect();
    let wrongs = each.par_iter().map(|scenario| -> String {
        let seeds = affordable(scenario, seeds);
        seeds.filter_map(|seed| wrong(scenario, seed)).take(3).collect()
    });
    let wrongs: String = wrongs.collect();
    assert!(wrongs.is_empty(), "{wrongs}");
}

/// Long runs and those of many replicas have fewer seeds, one at least.
fn affordable(scenario: &Scenario, seeds: &RangeInclusive<u64>) -> RangeInclusive<u64> {
    const SECONDS: u64 = 600_000; // of one replica
    let seconds = scenario.horizon.as_nanos() / 1_000_000_000;
    let seconds = seconds.saturating_mul(scenario.replicas.len() as u64).max(1);
    *seeds.start()..=(*seeds.end()).min((SECONDS / seconds).max(1))
}

/// Fifty seeds take a minute; `TENURE_SEEDS` sets another number.
#[test]
fn each_scenario_gives_its_verdict() {
    let seeds = std::env::var("TENURE_SEEDS").map_or(50, |text| text.parse().expect("a number"));
    all_verdicts(&(1..=seeds));
}

#[test]
fn the_lock_changes_hands_no_oftener_than_it_must() {
    for (name, most) in [
        ("calm-day", 1),
        ("rolling-restart-of-servers", 2),
        ("rolling-update", 4),
        ("zone-outage", 2),
        ("clock-strobe", 2),
        ("thundering-herd", 2),
        ("bridge-stale", 2),
    ] {
        let scenario = catalogue::find(name).unwrap();
        for profile in [Profile::Strict, Profile::ClientGo(Release::Head)] {
            for seed in affordable(&scenario, &(1..=10)) {
                let taken = run(&under(&scenario, profile), seed).0.statistics.takeovers;
                assert!((1..=most).contains(&taken), "{name}, {profile}, seed {seed}: {taken}");
            }
        }
    }
}

#[test]
fn a_calm_day_has_the_requests_that_retry_periods_say() {
    // The leader one in 2 s, each candidate one in 2 s to 4.4 s: 0.31 a second.
    let scenario = catalogue::find("calm-day").unwrap();
    let requests = run(&scenario, 1).0.statistics.requests;
    assert!((96_000..98_500).contains(&requests), "{requests} are not 1.12 a second");
}

#[test]
fn one_of_a_thousand_candidates_takes_the_lock_of_a_leader_that_crashed() {
    let scenario = catalogue::find("thundering-herd").unwrap();
    let (outcome, _) = run(&scenario, 1);
    let statistics = outcome.statistics;
    assert_eq!(statistics.takeovers, 2);
    // Only those that read before they saw the new version are refused.
    assert!(statistics.conflicts < 50, "{}", statistics.conflicts);
    let most = 120 * 1_000 / 2;
    assert!(statistics.requests < most, "{} requests", statistics.requests);
}

#[test]
fn a_takeover_comes_near_its_bound() {
    let scenario = catalogue::find("failover-bound").unwrap();
    let nearest =
        (1..=3).filter_map(|seed| run(&scenario, seed).1.failover.worst()).map(|it| it.percent());
    let nearest = nearest.max().unwrap_or(0);
    assert!((90..=100).contains(&nearest), "{nearest} % of the bound");
}

#[test]
fn what_no_lease_can_prevent_is_stopped_by_fencing() {
    for name in ["slow-clock-beyond", "new-group-deleted", "holder-cleared", "suspend"] {
        let scenario = catalogue::find(name).unwrap();
        for profile in profiles() {
            let (outcome, checks) = run(&under(&scenario, profile), 1);
            assert!(outcome.violations.iter().all(|it| it.check != "fencing"), "{name}");
            assert!(checks.fencing.refused() > 0, "{name} under {profile}: nothing was refused");
        }
    }
}

#[test]
fn one_retry_period_more_is_past_the_bound() {
    let scenario = catalogue::find("failover-bound").unwrap();
    // The plant: replicas wait for one retry period more than the check knows of.
    let planted = Scenario { retry_period: Span::from_secs(4), ..scenario.clone() };
    let late = |seed| {
        let mut checks = Checks::for_scenario(&scenario);
        let outcome = World::new(&planted, seed).unwrap().run(&mut checks);
        outcome.violations.iter().any(|it| it.check == "failover" && it.rule == "held")
    };
    assert!((1..=3).any(late));
}
