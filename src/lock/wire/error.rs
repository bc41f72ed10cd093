//! What is wrong with a text, in words that say what to do about it.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// Why a text is not a record or an object that Go would accept.
///
/// The text of an error is one line: which field, what it holds, what it should hold.
///
/// ```
/// use tenure::lock::wire::{WireError, record_from_json};
/// let error = record_from_json(br#"{"leaseDurationSeconds":1.5}"#).unwrap_err();
/// assert!(matches!(error, WireError::Type { .. }));
/// assert_eq!(
///     error.to_string(),
///     "leaseDurationSeconds is 1.5: it should be a whole number of 64 bits, without fraction or exponent",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireError {
    /// The text is not JSON, or nested deeper than Go allows (10,000).
    Syntax {
        /// Where, in bytes from the start.
        offset: usize,
        /// The byte there; none at the end of the text.
        found: Option<u8>,
        /// What may stand there.
        expected: &'static str,
    },
    /// A field holds a value of another type, or a number out of range.
    Type {
        /// The path of the field, as `spec.leaseTransitions`; empty for the whole text.
        field: String,
        /// The start of the value, as it stands in the text.
        found: String,
        /// What the field takes.
        expected: &'static str,
    },
    /// A field holds a string that Go does not read as a time.
    Time {
        /// The path of the field.
        field: String,
        /// The string.
        found: String,
        /// The first part of it that does not fit.
        problem: &'static str,
        /// A time as it should be written.
        example: &'static str,
    },
    /// The text is an object of another kind or version than the one asked for.
    Object {
        /// `kind` or `apiVersion`.
        field: &'static str,
        /// What the text says; empty if it says nothing.
        found: String,
        /// What it should say.
        expected: &'static str,
    },
}

impl WireError {
    /// The same error, seen from the object whose member `outer` is at fault.
    pub(super) fn within(mut self, outer: &str) -> Self {
        if let Self::Type { field, .. } | Self::Time { field, .. } = &mut self {
            *field = match field.chars().next() {
                None => outer.to_owned(),
                Some('[') => format!("{outer}{field}"),
                Some(_) => format!("{outer}.{field}"),
            };
        }
        self
    }
}

/// At most the first 64 characters, since a text may be large.
struct Short<'a>(&'a str);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(64) {
            Some((end, _)) => {
                write!(f, "{}…", self.0.get(..end).unwrap_or_default().escape_debug())
            }
            None => write!(f, "{}", self.0.escape_debug()),
        }
    }
}

/// The bytes as text for people, cut short.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..256).unwrap_or(bytes));
    text.chars().take(65).collect()
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { offset, found: Some(byte), expected } => write!(
                f,
                "byte {offset} of the JSON text is '{}': it should be {expected}",
                byte.escape_ascii()
            ),
            Self::Syntax { offset, found: None, expected } => {
                write!(f, "the JSON text ends after {offset} bytes: {expected} should follow")
            }
            Self::Type { field, found, expected } => {
                let field = if field.is_empty() { "the text" } else { field };
                write!(f, "{field} is ")?;
                // A string value stands here with its quotes and escapes.
                let mut cut = found.chars();
                cut.by_ref()
                    .take(64)
                    .filter(|c| !c.is_control())
                    .try_for_each(|c| write!(f, "{c}"))?;
                let more = if cut.next().is_some() { "…" } else { "" };
                write!(f, "{more}: it should be {expected}")
            }
            Self::Time { field, found, problem, example } => write!(
                f,
                "{field} is \"{}\", not a time ({problem}): write it like \"{example}\"",
                Short(found)
            ),
            Self::Object { field, found, expected } if found.is_empty() => {
                write!(f, "{field} is missing: it should be \"{expected}\"")
            }
            Self::Object { field, found, expected } => {
                write!(f, "{field} is \"{}\": it should be \"{expected}\"", Short(found))
            }
        }
    }
}

impl core::error::Error for WireError {}
