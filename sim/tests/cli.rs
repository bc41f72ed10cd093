//! The command `tenure`, as a person or a script meets it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tenure_sim::check::{Checks, recheck};
use tenure_sim::trace;

fn command(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
    command.args(line.split_whitespace());
    command
}

fn tenure(line: &str) -> Output {
    command(line).output().unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn json(line: &str) -> serde_json::Value {
    let output = tenure(line);
    assert_eq!(text(&output.stdout).lines().count(), 1, "{line}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A directory of its own for each test.
fn directory(test: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// Refused: exit status 2, one line on stderr that contains each of these, nothing on stdout.
fn refused(line: &str, parts: &[&str]) {
    let output = tenure(line);
    let error = text(&output.stderr);
    assert_eq!(status(&output), 2, "{line}: {error}");
    assert!(error.ends_with('\n') && error.lines().count() == 1, "{line}: {error}");
    for part in parts {
        assert!(error.contains(part), "{line}: {error:?} does not say {part:?}");
    }
    assert!(output.stdout.is_empty(), "{line}");
}

#[test]
fn no_arguments_are_the_experiment_and_the_same_seed_is_the_same_bytes() {
    let bare = tenure("");
    assert_eq!((status(&bare), text(&bare.stderr)), (0, ""));
    assert_eq!(bare.stdout, tenure("run").stdout);
    assert_eq!(bare.stdout, tenure("run experiment --seed 42 --profile strict").stdout);
    assert_ne!(bare.stdout, tenure("run --seed 43").stdout);
    let table = text(&bare.stdout);
    for part in ["without election", "leader election", "sharded, ranked", "2291 objects", "digest"]
    {
        assert!(table.contains(part), "{part}");
    }
}

#[test]
fn the_experiment_shows_what_it_is_for() {
    let report = json("run experiment --json");
    let figure =
        |mode: usize, path: &str| report["modes"][mode].pointer(path).unwrap().as_u64().unwrap();
    let [alone, leader, naive, ranked] = [0, 1, 2, 3];
    assert_eq!(figure(alone, "/object_millis/one_owner"), 0);
    assert_eq!(figure(leader, "/object_millis/two_owners"), 0);
    assert!(figure(naive, "/object_millis/two_owners") > 0);
    assert_eq!(figure(ranked, "/object_millis/two_owners"), 0);
    let none = |mode| figure(mode, "/object_millis/no_owner");
    assert!(0 < none(ranked) && none(ranked) < none(leader));
    assert!(figure(alone, "/reconciles/all") > 2 * figure(leader, "/reconciles/all"));
    assert_eq!(report["exit_status"], 0);
}

#[test]
fn the_figures_of_the_readme_are_those_that_it_prints() {
    let printed = tenure("");
    let printed: Vec<&str> = text(&printed.stdout).lines().collect();
    let readme = include_str!("../../README.md");
    let rows = readme.lines().skip_while(|line| !line.starts_with("| | without election |"));
    let rows: Vec<_> = rows.skip(2).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() >= 6);
    for row in rows {
        let mut cells = row.split('|').map(str::trim).filter(|cell| !cell.is_empty());
        let title = cells.next().unwrap();
        let line = printed.iter().find(|line| line.trim_start().starts_with(title));
        let line = line.unwrap_or_else(|| panic!("no row {title}"));
        let cells: Vec<_> = cells.flat_map(str::split_whitespace).collect();
        let figures = line.trim_start().strip_prefix(title).unwrap().split_whitespace();
        assert_eq!(cells, figures.collect::<Vec<_>>(), "{title}");
    }
}

#[test]
fn keys_of_ones_own_replace_those_shipped() {
    let file = directory("keys").join("keys.txt");
    let names: Vec<String> = (0..30).map(|object| format!("team-{object}\r\n")).collect();
    fs::write(&file, names.concat()).unwrap();
    let report = json(&format!("run --json --keys {}", file.display()));
    assert_eq!(report["experiment"]["objects"], 30);
}

#[test]
fn what_cannot_be_read_is_refused_in_one_line_that_says_what_to_do() {
    let directory = directory("refused");
    let file = |name: &str, content: &[u8]| {
        let path = directory.join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    refused("run leader-crahs", &["leader-crahs", "did you mean leader-crash"]);
    refused("run nothing-like-it-at-all", &["`tenure scenarios` lists"]);
    refused("run --keys /nowhere/keys", &["/nowhere/keys", "cannot be read", "name a file"]);
    let empty = file("empty", b"");
    refused(&format!("run --keys {empty}"), &[&empty, "no name", "one name a line"]);
    let gap = file("gap", b"a\n\nb\n");
    refused(&format!("run --keys {gap}"), &[&gap, "line 2", "empty", "one name a line"]);
    let twice = file("twice", b"a\nb\na\n");
    refused(&format!("run --keys {twice}"), &["line 3", "line 1 already", "once"]);
    let binary = file("binary", b"\xff\xfe");
    refused(&format!("run --keys {binary}"), &[&binary, "UTF-8"]);
    refused("run calm --keys /dev/null", &["--keys", "experiment", "leave it out"]);
    refused("run --scenario /nowhere", &["/nowhere", "cannot be read"]);
    let long = file("long.json", b"{\n  \"horizon\": \"999999d\"\n}");
    refused(&format!("run --scenario {long}"), &["line 2", "horizon", "too long: at most 213503d"]);
    let broken = file("broken.json", b"{\n  \"sead\": 3\n}");
    refused(&format!("run --scenario {broken}"), &[&broken, "line 2", "sead", "expected one of"]);
    let number = file("number.json", b"{\n  \"horizon\": \"long\"\n}");
    refused(&format!("run --scenario {number}"), &["line 2", "horizon", "a number and a unit"]);
    let absurd = file("absurd.json", b"{\"lease_duration\": \"5s\"}");
    refused(&format!("run --scenario {absurd}"), &[&absurd, "lease", "renew"]);
    let nobody = file("nobody.json", b"{\"replicas\": []}");
    refused(&format!("run --scenario {nobody}"), &["replicas", "list 1 to"]);
    let marked = file("marked", b"\xef\xbb\xbfa\n");
    refused(&format!("run --keys {marked}"), &[&marked, "line 1", "feff", "plain text"]);
    let long = file("long", &[&[b'a'; 9_999][..], b"\n", &[b'a'; 9_999][..]].concat());
    refused(&format!("run --keys {long}"), &["line 2", "aaa…", "once"]);
    for (expect, parts) in [
        (r#"{"strict": ["one-leadr"]}"#, ["expect.strict", "one-leadr", "one-leader"]),
        (r#"{"strickt": ["one-leader"]}"#, ["expect", "strickt", "client-go-v1.36"]),
    ] {
        let hoping = file("hoping.json", format!(r#"{{"expect": {expect}}}"#).as_bytes());
        refused(&format!("run --scenario {hoping}"), &parts);
    }
    refused("conform /nowhere/a /nowhere/b", &["/nowhere/a", "cannot be read", "1 more"]);
    let quoted = file("quoted.json", format!("\"{}\"", "a".repeat(9_999)).as_bytes());
    refused(&format!("conform {quoted}"), &[&quoted, "line 1", "…", "as it was recorded"]);
    let endless = directory.join("endless");
    fs::File::create(&endless).unwrap().set_len((256 << 20) + 1).unwrap(); // sparse
    let endless = endless.display().to_string();
    for line in ["run --scenario", "run --keys", "conform", "balance --members", "explore --replay"]
    {
        refused(&format!("{line} {endless}"), &[&endless, "longer than 256 megabytes"]);
    }
    refused(&format!("merge {endless}"), &[&endless, "line 1: longer than 64 megabytes"]);
    fs::remove_file(endless).unwrap();
    refused("run calm --trace /nowhere/trace", &["/nowhere/trace", "cannot be written"]);
}

#[test]
fn a_wrong_command_line_is_an_exit_status_of_2() {
    for line in [
        "walk",
        "run calm pause",
        "run calm --sed 3",
        "run calm --seed -1",
        "run calm --seed x",
        "run calm --profile lax",
        "run calm --scenario x",
        "sweep --seeds 5..5",
        "sweep --seeds 5",
        "sweep --jobs 0",
        "conform",
    ] {
        refused(line, &["tenure: ", "see `tenure --help`"]);
    }
    for line in ["--help", "help run", "sweep -h"] {
        let output = tenure(line);
        assert_eq!((status(&output), text(&output.stderr)), (0, ""), "{line}");
        assert!(text(&output.stdout).contains("Usage: tenure"), "{line}");
    }
    assert!(text(&tenure("--version").stdout).starts_with("tenure "));
}

#[test]
fn bad_input_leaves_nothing_written() {
    let directory = directory("nothing");
    let absurd = directory.join("absurd.json");
    fs::write(&absurd, b"{\"lease_duration\": \"5s\"}").unwrap();
    let trace = directory.join("trace.jsonl");
    let (absurd, trace) = (absurd.display(), trace.display());
    refused(&format!("run --scenario {absurd} --trace {trace}"), &["lease"]);
    refused(&format!("run nowhere --trace {trace}"), &["nowhere"]);
    refused(&format!("run --keys /nowhere --trace {trace}"), &["/nowhere"]);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[test]
fn a_trace_takes_no_place_but_that_of_a_file() {
    refused("run calm --trace -", &["--trace", "name a file, not -"]);
    let directory = directory("place");
    let path = |name: &str| directory.join(name);
    let to = |name: &str| format!("run graceful-release --trace {}", path(name).display());
    refused(&to("."), &["is a directory", "name a file"]);
    let scenario = path("scenario.json");
    fs::write(&scenario, "{}").unwrap();
    let over = format!("run --scenario {0} --trace {0}", scenario.display());
    refused(&over, &["scenario.json", "input", "another"]);
    assert_eq!(fs::read(&scenario).unwrap(), b"{}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::{FileTypeExt as _, symlink};
        // What is no file stays what it is: a pipe here, /dev/null on a bad day.
        assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        refused(&to("pipe"), &["pipe", "no regular file"]);
        assert!(fs::metadata(path("pipe")).unwrap().file_type().is_fifo());
        symlink("nowhere", path("loose")).unwrap();
        refused(&to("loose"), &["leads nowhere"]);
        fs::write(path("old"), "old").unwrap();
        symlink("old", path("link")).unwrap();
        assert_eq!(status(&tenure(&to("link"))), 0);
        assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
        assert!(fs::metadata(path("old")).unwrap().len() > 1_000);
        // Nor is a link followed that somebody has put where the file is written meanwhile.
        fs::write(path("kept"), "precious").unwrap();
        let script = r#"ln -s kept new.$$.part && exec "$0" run graceful-release --trace new"#;
        let mut shell = Command::new("sh");
        shell.args(["-c", script, env!("CARGO_BIN_EXE_tenure")]).current_dir(&directory);
        assert_eq!(status(&shell.output().unwrap()), 0);
        assert_eq!(fs::read(path("kept")).unwrap(), b"precious");
        assert!(fs::symlink_metadata(path("new")).unwrap().is_file());
    }
    let fixed = path("fixed");
    fs::write(&fixed, "precious").unwrap();
    let mut permissions = fs::metadata(&fixed).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&fixed, permissions).unwrap();
    refused(&to("fixed"), &["may not be written"]);
    assert_eq!(fs::read(&fixed).unwrap(), b"precious");
}

#[test]
fn the_exit_status_says_whether_all_is_as_expected() {
    let directory = directory("status");
    let run = |name: &str, content: &str, more: &str| {
        let path = directory.join(name);
        fs::write(&path, content).unwrap();
        tenure(&format!("run --scenario {} {more}", path.display()))
    };
    let crash = r#"[{"at": "60s", "for": "30s", "fault": {"crash": {"target": "leader"}}}]"#;
    let pause = r#"[{"on": {"event": "answered", "by": "leader", "nth": 9}, "for": "30s",
        "fault": {"pause": {"target": "actor"}}}]"#;
    let holds = run("holds.json", &format!(r#"{{"faults": {crash}}}"#), "");
    assert_eq!(status(&holds), 0, "{}", text(&holds.stdout));
    let missing = format!(r#"{{"faults": {crash}, "expect": {{"*": ["one-leader"]}}}}"#);
    let missing = run("missing.json", &missing, "");
    assert_eq!(status(&missing), 1, "{}", text(&missing.stdout));
    let violated =
        run("violated.json", &format!(r#"{{"faults": {pause}}}"#), "--profile client-go-head");
    assert_eq!(status(&violated), 1, "{}", text(&violated.stdout));
    assert!(text(&violated.stdout).contains("one-leader"));
    let unknown = run("unknown.json", r#"{"replicas": [{}], "horizon": "1m"}"#, "");
    assert_eq!(status(&unknown), 3, "{}", text(&unknown.stdout));
    assert_eq!(status(&tenure("run pause --profile client-go-head")), 0);
}

/// A run that shows nothing counts as little alone as among many.
#[test]
fn a_run_and_a_sweep_of_its_seed_agree() {
    let mut seen = Vec::new();
    for seed in 0..20 {
        let sweep = tenure(&format!("sweep --seeds {seed}..{}", seed + 1));
        let run = tenure(&format!("run random --seed {seed}"));
        assert_eq!(status(&sweep), status(&run), "{seed}");
        seen.push(status(&run));
    }
    assert!(seen.contains(&0) && seen.contains(&3), "{seen:?}");
}

#[test]
fn warnings_and_hand_overs_are_counted() {
    for (name, part, of) in [
        ("danger-zone", "warnings that authority is near its end", "endangered"),
        ("hand-over", "hand-overs", "handed_over"),
    ] {
        let times = json(&format!("run {name} --json"))["statistics"][of].as_u64().unwrap();
        assert!(times > 0, "{name}");
        let told = tenure(&format!("run {name}"));
        assert!(text(&told.stdout).contains(&format!(", {times} {part}")), "{name}");
    }
}

#[test]
fn a_trace_read_back_and_checked_again_gives_the_same_violations() {
    let directory = directory("trace");
    for (name, profile) in [("pause", "client-go-v1.36"), ("leader-cut", "strict")] {
        let path = directory.join("trace.jsonl");
        let line = format!("run {name} --profile {profile} --json --trace {}", path.display());
        let run = json(&line);
        let file = fs::File::open(&path).unwrap();
        let (header, entries) = trace::read(BufReader::new(file)).unwrap();
        assert_eq!((header.seed, header.scenario.name.as_str()), (42, name));
        let found = recheck(&entries, &mut Checks::for_scenario(&header.scenario));
        assert_eq!(serde_json::to_value(found).unwrap(), run["violations"]);
        assert_eq!(entries.len() as u64, run["statistics"]["entries"]);
    }
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "no part is left");
}

#[test]
fn the_experiment_writes_a_trace_a_mode() {
    let directory = directory("traces");
    let keys = directory.join("keys");
    fs::write(&keys, "a\nb\nc\n").unwrap();
    let path = directory.join("all.jsonl");
    tenure(&format!("run --keys {} --trace {}", keys.display(), path.display()));
    for mode in ["without-election", "leader-election", "sharded-naively", "sharded-ranked"] {
        let file = fs::File::open(directory.join(format!("all.{mode}.jsonl"))).unwrap();
        let (header, entries) = trace::read(BufReader::new(file)).unwrap();
        assert_eq!(header.scenario.name, format!("experiment-{mode}"));
        assert!(entries.len() > 100);
    }
}

#[test]
fn a_sweep_is_the_same_with_any_number_of_jobs() {
    let one = tenure("sweep --seeds 0..60 --jobs 1");
    assert_eq!((status(&one), text(&one.stderr)), (0, ""));
    assert_eq!(one.stdout, tenure("sweep --seeds 0..60 --jobs 3").stdout);
    let sweep = json("sweep --seeds 0..60 --json");
    assert_eq!(sweep["runs"]["all"], 60);
    assert_eq!(sweep["found"].as_array().unwrap().len(), 0);
    assert!(sweep["runs"]["holds"].as_u64() > Some(10));
}

#[test]
fn a_sweep_finds_what_client_go_does_and_says_how_to_see_it() {
    let sweep = json("sweep --seeds 0..60 --profile client-go-head --json");
    assert_eq!(sweep["exit_status"], 0);
    let found = sweep["found"].as_array().unwrap();
    let two = found.iter().find(|found| found["check"] == "one-leader").unwrap();
    let again = two["again"].as_str().unwrap().strip_prefix("tenure ").unwrap();
    let run = json(&format!("{again} --json"));
    let same = |violation: &&serde_json::Value| **violation == two["first"];
    assert!(run["violations"].as_array().unwrap().iter().any(|violation| same(&violation)));
}

#[test]
fn all_scenarios_are_listed_for_people_and_for_programs() {
    let list = json("scenarios --json");
    let names = list["scenarios"].as_array().unwrap();
    let text_list = tenure("scenarios").stdout;
    for scenario in names {
        let name = scenario["name"].as_str().unwrap();
        assert!(text(&text_list).lines().any(|line| line == name), "{name}");
    }
    assert!(names.len() > 20);
}

const DOCUMENT: &str = include_str!("../../docs/simulation.md");

#[test]
fn the_scenario_of_the_document_is_as_it_says() {
    let (_, rest) = DOCUMENT.split_once("```json\n").unwrap();
    let (scenario, _) = rest.split_once("```").unwrap();
    let path = directory("document").join("scenario.json");
    fs::write(&path, scenario).unwrap();
    for (profile, verdict) in [("strict", "holds"), ("client-go-head", "violated, as expected")] {
        let run = json(&format!("run --scenario {} --profile {profile} --json", path.display()));
        assert_eq!(run["verdict"], verdict, "{profile}");
        assert!(run["faults"].as_array().unwrap().iter().all(|fault| fault["had_effect"] == true));
    }
}

#[test]
fn the_document_names_each_check_each_rule_and_each_kind_of_entry() {
    let names = |name: &str| assert!(DOCUMENT.contains(&format!("`{name}`")), "{name}");
    Checks::NAMES.into_iter().for_each(names);
    let sweep = json("sweep --seeds 0..200 --profile client-go-head --json");
    for found in sweep["found"].as_array().unwrap() {
        names(found["rule"].as_str().unwrap());
    }
    let path = directory("kinds").join("trace.jsonl");
    for line in
        ["pause --profile client-go-head", "outside-delete", "ntp-steps", "graceful-release"]
    {
        tenure(&format!("run {line} --trace {}", path.display()));
        let (_, entries) = fs::read_to_string(&path)
            .map(|text| {
                let mut lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
                (lines.next(), lines.collect::<Vec<serde_json::Value>>())
            })
            .unwrap();
        for entry in entries {
            match entry["what"].as_object() {
                None => names(entry["what"].as_str().unwrap()),
                Some(what) => {
                    for (kind, fields) in what {
                        names(kind);
                        fields.as_object().unwrap().keys().for_each(|field| names(field));
                    }
                }
            }
        }
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let trace = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/traces/v0.36.2/two-s2.json");
    let conform = format!("conform {trace}");
    for line in ["run", "scenarios", "run pause --json", "sweep --seeds 0..3", &conform] {
        let mut child =
            command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(&output.stderr), "", "{line}");
        assert!(matches!(status(&output), 0 | 3), "{line}");
    }
}

#[test]
fn explore_finds_the_shortest_way_and_plays_it_again() {
    let output = tenure("explore --world client-go-v4");
    let script = text(&output.stdout);
    assert_eq!(status(&output), 0, "{script}");
    assert!(script.starts_with("# client-go-v4: ") && script.contains("# as expected\nworld "));
    assert!(script.contains("; A AND B LEAD\nviolates two believe to lead\n"), "{script}");

    let directory = directory("explore");
    let file = directory.join("v4.txt");
    fs::write(&file, script).unwrap();
    let line = format!("explore --replay {}", file.display());
    let again = tenure(&line);
    assert_eq!(status(&again), 0);
    let without_figures = script.split_once("world ").unwrap().1;
    assert_eq!(text(&again.stdout), format!("world {without_figures}"));
    assert_eq!(json(&format!("{line} --json"))["as_told"], true);

    // No tick while an answer is to come before it; and another law is not what is violated.
    fs::write(&file, script.replace("delete ", "tick #")).unwrap();
    refused(&line, &["v4.txt", "step 7, tick", "cannot happen here"]);
    fs::write(&file, script.replace("two believe to lead", "two have authority")).unwrap();
    let other = tenure(&line);
    assert_eq!(status(&other), 1);
    assert!(
        text(&other.stdout)
            .ends_with("# but two believe to lead is violated, not: two have authority\n")
    );
}

#[test]
fn explore_takes_rules_and_says_how_it_ended() {
    for (line, expected, part) in [
        ("explore --lease 2 --renew 2 --rates 1:1", 0, "nothing is violated: "),
        ("explore --lease 2 --deadline 3", 1, "two have authority: "),
        ("explore --replicas 3 --faults crash,delete:2 --states 2000", 3, "(budget)"),
        ("explore --world strict-2-2-1:1-delay --states 100", 3, "# NOT FAR ENOUGH"),
        ("explore --world strict-2-3-1:1-delay", 0, "# as expected"),
    ] {
        let output = tenure(line);
        assert_eq!(status(&output), expected, "{line}: {}", text(&output.stderr));
        assert!(text(&output.stdout).contains(part), "{line}");
    }
    let report = json("explore --lease 2 --deadline 2 --json");
    assert_eq!(
        (&report["end"], &report["violated"]),
        (&"exhausted".into(), &serde_json::Value::Null)
    );
    let all = json("explore --list --json")["worlds"].as_array().unwrap().len();
    let help = tenure("explore --help");
    assert!(text(&help.stdout).contains(&format!("all {all} known worlds")) && all > 50);
    refused("explore --lease 9999999d", &["--lease=9999999d", "from 1ns to 100000s"]);
    refused("explore --rates 1", &["--rates=1", "two or three numbers"]);
    refused("explore --lease 2 --faults fire", &["faults=fire", "crash:1,delete:2"]);
    refused("explore --world strict-2-2-1:1-dely", &["did you mean strict-2-2-1:1-delay"]);
    refused("explore --world client-go-v4 --lease 2", &["cannot be used with"]);
    refused("explore --replay no-such-file", &["no-such-file", "cannot be read"]);
}
