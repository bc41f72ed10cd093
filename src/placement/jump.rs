use core::marker::PhantomData;

use super::{Full, HistoryFree, Key, Numbered, Numbering, NumberingError, Tail};

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
/// | memory | 4 bytes |
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
/// use tenure::placement::{Full, Jump, Key, Numbered, NumberingError, Tail};
/// let mut shards = Jump::new(4)?;
/// let key = Key::from_hash(256);
/// let before = shards.index(key);
/// assert_eq!(shards.push(), Ok(4));
/// assert!(shards.index(key) == before || shards.index(key) == Some(4));
/// assert_eq!(shards.pop(), Some(4));
/// assert_eq!(shards.index(key), before);
/// # Ok::<(), NumberingError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Jump<R = Paper> {
    len: u32,
    rounding: PhantomData<R>,
}

/// Which of the two functions called jump hash: they differ in how (b + 1) · 2³¹ / x is rounded to a
/// whole number, and so in the index of about no random key, but of keys that can be constructed.
/// [`Paper`] and [`Guava`] are all there are.
///
/// ```
/// use tenure::placement::{Guava, Jump, Key, Numbered, NumberingError, Paper};
/// let key = Key::from_hash(16_966_161_184_362_668_685);
/// assert_eq!(Jump::<Paper>::rounded(64)?.index(key), Some(63)); // as Jump::new(64)
/// assert_eq!(Jump::<Guava>::rounded(64)?.index(key), Some(48));
/// # Ok::<(), NumberingError>(())
/// ```
pub trait Rounding: Rounds {}

/// As the paper's program: 2³¹ / x is rounded to 53 bits, its product with b + 1 is so again, and the
/// fraction of that is dropped. So do go-jump, and by it kube-state-metrics; `PyPI`'s
/// jump-consistent-hash; the crates jumpch and jump-consistent-hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Paper {}

/// As Guava's `Hashing.consistentHash`: (b + 1) / (x / 2³¹) is rounded to 53 bits, once, and the
/// fraction is dropped. So do the crates jmphash and, up to 2²² numbers, jumpconsistenthash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Guava {}

impl Rounding for Paper {}
impl Rounding for Guava {}

mod sealed {
    /// Not for others: what is neither the paper's nor Guava's is no jump hash.
    #[expect(unnameable_types, reason = "so that nobody else can implement it")]
    pub trait Rounds {
        /// The definition's j, for `times` = b + 1 < 2³¹ and `x` in 1..=2³¹.
        fn whole(times: u64, x: u64) -> u64;
    }
}
use sealed::Rounds;

impl Rounds for Paper {
    fn whole(times: u64, x: u64) -> u64 {
        paper(times, x)
    }
}

impl Rounds for Guava {
    fn whole(times: u64, x: u64) -> u64 {
        guava(times, x)
    }
}

impl Jump {
    /// The greatest possible number of numbers.
    pub const MOST: u32 = i32::MAX.unsigned_abs();

    /// The numbers `0..len`, by the paper's function.
    ///
    /// # Errors
    /// `len` is more than [`MOST`](Self::MOST), which is where the definition ends.
    ///
    /// ```
    /// use tenure::placement::{Jump, NumberingError};
    /// let most = Jump::MOST;
    /// assert_eq!(Jump::new(most + 1), Err(NumberingError::TooMany { end: most + 1, most }));
    /// ```
    pub const fn new(len: u32) -> Result<Self, NumberingError> {
        Self::rounded(len)
    }
}

impl<R: Rounding> Jump<R> {
    /// The numbers `0..len`, by the function that `R` says: see [`Rounding`].
    ///
    /// # Errors
    /// As [`new`](Jump::new).
    pub const fn rounded(len: u32) -> Result<Self, NumberingError> {
        if len > Jump::MOST {
            return Err(NumberingError::TooMany { end: len, most: Jump::MOST });
        }
        Ok(Self { len, rounding: PhantomData })
    }
}

impl<R: Rounding> Numbered for Jump<R> {
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
        let index = near(key.as_u64(), len).unwrap_or_else(|| exact::<R>(key.as_u64(), len));
        #[expect(clippy::cast_possible_truncation, reason = "it is below the length")]
        Some(index as u32)
    }

    fn numbering(&self) -> Numbering {
        Numbering { end: self.len, ..Numbering::default() }
    }

    fn from_numbering(numbering: &Numbering) -> Result<Self, NumberingError> {
        numbering.tail(Jump::MOST).and_then(Self::rounded)
    }
}

impl<R: Rounding> HistoryFree for Jump<R> {}

impl<R: Rounding> Tail for Jump<R> {
    fn push(&mut self) -> Result<u32, Full> {
        let index = self.len;
        if index == Jump::MOST {
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

/// The definition's j, with b + 1 = `times` < 2³², and whether a rounding could make it another.
///
/// With the quotient 2⁶³ / x in 64 bits, cut off, it is one multiplication: the upper half of
/// `times` · 2³² · quotient is j, the lower its fraction in units of 2⁻⁶⁴. Exact would be up to
/// `times` · 2³² more, and the roundings of the definition, 2⁻⁵² of it at most where j < 2³¹, are up to
/// 2⁴³ more or less. If all that cannot reach another whole number, j is right under both. And where
/// j is 2³¹ or more, it is beyond the end in any case.
#[inline]
const fn step(times: u64, x: u64) -> (u64, bool) {
    const ROUNDING: u64 = 1 << 43;
    let times = times << 32;
    let product = times as u128 * ((1 << 63) / x) as u128;
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are what is wanted")]
    let (j, fraction) = ((product >> 64) as u64, product as u64);
    (j, fraction.wrapping_add(times + ROUNDING) < times + 2 * ROUNDING)
}

/// The index, unless a rounding could matter: then `None`.
///
/// Where a key leaves the loop no processor can foretell, so each round takes several steps, and a
/// step beyond the end changes nothing. j grows with each step, so there are `len` at most.
#[inline]
fn near(mut key: u64, len: u64) -> Option<u64> {
    const STEPS: usize = 4;
    let mut index = 0;
    let mut times = 1; // b + 1
    loop {
        let mut is_close = false;
        let mut is_beyond = false;
        for _ in 0..STEPS {
            key = next(key);
            let (j, close) = step(times, (key >> 33) + 1);
            is_close |= close;
            is_beyond = j >= len;
            index = if is_beyond { index } else { j };
            times = if is_beyond { len } else { j } + 1;
        }
        if is_close {
            return None;
        }
        if is_beyond {
            return Some(index);
        }
    }
}

/// The index, with each step that is close by the definition.
#[cold]
fn exact<R: Rounding>(mut key: u64, len: u64) -> u64 {
    let mut index = 0;
    loop {
        key = next(key);
        let x = (key >> 33) + 1;
        let j = match step(index + 1, x) {
            (j, false) => j,
            (_, true) => R::whole(index + 1, x),
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
    // To the nearest; of two, up: IEEE takes the even one, but the whole part is the same, since a whole
    // number below 2^31 is even in that sense.
    let nearest = (product + half) >> excess << excess;
    #[expect(clippy::cast_possible_truncation, reason = "2^62 at most")]
    let whole = (nearest >> up) as u64;
    whole
}

/// The whole part of `times` · 2³¹ / x, rounded to 53 bits, for `times` < 2³¹ and `x` in 1..=2³¹;
/// 2³¹ or more, if that is.
const fn guava(times: u64, x: u64) -> u64 {
    let dividend = times << 31;
    let (whole, rest) = (dividend / x, dividend % x);
    // What is missing to the next whole number is (x - rest) / x; the distance of numbers with 53 bits
    // is 2^(log - 52) here, and from half of that on the rounding goes up.
    let half = 53_u32.saturating_sub(whole.ilog2());
    whole + (x - rest <= x >> half) as u64
}

#[cfg(test)]
mod tests {
    use super::super::hash::mix;
    use super::{Guava, Jump, Key, Numbered, guava, next, paper, step};

    #[derive(Clone, Copy)]
    enum Rounding {
        Paper,
        Guava,
    }
    const ROUNDINGS: [Rounding; 2] = [Rounding::Paper, Rounding::Guava];

    fn narrow(number: u64) -> u32 {
        u32::try_from(number).unwrap()
    }

    /// The expressions of the paper's program and of Guava's, in their own arithmetic.
    #[expect(clippy::float_arithmetic, reason = "they define what the integers must be")]
    fn in_floats(times: u64, x: u64, rounding: Rounding) -> u64 {
        let (times, x, two31) =
            (f64::from(narrow(times)), f64::from(narrow(x)), f64::from(1_u32 << 31));
        let j = match rounding {
            Rounding::Paper => times * (two31 / x),
            Rounding::Guava => times / (x / two31),
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as they do")]
        let j = j as u64;
        j
    }

    fn index_in_floats(mut key: u64, len: u32, rounding: Rounding) -> u32 {
        let (mut b, mut j) = (0, 0);
        while j < u64::from(len) {
            b = j;
            key = next(key);
            j = in_floats(b + 1, (key >> 33) + 1, rounding);
        }
        narrow(b)
    }

    /// By Newton's iteration: for odd `number`, modulo 2⁶⁴.
    fn inverse(number: u64) -> u64 {
        (0..6).fold(number, |inverse, _| {
            inverse.wrapping_mul(2_u64.wrapping_sub(number.wrapping_mul(inverse)))
        })
    }

    /// Pairs of `times` and x whose quotient is as close to a whole number as pairs can be: by
    /// `distance` / x, with `whole` · x ≡ `distance` modulo 2³¹.
    fn close_pairs() -> impl Iterator<Item = (u64, u64)> {
        (0..100_000).flat_map(|i| {
            let x = (mix(i) >> (33 + i % 31)) | 1;
            (-3..=3_i64).filter_map(move |distance| {
                let whole = inverse(x).wrapping_mul(distance.cast_unsigned()) % (1 << 31);
                let times = (whole * x).wrapping_sub(distance.cast_unsigned()) >> 31;
                (1..1 << 31).contains(&times).then_some((times, x))
            })
        })
    }

    /// The integers are the floats, bit by bit: where a rounding decides, and at random.
    #[test]
    fn each_rounding_is_its_expression() {
        let random = (0..200_000).map(|i| {
            let times = 1 + (mix(i) >> 33 >> (i % 31)) % ((1 << 31) - 1);
            (times, 1 + (mix(!i) >> 33 >> (i / 31 % 31)))
        });
        let edges = [1, 2, 3, (1 << 30) - 1, 1 << 30, (1 << 31) - 1];
        let edges = edges.into_iter().flat_map(|x| edges.map(|times| (times, x)));
        let greatest = edges.clone().map(|(times, _)| (times, 1 << 31));
        // Where the rounding takes one farthest beyond what is cut off: 2⁴¹ of what `step` looks at, by
        // the paper's expression and by Guava's. (Of all x for which 2⁶³ / x, cut off, loses nearly 1.)
        let farthest = [(3_437_392, 5_166_053), (426_167_450, 429_509_837)];
        let (mut differ, mut rounded_up) = (0, 0);
        for (times, x) in close_pairs().chain(random).chain(edges).chain(greatest).chain(farthest) {
            // From there on it is beyond the end, however far.
            let far = |j: u64| j.min(1 << 31);
            let [by_paper, by_guava] = ROUNDINGS.map(|rounding| far(in_floats(times, x, rounding)));
            assert_eq!(far(paper(times, x)), by_paper, "{times} {x}");
            assert_eq!(far(guava(times, x)), by_guava, "{times} {x}");
            let (j, is_close) = step(times, x);
            if !is_close {
                assert_eq!([far(j); 2], [by_paper, by_guava], "{times} {x}");
            }
            differ += u32::from(by_paper != by_guava);
            let cut_off = far((times << 31) / x);
            rounded_up += u32::from(by_guava > cut_off);
            assert!(by_guava == cut_off || by_guava > 1 << 22, "{times} {x}");
        }
        assert!(differ > 1_000 && rounded_up > 1_000, "{differ} {rounded_up}");
    }

    /// Keys whose first steps lead far up, and others, at lengths where many a step is close.
    #[test]
    fn look_ups_are_as_in_floats() {
        let back = inverse(2_862_933_555_777_941_757);
        let far = (0..20_000_u64).map(|i| {
            let state = (i / 8) << 33 | mix(i) >> 31;
            state.wrapping_sub(1).wrapping_mul(back)
        });
        let lens = [1, 2, 3, 10, 64, 100_000, 1 << 22, 1 << 30, Jump::MOST - 1, Jump::MOST];
        for key in far.chain((0..5_000).map(mix)).chain(0..100) {
            for (len, rounding) in lens.into_iter().flat_map(|len| ROUNDINGS.map(|r| (len, r))) {
                let key_of = Key::from_hash(key);
                let index = match rounding {
                    Rounding::Paper => Jump::new(len).unwrap().index(key_of),
                    Rounding::Guava => Jump::<Guava>::rounded(len).unwrap().index(key_of),
                };
                assert_eq!(index, Some(index_in_floats(key, len, rounding)), "{key} at {len}");
            }
        }
    }
}
