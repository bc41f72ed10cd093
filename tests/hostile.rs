//! What a hostile or garbled record can do, and what it cannot: each test is a row of the table in
//! `SECURITY.md`. Whoever can write a lock can keep it, by renewing it; so a record makes others wait for
//! as long as it says. It makes nobody panic, lead wrongly, or spend more than its length is worth.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use allocation_counter::measure;
use tenure::election::{self, Config, Elector, Event, Failure, Op, Profile, Release, Stored};
use tenure::lock::annotated::Annotated;
use tenure::lock::lease::{Lease, LeaseSpec};
use tenure::lock::{Kind, LockRef, Object, Record, Version, wire};
use tenure::sharding::planned::{MAX_TEXT, Plan, Policy, StoredPlan};
use tenure::sharding::{
    self, Answer, Generation, Incarnation, MemberRecord, Mode, Sharder, Slots, State, StoredMember,
    Watched,
};
use tenure::time::{Instant, Now, Timestamp};

const SECOND: Duration = Duration::from_secs(1);
const PROFILES: [Profile; 2] = [Profile::Strict, Profile::ClientGo(Release::Head)];

fn at(millis: u64) -> Now {
    let timestamp =
        Timestamp::from_unix_nanos((1_700_000_000_000 + i128::from(millis)) * 1_000_000);
    Now { instant: Instant::from_nanos(millis * 1_000_000), timestamp }
}

/// A candidate that finds this object whenever it looks, from 0 on; what it writes and when, up to the
/// end; how often it is called is bounded.
fn candidate(
    profile: Profile,
    kind: Kind,
    stored: &Stored,
    until: Duration,
) -> Option<(u64, Object)> {
    let lock = LockRef { kind, ..LockRef::lease("ns", "lock") };
    let config = Config { profile, ..Config::new(lock, "me", "1") };
    let mut elector = Elector::new(config, 1, at(0).instant).unwrap();
    let end = u64::try_from(until.as_millis()).unwrap();
    let mut now = 0;
    for _ in 0..10_000 {
        elector.handle_timeout(at(now));
        assert!(!elector.is_leading(at(now).instant), "nothing was ever written");
        while let Some(event) = elector.poll_event() {
            assert!(!matches!(event, Event::StartedLeading { .. }), "{event:?}");
        }
        let Some(request) = elector.poll_request() else {
            now = elector.poll_timeout().unwrap().as_nanos().div_ceil(1_000_000).max(now);
            if now > end {
                return None;
            }
            continue;
        };
        match request.op {
            Op::Update(object, version) => {
                assert_eq!(version, stored.version, "never over what was not read");
                return Some((now, object));
            }
            Op::Create(object) => panic!("there is one: {object:?}"),
            Op::Get => {
                let result = Ok(stored.clone());
                elector.handle_response(at(now + 5), election::Response { id: request.id, result });
                now += 5;
            }
        }
    }
    panic!("a busy loop");
}

fn lease(record: &Record) -> Stored {
    let lease = Lease { spec: LeaseSpec::from_record(record), ..Lease::default() };
    Stored { object: Object::Lease(lease), version: Version::ordered(7) }
}

fn annotated(text: &str) -> Stored {
    let mut object = Annotated::default();
    object.annotate(text);
    Stored { object: Object::ConfigMap(object), version: Version::ordered(7) }
}

fn others() -> Record {
    Record { holder: "other".into(), lease_duration_seconds: 15, ..Record::default() }
}

#[test]
fn a_duration_of_68_years_is_waited_for_and_takes_no_more() {
    for profile in PROFILES {
        for seconds in [i64::from(i32::MAX), i64::from(i32::MAX) - 1] {
            let record = Record { lease_duration_seconds: seconds, ..others() };
            let day = SECOND * 3_600;
            assert_eq!(candidate(profile, Kind::Lease, &lease(&record), day), None);
        }
    }
    // An annotation has 64 bits: 292 billion years. A strict candidate waits to the end of its clock;
    // client-go's arithmetic turns over, and so does that of its profile.
    for seconds in [i64::MAX, i64::MAX / 1_000_000_000 + 1] {
        let text = wire::record_to_json(&Record { lease_duration_seconds: seconds, ..others() });
        let strict = candidate(Profile::Strict, Kind::ConfigMap, &annotated(&text), SECOND * 3_600);
        assert_eq!(strict, None);
        let go = Profile::ClientGo(Release::Head);
        let _ = candidate(go, Kind::ConfigMap, &annotated(&text), SECOND * 3_600);
    }
}

#[test]
fn no_duration_or_a_negative_one_is_taken_for_the_own() {
    for seconds in [0, -1, i64::from(i32::MIN)] {
        let record = Record { lease_duration_seconds: seconds, ..others() };
        let taken = candidate(Profile::Strict, Kind::Lease, &lease(&record), SECOND * 60);
        let (when, _) = taken.unwrap();
        assert!((15_000..20_000).contains(&when), "{seconds}: after {when} ms");
        // client-go takes such a lock at once, and so does its profile: nothing is promised there.
        let go = Profile::ClientGo(Release::Head);
        let (when, _) = candidate(go, Kind::Lease, &lease(&record), SECOND * 60).unwrap();
        assert!(when < 10_000, "{when}");
    }
}

#[test]
fn clocks_in_a_record_decide_nothing() {
    let times = ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z"];
    for profile in PROFILES {
        let when = |record: &Record| {
            candidate(profile, Kind::Lease, &lease(record), SECOND * 60).map(|(when, _)| when)
        };
        let without = when(&others());
        assert!(without.is_some());
        let read = times.map(|time| {
            let text = format!("{{\"renewTime\":\"{time}\",\"acquireTime\":\"{time}\"}}");
            wire::record_from_json(text.as_bytes()).unwrap().renew_time
        });
        let extremes = [i128::MIN, i128::MAX].map(|nanos| Some(Timestamp::from_unix_nanos(nanos)));
        for time in read.into_iter().chain(extremes) {
            let record = Record { renew_time: time, acquire_time: time, ..others() };
            assert_eq!(when(&record), without, "{time:?}");
            // What no year can say is written all the same, as some text, by no arithmetic that ends.
            assert!(wire::record_to_json(&record).len() < 1_000);
            let Object::Lease(lease) = lease(&record).object else { panic!() };
            assert!(wire::lease_to_json(&lease, None).len() < 1_000);
        }
    }
}

#[test]
fn names_of_megabytes_cost_their_length() {
    let name = "x".repeat(4 << 20);
    for profile in PROFILES {
        let preferred = name.as_str().into();
        let record =
            Record { holder: name.as_str().into(), preferred_holder: preferred, ..others() };
        let stored = lease(&Record { lease_duration_seconds: 15, ..record });
        let mut taken = None;
        let used = measure(|| taken = candidate(profile, Kind::Lease, &stored, SECOND * 60));
        assert!(used.bytes_total < 1 << 20, "names are shared, not copied: {}", used.bytes_total);
        assert!(taken.is_some());
    }
    let text = wire::record_to_json(&Record { holder: name.as_str().into(), ..others() });
    let used = measure(|| drop(wire::record_from_json(text.as_bytes()).unwrap()));
    assert!(used.bytes_total < 6 * text.len() as u64, "{}", used.bytes_total);
}

#[test]
fn a_count_of_transitions_at_its_end_stays_there() {
    for transitions in [i64::from(i32::MAX), i64::MAX, -1, i64::from(i32::MIN), i64::MIN] {
        let record = Record { leader_transitions: transitions, ..others() };
        let text = wire::record_to_json(&record);
        let taken = candidate(Profile::Strict, Kind::ConfigMap, &annotated(&text), SECOND * 60);
        let written = taken.unwrap().1.record().unwrap().leader_transitions;
        assert!((1..=i64::from(i32::MAX)).contains(&written), "{transitions}: {written}");
        // client-go's counter turns over, and a Lease that says so is refused by Kubernetes: its elector
        // can never take that lock. Its profile does the same, and goes on trying.
        for kind in [Kind::Lease, Kind::ConfigMap] {
            let stored = if kind == Kind::Lease { lease(&record) } else { annotated(&text) };
            let go = Profile::ClientGo(Release::Head);
            assert!(candidate(go, kind, &stored, SECOND * 60).is_some());
        }
    }
}

#[test]
fn text_that_is_no_record_is_refused_at_the_cost_of_its_length() {
    let deep = |open: &str, close: &str, depth: usize| open.repeat(depth) + &close.repeat(depth);
    let texts = [
        deep("[", "]", 9_999),
        deep("[", "]", 1 << 20),
        "[".repeat(16 << 20),
        deep("{\"a\":", "}", 9_000).replace(":}", ":0}"),
        format!("{{\"holderIdentity\":{}1}}", "-".repeat(1 << 20)),
        format!("[{}0]", "[],".repeat(1 << 20)),
        format!("{{{}\"holderIdentity\":\"a\"}}", "\"holderIdentity\":\"b\",".repeat(1 << 17)),
        format!("{{\"leaderTransitions\":{}}}", "9".repeat(1 << 20)),
        "\u{0}".repeat(1 << 20),
        "\\".repeat(1 << 20),
    ];
    for text in &texts {
        let used = measure(|| {
            let _ = wire::record_from_json(text.as_bytes());
            let _ = wire::lease_from_json(text.as_bytes());
            let _ = wire::record_from_lenient_json(text.as_bytes());
            let _ = wire::object_from_api_json(Kind::Endpoints, text.as_bytes());
        });
        let start: String = text.chars().take(20).collect();
        assert!(used.bytes_max < 40 * text.len() as u64 + 4_096, "{start}: {}", used.bytes_max);
        if wire::record_from_json(text.as_bytes()).is_ok() {
            continue; // odd, and a record all the same
        }
        for profile in PROFILES {
            // A lock that cannot be read is nobody's to take.
            let taken = candidate(profile, Kind::ConfigMap, &annotated(text), SECOND * 6);
            assert!(taken.is_none(), "{start}");
        }
    }
}

#[test]
fn a_storm_of_watch_events_costs_each_event_and_gives_nothing_away() {
    let config = Config::new(LockRef::lease("ns", "lock"), "me", "1");
    let mut elector = Elector::new(config, 1, at(0).instant).unwrap();
    elector.handle_timeout(at(0));
    let request = elector.poll_request().unwrap();
    let result = Ok(lease(&others()));
    elector.handle_response(at(1), election::Response { id: request.id, result });
    let used = measure(|| {
        for nth in 0..100_000_u64 {
            // Any order, any version, deletions between: as a hostile proxy would have it.
            let version = nth.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
            let stored = Stored { version: Version::ordered(version), ..lease(&others()) };
            let watched = match nth % 5 {
                0 => election::Watched::Deleted,
                _ => election::Watched::Stored(stored),
            };
            elector.handle_watch(at(1 + nth / 1_000), watched);
            while let Some(event) = elector.poll_event() {
                assert!(!matches!(event, Event::StartedLeading { .. }), "{event:?}");
            }
            assert!(elector.poll_request().is_none_or(|it| it.op == Op::Get), "{nth}");
        }
    });
    assert!(used.bytes_max < 1 << 20, "nothing piles up: {}", used.bytes_max);
}

fn record(name: &str) -> MemberRecord {
    MemberRecord {
        member: name.into(),
        state: State::Active,
        incarnation: Incarnation { process: format!("of-{name}").into(), life: 1 },
        acted_on: Some(0),
        generation: sharder(Mode::Ranked(sharding::Ranking::Rendezvous)).config().generation(),
        lease_duration: SECOND * 15,
        joined: None,
        renewed: None,
    }
}

fn sharder(mode: Mode) -> Sharder {
    let slots = Slots::new(16).unwrap();
    let config = sharding::Config {
        mode,
        slots,
        ..sharding::Config::new("ns", "group", "m-me", "process-of-me")
    };
    Sharder::new(config, 1, at(0).instant).unwrap()
}

/// A store with what somebody has put there, and a member that lives with it.
struct World {
    member: Sharder,
    records: BTreeMap<Arc<str>, StoredMember>,
    plan: Option<StoredPlan>,
    locks: BTreeMap<Arc<str>, Stored>,
    version: u64,
    /// More that each list shows.
    again: Vec<StoredMember>,
}

impl World {
    fn new(mode: Mode, records: impl IntoIterator<Item = MemberRecord>) -> Self {
        let stored = |record: MemberRecord| {
            let name = Arc::from(record.name());
            (name, StoredMember { record: record.into(), version: 5 })
        };
        let records = records.into_iter().map(stored).collect();
        let (plan, locks) = (None, BTreeMap::new());
        Self { member: sharder(mode), records, plan, locks, version: 9, again: Vec::new() }
    }

    /// How many slots it has at the end.
    fn run(&mut self, seconds: u64) -> usize {
        let mut requests = 0;
        for tick in 0..=seconds * 10 {
            let now = at(tick * 100);
            self.member.handle_timeout(now);
            loop {
                while let Some(event) = self.member.poll_event() {
                    if let sharding::Event::Revoking { slots, .. }
                    | sharding::Event::Lapsed { slots, .. } = event
                    {
                        self.member.drained(now, &slots);
                    }
                }
                let Some(request) = self.member.poll_request() else { break };
                requests += 1;
                let result = self.call(request.op);
                let response = sharding::Response { id: request.id, result };
                self.member.handle_response(now, response);
            }
        }
        let members = self.records.len() as u64;
        assert!(requests < 20 * seconds + 4 * members, "{requests} requests in {seconds} s");
        let end = at(seconds * 1_000).instant;
        self.member
            .config()
            .slots
            .iter()
            .filter(|slot| self.member.token(*slot, end).is_some())
            .count()
    }

    fn call(&mut self, op: sharding::Op) -> Result<Answer, Failure> {
        self.version += 1;
        let version = self.version;
        match op {
            sharding::Op::List => {
                let members = self.again.iter().chain(self.records.values()).cloned().collect();
                Ok(Answer::Listed { members, version })
            }
            sharding::Op::Create(record) | sharding::Op::Update(record, _) => {
                self.records.insert(record.name().into(), StoredMember { record, version });
                Ok(Answer::Written { version })
            }
            sharding::Op::Delete(name, _) => {
                self.records.remove(&name);
                Ok(Answer::Deleted)
            }
            sharding::Op::ReadPlan => {
                self.plan.clone().map(Answer::Planned).ok_or(Failure::NotFound)
            }
            sharding::Op::CreatePlan(plan) | sharding::Op::UpdatePlan(plan, _) => {
                self.plan = Some(StoredPlan { plan, version });
                Ok(Answer::Written { version })
            }
            sharding::Op::Elect(lock, op) => {
                let object = match op {
                    Op::Get => {
                        let stored = self.locks.get(&lock.name).cloned();
                        return stored.map(Answer::Elected).ok_or(Failure::NotFound);
                    }
                    Op::Create(object) | Op::Update(object, _) => object,
                };
                let stored = Stored { object, version: Version::ordered(version) };
                self.locks.insert(lock.name.clone(), stored.clone());
                Ok(Answer::Elected(stored))
            }
        }
    }
}

fn modes() -> [Mode; 2] {
    [Mode::Ranked(sharding::Ranking::Rendezvous), Mode::Planned(Policy::default())]
}

#[test]
fn a_member_record_at_its_limits_keeps_slots_or_is_excluded() {
    for mode in modes() {
        let own = sharder(mode.clone()).config().generation();
        let hostile = |name: &str| MemberRecord { generation: own, ..record(name) };
        let rows = [
            MemberRecord { acted_on: Some(u64::MAX), ..hostile("acted") },
            MemberRecord { acted_on: None, ..hostile("acted-on-nothing") },
            MemberRecord {
                incarnation: Incarnation { process: "x".repeat(1 << 20).into(), life: u32::MAX },
                ..hostile("life")
            },
            MemberRecord {
                generation: Generation { number: u64::MAX, fingerprint: 1 },
                ..hostile("generation")
            },
            MemberRecord { lease_duration: Duration::ZERO, ..hostile("short") },
            MemberRecord {
                joined: Some(Timestamp::from_unix_nanos(i128::MAX)),
                renewed: Some(Timestamp::from_unix_nanos(i128::MIN)),
                ..hostile("times")
            },
            MemberRecord { state: State::Unreadable, ..hostile("unreadable") },
            MemberRecord {
                member: tenure::placement::Member::new("heavy").with_weight(NonZeroU32::MAX),
                ..hostile("heavy")
            },
        ];
        for row in rows {
            // Nothing of it is renewed: after its time it is excluded, and everything is the member's.
            let name = row.name().to_owned();
            let mut world = World::new(mode.clone(), [row]);
            assert_eq!(world.run(90), 16, "{name}");
        }
        let ever = MemberRecord { lease_duration: Duration::MAX, ..hostile("ever") };
        let mut world = World::new(mode, [ever]);
        assert!(world.run(90) < 16, "it is waited for, as its record says");
    }
}

#[test]
fn weights_add_up_however_many_are_the_greatest() {
    for mode in modes() {
        let generation = sharder(mode.clone()).config().generation();
        let heavy = |nth: u32| MemberRecord {
            member: tenure::placement::Member::new(format!("heavy-{nth}"))
                .with_weight(NonZeroU32::MAX),
            acted_on: Some(u64::MAX),
            generation,
            lease_duration: SECOND * 3_600,
            ..record("heavy")
        };
        let mut world = World::new(mode, (0..300).map(heavy));
        assert!(world.run(60) < 16);
    }
}

#[test]
fn a_hundred_thousand_members_cost_each_its_record() {
    let generation = record("a").generation;
    let many = |count: u32| {
        let each = move |nth: u32| MemberRecord {
            acted_on: Some(u64::MAX),
            state: if nth.is_multiple_of(2) { State::Active } else { State::Left },
            generation,
            ..record(&format!("m-{nth:06}"))
        };
        let members: Vec<StoredMember> =
            (0..count).map(|nth| StoredMember { record: each(nth).into(), version: 5 }).collect();
        let mut member = sharder(Mode::Ranked(sharding::Ranking::Rendezvous));
        let used = measure(|| {
            member.handle_timeout(at(0));
            while let Some(request) = member.poll_request() {
                let result = match request.op {
                    sharding::Op::List => {
                        Ok(Answer::Listed { members: members.clone(), version: 9 })
                    }
                    _ => Ok(Answer::Written { version: 8 }),
                };
                member.handle_response(at(1), sharding::Response { id: request.id, result });
            }
        });
        // And all of them vanish, as quickly.
        member.poke(at(3_000));
        while let Some(request) = member.poll_request() {
            let result = match request.op {
                sharding::Op::List => Ok(Answer::Listed { members: Vec::new(), version: 10 }),
                _ => Ok(Answer::Written { version: 11 }),
            };
            member.handle_response(at(3_001), sharding::Response { id: request.id, result });
        }
        used.bytes_max
    };
    let (some, more) = (many(10_000), many(100_000));
    assert!(more < 13 * some, "{some} and {more} bytes: more than each its share");
    assert!(more < 100_000 * 1_000, "{more}");
}

#[test]
fn of_a_member_that_a_list_names_twice_the_latest_version_counts() {
    for (again, slots) in [(4, 0), (6, 16)] {
        let ever = MemberRecord { lease_duration: SECOND * 3_600, ..record("b") };
        let mut world = World::new(Mode::Ranked(sharding::Ranking::Rendezvous), [ever.clone()]);
        let left = MemberRecord { state: State::Left, ..ever };
        // The record of version 5 is at work, and has not acknowledged anybody.
        world.again = vec![StoredMember { record: left.into(), version: again }];
        assert_eq!(world.run(60), slots, "version {again} says Left, version 5 Active");
    }
}

#[test]
fn a_storm_of_members_in_a_watch_costs_each_event() {
    let mut world = World::new(Mode::Ranked(sharding::Ranking::Rendezvous), []);
    assert_eq!(world.run(20), 16);
    let before = world.version;
    let used = measure(|| {
        for nth in 0..20_000_u64 {
            let version = before + 1 + nth;
            let watched = match nth % 4 {
                0 => Watched::Deleted { name: "flap".into(), version },
                1 => Watched::Progress { version: u64::MAX - nth },
                _ => Watched::Stored(StoredMember { record: record("flap").into(), version }),
            };
            world.member.handle_watch(at(20_000 + nth / 100), watched);
            while world.member.poll_event().is_some() {}
        }
    });
    assert!(used.bytes_max < 4 << 20, "nothing piles up: {}", used.bytes_max);
}

/// Bytes as base64, as a plan is.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = DIGITS.get((bits >> (18 - 6 * place) & 63) as usize).unwrap();
            text.push(if place > three.len() { '=' } else { char::from(*digit) });
        }
    }
    text
}

#[test]
fn a_plan_that_says_much_in_few_bytes_takes_no_more_than_its_slots() {
    // Format 1, 2^16 slots, generation 1-0, no members, one version, and runs: one of nobody, one of it.
    let head = |slots: u8| [&[1, slots, 1][..], &[0; 8], &[0, 1, 7]].concat();
    let runs = [1, 0x80, 0x80, 4, 0, 1, 0x80, 0x80, 4, 0];
    let tiny = base64(&[head(16), runs.to_vec()].concat());
    let used = measure(|| drop(tiny.parse::<Plan>().unwrap()));
    assert!(used.bytes_max < 4 << 20, "{}", used.bytes_max);
    let claims = [
        base64(&[head(17), runs.to_vec()].concat()), // more slots than there can be
        base64(&[&[1, 16, 1][..], &[0; 8], &[0xff; 9]].concat()), // as many members as 2^63
        base64(&[&[1, 16, 1][..], &[0; 8], &[0, 0xff, 0xff, 0xff, 0x7f]].concat()), // versions
        base64(&[&head(16)[..], &[1, 0xff, 0xff, 0xff, 0xff, 0x7f, 0]].concat()), // a run beyond
        base64(&[0xff; 700]),
        "A".repeat(MAX_TEXT),
        "A".repeat(MAX_TEXT + 4),
        "A".repeat(64 << 20),
    ];
    for text in claims {
        let start: String = text.chars().take(24).collect();
        let used = measure(|| assert!(text.parse::<Plan>().is_err(), "{start}"));
        assert!(used.bytes_max < 8 << 20, "{start}: {}", used.bytes_max);
    }
}

#[test]
fn a_plan_that_names_the_end_of_versions_is_replaced() {
    let planned = Mode::Planned(Policy::default());
    let generation = sharder(planned.clone()).config().generation();
    let slots = Slots::new(16).unwrap();
    for (owner, since) in [("m-me", u64::MAX), ("nobody-known", u64::MAX), ("m-me", 0)] {
        let plan = Plan::new(generation, slots, [(16, Some(owner.into()), since)]).unwrap();
        for version in [1, 9, u64::MAX] {
            let mut world = World::new(planned.clone(), []);
            world.plan = Some(StoredPlan { plan: plan.clone().into(), version });
            // Only a store that has come to the end of its versions leaves nothing that could be later.
            let slots = if version == u64::MAX { 0 } else { 16 };
            assert_eq!(world.run(60), slots, "{owner} {since}, version {version}");
        }
    }
    // One that cannot be read is replaced.
    let mut world = World::new(planned, []);
    world.plan = Some(StoredPlan::unreadable(3));
    assert_eq!(world.run(60), 16);
}
