//! Reading a text that [`check`] has found to be JSON.

use alloc::borrow::Cow;
use alloc::string::String;

use super::error::WireError;
use super::syntax::{Container, check, is_space};
use alloc::vec::Vec;

/// A text that is JSON.
pub(super) struct Document<'a> {
    text: &'a [u8],
    containers: Vec<Container>,
}

impl<'a> Document<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Result<Self, WireError> {
        Ok(Self { text, containers: check(text)? })
    }

    /// The value that the text is.
    pub(super) fn value(&self) -> Value<'_> {
        Value { bytes: self.text.trim_ascii(), containers: &self.containers }
    }
}

/// One JSON value.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    /// Without white space around it.
    bytes: &'a [u8],
    /// Itself, if it is one, and those in it.
    containers: &'a [Container],
}

/// What a value is, by its first byte.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool,
    Number,
    Text,
    Array,
    Object,
}

impl<'a> Value<'a> {
    pub(super) fn kind(self) -> Kind {
        match self.bytes.first() {
            Some(b'n') | None => Kind::Null,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'"') => Kind::Text,
            Some(b'[') => Kind::Array,
            Some(b'{') => Kind::Object,
            Some(_) => Kind::Number,
        }
    }

    /// The value as it stands in the text.
    pub(super) const fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The elements of an array; keys and values of an object, by turns.
    pub(super) fn items(self) -> Items<'a> {
        let bytes = match self.kind() {
            Kind::Array | Kind::Object => self.bytes.get(1..).unwrap_or_default(),
            _ => &[],
        };
        Items { bytes, containers: self.containers.get(1..).unwrap_or_default() }
    }

    /// The members of an object: keys, which are strings, and values.
    pub(super) fn members(self) -> impl Iterator<Item = (Value<'a>, Value<'a>)> {
        let mut items = self.items();
        core::iter::from_fn(move || Some((items.next()?, items.next()?)))
    }

    /// The number, if it is a whole one of 64 bits, written without fraction and exponent.
    pub(super) fn int(self) -> Option<i64> {
        core::str::from_utf8(self.bytes).ok()?.parse().ok()
    }

    /// The characters of a string. What is no character (a byte that is not UTF-8, half of a pair
    /// of surrogates) is U+FFFD, as in Go.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        let mut rest = self.bytes.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        if !rest.contains(&b'\\')
            && let Ok(plain) = core::str::from_utf8(rest)
        {
            return Some(Cow::Borrowed(plain));
        }
        let mut out = String::with_capacity(rest.len());
        while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
            let (plain, escape) = rest.split_at(at);
            push_bytes(&mut out, plain);
            let (letter, tail) = escape.get(1..)?.split_first()?;
            rest = tail;
            out.push(match letter {
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => unicode_escape(&mut rest)?,
                other => char::from(*other),
            });
        }
        push_bytes(&mut out, rest);
        Some(Cow::Owned(out))
    }
}

/// Adds `bytes`, with one U+FFFD for *each* byte that is not UTF-8 (Rust's lossy conversion writes
/// one for a whole broken sequence).
pub(super) fn push_bytes(out: &mut String, bytes: &[u8]) {
    if let Ok(text) = core::str::from_utf8(bytes) {
        out.push_str(text);
        return;
    }
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
}

/// The character whose escape goes on with the four digits at the start of `rest`; takes them off,
/// and the escape of the second half if it completes a pair of surrogates.
fn unicode_escape(rest: &mut &[u8]) -> Option<char> {
    let first = utf16_unit(rest)?;
    *rest = rest.get(4..)?;
    if let Some(Ok(character)) = char::decode_utf16([first]).next() {
        return Some(character);
    }
    let second = rest.strip_prefix(b"\\u").and_then(utf16_unit);
    let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
    if pair.is_some() {
        *rest = rest.get(6..)?;
    }
    Some(pair.unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn utf16_unit(digits: &[u8]) -> Option<u16> {
    u16::from_str_radix(core::str::from_utf8(digits.get(..4)?).ok()?, 16).ok()
}

/// Steps over the values in a container.
pub(super) struct Items<'a> {
    bytes: &'a [u8],
    containers: &'a [Container],
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let between = |byte: u8| is_space(byte) || byte == b',' || byte == b':';
        let start = self.bytes.iter().position(|byte| !between(*byte))?;
        let rest = self.bytes.get(start..)?;
        let (length, count) = match rest.first()? {
            b'}' | b']' => return None,
            b'{' | b'[' => {
                let container = self.containers.first()?;
                (container.length, container.containers)
            }
            b'"' => (string_length(rest), 0),
            _ => (rest.iter().position(|byte| between(*byte) || b"}]".contains(byte))?, 0),
        };
        let (bytes, after) = rest.split_at_checked(length)?;
        let (containers, others) = self.containers.split_at_checked(count)?;
        *self = Self { bytes: after, containers: others };
        Some(Value { bytes, containers })
    }
}

/// How long the string is with which `text` starts.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(rest) = text.get(at..) {
        match rest.iter().position(|byte| *byte == b'"' || *byte == b'\\') {
            None => break,
            Some(end) if rest.get(end) == Some(&b'"') => return at + end + 1,
            Some(escape) => at += escape + 2,
        }
    }
    text.len()
}
