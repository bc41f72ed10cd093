//! Reading and writing a Lease, beside `serde_json` on a bare struct with the same information:
//! `cargo bench --bench wire`. The last lines are the ratios, of runs in turn.
//!
//! The peer is what a Rust client has: derived serde traits, exact keys, the times as
//! `jiff::Timestamp`, as in `k8s-openapi`; none of Go's rules. For the large Lease it keeps, as the
//! wire does, what it does not know of the metadata. Bare it would write half of the text: that
//! ratio is printed, too, and so is the one to a bare struct with its times as text.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]
#![expect(clippy::indexing_slicing, reason = "a bench may panic")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use core::hint::black_box;
use std::collections::BTreeMap;
use std::time::Instant;

use criterion::{Criterion, criterion_group};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tenure::lock::wire::{lease_from_api_json, lease_to_api_json};

/// As a client writes it.
const SMALL: &str = r#"{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"name":"controller","namespace":"kube-system","uid":"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0","resourceVersion":"123456"},"spec":{"holderIdentity":"controller-7d9c5b8f6-x2x4z_8f14e45f-ceea-467f-a9f0-1234567890ab","leaseDurationSeconds":15,"acquireTime":"2024-02-29T23:59:59.123456Z","renewTime":"2024-03-01T00:10:09.654321Z","leaseTransitions":3}}"#;

/// As a server answers, with what it keeps for itself.
const LARGE: &str = r#"{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"name":"controller","namespace":"kube-system","uid":"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0","resourceVersion":"123456","creationTimestamp":"2024-02-29T23:59:59Z","labels":{"app.kubernetes.io/name":"controller","app.kubernetes.io/part-of":"system"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"controller","uid":"1f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}],"managedFields":[{"manager":"controller","operation":"Update","apiVersion":"coordination.k8s.io/v1","time":"2024-03-01T00:10:09Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:app.kubernetes.io/name":{}}},"f:spec":{"f:acquireTime":{},"f:holderIdentity":{},"f:leaseDurationSeconds":{},"f:leaseTransitions":{},"f:renewTime":{}}}}]},"spec":{"holderIdentity":"controller-7d9c5b8f6-x2x4z_8f14e45f-ceea-467f-a9f0-1234567890ab","leaseDurationSeconds":15,"acquireTime":"2024-02-29T23:59:59.123456Z","renewTime":"2024-03-01T00:10:09.654321Z","leaseTransitions":3}}"#;

#[derive(Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    bound(deserialize = "Time: DeserializeOwned, Metadata: DeserializeOwned")
)]
struct Bare<Time, Metadata = BareMetadata> {
    kind: String,
    api_version: String,
    metadata: Metadata,
    spec: BareSpec<Time>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareMetadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Serialize, Deserialize)]
struct WholeMetadata {
    #[serde(flatten)]
    known: BareMetadata,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "Time: DeserializeOwned"))]
struct BareSpec<Time> {
    holder_identity: Option<String>,
    lease_duration_seconds: Option<i32>,
    acquire_time: Option<Time>,
    renew_time: Option<Time>,
    lease_transitions: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_holder: Option<String>,
}

/// Reads and writes; gives the length written.
fn own(text: &str) -> usize {
    let (lease, version) = lease_from_api_json(text.as_bytes()).unwrap();
    lease_to_api_json(black_box(&lease), version.as_deref()).len()
}

fn peer<Peer: Serialize + DeserializeOwned>(text: &str) -> usize {
    let lease: Peer = serde_json::from_slice(text.as_bytes()).unwrap();
    serde_json::to_string(black_box(&lease)).unwrap().len()
}

type Run = fn(&str) -> usize;

/// What runs, the fair peer of each size second.
fn runs(size: &str) -> [(&'static str, Run); 4] {
    let bare: (_, Run) = ("serde_json, bare", peer::<Bare<jiff::Timestamp>>);
    let whole: (_, Run) = ("serde_json, whole", peer::<Bare<jiff::Timestamp, WholeMetadata>>);
    let text: (_, Run) = ("serde_json, bare, times as text", peer::<Bare<String>>);
    let (fair, other) = if size == "small" { (bare, whole) } else { (whole, bare) };
    [("tenure", own), fair, other, text]
}

fn wire(c: &mut Criterion) {
    for (size, text) in [("small", SMALL), ("large", LARGE)] {
        for (name, run) in runs(size) {
            c.bench_function(&format!("{name}: read and write a {size} Lease"), |b| {
                b.iter(|| run(black_box(text)));
            });
        }
        c.bench_function(&format!("tenure: read a {size} Lease"), |b| {
            b.iter(|| lease_from_api_json(black_box(text.as_bytes())));
        });
    }
}

/// Nanoseconds a call.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn timed(run: Run, text: &str) -> f64 {
    const CALLS: u32 = 20_000;
    let begin = Instant::now();
    for _ in 0..CALLS {
        black_box(run(black_box(text)));
    }
    begin.elapsed().as_nanos() as f64 / f64::from(CALLS)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Medians of runs in turn, so that all meet the same noise.
fn ratios() {
    println!("\nread and write a Lease, medians of 21 runs in turn");
    for (size, text) in [("small", SMALL), ("large", LARGE)] {
        let runs = runs(size);
        let mut nanos = runs.map(|_| Vec::new());
        for _ in 0..21 {
            for ((_, run), nanos) in runs.iter().zip(&mut nanos) {
                nanos.push(timed(*run, text));
            }
        }
        let nanos = nanos.map(median);
        println!("{size} ({} bytes): tenure {:.0} ns", text.len(), nanos[0]);
        for (at, (name, _)) in runs.iter().enumerate().skip(1) {
            let goal = if at == 1 { " (goal: at most 2)" } else { "" };
            println!("    {name}: {:.0} ns, ratio {:.2}{goal}", nanos[at], nanos[0] / nanos[at]);
        }
    }
}

criterion_group!(benches, wire);

fn main() {
    benches();
    // `cargo test --benches` runs each bench once, unmeasured.
    if std::env::args().any(|arg| arg == "--bench") {
        ratios();
    }
    Criterion::default().configure_from_args().final_summary();
}
