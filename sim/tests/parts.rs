//! A sweep over several machines: parts, and what becomes of their files.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("parts-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn tenure(at: &Path, line: &str) -> Output {
    let args = line.split_whitespace();
    Command::new(env!("CARGO_BIN_EXE_tenure")).current_dir(at).args(args).output().unwrap()
}

fn done(at: &Path, line: &str, status: i32) -> String {
    let answer = tenure(at, line);
    let told = String::from_utf8(answer.stdout).unwrap();
    assert_eq!(answer.status.code(), Some(status), "{line}: {told}{}", text(&answer.stderr));
    told
}

fn refused(at: &Path, line: &str, told: &str) {
    let answer = tenure(at, line);
    assert_eq!(answer.status.code(), Some(2), "{line}: {}", text(&answer.stdout));
    assert!(text(&answer.stderr).contains(told), "{line}: {}", text(&answer.stderr));
}

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap()
}

/// Whatever is swept, and however it was cut: the merged files say what one sweep says.
#[test]
fn parts_come_to_what_the_whole_does() {
    for (what, status) in [
        ("sweep random --profile client-go-head --seeds 5..1005", 0),
        ("sweep sharding/join-one --without join-wait --seeds 0..9", 1),
    ] {
        let at = directory("whole");
        let whole = done(&at, &format!("{what} --json"), status);
        for part in 0..3 {
            // Those of a part may all hold.
            tenure(&at, &format!("{what} --part {part}/3 --out {part}.jsonl"));
        }
        // The second was interrupted, and goes on.
        let cut = fs::read(at.join("1.jsonl")).unwrap();
        fs::write(at.join("1.jsonl"), &cut[..cut.len() - 9]).unwrap();
        tenure(&at, &format!("{what} --part 1/3 --out 1.jsonl"));
        assert_eq!(done(&at, "merge --json 2.jsonl 0.jsonl 1.jsonl", status), whole);
        done(&at, "merge 0.jsonl 1.jsonl --out some.jsonl", status);
        assert_eq!(
            done(&at, "merge --json some.jsonl 2.jsonl 0.jsonl --out all.jsonl", status),
            whole
        );
        assert_eq!(done(&at, "merge --json all.jsonl", status), whole);
        // All is done: there is nothing that the sweep could go on with.
        let file = fs::read(at.join("all.jsonl")).unwrap();
        assert_eq!(done(&at, &format!("{what} --json --out all.jsonl"), status), whole);
        assert_eq!(fs::read(at.join("all.jsonl")).unwrap(), file);
        if status == 1 {
            assert!(text(&file).contains(r#"{"failed":{"seed":"#), "the plans are kept");
        }
    }
}

/// A full disk, or a kill, may end a sweep within its first line.
#[test]
fn a_sweep_that_was_interrupted_in_its_header_goes_on() {
    let at = directory("header");
    let sweep = "sweep calm --seeds 0..2 --out a.jsonl";
    let told = done(&at, sweep, 0);
    let file = fs::read(at.join("a.jsonl")).unwrap();
    let header = file.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in [0, 1, header / 2, header - 1, header] {
        fs::write(at.join("a.jsonl"), &file[..cut]).unwrap();
        assert_eq!(done(&at, sweep, 0), told);
        assert_eq!(fs::read(at.join("a.jsonl")).unwrap(), file, "{cut}");
    }
    // What is no such header is nobody's to write over.
    for other in ["{\"format\":2,\"x", "notes"] {
        fs::write(at.join("b.jsonl"), other).unwrap();
        refused(&at, "sweep calm --seeds 0..2 --out b.jsonl", "line 1: there is no whole line");
        assert_eq!(fs::read(at.join("b.jsonl")).unwrap(), other.as_bytes());
    }
}

#[test]
fn what_is_missing_is_told_and_unknown() {
    let at = directory("missing");
    done(&at, "sweep calm --seeds 0..4 --out a.jsonl", 0);
    done(&at, "sweep calm --seeds 6..8 --out b.jsonl", 0);
    let told = done(&at, "merge a.jsonl b.jsonl --seeds 0..20", 3);
    assert!(told.contains("not done: seeds 4 to 5, 8 to 19\n"), "{told}");
    let told: Value = serde_json::from_str(&done(&at, "merge a.jsonl b.jsonl --json", 3)).unwrap();
    assert_eq!(told["missing"], serde_json::json!([{ "from": 4, "to": 6 }]));
    assert_eq!(told["exit_status"], 3);
    done(&at, "merge a.jsonl --seeds 0..4", 0);
    refused(&at, "merge a.jsonl b.jsonl --seeds 0..7", "seeds 0 to 7 are done, which are more");
}

#[test]
fn what_is_not_of_one_sweep_is_refused_and_nothing_is_lost() {
    let at = directory("refused");
    done(&at, "sweep calm --seeds 0..4 --out a.jsonl", 0);
    done(&at, "sweep calm --seeds 2..6 --out b.jsonl", 0);
    done(&at, "sweep pause --seeds 4..6 --out c.jsonl", 0);
    done(&at, "sweep sharding/calm --seeds 4..6 --out d.jsonl", 0);
    refused(
        &at,
        "merge a.jsonl b.jsonl",
        "b.jsonl: its seeds 2 to 5 were done with others before (0 to 3)",
    );
    refused(
        &at,
        "merge a.jsonl c.jsonl",
        "c.jsonl: has the results of another sweep: its scenario differs",
    );
    refused(&at, "merge a.jsonl d.jsonl", "d.jsonl: line 1: ");
    refused(&at, "merge a.jsonl none.jsonl", "none.jsonl: cannot be read");
    refused(&at, "merge", "FILE");
    let before = fs::read(at.join("a.jsonl")).unwrap();
    refused(&at, "merge a.jsonl --out a.jsonl", "an output would write over an input");
    assert_eq!(fs::read(at.join("a.jsonl")).unwrap(), before);
    fs::write(at.join("e.jsonl"), before.split_inclusive(|it| *it == b'\n').next().unwrap())
        .unwrap();
    refused(&at, "merge e.jsonl", "there is nothing done in these files");
    for (part, told) in [
        ("3/3", "0/8 to 7/8"),
        ("0/0", "0/8 to 7/8"),
        ("1", "0/8 to 7/8"),
        ("0/5", "--part: 0/5 of 4 seeds is none"),
    ] {
        refused(&at, &format!("sweep calm --seeds 0..4 --part {part}"), told);
    }
    refused(&at, "sweep --all --part 0/2", "--part");
}

/// The command of docs/sweep-job.yaml, as the Pods of an Indexed Job run it, with fewer seeds.
#[test]
fn the_pods_of_the_job_do_all_seeds_together() {
    let at = directory("job");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sweep-job.yaml");
    let job: Value = serde_saphyr::from_str(&fs::read_to_string(manifest).unwrap()).unwrap();
    assert_eq!(job["spec"]["completionMode"], "Indexed");
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    let words = |field: &str| container[field].as_array().unwrap().clone();
    let line: Vec<Value> = [words("command"), words("args")].concat();
    let line: Vec<&str> = line.iter().map(|word| word.as_str().unwrap()).collect();
    let line = line.join(" ").replace("0..1000000", "0..600").replace("/results/", "");
    let line = line.strip_prefix("tenure ").unwrap();
    let pods = job["spec"]["completions"].as_u64().unwrap();
    let files: Vec<String> = (0..pods).map(|index| format!("part-{index}.jsonl")).collect();
    for index in 0..pods {
        done(&at, &line.replace("$(JOB_COMPLETION_INDEX)", &index.to_string()), 0);
    }
    let merged = done(&at, &format!("merge --json --seeds 0..600 {}", files.join(" ")), 0);
    assert_eq!(merged, done(&at, "sweep random --seeds 0..600 --json", 0));
}
