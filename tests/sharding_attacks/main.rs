//! Attacks on sharding: what a store, a driver, a clock or somebody's hand can do to a group, each against
//! the promise that it might break.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod world;

use std::collections::BTreeSet;
use std::time::Duration;

use tenure::election::Failure;
use tenure::sharding::{
    Answer, Config, ConfigError, MemberRecord, Mode, Op, Response, SlotSet, Slots, Standing,
    StoredMember, Watched,
};
use world::{Fate, SECOND, World, at, config, planned};

/// When nothing is to be done, nothing is due at once: here, while work goes on and on.
#[test]
fn no_drain_deadline_keeps_a_driver_spinning() {
    let mut world = World::new([Config { drain_deadline: Duration::ZERO, ..config("a") }]);
    world.prompt = false;
    world.run(SECOND * 3);
    let now = world.now();
    world.members[0].leave(now);
    world.settle(0);
    world.members[0].handle_timeout(now);
    assert!(world.members[0].poll_timeout().unwrap() > now.instant);
}

/// And here while the collector's deletion is not answered.
#[test]
fn no_time_of_collection_keeps_a_driver_spinning() {
    let mut world =
        World::new([config("b"), Config { collect_after: Duration::ZERO, ..config("a") }]);
    world.run(SECOND * 5);
    let now = world.now();
    world.members[0].leave(now);
    world.settle(0);
    world.fate =
        Some(Box::new(
            |_, op| if matches!(op, Op::Delete(..)) { Fate::Dropped } else { Fate::Served },
        ));
    world.run(SECOND * 5);
    let now = world.now();
    world.members[1].handle_timeout(now);
    world.settle(1);
    assert!(world.members[1].poll_timeout().unwrap() > now.instant);
}

/// "while there is none, everybody keeps what it has": and the leader makes the next one.
#[test]
fn a_plan_that_is_deleted_is_made_anew() {
    let mut world = World::new(["a", "b"].map(planned));
    world.run(SECOND * 30);
    assert_eq!(world.owned(), [8, 8]);
    world.plan = None;
    world.version += 1;
    world.add(planned("c"));
    let before = world.requests;
    world.run(SECOND * 60);
    assert!(world.requests - before < 500, "{} requests in 60 s", world.requests - before);
    assert_eq!(world.owned().iter().sum::<usize>(), 16);
    assert!(world.owned()[2] > 0, "{:?}", world.owned());
}

/// The first plan is lost on its way, and so is the next one.
#[test]
fn a_plan_whose_write_fails_is_written_again() {
    let mut world = World::new([planned("a")]);
    let mut lost = BTreeSet::new();
    world.fate = Some(Box::new(move |_, op| match op {
        Op::CreatePlan(_) if lost.insert(1) => Fate::Fails,
        Op::UpdatePlan(..) if lost.insert(2) => Fate::Dropped,
        _ => Fate::Served,
    }));
    world.run(SECOND * 10);
    assert_eq!(world.owned(), [16]);
    world.add(planned("b"));
    world.run(SECOND * 20);
    assert_eq!(world.owned(), [8, 8]);
}

/// A lapse at once after each join does not make it faster: here something deletes each record at once, as Kubernetes'
/// collector of garbage does with owners that are gone.
#[test]
fn who_never_finds_its_own_record_asks_in_measure() {
    let mut world = World::new([config("a")]);
    world.vanishes = true;
    world.run(SECOND * 20);
    assert!(world.requests < 60, "{}", world.requests);
}

/// Versions count up to the last number there is, and no further.
#[test]
fn a_version_at_the_end_of_numbers() {
    let mut world = World::new([config("a")]);
    world.run(SECOND * 3);
    let ghost = MemberRecord {
        member: "ghost".into(),
        generation: world.members[0].config().generation(),
        ..MemberRecord::clone(&world.records["a"].record)
    };
    let now = world.now();
    world.members[0].handle_watch(now, Watched::Started { after: 0 });
    world.members[0].handle_watch(
        now,
        Watched::Stored(StoredMember { record: ghost.into(), version: u64::MAX }),
    );
    world.settle(0);
    world.nanos += 16_000_000_000;
    let now = world.now();
    world.members[0].handle_timeout(now);
    while let Some(request) = world.members[0].poll_request() {
        let result = match request.op {
            Op::Update(..) => Ok(Answer::Written { version: u64::MAX }),
            _ => Err(Failure::Other),
        };
        world.members[0].handle_response(now, Response { id: request.id, result });
    }
}

/// "newcomers with `distrust_deletion`, at the price of L".
#[test]
fn distrust_of_deletion_with_durations_that_differ() {
    let slow = Config {
        lease_duration: SECOND * 60,
        renew_deadline: SECOND * 40,
        distrust_deletion: true,
        ..config("a")
    };
    let mut world = World::new([slow]);
    world.run(SECOND * 90);
    assert_eq!(world.owned(), [16]);
    world.fate = Some(Box::new(|index, _| if index == 0 { Fate::Dropped } else { Fate::Served }));
    world.records.clear();
    world.version += 1;
    world.add(Config { lease_duration: SECOND * 60, distrust_deletion: true, ..config("b") });
    world.run(SECOND * 90);
    assert_eq!(world.owned(), [0, 16]);
}

/// The answer to a read of the plan that was sent in an earlier life, though at the instant at which this
/// one began: a clock may be coarse.
#[test]
fn a_plan_read_in_an_earlier_life() {
    let mut world = World::new(["a", "b"].map(planned));
    world.run(SECOND * 30);
    assert_eq!(world.owned(), [8, 8]);
    let late = loop {
        world.nanos += 10_000_000;
        let now = world.now();
        world.members[0].handle_timeout(now);
        world.settle(0);
        world.members[1].handle_timeout(now);
        let mut late = None;
        while let Some(request) = world.members[1].poll_request() {
            let reads = request.op == Op::ReadPlan;
            let response = world.serve(1, request).unwrap();
            if reads {
                late = Some(response);
            } else {
                world.members[1].handle_response(now, response);
            }
        }
        if let Some(late) = late {
            break late;
        }
    };
    world.settle(1);
    // A third one joins, and the leader gives it a share.
    let c = world.add(planned("c"));
    let now = world.now();
    world.members[c].handle_timeout(now);
    world.settle(c);
    world.members[0].poke(now);
    world.settle(0);
    assert!(!world.plan.as_ref().unwrap().plan.slots_of("c").is_empty());
    // Somebody deletes the second one's record: it begins another life.
    world.records.remove("b");
    world.version += 1;
    world.members[1].poke(now);
    world.settle(1);
    world.fate = Some(Box::new(|index, op| {
        if index == 1 && *op == Op::ReadPlan { Fate::Dropped } else { Fate::Served }
    }));
    world.members[1].handle_response(now, late);
    world.settle(1);
    world.run(SECOND * 10);
}

/// A pause of any length, and the end of the clock.
#[test]
fn the_end_of_the_clock() {
    for mode in [config("a").mode, planned("a").mode, Mode::Leased] {
        let mut world = World::new([Config { mode, ..config("a") }]);
        world.run(SECOND * 10);
        assert_eq!(world.owned(), [16]);
        for nanos in [u64::MAX - 1, u64::MAX, 0, 5_000_000_000, u64::MAX] {
            world.nanos = nanos;
            let now = world.now();
            assert!(world.members[0].owned(at(u64::MAX).instant).is_none());
            world.members[0].handle_timeout(now);
            for _ in 0..20 {
                while let Some(event) = world.members[0].poll_event() {
                    world.event(0, event);
                }
                let Some(request) = world.members[0].poll_request() else { break };
                if let Some(response) = world.serve(0, request) {
                    world.members[0].handle_response(now, response);
                }
            }
            world.members[0].poke(now);
            let _ = world.members[0]
                .explain(Slots::new(65_536).unwrap().get(65_535).unwrap(), now.instant);
        }
    }
}

/// One slot, and as many as there can be; and a driver that thinks of other slots.
#[test]
fn any_number_of_slots() {
    for (count, mode) in [
        (1, config("a").mode),
        (1, planned("a").mode),
        (1, Mode::Leased),
        (65_536, planned("a").mode),
    ] {
        let slots = Slots::new(count).unwrap();
        let of = |name| Config { slots, mode: mode.clone(), ..config(name) };
        let mut world = World::new(["a", "b"].map(of));
        world.run(SECOND * 12);
        assert_eq!(world.owned().iter().sum::<usize>(), count as usize);
        let now = world.now();
        world.members[0].drained(now, &SlotSet::all(Slots::new(64).unwrap()));
        let other = Slots::new(32).unwrap();
        let slot = Slots::new(65_536).unwrap().get(65_535).unwrap();
        let _ = (
            world.members[0].permit(slot, now.instant),
            world.members[0].explain(slot, now.instant).to_string(),
        );
        world.members[0]
            .reconfigure(now, Config { slots: other, generation: 2, ..of("a") })
            .unwrap();
        world.members[0].drained(now, &SlotSet::all(slots));
        world.members[1]
            .reconfigure(now, Config { slots: other, generation: 2, ..of("b") })
            .unwrap();
        world.members[1].measure(now, vec![7; 65_536]);
        world.run(SECOND * 40);
        assert_eq!(world.owned().iter().sum::<usize>(), 32);
    }
}

/// A rolling update through all modes, without ever two owners.
#[test]
fn modes_change_in_a_rolling_update() {
    let mut world = World::new(["a", "b"].map(config));
    world.run(SECOND * 10);
    let modes = [
        planned("a").mode,
        Mode::Leased,
        config("a").mode,
        Mode::Leased,
        planned("a").mode,
        config("a").mode,
    ];
    for (generation, mode) in (2..).zip(modes) {
        for (index, name) in ["a", "b"].into_iter().enumerate() {
            let now = world.now();
            let next = Config { mode: mode.clone(), generation, ..config(name) };
            world.members[index].reconfigure(now, next).unwrap();
            world.run(SECOND * 20);
        }
        assert_eq!(world.owned().iter().sum::<usize>(), 16, "{mode:?}");
    }
}

/// "`Sharder::explain` says of a slot who owns it".
#[test]
fn explanations_are_right() {
    for of in [config, planned, |name: &str| Config { mode: Mode::Leased, ..config(name) }] {
        let mut world = World::new(["a", "b"].map(of));
        world.run(SECOND * 30);
        let now = world.now().instant;
        let slots = world.members[0].config().slots;
        for slot in slots.iter() {
            let owner = world.members.iter().find(|member| member.token(slot, now).is_some());
            let owner = owner.unwrap().config().member.name();
            for member in &world.members {
                let told = member.explain(slot, now);
                assert_eq!(told.owner.map(|owner| owner.name().to_owned()).as_deref(), Some(owner));
                // Where a plan decides, there is no other order.
                assert!(told.rank.first().is_none_or(|first| first.name() == owner));
            }
            // Long after, and nobody has told it that it is so late.
            let told = world.members[0].explain(slot, now + SECOND * 100);
            assert_eq!((told.standing, told.token, told.until), (Standing::Outside, None, None));
        }
    }
}

/// A record that is a lock as well would never be excluded, or never be made.
#[test]
fn no_member_is_called_as_a_lock() {
    for name in ["leader", "slot-0", "slot-15", "slot-16", "slot-00", "slot-+1", "slot-x"] {
        let refused = |config: Config| matches!(config.validate(), Err(ConfigError::Name { .. }));
        assert!(!refused(config(name)));
        assert_eq!(refused(planned(name)), name == "leader");
        let leased = Config { mode: Mode::Leased, ..config(name) };
        let number =
            name.strip_prefix("slot-").is_some_and(|it| it.bytes().all(|b| b.is_ascii_digit()));
        assert_eq!(refused(leased), number, "{name}");
    }
}

/// "Else it would keep others from joining while it cannot acknowledge them": who cannot read the plan, as
/// a role may forbid it, renews all the same, so that what moves has no owner for as long as it lives.
#[test]
fn who_cannot_read_the_plan_keeps_nobody_from_working() {
    let mut world = World::new(["a", "b"].map(planned));
    world.fate =
        Some(Box::new(
            |index, op| if index == 1 && *op == Op::ReadPlan { Fate::Fails } else { Fate::Served },
        ));
    world.run(SECOND * 120);
    world.add(planned("c"));
    world.run(SECOND * 120);
    assert!(world.owned()[0] + world.owned()[2] == 16, "{:?}", world.owned());
}
