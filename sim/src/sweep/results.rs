//! The file of a sweep: JSON lines, a header and then a line for each part that is done and each run
//! that failed, so that a sweep which was interrupted goes on where it was, and the files of several
//! machines become one.

use core::ops::Range;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, BufRead, Read as _, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Tally;
use super::seeds::{joined, left};
use crate::check::Violation;

/// Number of the format, in [`Header::format`].
pub(crate) const FORMAT: u32 = 2;
/// A longer line is none of a sweep's.
pub(crate) const LONGEST_LINE: u64 = 64 << 20;

/// The first line: what is swept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header<S> {
    /// [`FORMAT`].
    pub(crate) format: u32,
    /// Version of this crate.
    pub(crate) version: String,
    /// The command that runs one of its seeds, but for the seed.
    pub(crate) again: String,
    /// The scenario, as it was asked for.
    pub(crate) scenario: S,
}

impl<S: PartialEq> Header<S> {
    /// Of a sweep of this scenario; `again` runs one of its seeds.
    #[must_use]
    pub(crate) fn new(scenario: S, again: String) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, version, again, scenario }
    }

    /// In what the two are about different things, if they are. The same scenario may have been read
    /// from another place.
    fn same(&self, other: &Self) -> Result<(), Another> {
        for (what, same) in [
            ("format", self.format == other.format),
            ("version", self.version == other.version),
            ("scenario", self.scenario == other.scenario),
        ] {
            if !same {
                return Err(Another { what });
            }
        }
        Ok(())
    }
}

/// Another line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Line<S> {
    /// These seeds are done.
    Part {
        /// The first.
        from: u64,
        /// One behind the last.
        to: u64,
        /// What they came to.
        tally: Tally,
    },
    /// A run failed.
    Failed(Failed<S>),
}

/// A run that failed. Not only its seed is kept: what is drawn from a seed may be another thing in the
/// next version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failed<S> {
    /// Its seed.
    pub(crate) seed: u64,
    /// What was found first, if it is the first of its rule in its part.
    pub(crate) violation: Option<Violation>,
    /// What was run, with all that was drawn.
    pub(crate) plan: S,
}

/// It has the results of another sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Another {
    /// What differs.
    pub(crate) what: &'static str,
}

impl core::fmt::Display for Another {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let what = self.what;
        write!(f, "has the results of another sweep: its {what} differs: name another file")
    }
}

impl core::error::Error for Another {}

/// Why a file is no sweep's.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// It cannot be read.
    Io(io::Error),
    /// A line is not what it should be.
    Line {
        /// Which, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
}

impl core::fmt::Display for ReadError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be read ({error}): name a file that can be read"),
            Self::Line { line, what } => {
                write!(f, "line {line}: {what}: name a file that `tenure sweep --out` wrote")
            }
        }
    }
}

impl core::error::Error for ReadError {}

/// Why two files do not become one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MergeError {
    /// They are of different sweeps.
    Another(Another),
    /// Seeds are done in both, but not as the same part: what they came to would count twice.
    Overlap {
        /// A part of the other.
        theirs: Range<u64>,
        /// One that has some of its seeds.
        ours: Range<u64>,
    },
    /// The same seeds came to different things.
    Unequal {
        /// These.
        seeds: Range<u64>,
    },
}

impl core::fmt::Display for MergeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Another(another) => another.fmt(f),
            Self::Overlap { theirs, ours } => write!(
                f,
                "its seeds {} to {} were done with others before ({} to {}): merge sweeps that share no \
                 seeds, or the same file twice",
                theirs.start,
                theirs.end - 1,
                ours.start,
                ours.end - 1
            ),
            Self::Unequal { seeds } => write!(
                f,
                "its seeds {} to {} came to something else before: run both again with one version of \
                 tenure, and tell us",
                seeds.start,
                seeds.end - 1
            ),
        }
    }
}

impl core::error::Error for MergeError {}

/// What a file says of a sweep, or several files of one. [Merging](Self::merge) is associative and
/// commutative, and merging the same again changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept<S> {
    header: Header<S>,
    /// By their first seed: one behind the last, and what they came to. None overlap.
    parts: BTreeMap<u64, (u64, Tally)>,
    /// The runs that failed, of the seeds that are done.
    failed: BTreeMap<u64, Failed<S>>,
    whole: u64,
}

impl<S: PartialEq + Serialize + DeserializeOwned> Kept<S> {
    /// Nothing yet.
    #[must_use]
    pub(crate) const fn new(header: Header<S>) -> Self {
        Self { header, parts: BTreeMap::new(), failed: BTreeMap::new(), whole: 0 }
    }

    /// Reads a file. The last line may be cut off; it does not count.
    ///
    /// # Errors
    /// If it is no such file.
    pub(crate) fn read(mut file: impl BufRead) -> Result<Self, ReadError> {
        let mut kept: Option<Self> = None;
        let mut text = String::new();
        for line in 1.. {
            text.clear();
            let read = (&mut file).take(LONGEST_LINE).read_line(&mut text);
            let length = read.map_err(ReadError::Io)? as u64;
            if !text.ends_with('\n') {
                if length == LONGEST_LINE {
                    let what = "longer than 64 megabytes".to_owned();
                    return Err(ReadError::Line { line, what });
                }
                break;
            }
            let wrong =
                |error: serde_json::Error| ReadError::Line { line, what: error.to_string() };
            let Some(kept) = &mut kept else {
                let header: Header<S> = serde_json::from_str(&text).map_err(wrong)?;
                if header.format != FORMAT {
                    let what = format!("format is {}: this version reads {FORMAT}", header.format);
                    return Err(ReadError::Line { line, what });
                }
                kept = Some(Self { whole: length, ..Self::new(header) });
                continue;
            };
            match serde_json::from_str(&text).map_err(wrong)? {
                Line::Failed(failed) => kept.add_failed(failed),
                Line::Part { from, to, tally } => {
                    if from >= to || kept.overlapping(&(from..to)).is_some() {
                        let what = format!("seeds {from} to {to} are there twice, or are none");
                        return Err(ReadError::Line { line, what });
                    }
                    if tally.runs.all != to - from {
                        let runs = tally.runs.all;
                        let what = format!("seeds {from} to {to} are not {runs} runs");
                        return Err(ReadError::Line { line, what });
                    }
                    kept.parts.insert(from, (to, tally));
                }
            }
            kept.whole += length;
        }
        let none = || ReadError::Line { line: 1, what: "there is no whole line".to_owned() };
        let mut kept = kept.ok_or_else(none)?;
        // Of a part that was cut off they will be found again.
        let mut failed = core::mem::take(&mut kept.failed);
        failed.retain(|seed, _| kept.overlapping(&(*seed..seed.saturating_add(1))).is_some());
        Ok(Self { failed, ..kept })
    }

    /// Adds what another file of the same sweep says.
    ///
    /// # Errors
    /// If it is of another sweep, or was done in other parts. Nothing is added then.
    pub(crate) fn merge(mut self, other: Self) -> Result<Self, MergeError> {
        self.header.same(&other.header).map_err(MergeError::Another)?;
        for (from, (to, tally)) in other.parts {
            match self.overlapping(&(from..to)) {
                None => drop(self.parts.insert(from, (to, tally))),
                Some((ours, known)) if ours == (from..to) => {
                    if *known != tally {
                        return Err(MergeError::Unequal { seeds: ours });
                    }
                }
                Some((ours, _)) => return Err(MergeError::Overlap { theirs: from..to, ours }),
            }
        }
        for failed in other.failed.into_values() {
            self.add_failed(failed);
        }
        Ok(self)
    }

    fn add_failed(&mut self, theirs: Failed<S>) {
        match self.failed.entry(theirs.seed) {
            Entry::Vacant(place) => drop(place.insert(theirs)),
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.violation = known.violation.take().or(theirs.violation);
            }
        }
    }

    /// A part that has one of these seeds.
    fn overlapping(&self, seeds: &Range<u64>) -> Option<(Range<u64>, &Tally)> {
        // Parts do not overlap, so that the last that begins before the end also ends last.
        let (from, (to, tally)) = self.parts.range(..seeds.end).next_back()?;
        (*to > seeds.start).then_some((*from..*to, tally))
    }

    /// What it is about.
    #[must_use]
    pub(crate) const fn header(&self) -> &Header<S> {
        &self.header
    }

    /// Whether it is about the same as `header`.
    ///
    /// # Errors
    /// If not.
    pub(crate) fn is_of(&self, header: &Header<S>) -> Result<(), Another> {
        self.header.same(header)
    }

    /// How many bytes of the file are whole lines; what follows was cut off.
    #[must_use]
    pub(crate) const fn whole(&self) -> u64 {
        self.whole
    }

    /// The seeds that are done, in order, no two ranges of them side by side.
    #[must_use]
    pub(crate) fn seeds(&self) -> Vec<Range<u64>> {
        joined(self.parts.iter().map(|(from, (to, _))| *from..*to).collect())
    }

    /// The seeds of `all` that are not done.
    #[must_use]
    pub(crate) fn missing(&self, all: Range<u64>) -> Vec<Range<u64>> {
        left(all, &self.seeds(), u64::MAX).collect()
    }

    /// What all came to.
    #[must_use]
    pub(crate) fn tally(&self) -> Tally {
        let tallies = self.parts.values().map(|(_, tally)| tally.clone());
        tallies.fold(Tally::default(), Tally::and)
    }

    /// Writes it as a file, the seeds in order.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        write(to, &self.header)?;
        for (from, (end, tally)) in &self.parts {
            for failed in self.failed.range(from..end).map(|(_, failed)| failed) {
                write(to, &LineOf::Failed(failed))?;
            }
            let part: LineOf<'_, S> = LineOf::Part { from: *from, to: *end, tally };
            write(to, &part)?;
        }
        Ok(())
    }
}

/// [`Line`], of what belongs to somebody else.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum LineOf<'a, S> {
    Part { from: u64, to: u64, tally: &'a Tally },
    Failed(&'a Failed<S>),
}

/// Writes a line, and sees to it that it is not held back.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write(to: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    to.write_all(&text)?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::scenario::Scenario;
    use crate::sweep::sweep;

    const SEEDS: Range<u64> = 0..8;

    fn header(name: &str) -> Header<Scenario> {
        Header::new(catalogue::find(name).unwrap(), format!("tenure run {name}"))
    }

    /// A file in which these are done.
    fn file(parts: &[(u64, u64)]) -> Vec<u8> {
        let mut file = Vec::new();
        let header = header("random");
        write(&mut file, &header).unwrap();
        for &(from, to) in parts {
            let tally = sweep(&header.scenario, from..to, |_, _| {}).unwrap();
            let plan = header.scenario.clone();
            write(&mut file, &Line::Failed(Failed { seed: from, violation: None, plan })).unwrap();
            write(&mut file, &Line::<Scenario>::Part { from, to, tally }).unwrap();
        }
        file
    }

    fn kept(parts: &[(u64, u64)]) -> Kept<Scenario> {
        Kept::read(file(parts).as_slice()).unwrap()
    }

    fn bytes(kept: &Kept<Scenario>) -> Vec<u8> {
        let mut bytes = Vec::new();
        kept.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_file_that_was_cut_off_is_read_up_to_there() {
        let file = file(&[(0, 3), (5, 8), (3, 5)]);
        let all = Kept::<Scenario>::read(file.as_slice()).unwrap();
        assert_eq!(all.seeds(), [SEEDS]);
        assert_eq!(all.whole(), file.len() as u64);
        assert_eq!(all.tally(), sweep(&all.header.scenario, SEEDS, |_, _| {}).unwrap());
        let cut = Kept::<Scenario>::read(file.get(..file.len() - 1).unwrap()).unwrap();
        assert_eq!(cut.seeds(), [0..3, 5..8]);
        assert_eq!(cut.missing(0..10), [3..5, 8..10]);
        assert_eq!(cut.failed.keys().copied().collect::<Vec<_>>(), [0, 5], "3 is of no part");
        assert_eq!(all.is_of(&header("pause")), Err(Another { what: "scenario" }));
        for (text, told) in [
            ("nonsense\n", "line 1: expected"),
            ("", "line 1: there is no whole line"),
            ("{\"format\":2", "line 1: there is no whole line"),
        ] {
            let error = Kept::<Scenario>::read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
        let text = String::from_utf8(file.clone()).unwrap();
        for (from, to, told) in [
            ("\"format\":2", "\"format\":3", "line 1: format is 3: this version reads 2"),
            ("\"to\":3", "\"to\":4", "line 3: seeds 0 to 4 are not 3 runs"),
        ] {
            let other = text.replacen(from, to, 1);
            let error = Kept::<Scenario>::read(other.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
        let twice = [&file[..], file.split_inclusive(|it| *it == b'\n').nth(2).unwrap()].concat();
        let error = Kept::<Scenario>::read(twice.as_slice()).unwrap_err().to_string();
        assert!(error.contains("line 8: seeds 0 to 3 are there twice"), "{error}");
    }

    #[test]
    fn merging_is_associative_and_commutative_and_the_same_again_changes_nothing() {
        let [a, b, c] = [kept(&[(0, 3)]), kept(&[(5, 8)]), kept(&[(3, 5), (0, 3)])];
        let merge = |one: &Kept<Scenario>, other: &Kept<Scenario>| {
            one.clone().merge(other.clone()).unwrap()
        };
        let all = merge(&merge(&a, &b), &c);
        for other in [merge(&a, &merge(&b, &c)), merge(&merge(&c, &b), &a), merge(&all, &all)] {
            assert_eq!(bytes(&other), bytes(&all));
        }
        assert_eq!(all.tally(), kept(&[(0, 8)]).tally());
        assert_eq!(bytes(&Kept::read(bytes(&all).as_slice()).unwrap()), bytes(&all));
    }

    #[test]
    fn what_would_count_twice_is_not_merged() {
        let one = kept(&[(0, 3)]);
        let overlap = MergeError::Overlap { theirs: 2..5, ours: 0..3 };
        assert_eq!(one.clone().merge(kept(&[(2, 5)])), Err(overlap));
        let mut unequal = one.clone();
        unequal.parts.get_mut(&0).unwrap().1.runs.holds += 1;
        assert_eq!(one.clone().merge(unequal), Err(MergeError::Unequal { seeds: 0..3 }));
        let another = Kept::new(header("pause"));
        assert_eq!(one.merge(another), Err(MergeError::Another(Another { what: "scenario" })));
    }
}
