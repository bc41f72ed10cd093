//! Time in the simulated world: [`SimTime`] is real time, which no replica can see; [`Span`] and
//! [`Shift`] are lengths of it, written as text (`"15s"`, `"40ms"`) in scenarios.

use core::fmt;
use core::ops::{Add, Sub};
use core::str::FromStr;
use core::time::Duration;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Nanoseconds of real time since the run began. In traces a plain number.
///
/// ```
/// use tenure_sim::time::{SimTime, Span};
/// let time = SimTime::ZERO + Span::from_secs(61) + Span::from_millis(100);
/// assert_eq!(time.to_string(), "61.100s");
/// assert!(time < SimTime::NEVER);
/// assert_eq!(time.saturating_since(SimTime::from_nanos(100_000_000)), Span::from_secs(61));
/// assert!(SimTime::ZERO.saturating_since(time).is_zero());
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SimTime(u64);

impl SimTime {
    /// The beginning.
    pub const ZERO: Self = Self(0);
    /// After everything.
    pub const NEVER: Self = Self(u64::MAX);

    /// The time `nanos` nanoseconds after the beginning.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the beginning.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Span> for SimTime {
    type Output = Self;

    /// Saturates at [`SimTime::NEVER`].
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for SimTime {
    type Output = Self;

    /// Saturates at [`SimTime::ZERO`].
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl fmt::Display for SimTime {
    /// Seconds with at least milliseconds: `61.100s`, `0.000000001s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NEVER {
            return f.write_str("never");
        }
        let (seconds, nanos) = (self.0 / SECOND, self.0 % SECOND);
        if nanos.is_multiple_of(MILLISECOND) {
            write!(f, "{seconds}.{:03}s", nanos / MILLISECOND)
        } else if nanos.is_multiple_of(1_000) {
            write!(f, "{seconds}.{:06}s", nanos / 1_000)
        } else {
            write!(f, "{seconds}.{nanos:09}s")
        }
    }
}

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
/// Longest first.
const UNITS: [(&str, u64); 7] = [
    ("d", 86_400 * SECOND),
    ("h", 3_600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", MILLISECOND),
    ("us", 1_000),
    ("ns", 1),
];

/// A length of time in whole nanoseconds; as text a number and a unit: `15s`, `1.5ms`, `2h`.
///
/// ```
/// use tenure_sim::time::Span;
/// let span: Span = "26.44s".parse().unwrap();
/// assert_eq!(span, Span::from_millis(26_440));
/// assert_eq!(span.to_string(), "26.44s");
/// assert_eq!(span.as_duration(), core::time::Duration::from_millis(26_440));
/// assert_eq!(Span::from_micros(1_500).to_string(), "1500us");
/// assert_eq!(
///     "15 seconds".parse::<Span>().unwrap_err().to_string(),
///     "\"15 seconds\" is no duration: write a number and a unit (ns, us, ms, s, m, h or d), as \"15s\" or \"1.5ms\"",
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

impl Span {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// `nanos` nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// `micros` microseconds. Saturates.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// `millis` milliseconds. Saturates.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(MILLISECOND))
    }

    /// `secs` seconds. Saturates.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(SECOND))
    }

    /// In nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// As the standard library has it.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// Whether it is no time at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add for Span {
    type Output = Self;

    /// Saturates.
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl From<Duration> for Span {
    /// Saturates after 584 years.
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Span {
    /// In the greatest unit in which it is a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 > SECOND && !self.0.is_multiple_of(SECOND) {
            let fraction = format!("{:09}", self.0 % SECOND);
            return write!(f, "{}.{}s", self.0 / SECOND, fraction.trim_end_matches('0'));
        }
        for (name, nanos) in UNITS {
            if self.0.is_multiple_of(nanos) {
                return write!(f, "{}{name}", self.0 / nanos);
            }
        }
        Ok(()) // not reached: everything is a whole number of nanoseconds
    }
}

/// The text is no duration, or a longer one than there is room for.
///
/// ```
/// use tenure_sim::time::Span;
/// assert_eq!(
///     "999999d".parse::<Span>().unwrap_err().to_string(),
///     "\"999999d\" is too long: at most 213503d",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoDuration {
    text: String,
    /// In days, if it is too long.
    longest: Option<u64>,
}

impl fmt::Display for NoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        if let Some(days) = self.longest {
            return write!(f, "{text:?} is too long: at most {days}d");
        }
        write!(
            f,
            "{text:?} is no duration: write a number and a unit (ns, us, ms, s, m, h or d), as \"15s\" or \"1.5ms\"",
        )
    }
}

impl core::error::Error for NoDuration {}

impl FromStr for Span {
    type Err = NoDuration;

    fn from_str(text: &str) -> Result<Self, NoDuration> {
        parse(text, u64::MAX).map(Self).map_err(|wrong| wrong.about(text, u64::MAX))
    }
}

/// What is wrong with a text.
enum Wrong {
    Form,
    TooLong,
}

impl Wrong {
    fn about(self, text: &str, most: u64) -> NoDuration {
        let longest = matches!(self, Self::TooLong).then_some(most / (86_400 * SECOND));
        NoDuration { text: text.to_owned(), longest }
    }
}

/// Nanoseconds, `most` of them at most.
fn parse(text: &str, most: u64) -> Result<u64, Wrong> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(Wrong::Form)?;
    let (number, unit) = text.split_at_checked(digits).ok_or(Wrong::Form)?;
    let named = UNITS.into_iter().find(|(name, _)| *name == unit);
    let (_, nanos) = named.ok_or(Wrong::Form)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && !text.contains('.');
    if !digits(whole) || !digits(fraction) || fraction.len() > 18 {
        return Err(Wrong::Form);
    }
    let scale = fraction.chars().fold(1_u128, |scale, _| scale * 10);
    let parts = u128::from(fraction.parse::<u64>().map_err(|_| Wrong::Form)?) * u128::from(nanos);
    if parts % scale != 0 {
        return Err(Wrong::Form); // finer than a nanosecond
    }
    let whole = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(nanos));
    let parts = u64::try_from(parts / scale).ok();
    let sum = whole.zip(parts).and_then(|(whole, parts)| whole.checked_add(parts));
    sum.filter(|sum| *sum <= most).ok_or(Wrong::TooLong)
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time: a number and a unit, as \"15s\".",
            "type": "string",
            "pattern": "^[0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d)$",
        })
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A length of time with a sign: `1h`, `-250ms`.
///
/// ```
/// use tenure_sim::time::Shift;
/// let back: Shift = "-1h".parse().unwrap();
/// assert_eq!(back.as_nanos(), -3_600_000_000_000);
/// assert_eq!(back.to_string(), "-1h");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Shift(i64);

impl Shift {
    /// `nanos` nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// `secs` seconds. Saturates.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// In nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}", Span(self.0.unsigned_abs()))
    }
}

impl FromStr for Shift {
    type Err = NoDuration;

    fn from_str(text: &str) -> Result<Self, NoDuration> {
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let most = i64::MAX.unsigned_abs();
        let nanos = parse(rest, most).map_err(|wrong| wrong.about(text, most))?;
        Ok(Self(sign * i64::try_from(nanos).unwrap_or(i64::MAX)))
    }
}

impl Serialize for Shift {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Shift {
    fn schema_name() -> Cow<'static, str> {
        "Shift".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time with a sign, as \"-250ms\".",
            "type": "string",
            "pattern": "^[+-]?[0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d)$",
        })
    }
}

impl<'de> Deserialize<'de> for Shift {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        for (text, nanos, written) in [
            ("0s", 0, "0s"),
            ("15s", 15_000_000_000, "15s"),
            ("40ms", 40_000_000, "40ms"),
            ("1500us", 1_500_000, "1500us"),
            ("1.5us", 1_500, "1500ns"),
            ("90s", 90_000_000_000, "90s"),
            ("1m", 60_000_000_000, "1m"),
            ("24h", 86_400_000_000_000, "1d"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.as_nanos(), span.to_string().as_str()), (nanos, written), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "15", "s", "-1s", "1.s", ".5s", "1.0000000001s", "1e3s", "1 s", "1.2.3s"] {
            let error = text.parse::<Span>().unwrap_err().to_string();
            assert!(error.contains("is no duration: write a number and a unit"), "{error}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused_with_the_longest() {
        for (text, span, shift) in [
            ("213503d", true, false),
            ("213504d", false, false),
            ("106751d", true, true),
            ("106752d", true, false),
            ("18446744073.709551615s", true, false),
            ("18446744073.709551616s", false, false),
            ("99999999999999999999999ns", false, false),
        ] {
            let told = |error: NoDuration| error.to_string();
            let longest = |days: &str| format!("{text:?} is too long: at most {days}");
            let spanned = text.parse::<Span>().map(|_| ()).map_err(told);
            assert_eq!(spanned, if span { Ok(()) } else { Err(longest("213503d")) });
            let shifted = text.parse::<Shift>().map(|_| ()).map_err(told);
            assert_eq!(shifted, if shift { Ok(()) } else { Err(longest("106751d")) });
        }
    }
}
