//! A violation explained for people: the verdict, what went wrong before it, the last events with
//! one lane per replica, and the command that repeats it. Plain text of at most [`WIDTH`] columns.
//!
//! ```
//! use tenure_sim::explain::{WIDTH, explain};
//! use tenure_sim::{catalogue, check::Checks, trace::Recorder, world::World};
//!
//! let mut scenario = catalogue::find("pause").unwrap();
//! scenario.profile = "client-go-head".parse().unwrap();
//! let mut checks = (Checks::for_scenario(&scenario), Recorder::default());
//! let outcome = World::new(&scenario, 1)?.run(&mut checks);
//! let text = explain(&scenario, 1, &checks.1.entries, &outcome.violations[0]);
//! assert!(text.starts_with("two leaders: "));
//! assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
//! assert!(text.ends_with("tenure run pause --seed 1 --profile client-go-head\n"));
//! # Ok::<(), tenure_sim::scenario::ScenarioError>(())
//! ```

mod election;
mod excerpt;
mod lanes;
mod mermaid;
mod past;
mod perfetto;
mod sharded;
mod stand;

use core::fmt::Write as _;

use crate::check::Violation;
use crate::check::replicas::Names;
use crate::fault::{Edit, Fault};
use crate::scenario::Scenario;
use crate::trace::{Actor, Entry, What};
use lanes::{Lanes, Line, Way};

pub use excerpt::Excerpt;
pub use lanes::WIDTH;
pub use mermaid::{mermaid, mermaid_sharded};
pub use past::Past;
pub use perfetto::{perfetto, perfetto_sharded};
pub use sharded::explain as explain_sharded;
pub(crate) use sharded::{name, terms as terms_sharded};

/// How many lines before the violation are shown.
const BEFORE: usize = 30;
/// And after it.
const AFTER: usize = 10;

/// Explains what a check found in a run of `scenario` with `seed`, whose entries are `entries`.
#[must_use]
pub fn explain(scenario: &Scenario, seed: u64, entries: &[Entry], violation: &Violation) -> String {
    let mut text = wrapped(&violation.what, "");
    let Violation { check, rule, at, seq, .. } = violation;
    let _ = writeln!(text, "(check {check}, rule {rule}, at {at}, entry {seq})");
    text.push_str(&wrapped(&terms(scenario), "  "));
    text.push_str(excerpt::gap(entries.iter().map(|entry| entry.seq)));
    text.push_str(&faults(scenario, entries, violation));
    text.push_str(&stand::election(scenario, entries, violation));
    text.push_str(&timeline(scenario, entries, violation));
    let (name, profile) = (&scenario.name, scenario.profile);
    let _ = writeln!(text, "\ntenure run {name} --seed {seed} --profile {profile}");
    text
}

/// The values that decide.
pub(crate) fn terms(scenario: &Scenario) -> String {
    let mut text = format!(
        "lease {}, renew deadline {}, retry period {}",
        scenario.lease_duration, scenario.renew_deadline, scenario.retry_period
    );
    match scenario.request_timeout {
        Some(timeout) => {
            let _ = write!(text, ", request time-out {timeout}");
        }
        None => text.push_str(", no request time-out"),
    }
    text.push_str(if scenario.release_on_stop { ", release on stop" } else { "" });
    let names = Names::new(scenario);
    for (index, replica) in (0..).zip(&scenario.replicas) {
        let name = names.of(index);
        let own = [
            ("lease", replica.lease_duration),
            ("renew deadline", replica.renew_deadline),
            ("retry period", replica.retry_period),
        ];
        for (what, value) in own {
            if let Some(value) = value {
                let _ = write!(text, "; {name}: {what} {value}");
            }
        }
        if let Some(rate) = replica.rate_ppb {
            let _ = write!(text, "; {name}: clock at {}", percent(rate));
        }
    }
    text
}

/// The faults that had begun when it showed, of those that hit the replicas concerned, or nobody by name.
fn faults(scenario: &Scenario, entries: &[Entry], violation: &Violation) -> String {
    let (mut text, mut others) = (String::new(), 0);
    let names = Names::new(scenario);
    let before = entries.iter().take_while(|entry| entry.seq <= violation.seq);
    for entry in before {
        let What::Fault { fault, replicas, kind } = &entry.what else { continue };
        if !concerns(&entry.what, violation, &mut Vec::new()) {
            others += 1;
            continue;
        }
        let planned = scenario.faults.get(*fault as usize);
        let lasts = planned.and_then(|planned| planned.lasts);
        let lasts = lasts.map_or_else(String::new, |span| format!(", for {span}"));
        let line = format!("{} {}{lasts}", entry.at, describe(kind, replicas, &names));
        text.push_str(&wrapped(&line, "  fault: "));
    }
    no_more_faults(text, others)
}

fn no_more_faults(mut text: String, others: u32) -> String {
    match (text.is_empty(), others) {
        (true, 0) => text.push_str("  no fault\n"),
        (_, 0) => {}
        (_, 1) => text.push_str("  fault: one more, of others\n"),
        (_, others) => {
            let _ = writeln!(text, "  fault: {others} more, of others");
        }
    }
    text
}

/// The rate of a clock in hundredths of the right one, to the last digit.
pub(crate) fn percent(rate_ppb: u64) -> String {
    let text = format!("{}.{:07}", rate_ppb / 10_000_000, rate_ppb % 10_000_000);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A fault in words.
pub(crate) fn describe(kind: &Fault, replicas: &[u32], known: &Names) -> String {
    let whose: Vec<_> = replicas.iter().map(|replica| known.of(*replica)).collect();
    let whose = whose.join(", ");
    let sites = kind.links().map(|links| {
        let names = |sites: &[crate::fault::Site]| {
            sites.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        let direction = format!("{:?}", links.direction).to_lowercase();
        let from = if links.from.is_empty() {
            String::new()
        } else {
            format!(" from {}", names(&links.from))
        };
        let of = if whose.is_empty() { names(&links.sites) } else { whose.clone() };
        format!("{of}{from} ({direction})")
    });
    match (kind, sites) {
        (Fault::Delay { by, .. }, Some(sites)) => {
            format!("delay of {sites} by up to {}", by.longest())
        }
        (Fault::Loss { ppm, .. } | Fault::Duplicate { ppm, .. }, Some(sites)) => {
            format!("{} of {sites}, {ppm} ppm", kind.kind())
        }
        (_, Some(sites)) => format!("{} of {sites}", kind.kind()),
        (Fault::Drift { rate_ppb, .. }, _) => {
            format!("clock of {whose} at {}", percent(*rate_ppb))
        }
        (Fault::ClockJump { by, .. }, _) => format!("wall clock of {whose} set by {by}"),
        (Fault::Edit(Edit::ClearHolder {}), _) => "somebody clears the holder".to_owned(),
        (Fault::Edit(Edit::Garble {}), _) => "somebody garbles the annotation".to_owned(),
        (Fault::HandOver { to, .. }, _) => {
            format!("{whose} is asked to hand over to {}", known.of(*to))
        }
        (Fault::Edit(Edit::TouchLabel {}), _) => "somebody touches a label".to_owned(),
        (Fault::Edit(_), _) => "somebody edits the lock".to_owned(),
        (Fault::Delete {}, _) => "somebody deletes the lock".to_owned(),
        (_, None) if whose.is_empty() => kind.kind().to_owned(),
        (_, None) => format!("{} of {whose}", kind.kind()),
    }
}

/// The events around it.
fn timeline(scenario: &Scenario, entries: &[Entry], violation: &Violation) -> String {
    let names = Names::new(scenario);
    let lines = lines(scenario, entries, Some(violation));
    drawn(&lines, |replica| names.of(replica).into_owned(), violation)
}

/// What led to the violation, and what became of those concerned; without one all that happened.
fn lines(scenario: &Scenario, entries: &[Entry], violation: Option<&Violation>) -> Vec<Line> {
    let mut telling = election::Telling::new(scenario, violation);
    let past = violation.map(|violation| (Past::of(entries, violation), violation));
    let mut hits = Vec::new();
    let told = entries.iter().filter_map(|entry| {
        let told = telling.tell(entry)?;
        let worth = past.as_ref().is_none_or(|(past, violation)| {
            concerns(&entry.what, violation, &mut hits) || past.holds(entry.seq)
        });
        worth.then(|| (entry.seq, entry.at, way(&entry.what), told))
    });
    Line::all(told, violation.map(|violation| violation.seq))
}

/// Whether it says how one stands who is concerned, or is a fault that hits it, or nobody by name. `hits`
/// are these faults so far.
fn concerns(what: &What, violation: &Violation, hits: &mut Vec<u32>) -> bool {
    let one = |replica: &u32| violation.replicas.contains(replica);
    match what {
        What::Fault { fault, replicas, .. } => {
            let hit = replicas.is_empty() || replicas.iter().any(one);
            hits.extend(hit.then_some(*fault));
            hit
        }
        What::FaultEnded { fault } => hits.contains(fault),
        What::Started { replica, .. }
        | What::Ended { replica, .. }
        | What::Paused { replica }
        | What::Resumed { replica }
        | What::Stopping { replica }
        | What::Clock { replica, .. }
        | What::StartedLeading { replica, .. }
        | What::StoppedLeading { replica, led: true, .. }
        | What::Endangered { replica, .. }
        | What::RolledOut { replica, .. } => one(replica),
        What::Healed | What::Horizon | What::Applied { by: Actor::Outsider, .. } => true,
        _ => false,
    }
}

const fn way(what: &What) -> Way {
    match what {
        What::Applied { by: Actor::Replica { .. }, .. } => Way::ToStore,
        What::Answered { .. } => Way::FromStore,
        _ => Way::Own,
    }
}

/// The lines around the violation.
fn drawn(lines: &[Line], name: impl Fn(u32) -> String, violation: &Violation) -> String {
    let here = lines.partition_point(|line| line.seq <= violation.seq);
    let from = here.saturating_sub(BEFORE);
    let shown: Vec<&Line> = lines.iter().skip(from).take(BEFORE.min(here) + AFTER).collect();
    let columns = Lanes::of(name, &shown, violation);
    let mut text = format!("\n{}", columns.title());
    if from > 0 {
        let _ = writeln!(text, "{:>14}  ({from} lines before)", "...");
    }
    // What has no line of its own showed with the last that happened then.
    let then = lines.get(..here).and_then(<[Line]>::last).filter(|line| line.at == violation.at);
    for line in shown {
        text.push_str(&columns.line(line, then.is_some_and(|then| then.seq == line.seq)));
    }
    text
}

/// Breaks at spaces; the first line begins with `head`, the others as far to the right.
fn wrapped(text: &str, head: &str) -> String {
    let indent = " ".repeat(head.chars().count().max(2));
    let mut wrapped = String::new();
    let mut line = head.to_owned();
    let mut empty = true;
    for word in text.split(' ') {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            wrapped.push_str(line.trim_end());
            wrapped.push('\n');
            line.clone_from(&indent);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    wrapped.push_str(line.trim_end());
    wrapped.push('\n');
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::check::Checks;
    use crate::trace::{Recorder, Verb};
    use crate::world::World;

    #[test]
    fn faults_name_replicas_as_their_lanes_do() {
        let text =
            r#"{"replicas": [{"identity": "a"}, {"identity": "b", "rate_ppb": 1004000000}, {}]}"#;
        let scenario: Scenario = serde_json::from_str(text).unwrap();
        let target = crate::fault::Target::Everyone;
        let drift = Fault::Drift { target, rate_ppb: 999_999_999 };
        let told = describe(&drift, &[0, 2], &Names::new(&scenario));
        assert_eq!(told, "clock of a, replica-2 at 99.9999999 %");
        assert!(terms(&scenario).ends_with("; b: clock at 100.4 %"), "{}", terms(&scenario));
        assert_eq!(percent(1_000_000_000), "100 %");
    }

    #[test]
    fn each_violation_of_the_catalogue_is_explained_within_the_width() {
        for mut scenario in catalogue::all() {
            scenario.profile = "client-go-head".parse().unwrap();
            let mut checks = (Checks::for_scenario(&scenario), Recorder::default());
            let outcome = World::new(&scenario, 1).unwrap().run(&mut checks);
            for violation in outcome.violations.iter().take(5) {
                let text = explain(&scenario, 1, &checks.1.entries, violation);
                for line in text.lines() {
                    assert!(line.chars().count() <= WIDTH, "{line}");
                }
                let marks = text.lines().filter(|line| line.starts_with(">>")).count();
                assert!(marks <= 1, "{text}");
                assert!(text.lines().count() < 70, "{text}");
            }
        }
    }

    #[test]
    fn folded_reads_begin_with_the_version_that_was_read_then() {
        let mut scenario = catalogue::find("pause").unwrap();
        scenario.profile = "client-go-head".parse().unwrap();
        let folded: usize = (1..5).map(|seed| folded_reads(&scenario, seed)).sum();
        assert!(folded > 3, "{folded}");
    }

    /// How many lines of reads are folded, each of which is told rightly.
    fn folded_reads(scenario: &Scenario, seed: u64) -> usize {
        let mut checks = (Checks::for_scenario(scenario), Recorder::default());
        let outcome = World::new(scenario, seed).unwrap().run(&mut checks);
        let entries = &checks.1.entries;
        let text = explain(scenario, seed, entries, &outcome.violations[0]);
        let mut folded = 0;
        for line in text.lines() {
            let Some((_, versions)) = line.split_once(" reads v") else { continue };
            let Some((first, last)) = versions.split(':').next().unwrap().split_once("-v") else {
                continue;
            };
            let version_at = |shown: &str| {
                entries.iter().find_map(|entry| match &entry.what {
                    What::Applied { verb: Verb::Get, reply, .. }
                        if lanes::short(entry.at) == shown =>
                    {
                        reply.snapshot().map(|snapshot| snapshot.version.to_string())
                    }
                    _ => None,
                })
            };
            let at = line.split_whitespace().find(|word| *word != ">>").unwrap();
            assert_eq!(version_at(at).as_deref(), Some(first), "{line}");
            assert!(first.parse::<u64>().unwrap() < last.parse().unwrap(), "{line}");
            folded += 1;
        }
        folded
    }

    #[test]
    fn long_lines_break_at_spaces() {
        let text = wrapped(&"word ".repeat(40), "  fault: ");
        let lengths: Vec<_> = text.lines().map(str::len).collect();
        assert_eq!(lengths, [118, 98]);
    }
}
