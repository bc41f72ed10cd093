//! Parity with client-go: recordings of the real one replay, and a recording in which anything was
//! changed does not.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests: what is missing must stop them"
)]

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tenure_sim::conform::{Counts, Divergence, Place, Refusal, replay};

mod cut;
mod locks;
mod micro;

const DATA: &str = "tests/data/traces";
const PLACES: u32 = 1000;

fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["v0.23.17", "v0.36.2", "head", "micro"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(DATA).join(folder);
        files.extend(fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    files.sort();
    files
}

#[test]
fn recordings_replay() {
    let mut sum = Counts::default();
    for file in files() {
        match replay(&fs::read_to_string(&file).unwrap()) {
            Ok(counts) => {
                assert!(counts.attempts > 0 && counts.calls > 0, "{}", file.display());
                sum += counts;
            }
            Err(refusal) => panic!("{}: {refusal}", file.display()),
        }
    }
    assert!(sum.attempts > 4000 && sum.calls > 5000 && sum.callbacks > 300, "{sum:?}");
}

/// What is changed, and where the replay has to say so.
struct Change {
    what: String,
    place: Expected,
}

enum Expected {
    Seq(u64),
    /// In this case at one of these calls.
    Case(String, RangeInclusive<usize>),
    /// In this step of this case at one of these calls.
    Step(String, usize, RangeInclusive<usize>),
    /// Refused at all: the change spreads over the file.
    Anywhere,
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }

    /// One of those that fit.
    fn find(&mut self, values: &[Value], fits: impl Fn(&Value) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..values.len()).filter(|i| fits(&values[*i])).collect();
        (!fitting.is_empty()).then(|| fitting[self.below(fitting.len())])
    }

    /// Another one than `old`.
    fn other<'a>(&mut self, of: &[&'a str], old: &str) -> &'a str {
        let of: Vec<&str> = of.iter().copied().filter(|one| *one != old).collect();
        of[self.below(of.len())]
    }
}

const RESULTS: [&str; 7] =
    ["ok", "conflict", "notfound", "exists", "error", "crashed", "unfinished"];
const CALLBACKS: [&str; 4] = ["started_leading", "stopped_leading", "new_leader", "run_returned"];
const KINDS: [&str; 7] = [
    "started_leading",
    "stopped_leading",
    "new_leader",
    "run_returned",
    "start",
    "cancel",
    "crash",
];
const STATE: [&str; 4] =
    ["observed_time_ns", "observed_raw_record", "reported_leader", "is_leader"];
const VERBS: [&str; 3] = ["get", "create", "update"];

fn is(event: &Value, kinds: &[&str]) -> bool {
    event["kind"].as_str().is_some_and(|kind| kinds.contains(&kind))
}

fn is_call(event: &Value) -> bool {
    is(event, &VERBS)
}

/// Makes one value another one of its kind.
fn edit(value: &mut Value, random: &mut Random) {
    let step = if random.below(2) == 0 { 1 } else { -1 };
    *value = match &*value {
        Value::Null => json!(step),
        Value::Bool(old) => json!(!old),
        Value::Number(old) => json!(old.as_i64().unwrap() + step),
        Value::String(old) if step > 0 => json!(format!("{old}1")),
        Value::String(old) if old.is_empty() => json!("x"),
        Value::String(_) => json!(""),
        other => panic!("cannot edit {other}"),
    };
}

/// Edits one field of an object; says which.
fn edit_field(object: &mut Value, random: &mut Random) -> String {
    let keys: Vec<String> = object.as_object().unwrap().keys().cloned().collect();
    let key = keys[random.below(keys.len())].clone();
    edit(&mut object[&key], random);
    key
}

fn seq(event: &Value) -> Expected {
    Expected::Seq(event["seq"].as_u64().unwrap())
}

/// Changes one place of a scenario file; none if the file has no such place.
fn change_trace(trace: &mut Value, random: &mut Random, kind: usize) -> Option<Change> {
    let events = trace["events"].as_array_mut().unwrap();
    let (what, place) = match kind {
        0 => {
            let index = random.find(events, |event| event["request"].is_object())?;
            let place = seq(&events[index]);
            (format!("request.{}", edit_field(&mut events[index]["request"], random)), place)
        }
        1 => {
            let index = random.find(events, |event| event["result"].is_string())?;
            let old = events[index]["result"].as_str().unwrap().to_owned();
            let new = random.other(&RESULTS, &old);
            events[index]["result"] = json!(new);
            (format!("result {old} to {new}"), seq(&events[index]))
        }
        2 => {
            let index = random.find(events, |event| event["kind"] == "new_leader")?;
            edit(&mut events[index]["identity"], random);
            ("identity".into(), seq(&events[index]))
        }
        3 => {
            let index = random.find(events, |event| is(event, &CALLBACKS))?;
            edit(&mut events[index]["t_ns"], random);
            ("time of a callback".into(), seq(&events[index]))
        }
        4 => {
            let index = random.find(events, |event| is(event, &CALLBACKS))?;
            let old = events[index]["kind"].as_str().unwrap().to_owned();
            let new = random.other(&KINDS, &old);
            events[index]["kind"] = json!(new);
            (format!("{old} to {new}"), seq(&events[index]))
        }
        5 => {
            let index = random.find(events, |event| is_call(event) || is(event, &CALLBACKS))?;
            let place = seq(&events[index]);
            (format!("removed {}", events.remove(index)["kind"]), place)
        }
        6 => {
            let index = random.find(events, |event| is_call(event) || is(event, &CALLBACKS))?;
            let copy = events[index].clone();
            let place = seq(&copy);
            events.insert(index, copy);
            ("doubled".into(), place)
        }
        7 => {
            let index = random.find(events, is_call)?;
            let old = events[index]["kind"].as_str().unwrap().to_owned();
            let new = random.other(&VERBS, &old);
            events[index]["kind"] = json!(new);
            (format!("{old} to {new}"), seq(&events[index]))
        }
        _ => {
            let attempts = trace["attempts"].as_array_mut().unwrap();
            let index = random.find(attempts, |attempt| attempt["returned"].is_boolean())?;
            edit(&mut attempts[index]["returned"], random);
            let last = attempts[index]["calls"].as_array().unwrap().last().unwrap().as_u64();
            ("returned".into(), Expected::Seq(last.unwrap()))
        }
    };
    Some(Change { what, place })
}

/// Changes that are covered up, or that concern neither requests, results, callbacks nor calls.
fn change_further(trace: &mut Value, random: &mut Random, kind: usize) -> Option<Change> {
    let events = trace["events"].as_array_mut()?;
    let (what, place) = match kind {
        0 => {
            let index = random.find(events, |event| event["response"].is_object())?;
            let field = edit_field(&mut events[index]["response"], random);
            (format!("response.{field} of {}", events[index]["seq"]), Expected::Anywhere)
        }
        1 | 2 => {
            let index = random.find(events, is_call)?;
            let field = if kind == 1 { "t_ns" } else { "end_ns" };
            edit(&mut events[index][field], random);
            (format!("{field} of {}", events[index]["seq"]), Expected::Anywhere)
        }
        3 => {
            let index = random.find(events, |event| event["server_result"].is_string())?;
            let old = events[index]["server_result"].as_str().unwrap().to_owned();
            events[index]["server_result"] = json!(random.other(&RESULTS, &old));
            ("server_result".into(), seq(&events[index]))
        }
        4 | 5 => {
            let index = random.find(events, |event| is_call(event) || is(event, &CALLBACKS))?;
            renumber(trace, index, kind == 5);
            (format!("event {index} removed or doubled, the rest renumbered"), Expected::Anywhere)
        }
        _ => {
            let attempts = trace["attempts"].as_array_mut()?;
            let index = random.find(attempts, |attempt| attempt["state_after"].is_object())?;
            let state = &mut attempts[index]["state_after"];
            let field = if random.below(2) == 0 {
                edit_field(&mut state["observed_record"], random)
            } else {
                let field = STATE[random.below(STATE.len())];
                if state[field].is_null() {
                    return None;
                }
                edit(&mut state[field], random);
                field.to_owned()
            };
            (format!("state_after {field} of attempt {index}"), Expected::Anywhere)
        }
    };
    Some(Change { what, place })
}

/// Removes or doubles an event as one would who wants to hide it.
fn renumber(trace: &mut Value, index: usize, double: bool) {
    let events = trace["events"].as_array_mut().unwrap();
    let old = index as u64;
    if double {
        let copy = events[index].clone();
        events.insert(index, copy);
    } else {
        events.remove(index);
    }
    for (number, event) in events.iter_mut().enumerate() {
        event["seq"] = json!(number);
    }
    for attempt in trace["attempts"].as_array_mut().unwrap() {
        let calls = attempt["calls"].as_array_mut().unwrap();
        if !double {
            calls.retain(|call| call.as_u64() != Some(old));
        }
        for call in calls {
            let number = call.as_u64().unwrap();
            let moved = if double { number + 1 } else { number.saturating_sub(1) };
            *call = json!(if number > old { moved } else { number });
        }
    }
}

fn names(divergence: &Divergence, place: &Expected) -> bool {
    match (place, &divergence.place) {
        (Expected::Anywhere, _) => true,
        // Of two equal callbacks one is too many, and of two ends: both are named.
        (Expected::Seq(seq), Place::Seq(named)) => {
            seq == named
                || divergence.got.contains(&format!("(seq {seq} says the same)"))
                || divergence.got.ends_with(&format!(" with seq {seq}"))
        }
        (Expected::Case(name, calls), Place::Case { name: named, call }) => {
            name == named && calls.contains(call)
        }
        (Expected::Step(name, number, calls), Place::Step { case, step, call }) => {
            name == case && *number == *step as usize && calls.contains(&(*call as usize))
        }
        _ => false,
    }
}

/// Changes one place after the other, each in a fresh copy, and counts what was refused there.
fn refuse(
    places: u32,
    kinds: usize,
    seed: u64,
    change: impl Fn(&mut Value, &mut Random, usize) -> Option<Change>,
    micro: bool,
) {
    let mut files = files();
    files.retain(|file| micro || !file.parent().unwrap().ends_with("micro"));
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut random = Random(seed);
    let mut changed = 0;
    let mut slipped = Vec::new();
    while changed < places {
        let file = random.below(files.len());
        let mut value: Value = serde_json::from_str(&texts[file]).unwrap();
        let kind = changed as usize % kinds;
        let Some(Change { what, place }) = change(&mut value, &mut random, kind) else { continue };
        changed += 1;
        let refusal = replay(&value.to_string());
        let refused = matches!(&refusal, Err(Refusal::Divergence(it)) if names(it, &place));
        if !refused {
            let place = match place {
                Expected::Seq(seq) => format!("seq {seq}"),
                Expected::Case(name, calls) => format!("case {name:?} call {calls:?}"),
                Expected::Step(name, step, calls) => {
                    format!("case {name:?} step {step} call {calls:?}")
                }
                Expected::Anywhere => String::new(),
            };
            let got = refusal.map_or_else(|refusal| refusal.to_string(), |_| "equal".into());
            slipped.push(format!("{}: {what} at {place}: {got:.400}", files[file].display()));
        }
    }
    assert!(slipped.is_empty(), "{} of {places}:\n{}", slipped.len(), slipped.join("\n"));
}

#[test]
fn any_change_is_refused_at_its_place() {
    let change =
        |value: &mut Value, random: &mut Random, kind| match value["format"].as_str().unwrap() {
            "client-go-locks-micro/1" => locks::change(value, random, kind),
            "client-go-tryacquire-micro/1" => micro::change(value, random, kind),
            _ => change_trace(value, random, kind),
        };
    refuse(PLACES, 9, 1, change, true);
}

#[test]
fn changes_that_are_covered_up_are_refused() {
    refuse(PLACES / 4, 7, 2, change_further, false);
}

#[test]
fn recordings_may_end_at_any_time() {
    let mut random = Random(3);
    let mut open_calls = 0;
    for file in files() {
        let whole: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let Some(events) = whole["events"].as_array() else { continue };
        for crashing in [None, Some(0), Some(1)] {
            let crashing = crashing.filter(|_| whole["electors"].as_array().unwrap().len() > 1);
            let mut trace = whole.clone();
            // In the middle of a call that takes time, if there is one.
            let slow =
                random.find(events, |event| event["end_ns"].as_i64() > event["t_ns"].as_i64());
            let index = slow.unwrap_or_else(|| random.below(events.len()));
            let end_ns = events[index]["t_ns"].as_i64().unwrap() + 1;
            cut::cut(&mut trace, end_ns, crashing);
            open_calls += u32::from(slow.is_some());
            if let Err(refusal) = replay(&trace.to_string()) {
                panic!("{} until {end_ns} ns, {crashing:?}: {refusal}", file.display());
            }
        }
    }
    assert!(open_calls > 30, "{open_calls}");
}

#[test]
fn bad_input_is_told_with_its_remedy() {
    let format = "client-go-leaderelection-trace/1";
    let file = |client_go: &str, format: &str| {
        json!({"format": format, "client_go": client_go, "duration_ns": 1, "electors": [],
            "initial_object": null, "final_object": null, "events": [], "attempts": []})
        .to_string()
    };
    let cases = [
        ("{".to_owned(), "line 1: not a trace: EOF"),
        (r#"{"format":"x"}"#.to_owned(), "missing field `client_go`"),
        (
            file("v0.19.0", format),
            r#"client_go "v0.19.0" cannot be replayed: give traces of v0.23.17, v0.36.2, HEAD"#,
        ),
        (file("HEAD", "other"), r#"format "other" is not known: give a file of format"#),
        (file("HEAD", format), "no calls to compare: give a recording"),
        (file("HEAD", format).replace(r#""attempts":[],"#, ""), "missing field `attempts`"),
    ];
    for (text, expected) in cases {
        let Err(Refusal::Input(error)) = replay(&text) else { panic!("{text}") };
        assert!(error.to_string().contains(expected), "{error}");
    }
}
