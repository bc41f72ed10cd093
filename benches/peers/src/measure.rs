//! Alternating runs.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::Subject;

/// What some runs of one subject took.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Nanoseconds a look-up in the median run.
    pub median: f64,
    /// Nanoseconds a look-up in the fastest run: on a busy machine, nearest to what the code costs.
    pub least: f64,
}

/// How long something takes.
#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
pub fn time<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = black_box(work());
    (result, start.elapsed())
}

/// Nanoseconds of work that one run should be: long beside the clock, short beside what else the
/// machine does.
const RUN: f64 = 1_000_000.0;

/// The subjects in turn, `rounds` times; every other round in opposite order.
#[must_use]
pub fn alternate(subjects: &[&Subject], keys: &[u64], rounds: u32) -> Vec<Times> {
    let counts: Vec<u32> = subjects.iter().map(|subject| keys_of_a_run(subject, keys)).collect();
    let mut times = vec![Vec::new(); subjects.len()];
    for round in 0..rounds {
        for turn in 0..subjects.len() {
            let turn = if round % 2 == 0 { turn } else { subjects.len() - 1 - turn };
            let count = counts[turn];
            times[turn].push(run(subjects[turn], keys, round, count));
        }
    }
    times.into_iter().map(summary).collect()
}

/// Nanoseconds a look-up, over `count` of them. Each turn goes on where the last one ended, since the
/// processor would learn the answers of a few that come again and again.
fn run(subject: &Subject, keys: &[u64], turn: u32, count: u32) -> f64 {
    let (mut at, mut left) = (turn as usize * count as usize % keys.len(), count as usize);
    let ((), taken) = time(|| {
        while left > 0 {
            let end = keys.len().min(at + left);
            black_box((subject.run)(black_box(&keys[at..end])));
            left -= end - at;
            at = 0;
        }
    });
    nanos(taken) / f64::from(count)
}

/// As many as take [`RUN`], at least a few.
fn keys_of_a_run(subject: &Subject, keys: &[u64]) -> u32 {
    let mut count = 4;
    loop {
        // Of three, since another process may come between.
        let taken = (0..3).map(|turn| run(subject, keys, turn, count));
        if taken.fold(f64::MAX, f64::min) * f64::from(count) >= RUN / 2.0 {
            return count;
        }
        count *= 2;
    }
}

/// Median and least.
///
/// # Panics
/// There are no figures.
#[must_use]
pub fn summary(mut times: Vec<f64>) -> Times {
    times.sort_unstable_by(f64::total_cmp);
    let middle = times.len() / 2;
    let median = if times.len() % 2 == 1 {
        times[middle]
    } else {
        f64::midpoint(times[middle - 1], times[middle])
    };
    Times { median, least: times[0] }
}

/// As a float.
#[must_use]
pub fn nanos(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}
