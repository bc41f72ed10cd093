//! Algorithms over numbers.

use std::hash::{BuildHasher, Hash, RandomState};

use anchorhash::AnchorHash;
use consistent_choose_k::{ConsistentHasher, ConsistentNodeMap};
use tenure::placement::{
    Anchor, Binomial, Dx, Flip, Guava, Jump, JumpBack, Key, Member, Memento, Named, Numbered,
    Paper, Placement, Removal, Rounding,
};

use crate::equal::{BuildMix, FlipDraws, Mix, SplitMix};
use crate::{Group, Subject, number, subject};

fn jump_of_ours<R: Rounding + 'static>(n: u32) -> Subject {
    subject!(
        "tenure",
        Hashed,
        Jump::<R>::rounded(n).expect("few enough"),
        |s, key| s.index(Key::from_hash(key)),
        |found| found
    )
}

/// The paper's rounding.
#[must_use]
pub fn jump(n: u32) -> Group {
    Group::new("Jump, Paper", n, jump_of_ours::<Paper>(n))
        .with(subject!("jumpch", Hashed, n, |s, key| jumpch::hash(key, *s), |found| Some(found)))
        .with(subject!(
            "jump-consistent-hash",
            Hashed,
            n as usize,
            |s, key| jump_consistent_hash::hash(key, *s),
            |found| Some(found)
        ))
        .with(subject!(
            "jumphash",
            Own,
            jumphash::JumpHasher::new_with_keys(1, 2),
            |s, key| s.slot(&key, n),
            |found| Some(found)
        ))
        .same_as("jumpch")
        .same_as("jump-consistent-hash")
}

/// Guava's rounding, which whole numbers have by nature.
#[must_use]
pub fn jump_guava(n: u32) -> Group {
    Group::new("Jump, Guava", n, jump_of_ours::<Guava>(n))
        .with(subject!("jumpch", Hashed, n, |s, key| jumpch::hash(key, *s), |found| Some(found)))
        .with(subject!(
            "jumpconsistenthash",
            Hashed,
            n,
            |s, key| jumpconsistenthash::jump_hash_from_u64(key, *s),
            |found| Some(found)
        ))
        .with(subject!(
            "jmphash",
            Hashed,
            i64::from(n),
            |s, key| jmphash::jump_hash(key, *s),
            |found| u32::try_from(found).ok()
        ))
        .with(subject!(
            "hash-rings jump",
            Equal,
            hash_rings::jump::Ring::with_hasher(BuildMix::default(), n),
            |s, key| s.get_node(&key),
            |found| Some(found)
        ))
        .same_as("jumpconsistenthash")
        .same_as("jmphash")
}

/// With the draws of hash4j on both sides.
#[must_use]
pub fn jump_back(n: u32) -> Group {
    let ours = subject!(
        "tenure",
        Hashed,
        JumpBack::new(n).expect("few enough"),
        |s, key| s.index(Key::from_hash(key)),
        |found| found
    );
    Group::new("JumpBack", n, ours)
        .with(subject!(
            "jump-back-hash",
            Equal,
            n,
            |s, key| jump_back_hash::bucket(&mut SplitMix(key), *s),
            |found| Some(found)
        ))
        .with(subject!(
            "consistent-choose-k prev",
            Equal,
            n as usize,
            |s, key| ConsistentHasher::new(mix(key)).into_prev(*s),
            |found| found.and_then(|found| u32::try_from(found).ok())
        ))
        .same_as("jump-back-hash")
}

/// Each with draws of its own.
#[must_use]
pub fn flip(n: u32) -> Group {
    let ours = subject!(
        "tenure",
        Hashed,
        <Flip>::new(n),
        |s, key| s.index(Key::from_hash(key)),
        |found| found
    );
    Group::new("Flip", n, ours).with(fliphash(n))
}

/// With the peer's draws on both sides.
#[must_use]
pub fn flip_equal(n: u32) -> Group {
    let ours = subject!(
        "tenure",
        Equal,
        Flip::<FlipDraws>::drawn(n),
        |s, key| s.index(Key::from_hash(key)),
        |found| found
    );
    Group::new("Flip, draws of fliphash", n, ours).with(fliphash(n)).same_as("fliphash")
}

fn fliphash(n: u32) -> Subject {
    subject!(
        "fliphash",
        Hashed,
        u64::from(n - 1),
        |s, key| fliphash::fliphash_64(key, ..=*s),
        |found| u32::try_from(found).ok()
    )
}

/// No crate has it.
#[must_use]
pub fn binomial(n: u32) -> Group {
    let ours = subject!(
        "tenure",
        Hashed,
        <Binomial>::new(n),
        |s, key| s.index(Key::from_hash(key)),
        |found| found
    );
    Group::new("Binomial", n, ours)
}

/// With room for a tenth more, numbers alone; theirs come with the look-up of a resource.
#[must_use]
pub fn anchor(n: u32) -> Group {
    let ours = subject!(
        "tenure",
        Hashed,
        Anchor::new(n, room(n)).expect("few enough"),
        |s, key| s.index(Key::from_hash(key)),
        |found| found
    );
    with_anchorhash(Group::new("Anchor, 1.1 n", n, ours))
}

/// The same down to the member.
#[must_use]
pub fn anchor_named(n: u32) -> Group {
    let names: Vec<Member> = (0..n).map(|i| format!("x-{i}").into()).collect();
    let ours = subject!(
        "tenure",
        Hashed,
        {
            let anchor = Anchor::new(n, room(n)).expect("few enough");
            Named::new(anchor, names.iter().cloned()).expect("as many names as numbers")
        },
        |s, key| s.place(Key::from_hash(key)),
        |found| number(found)
    );
    with_anchorhash(Group::new("Anchor, 1.1 n, named", n, ours))
}

fn with_anchorhash(group: Group) -> Group {
    const TOO_MANY: &str = "anchorhash (numbers of 16 bits)";
    let n = group.members;
    group
        .with_up_to(10_000, TOO_MANY, || {
            subject!(
                "anchorhash",
                Own,
                anchorhash(n, RandomState::new()),
                |s, key| s.get_resource(key),
                |found| found.copied()
            )
        })
        .with_up_to(10_000, TOO_MANY, || {
            subject!(
                "anchorhash",
                Equal,
                anchorhash(n, BuildMix::default()),
                |s, key| s.get_resource(key),
                |found| found.copied()
            )
        })
}

fn room(n: u32) -> u32 {
    (n * 11).div_ceil(10)
}

fn anchorhash<B: BuildHasher>(n: u32, hasher: B) -> AnchorHash<u64, u32, B> {
    let room = u16::try_from(room(n)).expect("few enough");
    anchorhash::Builder::with_hasher(hasher).with_resources(0..n).build(room)
}

/// Any removal, none made: over `JumpBack`, beside consistent-choose-k's map of nodes.
#[must_use]
pub fn memento(n: u32) -> Group {
    let ours = subject!(
        "tenure",
        Hashed,
        Memento::new(JumpBack::new(n).expect("few enough")),
        |s, key| s.index(Key::from_hash(key)),
        |found| found
    );
    Group::new("Memento over JumpBack", n, ours).with(node_map(n))
}

/// Twice as many were there, and every other one has gone: what is left has the even numbers.
#[must_use]
pub fn memento_halved(n: u32) -> Group {
    let halved = move || {
        let mut memento = Memento::new(JumpBack::new(2 * n).expect("few enough"));
        odd(n).for_each(|index| memento.remove(index).expect("in use"));
        memento
    };
    let nodes_halved = move || {
        let mut nodes = nodes(2 * n);
        odd(n).for_each(|index| assert!(nodes.remove(index as usize)));
        nodes
    };
    let ours =
        subject!("tenure", Hashed, halved(), |s, key| s.index(Key::from_hash(key)), |found| found
            .map(|index| index / 2));
    Group::new("Memento over JumpBack, half removed", n, ours).with(subject!(
        "consistent-choose-k node map",
        Equal,
        nodes_halved(),
        |s, key| s.get(mix(key)),
        |found| found.and_then(|found| u32::try_from(found / 2).ok())
    ))
}

fn odd(n: u32) -> impl Iterator<Item = u32> {
    (0..n).map(|index| 2 * index + 1)
}

/// Any removal, none made: with room for twice as many.
#[must_use]
pub fn dx(n: u32) -> Group {
    let ours = subject!(
        "tenure",
        Hashed,
        <Dx>::new(n, 2 * n).expect("few enough"),
        |s, key| s.index(Key::from_hash(key)),
        |found| found
    );
    Group::new("Dx, 2 n", n, ours).with(node_map(n))
}

fn node_map(n: u32) -> Subject {
    subject!("consistent-choose-k node map", Equal, nodes(n), |s, key| s.get(mix(key)), |found| {
        found.and_then(|found| u32::try_from(found).ok())
    })
}

fn nodes(n: u32) -> ConsistentNodeMap {
    let mut nodes = ConsistentNodeMap::new();
    for _ in 0..n {
        nodes.add();
    }
    nodes
}

/// A hasher that has seen the key.
#[inline]
fn mix(key: u64) -> Mix {
    let mut hasher = Mix::default();
    key.hash(&mut hasher);
    hasher
}
