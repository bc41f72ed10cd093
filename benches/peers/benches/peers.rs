//! The same comparisons by criterion: `cargo bench -- 'Maglev/1000'`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tenure_peers::{GROUPS, Group, keys, uid};

/// So many look-ups are one of criterion's.
const LOOK_UPS: u64 = 1 << 12;

fn group(criterion: &mut Criterion, group: &Group) {
    let keys = keys(LOOK_UPS);
    group.check(&keys[..keys.len().min(200)]);
    let name = format!("{}/{}", group.algorithm, group.members);
    let mut benches = criterion.benchmark_group(name);
    benches.throughput(Throughput::Elements(LOOK_UPS)).sample_size(10);
    for subject in group.subjects() {
        let name = format!("{}, {}", subject.name, subject.terms.name());
        benches.bench_function(name, |bencher| bencher.iter(|| (subject.run)(&keys)));
    }
}

fn all(criterion: &mut Criterion) {
    for members in [10, 100, 1_000] {
        for algorithm in GROUPS {
            group(criterion, &algorithm(members));
        }
    }
    group(criterion, &uid::uid(5));
}

criterion_group!(benches, all);
criterion_main!(benches);
