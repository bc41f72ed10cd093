//! Keys under a limit of load, and what rings cost in memory.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::num::NonZeroU32;

use allocation_counter::measure;
use tenure::placement::hash::mix;
use tenure::placement::{
    Bounded, Key, Member, Members, MultiProbe, Placement, Ranking, Rendezvous, Ring,
};

fn as_usize(number: u32) -> usize {
    usize::try_from(number).unwrap()
}

fn weighted(weights: &[u32]) -> Members {
    let member = |(number, weight): (usize, &u32)| {
        Member::new(format!("m{number}")).with_weight(NonZeroU32::new(*weight).unwrap())
    };
    Members::new(weights.iter().enumerate().map(member)).unwrap()
}

fn rankings(members: &Members) -> [(&'static str, Box<dyn Ranking>); 2] {
    let ring = Ring::new(members.clone(), NonZeroU32::new(3).unwrap()).unwrap();
    let rendezvous = Rendezvous::new(members.clone());
    [("ring", Box::new(ring)), ("rendezvous", Box::new(rendezvous))]
}

/// All weights up to 3 of up to 4 members, all numbers of keys up to 13, from no slack to much:
/// there is room for all, all are assigned, none exceeds its capacity, and the capacity is the
/// least integer that is not below the share.
#[test]
fn every_key_has_an_owner_and_no_owner_too_many() {
    for count in 1..=4_u32 {
        for code in 0..3_u32.pow(count) {
            let weights: Vec<_> = (0..count).map(|i| code / 3_u32.pow(i) % 3 + 1).collect();
            let members = weighted(&weights);
            let total: u32 = weights.iter().sum();
            for (name, ranking) in rankings(&members) {
                for (keys, extra) in (0..=13).flat_map(|keys| [0, 1, 25, 100].map(|e| (keys, e))) {
                    let bounded =
                        Bounded::new(&*ranking, (0..keys as u64).map(Key::from_hash), extra);
                    let context = format!("{name} {weights:?} {keys} keys, {extra} %");
                    assert_eq!(bounded.iter().count(), keys, "{context}");
                    let mut room = 0;
                    for ((member, load, capacity), weight) in bounded.loads().zip(&weights) {
                        let share = as_usize(100 + extra) * keys * as_usize(*weight);
                        let unit = 100 * as_usize(total);
                        assert!(capacity * unit >= share && capacity * unit < share + unit);
                        assert!(load <= capacity, "{context}");
                        let owned = bounded.iter().filter(|(_, owner)| *owner == member).count();
                        assert_eq!(owned, load, "{context}");
                        room += capacity;
                    }
                    assert!(room >= keys, "{context}");
                }
            }
        }
    }
}

#[test]
fn neither_order_nor_repetition_of_keys_matters() {
    let members = weighted(&[1, 5, 2, 1, 1, 3, 1]);
    for (name, ranking) in rankings(&members) {
        let keys: Vec<_> = (0..500).map(|n| Key::from_hash(mix(n))).collect();
        let one = Bounded::new(&*ranking, keys.clone(), 5);
        for round in 0..10 {
            let mut shuffled = keys.clone();
            shuffled.sort_by_key(|key| mix(key.as_u64() ^ round));
            shuffled.extend_from_within(..100);
            assert_eq!(Bounded::new(&*ranking, shuffled, 5), one, "{name}");
        }
        assert_eq!(one.loads().map(|(_, load, _)| load).sum::<usize>(), 500);
    }
}

/// Where a capacity turned nobody away the assignment is the placement; elsewhere the owner is the
/// first of the ranking that was not full when the key's turn came.
#[test]
fn keys_go_in_order_to_the_first_with_room() {
    let members = weighted(&[1, 1, 1, 1, 1]);
    for (name, ranking) in rankings(&members) {
        for extra in [0, 10, 1000] {
            let bounded = Bounded::new(&*ranking, (0..200).map(Key::from_hash).rev(), extra);
            let capacity = bounded.loads().next().unwrap().2;
            let mut loads = [0; 5];
            let mut turned_away = 0;
            for (key, owner) in bounded.iter() {
                let ranks = ranking.rank(key);
                let position = |member: &Member| members.iter().position(|m| m == member).unwrap();
                let free = ranks.iter().find(|member| loads[position(member)] < capacity);
                assert_eq!(Some(owner), free.copied(), "{name} {extra}");
                turned_away += usize::from(ranking.place(key) != Some(owner));
                loads[position(owner)] += 1;
            }
            assert_eq!(turned_away > 0, extra < 1000, "{name} {extra}");
        }
    }
}

#[test]
fn without_members_or_keys_there_is_nothing() {
    let none = Rendezvous::default();
    assert!(none.members().is_empty());
    let bounded = Bounded::new(&none, [Key::from_hash(1)], u32::MAX);
    assert_eq!((bounded.owner(Key::from_hash(1)), bounded.iter().count()), (None, 0));
    let bounded = Bounded::new(&Rendezvous::new(weighted(&[u32::MAX, 1])), [], u32::MAX);
    assert!(bounded.loads().all(|(_, load, capacity)| load == 0 && capacity == 0));
    let bounded = Bounded::new(&Rendezvous::new(weighted(&[u32::MAX, 1])), [Key::from_hash(1)], 0);
    assert!(bounded.loads().all(|(_, _, capacity)| capacity == 1));
}

/// Bytes that stay, names aside, of 1,000 members: the figures of the design's table, which had neither
/// owners of two bytes nor, for multi-probe, an index. And not a byte for a look-up.
#[test]
fn memory_is_what_the_documentation_says_and_look_ups_take_none() {
    let members = Members::new((0..1000).map(|number| format!("member-{number}"))).unwrap();
    let keys = || (0..1000).map(Key::from_hash);
    let bytes = |kept: i64, inline: usize| kept + i64::try_from(inline).unwrap();

    let mut ring = None;
    let of_ring = measure(|| {
        ring = Some(Ring::new(members.clone(), NonZeroU32::new(100).unwrap()).unwrap());
    });
    let ring = ring.unwrap();
    let of_ring = bytes(of_ring.bytes_current, size_of::<Ring>());
    assert!(of_ring <= 16 * 100_000, "{of_ring} bytes; the table has 1,724,372");

    let mut multi = None;
    let of_multi = measure(|| {
        multi = Some(MultiProbe::new(members.clone(), MultiProbe::PROBES));
    });
    let multi = multi.unwrap();
    let of_multi = bytes(of_multi.bytes_current, size_of::<MultiProbe>());
    assert!(of_multi <= 12_048, "{of_multi} bytes");

    let mut bounded = None;
    let of_bounded = measure(|| bounded = Some(Bounded::new(&ring, keys(), 25)));
    let bounded = bounded.unwrap();
    let of_bounded = of_bounded.bytes_current;
    assert!(of_bounded <= 12 * 1000 + 16 * 1000, "{of_bounded} bytes");

    let mut best = Vec::with_capacity(1000);
    let look_ups = measure(|| {
        for key in keys() {
            assert!(ring.place(key).is_some() && multi.place(key).is_some());
            assert!(bounded.owner(key).is_some());
            ring.best_into(key, 5, &mut best);
            ring.best_across_zones_into(key, 5, &mut best);
            multi.best_into(key, 5, &mut best);
        }
    });
    assert_eq!(look_ups.count_total, 0);
}
