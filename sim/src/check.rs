//! Properties over a run. [`Checks`] is all of them:
//!
//! | check | what it says |
//! | --- | --- |
//! | [`one-leader`](one_leader) | never two leaders at one instant |
//! | [`no-early-takeover`](no_early_takeover) | nobody takes a lease that has not expired |
//! | [`record`] | what is written changes as it should, and only its holder gives a lock up |
//! | [`versions`] | each write obeys its version |
//! | [`fencing`] | the guarded resource never takes an older token after a newer one |
//! | [`acting`] | nobody acts without a right to |
//! | [`failover`] | a lock without a leader gets one within the computed bound |
//! | [`events`] | beginnings and ends alternate, and nothing comes after the end |
//! | [`conduct`] | a strict elector does what it should with what it knows |

pub mod acting;
pub mod conduct;
pub mod events;
pub mod failover;
pub mod fencing;
pub mod no_early_takeover;
pub mod one_leader;
pub mod record;
pub(crate) mod replicas;
mod set;
#[cfg(test)]
mod story;
pub mod versions;

pub use set::Checks;

use serde::{Deserialize, Serialize};

use crate::time::SimTime;
use crate::trace::Entry;

/// A property that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The [`Check`] that found it.
    pub check: String,
    /// Which rule of that check; together with `check` it says whether two violations are the same.
    pub rule: String,
    /// When it showed.
    pub at: SimTime,
    /// Number of the entry at which it showed.
    pub seq: u64,
    /// The replicas concerned, the one in the wrong first.
    pub replicas: Vec<u32>,
    /// The verdict in one sentence: names, times, the value of each term.
    pub what: String,
}

impl Violation {
    /// Whether `expected` is the check that found this (`one-leader`), or that check and its rule
    /// (`one-leader/belief`), with or without the `?` of what is expected only at times.
    ///
    /// ```
    /// use tenure_sim::check::Violation;
    /// use tenure_sim::time::SimTime;
    /// let (check, rule) = ("one-leader".to_owned(), "belief".to_owned());
    /// let (at, seq, replicas, what) = (SimTime::ZERO, 0, vec![0, 1], String::new());
    /// let violation = Violation { check, rule, at, seq, replicas, what };
    /// assert!(violation.is_of("one-leader") && violation.is_of("one-leader/belief"));
    /// assert!(!violation.is_of("one-leader/authority") && !violation.is_of("one"));
    /// assert!(violation.is_of("one-leader?"));
    /// ```
    #[must_use]
    pub fn is_of(&self, expected: &str) -> bool {
        match expected.trim_end_matches('?').split_once('/') {
            Some((check, rule)) => check == self.check && rule == self.rule,
            None => expected.trim_end_matches('?') == self.check,
        }
    }
}

/// A property, fed with every entry of a run in order. It keeps what it needs to know; it must be
/// cheap, and must not depend on anything but the entries and what it was made with, so that a
/// recorded trace gives the same verdict.
///
/// Several checks are one check: tuples, slices of boxes and `Vec`s of checks are checks.
pub trait Check {
    /// A short fixed name.
    fn name(&self) -> &'static str;

    /// Something happened; what is wrong goes to `found`.
    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>);

    /// The run ended at `at`. By default nothing more is found.
    fn finish(&mut self, at: SimTime, found: &mut Vec<Violation>) {
        let _ = (at, found);
    }
}

/// Checks nothing.
impl Check for () {
    fn name(&self) -> &'static str {
        "nothing"
    }

    fn observe(&mut self, _: &Entry, _: &mut Vec<Violation>) {}
}

impl<C: Check + ?Sized> Check for &mut C {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        (**self).observe(entry, found);
    }

    fn finish(&mut self, at: SimTime, found: &mut Vec<Violation>) {
        (**self).finish(at, found);
    }
}

impl<C: Check + ?Sized> Check for Box<C> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        (**self).observe(entry, found);
    }

    fn finish(&mut self, at: SimTime, found: &mut Vec<Violation>) {
        (**self).finish(at, found);
    }
}

/// Each of them, in order.
impl<C: Check> Check for Vec<C> {
    fn name(&self) -> &'static str {
        "all"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        for check in self {
            check.observe(entry, found);
        }
    }

    fn finish(&mut self, at: SimTime, found: &mut Vec<Violation>) {
        for check in self {
            check.finish(at, found);
        }
    }
}

/// Both, in order.
impl<A: Check, B: Check> Check for (A, B) {
    fn name(&self) -> &'static str {
        "both"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        self.0.observe(entry, found);
        self.1.observe(entry, found);
    }

    fn finish(&mut self, at: SimTime, found: &mut Vec<Violation>) {
        self.0.finish(at, found);
        self.1.finish(at, found);
    }
}

/// Checks a recorded run again.
pub fn recheck(entries: &[Entry], checks: &mut impl Check) -> Vec<Violation> {
    let mut found = Vec::new();
    for entry in entries {
        checks.observe(entry, &mut found);
    }
    let end = entries.last().map_or(SimTime::ZERO, |entry| entry.at);
    checks.finish(end, &mut found);
    found
}
