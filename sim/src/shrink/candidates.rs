//! Scenarios that say a little less.

use core::cmp::Reverse;

use serde_json::Value;

use crate::subject::Subject;
use crate::time::Span;

/// What stays as it is: what a scenario is called, what it is about, and what it is to show.
const KEPT: [&str; 7] = ["name", "description", "mode", "profile", "without", "expect", "seed"];

/// Without these a fault would be a greater one, or none.
const OF_FAULTS: [&str; 4] = ["at", "on", "for", "fault"];

/// Each is `scenario` with one thing less, the greatest steps first; it showed after `end` nanoseconds.
/// Some make no sense.
pub(super) fn smaller(scenario: &Value, end: u64) -> Vec<Value> {
    let mut places = Vec::new();
    walk(scenario, &mut String::new(), &mut places);
    places.sort_by_key(|place| place.matches('/').count());
    let mut all: Vec<Value> = ends(scenario, end).into_iter().collect();
    all.extend(places.iter().filter_map(|place| without(scenario, place)));
    all.extend(places.iter().flat_map(|place| rounder(scenario, place)));
    all
}

/// The scenario without what is so by default.
pub(super) fn pruned<S: Subject>(scenario: &S) -> Value {
    let mut value = serde_json::to_value(scenario).unwrap_or_default();
    let mut places = Vec::new();
    walk(&value, &mut String::new(), &mut places);
    // What stands in others first, so that these are left empty.
    places.sort_by_key(|place| Reverse(place.matches('/').count()));
    for place in places {
        let same = |less: &Value| S::deserialize(less).is_ok_and(|it| it == *scenario);
        if let Some(less) = without(&value, &place).filter(same) {
            value = less;
        }
    }
    value
}

/// It ends soon after it showed.
fn ends(scenario: &Value, end: u64) -> Option<Value> {
    const SECOND: u64 = 1_000_000_000;
    let seconds = (end / SECOND).saturating_add(1);
    let horizon = span(scenario.get("horizon")?)?;
    if horizon.as_nanos() <= seconds.saturating_mul(SECOND) {
        return None;
    }
    let mut shorter = scenario.clone();
    let fields = shorter.as_object_mut()?;
    fields.insert("horizon".to_owned(), Value::String(format!("{seconds}s")));
    fields.remove("heal_at");
    Some(shorter)
}

/// Pointers (RFC 6901) to all that stands in it, the last items of lists first: so the others keep their
/// numbers.
fn walk(value: &Value, here: &mut String, places: &mut Vec<String>) {
    let mut visit = |step: &str, inner: &Value| {
        let length = here.len();
        here.push('/');
        here.push_str(&step.replace('~', "~0").replace('/', "~1"));
        places.push(here.clone());
        walk(inner, here, places);
        here.truncate(length);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, inner)| {
            if !KEPT.contains(&name.as_str()) {
                visit(name, inner);
            }
        }),
        Value::Array(items) => {
            items.iter().enumerate().rev().for_each(|(nth, inner)| visit(&nth.to_string(), inner));
        }
        _ => {}
    }
}

/// Without what stands there: then it is as by default.
fn without(scenario: &Value, place: &str) -> Option<Value> {
    let (around, name) = place.rsplit_once('/')?;
    if OF_FAULTS.contains(&name) || name == "faults" {
        return None;
    }
    let mut less = scenario.clone();
    match less.pointer_mut(around)? {
        Value::Object(fields) => drop(fields.remove(name)?),
        Value::Array(items) => drop(items.remove(name.parse().ok()?)),
        _ => return None,
    }
    Some(less)
}

/// With a rounder time or number there.
fn rounder(scenario: &Value, place: &str) -> Vec<Value> {
    let Some(value) = scenario.pointer(place) else { return Vec::new() };
    let name = place.rsplit('/').next().unwrap_or_default();
    let mut rounder = Vec::new();
    if let Some(span) = span(value) {
        let nanos = span.as_nanos();
        let half = (name == "for").then_some(nanos / 2);
        let units = [10_000_000_000, 1_000_000_000, 100_000_000, 1_000_000];
        let floors = units.into_iter().map(|unit| nanos / unit * unit);
        let fewer = half.into_iter().chain(floors).filter(|fewer| *fewer < nanos && *fewer > 0);
        rounder.extend(fewer.map(|fewer| Value::String(Span::from_nanos(fewer).to_string())));
    } else if let Some(number) = value.as_u64() {
        let unit = 10_u64.pow(number.checked_ilog10().unwrap_or(0).saturating_sub(1));
        let half = matches!(name, "count" | "slots").then_some(number / 2);
        let fewer = half.into_iter().chain([number / unit * unit]);
        rounder.extend(fewer.filter(|it| *it < number && *it > 0).map(Value::from));
    }
    let placed = |new: Value| {
        let mut other = scenario.clone();
        *other.pointer_mut(place)? = new;
        Some(other)
    };
    rounder.into_iter().filter_map(placed).collect()
}

fn span(value: &Value) -> Option<Span> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_thing_less_at_a_time_and_never_more() {
        let scenario = json!({
            "name": "x",
            "horizon": "600s",
            "heal_at": "300s",
            "replicas": [{ "start": "1234ms" }, {}],
            "faults": [{ "at": "12s", "for": "7s", "fault": { "loss": { "ppm": 123_456 } } }],
        });
        let all = smaller(&scenario, 41_500_000_000);
        let has = |place: &str, value: Option<Value>| {
            let found = all.iter().filter(|it| it.pointer(place).cloned() == value).count();
            assert!(found > 0, "{place}: {value:?}");
        };
        has("/horizon", Some(json!("42s")));
        has("/heal_at", None);
        has("/replicas", Some(json!([{ "start": "1234ms" }])));
        has("/replicas/0/start", None);
        has("/replicas/0/start", Some(json!("1s")));
        has("/faults/0/for", Some(json!("3.5s")));
        has("/faults/0/at", Some(json!("10s")));
        has("/faults/0/fault/loss/ppm", Some(json!(120_000)));
        for other in &all {
            assert_eq!(other.get("name"), Some(&json!("x")));
            let fault = other.pointer("/faults/0");
            assert!(fault.is_none_or(|fault| fault.get("at").is_some()));
            assert_ne!(*other, scenario);
        }
    }
}
