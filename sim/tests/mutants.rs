//! Bugs that are planted are noticed: by what `mutants.json` says, which `tenure mutants --seeds 0..1500
//! --group-seeds 0..300 --json` has printed. `docs/simulation.md` shows it as a table.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::process::{Command, Output};

use rayon::prelude::*;
use tenure::{election, sharding};
use tenure_sim::left_out::Rule;
use tenure_sim::mutants::{Bug, Plant, Row, Shown, all, detect, detect_in};

/// No more may survive.
const SURVIVORS: usize = 5;

fn tenure(line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tenure")).args(line.split_whitespace()).output().unwrap()
}

fn stored() -> Vec<(Bug, Row)> {
    let table: serde_json::Value = serde_json::from_str(include_str!("mutants.json")).unwrap();
    let rows: Vec<Row> = serde_json::from_value(table.get("bugs").unwrap().clone()).unwrap();
    let bugs = all();
    assert_eq!(rows.len(), bugs.len());
    bugs.into_iter().zip(rows).collect()
}

#[test]
fn the_table_is_about_these_bugs() {
    for (bug, row) in stored() {
        let known = (row.number.as_str(), row.bug.as_str());
        assert_eq!(known, (bug.number, bug.what));
        assert_eq!(row.without, bug.without(), "{}", bug.number);
        assert_eq!(row.argument.as_deref().unwrap_or(""), bug.argument, "{}", bug.number);
        assert_eq!(row.survives(), row.argument.is_some(), "{}", bug.number);
    }
    let survivors = stored().iter().filter(|(_, row)| row.survives()).count();
    assert!(survivors <= SURVIVORS, "{survivors}");
}

/// 1 to 35 and H1 to H12, and each rule that can be left out.
#[test]
fn no_bug_and_no_rule_is_missing() {
    let bugs = all();
    let numbers: BTreeSet<_> = bugs.iter().map(|bug| bug.number).collect();
    for number in 1..=35 {
        assert!(numbers.contains(number.to_string().as_str()), "{number}");
    }
    for number in 1..=12 {
        assert!(numbers.contains(format!("H{number}").as_str()), "H{number}");
    }
    let election = bugs.iter().filter(|bug| matches!(bug.plant, Plant::Election(..)));
    let left_out: BTreeSet<_> = election.flat_map(Bug::without).collect();
    assert_eq!(left_out, Rule::all().map(Rule::name).collect());
    let groups = bugs.iter().filter(|bug| matches!(bug.plant, Plant::Sharding(_)));
    let left_out: BTreeSet<_> = groups.flat_map(Bug::without).collect();
    assert_eq!(left_out, sharding::Rule::ALL.map(sharding::Rule::name).into());
    assert!(election::Rule::all().count() <= 64);
}

/// The scenario that shows a bug, and the first random run that does, show it by the same check and rule.
#[test]
fn each_bug_is_noticed_as_the_table_says() {
    let wrong: Vec<String> = stored()
        .par_iter()
        .flat_map_iter(|(bug, row)| {
            let firsts = row.swarms.iter().filter_map(|swarm| swarm.first.as_ref());
            row.shown_by.iter().chain(firsts).filter_map(|shown| {
                let now = detect_in(bug, &shown.scenario, shown.seed).unwrap();
                let then = Shown { faults: None, ..shown.clone() };
                (now.as_ref() != Some(&then))
                    .then(|| format!("{} {:?}: {then:?}, now {now:?}\n", bug.number, row.without))
            })
        })
        .collect();
    let again = "if that is right: tenure mutants --seeds 0..1500 --group-seeds 0..300 --json > sim/tests/mutants.json, and the \
                 table of docs/simulation.md";
    assert!(wrong.is_empty(), "{}{again}", wrong.concat());
}

/// What the checks say, they say of bugs: without any, the same runs are sound.
#[test]
fn without_a_bug_nothing_is_noticed() {
    let sound = Bug { plant: Plant::Election(&[], &[]), ..all()[0] };
    for (_, row) in stored() {
        for shown in row.swarms.iter().filter_map(|swarm| swarm.first.as_ref()) {
            if shown.scenario == "random" {
                assert_eq!(detect_in(&sound, "random", shown.seed), Ok(None), "{}", shown.seed);
            }
        }
    }
    // What electors refuse is an error unless the rule that refuses it is left out.
    let refused = detect_in(&sound, "deadline-beyond-lease", 1).unwrap_err();
    assert!(refused.contains("leaseDuration must be greater than renewDeadline"), "{refused}");
}

/// `| 5 | bug | left out | shown by | random runs | for 95 % |`
fn line(row: &Row) -> String {
    let told = |shown: &Shown| {
        let property = shown.property.as_deref().unwrap_or("what is expected is missing");
        let left = shown.faults.map_or_else(String::new, |faults| format!(", {faults} left"));
        format!("`{}` {}: `{property}`{left}", shown.scenario, shown.seed)
    };
    let by = match (&row.refused_by, &row.shown_by, &row.argument) {
        (Some(by), ..) => by.clone(),
        (_, Some(shown), _) => told(shown),
        (_, _, Some(why)) => format!("nothing: {why}"),
        _ => "random runs".to_owned(),
    };
    let most = row.swarms.iter().max_by_key(|swarm| swarm.hits);
    let (rate, seeds) = most.map_or_else(Default::default, |swarm| {
        let first = swarm.first.as_ref().map(|first| format!("; {}", told(first)));
        let seeds = swarm.seeds_for_95.map(|seeds| seeds.to_string()).unwrap_or_default();
        (format!("{} of {}{}", swarm.hits, swarm.runs, first.unwrap_or_default()), seeds)
    });
    let without = row.without.iter().map(|rule| format!("`{rule}`")).collect::<Vec<_>>().join(", ");
    format!("| {} | {} | {without} | {by} | {rate} | {seeds} |", row.number, row.bug)
}

#[test]
fn the_document_shows_the_table() {
    let document = include_str!("../../docs/simulation.md");
    let missing: Vec<String> = stored()
        .iter()
        .map(|(_, row)| line(row))
        .filter(|line| !document.lines().any(|it| it == line))
        .collect();
    assert!(missing.is_empty(), "docs/simulation.md lacks\n{}", missing.join("\n"));
}

#[test]
fn the_command_plants_what_it_is_asked_to() {
    let answer = tenure("mutants 4 H8 --seeds 0..20 --json");
    let report: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!((answer.status.code(), &report["exit_status"]), (Some(0), &0.into()));
    let [one, other] = report["bugs"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!(one["shown_by"]["property"], "one-leader/belief");
    assert_eq!((&one["shown_by"]["faults"], &one["swarms"][0]["hits"]), (&1.into(), &3.into()));
    assert_eq!(other["without"][0], "clock");
    let bug = all().into_iter().find(|bug| bug.is_called("deadline")).unwrap();
    let row: Row = serde_json::from_value(one.clone()).unwrap();
    assert_eq!(detect(&bug, 0..20, true).unwrap(), row);
    let text = String::from_utf8(tenure("mutants 27 --seeds 0..2").stdout).unwrap();
    assert!(text.contains("NOT NOTICED: ") && text.contains("1 of them"), "{text}");
    for (line, part) in [("mutants deadlin", "deadline"), ("mutants --seeds 5", "--seeds")] {
        let refused = tenure(line);
        let error = String::from_utf8(refused.stderr).unwrap();
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{error}");
        assert!(error.contains(part) && error.lines().count() == 1, "{error}");
    }
}
