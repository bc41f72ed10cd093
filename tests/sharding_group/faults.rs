//! What fails: one call, the way to the plan, the store for one that leaves; and who excludes.

use std::time::Duration;

use tenure::sharding::planned::Policy;
use tenure::sharding::{Config, Event, Lapse, Mode, Ranking, SlotSet, Slots, Standing, State};

use crate::group::Group;

const SECOND: Duration = Duration::from_secs(1);

fn modes() -> [Mode; 3] {
    [Mode::Ranked(Ranking::Rendezvous), Mode::Planned(Policy::default()), Mode::Leased]
}

fn config(mode: &Mode, name: &str) -> Config {
    let slots = Slots::new(16).unwrap();
    Config { mode: mode.clone(), slots, ..Group::config(name) }
}

fn group(members: usize, mode: &Mode, watches: bool) -> Group {
    let mut group = Group::new();
    group.watches = watches;
    for n in 0..members {
        group.add(config(mode, &format!("member-{n}")));
    }
    group.run(SECOND * 20);
    all_owned(&group, "at first");
    group
}

fn all_owned(group: &Group, when: &str) {
    assert_eq!(group.shares().iter().sum::<usize>(), 16, "{when}: {:?}", group.shares());
}

type Change = fn(&mut Group, &Mode);

/// Whichever call fails, of those that follow a join, a leave or a crash, before or after it took effect:
/// all slots have an owner soon after.
fn each_call_fails_once(mode: &Mode, watches: bool) {
    let changes: [(&str, Change); 3] = [
        ("join", |group, mode| {
            group.add(config(mode, "new"));
        }),
        ("leave", |group, _| {
            let now = group.now();
            group.members[1].sharder.leave(now);
            group.settle();
        }),
        ("crash", |group, _| {
            group.members[1].cut = true;
            let (fails, calls) = (group.fails.take(), group.calls);
            group.run(SECOND * 12);
            (group.fails, group.calls) = (fails, calls);
        }),
    ];
    let mut before = group(3, mode, watches);
    (before.step, before.calls) = (50, 0);
    for (name, change) in changes {
        let mut calm = before.clone();
        change(&mut calm, mode);
        calm.run(SECOND * 6);
        for call in 1..=calm.calls {
            for fate in [0, 1] {
                let mut group = before.clone();
                group.fails = Some((call, fate));
                change(&mut group, mode);
                group.run(SECOND * 26);
                all_owned(&group, &format!("{mode:?}, {name}, call {call}, {fate}"));
            }
        }
    }
}

#[test]
fn any_one_call_may_fail_in_mode_ranked() {
    for watches in [false, true] {
        each_call_fails_once(&Mode::Ranked(Ranking::Rendezvous), watches);
    }
}

#[test]
fn any_one_call_may_fail_in_mode_planned() {
    for watches in [false, true] {
        each_call_fails_once(&Mode::Planned(Policy::default()), watches);
    }
}

#[test]
fn any_one_call_may_fail_in_mode_leased() {
    each_call_fails_once(&Mode::Leased, false);
}

/// Who cannot read the plan cannot let go of what it moves: it stops by itself, joins no more, and the
/// others go on without it.
#[test]
fn who_cannot_read_the_plan_does_not_block_the_others() {
    for watches in [false, true] {
        let mut group = group(3, &modes()[1], watches);
        group.members[1].planless = true;
        // Watches show plans as well; that they do so in time nobody knows.
        group.run(SECOND * 10);
        let lapsed = |(_, event): &(u64, Event)| {
            matches!(event, Event::Lapsed { cause: Lapse::Expired { .. }, .. })
        };
        assert!(group.members[1].events.iter().any(lapsed));
        let new = group.add(config(&modes()[1], "new"));
        group.run(SECOND * 20);
        all_owned(&group, "without it");
        assert!(group.shares()[1] == 0 && group.shares()[new] > 0);
        assert_eq!(group.records["member-1"].record.state, State::Excluded);
        group.members[1].planless = false;
        group.run(SECOND * 10);
        all_owned(&group, "with it");
        assert!(group.shares()[1] > 0);
    }
}

/// Who leaves while the store is out of reach does so when its authority has ended and its work, too.
#[test]
fn leaving_ends_without_the_store() {
    for mode in modes() {
        for prompt in [true, false] {
            let mut group = group(2, &mode, true);
            group.members[1].cut = true;
            group.members[1].prompt = prompt;
            let now = group.now();
            group.members[1].sharder.leave(now);
            group.settle();
            group.run(SECOND * 11);
            if !prompt {
                assert!(!group.members[1].sharder.is_finished());
                group.drain(1, &SlotSet::all(Slots::new(16).unwrap()));
            }
            // Locks are not let go of at once: their releases might still take effect.
            group.run(SECOND * if mode == Mode::Leased { 14 } else { 6 });
            assert!(group.members[1].sharder.is_finished(), "{mode:?}");
            assert_eq!(group.members[1].events.last().unwrap().1, Event::Left);
            group.run(SECOND * 20);
            all_owned(&group, "by the other");
            assert_eq!(group.records["member-1"].record.state, State::Excluded);
        }
    }
}

/// One that cannot tell others of its leaving at first does so when it can.
#[test]
fn leaving_is_told_when_the_store_is_back_in_time() {
    let mut group = group(2, &modes()[0], true);
    group.members[1].cut = true;
    let now = group.now();
    group.members[1].sharder.leave(now);
    group.settle();
    group.run(SECOND * 4);
    group.members[1].cut = false;
    group.run(SECOND * 5);
    assert!(group.members[1].sharder.is_finished());
    assert_eq!(group.records["member-1"].record.state, State::Left);
}

/// Who has lost its authority, and leaves before it has joined anew, says so, that nobody has to wait for it.
#[test]
fn who_has_lapsed_still_says_that_it_leaves() {
    let mut group = group(2, &modes()[0], false);
    group.members[0].frozen = true;
    while group.shares()[0] > 0 {
        group.run(SECOND / 100);
    }
    group.members[0].frozen = false;
    let now = group.now();
    group.members[0].sharder.leave(now);
    group.run(SECOND * 3);
    assert!(group.members[0].sharder.is_finished());
    assert_eq!(group.records["member-0"].record.state, State::Left);
    all_owned(&group, "it has left");
}

/// For people: it is no longer a member, though it has not left yet.
#[test]
fn who_has_lapsed_and_cannot_say_that_it_leaves_is_outside() {
    let mut group = group(2, &modes()[0], false);
    group.members[0].frozen = true;
    group.run(SECOND * 11);
    (group.members[0].frozen, group.members[0].cut) = (false, true);
    let now = group.now();
    group.members[0].sharder.leave(now);
    group.settle();
    let sharder = &group.members[0].sharder;
    assert!(!sharder.is_finished());
    let of = Slots::new(16).unwrap();
    let standings = of.iter().map(|slot| sharder.explain(slot, now.instant).standing);
    assert!(standings.into_iter().all(|standing| standing == Standing::Outside));
}

/// One member excludes another; those that watch see it. If the first that should is dead as well, the
/// next does it soon after.
#[test]
fn one_excludes_for_all() {
    for frozen in [0, 1, 6] {
        let mut group = group(12, &modes()[0], true);
        group.together = true;
        group.run(SECOND * 3);
        // In the order of names: member-0, member-1, member-10, member-11, member-2, …
        for at in [0, 1, 10, 11, 2, 3].into_iter().take(frozen) {
            group.members[at].frozen = true;
        }
        group.members[7].cut = true;
        group.run(SECOND * 11);
        (group.conflicts, group.lists) = (0, 0);
        let told = group.members.iter().map(|seat| seat.events.len()).collect::<Vec<_>>();
        let excluded = |group: &Group| {
            let news = group.members.iter().zip(&told);
            news.flat_map(|(seat, from)| seat.events.iter().skip(*from).cloned())
                .filter(|(_, event)| *event == Event::Excluded { member: "member-7".into() })
                .count()
        };
        group.run(SECOND * 11 / 2);
        assert_eq!(excluded(&group), 1, "{frozen} dead");
        // Who came too late sees why, and need not look.
        assert!(group.lists <= 2, "{} lists", group.lists);
        if frozen == 0 {
            assert_eq!(group.conflicts, 0);
            all_owned(&group, "soon");
        }
    }
}

/// Whose renewal comes to the store just before its exclusion has not gone: the conflict says so, what is
/// there now is read at once, and its lease is waited for anew.
#[test]
fn a_conflict_is_no_exclusion() {
    let silent = || {
        let mut group = group(2, &modes()[0], false);
        group.members[1].frozen = true;
        group.members[0].events.clear();
        group
    };
    let state = |group: &Group| group.records["member-1"].record.state;
    let mut undisturbed = silent();
    let start = undisturbed.millis;
    while state(&undisturbed) != State::Excluded {
        undisturbed.run(Duration::from_millis(undisturbed.step));
    }
    let waited = Duration::from_millis(undisturbed.millis - start);

    let mut group = silent();
    group.run(waited.saturating_sub(Duration::from_millis(group.step)));
    let (conflicts, lists) = (group.conflicts, group.lists);
    let late = group.records["member-1"].record.clone();
    group.write(late);
    group.run(Duration::from_millis(group.step));
    assert_eq!((group.conflicts, group.lists), (conflicts + 1, lists + 1));
    let lease = group.members[0].sharder.config().lease_duration;
    group.run(lease.saturating_sub(SECOND));
    assert_ne!(state(&group), State::Excluded);
    assert_eq!(group.members[0].events, [], "nobody is excluded, and nothing moves");
    group.run(SECOND * 2);
    assert_eq!(state(&group), State::Excluded);
}
