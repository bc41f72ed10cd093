//! `tenure sweep`: many runs of a scenario, a seed each.

mod campaign;
mod seeds;
mod told;

use core::num::NonZeroU64;
use core::ops::Range;
use core::time::Duration;
use std::path::PathBuf;

use super::export::ReportArgs;
use super::progress::now;
use super::which::{Any, Which};
use super::{Refusal, output};
use crate::sweep::seeds::share;
use crate::time::Span;
use crate::{catalogue, sharding};
use campaign::Campaign;
use seeds::Part;
pub(super) use seeds::Seeds;
pub(super) use told::{Done, Told};

/// Run a scenario with many seeds, and check every run.
///
/// `random` and `wild` draw faults, clocks and options from the seed; so does `sharding/swarm`. A run of
/// these in which the lock did not change hands, or no fault had an effect, is unknown. Exits with 1 if
/// a run is violated that should hold, with 3 if all runs are unknown.
#[derive(Debug, clap::Args)]
pub(super) struct SweepArgs {
    /// Which one; `random`, if nothing is said.
    #[command(flatten)]
    pub(super) which: Which,
    /// Sweep all scenarios, one after the other.
    #[arg(long, conflicts_with_all = ["name", "scenario", "without", "out", "report", "svg"])]
    pub(super) all: bool,
    /// The seeds, from A up to but not including B; by default all that a grid of faults has, else 0..1000.
    #[arg(long, value_name = "A..B")]
    pub(super) seeds: Option<Seeds>,
    /// Only share I of N of the seeds, counted from 0/N to N-1/N, for a sweep over several machines:
    /// `tenure merge` puts their files together.
    #[arg(long, value_name = "I/N", conflicts_with = "all")]
    part: Option<Part>,
    /// How many threads; one for each processor if absent. What comes out does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// Stop when so many runs have failed, after the 256 seeds under way.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) keep: Option<u64>,
    /// Stop after this time, as 10m, and the 256 seeds under way. With --all it is that of all together, and
    /// what comes too late is left out.
    #[arg(long = "for", value_name = "TIME")]
    pub(super) time: Option<Span>,
    /// Run one in N seeds twice, to see that it is the same run (check `determinism`).
    #[arg(long, value_name = "N")]
    pub(super) twice: Option<NonZeroU64>,
    /// Write what is done to this file, as JSON lines, with the whole plan of each run that failed. A
    /// sweep that was interrupted goes on from there.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Drawings of what each seed came to.
    #[command(flatten)]
    pub(super) report: ReportArgs,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

/// Sweeps and prints what came of it.
///
/// # Errors
/// Input that makes no sense, or a file or threads that do not work.
pub(super) fn run(args: &SweepArgs) -> Result<u8, Refusal> {
    let jobs = args.jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    let pool = pool.map_err(|error| Refusal::new(format_args!("--jobs: {error}: use fewer")))?;
    let inputs = args.which.scenario.iter().chain(&args.out);
    args.report.check(args.json, inputs)?;
    let _quiet = campaign::Quiet::new();
    if args.all {
        return all(args, &pool);
    }
    let any = args.which.any("random")?;
    let told = swept(&any, args, args.time.map(Span::as_duration), &pool)?;
    if args.json {
        output::print_json(&told.json())?;
    } else if !args.report.replaces_text() {
        output::print(told.text())?;
    }
    Ok(told.exit_status)
}

impl SweepArgs {
    /// The seeds to run.
    fn seeds(&self, any: &Any) -> Result<Range<u64>, Refusal> {
        let all = self.seeds.map_or_else(|| 0..any.seeds().max(1), |seeds| seeds.from..seeds.to);
        let Some(Part { index, of }) = self.part else { return Ok(all) };
        let part = share(all.clone(), index, of);
        if part.is_empty() {
            let what = format!(
                "--part: {index}/{of} of {} seeds is none: use no more parts than seeds",
                all.end - all.start
            );
            return Err(Refusal::new(what));
        }
        Ok(part)
    }
}

fn swept(
    any: &Any,
    args: &SweepArgs,
    time: Option<Duration>,
    pool: &rayon::ThreadPool,
) -> Result<Told, Refusal> {
    let seeds = args.seeds(any)?;
    match any {
        Any::Election(scenario) => Campaign::new(&**scenario, any, args, seeds, time).run(pool),
        Any::Sharded(scenario) => Campaign::new(&**scenario, any, args, seeds, time).run(pool),
    }
}

/// Each scenario, a line each; the worst of their exit statuses.
fn all(args: &SweepArgs, pool: &rayon::ThreadPool) -> Result<u8, Refusal> {
    let elections = catalogue::all().map(|mut scenario| {
        scenario.profile = args.which.profile.unwrap_or(scenario.profile);
        Any::Election(Box::new(scenario))
    });
    let sharded = sharding::catalogue::all().map(|it| Any::Sharded(Box::new(it)));
    let mut worst = 0;
    let since = now();
    let mut left_out = 0_u32;
    let all: Vec<Any> = elections.chain(sharded).collect();
    for (any, after) in all.iter().zip((1..=all.len()).rev()) {
        // What is left of the time, as much for each of those to come.
        let time = args.time.map(|time| time.as_duration().saturating_sub(now() - since));
        if time.is_some_and(|time| time.is_zero()) {
            left_out += 1;
            continue;
        }
        let share = time.map(|time| time / u32::try_from(after).unwrap_or(u32::MAX));
        let told = swept(any, args, share, pool)?;
        if args.json {
            output::print_json(&told.json())?;
        } else {
            output::print(told.line())?;
        }
        worst = match (worst, told.exit_status) {
            (1, _) | (_, 1) => 1,
            (worst, status) => worst.max(status),
        };
    }
    if left_out > 0 && !args.json {
        output::print(format_args!("{left_out} scenarios were left out: the time is over\n"))?;
    }
    Ok(worst)
}
