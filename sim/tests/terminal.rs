//! What stands in files cannot write to the terminal: no command prints a control character that it read.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Clears the screen, in two ways; rings; hides what stands before; turns the line round.
const STEERING: &str = "x\u{1b}[2J\u{9b}2J\u{7}\r\u{202e}y";

fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

/// Runs, and looks at all that comes out.
fn harmless(arguments: &[&str], path: &Path) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_tenure")).args(arguments).arg(path).output().unwrap();
    let all = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let steers = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
    assert!(!all.contains(steers), "{arguments:?}: {all:?}");
    all
}

#[test]
fn scenarios() {
    let text = serde_json::json!({
        "name": "steering",
        "description": STEERING,
        "profile": "client-go-head",
        "network": { "resource_zone": STEERING },
        "replicas": [{ "zone": STEERING }, {}],
        "faults": [
            { "at": "40s", "for": "10s", "fault": { "partition": { "sites": [format!("zone:{STEERING}")] } } },
            { "at": "1m", "for": "30s", "fault": { "pause": { "target": "leader" } } },
        ],
    });
    let path = file("steering.json", &text.to_string());
    for line in ["run --scenario", "run --seed 1 --json --scenario", "shrink --seed 1 --scenario"] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let told = harmless(&arguments, &path);
        assert!(told.contains("one-leader"), "{line}: {told}");
    }
    // Whatever else is wrong with it, what it says is told so.
    for (nth, wrong) in
        ["name", "mode", "profile", "expect", "horizon", STEERING].iter().enumerate()
    {
        let text = serde_json::json!({ *wrong: STEERING }).to_string();
        let json = file(&format!("steering-{nth}.json"), &text);
        assert!(harmless(&["run", "--scenario"], &json).starts_with("tenure: "), "{wrong}");
        let toml = file(&format!("steering-{nth}.toml"), &format!("name = '{STEERING}'"));
        harmless(&["run", "--scenario"], &toml);
    }
}

#[test]
fn recordings_and_objects() {
    let lease = |nth: u32| {
        serde_json::json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": { "name": STEERING, "namespace": STEERING, "resourceVersion": nth.to_string() },
            "spec": {
                "holderIdentity": format!("{STEERING}{}", nth / 3),
                "leaseDurationSeconds": 15,
                "leaseTransitions": 9 - nth,
                "renewTime": format!("2026-01-01T00:00:0{nth}.000000Z"),
            },
        })
    };
    let watch: Vec<String> = (1..8).map(|nth| lease(nth).to_string()).collect();
    let path = file("steering-watch.json", &watch.join("\n"));
    for line in ["check", "check --all", "check --json"] {
        let arguments: Vec<&str> = line.split(' ').collect();
        harmless(&arguments, &path);
    }
    let path = file("steering-lease.json", &lease(1).to_string());
    assert!(harmless(&["inspect"], &path).contains("held by"));
    harmless(&["inspect", "--json"], &path);
    let path = file("steering.txt", STEERING);
    for line in ["check", "inspect", "conform", "run --keys", "merge", "no-such-command"] {
        let arguments: Vec<&str> = line.split(' ').collect();
        harmless(&arguments, &path);
    }
}
