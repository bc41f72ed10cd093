//! A sweep part by part, with what is kept of it in a file.

use core::ops::Range;
use core::time::Duration;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use rayon::ThreadPool;

use super::SweepArgs;
use super::told::{Done, Told};
use crate::cli::progress::{Progress, now};
use crate::cli::which::Any;
use crate::cli::{Refusal, trace_file};
use crate::report::Swept;
use crate::subject::Subject;
use crate::sweep::results::{self, Failed, Header, Kept, Line};
use crate::sweep::seeds::{joined, left};
use crate::sweep::{Tally, sweep_twice};

/// After so many seeds it is looked whether to stop, whatever the number of threads.
const PART: u64 = 256;

/// What to sweep, and how long.
pub(super) struct Campaign<'a, S> {
    subject: &'a S,
    args: &'a SweepArgs,
    /// The command that runs a seed, but for the seed.
    again: String,
    seeds: Range<u64>,
    /// Stop after this.
    time: Option<Duration>,
    /// What is drawn.
    drawn: Option<Swept>,
}

impl<'a, S: Subject> Campaign<'a, S> {
    pub(super) fn new(
        subject: &'a S,
        any: &Any,
        args: &'a SweepArgs,
        seeds: Range<u64>,
        time: Option<Duration>,
    ) -> Self {
        let drawn = args.report.any().then(Swept::default);
        Self { subject, args, again: args.which.command(any), seeds, time, drawn }
    }

    /// Sweeps what is left.
    pub(super) fn run(self, pool: &ThreadPool) -> Result<Told, Refusal> {
        let (kept, mut file) = match &self.args.out {
            Some(path) => self.opened(path)?,
            None => (Kept::new(self.header()), None),
        };
        let missing = kept.missing(self.seeds.clone());
        let progress = Progress::new(missing.iter().map(|it| it.end - it.start).sum(), "runs");
        let since = now();
        let mut tally = kept.tally();
        let mut done = kept.seeds();
        for part in left(self.seeds.clone(), &kept.seeds(), PART) {
            let ran = self.part(part.clone(), pool, &progress)?;
            if let Some(file) = &mut file {
                self.keep(file, part.clone(), &ran)?;
            }
            tally = tally.and(ran);
            done.push(part);
            if self.args.keep.is_some_and(|keep| tally.runs.violated >= keep)
                || self.time.is_some_and(|time| now() - since >= time)
            {
                break;
            }
        }
        drop(progress);
        let missing = left(self.seeds.clone(), &joined(done), u64::MAX).collect();
        let Self { subject, args, again, seeds, drawn, .. } = self;
        let done = Done { asked: seeds, missing, tally, again };
        let told = Told::new(subject, done, !args.all);
        let told = told.map_err(|error| args.which.refuse(error))?;
        if let Some(drawn) = drawn {
            args.report.write(&told.report(&drawn))?;
        }
        Ok(told)
    }

    fn header(&self) -> Header<S> {
        Header::new(self.subject.clone(), self.again.clone())
    }

    fn part(
        &self,
        part: Range<u64>,
        pool: &ThreadPool,
        progress: &Progress,
    ) -> Result<Tally, Refusal> {
        let tally = pool.install(|| {
            sweep_twice(self.subject, part, self.args.twice, |seed, ran| {
                if let Some(swept) = &self.drawn {
                    swept.ran(seed, ran);
                }
                progress.ran(ran.mark("events"), !ran.finds.is_empty());
            })
        });
        tally.map_err(|error| self.args.which.refuse(error))
    }

    /// Adds a part, and each run of it that failed, to the file.
    fn keep(&self, file: &mut File, part: Range<u64>, tally: &Tally) -> Result<(), Refusal> {
        let path = self.args.out.as_deref().unwrap_or_else(|| Path::new(""));
        let unwritable = |error| Refusal::unwritable(path, &error);
        for &seed in &tally.failed {
            let violation = tally.found.iter().find(|found| found.first_seed == seed);
            let violation = violation.map(|found| found.first.clone());
            let failed = Failed { seed, violation, plan: self.subject.drawn(seed) };
            results::write(file, &Line::Failed(failed)).map_err(unwritable)?;
        }
        // Last, so that what is done again is only told again.
        let line = Line::<S>::Part { from: part.start, to: part.end, tally: tally.clone() };
        results::write(file, &line).map_err(unwritable)
    }

    /// What the file has of this sweep, and the file ready to be added to.
    fn opened(&self, path: &Path) -> Result<(Kept<S>, Option<File>), Refusal> {
        let unwritable = |error| Refusal::unwritable(path, &error);
        let place = trace_file::place(path)?; // first: to open a pipe would wait for its writer
        let unreadable = |error| Refusal::unreadable(path, &error);
        if let Ok(mut old) = File::open(&place)
            && !self.is_torn(&mut old).map_err(unreadable)?
        {
            let kept = Kept::read(BufReader::new(old));
            let kept = kept.map_err(|error| Refusal::file(path, error))?;
            kept.is_of(&self.header()).map_err(|error| Refusal::file(path, error))?;
            let file = OpenOptions::new().append(true).open(path).map_err(unwritable)?;
            file.set_len(kept.whole()).map_err(unwritable)?;
            let Range { start, end } = self.seeds;
            if kept.seeds().iter().any(|it| it.start < start || it.end > end) {
                let what = "has seeds that --seeds does not ask for: ask for them too, or name another file";
                return Err(Refusal::file(path, what));
            }
            return Ok((kept, Some(file)));
        }
        let mut file = File::create(place).map_err(unwritable)?;
        results::write(&mut file, &self.header()).map_err(unwritable)?;
        Ok((Kept::new(self.header()), Some(file)))
    }

    /// Whether a sweep like this one was interrupted while it wrote the header, which is not whole.
    fn is_torn(&self, file: &mut File) -> io::Result<bool> {
        let mut header = Vec::new();
        results::write(&mut header, &self.header())?;
        let mut start = Vec::new();
        file.take(header.len() as u64).read_to_end(&mut start)?;
        file.rewind()?;
        Ok(start.len() < header.len() && header.starts_with(&start))
    }
}

/// While this is there a panic prints nothing: it becomes a verdict.
pub(super) struct Quiet;

impl Quiet {
    pub(super) fn new() -> Self {
        std::panic::set_hook(Box::new(|_| {}));
        Self
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        drop(std::panic::take_hook());
    }
}
