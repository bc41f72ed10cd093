//! Reading a text that [`check`] has found to be JSON.

use alloc::borrow::Cow;
use alloc::string::String;

use super::error::WireError;
use super::syntax::{check, is_space};

/// The bytes of one JSON value, without white space around it.
#[derive(Clone, Copy)]
pub(super) struct Value<'a>(&'a [u8]);

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
    /// The value that `text` is.
    pub(super) fn parse(text: &'a [u8]) -> Result<Self, WireError> {
        check(text)?;
        Ok(Self(text.trim_ascii()))
    }

    pub(super) fn kind(self) -> Kind {
        match self.0.first() {
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
        self.0
    }

    /// The elements of an array; keys and values of an object, by turns.
    pub(super) fn items(self) -> Items<'a> {
        Items(match self.kind() {
            Kind::Array | Kind::Object => self.0.get(1..).unwrap_or_default(),
            _ => &[],
        })
    }

    /// The members of an object: keys, which are strings, and values.
    pub(super) fn members(self) -> impl Iterator<Item = (Value<'a>, Value<'a>)> {
        let mut items = self.items();
        core::iter::from_fn(move || Some((items.next()?, items.next()?)))
    }

    /// The number, if it is a whole one of 64 bits, written without fraction and exponent.
    pub(super) fn int(self) -> Option<i64> {
        core::str::from_utf8(self.0).ok()?.parse().ok()
    }

    /// The characters of a string. What is no character (a byte that is not UTF-8, half of a pair
    /// of surrogates) is U+FFFD, as in Go.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        let mut rest = self.0.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
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
pub(super) struct Items<'a>(&'a [u8]);

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let start = self.0.iter().position(|byte| !is_space(*byte) && !b",:".contains(byte))?;
        let rest = self.0.get(start..)?;
        if let Some(b'}' | b']') = rest.first() {
            return None;
        }
        let (value, rest) = rest.split_at(extent(rest));
        self.0 = rest;
        Some(Value(value))
    }
}

/// How long the value is with which `text` starts.
fn extent(text: &[u8]) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.iter().enumerate() {
        if quoted {
            if escaped || *byte == b'\\' {
                escaped = !escaped;
            } else if *byte == b'"' {
                quoted = false;
                if depth == 0 {
                    return at + 1;
                }
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 1 => depth -= 1,
            b'}' | b']' if depth == 1 => return at + 1,
            b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}
