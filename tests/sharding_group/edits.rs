//! What somebody does by hand, and what comes late.

use std::sync::Arc;
use std::time::Duration;

use tenure::election::Failure;
use tenure::sharding::planned::Policy;
use tenure::sharding::{
    Answer, Cause, Config, ConfigError, Event, Incarnation, Lapse, MemberRecord, Mode, Op, Plan,
    Request, Response, Sharder, Slot, SlotSet, Slots, State, StoredMember, StoredPlan, Watched,
};
use tenure::time::{Instant, Now, Timestamp};

use crate::group::Group;

const SECOND: Duration = Duration::from_secs(1);

fn planned(name: &str) -> Config {
    Config { mode: Mode::Planned(Policy::default()), ..Group::config(name) }
}

fn group(members: usize, watches: bool, config: fn(&str) -> Config) -> Group {
    let mut group = Group::new();
    group.watches = watches;
    for n in 0..members {
        group.add(config(&format!("member-{n}")));
    }
    group.run(SECOND * 20);
    all_owned(&group);
    group
}

fn all_owned(group: &Group) {
    assert_eq!(group.shares().iter().sum::<usize>(), 1024, "{:?}", group.shares());
}

fn owners(group: &Group) -> Vec<Option<usize>> {
    Slots::new(1024).unwrap().iter().map(|slot| group.owner(slot)).collect()
}

/// A plan that was deleted is made anew, with the owners that there were; and since nobody knows whether
/// another came in between, all slots are given anew.
#[test]
fn a_deleted_plan_is_made_anew() {
    for watches in [false, true] {
        let mut group = group(3, watches, planned);
        let before = owners(&group);
        group.plan = None;
        group.plan_calls = 0;
        group.run(SECOND * 8);
        // 0 is its own version.
        let anew = group.plan.clone().unwrap().plan;
        assert!(anew.runs().all(|run| run.since == 0));
        assert_eq!(owners(&group), before);
        assert!(group.plan_calls < 24, "{}", group.plan_calls);
    }
}

/// It hands nothing over while work goes on.
#[test]
fn a_plan_made_anew_waits_for_drains() {
    for watches in [false, true] {
        let mut group = group(3, watches, planned);
        let before = owners(&group);
        group.members[0].prompt = false;
        group.plan = None;
        group.plan_calls = 0;
        let new = group.add(planned("new"));
        group.run(SECOND * 8);
        assert!(group.plan.is_some());
        assert_eq!(group.shares()[new], 0);
        assert!(group.plan_calls < 30, "{}", group.plan_calls);
        group.drain(0, &SlotSet::all(Slots::new(1024).unwrap()));
        group.run(SECOND * 5);
        all_owned(&group);
        assert!(group.shares()[new] > 200);
        let moved = before.iter().zip(owners(&group)).filter(|(old, now)| **old != *now);
        assert!(moved.into_iter().all(|(_, now)| now == Some(new)));
    }
}

/// A weight is fixed for a life: others go on with the one they know, and the member begins another life.
#[test]
fn a_weight_changed_by_hand_moves_nothing() {
    for watches in [false, true] {
        for mode in [planned as fn(&str) -> Config, Group::config] {
            let mut group = group(3, watches, mode);
            let before = owners(&group);
            let stored = group.records["member-1"].record.clone();
            let member = stored.member.clone().with_weight(5.try_into().unwrap());
            group.write(MemberRecord { member, ..MemberRecord::clone(&stored) }.into());
            for seat in &mut group.members {
                seat.events.clear();
            }
            group.run(SECOND * 12);
            assert_eq!(owners(&group), before);
            let lapsed = |(_, event): &(u64, Event)| {
                matches!(event, Event::Lapsed { cause: Lapse::Replaced, .. })
            };
            assert!(group.members[1].events.iter().any(lapsed));
            let moved = |(_, event): &(u64, Event)| {
                matches!(event, Event::Revoking { cause: Cause::Moved, .. })
            };
            assert!(!group.members[0].events.iter().any(moved), "{:?}", group.members[0].events);
            let record = &group.records["member-1"].record;
            assert_eq!((record.member.weight().get(), record.incarnation.life), (1, 2));
        }
    }
}

/// Slots of another number than the configuration has are not those that were to be drained.
#[test]
fn drains_of_another_number_of_slots_say_nothing() {
    let mut group = group(1, true, Group::config);
    group.members[0].prompt = false;
    let now = group.now();
    group.members[0].sharder.leave(now);
    group.settle();
    for slots in [64, 2048] {
        group.members[0].sharder.drained(now, &SlotSet::all(Slots::new(slots).unwrap()));
    }
    group.settle();
    let released = |(_, event): &(u64, Event)| matches!(event, Event::Released(_));
    assert!(!group.members[0].events.iter().any(released));
    group.run(SECOND * 5);
    assert!(!group.members[0].sharder.is_finished());
    group.drain(0, &SlotSet::all(Slots::new(1024).unwrap()));
    assert!(group.members[0].sharder.is_finished());
}

/// What others know a running member by stays; and who leaves takes no new configuration.
#[test]
fn a_running_member_stays_who_it_is() {
    let mut group = group(2, true, Group::config);
    let own = Group::config("member-0");
    let named = |member: &str| Config { member: member.into(), ..own.clone() };
    for (field, config) in [
        ("namespace", Config { namespace: "other".into(), ..own.clone() }),
        ("group", Config { group: "other".into(), ..own.clone() }),
        ("member", named("other")),
        ("incarnation", Config { incarnation: "other".into(), ..own.clone() }),
    ] {
        let now = group.now();
        let refused = group.members[0].sharder.reconfigure(now, config).unwrap_err();
        assert_eq!(refused, ConfigError::Fixed { field });
        assert!(refused.to_string().starts_with(field));
        assert_eq!(group.members[0].sharder.config(), &own);
    }
    group.settle();
    all_owned(&group);
    let now = group.now();
    group.members[0].sharder.leave(now);
    for _ in 0..2 {
        let refused = group.members[0].sharder.reconfigure(now, own.clone()).unwrap_err();
        assert_eq!(refused, ConfigError::Leaving);
        group.settle();
        group.run(SECOND * 3);
    }
    assert!(group.members[0].sharder.is_finished());
}

fn at(secs: u64) -> Now {
    let instant = Instant::default() + SECOND * u32::try_from(secs).unwrap();
    Now { instant, timestamp: Timestamp::from_unix(1_700_000_000, 0).unwrap() }
}

/// A member that is alone, with its store: what it asks for and is not answered stays in `asked`.
struct Alone {
    sharder: Sharder,
    own: Option<StoredMember>,
    version: u64,
    asked: Vec<Request>,
}

impl Alone {
    fn new(config: Config) -> Self {
        let sharder = Sharder::new(config, 1, at(0).instant).unwrap();
        let mut alone = Self { sharder, own: None, version: 50, asked: Vec::new() };
        alone.sharder.handle_timeout(at(0));
        alone.answer(0);
        alone
    }

    /// All that it asks for, but for what an elector does.
    fn answer(&mut self, secs: u64) {
        while let Some(request) = self.sharder.poll_request() {
            let result = self.result(&request.op);
            self.sharder.handle_response(at(secs), Response { id: request.id, result });
        }
    }

    fn result(&mut self, op: &Op) -> Result<Answer, Failure> {
        Ok(match op {
            Op::List => Answer::Listed {
                members: self.own.iter().cloned().collect(),
                version: self.version,
            },
            Op::Create(record) | Op::Update(record, _) => {
                self.version += 1;
                self.own = Some(StoredMember { record: record.clone(), version: self.version });
                Answer::Written { version: self.version }
            }
            Op::ReadPlan => return Err(Failure::NotFound),
            _ => return Err(Failure::Other),
        })
    }

    fn slot(&self) -> Slot {
        self.sharder.config().slots.get(0).unwrap()
    }

    fn ask(&mut self) {
        self.asked.extend(std::iter::from_fn(|| self.sharder.poll_request()));
    }

    fn take(&mut self, which: fn(&Op) -> bool) -> Option<Request> {
        let at = self.asked.iter().position(|request| which(&request.op))?;
        Some(self.asked.swap_remove(at))
    }
}

/// A list that is behind what a watch has shown adds nothing to it; but it was answered.
#[test]
fn a_list_behind_the_watch_is_as_good_as_another() {
    let mut alone = Alone::new(Group::config("a"));
    let after = alone.sharder.explain(alone.slot(), at(0).instant).version;
    alone.sharder.handle_watch(at(0), Watched::Started { after });
    alone.sharder.handle_watch(at(0), Watched::Stored(alone.own.clone().unwrap()));
    alone.sharder.handle_timeout(at(2));
    alone.ask();
    let renewal = alone.take(|op| matches!(op, Op::Update(..))).unwrap();
    alone.asked.clear();
    let unanswered = Response { id: renewal.id, result: Err(Failure::Other) };
    alone.sharder.handle_response(at(2), unanswered);
    alone.ask();
    let list = alone.take(|op| *op == Op::List).unwrap();
    let result = alone.result(&list.op);
    let left = MemberRecord {
        member: "b".into(),
        state: State::Left,
        incarnation: Incarnation { process: "other".into(), life: 1 },
        ..MemberRecord::clone(&alone.own.as_ref().unwrap().record)
    };
    alone.version += 1;
    let shown = StoredMember { record: left.into(), version: alone.version };
    alone.sharder.handle_watch(at(3), Watched::Stored(shown));
    alone.sharder.handle_response(at(3), Response { id: list.id, result });
    alone.sharder.handle_timeout(at(4));
    alone.ask();
    let renewal = alone.take(|op| matches!(op, Op::Update(..))).unwrap();
    let result = alone.result(&renewal.op);
    alone.sharder.handle_response(at(4), Response { id: renewal.id, result });
    // From the sending of that list, at 2.
    assert_eq!(alone.sharder.until(), Some(at(12).instant));
}

/// What a watch shows late of a plan, from before the own joining, is over for all others.
#[test]
fn a_late_plan_from_before_the_join_is_none() {
    let mut alone = Alone::new(planned("a"));
    let joined = alone.own.as_ref().unwrap().version;
    let plan = |version| {
        let config = planned("a");
        let runs = [(1024, Some(Arc::from("a")), 0)];
        let plan = Plan::new(config.generation(), config.slots, runs).unwrap();
        Watched::Planned(StoredPlan { plan: plan.into(), version })
    };
    let slot = alone.slot();
    for (version, owns) in [(40, false), (joined, false), (joined + 1, true)] {
        alone.version = alone.version.max(version);
        alone.sharder.handle_watch(at(1), plan(version));
        alone.sharder.poke(at(1));
        alone.answer(1);
        assert_eq!(alone.sharder.permit(slot, at(1).instant).is_some(), owns, "{version}");
    }
}
