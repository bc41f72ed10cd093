//! How long something takes, by chance: integers only, so that every machine draws the same.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Span;

/// How long something takes. As JSON: `{"constant": "5ms"}`,
/// `{"uniform": {"min": "1ms", "max": "21ms"}}`,
/// `{"exponential": {"min": "1ms", "mean": "5ms", "max": "2s"}}`.
///
/// ```
/// use tenure_sim::distribution::Distribution;
/// use tenure_sim::time::Span;
/// let latency = Distribution::uniform(Span::from_millis(1), Span::from_millis(21));
/// assert_eq!(latency.draw(0), Span::from_millis(1));
/// assert_eq!(latency.draw(u64::MAX), Span::from_millis(21));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Distribution {
    /// Always the same.
    Constant(Span),
    /// Any length from `min` to `max`, each as likely.
    Uniform {
        /// The shortest.
        min: Span,
        /// The longest.
        max: Span,
    },
    /// `min` and an exponentially distributed part of this mean, together at most `max`.
    Exponential {
        /// The shortest.
        min: Span,
        /// The mean of what is above `min`, before `max` cuts it.
        mean: Span,
        /// The longest.
        max: Span,
    },
}

impl Default for Distribution {
    /// No time at all.
    fn default() -> Self {
        Self::Constant(Span::ZERO)
    }
}

impl Distribution {
    /// Any length from `min` to `max`.
    #[must_use]
    pub const fn uniform(min: Span, max: Span) -> Self {
        Self::Uniform { min, max }
    }

    /// The length for 64 random bits.
    #[must_use]
    pub fn draw(&self, bits: u64) -> Span {
        match *self {
            Self::Constant(span) => span,
            Self::Uniform { min, max } => {
                let width = max.as_nanos().saturating_sub(min.as_nanos()).saturating_add(1);
                min + Span::from_nanos(scale(bits, width))
            }
            Self::Exponential { min, mean, max } => {
                let part = (u128::from(mean.as_nanos()) * u128::from(minus_ln(bits))) >> 32;
                let part = Span::from_nanos(u64::try_from(part).unwrap_or(u64::MAX));
                (min + part).min(max)
            }
        }
    }

    /// The longest it can take.
    #[must_use]
    pub const fn longest(&self) -> Span {
        match *self {
            Self::Constant(span) => span,
            Self::Uniform { max, .. } | Self::Exponential { max, .. } => max,
        }
    }

    /// Why it makes no sense, if it does not.
    pub(crate) fn wrong(&self) -> Option<&'static str> {
        match *self {
            Self::Uniform { min, max } | Self::Exponential { min, max, .. } if min > max => {
                Some("let min be at most max")
            }
            _ => None,
        }
    }
}

/// A number below `width`, by the upper bits.
pub(crate) const fn scale(bits: u64, width: u64) -> u64 {
    ((bits as u128 * width as u128) >> 64) as u64
}

/// `-ln((bits + 1) / 2⁶⁴)` in units of 2⁻³², by squaring: exact to about 2⁻²⁷, and the same on every
/// machine.
#[expect(clippy::cast_possible_truncation, reason = "fixed-point arithmetic; see each line")]
fn minus_ln(bits: u64) -> u64 {
    const LN_2: u128 = 2_977_044_472; // ln 2 in units of 2⁻³²
    let value = u128::from(bits) + 1; // 1 ..= 2⁶⁴
    let exponent = value.ilog2(); // 0 ..= 64
    let mut mantissa = if exponent >= 31 {
        (value >> (exponent - 31)) as u64 // 31 bits after the point: below 2³²
    } else {
        (value << (31 - exponent)) as u64
    };
    let mut log = u64::from(exponent) << 32;
    for bit in (4..32).rev() {
        mantissa = (mantissa * mantissa) >> 31;
        if mantissa >= 1 << 32 {
            mantissa >>= 1;
            log += 1 << bit;
        }
    }
    ((u128::from((64 << 32) - log) * LN_2) >> 32) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponential_has_its_mean_and_its_quantiles() {
        let second = Span::from_secs(1);
        let latency =
            Distribution::Exponential { min: Span::ZERO, mean: second, max: Span::from_secs(99) };
        let near = |bits: u64, nanos: u64| {
            let drawn = latency.draw(bits).as_nanos();
            assert!(drawn.abs_diff(nanos) < 20, "{bits:x}: {drawn}, not {nanos}");
        };
        near(u64::MAX, 0);
        near((1 << 63) - 1, 693_147_181);
        near((1 << 62) - 1, 1_386_294_361);
        near(u64::MAX / 10, 2_302_585_093);
        near(u64::MAX / 10 * 9, 105_360_516);
        let steps = 10_000;
        let middle = |i: u64| u64::MAX / steps * i + u64::MAX / steps / 2;
        let sum: u64 =
            (0..steps).map(middle).map(|bits| latency.draw(bits).as_nanos() / steps).sum();
        assert!(sum.abs_diff(1_000_000_000) < 3_000_000, "mean {sum}");
    }

    #[test]
    fn the_longest_is_a_bound() {
        let short = Distribution::Exponential {
            min: Span::from_millis(1),
            mean: Span::from_millis(5),
            max: Span::from_millis(20),
        };
        assert_eq!(short.draw(0), Span::from_millis(20));
        assert_eq!(short.draw(u64::MAX), Span::from_millis(1));
    }
}
