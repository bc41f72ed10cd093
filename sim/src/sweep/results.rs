//! The file of a sweep: JSON lines, a header and then a line for each part that is done and each run
//! that failed, so that a sweep which was interrupted goes on where it was.

use core::ops::Range;
use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use super::Tally;
use crate::check::Violation;
use crate::subject::Subject;

/// Number of the format, in [`Header::format`].
pub const FORMAT: u32 = 1;

/// The first line: what is swept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header<S> {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of this crate.
    pub version: String,
    /// The scenario, as it was asked for.
    pub scenario: S,
}

impl<S: Subject> Header<S> {
    /// Of a sweep of this scenario.
    #[must_use]
    pub fn new(scenario: &S) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, version, scenario: scenario.clone() }
    }
}

/// Another line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Line<S> {
    /// These seeds are done.
    Part {
        /// The first.
        from: u64,
        /// One behind the last.
        to: u64,
        /// What they came to.
        tally: Tally,
    },
    /// A run failed. Not only its seed is kept: what is drawn from a seed may be another thing in the
    /// next version.
    Failed {
        /// Its seed.
        seed: u64,
        /// What was found first.
        violation: Option<Violation>,
        /// What was run, with all that was drawn.
        plan: S,
    },
}

/// What a file says of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The seeds that are done, in order, no two of them side by side.
    pub seeds: Vec<Range<u64>>,
    /// What they came to.
    pub tally: Tally,
    /// How many bytes of the file are whole lines; what follows was cut off.
    pub whole: u64,
}

/// Why a file is no sweep's, or another's.
#[derive(Debug)]
pub enum ReadError {
    /// It cannot be read.
    Io(io::Error),
    /// A line is not what it should be.
    Line {
        /// Which, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// It is about another scenario, or of another version.
    Another {
        /// What differs.
        what: &'static str,
    },
}

impl core::fmt::Display for ReadError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be read ({error}): name a file that can be read"),
            Self::Line { line, what } => {
                write!(f, "line {line}: {what}: name a file that `tenure sweep --out` wrote")
            }
            Self::Another { what } => {
                write!(f, "has the results of another sweep: its {what} differs: name another file")
            }
        }
    }
}

impl core::error::Error for ReadError {}

/// Reads what was done of the sweep of `scenario`. The last line may be cut off; it does not count.
///
/// # Errors
/// If it is no such file, or about something else.
pub fn read<S: Subject>(scenario: &S, mut file: impl BufRead) -> Result<Done, ReadError> {
    let mut done = Done { seeds: Vec::new(), tally: Tally::default(), whole: 0 };
    let mut text = String::new();
    for line in 1.. {
        text.clear();
        let length = file.read_line(&mut text).map_err(ReadError::Io)?;
        if !text.ends_with('\n') {
            break;
        }
        let wrong = |error: serde_json::Error| ReadError::Line { line, what: error.to_string() };
        if line == 1 {
            let header: Header<S> = serde_json::from_str(&text).map_err(wrong)?;
            let expected = Header::new(scenario);
            for (what, same) in [
                ("format", header.format == expected.format),
                ("version", header.version == expected.version),
                ("scenario", header.scenario == expected.scenario),
            ] {
                if !same {
                    return Err(ReadError::Another { what });
                }
            }
        } else if let Line::Part { from, to, tally } =
            serde_json::from_str::<Line<S>>(&text).map_err(wrong)?
        {
            let overlaps = done.seeds.iter().any(|known| from < known.end && known.start < to);
            if overlaps || from >= to {
                let what = format!("seeds {from} to {to} are there twice, or are none");
                return Err(ReadError::Line { line, what });
            }
            done.seeds.push(from..to);
            done.tally = core::mem::take(&mut done.tally).and(tally);
        }
        done.whole += length as u64;
    }
    done.seeds = joined(done.seeds);
    Ok(done)
}

/// Writes a line, and sees to it that it is not held back.
///
/// # Errors
/// If it cannot be written.
pub fn write(to: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    to.write_all(&text)?;
    to.flush()
}

/// In order, and what lies side by side as one.
fn joined(mut seeds: Vec<Range<u64>>) -> Vec<Range<u64>> {
    seeds.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in seeds {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

/// What of `all` is left, in parts of at most `size`, one after the other: there may be more of them than
/// memory has room for.
pub fn left(all: Range<u64>, done: &[Range<u64>], size: u64) -> impl Iterator<Item = Range<u64>> {
    let mut from = all.start;
    let stops = done.iter().map(|range| (range.start, range.end)).chain([(all.end, u64::MAX)]);
    let gaps = stops.map(move |(start, stop)| {
        let gap = from..start.min(all.end);
        from = from.max(stop);
        gap
    });
    gaps.flat_map(move |gap| {
        let mut from = gap.start;
        core::iter::from_fn(move || {
            let part = from;
            // Parts begin at multiples, so that they are the same whatever was done before.
            from = (part / size + 1).saturating_mul(size).min(gap.end);
            (part < gap.end).then_some(part..from)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::sweep::sweep;

    #[test]
    fn what_is_left_is_what_was_not_done() {
        let cut = |all: Range<u64>, done: &[(u64, u64)]| {
            let done: Vec<_> = done.iter().map(|(from, to)| *from..*to).collect();
            left(all, &done, 4).collect::<Vec<_>>()
        };
        assert_eq!(cut(1..10, &[]), [1..4, 4..8, 8..10]);
        assert_eq!(cut(1..10, &[(0, 2), (5, 6)]), [2..4, 4..5, 6..8, 8..10]);
        assert_eq!(cut(1..10, &[(0, 20)]), []);
        assert_eq!(cut(u64::MAX - 2..u64::MAX, &[]).len(), 1);
        let most = left(0..u64::MAX, &[0..4, 8..12], 4).take(3).collect::<Vec<_>>();
        assert_eq!(most, [4..8, 12..16, 16..20]);
    }

    #[test]
    fn a_file_that_was_cut_off_is_read_up_to_there() {
        let scenario = catalogue::find("random").unwrap();
        let mut file = Vec::new();
        write(&mut file, &Header::new(&scenario)).unwrap();
        let mut whole = Tally::default();
        for (from, to) in [(0, 3), (5, 8), (3, 5)] {
            let tally = sweep(&scenario, from..to, |_, _| {}).unwrap();
            whole = whole.and(tally.clone());
            write(&mut file, &Line::<crate::scenario::Scenario>::Part { from, to, tally }).unwrap();
        }
        let all = read(&scenario, file.as_slice()).unwrap();
        assert_eq!((all.seeds.first(), all.seeds.len()), (Some(&(0..8)), 1));
        assert_eq!(all.whole, file.len() as u64);
        assert_eq!(all.tally, whole);
        assert_eq!(whole, sweep(&scenario, 0..8, |_, _| {}).unwrap());
        let cut = read(&scenario, file.get(..file.len() - 1).unwrap()).unwrap();
        assert_eq!(cut.seeds, [0..3, 5..8]);
        let other = catalogue::find("pause").unwrap();
        let error = read(&other, file.as_slice()).unwrap_err().to_string();
        assert!(error.contains("its scenario differs"), "{error}");
        let error = read(&scenario, "nonsense\n".as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("line 1: "), "{error}");
    }
}
