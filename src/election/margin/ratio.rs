//! Fractions of clock rates, without floats.

use core::cmp::Ordering;
use core::fmt;

/// The rate of a fast clock over that of a slow one, as a fraction in lowest terms.
///
/// ```
/// use tenure::election::Ratio;
/// let ratio = Ratio::new(12, 10).unwrap();
/// assert_eq!((ratio.fastest(), ratio.slowest()), (6, 5));
/// assert!(ratio > Ratio::ONE && ratio < Ratio::new(5, 4).unwrap());
/// // Cut after the third digit, never rounded up.
/// assert_eq!(Ratio::new(137, 133).unwrap().to_string(), "1.030");
/// assert_eq!(Ratio::new(1, 0), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    fastest: u64,
    slowest: u64,
}

impl Ratio {
    /// Clocks that run alike.
    pub const ONE: Self = Self { fastest: 1, slowest: 1 };

    /// `fastest / slowest`; `None` if either is zero.
    #[must_use]
    pub const fn new(fastest: u64, slowest: u64) -> Option<Self> {
        if fastest == 0 || slowest == 0 {
            return None;
        }
        let (mut divisor, mut rest) = (fastest, slowest);
        while rest > 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        Some(Self { fastest: fastest / divisor, slowest: slowest / divisor })
    }

    /// The numerator.
    #[must_use]
    pub const fn fastest(self) -> u64 {
        self.fastest
    }

    /// The denominator.
    #[must_use]
    pub const fn slowest(self) -> u64 {
        self.slowest
    }
}

impl Default for Ratio {
    /// [`Ratio::ONE`].
    fn default() -> Self {
        Self::ONE
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        let times = |one: u64, other: u64| u128::from(one) * u128::from(other);
        times(self.fastest, other.slowest).cmp(&times(other.fastest, self.slowest))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thousandths = u128::from(self.fastest) * 1_000 / u128::from(self.slowest);
        write!(f, "{}.{:03}", thousandths / 1_000, thousandths % 1_000)
    }
}
