//! Mode `leased`.

use std::time::Duration;

use tenure::election::Stored;
use tenure::placement::{Key, Members, Placement, Rendezvous};
use tenure::sharding::{Cause, Config, Event, Mode, Slot, SlotSet, Slots, Standing, State};

use crate::group::Group;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const SLOTS: u32 = 32;

pub(crate) fn config(name: &str) -> Config {
    let slots = Slots::new(SLOTS).unwrap();
    Config { mode: Mode::Leased, slots, ..Group::config(name) }
}

pub(crate) fn group(members: usize, watches: bool) -> Group {
    let mut group = Group::new();
    group.watches = watches;
    for n in 0..members {
        group.add(config(&format!("member-{n}")));
    }
    group.run(SECOND * 20);
    group
}

pub(crate) fn slots() -> Vec<Slot> {
    Slots::new(SLOTS).unwrap().iter().collect()
}

fn at(slot: Slot) -> usize {
    slot.index() as usize
}

pub(crate) fn owners(group: &Group) -> Vec<Option<usize>> {
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
pub(crate) fn until_settled(group: &mut Group, of: &[usize], limit: Duration) -> Duration {
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

/// The group looks at each request's deadline.
#[test]
fn requests_for_locks_have_the_time_that_is_configured() {
    let mut group = Group::new();
    group.add(Config { request_timeout: SECOND, ..config("member-0") });
    group.run(SECOND * 20);
    assert!(group.elections > 32);
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
    for (watches, limit) in [(false, SECOND * 12), (true, SECOND * 3)] {
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
    for (watches, limit) in [(false, SECOND * 10), (true, SECOND / 2)] {
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
    for n in [0, 1] {
        let now = group.now();
        group.members[n].sharder.leave(now);
        group.settle();
        group.run(SECOND * 2);
        assert!(group.members[n].sharder.is_finished());
    }
    let free = |stored: &Stored| stored.object.record().unwrap().holder.is_empty();
    assert!(group.locks.len() == 32 && group.locks.values().all(free));
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
    let mut most = SlotSet::all(Slots::new(SLOTS).unwrap());
    let last = slots().into_iter().find(|slot| group.members[0].working.contains(slot)).unwrap();
    most.remove(last);
    group.drain(0, &most);
    group.run(SECOND / 10);
    assert_eq!(group.shares(), [0, 31]);
    most.insert(last);
    group.drain(0, &most);
    until_settled(&mut group, &[1], SECOND / 10);
    assert!(group.members[0].sharder.is_finished());
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

/// It has left when its leases are given back.
#[test]
fn a_leaver_gives_its_leases_back() {
    let mut group = group(2, true);
    group.locked = true;
    let now = group.now();
    group.members[0].sharder.leave(now);
    group.settle();
    group.run(SECOND * 3);
    assert_eq!(group.records["member-0"].record.state, State::Draining);
    group.locked = false;
    until_settled(&mut group, &[1], SECOND * 3);
    assert!(group.members[0].sharder.is_finished());
}

/// Those of a member that cannot take them yet stay where they are.
#[test]
fn a_joiner_that_waits_takes_nothing() {
    let mut group = group(2, true);
    group.add(Config { distrust_deletion: true, ..config("member-2") });
    group.run(SECOND * 14);
    assert_eq!(owners(&group), preferred(&[0, 1]));
    until_settled(&mut group, &[0, 1, 2], SECOND * 8);
}

/// Who takes a lease just when it should not have it any more gives it back, without any work.
#[test]
fn a_lease_that_comes_too_late_is_given_back() {
    let mut group = Group::new();
    (group.watches, group.lock_latency) = (true, 600);
    group.add(config("member-0"));
    group.run(SECOND);
    group.add(config("member-1"));
    until_settled(&mut group, &[0, 1], SECOND * 15);
}

/// A lease that is gone is made anew by the one who should have it, whoever finds that first.
#[test]
fn only_the_preferred_makes_a_missing_lease() {
    let mut group = group(2, false);
    for (slot, owner) in slots().into_iter().zip(preferred(&[0, 1])) {
        let name = format!("group-slot-{slot}");
        group.locks.remove(name.as_str());
        while !group.locks.contains_key(name.as_str()) {
            group.run(SECOND / 100);
        }
        let holder = group.locks[name.as_str()].object.record().unwrap().holder;
        assert!(holder.as_str().starts_with(&format!("member-{}_", owner.unwrap())), "{holder}");
    }
}
