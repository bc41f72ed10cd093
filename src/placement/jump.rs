use super::{Full, Key, Numbered, Numbering, NumberingError, Tail};

/// Jump consistent hash: no memory, and the numbers that half of the world's shards are known by.
///
/// The numbers in use are `0..len`, so only the last can go. A key draws an ascending sequence of
/// numbers that does not depend on `len`; its index is the last below `len`. So a push takes from each
/// number its fair part and gives it to the new one, and moves nothing else.
///
/// | | cost |
/// | --- | --- |
/// | [`index`](Numbered::index) | O(log n): about ln n + 0.6 draws, a division each; never more than n |
/// | [`push`](Tail::push), [`pop`](Tail::pop) | O(1) |
/// | memory | 8 bytes |
///
/// # Definition
/// With b = 0, repeat: multiply the key by 2862933555777941757 and add 1, modulo 2⁶⁴; with x one more
/// than its highest 31 bits, j = (b + 1) · 2³¹ / x, [rounded](Rounding); if j ≥ len, the index is b; else
/// b = j.
///
/// Source: Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014,
/// arXiv:1406.2294. Deviation: the paper asks for one bucket at least; of none, the index is `None`.
///
/// # Pitfalls
/// - There are two functions of this name: see [`Rounding`].
/// - Every division waits for nothing but the key, still each look-up makes several: where no other
///   system must agree, [`JumpBack`](super::JumpBack) does the same with two draws.
///
/// ```
/// use tenure::placement::{Full, Jump, Key, Numbered, NumberingError, Rounding, Tail};
/// let mut shards = Jump::new(4, Rounding::Paper)?;
/// let key = Key::from_hash(256);
/// let before = shards.index(key);
/// assert_eq!(shards.push(), Ok(4));
/// assert!(shards.index(key) == before || shards.index(key) == Some(4));
/// assert_eq!(shards.pop(), Some(4));
/// assert_eq!(shards.index(key), before);
/// # Ok::<(), NumberingError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Jump {
    len: u32,
    rounding: Rounding,
}

/// Which of the two functions called jump hash: they differ in how (b + 1) · 2³¹ / x is rounded to a
/// whole number, and so in the index of about no random key, but of keys that can be constructed.
///
/// ```
/// use tenure::placement::{Jump, Key, Numbered, NumberingError, Rounding};
/// let key = Key::from_hash(16_966_161_184_362_668_685);
/// assert_eq!(Jump::new(64, Rounding::Paper)?.index(key), Some(63));
/// assert_eq!(Jump::new(64, Rounding::Guava)?.index(key), Some(48));
/// # Ok::<(), NumberingError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rounding {
    /// As the paper's program: 2³¹ / x is rounded to 53 bits, its product with b + 1 is so again, and
    /// the fraction of that is dropped. So do go-jump, and by it kube-state-metrics; PyPI's
    /// jump-consistent-hash; the crates jumpch and jump-consistent-hash.
    #[default]
    Paper,
    /// As Guava's `Hashing.consistentHash`: (b + 1) / (x / 2³¹) is rounded to 53 bits, once, and the
    /// fraction is dropped. So do the crates jmphash and, up to 2²² numbers, jumpconsistenthash.
    Guava,
}

impl Jump {
    /// The greatest possible number of numbers.
    pub const MOST: u32 = i32::MAX.unsigned_abs();

    /// The numbers `0..len`.
    ///
    /// # Errors
    /// `len` is more than [`MOST`](Self::MOST), which is where the definition ends.
    ///
    /// ```
    /// use tenure::placement::{Jump, NumberingError, Rounding};
    /// let most = Jump::MOST;
    /// let error = NumberingError::TooMany { end: most + 1, most };
    /// assert_eq!(Jump::new(most + 1, Rounding::Paper), Err(error));
    /// ```
    pub const fn new(len: u32, rounding: Rounding) -> Result<Self, NumberingError> {
        if len > Self::MOST {
            return Err(NumberingError::TooMany { end: len, most: Self::MOST });
        }
        Ok(Self { len, rounding })
    }

    /// How this rounds.
    #[must_use]
    pub const fn rounding(&self) -> Rounding {
        self.rounding
    }
}

impl Numbered for Jump {
    fn len(&self) -> u32 {
        self.len
    }

    fn contains(&self, index: u32) -> bool {
        index < self.len
    }

    #[inline]
    fn index(&self, key: Key) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        let len = u64::from(self.len);
        let index = near(key.as_u64(), len)
            .unwrap_or_else(|(key, index)| exact(key, index, len, self.rounding));
        #[expect(clippy::cast_possible_truncation, reason = "it is below the length")]
        Some(index as u32)
    }

    fn numbering(&self) -> Numbering {
        Numbering { end: self.len, ..Numbering::default() }
    }

    /// Of the rounding [`Paper`](Rounding::Paper), for a numbering does not say it: use
    /// [`new`](Self::new) for the other.
    fn from_numbering(numbering: &Numbering) -> Result<Self, NumberingError> {
        numbering.tail(Self::MOST).and_then(|len| Self::new(len, Rounding::default()))
    }
}

impl Tail for Jump {
    fn push(&mut self) -> Result<u32, Full> {
        let index = self.len;
        if index == Self::MOST {
            return Err(Full(index));
        }
        self.len += 1;
        Ok(index)
    }

    fn pop(&mut self) -> Option<u32> {
        self.len = self.len.checked_sub(1)?;
        Some(self.len)
    }
}

const fn next(key: u64) -> u64 {
    key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1)
}

/// The index, unless a rounding could matter: then how far it came, for [`exact`] to go on.
///
/// With the quotient 2⁶³ / x in 64 bits, cut off, a step is one multiplication: the upper half of
/// (b + 1) 2³² times the quotient is j, the lower its fraction in units of 2⁻⁶⁴. Exact would be up to
/// (b + 1) 2³² more, and the roundings of the definition, 2⁻⁵² of it at most where j < 2³¹, are
/// up to 2⁴³ more or less. If all that cannot reach another whole number, j is right.
///
/// Where a key leaves the loop no processor can foretell, so each round takes several steps, and a
/// step beyond the end changes nothing.
#[inline]
fn near(mut key: u64, len: u64) -> Result<u64, (u64, u64)> {
    const STEPS: usize = 4;
    const ROUNDING: u64 = 1 << 43;
    let mut index = 0;
    let mut from = 1_u64 << 32; // b + 1, 32 bits up
    loop {
        let before = (key, index);
        let mut close = false;
        let mut beyond = false;
        for _ in 0..STEPS {
            key = next(key);
            let quotient = (1 << 63) / ((key >> 33) + 1);
            let product = u128::from(from) * u128::from(quotient);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the two halves are what is wanted"
            )]
            let (j, fraction) = ((product >> 64) as u64, product as u64);
            close |= fraction.wrapping_add(from + ROUNDING) < from + 2 * ROUNDING;
            beyond = j >= len;
            index = if beyond { index } else { j };
            from = (if beyond { len } else { j } + 1) << 32;
        }
        if close {
            return Err(before);
        }
        if beyond {
            return Ok(index);
        }
    }
}

/// The index, by the definition, from a state of the key and an index that it came to.
#[cold]
fn exact(mut key: u64, mut index: u64, len: u64, rounding: Rounding) -> u64 {
    loop {
        key = next(key);
        let x = (key >> 33) + 1;
        let j = match rounding {
            Rounding::Paper => paper(index + 1, x),
            Rounding::Guava => guava(index + 1, x),
        };
        if j >= len {
            return index;
        }
        index = j;
    }
}

/// The whole part of `times` · (2³¹ / x), both operations rounded to 53 bits, for `times` < 2³¹ and
/// `x` in 1..=2³¹.
fn paper(times: u64, x: u64) -> u64 {
    // 2^(31 + up) / x has 53 bits before the point. It is divided in two steps, each of 64 bits.
    let up = 22 + x.ilog2();
    let more = up.saturating_sub(32);
    let dividend = 1 << (31 + up - more);
    let (whole, rest) = (dividend / x, (dividend % x) << more);
    // Never just between two numbers: then 2 · 2^(31 + up) / x, a power of two, would be odd.
    let quotient = (whole << more) + rest / x + u64::from(rest % x * 2 > x);
    let product = u128::from(times) * u128::from(quotient);
    let excess = product.ilog2() - 52; // the quotient alone has 52 bits at least
    let half = (1_u128 << excess) >> 1;
    // To the nearest; of two, to the even one.
    let odd = product >> excess & 1;
    let nearest =
        (product + half.saturating_sub(1) + odd * u128::from(half > 0)) >> excess << excess;
    #[expect(clippy::cast_possible_truncation, reason = "2^62 at most")]
    let whole = (nearest >> up) as u64;
    whole
}

/// The whole part of `times` · 2³¹ / x, rounded to 53 bits, for `times` < 2³¹ and `x` in 1..=2³¹.
const fn guava(times: u64, x: u64) -> u64 {
    let dividend = times << 31;
    let (whole, rest) = (dividend / x, dividend % x);
    // What is missing to the next whole number is (x - rest) / x; the distance of numbers with 53 bits
    // is 2^(log - 52) here, and from half of that on the rounding goes up.
    let half = 53_u32.saturating_sub(whole.ilog2());
    whole + (x - rest <= x >> half) as u64
}
