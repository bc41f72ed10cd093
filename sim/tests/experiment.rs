//! The experiment's figures, computed again from its entries in another way: instant by instant,
//! object by object.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use tenure::election::Profile;
use tenure::placement::{Key, Members, Placement, Rendezvous};
use tenure::sharding::Slots;
use tenure_sim::experiment::{Experiment, Measured, Mode, Workload, note};
use tenure_sim::time::SimTime;
use tenure_sim::trace::{Entry, Recorder, What};

const OBJECTS: usize = 60;

fn names() -> Vec<String> {
    (0..OBJECTS).map(|object| format!("Deployment/team-{object}/web")).collect()
}

fn run(mode: Mode, seed: u64) -> (Measured, Vec<Entry>) {
    let workload = Workload::new(&names().join("\n")).unwrap();
    let experiment = Experiment::new(workload, Profile::Strict, seed);
    let mut recorder = Recorder::default();
    let run = experiment.run(mode, &mut recorder).unwrap();
    (run.measured, recorder.entries)
}

/// Whether a replica may begin to work on an object at this instant, from all entries until then.
fn may(mode: Mode, entries: &[&Entry], replica: u32, object: usize, at: SimTime) -> bool {
    let (mut up, mut paused, mut until, mut counted) = (false, false, None, 0_u64);
    for entry in entries.iter().filter(|entry| entry.what.replica() == Some(replica)) {
        match entry.what {
            What::Started { .. } => (up, paused, until, counted) = (true, false, None, 0),
            What::Ended { .. } => up = false,
            What::Paused { .. } => paused = true,
            What::Resumed { .. } => paused = false,
            What::Authority { until: new, .. } => until = new,
            What::Note { kind: note::COUNTS, a, .. } => counted = a,
            _ => {}
        }
    }
    let right = match mode {
        Mode::Alone => true,
        Mode::Leader => until.is_some_and(|until| at < until),
        Mode::Ranked => unreachable!("counted by its notes"),
        Mode::Naive => {
            let live = (0..3).filter(|index| counted >> index & 1 == 1);
            let members = Members::new(live.map(|index| format!("replica-{index}"))).unwrap();
            let key = Key::from_bytes(names()[object].as_bytes());
            let placement = Rendezvous::new(members);
            placement.place(key).is_some_and(|owner| owner.name() == format!("replica-{replica}"))
        }
    };
    up && !paused && right
}

/// Nanoseconds in which objects have no owner, one, more.
fn ownership(mode: Mode, entries: &[Entry]) -> [u128; 3] {
    let relevant = |entry: &&Entry| {
        matches!(
            entry.what,
            What::Started { .. }
                | What::Ended { .. }
                | What::Paused { .. }
                | What::Resumed { .. }
                | What::Authority { .. }
                | What::Note { kind: note::COUNTS, .. }
        )
    };
    let entries_of_rights: Vec<&Entry> = entries.iter().filter(relevant).collect();
    let end = entries.last().unwrap().at;
    let mut instants: BTreeSet<SimTime> = entries_of_rights.iter().map(|entry| entry.at).collect();
    instants.extend([SimTime::ZERO, end]);
    for entry in &entries_of_rights {
        if let What::Authority { until: Some(until), .. } = entry.what {
            instants.insert(until.min(end));
        }
    }
    let instants: Vec<SimTime> = instants.into_iter().collect();
    let mut areas = [0_u128; 3];
    for span in instants.windows(2) {
        let until_then = entries_of_rights.partition_point(|entry| entry.at <= span[0]);
        let nanos = u128::from(span[1].saturating_since(span[0]).as_nanos());
        for object in 0..OBJECTS {
            // Only the latest entries matter; rights are renewed often, lives and pauses are not.
            let owners = (0..3)
                .filter(|replica| {
                    may(mode, &entries_of_rights[..until_then], *replica, object, span[0])
                })
                .count();
            areas[owners.min(2)] += nanos;
        }
    }
    areas
}

#[test]
fn ownership_is_what_the_entries_say() {
    // The leader's rights are those of all objects alike, and are renewed two thousand times.
    for mode in [Mode::Alone, Mode::Naive] {
        let (measured, entries) = run(mode, 5);
        let [none, one, more] = ownership(mode, &entries).map(|area| area / 1_000_000);
        let figures = [measured.none_millis, measured.one_millis, measured.more_millis];
        assert_eq!(figures.map(u128::from), [none, one, more], "{mode:?}");
    }
}

/// Also: no slot ever has two owners, and the tokens of each slot grow with its owners.
#[test]
fn ranked_ownership_is_what_the_notes_say() {
    let (measured, entries) = run(Mode::Ranked, 5);
    let slots = Slots::new(1024).unwrap();
    let slot = |name: &String| u64::from(slots.of(Key::from_bytes(name.as_bytes())).index());
    let objects: Vec<u64> = names().iter().map(slot).collect();
    let (mut owned, mut paused) = ([const { BTreeSet::new() }; 3], [false; 3]);
    let (mut tokens, mut hand_overs) = (BTreeMap::new(), 0);
    let (mut areas, mut now) = ([0_u128; 3], SimTime::ZERO);
    for entry in &entries {
        let span = u128::from(entry.at.saturating_since(now).as_nanos());
        now = entry.at;
        for slot in objects.iter().filter(|_| span > 0) {
            let owns = |replica: &usize| !paused[*replica] && owned[*replica].contains(slot);
            areas[(0..3).filter(owns).count().min(2)] += span;
        }
        let Some(replica) = entry.what.replica().map(|replica| replica as usize) else { continue };
        match entry.what {
            What::Started { .. } | What::Ended { .. } => owned[replica].clear(),
            What::Paused { .. } => paused[replica] = true,
            What::Resumed { .. } => paused[replica] = false,
            What::Note { kind: note::GAINED, a, b, .. } => {
                assert!(owned[replica].insert(a), "gained twice");
                let before = tokens.insert(a, (replica, b));
                if let Some((other, token)) = before {
                    assert!(token < b, "slot {a}: {token} of {other}, then {b} of {replica}");
                    hand_overs += usize::from(other != replica);
                }
            }
            What::Note { kind: note::LOST, a, .. } => assert!(owned[replica].remove(&a)),
            _ => {}
        }
    }
    let figures = [measured.none_millis, measured.one_millis, measured.more_millis];
    assert_eq!(figures.map(u128::from), areas.map(|area| area / 1_000_000));
    assert!(hand_overs > 5_000, "{hand_overs}");
}

#[test]
fn a_leader_is_alone_and_each_instant_without_one_is_counted() {
    let (measured, entries) = run(Mode::Leader, 5);
    // Authority by replica: until when.
    let (mut until, mut paused) = ([SimTime::ZERO; 3], [false; 3]);
    let (mut none, mut now) = (0_u128, SimTime::ZERO);
    for entry in &entries {
        let last = (0..3).filter(|index| !paused[*index]).map(|index| until[index]).max().unwrap();
        none += u128::from(entry.at.saturating_since(now.max(last)).as_nanos());
        now = entry.at;
        let Some(replica) = entry.what.replica() else { continue };
        let replica = replica as usize;
        match entry.what {
            What::Authority { until: new, .. } => until[replica] = new.unwrap_or(SimTime::ZERO),
            What::Ended { .. } => until[replica] = SimTime::ZERO,
            What::Paused { .. } => paused[replica] = true,
            What::Resumed { .. } | What::Started { .. } => paused[replica] = false,
            _ => {}
        }
    }
    assert_eq!(u128::from(measured.none_millis), none * OBJECTS as u128 / 1_000_000);
    assert_eq!(measured.more_millis, 0);
}

#[test]
fn work_is_counted_as_it_began_and_ended() {
    for mode in Mode::ALL {
        let (measured, entries) = run(mode, 5);
        let mut begun = [0_u32; OBJECTS];
        let mut working: BTreeSet<(usize, u32)> = BTreeSet::new();
        let (mut doubled, mut area, mut now) = (BTreeSet::new(), 0_u128, SimTime::ZERO);
        for entry in &entries {
            let twice = (0..OBJECTS)
                .filter(|object| working.range((*object, 0)..(*object + 1, 0)).count() > 1);
            let span = u128::from(entry.at.saturating_since(now).as_nanos());
            if working.len() > 1 {
                for object in twice {
                    doubled.insert(object);
                    area += span;
                }
            }
            now = entry.at;
            match entry.what {
                What::Note { replica, kind: note::BEGAN, a, .. } => {
                    let object = usize::try_from(a).unwrap();
                    begun[object] += 1;
                    assert!(working.insert((object, replica)), "worked on already");
                }
                What::Note { replica, kind: note::ENDED, a, .. } => {
                    let object = usize::try_from(a).unwrap();
                    assert!(working.remove(&(object, replica)), "not worked on");
                }
                What::Ended { replica, .. } => working.retain(|(_, by)| *by != replica),
                _ => {}
            }
        }
        assert_eq!(measured.reconciles, begun.iter().map(|times| u64::from(*times)).sum::<u64>());
        assert_eq!(
            (measured.least, measured.most),
            (*begun.iter().min().unwrap(), *begun.iter().max().unwrap())
        );
        assert_eq!(measured.doubled_objects, doubled.len() as u64);
        assert_eq!(u128::from(measured.doubled_millis), area / 1_000_000);
    }
}

#[test]
fn over_many_seeds_owners_are_alone_and_naive_ones_are_not() {
    for seed in 0..40 {
        let (leader, _) = run(Mode::Leader, seed);
        assert_eq!(leader.more_millis, 0, "seed {seed}");
        let (naive, _) = run(Mode::Naive, seed);
        assert!(naive.more_millis > 0, "seed {seed}");
        let (ranked, _) = run(Mode::Ranked, seed);
        assert!(ranked.exclusive, "seed {seed}");
        assert!(ranked.requests() <= naive.requests() * 12 / 10, "seed {seed}");
    }
}
