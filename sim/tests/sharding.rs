//! Sharded groups: what each scenario is to show, that checks notice when a rule is left out, that a
//! trace says who owned what, and what the command answers.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failure fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Output};

use tenure::sharding::Rule;
use tenure_sim::sharding::check::Checks;
use tenure_sim::sharding::trace::Writer;
use tenure_sim::sharding::{Mode, Scenario, catalogue, judge, tenure_world};

fn run(name: &str, seed: u64, without: &[Rule]) -> (Scenario, tenure_sim::sharding::Outcome) {
    let scenario = catalogue::find(name).unwrap();
    let mut world = tenure_world(&scenario, seed, without).unwrap();
    let mut checks = Checks::new(world.scenario());
    let outcome = world.run(&mut checks);
    (scenario, outcome)
}

#[test]
fn each_scenario_shows_what_it_is_to_show() {
    for name in catalogue::names() {
        for seed in 1..=20 {
            let (scenario, outcome) = run(name, seed, &[]);
            let first = outcome.violations.iter().find(|violation| {
                !scenario.expect.iter().any(|expected| violation.is_of(expected))
            });
            let verdict = judge(&scenario, &outcome);
            assert_eq!(verdict.exit_status(), 0, "{name} seed {seed}: {verdict}: {first:?}");
        }
    }
}

#[test]
fn checks_notice_when_a_rule_is_left_out() {
    for (rule, name, seeds) in CAUGHT {
        let caught = (1..=seeds).any(|seed| {
            let (scenario, outcome) = run(name, seed, &[rule]);
            let status = judge(&scenario, &outcome).exit_status();
            assert!(status <= 1, "{name} without {}, seed {seed}", rule.name());
            status == 1
        });
        assert!(caught, "{name} without {} passes", rule.name());
    }
}

/// In which scenario, within how many seeds. Each rule is here or in [`SECOND_DEFENCES`].
const CAUGHT: [(Rule, &str, u64); 27] = [
    (Rule::JoinWait, "sharding/join-one", 1),
    (Rule::DrainBeforeAck, "sharding/join-one", 1),
    (Rule::CountDraining, "sharding/weights-change", 1),
    (Rule::WaitLease, "sharding/flap", 1),
    (Rule::SendTime, "sharding/late-answers", 1),
    (Rule::ExclusionVersion, "sharding/pause-long", 1),
    (Rule::NewerCounts, "sharding/store-outage", 1),
    (Rule::ViewsForward, "sharding/rolling-update-same-names", 1),
    (Rule::AbsenceWaits, "sharding/record-deleted", 1),
    (Rule::StopToChange, "sharding/weights-change", 1),
    (Rule::LostRenewal, "sharding/store-outage", 1),
    (Rule::Echo, "sharding/join-one", 1),
    (Rule::OneGeneration, "sharding/configuration-change", 1),
    (Rule::ActivationRead, "sharding/swarm", 2),
    (Rule::PlanAcknowledged, "sharding/planned", 1),
    (Rule::Clock, "sharding/late-renewal", 1),
    (Rule::LateAnswer, "sharding/late-renewal", 1),
    (Rule::TokenAfterRead, "sharding/late-grant", 1),
    (Rule::ExclusionAnswer, "sharding/stale-excluder", 1),
    (Rule::ConflictIsNoExclusion, "sharding/stale-excluder", 1),
    (Rule::ExclusionNewer, "sharding/late-exclusion", 1),
    (Rule::Since, "sharding/plan-there-and-back", 2),
    (Rule::MembersAfterPlan, "sharding/plan-unseen-member", 1),
    (Rule::GoneHaveNone, "sharding/leave", 1),
    (Rule::OneHash, "sharding/calm", 1),
    (Rule::LeastMoves, "sharding/join-one", 1),
    (Rule::LabelsApart, "sharding/similar-names", 1),
];

/// Rules without which nothing goes wrong, since another one sees to the same, and which: without both
/// it would. Explored as well (`tenure explore --sharding joiner-lapses`, `own-missing`).
const SECOND_DEFENCES: [(Rule, &str); 2] = [
    (
        Rule::JoinerLapses,
        "who acts is asked by the clock, and a joiner that was excluded meets a conflict",
    ),
    (Rule::OwnMissing, "who lost its record cannot renew: a renewal goes over a version"),
];

#[test]
fn each_rule_is_needed_or_a_second_defence() {
    let caught = CAUGHT.iter().map(|(rule, ..)| *rule);
    let all: BTreeSet<Rule> = caught.chain(SECOND_DEFENCES.map(|(rule, _)| rule)).collect();
    assert_eq!(all.len(), Rule::ALL.len());
    assert_eq!(all.len(), CAUGHT.len() + SECOND_DEFENCES.len());
    for (rule, why) in SECOND_DEFENCES {
        for name in ["sharding/swarm", "sharding/record-deleted", "sharding/late-answers"] {
            let (scenario, outcome) = run(name, 1, &[rule]);
            let status = judge(&scenario, &outcome).exit_status();
            assert_eq!(status, 0, "{name} without {}, though {why}", rule.name());
        }
    }
}

fn traced(name: &str, seed: u64) -> (String, Vec<u8>) {
    let scenario = catalogue::find(name).unwrap();
    let mut world = tenure_world(&scenario, seed, &[]).unwrap();
    let mut writer = Writer::new(Vec::new(), &scenario, seed);
    let digest = world.run(&mut writer).digest.to_string();
    (digest, writer.finish().unwrap())
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for name in ["sharding/swarm", "sharding/store-outage"] {
        let (one, other) = (traced(name, 7), traced(name, 7));
        assert!(one == other, "{name}");
        assert_ne!(one.0, traced(name, 8).0, "{name}");
    }
}

/// From the trace alone: slots with two owners at once, moves, and slots without owner at the end.
fn recomputed(trace: &str) -> (u64, u64, usize) {
    let mut until: BTreeMap<u64, u64> = BTreeMap::new();
    let mut has: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    let (mut two, mut moves, mut end) = (0, 0, 0);
    for line in trace.lines().skip(1) {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        let at = entry["at"].as_u64().unwrap();
        end = at;
        let Some(replica) = entry["replica"].as_u64() else { continue };
        let slots = || {
            let runs = entry["slots"].as_array().unwrap().iter().skip(1);
            let run = |run: &serde_json::Value| run[0].as_u64().unwrap()..=run[1].as_u64().unwrap();
            runs.flat_map(run).collect::<Vec<u64>>()
        };
        match entry["what"].as_str().unwrap() {
            "started" => {
                has.insert(replica, BTreeSet::new());
            }
            "ended" => {
                has.remove(&replica);
            }
            "until" => {
                until.insert(replica, entry["until"].as_u64().unwrap_or(u64::MAX));
            }
            "lost" => slots().iter().for_each(|slot| {
                has.get_mut(&replica).unwrap().remove(slot);
            }),
            "gained" => {
                for slot in slots() {
                    let owner = |(other, slots): (&u64, &BTreeSet<u64>)| {
                        *other != replica && slots.contains(&slot) && until[other] > at
                    };
                    two += u64::from(has.iter().any(owner));
                    moves += u64::from(last.insert(slot, replica).is_some_and(|it| it != replica));
                    has.get_mut(&replica).unwrap().insert(slot);
                }
            }
            _ => {}
        }
    }
    let live = has.iter().filter(|(replica, _)| until[replica] > end);
    let owned: BTreeSet<u64> = live.flat_map(|(_, slots)| slots).copied().collect();
    (two, moves, 64 - owned.len())
}

#[test]
fn a_trace_says_who_owned_what() {
    for (name, two_owners) in [("sharding/crash", false), ("sharding/clock-beyond", true)] {
        let (_, bytes) = traced(name, 1);
        let (two, moves, unowned) = recomputed(&String::from_utf8(bytes).unwrap());
        assert_eq!(two > 0, two_owners, "{name}: {two}");
        assert!(moves >= 10, "{name}: {moves}");
        assert_eq!(unowned, 0, "{name}");
    }
}

/// A group of real size: every replica gets its share, and nobody waits for ever.
#[test]
fn a_large_group_settles() {
    let mut scenario = Scenario::new(Mode::Ranked);
    scenario.slots = 4096;
    scenario.replicas[0].count = 40;
    scenario.replicas.truncate(1);
    scenario.horizon = tenure_sim::time::Span::from_secs(60);
    scenario.bounded = true;
    let mut checks = Checks::new(&scenario);
    let outcome = tenure_world(&scenario, 1, &[]).unwrap().run(&mut checks);
    assert_eq!(outcome.violations, []);
    assert!(outcome.statistics.gained >= 4096);
}

fn tenure(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tenure")).args(args).output().unwrap()
}

#[test]
fn the_command_runs_sharded_groups() {
    let told = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let calm = tenure(&["run", "sharding/calm", "--seed", "3"]);
    assert_eq!(calm.status.code(), Some(0));
    assert!(told(&calm).starts_with("sharding/calm: holds\n"), "{}", told(&calm));
    let beyond = tenure(&["run", "sharding/clock-beyond"]);
    assert_eq!(beyond.status.code(), Some(0));
    assert!(told(&beyond).contains("  expected: one-owner/authority at "), "{}", told(&beyond));
    let without = tenure(&["run", "sharding/join-one", "--without", "join-wait", "--json"]);
    assert_eq!(without.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&without.stdout).unwrap();
    assert_eq!(report["violations"][0]["check"], "hand-over");
}

#[test]
fn what_the_command_refuses() {
    for (args, words) in [
        (&["run", "sharding/calm", "--without", "join-weight"][..], "did you mean join-wait?"),
        (&["run", "pause", "--without", "join-wait"], "a rule of sharded groups"),
        (&["run", "sharding/clam"], "did you mean sharding/calm"),
        (&["run", "sharding/calm", "--profile", "strict"], "--profile"),
    ] {
        let output = tenure(args);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {told}");
        assert!(told.contains(words) && told.lines().count() == 1, "{args:?}: {told}");
    }
}

#[test]
fn scenarios_that_make_no_sense() {
    for (change, words) in [
        (r#""slots": 48"#, "power of two"),
        (r#""replicas": []"#, "replicas: there are 0"),
        (r#""renew_deadline": "15s""#, "renew_deadline"),
        (r#""faults": [{"at": "1s", "fault": {"pause": {"who": [9]}}}]"#, "faults[0].who is 9"),
        (
            r#""faults": [{"at": "1s", "for": "1s", "fault": {"start": {"who": [0]}}}]"#,
            "one instant",
        ),
        (r#""faults": [{"at": "1s", "times": 3, "fault": {"start": {"who": [0]}}}]"#, "give every"),
        (
            r#""faults": [{"at": "1s", "every": "1ns", "times": 4000000000, "fault": {"start": {"who": [0]}}}]"#,
            "times is 4000000000: write 100000 at most",
        ),
        (r#""replicas": [{"name": "one", "count": 3}]"#, "replicas[0]: 3 of the name one"),
        (r#""replicas": [{}, {"count": 0}]"#, "replicas[1].count is 0"),
        (r#""replicas": [{"rate_ppb": 1}]"#, "replicas[0].rate_ppb is 1: 1000000000 is right"),
        (r#""replicas": [{"clock_offset": "213000d"}]"#, "replicas[0].clock_offset is 213000d"),
        (r#""horizon": "0s""#, "horizon is 0s: say how long"),
        (r#""horizon": "200000d""#, "horizon is 200000d: let no clock"),
        (r#""heal_at": "10h""#, "heal_at is 10h: heal at or before the horizon, 4m"),
        (r#""network": {"loss_ppm": 1000001}"#, "network.loss_ppm is 1000001: at most"),
        (
            r#""store": {"after": {"uniform": {"min": "2s", "max": "1s"}}}"#,
            "store.after is {\"uniform",
        ),
        (r#""work": {"every": {"constant": "1ns"}}"#, "work.every is 1ns: let work begin"),
        (r#""faults": [{"at": "1s", "fault": {"pause": {"who": []}}}]"#, "faults[0].who is empty"),
        (r#""faults": [{"at": "1s", "times": 0, "fault": {"start": {"who": [0]}}}]"#, "times is 0"),
        (
            r#""faults": [{"at": "1s", "fault": {"loss": {"who": [0], "ppm": 4000000000}}}]"#,
            "faults[0].ppm is 4000000000: at most",
        ),
        (
            r#""faults": [{"at": "1s", "fault": {"drift": {"who": [0], "rate_ppb": 18446744073709551615}}}]"#,
            "faults[0].rate_ppb is 18446744073709551615",
        ),
        (
            r#""faults": [{"at": "1s", "fault": {"slow-calls": {"who": [0], "calls": [], "by": {"constant": "1s"}}}}]"#,
            "faults[0].calls is empty: say which",
        ),
        (
            r#""faults": [{"at": "1s", "fault": {"delay": {"who": [0], "by": {"uniform": {"min": "2s", "max": "1s"}}}}}]"#,
            "faults[0].by is {",
        ),
        (
            r#""faults": [{"at": "1s", "fault": {"load": {"slots": [5, 99], "load": 3}}}]"#,
            "faults[0].slots is [5, 99]: name slots up to 63",
        ),
    ] {
        let text = format!(r#"{{"mode": "ranked", {change}}}"#);
        let scenario: Scenario = serde_json::from_str(&text).unwrap();
        let error = scenario.checked().unwrap_err().to_string();
        assert!(error.contains(words), "{change}: {error}");
    }
}

/// Two that finish by one fault both end: else the group would seem to have a member that does nothing.
#[test]
fn several_may_finish_at_once() {
    let scenario = catalogue::find("sharding/planned-swarm").unwrap();
    let tally = tenure_sim::sweep::sweep(&scenario, 1_917..1_918, |_, _| {}).unwrap();
    assert_eq!((tally.runs.holds, tally.found.len()), (1, 0), "{tally:?}");
}

/// What sweeps have found, each in some ten thousand runs: a weight that changed while its joining write
/// was under way, and the late answer to a deletion that took a newer record with it.
#[test]
fn what_sweeps_have_found_is_mended() {
    let scenario = catalogue::find("sharding/swarm").unwrap();
    for seed in [7_614, 13_849, 26_309, 27_922] {
        let tally = tenure_sim::sweep::sweep(&scenario, seed..seed + 1, |_, _| {});
        assert!(tally.unwrap().found.is_empty(), "{seed}");
    }
    // The driver took the end of one lease for that of all, and cleaned up twice.
    let scenario = catalogue::find("sharding/leased-swarm").unwrap();
    for seed in [60_385, 60_520] {
        let tally = tenure_sim::sweep::sweep(&scenario, seed..seed + 1, |_, _| {});
        assert!(tally.unwrap().found.is_empty(), "{seed}");
    }
}

/// The same bytes whatever the threads; a rule that is left out is found; what makes no sense is refused.
#[test]
fn the_command_sweeps_sharded_groups() {
    let sweep = |args: &[&str]| tenure(&[&["sweep"], args].concat());
    let one = sweep(&["sharding/swarm", "--seeds", "0..6", "--json", "--jobs", "1"]);
    let two = sweep(&["sharding/swarm", "--seeds", "0..6", "--json", "--jobs", "2"]);
    assert_eq!((one.status.code(), &one.stdout), (Some(0), &two.stdout));
    let broken = sweep(&["sharding/join-one", "--seeds", "0..4", "--without", "join-wait"]);
    let text = String::from_utf8(broken.stdout).unwrap();
    assert_eq!(broken.status.code(), Some(1));
    assert!(
        text.contains("again: tenure run sharding/join-one --without join-wait --seed"),
        "{text}"
    );
    for (args, wanted) in [
        (["sharding/swrm"].as_slice(), "did you mean sharding/swarm"),
        (&["sharding/calm", "--without", "join-wat"], "join-wait"),
        (&["sharding/calm", "--profile", "client-go-head"], "--profile"),
        (&["--without", "join-wait"], "sharding/swarm"),
    ] {
        let refused = sweep(args);
        let text = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{text}");
        assert!(text.contains(wanted) && text.lines().count() == 1, "{text}");
    }
}

/// A member's clock that is slow by as much as the bound allows is harmless; by 3 % more it is found.
#[test]
fn the_bound_on_clocks_is_where_it_is_said_to_be() {
    let beyond = catalogue::find("sharding/clock-beyond").unwrap();
    // Lease duration over renew deadline is 1.5.
    for (slowest, found) in [(801_000_000, false), (778_000_000, true)] {
        let mut scenario = beyond.clone();
        scenario.replicas[0].rate_ppb = slowest;
        for seed in 1..=10 {
            let mut world = tenure_world(&scenario, seed, &[]).unwrap();
            let mut checks = Checks::new(world.scenario());
            let outcome = world.run(&mut checks);
            let two = outcome.violations.iter().any(|it| it.is_of("one-owner/authority"));
            assert_eq!(two, found, "{slowest}, seed {seed}: {:?}", outcome.violations.first());
        }
    }
}
