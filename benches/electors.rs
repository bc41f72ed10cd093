//! What one renewal of one leader costs among many in one process, without the network:
//! `cargo bench --bench electors`. A renewal is five calls: the time-out, the request, the answer,
//! the events and the next time-out.
//!
//! The peer is what a driver would write by hand: electors in a list and a `BTreeSet` of due times,
//! nothing queued. The last lines give the ratio to it, and to a set of ten: that one may grow no
//! faster than the logarithm, but for what memory takes that is in no cache.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use core::hint::black_box;
use core::time::Duration;
use std::collections::BTreeSet;

use criterion::{BenchmarkId, Criterion, criterion_group};
use tenure::election::{
    Config, Elector, Electors, Failure, Missing, Op, Request, Response, Stored,
};
use tenure::lock::{LockRef, Version};
use tenure::time::{Instant, Now, Timestamp};

const SIZES: [usize; 4] = [10, 1_000, 10_000, 100_000];

fn at(instant: Instant) -> Now {
    let nanos = 1_700_000_000_000_000_000 + i128::from(instant.as_nanos());
    Now { instant, timestamp: Timestamp::from_unix_nanos(nanos) }
}

/// One of `n`, which begin one after the other over a retry period, in no order of their numbers.
fn elector(number: usize, n: usize) -> Elector {
    let config = Config {
        missing: Missing::NewGroup,
        ..Config::new(LockRef::lease("default", format!("lock-{number}")), "pod-0", "6ba7b810")
    };
    let rank = number * 7_919 % n; // 7,919 is a prime
    let begin = config.retry_period * u32::try_from(rank).unwrap() / u32::try_from(n).unwrap();
    Elector::new(config, 1, Instant::default() + begin).unwrap()
}

/// A store that has no object at first and takes every write.
fn answer(request: Request) -> Response {
    let result = match request.op {
        Op::Get => Err(Failure::NotFound),
        Op::Create(object) | Op::Update(object, _) => {
            Ok(Stored { object, version: Version::ordered(request.id.as_u64()) })
        }
    };
    Response { id: request.id, result }
}

/// Many electors that all lead, and renew one after the other.
trait Many {
    fn new(n: usize) -> Self;
    /// The next renewal, or one of the two requests before them.
    fn turn(&mut self);
}

fn leading<T: Many>(n: usize) -> T {
    let mut many = T::new(n);
    // Each acquires in one turn, since answers come at once; then each renews once.
    (0..2 * n).for_each(|_| many.turn());
    many
}

impl Many for Electors {
    fn new(n: usize) -> Self {
        let mut electors = Self::new();
        for number in 0..n {
            electors.insert(elector(number, n));
        }
        electors
    }

    fn turn(&mut self) {
        let now = at(self.poll_timeout().unwrap());
        self.handle_timeout(now);
        while let Some((id, request)) = self.poll_request() {
            self.handle_response(now, id, answer(request));
        }
        while let Some(event) = self.poll_event() {
            black_box(event);
        }
    }
}

struct ByHand {
    electors: Vec<Elector>,
    due: BTreeSet<(Instant, usize)>,
}

impl Many for ByHand {
    fn new(n: usize) -> Self {
        let electors: Vec<_> = (0..n).map(|number| elector(number, n)).collect();
        let due = electors.iter().enumerate();
        let due = due.map(|(number, elector)| (elector.poll_timeout().unwrap(), number)).collect();
        Self { electors, due }
    }

    /// The timer is set after each call, as for a driver whose answers take time.
    fn turn(&mut self) {
        let first = self.due.pop_first().unwrap();
        let (now, number) = (at(first.0), first.1);
        let elector = self.electors.get_mut(number).unwrap();
        elector.handle_timeout(now);
        let mut timer = (elector.poll_timeout().unwrap(), number);
        self.due.insert(timer);
        while let Some(request) = elector.poll_request() {
            elector.handle_response(now, answer(request));
            self.due.remove(&timer);
            timer.0 = elector.poll_timeout().unwrap();
            self.due.insert(timer);
        }
        while let Some(event) = elector.poll_event() {
            black_box(event);
        }
    }
}

fn renewals(c: &mut Criterion) {
    let mut group = c.benchmark_group("one renewal");
    for n in SIZES {
        let mut electors: Electors = leading(n);
        group.bench_function(BenchmarkId::new("Electors", n), |b| b.iter(|| electors.turn()));
        drop(electors);
        let mut by_hand: ByHand = leading(n);
        group.bench_function(BenchmarkId::new("by hand", n), |b| b.iter(|| by_hand.turn()));
    }
    group.finish();
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn timed(many: &mut impl Many, turns: u32) -> f64 {
    let begin = std::time::Instant::now();
    (0..turns).for_each(|_| many.turn());
    Duration::from(begin.elapsed()).as_nanos() as f64 / f64::from(turns)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Medians of runs in turn, so that both meet the same noise.
fn ratios() {
    println!("\nns a renewal, medians of 21 runs of 100,000 renewals in turn");
    println!("an Elector takes {} bytes beside its lock's object", size_of::<Elector>());
    let mut least = None;
    for n in SIZES {
        let (mut electors, mut by_hand): (Electors, ByHand) = (leading(n), leading(n));
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..21 {
            ours.push(timed(&mut electors, 100_000));
            theirs.push(timed(&mut by_hand, 100_000));
        }
        let (ours, theirs) = (median(ours), median(theirs));
        let first = *least.get_or_insert(ours);
        println!(
            "{n:>7} electors: {ours:.0}, by hand {theirs:.0}, ratio {:.2}; to ten electors {:.2} \
             (the logarithm's: {:.2})",
            ours / theirs,
            ours / first,
            (n as f64).ln() / 10f64.ln(),
        );
    }
}

criterion_group!(benches, renewals);

fn main() {
    benches();
    // `cargo test --benches` runs each bench once, unmeasured.
    if std::env::args().any(|arg| arg == "--bench") {
        ratios();
    }
    Criterion::default().configure_from_args().final_summary();
}
