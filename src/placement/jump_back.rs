use super::hash::mix;
use super::{Full, HistoryFree, Key, Numbered, Numbering, NumberingError, Tail};

/// `JumpBackHash`: what [`Jump`](super::Jump) does, in constant time. The first choice where numbers
/// come and go at the end and no other system must agree; equal to hash4j where one must.
///
/// The numbers in use are `0..len`, so only the last can go. Each key has an ascending sequence of
/// numbers that does not depend on `len`, and its index is the last below `len`: it is looked for from
/// the end. So a push takes from each number its fair part and gives it to the new one, and moves
/// nothing else.
///
/// | | cost |
/// | --- | --- |
/// | [`index`](Numbered::index) | O(1): 5/3 draws expected, 65 at most |
/// | [`push`](Tail::push), [`pop`](Tail::pop) | O(1) |
/// | memory | 4 bytes |
///
/// # Definition
/// The draws are the outputs of `SplitMix64` seeded with the key, which the definition takes to be a
/// hash; the first is [`mix`]`(key)`. Of the first, the exclusive-or of the halves, cut off to the bits
/// that `len` - 1 has, is x. For any x, b(x) is 0 for 0, else: the highest bit of x, and below it the
/// bits of the first draw's lower half, or of the upper if an odd number of bits is set in x.
/// (It is as in hash4j, where a shift by 64 is none.) If b(x) < `len`, that is the index.
///
/// Else come the halves of the further draws, lower before upper, each cut off to the bits that `len` - 1
/// has: the first one below `len` decides. If it has the highest of these bits, it is the index; if not,
/// the index is b of x without its highest bit.
///
/// Source: Ertl, "`JumpBackHash`: Say Goodbye to the Modulo Operation to Distribute Keys Uniformly to
/// Buckets", 2024, arXiv:2403.18682; vectors of dynatrace-oss/hash4j. Deviation: hash4j draws without
/// end; here, after 64 further draws, of which all halves are in vain once in 2¹²⁸ keys or less, it is
/// as if the highest bit were not set. That moves nothing needlessly either.
///
/// # Pitfall
/// That every draw comes from one sequence keeps the law of least disruption, for the sequence is one
/// for all lengths with the same highest bit; a source of draws that depends on `len` would break it.
///
/// ```
/// use tenure::placement::{JumpBack, Key, Numbered, NumberingError, Tail};
/// let mut workers = JumpBack::new(1_000)?;
/// assert_eq!(workers.index(Key::from_hash(256)), Some(513));
/// assert_eq!(workers.push(), Ok(1_000));
/// assert_eq!(workers.index(Key::from_hash(256)), Some(513));
/// assert_eq!(JumpBack::new(0)?.index(Key::from_hash(256)), None);
/// # Ok::<(), NumberingError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JumpBack {
    len: u32,
}

impl JumpBack {
    /// The greatest possible number of numbers: hash4j's.
    pub const MOST: u32 = i32::MAX.unsigned_abs();

    /// The numbers `0..len`.
    ///
    /// # Errors
    /// `len` is more than [`MOST`](Self::MOST).
    ///
    /// ```
    /// use tenure::placement::{JumpBack, NumberingError};
    /// let most = JumpBack::MOST;
    /// assert_eq!(JumpBack::new(most + 1), Err(NumberingError::TooMany { end: most + 1, most }));
    /// ```
    pub const fn new(len: u32) -> Result<Self, NumberingError> {
        if len > Self::MOST {
            return Err(NumberingError::TooMany { end: len, most: Self::MOST });
        }
        Ok(Self { len })
    }
}

impl Numbered for JumpBack {
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
        let key = key.as_u64();
        let bits = u32::MAX.unbounded_shr(last.leading_zeros());
        let first = mix(key);
        let x = lower(first ^ (first >> 32)) & bits;
        let index = number(x, first);
        Some(if index <= last { index } else { further(key, first, x, last) })
    }

    fn numbering(&self) -> Numbering {
        Numbering { end: self.len, ..Numbering::default() }
    }

    fn from_numbering(numbering: &Numbering) -> Result<Self, NumberingError> {
        numbering.tail(Self::MOST).and_then(Self::new)
    }
}

impl HistoryFree for JumpBack {}

impl Tail for JumpBack {
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

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
#[inline]
const fn lower(draw: u64) -> u32 {
    draw as u32
}

/// The definition's b(x).
#[inline]
const fn number(x: u32, first: u64) -> u32 {
    let highest = 1 << (x | 1).ilog2();
    let half = lower(first >> (32 * (x.count_ones() & 1)));
    // With no bit set in x, `highest` is that of 1 and leaves none of either.
    (x & highest) | (half & (highest - 1))
}

/// The index of a key whose b(x) is beyond the `last`, so that both have the same highest bit.
#[inline]
fn further(key: u64, first: u64, x: u32, last: u32) -> u32 {
    const DRAWS: u32 = 64;
    const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
    let highest = 1 << last.ilog2();
    let bits = highest | (highest - 1);
    let less = number(x ^ highest, first);
    let mut state = key;
    for _ in 0..DRAWS {
        state = state.wrapping_add(GAMMA);
        let draw = mix(state);
        let (low, high) = (lower(draw) & bits, lower(draw >> 32) & bits);
        let half = if low <= last { low } else { high };
        if half <= last {
            return if half < highest { less } else { half };
        }
    }
    less
}

#[cfg(test)]
mod tests {
    use super::{JumpBack, Key, Numbered, lower, mix, number};

    const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

    /// The definition read aloud, with draws without end: the index, and how many further draws.
    fn plainly(key: u64, len: u32) -> (u32, u32) {
        let bits = u32::MAX >> (len - 1).leading_zeros();
        let highest = bits ^ (bits >> 1);
        let first = mix(key);
        let x = lower(first ^ (first >> 32)) & bits;
        if number(x, first) < len {
            return (number(x, first), 0);
        }
        for draws in 1.. {
            let draw = mix(key.wrapping_add(GAMMA.wrapping_mul(draws.into())));
            for half in [lower(draw), lower(draw >> 32)].map(|half| half & bits) {
                if half < len {
                    let is_index = half & highest != 0;
                    return (if is_index { half } else { number(x & !highest, first) }, draws);
                }
            }
        }
        unreachable!()
    }

    /// Each draw counts, and not only the first few. (To tell 64 of them from more takes a key of which
    /// 128 halves are in vain: nobody finds one.)
    #[test]
    fn further_draws_are_as_defined() {
        let found = [(845_198_938, 3, 8), (776_819_408, 5, 10), (223_698_978, 9, 13)];
        for (key, len, draws) in found {
            assert_eq!(plainly(key, len), (len - 1, draws));
            assert_eq!(JumpBack::new(len).unwrap().index(Key::from_hash(key)), Some(len - 1));
        }
        for len in [2, 3, 5, 6, 9, 1_000, 1 << 20, JumpBack::MOST] {
            let jump_back = JumpBack::new(len).unwrap();
            for key in 0..20_000 {
                let index = jump_back.index(Key::from_hash(key));
                assert_eq!(index, Some(plainly(key, len).0), "{key} of {len}");
            }
        }
    }
}
