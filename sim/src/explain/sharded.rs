//! A violation in a sharded group explained.

use core::fmt::Write as _;

use super::lanes::{Line, Routine, Told, Way, short};
use super::past::Past;
use super::stand::sharded as stands;
use super::{drawn, no_more_faults, percent, wrapped};
use crate::check::Violation;
use crate::clock::RIGHT;
use crate::sharding::Scenario;
use crate::sharding::trace::{Entry, Set, What};
use crate::time::SimTime;

/// Explains what a check found in a run of `scenario`, as it was drawn, whose entries are `entries`.
///
/// ```
/// use tenure_sim::explain::explain_sharded;
/// use tenure_sim::sharding::{catalogue, check::Checks, tenure_world, trace::Recorder};
///
/// let scenario = catalogue::find("sharding/join-one").unwrap();
/// let without = [tenure::sharding::Rule::JoinWait];
/// let found = (0..10).find_map(|seed| {
///     let mut world = tenure_world(&scenario, seed, &without).unwrap();
///     let mut checks = (Checks::new(world.scenario()), Recorder::default());
///     let outcome = world.run(&mut checks);
///     let first = outcome.violations.into_iter().next()?;
///     Some(explain_sharded(world.scenario(), &checks.1.entries, &first))
/// });
/// assert!(found.unwrap().contains("GAINS"));
/// ```
#[must_use]
pub fn explain(scenario: &Scenario, entries: &[Entry], violation: &Violation) -> String {
    let mut text = wrapped(&violation.what, "");
    let Violation { check, rule, at, seq, .. } = violation;
    let _ = writeln!(text, "(check {check}, rule {rule}, at {at}, entry {seq})");
    text.push_str(&wrapped(&terms(scenario), "  "));
    text.push_str(super::excerpt::gap(entries.iter().map(|entry| entry.seq)));
    text.push_str(&faults(scenario, entries, violation));
    text.push_str(&stands(scenario, entries, violation));
    text.push('\n');
    let lines = lines(scenario, entries, Some(violation));
    let lines = drawn(&lines, |replica| name(scenario, replica), violation);
    text.push_str(lines.trim_start_matches('\n'));
    text
}

/// What led to the violation, and what became of those concerned; without one all that happened.
pub(super) fn lines(
    scenario: &Scenario,
    entries: &[Entry],
    violation: Option<&Violation>,
) -> Vec<Line> {
    let slot = violation.and_then(|violation| slot_of(&violation.what));
    let telling = Telling { scenario, slot };
    let past = violation.map(|violation| (Past::of_sharded(entries, violation), violation));
    let worth = |entry: &&Entry| {
        past.as_ref().is_none_or(|(past, violation)| {
            past.holds(entry.seq) || concerns(scenario, &entry.what, violation)
        })
    };
    let told = entries.iter().filter(worth);
    let told = told.filter_map(|it| Some((it.seq, it.at, way(&it.what), telling.tell(it)?)));
    Line::all(told, violation.map(|violation| violation.seq))
}

/// Whether it says how one stands who is concerned, or is a fault that hits it, or nobody by name.
fn concerns(scenario: &Scenario, what: &What, violation: &Violation) -> bool {
    let one = |replica: &u32| violation.replicas.contains(replica);
    match what {
        What::Fault { who, .. } => who.is_empty() || who.iter().any(one),
        What::FaultEnded { fault } => {
            let planned = scenario.faults.get(*fault as usize);
            let who = planned.map_or(&[][..], |planned| planned.fault.who());
            who.is_empty() || who.iter().any(one)
        }
        What::Began { .. } | What::Done { .. } | What::Wrote { .. } | What::Committed { .. } => {
            false
        }
        other => other.replica().is_none_or(|replica| one(&replica)),
    }
}

const fn way(what: &What) -> Way {
    match what {
        What::Committed { by: Some(_), .. } => Way::ToStore,
        _ => Way::Own,
    }
}

/// The values that decide.
pub(crate) fn terms(scenario: &Scenario) -> String {
    let mut text = format!(
        "lease {}, renew deadline {}, retry period {}, request time-out {}, {} slots",
        scenario.lease_duration,
        scenario.renew_deadline,
        scenario.retry_period,
        scenario.request_timeout,
        scenario.slots
    );
    for (index, replica) in (0..).zip(&scenario.replicas) {
        let name = name(scenario, index);
        if replica.rate_ppb != RIGHT {
            let _ = write!(text, "; {name}: clock at {}", percent(replica.rate_ppb));
        }
        if replica.generation != 1 {
            let _ = write!(text, "; {name}: configuration {}", replica.generation);
        }
    }
    for rule in &scenario.without {
        let _ = write!(text, "; without the rule {}", rule.name());
    }
    text
}

/// The faults that had begun when it showed, of those that hit the members concerned, or nobody by name.
fn faults(scenario: &Scenario, entries: &[Entry], violation: &Violation) -> String {
    let (mut text, mut others) = (String::new(), 0);
    for entry in entries.iter().take_while(|entry| entry.seq <= violation.seq) {
        let What::Fault { fault, kind, who } = &entry.what else { continue };
        if !concerns(scenario, &entry.what, violation) {
            others += 1;
            continue;
        }
        let planned = scenario.faults.get(*fault as usize);
        let lasts = planned.and_then(|planned| planned.lasts);
        let lasts = lasts.map_or_else(String::new, |span| format!(", for {span}"));
        let line = format!("{} {kind}{}{lasts}", entry.at, of(scenario, who));
        text.push_str(&wrapped(&line, "  fault: "));
    }
    no_more_faults(text, others)
}

fn of(scenario: &Scenario, who: &[u32]) -> String {
    let names: Vec<String> = who.iter().map(|it| name(scenario, *it)).collect();
    if names.is_empty() { String::new() } else { format!(" of {}", names.join(", ")) }
}

pub(crate) fn name(scenario: &Scenario, replica: u32) -> String {
    let known = scenario.replicas.get(replica as usize).and_then(|it| it.name.clone());
    known.unwrap_or_else(|| format!("replica-{replica}"))
}

/// The slot that a violation is about, if it is about one.
pub(super) fn slot_of(what: &str) -> Option<u32> {
    let (_, rest) = what.split_once("slot ")?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

struct Telling<'a> {
    scenario: &'a Scenario,
    slot: Option<u32>,
}

impl Telling<'_> {
    /// Whose line it is, what it says, and whether it is routine. `None`: not worth a line.
    fn tell(&self, entry: &Entry) -> Option<Told> {
        let mine = |replica: &u32, text: String| Some((Some(*replica), text, None));
        let outside = |text: String| Some((None, text, None));
        match &entry.what {
            What::Started { replica, life: 0, .. } => mine(replica, "starts".to_owned()),
            What::Started { replica, life, .. } => mine(replica, format!("starts, life {life}")),
            What::Ended { replica, crashed: true } => mine(replica, "crashes".to_owned()),
            What::Ended { replica, .. } => mine(replica, "exits".to_owned()),
            What::Paused { replica } => mine(replica, "stands still".to_owned()),
            What::Resumed { replica } => mine(replica, "goes on".to_owned()),
            What::Leaving { replica } => mine(replica, "is told to leave".to_owned()),
            What::Spins { replica } => mine(replica, "wants to be called, for ever".to_owned()),
            What::Clock { replica, rate_ppb } => {
                mine(replica, format!("clock at {}", percent(*rate_ppb)))
            }
            What::Until { replica, until, .. } => Some(authority(entry.at, *replica, *until)),
            What::Ends { replica, slots, until } if self.concerns(slots) => {
                let text = format!("has {} until {}", self.few(slots), short(*until));
                Some((Some(*replica), text, Some(routine("end"))))
            }
            What::Gained { replica, slots } => mine(replica, format!("GAINS {}", self.few(slots))),
            What::Lost { replica, slots } => mine(replica, format!("LOSES {}", self.few(slots))),
            What::Began { replica, slot, token, until, .. } if self.slot == Some(*slot) => {
                let until = short(*until);
                let text = format!("works on {slot} until {until} (token {token})");
                Some((Some(*replica), text, Some(routine("work"))))
            }
            What::Done { replica, cut: true, .. } => {
                let text = "work is cut off: its right has ended".to_owned();
                Some((Some(*replica), text, Some(routine("cut"))))
            }
            What::Cleaning { replica, slots, .. } if self.concerns(slots) => {
                mine(replica, format!("cleans up after {}", self.few(slots)))
            }
            What::Wrote { replica, slot, token, accepted, .. } if self.slot == Some(*slot) => {
                let refused = if *accepted { "" } else { ": refused" };
                let text = format!("write to {slot} arrives (token {token}){refused}");
                Some((Some(*replica), text, (*accepted).then(|| routine("write"))))
            }
            What::Committed { .. } => self.committed(&entry.what),
            What::Fault { kind, who, .. } => outside(format!("{kind}{}", of(self.scenario, who))),
            What::FaultEnded { fault } => {
                let kind = self.scenario.faults.get(*fault as usize).map(|it| it.fault.kind());
                outside(format!("{} is over", kind.unwrap_or("a fault")))
            }
            What::Healed => outside("everything heals".to_owned()),
            What::Horizon => outside("the run is over".to_owned()),
            _ => None,
        }
    }

    /// A write that took effect.
    fn committed(&self, what: &What) -> Option<Told> {
        let What::Committed { by, name, version, now, was, .. } = what else { return None };
        let state = |summary: &Option<crate::sharding::Summary>| {
            summary.as_ref().map(|it| it.state.clone()).filter(|state| !state.is_empty())
        };
        let whose = name.strip_prefix("member/").unwrap_or(name);
        let own = by.is_some_and(|by| self::name(self.scenario, by) == whose);
        let text = match (own, state(was), state(now), now.is_some()) {
            (true, before, Some(now), _) if before.as_ref() == Some(&now) => {
                let quiet = Routine { version: Some(*version), ..routine("renewal") };
                return Some((*by, "renews".to_owned(), Some(quiet)));
            }
            (true, _, Some(now), _) => format!("writes {now}, v{version}"),
            (true, _, None, false) => "deletes its record".to_owned(),
            (_, _, Some(now), _) => format!("writes {now} for {whose}, v{version}"),
            (_, _, None, false) => format!("deletes {whose}"),
            (_, _, None, true) => {
                let quiet = Routine { version: Some(*version), ..routine("object") };
                return Some((*by, format!("writes {whose}"), Some(quiet)));
            }
        };
        let text = if by.is_none() { format!("by hand: {text}") } else { text };
        Some((*by, text, None))
    }

    fn concerns(&self, slots: &Set) -> bool {
        slots.0.iter().any(|slot| self.slot == Some(slot.index()))
    }

    /// How many slots, and whether the one in question is among them.
    fn few(&self, slots: &Set) -> String {
        let all = slots.0.len();
        match self.slot.filter(|_| self.concerns(slots)) {
            Some(slot) if all == 1 => format!("slot {slot}"),
            Some(slot) => format!("{all} slots, {slot} among them"),
            None => format!("{all} slots"),
        }
    }
}

/// A claim holds until then.
fn authority(now: SimTime, replica: u32, until: Option<SimTime>) -> Told {
    let text = match until {
        Some(until) if until <= now => {
            return (Some(replica), "HAS NO AUTHORITY".to_owned(), None);
        }
        Some(until) => format!("has authority until {}", short(until)),
        None => "has authority for ever".to_owned(),
    };
    (Some(replica), text, Some(routine("authority")))
}

fn routine(kind: &'static str) -> Routine {
    Routine { kind: (kind, 0), lasts: true, version: None, rest: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_is_read_from_the_sentence() {
        assert_eq!(slot_of("slot 12 has two owners"), Some(12));
        assert_eq!(slot_of("a has slot 3"), Some(3));
        assert_eq!(slot_of("no such thing"), None);
    }
}
