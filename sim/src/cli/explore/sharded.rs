//! `tenure explore --sharding`: all that can happen in a small sharded group.

use core::fmt::Write as _;

use super::super::progress::{self, Progress};
use super::super::{Refusal, output};
use crate::explore::Judgement;
use crate::nearest::nearest;
use crate::shard_explore::{Outcome, Row, Rules, explore, rows};

/// The states at which to stop if nobody says.
const STATES: usize = 10_000_000;

/// # Errors
/// The rules, or standard output.
pub(super) fn run(what: &str, states: Option<usize>) -> Result<u8, Refusal> {
    if what.is_empty() {
        return all(states);
    }
    if let Some(row) = rows().iter().find(|row| row.name == what) {
        let most = states.unwrap_or(row.states);
        let outcome = one(&row.rules(), most)?;
        return Ok(super::status(row.judge(&outcome, most)));
    }
    if !what.contains(['=', ' ']) {
        let rows = rows();
        let near = nearest(what, rows.iter().map(|row| row.name)).join(" or ");
        let near = if near.is_empty() { String::new() } else { format!("did you mean {near}? ") };
        let remedy = "`tenure explore --sharding --list` names them";
        return Err(Refusal::new(format_args!("--sharding {what}: no such world: {near}{remedy}")));
    }
    let rules: Rules =
        what.parse().map_err(|error| Refusal::new(format_args!("--sharding: {error}")))?;
    let outcome = one(&rules, states.unwrap_or(STATES))?;
    Ok(match (&outcome.violation, outcome.exhausted) {
        (Some(_), _) => 1,
        (None, true) => 0,
        (None, false) => 3,
    })
}

/// The known worlds, and their rules.
pub(super) fn list() -> Result<u8, Refusal> {
    let mut text = String::new();
    for row in rows() {
        let _ = writeln!(text, "{:<25} {}", row.name, row.text);
    }
    output::print(text)?;
    Ok(0)
}

/// One world: what was found, and the shortest way to it.
fn one(rules: &Rules, states: usize) -> Result<Outcome, Refusal> {
    let bar = Progress::new(states as u64, "states");
    let mut last = 0;
    let outcome = explore(rules, states, &mut |known, _| {
        bar.advance((known - last) as u64);
        last = known;
    });
    drop(bar);
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}: {} states ({}), {} steps deep, {} transitions, {} members called {} times",
        found(&outcome),
        outcome.states,
        end(&outcome),
        outcome.steps,
        outcome.transitions,
        outcome.members.0,
        outcome.members.1,
    );
    for (number, line) in outcome.violation.iter().flat_map(|found| &found.story).enumerate() {
        let _ = writeln!(text, "{number:>3} {line}");
    }
    output::print(text)?;
    Ok(outcome)
}

/// All known worlds, a line each.
fn all(states: Option<usize>) -> Result<u8, Refusal> {
    let rows = rows();
    let bar = Progress::new(rows.len() as u64, "worlds");
    let (mut worst, mut expected) = (0, 0);
    output::print(format_args!(
        "world                     found                                             states steps  \
         end             time  model\n"
    ))?;
    for row in &rows {
        bar.note(row.name);
        let most = states.unwrap_or(row.states);
        let begin = progress::now();
        let outcome = explore(&row.rules(), most, &mut |_, _| {});
        let millis = (progress::now() - begin).as_millis();
        bar.advance(1);
        let judgement = row.judge(&outcome, most);
        expected += usize::from(judgement == Judgement::Expected);
        worst = match (worst, super::status(judgement)) {
            (1, _) | (_, 1) => 1,
            (one, other) => one.max(other),
        };
        let line = line(row, &outcome, millis, judgement);
        bar.aside(|| output::print(format_args!("{line}\n")))?;
    }
    drop(bar);
    output::print(format_args!("{expected} of {} worlds as expected\n", rows.len()))?;
    Ok(worst)
}

fn line(row: &Row, outcome: &Outcome, millis: u128, judgement: Judgement) -> String {
    let model = if row.model == 0 { "-".to_owned() } else { row.model.to_string() };
    format!(
        "{:<25} {:<46} {:>9} {:>5}  {:<9} {:>7} ms  {model:>5}  {}",
        row.name,
        found(outcome),
        outcome.states,
        outcome.steps,
        end(outcome),
        millis,
        super::told(judgement),
    )
}

fn found(outcome: &Outcome) -> &'static str {
    outcome.violation.as_ref().map_or("nothing", |found| found.law)
}

const fn end(outcome: &Outcome) -> &'static str {
    match (&outcome.violation, outcome.exhausted) {
        (Some(_), _) => "violation",
        (None, true) => "exhausted",
        (None, false) => "budget",
    }
}
