//! `--mermaid` and `--perfetto`: a run drawn, to a file or, for `-`, to standard output.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::trace_file::Part;
use super::{Refusal, output};

/// Where drawings of a run go.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// Write what led to the first violation as a sequence diagram of Mermaid, which GitHub draws; of a run
    /// without one, what happened last. `-` prints it in place of the report.
    #[arg(long, value_name = "FILE")]
    pub mermaid: Option<PathBuf>,
    /// Write the whole run as a Chrome trace, for <https://ui.perfetto.dev>. `-` prints it in place of the report.
    #[arg(long, value_name = "FILE")]
    pub perfetto: Option<PathBuf>,
}

fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl ExportArgs {
    /// Whether anything is to be drawn.
    pub(super) const fn any(&self) -> bool {
        self.mermaid.is_some() || self.perfetto.is_some()
    }

    /// The files that are written.
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.mermaid, &self.perfetto].into_iter().flatten().filter(|path| !is_stdout(path))
    }

    /// Whether a drawing takes the place of the report.
    pub(super) fn replaces_report(&self) -> bool {
        [&self.mermaid, &self.perfetto].into_iter().flatten().any(|path| is_stdout(path))
    }

    /// Standard output takes one thing.
    pub(super) fn check(&self, json: bool) -> Result<(), Refusal> {
        let all = [&self.mermaid, &self.perfetto].into_iter().flatten();
        let printed = all.filter(|path| is_stdout(path)).count() + usize::from(json);
        if printed > 1 {
            let what = "--mermaid, --perfetto, --json: only one of them can go to standard output: name a \
                        file for the others";
            return Err(Refusal::new(what));
        }
        let mut files: Vec<&PathBuf> = self.files().collect();
        files.dedup();
        if files.len() < self.files().count() {
            return Err(Refusal::new("--mermaid and --perfetto name one file: name two"));
        }
        Ok(())
    }

    /// Writes what is asked for.
    pub(super) fn write(
        &self,
        mermaid: impl FnOnce() -> String,
        perfetto: impl FnOnce() -> String,
    ) -> Result<(), Refusal> {
        if let Some(path) = &self.mermaid {
            put(path, &mermaid())?;
        }
        if let Some(path) = &self.perfetto {
            put(path, &perfetto())?;
        }
        Ok(())
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
