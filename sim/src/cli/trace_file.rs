//! `--trace FILE`: written beside it under another name, and renamed when all is done, so that
//! nothing half-written stands there.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use super::Refusal;
use crate::check::{Check, Violation};
use crate::scenario::Scenario;
use crate::trace::{Entry, Header, Writer};

/// A file that is being written beside its place; what is not [`put`](Self::put) there is removed.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    part: PathBuf,
}

impl Part {
    /// An empty file.
    pub(super) fn new(path: &Path) -> Result<(Self, BufWriter<File>), Refusal> {
        let path = &place(path)?;
        let mut part = OsString::from(path);
        part.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(part);
        // What another process of this number left behind. A link of that name is not followed.
        let _ = fs::remove_file(&part);
        let file = File::create_new(&part).map_err(|error| Refusal::unwritable(path, &error))?;
        Ok((Self { path: path.to_owned(), part }, BufWriter::new(file)))
    }

    /// Puts the file in its place, if it could be `written`.
    pub(super) fn put(&self, written: std::io::Result<()>) -> Result<(), Refusal> {
        let placed = written.and_then(|()| fs::rename(&self.part, &self.path));
        placed.map_err(|error| Refusal::unwritable(&self.path, &error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After `put` there is nothing; otherwise nobody is left to tell.
        let _ = fs::remove_file(&self.part);
    }
}

/// A trace that is being written; what is not [`finish`](Self::finish)ed is removed.
#[derive(Debug)]
pub(super) struct TraceFile {
    part: Part,
    writer: Option<Writer<BufWriter<File>>>,
}

impl TraceFile {
    /// Begins the trace of a run.
    pub(super) fn new(path: &Path, scenario: &Scenario, seed: u64) -> Result<Self, Refusal> {
        let (part, file) = Part::new(path)?;
        let writer = Writer::new(file, &Header::new(scenario, seed));
        Ok(Self { part, writer: Some(writer) })
    }

    /// Puts the whole trace in its place.
    pub(super) fn finish(mut self) -> Result<(), Refusal> {
        let written = self.writer.take().map_or(Ok(()), |writer| writer.finish().map(drop));
        self.part.put(written)
    }
}

/// Where the file will stand: behind a link, where the link leads. Renaming would replace a device or
/// a pipe by a file; these are refused.
pub(super) fn place(path: &Path) -> Result<PathBuf, Refusal> {
    let Ok(metadata) = fs::metadata(path) else {
        return match fs::symlink_metadata(path) {
            Ok(_) => Err(Refusal::file(path, "is a link that leads nowhere: name a file")),
            Err(_) => Ok(path.to_owned()), // nothing is there yet
        };
    };
    if metadata.is_dir() {
        return Err(Refusal::file(path, "is a directory: name a file"));
    }
    if !metadata.is_file() {
        return Err(Refusal::file(path, "is no regular file: name one, or one that is not there"));
    }
    if metadata.permissions().readonly() {
        return Err(Refusal::file(path, "may not be written: name another file"));
    }
    fs::canonicalize(path).map_err(|error| Refusal::unwritable(path, &error))
}

/// Whether both are the same file, or would be: what is to be written need not exist.
pub(super) fn same(one: &Path, other: &Path) -> bool {
    matches!((found(one), found(other)), (Some(one), Some(other)) if one == other)
}

/// Where a file is, or would be made.
fn found(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok().or_else(|| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = fs::canonicalize(folder.unwrap_or_else(|| Path::new("."))).ok()?;
        Some(folder.join(path.file_name()?))
    })
}

impl Check for TraceFile {
    fn name(&self) -> &'static str {
        "trace"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        if let Some(writer) = &mut self.writer {
            writer.observe(entry, found);
        }
    }
}
