//! `tenure run` of a sharded group.

use core::fmt::Write as _;
use std::fs;

use serde_json::json;
use tenure::sharding::Rule;

use super::run::{RunArgs, parsed};
use super::trace_file::Part;
use super::{Refusal, nearest, output};
use crate::sharding::check::Checks;
use crate::sharding::meter::{Figures, Meter};
use crate::sharding::trace::Writer;
use crate::sharding::{Outcome, Scenario, catalogue, judge, tenure_world};
use crate::time::Span;
use crate::verdict::Verdict;

/// The scenario that is asked for, if it is about sharding: a file is if it says who decides.
pub(super) fn asked(args: &RunArgs) -> Result<Option<Scenario>, Refusal> {
    let Some(path) = &args.scenario else { return Ok(catalogue::find(&args.name)) };
    let Ok(text) = fs::read_to_string(path) else { return Ok(None) };
    let about = serde_json::from_str::<serde_json::Value>(&text);
    if !about.is_ok_and(|value| value.get("mode").is_some()) {
        return Ok(None);
    }
    let scenario: Scenario = parsed(path, &text)?;
    if let Some(check) = scenario.expect.iter().find(|check| !Checks::has(check)) {
        let names = Checks::RULES.map(|(name, _)| name);
        let near = nearest::nearest(check, names.into_iter());
        let near = if near.is_empty() { names.join(", ") } else { near.join(" or ") };
        return Err(Refusal::file(
            path,
            format_args!("expect: {check:?} is no check, and no rule of one: use {near}"),
        ));
    }
    Ok(Some(scenario))
}

pub(super) fn rules(names: &[String]) -> Result<Vec<Rule>, Refusal> {
    let rule = |name: &String| {
        Rule::ALL.into_iter().find(|rule| rule.name() == name).ok_or_else(|| {
            let near = nearest::nearest(name, Rule::ALL.into_iter().map(Rule::name));
            let all = Rule::ALL.map(Rule::name).join(", ");
            let near = match near.as_slice() {
                [] => format!("use {all}"),
                near => format!("did you mean {}?", near.join(" or ")),
            };
            Refusal::new(format_args!("--without: {name:?} is no rule: {near}"))
        })
    };
    names.iter().map(rule).collect()
}

/// Runs and prints.
pub(super) fn run(scenario: &Scenario, args: &RunArgs) -> Result<u8, Refusal> {
    if args.profile.is_some() {
        return Err(Refusal::new("--profile: a sharded group has none: leave it out"));
    }
    if args.keys.is_some() {
        return Err(Refusal::new("--keys: only `experiment` has objects: leave it out"));
    }
    let without = rules(&args.without)?;
    let refuse = |error| match &args.scenario {
        Some(path) => Refusal::file(path, error),
        None => Refusal::new(error),
    };
    let mut world = tenure_world(scenario, args.seed, &without).map_err(refuse)?;
    let drawn = world.scenario().clone();
    let (mut checks, mut meter) = (Checks::new(&drawn), Meter::new(&drawn));
    let file = args.trace.as_deref().map(Part::new).transpose()?;
    let (part, mut writer) = match file {
        Some((part, file)) => (Some(part), Some(Writer::new(file, &drawn, args.seed))),
        None => (None, None),
    };
    let outcome = world.run(&mut ((&mut checks, &mut meter), &mut writer));
    if let (Some(part), Some(writer)) = (part, writer) {
        part.put(writer.finish().map(drop))?;
    }
    let verdict = judge(scenario, &outcome);
    let figures = meter.figures(&outcome.statistics);
    let again = again(scenario, args);
    if args.json {
        let value = json!({
            "scenario": scenario.name,
            "mode": scenario.mode,
            "seed": args.seed,
            "without": args.without,
            "verdict": verdict.to_string(),
            "expected": scenario.expect,
            "violations": outcome.violations,
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
        output::print(text(scenario, &outcome, &figures, verdict, &again))?;
    }
    Ok(verdict.exit_status())
}

fn again(scenario: &Scenario, args: &RunArgs) -> String {
    let mut again = match &args.scenario {
        Some(path) => format!("tenure run --scenario {}", path.display()),
        None => format!("tenure run {}", scenario.name),
    };
    for rule in &args.without {
        let _ = write!(again, " --without {rule}");
    }
    let _ = write!(again, " --seed {}", args.seed);
    again
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
