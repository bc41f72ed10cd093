//! Rings, with 100 points a member wherever a crate lets one say so, and multi-probe.

use core::num::NonZeroU32;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use consistent_hash::{Node, RingHash, StaticHashRing};
use consistent_hash_ring::RingBuilder;
use pingora_ketama::{Bucket, Continuum};
use std::hash::Hash;
use tenure::placement::{Key, Members, MultiProbe, Placement, Ring};

use super::rendezvous::best_of_ours;
use super::{all, lent};
use crate::equal::{BuildMix, mixed};
use crate::{Group, members, number, subject};

const POINTS: u32 = 100;

fn ours(names: Members, points: u32) -> Ring {
    let points = NonZeroU32::new(points).expect("not zero");
    Ring::new(names, points).expect("it fits")
}

/// One owner of each key.
#[must_use]
pub fn ring(n: u32) -> Group {
    let names = members(n);
    let ours = subject!(
        "tenure",
        Hashed,
        ours(names.clone(), POINTS),
        |s, key| s.place(Key::from_hash(key)),
        |found| number(found)
    );
    let group = Group::new("Ring, 100 points", n, ours)
        .with(subject!(
            "hashring",
            Own,
            hashring(n, hashring::DefaultHashBuilder),
            |s, key| s.get(&key),
            |found| found.map(|point| point.0)
        ))
        .with(subject!(
            "hashring",
            Equal,
            hashring(n, BuildMix::default()),
            |s, key| s.get(&key),
            |found| found.map(|point| point.0)
        ))
        .with_up_to(100, "consistent_hash_ring (builds in quadratic time)", || {
            let points = POINTS as usize;
            subject!(
                "consistent_hash_ring",
                Equal,
                RingBuilder::new(BuildMix::default()).vnodes(points).nodes_iter(0..n).build(),
                |s, key| s.try_get(key),
                |found| found.copied()
            )
        })
        .with_up_to(10_000, "consistent_hash", || {
            subject!(
                "consistent_hash",
                Equal,
                consistent(n),
                |s, key| s.calc_candidates(&key).next(),
                |found| found.map(|node| node.key)
            )
        })
        .with_up_to(10_000, "hash-rings consistent", || {
            subject!(
                "hash-rings consistent",
                Equal,
                hash_rings(n),
                |s, key| s.get_node(&key),
                |found| Some(*found)
            )
        });
    slow(group)
}

/// Those that take a microsecond and more, with their own hashers.
fn slow(group: Group) -> Group {
    let n = group.members;
    group
        .with_up_to(1_000, "conhash (6 kB a member)", || {
            subject!("conhash", Own, conhash(n), |s, key| s.get(&key.to_le_bytes()), |found| found
                .map(|node| node.0))
        })
        .with_up_to(100, "hash_ring (copies all points at each look-up)", || {
            subject!(
                "hash_ring",
                Own,
                hash_ring::HashRing::new((0..n).collect(), 100),
                |s, key| s.get_node(key.to_string()),
                |found| found.copied()
            )
        })
        .with_up_to(100, "hashring_coordinator (allocates at each look-up)", || {
            subject!(
                "hashring_coordinator",
                Own,
                coordinator(n),
                |s, key| s.get(&key).first().map(|node| u64::from(*node)),
                |found| found.and_then(|node| u32::try_from(node).ok())
            )
        })
}

/// The three next members for each key.
#[must_use]
pub fn ring_best(n: u32) -> Group {
    Group::new("Ring, 100 points, best 3", n, best_of_ours(members(n), |names| ours(names, POINTS)))
        .with_up_to(100, "consistent_hash_ring (builds in quadratic time)", || {
            let points = POINTS as usize;
            subject!(
                "consistent_hash_ring",
                Equal,
                RingBuilder::new(BuildMix::default()).vnodes(points).nodes_iter(0..n).build(),
                |s, key| all(s.replicas(key).take(3)),
                |_sum| s.try_get(key).copied()
            )
        })
        .with_up_to(10_000, "consistent_hash", || {
            subject!(
                "consistent_hash",
                Equal,
                consistent(n),
                |s, key| all(s.calc_candidates(&key).take(3)),
                |_sum| s.calc_candidates(&key).next().map(|node| node.key)
            )
        })
}

/// 160 points a member, as memcached's clients have, from the eight bytes of a key; pingora's points and
/// keys are nginx's, by CRC-32.
#[must_use]
pub fn ketama(n: u32) -> Group {
    let names = members(n);
    let ours = subject!(
        "tenure",
        Own,
        ours(names.clone(), 160),
        |s, key| s.place(Key::from_bytes(&key.to_le_bytes())),
        |found| number(found)
    );
    Group::new("Ring, 160 points", n, ours).with_up_to(
        10_000,
        "pingora-ketama (at most 65,536 members)",
        || {
            subject!(
                "pingora-ketama",
                Own,
                pingora(n),
                |s, key| s.node(&key.to_le_bytes()),
                |found| found.and_then(|address| match address.ip() {
                    IpAddr::V4(address) => address.to_bits().checked_sub(10 << 24),
                    IpAddr::V6(_) => None,
                })
            )
        },
    )
}

/// 21 probes of one point a member, which both crates have by default or by advice.
#[must_use]
pub fn multi_probe(n: u32) -> Group {
    const PROBES: NonZeroU32 = NonZeroU32::new(21).unwrap();
    let names = members(n);
    let ours = subject!(
        "tenure",
        Hashed,
        MultiProbe::new(names.clone(), PROBES),
        |s, key| s.place(Key::from_hash(key)),
        |found| number(found)
    );
    Group::new("MultiProbe, 21 probes", n, ours)
        .with(subject!(
            "mpchash",
            Own,
            mpchash(n),
            |s, key| s.node(&key).map(|token| *token.node()),
            |found| found
        ))
        .with(subject!(
            "hash-rings mpc",
            Own,
            hash_rings_mpc(n),
            |s, key| s.get_node(&key),
            |found| Some(*found)
        ))
}

fn mpchash(n: u32) -> mpchash::HashRing<u32> {
    let ring = mpchash::HashRing::new();
    (0..n).for_each(|i| ring.add(i));
    ring
}

fn hash_rings_mpc(n: u32) -> hash_rings::mpc::Ring<'static, u32> {
    let mut ring = hash_rings::mpc::Ring::new(21);
    for id in lent(n) {
        ring.insert_node(id);
    }
    ring
}

type Hashring<H> = hashring::HashRing<(u32, u32), H>;

fn hashring<H: std::hash::BuildHasher>(n: u32, hasher: H) -> Hashring<H> {
    let mut ring = hashring::HashRing::with_hasher(hasher);
    ring.batch_add((0..n).flat_map(|i| (0..POINTS).map(move |point| (i, point))).collect());
    ring
}

struct Equal;

impl RingHash for Equal {
    fn hash_item<T: Hash>(&self, item: &T) -> u64 {
        mixed(item)
    }
}

fn consistent(n: u32) -> StaticHashRing<'static, u32, (), Equal> {
    StaticHashRing::new(Equal, (0..n).map(|i| Node::new(i).quantity(POINTS as usize)))
}

fn hash_rings(n: u32) -> hash_rings::consistent::Ring<'static, u32, BuildMix> {
    let mut ring = hash_rings::consistent::Ring::with_hasher(BuildMix::default());
    for id in lent(n) {
        ring.insert_node(id, POINTS as usize);
    }
    ring
}

#[derive(Clone)]
struct Named(u32);

impl conhash::Node for Named {
    fn name(&self) -> String {
        format!("x-{}-", self.0)
    }
}

fn conhash(n: u32) -> conhash::ConsistentHash<Named> {
    let mut ring = conhash::ConsistentHash::new();
    (0..n).for_each(|i| ring.add(&Named(i), POINTS as usize));
    ring
}

fn coordinator(n: u32) -> hashring_coordinator::HashRing<u32> {
    let mut ring = hashring_coordinator::HashRing::new(0, POINTS as usize);
    ring.batch_add((0..n).collect());
    ring
}

fn pingora(n: u32) -> Continuum {
    let address = |i| SocketAddr::from((Ipv4Addr::from_bits((10 << 24) + i), 80));
    Continuum::new(&(0..n).map(|i| Bucket::new(address(i), 1)).collect::<Vec<_>>())
}
