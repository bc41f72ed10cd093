//! Why rendezvous hashing looks at every member: three published structures that do not, one of
//! them in two forms, and the law that each breaks. `cargo test --test placement_sublinear -- --nocapture` prints the table.
//!
//! All use the hashes of [`Rendezvous`], so that nothing differs but the structure.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use tenure::placement::hash::{fold, mix};
use tenure::placement::{Key, Member, Members, Placement, Rendezvous};

/// Which of the members owns the key. Each is built anew for each set, and looked up as often.
type Build = fn(&Members) -> Box<dyn Fn(u64) -> usize>;

const STRUCTURES: [(&str, Build); 5] = [
    ("rendezvous, all scores", exact),
    ("skeleton, leaves by rank", skeleton_by_rank),
    ("skeleton, leaves by name", skeleton_by_name),
    ("ring, 16 points, window of 8", window),
    ("8 rings of one point, by key", rings),
];

fn hashes(members: &Members) -> Vec<u64> {
    members.iter().map(Member::name_hash).collect()
}

/// Control: no law breaks.
fn exact(members: &Members) -> Box<dyn Fn(u64) -> usize> {
    let rendezvous = Rendezvous::new(members.clone());
    Box::new(move |key| {
        let owner = rendezvous.place(Key::from_hash(key)).unwrap();
        rendezvous.members().iter().position(|member| member == owner).unwrap()
    })
}

/// A skeleton (rendezvous hashing on a tree of virtual nodes, after Yao and Ravishankar): at each of
/// the tree's nodes the key ranks eight children by rendezvous, and goes down to the first; a leaf with
/// nobody is tried again with another salt. O(log n) with as many leaves as members.
///
/// It yields the leaves in the order in which the key tries them.
fn leaves(key: u64, depth: u32) -> impl Iterator<Item = usize> {
    (0_u64..).map(move |salt| {
        (0..depth).fold(0, |path: usize, level| {
            let node = salt << 32 | u64::from(level) << 24 | path as u64;
            let here = mix(key ^ mix(node));
            path * 8 + (0..8).max_by_key(|child| fold(here, mix(*child as u64))).unwrap()
        })
    })
}

/// The leaves stand for the members in canonical order, and the tree is as high as it must be.
fn skeleton_by_rank(members: &Members) -> Box<dyn Fn(u64) -> usize> {
    let n = members.len();
    let depth = (1..9).find(|depth| 8_usize.pow(*depth) >= n).unwrap();
    Box::new(move |key| leaves(key, depth).find(|leaf| *leaf < n).unwrap())
}

/// A tree of 64 leaves for ever; a member is at the one that its name says, and rendezvous decides
/// between those at one leaf.
fn skeleton_by_name(members: &Members) -> Box<dyn Fn(u64) -> usize> {
    let hashes = hashes(members);
    let at = |leaf: usize| {
        let here = hashes.iter().enumerate().filter(|(_, hash)| **hash >> 58 == leaf as u64);
        here.map(|(member, hash)| (*hash, member)).collect::<Vec<_>>()
    };
    let leaf: Vec<_> = (0..64).map(at).collect();
    Box::new(move |key| {
        let here = leaves(key, 2).map(|at| &leaf[at]).find(|here| !here.is_empty()).unwrap();
        here.iter().max_by_key(|(hash, _)| fold(mix(key), *hash)).unwrap().1
    })
}

/// Local rendezvous hashing (arXiv 2512.23434): of the first eight different members from the key's
/// place on a ring with 16 points a member, the highest score. O(log n + 8).
fn window(members: &Members) -> Box<dyn Fn(u64) -> usize> {
    let hashes = hashes(members);
    let points = |(member, hash): (usize, &u64)| {
        let hash = *hash;
        (0..16).map(move |i| (fold(hash, mix(i)), member))
    };
    let mut ring: Vec<_> = hashes.iter().enumerate().flat_map(points).collect();
    ring.sort_unstable();
    Box::new(move |key| {
        let key = mix(key);
        let start = ring.partition_point(|(point, _)| *point < key);
        let mut near = Vec::new();
        for (_, member) in ring.iter().cycle().skip(start).take(ring.len()) {
            if !near.contains(member) {
                near.push(*member);
            }
            if near.len() == 8 {
                break;
            }
        }
        // Mixed again: the same number has chosen the place already.
        near.into_iter().max_by_key(|member| fold(mix(key), hashes[*member])).unwrap()
    })
}

/// Eight rings with one point a member, of which the key chooses one (Karger and others' ring, 1997,
/// its points dealt to several). O(log n), and a standard deviation of 1/√8 of the mean.
fn rings(members: &Members) -> Box<dyn Fn(u64) -> usize> {
    let hashes = hashes(members);
    let ring = |i: u64| {
        let points = hashes.iter().enumerate().map(|(member, hash)| (fold(*hash, mix(i)), member));
        let mut ring: Vec<_> = points.collect();
        ring.sort_unstable();
        ring
    };
    let rings: Vec<_> = (0..8).map(ring).collect();
    Box::new(move |key| {
        let key = mix(key);
        let ring = &rings[(mix(key) % 8) as usize];
        let at = ring.partition_point(|(point, _)| *point < key);
        ring.get(at).unwrap_or(&ring[0]).1
    })
}

fn members(n: usize) -> Members {
    Members::new((0..n).map(|i| format!("m-{i:04}"))).unwrap()
}

fn owner<'a>(members: &'a Members, place: &dyn Fn(u64) -> usize, key: u64) -> &'a str {
    members.get(place(key)).unwrap().name()
}

/// Keys that move between two members who stay, over those that have to move, as each of some members
/// in the middle leaves.
fn needless_moves(build: Build, n: usize, keys: u64) -> f64 {
    let all = members(n);
    let before = build(&all);
    let (mut needless, mut must) = (0_u32, 0_u32);
    for leaver in (0..n).step_by((n / 8).max(1)) {
        let name = all.get(leaver).unwrap().name();
        let left =
            Members::new(all.iter().filter(|member| member.name() != name).cloned()).unwrap();
        let after = build(&left);
        for key in 0..keys {
            let old = owner(&all, &before, key);
            if old == name {
                must += 1;
            } else if owner(&left, &after, key) != old {
                needless += 1;
            }
        }
    }
    f64::from(needless) / f64::from(must)
}

/// Of all pairs of sets over 12 members that differ in one or two, and keys: how often two members of
/// both sets claim the key, one by each.
fn double_claims(build: Build, keys: u64) -> u32 {
    let all = members(12);
    let without = |gone: [usize; 2]| {
        let kept = all.iter().enumerate().filter(|(i, _)| !gone.contains(i));
        let some = Members::new(kept.map(|(_, member)| member.clone())).unwrap();
        let place = build(&some);
        let owners: Vec<_> = (0..keys).map(|key| owner(&some, &place, key).to_owned()).collect();
        (some, owners)
    };
    let gaps = (0..12).flat_map(|one| (one..12).map(move |two| [one, two]));
    let views: Vec<_> = gaps.map(without).collect();
    let mut claims = 0;
    for ((one, mine), (two, yours)) in views.iter().flat_map(|v| views.iter().map(move |w| (v, w)))
    {
        let pairs = mine.iter().zip(yours);
        let clash = pairs.filter(|(x, y)| x != y && one.contains(y) && two.contains(x));
        claims += u32::try_from(clash.count()).unwrap();
    }
    claims
}

/// Chi-square of the members' keys as a normal deviate (Wilson and Hilferty 1931), and the peak over the
/// mean.
fn balance(build: Build, n: usize, keys: u64) -> (f64, f64) {
    let all = members(n);
    let place = build(&all);
    let mut counts = vec![0_u32; n];
    (0..keys).for_each(|key| counts[place(key)] += 1);
    let float = |n: usize| f64::from(u32::try_from(n).unwrap());
    let mean = f64::from(u32::try_from(keys).unwrap()) / float(n);
    let square = |count: &u32| (f64::from(*count) - mean).powi(2) / mean;
    let (chi_square, freedom) = (counts.iter().map(square).sum::<f64>(), float(n - 1));
    let variance = 2.0 / (9.0 * freedom);
    let deviate = ((chi_square / freedom).cbrt() - (1.0 - variance)) / variance.sqrt();
    (deviate, f64::from(*counts.iter().max().unwrap()) / mean)
}

/// What each breaks, of 64 members; the double claims are of 12, on all pairs of 78 sets.
#[test]
fn each_breaks_a_law() {
    println!("{:30} {:>8} {:>7} {:>9} {:>6}", "", "needless", "claims", "deviate", "peak");
    let mut rows = Vec::new();
    for (name, build) in STRUCTURES {
        let needless = needless_moves(build, 64, 4_000);
        let claims = double_claims(build, 200);
        let (deviate, peak) = balance(build, 64, 100_000);
        println!("{name:30} {needless:8.3} {claims:7} {deviate:+9.1} {peak:6.3}");
        rows.push((needless, claims, deviate));
    }
    let [exact, by_rank, by_name, window, rings] = rows[..] else { unreachable!() };
    // No move that need not be, no key with two owners, and the balance that chance gives.
    assert!(exact.0 == 0.0 && exact.1 == 0 && exact.2 < 4.0, "{exact:?}");
    // Keeps the balance, but a leaf has another owner when a member before it leaves.
    assert!(by_rank.0 > 10.0 && by_rank.1 > 10_000 && by_rank.2 < 4.0, "{by_rank:?}");
    // Keeps the order, but as many keys go to a leaf with one member as to one with three.
    assert!(by_name.0 == 0.0 && by_name.1 == 0 && by_name.2 > 50.0, "{by_name:?}");
    // A member that leaves lets another into the window, which may outbid the owner.
    assert!(window.0 > 0.01 && window.1 > 100 && window.2 > 10.0, "{window:?}");
    // Keeps the order of members for each key, but gaps between points are as uneven as they are.
    assert!(rings.0 == 0.0 && rings.1 == 0 && rings.2 > 50.0, "{rings:?}");
}
