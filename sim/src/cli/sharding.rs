//! `tenure run` of a sharded group.

use core::fmt::Write as _;

use serde_json::json;

use super::progress::Progress;
use super::run::RunArgs;
use super::trace_file::Part;
use super::{Refusal, output};
use crate::check::Violation;
use crate::explain::{mermaid_sharded, perfetto_sharded, terms_sharded};
use crate::report::{self, Head};
use crate::sharding::check::{Check, Checks};
use crate::sharding::meter::{Figures, Meter};
use crate::sharding::trace::{Entry, Recorder, Writer};
use crate::sharding::{Outcome, Scenario, judge, tenure_world};
use crate::subject::Subject as _;
use crate::time::Span;
use crate::verdict::Verdict;

const SECOND: u64 = 1_000_000_000;

/// How far the run is.
struct Bar {
    progress: Progress,
    done: u64,
}

impl Check for Bar {
    fn name(&self) -> &'static str {
        "bar"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        let seconds = entry.at.as_nanos() / SECOND;
        if seconds > self.done {
            self.progress.advance(seconds - self.done);
            self.done = seconds;
        }
    }
}

/// Runs and prints.
pub(super) fn run(
    scenario: &Scenario,
    seed: u64,
    again: &str,
    args: &RunArgs,
) -> Result<u8, Refusal> {
    let mut world = tenure_world(scenario, seed, &[]).map_err(|error| args.which.refuse(error))?;
    let drawn = world.scenario().clone();
    let (mut checks, mut meter) = (Checks::new(&drawn), Meter::new(&drawn));
    let file = args.trace.as_deref().map(Part::new).transpose()?;
    let (part, mut writer) = match file {
        Some((part, file)) => (Some(part), Some(Writer::new(file, &drawn, seed))),
        None => (None, None),
    };
    let seconds = drawn.horizon.as_nanos() / SECOND;
    let mut bar = Bar { progress: Progress::new(seconds, "simulated seconds"), done: 0 };
    let mut recorder = args.export.keeps().then(Recorder::default);
    let mut report = args.export.report.any().then(|| report::Group::new(&drawn));
    let both = (&mut writer, (&mut recorder, &mut report));
    let outcome = world.run(&mut (((&mut checks, &mut meter), both), &mut bar));
    drop(bar);
    if let (Some(part), Some(writer)) = (part, writer) {
        part.put(writer.finish().map(drop))?;
    }
    let verdict = judge(scenario, &outcome);
    let foreseen = |it: &&Violation| !scenario.expect.iter().any(|name| it.is_of(name));
    let (entries, found) = (recorder.map(|it| it.entries).unwrap_or_default(), &outcome.violations);
    let first = found.iter().find(foreseen).or_else(|| found.first());
    let explained = first.map(|first| scenario.explain(seed, first).map_err(Refusal::new));
    let explained = explained.transpose()?;
    let head = || head(&drawn, seed, verdict, again, explained.clone());
    let report = report.map(|report| report.report(found).headed(head()));
    args.export.write(
        || mermaid_sharded(&drawn, &entries, first),
        || perfetto_sharded(&drawn, &entries, found),
        report.as_ref(),
    )?;
    if args.export.replaces_text() {
        return Ok(verdict.exit_status());
    }
    let figures = meter.figures(&outcome.statistics);
    if args.json {
        let value = json!({
            "scenario": scenario.name,
            "mode": scenario.mode,
            "seed": seed,
            "without": scenario.without.iter().map(|rule| rule.name()).collect::<Vec<_>>(),
            "verdict": verdict.to_string(),
            "expected": scenario.expect,
            "violations": outcome.violations,
            "explained": explained,
            "statistics": outcome.statistics,
            "figures": figures,
            "faults": drawn.faults,
            "end_nanos": outcome.end,
            "digest": outcome.digest.to_string(),
            "exit_status": verdict.exit_status(),
            "again": again,
        });
        output::print_json(&value)?;
    } else {
        let mut text = text(scenario, &outcome, &figures, verdict, again);
        if let Some(explained) = explained {
            let _ = write!(text, "\nthe first, explained\n{explained}");
        }
        output::print(text)?;
    }
    Ok(verdict.exit_status())
}

/// What stands above a report.
fn head(
    scenario: &Scenario,
    seed: u64,
    verdict: Verdict,
    again: &str,
    explained: Option<String>,
) -> Head {
    let (count, horizon) = (scenario.replicas.len(), scenario.horizon);
    let terms = terms_sharded(scenario);
    Head {
        title: format!("{}, seed {seed}", scenario.name),
        about: vec![
            scenario.description.clone(),
            format!("{count} replicas, {horizon} simulated, {terms}"),
        ],
        tone: verdict.tone(),
        verdict: verdict.to_string(),
        again: Some(again.to_owned()),
        explained: explained.into_iter().collect(),
    }
}

fn text(
    scenario: &Scenario,
    outcome: &Outcome,
    figures: &Figures,
    verdict: Verdict,
    again: &str,
) -> String {
    let mut text = format!("{}: {verdict}\n", scenario.name);
    let mut told: Vec<(&str, &str)> = Vec::new();
    for violation in &outcome.violations {
        let of = (violation.check.as_str(), violation.rule.as_str());
        if told.contains(&of) {
            continue;
        }
        told.push(of);
        let same = outcome.violations.iter().filter(|it| (&*it.check, &*it.rule) == of).count();
        let expected = scenario.expect.iter().any(|expected| violation.is_of(expected));
        let word = if expected { "expected" } else { "violated" };
        let _ = writeln!(
            text,
            "  {word}: {}/{} at {}, {same} in all: {}",
            of.0, of.1, violation.at, violation.what
        );
    }
    let seconds = |nanos: u64| Span::from_nanos(nanos / 1_000_000 * 1_000_000);
    let per_second = |per_1000s: u64| format!("{}.{:03}", per_1000s / 1_000, per_1000s % 1_000);
    let _ = writeln!(text, "  two owners: {} of slots", seconds(figures.two_owner_slot_nanos));
    for (cause, unowned) in &figures.unowned {
        let _ = writeln!(
            text,
            "  no owner ({cause}): {} times, the longest {}, {} of slots",
            unowned.gaps,
            seconds(unowned.longest.as_nanos()),
            seconds(unowned.slot_nanos)
        );
    }
    let busiest = per_second(figures.busiest_to_mean_permille);
    let _ = writeln!(
        text,
        "  {} moves, {} changes of members, busiest to mean {busiest}",
        figures.moves, figures.changes
    );
    let _ = writeln!(
        text,
        "  per second: {} writes, {} reads, {} watched",
        per_second(figures.writes_per_1000s),
        per_second(figures.reads_per_1000s),
        per_second(figures.shown_per_1000s)
    );
    let _ = writeln!(text, "  digest {}\n  again: {again}", outcome.digest);
    text
}
