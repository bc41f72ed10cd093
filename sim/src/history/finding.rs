//! What is suspicious in the history of a lock, and what of it is a violation.

use core::fmt;
use std::collections::VecDeque;

use super::time::Moment;

/// What can be found.
///
/// A *violation* is something that no elector does which keeps the rules of client-go, however late and
/// skewed everything is: whoever held the lock may have had a rival. All else is *told*: a person should
/// know, and nobody's right was cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Another holder stood in the place of one whose record had stood for less than its duration.
    /// Violation.
    EarlyTakeover,
    /// The lock was created in another's name although the last holder's duration was not over when
    /// it was deleted, nor now. Violation.
    TakenAfterDeletion,
    /// The record of a holder whose duration was not over was cleared by whoever did not write it.
    /// Violation.
    ReleasedByAnother,
    /// `leaseTransitions` became less without a deletion. Violation.
    TransitionsFell,
    /// The lock changed hands and `leaseTransitions` did not rise: two terms have one number.
    /// Violation, unless election is coordinated, where nobody counts.
    TransitionsKept,
    /// `leaseTransitions` rose by more than one, or while nobody else held the lock.
    TransitionsJumped,
    /// The lock was deleted, or is another object than before.
    Deleted,
    /// `renewTime` went back, or ran a second and more differently from the recording's clock, under
    /// one holder.
    ClockJump,
    /// A holder renewed after its own duration was over, before anybody else took the lock.
    LateRenewal,
    /// By the holders' own clocks a takeover came too early, and the recording has no other.
    EarlyByRecords,
    /// The record of a holder whose duration was over was cleared by whoever did not write it.
    ClearedByAnother,
    /// A record was renewed by another program, user or address than before, under one name.
    AnotherWriter,
    /// The version that was written over is not the last one in the recording: what was written in
    /// between is missing, and the step over the gap is not judged.
    Missing,
    /// A version that is older than one before it: not judged.
    OutOfOrder,
    /// The annotation holds what is no record.
    Unreadable,
}

impl Rule {
    /// All of them, violations first.
    pub const ALL: [Self; 15] = [
        Self::EarlyTakeover,
        Self::TakenAfterDeletion,
        Self::ReleasedByAnother,
        Self::TransitionsFell,
        Self::TransitionsKept,
        Self::TransitionsJumped,
        Self::Deleted,
        Self::ClockJump,
        Self::LateRenewal,
        Self::EarlyByRecords,
        Self::ClearedByAnother,
        Self::AnotherWriter,
        Self::Missing,
        Self::OutOfOrder,
        Self::Unreadable,
    ];

    /// Whether it breaks an invariant.
    #[must_use]
    pub const fn is_violation(self) -> bool {
        matches!(
            self,
            Self::EarlyTakeover
                | Self::TakenAfterDeletion
                | Self::ReleasedByAnother
                | Self::TransitionsFell
                | Self::TransitionsKept
        )
    }

    /// As it is printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EarlyTakeover => "early-takeover",
            Self::TakenAfterDeletion => "taken-after-deletion",
            Self::ReleasedByAnother => "released-by-another",
            Self::TransitionsFell => "transitions-fell",
            Self::TransitionsKept => "transitions-kept",
            Self::TransitionsJumped => "transitions-jumped",
            Self::Deleted => "deleted",
            Self::ClockJump => "clock-jump",
            Self::LateRenewal => "late-renewal",
            Self::EarlyByRecords => "early-by-records",
            Self::ClearedByAnother => "cleared-by-another",
            Self::AnotherWriter => "another-writer",
            Self::Missing => "missing",
            Self::OutOfOrder => "out-of-order",
            Self::Unreadable => "unreadable",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub rule: Rule,
    /// Where the recording says so.
    pub line: u64,
    /// When, if it says that.
    pub at: Option<Moment>,
    /// In words.
    pub what: String,
}

/// How many findings of each rule are kept in words; of all others there is a number.
pub const KEPT: usize = 20;

/// What was found about one lock, in constant memory: the first of each rule.
///
/// Two that hand a lock of 15 s to and fro every 8 s, and never wait for its end:
///
/// ```
/// use tenure_sim::history::{Finding, Findings, Histories, KEPT, KEPT_TERMS, Rule, Settings};
/// # let record = |n: u64| {
/// #     let (minute, second, holder) = (n * 8 / 60, n * 8 % 60, ["x", "y"][n as usize % 2]);
/// #     format!(
/// #         r#"{{"type":"MODIFIED","received":"2026-01-01T00:{minute:02}:{second:02}Z","object":{{"kind":"Lease",
/// #         "metadata":{{"name":"a","namespace":"default","uid":"u","resourceVersion":"{n}"}},
/// #         "spec":{{"holderIdentity":"{holder}","leaseDurationSeconds":15,"leaseTransitions":{n}}}}}}}"#
/// #     ).replace('\n', "") + "\n"
/// # };
/// let text: String = (1..=150).map(record).collect();
/// let mut histories = Histories::new(Settings::default());
/// histories.read(text.as_bytes(), &mut |_| {}).unwrap();
/// let (_, history) = histories.locks().next().unwrap();
///
/// let findings: &Findings = &history.findings;
/// assert_eq!((findings.count(Rule::EarlyTakeover), findings.violations()), (149, 149));
/// let kept: Vec<&Finding> = findings.kept().collect();
/// assert_eq!(kept.len(), KEPT);
/// assert!(kept.iter().all(|finding| finding.rule.is_violation()));
/// assert_eq!((history.terms.count, history.terms.kept().count()), (150, KEPT_TERMS));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    counts: [u64; Rule::ALL.len()],
    kept: VecDeque<Finding>,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        let Some(count) = self.counts.get_mut(finding.rule as usize) else { return };
        *count += 1;
        if *count <= KEPT as u64 {
            self.kept.push_back(finding);
        }
    }

    /// How many there are of this rule.
    #[must_use]
    pub fn count(&self, rule: Rule) -> u64 {
        self.counts.get(rule as usize).copied().unwrap_or(0)
    }

    /// How many violations there are.
    #[must_use]
    pub fn violations(&self) -> u64 {
        let violations = Rule::ALL.into_iter().filter(|rule| rule.is_violation());
        violations.map(|rule| self.count(rule)).sum()
    }

    /// The first [`KEPT`] of each rule, in the order of the recording.
    pub fn kept(&self) -> impl Iterator<Item = &Finding> {
        self.kept.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_in_their_order() {
        for (place, rule) in Rule::ALL.into_iter().enumerate() {
            assert_eq!(place, rule as usize, "{rule}");
        }
    }
}
