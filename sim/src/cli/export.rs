//! What is drawn of a run, a history or a sweep: each to a file or, for `-`, to standard output.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::trace_file::{self, Part};
use super::{Refusal, output};
use crate::report::Report;

/// Where drawings of a run go.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// Write what led to the first violation as a sequence diagram of Mermaid, which GitHub draws; of a run
    /// without one, what happened last. `-` prints it in place of the report.
    #[arg(long, value_name = "FILE")]
    pub(super) mermaid: Option<PathBuf>,
    /// Write the whole run as a Chrome trace, for <https://ui.perfetto.dev>. `-` prints it in place of the report.
    #[arg(long, value_name = "FILE")]
    pub(super) perfetto: Option<PathBuf>,
    /// The report.
    #[command(flatten)]
    pub(super) report: ReportArgs,
}

/// Where the report goes.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// Write what happened as one HTML file, for a browser: it needs no network. docs/simulation.md says
    /// what is in it. `-` prints it in place of the text.
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Write it as a still picture, for papers. `-` prints it in place of the text.
    #[arg(long, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
}

type Asked<'a> = [(&'static str, &'a Option<PathBuf>)];

fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn given<'a>(all: &Asked<'a>) -> impl Iterator<Item = (&'static str, &'a PathBuf)> {
    all.iter().filter_map(|(name, path)| Some((*name, path.as_ref()?)))
}

/// Standard output takes one thing at most, and a file, too. Whether a file can be written is tried now,
/// since hours may pass until it is.
fn check(all: &Asked<'_>, json: bool) -> Result<(), Refusal> {
    let printed = given(all).filter(|(_, path)| is_stdout(path)).count() + usize::from(json);
    if printed > 1 {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        return Err(Refusal::new(format_args!(
            "{}, --json: only one of them can go to standard output: name a file for the others",
            names.join(", ")
        )));
    }
    for (place, (name, path)) in given(all).enumerate() {
        let same = |other: &Path| !is_stdout(path) && trace_file::same(other, path);
        if let Some((other, _)) = given(all).take(place).find(|(_, other)| same(other)) {
            return Err(Refusal::new(format_args!("{other} and {name} name one file: name two")));
        }
        if !is_stdout(path) {
            drop(Part::new(path)?); // which leaves nothing behind
        }
    }
    Ok(())
}

impl ReportArgs {
    const fn all(&self) -> [(&'static str, &Option<PathBuf>); 2] {
        [("--report", &self.report), ("--svg", &self.svg)]
    }

    /// Whether one is asked for.
    pub(super) const fn any(&self) -> bool {
        self.report.is_some() || self.svg.is_some()
    }

    /// Whether it takes the place of the text.
    pub(super) fn replaces_text(&self) -> bool {
        given(&self.all()).any(|(_, path)| is_stdout(path))
    }

    /// Whether what is asked for can be written, without writing over `inputs`.
    pub(super) fn check(
        &self,
        json: bool,
        mut inputs: impl Iterator<Item: AsRef<Path>>,
    ) -> Result<(), Refusal> {
        check(&self.all(), json)?;
        let over = |input: &Path| given(&self.all()).any(|(_, path)| trace_file::same(input, path));
        match inputs.find(|input| !is_stdout(input.as_ref()) && over(input.as_ref())) {
            Some(input) => {
                let what = "an output would write over an input: name another file";
                Err(Refusal::file(input.as_ref(), what))
            }
            None => Ok(()),
        }
    }

    /// Writes what is asked for.
    pub(super) fn write(&self, report: &Report) -> Result<(), Refusal> {
        if let Some(path) = &self.report {
            put(path, &report.html())?;
        }
        if let Some(path) = &self.svg {
            put(path, &report.svg())?;
        }
        Ok(())
    }
}

impl ExportArgs {
    const fn all(&self) -> [(&'static str, &Option<PathBuf>); 4] {
        let [report, svg] = self.report.all();
        [("--mermaid", &self.mermaid), ("--perfetto", &self.perfetto), report, svg]
    }

    /// Whether anything is to be drawn.
    pub(super) const fn any(&self) -> bool {
        self.keeps() || self.report.any()
    }

    /// Whether anything is to be drawn for which the whole run is kept.
    pub(super) const fn keeps(&self) -> bool {
        self.mermaid.is_some() || self.perfetto.is_some()
    }

    /// The files that are written.
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let all = self.all().into_iter().filter_map(|(_, path)| path.as_ref());
        all.filter(|path| !is_stdout(path))
    }

    /// Whether a drawing takes the place of the text.
    pub(super) fn replaces_text(&self) -> bool {
        given(&self.all()).any(|(_, path)| is_stdout(path))
    }

    /// Standard output takes one thing.
    pub(super) fn check(&self, json: bool) -> Result<(), Refusal> {
        check(&self.all(), json)
    }

    /// Writes what is asked for.
    pub(super) fn write(
        &self,
        mermaid: impl FnOnce() -> String,
        perfetto: impl FnOnce() -> String,
        report: Option<&Report>,
    ) -> Result<(), Refusal> {
        if let Some(path) = &self.mermaid {
            put(path, &mermaid())?;
        }
        if let Some(path) = &self.perfetto {
            put(path, &perfetto())?;
        }
        report.map_or(Ok(()), |report| self.report.write(report))
    }
}

fn put(path: &Path, text: &str) -> Result<(), Refusal> {
    if is_stdout(path) {
        return output::print(text);
    }
    let (part, mut file) = Part::new(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.flush());
    drop(file);
    part.put(written)
}
