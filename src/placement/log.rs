//! An integer logarithm, equal on every platform: what weights are measured with.
//!
//! The floating-point logarithms of the standard library are not reproducible: their last bits may
//! differ from platform to platform and release to release, and then two replicas name two owners.

/// How many parts an octave is cut into.
const CELLS: usize = 256;
/// Bits of a number below those that name its cell.
const LOW: u32 = 63 - CELLS.trailing_zeros();
/// 1 in the unit of the result.
const ONE: u64 = 1 << 57;
/// The logarithm of e to base 2, in units of 2⁻⁶³ and rounded down.
const LOG2_E: u64 = 0xb8aa_3b29_5c17_f0bb;

/// −log₂(`u` / 2⁶⁴) in units of 2⁻⁵⁷; of `u` = 0 the same as of 1. From 0, for the greatest `u`, to 2⁶³ at most.
///
/// It never rises with `u`, and is too small by less than 2⁻⁵⁵, never too great. Costs eight
/// multiplications and one look into a table of 4 KiB.
///
/// # Definition
/// All divisions round down. Let e be the leading zeros of `u`, and 2⁵⁵(256 + j) + a, with a < 2⁵⁵,
/// be `u` · 2ᵉ: it lies in the cell j of its octave. With c = 257 + j, of which c / 512 is the upper end
/// of the cell, and with the distance from there, d = 2⁵⁵ − a:
/// - t = ⌊2⁵⁷ (9 − log₂ c)⌋ is what the end of the cell gives, a table of 256 numbers;
/// - v = d ⌊2⁷² / c⌋ / 2⁵⁶ is the distance relative to that end, in units of 2⁻⁷¹;
/// - q₆ = 2⁶³ / 6, and qᵢ = 2⁶³ / i + v qᵢ₊₁ / 2⁷¹ for i = 5 … 1, sum up the series of −ln(1 − x) / x;
/// - the result is 2⁵⁷ e + t + (v q₁ / 2⁶³) ⌊2⁶³ log₂ e⌋ / 2⁷⁷ (this last e is Euler's).
///
/// # Why it is right
/// Within a cell each step rises with d, hence falls with `u`. Every step rounds down and the series'
/// terms are positive, so what is added to t never exceeds the truth. From one cell to the next
/// therefore ⌊x⌋ + ⌊y⌋ ≤ ⌊x + y⌋ keeps the order. What is lost: less than 1 by t, less than 1 by the last
/// division, 0.4 by the terms that are left out, together less than 2.5 units.
///
/// ```
/// use tenure::placement::log::minus_log2;
/// assert!((1 << 57) - minus_log2(1 << 63) < 3); // too small by that at most, here as well
/// assert!((1 << 63) - minus_log2(1) < 3);
/// assert_eq!((minus_log2(u64::MAX), minus_log2(0)), (0, minus_log2(1)));
/// // ln 2 / ln 3, by two numbers near a third and a half of 2⁶⁴.
/// let third = minus_log2(u64::MAX / 3) as f64;
/// assert!(((1_u64 << 57) as f64 / third - 2_f64.ln() / 3_f64.ln()).abs() < 1e-15);
/// ```
#[must_use]
#[inline]
pub const fn minus_log2(u: u64) -> u64 {
    let u = if u == 0 { 1 } else { u };
    let octave = u.leading_zeros();
    let normal = u << octave;
    let cell = (normal >> LOW) as usize & (CELLS - 1);
    #[expect(clippy::indexing_slicing, reason = "the mask above keeps it in range")]
    let (end, inverse) = TABLE[cell];
    let distance = (1 << LOW) - (normal & ((1 << LOW) - 1));
    let v = scaled(distance, inverse, 56);
    let q = (1 << 63) / 6;
    let q = (1 << 63) / 5 + scaled(v, q, 71);
    let q = (1 << 63) / 4 + scaled(v, q, 71);
    let q = (1 << 63) / 3 + scaled(v, q, 71);
    let q = (1 << 63) / 2 + scaled(v, q, 71);
    let q = (1 << 63) + scaled(v, q, 71);
    octave as u64 * ONE + end + scaled(scaled(v, q, 63), LOG2_E, 77)
}

/// `a` · `b` / 2^`shift`, which must fit.
#[expect(clippy::cast_possible_truncation, reason = "each caller's factors are small enough")]
const fn scaled(a: u64, b: u64, shift: u32) -> u64 {
    ((a as u128 * b as u128) >> shift) as u64
}

/// For each cell, what its upper end gives and the inverse of that end, in units of 2⁻⁷².
static TABLE: [(u64, u64); CELLS] = {
    let mut table = [(0, 0); CELLS];
    let mut cell = 0;
    while cell < CELLS {
        let end = (CELLS + cell + 1) as u64;
        #[expect(clippy::cast_possible_truncation, reason = "at most 2⁷² / 257")]
        let inverse = ((1 << 72) / end as u128) as u64;
        #[expect(clippy::indexing_slicing, reason = "in range by the loop's condition")]
        {
            table[cell] = (9 * ONE - log2_up(end), inverse);
        }
        cell += 1;
    }
    table
};

/// log₂(`x`) in units of 2⁻⁵⁷, rounded up: bit by bit, by squaring.
const fn log2_up(x: u64) -> u64 {
    let mut log = x.ilog2() as u64;
    if x.is_power_of_two() {
        return log * ONE;
    }
    // From 1 to 2, in units of 2⁻¹²⁷.
    let mut z = (x as u128) << x.leading_zeros() << 64;
    let mut bits = ONE.ilog2();
    while bits > 0 {
        let (high, low) = (z >> 64, z & u64::MAX as u128);
        // The upper half of the square, without the carry of its lowest quarter: too small by 2 units.
        let square = high * high + ((high * low) >> 63);
        let two = square >> 127;
        z = if two == 1 { square } else { square << 1 };
        log = log << 1 | two as u64;
        bits -= 1;
    }
    // The logarithm of what is no power of two is irrational: there is always more.
    log + 1
}

#[cfg(test)]
mod tests {
    use super::{CELLS, LOW, ONE, TABLE, minus_log2};

    /// −log₂(u / 2⁶⁴) in units of 2⁻¹²⁰, too small by at most 2: the same squaring as above, but by
    /// long multiplication with 256 bits and to 114 places, of which none is used in the table.
    fn reference(u: u64) -> u128 {
        // Of v = 2⁶⁴ / u, so that the logarithm is positive; normal, below 2 in units of 2⁻²⁵⁵.
        let octave = u.leading_zeros();
        if u.is_power_of_two() {
            return u128::from(octave + 1) << 120;
        }
        let mut z = inverse(u << octave);
        let mut log = u128::from(octave);
        for _ in 0..120 {
            let square = square(z);
            // Of a product of two numbers below 2 the top bit says whether it reaches 2.
            let two = square[3] >> 63;
            z = if two == 1 { square } else { double(square) };
            log = log << 1 | u128::from(two);
        }
        log
    }

    /// 2⁶⁴ / x for 2⁶³ < x < 2⁶⁴ (from 1 to 2), in units of 2⁻²⁵⁵, lowest word first: long division.
    fn inverse(x: u64) -> [u64; 4] {
        let mut words = [0; 4];
        let mut rest = 1_u128 << 63; // what is divided: 2³¹⁹, its lower words 0
        for word in words.iter_mut().rev() {
            // 2⁶³ · 2⁶⁴ / x has 65 bits at most: 1 and 63 more of the first word.
            let dividend = rest << 64;
            *word = u64::try_from(dividend / u128::from(x)).unwrap();
            rest = dividend % u128::from(x);
        }
        words
    }

    /// The upper four words of the square.
    #[expect(clippy::cast_possible_truncation, reason = "the low word, and what is carried")]
    fn square(z: [u64; 4]) -> [u64; 4] {
        let mut product = [0_u64; 8];
        for (i, a) in z.into_iter().enumerate() {
            let mut carry = 0_u128;
            for (j, b) in z.into_iter().enumerate() {
                carry += u128::from(product[i + j]) + u128::from(a) * u128::from(b);
                product[i + j] = carry as u64;
                carry >>= 64;
            }
            product[i + 4] = carry as u64;
        }
        product[4..].try_into().unwrap()
    }

    fn double(z: [u64; 4]) -> [u64; 4] {
        let carried = |i: usize| z[i] << 1 | i.checked_sub(1).map_or(0, |below| z[below] >> 63);
        core::array::from_fn(carried)
    }

    /// Each cell's ends, powers of two, and numbers near them; and about 100,000 others.
    fn numbers() -> impl Iterator<Item = u64> {
        let near = |x: u64| (0..4).flat_map(move |by| [x.wrapping_add(by), x.wrapping_sub(by)]);
        let ends = (0..64).flat_map(move |octave| {
            let cells = CELLS as u64..2 * CELLS as u64;
            cells.flat_map(move |cell| near(cell << LOW >> octave))
        });
        let others = (0..100_000_u64).map(super::super::hash::mix);
        let shifted = others.flat_map(|x| [x, x >> (x & 63)]);
        ends.chain(shifted).chain(1..5_000).filter(|u| *u > 0)
    }

    #[test]
    fn the_reference_knows_what_is_known() {
        assert_eq!(reference(1 << 63), 1 << 120);
        assert_eq!(reference(1), 64 << 120);
        // log₂ 3 to 38 places, as published (OEIS A020857): 1.58496250072115618145373894394781650875…
        let log2_3 = 64 * (1 << 120) - reference(3);
        let digits = 158_496_250_072_115_618_145_373_894_394_781_650_u128;
        // In units of 10⁻³⁵, one digit after the other.
        let (mut rest, mut decimal) = (log2_3 & ((1 << 120) - 1), log2_3 >> 120);
        for _ in 0..35 {
            rest *= 10;
            decimal = decimal * 10 + (rest >> 120);
            rest &= (1 << 120) - 1;
        }
        assert_eq!(decimal, digits);
    }

    #[test]
    fn the_error_is_below_the_bound() {
        let mut most = 0;
        for u in numbers() {
            let (is, should) = (u128::from(minus_log2(u)) << 63, reference(u));
            let error = should.checked_sub(is).unwrap_or_else(|| panic!("{u}: too great"));
            assert!(error < 5 << 62, "{u}: {is} {should}");
            most = most.max(error);
        }
        // The bound is no fable: two units are reached.
        assert!(most > 2 << 63, "{most}");
    }

    /// The end of a cell, the next number, and those nearby, in each octave.
    #[test]
    fn it_never_rises() {
        let check = |lower: u64, upper: u64| {
            assert!(minus_log2(lower) >= minus_log2(upper), "{lower} {upper}");
        };
        for octave in 0..64 {
            for cell in CELLS as u64..=2 * CELLS as u64 {
                let end =
                    u64::try_from((u128::from(cell) << LOW >> octave).min(u128::from(u64::MAX)));
                let end = end.unwrap();
                (end.saturating_sub(40)..end.saturating_add(40)).for_each(|u| check(u, u + 1));
            }
        }
        let mut sorted: alloc::vec::Vec<_> = numbers().collect();
        sorted.sort_unstable();
        for pair in sorted.windows(2) {
            check(pair[0], pair[1]);
            check(pair[0], pair[0].saturating_add(1));
        }
        (0..100_000).for_each(|u| check(u, u + 1));
    }

    /// On this the order from cell to cell rests: the ends are rounded down, not up and not further.
    #[test]
    fn the_ends_are_the_floor() {
        for (cell, (end, _)) in (1..).zip(TABLE) {
            let u = (u128::from(CELLS as u64 + cell) << LOW).min(u128::from(u64::MAX));
            let u = u64::try_from(u).unwrap();
            let exact = if u == u64::MAX { 0 } else { reference(u) };
            assert_eq!(u128::from(end), exact >> 63, "{cell}");
        }
        assert_eq!(TABLE[CELLS - 1].0, 0);
        assert!(TABLE[0].0 < ONE);
    }
}
