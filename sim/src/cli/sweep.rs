//! `tenure sweep`: many random runs.

mod sharded;

use core::fmt::{self, Write as _};
use core::ops::Range;
use core::str::FromStr;

use serde_json::json;
use tenure::election::Profile;

use super::progress::Progress;
use super::{Refusal, output};
use crate::check::Checks;
use crate::explain::explain;
use crate::outcome::Outcome;
use crate::plan::{self, Mix};
use crate::scenario::{Scenario, ScenarioError};
use crate::sweep::{Runs, Tally, sweep};
use crate::trace::Recorder;
use crate::world::World;

/// Run many random fault plans, one from each seed, and check every run.
///
/// A run without a violation has passed only if the lock changed hands and a fault had an effect; else
/// it is unknown. `tenure run random` is content with either, a conflict or a late answer, so that the
/// same plan may hold there. Exits with 3 if all runs are unknown.
#[derive(Debug, clap::Args)]
pub struct SweepArgs {
    /// A scenario of a sharded group (`sharding/swarm` draws its faults from the seed), which is run with
    /// each seed as it is; an election under random faults, if absent.
    #[arg(value_name = "NAME")]
    pub scenario: Option<String>,
    /// The seeds, from A up to but not including B.
    #[arg(long, value_name = "A..B", default_value = "0..1000")]
    pub seeds: Seeds,
    /// The rules that the replicas follow: strict, client-go-head, or client-go-v1.36 and other
    /// releases.
    #[arg(long, default_value_t)]
    pub profile: Profile,
    /// Leave out this rule of the sharding protocol (sharded groups only; may be repeated).
    #[arg(long, value_name = "RULE")]
    pub without: Vec<String>,
    /// How many threads; one for each processor if absent. What comes out does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// A range of seeds, as `0..1000`; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// The text is no range of seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSeeds;

impl fmt::Display for NoSeeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write two numbers, the first less than the second, as 0..1000")
    }
}

impl core::error::Error for NoSeeds {}

impl FromStr for Seeds {
    type Err = NoSeeds;

    fn from_str(text: &str) -> Result<Self, NoSeeds> {
        let (from, to) = text.split_once("..").ok_or(NoSeeds)?;
        let (from, to) = (from.parse().map_err(|_| NoSeeds)?, to.parse().map_err(|_| NoSeeds)?);
        if from < to { Ok(Self { from, to }) } else { Err(NoSeeds) }
    }
}

/// What the first line of the answer and `tenure run random` agree on.
pub(super) fn random(profile: Profile, seed: u64) -> Scenario {
    let base = Scenario {
        name: "random".to_owned(),
        description: "A random fault plan.".to_owned(),
        profile,
        ..Scenario::default()
    };
    plan::scenario(&base, Mix::Safe, seed)
}

fn one(profile: Profile, seed: u64) -> Result<Outcome, ScenarioError> {
    let scenario = random(profile, seed);
    let mut checks = Checks::for_scenario(&scenario);
    Ok(World::new(&scenario, seed)?.run(&mut checks))
}

/// Sweeps and prints what came of it.
///
/// # Errors
/// Threads or standard output do not work.
pub fn run(args: &SweepArgs) -> Result<u8, Refusal> {
    if let Some(name) = &args.scenario {
        let scenario = crate::sharding::catalogue::find(name).ok_or_else(|| unknown(name))?;
        return sharded::run(&scenario, args);
    }
    if let Some(rule) = args.without.first() {
        return Err(Refusal::new(format_args!(
            "--without: {rule:?} is a rule of sharded groups: name a scenario of one, such as sharding/swarm"
        )));
    }
    let Range { start, end } = args.seeds.from..args.seeds.to;
    let pool = pool(args)?;
    let progress = Progress::new(end - start, "runs");
    let tally = pool.install(|| {
        sweep(start..end, |seed| {
            let outcome = one(args.profile, seed);
            progress.advance(1);
            outcome
        })
    });
    drop(progress);
    let tally = tally.map_err(Refusal::new)?;
    if args.json {
        output::print_json(&json(args, &tally))?;
    } else {
        output::print(text(args, &tally)?)?;
    }
    Ok(exit_status(args.profile, &tally))
}

fn pool(args: &SweepArgs) -> Result<rayon::ThreadPool, Refusal> {
    let jobs = args.jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    pool.map_err(|error| Refusal::new(format_args!("--jobs: {error}: use fewer")))
}

fn unknown(name: &str) -> Refusal {
    let names = crate::sharding::catalogue::names();
    let near = super::nearest::nearest(name, names);
    let near = match near.as_slice() {
        [] => "`tenure scenarios` lists those called sharding/…".to_owned(),
        near => format!("did you mean {}?", near.join(" or ")),
    };
    Refusal::new(format_args!("{name:?} is no scenario of a sharded group: {near}"))
}

/// Under client-go violations are what the sweep is to show.
fn exit_status(profile: Profile, tally: &Tally) -> u8 {
    match (tally.runs.violated, tally.runs.passed) {
        (1.., _) if profile == Profile::Strict => 1,
        (0, 0) => 3,
        _ => 0,
    }
}

fn json(args: &SweepArgs, tally: &Tally) -> serde_json::Value {
    let found = tally.found.iter().map(|((check, rule), found)| {
        json!({
            "check": check,
            "rule": rule,
            "times": found.times,
            "runs": found.runs,
            "first_seed": found.first_seed,
            "first": found.first,
            "again": again(args.profile, found.first_seed),
        })
    });
    json!({
        "profile": args.profile.to_string(),
        "seeds": { "from": args.seeds.from, "to": args.seeds.to },
        "runs": tally.runs,
        "statistics": tally.statistics,
        "found": found.collect::<Vec<_>>(),
        "digest": tally.digest().to_string(),
        "exit_status": exit_status(args.profile, tally),
    })
}

fn again(profile: Profile, seed: u64) -> String {
    format!("tenure run random --profile {profile} --seed {seed}")
}

/// The violation that was found first, with all that led to it.
fn explained(profile: Profile, tally: &Tally) -> Result<Option<String>, Refusal> {
    let Some(found) = tally.found.values().min_by_key(|found| (found.first_seed, found.first.seq))
    else {
        return Ok(None);
    };
    let scenario = random(profile, found.first_seed);
    let mut recorder = Recorder::default();
    let world = World::new(&scenario, found.first_seed);
    world.map_err(Refusal::new)?.run(&mut recorder);
    Ok(Some(explain(&scenario, found.first_seed, &recorder.entries, &found.first)))
}

fn text(args: &SweepArgs, tally: &Tally) -> Result<String, Refusal> {
    let Runs { all, passed, unknown, violated, .. } = tally.runs;
    let Runs { takeover, conflict, late_answer, pause, crash, effect, watch, rollout, .. } =
        tally.runs;
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{all} random runs, seeds {} to {}, {}",
        args.seeds.from,
        args.seeds.to - 1,
        args.profile
    );
    let _ = writeln!(text, "  {passed} passed, {violated} violated, {unknown} unknown\n");
    text.push_str("runs with\n");
    for (what, runs) in [
        ("a takeover", takeover),
        ("a conflict", conflict),
        ("a late answer", late_answer),
        ("a pause", pause),
        ("a crash", crash),
        ("a fault that had an effect", effect),
        ("a watch", watch),
        ("a rollout", rollout),
    ] {
        let _ = writeln!(text, "  {what:<28}{runs:>9}");
    }
    text.push_str("\nwhat was found\n");
    if tally.found.is_empty() {
        text.push_str("  no violation\n");
    }
    for ((check, rule), found) in &tally.found {
        let _ = writeln!(text, "  {check}, {rule}: {} times in {} runs", found.times, found.runs);
        let _ = writeln!(text, "    first: {}", found.first.what);
        let _ = writeln!(text, "    again: {}", again(args.profile, found.first_seed));
    }
    if let Some(explained) = explained(args.profile, tally)? {
        let _ = write!(text, "\nthe first of all, explained\n{explained}");
    }
    let _ = writeln!(text, "\ndigest {}", tally.digest());
    Ok(text)
}
