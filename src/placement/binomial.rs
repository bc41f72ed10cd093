use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;

use super::hash::{Draw, Mixed};
use super::{Full, HistoryFree, Key, Numbered, Numbering, NumberingError, Tail};

/// `BinomialHash`: constant time by integers, and, with attempts enough, as even as
/// [`JumpBack`](super::JumpBack). Here for those who use it already.
///
/// The numbers in use are `0..len`, so only the last can go. A push moves keys to the new number only.
///
/// | | cost |
/// | --- | --- |
/// | [`index`](Numbered::index) | O(1): two draws an attempt, 2 attempts expected at most, `ATTEMPTS` in any case |
/// | [`push`](Tail::push), [`pop`](Tail::pop) | O(1) |
/// | memory | 4 bytes |
///
/// # Definition
/// The numbers of a perfect binary tree, level by level: 0 and 1, then 2 to 3, 4 to 7 and so on. r(b, h)
/// is another number of the level of b: b itself if it is 0 or 1, else, with t the highest bit of b,
/// t + ([`D::draw`](Draw)`(h, t - 1) & (t - 1))`.
///
/// E is the least 2^k - 1 that is at least `len` - 1, M = E / 2 cut off. h is draw(key, 0) in the first
/// attempt, and in each further one draw(h, E) of the h before. The first attempt has come to
/// b = r(h & E, h); if b < `len`, that is the index. So it is with each further attempt, except that
/// b ≤ M ends all attempts. Then, and after the last of them, the index is r(h & M, h) by the first h.
///
/// Source: Coluzzi, Brocco, Antonucci and Leidi, "`BinomialHash`: A Constant Time, Minimal Memory
/// Consistent Hash Algorithm", 2024, arXiv:2406.19836. The vectors of the authors' engine in Java are met, with
/// its draws and its 5 attempts.
///
/// # Pitfall: few attempts
/// A key of which no attempt decides goes to the lower numbers, though its fair one is among the newest:
/// with a length just above a power of two these lack about 2^-`ATTEMPTS` of their keys: with the
/// engine's 5 attempts 3 of 100, measurably, with the default of 64 none.
///
/// ```
/// use tenure::placement::{Binomial, Key, Numbered, Tail, hash};
/// let mut workers = Binomial::new(9);
/// let key = Key::from("Pod/default/web-0");
/// let before = workers.index(key);
/// assert_eq!(workers.push(), Ok(9));
/// assert!(workers.index(key) == before || workers.index(key) == Some(9));
///
/// // With as few attempts as the engine in Java makes.
/// let like_java = Binomial::<hash::Mixed, 5>::drawn(9);
/// assert_eq!(like_java.len(), 9);
/// ```
pub struct Binomial<D = Mixed, const ATTEMPTS: u32 = 64> {
    len: u32,
    draws: PhantomData<fn() -> D>,
}

impl Binomial {
    /// The numbers `0..len`, of which each `u32` is possible.
    ///
    /// ```
    /// use tenure::placement::{Binomial, Key, Numbered};
    /// let greatest = Binomial::new(u32::MAX);
    /// assert!(greatest.index(Key::from("a")).is_some_and(|index| index < u32::MAX));
    /// ```
    #[must_use]
    pub const fn new(len: u32) -> Self {
        Self::drawn(len)
    }
}

impl<D: Draw, const ATTEMPTS: u32> Binomial<D, ATTEMPTS> {
    /// The greatest possible number of numbers.
    pub const MOST: u32 = u32::MAX;

    /// The numbers `0..len`, with draws and attempts as another program makes them. No attempt is as
    /// one.
    ///
    /// ```
    /// use tenure::placement::{Binomial, hash};
    /// assert_eq!(Binomial::<hash::Mixed, 64>::drawn(7), Binomial::new(7));
    /// ```
    #[must_use]
    pub const fn drawn(len: u32) -> Self {
        Self { len, draws: PhantomData }
    }
}

impl<D: Draw, const ATTEMPTS: u32> Numbered for Binomial<D, ATTEMPTS> {
    fn len(&self) -> u32 {
        self.len
    }

    fn contains(&self, index: u32) -> bool {
        index < self.len
    }

    #[inline]
    fn index(&self, key: Key) -> Option<u32> {
        let last = self.len.checked_sub(1)?;
        let bits = u32::MAX.unbounded_shr(last.leading_zeros());
        let less = bits >> 1;
        let first = D::draw(key.as_u64(), 0);
        let mut index = in_level::<D>(first, bits);
        if index <= last {
            return Some(index);
        }
        let mut hash = first;
        for _ in 1..ATTEMPTS {
            hash = D::draw(hash, u64::from(bits));
            index = in_level::<D>(hash, bits);
            if index <= last {
                break;
            }
        }
        let is_new = less < index && index <= last;
        Some(if is_new { index } else { in_level::<D>(first, less) })
    }

    fn numbering(&self) -> Numbering {
        Numbering { end: self.len, ..Numbering::default() }
    }

    fn from_numbering(numbering: &Numbering) -> Result<Self, NumberingError> {
        numbering.tail(Self::MOST).map(Self::drawn)
    }
}

impl<D: Draw, const ATTEMPTS: u32> HistoryFree for Binomial<D, ATTEMPTS> {}

impl<D: Draw, const ATTEMPTS: u32> Tail for Binomial<D, ATTEMPTS> {
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

/// The definition's r, of h & E.
#[inline]
fn in_level<D: Draw>(hash: u64, bits: u32) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
    let lower = |hash: u64| hash as u32;
    let number = lower(hash) & bits;
    if number < 2 {
        return number;
    }
    let highest = 1 << number.ilog2();
    highest | (lower(D::draw(hash, u64::from(highest - 1))) & (highest - 1))
}

// Whatever the draws are: a derive would ask it of them.
impl<D, const ATTEMPTS: u32> fmt::Debug for Binomial<D, ATTEMPTS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binomial").field("len", &self.len).finish()
    }
}

impl<D, const ATTEMPTS: u32> Clone for Binomial<D, ATTEMPTS> {
    fn clone(&self) -> Self {
        Self { len: self.len, draws: PhantomData }
    }
}

impl<D, const ATTEMPTS: u32> PartialEq for Binomial<D, ATTEMPTS> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len
    }
}

impl<D, const ATTEMPTS: u32> Eq for Binomial<D, ATTEMPTS> {}

impl<D, const ATTEMPTS: u32> Hash for Binomial<D, ATTEMPTS> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len.hash(state);
    }
}
