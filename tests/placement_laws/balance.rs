//! How evenly keys spread.

use std::num::NonZeroU32;

use tenure::placement::{Key, Member, Members, Placement, hash};

use super::table::{ALGORITHMS, Balance};
use super::{controls, members};

/// How the keys spread over the members, whose weights say what would be right.
pub(crate) struct Spread {
    /// Chi-square as a standard normal deviate (Wilson and Hilferty 1931).
    pub(crate) deviate: f64,
    /// The greatest number of keys by the right one.
    pub(crate) peak: f64,
    /// The worst deviation of a member from its right number, in standard deviations of what chance
    /// and an `uneven` algorithm make of it.
    pub(crate) worst: f64,
}

fn float(count: impl TryInto<u32>) -> f64 {
    count.try_into().map_or(f64::NAN, f64::from)
}

pub(crate) fn spread(
    placement: &dyn Placement,
    keys: &[Key],
    uneven: f64,
    weighted: bool,
) -> Spread {
    let owners: Vec<_> = keys.iter().filter_map(|&key| placement.place(key)).collect();
    let weight = |member: &Member| if weighted { f64::from(member.weight().get()) } else { 1.0 };
    let total: f64 = placement.members().iter().map(weight).sum();
    let (mut chi_square, mut peak, mut worst) = (0.0, 0.0_f64, 0.0_f64);
    for member in placement.members() {
        let count = float(owners.iter().filter(|owner| **owner == member).count());
        let right = float(keys.len()) * weight(member) / total;
        chi_square += (count - right).powi(2) / right;
        peak = peak.max(count / right);
        // Points are `weight` times as many, and their unevenness averages out.
        let deviation = (uneven.powi(2) / weight(member) + right.recip()).sqrt();
        worst = worst.max((count / right - 1.0).abs() / deviation);
    }
    let freedom = float(placement.members().len()) - 1.0;
    let variance = 2.0 / (9.0 * freedom);
    let deviate = ((chi_square / freedom).cbrt() - (1.0 - variance)) / variance.sqrt();
    Spread { deviate, peak, worst }
}

/// Names and keys that weak hashes spread badly.
fn cases() -> Vec<(String, Members, Vec<Key>)> {
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
/// chance), and a sum of them as unlikely, as when each case is a little uneven. Algorithms that are
/// uneven by nature keep each member within five standard deviations of what they promise.
#[test]
fn balance_is_what_is_promised() {
    let cases = cases();
    for row in ALGORITHMS {
        println!("\n{}: chi-square as a normal deviate, peak to mean", row.name);
        let mut sum = 0.0;
        for (title, members, keys) in &cases {
            let mixed = |key: &Key| Key::from_hash(hash::mix(key.as_u64()));
            let keys = if row.raw { keys.iter().map(mixed).collect() } else { keys.clone() };
            let uneven = if let Balance::Uneven(uneven) = row.balance { uneven } else { 0.0 };
            let spread = spread(&*(row.place)(members), &keys, uneven, false);
            println!("{:+6.2} {:6.3}  {:>6} {title}", spread.deviate, spread.peak, keys.len());
            match row.balance {
                Balance::Chance => {
                    assert!(spread.deviate < 4.0, "{}: {title}: {}", row.name, spread.deviate);
                }
                Balance::Uneven(_) => {
                    assert!(spread.worst < 5.0, "{}: {title}: {}", row.name, spread.worst);
                }
            }
            sum += spread.deviate;
        }
        let total = sum / float(cases.len()).sqrt();
        let chance = matches!(row.balance, Balance::Chance);
        assert!(!chance || total < 4.0, "{}: {total} in total", row.name);
    }
}

#[test]
fn balance_catches_a_hash_without_finaliser() {
    let uneven = |(_, members, keys): &&(_, Members, Vec<Key>)| {
        spread(&*(controls::UNMIXED.place)(members), keys, 0.0, false).deviate > 4.0
    };
    let cases = cases();
    let caught = cases.iter().filter(uneven).count();
    assert!(caught * 2 > cases.len(), "{caught} of {}", cases.len());
}

fn weighted_members(weights: &[u32]) -> Members {
    let member = |(i, weight): (usize, &u32)| {
        Member::from(format!("op-{i}")).with_weight(NonZeroU32::new(*weight).unwrap())
    };
    Members::new(weights.iter().enumerate().map(member)).unwrap()
}

/// Shares in proportion to weights, within five standard deviations of chance and unevenness; taken
/// for equal weights, the same shares are refused.
#[test]
fn weights_are_proportional() {
    let keys: Vec<_> = (0..200_000).map(Key::from_hash).collect();
    let settings: [&[u32]; 5] =
        [&[1, 2], &[1, 1, 1, 3], &[5, 4, 3, 2, 1], &[10, 1, 10, 1, 7, 3], &[100, 300, 200]];
    for row in ALGORITHMS.iter().filter(|row| row.weighted.is_some()) {
        for weights in settings {
            let members = weighted_members(weights);
            let placement = (row.place)(&members);
            let uneven = if let Balance::Uneven(uneven) = row.balance { uneven } else { 0.0 };
            let right = spread(&*placement, &keys, uneven, true);
            assert!(right.worst < 5.0, "{} {weights:?}: {}", row.name, right.worst);
            let equal = spread(&*placement, &keys, uneven, false);
            assert!(equal.worst > 5.0 || uneven > 0.05, "{} {weights:?}", row.name);
        }
    }
}

/// Where weights do not count, they change nothing.
#[test]
fn weights_that_do_not_count_change_nothing() {
    let (plain, weighted) = (weighted_members(&[1; 5]), weighted_members(&[5, 4, 3, 2, 1]));
    for row in ALGORITHMS.iter().filter(|row| row.weighted.is_none()) {
        let (plain, weighted) = ((row.place)(&plain), (row.place)(&weighted));
        for key in (0..1_000).map(Key::from_hash) {
            let names = [&plain, &weighted].map(|it| it.place(key).map(Member::name));
            assert_eq!(names[0], names[1], "{}", row.name);
        }
    }
}

/// What the field `raw` says: neither more nor less.
#[test]
fn numbers_in_sequence_need_mixing_where_it_is_said() {
    let keys: Vec<_> = (0..65_536).map(|i| Key::from_hash(i << 48)).collect();
    let names: Vec<_> = (0..111).map(|i| format!("x-{i}")).collect();
    for row in ALGORITHMS.iter().filter(|row| matches!(row.balance, Balance::Chance)) {
        let spread = spread(&*(row.place)(&members(&names)), &keys, 0.0, false);
        assert_eq!(spread.deviate > 4.0, row.raw, "{}: {}", row.name, spread.deviate);
    }
}
