//! `tenure shrink`: the smallest plan that shows the same.

use core::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::json;

use super::file::is_toml;
use super::progress::Progress;
use super::run::SEED;
use super::trace_file::Part;
use super::which::{Any, Which};
use super::{Refusal, output, trace_file, which};
use crate::shrink::{Shrunk, shrink};
use crate::subject::{Find, Subject};

/// Leave out of a run what does not matter: faults, options, replicas, time.
///
/// What is left shows the same violation, with the same seed, and goes to a file that `tenure run
/// --scenario` runs. Exits with 1, since there is a violation; with 3 if there is none to be shrunk.
#[derive(Debug, clap::Args)]
pub(super) struct ShrinkArgs {
    /// Which one; `random`, if nothing is said.
    #[command(flatten)]
    pub(super) which: Which,
    /// The seed of the run; by default what the scenario's file says, or 42.
    #[arg(long, value_parser = which::seed, allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    /// The check, or check/rule, whose violation is to be kept; by default the first that the scenario
    /// does not expect, or the first.
    #[arg(long, value_name = "CHECK")]
    pub(super) check: Option<String>,
    /// At most so many runs.
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) budget: u64,
    /// Write the small scenario to this file.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

/// Shrinks and prints.
///
/// # Errors
/// Input that makes no sense, or a file that cannot be written.
pub(super) fn run(args: &ShrinkArgs) -> Result<u8, Refusal> {
    if let Some(path) = &args.out
        && args.which.scenario.iter().any(|input| trace_file::same(input, path))
    {
        return Err(Refusal::file(path, "an output would write over an input: name another file"));
    }
    let any = args.which.any("random")?;
    args.check.iter().try_for_each(|check| any.knows(check))?;
    let seed = args.seed.or_else(|| any.seed()).unwrap_or(SEED);
    match &any {
        Any::Election(scenario) => {
            let expected = scenario.expected().to_vec();
            shrunk(&**scenario, seed, &expected, args)
        }
        Any::Sharded(scenario) => {
            let expected = scenario.expect.clone();
            shrunk(&**scenario, seed, &expected, args)
        }
    }
}

fn shrunk<S: Subject>(
    scenario: &S,
    seed: u64,
    expected: &[String],
    args: &ShrinkArgs,
) -> Result<u8, Refusal> {
    let refuse = |error: S::Error| args.which.refuse(error);
    let ran = scenario.run(seed).map_err(refuse)?;
    let Some(find) = chosen(&ran.finds, expected, args.check.as_deref()) else {
        return nothing(scenario.name(), seed, &ran.finds, args);
    };
    let progress = Progress::new(args.budget, "runs at most");
    let small = shrink(scenario, seed, find, args.budget, &mut |_| progress.advance(1));
    drop(progress);
    let Some(mut small) = small.map_err(refuse)? else {
        return nothing(scenario.name(), seed, &ran.finds, args);
    };
    if let Some(fields) = small.plan.as_object_mut() {
        fields.insert("seed".to_owned(), seed.into());
        let violation = &small.find.violation;
        let (name, check, rule) = (scenario.name(), &violation.check, &violation.rule);
        let description = format!("What matters of {name} with seed {seed}: {check}, {rule}.");
        fields.insert("description".to_owned(), description.into());
    }
    let plan = &small.plan;
    if let Some(path) = &args.out {
        let text = if is_toml(path) {
            let unsaid = "cannot be TOML, which has no null: name a file that ends in .json";
            toml::to_string(plan).map_err(|_| Refusal::file(path, unsaid))?
        } else {
            format!("{plan:#}\n")
        };
        let (part, mut file) = Part::new(path)?;
        part.put(file.write_all(text.as_bytes()).and_then(|()| file.flush()))?;
    }
    let explained = small.scenario.explain(seed, &small.find.violation).map_err(refuse)?;
    if args.json {
        output::print_json(&json!({
            "scenario": scenario.name(),
            "seed": seed,
            "check": small.find.violation.check,
            "rule": small.find.violation.rule,
            "violation": small.find.violation,
            "faults_before": small.faults_before,
            "faults": small.faults,
            "runs": small.runs,
            "plan": plan,
        }))?;
    } else {
        output::print(text(&small, seed, &explained, args))?;
    }
    Ok(1)
}

/// The violation to keep.
fn chosen<'a>(finds: &'a [Find], expected: &[String], check: Option<&str>) -> Option<&'a Find> {
    if let Some(check) = check {
        return finds.iter().find(|find| find.violation.is_of(check));
    }
    let unexpected = |find: &&Find| !expected.iter().any(|it| find.violation.is_of(it));
    finds.iter().find(unexpected).or_else(|| finds.first())
}

fn nothing(name: &str, seed: u64, finds: &[Find], args: &ShrinkArgs) -> Result<u8, Refusal> {
    let of = args.check.as_ref().map_or_else(String::new, |check| format!(" by {check}"));
    let mut text =
        format!("{name}, seed {seed}: nothing is found{of}, so there is nothing to shrink\n");
    let mut told: Vec<String> = Vec::new();
    for Find { violation, .. } in finds {
        let of = format!("{}/{}", violation.check, violation.rule);
        if !told.contains(&of) {
            let _ = writeln!(text, "  but {of}: {}", violation.what);
            told.push(of);
        }
    }
    if args.json {
        output::print_json(
            &json!({ "scenario": name, "seed": seed, "found": told, "plan": null }),
        )?;
    } else {
        output::print(text)?;
    }
    Ok(3)
}

fn text<S: Subject>(small: &Shrunk<S>, seed: u64, explained: &str, args: &ShrinkArgs) -> String {
    let Shrunk { plan, faults_before, faults, runs, .. } = small;
    let mut text = format!("from {faults_before} faults to {faults}, in {runs} runs\n\n");
    // The last line of an explanation is a command for the whole run.
    let explained = explained.rsplit_once("\n\ntenure ").map_or(explained, |(text, _)| text);
    let _ = writeln!(text, "{}\n", explained.trim_end());
    if let Some(path) = &args.out {
        let _ =
            writeln!(text, "again: tenure run --scenario {} --seed {seed}", which::quoted(path));
    } else {
        let _ =
            writeln!(text, "the plan, for a file (--out FILE) and `tenure run --scenario FILE`:");
        let _ = writeln!(text, "{plan:#}");
    }
    text
}
