//! `tenure mutants`: is a bug noticed?

use core::fmt::Write as _;

use rayon::prelude::*;
use serde_json::json;

use super::progress::Progress;
use super::sweep::Seeds;
use super::{Refusal, output};
use crate::mutants::{Bug, Plant, Row, Shown, Swarm, all, detect};
use crate::nearest::nearest;

/// Plant bugs that elections and sharded groups are known to have, one at a time, and print what notices
/// them: which scenario shows it at once, in how many random runs a check finds it, and how many faults are
/// left of the first of these when it is shrunken.
///
/// Exits with 1 if more than five bugs go unnoticed, or one of which that is not argued to do no harm.
#[derive(Debug, clap::Args)]
pub(super) struct MutantsArgs {
    /// Only the bugs of these numbers (5, H8), or those that come of leaving out these rules.
    #[arg(value_name = "BUG")]
    pub(super) bugs: Vec<String>,
    /// The seeds of the random runs.
    #[arg(long, value_name = "A..B", default_value = "0..100")]
    pub(super) seeds: Seeds,
    /// Those of sharded groups, which take ten times as long; as --seeds if absent.
    #[arg(long, value_name = "A..B")]
    pub(super) group_seeds: Option<Seeds>,
    /// Do not shrink what is found.
    #[arg(long)]
    pub(super) no_shrink: bool,
    /// How many threads; one for each processor if absent. What comes out does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

/// No more than these may go unnoticed.
const SURVIVORS: usize = 5;

/// Prints the table.
///
/// # Errors
/// Threads or standard output do not work; there is no such bug.
pub(super) fn run(args: &MutantsArgs) -> Result<u8, Refusal> {
    let jobs = args.jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    let pool = pool.map_err(|error| Refusal::new(format_args!("--jobs: {error}: use fewer")))?;
    let bugs = chosen(&args.bugs)?;
    let progress = Progress::new(bugs.len() as u64, "bugs");
    let group_seeds = args.group_seeds.as_ref().unwrap_or(&args.seeds);
    let one = |bug: &Bug| {
        let of_groups = matches!(bug.plant, Plant::Sharding(_));
        let Seeds { from, to } = *if of_groups { group_seeds } else { &args.seeds };
        let row = detect(bug, from..to, !args.no_shrink);
        progress.note(format_args!("{}: {}", bug.number, bug.what));
        progress.advance(1);
        row
    };
    let rows: Result<Vec<Row>, String> = pool.install(|| bugs.par_iter().map(one).collect());
    let rows = rows.map_err(Refusal::new)?;
    drop(progress);
    let survivors = rows.iter().filter(|row| row.survives()).count();
    let unargued = rows.iter().filter(|row| row.survives() && row.argument.is_none()).count();
    let status = u8::from(survivors > SURVIVORS || unargued > 0);
    if args.json {
        output::print_json(&json!({
            "seeds": { "from": args.seeds.from, "to": args.seeds.to },
            "group_seeds": { "from": group_seeds.from, "to": group_seeds.to },
            "bugs": rows,
            "survivors": survivors,
            "exit_status": status,
        }))?;
    } else {
        output::print(text(&rows, survivors))?;
    }
    Ok(status)
}

fn chosen(names: &[String]) -> Result<Vec<Bug>, Refusal> {
    let mut bugs = all();
    for name in names {
        if !bugs.iter().any(|bug| bug.is_called(name)) {
            let mut known: Vec<_> = bugs.iter().flat_map(Bug::without).collect();
            known.extend(bugs.iter().map(|bug| bug.number));
            let near = nearest(name, known.into_iter());
            let near =
                if near.is_empty() { "leave it out for all".to_owned() } else { near.join(" or ") };
            return Err(Refusal::new(format_args!("{name:?} is no bug and no rule: {near}")));
        }
    }
    bugs.retain(|bug| names.is_empty() || names.iter().any(|name| bug.is_called(name)));
    Ok(bugs)
}

fn text(rows: &[Row], survivors: usize) -> String {
    let mut text = String::new();
    for row in rows {
        let _ = write!(text, "{:<4} {}", row.number, row.bug);
        if !row.without.is_empty() {
            let _ = write!(text, " (without {})", row.without.join(", "));
        }
        text.push('\n');
        if let Some(by) = &row.refused_by {
            let _ = writeln!(text, "     refused by {by}");
        }
        if let Some(shown) = &row.shown_by {
            let _ = writeln!(text, "     {}", told(shown));
        }
        for Swarm { scenario, runs, hits, seeds_for_95, first } in &row.swarms {
            let _ = write!(text, "     {scenario}: {hits} of {runs}");
            if let (Some(seeds), Some(first)) = (seeds_for_95, first) {
                let _ = write!(text, " ({seeds} for 95 %); {}", told(first));
            }
            text.push('\n');
        }
        if row.survives() {
            let why = row.argument.as_deref().unwrap_or("and it is not known why");
            let _ = writeln!(text, "     NOT NOTICED: {why}");
        }
    }
    let _ = writeln!(text, "\n{} bugs, {survivors} of them noticed by nothing.", rows.len());
    text
}

/// What showed it.
fn told(shown: &Shown) -> String {
    let Shown { scenario, seed, property, faults_before, faults } = shown;
    let property = property.as_deref().unwrap_or("what is expected is missing");
    let left = faults.map_or_else(String::new, |faults| format!(", {faults} when shrunken"));
    format!("{scenario}, seed {seed}: {property}; {faults_before} faults{left}")
}
