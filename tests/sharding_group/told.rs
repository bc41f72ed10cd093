//! What members tell people: who owns what and why, what they wait for, what a plan could not do.

use std::time::Duration;

use tenure::placement::Member;
use tenure::sharding::planned::{Pin, Policy, Unmet};
use tenure::sharding::{
    Config, ConfigError, Event, Field, KeyHash, Mode, Presence, Sharder, Slot, SlotSet, Slots,
    Standing, Wait, shard_selector,
};
use tenure::time::Instant;

use crate::group::Group;

const SECOND: Duration = Duration::from_secs(1);

fn group(members: usize, config: impl Fn(&str) -> Config) -> Group {
    let mut group = Group::new();
    group.watches = true;
    for n in 0..members {
        group.add(config(&format!("member-{n}")));
    }
    group.run(SECOND * 20);
    group
}

fn planned(name: &str) -> Config {
    Config { mode: Mode::Planned(Policy::default()), ..Group::config(name) }
}

fn presence(group: &Group, of: usize) -> Presence {
    group.members[of].sharder.status(group.now().instant).presence
}

fn all_slots(group: &Group) -> Vec<Slot> {
    group.members[0].sharder.config().slots.iter().collect()
}

/// By the plan: who owns it, since when, and for whom the owner waits.
#[test]
fn a_planned_slot_is_explained() {
    let mut group = group(2, planned);
    group.members[0].prompt = false;
    let new = group.add(planned("new"));
    group.run(SECOND * 8);
    let now = group.now().instant;
    let plan = group.plan.as_ref().unwrap().resolved();
    let mut waited = SlotSet::none(Slots::new(1024).unwrap());
    for slot in all_slots(&group) {
        let owner = plan.owner(slot).unwrap();
        let explain = |of: usize| group.members[of].sharder.explain(slot, now);
        for of in 0..3 {
            let why = explain(of);
            assert_eq!(why.owner.as_ref().map(Member::name), Some(owner));
            assert_eq!((why.since, why.rank.len()), (Some(plan.since(slot)), 0));
        }
        if owner != "new" {
            let of = usize::from(owner == "member-1");
            assert_eq!(explain(of).standing, Standing::Owned);
            assert_eq!(explain(new).standing, Standing::Elsewhere);
            assert!(explain(new).to_string().contains(&format!(": owned by {owner}; ")));
            continue;
        }
        waited.insert(slot);
        let (version, members) = (plan.since(slot), vec!["member-0".into()]);
        let standing = Standing::AwaitingAcknowledgement { version, members };
        assert_eq!(explain(new).standing, standing);
        let text = format!(
            ": to be owned here; waits for member-0 to acknowledge version {version}; planned for new \
             since version {version}; members seen at version "
        );
        assert!(explain(new).to_string().contains(&text), "{}", explain(new));
        assert!(explain(1).to_string().contains(": owned by new; "));
        if explain(0).standing == Standing::Draining {
            assert!(explain(0).to_string().contains(": being given away; planned for new since "));
        }
    }
    assert_eq!(waited.len(), 341);
    group.drain(0, &waited);
    group.run(SECOND * 3);
    let now = group.now().instant;
    for slot in &waited {
        let why = group.members[new].sharder.explain(slot, now);
        assert_eq!((why.standing, why.owner.unwrap().name()), (Standing::Owned, "new"));
    }
}

/// By the members: a joiner waits for those that are still at work, and knows whose a slot will be.
#[test]
fn a_joiner_says_for_whom_it_waits() {
    let mut group = group(2, Group::config);
    group.members[0].prompt = false;
    let new = group.add(Group::config("new"));
    group.run(SECOND * 8);
    let now = group.now().instant;
    let wait = Wait::Acknowledgement(vec!["member-0".into()]);
    assert_eq!(presence(&group, new), Presence::Joining(wait.clone()));
    let key = group.members[new].sharder.key(b"2ddc2ef5-4eb1-44a4-9ab6-3a4f7a1e9c0b");
    let slot = group.members[new].sharder.config().slots.of(key);
    let why = group.members[new].sharder.explain_key(key, now);
    assert_eq!((why.slot, why.standing, why.rank.len()), (slot, Standing::Joining(wait), 3));
    assert_eq!(why.owner, group.members[1].sharder.explain(slot, now).owner);
    let status = group.members[new].sharder.status(now);
    assert_eq!(
        status.to_string().split("; ").take(2).collect::<Vec<_>>().join("; "),
        format!(
            "joins: it waits for member-0 to acknowledge that it has joined; 3 members count, as seen at \
             version {}",
            group.version
        ),
    );
    assert!(status.read.unwrap() <= SECOND * 5 && status.written.unwrap() <= SECOND * 3);
    assert_eq!(status.until, group.members[new].sharder.until());
}

/// Each reason to stand by is told.
#[test]
fn who_stands_by_says_why() {
    let mut group = group(2, Group::config);
    assert_eq!(presence(&group, 0), Presence::Active);
    let other = group.add(Config { generation: 2, ..Group::config("other") });
    let twin = group.add(Config { incarnation: "twin".into(), ..Group::config("member-1") });
    group.run(SECOND * 5);
    let both = vec!["member-0".into(), "member-1".into()];
    assert_eq!(presence(&group, other), Presence::StandingBy(Wait::Configuration(both)));
    let text = group.members[other].sharder.status(group.now().instant).to_string();
    assert!(text.starts_with(
        "stands by: it waits for member-0 and member-1 to leave, of another configuration; 2 members"
    ));
    let first = group.records["member-1"].record.incarnation.clone();
    assert_eq!(presence(&group, twin), Presence::StandingBy(Wait::Namesake(first)));

    group.members[0].prompt = false;
    group.members[0].cut = true;
    group.run(SECOND * 11);
    assert_eq!(presence(&group, 0), Presence::StandingBy(Wait::Work));
    let all = SlotSet::all(Slots::new(1024).unwrap());
    group.drain(0, &all);
    assert_eq!(presence(&group, 0), Presence::StandingBy(Wait::Read));
    let status = group.members[0].sharder.status(group.now().instant);
    assert!(status.read.is_some_and(|age| age >= SECOND * 8) && status.written.is_none());
    let slot = Slots::new(1024).unwrap().get(0).unwrap();
    let why = group.members[0].sharder.explain(slot, group.now().instant);
    assert_eq!((why.standing, why.since, why.rank.len()), (Standing::Outside, None, 2));

    group.members[1].prompt = false;
    let now = group.now();
    group.members[1].sharder.leave(now);
    group.settle();
    assert_eq!(presence(&group, 1), Presence::Stopping);
    group.drain(1, &all);
    assert_eq!(presence(&group, 1), Presence::Left);
}

#[test]
fn who_distrusts_says_so() {
    let mut group = Group::new();
    group.add(Config { distrust_deletion: true, ..Group::config("careful") });
    group.run(SECOND * 5);
    let Presence::Joining(Wait::Distrust(at)) = presence(&group, 0) else { panic!() };
    assert!(at > group.now().instant);
    group.run(at.saturating_since(group.now().instant) + SECOND);
    assert_eq!(presence(&group, 0), Presence::Active);
}

/// What a plan could not do is told by who plans, once; and when it can be done.
#[test]
fn what_a_plan_lacks_is_told() {
    let pinned = |name: &str| {
        let pins = vec![Pin { slots: 0..=3, member: "special".into() }];
        let policy = Policy { pins, ..Policy::default() };
        Config { mode: Mode::Planned(policy), ..Group::config(name) }
    };
    let told = |group: &Group| {
        let events = group.members.iter().flat_map(|seat| &seat.events);
        let planned = events.filter_map(|(at, event)| match event {
            Event::Planned { moves, unmet } => Some((*at, moves.len(), unmet.clone())),
            _ => None,
        });
        planned.max_by_key(|(at, ..)| *at)
    };
    let mut group = group(3, pinned);
    let (at, _, unmet) = told(&group).unwrap();
    assert_eq!(unmet, [Unmet::Pin { first: 0, last: 3, member: "special".into() }]);
    group.run(SECOND * 30);
    assert_eq!(told(&group).unwrap().0, at);
    group.add(pinned("special"));
    group.run(SECOND * 10);
    let (_, moves, unmet) = told(&group).unwrap();
    assert!(moves > 0 && unmet.is_empty(), "{unmet:?}");
    let leader = |seat: &&crate::group::Seat| {
        seat.events.iter().any(|(_, event)| matches!(event, Event::Planned { .. }))
    };
    assert_eq!(group.members.iter().filter(leader).count(), 1);
}

/// Ranges of another hash would select other objects.
#[test]
fn only_the_servers_hash_selects() {
    let now = |group: &Group| group.now().instant;
    let mut one = group(1, Group::config);
    let sharder = &one.members[0].sharder;
    let selector = sharder.selector(Field::Uid, now(&one)).unwrap().unwrap();
    assert_eq!(Some(selector.to_string()), shard_selector(Field::Uid, &sharder.ranges(now(&one))));
    one.members[0].cut = true;
    one.run(SECOND * 11);
    assert_eq!(one.members[0].sharder.selector(Field::Uid, now(&one)), Ok(None));
    let other = group(1, |name| Config { hash: KeyHash::Xxh3, ..Group::config(name) });
    assert!(other.members[0].sharder.selector(Field::Uid, now(&other)).is_err());
}

/// A name that cannot be stored, or that something else of the group has.
#[test]
fn names_that_collide_are_refused() {
    let new = |config: Config| Sharder::new(config, 1, Instant::default()).map(drop);
    let leased = Config { mode: Mode::Leased, slots: Slots::new(4).unwrap(), ..planned("x") };
    for (config, name, says) in [
        (
            planned("x"),
            "leader",
            "called group-leader, which in this mode is the lock of the leader",
        ),
        (planned("x"), "plan", "called group-plan, which in this mode is the plan"),
        (
            leased.clone(),
            "slot-3",
            "called group-slot-3, which in this mode is the lease of a slot",
        ),
        (leased.clone(), "slot-12", "called group-slot-12, "),
        (planned("x"), "pod_0", "member is \"pod_0\": write small letters"),
        (planned("x"), &"x".repeat(250), "metadata.name is \"group-xxx"),
    ] {
        let error = new(Config { member: name.into(), ..config }).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        let expected = matches!(error, ConfigError::Name { .. } | ConfigError::Record(_));
        assert!(expected, "{error:?}");
    }
    let group = Config { group: "my shards".into(), ..planned("x") };
    assert!(new(group).unwrap_err().to_string().starts_with("group is \"my shards\": "));
    for (config, name) in [
        (Group::config("x"), "leader"),
        (planned("x"), "slot-3"),
        (leased.clone(), "slot-x"),
        (leased, "leader"),
    ] {
        assert_eq!(new(Config { member: name.into(), ..config }), Ok(()));
    }
}
