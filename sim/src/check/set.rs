//! All checks.

use super::acting::Acting;
use super::conduct::Conduct;
use super::events::Events;
use super::failover::Failover;
use super::fencing::Fencing;
use super::no_early_takeover::NoEarlyTakeover;
use super::one_leader::OneLeader;
use super::record::RecordRules;
use super::versions::Versions;
use super::{Check, Violation};
use crate::scenario::Scenario;
use crate::time::SimTime;
use crate::trace::Entry;

/// All checks for one run. Make new ones for each run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checks {
    /// See [`one_leader`](super::one_leader).
    pub one_leader: OneLeader,
    /// See [`no_early_takeover`](super::no_early_takeover).
    pub no_early_takeover: NoEarlyTakeover,
    /// See [`record`](super::record).
    pub record: RecordRules,
    /// See [`versions`](super::versions).
    pub versions: Versions,
    /// See [`fencing`](super::fencing).
    pub fencing: Fencing,
    /// See [`acting`](super::acting).
    pub acting: Acting,
    /// See [`failover`](super::failover).
    pub failover: Failover,
    /// See [`events`](super::events).
    pub events: Events,
    /// See [`conduct`](super::conduct).
    pub conduct: Conduct,
}

impl Checks {
    /// The checks' names, as in [`Scenario::expect`].
    pub const NAMES: [&str; 9] = [
        "one-leader",
        "no-early-takeover",
        "record",
        "versions",
        "fencing",
        "acting",
        "failover",
        "events",
        "conduct",
    ];

    /// The rules of each check, in the order of [`NAMES`](Self::NAMES).
    pub const RULES: [&[&str]; 9] = [
        &["authority", "belief"],
        &["early", "after-deletion"],
        &["transitions", "acquire-time", "duration", "released-by-another", "foreign-holder"],
        &[
            "stale-write",
            "not-increasing",
            "not-current",
            "same-uid",
            "over-existing",
            "stored-otherwise",
        ],
        &["accepted-older", "token-order"],
        &["acted-without-authority", "acted-while-another-led"],
        &["held", "released", "missing", "silent", "unsettled"],
        &["alternate", "stopped-once", "after-the-end"],
        &["knew-better", "needless", "revived", "alike"],
    ];

    /// Whether this is the name of a check, or of a check and one of its rules; a `?` after it says that it
    /// need not find anything.
    #[must_use]
    pub fn has(name: &str) -> bool {
        let name = name.strip_suffix('?').unwrap_or(name);
        let (check, rule) = name.split_once('/').map_or((name, None), |(c, r)| (c, Some(r)));
        let rules = Self::NAMES.iter().zip(Self::RULES).find(|(known, _)| **known == check);
        rules.is_some_and(|(_, rules)| rule.is_none_or(|rule| rules.contains(&rule)))
    }

    /// All checks for a run of `scenario`.
    #[must_use]
    pub fn for_scenario(scenario: &Scenario) -> Self {
        Self {
            one_leader: OneLeader::new(scenario),
            no_early_takeover: NoEarlyTakeover::new(scenario),
            record: RecordRules::new(scenario),
            versions: Versions::new(scenario),
            fencing: Fencing::new(scenario),
            acting: Acting::new(scenario),
            failover: Failover::new(scenario),
            events: Events::new(scenario),
            conduct: Conduct::new(scenario),
        }
    }
}

impl Check for Checks {
    fn name(&self) -> &'static str {
        "all"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        self.one_leader.observe(entry, found);
        self.no_early_takeover.observe(entry, found);
        self.record.observe(entry, found);
        self.versions.observe(entry, found);
        self.fencing.observe(entry, found);
        self.acting.observe(entry, found);
        self.failover.observe(entry, found);
        self.events.observe(entry, found);
        self.conduct.observe(entry, found);
    }

    fn finish(&mut self, at: SimTime, found: &mut Vec<Violation>) {
        self.one_leader.finish(at, found);
        self.no_early_takeover.finish(at, found);
        self.record.finish(at, found);
        self.versions.finish(at, found);
        self.fencing.finish(at, found);
        self.acting.finish(at, found);
        self.failover.finish(at, found);
        self.events.finish(at, found);
        self.conduct.finish(at, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_checks() {
        let checks = Checks::for_scenario(&Scenario::default());
        let names = [
            checks.one_leader.name(),
            checks.no_early_takeover.name(),
            checks.record.name(),
            checks.versions.name(),
            checks.fencing.name(),
            checks.acting.name(),
            checks.failover.name(),
            checks.events.name(),
            checks.conduct.name(),
        ];
        assert_eq!(names, Checks::NAMES);
        assert!(Checks::has("one-leader") && Checks::has("one-leader/belief"));
        assert!(!Checks::has("one-leader/early") && !Checks::has("belief") && !Checks::has(""));
    }
}
