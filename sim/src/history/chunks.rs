//! Cutting a stream into values: one a line, or pretty-printed one behind the other, as `kubectl` does.

use std::io::{self, BufRead};

/// A longer value is damaged. An object of Kubernetes has a megabyte and a half at most, and an audit
/// event holds two.
pub(super) const LONGEST: usize = 16 << 20;

/// One value's text and the number of its first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunk<'a> {
    /// Something that may be a value, or several in one line.
    Value { line: u64, text: &'a [u8] },
    /// What cannot be one, and why.
    Damaged { line: u64, why: &'static str },
    /// The end.
    End,
}

/// Cuts a stream, in memory for one value.
#[derive(Debug)]
pub(super) struct Chunks<R> {
    from: R,
    /// Lines that were read.
    lines: u64,
    bytes: u64,
    line: Vec<u8>,
    value: Vec<u8>,
    /// `line` is the first of the next value.
    kept: bool,
}

/// What one line is to the values.
enum Line {
    Ended,
    TooLong,
    Read,
}

impl<R: BufRead> Chunks<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, lines: 0, bytes: 0, line: Vec::new(), value: Vec::new(), kept: false }
    }

    /// How many lines and bytes were read.
    pub(super) const fn read(&self) -> (u64, u64) {
        (self.lines, self.bytes)
    }

    /// The next value; white space between them is none.
    pub(super) fn next(&mut self) -> io::Result<Chunk<'_>> {
        loop {
            match self.read_line()? {
                Line::Ended => return Ok(Chunk::End),
                Line::TooLong => return Ok(damaged(self.lines, "longer than 16 megabytes")),
                Line::Read => {}
            }
            let line = self.lines;
            let text = self.line.trim_ascii();
            let text =
                if line == 1 { text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text) } else { text };
            match text {
                [] => {}
                [b'{'] => return self.pretty(line),
                [b'{', ..] => {
                    // Taken anew: what is borrowed in a loop cannot leave it.
                    let start = self.line.iter().position(|byte| *byte == b'{').unwrap_or(0);
                    let text = self.line.get(start..).unwrap_or_default().trim_ascii_end();
                    return Ok(Chunk::Value { line, text });
                }
                _ => {
                    self.pass_over_inner_lines()?;
                    return Ok(damaged(line, "no JSON object"));
                }
            }
        }
    }

    /// A value that began with a brace alone, up to the line that is its counterpart.
    fn pretty(&mut self, first: u64) -> io::Result<Chunk<'_>> {
        self.value.clear();
        self.value.extend_from_slice(&self.line);
        loop {
            match self.read_line()? {
                Line::Ended => return Ok(damaged(first, "cut off at the end")),
                Line::TooLong => return Ok(damaged(first, "longer than 16 megabytes")),
                Line::Read => {}
            }
            let begins = self.line.first() == Some(&b'{');
            if begins {
                self.kept = true;
                return Ok(damaged(first, "cut off: another value begins"));
            }
            if self.value.len() + self.line.len() > LONGEST {
                return Ok(damaged(first, "longer than 16 megabytes"));
            }
            self.value.extend_from_slice(&self.line);
            if self.line.trim_ascii_end() == b"}" {
                return Ok(Chunk::Value { line: first, text: &self.value });
            }
        }
    }

    /// What is left of a value whose beginning is missing counts once.
    fn pass_over_inner_lines(&mut self) -> io::Result<()> {
        let inner = |line: &[u8]| matches!(line.first(), Some(b' ' | b'\t' | b'}' | b']'));
        while inner(&self.line) {
            match self.read_line()? {
                Line::Ended => return Ok(()),
                Line::TooLong => {}
                Line::Read => self.kept = !inner(&self.line),
            }
        }
        Ok(())
    }

    fn read_line(&mut self) -> io::Result<Line> {
        if std::mem::take(&mut self.kept) {
            return Ok(Line::Read);
        }
        self.line.clear();
        // As `BufRead::read_until`, with a faster search and a bound.
        loop {
            let buffer = self.from.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', buffer).map(|end| end + 1);
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or(buffer);
            if self.line.len() + part.len() > LONGEST {
                self.line.clear();
                self.lines += 1;
                self.bytes += skip_line(&mut self.from)?;
                return Ok(Line::TooLong);
            }
            self.line.extend_from_slice(part);
            let length = part.len();
            self.from.consume(length);
            self.bytes += length as u64;
            if end.is_some() {
                break;
            }
        }
        if self.line.is_empty() {
            return Ok(Line::Ended);
        }
        self.lines += 1;
        Ok(Line::Read)
    }
}

const fn damaged(line: u64, why: &'static str) -> Chunk<'static> {
    Chunk::Damaged { line, why }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Goes on behind the end of the line; says how many bytes that took.
fn skip_line(from: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = from.fill_buf()?;
        let (length, ended) = match memchr::memchr(b'\n', buffer) {
            Some(end) => (end + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        from.consume(length);
        skipped += length as u64;
        if ended {
            return Ok(skipped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &[u8]) -> Vec<(u64, String)> {
        let mut chunks = Chunks::new(text);
        let mut found = Vec::new();
        loop {
            match chunks.next().unwrap() {
                Chunk::Value { line, text } => {
                    found.push((line, String::from_utf8_lossy(text).into_owned()));
                }
                Chunk::Damaged { line, why } => found.push((line, format!("! {why}"))),
                Chunk::End => return found,
            }
        }
    }

    fn told(found: &[(u64, String)]) -> Vec<(u64, &str)> {
        found.iter().map(|(line, text)| (*line, text.as_str())).collect()
    }

    #[test]
    fn a_value_a_line_or_over_many() {
        let text =
            b"\xef\xbb\xbf{\"a\":1}\n\n {\"b\":2} \r\n{\n  \"c\": {\n  }\n}\n{\n}\n{\"d\":3}";
        let found = cut(text);
        let expected = [
            (1, "{\"a\":1}"),
            (3, "{\"b\":2}"),
            (4, "{\n  \"c\": {\n  }\n}\n"),
            (8, "{\n}\n"),
            (10, "{\"d\":3}"),
        ];
        assert_eq!(told(&found), expected);
    }

    #[test]
    fn a_value_that_was_cut_costs_no_other() {
        let found = cut(b"  \"z\": {\n  }\n}\n{\n  \"a\": 1,\n{\n  \"b\": 2\n}\nx\ny\n{\n \"c\"");
        let expected = [
            (1, "! no JSON object"),
            (4, "! cut off: another value begins"),
            (6, "{\n  \"b\": 2\n}\n"),
            (9, "! no JSON object"),
            (10, "! no JSON object"),
            (11, "! cut off at the end"),
        ];
        assert_eq!(told(&found), expected);
    }

    #[test]
    fn what_is_too_long_is_passed_over() {
        let mut text = vec![b'x'; 3 * LONGEST];
        text.extend_from_slice(b"\n{\"a\":1}\n{\n");
        for _ in 0..3 {
            text.extend(std::iter::repeat_n(b' ', LONGEST / 2));
            text.push(b'\n');
        }
        let found = cut(&text);
        let expected = [
            (1, "! longer than 16 megabytes"),
            (2, "{\"a\":1}"),
            (3, "! longer than 16 megabytes"),
        ];
        assert_eq!(told(&found), expected);
    }
}
