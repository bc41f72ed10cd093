//! What works on scenarios of both worlds: sweeps with their files, shrinking.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tenure_sim::shrink::shrink;
use tenure_sim::subject::Subject;
use tenure_sim::{catalogue, sharding};

fn tenure(line: &str) -> Output {
    let tenure = Command::new(env!("CARGO_BIN_EXE_tenure")).args(line.split(' ')).output();
    tenure.expect("it can be started")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools").join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a directory");
    path
}

fn refused(line: &str, words: &[&str]) {
    let answer = tenure(line);
    let told = text(&answer.stderr);
    assert_eq!(answer.status.code(), Some(2), "{line}: {told}");
    assert_eq!(told.lines().count(), 1, "{line}: {told}");
    for word in words {
        assert!(told.contains(word), "{line}: {told}");
    }
}

/// Dozens of faults become the few that matter, and these show the same.
#[test]
fn random_runs_are_shrunk_to_the_few_faults_that_matter() {
    let mut random = catalogue::find("random").unwrap();
    random.profile = "client-go-head".parse().unwrap();
    let (mut before, mut after, mut shrunk) = (0, 0, 0);
    for seed in 0..60 {
        let Some(find) = random.run(seed).unwrap().finds.into_iter().next() else { continue };
        let small = shrink(&random, seed, &find, 3_000, &mut |_| {}).unwrap().unwrap();
        let again = small.scenario.run(seed).unwrap();
        assert!(again.finds.iter().any(|it| it.is_like(&find)), "{seed}");
        // Nothing can be left out alone.
        for nth in 0..small.faults {
            let mut less = small.scenario.clone();
            less.faults.remove(nth);
            let ran = less.run(seed);
            assert!(!ran.is_ok_and(|ran| ran.finds.iter().any(|it| it.is_like(&find))), "{seed}");
        }
        (before, after, shrunk) = (before + small.faults_before, after + small.faults, shrunk + 1);
    }
    assert!(shrunk >= 5, "{shrunk}");
    assert!(after <= 4 * shrunk && after * 4 < before, "{before} to {after} in {shrunk}");
}

/// The same for a rule that is left out, of the other world.
#[test]
fn runs_of_sharded_groups_are_shrunk() {
    let mut swarm = sharding::catalogue::find("sharding/swarm").unwrap();
    swarm.without.push(tenure::sharding::Rule::JoinWait);
    let found =
        (0..20).find_map(|seed| Some((seed, swarm.run(seed).unwrap().finds.into_iter().next()?)));
    let (seed, find) = found.unwrap();
    let small = shrink(&swarm, seed, &find, 400, &mut |_| {}).unwrap().unwrap();
    assert!(small.faults < small.faults_before || small.faults == 0, "{small:?}");
    let text = serde_json::to_string(&small.plan).unwrap();
    let read: sharding::Scenario = serde_json::from_str(&text).unwrap();
    assert_eq!(read, small.scenario);
    assert!(read.run(seed).unwrap().finds.iter().any(|it| it.is_like(&find)));
}

#[test]
fn what_is_shrunk_runs_again_from_its_file() {
    let plan = directory("shrink").join("small.json");
    let line = format!("shrink pause --profile client-go-head --seed 1 --out {}", plan.display());
    let small = tenure(&line);
    assert_eq!(small.status.code(), Some(1), "{}", text(&small.stderr));
    let told: serde_json::Value = serde_json::from_slice(&fs::read(&plan).unwrap()).unwrap();
    let description = told["description"].as_str().unwrap();
    assert!(description.starts_with("What matters of pause with seed 1: one-leader, "), "{told}");
    let again = tenure(&format!("run --scenario {} --json", plan.display()));
    let report: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((again.status.code(), &report["seed"]), (Some(0), &serde_json::json!(1)));
    let none = tenure("shrink calm --seed 1");
    assert_eq!(none.status.code(), Some(3));
    assert!(text(&none.stdout).contains("nothing to shrink"));
    refused("shrink calm --budget 0", &["--budget"]);
    refused("shrink clam", &["did you mean calm"]);
}

#[test]
fn a_sweep_goes_on_where_it_was_interrupted() {
    let file = directory("out").join("sweep.jsonl");
    let line = |seeds: &str| {
        format!("sweep --profile client-go-head --seeds {seeds} --json --out {}", file.display())
    };
    let whole = tenure("sweep --profile client-go-head --seeds 0..300 --json");
    tenure(&line("0..100"));
    let cut = fs::read(&file).unwrap();
    fs::write(&file, [&cut[..], b"{\"part\":{\"from\":1"].concat()).unwrap();
    let rest = tenure(&line("0..300"));
    assert_eq!(text(&rest.stdout), text(&whole.stdout));
    // All is done, and nothing is done again.
    let length = fs::metadata(&file).unwrap().len();
    assert_eq!(text(&tenure(&line("0..300")).stdout), text(&whole.stdout));
    assert_eq!(fs::metadata(&file).unwrap().len(), length);
    let out = file.display();
    refused(&format!("sweep --seeds 0..300 --out {out}"), &["scenario differs"]);
    refused(&line("0..50"), &["--seeds does not ask for"]);
    fs::write(&file, "nonsense\n").unwrap();
    refused(&line("0..300"), &["line 1"]);
    assert_eq!(fs::read(&file).unwrap(), b"nonsense\n");
}

/// A run that failed is kept with all that was drawn for it.
#[test]
fn failures_are_kept_as_plans_and_a_sweep_stops_at_them() {
    let file = directory("keep").join("sweep.jsonl");
    let line = format!(
        "sweep sharding/join-one --without join-wait --seeds 0..2000 --keep 1 --json --out {}",
        file.display()
    );
    let swept = tenure(&line);
    assert_eq!(swept.status.code(), Some(1), "{}", text(&swept.stderr));
    let report: serde_json::Value = serde_json::from_slice(&swept.stdout).unwrap();
    assert_eq!(report["runs"]["all"], 256);
    let lines = fs::read_to_string(&file).unwrap();
    let failed = lines.lines().find_map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line.get("failed").cloned()
    });
    let failed = failed.unwrap();
    let plan: sharding::Scenario = serde_json::from_value(failed["plan"].clone()).unwrap();
    let ran = plan.run(failed["seed"].as_u64().unwrap()).unwrap();
    assert_eq!(serde_json::to_value(&ran.finds[0].violation).unwrap(), failed["violation"]);
}

#[test]
fn a_sweep_of_all_scenarios_says_a_line_of_each() {
    let all = tenure("sweep --all --seeds 1..2");
    let lines = text(&all.stdout).lines().filter(|line| line.contains(" 1 runs: ")).count();
    assert_eq!(lines, catalogue::names().count() + sharding::catalogue::names().count());
    refused("sweep --all --out x", &["--out"]);
    refused("sweep calm --for 5", &["--for"]);
}

#[test]
fn runs_that_are_run_twice_are_the_same() {
    let once = tenure("sweep --seeds 0..20 --json");
    assert_eq!(once.stdout, tenure("sweep --seeds 0..20 --twice 2 --json").stdout);
    refused("sweep --twice 0", &["--twice"]);
}

#[test]
fn a_check_to_keep_must_be_one() {
    refused("shrink --check one-leder", &["\"one-leder\" is no check", "did you mean one-leader?"]);
    refused("shrink --check one-leader/nope", &["\"one-leader/nope\"", "no rule of one"]);
    refused("shrink sharding/calm --check one-leader", &["is no check", "one-owner"]);
}

/// However many seeds there are, only those under way take space.
#[test]
fn a_sweep_of_all_seeds_stops_in_time() {
    let answer = tenure("sweep calm --seeds 0..18446744073709551615 --for 1ms");
    let told = text(&answer.stdout);
    assert_eq!(answer.status.code(), Some(0), "{}", text(&answer.stderr));
    assert!(told.contains("not done: seeds 256 to 18446744073709551614"), "{told}");
    let all = tenure("sweep --all --for 1ns --seeds 0..1");
    let told = text(&all.stdout);
    assert!(told.contains("scenarios were left out: the time is over"), "{told}");
}

#[test]
fn a_run_that_lacks_what_is_expected_is_told() {
    let file = directory("lacks").join("ex pected.json");
    fs::write(&file, r#"{"horizon": "1m", "expect": {"*": ["one-leader"]}}"#).unwrap();
    let sweep = ["sweep", "--seeds", "3..5", "--scenario", &file.display().to_string()];
    let answer = Command::new(env!("CARGO_BIN_EXE_tenure")).args(sweep).output().unwrap();
    let told = text(&answer.stdout);
    assert_eq!(answer.status.code(), Some(1), "{told}");
    let again = format!("tenure run --scenario '{}' --profile strict --seed 3", file.display());
    for part in ["what failed", "seeds 3, 4\n", "expects something", &again] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn a_shrunken_plan_does_not_replace_the_scenario_it_came_from() {
    let file = directory("input").join("own.json");
    fs::write(&file, "{}").unwrap();
    let path = file.display();
    refused(
        &format!("shrink --scenario {path} --out {path}"),
        &["own.json", "an output would write over an input: name another file"],
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "{}");
}
