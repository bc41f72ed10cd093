use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;

use super::hash::{Draw, Mixed};
use super::{Full, HistoryFree, Key, Numbered, Numbering, NumberingError, Tail};

/// `FlipHash`: as [`JumpBack`](super::JumpBack) in every regard, by other draws; and, of all here, the
/// one that reaches beyond 32 bits: see [`index_to`](Self::index_to).
///
/// The numbers in use are `0..len`, so only the last can go. A push takes from each number its fair part
/// and gives it to the new one, and moves nothing else.
///
/// | | cost |
/// | --- | --- |
/// | [`index`](Numbered::index) | O(1): 3.5 draws expected at most, 67 in any case |
/// | [`push`](Tail::push), [`pop`](Tail::pop) | O(1) |
/// | memory | 4 bytes |
///
/// # Definition
/// draw(l, i) is [`D::draw`](Draw)`(key, l + 2³² i)`. For m, some ones in binary, p(m) is 0 if
/// a = draw(0, 0) & m is 0; else, with l the position of the highest bit of a, counted from 0, the bits
/// of a below that one are replaced by their exclusive-or with those of draw(l, 0).
///
/// Let l be the position of the highest bit of `last`, which is `len` - 1, and m = 2^(l + 1) - 1. If
/// p(m) ≤ `last`, that is the index. Else the first of the draws (l, 1) to (l, 64) decides that, cut off
/// to the bits of m, is at most `last`: if it is above m / 2, it is the index; if not, or if there is
/// none, which happens to one key in 2⁶⁴ or less, the index is p(m / 2).
///
/// Source: Masson and Lee, "`FlipHash`: A Constant-Time Consistent Range-Hashing Algorithm", 2024,
/// arXiv:2402.17549; vectors of `DataDog`'s crate fliphash and of another implementation in Java, each with
/// their own draws. Deviation: none but the draws.
///
/// ```
/// use tenure::placement::{Flip, Key, Numbered, Tail};
/// let mut workers = Flip::new(9);
/// let key = Key::from("Pod/default/web-0");
/// let before = workers.index(key);
/// assert_eq!(workers.push(), Ok(9));
/// assert!(workers.index(key) == before || workers.index(key) == Some(9));
/// assert_eq!(workers.pop(), Some(9));
/// assert_eq!(workers.index(key), before);
/// ```
pub struct Flip<D = Mixed> {
    len: u32,
    draws: PhantomData<fn() -> D>,
}

impl Flip {
    /// The numbers `0..len`, of which each `u32` is possible.
    ///
    /// ```
    /// use tenure::placement::{Flip, Key, Numbered};
    /// let greatest = Flip::new(u32::MAX);
    /// assert!(greatest.index(Key::from("a")).is_some_and(|index| index < u32::MAX));
    /// ```
    #[must_use]
    pub const fn new(len: u32) -> Self {
        Self::drawn(len)
    }
}

impl<D: Draw> Flip<D> {
    /// The greatest possible number of numbers.
    pub const MOST: u32 = u32::MAX;

    /// The numbers `0..len`, with draws as another program makes them.
    ///
    /// ```
    /// use tenure::placement::{Flip, hash};
    /// assert_eq!(Flip::<hash::Mixed>::drawn(7), Flip::new(7));
    /// ```
    #[must_use]
    pub const fn drawn(len: u32) -> Self {
        Self { len, draws: PhantomData }
    }

    /// The index of `key` among `0..=last`, for ranges of which 32 bits are too few.
    ///
    /// ```
    /// use tenure::placement::{Flip, Key, Numbered, hash};
    /// let key = Key::from("a");
    /// let wide = Flip::<hash::Mixed>::index_to(key, 9);
    /// assert_eq!(Flip::new(10).index(key).map(u64::from), Some(wide));
    /// assert!(Flip::<hash::Mixed>::index_to(key, 1 << 40) <= 1 << 40);
    /// ```
    #[must_use]
    #[expect(clippy::inline_always, reason = "a call costs as much as a third of it")]
    #[inline(always)]
    pub fn index_to(key: Key, last: u64) -> u64 {
        let key = key.as_u64();
        let bits = u64::MAX.unbounded_shr(last.leading_zeros());
        let first = D::draw(key, 0);
        let index = flipped::<D>(key, first & bits);
        if index <= last { index } else { further::<D>(key, first, last) }
    }
}

impl<D: Draw> Numbered for Flip<D> {
    fn len(&self) -> u32 {
        self.len
    }

    fn contains(&self, index: u32) -> bool {
        index < self.len
    }

    #[expect(clippy::inline_always, reason = "a call costs as much as a third of it")]
    #[inline(always)]
    fn index(&self, key: Key) -> Option<u32> {
        let last = self.len.checked_sub(1)?;
        #[expect(clippy::cast_possible_truncation, reason = "it is not above the last")]
        Some(Self::index_to(key, u64::from(last)) as u32)
    }

    fn numbering(&self) -> Numbering {
        Numbering { end: self.len, ..Numbering::default() }
    }

    fn from_numbering(numbering: &Numbering) -> Result<Self, NumberingError> {
        numbering.tail(Self::MOST).map(Self::drawn)
    }
}

impl<D: Draw> HistoryFree for Flip<D> {}

impl<D: Draw> Tail for Flip<D> {
    fn push(&mut self) -> Result<u32, Full> {
        let index = self.len;
        self.len = index.checked_add(1).ok_or(Full(index))?;
        Ok(index)
    }

    fn pop(&mut self) -> Option<u32> {
        self.len = self.len.checked_sub(1)?;
        Some(self.len)
    }
}

/// The definition's p, of a = `masked`.
#[inline]
fn flipped<D: Draw>(key: u64, masked: u64) -> u64 {
    let level = (masked | 1).ilog2(); // nothing is below the lowest bit, and so nothing flipped
    masked ^ (D::draw(key, u64::from(level)) & ((1 << level) - 1))
}

/// The index of a key that p puts beyond the `last`.
#[inline]
fn further<D: Draw>(key: u64, first: u64, last: u64) -> u64 {
    const DRAWS: u64 = 64;
    let level = last.ilog2();
    let below = (1 << level) - 1;
    let bits = below << 1 | 1;
    for attempt in 1..=DRAWS {
        let draw = D::draw(key, attempt << 32 | u64::from(level)) & bits;
        if draw <= last {
            if draw > below {
                return draw;
            }
            break;
        }
    }
    flipped::<D>(key, first & below)
}

// Whatever the draws are: a derive would ask it of them.
impl<D> fmt::Debug for Flip<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flip").field("len", &self.len).finish()
    }
}

impl<D> Clone for Flip<D> {
    fn clone(&self) -> Self {
        Self { len: self.len, draws: PhantomData }
    }
}

impl<D> PartialEq for Flip<D> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len
    }
}

impl<D> Eq for Flip<D> {}

impl<D> Hash for Flip<D> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len.hash(state);
    }
}
