//! A sweep part by part, with what is kept of it in a file.

use core::ops::Range;
use core::time::Duration;
use std::fs::{File, OpenOptions};
use std::io::BufReader;
use std::path::Path;

use rayon::ThreadPool;

use super::SweepArgs;
use super::told::Told;
use crate::cli::progress::{Progress, now};
use crate::cli::which::Any;
use crate::cli::{Refusal, trace_file};
use crate::report::Swept;
use crate::subject::Subject;
use crate::sweep::results::{self, Header, Line};
use crate::sweep::twice::DETERMINISM;
use crate::sweep::{PANIC, Tally, sweep_twice};

/// After so many seeds it is looked whether to stop, whatever the number of threads.
const PART: u64 = 256;

/// What to sweep, and how long.
pub(super) struct Campaign<'a, S> {
    subject: &'a S,
    any: &'a Any,
    args: &'a SweepArgs,
    /// Stop after this.
    time: Option<Duration>,
    /// What is drawn.
    swept: Option<Swept>,
}

impl<'a, S: Subject> Campaign<'a, S> {
    pub(super) fn new(
        subject: &'a S,
        any: &'a Any,
        args: &'a SweepArgs,
        time: Option<Duration>,
    ) -> Self {
        let swept = args.report.any().then(Swept::default);
        Self { subject, any, args, time, swept }
    }

    fn seeds(&self) -> Range<u64> {
        let all = || 0..self.any.seeds().max(1);
        self.args.seeds.map_or_else(all, |seeds| seeds.from..seeds.to)
    }

    /// Sweeps what is left.
    pub(super) fn run(&self, pool: &ThreadPool) -> Result<Told, Refusal> {
        let all = self.seeds();
        let (mut tally, done, mut file) = match &self.args.out {
            Some(path) => self.opened(path)?,
            None => (Tally::default(), Vec::new(), None),
        };
        let within = |it: &Range<u64>| it.end.min(all.end).saturating_sub(it.start.max(all.start));
        let left = all.end - all.start - done.iter().map(within).sum::<u64>();
        let parts = results::left(all.clone(), &done, PART);
        let progress = Progress::new(left, "runs");
        let since = now();
        let mut stopped = None;
        for part in parts {
            let ran = self.part(part.clone(), pool, &progress)?;
            if let Some(file) = &mut file {
                self.keep(file, part.clone(), &ran)?;
            }
            tally = tally.and(ran);
            if self.args.keep.is_some_and(|keep| tally.runs.violated >= keep)
                || self.time.is_some_and(|time| now() - since >= time)
            {
                stopped = (part.end < all.end).then_some(part.end);
                break;
            }
        }
        drop(progress);
        let told = self.told(tally, stopped)?;
        if let Some(swept) = &self.swept {
            let again = |seed| self.args.which.again(self.any, seed);
            let drawn = swept.report(told.from..told.asked_to, &told.tally, again);
            self.args.report.write(&drawn.headed(told.head()))?;
        }
        Ok(told)
    }

    fn part(
        &self,
        part: Range<u64>,
        pool: &ThreadPool,
        progress: &Progress,
    ) -> Result<Tally, Refusal> {
        let tally = pool.install(|| {
            sweep_twice(self.subject, part, self.args.twice, |seed, ran| {
                if let Some(swept) = &self.swept {
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
            let line = Line::Failed { seed, violation, plan: self.subject.drawn(seed) };
            results::write(file, &line).map_err(unwritable)?;
        }
        // Last, so that what is done again is only told again.
        let line = Line::<S>::Part { from: part.start, to: part.end, tally: tally.clone() };
        results::write(file, &line).map_err(unwritable)
    }

    /// What the file has of this sweep, and the file ready to be added to.
    #[expect(clippy::type_complexity, reason = "taken apart at once")]
    fn opened(&self, path: &Path) -> Result<(Tally, Vec<Range<u64>>, Option<File>), Refusal> {
        let unwritable = |error| Refusal::unwritable(path, &error);
        if let Ok(old) = File::open(path) {
            trace_file::place(path)?;
            let empty = old.metadata().is_ok_and(|metadata| metadata.len() == 0);
            if !empty {
                let done = results::read(self.subject, BufReader::new(old))
                    .map_err(|error| Refusal::file(path, error))?;
                let file = OpenOptions::new().append(true).open(path).map_err(unwritable)?;
                file.set_len(done.whole).map_err(unwritable)?;
                let wanted = self.seeds();
                if done.seeds.iter().any(|it| it.start < wanted.start || it.end > wanted.end) {
                    let what = "has seeds that --seeds does not ask for: ask for them too, or name another file";
                    return Err(Refusal::file(path, what));
                }
                return Ok((done.tally, done.seeds, Some(file)));
            }
        }
        let mut file = File::create(trace_file::place(path)?).map_err(unwritable)?;
        results::write(&mut file, &Header::new(self.subject)).map_err(unwritable)?;
        Ok((Tally::default(), Vec::new(), Some(file)))
    }

    fn told(&self, tally: Tally, stopped: Option<u64>) -> Result<Told, Refusal> {
        // Of a run that failed, if one did: what is expected needs no telling then.
        let first = tally.found.iter().min_by_key(|found| {
            (!tally.failed.contains(&found.first_seed), found.first_seed, found.first.seq)
        });
        let by_itself = |check: &str| [PANIC, DETERMINISM].contains(&check);
        let explained = match first.filter(|first| !self.args.all && !by_itself(&first.check)) {
            Some(first) => {
                let text = self.subject.explain(first.first_seed, &first.first);
                Some(text.map_err(|error| self.args.which.refuse(error))?)
            }
            None => None,
        };
        let again = |seed: u64| self.args.which.again(self.any, seed);
        let failed = tally.failed.first().map(|seed| again(*seed));
        let again = tally.found.iter().map(|found| again(found.first_seed)).collect();
        let exit_status = match (tally.runs.violated, tally.runs.holds + tally.runs.as_expected) {
            (1.., _) => 1,
            (0, 0) => 3,
            _ => 0,
        };
        let asked = self.seeds();
        Ok(Told {
            name: self.subject.name().to_owned(),
            from: asked.start,
            to: stopped.unwrap_or(asked.end),
            asked_to: asked.end,
            tally,
            again,
            failed,
            explained,
            exit_status,
        })
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
