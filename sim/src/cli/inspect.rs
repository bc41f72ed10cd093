//! `tenure inspect`: a lock object told in words.

mod input;
mod odd;
mod told;

use core::fmt::Write as _;
use core::str::FromStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::{Refusal, output};
use crate::history::{Moment, Plain};
use told::Told;

/// Tell in words who holds a lock: since when, until when, how often it changed hands, and what is odd.
///
/// Reads Leases, `ConfigMaps` and Endpoints, and lists of them, as `kubectl get -o yaml` or `-o json`
/// prints them. Electors do not decide by the times in a record, which are those of its holder's clock:
/// a candidate waits the whole duration after it has seen the record change last.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status:
  0  told
  2  the command line is wrong, or the input cannot be read or holds no object")]
pub(super) struct InspectArgs {
    /// A file, or `-` for standard input.
    #[arg(value_name = "FILE")]
    pub(super) file: String,
    /// What time it is, as 2026-01-31T12:00:00Z; by default the system's clock.
    #[arg(long, value_name = "TIME")]
    pub(super) now: Option<Now>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

/// A time on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Now(Moment);

impl FromStr for Now {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Moment::parse(text).map(Self).ok_or("write a time with its offset, as 2026-01-31T12:00:00Z")
    }
}

/// A longer input is no object: those have a megabyte and a half at most.
const LONGEST: u64 = 64 << 20;

/// Reads objects and prints what they say.
///
/// # Errors
/// The input cannot be read, or holds no object.
pub(super) fn run(args: &InspectArgs) -> Result<u8, Refusal> {
    let path = Path::new(&args.file);
    let mut bytes = Vec::new();
    let read = if args.file == "-" {
        io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes)
    } else {
        let file = File::open(path).map_err(|error| Refusal::unreadable(path, &error))?;
        file.take(LONGEST + 1).read_to_end(&mut bytes)
    };
    read.map_err(|error| Refusal::unreadable(path, &error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Refusal::file(path, "longer than 64 megabytes: give fewer objects"));
    }
    let objects = input::objects(&bytes).map_err(|why| Refusal::file(path, why))?;
    let now = args.now.map_or_else(system_time, |Now(now)| now);
    let told: Vec<_> = objects.iter().map(|object| Told::new(object, now)).collect();
    if args.json {
        let objects: Vec<_> = told.iter().map(Told::json).collect();
        output::print_json(&json!({ "now": now.to_string(), "objects": objects }))?;
    } else {
        output::print(text(&told))?;
    }
    Ok(0)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a person asks what time is left; nothing is decided"
)]
fn system_time() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let nanos = i128::try_from(since.as_nanos()).unwrap_or(i128::MAX);
    Moment::of(tenure::time::Timestamp::from_unix_nanos(nanos))
}

fn text(objects: &[Told]) -> String {
    let mut text = String::new();
    for (place, object) in objects.iter().enumerate() {
        if place > 0 {
            text.push('\n');
        }
        let _ = writeln!(text, "{}", Plain(&object.title));
        for (label, value) in &object.rows {
            let _ = writeln!(text, "  {label:<14} {value}");
        }
        for odd in &object.odd {
            let _ = writeln!(text, "  {:<14} {odd}", "odd");
        }
    }
    text
}
