//! How a run is told: what each entry came of, and drawings of it that others can read.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tenure_sim::check::Checks;
use tenure_sim::explain::{Past, explain, mermaid, mermaid_sharded};
use tenure_sim::scenario::Scenario;
use tenure_sim::subject::Subject as _;
use tenure_sim::trace::{Actor, Entry, Recorder, What};
use tenure_sim::world::World;
use tenure_sim::{catalogue, check, sharding};

fn recorded(scenario: &Scenario, seed: u64) -> (Vec<Entry>, Vec<check::Violation>, Scenario) {
    let mut world = World::new(scenario, seed).unwrap();
    let drawn = world.scenario().clone();
    let mut checks = (Checks::for_scenario(&drawn), Recorder::default());
    let outcome = world.run(&mut checks);
    (checks.1.entries, outcome.violations, drawn)
}

fn client_go(name: &str) -> Scenario {
    let mut scenario = catalogue::find(name).unwrap();
    scenario.profile = "client-go-head".parse().unwrap();
    scenario
}

/// Whose call an entry is about.
fn call(what: &What) -> Option<(u32, u64)> {
    Some(match what {
        What::Sent { replica, request, .. }
        | What::Answered { replica, request, .. }
        | What::GivenUp { replica, request } => (*replica, *request),
        What::Applied { by: Actor::Replica { replica, .. }, request, .. } => {
            (*replica, (*request)?)
        }
        _ => return None,
    })
}

#[test]
fn each_entry_of_an_election_came_of_what_led_to_it() {
    let (mut effects, mut answers, mut shown, mut terms) = (0, 0, 0, 0);
    let mut by_write = 0;
    for scenario in ["random", "wild", "watch", "release-conflict"].map(client_go) {
        for seed in 0..5 {
            let (entries, ..) = recorded(&scenario, seed);
            for entry in &entries {
                assert!(entry.cause.is_none_or(|cause| cause < entry.seq), "{entry:?}");
                let cause = entry.cause.map(|cause| &entries[usize::try_from(cause).unwrap()].what);
                match &entry.what {
                    What::Applied { by: Actor::Replica { .. }, .. } => {
                        assert!(matches!(cause, Some(What::Sent { .. })), "{entry:?} {cause:?}");
                        assert_eq!(call(cause.unwrap()), call(&entry.what));
                        effects += 1;
                    }
                    // An answer comes of its effect; of its call if an API server refused that.
                    What::Answered { .. } => {
                        assert!(
                            matches!(cause, Some(What::Applied { .. } | What::Sent { .. })),
                            "{entry:?} {cause:?}"
                        );
                        assert_eq!(call(cause.unwrap()), call(&entry.what));
                        answers += 1;
                    }
                    What::Watched { .. } => {
                        shown += 1;
                        by_write += u32::from(matches!(cause, Some(What::Applied { .. })));
                    }
                    // A call that was sent meanwhile is no reason for anything but its effect.
                    What::Authority { .. } => assert!(!matches!(cause, Some(What::Sent { .. }))),
                    What::StartedLeading { replica, .. } => {
                        let cause = cause.unwrap();
                        assert!(matches!(cause, What::Answered { .. }), "{entry:?} {cause:?}");
                        assert_eq!(cause.replica(), Some(*replica));
                        terms += 1;
                    }
                    What::Sent { replica, .. } => {
                        assert_eq!(cause.unwrap().replica(), Some(*replica), "{entry:?}");
                    }
                    What::Paused { .. } => assert!(matches!(cause, Some(What::Fault { .. }))),
                    _ => {}
                }
            }
        }
    }
    assert!(effects > 2_000 && answers > 2_000 && terms > 20, "{effects} {answers} {terms}");
    assert!(shown > 100 && by_write * 10 > shown * 9, "{by_write} of {shown}");
}

#[test]
fn each_entry_of_a_group_came_of_what_led_to_it() {
    use sharding::trace::{Recorder, What};
    let scenario = sharding::catalogue::find("sharding/swarm").unwrap();
    let (mut learnt, mut wrote) = (0, 0);
    for seed in 0..6 {
        let mut recorder = Recorder::default();
        sharding::tenure_world(&scenario, seed, &[]).unwrap().run(&mut recorder);
        let entries = &recorder.entries;
        for entry in entries {
            assert!(entry.cause.is_none_or(|cause| cause < entry.seq), "{entry:?}");
            let cause = entry.cause.map(|cause| &entries[usize::try_from(cause).unwrap()].what);
            match &entry.what {
                What::Wrote { replica, slot, .. } => {
                    let Some(What::Done { replica: by, work, .. }) = cause else {
                        panic!("{entry:?} {cause:?}")
                    };
                    let began = entries.iter().find_map(|it| match &it.what {
                        What::Began { work: began, slot, .. } if began == work => Some(*slot),
                        _ => None,
                    });
                    assert_eq!((by, began), (replica, Some(*slot)));
                    wrote += 1;
                }
                What::Gained { .. } => {
                    let led = matches!(cause, Some(What::Committed { .. }));
                    learnt += u32::from(led);
                    assert!(cause.is_some(), "{entry:?}");
                }
                What::Committed { by: Some(by), .. } => {
                    let cause = cause.unwrap();
                    let own = cause.replica() == Some(*by);
                    let told = matches!(
                        cause,
                        What::Committed { .. }
                            | What::Fault { .. }
                            | What::FaultEnded { .. }
                            | What::Measured { .. }
                    );
                    assert!(own || told, "{entry:?} {cause:?}");
                }
                _ => {}
            }
        }
    }
    assert!(wrote > 500 && learnt > 30, "{wrote} {learnt}");
}

/// A third candidate that lost each race has no part in it; both leaders have.
#[test]
fn the_past_of_two_leaders_holds_both_terms_and_not_all_else() {
    let (entries, violations, _) = recorded(&client_go("pause"), 1);
    let two = violations.iter().find(|it| it.check == "one-leader").unwrap();
    let past = Past::of(&entries, two);
    let in_past = |of: &dyn Fn(&What) -> bool| {
        entries.iter().any(|entry| past.holds(entry.seq) && of(&entry.what))
    };
    for replica in &two.replicas {
        let leads =
            |what: &What| matches!(what, What::StartedLeading { replica: it, .. } if it == replica);
        assert!(in_past(&leads), "replica {replica}");
    }
    let third = (0..3).find(|it| !two.replicas.contains(it)).unwrap();
    assert!(!in_past(&|what| what.replica() == Some(third)));
    assert!(entries.iter().all(|entry| !past.holds(entry.seq) || entry.seq <= two.seq));
    assert!(past.len() * 2 < entries.len(), "{} of {}", past.len(), entries.len());
}

/// The sentence, the terms, where each stood, what led to it, and how to repeat it.
#[test]
fn an_explanation_says_what_each_replica_knew() {
    let scenario = client_go("pause");
    let (entries, violations, drawn) = recorded(&scenario, 1);
    let text = explain(&drawn, 1, &entries, &violations[0]);
    for part in [
        "two leaders: replica-0 may act until",
        "lease 15s, renew deadline 10s, retry period 2s",
        "pause of replica-0, for 30s",
        "  replica-0: stands still since 60.689s, believes to lead since 0.042s (token 1)",
        "last wrote v32, sent 60.654s, in the store 60.664s, answered 60.681s",
        "  replica-1: runs, believes to lead since 78.234s",
        "x 31 to 60.664s, each 2.020s",
        "takes replica-0's lock: v33",
    ] {
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(&part), "{part}: {text}");
    }
    assert!(!text.contains("replica-2"), "{text}");
}

/// Each line of a diagram is one that the grammar of Mermaid has, and names declared participants.
fn is_mermaid(text: &str) {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("sequenceDiagram"));
    let mut known = BTreeSet::new();
    let mut told = 0;
    for line in lines {
        let line = line.strip_prefix("    ").unwrap();
        if let Some(participant) = line.strip_prefix("participant ") {
            known.insert(participant.split(" as ").next().unwrap().to_owned());
            assert_eq!(told, 0, "participants come first");
            continue;
        }
        let (head, message) = line.split_once(": ").unwrap();
        let of: Vec<&str> = match head.strip_prefix("Note over ") {
            Some(of) => of.split(',').collect(),
            None => head
                .split_once("-->>")
                .or_else(|| head.split_once("->>"))
                .map_or_else(|| panic!("{line}"), |(from, to)| vec![from, to]),
        };
        assert!(of.iter().all(|it| known.contains(*it)), "{line}");
        // What is no letter, digit or harmless sign is a number between # and ;.
        let mut rest = message;
        while let Some((_, after)) = rest.split_once('#') {
            let (number, after) = after.split_once(';').unwrap();
            assert!(number.parse::<u32>().is_ok(), "{line}");
            rest = after;
        }
        assert!(!message.is_empty() && !message.contains(['<', '>', '%', '"']), "{line}");
        assert!(message.matches(';').count() == message.matches('#').count(), "{line}");
        assert!(!message.split(' ').any(|word| word.eq_ignore_ascii_case("end")), "{line}");
        told += 1;
    }
    assert!(told > 0 && told < 160, "{told}");
}

#[test]
fn diagrams_of_all_scenarios_are_mermaid() {
    for name in catalogue::names() {
        let (entries, violations, drawn) = recorded(&client_go(name), 1);
        is_mermaid(&mermaid(&drawn, &entries, None));
        violations.iter().take(3).for_each(|it| is_mermaid(&mermaid(&drawn, &entries, Some(it))));
    }
    for name in ["sharding/swarm", "sharding/crash", "sharding/record-forged"] {
        let Some(scenario) = sharding::catalogue::find(name) else { continue };
        let without = [tenure::sharding::Rule::JoinWait, tenure::sharding::Rule::DrainBeforeAck];
        let mut world = sharding::tenure_world(&scenario, 2, &without).unwrap();
        let mut recorder = sharding::trace::Recorder::default();
        let checks = sharding::check::Checks::new(world.scenario());
        let mut both = (checks, &mut recorder);
        let outcome = world.run(&mut both);
        let first = outcome.violations.first();
        is_mermaid(&mermaid_sharded(world.scenario(), &recorder.entries, first));
    }
}

fn tenure(line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tenure")).args(line.split(' ')).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("telling").join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// What Chromium's format asks of each event.
fn is_perfetto(trace: &Value) -> BTreeMap<String, usize> {
    let (mut named, mut open) = (BTreeSet::new(), BTreeMap::new());
    let (mut slices, mut counts) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::new());
    for event in trace["traceEvents"].as_array().unwrap() {
        let phase = event["ph"].as_str().unwrap();
        *counts.entry(phase.to_owned()).or_default() += 1;
        let pid = event["pid"].as_u64().unwrap();
        assert!(event["name"].is_string(), "{event}");
        if phase == "M" {
            if event["name"] == "process_name" {
                named.insert(pid);
            }
            continue;
        }
        assert!(named.contains(&pid), "{event}");
        let ts = event["ts"].as_f64().unwrap();
        assert!(ts >= 0.0 && event["tid"].is_u64(), "{event}");
        let id = || (event["cat"].to_string(), event["id"].to_string(), pid);
        match phase {
            "X" => {
                let ends = ts + event["dur"].as_f64().unwrap();
                assert!(ends >= ts, "{event}");
                slices.entry((pid, event["tid"].as_u64().unwrap())).or_default().push((ts, ends));
            }
            "b" => assert!(open.insert(id(), ts).is_none(), "begun twice: {event}"),
            "n" => assert!(open.contains_key(&id()), "{event}"),
            "e" => assert!(open.remove(&id()).unwrap() <= ts, "{event}"),
            "i" => assert!(matches!(event["s"].as_str(), Some("g" | "p" | "t")), "{event}"),
            other => panic!("{other}"),
        }
    }
    assert!(open.is_empty(), "never over: {open:?}");
    for (track, mut of) in slices {
        of.sort_by(|one, other| one.partial_cmp(other).unwrap());
        // Microseconds as floats: a nanosecond more or less is the reading, not the file.
        let mut last = 0.0;
        for (begins, ends) in of {
            assert!(last <= begins + 0.01, "{track:?}: {begins} before {last}");
            last = ends;
        }
    }
    counts
}

#[test]
fn drawings_of_a_run_can_be_read_by_others() {
    let directory = directory("drawings");
    let file = |name: &str| directory.join(name).display().to_string();
    for (nth, (line, status)) in [
        ("pause --profile client-go-head --seed 1", 0),
        ("wild --seed 5", 0),
        ("migrate-overwritten --profile client-go-head", 0),
        ("sharding/join-one --without join-wait --seed 1", 1),
        ("sharding/swarm --seed 3", 0),
    ]
    .into_iter()
    .enumerate()
    {
        let (diagram, trace) = (file(&format!("{nth}.mmd")), file(&format!("{nth}.json")));
        let plain = tenure(&format!("run {line}"));
        let drawn = tenure(&format!("run {line} --mermaid {diagram} --perfetto {trace}"));
        assert_eq!(drawn.status.code(), Some(status), "{line}: {}", text(&drawn.stderr));
        assert_eq!(drawn.stdout, plain.stdout, "{line}: drawing changes nothing");
        let diagram = fs::read_to_string(diagram).unwrap();
        is_mermaid(&diagram);
        let trace = fs::read_to_string(trace).unwrap();
        let counts = is_perfetto(&serde_json::from_str(&trace).unwrap());
        for phase in ["M", "X", "b", "e", "i"] {
            assert!(counts[phase] > 2, "{line}: {counts:?}");
        }
        let printed = tenure(&format!("run {line} --mermaid -"));
        assert_eq!((printed.status.code(), text(&printed.stdout)), (Some(status), &*diagram));
        let printed = tenure(&format!("run {line} --perfetto -"));
        assert_eq!((printed.status.code(), text(&printed.stdout)), (Some(status), &*trace));
    }
}

/// Who may act is drawn as the checks have it: the two leaders overlap for as long as the verdict says.
#[test]
fn the_overlap_of_two_leaders_is_drawn() {
    let printed = tenure("run pause --profile client-go-head --seed 1 --perfetto -");
    let trace: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let acting = events.iter().filter(|event| event["name"] == "may act");
    let spans: Vec<(f64, f64)> = acting
        .map(|event| (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap()))
        .map(|(ts, dur)| (ts, ts + dur))
        .collect();
    let overlap = spans[0].1.min(spans[1].1) - spans[0].0.max(spans[1].0);
    assert!((overlap - 12_465_893.180).abs() < 0.1, "{overlap}");
    let found: Vec<_> = events.iter().filter(|event| event["cat"] == "violation").collect();
    assert_eq!((found.len(), found[0]["name"].as_str()), (3, Some("one-leader/authority")));
    assert!(found[0]["args"]["what"].as_str().unwrap().contains("overlap 12.465893180s"));
}

#[test]
fn drawings_that_have_no_place_are_refused() {
    let refused = |line: &str, words: &[&str]| {
        let answer = tenure(line);
        let told = text(&answer.stderr);
        assert_eq!((answer.status.code(), told.lines().count()), (Some(2), 1), "{line}: {told}");
        assert!(answer.stdout.is_empty(), "{line}");
        for word in words {
            assert!(told.contains(word), "{line}: {told}");
        }
    };
    refused("run --mermaid x", &["experiment", "name one scenario"]);
    refused("run pause --mermaid - --perfetto -", &["standard output", "name a file"]);
    refused("run pause --json --perfetto -", &["standard output"]);
    refused("run pause --mermaid x --perfetto x", &["one file", "name two"]);
    refused("run pause --trace x --perfetto x", &["one file", "name two"]);
    refused("run pause --mermaid /nowhere/x", &["/nowhere/x", "cannot be"]);
    refused("run pause --perfetto /dev/null", &["/dev/null", "regular file"]);
}

/// The counterexample of the documentation is what the command prints.
#[test]
fn the_documentation_shows_what_is_printed() {
    let document = include_str!("../../docs/simulation.md");
    let (_, shown) =
        document.split_once("`tenure run pause --profile client-go-head --seed 1`:").unwrap();
    let shown = shown.split_once("```text\n").unwrap().1.split_once("```").unwrap().0;
    let printed = tenure("run pause --profile client-go-head --seed 1");
    assert!(text(&printed.stdout).contains(shown), "{}", text(&printed.stdout));
    // Each mark that is counted is in a table.
    let calm = sharding::catalogue::find("sharding/calm").unwrap();
    let marks = [
        catalogue::find("calm").unwrap().run(1).unwrap().marks.split_off(21),
        calm.run(1).unwrap().marks.split_off(16),
    ];
    for (mark, _) in marks.concat() {
        assert!(document.contains(&format!("`{mark}`")), "{mark}");
    }
}
