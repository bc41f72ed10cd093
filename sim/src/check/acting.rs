//! Nobody acts without a right to: a write to the guarded resource counts at the instant at which it
//! was sent.
//!
//! - rule `acted-without-authority`: a strict replica sent a write while `Elector::is_leading` said
//!   no.
//! - rule `acted-while-another-led`: a replica of ClientGo sent a write while its own `IsLeader` said
//!   no and another's said yes. (That both say yes is for [`one_leader`](super::one_leader).)
//!
//! It is found once in a term: one write without a right is as bad as ten.

use std::collections::VecDeque;

use tenure::election::Profile;

use super::replicas::{Names, Table};
use super::{Check, Violation};
use crate::scenario::Scenario;
use crate::time::SimTime;
use crate::trace::{Entry, What};

/// How many of the last terms are remembered: many more than a message can be under way.
const REMEMBERED: usize = 64;

/// Nobody acts without a right to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    names: Names,
    replicas: Table<Replica>,
    /// Spans of authority in the order in which they began.
    terms: VecDeque<Term>,
    /// Whether a term was forgotten, so that not all of the past is known.
    forgot: Option<SimTime>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Replica {
    /// Whether each life was: a write may arrive after its life.
    strict: Vec<bool>,
    /// Something was found in this life and term: one is enough.
    told: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Term {
    replica: u32,
    since: SimTime,
    until: SimTime,
    /// It ended by an entry at `until`: what was sent at that instant was sent before it.
    cut: bool,
}

impl Term {
    fn covers(&self, at: SimTime) -> bool {
        self.since <= at && (at < self.until || (self.cut && at == self.until))
    }
}

impl Acting {
    /// For runs of `scenario`.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            names: Names::new(scenario),
            replicas: Table::new(scenario),
            terms: VecDeque::with_capacity(REMEMBERED),
            forgot: None,
        }
    }

    fn authority(&mut self, replica: u32, at: SimTime, until: Option<SimTime>) {
        let mine = self.terms.iter_mut().rev().find(|term| term.replica == replica);
        match (mine, until) {
            (Some(term), Some(until)) if !term.cut && at <= term.until => term.until = until,
            (Some(term), None) => {
                if at < term.until {
                    (term.until, term.cut) = (at, true);
                }
            }
            (_, Some(until)) => {
                if self.terms.len() == REMEMBERED {
                    self.forgot = self.terms.pop_front().map(|term| term.until.min(at));
                }
                self.terms.push_back(Term { replica, since: at, until, cut: false });
            }
            (None, None) => {}
        }
    }

    fn wrong(&mut self, replica: u32, life: u32, sent: SimTime) -> Option<(&'static str, String)> {
        if self.forgot.is_some_and(|forgot| sent <= forgot) {
            return None; // not known any more
        }
        let mut mine = false;
        let mut others = None;
        for term in self.terms.iter().filter(|term| term.covers(sent)) {
            if term.replica == replica {
                mine = true;
            } else {
                others = Some(term.replica);
            }
        }
        let name = self.names.of(replica);
        match others {
            _ if mine => None,
            _ if self.replicas.of(replica).strict.get(life as usize).copied().unwrap_or(false) => {
                let last = self.terms.iter().rev().find(|term| term.replica == replica);
                let until = match last {
                    Some(term) if term.until <= sent => {
                        format!("its authority ended at {}", term.until)
                    }
                    _ => "it had no authority".to_owned(),
                };
                Some(("acted-without-authority", format!("{name} acted at {sent}: {until}")))
            }
            Some(other) => {
                let other = self.names.of(other);
                let what =
                    format!("{name} acted at {sent}: it knew that it did not lead, {other} did");
                Some(("acted-while-another-led", what))
            }
            None => None,
        }
    }
}

impl Check for Acting {
    fn name(&self) -> &'static str {
        "acting"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        match entry.what {
            What::Started { replica, life, profile, .. } => {
                let strict = matches!(profile, Profile::Strict);
                let it = self.replicas.of(replica);
                it.strict.resize(life as usize, strict);
                it.strict.push(strict);
                it.told = false;
            }
            What::StartedLeading { replica, .. } => self.replicas.of(replica).told = false,
            What::Ended { replica, .. } => self.authority(replica, entry.at, None),
            What::Authority { replica, until } => {
                self.authority(replica, entry.at, until.filter(|until| *until > entry.at));
            }
            What::GuardedWrite { replica, life, sent, .. } => {
                if self.replicas.of(replica).told {
                    return;
                }
                if let Some((rule, what)) = self.wrong(replica, life, sent) {
                    self.replicas.of(replica).told = true;
                    found.push(Violation {
                        check: "acting".to_owned(),
                        rule: rule.to_owned(),
                        at: entry.at,
                        seq: entry.seq,
                        replicas: vec![replica],
                        what,
                    });
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, found};
    use super::*;

    fn check(story: &Story) -> Vec<String> {
        found(&story.check(&mut Acting::new(&Scenario::default())))
    }

    #[test]
    fn a_strict_replica_acts_only_within_its_authority() {
        let story = Story::new().started(0, "strict").authority(0, Some("10s")).at("2s");
        let story = story.authority(0, Some("12s")).at("13s");
        assert_eq!(check(&story.clone().guarded(0, 1, "11.999s", true)), [""; 0]);
        let late = story.clone().guarded(0, 1, "12s", true);
        assert_eq!(check(&late), ["acting/acted-without-authority at 13.000s of [0]"]);
        let never = story.started(1, "strict").guarded(1, 1, "1s", true);
        assert_eq!(check(&never), ["acting/acted-without-authority at 13.000s of [1]"]);
    }

    #[test]
    fn what_was_sent_before_the_end_at_the_same_instant_is_right() {
        let story = Story::new().started(0, "strict").authority(0, Some("10s")).at("2s");
        let story = story.authority(0, None).at("3s");
        assert_eq!(check(&story.clone().guarded(0, 1, "2s", true)), [""; 0]);
        let late = story.guarded(0, 1, "2.1s", true);
        assert_eq!(check(&late), ["acting/acted-without-authority at 3.000s of [0]"]);
    }

    #[test]
    fn under_client_go_it_is_wrong_only_while_another_leads() {
        let head = "client-go-head";
        let story = Story::new().started(0, head).started(1, head).authority(0, Some("never"));
        let story = story.at("2s").authority(0, None).at("4s");
        assert_eq!(check(&story.clone().guarded(0, 1, "3s", true)), [""; 0]);
        let both = story.authority(1, Some("never")).at("6s").guarded(0, 1, "5s", true);
        assert_eq!(check(&both), ["acting/acted-while-another-led at 6.000s of [0]"]);
    }

    #[test]
    fn terms_are_forgotten_without_false_alarm() {
        let mut story = Story::new().started(0, "strict");
        for _ in 0..2 * REMEMBERED {
            story = story.authority(0, Some("1s")).authority(0, None);
        }
        assert_eq!(check(&story.at("1s").guarded(0, 1, "0s", true)), [""; 0]);
    }

    #[test]
    fn a_late_write_is_judged_by_the_rules_of_its_own_life() {
        let head = "client-go-head";
        let story = Story::new().started(0, head).authority(0, Some("never")).at("2s");
        let story = story.finished(0).started_as(0, 1, "strict", "r0_b").at("3s");
        assert_eq!(check(&story.guarded(0, 1, "2.5s", true)), [""; 0]);
    }
}
