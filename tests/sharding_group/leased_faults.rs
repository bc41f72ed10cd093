//! Mode `leased` when things go wrong, or change.

use std::time::Duration;

use tenure::election;
use tenure::lock::lease::LeaseSpec;
use tenure::lock::{Kind, LockRef, Object, Record, Version};
use tenure::placement::Key;
use tenure::sharding::{Config, Event, Lapse, Mode, Ranking, Sharder, Slots, Watched};
use tenure::time::Instant;

use crate::group::Group;
use crate::leased::{SECOND, config, group, slots, until_settled};

/// A member that dies is replaced when its leases have run out, not before.
#[test]
fn a_crash_is_taken_over_after_the_lease() {
    for (watches, limit) in [(false, SECOND * 20), (true, SECOND * 15)] {
        let mut group = group(3, watches);
        group.members[1].cut = true;
        let start = group.millis;
        group.run(SECOND * 12);
        assert_eq!(group.shares().iter().filter(|share| **share > 0).count(), 2);
        let settled = until_settled(&mut group, &[0, 2], limit);
        let since = Duration::from_millis(group.millis - start);
        assert!(since <= limit, "{since:?}");
        assert!(settled > SECOND, "{settled:?}");
        let lapsed = group.members[1].events.iter().filter_map(|(at, event)| match event {
            Event::Lapsed { cause: Lapse::Expired { .. }, .. } => Some(at - start),
            _ => None,
        });
        assert!(lapsed.max().is_some_and(|at| at <= 10_000));
        group.members[1].cut = false;
        until_settled(&mut group, &[0, 1, 2], SECOND * 20);
        assert_eq!(group.records["member-1"].record.incarnation.life, 2);
    }
}

/// A permit ends with its slot's lease, whatever the driver has noticed.
#[test]
fn a_cut_off_member_stops_by_itself() {
    let group = group(2, true);
    let cut: Sharder = group.members[0].sharder.clone();
    let mut ends = Vec::new();
    for slot in slots().into_iter().filter(|slot| group.owner(*slot) == Some(0)) {
        let now = group.now().instant;
        let permit = cut.permit(slot, now).unwrap();
        assert!(permit.until > now && permit.until <= now + SECOND * 10);
        assert!(cut.owned(permit.until).is_none_or(|left| !left.contains(slot)));
        let key = Key::from_hash(u64::from(slot.index()) << 59);
        let just_before = Instant::from_nanos(permit.until.as_nanos() - 1);
        assert!(cut.owns(key, just_before) && !cut.owns(key, permit.until));
        assert!(cut.token(slot, permit.until).is_none());
        ends.push(permit.until);
    }
    assert_eq!(cut.until(), ends.iter().min().copied());
    // What one lease that has ended takes away is its slot, also before anybody notices.
    let first = cut.until().unwrap();
    let left = cut.owned(first).unwrap();
    assert!(!left.is_empty() && left.len() < group.shares()[0]);
    assert!(
        slots().into_iter().all(|slot| left.contains(slot) == cut.token(slot, first).is_some())
    );
    ends.sort_unstable();
    ends.dedup();
    assert!(ends.len() > 3, "{ends:?}"); // they do not renew all at once
}

/// A lease that somebody else holds, or that is gone, ends the right to its slot alone.
#[test]
fn a_lost_lease_ends_one_slot() {
    for (gone, cause) in [(true, Lapse::Missing), (false, Lapse::Replaced)] {
        let mut group = group(1, false);
        let slot = slots()[5];
        let name: &str = "group-slot-5";
        group.members[0].events.clear();
        if gone {
            group.locks.remove(name);
        } else {
            let mut stored = group.locks[name].clone();
            group.version += 1;
            stored.version = Version::ordered(group.version);
            let Object::Lease(lease) = &mut stored.object else { panic!("a lease") };
            let record = Record { holder: "somebody".into(), ..lease.spec.to_record() };
            lease.spec = LeaseSpec::from_record(&record);
            group.locks.insert(name.into(), stored.clone());
            let lock = LockRef::lease("default", name);
            let now = group.now();
            let watched = election::Watched::Stored(stored);
            group.members[0].sharder.handle_watch(now, Watched::Lock(lock.into(), watched));
            group.settle();
        }
        group.run(SECOND * 3);
        let lapsed = group.members[0].events.iter().find_map(|(_, event)| match *event {
            Event::Lapsed { ref slots, cause } => Some((slots.iter().collect::<Vec<_>>(), cause)),
            _ => None,
        });
        assert_eq!(lapsed, Some((vec![slot], cause)));
        group.run(SECOND * 20);
        assert_eq!(group.shares(), [32]);
    }
}

/// Another number of slots: nobody acts by it before nobody acts by the old one.
#[test]
fn generations_do_not_overlap() {
    let mut group = group(2, true);
    let slots = Slots::new(64).unwrap();
    for n in 2..4 {
        group.add(Config { generation: 2, slots, ..config(&format!("member-{n}")) });
    }
    group.run(SECOND * 20);
    let acting = |group: &Group, n: std::ops::Range<usize>| group.shares()[n].iter().sum::<usize>();
    assert_eq!((acting(&group, 0..2), acting(&group, 2..4)), (32, 0));
    for old in 0..2 {
        let now = group.now();
        group.members[old].sharder.leave(now);
        group.settle();
        group.run(SECOND * 10);
        assert!(acting(&group, 0..2) == 0 || acting(&group, 2..4) == 0);
    }
    assert_eq!(acting(&group, 2..4), 64);
}

/// From leases to views and back, by everybody in turn.
#[test]
fn the_mode_changes_between_lives() {
    let mut group = group(2, true);
    for (generation, mode) in [(2, Mode::Ranked(Ranking::Rendezvous)), (3, Mode::Leased)] {
        for n in 0..2 {
            let config =
                Config { generation, mode: mode.clone(), ..config(&format!("member-{n}")) };
            let now = group.now();
            group.members[n].sharder.reconfigure(now, config).unwrap();
            group.settle();
            group.run(SECOND * 10);
        }
        until_settled(&mut group, &[0, 1], SECOND * 10);
    }
}

/// Whatever happens to the members' records, the leases alone keep a slot from having two owners; here
/// nobody believes in any other member.
#[test]
fn leases_alone_exclude_each_other() {
    let mut group = group(1, true);
    group.members[0].cut = true;
    group.records.clear();
    group.add(config("member-1"));
    group.run(SECOND * 9);
    assert_eq!(group.shares()[1], 0);
    group.run(SECOND * 15);
    assert_eq!(group.shares(), [0, 32]);
}

/// Members come, go, are cut off and work slowly while calls fail, and then all is well again. That no
/// slot has two owners, that no two work on one, and that tokens grow is checked all the time.
#[test]
fn a_storm() {
    for seed in 1..=6 {
        let mut group = group(3, seed % 2 == 0);
        group.loses = 12;
        group.latency = seed % 3 * 400;
        for _ in 0..seed {
            group.random();
        }
        for _ in 0..60 {
            let n = usize::try_from(group.random() % 3).unwrap();
            match group.random() % 4 {
                0 => group.members[n].cut ^= true,
                1 => {
                    let now = group.now();
                    group.members[n].sharder.poke(now);
                }
                2 => {
                    let now = group.now();
                    let mut config = group.members[n].sharder.config().clone();
                    let weight = 1 + u32::try_from(group.random() % 3).unwrap();
                    config.member = config.member.with_weight(weight.try_into().unwrap());
                    group.members[n].sharder.reconfigure(now, config).unwrap();
                }
                _ => {
                    let name = format!("group-slot-{}", group.random() % 4);
                    let now = group.now();
                    let lock = LockRef::lease("default", name);
                    let watched = Watched::Lock(lock.into(), election::Watched::Deleted);
                    group.members[n].sharder.handle_watch(now, watched);
                }
            }
            group.settle();
            let wait = Duration::from_millis(group.random() % 9_000);
            group.run(wait);
        }
        (group.loses, group.latency) = (0, 0);
        for n in 0..3 {
            group.members[n].cut = false;
            let now = group.now();
            group.members[n].sharder.reconfigure(now, config(&format!("member-{n}"))).unwrap();
        }
        until_settled(&mut group, &[0, 1, 2], SECOND * 60);
    }
}

#[test]
fn what_cannot_lock_is_refused() {
    let wrong = Config::new("default", "group", "member", "a_b");
    assert!(wrong.validate().is_ok());
    let error = Config { mode: Mode::Leased, ..wrong }.validate().unwrap_err().to_string();
    assert!(error.contains("mode leased: incarnation contains '_'"), "{error}");
}

/// One that starts anew under its name, and has seen no lease before, need not wait for them: its former
/// life is excluded.
#[test]
fn who_is_back_waits_once() {
    for watches in [false, true] {
        let mut group = group(1, watches);
        group.members[0].frozen = true;
        group.run(SECOND * 5);
        group.add(Config { incarnation: "again".into(), ..config("member-0") });
        group.run(SECOND * 14);
        assert_eq!(group.shares()[1], 0);
        group.run(SECOND * 7);
        assert_eq!(group.shares()[1], 32);
    }
}

/// A process that stands still has lost its right before anybody takes over, though it cannot say so.
#[test]
fn a_frozen_member_has_no_right_when_others_take_over() {
    for watches in [false, true] {
        let mut group = group(3, watches);
        group.members[1].frozen = true;
        until_settled(&mut group, &[0, 2], SECOND * 25);
        group.members[1].frozen = false;
        group.members[1].working.clear(); // it asks before it goes on
        until_settled(&mut group, &[0, 1, 2], SECOND * 30);
    }
}

/// Who is no member any more gives its leases back, then begins anew.
#[test]
fn a_deleted_record_ends_a_life() {
    for watches in [false, true] {
        let mut group = group(2, watches);
        group.members[0].events.clear();
        group.delete(&"member-0".into());
        group.run(SECOND * 3);
        let first = group.members[0].events.iter().find_map(|(_, event)| match *event {
            Event::Lapsed { cause, .. } => Some(cause),
            _ => None,
        });
        assert_eq!(first, Some(Lapse::Missing));
        until_settled(&mut group, &[0, 1], SECOND * 12);
        assert_eq!(group.records["member-0"].record.incarnation.life, 2);
    }
}

/// A lock of another group, or another kind, is nobody's.
#[test]
fn other_locks_do_not_matter() {
    let mut group = group(1, true);
    group.members[0].frozen = true; // to look at what it would ask
    let gone = |kind: Kind, name: &str| {
        let lock = LockRef { kind, ..LockRef::lease("default", name) };
        Watched::Lock(lock.into(), election::Watched::Deleted)
    };
    let now = group.now();
    let mut asked = |watched: Watched| {
        group.members[0].sharder.handle_watch(now, watched);
        group.members[0].sharder.poll_request().is_some()
    };
    for name in ["other-slot-5", "group-slot-05", "group-slot-32", "group-slot-", "5", "-5"] {
        assert!(!asked(gone(Kind::Lease, name)), "{name}");
    }
    assert!(!asked(gone(Kind::ConfigMap, "group-slot-5")));
    assert!(asked(gone(Kind::Lease, "group-slot-5")));
}
