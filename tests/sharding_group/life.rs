//! The lives of members.

use std::time::Duration;

use tenure::sharding::{
    Answer, Cause, Config, Event, Incarnation, Lapse, MemberRecord, Op, Response, Sharder, SlotSet,
    State, StoredMember, Watched,
};
use tenure::time::{Instant, Now, Timestamp};

use crate::group::Group;

const SECOND: Duration = Duration::from_secs(1);

fn group(members: usize, watches: bool) -> Group {
    let mut group = Group::new();
    group.watches = watches;
    for n in 0..members {
        group.add(Group::config(&format!("member-{n}")));
    }
    group.run(SECOND * 10);
    group
}

fn all_owned(group: &Group) {
    assert_eq!(group.shares().iter().sum::<usize>(), 1024, "{:?}", group.shares());
}

/// A lone member owns everything within three retry periods.
#[test]
fn a_lone_member_owns_everything() {
    for watches in [false, true] {
        let mut group = Group::new();
        group.watches = watches;
        group.add(Group::config("alone"));
        group.run(SECOND * 6);
        assert_eq!(group.shares(), [1024], "{:?}", group.members[0].events);
    }
}

#[test]
fn members_share_all_slots() {
    for watches in [false, true] {
        let group = group(5, watches);
        all_owned(&group);
        assert!(group.shares().iter().all(|share| (140..270).contains(share)));
    }
}

/// One that joins takes what it wins and nothing else moves; one that leaves gives its own away.
#[test]
fn a_join_moves_what_the_joiner_wins_and_a_leave_the_leavers() {
    for watches in [false, true] {
        let mut group = group(4, watches);
        let slots: Vec<_> = group.members[0].sharder.config().slots.iter().collect();
        let owners =
            |group: &Group| slots.iter().map(|slot| group.owner(*slot)).collect::<Vec<_>>();
        let before = owners(&group);
        let new = group.add(Group::config("new"));
        group.run(SECOND * 6);
        all_owned(&group);
        let after = owners(&group);
        assert!(before.iter().zip(&after).all(|(old, now)| old == now || *now == Some(new)));
        let now = group.now();
        group.members[new].sharder.leave(now);
        group.settle();
        group.run(SECOND * 2);
        assert!(group.members[new].sharder.is_finished());
        assert_eq!(owners(&group), before);
        assert_eq!(group.records["new"].record.state, State::Left);
    }
}

/// Work that goes on keeps the slot from its next owner, and nothing else.
#[test]
fn a_moved_slot_waits_for_its_drain() {
    let mut group = group(2, true);
    group.members[0].prompt = false;
    group.members[0].events.clear();
    let new = group.add(Group::config("new"));
    group.run(SECOND * 8);
    let now = group.now();
    assert!(group.members[new].sharder.owned(now.instant).is_none());
    let revoked = group.members[0].events.iter().find_map(|(_, event)| match event {
        Event::Revoking { slots, cause: Cause::Moved } => Some(slots.clone()),
        _ => None,
    });
    let revoked = revoked.unwrap();
    group.drain(0, &revoked);
    group.run(SECOND / 10);
    all_owned(&group);
}

/// A member that is cut off stops by itself, is excluded, and comes back as a new incarnation.
#[test]
fn a_lost_member_is_excluded_and_comes_back() {
    for watches in [false, true] {
        let mut group = group(3, watches);
        let start = group.millis;
        group.members[1].cut = true;
        group.run(SECOND * 18);
        let lapsed = group.members[1].events.iter().find_map(|(at, event)| match event {
            Event::Lapsed { cause: Lapse::Expired { .. }, .. } => Some(at - start),
            _ => None,
        });
        assert!(lapsed.is_some_and(|after| after <= 10_000), "{lapsed:?}");
        assert_eq!(group.records["member-1"].record.state, State::Excluded);
        assert_eq!(group.shares()[1], 0);
        all_owned(&group);
        group.members[1].cut = false;
        group.run(SECOND * 10);
        all_owned(&group);
        assert!(group.shares()[1] > 200);
        assert_eq!(group.records["member-1"].record.incarnation.life, 2);
    }
}

/// One write a member a retry period, whatever the number of slots; with watches hardly a list.
#[test]
fn the_store_is_asked_little() {
    for watches in [false, true] {
        let mut group = group(5, watches);
        (group.writes, group.lists) = (0, 0);
        group.run(SECOND * 100);
        assert!((250..=280).contains(&group.writes), "{}", group.writes);
        let lists = if watches { 0..=5 } else { 250..=280 };
        assert!(lists.contains(&group.lists), "{}", group.lists);
    }
}

/// A record that vanishes makes its member start anew, and others wait.
#[test]
fn a_deleted_record_ends_a_life() {
    for watches in [false, true] {
        let mut group = group(3, watches);
        group.delete(&"member-2".into());
        group.run(SECOND * 30);
        all_owned(&group);
        let events = &group.members[2].events;
        assert!(
            events
                .iter()
                .any(|(_, event)| matches!(event, Event::Lapsed { cause: Lapse::Missing, .. }))
        );
        assert_eq!(group.records["member-2"].record.incarnation.life, 2);
    }
}

/// A new configuration waits until the old one is gone, and no two ever act together.
#[test]
fn generations_do_not_overlap() {
    let mut group = group(3, true);
    let mut old: Vec<usize> = (0..3).collect();
    for n in 0..3 {
        let mut config = Group::config(&format!("next-{n}"));
        config.generation = 2;
        group.add(config);
        let now = group.now();
        group.members[old.remove(0)].sharder.leave(now);
        group.settle();
        group.run(SECOND * 5);
        let acting = |range: std::ops::Range<usize>| group.shares()[range].iter().sum::<usize>();
        assert_eq!(acting(0..3) == 0, acting(3..group.members.len()) > 0);
    }
    group.run(SECOND * 5);
    all_owned(&group);
}

/// Another weight: everything is drained, then joined anew.
#[test]
fn a_weight_changes_between_lives() {
    let mut group = group(3, true);
    let mut config = group.members[0].sharder.config().clone();
    config.member = config.member.with_weight(3.try_into().unwrap());
    let now = group.now();
    group.members[0].sharder.reconfigure(now, config).unwrap();
    group.settle();
    group.run(SECOND * 5);
    all_owned(&group);
    assert!((500..720).contains(&group.shares()[0]), "{:?}", group.shares());
    let first = |wanted: &dyn Fn(&Event) -> bool| {
        group.members[0].events.iter().rposition(|(_, event)| wanted(event))
    };
    let revoked =
        first(&|event| matches!(event, Event::Revoking { cause: Cause::Reconfiguring, .. }));
    let joined = first(&|event| *event == Event::Joined);
    assert!(revoked.is_some() && revoked < joined);
}

/// Old records are deleted, by one member.
#[test]
fn old_records_are_collected() {
    let mut group = group(3, true);
    let now = group.now();
    group.members[1].sharder.leave(now);
    group.settle();
    group.run(SECOND * 500);
    assert!(group.records.contains_key("member-1"));
    group.run(SECOND * 200);
    assert!(!group.records.contains_key("member-1"));
    all_owned(&group);
}

/// A driver that is never told of drained slots hears of it, and nobody else gets them.
#[test]
fn overdue_drains_are_reported() {
    let mut group = group(1, true);
    group.members[0].prompt = false;
    let now = group.now();
    group.members[0].sharder.leave(now);
    group.settle();
    group.run(SECOND * 40);
    let events = &group.members[0].events;
    let overdue = |(_, event): &(u64, Event)| matches!(event, Event::DrainOverdue(slots) if slots.len() == 1024);
    assert!(events.iter().any(overdue));
    assert!(!group.members[0].sharder.is_finished());
    let all = SlotSet::all(group.members[0].sharder.config().slots);
    let now = group.now();
    group.members[0].sharder.drained(now, &all);
    group.settle();
    assert!(group.members[0].sharder.is_finished());
}

/// A record that was deleted before a joiner could see it: its member may still be at work, and is
/// given its time.
#[test]
fn a_joiner_distrusts_what_it_cannot_see() {
    let careful = |name: &str| Config { distrust_deletion: true, ..Group::config(name) };
    let mut group = Group::new();
    group.add(careful("member-0"));
    group.run(SECOND * 25);
    all_owned(&group);
    group.members[0].cut = true;
    group.delete(&"member-0".into());
    group.add(careful("member-1"));
    // The check of each step finds two owners if this one does not wait.
    group.run(SECOND * 14);
    assert_eq!(group.shares()[1], 0);
    group.run(SECOND * 4);
    all_owned(&group);
}

/// The weight of a joining write that is under way is not that of the life to come.
#[test]
fn a_weight_that_changes_while_joining_needs_another_join() {
    let mut sharder = Sharder::new(Group::config("a"), 1, Instant::default()).unwrap();
    let at =
        |secs| Now { instant: Instant::default() + SECOND * secs, timestamp: Timestamp::GO_ZERO };
    sharder.handle_timeout(at(0));
    let list = sharder.poll_request().unwrap();
    let none = Answer::Listed { members: Vec::new(), version: 1 };
    sharder.handle_response(at(0), Response { id: list.id, result: Ok(none) });
    let join = sharder.poll_request().unwrap();
    let Op::Create(first) = join.op else { panic!("{join:?}") };
    let mut config = Group::config("a");
    config.member = config.member.with_weight(3.try_into().unwrap());
    sharder.reconfigure(at(1), config).unwrap();
    let result = Ok(Answer::Written { version: 2 });
    sharder.handle_response(at(1), Response { id: join.id, result });
    assert_eq!(sharder.until(), None);
    let list = sharder.poll_request().unwrap();
    let members = vec![StoredMember { record: first, version: 2 }];
    let result = Ok(Answer::Listed { members, version: 2 });
    sharder.handle_response(at(2), Response { id: list.id, result });
    sharder.handle_timeout(at(4));
    let again =
        std::iter::from_fn(|| sharder.poll_request()).find_map(|request| match request.op {
            Op::Update(record, 2) => Some(record),
            _ => None,
        });
    let again = again.unwrap();
    assert_eq!(
        (again.member.weight().get(), again.state, again.acted_on),
        (3, State::Joining, None)
    );
}

/// The answer to a deletion may come late: who has joined under that name since is there all the same.
#[test]
fn a_late_answer_to_a_deletion_drops_nobody() {
    let at =
        |secs| Now { instant: Instant::default() + SECOND * secs, timestamp: Timestamp::GO_ZERO };
    let config = Config { collect_after: SECOND * 5, ..Group::config("a") };
    let left = MemberRecord {
        member: "b".into(),
        state: State::Left,
        incarnation: Incarnation { process: "old".into(), life: 1 },
        acted_on: Some(1),
        generation: config.generation(),
        lease_duration: SECOND * 15,
        joined: None,
        renewed: None,
    };
    let b = |state, life: &str, version| {
        let incarnation = Incarnation { process: life.into(), life: 1 };
        let record = MemberRecord { state, incarnation, ..left.clone() };
        StoredMember { record: record.into(), version }
    };
    let mut sharder = Sharder::new(config, 1, at(0).instant).unwrap();
    let (mut own, mut version, mut deletion) = (None, 10, None);
    for secs in 0..8 {
        sharder.handle_timeout(at(secs));
        while let Some(request) = sharder.poll_request() {
            let answer = match request.op {
                Op::List => {
                    let members =
                        [b(State::Left, "old", 5)].into_iter().chain(own.clone()).collect();
                    Answer::Listed { members, version }
                }
                Op::Create(record) | Op::Update(record, _) => {
                    version += 1;
                    own = Some(StoredMember { record, version });
                    Answer::Written { version }
                }
                Op::Delete(..) => {
                    deletion = Some(request.id);
                    continue;
                }
                other => panic!("{other:?}"),
            };
            sharder.handle_response(at(secs), Response { id: request.id, result: Ok(answer) });
        }
    }
    let slot = sharder.config().slots.get(0).unwrap();
    let known = |sharder: &Sharder| sharder.explain(slot, at(7).instant).rank.len();
    assert_eq!(known(&sharder), 1);
    sharder.handle_watch(at(7), Watched::Started { after: 10 });
    sharder.handle_watch(at(7), Watched::Stored(b(State::Joining, "new", version + 2)));
    assert_eq!(known(&sharder), 2);
    let result = Ok(Answer::Deleted);
    sharder.handle_response(at(7), Response { id: deletion.unwrap(), result });
    assert_eq!(known(&sharder), 2);
}
