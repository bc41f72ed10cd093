use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{ANNOTATIONS_LIMIT, Plan, PlanError, base64};
use crate::lock::{Object, annotated::Annotated, lease::Lease};
use crate::placement::hash::mix;
use crate::sharding::{Generation, Slot, Slots};

const GENERATION: Generation = Generation { number: 3, fingerprint: 0x0123_4567_89ab_cdef };

fn names(count: u32) -> Vec<Arc<str>> {
    (0..count).map(|i| format!("member-{i}").into()).collect()
}

/// Slots with their owners and versions, each by itself.
fn plan(bits: u32, owners: &[(Option<u32>, u64)]) -> Plan {
    let names = names(10);
    let runs =
        owners.iter().map(|(owner, since)| (1, owner.map(|at| names[at as usize].clone()), *since));
    Plan::new(GENERATION, Slots::new(1 << bits).unwrap(), runs).unwrap()
}

prop_compose! {
    fn any_plan()(bits in 0_u32..8)(
        owners in prop::collection::vec((prop::option::of(0_u32..10), prop_oneof![0_u64..5, any::<u64>()]), 1 << bits),
        repeat in 1_usize..9,
        bits in Just(bits),
    ) -> (u32, Vec<(Option<u32>, u64)>) {
        (bits, (0..owners.len()).map(|at| owners[at / repeat]).collect())
    }
}

proptest! {
    /// What goes in comes out, from the plan and from its text; and each of its texts is the same.
    #[test]
    fn a_plan_is_what_it_was_made_of((bits, owners) in any_plan(), version in 1_u64..) {
        let plan = plan(bits, &owners);
        let text = plan.to_text();
        prop_assert_eq!(text.len(), plan.text_len());
        let read: Plan = text.parse().unwrap();
        prop_assert_eq!(&read, &plan);
        let resolved = read.resolve(version);
        for (slot, (owner, since)) in read.slots().iter().zip(&owners) {
            let owner = owner.map(|owner| format!("member-{owner}"));
            prop_assert_eq!(read.owner(slot), owner.as_deref());
            prop_assert_eq!(read.since(slot), *since);
            prop_assert_eq!(resolved.owner(slot), owner.as_deref());
            prop_assert_eq!(resolved.since(slot), if *since == 0 { version } else { *since });
            for name in names(10) {
                let has = owner.as_deref() == Some(&name);
                prop_assert_eq!(read.slots_of(&name).contains(slot), has);
                prop_assert_eq!(read.runs_of(&name).any(|run| run.iter().any(|of| of == slot)), has);
            }
        }
        let runs: Vec<_> = resolved.runs().collect();
        prop_assert!(runs.windows(2).all(|two| (two[0].owner, two[0].since) != (two[1].owner, two[1].since)));
    }

    /// Moves are the slots that have another owner, each once.
    #[test]
    fn moves_are_the_difference(
        (bits, before) in any_plan(), changes in prop::collection::vec((any::<u32>(), prop::option::of(0_u32..10)), 0..9),
    ) {
        let mut after = before.clone();
        for (slot, owner) in changes {
            after[slot as usize % before.len()] = (owner, 0);
        }
        let (old, new) = (plan(bits, &before), plan(bits, &after));
        let mut moved = alloc::vec![None; before.len()];
        let moves = new.moves(Some(&old));
        for one in &moves {
            for slot in one.first.index()..one.first.index() + one.slots {
                prop_assert_eq!(moved[slot as usize].replace((one.from.clone(), one.to.clone())), None);
            }
        }
        for (slot, moved) in old.slots().iter().zip(moved) {
            let (from, to) = (old.owner(slot), new.owner(slot));
            prop_assert_eq!(moved, (from != to).then(|| (from.map(Arc::from), to.map(Arc::from))));
        }
        let merged = moves.windows(2).all(|two| {
            two[0].first.index() + two[0].slots < two[1].first.index()
                || (&two[0].from, &two[0].to) != (&two[1].from, &two[1].to)
        });
        prop_assert!(merged);
        let owned: u32 = new.runs().filter(|run| run.owner.is_some()).map(|run| run.slots).sum();
        prop_assert_eq!(new.moves(None).iter().map(|one| one.slots).sum::<u32>(), owned);
    }

    /// Whatever is read is refused or a plan: never a panic, and never more than was allowed for.
    #[test]
    fn anything_is_refused_or_read(
        (bits, owners) in any_plan(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 0..200),
        garbage in ".{0,80}",
    ) {
        let bytes = plan(bits, &owners).to_bytes();
        let mut edited = bytes.clone();
        for (at, byte) in edits {
            let at = at.index(edited.len());
            edited[at] = byte;
        }
        for bytes in [&edited[..], &bytes[..cut.index(bytes.len())], &noise[..]] {
            if let Ok(plan) = base64::encode(bytes).parse::<Plan>() {
                prop_assert_eq!(plan.runs().map(|run| run.slots).sum::<u32>(), plan.slots().count());
                prop_assert_eq!(plan.to_text().parse(), Ok(plan));
            }
        }
        prop_assert!(base64::encode(&bytes[..cut.index(bytes.len())]).parse::<Plan>().is_err());
        let _ = garbage.parse::<Plan>();
    }
}

/// Each fault has its own words.
#[test]
fn what_is_wrong_is_said() {
    let two = plan(1, &[(Some(0), 5), (Some(1), 7)]);
    let bytes = two.to_bytes();
    let edit = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        base64::encode(&bytes).parse::<Plan>().map_err(|error| format!("{error}"))
    };
    let names = 2 + 1 + 8; // format, slots, generation
    let versions = names + 1 + 2 * 9;
    for (at, byte, says) in [
        (0, 2, "the first byte is not 1"),
        (1, 17, "more than 65,536 slots"),
        (1, 200, "more than 65,536 slots"),
        (names, 200, "ends too early"),
        (names + 2, 0xff, "a name is not UTF-8"),
        (names + 9, b'1', "not in ascending order"),
        (versions, 0, "no version"),
        (versions + 2, 0, "do not ascend"),
        (versions + 3, 9, "neither packed nor runs"),
        (versions + 4, 3 << 2 | 1, "not listed"),
        (versions + 4, 1, "owns nothing"),
        (versions + 4, 1 << 6 | 2 << 2 | 1, "left over"),
    ] {
        let error = edit(at, byte).unwrap_err();
        assert!(error.contains(says), "{at} {byte}: {error}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    let error = base64::encode(&longer).parse::<Plan>().unwrap_err();
    assert!(format!("{error}").contains("more follows"), "{error}");
    let error = "A".repeat(super::MAX_TEXT + 4).parse::<Plan>().unwrap_err();
    assert!(format!("{error}").contains("longer than 1 MiB"), "{error}");
    // 65,537 versions.
    let mut many = bytes[..versions].to_vec();
    many.extend([0x81, 0x80, 0x04]);
    many.resize(many.len() + 65_537, 1);
    let error = base64::encode(&many).parse::<Plan>().unwrap_err();
    assert!(format!("{error}").contains("more of them than slots"), "{error}");
    // A number of 65 bits, and a claim of 2^60 names.
    for (number, says) in [
        (&[0xff; 10][..], "64 bits"),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], "64 bits"),
        (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10], "too early"),
    ] {
        let mut bytes = bytes[..names].to_vec();
        bytes.extend(number);
        let error = base64::encode(&bytes).parse::<Plan>().unwrap_err();
        assert!(format!("{error}").contains(says), "{error}");
    }
}

#[test]
fn what_makes_no_plan_is_refused() {
    let four = Slots::new(4).unwrap();
    let new = |runs: &[(u32, &str)]| {
        Plan::new(
            GENERATION,
            four,
            runs.iter().map(|(slots, name)| (*slots, Some((*name).into()), 0)),
        )
    };
    assert_eq!(new(&[(3, "a")]), Err(PlanError::Slots { given: 3, slots: 4 }));
    assert_eq!(
        new(&[(3, "a"), (u32::MAX, "b")]),
        Err(PlanError::Slots { given: 4_294_967_298, slots: 4 })
    );
    assert_eq!(new(&[(3, "a"), (0, "b"), (1, "c")]), Err(PlanError::EmptyRun { run: 1 }));
    assert_eq!(new(&[(3, "a"), (1, "")]), Err(PlanError::EmptyName { run: 1 }));
    assert!(new(&[(3, "a"), (1, "a")]).unwrap().runs().count() == 1);
    assert_eq!(new(&[(4, "a")]).unwrap().owner(Slot::new(4)), None);
}

fn mixed(members: u64, plans: u64) -> Plan {
    let names: Vec<Arc<str>> =
        (0..members).map(|i| format!("controller-manager-7d9f8b6c54-{i:05}").into()).collect();
    let slots = Slots::new(Slots::MAX).unwrap();
    let runs = slots.iter().map(|slot| {
        let random = mix(slot.index().into());
        let owner = names[usize::try_from(random % members).unwrap()].clone();
        (1, Some(owner), 1_000_000_000 + mix(random) % plans)
    });
    Plan::new(GENERATION, slots, runs).unwrap()
}

/// The largest number of slots, no two neighbours alike, in the annotations of one object. Beyond
/// that the size needed is told, and the object stays.
#[test]
fn all_slots_fit_into_an_annotation() {
    let mut object = Object::ConfigMap(Annotated::default());
    for (members, plans) in [(1, 1), (3, 10), (30, 1000), (300, 4000)] {
        let plan = mixed(members, plans);
        plan.write_to(&mut object).unwrap();
        assert_eq!(Plan::read_from(&object), Ok(Some(plan)), "{members} {plans}");
    }
    let before = object.clone();
    let error = mixed(300, 60_000).write_to(&mut object).unwrap_err();
    assert!(error.needed > ANNOTATIONS_LIMIT && error.limit == ANNOTATIONS_LIMIT, "{error}");
    assert_eq!(object, before);
    // What else is in the annotations counts.
    let mut lease = Object::Lease(Lease::default());
    let filler: String = "x".repeat(ANNOTATIONS_LIMIT - 100);
    Arc::make_mut(lease.metadata_mut()).annotations.insert("filler".into(), filler.as_str().into());
    assert!(plan(3, &[(Some(1), 0); 8]).write_to(&mut lease).is_ok());
    let error = plan(
        3,
        &[
            (Some(1), 0),
            (Some(2), 0),
            (Some(1), 0),
            (Some(3), 0),
            (Some(1), 0),
            (None, 0),
            (Some(4), 0),
            (Some(5), 0),
        ],
    );
    assert!(error.write_to(&mut lease).is_err());
    // To the byte.
    let small = plan(3, &[(Some(1), 0); 8]);
    let room = ANNOTATIONS_LIMIT - super::ANNOTATION.len() - small.to_text().len() - "filler".len();
    for (length, fits) in [(room, true), (room + 1, false)] {
        let filler = "x".repeat(length);
        let metadata = Arc::make_mut(lease.metadata_mut());
        metadata.annotations.insert("filler".into(), filler.into());
        assert_eq!(small.write_to(&mut lease).is_ok(), fits);
    }
    let filler: String = "x".repeat(room + 1);
    assert!(lease.metadata().annotations["filler"].len() == filler.len());
}

/// Few runs are few bytes.
#[test]
fn few_runs_are_short() {
    let names = names(3);
    let third = Slots::MAX / 3;
    let runs = [(third, 0), (third, 1), (Slots::MAX - 2 * third, 2)];
    let runs = runs.into_iter().map(|(slots, at)| (slots, Some(names[at].clone()), 5));
    let plan = Plan::new(GENERATION, Slots::new(Slots::MAX).unwrap(), runs).unwrap();
    assert!(plan.to_text().len() < 100, "{}", plan.to_text());
}

/// There is a number for each owner, and one for nobody.
#[test]
fn more_owners_than_numbers_are_refused() {
    let all = Slots::new(Slots::MAX).unwrap();
    let runs = |owners: u32| {
        let name = move |slot: u32| Some(format!("{:05}", slot.min(owners - 1)).into());
        (0..Slots::MAX).map(move |slot| (1, name(slot), 1))
    };
    let error = Plan::new(GENERATION, all, runs(65_536)).unwrap_err();
    assert_eq!(error, PlanError::Members { count: 65_536 });
    let most = Plan::new(GENERATION, all, runs(65_535)).unwrap();
    assert_eq!(most.owner(Slot::new(65_534)), Some("65534"));
    assert_eq!(most.to_text().parse(), Ok(most));
}

/// Slots of another number are other slots.
#[test]
fn everything_moves_from_a_plan_of_other_slots() {
    let (two, eight) = (plan(1, &[(Some(0), 5); 2]), plan(3, &[(Some(0), 5); 8]));
    let moves = eight.moves(Some(&two));
    assert_eq!(moves.len(), 1);
    assert_eq!((moves[0].slots, moves[0].from.as_deref()), (8, None));
}
