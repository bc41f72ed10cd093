//! Mode `leased`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "slots and seats are numbers that the group gave; what is not expected fails the test"
)]

use std::time::Duration;

use tenure::election;
use tenure::lock::lease::LeaseSpec;
use tenure::lock::{LockRef, Object, Record, Version};
use tenure::placement::{Key, Members, Placement, Rendezvous};
use tenure::sharding::{
    Cause, Config, Event, Lapse, Mode, Ranking, Sharder, Slot, SlotSet, Slots, Standing, State,
    Watched,
};
use tenure::time::Instant;

use crate::group::Group;

const SECOND: Duration = Duration::from_secs(1);
const SLOTS: u32 = 32;

fn config(name: &str) -> Config {
    let slots = Slots::new(SLOTS).unwrap();
    Config { mode: Mode::Leased, slots, ..Group::config(name) }
}

fn group(members: usize, watches: bool) -> Group {
    let mut group = Group::new();
    group.watches = watches;
    for n in 0..members {
        group.add(config(&format!("member-{n}")));
    }
    group.run(SECOND * 20);
    group
}

fn slots() -> Vec<Slot> {
    Slots::new(SLOTS).unwrap().iter().collect()
}

fn at(slot: Slot) -> usize {
    slot.index() as usize
}

fn owners(group: &Group) -> Vec<Option<usize>> {
    slots().into_iter().map(|slot| group.owner(slot)).collect()
}

/// Who should have each slot, of the members with these numbers.
fn preferred(of: &[usize]) -> Vec<Option<usize>> {
    let names = of.iter().map(|n| format!("member-{n}"));
    let placement = Rendezvous::new(Members::new(names).unwrap());
    let owner = |slot: Slot| {
        let owner = placement.place(Key::from_hash(slot.index().into()))?;
        owner.name().strip_prefix("member-")?.parse().ok()
    };
    slots().into_iter().map(owner).collect()
}

/// The time until everybody has what it should, in steps of 10 ms.
fn until_settled(group: &mut Group, of: &[usize], limit: Duration) -> Duration {
    let (start, wanted) = (group.millis, preferred(of));
    while owners(group) != wanted {
        let passed = Duration::from_millis(group.millis - start);
        assert!(passed < limit, "{:?} instead of {wanted:?}", owners(group));
        group.run(SECOND / 100);
    }
    Duration::from_millis(group.millis - start)
}

/// Electors begin over a retry period.
#[test]
fn a_lone_member_owns_everything() {
    for watches in [false, true] {
        let mut group = Group::new();
        group.watches = watches;
        group.add(config("member-0"));
        group.run(SECOND);
        assert!((10..24).contains(&group.shares()[0]), "{:?}", group.shares());
        until_settled(&mut group, &[0], SECOND * 2);
    }
}

/// Who cannot trust that nobody deletes leases waits for those that it does not see.
#[test]
fn a_first_member_waits_where_leases_may_vanish() {
    let mut group = Group::new();
    group.add(Config { distrust_deletion: true, ..config("member-0") });
    group.run(SECOND * 29);
    assert_eq!(group.shares(), [0]);
    until_settled(&mut group, &[0], SECOND * 10);
}

/// Balanced as the placement is, and each has just what it should.
#[test]
fn members_share_as_the_placement_says() {
    for (watches, limit) in [(false, SECOND * 12), (true, SECOND * 6)] {
        let mut group = Group::new();
        group.watches = watches;
        for n in 0..4 {
            group.add(config(&format!("member-{n}")));
            group.run(SECOND / 10);
        }
        until_settled(&mut group, &[0, 1, 2, 3], limit);
        group.run(SECOND * 30);
        assert_eq!(owners(&group), preferred(&[0, 1, 2, 3]));
    }
}

/// A scale-up moves what the joiner wins and interrupts nothing else.
#[test]
fn a_join_moves_what_the_joiner_wins() {
    for (watches, limit) in [(false, SECOND * 10), (true, SECOND * 3)] {
        let mut group = group(3, watches);
        for seat in &mut group.members {
            seat.events.clear();
        }
        group.add(config("member-3"));
        until_settled(&mut group, &[0, 1, 2, 3], limit);
        group.run(SECOND * 10);
        let (before, after) = (preferred(&[0, 1, 2]), preferred(&[0, 1, 2, 3]));
        for (n, seat) in group.members[..3].iter().enumerate() {
            let mut revoked = SlotSet::none(Slots::new(SLOTS).unwrap());
            for (_, event) in &seat.events {
                match event {
                    Event::Revoking { slots, cause: Cause::Moved } => revoked.add(slots),
                    Event::Released(_) => {}
                    other => panic!("{other:?}"),
                }
            }
            let moved = |slot: &Slot| before[at(*slot)] == Some(n) && after[at(*slot)] != Some(n);
            assert!(slots().into_iter().filter(moved).eq(revoked.iter()));
        }
    }
}

/// A member that dies is replaced when its leases have run out, not before.
#[test]
fn a_crash_is_taken_over_after_the_lease() {
    for (watches, limit) in [(false, SECOND * 22), (true, 35 * SECOND / 2)] {
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

/// A leaver's slots go over in less than a retry period.
#[test]
fn a_leave_hands_over_below_a_retry_period() {
    let mut group = group(3, true);
    let now = group.now();
    group.members[2].sharder.leave(now);
    group.settle();
    until_settled(&mut group, &[0, 1], SECOND * 2);
    assert!(group.members[2].sharder.is_finished());
    assert_eq!(group.records["member-2"].record.state, State::Left);
    let all: usize = group.shares().iter().sum();
    assert_eq!(all, 32);
}

/// Without a watch a lease that is free is found by the next look.
#[test]
fn a_leave_without_watches_takes_a_few_retry_periods() {
    let mut group = group(3, false);
    let now = group.now();
    group.members[2].sharder.leave(now);
    group.settle();
    until_settled(&mut group, &[0, 1], SECOND * 7);
}

/// A lease is held while work goes on, and only the slots with such work wait.
#[test]
fn a_slot_is_not_released_while_work_goes_on() {
    for watches in [false, true] {
        let mut group = group(2, watches);
        group.members[0].prompt = false;
        group.add(config("member-2"));
        group.run(SECOND * 30);
        let (before, after) = (preferred(&[0, 1]), preferred(&[0, 1, 2]));
        let now = group.now();
        let mut waiting = SlotSet::none(Slots::new(SLOTS).unwrap());
        for slot in slots() {
            let (before, after) = (before[at(slot)], after[at(slot)]);
            let waits = before == Some(0) && after == Some(2);
            assert_eq!(group.owner(slot), after.filter(|_| !waits));
            if waits {
                waiting.insert(slot);
                let standing =
                    |n: usize| group.members[n].sharder.explain(slot, now.instant).standing;
                assert_eq!(standing(0), Standing::Draining);
                assert_eq!(standing(2), Standing::AwaitingLease);
            }
        }
        assert!(!waiting.is_empty());
        let overdue = |(_, event): &(u64, Event)| *event == Event::DrainOverdue(waiting.clone());
        group.run(SECOND * 5);
        assert!(group.members[0].events.iter().any(overdue));
        group.drain(0, &waiting);
        until_settled(&mut group, &[0, 1, 2], if watches { SECOND / 10 } else { SECOND * 5 });
    }
}

/// The same for a leaver, and it is not gone before.
#[test]
fn a_leaver_waits_for_its_work() {
    let mut group = group(2, true);
    group.members[0].prompt = false;
    let now = group.now();
    group.members[0].sharder.leave(now);
    group.settle();
    group.run(SECOND * 30);
    let mine: usize = preferred(&[0, 1]).iter().filter(|owner| **owner == Some(0)).count();
    assert_eq!(group.shares(), [0, 32 - mine]);
    assert_eq!(group.records["member-0"].record.state, State::Draining);
    group.drain(0, &SlotSet::all(Slots::new(SLOTS).unwrap()));
    until_settled(&mut group, &[1], SECOND / 10);
    assert!(group.members[0].sharder.is_finished());
}

/// A permit ends with its slot's lease, whatever the driver has noticed.
#[test]
fn a_cut_off_member_stops_by_itself() {
    let mut group = group(2, true);
    let cut: Sharder = group.members[0].sharder.clone();
    let mut ends = Vec::new();
    for slot in slots().into_iter().filter(|slot| group.owner(*slot) == Some(0)) {
        let now = group.now().instant;
        let permit = cut.permit(slot, now).unwrap();
        assert!(permit.until > now && permit.until <= now + SECOND * 10);
        assert!(cut.owned(permit.until).is_none());
        let key = Key::from_hash(u64::from(slot.index()) << 59);
        let just_before = Instant::from_nanos(permit.until.as_nanos() - 1);
        assert!(cut.owns(key, just_before) && !cut.owns(key, permit.until));
        assert!(cut.token(slot, permit.until).is_none());
        ends.push(permit.until);
    }
    assert_eq!(cut.until(), ends.iter().min().copied());
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
        let lapsed = group.members[0].events.iter().find_map(|(_, event)| match event {
            Event::Lapsed { slots, cause } => Some((slots.iter().collect::<Vec<_>>(), *cause)),
            _ => None,
        });
        assert_eq!(lapsed, Some((vec![slot], cause)));
        group.run(SECOND * 20);
        assert_eq!(group.shares(), [32]);
    }
}

/// (N + S) / R writes a second. Without watches each reads the leases of others every 1.6 R.
#[test]
fn the_store_is_asked_as_promised() {
    let seconds = 200;
    let (members, slots, retry) = (4, u64::from(SLOTS), 2);
    for watches in [false, true] {
        let mut group = group(4, watches);
        (group.writes, group.lists, group.elections, group.looks) = (0, 0, 0, 0);
        group.run(SECOND * u32::try_from(seconds).unwrap());
        let near = |count: u64, expected: u64| {
            let range = expected * 19 / 20..=expected * 21 / 20;
            assert!(range.contains(&count), "{count} instead of {expected}");
        };
        near(group.elections, slots * seconds / retry);
        near(group.writes, members * seconds / retry * 20 / 19);
        if watches {
            assert_eq!(group.looks, 0);
            assert!(group.lists <= members);
        } else {
            near(group.looks, (members - 1) * slots * seconds * 10 / (16 * retry));
            near(group.lists, members * seconds / retry * 20 / 19);
        }
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
        group.loses = 0;
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
