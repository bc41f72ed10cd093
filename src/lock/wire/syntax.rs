//! Whether a text is JSON, by Go's rules.
//!
//! Go looks through a whole text before it reads any of it (`encoding/json`, `Unmarshal`), so
//! that a text with a mistake changes nothing. The grammar is RFC 8259's. Strings may hold any
//! bytes from space on, also such as are not UTF-8, and lone surrogates. There is no recursion.

use alloc::vec::Vec;

use super::error::WireError;

/// How deep Go lets objects and arrays nest.
const MAX_DEPTH: usize = 10_000;

/// An object or array in a text.
#[derive(Clone, Copy)]
pub(super) struct Container {
    /// Its bytes, brackets included.
    pub(super) length: usize,
    /// How many containers it is and holds.
    pub(super) containers: usize,
}

/// Checks that `text` is one JSON value, with white space around it; gives its containers in the
/// order in which they open, so that a reader can step over each at once.
pub(super) fn check(text: &[u8]) -> Result<Vec<Container>, WireError> {
    let mut scanner = Scanner { text, at: 0 };
    let mut open = Vec::new(); // opening brackets, each with the number of its container
    let mut containers = Vec::new(); // length: where it starts, until its end is known
    loop {
        scanner.space();
        if !scanner.value(&mut open, &mut containers)? {
            continue; // into the container
        }
        loop {
            scanner.space();
            match (open.last().copied(), scanner.peek()) {
                (None, None) => return Ok(containers),
                (None, Some(_)) => return Err(scanner.expected("the end, after one value")),
                (Some((bracket, _)), Some(b',')) => {
                    scanner.at += 1;
                    if bracket == b'{' {
                        scanner.key()?;
                    }
                    break;
                }
                (Some((bracket, number)), Some(byte)) if byte == closing(bracket) => {
                    scanner.at += 1;
                    open.pop();
                    let count = containers.len() - number;
                    if let Some(container) = containers.get_mut(number) {
                        let length = scanner.at - container.length;
                        *container = Container { length, containers: count };
                    }
                }
                (Some((b'{', _)), _) => return Err(scanner.expected("',' or '}' after a member")),
                (Some(_), _) => return Err(scanner.expected("',' or ']' after an element")),
            }
        }
    }
}

const fn closing(bracket: u8) -> u8 {
    if bracket == b'{' { b'}' } else { b']' }
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn expected(&self, expected: &'static str) -> WireError {
        WireError::Syntax { offset: self.at, found: self.peek(), expected }
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|byte| !skipped(*byte)).unwrap_or(rest.len());
    }

    fn space(&mut self) {
        self.skip(is_space);
    }

    fn one(&mut self, byte: u8, expected: &'static str) -> Result<(), WireError> {
        if self.peek() != Some(byte) {
            return Err(self.expected(expected));
        }
        self.at += 1;
        Ok(())
    }

    /// Steps over a value; of a container that is not empty only over its opening bracket and
    /// first key: then it answers no.
    fn value(
        &mut self,
        open: &mut Vec<(u8, usize)>,
        containers: &mut Vec<Container>,
    ) -> Result<bool, WireError> {
        match self.peek() {
            Some(bracket @ (b'{' | b'[')) => {
                if open.len() == MAX_DEPTH {
                    return Err(self.expected("no deeper than 10000 objects and arrays"));
                }
                let start = self.at;
                self.at += 1;
                self.space();
                if self.peek() == Some(closing(bracket)) {
                    self.at += 1;
                    containers.push(Container { length: self.at - start, containers: 1 });
                    return Ok(true);
                }
                open.push((bracket, containers.len()));
                containers.push(Container { length: start, containers: 1 });
                if bracket == b'{' {
                    self.key()?;
                }
                return Ok(false);
            }
            Some(b'"') => self.string()?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true")?,
            Some(b'f') => self.word("false")?,
            Some(b'n') => self.word("null")?,
            _ => return Err(self.expected("the start of a value")),
        }
        Ok(true)
    }

    fn key(&mut self) -> Result<(), WireError> {
        self.space();
        if self.peek() != Some(b'"') {
            return Err(self.expected("a key in double quotes"));
        }
        self.string()?;
        self.space();
        self.one(b':', "':' after a key")
    }

    fn word(&mut self, word: &'static str) -> Result<(), WireError> {
        word.bytes().try_for_each(|byte| self.one(byte, word))
    }

    fn string(&mut self) -> Result<(), WireError> {
        self.at += 1;
        loop {
            self.skip(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.expected("an escape such as \\n or \\u000a")),
                None => return Err(self.expected("the rest of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), WireError> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.expected("four hexadecimal digits after \\u"));
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.expected("one of \" \\ / b f n r t u after a backslash")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), WireError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1; // no digit may follow
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), WireError> {
        let start = self.at;
        self.skip(|byte| byte.is_ascii_digit());
        if self.at == start { Err(self.expected("a digit")) } else { Ok(()) }
    }
}

/// JSON's white space.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
