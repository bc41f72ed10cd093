//! `tenure merge`: the files of a sweep over several machines become one.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::sweep::{Done, Seeds, Told};
use super::trace_file::{Part, same};
use super::{Refusal, output};
use crate::scenario::Scenario;
use crate::sharding;
use crate::subject::Subject;
use crate::sweep::results::{Kept, LONGEST_LINE};

/// Put the files of a sweep together that several machines, or several tries, wrote.
///
/// They are of one scenario and version, and share no seeds unless they are copies. The order does not
/// matter, and what is merged can be merged again. Says what `tenure sweep` would have said of all seeds
/// together, and exits as it does; but with 3 if seeds are missing and nothing is violated.
#[derive(Debug, clap::Args)]
pub(super) struct MergeArgs {
    /// What `tenure sweep --out` wrote.
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// The seeds that should be there; by default all from the first to the last that are.
    #[arg(long, value_name = "A..B")]
    pub(super) seeds: Option<Seeds>,
    /// Write all of it to this file, which `tenure sweep --out` goes on with.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

/// Merges, and prints what it comes to.
///
/// # Errors
/// Files that are not of one sweep, or cannot be read or written.
pub(super) fn run(args: &MergeArgs) -> Result<u8, Refusal> {
    let is_sharded = args.files.first().is_some_and(|path| is_sharded(path));
    let told =
        if is_sharded { merged::<sharding::Scenario>(args)? } else { merged::<Scenario>(args)? };
    if args.json {
        output::print_json(&told.json())?;
    } else {
        output::print(told.text())?;
    }
    Ok(told.exit_status)
}

fn open(path: &Path) -> Result<BufReader<File>, Refusal> {
    let file = File::open(path).map_err(|error| Refusal::unreadable(path, &error))?;
    Ok(BufReader::new(file))
}

/// As in a scenario's own file: by whether it says who decides. What cannot be read, or is no sweep's, is
/// found out later.
fn is_sharded(path: &Path) -> bool {
    #[derive(Deserialize)]
    struct About {
        scenario: serde_json::Value,
    }
    let mut line = Vec::new();
    let read = File::open(path)
        .and_then(|file| BufReader::new(file.take(LONGEST_LINE)).read_until(b'\n', &mut line));
    let about = serde_json::from_slice::<About>(&line);
    read.is_ok() && about.is_ok_and(|about| about.scenario.get("mode").is_some())
}

fn merged<S: Subject>(args: &MergeArgs) -> Result<Told, Refusal> {
    let mut all: Option<Kept<S>> = None;
    for path in &args.files {
        if args.out.as_deref().is_some_and(|out| same(out, path)) {
            let what = "an output would write over an input: name another file";
            return Err(Refusal::file(path, what));
        }
        let kept = Kept::read(open(path)?).map_err(|error| Refusal::file(path, error))?;
        all = Some(match all {
            Some(all) => all.merge(kept).map_err(|error| Refusal::file(path, error))?,
            None => kept,
        });
    }
    let none = || Refusal::new("there is nothing done in these files: let the sweep go on");
    let all = all.ok_or_else(none)?;
    let seeds = all.seeds();
    let done = seeds.first().zip(seeds.last()).map(|(first, last)| first.start..last.end);
    let asked = args.seeds.map(|seeds| seeds.from..seeds.to);
    if let (Some(asked), Some(done)) = (&asked, &done)
        && (done.start < asked.start || done.end > asked.end)
    {
        let what = format_args!(
            "--seeds: seeds {} to {} are done, which are more: ask for all of them",
            done.start,
            done.end - 1
        );
        return Err(Refusal::new(what));
    }
    let asked = asked.or(done).ok_or_else(none)?;
    if let Some(path) = &args.out {
        let (part, mut file) = Part::new(path)?;
        part.put(all.write(&mut file))?;
    }
    let missing = all.missing(asked.clone());
    let complete = missing.is_empty();
    let header = all.header();
    let done = Done { asked, missing, tally: all.tally(), again: header.again.clone() };
    let mut told = Told::new(&header.scenario, done, true).map_err(Refusal::new)?;
    if told.exit_status == 0 && !complete {
        told.exit_status = 3;
    }
    Ok(told)
}
