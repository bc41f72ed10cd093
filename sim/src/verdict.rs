//! What to make of a run: whether what was found is what its scenario expects.

use core::fmt;

use tenure::election::Profile;

use crate::check::Violation;
use crate::outcome::Outcome;
use crate::plan::Mix;
use crate::report::Tone;
use crate::scenario::Scenario;

/// What to make of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing was expected to be violated, and nothing was.
    Holds,
    /// Each check, or rule, that was expected to find something did, and no other.
    AsExpected,
    /// A check found something that was not expected.
    Unexpected,
    /// A check that was expected to find something did not.
    Missing,
    /// Nothing happened that could have gone wrong.
    Unknown,
}

impl Verdict {
    /// Whether it is what the scenario expects.
    #[must_use]
    pub const fn is_as_it_should_be(self) -> bool {
        matches!(self, Self::Holds | Self::AsExpected)
    }

    /// Whether to be glad of it.
    pub(crate) const fn tone(self) -> Tone {
        match self {
            Self::Holds | Self::AsExpected => Tone::Good,
            Self::Unexpected | Self::Missing => Tone::Bad,
            Self::Unknown => Tone::Unknown,
        }
    }

    /// The exit status of a command that runs one scenario.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Holds | Self::AsExpected => 0,
            Self::Unexpected | Self::Missing => 1,
            Self::Unknown => 3,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Holds => "holds",
            Self::AsExpected => "violated, as expected",
            Self::Unexpected => "violated, unexpectedly",
            Self::Missing => "an expected violation is missing",
            Self::Unknown => "unknown: nothing happened that could have gone wrong",
        })
    }
}

/// What a run of `scenario` amounts to. An unexpected violation counts before a missing one. Random
/// faults may show anything where nothing is promised: what they find under client-go, or without limits,
/// is as expected.
///
/// ```
/// use tenure_sim::outcome::{Digest, Outcome, Statistics};
/// use tenure_sim::scenario::Scenario;
/// use tenure_sim::time::SimTime;
/// use tenure_sim::verdict::{Verdict, judge};
///
/// let statistics = Statistics { takeovers: 2, ..Statistics::default() };
/// let (digest, end) = (Digest(0), SimTime::ZERO);
/// let outcome = Outcome { digest, end, violations: Vec::new(), statistics };
/// let mut scenario = Scenario::default();
/// assert_eq!(judge(&scenario, &outcome), Verdict::Holds);
/// assert_eq!(judge(&scenario, &outcome).exit_status(), 0);
/// scenario.expect.insert("*".to_owned(), vec!["one-leader".to_owned()]);
/// assert_eq!(judge(&scenario, &outcome), Verdict::Missing);
/// assert_eq!(judge(&scenario, &outcome).exit_status(), 1);
///
/// // The first leader took nothing over.
/// let calm = Outcome { statistics: Statistics { takeovers: 1, ..statistics }, ..outcome };
/// assert!(calm.statistics.is_vacuous(false));
/// assert_eq!(judge(&Scenario::default(), &calm).exit_status(), 3);
/// ```
#[must_use]
pub fn judge(scenario: &Scenario, outcome: &Outcome) -> Verdict {
    let expected = scenario.expected();
    let violated = |name: &String| outcome.violations.iter().any(|it| it.is_of(name));
    let foreseen = |violation: &Violation| expected.iter().any(|name| violation.is_of(name));
    let drawn = scenario.swarm.is_some() || scenario.grid.is_some();
    let safe = !matches!(scenario.swarm, Some(Mix::Wild | Mix::Full));
    let promised = scenario.profile == Profile::Strict && safe;
    if drawn && !promised && !outcome.violations.is_empty() {
        Verdict::AsExpected
    } else if !outcome.violations.iter().all(foreseen) {
        Verdict::Unexpected
    } else if !expected.iter().all(|name| name.ends_with('?') || violated(name)) {
        Verdict::Missing
    } else if !outcome.violations.is_empty() {
        Verdict::AsExpected
    } else if outcome.statistics.is_vacuous(scenario.swarm.is_some()) {
        Verdict::Unknown
    } else {
        Verdict::Holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Digest, Statistics};
    use crate::time::SimTime;

    #[test]
    fn a_run_is_judged_by_what_its_scenario_expects() {
        let verdict = |expected: &[&str], found: &[&str], takeovers| {
            let mut scenario = Scenario::default();
            let list = |names: &[&str]| names.iter().map(ToString::to_string).collect();
            scenario.expect.insert("strict".to_owned(), list(expected));
            let violation = |name: &&str| Violation {
                check: name.split('/').next().unwrap_or_default().to_owned(),
                rule: name.split('/').nth(1).unwrap_or_default().to_owned(),
                at: SimTime::ZERO,
                seq: 0,
                replicas: Vec::new(),
                what: String::new(),
            };
            let outcome = Outcome {
                digest: Digest(0),
                end: SimTime::ZERO,
                violations: found.iter().map(violation).collect(),
                statistics: Statistics { takeovers, ..Statistics::default() },
            };
            judge(&scenario, &outcome)
        };
        assert_eq!(verdict(&[], &[], 2), Verdict::Holds);
        assert_eq!(verdict(&[], &[], 0), Verdict::Unknown);
        assert_eq!(verdict(&[], &["a"], 2), Verdict::Unexpected);
        assert_eq!(verdict(&["a"], &["a", "a"], 0), Verdict::AsExpected);
        assert_eq!(verdict(&["a", "b"], &["a"], 2), Verdict::Missing);
        assert_eq!(verdict(&["a", "b"], &["a", "c"], 2), Verdict::Unexpected);
        // What is found at times need not be.
        assert_eq!(verdict(&["a?"], &[], 2), Verdict::Holds);
        assert_eq!(verdict(&["a/x?"], &["a/x"], 2), Verdict::AsExpected);
        assert_eq!(verdict(&["a/x?"], &["a/y"], 2), Verdict::Unexpected);
        assert_eq!(verdict(&["a?", "b"], &["a"], 2), Verdict::Missing);
        // A rule is more than its check.
        assert_eq!(verdict(&["a"], &["a/x", "a/y"], 2), Verdict::AsExpected);
        assert_eq!(verdict(&["a/x"], &["a/x", "a/x"], 2), Verdict::AsExpected);
        assert_eq!(verdict(&["a/x"], &["a/x", "a/y"], 2), Verdict::Unexpected);
        assert_eq!(verdict(&["a/x", "a/y"], &["a/x"], 2), Verdict::Missing);
    }
}
