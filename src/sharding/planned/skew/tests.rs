use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::num::NonZeroU16;

use proptest::prelude::*;

use super::{Cuts, Key, KeyRange, Loads, Slots};
use crate::placement::hash::mix;
use crate::sharding::{Field, KeyRanges};

fn of(replicas: u16) -> NonZeroU16 {
    NonZeroU16::new(replicas).unwrap()
}

fn loads(of: &[(u64, u64)]) -> Loads {
    Loads::new(of.iter().map(|(hash, load)| (Key::from_hash(*hash), *load)))
}

fn names(names: impl IntoIterator<Item = String>) -> Loads {
    Loads::new(names.into_iter().map(|name| (Field::Namespace.key(&name), 1)))
}

fn peak(loads: &Loads, cuts: &Cuts) -> u128 {
    loads.shares(cuts).into_iter().max().unwrap_or(0)
}

/// Ranges of these cuts are apart, in order, and cover the space.
fn is_whole(cuts: &Cuts) -> bool {
    let ranges: Vec<KeyRange> = cuts.ranges().flatten().collect();
    let width: u128 = ranges.iter().map(|range| range.width()).sum();
    let all: KeyRanges = ranges.iter().copied().collect();
    width == 1 << 64 && all.as_slice() == [KeyRange::ALL] && ranges.is_sorted()
}

/// The least greatest share, by trying all cuts; and of all cuts within `cap`, the least load moved.
fn by_force(loads: &[u64], old: &[usize], cap: Option<u64>) -> u64 {
    fn all(parts: usize, from: usize, end: usize) -> Vec<Vec<usize>> {
        if parts == 1 {
            return vec![vec![]];
        }
        let first = from..=end;
        let rest =
            |cut| all(parts - 1, cut, end).into_iter().map(move |rest| [vec![cut], rest].concat());
        first.flat_map(rest).collect()
    }
    let owner = |cuts: &[usize], cell: usize| cuts.partition_point(|cut| *cut <= cell);
    let costs = all(old.len() + 1, 0, loads.len()).into_iter().filter_map(|cuts| {
        let mut shares = vec![0; old.len() + 1];
        let mut moved = 0;
        for (cell, load) in loads.iter().enumerate() {
            shares[owner(&cuts, cell)] += load;
            moved += if owner(&cuts, cell) == owner(old, cell) { 0 } else { *load };
        }
        let peak = shares.into_iter().max().unwrap();
        match cap {
            None => Some(peak),
            Some(cap) => (peak <= cap).then_some(moved),
        }
    });
    costs.min().unwrap()
}

/// The figures for which equal ranges of namespaces are unusable.
#[test]
fn names_that_lie_side_by_side_are_parted_evenly() {
    let numbered = names((0..1000).map(|n| format!("ns-{n}")));
    assert_eq!(numbered.shares(&Cuts::equal(of(2))), [100, 900]);
    assert!(numbered.shares(&Cuts::equal(of(4))).contains(&0));
    let teams = names(('a'..='z').flat_map(|t| (0..10).map(move |n| format!("team-{t}{n}"))));
    let mut shares = teams.shares(&Cuts::equal(of(16)));
    shares.sort_unstable();
    assert_eq!(shares, [vec![0; 15], vec![260]].concat());
    for (loads, total) in [(&numbered, 1000_u16), (&teams, 260)] {
        for replicas in [1, 2, 3, 4, 7, 16, 30, 100] {
            let cuts = loads.cut(of(replicas));
            let shares = loads.shares(&cuts);
            assert_eq!(peak(loads, &cuts), u128::from(total.div_ceil(replicas)), "{replicas}");
            assert!(shares.into_iter().min() >= Some(u128::from(total / replicas)), "{replicas}");
            assert!(is_whole(&cuts) && cuts.ranges().all(|range| range.is_some()));
        }
    }
    // In slots, names of one slot stay together: 26 bunches of ten.
    let slots = Slots::new(Slots::MAX).unwrap();
    let teams = ('a'..='z').flat_map(|t| (0..10).map(move |n| format!("team-{t}{n}")));
    let teams = Loads::in_slots(slots, teams.map(|name| (Field::Namespace.key(&name), 1)));
    assert_eq!((teams.hottest(), teams.total()), (10, 260));
    assert_eq!(peak(&teams, &teams.cut(of(13))), 20);
}

#[test]
fn a_hot_key_has_a_replica_to_itself_and_the_others_share_the_rest() {
    let spread = |left: u64, hot: u64, right: u64| {
        let ones = |from: u64, count| (from..from + count).map(|hash| (hash, 1));
        let of: Vec<_> =
            ones(0, left).chain([(1 << 20, hot)]).chain(ones(1 << 21, right)).collect();
        loads(&of)
    };
    for (loads, expected) in [
        (spread(0, 50, 50), [50, 16, 17, 17]),
        (spread(25, 50, 25), [25, 50, 12, 13]),
        (spread(50, 50, 0), [25, 25, 50, 0]),
    ] {
        let shares = loads.shares(&loads.cut(of(4)));
        assert_eq!(shares.iter().max(), Some(&50), "{shares:?}");
        assert_eq!(shares, expected);
    }
    let lumps = loads(&[(1, 16), (2, 8), (3, 40), (4, 6)]);
    assert_eq!(lumps.shares(&lumps.cut(of(4))), [16, 8, 40, 6]);
}

#[test]
fn where_nothing_lies_cuts_are_in_the_middle() {
    assert_eq!(loads(&[]).cut(of(3)), Cuts::equal(of(3)));
    assert_eq!(loads(&[(7, 0)]).cut(of(5)), Cuts::equal(of(5)));
    assert_eq!(
        loads(&[(0, 1), (1 << 63, 1)]).cut(of(2)),
        Cuts::equal(of(4)).at[..1].to_vec().into()
    );
    // No room between neighbours: replicas without a range, and none of the others loses any of its.
    let crowd = loads(&[(0, 9), (1, 9), (u64::MAX - 1, 9), (u64::MAX, 9)]);
    for replicas in [1, 2, 3, 4, 5, 6, 9] {
        let cuts = crowd.cut(of(replicas));
        assert!(is_whole(&cuts), "{cuts:?}");
        assert_eq!(peak(&crowd, &cuts), u128::from(4_u16.div_ceil(replicas)) * 9);
    }
}

impl From<Vec<u128>> for Cuts {
    fn from(at: Vec<u128>) -> Self {
        Self { at }
    }
}

#[test]
fn the_greatest_loads_do_not_overflow() {
    let hashes = [0, 5, 1 << 40, u64::MAX];
    let hot: Vec<_> = hashes.iter().flat_map(|hash| [(*hash, u64::MAX); 3]).collect();
    let loads = loads(&hot);
    assert_eq!(loads.total(), 12 * u128::from(u64::MAX));
    let cuts = loads.cut(of(u16::MAX));
    assert_eq!(peak(&loads, &cuts), 3 * u128::from(u64::MAX));
    assert_eq!(loads.cut_again(&cuts, of(u16::MAX), u16::MAX), cuts);
}

/// Where each cut for itself stays near, and all together move more than new ones would.
#[test]
fn cutting_again_moves_no_more_than_cutting_anew() {
    let loads = loads(&[(0, 1), (1 << 32, 14), (2 << 32, 13), (3 << 32, 6)]);
    let before = Cuts::of_starts([0, 0, 1 << 34, 1 << 34, 1 << 34]);
    let anew = loads.cut(of(6));
    assert_eq!(loads.moved(&before, &anew), 20);
    assert_eq!(loads.moved(&before, &loads.cut_again(&before, of(6), 0)), 20);
}

/// Cutting again is a rule of thumb; what it moves is a hundredth from the least, all in all.
#[test]
fn little_more_is_moved_than_must_be() {
    for tolerance in [0, 50, 200] {
        let (mut moved, mut least, mut anew) = (0, 0, 0);
        for seed in 0..500_u64 {
            let mut draws = (0..).map(|n| mix(mix(seed) ^ n));
            let mut below = |end: u64| draws.next().unwrap() % end;
            let cells: Vec<u64> = (0..4 + below(8)).map(|_| 1 + below(10)).collect();
            let starts: Vec<u64> = (0..=below(4)).map(|_| below(12) << 32).collect();
            let at: Vec<_> = (0..).map(|cell| cell << 32).zip(cells.iter().copied()).collect();
            let (loads, before) = (loads(&at), Cuts::of_starts(starts));
            let replicas = of(u16::try_from(before.replicas()).unwrap());
            let old = loads.indices(&before);
            let peak = by_force(&cells, &old, None);
            let cap = peak + peak * u64::from(tolerance) / 1000;
            least += u128::from(by_force(&cells, &old, Some(cap)));
            moved += loads.moved(&before, &loads.cut_again(&before, replicas, tolerance));
            anew += loads.moved(&before, &loads.cut(replicas));
        }
        assert!(100 * moved <= 101 * least, "{tolerance}: {moved} for {least}");
        assert!(100 * anew > 105 * least, "{tolerance}: {anew} for {least}");
    }
}

/// Hashes near each other and far, some of them hot.
fn some() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let hash = prop_oneof![0..20_u64, any::<u64>(), u64::MAX - 9..=u64::MAX];
    prop::collection::vec((hash, prop_oneof![Just(1), 0..9_u64, 0..99_u64]), 0..40)
}

proptest! {
    /// Ranges cover the space; the greatest share keeps the bound; each replica has the keys of its
    /// range; the order of the keys does not matter.
    #[test]
    fn cuts_are_whole_within_the_bound_and_the_same_again(
        of_keys in some(), replicas in 1_u16..20, bits in prop::option::of(0_u32..=16),
    ) {
        let keys = |of: &[(u64, u64)]| of.iter().map(|(hash, load)| (Key::from_hash(*hash), *load)).collect::<Vec<_>>();
        let observe = |of: &[(u64, u64)]| match bits {
            None => Loads::new(keys(of)),
            Some(bits) => Loads::in_slots(Slots::new(1 << bits).unwrap(), keys(of)),
        };
        let loads = observe(&of_keys);
        let cuts = loads.cut(of(replicas));
        prop_assert!(is_whole(&cuts));
        prop_assert_eq!(cuts.replicas(), usize::from(replicas));
        let shares = loads.shares(&cuts);
        let mean = loads.total() / u128::from(replicas);
        prop_assert!(shares.iter().all(|share| *share <= mean + loads.hottest()));
        let mut owned = vec![0; usize::from(replicas)];
        let ranges: Vec<_> = cuts.ranges().collect();
        for (key, load) in keys(&of_keys) {
            owned[cuts.owner(key)] += u128::from(load);
            prop_assert!(ranges[cuts.owner(key)].unwrap().contains(key));
        }
        prop_assert_eq!(owned, shares);
        if let Some(bits) = bits {
            prop_assert!(cuts.at.iter().all(|at| at % (1 << (64 - bits)) == 0));
        }
        let turned: Vec<_> = of_keys.into_iter().rev().collect();
        prop_assert_eq!(observe(&turned).cut(of(replicas)), cuts);
    }

    /// No cut has a smaller greatest share. Cutting again keeps within the tolerance, moves nothing if
    /// the old cuts do, and never more than cutting anew.
    #[test]
    fn the_greatest_share_is_the_least(
        cells in prop::collection::vec(1_u64..12, 0..9),
        old in prop::collection::vec(0_u64..=9, 0..4),
        tolerance in prop_oneof![Just(0_u16), 0..500_u16],
    ) {
        let at: Vec<_> = (0..).map(|cell| cell << 32).zip(cells.iter().copied()).collect();
        let loads = loads(&at);
        let before = Cuts::of_starts(old.iter().map(|cell| cell << 32));
        let replicas = of(u16::try_from(before.replicas()).unwrap());
        let indices = loads.indices(&before);
        let least = by_force(&cells, &indices, None);
        let anew = loads.cut(replicas);
        prop_assert_eq!(peak(&loads, &anew), u128::from(least));

        let again = loads.cut_again(&before, replicas, tolerance);
        let cap = least + least * u64::from(tolerance) / 1000;
        prop_assert!(is_whole(&again));
        prop_assert!(peak(&loads, &again) <= u128::from(cap));
        prop_assert!(loads.moved(&before, &again) <= loads.moved(&before, &anew));
        prop_assert!(loads.moved(&before, &again) >= u128::from(by_force(&cells, &indices, Some(cap))));
        if peak(&loads, &before) <= u128::from(cap) {
            prop_assert_eq!(&again, &before);
        }
        prop_assert_eq!(&loads.cut_again(&again, replicas, tolerance), &again);
    }

    /// With other numbers of replicas as well: what moves is counted, and the result is a cut like any.
    #[test]
    fn replicas_may_come_and_go(of_keys in some(), before in 1_u16..9, now in 1_u16..9) {
        let loads = loads(&of_keys);
        let old = loads.cut(of(before));
        let new = loads.cut_again(&old, of(now), 0);
        prop_assert!(is_whole(&new));
        prop_assert_eq!(new.replicas(), usize::from(now));
        prop_assert_eq!(peak(&loads, &new), peak(&loads, &loads.cut(of(now))));
        let moved = of_keys.iter().filter(|(hash, _)| {
            let key = Key::from_hash(*hash);
            old.owner(key) != new.owner(key)
        });
        let moved: u64 = moved.map(|(_, load)| load).sum();
        prop_assert_eq!(loads.moved(&old, &new), u128::from(moved));
        if before == now {
            prop_assert_eq!(new, old);
        }
    }
}
