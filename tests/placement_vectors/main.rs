//! Placement as other implementations do it: what they answered, recorded in `tests/data/vectors`
//! (its README names each source), against what this crate answers.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use serde_json::Value;

mod foreign;
mod maglev;
mod removals;
mod rendezvous;
mod ring;
mod tails;

/// A file of `tests/data/vectors`.
fn vectors(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors");
    let text = fs::read_to_string(folder.join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The rows under `field`, which may not be none.
fn rows(file: &Value, field: &str) -> Vec<Value> {
    let rows = file[field].as_array().unwrap();
    assert!(!rows.is_empty(), "{field} is empty");
    rows.clone()
}

/// A number, or a text of digits: JSON's own do not reach 64 bits everywhere.
fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}
