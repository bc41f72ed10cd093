use alloc::vec::Vec;
use core::{error, fmt};

use super::Key;

/// Algorithms that know members by number: [`index`](Self::index) is one of the numbers in use.
///
/// Which member a number stands for is state of its own, on which replicas must agree as well: see
/// [`Named`](super::Named).
pub trait Numbered {
    /// How many numbers are in use.
    fn len(&self) -> u32;

    /// Whether none is in use, so that no key has an index.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `index` is in use.
    fn contains(&self, index: u32) -> bool;

    /// The index of `key`; `None` if and only if no number is in use. Never panics, allocates nothing.
    #[must_use]
    fn index(&self, key: Key) -> Option<u32>;

    /// All that the algorithm depends on, besides the key: to be kept, or sent to other replicas.
    fn numbering(&self) -> Numbering;

    /// An algorithm that places each key as the one did that gave this `numbering`.
    ///
    /// # Errors
    /// No algorithm of this kind gives such a numbering.
    fn from_numbering(numbering: &Numbering) -> Result<Self, NumberingError>
    where
        Self: Sized;
}

/// Numbers that come and go at the end only: those in use are always `0..len`.
///
/// Least disruption: a push moves keys to the new index only, a pop moves the keys of the last.
pub trait Tail: Numbered {
    /// Brings the next number into use: the former [`len`](Numbered::len).
    ///
    /// # Errors
    /// The algorithm cannot have more.
    fn push(&mut self) -> Result<u32, Full>;

    /// Takes the last number out of use; `None` if none is.
    fn pop(&mut self) -> Option<u32>;
}

/// Numbers of which any may go.
///
/// Least disruption: a removal moves the keys of that index only, and [`add`](Self::add) moves keys to
/// the new index only.
pub trait Removal: Numbered {
    /// Brings a number into use, the one that the algorithm chooses: what was removed last, if
    /// anything was and it knows the order; then a removal is undone.
    ///
    /// # Errors
    /// The algorithm cannot have more.
    fn add(&mut self) -> Result<u32, Full>;

    /// Takes `index` out of use.
    ///
    /// # Errors
    /// It is not in use.
    fn remove(&mut self, index: u32) -> Result<(), Absent>;
}

/// A promise: keys are placed by *which* numbers are in use, and not by how that came about.
///
/// The law: two algorithms of a kind that can have the same numbers, and have the same in use, place
/// every key alike, whatever came and went before, and in which order. So replicas agree as soon as
/// they know the same numbers; without this one of them decides the order of removals, and the others
/// follow or take over its [`numbering`](Numbered::numbering).
///
/// The compiler cannot check it: `tests/placement_laws/` does. [`Anchor`](super::Anchor) and
/// [`Memento`](super::Memento) have a history, so that this does not compile with them:
///
/// ```
/// use tenure::placement::{Binomial, Dx, Flip, HistoryFree, Jump, JumpBack};
/// fn agree<A: HistoryFree>() {}
/// (agree::<Dx>(), agree::<Jump>(), agree::<JumpBack>(), agree::<Flip>(), agree::<Binomial>());
/// ```
/// ```compile_fail,E0277
/// use tenure::placement::{Anchor, HistoryFree};
/// fn agree<A: HistoryFree>() {}
/// agree::<Anchor>();
/// ```
/// ```compile_fail,E0277
/// use tenure::placement::{HistoryFree, JumpBack, Memento};
/// fn agree<A: HistoryFree>() {}
/// agree::<Memento<JumpBack>>();
/// ```
pub trait HistoryFree: Numbered {}

/// Which numbers there are: the state of a [`Numbered`] algorithm.
///
/// The numbers in use are `0..end` without the `removed`. Algorithms with a history place keys by the
/// *order* of removals as well, so replicas that removed the same numbers in different orders disagree
/// until they share this.
///
/// With the feature `serde` it can be written and read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Numbering {
    /// One more than the greatest number that there may be.
    pub end: u32,
    /// Which of them are not in use, as they were removed, first to last; ascending, of an algorithm
    /// that depends on no order.
    #[cfg_attr(feature = "serde", serde(default))]
    pub removed: Vec<u32>,
}

impl Numbering {
    /// Of an algorithm that changes at its end only, and can have `most` numbers: how many they are.
    pub(super) fn tail(&self, most: u32) -> Result<u32, NumberingError> {
        match self.removed.first() {
            Some(gap) => Err(NumberingError::Gap(*gap)),
            None if self.end > most => Err(NumberingError::TooMany { end: self.end, most }),
            None => Ok(self.end),
        }
    }
}

/// No number is left: the algorithm cannot have more than this many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Full(pub u32);

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} numbers are in use already: make a new one with room for more", self.0)
    }
}

impl error::Error for Full {}

/// This number is not in use, and cannot be removed.
///
/// ```
/// use tenure::placement::{Absent, Anchor, Removal};
/// let mut anchor = Anchor::new(4, 8)?;
/// assert_eq!((anchor.remove(3), anchor.remove(3)), (Ok(()), Err(Absent(3))));
/// # Ok::<(), tenure::placement::NumberingError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Absent(pub u32);

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the number {} is not in use", self.0)
    }
}

impl error::Error for Absent {}

/// Why [`Numbered::from_numbering`] refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NumberingError {
    /// The end is more than the algorithm can have.
    TooMany {
        /// What was given.
        end: u32,
        /// What is possible.
        most: u32,
    },
    /// This number is removed twice, or is none of `0..end`.
    Removed(u32),
    /// Numbers are removed, but not as this algorithm would: one that only shrinks at its end has no
    /// gaps, and one with a history does not keep this removal.
    Gap(u32),
}

impl fmt::Display for NumberingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { end, most } => write!(f, "end {end}: at most {most} is possible"),
            Self::Removed(index) => {
                write!(f, "removed {index}: it is there twice, or not below the end")
            }
            Self::Gap(index) => write!(f, "removed {index}: this algorithm has no such gap"),
        }
    }
}

impl error::Error for NumberingError {}
