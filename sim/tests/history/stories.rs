//! Small recordings, and what is found in them.

use core::time::Duration;

use serde_json::{Value, json};
use tenure_sim::history::{Format, Histories, History, Recording, Settings};

/// Seconds as a time of day.
pub(crate) fn time(seconds: f64) -> String {
    let time = Duration::from_secs_f64(seconds.max(0.0));
    let (whole, micros) = (time.as_secs(), time.subsec_micros());
    format!("2026-01-01T{:02}:{:02}:{:02}.{micros:06}Z", whole / 3600, whole / 60 % 60, whole % 60)
}

/// A Lease of 15 s, written at so many seconds by its holder's clock.
pub(crate) fn lease(version: u64, holder: &str, renewed: f64, transitions: i64) -> Value {
    json!({
        "kind": "Lease",
        "apiVersion": "coordination.k8s.io/v1",
        "metadata": {
            "name": "lock",
            "namespace": "default",
            "uid": "u",
            "resourceVersion": version.to_string(),
        },
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": 15,
            "acquireTime": time(0.0),
            "renewTime": time(renewed),
            "leaseTransitions": transitions,
        },
    })
}

/// The same as another object of that name.
pub(crate) fn anew(mut lease: Value) -> Value {
    lease["metadata"]["uid"] = "v".into();
    lease
}

/// A write of `by` that took effect within 2 ms of so many seconds.
pub(crate) fn written(at: f64, by: &str, verb: &str, over: Option<u64>, lease: &Value) -> Value {
    let created = verb == "create";
    json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "stage": "ResponseComplete",
        "verb": verb,
        "user": {"username": "admin"},
        "sourceIPs": ["127.0.0.1"],
        "userAgent": by,
        "objectRef": {
            "resource": "leases",
            "namespace": "default",
            "name": "lock",
            "apiGroup": "coordination.k8s.io",
            "resourceVersion": over.map(|over| over.to_string()),
        },
        "responseStatus": {"code": if created { 201 } else { 200 }},
        "responseObject": lease,
        "requestReceivedTimestamp": time(at - 0.001),
        "stageTimestamp": time(at + 0.001),
    })
}

/// An audit log of a Lease of 15 s: who wrote at which second, whom and with which `leaseTransitions`.
/// Versions are 1 and so on; the holders' clocks are right.
pub(crate) fn audit(writes: &[(f64, &str, &str, i64)]) -> Vec<Value> {
    let mut events = Vec::new();
    for (version, (at, by, holder, transitions)) in (1..).zip(writes) {
        let verb = if version == 1 { "create" } else { "update" };
        let over = (version > 1).then(|| version - 1);
        events.push(written(*at, by, verb, over, &lease(version, holder, *at, *transitions)));
    }
    events
}

pub(crate) fn deleted(at: f64, by: &str) -> Value {
    let mut event =
        written(at, by, "delete", None, &json!({"kind": "Status", "status": "Success"}));
    event["responseObject"]["metadata"] = json!({});
    event
}

pub(crate) fn lines(values: &[Value]) -> String {
    values.iter().map(|value| value.to_string() + "\n").collect()
}

pub(crate) fn read(text: &[u8]) -> (Histories, Recording) {
    let mut histories = Histories::new(Settings::default());
    let recording = histories.read(text, &mut |_| {}).unwrap();
    (histories, recording)
}

/// What is found about the one lock in a text.
pub(crate) fn found_in(text: &str) -> Vec<String> {
    let (histories, recording) = read(text.as_bytes());
    assert_eq!((recording.damaged, recording.first_damaged), (0, vec![]));
    let found: Vec<_> = histories.locks().map(|(_, history)| found(history)).collect();
    assert_eq!(found.len(), 1);
    found.into_iter().flatten().collect()
}

pub(crate) fn found(history: &History) -> Vec<String> {
    let found = history.findings.kept();
    found.map(|finding| format!("{}: {}", finding.line, finding.rule)).collect()
}

/// What is found in these events.
pub(crate) fn judged(events: &[Value]) -> Vec<String> {
    found_in(&lines(events))
}

/// The one lock of a recording of this format.
pub(crate) fn only(histories: &Histories, format: Format) -> &History {
    let mut locks = histories.locks().filter(|(of, _)| *of == format);
    let (_, history) = locks.next().unwrap();
    assert!(locks.next().is_none());
    history
}
