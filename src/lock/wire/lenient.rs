//! Reading what Go refuses and what yet has one meaning.
//!
//! The text is mended, then read by the strict reader: so the two cannot differ in anything but what
//! is listed as forgiven.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::error::WireError;
use super::shape::{Fields, Keys, Shape, entry, members};
use super::time::{self, Layout};
use super::value::{Document, Kind, Value};

/// What was read, and what had to be forgiven for it.
///
/// ```
/// let lenient = tenure::lock::wire::record_from_lenient_json(b"{}")?;
/// assert_eq!(lenient.value, tenure::lock::Record::default());
/// assert!(lenient.forgiven.is_empty());
/// # Ok::<(), tenure::lock::wire::WireError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lenient<T> {
    /// What the text means.
    pub value: T,
    /// What Go refuses in it, in the order of the text; nothing if Go reads it.
    pub forgiven: Vec<Forgiven>,
}

/// Something in a text that Go refuses, and as what it was read.
///
/// An operator should hear of it: client-go cannot read this lock, and a candidate that cannot read
/// it never takes it over.
///
/// ```
/// use tenure::lock::wire::lease_from_lenient_json;
/// let text = br#"{"spec":{"leaseDurationSeconds":15.0}}"#;
/// let forgiven = lease_from_lenient_json(text)?.forgiven;
/// assert_eq!(forgiven[0].read_as, "15");
/// assert_eq!(
///     forgiven[0].to_string(),
///     "spec.leaseDurationSeconds is 15.0: it should be a whole number of 32 bits, without fraction or exponent; read as 15",
/// );
/// # Ok::<(), tenure::lock::wire::WireError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgiven {
    /// What the strict reader has against it: which field, what it holds, what it should hold.
    pub error: WireError,
    /// What it was taken for, as it should have been written; empty for what was left out.
    pub read_as: String,
}

impl fmt::Display for Forgiven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.read_as {
            "" => write!(f, "{}; left out", self.error),
            read_as => write!(f, "{}; read as {read_as}", self.error),
        }
    }
}

/// What the strict reader makes of `text`, or of the text mended.
pub(super) fn read<T>(
    text: &[u8],
    fields: Fields,
    strict: impl Fn(&[u8]) -> Result<T, WireError>,
) -> Result<Lenient<T>, WireError> {
    let first = match strict(text) {
        Ok(value) => return Ok(Lenient { value, forgiven: Vec::new() }),
        Err(error) => error,
    };
    let mut forgiven = Vec::new();
    let text = match text.strip_prefix(b"\xef\xbb\xbf") {
        None => text,
        Some(rest) => {
            forgiven.push(Forgiven { error: first, read_as: String::new() });
            rest
        }
    };
    let document = Document::parse(text)?;
    let mut mender = Mender { forgiven };
    let plain = mender.mend(&Shape::Struct(fields), document.value())?;
    Ok(Lenient { value: strict(&plain)?, forgiven: mender.forgiven })
}

struct Mender {
    forgiven: Vec<Forgiven>,
}

impl Mender {
    /// The text of `value`, all that Go refuses in it written as Go wants it.
    fn mend<'a>(&mut self, shape: &Shape, value: Value<'a>) -> Result<Cow<'a, [u8]>, WireError> {
        let Err(error) = shape.check(value, Keys::Folded) else {
            return Ok(value.bytes().into());
        };
        let mut out = Vec::new();
        match (shape, value.kind()) {
            (Shape::Struct(fields), Kind::Object) => {
                for member in members(value, Keys::Folded, fields) {
                    separate(&mut out, b'{');
                    out.extend_from_slice(member.key.bytes());
                    out.push(b':');
                    out.extend_from_slice(&match member.field {
                        Some((_, (name, shape))) => self.within(name, shape, member.value)?,
                        None => member.value.bytes().into(),
                    });
                }
                out.push(b'}');
            }
            (Shape::Map(shape), Kind::Object) => {
                for (key, value) in value.members() {
                    separate(&mut out, b'{');
                    out.extend_from_slice(key.bytes());
                    out.push(b':');
                    out.extend_from_slice(&self.within(&entry(key), shape, value)?);
                }
                out.push(b'}');
            }
            (Shape::List(shape), Kind::Array) => {
                for (index, value) in value.items().enumerate() {
                    separate(&mut out, b'[');
                    out.extend_from_slice(&self.within(&format!("[{index}]"), shape, value)?);
                }
                out.push(b']');
            }
            _ => {
                let read_as = meaning(shape, value).ok_or_else(|| error.clone())?;
                let mended = Document::parse(read_as.as_bytes())?;
                shape.check(mended.value(), Keys::Folded).map_err(|_| error.clone())?;
                out = read_as.clone().into_bytes();
                self.forgiven.push(Forgiven { error, read_as });
            }
        }
        Ok(out.into())
    }

    /// As [`mend`](Self::mend), for a part of something: what is said of it names the part.
    fn within<'a>(
        &mut self,
        name: &str,
        shape: &Shape,
        value: Value<'a>,
    ) -> Result<Cow<'a, [u8]>, WireError> {
        let mut inner = Self { forgiven: Vec::new() };
        let mended = inner.mend(shape, value).map_err(|error| error.within(name))?;
        self.forgiven.extend(inner.forgiven.into_iter().map(|forgiven| {
            let error = forgiven.error.within(name);
            Forgiven { error, ..forgiven }
        }));
        Ok(mended)
    }
}

/// The bracket before the first item, a comma before the others.
fn separate(out: &mut Vec<u8>, bracket: u8) {
    out.push(if out.is_empty() { bracket } else { b',' });
}

/// The one thing that a scalar can mean, as Go would write it.
fn meaning(shape: &Shape, value: Value<'_>) -> Option<String> {
    match (shape, value.kind()) {
        (Shape::Int32 | Shape::Int64, Kind::Number) => {
            whole_number(core::str::from_utf8(value.bytes()).ok()?)
        }
        (Shape::Int32 | Shape::Int64, Kind::Text) => {
            let text = value.text()?;
            let document = Document::parse(text.as_bytes()).ok()?;
            let number = document.value();
            let alone = number.kind() == Kind::Number && number.bytes() == text.as_bytes();
            alone.then(|| whole_number(&text))?
        }
        (Shape::Time(layout), Kind::Text) => {
            plain_time(&value.text()?, *layout).map(|text| format!("\"{text}\""))
        }
        _ => None,
    }
}

/// A JSON number without fraction and exponent, if it is whole and not absurdly large.
fn whole_number(number: &str) -> Option<String> {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some("0".into());
    }
    // Where the point stands behind the first digit: those after it must all be zeros.
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent.parse().ok()?)?;
    let zeros = usize::try_from(point).ok()?.checked_sub(significant.len())?;
    let leading = significant.len() - significant.trim_start_matches('0').len();
    if significant.len() + zeros - leading > 19 {
        return None; // more than 64 bits
    }
    let significant = significant.trim_start_matches('0');
    Some(format!("{sign}{significant}{}", "0".repeat(zeros)))
}

/// A time as Go reads it, if `text` is one in another dress: small letters or a space for `T`, no
/// dashes and colons (ISO 8601's basic form), an offset without colon or minutes; for a
/// [`Layout::Micros`] a fraction of any length, cut after six digits.
fn plain_time(text: &str, layout: Layout) -> Option<String> {
    if !text.is_ascii() || text.len() > 64 {
        return None;
    }
    let basic = text.get(4..5)? != "-";
    let (date, rest) = text.split_at_checked(if basic { 8 } else { 10 })?;
    let clock = rest.strip_prefix(['T', 't', ' '])?;
    let zone = clock.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = clock.split_at_checked(zone)?;
    let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, "0"));
    let parts = |text: &str, at: usize, mark: char| {
        let (first, rest) = text.split_at_checked(at)?;
        let (second, third) = rest.split_at_checked(2)?;
        Some(format!("{first}{mark}{second}{mark}{third}"))
    };
    let (date, clock) = if basic {
        (parts(date, 4, '-')?, parts(clock, 2, ':')?)
    } else {
        (date.into(), clock.into())
    };
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction = match layout {
        Layout::Seconds => fraction.into(),
        Layout::Micros => format!("{:0<6}", fraction.get(..6).unwrap_or(fraction)),
    };
    let zone = match zone {
        "Z" | "z" => "Z".into(),
        _ if zone.len() == 3 => format!("{zone}:00"),
        _ if zone.len() == 5 => {
            let (hours, minutes) = zone.split_at_checked(3)?;
            format!("{hours}:{minutes}")
        }
        _ => zone.into(),
    };
    let plain = format!("{date}T{clock}.{fraction}{zone}");
    time::parse(&plain, layout).is_ok().then_some(plain)
}
