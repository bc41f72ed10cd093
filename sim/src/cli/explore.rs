//! `tenure explore`: all that can happen in a small world.

mod rule_args;
mod sharded;

use core::fmt::Write as _;
use std::path::{Path, PathBuf};

use rule_args::RuleArgs;
use serde_json::json;

use super::progress::{self, Progress};
use super::{Refusal, output, text};
use crate::explore::{Judgement, Outcome, Row, Rules, Story, explore, rows};
use crate::nearest::nearest;

/// Explore all that the electors can do together in a small world: every order of timers, requests,
/// answers, losses and faults.
///
/// Without --world or a rule it explores all 97 known worlds, one a line, and compares what it finds
/// with what is to be found, which takes some six minutes. With one of them, or with rules, it explores that world and prints the
/// shortest way to a violation, if there is one, as a script that --replay plays again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status:
  0  found what was to be found; with rules: nothing is violated, and nothing is left to explore
  1  found something else; with rules: something is violated; --replay: not what the script says
  2  the command line or an input is wrong
  3  unknown: nothing was found, and more states are left than --states allows")]
pub(super) struct ExploreArgs {
    /// Explore this world; --list names them.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["list", "replay"])]
    pub(super) world: Option<String>,
    /// List the known worlds; with --sharding those of sharded groups.
    #[arg(long)]
    pub(super) list: bool,
    /// Play a script on electors as they are in production: does it come to the same violation?
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    pub(super) replay: Option<PathBuf>,
    /// Explore sharded groups instead: all known worlds, which takes about an hour (--states shortens
    /// it), or the one with this name, or one with these rules, as "settled=2 slow=w0 without=send-time".
    #[arg(
        long,
        value_name = "WORLD",
        num_args = 0..=1,
        default_missing_value = "",
        conflicts_with_all = ["world", "replay", "json"]
    )]
    pub(super) sharding: Option<String>,
    /// Stop when so many states are known.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) states: Option<u32>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    rules: RuleArgs,
}

/// One world, explored.
struct Explored {
    outcome: Outcome,
    millis: u128,
}

fn one(rules: &Rules, states: usize) -> Explored {
    let bar = Progress::new(states as u64, "states");
    let mut last = 0;
    timed(rules, states, &mut |known| {
        bar.advance((known - last) as u64);
        last = known;
    })
}

/// `progress` is told how many states are known.
fn timed(rules: &Rules, states: usize, progress: &mut dyn FnMut(usize)) -> Explored {
    let begin = progress::now();
    let outcome = explore(rules, states, &mut |at| progress(at.states));
    Explored { outcome, millis: (progress::now() - begin).as_millis() }
}

/// Explores, and prints what was found.
///
/// # Errors
/// The rules, a file or standard output.
pub(super) fn run(args: &ExploreArgs) -> Result<u8, Refusal> {
    let states = |default| args.states.map_or(default, |states| states as usize);
    if let Some(what) = &args.sharding {
        if args.list {
            return sharded::list();
        }
        return sharded::run(what, args.states.map(|states| states as usize));
    }
    if let Some(file) = &args.replay {
        return replay(args, file);
    }
    if args.list {
        return list(args);
    }
    if let Some(text) = args.rules.text() {
        let rules: Rules = text.parse().map_err(|error| Refusal::new(format_args!("--{error}")))?;
        let explored = one(&rules, states(10_000_000));
        single(args, None, &rules, &explored)?;
        return Ok(match (&explored.outcome.violation, explored.outcome.exhausted) {
            (Some(_), _) => 1,
            (None, true) => 0,
            (None, false) => 3,
        });
    }
    if let Some(name) = &args.world {
        let row = named(name)?;
        let explored = one(&row.rules, states(row.states));
        single(args, Some(&row), &row.rules, &explored)?;
        return Ok(status(row.judge(&explored.outcome)));
    }
    all(args, &states)
}

fn named(name: &str) -> Result<Row, Refusal> {
    let rows = rows();
    let near = nearest(name, rows.iter().map(|row| row.name.as_str())).join(", ");
    let near = if near.is_empty() { String::new() } else { format!("did you mean {near}? ") };
    rows.iter().find(|row| row.name == name).cloned().ok_or_else(|| {
        Refusal::new(format_args!(
            "--world {name}: no such world: {near}`tenure explore --list` names them"
        ))
    })
}

const fn status(judgement: Judgement) -> u8 {
    match judgement {
        Judgement::Expected => 0,
        Judgement::Unexpected => 1,
        Judgement::Shallow => 3,
    }
}

const fn told(judgement: Judgement) -> &'static str {
    match judgement {
        Judgement::Expected => "as expected",
        Judgement::Unexpected => "NOT AS EXPECTED",
        Judgement::Shallow => "NOT FAR ENOUGH",
    }
}

/// All worlds, a line each.
fn all(args: &ExploreArgs, states: &dyn Fn(usize) -> usize) -> Result<u8, Refusal> {
    let mut worst = 0;
    let mut told_rows = Vec::new();
    let (mut expected, rows) = (0, rows());
    if !args.json {
        output::print(format_args!("{HEAD}\n"))?;
    }
    let bar = Progress::new(rows.len() as u64, "worlds");
    for row in &rows {
        bar.note(&row.name);
        let mut note = |known| bar.note(format_args!("{}: {known} states", row.name));
        let explored = timed(&row.rules, states(row.states), &mut note);
        bar.advance(1);
        let judgement = row.judge(&explored.outcome);
        expected += usize::from(judgement == Judgement::Expected);
        worst = match (worst, status(judgement)) {
            (1, _) | (_, 1) => 1,
            (one, other) => one.max(other),
        };
        if args.json {
            told_rows.push(json_row(Some(row), &row.rules, &explored));
        } else {
            bar.aside(|| output::print(format_args!("{}\n", line(row, &explored, judgement))))?;
        }
    }
    drop(bar);
    if args.json {
        output::print_json(&json!({ "worlds": told_rows, "as_expected": expected }))?;
    } else {
        output::print(format_args!("{expected} of {} worlds as expected\n", rows.len()))?;
    }
    Ok(worst)
}

const HEAD: &str = "world                           found                          states steps \
                    ticks  end             time  states/s  bytes/state  model";

fn line(row: &Row, explored: &Explored, judgement: Judgement) -> String {
    let Explored { outcome, .. } = explored;
    let found = outcome.violation.as_ref().map_or("safe", |violation| violation.law);
    let model = if row.model == 0 { "-".to_owned() } else { format!("{} steps", row.model) };
    format!(
        "{:<31} {:<26} {:>10} {:>5} {:>5}  {:<9} {:>8} ms {:>9} {:>12}  {:<8}  {}",
        row.name,
        found.replace("another's", "a foreign").replace(" a leader", ""),
        outcome.states,
        outcome.steps,
        outcome.ticks,
        end(outcome),
        explored.millis,
        per_second(explored),
        outcome.bytes / outcome.states.max(1),
        model,
        told(judgement),
    )
}

const fn end(outcome: &Outcome) -> &'static str {
    match (&outcome.violation, outcome.exhausted) {
        (Some(_), _) => "violation",
        (None, true) => "exhausted",
        (None, false) => "budget",
    }
}

fn per_second(explored: &Explored) -> u128 {
    explored.outcome.states as u128 * 1000 / explored.millis.max(1)
}

/// One world: what was found as comments, then the script, so that all of it can be replayed.
fn single(
    args: &ExploreArgs,
    row: Option<&Row>,
    rules: &Rules,
    explored: &Explored,
) -> Result<(), Refusal> {
    if args.json {
        return output::print_json(&json_row(row, rules, explored));
    }
    let outcome = &explored.outcome;
    let mut text = String::new();
    if let Some(row) = row {
        let _ = writeln!(text, "# {}: {}", row.name, row.shows);
    }
    let found = outcome.violation.as_ref().map_or("nothing is violated", |found| found.law);
    let _ = writeln!(
        text,
        "# {found}: {} states ({}), {} steps and {} ticks deep, {} transitions\n\
         # {} electors, called {} times; {} ms, {} states/s, {} bytes a state",
        outcome.states,
        end(outcome),
        outcome.steps,
        outcome.ticks,
        outcome.transitions,
        outcome.electors.0,
        outcome.electors.1,
        explored.millis,
        per_second(explored),
        outcome.bytes / outcome.states.max(1),
    );
    if let Some(row) = row {
        let _ = writeln!(text, "# {}", told(row.judge(outcome)));
    }
    match &outcome.violation {
        Some(violation) => text.push_str(&violation.story.to_string()),
        None => {
            let _ = writeln!(text, "# world {rules}");
        }
    }
    output::print(text)
}

fn json_row(row: Option<&Row>, rules: &Rules, explored: &Explored) -> serde_json::Value {
    let Explored { outcome, millis } = explored;
    let law = outcome.violation.as_ref().map(|violation| violation.law);
    let mut value = json!({
        "rules": rules.to_string(),
        "violated": law,
        "states": outcome.states,
        "steps": outcome.steps,
        "ticks": outcome.ticks,
        "transitions": outcome.transitions,
        "electors": outcome.electors.0,
        "calls": outcome.electors.1,
        "end": end(outcome),
        "bytes": outcome.bytes,
        "millis": u64::try_from(*millis).unwrap_or(u64::MAX),
        "script": outcome.violation.as_ref().map(|violation| violation.story.to_string()),
    });
    if let (Some(row), Some(object)) = (row, value.as_object_mut()) {
        object.insert("world".to_owned(), json!(row.name));
        object.insert("expected".to_owned(), json!(row.expected));
        object.insert("judgement".to_owned(), json!(told(row.judge(outcome)).to_lowercase()));
    }
    value
}

fn list(args: &ExploreArgs) -> Result<u8, Refusal> {
    let rows = rows();
    if args.json {
        let rows = rows.iter().map(|row| {
            json!({
                "world": row.name, "shows": row.shows, "rules": row.rules.to_string(),
                "expected": row.expected,
            })
        });
        output::print_json(&json!({ "worlds": rows.collect::<Vec<_>>() }))?;
        return Ok(0);
    }
    let mut text = String::new();
    for row in rows {
        let expected = row.expected.unwrap_or("safe");
        let _ = writeln!(
            text,
            "{}\n    {}; expected: {expected}\n    {}",
            row.name, row.shows, row.rules
        );
    }
    output::print(text)?;
    Ok(0)
}

fn replay(args: &ExploreArgs, file: &Path) -> Result<u8, Refusal> {
    let text = text::read(file).map_err(|error| Refusal::unreadable(file, &error))?;
    let story: Story = text.parse().map_err(|error| Refusal::file(file, error))?;
    let violated = story.replay().map_err(|error| Refusal::file(file, error))?;
    let same = violated == Some(story.law());
    if args.json {
        output::print_json(&json!({ "violated": violated, "as_told": same }))?;
    } else if same {
        output::print(story)?;
    } else {
        let found = violated.unwrap_or("nothing");
        let told = story.law();
        output::print(format_args!("{story}# but {found} is violated, not: {told}\n"))?;
    }
    Ok(u8::from(!same))
}
