//! How fast worlds run, all checks on: `cargo bench --bench simulator`. The peer is a bare loop over
//! a `BinaryHeap` that plays the same election with no faults, no traces and one monitor: what a
//! simulator written for this one job takes. The last lines are the ratio to it, and to the real
//! client-go.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use core::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group};
use tenure_sim::check::Checks;
use tenure_sim::scenario::Scenario;
use tenure_sim::time::Span;
use tenure_sim::world::World;

#[path = "simulator/bare.rs"]
mod bare;

/// Real seconds of election in one run.
fn horizon(replicas: usize) -> u64 {
    if replicas < 10 { 20_000 } else { 1_000 }
}

fn scenario(replicas: usize) -> Scenario {
    let mut scenario = Scenario::default().with_replicas(replicas);
    scenario.horizon = Span::from_secs(horizon(replicas));
    scenario.work.period = Span::ZERO; // the peer has no guarded resource
    scenario
}

/// One run with all checks; gives the number of events.
fn world(replicas: usize, seed: u64) -> u64 {
    let scenario = scenario(replicas);
    let mut checks = Checks::for_scenario(&scenario);
    let outcome = World::new(&scenario, seed).unwrap().run(&mut checks);
    assert_eq!(outcome.violations, []);
    outcome.statistics.events
}

fn unchecked_world(replicas: usize, seed: u64) -> u64 {
    World::new(&scenario(replicas), seed).unwrap().run(&mut ()).statistics.events
}

fn bare(replicas: usize, seed: u64) -> u64 {
    bare::run(replicas, horizon(replicas) * 1_000_000_000, seed)
}

fn simulator(c: &mut Criterion) {
    let mut group = c.benchmark_group("events");
    group.sample_size(10);
    for replicas in [3, 100] {
        group.throughput(Throughput::Elements(world(replicas, 1)));
        group.bench_function(format!("world of {replicas}"), |b| b.iter(|| world(replicas, 1)));
        group.throughput(Throughput::Elements(bare(replicas, 1)));
        group.bench_function(format!("bare loop of {replicas}"), |b| b.iter(|| bare(replicas, 1)));
    }
    group.finish();
}

/// Events a second, and seconds.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn timed(run: impl Fn() -> u64) -> (f64, f64) {
    let begin = Instant::now();
    let events = black_box(run());
    let seconds = begin.elapsed().as_secs_f64();
    (events as f64 / seconds, seconds)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Medians of runs in turn, so that both meet the same noise.
fn ratios() {
    println!("\nmedians of 21 runs in turn, all checks on");
    for (replicas, client_go) in [(3, "145,000 to 196,000"), (100, "212,000 to 215,000")] {
        let (mut worlds, mut bares, mut elector_seconds) = (Vec::new(), Vec::new(), Vec::new());
        let mut unchecked = Vec::new();
        for seed in 0..21 {
            let (events, seconds) = timed(|| world(replicas, seed));
            worlds.push(events);
            elector_seconds.push(horizon(replicas) as f64 * replicas as f64 / seconds);
            unchecked.push(timed(|| unchecked_world(replicas, seed)).0);
            bares.push(timed(|| bare(replicas, seed)).0);
        }
        let (world, bare) = (median(worlds), median(bares));
        println!(
            "{replicas:>3} candidates: {world:.0} events/s, bare loop {bare:.0} events/s, ratio {:.2} \
             (goal: at least 0.25); without checks {:.0} events/s",
            world / bare,
            median(unchecked),
        );
        println!(
            "    {:.0} elector-seconds/s; client-go's RunOrDie under Go's virtual clock, two busy \
             shared cores, another day: {client_go} (orientation only)",
            median(elector_seconds),
        );
    }
}

criterion_group!(benches, simulator);

fn main() {
    benches();
    // `cargo test --benches` runs each bench once, unmeasured.
    if std::env::args().any(|arg| arg == "--bench") {
        ratios();
    }
    Criterion::default().configure_from_args().final_summary();
}
