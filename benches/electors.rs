//! What one renewal of one leader costs among many in one process, without the network:
//! `cargo bench --bench electors`. A renewal is five calls: the time-out, the request, the answer,
//! the events and the next time-out.
//!
//! The peer is what a driver would write by hand: electors in a list and a `BTreeSet` of due times,
//! nothing queued. The floor is a list of electors that happen to be due in turn, without any queue:
//! what it costs more with more electors is memory that is in no cache. The last lines give the ratio
//! to the peer, and what a renewal costs above the floor, which may grow as the logarithm does.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use core::hint::black_box;
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

/// As if all electors were due in turn, for ever: no timers.
struct InTurn {
    electors: Vec<Elector>,
    order: Vec<usize>,
    next: usize,
}

impl Many for InTurn {
    fn new(n: usize) -> Self {
        let electors: Vec<_> = (0..n).map(|number| elector(number, n)).collect();
        let mut order: Vec<_> = (0..n).collect();
        order.sort_by_key(|number| electors.get(*number).unwrap().poll_timeout());
        Self { electors, order, next: 0 }
    }

    fn turn(&mut self) {
        let elector = self.electors.get_mut(*self.order.get(self.next).unwrap()).unwrap();
        self.next = (self.next + 1) % self.order.len();
        let now = at(elector.poll_timeout().unwrap());
        elector.handle_timeout(now);
        while let Some(request) = elector.poll_request() {
            elector.handle_response(now, answer(request));
            black_box(elector.poll_timeout());
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

const RUN: u32 = 100;

/// Nanoseconds a renewal. Runs are short, so that most are not interrupted.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn timed(many: &mut impl Many) -> f64 {
    let begin = std::time::Instant::now();
    (0..RUN).for_each(|_| many.turn());
    begin.elapsed().as_nanos() as f64 / f64::from(RUN)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Medians of runs in turn, so that all meet the same noise.
fn ratios() {
    println!("\nns a renewal, medians of 4,001 runs of {RUN} renewals in turn");
    println!("an Elector takes {} bytes beside what it shares with its lock", size_of::<Elector>());
    let mut ten = None;
    for n in SIZES {
        let mut electors: Electors = leading(n);
        let mut by_hand: ByHand = leading(n);
        let mut in_turn: InTurn = leading(n);
        let (mut ours, mut theirs, mut floor) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..4_001 {
            ours.push(timed(&mut electors));
            theirs.push(timed(&mut by_hand));
            floor.push(timed(&mut in_turn));
        }
        let (ours, theirs, floor) = (median(ours), median(theirs), median(floor));
        let (first, first_above) = *ten.get_or_insert((ours, ours - floor));
        println!(
            "{n:>7} electors: {ours:.0}, by hand {theirs:.0} (ratio {:.2}), floor {floor:.0}; to ten \
             electors {:.2}; above the floor {:.0}, to ten {:.2} (the logarithm's: {:.2})",
            ours / theirs,
            ours / first,
            ours - floor,
            (ours - floor) / first_above,
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
