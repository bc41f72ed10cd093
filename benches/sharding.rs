//! The costs of sharding at 300 members and 65,536 slots: asking, and members that come and go.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tenure::placement::Key;
use tenure::sharding::{
    Answer, Config, Generation, Incarnation, MemberRecord, Op, Response, Sharder, Slots, State,
    StoredMember, Watched,
};
use tenure::time::{Instant, Now, Timestamp};

const MEMBERS: u64 = 300;

fn now(millis: u64) -> Now {
    let instant = Instant::from_nanos(millis * 1_000_000);
    Now { instant, timestamp: Timestamp::GO_ZERO }
}

fn record(name: u64, generation: Generation, acted_on: u64) -> Arc<MemberRecord> {
    Arc::new(MemberRecord {
        member: format!("member-{name}").as_str().into(),
        state: State::Active,
        incarnation: Incarnation { process: "process".into(), life: 1 },
        acted_on: Some(acted_on),
        generation,
        lease_duration: Duration::from_secs(15),
        joined: None,
        renewed: None,
    })
}

/// A member among others that have acknowledged everything.
fn member(slots: u32) -> (Sharder, Generation) {
    let mut config = Config::new("default", "group", "me", "6ba7b810");
    config.slots = Slots::new(slots).expect("a power of two");
    let generation = config.generation();
    let mut sharder = Sharder::new(config, 1, now(0).instant).expect("valid");
    let others: Vec<_> = (0..MEMBERS - 1)
        .map(|name| StoredMember { record: record(name, generation, 1 << 40), version: name + 1 })
        .collect();
    let mut mine = None;
    let mut version = 1_000;
    sharder.handle_timeout(now(1));
    while let Some(request) = sharder.poll_request() {
        let answer = match request.op {
            Op::List => {
                let members = others.iter().cloned().chain(mine.clone()).collect();
                Answer::Listed { members, version }
            }
            Op::Create(record) | Op::Update(record, _) => {
                version += 1;
                mine = Some(StoredMember { record, version });
                Answer::Written { version }
            }
            other => unreachable!("{other:?}"),
        };
        sharder.handle_response(now(1), Response { id: request.id, result: Ok(answer) });
    }
    while sharder.poll_event().is_some() {}
    sharder.handle_watch(now(1), Watched::Started { after: 1_000 });
    assert!(sharder.owned(now(1).instant).is_some_and(|owned| !owned.is_empty()));
    (sharder, generation)
}

fn benches(c: &mut Criterion) {
    let (sharder, generation) = member(65_536);
    let at = now(2).instant;
    let mut key = 0_u64;
    c.bench_function("sharding/owns", |b| {
        b.iter(|| {
            key = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
            black_box(sharder.owns(Key::from_hash(key), at))
        });
    });
    let joiner = StoredMember { record: record(9_999, generation, 1 << 40), version: 5_000 };
    let mut crowd = sharder.clone();
    crowd.handle_watch(now(2), Watched::Stored(joiner.clone()));
    c.bench_function("sharding/one of 300 joins, 65536 slots", |b| {
        b.iter_batched_ref(
            || sharder.clone(),
            |sharder| sharder.handle_watch(now(2), Watched::Stored(joiner.clone())),
            criterion::BatchSize::SmallInput,
        );
    });
    let left = MemberRecord { state: State::Left, ..(*joiner.record).clone() };
    let left = StoredMember { record: left.into(), version: 5_001 };
    c.bench_function("sharding/one of 301 leaves, 65536 slots", |b| {
        b.iter_batched_ref(
            || crowd.clone(),
            |sharder| sharder.handle_watch(now(2), Watched::Stored(left.clone())),
            criterion::BatchSize::SmallInput,
        );
    });
    c.bench_function("sharding/300 members from nothing, 65536 slots", |b| {
        b.iter(|| black_box(member(65_536)));
    });
}

criterion_group!(all, benches);
criterion_main!(all);
