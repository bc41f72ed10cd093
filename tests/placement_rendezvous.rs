//! Weights of rendezvous hashing, as seen from outside, and what its look-ups and Maglev's allocate.

#![expect(clippy::unwrap_used, clippy::cast_precision_loss, reason = "tests")]

use std::num::NonZeroU32;

use tenure::placement::{Key, Maglev, Member, Members, Placement, Ranking, Rendezvous};

fn members(weights: &[u32]) -> Members {
    let member = |(i, weight): (usize, &u32)| {
        Member::from(format!("m-{i:03}")).with_weight(NonZeroU32::new(*weight).unwrap())
    };
    Members::new(weights.iter().enumerate().map(member)).unwrap()
}

fn keys(n: u64) -> impl Iterator<Item = Key> + Clone {
    (0..n).map(Key::from_hash)
}

/// Each member's keys are binomial with its share of the weights: none is further off than 4.5
/// standard deviations (and one key more, where a share is tiny), which chance exceeds once in 150,000;
/// and chi-square of all, as a normal deviate, stays below 4. The keys are fixed.
#[test]
fn shares_are_as_the_weights() {
    let lists: [&[u32]; 7] = [
        &[1, 2],
        &[1, 1, 2],
        &[3, 5, 7, 11, 13],
        &[1, 10, 100, 1_000],
        &[1, 1, 1, 1, 1, 1, 1, 1, 1, 2],
        &(1..=40).collect::<Vec<_>>(),
        &(1..=100).map(|i| i * 40_000_000).collect::<Vec<_>>(),
    ];
    let n = 200_000;
    for weights in lists {
        let rendezvous = Rendezvous::new(members(weights));
        let owners: Vec<_> = keys(n).filter_map(|key| rendezvous.place(key)).collect();
        let whole: f64 = weights.iter().copied().map(f64::from).sum();
        let mut chi_square = 0.0;
        for member in rendezvous.members() {
            let own = owners.iter().filter(|owner| **owner == member).count();
            let own = f64::from(u32::try_from(own).unwrap());
            let share = f64::from(member.weight().get()) / whole;
            let mean = share * n as f64;
            let deviation = (mean * (1.0 - share)).sqrt();
            assert!((own - mean).abs() < 4.5 * deviation + 1.0, "{member:?}: {own}, not {mean}");
            chi_square += (own - mean).powi(2) / mean;
        }
        let freedom = weights.len() as f64 - 1.0;
        let variance = 2.0 / (9.0 * freedom);
        let deviate = ((chi_square / freedom).cbrt() - (1.0 - variance)) / variance.sqrt();
        assert!(deviate < 4.0, "{weights:?}: {deviate}");
    }
}

/// And not as without weights.
#[test]
fn a_heavy_member_has_more() {
    let rendezvous = Rendezvous::new(members(&[1, 1, 8]));
    let heavy = keys(10_000).filter(|key| rendezvous.place(*key).unwrap().name() == "m-002");
    let heavy = heavy.count();
    assert!((7_800..8_200).contains(&heavy), "{heavy}");
}

#[test]
fn another_weight_moves_keys_to_or_from_that_member_only() {
    let before = [3, 5, 1, 9, 2, 2, 4];
    for (changed, weight) in [(0, 1), (0, 4), (3, 1), (2, 1_000_000), (5, 3), (6, u32::MAX)] {
        let mut after = before;
        after[changed] = weight;
        let (old, new) = (Rendezvous::new(members(&before)), Rendezvous::new(members(&after)));
        let name = format!("m-{changed:03}");
        let mut moved = 0;
        for key in keys(20_000) {
            let (from, to) = (old.place(key).unwrap().name(), new.place(key).unwrap().name());
            if from != to {
                // What grows takes, what shrinks gives.
                let cause = if weight > before[changed] { to } else { from };
                assert_eq!(cause, name, "{key:?}: {from} {to}");
                moved += 1;
            }
            // The others keep their order.
            let others = |rank: Vec<&Member>| {
                let rank = rank.into_iter().map(|member| member.name().to_owned());
                rank.filter(|other| *other != name).collect::<Vec<_>>()
            };
            if key.as_u64() < 500 {
                assert_eq!(others(old.rank(key)), others(new.rank(key)), "{key:?}");
            }
        }
        assert!(moved > 100, "{name} {weight}: {moved}");
    }
}

/// To equal weights and from them: computed otherwise, and yet the same order.
#[test]
fn a_weight_may_make_all_equal() {
    let (unequal, equal) = ([7, 7, 8, 7], [7, 7, 7, 7]);
    let (old, new) = (Rendezvous::new(members(&unequal)), Rendezvous::new(members(&equal)));
    for key in keys(20_000) {
        let (from, to) = (old.place(key).unwrap().name(), new.place(key).unwrap().name());
        assert!(from == to || from == "m-002", "{key:?}: {from} {to}");
    }
}

#[test]
fn extreme_weights_are_borne() {
    let rendezvous = Rendezvous::new(members(&[1, u32::MAX]));
    let light = keys(100_000).filter(|key| rendezvous.place(*key).unwrap().weight().get() == 1);
    assert_eq!(light.count(), 0); // of 100,000 one in 43,000 runs would have one
    // Many heavy ones and a light one, and keys that make scores 0 or nearly so.
    let mut weights = vec![u32::MAX; 300];
    weights[7] = 1;
    let rendezvous = Rendezvous::new(members(&weights));
    let unmixed = 0_u64.wrapping_sub(0x9e37_79b9_7f4a_7c15);
    for key in [0, 1, u64::MAX, unmixed].map(Key::from_hash) {
        let rank = rendezvous.rank(key);
        assert_eq!((rank.len(), rank.first().copied()), (300, rendezvous.place(key)));
        assert_eq!(rank.last().unwrap().weight().get(), 1);
    }
}

/// Weights by which all is multiplied change nothing.
#[test]
fn only_the_ratio_of_weights_counts() {
    let small = Rendezvous::new(members(&[1, 2, 3, 4]));
    let large = Rendezvous::new(members(&[1_000, 2_000, 3_000, 4_000]));
    for key in keys(5_000) {
        let names = |rendezvous: &Rendezvous| {
            rendezvous.rank(key).iter().map(|member| member.name().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&small), names(&large));
    }
}

#[test]
fn no_look_up_allocates() {
    let zoned = |members: Members| {
        let zones = ["a", "b", "c"].into_iter().cycle();
        Members::new(members.iter().zip(zones).map(|(m, zone)| m.clone().in_zone(zone))).unwrap()
    };
    for weights in [vec![1; 60], (1..=60).collect()] {
        let members = zoned(members(&weights));
        let (rendezvous, maglev) = (Rendezvous::new(members.clone()), Maglev::new(members));
        let mut all = Vec::with_capacity(60);
        let counted = allocation_counter::measure(|| {
            for key in keys(50) {
                assert!(rendezvous.place(key).is_some() && maglev.place(key).is_some());
                rendezvous.best_across_zones_into(key, 5, &mut all);
                assert_eq!(all.len(), 5);
            }
        });
        assert_eq!(counted.count_total, 0);
        for k in [1, 3, 16, 17, 40, 60] {
            let mut best = Vec::with_capacity(k);
            let counted = allocation_counter::measure(|| {
                keys(50).for_each(|key| rendezvous.best_into(key, k, &mut best));
            });
            assert_eq!((counted.count_total, best.len()), (0, k));
        }
    }
}
