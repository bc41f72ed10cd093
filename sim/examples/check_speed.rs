//! How fast recordings are judged, beside `serde_json` skipping the same text:
//! `cargo run --release -p tenure-sim --example check_speed`.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a measurement")]

use core::fmt::Write as _;
use core::time::Duration;
use std::hint::black_box;
use std::time::Instant;

use serde::de::IgnoredAny;
use tenure_sim::history::{Histories, Settings};

const BYTES: usize = 64 << 20;
const RUNS: usize = 5;

/// A write to one of 100 Leases, as an API server logs it with bodies.
fn lease(number: u64) -> String {
    let (lock, version) = (number % 100, number + 1000);
    let time = |offset: u64| {
        let second = number / 100 * 2 + offset;
        let (hour, minute) = (second / 3600 % 24, second / 60 % 60);
        format!(
            "2026-11-{:02}T{hour:02}:{minute:02}:{:02}.{:06}Z",
            1 + second / 86_400,
            second % 60,
            number % 100_000
        )
    };
    let (received, renewed, before) = (time(0), time(0), version - 100);
    let spec = format!(
        r#"{{"holderIdentity":"controller-{lock}_6ba7b810","leaseDurationSeconds":15,"acquireTime":"2026-11-01T00:00:00.000000Z","renewTime":"{renewed}","leaseTransitions":7}}"#
    );
    let meta = |version: u64| {
        format!(
            r#"{{"name":"lock-{lock}","namespace":"kube-system","uid":"7461fdf4-0721-4d44-baed-{lock:012}","resourceVersion":"{version}","creationTimestamp":"2026-11-01T00:00:00Z","managedFields":[{{"manager":"controller","operation":"Update","apiVersion":"coordination.k8s.io/v1","time":"{renewed}","fieldsType":"FieldsV1","fieldsV1":{{"f:spec":{{"f:acquireTime":{{}},"f:holderIdentity":{{}},"f:leaseDurationSeconds":{{}},"f:leaseTransitions":{{}},"f:renewTime":{{}}}}}}}}]}}"#
        )
    };
    let (old, new) = (meta(before), meta(version));
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"f1eb3928-e2d4-4a4c-84d0-{number:012}","stage":"ResponseComplete","requestURI":"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/lock-{lock}?timeout=5s","verb":"update","user":{{"username":"system:serviceaccount:kube-system:controller-{lock}","uid":"1","groups":["system:serviceaccounts","system:authenticated"]}},"sourceIPs":["10.0.0.{lock}"],"userAgent":"controller/v1.36.2 (linux/amd64) kubernetes/abcdef0/leader-election","objectRef":{{"resource":"leases","namespace":"kube-system","name":"lock-{lock}","uid":"7461fdf4-0721-4d44-baed-{lock:012}","apiGroup":"coordination.k8s.io","apiVersion":"v1","resourceVersion":"{before}"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestObject":{{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{old},"spec":{spec}}},"responseObject":{{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{new},"spec":{spec}}},"requestReceivedTimestamp":"{received}","stageTimestamp":"{received}","annotations":{{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":""}}}}"#
    ) + "\n"
}

/// A write to something else: a pod's status, with a body of some kilobytes.
fn other(number: u64) -> String {
    let mut conditions = String::new();
    for condition in 0..20 {
        let _ = write!(
            conditions,
            r#"{{"type":"Condition{condition}","status":"True","lastTransitionTime":"2026-11-01T00:00:00Z","message":"containers with \"unready\" status: [a{number}]"}},"#
        );
    }
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"f1eb3928-e2d4-4a4c-84d0-{number:012}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/default/pods/pod-{number}/status","verb":"patch","user":{{"username":"system:node:node-1","groups":["system:nodes"]}},"sourceIPs":["10.0.0.1"],"userAgent":"kubelet/v1.36.2","objectRef":{{"resource":"pods","namespace":"default","name":"pod-{number}","apiVersion":"v1","subresource":"status"}},"responseStatus":{{"metadata":{{}},"code":200}},"responseObject":{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"pod-{number}","resourceVersion":"{number}"}},"status":{{"conditions":[{conditions}null]}}}},"requestReceivedTimestamp":"2026-11-01T00:00:00.000000Z","stageTimestamp":"2026-11-01T00:00:00.000000Z"}}"#
    ) + "\n"
}

/// So many bytes of one log; of `each` events one is about a Lease.
fn log(each: u64) -> String {
    let mut text = String::with_capacity(BYTES + 10_000);
    let mut leases = 0;
    for number in 0.. {
        if text.len() >= BYTES {
            break;
        }
        if number % each == 0 {
            text += &lease(leases);
            leases += 1;
        } else {
            text += &other(number);
        }
    }
    text
}

/// The same Leases as `kubectl get -w -o json` prints them.
fn watch() -> String {
    let mut text = String::with_capacity(BYTES + 10_000);
    for number in 0.. {
        if text.len() >= BYTES {
            break;
        }
        let event: serde_json::Value = serde_json::from_str(&lease(number)).unwrap();
        text += &serde_json::to_string_pretty(event.get("responseObject").unwrap()).unwrap();
        text.push('\n');
    }
    text
}

fn skip(text: &str) {
    let values = serde_json::Deserializer::from_slice(text.as_bytes()).into_iter::<IgnoredAny>();
    for value in values {
        black_box(value.unwrap());
    }
}

fn judge(text: &str) {
    let mut histories = Histories::new(Settings::default());
    let recording = histories.read(text.as_bytes(), &mut |_| {}).unwrap();
    assert_eq!(recording.damaged, 0);
    let judged: u64 = histories.locks().map(|(_, history)| history.counts.judged).sum();
    let found: u64 = histories.locks().map(|(_, history)| history.findings.violations()).sum();
    assert!(judged > 50 && found == 0, "{judged} steps judged, {found} violations");
}

/// The processor time of this thread where the system tells it, which other programs do not disturb as
/// they do the time of day.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn timed(work: impl FnOnce()) -> Duration {
    let (start, processor) = (Instant::now(), processor_time());
    work();
    let passed = processor_time().zip(processor).map(|(now, before)| now.saturating_sub(before));
    passed.unwrap_or_else(|| start.elapsed())
}

fn main() {
    let texts = [
        ("audit log, every event a write to a Lease", log(1)),
        ("audit log, one event in ten", log(10)),
        ("audit log, one event in a hundred", log(100)),
        ("kubectl get leases -w -o json", watch()),
    ];
    for (what, text) in texts {
        let (mut skips, mut judges) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            skips.push(timed(|| skip(&text)));
            judges.push(timed(|| judge(&text)));
        }
        skips.sort_unstable();
        judges.sort_unstable();
        let (skip, judge) = (skips.swap_remove(RUNS / 2), judges.swap_remove(RUNS / 2));
        let rate = |time: Duration| text.len() as u128 / time.as_micros().max(1);
        let ratio = judge.as_secs_f64() / skip.as_secs_f64();
        println!(
            "{what}: judged at {} MB/s, skipped by serde_json at {} MB/s: {ratio:.2} times as long",
            rate(judge),
            rate(skip),
        );
    }
}
