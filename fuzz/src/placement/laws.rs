//! What holds of every ranking, on one key or some.

use std::collections::{BTreeMap, BTreeSet};

use tenure::placement::{Bounded, Key, Member, Ranking};

/// The ranking is an order of all members that begins with the owner; across zones it is as defined.
pub(super) fn ranks(ranking: &impl Ranking, key: Key, k: usize) {
    let rank = ranking.rank(key);
    let distinct: BTreeSet<_> = rank.iter().collect();
    assert_eq!((rank.len(), distinct.len()), (ranking.members().len(), rank.len()));
    assert_eq!(rank.first().copied(), ranking.place(key));
    assert!(ranking.best(key, k).iter().eq(rank.iter().take(k)));
    let all = across_zones(rank.clone());
    let mut best = rank; // what was in it before does not matter
    for k in [k, usize::MAX] {
        ranking.best_across_zones_into(key, k, &mut best);
        assert!(best.iter().eq(all.iter().take(k)), "{best:?} of {all:?}");
    }
}

/// One without is a zone by itself, whatever zones are called.
fn zone(member: &Member) -> Result<&str, &str> {
    member.zone().ok_or(member.name())
}

/// The definition read aloud: each time the best of those whose zone was used least.
fn across_zones(mut left: Vec<&Member>) -> Vec<&Member> {
    let mut used = BTreeMap::new();
    let mut best = Vec::new();
    loop {
        let times = |&member: &&Member| used.get(&zone(member)).copied().unwrap_or(0_u32);
        let Some(least) = left.iter().map(times).min() else { return best };
        let position = left.iter().position(|member| times(member) == least);
        let member = left.remove(position.expect("the least is one of them"));
        *used.entry(zone(member)).or_insert(0) += 1;
        best.push(member);
    }
}

/// Of the `k` best across zones one at most gives way when `name` joins the `fewer`, to it alone.
pub(super) fn one_gives_way<R: Ranking>(fewer: &R, more: &R, name: &str, key: Key, k: usize) {
    let [fewer, more] = [fewer, more].map(|ranking| ranking.best_across_zones(key, k));
    let gone = fewer.iter().filter(|member| !more.contains(member)).count();
    let mut came = more.iter().filter(|member| !fewer.contains(member));
    assert!(gone <= 1 && came.all(|member| member.name() == name), "{fewer:?} {more:?}");
}

/// Each key has one owner, the first of its ranking with room, and nobody more than its share of the
/// keys by weight and the extra. Whether somebody had no room.
pub(super) fn bounded(ranking: &impl Ranking, keys: &[Key], extra_percent: u32) -> bool {
    let bounded = Bounded::new(ranking, keys.iter().copied(), extra_percent);
    let shuffled = keys.iter().rev().chain(keys).copied();
    assert_eq!(Bounded::new(ranking, shuffled, extra_percent), bounded);
    let members = ranking.members();
    let weight = |member: &Member| u128::from(member.weight().get());
    let total: u128 = members.iter().map(weight).sum();
    let set: BTreeSet<_> = keys.iter().copied().filter(|_| !members.is_empty()).collect();
    let wanted = set.len() as u128 * (100 + u128::from(extra_percent));
    let share = |member: &Member| (wanted * weight(member)).div_ceil(100 * total);
    let mut loads = BTreeMap::new();
    let mut turned_away = false;
    assert!(bounded.iter().map(|(key, _)| key).eq(set));
    for (key, owner) in bounded.iter() {
        assert_eq!(bounded.owner(key), Some(owner));
        let has_room =
            |member: &&Member| loads.get(member).is_none_or(|load| *load < share(member));
        assert_eq!(ranking.rank(key).into_iter().find(has_room), Some(owner));
        *loads.entry(owner).or_insert(0) += 1;
        turned_away |= ranking.place(key) != Some(owner);
    }
    assert_eq!(bounded.loads().count(), members.len());
    for (member, load, capacity) in bounded.loads() {
        let counted = loads.get(member).copied().unwrap_or(0);
        assert_eq!((load as u128, capacity as u128), (counted, share(member)));
        assert!(load <= capacity);
    }
    turned_away
}
