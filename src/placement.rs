//! Which member owns a key: a pure function of the [`Members`] and the [`Key`].
//!
//! It is: the same on every replica, every platform and in every process that knows the same names,
//! without any talk between them. It is not: agreement. Replicas may know different members for a
//! while, and what keeps two of them from working on one key then is no concern of this module.
//!
//! ```
//! use tenure::placement::{Key, Members, MembersError, Placement, Rendezvous};
//!
//! let members = Members::new(["controller-0", "controller-1", "controller-2"])?;
//! let placement = Rendezvous::new(members);
//! let key = Key::from_bytes(b"ConfigMap/default/settings");
//! let mine = placement.place(key).is_some_and(|owner| owner.name() == "controller-0");
//! # Ok::<(), MembersError>(())
//! ```
//!
//! # Algorithms
//! An algorithm says by the traits that it implements what it can do, so that a wrong use does not
//! compile.
//!
//! | algorithm | look-up | memory | a join or leave moves | [`Ranking`] | [`Rationalizable`] |
//! | --- | --- | --- | --- | --- | --- |
//! | [`Maglev`] | O(1) | 100 n to 200 n slots of 2 bytes | more than it must: [`Rebuilt`] | no | no |
//! | [`MultiProbe`] | O(probes) | 11 to 16 bytes a member | only what it must | yes | yes |
//! | [`Rendezvous`] | O(n) | 8 or 12 bytes a member | only what it must | yes | yes |
//! | [`Ring`] | O(1) | 11 to 16 bytes a point | only what it must | yes | yes |
//!
//! [`Bounded`] is none of these: it assigns a finite set of keys under a limit of load.
//!
//! These know members by number, and place keys on members through [`Named`]. (n numbers in use, of a
//! capacity of a, or r of them removed. Those without a history are [`HistoryFree`].)
//!
//! | algorithm | look-up | memory | who may go | history |
//! | --- | --- | --- | --- | --- |
//! | [`Anchor`] | O(1 + ln(a/n)) | 12 a bytes | any; at most a | order of removals |
//! | [`Binomial`] | O(1) | 4 bytes | the last | none |
//! | [`Dx`] | O(a/n) | a bits | any; at most a | none |
//! | [`Flip`] | O(1) | 4 bytes | the last | none |
//! | [`Jump`] | O(ln n) | 4 bytes | the last | none |
//! | [`JumpBack`] | O(1) | 4 bytes | the last | none |
//! | [`Memento`] over a [`Tail`] | the tail's, and O(1 + r/n) | 24 r bytes at most | any | order of removals |
//!
//! # Stability
//! A placement depends on names, keys and the functions in [`hash`], all of them written out there;
//! never on the order of input, on addresses, on the standard library's `Hash`, or on chance. **Until
//! version 0.1.0 a release may change it; from then on it is frozen.** Replicas of one group must run
//! releases that place alike.

use alloc::vec::Vec;

mod anchor;
mod binomial;
mod bounded;
mod dx;
mod flip;
pub mod hash;
mod jump;
mod jump_back;
mod key;
pub mod log;
mod maglev;
mod members;
mod memento;
mod multi_probe;
mod named;
mod numbered;
mod points;
#[cfg(feature = "presets")]
pub mod presets;
mod rendezvous;
mod ring;
mod zones;

pub use anchor::Anchor;
pub use binomial::Binomial;
pub use bounded::Bounded;
pub use dx::Dx;
pub use flip::Flip;
pub use jump::{Guava, Jump, Paper, Rounding};
pub use jump_back::JumpBack;
pub use key::Key;
pub use maglev::{Maglev, MaglevError};
pub use members::{Member, Members, MembersError};
pub use memento::Memento;
pub use multi_probe::MultiProbe;
pub use named::{Named, NamedError, NamedState};
pub use numbered::{Absent, Full, HistoryFree, Numbered, Numbering, NumberingError, Removal, Tail};
pub use rendezvous::Rendezvous;
pub use ring::{Ring, RingError};

/// Says which member owns a key.
///
/// Every implementation is deterministic, depends on nothing but its members and the key, and never
/// panics. It may be asked by reference as `&dyn Placement`.
///
/// ```
/// use tenure::placement::{Key, Members, MembersError, Placement, Rendezvous};
/// let lone = Rendezvous::new(Members::new(["only"])?);
/// assert_eq!(lone.place(Key::from("k")).map(|owner| owner.name()), Some("only"));
/// assert_eq!(Rendezvous::default().place(Key::from("k")), None);
/// # Ok::<(), MembersError>(())
/// ```
pub trait Placement {
    /// The members among which this chooses.
    fn members(&self) -> &Members;

    /// The owner of `key`, one of the [`members`](Self::members); `None` if and only if there are
    /// none. What it costs is said by the algorithm.
    #[must_use]
    fn place(&self, key: Key) -> Option<&Member>;
}

/// A placement that knows more than the owner: who is second, third and so on.
///
/// The ranking is an order of all members, and its first is the owner that
/// [`place`](Placement::place) names.
///
/// ```
/// use tenure::placement::{Key, Members, MembersError, Placement, Ranking, Rendezvous};
/// let placement = Rendezvous::new(Members::new(["a", "b", "c", "d"])?);
/// let key = Key::from("three replicas of this");
/// let best = placement.best(key, 3);
/// assert_eq!(best.first().copied(), placement.place(key));
/// assert_eq!(best[..], placement.rank(key)[..3]);
/// # Ok::<(), MembersError>(())
/// ```
pub trait Ranking: Placement {
    /// Puts the best `k` members for `key` in place of what `best` held, best first and all different;
    /// all of them if there are fewer.
    ///
    /// With a greater `k` the answer grows at its end and is the same before. Allocates only what the
    /// capacity of `best` lacks.
    ///
    /// ```
    /// use tenure::placement::{Key, Members, MembersError, Placement, Ranking, Rendezvous};
    /// let placement = Rendezvous::new(Members::new(["a", "b", "c", "d"])?);
    /// let mut best = Vec::with_capacity(2); // the only allocation
    /// for key in (0..1_000).map(Key::from_hash) {
    ///     placement.best_into(key, 2, &mut best);
    ///     assert_eq!(best.first().copied(), placement.place(key));
    /// }
    /// # Ok::<(), MembersError>(())
    /// ```
    fn best_into<'a>(&'a self, key: Key, k: usize, best: &mut Vec<&'a Member>);

    /// The best `k` members for `key`, as [`best_into`](Self::best_into) finds them, in a vector of
    /// their own.
    #[must_use]
    fn best(&self, key: Key, k: usize) -> Vec<&Member> {
        let mut best = Vec::with_capacity(k.min(self.members().len()));
        self.best_into(key, k, &mut best);
        best
    }

    /// Puts the best `k` members for `key` in place of what `best` held, using all zones as evenly as
    /// possible; all members if there are fewer.
    ///
    /// One is chosen after the other, each the best in the ranking of those whose zone has been used
    /// least, among the zones with members left. So the first is the owner, no zone comes twice
    /// before every zone with members left came once, and with a greater `k` the answer grows at its
    /// end and is the same before. A member without [zone](Member::zone) is a zone of its own.
    ///
    /// With more members wanted than there are zones, zones come again: there are `k` members all the
    /// same, but fewer places that can fail alone. Who needs `k` different zones must look at the
    /// answer. (A deployed system once took such a setting without a word and stored fewer copies.)
    ///
    /// A member that joins takes the place of one other at most, one that leaves gives it to one
    /// other, if that holds for the ranking; but this is no promise of
    /// [`Rationalizable`] for any but the owner.
    ///
    /// Costs a ranking of all members and O(n · k) comparisons of zones, where the algorithm does not say
    /// less. Allocates only what the capacity of `best` lacks to hold *all* members.
    ///
    /// ```
    /// use tenure::placement::{Key, Member, Members, MembersError, Ranking, Rendezvous};
    /// let zones = [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c1", "c")];
    /// let members = Members::new(zones.map(|(name, zone)| Member::from(name).in_zone(zone)))?;
    /// let placement = Rendezvous::new(members);
    /// let key = Key::from("three replicas of this");
    /// let mut best = Vec::with_capacity(5); // the only allocation
    /// placement.best_across_zones_into(key, 3, &mut best);
    /// let mut zones: Vec<_> = best.iter().filter_map(|member| member.zone()).collect();
    /// zones.sort_unstable();
    /// assert_eq!(zones, ["a", "b", "c"]);
    /// // The fourth comes from the only zone that is not used up.
    /// assert_eq!(placement.best_across_zones(key, 4)[3].zone(), Some("a"));
    /// # Ok::<(), MembersError>(())
    /// ```
    fn best_across_zones_into<'a>(&'a self, key: Key, k: usize, best: &mut Vec<&'a Member>) {
        zones::best_into(self, key, k, best);
    }

    /// The best `k` members across zones, as
    /// [`best_across_zones_into`](Self::best_across_zones_into) finds them, in a vector of their own.
    #[must_use]
    fn best_across_zones(&self, key: Key, k: usize) -> Vec<&Member> {
        let mut best = Vec::new();
        self.best_across_zones_into(key, k, &mut best);
        best
    }

    /// All members, best first.
    #[must_use]
    fn rank(&self, key: Key) -> Vec<&Member> {
        self.best(key, self.members().len())
    }
}

/// A promise: replicas that count each other never both own a key, whatever else they know.
///
/// The law: for each key there is *one* total order of all members that could ever be, the same for
/// every set of members, and the owner is the greatest of the set in that order. (In economics such
/// choices are called rationalizable.)
///
/// It follows that of two sets V with owner x and W with owner y, where x and y are in both, x = y:
/// else x would be above y, and y above x. Sharding without a leader rests on that, because two
/// replicas seldom know the same members at the same instant. Least disruption follows as well: a
/// join moves keys to the joiner only, a leave moves the leaver's only.
///
/// The law is about all sets at once, so the compiler cannot check it; `tests/placement_laws/` does,
/// on all pairs of sets over five members. The modulo of a hash, to name one, breaks it.
///
/// ```
/// use tenure::placement::{Rationalizable, Rendezvous};
/// fn leaderless(_: impl Rationalizable) {}
/// leaderless(Rendezvous::default());
/// ```
///
/// [`Maglev`] is not, and neither is what [`Named`] knows by number:
///
/// ```compile_fail,E0277
/// use tenure::placement::{Maglev, Rationalizable};
/// fn leaderless<P: Rationalizable>() {}
/// leaderless::<Maglev>();
/// ```
/// ```compile_fail,E0277
/// use tenure::placement::{JumpBack, Named, Rationalizable};
/// fn leaderless<P: Rationalizable>() {}
/// leaderless::<Named<JumpBack>>();
/// ```
pub trait Rationalizable: Placement {}

/// A warning: other members need another table, and that moves more keys than it must.
///
/// What it moves instead is said by the algorithm, as measured: there is no proof of a bound for any of
/// these. Nothing here is [`Rationalizable`]: two replicas that know different members may both take a
/// key for their own though each counts the other.
///
/// ```
/// use tenure::placement::{Key, Maglev, Members, Placement, Rebuilt};
/// let names = |n| Members::new((0..n).map(|i| format!("op-{i}")));
/// let ten = Maglev::with_size(names(10)?, 65_537)?;
/// let nine = ten.rebuilt(names(9)?);
/// let keys = (0..10_000).map(Key::from_hash);
/// let moved = keys.filter(|&key| ten.place(key) != nine.place(key)).count();
/// assert!((900..1_200).contains(&moved)); // a tenth must
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Rebuilt: Placement {
    /// A placement of the same kind on other members, made anew, that keeps what it can.
    #[must_use]
    fn rebuilt(&self, members: Members) -> Self
    where
        Self: Sized;
}

/// A promise: [weights](Member::weight) count. A member of weight 2 gets twice the keys of one of
/// weight 1, as near as the algorithm's balance comes to equal shares without weights.
///
/// Algorithms without it ignore weights: code that gives some should ask for this trait, and then does
/// not compile with the others.
///
/// ```
/// use tenure::placement::{Rendezvous, Weighted};
/// fn for_machines_of_different_size(_: impl Weighted) {}
/// for_machines_of_different_size(Rendezvous::default());
/// ```
///
/// [`MultiProbe`] ignores them, and so does a [`Ring`] with points of the caller's:
///
/// ```compile_fail,E0277
/// use tenure::placement::{MultiProbe, Weighted};
/// fn for_machines_of_different_size<P: Weighted>() {}
/// for_machines_of_different_size::<MultiProbe>();
/// ```
/// ```compile_fail,E0277
/// use tenure::placement::{Ring, Weighted, hash::Mixed};
/// fn for_machines_of_different_size<P: Weighted>() {}
/// for_machines_of_different_size::<Ring<Mixed, false>>();
/// ```
pub trait Weighted: Placement {}
