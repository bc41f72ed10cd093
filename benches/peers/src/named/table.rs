//! Maglev's table, of the smallest prime that is at least 100 for each member: the default of the peers.

use maglev::{ConsistentHasher, Maglev as Peer};
use maglev_hash::MaglevTable;
use tenure::placement::{Key, Maglev, Placement};

use super::lent;
use crate::equal::BuildMix;
use crate::{Group, members, number, subject};

/// One owner of each key.
#[must_use]
pub fn maglev(n: u32) -> Group {
    let names = members(n);
    let prime = prime(n * 100);
    let size = prime as usize;
    let ours = subject!(
        "tenure",
        Hashed,
        Maglev::with_size(names.clone(), prime).expect("a prime"),
        |s, key| s.place(Key::from_hash(key)),
        |found| number(found)
    );
    Group::new("Maglev", n, ours)
        .with(subject!(
            "maglev-hash",
            Own,
            sized(size, MaglevTable::new((0..n).collect()), MaglevTable::capacity),
            |s, key| s.get(&key),
            |found| found.copied()
        ))
        .with_up_to(100, "maglev (keeps members times slots while it builds)", || {
            subject!(
                "maglev",
                Equal,
                sized(size, peer(n), ConsistentHasher::capacity),
                |s, key| s.get(&key),
                |found| found.copied()
            )
        })
        .with_up_to(100, "hash-rings maglev (the same)", || {
            subject!(
                "hash-rings maglev",
                Own,
                sized(size, hash_rings::maglev::Ring::new(lent(n).iter().collect()), |ring| {
                    ring.capacity()
                }),
                |s, key| s.get_node(&key),
                |found| Some(*found)
            )
        })
}

/// The smallest prime that is not below.
fn prime(least: u32) -> u32 {
    let is_prime = |n: &u32| (2..=n.isqrt()).all(|divisor| !n.is_multiple_of(divisor));
    (least..=u32::MAX).find(is_prime).expect("there is one")
}

fn peer(n: u32) -> Peer<u32, BuildMix> {
    Peer::with_capacity_and_hasher(0..n, 0, BuildMix::default())
}

/// The table, if it is as big as ours.
fn sized<T>(size: usize, table: T, its: impl Fn(&T) -> usize) -> T {
    assert_eq!(its(&table), size, "tables of different sizes");
    table
}
