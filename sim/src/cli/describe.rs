//! What `tenure run` says about a run, for people.

use core::fmt::Write as _;

use super::run::Done;
use crate::check::Checks;
use crate::fault::{Fault, Planned, Site};
use crate::outcome::Statistics;
use crate::scenario::Scenario;
use crate::time::Span;

/// No more faults than this are told one by one.
const FAULTS: usize = 12;

/// The whole answer.
pub(super) fn text(done: &Done) -> String {
    let mut text = String::new();
    let scenario = &done.scenario;
    let _ = writeln!(text, "{}: {}", scenario.name, scenario.description);
    let _ = writeln!(
        text,
        "{} replicas, {}, seed {}, {} simulated\n",
        scenario.replicas.len(),
        scenario.profile,
        done.seed,
        scenario.horizon,
    );
    rollouts(&mut text, scenario);
    faults(&mut text, done);
    text.push_str(&statistics(&done.outcome.statistics));
    text.push('\n');
    checks(&mut text, done);
    for explained in done.explained() {
        let _ = write!(text, "\n{}\n", explained.trim_end());
    }
    let _ = writeln!(text, "\n{}", done.verdict);
    let _ = writeln!(text, "digest {}", done.outcome.digest);
    let _ = writeln!(text, "again  {}", done.again);
    text
}

/// What is planned to change.
fn rollouts(text: &mut String, scenario: &Scenario) {
    for rollout in &scenario.rollouts {
        let set = serde_json::to_value(&rollout.set).unwrap_or_default();
        let last = rollout.steps(scenario).last().map_or(rollout.at, |(at, _)| at);
        let _ = writeln!(text, "  at {} to {last}, rollout of {set}", rollout.at);
    }
    if !scenario.rollouts.is_empty() {
        text.push('\n');
    }
}

fn faults(text: &mut String, done: &Done) {
    let planned = done.scenario.faults.iter().zip(&done.effects);
    for (planned, effect) in planned.take(FAULTS) {
        let became = match (effect.fired, effect.had_effect) {
            (false, _) => "did not happen",
            (true, false) => "had no effect",
            (true, true) => "had an effect",
        };
        let _ = writeln!(text, "  {:<20} {}: {became}", when(planned), what(&planned.fault));
    }
    let more = done.scenario.faults.len().saturating_sub(FAULTS);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more faults; --json lists them");
    }
    if !done.scenario.faults.is_empty() {
        text.push('\n');
    }
}

fn when(planned: &Planned) -> String {
    let begins = match (&planned.at, &planned.on) {
        (Some(at), _) => format!("at {at}"),
        (None, Some(trigger)) => {
            let event = serde_json::to_value(trigger.event).unwrap_or_default();
            let event = event.as_str().unwrap_or_default().to_owned();
            let since = match trigger.since {
                Span::ZERO => String::new(),
                since => format!(" since {since}"),
            };
            let after = match planned.after {
                Span::ZERO => String::new(),
                after => format!(", {after} after"),
            };
            format!("on {event} {} by {}{since}{after}", trigger.nth, trigger.by)
        }
        (None, None) => String::new(),
    };
    planned.lasts.map_or_else(|| begins.clone(), |lasts| format!("{begins}, for {lasts}"))
}

fn what(fault: &Fault) -> String {
    let sites =
        |sites: &[Site]| sites.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (fault.links(), fault.target()) {
        (Some(links), _) if links.from.is_empty() => {
            format!("{} of {}", fault.kind(), sites(&links.sites))
        }
        (Some(links), _) => {
            format!("{} of {} from {}", fault.kind(), sites(&links.sites), sites(&links.from))
        }
        (None, Some(target)) => format!("{} of {target}", fault.kind()),
        (None, None) => fault.kind().to_owned(),
    }
}

fn statistics(s: &Statistics) -> String {
    format!(
        "  {} requests of electors ({} reads), {} shown by watches, {} conflicts, {} late answers, {} \
         given up\n  {} takeovers, {} hand-overs, {} warnings that authority is near its end\n  {} \
         crashes, {} pauses, {} messages lost, {} guarded writes taken and {} refused\n  {} events, {} \
         entries\n",
        s.requests,
        s.reads,
        s.watched,
        s.conflicts,
        s.late_answers,
        s.given_up,
        s.takeovers,
        s.handed_over,
        s.endangered,
        s.crashes,
        s.pauses,
        s.lost,
        s.accepted,
        s.refused,
        s.events,
        s.entries,
    )
}

fn checks(text: &mut String, done: &Done) {
    let expected = done.scenario.expected();
    for check in Checks::NAMES {
        let of_check = done.outcome.violations.iter().filter(|violation| violation.check == check);
        let of = |name: &&String| name.split(['/', '?']).next() == Some(check);
        let mut here = expected.iter().filter(of).peekable();
        let foreseen = here.peek().is_some();
        let needed = here.any(|name| !name.ends_with('?'));
        let verdict = match (of_check.clone().count(), foreseen) {
            (0, true) if !needed => "holds, this time".to_owned(),
            (0, false) => "holds".to_owned(),
            (0, true) => "HOLDS, but a violation is expected".to_owned(),
            (times, true) => format!("violated {times} times, as expected"),
            (times, false) => format!("VIOLATED {times} times"),
        };
        let _ = writeln!(text, "  {check:<18} {verdict}");
    }
}
