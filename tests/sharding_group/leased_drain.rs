//! Mode `leased`: leases that are lost while their slots are being given away.

use tenure::election;
use tenure::lock::lease::LeaseSpec;
use tenure::lock::{LockRef, Object, Record, Version};
use tenure::sharding::{Event, Lapse, Slot, SlotSet, Slots, Standing, Watched};

use crate::group::Group;
use crate::leased::{SECOND, SLOTS, config, group, slots, until_settled};

/// Of two members the first works on, on all that it has to give away: since a third has come, or since
/// it leaves.
fn draining(leaves: bool) -> (Group, SlotSet) {
    let mut group = group(2, true);
    group.members[0].prompt = false;
    if leaves {
        let now = group.now();
        group.members[0].sharder.leave(now);
        group.settle();
    } else {
        group.add(config("member-2"));
    }
    group.run(SECOND * 25); // longer than any lease
    let now = group.now().instant;
    let mut waiting = SlotSet::none(Slots::new(SLOTS).unwrap());
    let drains =
        |slot: &Slot| group.members[0].sharder.explain(*slot, now).standing == Standing::Draining;
    waiting.extend(slots().into_iter().filter(drains));
    assert!(!waiting.is_empty());
    group.members[0].events.clear();
    (group, waiting)
}

fn lapsed(group: &Group) -> Vec<(u64, SlotSet, Lapse)> {
    let events = group.members[0].events.iter().cloned();
    let lapsed = events.filter_map(|(at, event)| match event {
        Event::Lapsed { slots, cause } => Some((at, slots, cause)),
        _ => None,
    });
    lapsed.collect()
}

/// While it is renewed the right to finish lasts; when its lease has ended the member is told, once, and
/// `until` knew.
#[test]
fn a_lease_that_ends_while_its_slot_drains_is_told_of() {
    for leaves in [false, true] {
        let (mut group, waiting) = draining(leaves);
        assert_eq!(lapsed(&group), []);
        group.locked = true; // no lease can be renewed; the membership goes on
        let start = group.now().instant;
        group.run(SECOND * 7);
        let now = group.now().instant;
        let sharder = &group.members[0].sharder;
        for slot in &waiting {
            let until = sharder.explain(slot, now).until.unwrap();
            assert!(now < until && until <= start + SECOND * 10, "{until:?}");
            assert!(sharder.until().unwrap() <= until);
            assert_eq!(sharder.work_until(slot), Some(until));
        }
        group.run(SECOND * 4);
        // The membership goes on, and the work has not stopped; the right to it is over.
        let sharder = &group.members[0].sharder;
        assert!(waiting.iter().all(|slot| sharder.work_until(slot).is_none()));
        let mut left = waiting.clone();
        for (at, slots, cause) in lapsed(&group) {
            let Lapse::Expired { at: end } = cause else { panic!("{cause:?}") };
            assert!(end <= start + SECOND * 10, "{end:?}");
            assert!(at * 1_000_000 <= end.as_nanos() + 10_000_000, "told late: {at}");
            left.subtract(&slots);
        }
        assert!(left.is_empty(), "nobody was told of {left:?}");
        let told: usize = lapsed(&group).iter().map(|(_, slots, _)| slots.len()).sum();
        let all =
            waiting.len() + if leaves { 0 } else { group.members[0].working.len() - waiting.len() };
        assert_eq!(told, all);
        // The membership goes on, and so does the group when its leases can be had again.
        let membership = sharder_until(&group);
        assert!(membership.is_some_and(|until| until > group.now().instant));
        group.locked = false;
        let all = SlotSet::all(Slots::new(SLOTS).unwrap());
        group.drain(0, &all);
        group.members[0].prompt = true;
        let (members, wait): (&[usize], _) = if leaves { (&[1], 20) } else { (&[0, 1, 2], 20) };
        until_settled(&mut group, members, SECOND * wait);
        assert_eq!(group.members[0].sharder.is_finished(), leaves);
    }
}

fn sharder_until(group: &Group) -> Option<tenure::time::Instant> {
    group.members[0].sharder.until()
}

/// Who neither has a slot nor gives it away has no right to work on it.
#[test]
fn no_work_is_left_on_what_is_others() {
    let (group, waiting) = draining(false);
    let (sharder, now) = (&group.members[0].sharder, group.now().instant);
    for slot in slots() {
        let owned = sharder.permit(slot, now).map(|it| it.until);
        let may = owned.is_some() || waiting.contains(slot);
        assert_eq!(sharder.work_until(slot).is_some(), may, "{slot}");
        assert!(owned.is_none() || sharder.work_until(slot) == owned);
    }
}

/// Nor is it silent when somebody else holds the lease.
#[test]
fn a_lease_that_is_taken_while_its_slot_drains_is_told_of() {
    let (mut group, waiting) = draining(false);
    let slot = waiting.iter().next().unwrap();
    let name = format!("group-slot-{slot}");
    let mut stored = group.locks[name.as_str()].clone();
    group.version += 1;
    stored.version = Version::ordered(group.version);
    let Object::Lease(lease) = &mut stored.object else { panic!("a lease") };
    let record = Record { holder: "somebody".into(), ..lease.spec.to_record() };
    lease.spec = LeaseSpec::from_record(&record);
    group.locks.insert(name.as_str().into(), stored.clone());
    let lock = LockRef::lease("default", name);
    let now = group.now();
    let watched = election::Watched::Stored(stored);
    group.members[0].sharder.handle_watch(now, Watched::Lock(lock.into(), watched));
    group.settle();
    let told = lapsed(&group);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].1.iter().collect::<Vec<_>>(), told[0].2), (vec![slot], Lapse::Replaced));
}

/// When the membership ends all is told, and nothing again when the leases do.
#[test]
fn what_ends_with_the_membership_is_not_told_again() {
    let (mut group, waiting) = draining(false);
    group.members[0].cut = true;
    group.run(SECOND * 10);
    let mut told = SlotSet::none(waiting.slots());
    for (_, slots, _) in lapsed(&group) {
        told.add(&slots);
    }
    assert!(waiting.without(&told).is_empty());
    let count = lapsed(&group).len();
    group.run(SECOND * 2); // not long enough for anybody to take over
    assert_eq!((lapsed(&group).len(), group.members[0].sharder.until()), (count, None));
}
