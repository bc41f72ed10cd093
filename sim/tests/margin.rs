//! The bound of `Config::margin` holds and is tight, and `tenure margin` says what it says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use serde_json::Value;
use tenure::election::{Conditions, Config, Profile, Ratio, Release};
use tenure::lock::LockRef;
use tenure_sim::check::one_leader::OneLeader;
use tenure_sim::distribution::Distribution;
use tenure_sim::fault::{Direction, Fault, Links, Planned, Site, Target};
use tenure_sim::margin::{Case, Schedule, Side};
use tenure_sim::rng::{Purpose, Stream};
use tenure_sim::scenario::{Replica, Scenario};
use tenure_sim::time::Span;
use tenure_sim::world::World;

/// `tenure margin --confirm` runs ten thousand seeds inside.
#[test]
fn inside_the_bound_one_leads_and_outside_of_it_two() {
    for case in Case::all() {
        let confirmation = case.confirm(0..200, 0..1_000, || {}).unwrap();
        let name = (case.config.profile, case.name, case.schedule);
        assert!(confirmation.confirms(), "{name:?}: {confirmation:?}");
    }
}

#[test]
fn each_term_of_the_bound_is_confirmed_for_some_case() {
    let cases = Case::all();
    let some = |is: &dyn Fn(&Case) -> bool| assert!(cases.iter().any(is));
    some(&|case| case.config.profile == Profile::Strict);
    some(&|case| !case.margin().retry.is_zero());
    some(&|case| case.schedule == Schedule::Acquisition && case.margin().retry.is_zero());
    some(&|case| case.margin().release > Some(std::time::Duration::ZERO));
    some(&|case| !case.margin().resolution.is_zero());
    some(&|case| case.conditions.answer.is_none() && case.schedule == Schedule::RepeatedRenewal);
    let ratio = |case: &Case| case.margin().max_ratio();
    some(&|case| case.config.profile == Profile::Strict && ratio(case) == Ratio::new(7, 5));
}

/// A case whose bound lacks a term is found out: the schedule breaks it, inside of what it then says.
#[test]
fn a_bound_that_lacks_a_term_is_broken_inside() {
    let all = Case::all();
    let lacking = |case: &Case, answer: u64| Case {
        conditions: Conditions {
            answer: Some(std::time::Duration::from_millis(answer)),
            ..case.conditions
        },
        ..case.clone()
    };
    // As if a repeated write counted only one time-out.
    let repeated = all.iter().find(|case| case.schedule == Schedule::RepeatedAcquisition).unwrap();
    let scenario = repeated.scenario(Side::Outside, 1);
    let believed = lacking(repeated, 5_000);
    assert!(believed.margin().max_ratio() > repeated.ratio(Side::Outside));
    let outcome = World::new(&scenario, 1).unwrap().run(&mut OneLeader::new(&scenario));
    assert!(outcome.violations.iter().any(|violation| violation.rule == "belief"));
}

/// Networks that lose, delay and cut at random, clocks at the largest ratio: the bound of client-go
/// needs no directed schedule to hold.
#[test]
fn at_random_nothing_is_worse_than_the_bound() {
    let mut handed_over = 0;
    for seed in 0..300 {
        let mut chance = Stream::new(seed, Purpose::Experiment, 1);
        let millis = |chance: &mut Stream, min, max| Span::from_millis(chance.within(min, max));
        let retry = millis(&mut chance, 300, 3_000);
        let deadline = retry + retry + millis(&mut chance, 0, 8_000);
        let timeout = millis(&mut chance, 200, 4_000);
        let config = Config {
            renew_deadline: deadline.as_duration(),
            retry_period: retry.as_duration(),
            request_timeout: Some(timeout.as_duration()),
            release_on_stop: false,
            profile: Profile::ClientGo(Release::Head),
            ..Config::new(LockRef::lease("default", "lock"), "me", "1")
        };
        let needed = config.margin(&Conditions::default()).needed().unwrap();
        let lease = Span::from_secs(needed.as_secs() + 1);
        let slow = chance.within(700_000_000, 1_100_000_000);
        let waits = u128::from(slow) * u128::from(lease.as_nanos());
        let fast = u64::try_from(waits / needed.as_nanos()).unwrap();
        let rates = [slow, fast, chance.within(slow, fast)];
        let replicas = rates.map(|rate| Replica { rate_ppb: Some(rate), ..Replica::default() });
        let faults = (0..40).map(|_| {
            let at = millis(&mut chance, 1_000, 280_000);
            let target = Target::Replica(u32::try_from(chance.below(3)).unwrap());
            let ways = [Direction::Both, Direction::Outgoing, Direction::Incoming];
            let way = ways[usize::try_from(chance.below(3)).unwrap()];
            let links = Links::of(Site::Of(target)).direction(way);
            let fault = match chance.below(3) {
                0 => Fault::Partition(links),
                1 => Fault::Loss { links, ppm: 500_000 },
                _ => {
                    let by = Distribution::uniform(Span::ZERO, timeout);
                    Fault::Delay { links, by }
                }
            };
            Planned::at(at, fault).lasting(millis(&mut chance, 100, 20_000))
        });
        let scenario = Scenario {
            profile: config.profile,
            faults: faults.collect(),
            replicas: replicas.to_vec(),
            lease_duration: lease,
            renew_deadline: deadline,
            retry_period: retry,
            request_timeout: Some(timeout),
            horizon: Span::from_secs(300),
            ..Scenario::default()
        };
        let outcome = World::new(&scenario, seed).unwrap().run(&mut OneLeader::new(&scenario));
        let belief = outcome.violations.iter().find(|violation| violation.rule == "belief");
        assert_eq!(belief, None, "{}", serde_json::to_string(&scenario).unwrap());
        handed_over += u64::from(outcome.statistics.takeovers > 1);
    }
    assert!(handed_over > 200, "{handed_over}");
}

fn tenure(line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
    command.args(line.split_whitespace()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn json(line: &str) -> Value {
    let output = tenure(line);
    assert_eq!(text(&output.stdout).lines().count(), 1, "{line}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn known_configurations_are_shown_with_their_figures() {
    for (line, at_once, budget, strict) in [
        ("margin", "1.250", "3s", "1.500"),
        ("margin --lease 60s --renew 15s --retry 5s", "3.000", "40s", "4.000"),
        ("margin --lease 137s --renew 107s --retry 26s", "1.030", "4s", "1.280"),
    ] {
        let output = tenure(line);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{line}");
        let cells = |row: &str| {
            let row = text(&output.stdout).lines().find_map(|line| line.strip_prefix(row)).unwrap();
            row.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(cells("  if answers came at once"), [strict, at_once], "{line}");
        assert_eq!(cells("longest answer that fits"), ["any", budget], "{line}");
        let report = json(&format!("{line} --json"));
        assert_eq!(report["profiles"][1]["max_ratio_at_once"]["about"], at_once);
        let nanos = budget.parse::<Span>().unwrap().as_nanos();
        assert_eq!(report["profiles"][1]["answer_budget_nanos"], nanos);
    }
}

#[test]
fn the_table_is_aligned_and_each_line_is_short() {
    let output = tenure("margin --release --ratio 1.1 --answer 1s --slack 100ms");
    let text = text(&output.stdout);
    let table: Vec<_> = text.lines().skip(3).take(8).collect();
    assert!(table.iter().all(|line| line.len() == table[0].len()), "{text}");
    for part in [
        "answers within 1s of the effect",
        "OUTSIDE by the time that a release takes",
        "(renew deadline 10s + slack 100ms) times 1.100 is at most the lease, 15s",
        "mended by any one of: --profile strict, --lease 26s, ",
        "no --release",
        "whatever the durations: a release takes effect before the work is told to stop",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Each field has one type, or is null.
#[test]
fn a_length_in_json_is_a_number_or_null_and_a_word_says_which_answers_fit() {
    for (line, profile, answers, longest) in [
        ("margin", 0, "any", None),
        ("margin", 1, "up-to", Some(3_000_000_000_u64)),
        ("margin --timeout 600ms --answer 0s", 1, "any", None),
        ("margin --timeout none --answer 0s", 1, "up-to", Some(3_000_000_000)),
        ("margin --lease 11s", 1, "none", None),
        ("margin --ratio 1.6", 0, "none", None),
    ] {
        let report = json(&format!("{line} --json"));
        let column = &report["profiles"][profile];
        assert_eq!(column["answers"], answers, "{line}");
        assert_eq!(column["max_answer_nanos"].as_u64(), longest, "{line}");
        let fields = column.as_object().unwrap().iter();
        for (field, value) in fields.filter(|(field, _)| field.ends_with("_nanos")) {
            let length = |value: &Value| value.is_u64() || value.is_null();
            let terms = value.as_object().is_some_and(|terms| terms.values().all(length));
            assert!(if field == "terms_nanos" { terms } else { length(value) }, "{line}: {field}");
        }
        for field in column.as_object().unwrap().keys() {
            assert!(DOCUMENT.contains(&format!("`{field}`")), "{field}");
        }
    }
}

const DOCUMENT: &str = include_str!("../../docs/simulation.md");

#[test]
fn near_the_bound_the_text_says_what_the_verdict_says() {
    let near = "margin --answer 3s --profile client-go-head --ratio";
    for (line, parts) in [
        (format!("{near} 1.0000004"), ["up to 1.0000004,", "times 1.0000004 is more than"]),
        (
            "margin --profile strict --ratio 1.49999".to_owned(),
            ["1.500\n", "times 1.49999 is at most"],
        ),
        (
            "margin --profile strict --renew 11s --ratio 1.36361".to_owned(),
            ["  1.36363\n", "times 1.36361 is at most"],
        ),
        (
            "margin --profile strict --renew 11s --ratio 15/11".to_owned(),
            ["  15/11\n", "times 15/11 is at most"],
        ),
    ] {
        let output = tenure(&line);
        for part in parts {
            assert!(text(&output.stdout).contains(part), "{line}: {}", text(&output.stdout));
        }
    }
}

#[test]
fn what_is_said_to_mend_it_does() {
    for base in [
        "margin --profile client-go-head",
        "margin --profile client-go-v1.20 --lease 15900ms --renew 14s --answer 2s",
        "margin --profile client-go-head --lease 8s --renew 5s --retry 900ms --slack 1s",
        "margin --profile strict --ratio 1.6 --slack 300ms",
    ] {
        assert_eq!(tenure(base).status.code(), Some(1), "{base}");
        let report = json(&format!("{base} --json"));
        assert_eq!(report["exit_status"], 1);
        let remedies = report["profiles"][0]["remedies"].as_array().unwrap().clone();
        assert!(!remedies.is_empty(), "{base}");
        for remedy in remedies.iter().map(|remedy| remedy.as_str().unwrap()) {
            let (option, _) = remedy.split_once(' ').unwrap();
            let words: Vec<_> = base.split(' ').collect();
            let replaced = words.iter().position(|word| *word == option);
            let kept = words.iter().enumerate().filter(|(at, _)| {
                replaced.is_none_or(|replaced| *at != replaced && *at != replaced + 1)
            });
            let line = kept.map(|(_, word)| *word).collect::<Vec<_>>().join(" ");
            let mended = tenure(&format!("{line} {remedy}"));
            assert_eq!(mended.status.code(), Some(0), "{line} {remedy}");
        }
    }
}

#[test]
fn both_profiles_are_shown_with_0_and_one_alone_is_judged() {
    assert_eq!(tenure("margin").status.code(), Some(0));
    assert_eq!(tenure("margin --profile strict").status.code(), Some(0));
    assert_eq!(tenure("margin --profile client-go-head").status.code(), Some(1));
    assert_eq!(tenure("margin --profile client-go-head --answer 3s").status.code(), Some(0));
    assert_eq!(tenure("margin --profile client-go-head --answer 3001ms").status.code(), Some(1));
    assert_eq!(tenure("margin --profile strict --ratio 3/2").status.code(), Some(0));
    assert_eq!(tenure("margin --profile strict --ratio 1.500001").status.code(), Some(1));
}

#[test]
fn bad_input_is_one_line_that_names_option_value_and_remedy() {
    for (line, parts) in [
        ("--lease 0", ["--lease", "\"0\"", "as \"15s\""]),
        ("--lease 0s", ["--lease", "0ns", "as 15s"]),
        ("--lease abc", ["--lease", "\"abc\"", "as \"15s\""]),
        ("--renew 20s", ["--lease, --renew", "renew_deadline is 20s", "shorten --renew"]),
        ("--retry 9s", ["--renew, --retry", "retry_period is 9s", "shorten --retry"]),
        ("--retry 0s", ["--retry", "0ns", "as 2s"]),
        ("--timeout 0s", ["--timeout", "0ns", "as 5s, or none"]),
        ("--timeout never", ["--timeout", "\"never\"", "as \"15s\""]),
        ("--ratio 0.9", ["--ratio", "0.9", "as 1.1 or 11/10"]),
        ("--ratio 1/0", ["--ratio", "1/0", "as 1.1 or 11/10"]),
        ("--lease 99999999d", ["--lease", "\"99999999d\" is too long", "at most 213503d"]),
        ("--lease 100000d", ["--lease", "to 2147483647s", "choose one between, as 15s"]),
        ("--lease -5s", ["--lease", "\"-5s\" is no duration", "as \"15s\""]),
        ("--renew -5s", ["--renew", "\"-5s\" is no duration", "as \"15s\""]),
        ("--retry -5s", ["--retry", "\"-5s\" is no duration", "as \"15s\""]),
        ("--timeout -5s", ["--timeout", "\"-5s\" is no duration", "as \"15s\""]),
        ("--answer -1s", ["--answer", "\"-1s\" is no duration", "as \"15s\""]),
        ("--slack -1s", ["--slack", "\"-1s\" is no duration", "as \"15s\""]),
        ("--ratio -1.1", ["--ratio", "'-1.1'", "as 1.1 or 11/10"]),
        ("--confirm --lease 3s", ["--confirm", "--lease", "cannot be used with"]),
        ("--confirm --seeds 0", ["--seeds", "0", "1.."]),
        ("--profile lax", ["--profile", "lax", "client-go-head"]),
    ] {
        let output = tenure(&format!("margin {line}"));
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}: {error}");
        assert!(error.ends_with('\n') && error.lines().count() == 1, "{line}: {error}");
        assert!(output.stdout.is_empty(), "{line}");
        for part in parts {
            assert!(error.contains(part), "{line}: {error:?} does not say {part:?}");
        }
    }
}

#[test]
fn the_confirmation_is_told_for_people_and_for_programs() {
    let output = tenure("margin --confirm --seeds 20");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let told = text(&output.stdout);
    let report = json("margin --confirm --seeds 20 --json");
    let cases = report["cases"].as_array().unwrap();
    assert_eq!(told.matches("never in 20 seeds").count(), cases.len());
    assert_eq!(told.matches("two leaders with seed").count(), cases.len());
    assert!(cases.iter().all(|case| case["confirms"] == true && case["inside"]["seeds"] == 20));
}
