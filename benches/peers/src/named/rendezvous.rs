//! Rendezvous hashing: the owner, the three best, and weights.

use core::num::NonZeroU32;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use hrw_hash::{HrwNode, HrwNodes};
use rendezvous_hash::{Capacity, DefaultNodeHasher, IdNode, RendezvousNodes, WeightedNode};
use tenure::placement::{Key, Member, Members, Placement, Ranking, Rendezvous};

use super::{all, lent};
use crate::equal::{BuildMix, Fold};
use crate::{Group, Subject, Terms, members, number, subject};

/// One owner of each key.
#[must_use]
pub fn rendezvous(n: u32) -> Group {
    let names = members(n);
    let ours = subject!(
        "tenure",
        Hashed,
        Rendezvous::new(names.clone()),
        |s, key| s.place(Key::from_hash(key)),
        |found| number(found)
    );
    Group::new("Rendezvous", n, ours)
        .with_up_to(10_000, QUADRATIC, || {
            subject!(
                "rendezvous_hash",
                Own,
                own_nodes(n),
                |s, key| s.calc_candidates(&key).next(),
                |found| found.map(|node| **node)
            )
        })
        .with_up_to(10_000, QUADRATIC, || {
            subject!(
                "rendezvous_hash",
                Equal,
                equal_nodes(&members(n)),
                |s, key| s.0.calc_candidates(&key).next(),
                |found| found.and_then(|node| position(&s.1, **node))
            )
        })
        .with(subject!(
            "hrw-hash",
            Own,
            HrwNodes::new(0..n),
            |s, key| s.sorted(&key).next(),
            |found| found.copied()
        ))
        .with(subject!(
            "hrw-hash",
            Equal,
            HrwNodes::with_build_hasher(BuildMix::default(), 0..n),
            |s, key| s.sorted(&key).next(),
            |found| found.copied()
        ))
        .with(subject!(
            "hash-rings rendezvous",
            Equal,
            hash_rings_rendezvous(n),
            |s, key| s.get_node(&key),
            |found| Some(*found)
        ))
        .with(subject!(
            "hash-rings carp",
            Equal,
            hash_rings_carp(n),
            |s, key| s.get_node(&key),
            |found| Some(*found)
        ))
}

/// The three best for each key.
#[must_use]
pub fn rendezvous_best(n: u32) -> Group {
    Group::new("Rendezvous, best 3", n, best_of_ours(members(n), Rendezvous::new))
        .with_up_to(10_000, QUADRATIC, || {
            subject!(
                "rendezvous_hash",
                Equal,
                equal_nodes(&members(n)),
                |s, key| all(s.0.calc_candidates(&key).take(3)),
                |_sum| s.0.calc_candidates(&key).next().and_then(|node| position(&s.1, **node))
            )
        })
        .with(subject!(
            "hrw-hash",
            Equal,
            HrwNodes::with_build_hasher(BuildMix::default(), 0..n),
            |s, key| all(s.sorted(&key).take(3)),
            |_sum| s.sorted(&key).next().copied()
        ))
}

/// Members of weights 1, 2, 3, 4, 1, 2 and so on.
#[must_use]
pub fn rendezvous_weighted(n: u32) -> Group {
    let weighted = |i: u32| NonZeroU32::new(weight(i)).expect("not zero");
    let names = (0..n).map(|i| Member::new(format!("x-{i}")).with_weight(weighted(i)));
    let names = Members::new(names).expect("they differ");
    let ours = subject!(
        "tenure",
        Hashed,
        Rendezvous::new(names.clone()),
        |s, key| s.place(Key::from_hash(key)),
        |found| number(found)
    );
    Group::new("Rendezvous, weighted", n, ours)
        .with_up_to(10_000, QUADRATIC, || {
            subject!(
                "rendezvous_hash",
                Own,
                weighted_nodes(n, DefaultNodeHasher::new(), |i| i),
                |s, key| s.calc_candidates(&key).next(),
                |found| found.map(|weighted| *weighted.node)
            )
        })
        .with_up_to(10_000, QUADRATIC, || {
            subject!(
                "rendezvous_hash",
                Equal,
                (weighted_nodes(n, Fold, name_hashes(&members(n))), members(n)),
                |s, key| s.0.calc_candidates(&key).next(),
                |found| found.and_then(|weighted| position(&s.1, *weighted.node))
            )
        })
        .with(subject!(
            "hrw-hash",
            Equal,
            HrwNodes::with_build_hasher(BuildMix::default(), (0..n).map(Node)),
            |s, key| s.sorted(&key).next(),
            |found| found.map(|node| node.0)
        ))
        .with(subject!(
            "hash-rings weighted_rendezvous",
            Equal,
            hash_rings_weighted(n),
            |s, key| s.get_node(&key),
            |found| Some(*found)
        ))
}

/// With one vector for all look-ups, as its documentation says.
pub(super) fn best_of_ours<R: Ranking + 'static>(
    names: Members,
    make: impl Fn(Members) -> R + 'static,
) -> Subject {
    let ranking = Rc::new(make(names.clone()));
    let kept = Rc::clone(&ranking);
    Subject {
        name: "tenure",
        terms: Terms::Hashed,
        run: Box::new(move |keys| {
            let mut best = Vec::with_capacity(3);
            keys.iter().fold(0, |sum: u64, &key| {
                ranking.best_into(Key::from_hash(key), 3, &mut best);
                sum.wrapping_add(all(best.iter().copied()))
            })
        }),
        owner: Box::new(move |key| number(kept.best(Key::from_hash(key), 3).first().copied())),
        build: Box::new(move || Box::new(make(names.clone()))),
    }
}

const QUADRATIC: &str = "rendezvous_hash (looks for each new member among all)";

fn weight(i: u32) -> u32 {
    1 + i % 4
}

/// The member with this hash of its name.
fn position(members: &Members, hash: u64) -> Option<u32> {
    number(members.iter().find(|member| member.name_hash() == hash))
}

/// The hash of the name of each member, by its number.
fn name_hashes(members: &Members) -> impl Fn(u32) -> u64 {
    let by_name = |i| members.by_name(&format!("x-{i}")).expect("a member").name_hash();
    let hashes: Vec<u64> = (0..).take(members.len()).map(by_name).collect();
    move |i| hashes[i as usize]
}

fn own_nodes(n: u32) -> RendezvousNodes<IdNode<u32>, DefaultNodeHasher> {
    let mut nodes = RendezvousNodes::default();
    for i in 0..n {
        nodes.insert(IdNode::new(i));
    }
    nodes
}

/// With the hashes of ours in place of names, so that the mapping is that of ours.
fn equal_nodes(members: &Members) -> (RendezvousNodes<IdNode<u64>, Fold>, Members) {
    let mut nodes = RendezvousNodes::new(Fold);
    for member in members {
        nodes.insert(IdNode::new(member.name_hash()));
    }
    (nodes, members.clone())
}

type Weighted<T, H> = RendezvousNodes<WeightedNode<IdNode<T>>, H>;

fn weighted_nodes<T, H>(n: u32, hasher: H, id: impl Fn(u32) -> T) -> Weighted<T, H>
where
    T: Hash + Ord,
    H: rendezvous_hash::NodeHasher<T>,
{
    let mut nodes = RendezvousNodes::new(hasher);
    for i in 0..n {
        let capacity = Capacity::new(f64::from(weight(i))).expect("above zero");
        nodes.insert(WeightedNode::new(IdNode::new(id(i)), capacity));
    }
    nodes
}

/// A member of hrw-hash that has a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node(u32);

impl Hash for Node {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u32(self.0);
    }
}

impl HrwNode for Node {
    fn capacity(&self) -> usize {
        weight(self.0) as usize
    }
}

fn hash_rings_rendezvous(n: u32) -> hash_rings::rendezvous::Ring<'static, u32, BuildMix> {
    let mut ring = hash_rings::rendezvous::Ring::with_hasher(BuildMix::default());
    for id in lent(n) {
        ring.insert_node(id, 1);
    }
    ring
}

fn hash_rings_carp(n: u32) -> hash_rings::carp::Ring<'static, u32, BuildMix> {
    let nodes = lent(n).iter().map(|id| hash_rings::carp::Node::new(id, 1.0)).collect();
    hash_rings::carp::Ring::with_hasher(BuildMix::default(), nodes)
}

fn hash_rings_weighted(n: u32) -> hash_rings::weighted_rendezvous::Ring<'static, u32, BuildMix> {
    let mut ring = hash_rings::weighted_rendezvous::Ring::with_hasher(BuildMix::default());
    for id in lent(n) {
        ring.insert_node(id, f64::from(weight(*id)));
    }
    ring
}
