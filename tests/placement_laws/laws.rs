//! The laws, each for one row, on input that the tests choose.

use std::collections::{BTreeMap, BTreeSet};

use tenure::placement::{Bounded, Key, Members, Placement};

use super::table::Algorithm;
use super::{members, subset};

/// What a law says about a row; the text tells what broke it.
pub(crate) type Verdict = Result<(), String>;

pub(crate) fn check(holds: bool, why: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(why()) }
}

/// Total and in range: an owner if and only if there are members, and one of them.
pub(crate) fn total(algorithm: &Algorithm, members: &Members, keys: &[Key]) -> Verdict {
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
pub(crate) fn deterministic(algorithm: &Algorithm, names: &[String], keys: &[Key]) -> Verdict {
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
pub(crate) fn least_disruption(
    algorithm: &Algorithm,
    others: &[String],
    name: &str,
    keys: &[Key],
) -> Verdict {
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
pub(crate) fn ranks(algorithm: &Algorithm, members: &Members, keys: &[Key]) -> Verdict {
    let Some(build) = algorithm.rank else { return Ok(()) };
    let ranking = build(members);
    let mut into = vec![];
    keys.iter().try_for_each(|&key| {
        let rank = ranking.rank(key);
        check(rank.first().copied() == ranking.place(key), || format!("{key:?}: {rank:?}"))?;
        let distinct: BTreeSet<_> = rank.iter().collect();
        let all = distinct.len() == members.len() && rank.len() == members.len();
        check(all, || format!("{key:?}: {rank:?} of {members:?}"))?;
        (0..=members.len() + 1).chain([usize::MAX]).try_for_each(|k| {
            let best = ranking.best(key, k);
            let beginning = rank.iter().take(k);
            check(best.iter().eq(beginning), || format!("{key:?}: the {k} best are {best:?}"))?;
            ranking.best_into(key, k, &mut into);
            check(best == into, || format!("{key:?}: the {k} best are {best:?} or {into:?}"))
        })
    })
}

/// Where the ranking is what rationalizes the choice: some of the members rank as among all.
pub(crate) fn ranks_some_as_all(
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

/// Bounded loads over a ranking: each key has one owner, the first of its ranking that had room; nobody
/// has more than a fair share and the extra, rounded up; and neither the order of keys nor one more of
/// the same counts.
pub(crate) fn bounded(
    algorithm: &Algorithm,
    members: &Members,
    keys: &[Key],
    extra_percent: u32,
) -> Verdict {
    let Some(build) = algorithm.rank else { return Ok(()) };
    let ranking = build(members);
    let bounded = Bounded::new(&*ranking, keys.iter().copied(), extra_percent);
    let again = Bounded::new(&*ranking, keys.iter().rev().chain(keys).copied(), extra_percent);
    check(bounded == again, || "the order of keys counts".into())?;
    let set: BTreeSet<_> = if members.is_empty() { BTreeSet::new() } else { keys.iter().collect() };
    let assigned: Vec<_> = bounded.iter().collect();
    check(assigned.iter().map(|(key, _)| key).eq(set.iter().copied()), || "other keys".into())?;
    let fair = |percent: u128| (percent * set.len() as u128).div_ceil(100 * members.len() as u128);
    let mut loads = BTreeMap::new();
    for (key, owner) in assigned {
        check(bounded.owner(key) == Some(owner), || format!("{key:?}: two owners"))?;
        let has_room = |member| {
            loads.get(member).copied().unwrap_or(0) < fair(100 + u128::from(extra_percent))
        };
        let first = ranking.rank(key).into_iter().find(|member| has_room(*member));
        check(first == Some(owner), || format!("{key:?}: {owner}, and {first:?} has room"))?;
        *loads.entry(owner).or_insert(0_u128) += 1;
    }
    bounded.loads().try_for_each(|(member, load, capacity)| {
        let counted = loads.get(member).copied().unwrap_or(0);
        check(load as u128 == counted && load <= capacity, || format!("{member}: {load}"))
    })
}

/// The law of `Rationalizable`, on all pairs of views: how often two members claim a key though each
/// is in the other's view, of how many chances (a key, and two views that contain both).
pub(crate) fn double_claims(algorithm: &Algorithm, names: &[&str], keys: &[Key]) -> (u32, u32) {
    let views: Vec<Vec<&str>> =
        (1..1 << names.len()).map(|bits| subset(bits, names).copied().collect()).collect();
    let placements: Vec<_> = views.iter().map(|view| (algorithm.place)(&members(view))).collect();
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
    (claims, chances)
}

/// The share of keys that move when `name` joins `others`, though they do not move to it.
pub(crate) fn misplaced(
    algorithm: &Algorithm,
    others: &[String],
    name: &str,
    keys: &[Key],
) -> usize {
    let before = (algorithm.place)(&members(others));
    let all: Vec<_> = others.iter().map(String::as_str).chain([name]).collect();
    let after = (algorithm.place)(&members(&all));
    let moved = |key: &&Key| {
        let new = after.place(**key);
        new != before.place(**key) && new.is_some_and(|owner| owner.name() != name)
    };
    keys.iter().filter(moved).count()
}
