//! Records and plans that cannot be read: whoever may be at work is waited for, and nobody else stops.

use std::num::NonZeroU32;
use std::time::Duration;

use tenure::placement::Member;
use tenure::sharding::planned::Policy;
use tenure::sharding::{Config, Event, Lapse, MemberRecord, Mode, Plan, Slots, State, StoredPlan};

use crate::group::Group;

const SECOND: Duration = Duration::from_secs(1);

/// The second of three weighs as much as three.
fn group(watches: bool) -> Group {
    let mut group = Group::new();
    group.watches = watches;
    for (n, weight) in [1, 3, 1].into_iter().enumerate() {
        let name = format!("member-{n}");
        let member = Member::from(&*name).with_weight(NonZeroU32::new(weight).unwrap());
        group.add(Config { member, ..Group::config(&name) });
    }
    group.run(SECOND * 10);
    assert_eq!(group.shares().iter().sum::<usize>(), 1024);
    group.members.iter_mut().for_each(|seat| seat.events.clear());
    group
}

/// Somebody writes garbage over the record; the driver makes this of it.
fn garble(group: &mut Group, name: &str, lease_duration: Duration) -> u64 {
    let version = group.write(MemberRecord::unreadable(name, lease_duration).into());
    group.settle();
    version
}

fn stopped(group: &Group, at: usize) -> bool {
    group.members[at]
        .events
        .iter()
        .any(|(_, event)| matches!(event, Event::Revoking { .. } | Event::Lapsed { .. }))
}

/// Its member may not have noticed: its slots stay its own for the lease duration, whatever the record
/// says of that; then they have other owners, and it comes back. Nobody else stops meanwhile.
#[test]
fn the_slots_of_an_unreadable_record_are_inherited_by_exclusion_only() {
    for (watches, cut) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut group = group(watches);
        let before = group.shares();
        group.members[1].cut = cut;
        garble(&mut group, "member-1", Duration::ZERO);
        group.run(SECOND * 14);
        let shares = group.shares();
        assert_eq!((shares[0], shares[2]), (before[0], before[2]));
        assert!(!stopped(&group, 0) && !stopped(&group, 2));
        let lapsed = |(_, event): &(u64, Event)| {
            let Event::Lapsed { cause, .. } = event else { return false };
            matches!(cause, Lapse::Expired { .. }) && cut || *cause == Lapse::Replaced && !cut
        };
        assert!(group.members[1].events.iter().any(lapsed), "{:?}", group.members[1].events);
        group.run(SECOND * 5);
        if cut {
            assert_eq!(group.records["member-1"].record.state, State::Excluded);
            assert_eq!(group.shares()[1], 0);
            assert_eq!(group.shares().iter().sum::<usize>(), 1024);
            group.members[1].cut = false;
        }
        group.run(SECOND * 10);
        assert_eq!(group.shares(), before);
    }
}

/// Nobody acknowledges what it cannot read, so that one that it cannot read never acts beside it; nobody
/// moves anything for it either.
#[test]
fn what_cannot_be_read_is_not_acknowledged() {
    for watches in [false, true] {
        let mut group = group(watches);
        let before = group.shares();
        let version = garble(&mut group, "stranger", SECOND * 3600);
        let acted_on =
            |group: &Group, n: usize| group.records[&*format!("member-{n}")].record.acted_on;
        for _ in 0..20 {
            group.run(SECOND * 2);
            // As one does that others can read: it lives on.
            garble(&mut group, "stranger", SECOND * 15);
            assert_eq!(group.shares(), before);
            assert!((0..3).all(|n| acted_on(&group, n).unwrap() < version));
        }
        assert!((0..3).all(|n| !stopped(&group, n)));
        // Once it can be read it is acknowledged.
        let record = MemberRecord {
            member: "stranger".into(),
            state: State::Joining,
            ..MemberRecord::clone(&group.records["member-0"].record)
        };
        let joined = group.write(record.into());
        group.settle();
        group.run(SECOND * 3);
        assert!((0..3).all(|n| acted_on(&group, n).unwrap() >= joined));
        assert!((0..3).any(|n| stopped(&group, n)));
    }
}

/// It cannot know what the other may have.
#[test]
fn a_newcomer_stands_by_while_a_record_is_unreadable() {
    for watches in [false, true] {
        let mut group = group(watches);
        group.members[1].cut = true;
        garble(&mut group, "member-1", SECOND * 30);
        let new = group.add(Group::config("new"));
        group.run(SECOND * 29);
        assert!(!group.records.contains_key("new"));
        assert_eq!(group.records["member-1"].record.state, State::Unreadable);
        group.run(SECOND * 10);
        assert_eq!(group.records["member-1"].record.state, State::Excluded);
        assert!(group.shares()[new] > 200);
        assert_eq!(group.shares().iter().sum::<usize>(), 1024);
    }
}

/// One whose record is garbled while it joins begins anew.
#[test]
fn a_joiner_that_others_cannot_read_waits() {
    let mut group = group(false);
    let new = group.add(Group::config("new"));
    while !group.records.contains_key("new") {
        group.run(SECOND / 100);
    }
    assert_eq!(group.records["new"].record.state, State::Joining);
    garble(&mut group, "new", SECOND);
    group.run(SECOND * 14);
    assert_eq!(group.shares()[new], 0);
    group.run(SECOND * 15);
    assert!(group.shares()[new] > 100);
    assert_eq!(group.shares().iter().sum::<usize>(), 1024);
}

fn planned(name: &str, size_limit: u32) -> Config {
    let policy = Policy { size_limit, ..Policy::default() };
    Config { mode: Mode::Planned(policy), ..Group::config(name) }
}

/// All stop, and the next plan replaces it.
#[test]
fn an_unreadable_plan_is_replaced() {
    for watches in [false, true] {
        let mut group = Group::new();
        group.watches = watches;
        for n in 0..3 {
            group.add(planned(&format!("member-{n}"), 1 << 18));
        }
        group.run(SECOND * 20);
        assert_eq!(group.shares().iter().sum::<usize>(), 1024);
        group.version += 1;
        group.plan = Some(StoredPlan::unreadable(group.version));
        group.run(SECOND * 10);
        assert_eq!(group.shares().iter().sum::<usize>(), 1024);
        assert!((0..3).all(|n| stopped(&group, n)));
        assert_eq!(group.plan.as_ref().unwrap().plan.members().len(), 3);
    }
}

/// The leader says so each time that it would plan, and what is stored stays.
#[test]
fn a_plan_that_is_too_large_is_told() {
    let mut group = Group::new();
    group.add(planned("member-0", 50));
    group.run(SECOND * 20);
    group.add(planned("member-with-a-name-too-long-for-fifty-bytes", 50));
    group.run(SECOND * 20);
    let told =
        group.members.iter().flat_map(|seat| &seat.events).find_map(|(_, event)| match event {
            Event::Planned { unmet, .. } => unmet.first().map(ToString::to_string),
            _ => None,
        });
    let told = told.unwrap();
    assert!(told.starts_with("the plan needs ") && told.contains("and 50 are allowed"), "{told}");
    assert_eq!(group.shares(), [1024, 0]);
}

/// All would have acknowledged a plan of the version 0.
#[test]
fn a_plan_without_a_version_gives_nothing() {
    let mut group = Group::new();
    let config = planned("member-0", 1 << 18);
    let slots = Slots::new(1024).unwrap();
    let runs = [(1024, Some("member-0".into()), 0)];
    let plan = Plan::new(config.generation(), slots, runs).unwrap();
    group.plan = Some(StoredPlan { plan: plan.into(), version: 0 });
    group.add(config);
    group.run(SECOND * 20);
    assert_eq!(group.shares(), [0]);
}
