//! `tenure balance`: how evenly algorithms place keys, what they move, what they cost.

use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use rayon::prelude::*;
use serde_json::json;
use tenure::placement::Member;

use super::progress::{Progress, now};
use super::{Refusal, output};
use crate::balance::Unfit;
use crate::balance::catalogue::{ALL, Choice, Instance, Origin};
use crate::balance::input::{KeyHash, Keys, MOST_KEYS};
use crate::balance::measure::{self, Figures};
use crate::balance::plot::{self, Curve, Point};
use crate::balance::report;

pub(super) mod input;

/// Measure placements: how evenly keys fall to members, what moves when members change, what it
/// costs.
#[derive(Debug, clap::Args)]
pub(super) struct BalanceArgs {
    /// Which: names with commas between them, `all`, `presets`, or `help` for a list. If absent: all
    /// but the presets, or with weights those that know weights.
    #[arg(long, value_name = "A,B,…")]
    pub(super) algorithm: Option<String>,
    /// How many members, or a file: a name a line, or name, weight and zone with tabulators between.
    #[arg(long, value_name = "N|FILE", default_value = "10", allow_hyphen_values = true)]
    pub(super) members: String,
    /// How many random UIDs, or a file with a key a line; if absent, the names of 2,291 objects of
    /// Kubernetes projects.
    #[arg(long, value_name = "N|FILE", allow_hyphen_values = true)]
    pub(super) keys: Option<String>,
    /// A weight for each member, with commas between them.
    #[arg(long, value_name = "W,W,…", allow_hyphen_values = true)]
    pub(super) weights: Option<String>,
    /// The hash of keys: xxh3, xxh64, fnv1a, fnv1a-mix, siphash:K0:K1, or raw for keys that are
    /// numbers. If absent, xxh3; presets have their own.
    #[arg(long, value_name = "H")]
    pub(super) hash: Option<String>,
    /// Draw balance and cost against 3 to 1,000 members into this file.
    #[arg(long, value_name = "FILE.svg")]
    pub(super) plot: Option<PathBuf>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(super) json: bool,
    /// For random keys, and to choose who leaves.
    #[arg(long, default_value_t = 42, allow_negative_numbers = true)]
    pub(super) seed: u64,
    /// Whether to time builds and look-ups, which differ from run to run; all else is the same bytes
    /// for the same arguments. If absent, yes for the table and the plot, no for JSON.
    #[arg(long, value_name = "YES|NO")]
    pub(super) timing: Option<Answer>,
}

/// To a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Answer {
    /// It is wanted.
    Yes,
    /// It is not.
    No,
}

/// What is measured.
struct Work {
    choices: Vec<Choice>,
    members: Vec<Member>,
    keys: Keys,
    hash: Option<KeyHash>,
    seed: u64,
    timed: bool,
}

/// Measures and prints what came of it.
///
/// # Errors
/// The arguments are wrong or do not go together, or a file cannot be read or written.
pub(super) fn run(args: &BalanceArgs) -> Result<u8, Refusal> {
    if args.algorithm.as_deref() == Some("help") {
        output::print(report::list())?;
        return Ok(0);
    }
    let work = work(args)?;
    // Before minutes are spent.
    if let Some(path) = &args.plot {
        check_writable(path)?;
    }
    let progress = Progress::new((work.choices.len() * 2) as u64, "measurements");
    let figures = work.figures(&progress).map_err(|why| {
        let remedy = if args.algorithm.is_some() { "" } else { ": name others with --algorithm" };
        Refusal::new(format_args!("{why}{remedy}"))
    })?;
    drop(progress);
    if args.json {
        output::print_json(&work.json(&figures))?;
    } else {
        output::print(report::table(&work.heading(), &figures))?;
    }
    // Afterwards: what cannot be drawn, or written, is measured all the same.
    if let Some(path) = &args.plot {
        let steps = (work.choices.len() * plot::SIZES.len()) as u64;
        let progress = Progress::new(steps, "points of the plot");
        let curves = work.curves(&progress).map_err(Refusal::new)?;
        write_plot(path, &work, &curves)?;
    }
    Ok(0)
}

fn work(args: &BalanceArgs) -> Result<Work, Refusal> {
    let members = input::members(&args.members, "controller", args.weights.as_deref())?;
    let weighted = members.iter().any(|member| member.weight().get() != 1);
    let hash = input::hash(args.hash.as_deref())?;
    let choices = choices(args.algorithm.as_deref(), weighted, hash)?;
    let keys = keys(args.keys.as_deref(), args.seed)?;
    let timed = args.timing.map_or(!args.json, |answer| answer == Answer::Yes);
    let work = Work { choices, members, keys, hash, seed: args.seed, timed };
    for choice in &work.choices {
        choice.hash(work.hash).map_err(Refusal::new)?;
    }
    if hash == Some(KeyHash::Raw) {
        let wrong = |why| Refusal::new(format_args!("--keys: {why}"));
        work.keys.items(KeyHash::Raw).map_err(wrong)?;
    }
    Ok(work)
}

/// Those that are named; of a group those that can do what else is asked for.
fn choices(
    names: Option<&str>,
    weighted: bool,
    hash: Option<KeyHash>,
) -> Result<Vec<Choice>, Refusal> {
    let mut chosen: Vec<Choice> = Vec::new();
    for name in names.unwrap_or("").split(',') {
        let group: &[Origin] = match name {
            "" if names.is_none() => &[Origin::Published],
            "all" => &[Origin::Published, Origin::Preset],
            "presets" => &[Origin::Preset],
            "" => {
                let remedy = "name at least one, and nothing between two commas";
                return Err(Refusal::new(format_args!("--algorithm: an empty name: {remedy}")));
            }
            _ => {
                chosen.push(input::choice(name)?);
                continue;
            }
        };
        let rows =
            ALL.iter().filter(|row| group.contains(&row.origin) && (row.weights || !weighted));
        let fit = rows.map(Choice::of).filter(|choice| choice.hash(hash).is_ok());
        chosen.extend(fit);
    }
    let mut names: Vec<_> = chosen.iter().map(ToString::to_string).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair.first() == pair.last()) {
        let name = twice.first().map_or("", String::as_str);
        return Err(Refusal::new(format_args!(
            "--algorithm: {name} stands there twice: name it once"
        )));
    }
    if chosen.is_empty() {
        let remedy = "choose others, or leave --weights and --hash out";
        return Err(Refusal::new(format_args!("--algorithm: none of these can do it: {remedy}")));
    }
    Ok(chosen)
}

fn keys(text: Option<&str>, seed: u64) -> Result<Keys, Refusal> {
    let Some(text) = text else { return Ok(Keys::shipped()) };
    if let Some(count) = input::count("--keys", text, MOST_KEYS)? {
        return Ok(Keys::drawn(count, seed));
    }
    let content = input::read("--keys", text)?;
    let name = Path::new(text).file_name().unwrap_or_default().to_string_lossy();
    let keys = Keys::read(&format!("those of {name}"), &content);
    keys.map_err(|why| Refusal::new(format_args!("--keys {text}: {why}")))
}

impl Work {
    /// Counts in parallel; times afterwards, one at a time.
    fn figures(&self, progress: &Progress) -> Result<Vec<Figures>, Unfit> {
        let counted = self.choices.par_iter().map(|choice| {
            let instance = Instance::new(*choice, self.members.clone())?;
            let hash = choice.hash(self.hash)?;
            let figures = measure::measure_hashed(&instance, &self.keys, hash, self.seed);
            progress.advance(1);
            figures
        });
        let mut counted: Vec<Figures> = counted.collect::<Result<_, _>>()?;
        for (figures, choice) in counted.iter_mut().zip(&self.choices) {
            figures.timing = self.timing(*choice, &self.members)?;
            progress.advance(1);
        }
        Ok(counted)
    }

    fn timing(&self, choice: Choice, members: &[Member]) -> Result<Option<measure::Timing>, Unfit> {
        let start = now();
        let clock = || -> Duration { now() - start };
        self.timed.then(|| measure::time(choice, members, &self.keys, &clock)).transpose()
    }

    /// The first of the members, and more that are called alike, at each size.
    fn curves(&self, progress: &Progress) -> Result<Vec<Curve>, Unfit> {
        let most = plot::SIZES.iter().max().map_or(0, |size| *size as usize);
        let more = most.saturating_sub(self.members.len());
        let names = self.members.iter().map(|member| Member::from(member.name()));
        let names: Vec<Member> =
            names.chain(measure::newcomers(&self.members, more, self.seed)).collect();
        let curve = |choice: &Choice| {
            // The largest first: what it cannot have is said before the others are drawn.
            let points = plot::SIZES.iter().rev().map(|size| {
                let these = names.get(..*size as usize).unwrap_or(&names).to_vec();
                let point = self.point(*choice, *size, these).map_err(|why| {
                    Unfit::new(format_args!("--plot: it draws {size} members as well: {why}"))
                });
                progress.advance(1);
                point
            });
            let mut points: Vec<Point> = points.collect::<Result<_, _>>()?;
            points.reverse();
            Ok(Curve { name: choice.to_string(), points })
        };
        self.choices.iter().map(curve).collect()
    }

    fn point(&self, choice: Choice, size: u32, members: Vec<Member>) -> Result<Point, Unfit> {
        let look_up_nanos = self.timing(choice, &members)?.map(|timing| timing.look_up_nanos);
        let instance = Instance::new(choice, members)?;
        let hash = choice.hash(self.hash)?;
        Ok(Point {
            members: size,
            variation: measure::variation(&instance, &self.keys, hash)?,
            look_up_nanos,
            bytes: instance.bytes(self.keys.len()),
        })
    }

    fn heading(&self) -> String {
        let preset = self.choices.iter().any(|c| c.algorithm.origin == Origin::Preset);
        let hash = self.hash.unwrap_or(KeyHash::Xxh3);
        let hash = if preset { format!("{hash}, by presets as they do") } else { hash.to_string() };
        let (first, last) = (self.members.first(), self.members.last());
        let name = |member: Option<&Member>| member.map_or("", Member::name).to_owned();
        let weights: u64 = self.members.iter().map(|member| u64::from(member.weight().get())).sum();
        let weights = if weights == self.members.len() as u64 {
            String::new()
        } else {
            format!(", of weight {weights} together")
        };
        format!(
            "members  {}: {} to {}{weights}\nkeys     {}: {}, hashed by {hash}",
            self.members.len(),
            name(first),
            name(last),
            self.keys.len(),
            self.keys.what,
        )
    }

    fn json(&self, figures: &[Figures]) -> serde_json::Value {
        let members = self.members.iter().map(|member| {
            json!({ "name": member.name(), "weight": member.weight(), "zone": member.zone() })
        });
        json!({
            "members": members.collect::<Vec<_>>(),
            "keys": { "count": self.keys.len(), "what": self.keys.what },
            "seed": self.seed,
            "algorithms": figures,
        })
    }
}

/// Leaves nothing where nothing was.
fn check_writable(path: &Path) -> Result<(), Refusal> {
    let is_new = fs::symlink_metadata(path).is_err();
    let opened = fs::OpenOptions::new().append(true).create(true).open(path);
    opened.map_err(|error| Refusal::unwritable(path, &error).of("--plot"))?;
    if is_new {
        fs::remove_file(path).map_err(|error| Refusal::unwritable(path, &error).of("--plot"))?;
    }
    Ok(())
}

fn write_plot(path: &Path, work: &Work, curves: &[Curve]) -> Result<(), Refusal> {
    let title = format!("Placement of {} keys: {}", work.keys.len(), work.keys.what);
    let svg = plot::draw(&title, curves, work.keys.len()).map_err(Refusal::new)?;
    fs::write(path, svg).map_err(|error| Refusal::unwritable(path, &error).of("--plot"))
}
