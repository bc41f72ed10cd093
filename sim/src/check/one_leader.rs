//! Never two leaders at one instant.
//!
//! - rule `authority`: two replicas of which `Elector::is_leading` would say yes at one instant. A
//!   right to act does not pause with its process, so paused ones count.
//! - rule `belief`: two replicas between `StartedLeading` and `StoppedLeading`. A process that is
//!   paused or has ended does nothing, so it counts only while it runs.
//!
//! Spans that only touch are no overlap. A violation is one overlap of two terms: it stands where
//! the overlap began, and is found when it ends, so that it can say how long it was.

use super::replicas::{Names, Table, seconds};
use super::{Check, Violation};
use crate::scenario::Scenario;
use crate::time::SimTime;
use crate::trace::{Entry, What};

/// Never two leaders at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneLeader {
    names: Names,
    processes: Table<Process>,
    authority: Windows,
    belief: Windows,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Process {
    /// What it believes since: the window of its term.
    believes: Option<Window>,
    paused: bool,
}

impl OneLeader {
    /// For runs of `scenario`.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            names: Names::new(scenario),
            processes: Table::new(scenario),
            authority: Windows::new("authority", "may act"),
            belief: Windows::new("belief", "believes"),
        }
    }
}

impl Check for OneLeader {
    fn name(&self) -> &'static str {
        "one-leader"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        let &Entry { seq, at, ref what, .. } = entry;
        let Self { names, processes, authority, belief } = self;
        authority.run_out(at, names, found);
        match *what {
            What::Authority { replica, until: Some(until) } if until > at => {
                let window = Window { replica, term: seq, since: at, until };
                authority.begin(window, at, seq, names, found);
            }
            What::Authority { replica, .. } => authority.end(replica, at, names, found),
            What::StartedLeading { replica, .. } => {
                let window = Window { replica, term: seq, since: at, until: SimTime::NEVER };
                let process = processes.of(replica);
                process.believes = Some(window);
                if !process.paused {
                    belief.begin(window, at, seq, names, found);
                }
            }
            What::StoppedLeading { replica, .. } => {
                processes.of(replica).believes = None;
                belief.end(replica, at, names, found);
            }
            What::Ended { replica, .. } | What::Started { replica, .. } => {
                *processes.of(replica) = Process::default();
                authority.end(replica, at, names, found);
                belief.end(replica, at, names, found);
            }
            What::Paused { replica } => {
                processes.of(replica).paused = true;
                belief.end(replica, at, names, found);
            }
            What::Resumed { replica } => {
                let process = processes.of(replica);
                process.paused = false;
                if let Some(window) = process.believes {
                    belief.begin(window, at, seq, names, found);
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, at: SimTime, found: &mut Vec<Violation>) {
        self.authority.run_out(at, &self.names, found);
        self.authority.stop(at, &self.names, found);
        self.belief.stop(at, &self.names, found);
    }
}

/// A span in which a replica leads, in one sense of the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    replica: u32,
    /// The entry that began the term; a pause may have parted it.
    term: u64,
    /// When the term began.
    since: SimTime,
    until: SimTime,
}

/// Two windows that overlap since `begin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Overlap {
    older: Window,
    newer: Window,
    begin: SimTime,
    seq: u64,
}

/// The windows that are open now: one, in a run without fault.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Windows {
    rule: &'static str,
    verb: &'static str,
    open: Vec<Window>,
    overlaps: Vec<Overlap>,
    /// Pairs of terms that were reported.
    told: Vec<(u64, u64)>,
}

impl Windows {
    fn new(rule: &'static str, verb: &'static str) -> Self {
        let (open, overlaps, told) = (Vec::with_capacity(4), Vec::new(), Vec::new());
        Self { rule, verb, open, overlaps, told }
    }

    /// A window begins; or, if the replica's is open, gets another end.
    fn begin(
        &mut self,
        window: Window,
        at: SimTime,
        seq: u64,
        names: &Names,
        found: &mut Vec<Violation>,
    ) {
        if let Some(mine) = self.open.iter_mut().find(|mine| mine.replica == window.replica) {
            mine.until = window.until;
            return;
        }
        for &other in &self.open {
            let first = other.term < window.term;
            let (older, newer) = if first { (other, window) } else { (window, other) };
            if !self.told.contains(&(older.term, newer.term)) {
                self.overlaps.push(Overlap { older, newer, begin: at, seq });
            }
        }
        self.open.push(window);
        self.run_out(at, names, found);
    }

    /// A replica's window ends, if one is open.
    fn end(&mut self, replica: u32, at: SimTime, names: &Names, found: &mut Vec<Violation>) {
        if let Some(index) = self.open.iter().position(|window| window.replica == replica) {
            let ended = self.open.remove(index);
            self.report(Some(ended), at, names, found);
        }
    }

    /// Ends the windows whose time is up at `now`, each at its own.
    fn run_out(&mut self, now: SimTime, names: &Names, found: &mut Vec<Violation>) {
        while let Some(next) = self.open.iter().min_by_key(|window| window.until).copied() {
            if next.until > now {
                return;
            }
            self.end(next.replica, next.until, names, found);
        }
    }

    /// The run is over: what is open goes on.
    fn stop(&mut self, at: SimTime, names: &Names, found: &mut Vec<Violation>) {
        self.report(None, at, names, found);
    }

    /// Reports the overlaps of the window that ended at `at`; all of them if it is the run that did.
    fn report(
        &mut self,
        ended: Option<Window>,
        at: SimTime,
        names: &Names,
        found: &mut Vec<Violation>,
    ) {
        let (rule, verb) = (self.rule, self.verb);
        let told = &mut self.told;
        self.overlaps.retain(|overlap| {
            let &Overlap { older, newer, begin, seq } = overlap;
            let ends = |window: Window| ended.is_some_and(|ended| ended.term == window.term);
            if ended.is_some() && !ends(older) && !ends(newer) {
                return true;
            }
            if at <= begin {
                return false; // they touch
            }
            let (old, new) = (names.of(older.replica), names.of(newer.replica));
            let length = seconds(at.saturating_since(begin));
            let end = match ended {
                None => format!("since {} and still", older.since),
                Some(_) if ends(older) => format!("until {at}"),
                Some(_) => format!("since {}, the other until {at}", older.since),
            };
            let from = if begin == newer.since {
                String::new() // it began with the acquisition
            } else {
                format!(" from {begin}")
            };
            let acquired = newer.since;
            let what = format!(
                "two leaders: {old} {verb} {end}, {new} acquired at {acquired} \
                 (overlap {length}{from})"
            );
            told.push((older.term, newer.term));
            found.push(Violation {
                check: "one-leader".to_owned(),
                rule: rule.to_owned(),
                at: begin,
                seq,
                replicas: vec![older.replica, newer.replica],
                what,
            });
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, found};
    use super::*;

    fn check(story: &Story) -> Vec<Violation> {
        story.check(&mut OneLeader::new(&Scenario::default()))
    }

    #[test]
    fn a_belief_over_anothers_is_found_with_its_length() {
        let story = Story::new()
            .at("1s")
            .leads(2)
            .at("44.3s")
            .leads(0)
            .at("61.1s")
            .stops_leading(2)
            .at("70s")
            .horizon();
        let violations = check(&story);
        assert_eq!(found(&violations), ["one-leader/belief at 44.300s of [2, 0]"]);
        assert_eq!(
            violations[0].what,
            "two leaders: replica-2 believes until 61.100s, replica-0 acquired at 44.300s \
             (overlap 16.800s)"
        );
    }

    #[test]
    fn one_after_another_at_one_instant_is_none() {
        let story = Story::new()
            .leads(2)
            .authority(2, Some("10s"))
            .at("10s")
            .leads(0)
            .authority(0, Some("20s"))
            .stops_leading(2)
            .authority(2, None)
            .at("11s")
            .horizon();
        assert_eq!(found(&check(&story)), [""; 0]);
    }

    #[test]
    fn authority_ends_by_the_clock_without_an_entry() {
        let story = |until| {
            let story = Story::new().authority(1, Some(until)).at("16s").authority(0, Some("26s"));
            story.at("30s").horizon()
        };
        assert_eq!(found(&check(&story("16s"))), [""; 0]);
        let violations = check(&story("16.000000001s"));
        assert_eq!(found(&violations), ["one-leader/authority at 16.000s of [1, 0]"]);
        assert!(violations[0].what.contains("until 16.000000001s"), "{}", violations[0].what);
    }

    #[test]
    fn an_overlap_that_does_not_end_is_still_found_and_only_once() {
        let story = Story::new()
            .authority(1, Some("never"))
            .at("16s")
            .authority(0, Some("26s"))
            .at("18s")
            .authority(0, Some("28s"))
            .at("20s")
            .horizon();
        let violations = check(&story);
        assert_eq!(found(&violations), ["one-leader/authority at 16.000s of [1, 0]"]);
        assert!(violations[0].what.ends_with("(overlap 4.000s)"));
    }

    #[test]
    fn a_paused_process_does_not_act_but_keeps_its_right() {
        let story = Story::new()
            .leads(1)
            .authority(1, Some("never"))
            .at("2s")
            .paused(1)
            .at("20s")
            .leads(0)
            .authority(0, Some("30s"))
            .at("25s")
            .resumed(1)
            .at("27s")
            .stops_leading(1)
            .authority(1, None)
            .at("28s")
            .horizon();
        let violations = check(&story);
        assert_eq!(
            found(&violations),
            ["one-leader/belief at 25.000s of [1, 0]", "one-leader/authority at 20.000s of [1, 0]"]
        );
        assert_eq!(
            violations[0].what,
            "two leaders: replica-1 believes until 27.000s, replica-0 acquired at 20.000s \
             (overlap 2.000s from 25.000s)"
        );
    }

    #[test]
    fn death_ends_everything() {
        let story = Story::new()
            .leads(1)
            .authority(1, Some("never"))
            .at("2s")
            .crashed(1)
            .at("3s")
            .leads(0)
            .authority(0, Some("13s"))
            .at("28s")
            .horizon();
        assert_eq!(found(&check(&story)), [""; 0]);
    }
}
