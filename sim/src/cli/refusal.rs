//! Wrong input: one line that says where, what, and what to do about it.

use core::fmt;
use std::io::{self, Write as _};
use std::path::Path;

use super::output::harmless;

/// Why a command did nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal(String);

impl Refusal {
    pub(super) fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }

    /// About a file.
    pub(super) fn file(path: &Path, what: impl fmt::Display) -> Self {
        Self(format!("{}: {what}", path.display()))
    }

    /// The same about what was given with this option.
    pub(super) fn of(self, option: &str) -> Self {
        Self(format!("{option} {}", self.0))
    }

    /// A file that cannot be read.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let remedy = match error.kind() {
            io::ErrorKind::InvalidData => "write it in UTF-8",
            io::ErrorKind::FileTooLarge => "name another file, or a part of it",
            _ => "name a file that can be read",
        };
        Self::file(path, format_args!("cannot be read ({error}): {remedy}"))
    }

    /// A file that cannot be written.
    pub(super) fn unwritable(path: &Path, error: &io::Error) -> Self {
        let remedy = "name a file in a directory that can be written to";
        Self::file(path, format_args!("cannot be written ({error}): {remedy}"))
    }

    /// Says it, and gives the exit status for it.
    pub(super) fn print(&self) -> u8 {
        // One line, whatever a parser's message contains.
        let line = self.0.split(['\n', '\r']).collect::<Vec<_>>().join(" ");
        let line = shortened(harmless(line));
        // Whoever closed stderr does not want to know.
        let _ = writeln!(io::stderr(), "tenure: {line}");
        2
    }
}

/// Without the middle if it is long, as when a parser quotes what it read: where stands first, what to
/// do last.
fn shortened(line: String) -> String {
    const ENDS: usize = 500;
    let letters = line.chars().count();
    if letters <= 2 * ENDS {
        return line;
    }
    let first = line.chars().take(ENDS);
    first.chain(['…']).chain(line.chars().skip(letters - ENDS)).collect()
}
