//! `tenure conform`: replays recordings of the real client-go.

use std::path::PathBuf;

use serde::Serialize;

use super::{Refusal, output, text};
use crate::conform::{self, Counts, Divergence, InputError, replay};

/// Replay recordings of the real client-go through the elector and compare all it does.
#[derive(Debug, clap::Args)]
pub(super) struct ConformArgs {
    /// Trace files ("client-go-leaderelection-trace/1", "client-go-tryacquire-micro/1" or
    /// "client-go-locks-micro/1").
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    exit: u8,
    files: u64,
    #[serde(flatten)]
    counts: Counts,
    divergences: Vec<InFile<Divergence>>,
    errors: Vec<InFile<InputError>>,
}

#[derive(Debug, Serialize)]
struct InFile<T> {
    file: String,
    #[serde(flatten)]
    what: T,
}

/// Replays the files, prints the first divergence of each and what was compared.
///
/// The exit status: 0 if all are equal, 1 if one diverges, 2 if one cannot be read or replayed or
/// if nothing was compared.
#[must_use]
pub(super) fn run(args: &ConformArgs) -> u8 {
    let mut summary = Summary::default();
    for path in &args.files {
        let file = path.display().to_string();
        let text = text::read(path).map_err(|error| {
            let message = format!("cannot be read ({error}): give the path of a trace file");
            conform::Refusal::Input(InputError { line: None, message })
        });
        match text.and_then(|text| replay(&text)) {
            Ok(counts) => {
                summary.files += 1;
                summary.counts += counts;
            }
            Err(conform::Refusal::Divergence(what)) => {
                summary.divergences.push(InFile { file, what: *what });
            }
            Err(conform::Refusal::Input(what)) => summary.errors.push(InFile { file, what }),
        }
    }
    summary.exit = summary.exit();
    summary.print(args.json).map_or_else(|refusal| refusal.print(), |()| summary.exit)
}

impl Summary {
    fn exit(&self) -> u8 {
        match (self.errors.is_empty(), self.divergences.is_empty()) {
            (false, _) => 2,
            (true, false) => 1,
            (true, true) if self.counts.calls == 0 => 2,
            (true, true) => 0,
        }
    }

    /// What stands on standard error is one line, whatever is wrong with how many files.
    fn print(&self, json: bool) -> Result<(), Refusal> {
        if let Some(InFile { file, what }) = self.errors.first() {
            let others = match self.errors.len() - 1 {
                0 => String::new(),
                others => format!(" ({others} more cannot be replayed; --json lists them)"),
            };
            Refusal::new(format_args!("{file}: {what}{others}")).print();
        } else if self.exit == 2 {
            Refusal::new("no file has a call to compare: give one that has").print();
        }
        if json {
            let json = serde_json::to_value(self).map_err(Refusal::new)?;
            return output::print_json(&json);
        }
        for InFile { file, what } in &self.divergences {
            output::print(format_args!("{file}: {what}\n"))?;
        }
        if self.exit == 2 && self.files == 0 {
            return Ok(());
        }
        let Counts { attempts, calls, callbacks } = self.counts;
        let files = self.files;
        output::print(format_args!(
            "{files} files equal: {attempts} attempts, {calls} calls, {callbacks} callbacks\n"
        ))
    }
}
