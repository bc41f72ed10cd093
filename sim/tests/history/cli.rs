//! `tenure check`, as people and scripts meet it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::Value;

use super::stories::{audit, lines};

pub(super) fn tenure(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
    command.args(arguments).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    let input = input.to_owned();
    // It may not read all.
    let writer = thread::spawn(move || drop(to.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Exit status, and what is printed; an error is one line.
pub(super) fn answer(arguments: &[&str], input: &str) -> (i32, String) {
    let output = tenure(arguments, input);
    let (out, error) = (output.stdout, output.stderr);
    let (out, error) = (String::from_utf8(out).unwrap(), String::from_utf8(error).unwrap());
    assert!(out.is_empty() || error.is_empty(), "{error}");
    assert!(error.lines().count() <= 1, "{error}");
    (output.status.code().unwrap(), out + &error)
}

fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// As the README beside the recordings has it: three leaders were stopped or killed, one lock deleted;
/// and a release that cleared another's record, which a watch cannot show, since it does not say who.
#[test]
fn the_recordings_of_a_real_server_are_judged() {
    let (status, text) = answer(&["check", "s1-norelease.audit.jsonl"], "");
    assert_eq!(status, 0, "{text}");
    for part in [
        "109 versions, 104 renewals, 3 takeovers, 1 deletion, 1 conflict\n",
        "told deleted: 1\n    line 190, 2026-11-22T10:49:35.467Z: the lock of e2 was deleted by outsider",
        "no invariant broke: 1 lock, 108 steps judged, 0 violations\n",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert!(!text.contains("VIOLATION"), "{text}");
    let (status, text) = answer(&["check", "s3-release-wipe.audit.jsonl"], "");
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("1 failed write"), "{text}");
    let found = "VIOLATION released-by-another: 1\n    line 78, 2026-11-22T10:54:05.825Z: e0 (admin, \
                 127.0.0.1) cleared the record of e2, which e2 (admin, 127.0.0.1) wrote, 30.195ms after \
                 its last write; it lasts 4.000s\n";
    assert!(text.contains(found), "{text}");
    for watch in ["s1-norelease.watch.jsonl", "s3-release-wipe.watch.jsonl"] {
        let (status, text) = answer(&["check", watch], "");
        assert_eq!(status, 0, "{text}");
        assert!(!text.contains("clock-jump"), "a watch event that came late is no jump: {text}");
    }
}

#[test]
fn files_of_one_log_are_one_history() {
    let text = lines(&audit(&[(0.0, "x", "x", 0), (2.0, "x", "x", 0), (3.0, "y", "y", 1)]));
    let (first, second) = text.split_at(text.find('\n').unwrap() + 1);
    let file = scratch("first.jsonl");
    fs::write(&file, first).unwrap();
    let (status, json) = answer(&["check", "--json", file.to_str().unwrap(), "-"], second);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((status, &json["exit_status"], &json["judged"]), (1, &1.into(), &2.into()));
    let lock = &json["locks"][0];
    assert_eq!(lock["findings"][0]["rule"], "early-takeover");
    assert_eq!((&lock["holder"], &lock["terms"]), (&"y".into(), &2.into()));
    assert_eq!(lock["found"], serde_json::json!({"early-takeover": 1}));
    // Whoever knows that times are off says so.
    let (status, _) = answer(&["check", "--slack", "15s", file.to_str().unwrap(), "-"], second);
    assert_eq!(status, 0);
}

#[test]
fn without_bodies_nothing_can_be_judged() {
    let mut story = audit(&[(0.0, "x", "x", 0), (2.0, "x", "x", 0)]);
    for event in &mut story {
        event["level"] = "Metadata".into();
        event.as_object_mut().unwrap().remove("responseObject");
    }
    let (status, text) = answer(&["check", "--all", "-"], &lines(&story));
    assert_eq!(status, 3, "{text}");
    assert!(text.contains("cannot be judged: 2 writes without content"), "{text}");
    let (status, text) = answer(&["check", "-"], "");
    assert_eq!(status, 3, "{text}");
}

#[test]
fn what_cannot_be_read_is_refused_in_one_line() {
    let damaged = lines(&audit(&[(0.0, "x", "x", 0)])) + "{\n";
    for (arguments, input, parts) in [
        (&["check", "no-such-file"][..], "", &["no-such-file: cannot be read", "name a file"][..]),
        (&["check", "-"], "hello", &["-: neither an audit log", "--format"]),
        (&["check", "--strict", "-"], &damaged, &["-: line 2: cut off at the end: ", "--strict"]),
        (&["check", "--format", "trace", "-"], "{}", &["-: the header of the trace: "]),
        (&["check"], "", &["<FILE>"]),
        (&["check", "--format", "yaml", "-"], "", &["--format", "audit, watch, trace"]),
        (&["check", "--slack", "-1s", "-"], "", &["--slack"]),
    ] {
        let (status, text) = answer(arguments, input);
        assert_eq!(status, 2, "{arguments:?}: {text}");
        for part in parts {
            assert!(text.contains(part), "{arguments:?}: {part:?} in {text:?}");
        }
    }
    let (status, text) = answer(&["check", "-"], &damaged);
    assert_eq!(status, 3, "{text}");
    assert!(
        text.contains("passed over 1 damaged line:\n    line 2: cut off at the end\n"),
        "{text}"
    );
}

/// Traces are judged by the lock's history, and by all that `tenure run` looks at.
#[test]
fn traces_of_the_simulator_are_judged() {
    for (profile, expected) in [("strict", 0), ("client-go-head", 1)] {
        let file = scratch(&format!("pause-{profile}.jsonl"));
        let file = file.to_str().unwrap();
        let (status, _) = answer(&["run", "pause", "--profile", profile, "--trace", file], "");
        assert_eq!(status, 0);
        let (status, text) = answer(&["check", file], "");
        assert_eq!(status, expected, "{text}");
        assert_eq!(text.contains("one-leader/belief"), expected == 1, "{text}");
        assert!(text.contains(" takeover"), "{text}");
        // With a hole nothing is said of what only the whole shows.
        let trace = fs::read_to_string(file).unwrap();
        let hole: String = trace
            .lines()
            .enumerate()
            .filter(|(line, _)| *line != 9)
            .map(|(_, line)| line.to_owned() + "\n")
            .collect();
        let (status, text) = answer(&["check", "-"], &hole);
        assert_eq!(status, 0, "{text}");
        assert!(text.contains("up to line 10"), "{text}");
    }
}

/// The checks keep something of each life: one that says it is the four-billionth costs no memory for those
/// that it skips.
#[test]
fn a_trace_that_skips_lives_is_read_up_to_there() {
    let file = scratch("lives.jsonl");
    answer(&["run", "calm", "--trace", file.to_str().unwrap()], "");
    let trace = fs::read_to_string(file).unwrap();
    let forged = trace.replacen(r#""life":0"#, r#""life":4294967295"#, 1);
    let (status, text) = answer(&["check", "-"], &forged);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("up to line 2, where an entry is not in its place"), "{text}");
}

#[test]
fn locks_of_one_holder_are_counted_unless_asked_for() {
    let story = lines(&audit(&[
        (0.0, "x\u{1b}[2J", "x\u{1b}[2J", 0),
        (2.0, "x\u{1b}[2J", "x\u{1b}[2J", 0),
    ]));
    let (status, text) = answer(&["check", "-"], &story);
    assert_eq!(status, 0);
    assert!(text.contains("1 lock with one holder and nothing odd"), "{text}");
    assert!(!text.contains("Lease default/lock"), "{text}");
    let (_, text) = answer(&["check", "--all", "-"], &story);
    assert!(text.contains("Lease default/lock") && text.contains("x\\u{1b}[2J"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}
