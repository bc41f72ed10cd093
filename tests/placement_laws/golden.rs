//! Golden vectors: where keys go may change until 0.1.0; then these are frozen.

use tenure::placement::{Key, Member, Members, Placement, Ranking, Rendezvous, hash};

use super::members;
use super::table::ALGORITHMS;

/// The members, the key, and the best members for it (at least the owner).
type Golden = (&'static [&'static str], Named, &'static [&'static str]);

#[derive(Clone, Copy)]
enum Named {
    Bytes(&'static str),
    Hash(u64),
}

impl Named {
    fn key(self) -> Key {
        match self {
            Self::Bytes(text) => Key::from_bytes(text.as_bytes()),
            Self::Hash(hash) => Key::from_hash(hash),
        }
    }
}

/// Computed by a second implementation, written from the documentation in another language. The
/// mapping may change until 0.1.0; then this table is frozen.
#[rustfmt::skip]
const RENDEZVOUS: &[Golden] = &[
    (&["op-0", "op-1", "op-2"], Named::Bytes(""), &["op-1", "op-0", "op-2"]),
    (&["op-0", "op-1", "op-2"], Named::Bytes("a"), &["op-2", "op-1", "op-0"]),
    (&["op-0", "op-1", "op-2"], Named::Bytes("Lease/default/demo"), &["op-1", "op-2", "op-0"]),
    (&["op-0", "op-1", "op-2"], Named::Bytes("ConfigMap/kube-system/coredns"), &["op-0", "op-1", "op-2"]),
    (&["op-0", "op-1", "op-2"], Named::Hash(0), &["op-2", "op-0", "op-1"]),
    (&["op-0", "op-1", "op-2"], Named::Hash(1), &["op-0", "op-2", "op-1"]),
    (&["op-0", "op-1", "op-2"], Named::Hash(u64::MAX), &["op-1", "op-2", "op-0"]),
    (&["x-1", "x-11", "x-110", "x-111"], Named::Bytes("x-1"), &["x-11", "x-110", "x-111"]),
    (&["x-1", "x-11", "x-110", "x-111"], Named::Bytes("Lease/default/demo"), &["x-1", "x-11", "x-110"]),
    (&["x-1", "x-11", "x-110", "x-111"], Named::Hash(1), &["x-1", "x-110", "x-11"]),
    (&["zürich", "genève", "東京"], Named::Bytes("a"), &["genève", "東京", "zürich"]),
    (&["zürich", "genève", "東京"], Named::Hash(1), &["genève", "zürich", "東京"]),
    (&["shard-0", "shard-1", "shard-2", "shard-3", "shard-4", "shard-5", "shard-6", "shard-7", "shard-8", "shard-9"],
        Named::Bytes("Lease/default/demo"), &["shard-5", "shard-9", "shard-0"]),
    (&["a"], Named::Hash(2), &["a"]),
];

#[test]
fn rendezvous_is_what_its_documentation_says() {
    for &(names, named, best) in RENDEZVOUS {
        let placement = Rendezvous::new(members(names));
        let ranked = placement.best(named.key(), best.len());
        assert!(ranked.iter().map(|member| member.name()).eq(best.iter().copied()), "{ranked:?}");
    }
}

/// Of each algorithm, a digest of where 10,000 keys go among 13 members, some with weights.
const DIGESTS: &[(&str, u64)] = &[
    ("Rendezvous", 0xc755_aae0_1275_9412),
    ("Ring", 0x7d98_efd8_349e_4271),
    ("MultiProbe", 0x9bbe_389e_89d7_eec0),
    ("Maglev", 0xeb39_411a_b728_f253),
    ("Jump, paper", 0x555d_32c8_e76f_6ccd),
    ("Jump, Guava", 0x555d_32c8_e76f_6ccd),
    ("JumpBack", 0x087d_5441_2bbc_9312),
    ("Flip", 0xc2d5_4497_e124_cd4c),
    ("Binomial", 0x588f_23da_6d88_2f4e),
    ("Anchor", 0x6763_6b71_7766_d34f),
    ("Memento", 0x087d_5441_2bbc_9312),
    ("Dx", 0xd2ce_633f_60a9_c0b5),
    #[cfg(feature = "presets")]
    ("Thanos", 0x27b0_d4d1_b423_e4ad),
    #[cfg(feature = "presets")]
    ("timebertt", 0x4345_8a09_3401_6408),
];

fn digest(placement: &dyn Placement) -> u64 {
    let owners = (0..10_000).map(|number| {
        let owner = placement.place(Key::from_hash(hash::mix(number)));
        owner.map_or("nobody", Member::name)
    });
    hash::xxh64(owners.collect::<Vec<_>>().join("\n").as_bytes())
}

/// A change of these moves keys of everybody who upgrades: it is a change to announce.
#[test]
fn no_key_has_moved_since_the_last_release() {
    let weight = |i: u32| std::num::NonZeroU32::new(1 + i % 3).unwrap();
    let names = (0..13).map(|i| Member::from(format!("controller-{i}")).with_weight(weight(i)));
    let set = Members::new(names).unwrap();
    let digests: Vec<_> =
        ALGORITHMS.iter().map(|row| (row.name, digest(&*(row.place)(&set)))).collect();
    assert_eq!(digests, DIGESTS, "\n{digests:#x?}");
}
