//! `tenure run`: one scenario with one seed.

use std::path::PathBuf;

use super::export::ExportArgs;
use super::trace_file::{self, TraceFile};
use super::which::{Any, Which};
use super::{Refusal, describe, experiment, output, sharding, which};
use crate::check::{Checks, Violation};
use crate::explain::{Excerpt, explain, mermaid, perfetto, terms};
use crate::outcome::Outcome;
use crate::report::{self, Head};
use crate::scenario::Scenario;
use crate::trace::{Entry, Recorder};
use crate::verdict::{Verdict, judge};
use crate::world::{FaultEffect, World};
use serde_json::json;

/// With which everything runs that says nothing else.
pub(super) const SEED: u64 = 42;

/// What runs if nothing is named.
const EXPERIMENT: &str = "experiment";

/// Run a scenario and check all properties.
#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// Which one: `experiment`, if nothing is said, for three replicas of a controller without election,
    /// with a leader, and sharded.
    #[command(flatten)]
    pub(super) which: Which,
    /// Where all chance comes from: the same seed gives the same run, on every machine. By default what
    /// the scenario's file says, or 42.
    #[arg(long, value_parser = which::seed, allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    /// Reconcile objects of these names, one a line (experiment only).
    #[arg(long, value_name = "FILE")]
    pub(super) keys: Option<PathBuf>,
    /// Write all that happens to this file, as JSON lines. The experiment writes three files: the
    /// mode goes before the extension.
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// Drawings of it.
    #[command(flatten)]
    pub(super) export: ExportArgs,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
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
    /// What is drawn, or needed to explain what was found.
    entries: Vec<Entry>,
}

/// Runs and prints.
///
/// # Errors
/// Input that makes no sense.
pub(super) fn run(args: &RunArgs) -> Result<u8, Refusal> {
    let inputs = [&args.which.scenario, &args.keys].into_iter().flatten();
    let mut written = args.trace.iter().chain(args.export.files());
    if let Some(path) =
        written.find(|path| inputs.clone().any(|input| trace_file::same(input, path)))
    {
        return Err(Refusal::file(path, "an output would write over an input: name another file"));
    }
    if args.trace.iter().any(|trace| args.export.files().any(|file| trace_file::same(file, trace)))
    {
        return Err(Refusal::new("--trace and a drawing name one file: name two"));
    }
    if args.trace.as_ref().is_some_and(|trace| trace.as_os_str() == "-") {
        return Err(Refusal::new(
            "--trace: a trace is put in its place when all is done: name a file, not -",
        ));
    }
    args.export.check(args.json)?;
    let name = args.which.name.as_deref().unwrap_or(EXPERIMENT);
    if args.which.scenario.is_none() && name == EXPERIMENT {
        if args.export.any() {
            let what = "--mermaid, --perfetto, --report, --svg: the experiment is four runs: name one scenario, \
                        such as pause";
            return Err(Refusal::new(what));
        }
        return experiment::run(args);
    }
    if args.keys.is_some() {
        return Err(Refusal::new("--keys: only `experiment` has objects: leave it out"));
    }
    let any = args.which.any(name)?;
    let seed = args.seed.or_else(|| any.seed()).unwrap_or(SEED);
    let again = args.which.again(&any, seed);
    let scenario = match any {
        Any::Sharded(scenario) => return sharding::run(&scenario, seed, &again, args),
        Any::Election(scenario) => *scenario,
    };
    let (done, drawn) = simulate(&scenario, seed, again, args)?;
    let (entries, found) = (&done.entries, &done.outcome.violations);
    let report = drawn.map(|drawn| drawn.report(found).headed(done.head()));
    args.export.write(
        || mermaid(&done.scenario, entries, done.told().first().copied()),
        || perfetto(&done.scenario, entries, found),
        report.as_ref(),
    )?;
    if args.export.replaces_text() {
        return Ok(done.verdict.exit_status());
    }
    if args.json {
        output::print_json(&done.json())?;
    } else {
        output::print(describe::text(&done))?;
    }
    Ok(done.verdict.exit_status())
}

fn simulate(
    scenario: &Scenario,
    seed: u64,
    again: String,
    args: &RunArgs,
) -> Result<(Done, Option<report::Election>), Refusal> {
    let mut world = World::new(scenario, seed).map_err(|error| args.which.refuse(error))?;
    let drawn = world.scenario().clone();
    let file = args.trace.as_deref().map(|path| TraceFile::new(path, &drawn, seed));
    // None or one.
    let mut file: Vec<TraceFile> = file.transpose()?.into_iter().collect();
    // Drawings are of the whole run. Else nothing is kept of it, however long it is: what was found shows
    // when it runs again.
    let mut recorders: Vec<Recorder> =
        args.export.keeps().then(Recorder::default).into_iter().collect();
    let report = args.export.report.any();
    let mut reports: Vec<_> = report.then(|| report::Election::new(&drawn)).into_iter().collect();
    let checks = Checks::for_scenario(&drawn);
    let outcome = world.run(&mut ((checks, &mut file), (&mut recorders, &mut reports)));
    for file in file {
        file.finish()?;
    }
    let verdict = judge(scenario, &outcome);
    let effects = world.fault_effects().to_vec();
    let entries = recorders.pop().map(|it| it.entries);
    let mut done =
        Done { scenario: drawn, seed, outcome, effects, verdict, again, entries: Vec::new() };
    done.entries = match entries {
        Some(entries) => entries,
        None => done.around(args)?,
    };
    Ok((done, reports.pop()))
}

impl Done {
    /// The entries around what is to be told, of the same run once more; none if nothing is.
    fn around(&self, args: &RunArgs) -> Result<Vec<Entry>, Refusal> {
        let told = self.told();
        if told.is_empty() {
            return Ok(Vec::new());
        }
        let mut excerpt = Excerpt::around(&told);
        let world = World::new(&self.scenario, self.seed);
        world.map_err(|error| args.which.refuse(error))?.run(&mut excerpt);
        Ok(excerpt.entries)
    }

    /// Told in full.
    pub(super) fn explained(&self) -> Vec<String> {
        self.told().into_iter().map(|violation| self.explain(violation)).collect()
    }

    /// The first violation of each check that should not have found any; if there is none, the first that
    /// was expected.
    fn told(&self) -> Vec<&Violation> {
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
        told
    }

    fn explain(&self, violation: &Violation) -> String {
        let text = explain(&self.scenario, self.seed, &self.entries, violation);
        // It ends with a command that knows nothing of scenario files; `again` does.
        text.rsplit_once("\n\n").map_or_else(|| text.clone(), |(text, _)| text.to_owned())
    }

    /// What stands above a report.
    fn head(&self) -> Head {
        let Self { scenario, seed, verdict, .. } = self;
        let (count, profile) = (scenario.replicas.len(), scenario.profile);
        Head {
            title: format!("{}, {profile}, seed {seed}", scenario.name),
            about: vec![
                scenario.description.clone(),
                format!("{count} replicas, {} simulated, {}", scenario.horizon, terms(scenario)),
            ],
            tone: verdict.tone(),
            verdict: verdict.to_string(),
            again: Some(self.again.clone()),
            explained: self.explained(),
        }
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::catalogue;
    use crate::time::Span;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        run: RunArgs,
    }

    fn entries(line: &str, hours: u64) -> (usize, u64) {
        let args = Line::try_parse_from(line.split(' ')).unwrap().run;
        let mut scenario = catalogue::find("pause").unwrap();
        scenario.profile = args.which.profile.unwrap_or(scenario.profile);
        scenario.horizon = Span::from_secs(hours * 3_600);
        let (done, _) = simulate(&scenario, 1, String::new(), &args).unwrap();
        (done.entries.len(), done.outcome.statistics.entries)
    }

    /// A run of three months would not fit into memory.
    #[test]
    fn a_run_is_not_kept_unless_it_is_drawn_or_explained() {
        assert_eq!(entries("run pause", 1).0, 0);
        assert_eq!(entries("run pause --report -", 1).0, 0);
        let (kept, all) = entries("run pause --mermaid -", 1);
        assert_eq!(kept as u64, all);
        let (kept, all) = entries("run pause --profile client-go-head", 24);
        assert!(kept > 10_000 && (kept as u64) * 2 < all, "{kept} of {all}");
    }
}
