//! `tenure explore`: all that can happen in a small world.

use core::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::progress::{self, Progress};
use super::{Refusal, nearest, output};
use crate::explore::{Judgement, Outcome, Row, Rules, Story, explore, rows};

/// Explore all that the electors can do together in a small world: every order of timers, requests,
/// answers, losses and faults.
///
/// Without --world or a rule it explores all known worlds, one a line, and compares what it finds with
/// what is to be found. With one of them, or with rules, it explores that world and prints the
/// shortest way to a violation, if there is one, as a script that --replay plays again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status:
  0  found what was to be found; with rules: nothing is violated, and nothing is left to explore
  1  found something else; with rules: something is violated; --replay: not what the script says
  2  the command line or an input is wrong
  3  unknown: nothing was found, and more states are left than --states allows")]
pub struct ExploreArgs {
    /// Explore this world; --list names them.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["list", "replay"])]
    pub world: Option<String>,
    /// List the known worlds.
    #[arg(long)]
    pub list: bool,
    /// Play a script on electors as they are in production: does it come to the same violation?
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    pub replay: Option<PathBuf>,
    /// Stop when so many states are known.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub states: Option<u32>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    rules: RuleArgs,
}

/// Rules of a world of one's own; what is left out is as in the smallest safe strict one.
#[derive(Debug, clap::Args)]
#[group(id = "rules", multiple = true, conflicts_with_all = ["world", "list", "replay"])]
#[command(next_help_heading = "A world of one's own")]
struct RuleArgs {
    /// The rules that the replicas follow: strict or a client-go profile.
    #[arg(long)]
    profile: Option<String>,
    /// The lease duration, such as 2s or 1500ms; a number alone is seconds.
    #[arg(long, value_name = "TIME")]
    lease: Option<String>,
    /// The renew deadline.
    #[arg(long, value_name = "TIME", alias = "renew")]
    deadline: Option<String>,
    /// The retry period.
    #[arg(long, value_name = "TIME")]
    retry: Option<String>,
    /// The request time-out, or none.
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
    /// How long a tick is.
    #[arg(long, value_name = "TIME")]
    tick: Option<String>,
    /// The rate of each replica's clock, in ticks per tick: 1:2 or 1:1:1.
    #[arg(long)]
    rates: Option<String>,
    /// How many replicas, 2 or 3, all with clocks of rate 1.
    #[arg(long, value_name = "N", conflicts_with = "rates", value_parser = clap::value_parser!(u8).range(2..=3))]
    replicas: Option<u8>,
    /// What requests and answers do: prompt, lossy, slow-requests, slow-renewals, slow-reads or slow.
    #[arg(long)]
    network: Option<String>,
    /// The replica whose network it is, a, b or c; the others' is prompt.
    #[arg(long, value_name = "REPLICA")]
    faulty: Option<String>,
    /// A write that was given up may still be applied.
    #[arg(long)]
    late_writes: bool,
    /// Who is stopped releases the lock.
    #[arg(long)]
    release: bool,
    /// What to do when there is no lock: wait or new-group.
    #[arg(long)]
    missing: Option<String>,
    /// What there is at the beginning: free, a lock that nobody holds, or missing.
    #[arg(long)]
    start: Option<String>,
    /// The wall clocks: runs or frozen.
    #[arg(long)]
    wall: Option<String>,
    /// The replicas' names: own, or one for all.
    #[arg(long)]
    names: Option<String>,
    /// Which of two objects carry the lock of each replica, first, both or second: first:both.
    #[arg(long)]
    locks: Option<String>,
    /// Everybody may be shown what the store has, by a watch, at any time.
    #[arg(long)]
    watch: bool,
    /// The replica that should lead whenever it can: a, b or c.
    #[arg(long, value_name = "REPLICA")]
    preferred: Option<String>,
    /// How often which fault: crash,pause:2,delete:1,stop:1,edit:1,hand-over:1,late-show:1.
    #[arg(long)]
    faults: Option<String>,
    /// What to look for: two-leaders, foreign-release, bystanders or knowing-leader.
    #[arg(long)]
    sought: Option<String>,
}

impl RuleArgs {
    /// The rules as text, if there are any.
    fn text(&self) -> Option<String> {
        let mut text = String::new();
        let mut set = |key: &str, value: &Option<String>, unit: &str| {
            if let Some(value) = value {
                let is_number = value.chars().all(|c| c.is_ascii_digit() || c == '.');
                let _ = write!(text, "{key}={value}{} ", if is_number { unit } else { "" });
            }
        };
        set("lease", &self.lease, "s");
        set("deadline", &self.deadline, "s");
        set("retry", &self.retry, "s");
        set("timeout", &self.timeout, "s");
        set("tick", &self.tick, "s");
        set("rates", &self.rates, "");
        set("rates", &self.replicas.map(|count| vec!["1"; usize::from(count)].join(":")), "");
        set("profile", &self.profile, "");
        set("network", &self.network, "");
        set("faulty", &self.faulty, "");
        set("missing", &self.missing, "");
        set("start", &self.start, "");
        set("wall", &self.wall, "");
        set("names", &self.names, "");
        set("locks", &self.locks, "");
        set("watch", &self.watch.then(|| "yes".to_owned()), "");
        set("preferred", &self.preferred, "");
        set("faults", &self.faults, "");
        set("sought", &self.sought, "");
        set("late-writes", &self.late_writes.then(|| "yes".to_owned()), "");
        set("release", &self.release.then(|| "yes".to_owned()), "");
        Some(text).filter(|text| !text.is_empty())
    }
}

/// One world, explored.
struct Explored {
    outcome: Outcome,
    millis: u128,
}

fn one(rules: &Rules, states: usize) -> Explored {
    let begin = progress::now();
    let bar = Progress::new(states as u64, "states");
    let mut known = 0;
    let outcome = explore(rules, states, &mut |progress| {
        bar.advance((progress.states - known) as u64);
        known = progress.states;
    });
    Explored { outcome, millis: (progress::now() - begin).as_millis() }
}

/// Explores, and prints what was found.
///
/// # Errors
/// The rules, a file or standard output.
pub fn run(args: &ExploreArgs) -> Result<u8, Refusal> {
    let states = |default| args.states.map_or(default, |states| states as usize);
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
    let near = nearest::nearest(name, rows.iter().map(|row| row.name.as_str())).join(", ");
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
    for row in &rows {
        let explored = one(&row.rules, states(row.states));
        let judgement = row.judge(&explored.outcome);
        expected += usize::from(judgement == Judgement::Expected);
        worst = match (worst, status(judgement)) {
            (1, _) | (_, 1) => 1,
            (one, other) => one.max(other),
        };
        if args.json {
            told_rows.push(json_row(Some(row), &row.rules, &explored));
        } else {
            output::print(format_args!("{}\n", line(row, &explored, judgement)))?;
        }
    }
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
    let text = fs::read_to_string(file).map_err(|error| Refusal::unreadable(file, &error))?;
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
