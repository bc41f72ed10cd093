//! The rows of the table of laws, and the controls.

use tenure::placement::{
    Key, Member, Members, Placement, Ranking, Rationalizable, Rendezvous, hash,
};

pub(crate) type Build<P> = fn(&Members) -> Box<P>;

/// A row of the table of laws.
pub(crate) struct Algorithm {
    pub(crate) name: &'static str,
    pub(crate) place: Build<dyn Placement>,
    /// If it ranks.
    pub(crate) rank: Option<Build<dyn Ranking>>,
    /// If it promises to be rationalizable. Then it must disrupt least as well.
    pub(crate) rationalizable: Option<Build<dyn Rationalizable>>,
    pub(crate) golden: &'static [Golden],
}

/// The members, the key, and the best members for it (at least the owner).
pub(crate) type Golden = (&'static [&'static str], Named, &'static [&'static str]);

#[derive(Clone, Copy)]
pub(crate) enum Named {
    Bytes(&'static str),
    Hash(u64),
}

impl Named {
    pub(crate) fn key(self) -> Key {
        match self {
            Self::Bytes(text) => Key::from_bytes(text.as_bytes()),
            Self::Hash(hash) => Key::from_hash(hash),
        }
    }
}

pub(crate) const ALGORITHMS: &[Algorithm] = &[Algorithm {
    name: "Rendezvous",
    place: |members| Box::new(Rendezvous::new(members.clone())),
    rank: Some(|members| Box::new(Rendezvous::new(members.clone()))),
    rationalizable: Some(|members| Box::new(Rendezvous::new(members.clone()))),
    golden: RENDEZVOUS,
}];

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

/// Control: the hash modulo the number of members. It claims to be rationalizable, and is not.
struct Modulo(Members);

impl Placement for Modulo {
    fn members(&self) -> &Members {
        &self.0
    }

    fn place(&self, key: Key) -> Option<&Member> {
        let index = hash::mix(key.as_u64()).checked_rem(self.0.len() as u64)?;
        self.0.iter().nth(usize::try_from(index).ok()?)
    }
}

impl Rationalizable for Modulo {}

pub(crate) const MODULO: Algorithm = Algorithm {
    name: "Modulo",
    place: |members| Box::new(Modulo(members.clone())),
    rank: None,
    rationalizable: Some(|members| Box::new(Modulo(members.clone()))),
    golden: &[],
};

/// Control: rendezvous as it is often written, the hash of key and name strung together, and that
/// hash FNV-1a. Its last bytes hardly reach the top, so it spreads badly.
struct Unmixed(Members);

impl Placement for Unmixed {
    fn members(&self) -> &Members {
        &self.0
    }

    fn place(&self, key: Key) -> Option<&Member> {
        let key = key.as_u64().to_be_bytes();
        let score = |member: &&Member| hash::fnv1a_64(&[&key, member.name().as_bytes()].concat());
        self.0.iter().max_by_key(score)
    }
}

pub(crate) const UNMIXED: Algorithm = Algorithm {
    name: "Unmixed",
    place: |members| Box::new(Unmixed(members.clone())),
    rank: None,
    rationalizable: None,
    golden: &[],
};
