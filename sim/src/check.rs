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
//!
//! Each can be run alone, and over a run that was recorded:
//!
//! ```
//! use tenure_sim::check::acting::Acting;
//! use tenure_sim::check::conduct::Conduct;
//! use tenure_sim::check::events::Events;
//! use tenure_sim::check::failover::Failover;
//! use tenure_sim::check::fencing::Fencing;
//! use tenure_sim::check::no_early_takeover::NoEarlyTakeover;
//! use tenure_sim::check::one_leader::OneLeader;
//! use tenure_sim::check::record::RecordRules;
//! use tenure_sim::check::versions::Versions;
//! use tenure_sim::check::{Check, Checks, recheck};
//! use tenure_sim::{catalogue, trace::Recorder, world::World};
//!
//! let mut pause = catalogue::find("pause").unwrap();
//! pause.profile = "client-go-head".parse().unwrap();
//! let mut recorder = Recorder::default();
//! World::new(&pause, 1)?.run(&mut recorder);
//!
//! let alone: [Box<dyn Check>; 9] = [
//!     Box::new(OneLeader::new(&pause)),
//!     Box::new(NoEarlyTakeover::new(&pause)),
//!     Box::new(RecordRules::new(&pause)),
//!     Box::new(Versions::new(&pause)),
//!     Box::new(Fencing::new(&pause)),
//!     Box::new(Acting::new(&pause)),
//!     Box::new(Failover::new(&pause)),
//!     Box::new(Events::new(&pause)),
//!     Box::new(Conduct::new(&pause)),
//! ];
//! let mut some = Vec::new();
//! for (mut check, name) in alone.into_iter().zip(Checks::NAMES) {
//!     assert_eq!(check.name(), name);
//!     let found = recheck(&recorder.entries, &mut check);
//!     some.extend(found.first().map(|_| name));
//! }
//! assert_eq!(some, ["one-leader", "acting"]);
//! # Ok::<(), tenure_sim::scenario::ScenarioError>(())
//! ```

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
///
/// ```
/// use tenure_sim::check::{Check, Checks, Violation};
/// use tenure_sim::trace::{Entry, What};
/// use tenure_sim::{catalogue, world::World};
///
/// /// Nobody gives a call up.
/// struct Patience;
///
/// impl Check for Patience {
///     fn name(&self) -> &'static str {
///         "patience"
///     }
///     fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
///         let What::GivenUp { replica, request } = entry.what else { return };
///         found.push(Violation {
///             check: self.name().to_owned(),
///             rule: "given-up".to_owned(),
///             at: entry.at,
///             seq: entry.seq,
///             replicas: vec![replica],
///             what: format!("replica {replica} gave request {request} up"),
///         });
///     }
/// }
///
/// for (name, has_patience) in [("calm", true), ("answers-lost", false)] {
///     let scenario = catalogue::find(name).unwrap();
///     let mut checks = (Checks::for_scenario(&scenario), Patience);
///     let found = World::new(&scenario, 1)?.run(&mut checks).violations;
///     assert_eq!(!found.iter().any(|it| it.is_of("patience")), has_patience, "{name}");
/// }
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
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
