//! How long things took, in constant memory.

use std::collections::BTreeMap;

/// Lengths of time by classes: the class of a length differs from it by 1/32 at most, so that there are
/// no more than two thousand however many lengths there are.
///
/// ```
/// use tenure_sim::history::Lengths;
/// let mut lengths = Lengths::default();
/// (1..=1000).for_each(|nanos| lengths.add(nanos * 1_000_000));
/// let median = lengths.percentile(50).unwrap();
/// assert!((484_000_000..=500_000_000).contains(&median));
/// assert_eq!(lengths.longest(), Some(1_000_000_000));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lengths {
    classes: BTreeMap<u16, u64>,
    count: u64,
    longest: Option<u64>,
}

/// So many classes between a length and its double, as a power of two.
const FINENESS: u32 = 5;

#[expect(clippy::cast_possible_truncation, reason = "six bits and no more than 58 of 32 classes")]
const fn class(nanos: u64) -> u16 {
    let width = u64::BITS - nanos.leading_zeros();
    let shift = width.saturating_sub(FINENESS + 1);
    ((shift << FINENESS) + (nanos >> shift) as u32) as u16
}

/// The least length of a class.
const fn least(class: u16) -> u64 {
    let shift = (class as u32 >> FINENESS).saturating_sub(1);
    ((class as u64) - ((shift as u64) << FINENESS)) << shift
}

impl Lengths {
    /// One more, in nanoseconds; what is negative counts as none.
    pub fn add(&mut self, nanos: i128) {
        let nanos = u64::try_from(nanos.max(0)).unwrap_or(u64::MAX);
        *self.classes.entry(class(nanos)).or_default() += 1;
        self.count += 1;
        self.longest = self.longest.max(Some(nanos));
    }

    /// How many there were.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The length that so many percent do not exceed, at most 1/32 less than it is; `None` of nothing.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let rank = u128::from(self.count) * u128::from(percent.min(100));
        let mut seen = 0_u128;
        let found = self.classes.iter().find(|(_, count)| {
            seen += u128::from(**count);
            seen * 100 >= rank
        });
        found.map(|(class, _)| least(*class))
    }

    /// The longest.
    #[must_use]
    pub const fn longest(&self) -> Option<u64> {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_near_its_lengths() {
        let powers = (0..64).flat_map(|bit| {
            let power = 1_u64 << bit;
            [power - 1, power, power + 1, power + power / 2, power + (power - 1) / 3]
        });
        for nanos in powers.chain([u64::MAX]) {
            let least = least(class(nanos));
            assert!(least <= nanos && nanos - least <= nanos / 32, "{nanos}: {least}");
            assert!(class(nanos) < 2000);
        }
    }

    #[test]
    fn percentiles_of_few() {
        let mut lengths = Lengths::default();
        assert_eq!((lengths.percentile(50), lengths.longest()), (None, None));
        lengths.add(-7);
        lengths.add(i128::MAX);
        assert_eq!((lengths.percentile(50), lengths.count()), (Some(0), 2));
        assert_eq!(lengths.longest(), Some(u64::MAX));
    }
}
