//! The simulator's speed beside its goals: `cargo bench --bench speed`. In seconds of this thread on a
//! processor, where the system tells them, since machines are shared; in real ones elsewhere.
//!
//! Each line is the median of a few runs with other seeds. Elections run in turn with a bare loop over a
//! `BinaryHeap` that plays the same election, so that their ratio does not depend on the machine.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::hint::black_box;
use std::time::Instant;

use tenure_sim::check::{Check, Checks};
use tenure_sim::marks::Marks;
use tenure_sim::plan::{self, Mix};
use tenure_sim::scenario::Scenario;
use tenure_sim::sharding::{self, catalogue};
use tenure_sim::time::Span;
use tenure_sim::trace::Recorder;
use tenure_sim::world::World;

#[path = "simulator/bare.rs"]
mod bare;

/// Seconds since some moment.
struct Clock(Instant);

impl Clock {
    fn seconds(&self) -> f64 {
        let nanos = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
        let nanos = nanos.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        nanos.map_or_else(|| self.0.elapsed().as_secs_f64(), |nanos| nanos as f64 / 1e9)
    }

    /// How many a second, of what `run` counts.
    fn rate(&self, run: impl FnOnce() -> u64) -> f64 {
        let begin = self.seconds();
        let count = black_box(run());
        count as f64 / (self.seconds() - begin)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Real seconds of election in one run, and how many runs.
const fn effort(replicas: usize, full: bool) -> (u64, u64) {
    match (full, replicas) {
        (false, _) => (60, 1),
        (true, ..10) => (100_000, 9),
        (true, _) => (1_000, 9),
    }
}

/// Beside all checks.
#[derive(Clone, Copy)]
enum With {
    Checks,
    /// As a sweep counts them.
    Marks,
    Trace,
}

/// An election without faults; how many events were taken from the queue.
fn election(replicas: usize, seconds: u64, seed: u64, with: With) -> u64 {
    let mut scenario = Scenario::default().with_replicas(replicas);
    scenario.horizon = Span::from_secs(seconds);
    scenario.work.period = Span::ZERO; // the bare loop has no guarded resource
    let mut checks = Checks::for_scenario(&scenario);
    let (mut recorder, mut marks) = (Recorder::default(), Marks::default());
    let (mut world, mut found) = (World::new(&scenario, seed).unwrap(), Vec::new());
    while let Some(entries) = world.step() {
        for entry in entries {
            checks.observe(entry, &mut found);
            match with {
                With::Checks => {}
                With::Marks => marks.observe(entry, &mut found),
                With::Trace => recorder.observe(entry, &mut found),
            }
        }
    }
    assert_eq!(found, []);
    black_box((recorder.entries.len(), marks.counted()));
    world.statistics().events
}

fn elections(clock: &Clock, full: bool) {
    for (replicas, with, goal) in [
        (3, With::Checks, 3_000_000),
        (3, With::Marks, 3_000_000),
        (3, With::Trace, 1_000_000),
        (100, With::Checks, 0),
        (1_000, With::Checks, 1_000_000),
    ] {
        let (seconds, runs) = effort(replicas, full);
        let (mut worlds, mut bares) = (Vec::new(), Vec::new());
        for seed in 0..runs {
            worlds.push(clock.rate(|| election(replicas, seconds, seed, with)));
            bares.push(clock.rate(|| bare::run(replicas, seconds * 1_000_000_000, seed)));
        }
        let (world, bare) = (median(worlds), median(bares));
        let with = match with {
            With::Checks => "",
            With::Marks => ", marks",
            With::Trace => ", trace to memory",
        };
        println!(
            "{replicas} replicas, all checks{with}: {world:.0} events/s (goal {goal}); bare loop \
             {bare:.0}, ratio {:.2}",
            world / bare
        );
    }
}

/// Random plans of faults, 600 s each.
fn faults(clock: &Clock, full: bool) {
    let mut events = 0;
    let seeds = if full { 0..2_000 } else { 0..2 };
    let rate = clock.rate(|| {
        for seed in seeds.clone() {
            let base = Scenario { horizon: Span::from_secs(600), ..Scenario::default() };
            let scenario = plan::scenario(&base, Mix::Safe, seed);
            let mut checks = (Checks::for_scenario(&scenario), Marks::default());
            events += World::new(&scenario, seed).unwrap().run(&mut checks).statistics.events;
        }
        seeds.end
    });
    let each = events as f64 / seeds.end as f64;
    println!(
        "600 s with faults, all checks, marks: {rate:.0} seeds/s (goal 500), {:.0} events/s",
        rate * each
    );
}

/// One run of a sharded group with all checks: its events, and the simulated nanoseconds.
fn sharded(scenario: &sharding::Scenario, seed: u64) -> (u64, u64) {
    let mut world = sharding::tenure_world(scenario, seed, &[]).unwrap();
    let checks = sharding::check::Checks::new(world.scenario());
    let mut checks = (checks, sharding::marks::Marks::new(world.scenario()));
    let outcome = world.run(&mut checks);
    (outcome.statistics.events, outcome.end.as_nanos())
}

fn large(clock: &Clock, full: bool) {
    let (count, slots, horizon) = if full { (300, 65_536, "4m") } else { (3, 64, "30s") };
    let text = format!(
        r#"{{ "name": "large", "description": "", "mode": "ranked", "slots": {slots},
            "replicas": [{{ "count": {count} }}], "horizon": "{horizon}" }}"#
    );
    let scenario: sharding::Scenario = serde_json::from_str(&text).unwrap();
    let mut events = 0;
    let times = clock.rate(|| {
        let (count, nanos) = sharded(&scenario, 42);
        events = count;
        nanos
    }) / 1e9;
    println!(
        "{count} replicas x {slots} slots, {horizon} from the start of all at once, all checks, marks: {times:.1} \
         times faster than real time (goal 20), {events} events"
    );
}

fn swarm(clock: &Clock, full: bool) {
    let scenario = catalogue::find("sharding/swarm").unwrap();
    let seeds = if full { 0..300 } else { 0..2 };
    let mut events = 0;
    let rate = clock.rate(|| {
        events = seeds.clone().map(|seed| sharded(&scenario, seed).0).sum();
        seeds.end
    });
    let each = events as f64 / seeds.end as f64;
    println!("sharding/swarm, all checks, marks: {rate:.0} seeds/s, {:.0} events/s", rate * each);
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn main() {
    // `cargo test --benches` runs everything once, short.
    let full = std::env::args().any(|arg| arg == "--bench");
    let clock = Clock(Instant::now());
    elections(&clock, full);
    faults(&clock, full);
    large(&clock, full);
    swarm(&clock, full);
}
