//! The laws of placement. Each algorithm is a row of [`ALGORITHMS`], and of [`NUMBERED`] if it knows
//! members by number; a row says what laws it must pass. The controls break a law on purpose and must
//! be caught.
//!
//! `cargo test --test placement_laws table -- --nocapture` prints the table of algorithms and laws,
//! `… balance -- --nocapture` the balance that it measured.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use tenure::placement::{Key, Member, Members, MembersError, hash};

mod balance;
mod controls;
mod golden;
mod laws;
mod numbered;
mod table;

use laws::Verdict;
use table::{ALGORITHMS, Algorithm};

/// For each row: `law` holds, or the test fails and names the row.
fn all_rows(law: impl Fn(&Algorithm) -> Verdict) -> Result<(), TestCaseError> {
    ALGORITHMS.iter().try_for_each(|row| {
        law(row).map_err(|why| TestCaseError::fail(format!("{}: {why}", row.name)))
    })
}

fn members<N: AsRef<str>>(names: &[N]) -> Members {
    Members::new(names.iter().map(AsRef::as_ref)).expect("distinct, none empty")
}

/// Those whose bit is set.
fn subset<N>(bits: u16, names: &[N]) -> impl Iterator<Item = &N> {
    (0..16).zip(names).filter(move |(bit, _)| bits >> bit & 1 == 1).map(|(_, name)| name)
}

fn names() -> impl Strategy<Value = Vec<String>> {
    let name = prop_oneof![
        3 => "x-1{0,4}0{0,2}",
        3 => "[a-c]{1,2}-?[0-9]{0,2}",
        1 => "\\PC{1,9}",
    ];
    prop::collection::btree_set(name, 0..12)
        .prop_map(|names| names.into_iter().collect())
        .prop_shuffle()
}

fn keys() -> impl Strategy<Value = Vec<Key>> {
    let hash = prop_oneof![any::<u64>(), 0..100_u64, Just(u64::MAX)];
    let key = prop_oneof![
        hash.prop_map(Key::from_hash),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Key::from_bytes(&bytes)),
    ];
    prop::collection::vec(key, 1..40)
}

proptest! {
    // A failure prints the smallest input that fails; it becomes a test of its own, not a seed.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_key_has_one_owner_among_the_members(names in names(), keys in keys()) {
        all_rows(|row| laws::total(row, &members(&names), &keys))?;
    }

    #[test]
    fn the_order_of_input_does_not_matter(names in names(), keys in keys()) {
        all_rows(|row| laws::deterministic(row, &names, &keys))?;
    }

    #[test]
    fn joins_and_leaves_move_what_they_must(names in names(), keys in keys()) {
        let Some((name, others)) = names.split_last() else { return Ok(()) };
        all_rows(|row| {
            if !row.least_disruption {
                return Ok(());
            }
            laws::least_disruption(row, others, name, &keys)
        })?;
    }

    #[test]
    fn the_ranking_begins_with_the_owner(names in names(), keys in keys()) {
        all_rows(|row| laws::ranks(row, &members(&names), &keys))?;
    }

    #[test]
    fn some_rank_as_among_all(names in names(), keep in any::<u16>(), keys in keys()) {
        let kept: Vec<_> = subset(keep, &names).collect();
        all_rows(|row| laws::ranks_some_as_all(row, &members(&names), &members(&kept), &keys))?;
    }

    #[test]
    fn bounded_loads_are_within_their_bounds(
        names in names(),
        keys in keys(),
        extra_percent in prop_oneof![Just(0), 1..200_u32, Just(u32::MAX)],
    ) {
        all_rows(|row| laws::bounded(row, &members(&names), &keys, extra_percent))?;
    }

    #[test]
    fn members_are_a_canonical_set(names in names(), twice in any::<prop::sample::Index>()) {
        let set = members(&names);
        let sorted: BTreeSet<_> = names.iter().map(String::as_str).collect();
        prop_assert_eq!(&set, &members(&Vec::from_iter(sorted.clone())));
        prop_assert!(set.iter().map(Member::name).eq(sorted));
        prop_assert!(names.iter().all(|name| set.contains(name)));
        prop_assert!(!set.contains("") && !set.contains("nobody is called that"));
        prop_assert_eq!(set.len(), names.len());
        if !names.is_empty() {
            let name = twice.get(&names);
            let error = Members::new(names.iter().chain([name]).map(String::as_str));
            prop_assert_eq!(error, Err(MembersError::Duplicate(name.as_str().into())));
        }
        let error = Members::new(names.iter().map(String::as_str).chain([""]));
        prop_assert_eq!(error, Err(MembersError::EmptyName));
    }
}

#[test]
fn of_none_nobody_and_of_one_everybody() {
    let keys = [Key::from_hash(0), Key::from_hash(u64::MAX), Key::from_bytes(b"")];
    for row in ALGORITHMS.iter().chain(controls::CONTROLS) {
        for key in keys {
            assert_eq!((row.place)(&Members::default()).place(key), None, "{}", row.name);
            let lone = members(&["only"]);
            assert_eq!((row.place)(&lone).place(key), lone.by_name("only"), "{}", row.name);
        }
    }
}

/// Five members whose names are parts of each other, and 24 keys as a group's slots are: 0, 1, 2, …
const VIEWED: [&str; 5] = ["x-1", "x-11", "x-110", "x-111", "x-1-1"];

fn slots() -> Vec<Key> {
    (0..24).map(Key::from_hash).collect()
}

/// Those that promise it keep it; those that do not promise it would break it, so that the marker is
/// neither given away nor withheld.
#[test]
fn two_that_count_each_other_never_both_own() {
    for row in ALGORITHMS {
        // 20 ordered pairs of members, 8 x 8 views that contain both, 24 keys.
        let (claims, chances) = laws::double_claims(row, &VIEWED, &slots());
        assert_eq!(chances, 30_720, "{}", row.name);
        match row.rationalizable {
            Some(_) => {
                // Where keys lie as they are, the slots are all in one place.
                let mixed: Vec<_> = (0..24).map(|slot| Key::from_hash(hash::mix(slot))).collect();
                let (mixed, _) = laws::double_claims(row, &VIEWED, &mixed);
                assert_eq!((claims, mixed), (0, 0), "{}", row.name);
            }
            None => assert!(claims > 100, "{}: {claims}", row.name),
        }
    }
}

#[test]
fn the_laws_catch_modulo() {
    let modulo = &controls::MODULO;
    let (claims, chances) = laws::double_claims(modulo, &VIEWED, &slots());
    assert!(claims > 1_000, "{claims} of {chances}");
    let others = VIEWED[..4].iter().copied().map(String::from).collect::<Vec<_>>();
    assert!(laws::least_disruption(modulo, &others, VIEWED[4], &slots()).is_err());
    // And only these: it is total and deterministic.
    laws::total(modulo, &members(&VIEWED), &slots()).unwrap();
    laws::deterministic(modulo, &others, &slots()).unwrap();
}

/// Whoever is full depends on who else is there.
#[test]
fn bounded_loads_are_not_rationalizable() {
    let (claims, chances) = laws::double_claims(&controls::CAPPED, &VIEWED, &slots());
    assert!(claims > 50, "{claims} of {chances}");
}

/// One more control for each law that modulo keeps.
#[test]
fn the_laws_catch_what_breaks_them() {
    let keys = slots();
    let names: Vec<_> = VIEWED.iter().copied().map(String::from).collect();
    let set = members(&VIEWED);
    assert!(laws::total(&controls::STRANGER, &set, &keys).is_err());
    assert!(laws::deterministic(&controls::FORGETFUL, &names, &keys).is_err());
    assert!(laws::ranks(&controls::TWICE, &set, &keys).is_err());
    assert!(
        laws::ranks_some_as_all(&controls::RERANKED, &set, &members(&VIEWED[..3]), &keys).is_err()
    );
}

/// Neither the owner nor the k best cost an allocation, whatever the key.
#[test]
fn look_ups_allocate_nothing() {
    let names: Vec<_> = (0..50).map(|i| format!("controller-{i}")).collect();
    let set = members(&names);
    for row in ALGORITHMS {
        let placement = (row.place)(&set);
        let ranking = row.rank.map(|build| build(&set));
        let mut best = Vec::with_capacity(set.len());
        let counted = allocation_counter::measure(|| {
            for key in (0..1_000).map(Key::from_hash) {
                std::hint::black_box(placement.place(key));
                for k in [1, 3, 20, 50] {
                    if let Some(ranking) = &ranking {
                        ranking.best_into(key, k, &mut best);
                    }
                }
            }
        });
        assert_eq!(counted.count_total, 0, "{}", row.name);
    }
}

/// Which algorithm keeps which law, as measured: the flags of the rows say the same.
#[test]
fn the_table_of_laws() {
    let keys: Vec<_> = (0..20_000).map(|i| Key::from_hash(hash::mix(i))).collect();
    let names: Vec<_> = (0..10).map(|i| format!("controller-{i}")).collect();
    println!(
        "| algorithm | double claims of 30,720 | keys of 20,000 misplaced as 1 joins 9 | ranks | weights | order of input | balance: deviate, peak |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for row in ALGORITHMS {
        let (claims, _) = laws::double_claims(row, &VIEWED, &slots());
        let misplaced = laws::misplaced(row, &names[1..], &names[0], &keys);
        // One name in front of all others: numbers in canonical order are all others then.
        assert_eq!(misplaced == 0, row.least_disruption, "{}", row.name);
        let spread = balance::spread(&*(row.place)(&members(&names)), &keys, 0.0, false);
        let says = |holds: bool| if holds { "yes" } else { "no" };
        println!(
            "| {} | {claims} | {misplaced} | {} | {} | does not count | {:+.2}, {:.3} |",
            row.name,
            says(row.rank.is_some()),
            says(row.weighted.is_some()),
            spread.deviate,
            spread.peak,
        );
    }
    println!("\n| numbered algorithm | who may go | history |\n| --- | --- | --- |");
    for row in numbered::NUMBERED {
        let who = if matches!(row.kind, numbered::Kind::Tail(_)) { "the last" } else { "any" };
        let history = if row.history { "the order of removals" } else { "none" };
        println!("| {} | {who} | {history} |", row.name);
    }
}
