//! Keeping entries, writing them down and reading them back.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use super::{Entry, FORMAT, Header};
use crate::check::{Check, Violation};

/// Keeps all entries of a run. It is a [`Check`] that finds nothing, so that it stands beside others:
/// `world.run(&mut (checks, recorder))`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorder {
    /// What was seen.
    pub entries: Vec<Entry>,
}

impl Check for Recorder {
    fn name(&self) -> &'static str {
        "recorder"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        self.entries.push(entry.clone());
    }
}

/// Writes a trace as JSON lines while it happens. The first error is kept and ends the writing.
#[derive(Debug)]
pub struct Writer<W: Write> {
    to: W,
    error: Option<io::Error>,
}

impl<W: Write> Writer<W> {
    /// Begins a trace with its header.
    pub fn new(to: W, header: &Header) -> Self {
        let mut writer = Self { to, error: None };
        writer.line(header);
        writer
    }

    /// Hands back what was written to.
    ///
    /// # Errors
    /// The first error in writing.
    pub fn finish(mut self) -> io::Result<W> {
        match self.error {
            Some(error) => Err(error),
            None => self.to.flush().map(|()| self.to),
        }
    }

    fn line(&mut self, value: &impl Serialize) {
        if self.error.is_none() {
            let written = serde_json::to_writer(&mut self.to, value).map_err(io::Error::from);
            self.error = written.and_then(|()| self.to.write_all(b"\n")).err();
        }
    }
}

impl<W: Write> Check for Writer<W> {
    fn name(&self) -> &'static str {
        "writer"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        self.line(entry);
    }
}

/// Reads a trace back.
///
/// # Errors
/// If a line cannot be read or is not what it should be: another format, an entry out of its order.
/// The error names the line.
pub fn read(from: impl BufRead) -> io::Result<(Header, Vec<Entry>)> {
    let mut header = None;
    let mut entries: Vec<Entry> = Vec::new();
    for (number, line) in (1_u64..).zip(from.lines()) {
        let line = line?;
        let wrong = |what: String| invalid(format!("line {number}: {what}"));
        if header.is_none() {
            header = Some(read_header(&line).map_err(wrong)?);
            continue;
        }
        let entry: Entry = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
        let next = entries.len() as u64;
        if entry.seq != next || entries.last().is_some_and(|last| last.at > entry.at) {
            let (seq, at) = (entry.seq, entry.at);
            let what = format!("entry {seq} of {at} is not in its place, which is that of {next}");
            return Err(wrong(what));
        }
        entries.push(entry);
    }
    let header =
        header.ok_or_else(|| invalid("empty: a trace begins with a header line".to_owned()))?;
    Ok((header, entries))
}

fn read_header(line: &str) -> Result<Header, String> {
    /// The format comes first: the rest of another one may look different.
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let Format { format } = serde_json::from_str(line).map_err(|error| error.to_string())?;
    if format != FORMAT {
        return Err(format!("format is {format}: this version reads {FORMAT}"));
    }
    serde_json::from_str(line).map_err(|error| error.to_string())
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
