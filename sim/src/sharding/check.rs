//! Properties over a run of a sharded group. They read what happened, and know nothing of the rules
//! that replicas follow. [`Checks`] is all of them:
//!
//! | check | what it says |
//! | --- | --- |
//! | [`one-owner`](one_owner) | no two replicas have a slot at one instant, nor work on it |
//! | [`tokens`] | a slot's tokens grow with each change of owner, and guarded resources take none back |
//! | [`permits`] | no work begins without a right to it |
//! | [`hand-over`](hand_over) | nothing changes hands while work on it is in flight |
//! | [`coverage`] | each slot finds an owner within the bound |
//! | [`alone`] | a lone replica gets everything |
//! | [`movement`] | a slot moves to who joined, or from who went, and not otherwise |
//! | [`balance`] | shares are what chance allows, or the plan promises |
//! | [`thrash`] | a slot moves at most once for each change of members, and a plan keeps to its budget |
//! | [`one-configuration`](configuration) | no two replicas have slots under different configurations |
//! | [`lives`] | what a restarted replica had is void, and what has ended does not come back |
//! | [`freshness`] | who has not heard of the store for the renew deadline has nothing |
//! | [`exclusion`] | nobody is excluded who gave a sign within its lease duration |
//! | [`order`] | of two that have slots, each slot's owner ranks first for it |
//! | [`timers`] | nobody wants to be called at a time that has passed, for ever |

pub mod alone;
pub mod balance;
pub mod configuration;
pub mod coverage;
pub mod exclusion;
pub mod freshness;
pub(crate) mod gaps;
pub(crate) mod group;
pub mod hand_over;
pub mod lives;
pub mod movement;
pub mod one_owner;
pub mod order;
pub mod permits;
pub mod thrash;
pub mod timers;
pub mod tokens;

use self::group::Group;
use super::scenario::Scenario;
use super::trace::Entry;
use crate::check::Violation;
use crate::time::SimTime;

/// A property, or a recorder, fed with every entry of a run in order.
///
/// ```
/// use tenure_sim::check::Violation;
/// use tenure_sim::sharding::check::{Check, Checks};
/// use tenure_sim::sharding::trace::{Entry, What};
/// use tenure_sim::sharding::{Mode, Replica, Scenario, tenure_world};
/// use tenure_sim::time::Span;
///
/// /// Nobody gains more slots at once than this.
/// struct AtOnce(usize);
///
/// impl Check for AtOnce {
///     fn name(&self) -> &'static str {
///         "at-once"
///     }
///     fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
///         let What::Gained { replica, slots, .. } = &entry.what else { return };
///         let (check, rule) = (self.name().to_owned(), "gained".to_owned());
///         let (at, seq, replicas) = (entry.at, entry.seq, vec![*replica]);
///         let what = format!("replica {replica} gained {} slots at once", slots.0.len());
///         if slots.0.len() > self.0 {
///             found.push(Violation { check, rule, at, seq, replicas, what });
///         }
///     }
/// }
///
/// let mut scenario = Scenario::new(Mode::Ranked);
/// let late = Replica { start: Span::from_secs(60), ..Replica::default() };
/// scenario.replicas = vec![Replica::default(), late];
/// let mut checks = (Checks::new(&scenario), AtOnce(63));
/// let outcome = tenure_world(&scenario, 1, &[])?.run(&mut checks);
/// assert_eq!(outcome.violations.len(), 1);
/// assert!(outcome.violations[0].what.ends_with("gained 64 slots at once"));
/// # Ok::<(), tenure_sim::sharding::ScenarioError>(())
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

/// If there is one.
impl<C: Check> Check for Option<C> {
    fn name(&self) -> &'static str {
        "maybe"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        if let Some(check) = self {
            check.observe(entry, found);
        }
    }

    fn finish(&mut self, at: SimTime, found: &mut Vec<Violation>) {
        if let Some(check) = self {
            check.finish(at, found);
        }
    }
}

/// A property that is told what the group has become by each entry.
trait Property {
    /// A short fixed name.
    fn name(&self) -> &'static str;

    /// Something happened, and is in `group` already.
    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>);

    /// The run ended.
    fn finish(&mut self, group: &Group, found: &mut Found<'_>) {
        let _ = (group, found);
    }
}

/// Where violations go.
struct Found<'a> {
    check: &'static str,
    at: SimTime,
    seq: u64,
    to: &'a mut Vec<Violation>,
}

impl Found<'_> {
    fn tell(&mut self, rule: &str, replicas: &[u32], what: impl Into<String>) {
        self.to.push(Violation {
            check: self.check.to_owned(),
            rule: rule.to_owned(),
            at: self.at,
            seq: self.seq,
            replicas: replicas.to_vec(),
            what: what.into(),
        });
    }
}

/// All properties.
pub struct Checks {
    group: Group,
    properties: Vec<Box<dyn Property>>,
    seq: u64,
}

impl core::fmt::Debug for Checks {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Checks").field("group", &self.group).finish_non_exhaustive()
    }
}

impl Checks {
    /// The checks and their rules.
    pub const RULES: [(&'static str, &'static [&'static str]); 15] = [
        ("one-owner", &["authority", "work"]),
        ("tokens", &["grow", "guard"]),
        ("permits", &["late", "unowned"]),
        ("hand-over", &["gone", "gained"]),
        ("coverage", &["start", "move", "leave", "crash", "lapse", "healed"]),
        ("alone", &["all"]),
        ("movement", &["needless"]),
        ("balance", &["share", "load"]),
        ("thrash", &["moves", "budget"]),
        ("one-configuration", &["mixed"]),
        ("lives", &["void", "revived"]),
        ("freshness", &["until"]),
        ("exclusion", &["early"]),
        ("timers", &["past"]),
        ("order", &["rank"]),
    ];

    /// For runs of this scenario.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let properties: Vec<Box<dyn Property>> = vec![
            Box::new(one_owner::OneOwner::new(scenario)),
            Box::new(tokens::Tokens::new(scenario)),
            Box::new(permits::Permits),
            Box::new(hand_over::HandOver),
            Box::new(coverage::Coverage::new(scenario)),
            Box::new(alone::Alone::new(scenario)),
            Box::new(movement::Movement::new(scenario)),
            Box::new(balance::Balance::new(scenario)),
            Box::new(thrash::Thrash::new(scenario)),
            Box::new(configuration::OneConfiguration),
            Box::new(lives::Lives::default()),
            Box::new(freshness::Freshness::new(scenario)),
            Box::new(exclusion::Exclusion::default()),
            Box::new(timers::Timers),
            Box::new(order::Order::new(scenario)),
        ];
        Self { group: Group::new(scenario), properties, seq: 0 }
    }

    /// Whether there is a check, or a check's rule, of this name.
    #[must_use]
    pub fn has(name: &str) -> bool {
        let (check, rule) = name.split_once('/').map_or((name, None), |(c, r)| (c, Some(r)));
        let rules = Self::RULES.iter().find(|(known, _)| *known == check);
        rules.is_some_and(|(_, rules)| rule.is_none_or(|rule| rules.contains(&rule)))
    }
}

impl Check for Checks {
    fn name(&self) -> &'static str {
        "all"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        self.group.apply(entry);
        self.seq = entry.seq;
        for property in &mut self.properties {
            let (at, seq) = (entry.at, entry.seq);
            let mut found = Found { check: property.name(), at, seq, to: found };
            property.observe(&self.group, entry, &mut found);
        }
    }

    fn finish(&mut self, at: SimTime, found: &mut Vec<Violation>) {
        for property in &mut self.properties {
            let mut found = Found { check: property.name(), at, seq: self.seq, to: found };
            property.finish(&self.group, &mut found);
        }
    }
}
