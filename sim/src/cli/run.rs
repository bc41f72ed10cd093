//! `tenure run`: one scenario with one seed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use tenure::election::{Profile, UnknownProfile};

use super::trace_file::TraceFile;
use super::{Refusal, describe, experiment, nearest, output, sharding, sweep};
use crate::catalogue;
use crate::check::{Checks, Violation};
use crate::explain::explain;
use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::trace::Recorder;
use crate::verdict::{Verdict, judge};
use crate::world::{FaultEffect, World};

/// Run a scenario and check all properties.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// A scenario that `tenure scenarios` lists; `random` for a random fault plan from the seed;
    /// `experiment` for three replicas of a controller without election, with a leader, and sharded.
    /// Those of sharded groups are called `sharding/…`.
    #[arg(value_name = "NAME", default_value = "experiment", conflicts_with = "scenario")]
    pub name: String,
    /// Run the scenario in this file: JSON, as docs/simulation.md says.
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// The rules that the replicas follow: strict, client-go-head, or client-go-v1.36 and other
    /// releases; by default what the scenario says.
    #[arg(long)]
    pub profile: Option<Profile>,
    /// Where all chance comes from: the same seed gives the same run, on every machine.
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// Leave out this rule of the sharding protocol, to see which checks find it (sharded groups only;
    /// may be repeated).
    #[arg(long, value_name = "RULE")]
    pub without: Vec<String>,
    /// Reconcile objects of these names, one a line (experiment only).
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// Write all that happens to this file, as JSON lines. The experiment writes three files: the
    /// mode goes before the extension.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// A run that is over.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) scenario: Scenario,
    pub(super) seed: u64,
    pub(super) outcome: Outcome,
    pub(super) effects: Vec<FaultEffect>,
    pub(super) verdict: Verdict,
    /// What repeats it.
    pub(super) again: String,
    recorder: Recorder,
}

/// Runs and prints.
///
/// # Errors
/// Input that makes no sense.
pub fn run(args: &RunArgs) -> Result<u8, Refusal> {
    let inputs = [&args.scenario, &args.keys].into_iter().flatten();
    if let Some(path) =
        args.trace.iter().find(|trace| inputs.clone().any(|input| same(input, trace)))
    {
        return Err(Refusal::file(path, "--trace would write over an input: name another file"));
    }
    if let Some(scenario) = sharding::asked(args)? {
        return sharding::run(&scenario, args);
    }
    if !args.without.is_empty() {
        return Err(Refusal::new("--without: only sharded groups have these rules: leave it out"));
    }
    if args.scenario.is_none() && args.name == "experiment" {
        return experiment::run(args);
    }
    if args.keys.is_some() {
        return Err(Refusal::new("--keys: only `experiment` has objects: leave it out"));
    }
    let done = simulate(scenario(args)?, args)?;
    if args.json {
        output::print_json(&done.json())?;
    } else {
        output::print(describe::text(&done))?;
    }
    Ok(done.verdict.exit_status())
}

/// Whether both are the same file, which exists.
fn same(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

fn scenario(args: &RunArgs) -> Result<Scenario, Refusal> {
    let mut scenario = match &args.scenario {
        Some(path) => read(path)?,
        None if args.name == "random" => {
            return Ok(sweep::random(args.profile.unwrap_or_default(), args.seed));
        }
        None => catalogue::find(&args.name).ok_or_else(|| unknown(&args.name))?,
    };
    if let Some(profile) = args.profile {
        scenario.profile = profile;
    }
    Ok(scenario)
}

fn unknown(name: &str) -> Refusal {
    let names = catalogue::names().chain(["experiment", "random"]);
    let names = names.chain(crate::sharding::catalogue::names());
    let near = nearest::nearest(name, names);
    let remedy = match near.as_slice() {
        [] => "`tenure scenarios` lists them".to_owned(),
        near => format!("did you mean {}? `tenure scenarios` lists all", near.join(" or ")),
    };
    Refusal::new(format_args!("{name:?} is no scenario: {remedy}"))
}

fn read(path: &Path) -> Result<Scenario, Refusal> {
    let text = fs::read_to_string(path).map_err(|error| Refusal::unreadable(path, &error))?;
    let scenario = parsed(path, &text)?;
    expectable(&scenario).map_err(|what| Refusal::file(path, what))?;
    Ok(scenario)
}

/// What a file of JSON says.
pub(super) fn parsed<T: serde::de::DeserializeOwned>(
    path: &Path,
    text: &str,
) -> Result<T, Refusal> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = error.path().to_string();
        Refusal::file(path, malformed(text, &field, error.inner()))
    })?;
    reader.end().map_err(|error| Refusal::file(path, malformed(text, "", &error)))?;
    Ok(value)
}

/// What no check and no profile is called would be expected in vain.
fn expectable(scenario: &Scenario) -> Result<(), String> {
    for (profile, checks) in &scenario.expect {
        if !matches!(profile.as_str(), "*" | "client-go") && profile.parse::<Profile>().is_err() {
            let known = UnknownProfile.to_string();
            let known = known.trim_start_matches("unknown profile: use ");
            return Err(format!("expect: {profile:?} is no profile: use *, client-go, {known}"));
        }
        if let Some(check) = checks.iter().find(|check| !Checks::has(check)) {
            let of = check.split('/').next().unwrap_or_default();
            let rules = Checks::NAMES.iter().zip(Checks::RULES).find(|(name, _)| **name == of);
            return Err(match rules {
                None => {
                    let names = Checks::NAMES.join(", ");
                    format!("expect.{profile}: {check:?} is no check: use {names}")
                }
                Some((_, rules)) => {
                    let rules = rules.join(", ");
                    format!("expect.{profile}: {check:?} is no rule of {of}: use {rules}")
                }
            });
        }
    }
    Ok(())
}

/// Line, field, what is wrong and what to do about it.
fn malformed(text: &str, field: &str, error: &serde_json::Error) -> String {
    // A value that was read and then refused is found by what stands after it, maybe lines below.
    let lines: Vec<&str> = text.lines().take(error.line()).collect();
    let filled = |line: &&str| line.contains(|letter: char| !" \t}],".contains(letter));
    let below = lines.iter().rev().take_while(|line| !filled(line)).count();
    let line = error.line().saturating_sub(below).max(1);
    let message = error.to_string();
    let what = message.split(" at line ").next().unwrap_or(&message);
    let field = if matches!(field, "" | "." | "?") { String::new() } else { format!("{field}: ") };
    format!("line {line}: {field}{what}: see docs/simulation.md")
}

fn simulate(scenario: Scenario, args: &RunArgs) -> Result<Done, Refusal> {
    let refuse = |error| match &args.scenario {
        Some(path) => Refusal::file(path, error),
        None => Refusal::new(error),
    };
    let mut world = World::new(&scenario, args.seed).map_err(refuse)?;
    let file = args.trace.as_deref().map(|path| TraceFile::new(path, &scenario, args.seed));
    // None or one.
    let mut file: Vec<TraceFile> = file.transpose()?.into_iter().collect();
    let mut recorder = Recorder::default();
    let checks = Checks::for_scenario(&scenario);
    let outcome = world.run(&mut ((checks, &mut file), &mut recorder));
    for file in file {
        file.finish()?;
    }
    let verdict = judge(&scenario, &outcome);
    let again = again(args, &scenario);
    let effects = world.fault_effects().to_vec();
    Ok(Done { scenario, seed: args.seed, outcome, effects, verdict, again, recorder })
}

fn again(args: &RunArgs, scenario: &Scenario) -> String {
    let what = match &args.scenario {
        Some(path) => format!("--scenario {}", path.display()),
        None => args.name.clone(),
    };
    format!("tenure run {what} --profile {} --seed {}", scenario.profile, args.seed)
}

impl Done {
    /// In full: the first violation of each check that should not have found any; if there is none,
    /// the first that was expected.
    pub(super) fn explained(&self) -> Vec<String> {
        let violations = &self.outcome.violations;
        let expected = self.scenario.expected();
        let mut told: Vec<&Violation> = Vec::new();
        for violation in violations {
            let known = told.iter().any(|other| other.check == violation.check);
            if !known && !expected.iter().any(|it| violation.is_of(it)) {
                told.push(violation);
            }
        }
        if told.is_empty() {
            told.extend(violations.first());
        }
        told.into_iter().map(|violation| self.explain(violation)).collect()
    }

    fn explain(&self, violation: &Violation) -> String {
        let text = explain(&self.scenario, self.seed, &self.recorder.entries, violation);
        // It ends with a command that knows nothing of scenario files; `again` does.
        text.rsplit_once("\n\n").map_or_else(|| text.clone(), |(text, _)| text.to_owned())
    }

    fn json(&self) -> serde_json::Value {
        let faults = self.scenario.faults.iter().zip(&self.effects).map(|(planned, effect)| {
            json!({ "planned": planned, "fired": effect.fired, "had_effect": effect.had_effect })
        });
        json!({
            "scenario": self.scenario.name,
            "profile": self.scenario.profile.to_string(),
            "seed": self.seed,
            "verdict": self.verdict.to_string(),
            "expected": self.scenario.expected(),
            "violations": self.outcome.violations,
            "explained": self.explained(),
            "statistics": self.outcome.statistics,
            "faults": faults.collect::<Vec<_>>(),
            "end_nanos": self.outcome.end,
            "digest": self.outcome.digest.to_string(),
            "exit_status": self.verdict.exit_status(),
            "again": self.again,
        })
    }
}
