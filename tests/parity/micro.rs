//! Changed micro files.

use serde_json::{Value, json};

use super::{Change, Expected, RESULTS, Random, VERBS, edit, edit_field};

/// Changes one place of a micro file.
pub(crate) fn change(micro: &mut Value, random: &mut Random, kind: usize) -> Option<Change> {
    let cases = micro["cases"].as_array_mut().unwrap();
    let index = random.below(cases.len());
    let case = &mut cases[index];
    let name = case["name"].as_str().unwrap().to_owned();
    let calls = case["calls"].as_array_mut().unwrap();
    let (what, index) = match kind {
        0 => {
            let index = random.find(calls, |call| call["request"].is_object())?;
            (format!("request.{}", edit_field(&mut calls[index]["request"], random)), index)
        }
        1 => {
            let index = random.below(calls.len());
            let old = calls[index]["result"].as_str().unwrap().to_owned();
            let new = random.other(&RESULTS, &old);
            calls[index]["result"] = json!(new);
            (format!("result {old} to {new}"), index)
        }
        2..=4 => {
            let end = calls.len();
            let given = case["new_leader_callbacks"].as_array_mut().unwrap();
            match given.first_mut() {
                Some(identity) if kind < 4 => edit(identity, random),
                _ => given.push(json!("x")),
            }
            ("new_leader_callbacks".into(), end)
        }
        5 => {
            let index = random.below(calls.len());
            calls.remove(index);
            ("removed a call".into(), index)
        }
        6 => {
            let index = random.below(calls.len());
            let copy = calls[index].clone();
            calls.insert(index, copy);
            ("doubled a call".into(), index)
        }
        7 => {
            let index = random.below(calls.len());
            let old = calls[index]["verb"].as_str().unwrap().to_owned();
            let new = random.other(&VERBS, &old);
            calls[index]["verb"] = json!(new);
            (format!("{old} to {new}"), index)
        }
        _ => {
            let end = calls.len();
            edit(&mut case["returned"], random);
            ("returned".into(), end)
        }
    };
    // A copy stands after what it doubles.
    let last = if kind == 6 { index + 1 } else { index };
    Some(Change { what, place: Expected::Case(name, index..=last) })
}
