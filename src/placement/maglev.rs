use alloc::boxed::Box;
use alloc::collections::BinaryHeap;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};
use core::num::NonZeroU32;
use core::{error, fmt};

use super::hash::mix;
use super::{Key, Member, Members, Placement, Rebuilt, Weighted};

/// Maglev's table: the members fill a table of prime size, taking turns, each in an order of its own;
/// a key is looked up in one slot. The fastest look-up, and shares that differ by a slot at most; but a
/// change of members moves more keys than it must.
///
/// # Definition
/// The table has M slots, a prime. A member with the hash h = [`name_hash`](Member::name_hash) wants
/// the slots offset, offset + skip, offset + 2 skip, … modulo M, where offset = h mod M and
/// skip = 1 + ([`mix`]`(h)` mod (M − 1)): each slot once. On its turn it takes the first of these that
/// is free. It is the turns until all slots are taken:
/// - of equal [weights](Member::weight), one each in canonical order, and again from the first;
/// - of others, the j-th turn of a member of weight w, for j = 0, 1, 2, …, has the number (2j + 1) / w, and
///   turns come in ascending order of that, then in canonical order (Webster's and Sainte-Laguë's
///   apportionment; of equal weights, the same as above). A member whose share is far less than a slot
///   may come to none.
///
/// A key's slot is ⌊[`mix`]`(key)` · M / 2⁶⁴⌋.
///
/// # Choose one size
/// Tables of different size agree on nothing: where a join changes the size, nearly every key moves.
/// [`new`](Self::new) chooses by the number of members, in steps of powers of two; a group that may
/// cross one, or that hands keys over, chooses one size for its life by [`with_size`](Self::with_size),
/// at least a hundred times the members that it may ever have: with a hundred slots each, shares differ
/// by 1 %.
///
/// | | cost |
/// | --- | --- |
/// | [`new`](Self::new) | O(M log M) expected, O(n M) at worst |
/// | [`place`](Placement::place) | O(1): three multiplications and two loads, the slot and the member |
/// | memory | 2 bytes a slot up to 65,535 members, then 4; while it is built n · 12 bytes and M bits more |
///
/// # What a change moves
/// Not the least, and so it is not [`Rationalizable`](super::Rationalizable): see [`Rebuilt`]. Measured as keys moved over
/// the least possible when one of n leaves, M about 100 n: 1.3 at n = 10, 2.7 at 100, 6.6 at 1,000; 1.02
/// at n = 10, 1.6 at 100 with M = 65,537.
///
/// Source: Eisenbud and others, "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016,
/// section 3.4; the hashes and the slot of a key are this crate's. For tables as others fill them there
/// is [`with_offsets`](Self::with_offsets).
///
/// ```
/// use tenure::placement::{Key, Maglev, Members, Placement};
/// let maglev = Maglev::with_size(Members::new(["a", "b", "c"])?, 65_537)?;
/// assert!(maglev.place(Key::from("some key")).is_some());
/// let slots = |name| maglev.slots().filter(|member| member.name() == name).count();
/// assert_eq!((slots("a"), slots("b"), slots("c")), (21_846, 21_846, 21_845));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Maglev {
    members: Members,
    size: u32,
    table: Table,
}

/// For each slot the position of its member; none, if there are no members.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Table {
    Narrow(Box<[u16]>),
    Wide(Box<[u32]>),
}

/// The greatest prime below 2³².
const MOST: u32 = 4_294_967_291;

impl Maglev {
    /// A table of the smallest prime size that is at least 100 n', where n' is the number of members,
    /// rounded up to a power of two: a join within the same power does not change the size. (At most
    /// 4,294,967,291 slots, and as many members.)
    ///
    /// ```
    /// use tenure::placement::{Maglev, Members, MembersError};
    /// let sizes = |n| Members::new((0..n).map(|i| format!("op-{i}"))).map(|all| Maglev::new(all).size());
    /// assert_eq!((sizes(1)?, sizes(5)?, sizes(8)?, sizes(9)?), (101, 809, 809, 1601));
    /// # Ok::<(), MembersError>(())
    /// ```
    #[must_use]
    pub fn new(members: Members) -> Self {
        let size = default_size(members.len());
        Self::of_names(members, size)
    }

    /// A table of `size` slots.
    ///
    /// # Errors
    /// `size` is not prime, or less than the members.
    ///
    /// ```
    /// use tenure::placement::{Maglev, MaglevError, Members};
    /// let two = Members::new(["a", "b"])?;
    /// assert_eq!(Maglev::with_size(two.clone(), 100), Err(MaglevError::NotPrime { size: 100, next: 101 }));
    /// assert!(Maglev::with_size(two, 101).is_ok());
    /// # Ok::<(), tenure::placement::MembersError>(())
    /// ```
    pub fn with_size(members: Members, size: u32) -> Result<Self, MaglevError> {
        check_size(size, members.len())?;
        Ok(Self::of_names(members, size))
    }

    /// A table as others fill it: `offset_and_skip` says where each member begins, below `size`, and by
    /// how much it goes on, from 1 to `size` − 1.
    ///
    /// # Errors
    /// As of [`with_size`](Self::with_size), or an offset or skip is not in its range.
    ///
    /// ```
    /// use tenure::placement::{Maglev, Members};
    /// // The paper's example.
    /// let three = Members::new(["B0", "B1", "B2"])?;
    /// let maglev = Maglev::with_offsets(three, 7, |member| match member.name() {
    ///     "B0" => (3, 4),
    ///     "B1" => (0, 2),
    ///     _ => (3, 1),
    /// })?;
    /// let slots: Vec<_> = maglev.slots().map(|member| member.name()).collect();
    /// assert_eq!(slots, ["B1", "B0", "B1", "B0", "B2", "B2", "B0"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_offsets(
        members: Members,
        size: u32,
        offset_and_skip: impl Fn(&Member) -> (u32, u32),
    ) -> Result<Self, MaglevError> {
        check_size(size, members.len())?;
        let walk = |member| {
            let (at, skip) = offset_and_skip(member);
            if at >= size || skip == 0 || skip >= size {
                return Err(MaglevError::Order { offset: at, skip, size });
            }
            Ok(Walk { at, skip })
        };
        let walks = members.iter().map(walk).collect::<Result<_, _>>()?;
        Ok(Self::filled(members, size, walks))
    }

    /// By the hashes of the members' names.
    fn of_names(members: Members, size: u32) -> Self {
        let walks = members.iter().map(|member| own_order(member, size)).collect();
        Self::filled(members, size, walks)
    }

    fn filled(members: Members, size: u32, walks: Vec<Walk>) -> Self {
        let table = if u16::try_from(members.len()).is_ok() {
            Table::Narrow(fill(&members, walks, size, |member| u16::try_from(member).unwrap_or(0)))
        } else {
            Table::Wide(fill(&members, walks, size, |member| u32::try_from(member).unwrap_or(0)))
        };
        Self { members, size, table }
    }

    /// How many slots there are.
    #[must_use]
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// The member of each slot, from slot 0 on; nothing if there are no members.
    pub fn slots(&self) -> impl Iterator<Item = &Member> {
        (0..self.size as usize).map_while(|slot| self.slot(slot))
    }

    #[inline]
    fn slot(&self, slot: usize) -> Option<&Member> {
        let position = match &self.table {
            Table::Narrow(slots) => usize::from(*slots.get(slot)?),
            Table::Wide(slots) => *slots.get(slot)? as usize,
        };
        self.members.get(position)
    }
}

impl Default for Maglev {
    /// Of no members.
    fn default() -> Self {
        Self::new(Members::default())
    }
}

impl Placement for Maglev {
    fn members(&self) -> &Members {
        &self.members
    }

    #[inline]
    fn place(&self, key: Key) -> Option<&Member> {
        let slot = (u128::from(mix(key.as_u64())) * u128::from(self.size)) >> 64;
        #[expect(clippy::cast_possible_truncation, reason = "below the size")]
        self.slot(slot as usize)
    }
}

impl Rebuilt for Maglev {
    /// With the same size, so that most keys stay; with that of [`new`](Self::new) if the members are
    /// more than the slots. Members placed by [`with_offsets`](Self::with_offsets) are placed by their
    /// own hashes now.
    fn rebuilt(&self, members: Members) -> Self {
        let size = if self.size as usize >= members.len() {
            self.size
        } else {
            default_size(members.len())
        };
        Self::of_names(members, size)
    }
}

impl Weighted for Maglev {}

/// Why there is no such table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MaglevError {
    /// The size has divisors, so that members would not come to all slots.
    NotPrime {
        /// What was given.
        size: u32,
        /// The smallest prime above it, or the greatest there is.
        next: u32,
    },
    /// There are more members than slots.
    TooSmall {
        /// What was given.
        size: u32,
        /// How many members there are.
        members: usize,
    },
    /// An offset that is no slot, or a skip that is not from 1 to the last slot.
    Order {
        /// What was given as offset.
        offset: u32,
        /// What was given as skip.
        skip: u32,
        /// How many slots there are.
        size: u32,
    },
}

impl fmt::Display for MaglevError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPrime { size, next } => {
                write!(f, "size {size}: not a prime number; {next} is one")
            }
            Self::TooSmall { size, members } => {
                write!(
                    f,
                    "size {size}: less than the {members} members; 100 times as many is usual"
                )
            }
            Self::Order { offset, skip, size } => write!(
                f,
                "offset {offset}, skip {skip}: with {size} slots the offset is below {size}, and the \
                 skip from 1 to {}",
                size.saturating_sub(1)
            ),
        }
    }
}

impl error::Error for MaglevError {}

/// Where a member looks next, below the size, and how far it goes on from there, from 1 to the size - 1.
#[derive(Debug, Clone, Copy)]
struct Walk {
    at: u32,
    skip: u32,
}

impl Walk {
    /// The next slot of the order that is not in `taken`, marked there. There is one, since `size` is
    /// prime: a walk meets each slot once before it comes back.
    fn next_free(&mut self, taken: &mut [u64], size: u32) -> u32 {
        for _ in 0..size {
            let slot = self.at;
            // at + skip modulo size, which may be more than 32 bits hold.
            let left = size - self.skip;
            self.at = if slot >= left { slot - left } else { slot + self.skip };
            let Some(word) = taken.get_mut(slot as usize / 64) else { break };
            let bit = 1 << (slot % 64);
            if *word & bit == 0 {
                *word |= bit;
                return slot;
            }
        }
        self.at
    }
}

/// The table: each turn's member at the slot that it takes. Empty without members.
fn fill<T: Copy + Default>(
    members: &Members,
    mut walks: Vec<Walk>,
    size: u32,
    narrow: impl Fn(usize) -> T,
) -> Box<[T]> {
    if walks.is_empty() {
        return Box::default();
    }
    let mut table = vec![T::default(); size as usize];
    let mut taken = vec![0; size.div_ceil(64) as usize];
    let mut free = size;
    let mut take = |position: usize, walk: &mut Walk| {
        let slot = walk.next_free(&mut taken, size);
        if let Some(slot) = table.get_mut(slot as usize) {
            *slot = narrow(position);
        }
        free -= 1;
        free > 0
    };
    let first = members.get(0).map(Member::weight);
    if members.iter().all(|member| Some(member.weight()) == first) {
        while walks.iter_mut().enumerate().all(|(position, walk)| take(position, walk)) {}
    } else {
        let turns = members.iter().enumerate();
        let mut turns: BinaryHeap<_> =
            turns.map(|(position, member)| Reverse(Turn::first(position, member))).collect();
        while let Some(mut turn) = turns.peek_mut() {
            let position = turn.0.position;
            if !walks.get_mut(position).is_some_and(|walk| take(position, walk)) {
                break;
            }
            turn.0.odd += 2;
        }
    }
    table.into()
}

/// A turn of a member of the weight `w`: the turn numbered `odd` / `w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Turn {
    odd: u64,
    weight: NonZeroU32,
    position: usize,
}

impl Turn {
    const fn first(position: usize, member: &Member) -> Self {
        Self { odd: 1, weight: member.weight(), position }
    }
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> Ordering {
        let own = u128::from(self.odd) * u128::from(other.weight.get());
        let others = u128::from(other.odd) * u128::from(self.weight.get());
        own.cmp(&others).then(self.position.cmp(&other.position))
    }
}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "each is below a number of 32 bits")]
fn own_order(member: &Member, size: u32) -> Walk {
    let (hash, size) = (member.name_hash(), u64::from(size));
    Walk { at: (hash % size) as u32, skip: 1 + (mix(hash) % (size - 1)) as u32 }
}

fn default_size(members: usize) -> u32 {
    let slots = members.checked_next_power_of_two().and_then(|n| n.checked_mul(100));
    let slots = slots.and_then(|slots| u32::try_from(slots).ok());
    next_prime(slots.unwrap_or(MOST))
}

fn check_size(size: u32, members: usize) -> Result<(), MaglevError> {
    if !is_prime(size) {
        return Err(MaglevError::NotPrime { size, next: next_prime(size) });
    }
    if members > size as usize {
        return Err(MaglevError::TooSmall { size, members });
    }
    Ok(())
}

/// The smallest prime that is no less, or the greatest of 32 bits, and at least 3, so that there is
/// a skip to choose.
fn next_prime(least: u32) -> u32 {
    (least.max(3)..MOST).find(|number| is_prime(*number)).unwrap_or(MOST)
}

/// By trial: at most 32,768 divisions.
fn is_prime(number: u32) -> bool {
    let mut odd = (3..).step_by(2).take_while(|divisor| number / divisor >= *divisor);
    number == 2 || (number > 2 && number % 2 == 1 && !odd.any(|by| number.is_multiple_of(by)))
}

#[cfg(test)]
mod tests;
