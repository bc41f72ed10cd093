//! Scenario files as people write them: in JSON and TOML, by a schema, and with mistakes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tenure_sim::{catalogue, sharding};

fn tenure(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tenure")).args(args).output().unwrap()
}

/// A file of its own for each test and name.
fn file(name: &str, text: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("scenario_files");
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn printed(args: &[&str]) -> String {
    let output = tenure(args);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// As TOML, which has no null: what is absent is left out.
fn in_toml(value: &impl serde::Serialize) -> String {
    let mut value = serde_json::to_value(value).unwrap();
    without_nulls(&mut value);
    toml::to_string(&value).unwrap()
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, inner| !inner.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

#[test]
fn a_scenario_is_the_same_in_toml() {
    // No time-out is the one thing that TOML cannot say, and that is not so by default.
    for scenario in catalogue::all().filter(|scenario| scenario.request_timeout.is_some()) {
        let read = toml::from_str::<tenure_sim::scenario::Scenario>(&in_toml(&scenario)).unwrap();
        assert_eq!(read, scenario);
    }
    for scenario in sharding::catalogue::all() {
        let read = toml::from_str::<sharding::Scenario>(&in_toml(&scenario)).unwrap();
        assert_eq!(read, scenario);
    }
}

const TOML: &str = r#"
name = "toml"
horizon = "3m"

[[replicas]]
[[replicas]]
rate_ppb = 900_000_000

[[faults]]
on = {event = "update-applied", by = "leader", nth = 3}
after = "1ms"
for = "23s"
fault.pause = {target = "actor", wake_up = "messages-first"}

[[faults]]
at = "90s"
fault.edit.clear-holder = {}
"#;

const JSON: &str = r#"{
  "name": "toml", "horizon": "3m", "replicas": [{}, {"rate_ppb": 900000000}],
  "faults": [
    {"on": {"event": "update-applied", "by": "leader", "nth": 3}, "after": "1ms", "for": "23s",
     "fault": {"pause": {"target": "actor", "wake_up": "messages-first"}}},
    {"at": "90s", "fault": {"edit": {"clear-holder": {}}}}
  ]
}"#;

#[test]
fn a_file_is_toml_by_its_extension() {
    let (toml, json) = (file("same.toml", TOML), file("same.json", JSON));
    let digest = |path: &Path| {
        let report = printed(&["run", "--json", "--scenario", path.to_str().unwrap()]);
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["faults"].as_array().unwrap().len(), 2);
        report["digest"].clone()
    };
    assert_eq!(digest(&toml), digest(&json));
    let sharded = file("sharded.TOML", "mode = {ring = 8}\nhorizon = \"1m\"\n");
    let report = printed(&["run", "--json", "--scenario", sharded.to_str().unwrap()]);
    assert!(report.contains("\"ring\":8"), "{report}");
    let swept = printed(&["sweep", "--seeds", "0..4", "--scenario", toml.to_str().unwrap()]);
    assert!(swept.contains("toml"), "{swept}");
}

#[test]
fn what_is_shrunk_is_written_in_toml_too() {
    let path = file("small.toml", "");
    let out = ["--profile", "client-go-head", "--seed", "1", "--out", path.to_str().unwrap()];
    let shrunk = tenure(&[&["shrink", "pause"][..], &out].concat());
    assert_eq!(shrunk.status.code(), Some(1));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("[[faults]]"), "{text}");
    let again = tenure(&["run", "--scenario", path.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&again.stdout).contains("two leaders"), "{again:?}");
}

/// `REWRITE=1 cargo test -p tenure-sim --test scenario_files` writes them anew.
#[test]
fn the_schemas_in_the_documentation_are_the_types() {
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for (name, args) in [
        ("scenario.schema.json", &["schema"][..]),
        ("sharding-scenario.schema.json", &["schema", "--sharding"]),
    ] {
        let schema = printed(args);
        let path = docs.join(name);
        if std::env::var_os("REWRITE").is_some() {
            fs::write(&path, &schema).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(there == schema, "docs/{name} is out of date: run this test with REWRITE=1");
    }
}

/// Whether a value is as this part of a schema wants it: JSON Schema but for patterns and formats, which
/// are left to the parser.
fn fits(whole: &Value, schema: &Value, value: &Value) -> bool {
    let Some(schema) = schema.as_object() else { return schema.as_bool().unwrap() };
    let of = |schema: &Value| fits(whole, schema, value);
    schema.iter().all(|(word, schema)| match word.as_str() {
        "$ref" => {
            let place = schema.as_str().unwrap().trim_start_matches('#');
            of(whole.pointer(place).unwrap())
        }
        "type" => match schema {
            Value::Array(types) => types.iter().any(|it| is_of(it.as_str().unwrap(), value)),
            one => is_of(one.as_str().unwrap(), value),
        },
        "enum" => schema.as_array().unwrap().contains(value),
        "const" => schema == value,
        "anyOf" => schema.as_array().unwrap().iter().any(of),
        "oneOf" => schema.as_array().unwrap().iter().filter(|it| of(it)).count() == 1,
        "items" => value.as_array().is_none_or(|all| all.iter().all(|it| fits(whole, schema, it))),
        "required" => value.as_object().is_none_or(|fields| {
            schema.as_array().unwrap().iter().all(|it| fields.contains_key(it.as_str().unwrap()))
        }),
        "properties" => value.as_object().is_none_or(|fields| {
            let known = |(name, it)| schema.get(name).is_none_or(|of| fits(whole, of, it));
            fields.iter().all(known)
        }),
        "minimum" => value.as_f64().is_none_or(|number| number >= schema.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= schema.as_f64().unwrap()),
        "minItems" => value.as_array().is_none_or(|it| it.len() as u64 >= schema.as_u64().unwrap()),
        "maxItems" => value.as_array().is_none_or(|it| it.len() as u64 <= schema.as_u64().unwrap()),
        "additionalProperties"
        | "$schema"
        | "$defs"
        | "title"
        | "description"
        | "default"
        | "format"
        | "pattern" => true,
        other => unreachable!("what is {other}?"),
    }) && closed(whole, schema, value)
}

fn is_of(of: &str, value: &Value) -> bool {
    match of {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => unreachable!("what is {other}?"),
    }
}

/// Fields that have no schema of their own have that of all others, or are refused.
fn closed(whole: &Value, schema: &serde_json::Map<String, Value>, value: &Value) -> bool {
    let (Some(others), Some(fields)) = (schema.get("additionalProperties"), value.as_object())
    else {
        return true;
    };
    let known = |name: &String| schema.get("properties").is_some_and(|it| it.get(name).is_some());
    fields.iter().filter(|(name, _)| !known(name)).all(|(_, it)| fits(whole, others, it))
}

#[test]
fn the_schema_takes_every_scenario_and_refuses_what_is_refused() {
    let schema: Value = serde_json::from_str(&printed(&["schema"])).unwrap();
    for scenario in catalogue::all() {
        let value = serde_json::to_value(&scenario).unwrap();
        assert!(fits(&schema, &schema, &value), "{}", scenario.name);
    }
    for wrong in [
        r#"{"horizn": "1m"}"#,
        r#"{"horizon": 60}"#,
        r#"{"faults": [{"at": "1s", "fault": {"paus": {"target": 0}}}]}"#,
        r#"{"faults": [{"at": "1s", "fault": {"pause": {"target": "boss"}}}]}"#,
        r#"{"faults": [{"at": "1s", "fault": {"store-errors": {"code": 418}}}]}"#,
        r#"{"faults": [{"at": "1s", "object": "pod", "fault": {"delete": {}}}]}"#,
        r#"{"missing": "never"}"#,
    ] {
        let wrong: Value = serde_json::from_str(wrong).unwrap();
        assert!(!fits(&schema, &schema, &wrong), "{wrong}");
    }
    let schema: Value = serde_json::from_str(&printed(&["schema", "--sharding"])).unwrap();
    for scenario in sharding::catalogue::all() {
        let value = serde_json::to_value(&scenario).unwrap();
        assert!(fits(&schema, &schema, &value), "{}", scenario.name);
    }
}

/// A file with this text is refused with exit status 2 and one line, which says all of these.
fn refused(name: &str, text: &str, parts: &[&str]) {
    let path = file(name, text);
    let output = tenure(&["run", "--scenario", path.to_str().unwrap()]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("tenure: ") && error.contains(name), "{error}");
    for part in parts {
        assert!(error.contains(part), "{error:?} does not say {part:?}");
    }
    assert!(output.stdout.is_empty());
}

#[test]
fn a_mistake_is_told_by_file_line_name_and_what_was_meant() {
    let json = |fault: &str| {
        format!("{{\n  \"horizon\": \"2m\",\n  \"faults\": [\n    {fault}\n  ]\n}}\n")
    };
    let toml = |fault: &str| format!("horizon = \"2m\"\n\n[[faults]]\n{fault}\n");
    for (fault, parts) in [
        (
            r#"{"at": "1s", "fault": {"pause": {"target": 7}}}"#,
            ["line 4", "faults[0].fault.target is 7", "name a replica from 0 to 2"],
        ),
        (
            r#"{"at": "3m", "fault": {"pause": {"target": 0}}}"#,
            ["line 4", "faults[0].at is 3m", "before the run ends, 2m"],
        ),
        (
            r#"{"at": "1s", "fault": {"puase": {"target": 0}}}"#,
            ["line 4", "unknown variant `puase`", "did you mean `pause`?"],
        ),
        (
            r#"{"at": "1s", "fault": {"pause": {"target": "leadr"}}}"#,
            ["line 4", "\"leadr\" is unknown", "did you mean leader?"],
        ),
        (
            r#"{"at": "1s", "fault": {"pause": {"target": 0, "wakeup": "timers-first"}}}"#,
            ["line 4", "unknown field `wakeup`", "did you mean `wake_up`?"],
        ),
        (
            r#"{"at": "1s", "fault": {"bridge": {}}}"#,
            ["line 4", "faults[0].fault is bridge", "at least 2"],
        ),
        (
            r#"{"at": "1s", "fault": {"store-errors": {"code": 404}}}"#,
            ["line 4", "404 is no status that the store gives", "use 409, 429, 500 or 504"],
        ),
    ] {
        refused("wrong.json", &json(fault), &parts);
    }
    for (fault, parts) in [
        (
            "at = \"1s\"\n[faults.fault.pause]\ntarget = 7",
            ["line 6", "faults[0].fault.target is 7", "name a replica from 0 to 2"],
        ),
        ("at = \"3m\"\nfault.heal = {}", ["line 4", "faults[0].at is 3m", "the run ends, 2m"]),
        (
            "at = \"1s\"\nfault.puase = {target = 0}",
            ["line ", "unknown variant `puase`", "did you mean `pause`?"],
        ),
        (
            "at = \"1s\"\nfor = \"soon\"\nfault.heal = {}",
            ["line 5", "\"soon\" is no duration", "a number and a unit"],
        ),
        ("at = \"1s\"\nfault = ", ["line 5", "see docs/simulation.md", "wrong.toml"]),
    ] {
        refused("wrong.toml", &toml(fault), &parts);
    }
}

#[test]
fn edits_that_contradict_each_other_and_names_of_nothing_are_refused() {
    let at_once = r#"{"faults": [
  {"at": "1m", "fault": {"delete": {}}},
  {"at": "2m", "fault": {"heal": {}}},
  {"at": "60s", "fault": {"edit": {"clear-holder": {}}}}
]}"#;
    refused("at-once.json", at_once, &["line 4", "faults[2].at is 1m", "faults[0] meddles"]);
    let expects = "{\n  \"expect\": {\n    \"client-go\": [\"one-lader\"]\n  }\n}";
    refused(
        "expects.json",
        expects,
        &["line 3", "\"one-lader\" is no check", "did you mean one-leader?"],
    );
    let rule = "[expect]\nclient-go = [\"one-leader/beleif\"]\n";
    refused("rule.toml", rule, &["line 2", "is no rule of one-leader", "did you mean belief?"]);
    let sharded = "{\n  \"mode\": \"ranked\",\n  \"faults\": [\n    {\"at\": \"1s\", \"for\": \"1s\",\n     \"fault\": {\"delete\": {\"who\": [0]}}}\n  ]\n}";
    refused("sharded.json", sharded, &["line 4", "faults[0].for", "leave it out"]);
}

/// What would be without effect, or could not have come about.
#[test]
fn what_cannot_be_so_at_the_beginning_is_refused() {
    let held = r#"{"store": {"initial": {"holder": "a", "lease_duration_seconds": 0}}}"#;
    refused("held.json", held, &["lease_duration_seconds is 0", "below 1", "\"validate\": false"]);
    let late =
        r#"{"mode": "ranked", "name": "x", "description": "", "replicas": [{"start": "1h"}]}"#;
    refused("late.json", late, &["replicas[0].start is 1h", "before the run ends, 4m"]);
    let apis =
        r#"{"mode": "ranked", "name": "x", "description": "", "network": {"apis": [{}, {}]}}"#;
    refused("apis.json", apis, &["network.apis is a list of 2", "list one"]);
}

#[test]
fn what_is_no_object_of_one_kind_is_told_so() {
    let fault =
        |fault: &str| format!("{{\"faults\": [\n{{\"at\": \"1s\", \"fault\": {fault}}}\n]}}");
    for several in ["{}", r#"{"pause": {"target": 0}, "crash": {"target": 0}}"#] {
        let parts = ["line 2", "faults[0].fault: has no kind, or several", "one field, its kind"];
        refused("kinds.json", &fault(several), &parts);
    }
    let parts = ["line 2", "faults[0].fault.heal: is plain text", "{\"heal\": {}}"];
    refused("plain.json", &fault("\"heal\""), &parts);
    refused("nothing.json", " \n", &["nothing.json", "is empty: write {}"]);
    refused("marked.json", "\u{feff}{}", &["line 1", "byte order mark", "UTF-8"]);
    refused("profile.json", r#"{"profile": "stric"}"#, &["profile: \"stric\": unknown", "strict"]);
    let parts = ["\"own\" is no profile: use *, client-go"];
    refused("expected.json", r#"{"expect": {"own": []}}"#, &parts);
}
