//! The command `judge`: what it says, and how it ends.
#![expect(clippy::unwrap_used, reason = "what cannot be written or run fails the test")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Terms of a second, each of the process that did not have the one before.
fn run_of(terms: u64) -> (String, String) {
    let (mut acts, mut history) = (String::new(), String::new());
    for term in 0..terms {
        let who = if term % 2 == 0 { "a_1" } else { "b_2" };
        let token = term + 7;
        writeln!(history, "{token} locks/default/controller {who}").unwrap();
        for act in 0..3 {
            let at = term * 1_000_000_000 + act * 100_000_000;
            writeln!(acts, "{at} {} {who} leader {token}", at + 1).unwrap();
        }
    }
    (acts, history)
}

fn judge(folder: &Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_judge")).arg(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said.replace(&folder.display().to_string(), "FOLDER"))
}

#[test]
fn each_verdict_has_its_status() {
    let (acts, history) = run_of(6);
    let late = "1050000000 1050000001 a_1 leader 7\n";
    let few = "unknown: each kind must change hands at least 5 times: let it run longer, and pause, kill and \
               end more workers\n";
    for (acts, history, status, told) in [
        (acts.clone(), &history, 0, "18 acts; leader: 5 hand-overs\nno two at once\n".to_string()),
        // The last line of a process that was killed.
        (acts.clone() + "12", &history, 0, "18 acts; leader: 5 hand-overs\nno two at once\n".to_string()),
        (run_of(5).0, &history, 3, format!("15 acts; leader: 4 hand-overs\n{few}")),
        (String::new(), &String::new(), 3, format!("0 acts\n{few}")),
        (
            acts.clone() + late,
            &history,
            1,
            "19 acts; leader: 5 hand-overs\nVIOLATION TwoOwners: a_1 and b_2 both act on leader, for 50 ms at \
             least\n1 violations\n"
                .to_string(),
        ),
        (
            "12\n".to_string() + &acts,
            &history,
            2,
            "FOLDER/a.acts, line 1: not of the form `at until who thing token`\n".to_string(),
        ),
        (
            acts,
            &String::new(),
            2,
            "FOLDER/history: it is empty, though somebody acted: write the store's history there, see the \
             example's README.md\n"
                .to_string(),
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.acts"), acts).unwrap();
        fs::write(folder.path().join("history"), history).unwrap();
        assert_eq!(judge(folder.path()), (Some(status), told));
    }
}
