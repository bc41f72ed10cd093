//! What a look-up costs, and how that grows from 10 to 100,000 members: `cargo bench --bench placement`.
//! The same beside other crates: `benches/peers/`.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use core::hint::black_box;
use core::num::NonZeroU32;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tenure::placement::{
    Anchor, Binomial, Dx, Flip, Jump, JumpBack, Key, Maglev, Members, Memento, MultiProbe,
    Numbered, Placement, Ranking, Rendezvous, Ring, hash,
};

const SIZES: [u32; 5] = [10, 100, 1_000, 10_000, 100_000];
/// So many look-ups are one of criterion's: what they find is not learnt by the processor.
const KEYS: u64 = 1 << 14;

fn keys() -> Vec<Key> {
    (0..KEYS).map(|number| Key::from_hash(hash::mix(number))).collect()
}

fn members(count: u32) -> Members {
    Members::new((0..count).map(|number| format!("controller-{number}"))).unwrap()
}

/// An algorithm, made for each size, on all keys.
fn each_size<A>(
    criterion: &mut Criterion,
    name: &str,
    make: impl Fn(u32) -> A,
    run: impl Fn(&A, &[Key]),
) {
    let keys = keys();
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(KEYS)).sample_size(10);
    for size in SIZES {
        let algorithm = make(size);
        group.bench_with_input(BenchmarkId::from_parameter(size), &algorithm, |bencher, made| {
            bencher.iter(|| run(made, black_box(&keys)));
        });
    }
}

fn numbered<A: Numbered>(criterion: &mut Criterion, name: &str, make: impl Fn(u32) -> A) {
    each_size(criterion, name, make, |algorithm, keys| {
        for key in keys {
            black_box(algorithm.index(*key));
        }
    });
}

fn placed<A: Placement>(criterion: &mut Criterion, name: &str, make: impl Fn(u32) -> A) {
    each_size(criterion, name, make, |algorithm, keys| {
        for key in keys {
            black_box(algorithm.place(*key));
        }
    });
}

fn numbers(criterion: &mut Criterion) {
    numbered(criterion, "Jump", |n| Jump::new(n).unwrap());
    numbered(criterion, "JumpBack", |n| JumpBack::new(n).unwrap());
    numbered(criterion, "Flip", <Flip>::new);
    numbered(criterion, "Binomial", <Binomial>::new);
    numbered(criterion, "Anchor", |n| Anchor::new(n, n + n / 10).unwrap());
    numbered(criterion, "Dx", |n| <Dx>::new(n, 2 * n).unwrap());
    numbered(criterion, "Memento", |n| Memento::new(JumpBack::new(n).unwrap()));
}

fn names(criterion: &mut Criterion) {
    let hundred = NonZeroU32::new(100).unwrap();
    let probes = NonZeroU32::new(21).unwrap();
    placed(criterion, "Rendezvous", |n| Rendezvous::new(members(n)));
    placed(criterion, "Ring", |n| Ring::new(members(n), hundred).unwrap());
    placed(criterion, "MultiProbe", |n| MultiProbe::new(members(n), probes));
    placed(criterion, "Maglev", |n| Maglev::new(members(n)));
    let rendezvous = |n| Rendezvous::new(members(n));
    each_size(criterion, "Rendezvous, best 3", rendezvous, |rendezvous, keys| {
        let mut best = Vec::with_capacity(3);
        for key in keys {
            rendezvous.best_into(*key, 3, &mut best);
            black_box(&best);
        }
    });
}

/// From the 36 characters of a UID to one of five members.
fn uid(criterion: &mut Criterion) {
    let rendezvous = Rendezvous::new(members(5));
    let uids: Vec<String> = (0..1 << 10)
        .map(|number: u64| {
            let (high, low) = (hash::mix(number), hash::mix(!number) >> 16);
            format!("{:08x}-{:04x}-4a53-9d6c-{low:012x}", high >> 32, high & 0xffff)
        })
        .collect();
    let mut group = criterion.benchmark_group("UID");
    group.throughput(Throughput::Elements(uids.len() as u64));
    group.bench_function("Rendezvous of 5", |bencher| {
        bencher.iter(|| {
            for uid in black_box(&uids) {
                black_box(rendezvous.place(Key::from(uid.as_str())));
            }
        });
    });
}

criterion_group!(benches, numbers, names, uid);
criterion_main!(benches);
