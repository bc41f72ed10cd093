//! Changed files of locks: some places at random, and each value of each case.

use serde_json::{Value, json};
use tenure_sim::conform::{Place, Refusal, replay};

use super::{Change, Expected, RESULTS, Random, VERBS, edit, edit_field};

const RESOURCES: [&str; 3] = ["configmaps", "endpoints", "leases"];
const FILE: &str = include_str!("../data/traces/micro/locks-v0.23.17.json");

/// Changes one place of a file of locks.
pub(crate) fn change(file: &mut Value, random: &mut Random, kind: usize) -> Option<Change> {
    let cases = file["cases"].as_array_mut().unwrap();
    let index = random.below(cases.len());
    let case = &mut cases[index];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let name = format!("{} ({})", text(&case["name"]), text(&case["lock"]));
    let steps = case["steps"].as_array_mut().unwrap();
    let number = random.below(steps.len());
    let step = &mut steps[number];
    let calls = step["calls"].as_array_mut().unwrap();
    let at = random.below(calls.len());
    let end = calls.len();
    let (what, calls) = match kind {
        0 => {
            let at = random.find(calls, |call| call["request_spec"].is_object())?;
            (edit_field(&mut calls[at]["request_spec"], random), at..=at)
        }
        1 => {
            let at = random.find(calls, |call| call["request_annotation"].is_string())?;
            edit(&mut calls[at]["request_annotation"], random);
            ("request_annotation".to_owned(), at..=at)
        }
        2 => {
            let at = random.find(calls, |call| call["request_rv"].is_string())?;
            edit(&mut calls[at]["request_rv"], random);
            ("request_rv".to_owned(), at..=at)
        }
        3..=5 => {
            let (field, of) = match kind {
                3 => ("result", &RESULTS[..]),
                4 => ("verb", &VERBS[..]),
                _ => ("resource", &RESOURCES[..]),
            };
            let new = random.other(of, &text(&calls[at][field]));
            calls[at][field] = json!(new);
            (format!("{field} to {new}"), at..=at)
        }
        6 => {
            calls.remove(at);
            ("removed a call".to_owned(), at..=at)
        }
        7 => {
            let copy = calls[at].clone();
            calls.insert(at, copy);
            ("doubled a call".to_owned(), at..=at + 1)
        }
        _ => {
            edit(&mut step["returned"], random);
            ("returned".to_owned(), end..=end)
        }
    };
    Some(Change { what, place: Expected::Step(name, number, calls) })
}

/// The paths of all values that are neither objects nor arrays.
fn leaves(value: &Value, path: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                leaves(value, &format!("{path}/{}", key.replace('/', "~1")), all);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                leaves(value, &format!("{path}/{index}"), all);
            }
        }
        _ => all.push(path.to_owned()),
    }
}

/// Another value that may stand there.
fn edit_leaf(path: &str, value: &mut Value, random: &mut Random) {
    let spec = json!({"rv": "11", "name": "lock", "holder": "x", "lease_duration_seconds": 1,
        "acquire_time_ns": 0, "renew_time_ns": 0, "lease_transitions": 0});
    match path.rsplit('/').next() {
        Some("annotation" | "observed_raw_record") if value.is_null() => *value = json!("x"),
        Some("spec") => *value = spec,
        _ => edit(value, random),
    }
}

/// The step that a path leads into, and the call, if it is one.
fn place(path: &str) -> Option<(usize, Option<usize>)> {
    let mut parts = path.strip_prefix("/cases/0/steps/")?.split('/');
    let step = parts.next()?.parse().ok()?;
    let call = (parts.next() == Some("calls")).then(|| parts.next()?.parse().ok());
    Some((step, call.flatten()))
}

#[test]
fn each_value_of_each_case_counts() {
    let whole: Value = serde_json::from_str(FILE).unwrap();
    let mut random = Random(4);
    let (mut changed, mut slipped) = (0, Vec::new());
    for case in whole["cases"].as_array().unwrap() {
        let mut file = whole.clone();
        file["cases"] = json!([case]);
        replay(&file.to_string()).unwrap();
        let mut paths = Vec::new();
        leaves(&file["cases"], "/cases", &mut paths);
        for path in paths {
            // These say what happens, or what it is called, not what the elector does.
            let given = ["/name", "/outsider"].iter().any(|end| path.ends_with(end));
            if given && !path.contains("spec") {
                continue;
            }
            let mut file = file.clone();
            edit_leaf(&path, file.pointer_mut(&path).unwrap(), &mut random);
            changed += 1;
            let refusal = replay(&file.to_string());
            let named = match (&refusal, place(&path)) {
                (Err(Refusal::Input(_)), _) => path.ends_with("/lock"),
                (Err(Refusal::Divergence(it)), Some((number, expected))) => matches!(&it.place,
                    Place::Step { step, call, .. }
                        if number == *step as usize
                            && expected.is_none_or(|expected: usize| expected == *call as usize)),
                (Err(Refusal::Divergence(_)), None) => true,
                _ => false,
            };
            if !named {
                let got = refusal.map_or_else(|refusal| refusal.to_string(), |_| "equal".into());
                slipped.push(format!("{} {path}: {got:.300}", case["name"]));
            }
        }
    }
    assert!(changed > 3000, "{changed}");
    assert!(slipped.is_empty(), "{} of {changed}:\n{}", slipped.len(), slipped.join("\n"));
}

#[test]
fn requests_that_say_more_are_refused() {
    let more = [
        ("request_rv", json!("11")),
        ("request_annotation", json!("{}")),
        (
            "request_spec",
            json!({"rv": "", "name": "lock", "holder": null,
            "lease_duration_seconds": null, "acquire_time_ns": null, "renew_time_ns": null,
            "lease_transitions": null}),
        ),
    ];
    let whole: Value = serde_json::from_str(FILE).unwrap();
    for (index, case) in whole["cases"].as_array().unwrap().iter().enumerate() {
        for (step, calls) in case["steps"].as_array().unwrap().iter().enumerate() {
            for call in 0..calls["calls"].as_array().unwrap().len() {
                for (field, value) in &more {
                    let path = format!("/cases/{index}/steps/{step}/calls/{call}");
                    if !whole.pointer(&path).unwrap()[field].is_null() {
                        continue;
                    }
                    let mut file = whole.clone();
                    file.pointer_mut(&path).unwrap()[field] = value.clone();
                    file["cases"] = json!([file["cases"][index]]);
                    let refusal = replay(&file.to_string()).unwrap_err().to_string();
                    assert!(refusal.contains(field), "{path} {field}: {refusal}");
                }
            }
        }
    }
}

fn file(lock: &str, steps: &Value) -> String {
    let absent = json!({"exists": false, "annotation": null, "spec": null});
    json!({"format": "client-go-locks-micro/1", "client_go": "v0.23.17", "identity": "me",
        "lease_duration_ns": 15_000_000_000_u64,
        "cases": [{"name": "a", "lock": lock, "steps": steps,
            "stored_before": {"configmaps": absent, "endpoints": absent, "leases": absent}}]})
    .to_string()
}

#[test]
fn bad_files_of_locks_are_told_with_their_remedy() {
    let cases = [
        (file("leases", &json!([])), "no cases to compare: give a file that has some"),
        (file("pods", &json!([])), r#"case "a" has a lock of kind "pods": give cases of"#),
        (file("leases", &json!([{}])), "missing field"),
    ];
    for (text, expected) in cases {
        let Err(Refusal::Input(error)) = replay(&text) else { panic!("{text}") };
        assert!(error.to_string().contains(expected), "{error}");
    }
}
