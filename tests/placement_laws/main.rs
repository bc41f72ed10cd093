//! The laws of placement. Each algorithm is a row of [`ALGORITHMS`], which says what laws it must
//! pass; the controls break a law on purpose and must be caught.
//!
//! `cargo test --test placement_laws balance -- --nocapture` prints the balance that it measured.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tenure::placement::{Key, Member, Members, MembersError, Placement, hash};

mod table;

use table::{ALGORITHMS, Algorithm, MODULO, UNMIXED};

/// What a law says about a row; the text tells what broke it.
type Verdict = Result<(), String>;

// The laws, each for one row, on input that the tests below choose.

/// Total and in range: an owner if and only if there are members, and one of them.
fn total(algorithm: &Algorithm, members: &Members, keys: &[Key]) -> Verdict {
    let placement = (algorithm.place)(members);
    check(placement.members() == members, || "other members".into())?;
    keys.iter().try_for_each(|&key| match placement.place(key) {
        Some(owner) => check(members.by_name(owner.name()) == Some(owner), || {
            format!("{key:?}: {owner} is no member")
        }),
        None => check(members.is_empty(), || format!("{key:?} has no owner")),
    })
}

/// Asked twice, and of members given in another order, it answers alike.
fn deterministic(algorithm: &Algorithm, names: &[String], keys: &[Key]) -> Verdict {
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    let given = (algorithm.place)(&members(names));
    let other = (algorithm.place)(&members(&sorted));
    keys.iter().try_for_each(|&key| {
        let (one, two, three) = (given.place(key), given.place(key), other.place(key));
        check(one == two && one == three, || format!("{key:?}: {one:?}, {two:?}, {three:?}"))
    })
}

/// Least disruption: when `name` joins, keys move only to it; when it leaves again, only its keys
/// move, and each back to where it was.
fn least_disruption(algorithm: &Algorithm, others: &[String], name: &str, keys: &[Key]) -> Verdict {
    let before = (algorithm.place)(&members(others));
    let all: Vec<_> = others.iter().map(String::as_str).chain([name]).collect();
    let after = (algorithm.place)(&members(&all));
    let left: Vec<_> = all.iter().filter(|member| **member != name).collect();
    let restored = (algorithm.place)(&members(&left));
    keys.iter().try_for_each(|&key| {
        let (old, new) = (before.place(key), after.place(key));
        let joined = new.is_some_and(|owner| owner.name() == name);
        check(joined || new == old, || format!("{key:?} moved from {old:?} to {new:?}"))?;
        let back = restored.place(key);
        check(back == old, || format!("{key:?} came back to {back:?}, not {old:?}"))
    })
}

/// The ranking is an order of all members that begins with the owner; the k best are its beginning.
fn ranks(algorithm: &Algorithm, members: &Members, keys: &[Key]) -> Verdict {
    let Some(build) = algorithm.rank else { return Ok(()) };
    let ranking = build(members);
    keys.iter().try_for_each(|&key| {
        let rank = ranking.rank(key);
        check(rank.first().copied() == ranking.place(key), || format!("{key:?}: {rank:?}"))?;
        let distinct: BTreeSet<_> = rank.iter().collect();
        check(distinct.len() == members.len(), || format!("{key:?}: {rank:?} of {members:?}"))?;
        (0..=members.len() + 1).chain([usize::MAX]).try_for_each(|k| {
            let best = ranking.best(key, k);
            let beginning = rank.iter().take(k);
            check(best.iter().eq(beginning), || format!("{key:?}: the {k} best are {best:?}"))
        })
    })
}

/// Where the ranking is what rationalizes the choice: some of the members rank as among all.
fn ranks_some_as_all(
    algorithm: &Algorithm,
    all: &Members,
    some: &Members,
    keys: &[Key],
) -> Verdict {
    let (Some(build), Some(_)) = (algorithm.rank, algorithm.rationalizable) else { return Ok(()) };
    let (ranking, sub) = (build(all), build(some));
    keys.iter().try_for_each(|&key| {
        let filtered: Vec<_> =
            ranking.rank(key).into_iter().filter(|member| some.contains(member.name())).collect();
        check(sub.rank(key) == filtered, || format!("{key:?}: {filtered:?} expected"))
    })
}

/// The law of `Rationalizable`, on all pairs of views: how often two members claim a key though each
/// is in the other's view, of how many chances (a key, and two views that contain both).
fn double_claims(algorithm: &Algorithm, names: &[&str], keys: &[Key]) -> Option<(u32, u32)> {
    let build = algorithm.rationalizable?;
    let views: Vec<Vec<&str>> =
        (1..1 << names.len()).map(|bits| subset(bits, names).copied().collect()).collect();
    let placements: Vec<_> = views.iter().map(|view| build(&members(view))).collect();
    let (mut claims, mut chances) = (0, 0);
    for (x, y) in names.iter().flat_map(|x| names.iter().map(move |y| (x, y))) {
        let both: Vec<_> = (placements.iter().zip(&views))
            .filter(|(_, view)| x != y && view.contains(x) && view.contains(y))
            .collect();
        for (mine, yours) in both.iter().flat_map(|v| both.iter().map(move |w| (v.0, w.0))) {
            for &key in keys {
                let claims_it = |placement: &dyn Placement, name: &str| {
                    placement.place(key).is_some_and(|owner| owner.name() == name)
                };
                chances += 1;
                claims += u32::from(claims_it(&**mine, x) && claims_it(&**yours, y));
            }
        }
    }
    Some((claims, chances))
}

/// How evenly keys spread: chi-square as a standard normal deviate (Wilson and Hilferty 1931), and
/// the peak over the mean.
fn spread(algorithm: &Algorithm, members: &Members, keys: &[Key]) -> (f64, f64) {
    let placement = (algorithm.place)(members);
    let owners: Vec<_> = keys.iter().filter_map(|&key| placement.place(key)).collect();
    let count = |member| owners.iter().filter(|owner| **owner == member).count();
    let float = |count: usize| u32::try_from(count).map_or(f64::NAN, f64::from);
    let counts: Vec<f64> = members.iter().map(|member| float(count(member))).collect();
    let mean = float(keys.len()) / float(members.len());
    let chi_square: f64 = counts.iter().map(|count| (count - mean).powi(2) / mean).sum();
    let freedom = float(members.len()) - 1.0;
    let variance = 2.0 / (9.0 * freedom);
    let deviate = ((chi_square / freedom).cbrt() - (1.0 - variance)) / variance.sqrt();
    (deviate, counts.into_iter().fold(0.0, f64::max) / mean)
}

fn check(holds: bool, why: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(why()) }
}

fn members<N: AsRef<str>>(names: &[N]) -> Members {
    Members::new(names.iter().map(AsRef::as_ref)).expect("distinct, none empty")
}

/// Those whose bit is set.
fn subset<N>(bits: u16, names: &[N]) -> impl Iterator<Item = &N> {
    (0..16).zip(names).filter(move |(bit, _)| bits >> bit & 1 == 1).map(|(_, name)| name)
}

/// For each row: `law` holds, or the test fails and names the row.
fn all_rows(law: impl Fn(&Algorithm) -> Verdict) -> Result<(), TestCaseError> {
    ALGORITHMS.iter().try_for_each(|row| {
        law(row).map_err(|why| TestCaseError::fail(format!("{}: {why}", row.name)))
    })
}

// Input.

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
        all_rows(|row| total(row, &members(&names), &keys))?;
    }

    #[test]
    fn the_order_of_input_does_not_matter(names in names(), keys in keys()) {
        all_rows(|row| deterministic(row, &names, &keys))?;
    }

    #[test]
    fn joins_and_leaves_move_what_they_must(names in names(), keys in keys()) {
        let Some((name, others)) = names.split_last() else { return Ok(()) };
        all_rows(|row| match row.rationalizable {
            Some(_) => least_disruption(row, others, name, &keys),
            None => Ok(()),
        })?;
    }

    #[test]
    fn the_ranking_begins_with_the_owner(names in names(), keys in keys()) {
        all_rows(|row| ranks(row, &members(&names), &keys))?;
    }

    #[test]
    fn some_rank_as_among_all(names in names(), keep in any::<u16>(), keys in keys()) {
        let kept: Vec<_> = subset(keep, &names).collect();
        all_rows(|row| ranks_some_as_all(row, &members(&names), &members(&kept), &keys))?;
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
fn golden_vectors() {
    for row in ALGORITHMS {
        assert!(!row.golden.is_empty(), "{} has none", row.name);
        for &(names, named, best) in row.golden {
            let (members, key) = (members(names), named.key());
            let owner = (row.place)(&members).place(key).map(|owner| owner.name().to_owned());
            assert_eq!(owner.as_deref(), best.first().copied(), "{}: {key:?}", row.name);
            let Some(build) = row.rank else { continue };
            let ranking = build(&members);
            let ranked = ranking.best(key, best.len());
            assert!(ranked.iter().map(|member| member.name()).eq(best.iter().copied()));
        }
    }
}

#[test]
fn of_none_nobody_and_of_one_everybody() {
    let keys = [Key::from_hash(0), Key::from_hash(u64::MAX), Key::from_bytes(b"")];
    for row in ALGORITHMS.iter().chain([&MODULO, &UNMIXED]) {
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

#[test]
fn two_that_count_each_other_never_both_own() {
    for row in ALGORITHMS {
        let Some((claims, chances)) = double_claims(row, &VIEWED, &slots()) else { continue };
        // 20 ordered pairs of members, 8 x 8 views that contain both, 24 keys.
        assert_eq!((claims, chances), (0, 30_720), "{}", row.name);
    }
}

#[test]
fn the_laws_catch_modulo() {
    let (claims, chances) = double_claims(&MODULO, &VIEWED, &slots()).unwrap();
    assert!(claims > 1_000, "{claims} of {chances}");
    let others = VIEWED[..4].iter().copied().map(String::from).collect::<Vec<_>>();
    assert!(least_disruption(&MODULO, &others, VIEWED[4], &slots()).is_err());
    // And only these: it is total and deterministic.
    total(&MODULO, &members(&VIEWED), &slots()).unwrap();
    deterministic(&MODULO, &others, &slots()).unwrap();
}

/// Names and keys that weak hashes spread badly.
fn balance_cases() -> Vec<(String, Members, Vec<Key>)> {
    let numbered = |prefix: &str, n| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
    let teams = (b'a'..=b'z').flat_map(|c| numbered(&format!("team-{}", char::from(c)), 10));
    let objects = include_str!("../../sim/data/kubernetes-objects.txt").lines();
    let bytes = |text: &str| Key::from_bytes(text.as_bytes());
    let key_sets: [(&str, Vec<Key>); 7] = [
        ("numbers 0 ..= 99999", (0..100_000).map(Key::from_hash).collect()),
        ("multiples of 2^48", (0..65_536).map(|i| Key::from_hash(i << 48)).collect()),
        ("x-0 ..= x-110", numbered("x-", 111).iter().map(|name| bytes(name)).collect()),
        ("x-0 ..= x-99999", numbered("x-", 100_000).iter().map(|name| bytes(name)).collect()),
        ("team-a0 ..= team-z9", teams.map(|name| bytes(&name)).collect()),
        ("Kubernetes objects", objects.clone().map(bytes).collect()),
        (
            "the same, FNV-1a 64",
            objects.map(|name| Key::from_hash(hash::fnv1a_64(name.as_bytes()))).collect(),
        ),
    ];
    let member_sets = [
        ("x-1, x-11, x-110", members(&["x-1", "x-11", "x-110"])),
        ("op-0 ..= op-2", members(&numbered("op-", 3))),
        ("op-0 ..= op-19", members(&numbered("op-", 20))),
        ("team-a0 ..= team-a9", members(&numbered("team-a", 10))),
        ("x-0 ..= x-110", members(&numbered("x-", 111))),
    ];
    let mut cases = Vec::new();
    for (keys_are, keys) in &key_sets {
        for (members_are, members) in &member_sets {
            // Chi-square wants five expected at least.
            if keys.len() >= 5 * members.len() {
                let title = format!("{keys_are} on {members_are}");
                cases.push((title, members.clone(), keys.clone()));
            }
        }
    }
    cases
}

/// Refuses a deviate that chance exceeds once in 30,000 (the cases are fixed, so this never fails by
/// chance), and a sum of them as unlikely, as when each case is a little uneven.
#[test]
fn balance_is_what_chance_gives() {
    let cases = balance_cases();
    for row in ALGORITHMS {
        println!("\n{}: chi-square as a normal deviate, peak to mean", row.name);
        let mut sum = 0.0;
        for (title, members, keys) in &cases {
            let (deviate, peak) = spread(row, members, keys);
            println!("{deviate:+6.2} {peak:6.3}  {:>6} {title}", keys.len());
            assert!(deviate < 4.0, "{}: {title}: {deviate}", row.name);
            sum += deviate;
        }
        let total = sum / f64::from(u32::try_from(cases.len()).unwrap()).sqrt();
        assert!(total < 4.0, "{}: {total} in total", row.name);
    }
}

#[test]
fn balance_catches_a_hash_without_finaliser() {
    let uneven =
        |(_, members, keys): &&(_, Members, Vec<Key>)| spread(&UNMIXED, members, keys).0 > 4.0;
    let cases = balance_cases();
    let caught = cases.iter().filter(uneven).count();
    assert!(caught * 2 > cases.len(), "{caught} of {}", cases.len());
}
