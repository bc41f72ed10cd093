//! `tenure run experiment`.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use tenure::election::Profile;

use super::run::RunArgs;
use super::{Refusal, output, progress::Progress};
use crate::check::{Check, Checks, Violation};
use crate::experiment::{Experiment, Mode, Report, Workload};
use crate::trace::{Entry, Header, Writer};

/// Runs the experiment and prints what came of it.
pub(super) fn run(args: &RunArgs) -> Result<u8, Refusal> {
    let workload = match &args.keys {
        Some(path) => keys(path)?,
        None => Workload::shipped().map_err(Refusal::new)?,
    };
    let profile = args.profile.unwrap_or(Profile::Strict);
    let experiment = Experiment::new(workload, profile, args.seed);
    let report = run_all(&experiment, args)?;
    if args.json {
        output::print_json(&report.json())?;
    } else {
        output::print(&report)?;
    }
    Ok(report.exit_status())
}

fn keys(path: &Path) -> Result<Workload, Refusal> {
    let text = fs::read_to_string(path).map_err(|error| Refusal::unreadable(path, &error))?;
    Workload::new(&text).map_err(|bad| Refusal::file(path, bad))
}
