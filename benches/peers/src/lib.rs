//! tenure's placement algorithms beside the crates that implement the same, in one process and on the
//! same keys. `README.md` says how to run it and what is on equal terms.

use std::any::Any;
use std::hint::black_box;
use std::net::{IpAddr, SocketAddr};
use std::ptr;

use tenure::placement::{Member, Members, hash};

pub mod equal;
pub mod goals;
pub mod measure;
pub mod named;
pub mod numbered;
pub mod uid;

/// Looks keys up, one after the other.
pub type Run = dyn Fn(&[u64]) -> u64;

/// A thing that finds the owner of a key.
pub struct Subject {
    /// The crate, and which of its algorithms if it has several.
    pub name: &'static str,
    /// Who hashes.
    pub terms: Terms,
    /// Looks all keys up; the sum of what it found, so that nothing is left out.
    pub run: Box<Run>,
    /// Which member owns a key.
    pub owner: Box<dyn Fn(u64) -> Option<u32>>,
    /// Makes it once more, names aside.
    pub build: Box<dyn Fn() -> Box<dyn Any>>,
}

/// Who hashes a key, which is a number of 64 bits, on its way to the algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terms {
    /// The crate, with the hasher that it comes with.
    Own,
    /// The crate, with [`equal::Mix`] for a hasher: one mixing, as in ours.
    Equal,
    /// Nobody: the crate takes a hash.
    Hashed,
}

impl Terms {
    /// As the table names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own hasher",
            Self::Equal => "equal hasher",
            Self::Hashed => "hashed key",
        }
    }
}

/// What a look-up gives, as a number that cannot be had without it.
pub trait Witness {
    /// The number.
    fn bits(self) -> u64;
}

macro_rules! numbers {
    ($($number:ty, |$n:ident| $bits:expr;)*) => { $(impl Witness for $number {
        #[inline]
        fn bits(self) -> u64 {
            let $n = self;
            $bits
        }
    })* };
}
numbers! {
    u32, |n| u64::from(n);
    u64, |n| n;
    i64, |n| n.cast_unsigned();
    usize, |n| n as u64;
}

impl<T> Witness for &T {
    /// Where it is: who wants no more than to know who it is need not read it.
    #[inline]
    fn bits(self) -> u64 {
        ptr::from_ref(self).addr() as u64
    }
}

impl<W: Witness> Witness for Option<W> {
    #[inline]
    fn bits(self) -> u64 {
        self.map_or(u64::MAX, W::bits)
    }
}

impl Witness for SocketAddr {
    #[inline]
    fn bits(self) -> u64 {
        match self.ip() {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(_) => u64::MAX,
        }
    }
}

/// `subject!(name, terms, state, |state, key| look-up, |found| number of the member)`.
#[macro_export]
macro_rules! subject {
    ($name:expr, $terms:ident, $state:expr, |$s:ident, $key:ident| $lookup:expr, |$found:ident| $number:expr $(,)?) => {{
        let state = ::std::rc::Rc::new($state);
        let kept = ::std::rc::Rc::clone(&state);
        $crate::Subject {
            name: $name,
            terms: $crate::Terms::$terms,
            run: Box::new(move |keys: &[u64]| {
                let $s = &*state;
                let mut sum = 0_u64;
                for &$key in keys {
                    sum = sum.wrapping_add($crate::Witness::bits($lookup));
                }
                sum
            }),
            owner: Box::new(move |$key: u64| {
                let $s = &*kept;
                let $found = $lookup;
                $number
            }),
            build: Box::new(move || Box::new($state)),
        }
    }};
}

/// An algorithm of ours, and all that implement it too.
pub struct Group {
    /// The algorithm.
    pub algorithm: &'static str,
    /// How many members there are.
    pub members: u32,
    /// Ours.
    pub ours: Subject,
    /// Theirs.
    pub peers: Vec<Subject>,
    /// Peers left out at this number of members, with the reason.
    pub without: Vec<&'static str>,
}

impl Group {
    /// One without any peer as yet.
    #[must_use]
    pub fn new(algorithm: &'static str, members: u32, ours: Subject) -> Self {
        Self { algorithm, members, ours, peers: Vec::new(), without: Vec::new() }
    }

    /// With one more peer.
    #[must_use]
    pub fn with(mut self, peer: Subject) -> Self {
        self.peers.push(peer);
        self
    }

    /// With one more peer if there are at most `most` members; it is named as left out otherwise.
    #[must_use]
    pub fn with_up_to(
        mut self,
        most: u32,
        without: &'static str,
        peer: impl FnOnce() -> Subject,
    ) -> Self {
        if self.members > most {
            self.without.push(without);
            return self;
        }
        self.with(peer())
    }

    /// Ours and theirs.
    pub fn subjects(&self) -> impl Iterator<Item = &Subject> {
        std::iter::once(&self.ours).chain(&self.peers)
    }

    /// Refuses comparisons that compare nothing: every answer is a member, and every member is an
    /// answer as soon as there are enough keys.
    pub fn check(&self, keys: &[u64]) {
        for subject in self.subjects() {
            let mut seen = vec![false; self.members as usize];
            for &key in keys {
                let owner = (subject.owner)(key).unwrap_or(u32::MAX);
                let seen = seen.get_mut(owner as usize);
                *seen.unwrap_or_else(|| {
                    panic!("{} of {}: no member {owner}", subject.name, self.algorithm)
                }) = true;
            }
            let absent = seen.iter().filter(|seen| !**seen).count();
            let enough = keys.len() / seen.len() >= 1_000;
            assert!(!enough || absent == 0, "{}: {absent} members have no key", subject.name);
            black_box((subject.run)(keys));
        }
    }

    /// Refuses two that should be the same function and are not.
    ///
    /// # Panics
    /// Ours and the named peer place a key differently.
    #[must_use]
    pub fn same_as(self, peer: &str) -> Self {
        let peer = self.peers.iter().find(|subject| subject.name == peer).expect("a peer's name");
        for key in keys(1_000) {
            assert_eq!((self.ours.owner)(key), (peer.owner)(key), "{} of {key}", peer.name);
        }
        self
    }
}

/// Each algorithm, for a number of members.
pub const GROUPS: [fn(u32) -> Group; 19] = [
    numbered::jump,
    numbered::jump_guava,
    numbered::jump_back,
    numbered::flip,
    numbered::flip_equal,
    numbered::binomial,
    numbered::anchor,
    numbered::anchor_named,
    numbered::memento,
    numbered::memento_halved,
    numbered::dx,
    named::rendezvous,
    named::rendezvous_best,
    named::rendezvous_weighted,
    named::ring,
    named::ring_best,
    named::ketama,
    named::multi_probe,
    named::maglev,
];

/// Keys without any pattern, the same in each run.
#[must_use]
pub fn keys(count: u64) -> Vec<u64> {
    (0..count).map(|number| hash::mix(number ^ 0x7065_6572_7300_0000)).collect()
}

/// Members called `x-0`, `x-1` and so on.
#[must_use]
pub fn members(count: u32) -> Members {
    Members::new((0..count).map(|number| format!("x-{number}"))).expect("they differ")
}

/// The number in a member's name.
#[must_use]
pub fn number(member: Option<&Member>) -> Option<u32> {
    member?.name().strip_prefix("x-")?.parse().ok()
}
