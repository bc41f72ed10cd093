//! Times as Go writes and reads them.
//!
//! `metav1.Time` uses `time.RFC3339`, `metav1.MicroTime` the same with six digits of fraction. Go
//! reads both by its layout parser (`time.Parse`), which takes more than RFC 3339 has: an hour of
//! one digit, a comma before the fraction, offsets up to 24:60.

use alloc::string::String;

use crate::time::Timestamp;

/// One of Go's two layouts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// `metav1.Time`: written in whole seconds; a fraction may be read.
    Seconds,
    /// `metav1.MicroTime`: six digits of fraction, neither more nor fewer.
    Micros,
}

impl Layout {
    /// A time in this layout, for people.
    pub(super) const fn example(self) -> &'static str {
        match self {
            Self::Seconds => "2024-02-29T23:59:59Z",
            Self::Micros => "2024-02-29T23:59:59.000000Z",
        }
    }
}

const DAY_SECONDS: u64 = 86_400;
/// Days in 400 years.
const ERA_DAYS: u64 = 146_097;
/// Go counts from 1 March of the year −292277022400, in 64 bits without sign that wrap.
const FIRST_ERA: i64 = -292_277_022_400 / 400;
/// From there to 1970.
const EPOCH_DAYS: u64 = FIRST_ERA.unsigned_abs() * ERA_DAYS + 719_468;

/// Writes `time` in UTC, what is finer than the layout cut off. Years may have a sign and any
/// number of digits from four on, as in Go (where those outside 0 to 9999 cannot be read again).
pub(super) fn write(out: &mut String, time: Timestamp, layout: Layout) {
    let seconds = time.unix_seconds().cast_unsigned().wrapping_add(EPOCH_DAYS * DAY_SECONDS);
    let (year, month, day) = date(seconds / DAY_SECONDS);
    let second = seconds % DAY_SECONDS;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let sign = if year < 0 { "-" } else { "" };
    out.push_str(sign);
    digits(out, year.unsigned_abs(), 4);
    for (mark, number) in [('-', month), ('-', day), ('T', hour), (':', minute), (':', second)] {
        out.push(mark);
        digits(out, number, 2);
    }
    if layout == Layout::Micros {
        out.push('.');
        digits(out, (time.subsec_nanos() / 1000).into(), 6);
    }
    out.push('Z');
}

/// A number with at least so many digits. Several times faster than the formatting machinery, and
/// a Lease is mostly times.
fn digits(out: &mut String, number: u64, least: usize) {
    let mut text = [b'0'; 20];
    let (mut start, mut rest) = (text.len(), number);
    while rest > 0 {
        start -= 1;
        if let Some(digit) = text.get_mut(start) {
            *digit = b'0' + (rest % 10) as u8;
        }
        rest /= 10;
    }
    let text = text.get(start.min(text.len() - least)..).unwrap_or_default();
    out.extend(text.iter().map(|digit| char::from(*digit)));
}

/// Year, month and day, so many days after Go's first one.
fn date(days: u64) -> (i64, u64, u64) {
    let (era, day_of_era) = (days / ERA_DAYS, days % ERA_DAYS);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year =
        (era.cast_signed() + FIRST_ERA) * 400 + year_of_era.cast_signed() + i64::from(month <= 2);
    (year, month, day)
}

/// Days from 1970-01-01 to a day of the years 0 to 9999.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * ERA_DAYS.cast_signed() + day_of_era - 719_468
}

fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Reads a time as `time.Parse` does; or says which part does not fit.
pub(super) fn parse(text: &str, layout: Layout) -> Result<Timestamp, &'static str> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.number(4, 4).ok_or("the year has not four digits")?;
    let month = rest.after(b'-', 2, 1, 12).ok_or("the month is not -01 to -12")?;
    let day = rest.after(b'-', 2, 0, 99).ok_or("the day has not two digits")?;
    let hour = rest.after(b'T', 1, 0, 23).ok_or("the hour is not T00 to T23")?;
    let minute = rest.after(b':', 2, 0, 59).ok_or("the minute is not :00 to :59")?;
    let second = rest.after(b':', 2, 0, 59).ok_or("the second is not :00 to :59")?;
    let nanos = match layout {
        Layout::Seconds => rest.fraction(),
        Layout::Micros => rest.micros().ok_or("the fraction has not six digits")?,
    };
    let offset = rest.offset().ok_or("the offset is neither Z nor like +00:00")?;
    if !rest.0.is_empty() {
        return Err("something follows the offset");
    }
    if day < 1 || day > days_in(month, year) {
        return Err("the month has no such day");
    }
    let seconds = days_from_epoch(year, month, day) * DAY_SECONDS.cast_signed()
        + (hour * 60 + minute) * 60
        + second;
    Timestamp::from_unix(seconds - offset, nanos).ok_or("the fraction is out of range")
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn advance(&mut self, bytes: usize) {
        self.0 = self.0.get(bytes..).unwrap_or_default();
    }

    /// A number of `least` to `most` digits, as many of them as there are.
    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let digits = self.0.iter().take(most).take_while(|byte| byte.is_ascii_digit());
        let (mut count, mut number) = (0, 0);
        for digit in digits {
            count += 1;
            number = number * 10 + i64::from(digit - b'0');
        }
        self.advance(count);
        (count >= least).then_some(number)
    }

    /// `mark`, then a number of `least` to two digits from `min` to `max`.
    fn after(&mut self, mark: u8, least: usize, min: i64, max: i64) -> Option<i64> {
        if self.peek() != Some(mark) {
            return None;
        }
        self.advance(1);
        self.number(least, 2).filter(|number| (min..=max).contains(number))
    }

    /// Nanoseconds of a point or comma and any number of digits, of which nine count; zero if
    /// there is no such thing.
    fn fraction(&mut self) -> u32 {
        let [b'.' | b',', rest @ ..] = self.0 else { return 0 };
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return 0; // what stands here will not do as an offset either
        }
        let digits = rest.iter().take(count).map(|digit| u32::from(digit - b'0'));
        let nanos =
            digits.chain(core::iter::repeat(0)).take(9).fold(0, |sum, digit| sum * 10 + digit);
        self.advance(1 + count);
        nanos
    }

    /// Nanoseconds of a point or comma and six digits. In place of the first digit Go takes a
    /// sign, as long as the number is not below zero: `.+12345` is 12,345 microseconds.
    fn micros(&mut self) -> Option<u32> {
        let (fraction, _) = self.0.split_first_chunk::<7>()?;
        let (b'.' | b',', signed) = fraction.split_first()? else { return None };
        let negative = signed.starts_with(b"-");
        let digits = if let [b'+' | b'-', digits @ ..] = signed { digits } else { signed };
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let micros = digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        self.advance(7);
        (!negative || micros == 0).then_some(micros * 1000)
    }

    /// Seconds east of UTC: `Z`, or a sign, two digits up to 24, a colon, two digits up to 60.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.peek()? {
            b'Z' => {
                self.advance(1);
                return Some(0);
            }
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.advance(1);
        let hours = self.number(2, 2).filter(|hours| *hours <= 24)?;
        let minutes = self.after(b':', 2, 0, 60)?;
        Some(sign * (hours * 60 + minutes) * 60)
    }
}
