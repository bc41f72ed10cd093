//! From a UID of 36 characters to its owner, hashing included: what a controller does with an object.

use std::hash::{DefaultHasher, Hash, Hasher};

use hrw_hash::HrwNodes;
use jumpch::JumpHasher;
use rendezvous_hash::{DefaultNodeHasher, IdNode, RendezvousNodes};
use tenure::placement::{Key, Placement, Rendezvous, hash};

use crate::{Group, members, number, subject};

/// As many as a big cluster has Pods of one owner, and as fit into the cache.
const UIDS: u64 = 4_096;

/// UIDs as Kubernetes gives them: version 4 of RFC 9562.
#[must_use]
pub fn uids() -> Vec<Box<str>> {
    let uid = |number| {
        let (high, low) = (hash::mix(number), hash::mix(!number));
        let time = format!("{:08x}-{:04x}-4{:03x}", high >> 32, high >> 16 & 0xffff, high & 0xfff);
        let (variant, node) = (low >> 48 & 0x3fff | 0x8000, low & 0xffff_ffff_ffff);
        format!("{time}-{variant:04x}-{node:012x}").into_boxed_str()
    };
    (0..UIDS).map(uid).collect()
}

/// A state, and the UIDs that keys stand for: each key one of them.
struct With<S>(S, Vec<Box<str>>);

impl<S> With<S> {
    fn new(state: S) -> Self {
        Self(state, uids())
    }

    #[inline]
    fn uid(&self, key: u64) -> &str {
        &self.1[usize::try_from(key % UIDS).unwrap_or_default()]
    }
}

/// All peers with the hashers that they come with.
#[must_use]
pub fn uid(n: u32) -> Group {
    let names = members(n);
    let ours = subject!(
        "tenure Rendezvous",
        Own,
        With::new(Rendezvous::new(names.clone())),
        |s, key| s.0.place(Key::from(s.uid(key))),
        |found| number(found)
    );
    Group::new("UID to owner", n, ours)
        .with(subject!(
            "hrw-hash",
            Own,
            With::new(HrwNodes::new(0..n)),
            |s, key| s.0.sorted(&s.uid(key)).next(),
            |found| found.copied()
        ))
        .with(subject!(
            "rendezvous_hash",
            Own,
            With::new(rendezvous(n)),
            |s, key| s.0.calc_candidates(&s.uid(key)).next(),
            |found| found.map(|node| **node)
        ))
        .with(subject!(
            "jumphash",
            Own,
            With::new(jumphash::JumpHasher::new_with_keys(1, 2)),
            |s, key| s.0.slot(&s.uid(key), n),
            |found| Some(found)
        ))
        .with(subject!("jumpch", Own, With::new(()), |s, key| jumpch_of(s.uid(key), n), |found| {
            u32::try_from(found).ok()
        }))
        .with(subject!(
            "maglev-hash",
            Own,
            With::new(maglev_hash::MaglevTable::new((0..n).collect())),
            |s, key| s.0.get(&s.uid(key)),
            |found| found.copied()
        ))
        .with(subject!(
            "hashring, 1 point",
            Own,
            With::new(hashring(n)),
            |s, key| s.0.get(&s.uid(key)),
            |found| found.copied()
        ))
}

#[inline]
fn jumpch_of(uid: &str, n: u32) -> u64 {
    let mut hasher: JumpHasher<DefaultHasher> = JumpHasher::new(n);
    uid.hash(&mut hasher);
    hasher.finish()
}

fn hashring(n: u32) -> hashring::HashRing<u32> {
    let mut ring = hashring::HashRing::new();
    ring.batch_add((0..n).collect());
    ring
}

fn rendezvous(n: u32) -> RendezvousNodes<IdNode<u32>, DefaultNodeHasher> {
    let mut nodes = RendezvousNodes::default();
    for i in 0..n {
        nodes.insert(IdNode::new(i));
    }
    nodes
}
