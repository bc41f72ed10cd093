//! Mode `planned`: what its members do when nothing, or a leader, fails.

use std::time::Duration;

use tenure::sharding::planned::{Layout, Policy};
use tenure::sharding::{Config, Event, Lapse, Mode, Op, State};

use crate::group::Group;

const SECOND: Duration = Duration::from_secs(1);

fn config(name: &str) -> Config {
    Config { mode: Mode::Planned(Policy::default()), ..Group::config(name) }
}

fn group(members: usize, watches: bool, config: impl Fn(&str) -> Config) -> Group {
    let mut group = Group::new();
    group.watches = watches;
    for n in 0..members {
        group.add(config(&format!("member-{n}")));
    }
    group.run(SECOND * 20);
    group
}

fn all_owned(group: &Group) {
    assert_eq!(group.shares().iter().sum::<usize>(), 1024, "{:?}", group.shares());
}

#[test]
fn members_share_evenly() {
    for watches in [false, true] {
        let group = group(5, watches, config);
        all_owned(&group);
        assert!(
            group.shares().iter().all(|share| (204..=205).contains(share)),
            "{:?}",
            group.shares()
        );
    }
}

/// Nothing is written but a renewal a member and that of the leader.
#[test]
fn the_store_is_asked_little() {
    let mut group = group(5, true, config);
    (group.writes, group.plans, group.elections) = (0, 0, 0);
    group.run(SECOND * 100);
    assert!((250..=280).contains(&group.writes), "{}", group.writes);
    assert_eq!(group.plans, 0);
    assert!((45..=60).contains(&group.elections), "{}", group.elections);
}

/// A join moves ⌈S/(N + 1)⌉ slots to the joiner, and a leave what the leaver has; nobody else stops.
#[test]
fn a_join_and_a_leave_move_little() {
    for watches in [false, true] {
        let mut group = group(3, watches, config);
        let slots: Vec<_> = group.members[0].sharder.config().slots.iter().collect();
        let owners =
            |group: &Group| slots.iter().map(|slot| group.owner(*slot)).collect::<Vec<_>>();
        let before = owners(&group);
        let new = group.add(config("new"));
        group.run(SECOND * 10);
        all_owned(&group);
        let after = owners(&group);
        assert_eq!(group.shares()[new], 256);
        assert!(before.iter().zip(&after).all(|(old, now)| old == now || *now == Some(new)));
        for leaver in [new, 0] {
            let before = owners(&group);
            let now = group.now();
            group.members[leaver].sharder.leave(now);
            group.settle();
            group.run(SECOND * 10);
            assert!(group.members[leaver].sharder.is_finished());
            all_owned(&group);
            let kept =
                |(old, now): (&Option<usize>, &Option<usize>)| old == now || *old == Some(leaver);
            assert!(before.iter().zip(&owners(&group)).all(kept));
        }
    }
}

/// Without a leader all keep what they have; a new one goes on.
#[test]
fn a_leader_that_dies_only_stops_replanning() {
    for watches in [false, true] {
        let mut group = group(4, watches, config);
        let holder = group.locks["group-leader"].object.record().unwrap().holder;
        let leader = group
            .members
            .iter()
            .position(|seat| holder.as_str().starts_with(seat.sharder.config().member.name()))
            .unwrap();
        let shares = group.shares();
        group.members[leader].cut = true;
        group.run(SECOND * 7);
        for (at, share) in group.shares().into_iter().enumerate() {
            assert_eq!(share, shares[at]);
        }
        // The lock of who is excluded need not run out as well.
        group.run(SECOND * if watches { 11 } else { 14 });
        all_owned(&group);
        assert_eq!(group.shares()[leader], 0);
        group.run(SECOND * 20);
        let lapsed = |(_, event): &(u64, Event)| {
            matches!(event, Event::Lapsed { cause: Lapse::Expired { .. }, .. })
        };
        assert!(group.members[leader].events.iter().any(lapsed));
        group.members[leader].cut = false;
        group.run(SECOND * 20);
        all_owned(&group);
        assert_eq!(group.shares()[leader], 256);
    }
}

/// A slot moves only when its work has ended, also if it goes round.
#[test]
fn a_moved_slot_waits_for_its_drain() {
    let mut group = group(2, true, config);
    group.members[0].prompt = false;
    let new = group.add(config("new"));
    group.run(SECOND * 10);
    let revoked = group.members[0].events.iter().rev().find_map(|(_, event)| match event {
        Event::Revoking { slots, .. } => Some(slots.clone()),
        _ => None,
    });
    let revoked = revoked.unwrap();
    assert!((160..=180).contains(&revoked.len()));
    assert!(revoked.iter().all(|slot| group.owner(slot).is_none()));
    assert_eq!(group.shares()[new], 0); // it waits for all that any of its slots may still be at work
    group.drain(0, &revoked);
    group.run(SECOND * 3);
    all_owned(&group);
}

/// Those of one name that come back in time find their slots: a rolling update moves nothing.
#[test]
fn a_rolling_update_of_held_names_moves_nothing() {
    let held = |name: &str| {
        let policy = Policy { hold: SECOND * 30, ..Policy::default() };
        Config { mode: Mode::Planned(policy), ..Group::config(name) }
    };
    let mut group = group(3, true, held);
    let slots: Vec<_> = group.members[0].sharder.config().slots.iter().collect();
    let names = |group: &Group| {
        let name = |at: usize| group.members[at].sharder.config().member.name().to_owned();
        slots.iter().map(|slot| group.owner(*slot).map(name)).collect::<Vec<_>>()
    };
    let before = names(&group);
    for n in 0..3 {
        let now = group.now();
        group.members[n].sharder.leave(now);
        group.settle();
        group.run(SECOND * 5);
        assert!(group.members[n].sharder.is_finished());
        let mut config = held(&format!("member-{n}"));
        config.incarnation = format!("second-{n}").into();
        group.add(config);
        group.run(SECOND * 10);
        assert_eq!(names(&group), before);
    }
}

/// Few ranges each, whatever happened before.
#[test]
fn contiguous_slots_stay_contiguous() {
    let contiguous = |name: &str| {
        let policy =
            Policy { layout: Layout::CONTIGUOUS, slack_per_mille: 250, ..Policy::default() };
        Config { mode: Mode::Planned(policy), ..Group::config(name) }
    };
    let mut group = group(6, true, contiguous);
    let now = group.now();
    group.members[2].sharder.leave(now);
    group.settle();
    group.run(SECOND * 10);
    all_owned(&group);
    let now = group.now().instant;
    for seat in group.members.iter().filter(|seat| !seat.sharder.is_finished()) {
        assert!(seat.sharder.owned(now).unwrap().ranges().iter().count() <= 3);
    }
    assert_eq!(group.records["member-2"].record.state, State::Left);
}

/// Measured load is evened out.
#[test]
fn load_counts_when_it_is_measured() {
    let mut group = group(4, true, config);
    let loads: Vec<u32> = (0..1024).map(|slot| if slot < 16 { 1_000 } else { 10 }).collect();
    for at in 0..4 {
        let now = group.now();
        group.members[at].sharder.measure(now, loads.clone());
        group.settle();
    }
    group.run(SECOND * 10);
    all_owned(&group);
    let now = group.now().instant;
    let total: u64 = loads.iter().copied().map(u64::from).sum();
    for seat in &group.members {
        let owned = seat.sharder.owned(now).unwrap();
        let load: u64 = owned.iter().map(|slot| u64::from(loads[slot.index() as usize])).sum();
        assert!(load.abs_diff(total / 4) < 1_000, "{load} of {total}");
    }
}

/// One that stands by, since its configuration has to wait, leaves when it is asked to.
#[test]
fn one_that_stands_by_leaves_at_once() {
    let mut group = group(2, true, config);
    let now = group.now();
    let next = Config { generation: 2, ..config("member-0") };
    group.members[0].sharder.reconfigure(now, next).unwrap();
    group.settle();
    group.run(SECOND * 20);
    assert_eq!(group.shares(), [0, 1024]);
    let now = group.now();
    for at in 0..2 {
        group.members[at].sharder.leave(now);
        group.settle();
    }
    group.run(SECOND * 5);
    assert!(group.members.iter().all(|seat| seat.sharder.is_finished()));
}

/// One that leads and leaves plans without itself first, at once.
#[test]
fn a_leader_that_leaves_plans_first() {
    let mut group = group(3, true, config);
    let holder = group.locks["group-leader"].object.record().unwrap().holder;
    let name = |seat: &crate::group::Seat| seat.sharder.config().member.name().to_owned();
    let leads = |seat: &crate::group::Seat| holder.as_str().starts_with(&name(seat));
    let leader = group.members.iter().position(leads).unwrap();
    let name = name(&group.members[leader]);
    let now = group.now();
    group.members[leader].sharder.leave(now);
    group.settle();
    let plan = &group.plan.as_ref().unwrap().plan;
    assert!(plan.members().len() == 2 && plan.slots_of(&name).is_empty());
}

/// Whoever wants to know how things stand asks for all of it.
#[test]
fn a_poke_reads_the_plan_as_well() {
    let mut group = group(2, true, config);
    let now = group.now();
    let sharder = &mut group.members[1].sharder;
    assert!(sharder.poll_request().is_none());
    sharder.poke(now);
    let requests: Vec<_> = core::iter::from_fn(|| sharder.poll_request()).collect();
    let asked = |wanted: fn(&Op) -> bool| requests.iter().any(|request| wanted(&request.op));
    assert!(asked(|op| matches!(op, Op::List)) && asked(|op| matches!(op, Op::Update(..))));
    assert!(asked(|op| matches!(op, Op::ReadPlan)), "{requests:?}");
}
