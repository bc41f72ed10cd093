//! `tenure run experiment`.

use std::path::{Path, PathBuf};

use super::progress::Progress;
use super::run::{RunArgs, SEED};
use super::trace_file::TraceFile;
use super::{Refusal, output, text};
use crate::check::{Check, Checks, Violation};
use crate::experiment::{Experiment, Mode, Report, Workload};
use crate::scenario::ScenarioError;
use crate::trace::Entry;

/// Runs the experiment and prints what came of it.
pub(super) fn run(args: &RunArgs) -> Result<u8, Refusal> {
    if !args.which.without.is_empty() {
        return Err(Refusal::new("--without: the experiment keeps all rules: leave it out"));
    }
    let (profile, seed) = (args.which.profile.unwrap_or_default(), args.seed.unwrap_or(SEED));
    let workload = match &args.keys {
        Some(path) => keys(path)?,
        None => Workload::shipped().map_err(Refusal::new)?,
    };
    let experiment = Experiment::new(workload, profile, seed);
    let report = run_all(&experiment, args)?;
    let keys = args.keys.as_ref().map(|path| format!(" --keys {}", path.display()));
    let keys = keys.unwrap_or_default();
    let again = format!("tenure run experiment --profile {profile} --seed {seed}{keys}");
    if args.json {
        let mut json = report.json();
        if let Some(fields) = json.as_object_mut() {
            fields.insert("again".to_owned(), again.into());
        }
        output::print_json(&json)?;
    } else {
        output::print(format_args!("{report}again  {again}\n"))?;
    }
    Ok(report.exit_status())
}

fn keys(path: &Path) -> Result<Workload, Refusal> {
    let text = text::read(path).map_err(|error| Refusal::unreadable(path, &error))?;
    Workload::new(&text).map_err(|bad| Refusal::file(path, bad))
}

fn run_all(experiment: &Experiment, args: &RunArgs) -> Result<Report, Refusal> {
    let mut files = Vec::new();
    if let Some(path) = &args.trace {
        for mode in Mode::ALL {
            let path = beside(path, mode);
            files.push(TraceFile::new(&path, &experiment.scenario(mode), experiment.seed())?);
        }
    }
    let lasts = experiment.scenario(Mode::Leader).horizon.as_nanos() / SECOND;
    let progress = Progress::new(lasts * Mode::ALL.len() as u64, "simulated seconds");
    let mut files_of = files.iter_mut();
    let report = experiment.run_all(|mode, scenario| {
        // The election's properties make no sense without one.
        let checks = (mode == Mode::Leader).then(|| Checks::for_scenario(scenario));
        (Watch { progress: &progress, seconds: 0 }, Beside { checks, file: files_of.next() })
    });
    let report = report.map_err(|error: ScenarioError| Refusal::new(error))?;
    for file in files {
        file.finish()?;
    }
    Ok(report)
}

/// The trace of one mode: its name goes before the file's extension.
fn beside(path: &Path, mode: Mode) -> PathBuf {
    let extension = path.extension().unwrap_or_default();
    let mut name = std::ffi::OsString::from(mode.name());
    if !extension.is_empty() {
        name.push(".");
        name.push(extension);
    }
    path.with_extension(name)
}

const SECOND: u64 = 1_000_000_000;

/// Tells how far a run is.
struct Watch<'a> {
    progress: &'a Progress,
    seconds: u64,
}

impl Check for Watch<'_> {
    fn name(&self) -> &'static str {
        "watch"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        let seconds = entry.at.as_nanos() / SECOND;
        if seconds > self.seconds {
            self.progress.advance(seconds - self.seconds);
            self.seconds = seconds;
        }
    }
}

/// What may stand beside the measuring.
struct Beside<'a> {
    checks: Option<Checks>,
    file: Option<&'a mut TraceFile>,
}

impl Check for Beside<'_> {
    fn name(&self) -> &'static str {
        "beside"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        if let Some(checks) = &mut self.checks {
            checks.observe(entry, found);
        }
        if let Some(file) = &mut self.file {
            file.observe(entry, found);
        }
    }

    fn finish(&mut self, at: crate::time::SimTime, found: &mut Vec<Violation>) {
        if let Some(checks) = &mut self.checks {
            checks.finish(at, found);
        }
    }
}
