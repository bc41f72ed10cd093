use super::scenario::Scenario;
use super::world::Outcome;
use crate::verdict::Verdict;

/// What a run of `scenario` amounts to. An unexpected violation counts before a missing one; a run in
/// which nobody worked or nothing changed hands is unknown, and one that was drawn without any fault.
#[must_use]
pub fn judge(scenario: &Scenario, outcome: &Outcome) -> Verdict {
    let expected = &scenario.expect;
    let foreseen =
        |violation: &crate::check::Violation| expected.iter().any(|it| violation.is_of(it));
    let violated = |name: &String| outcome.violations.iter().any(|it| it.is_of(name));
    if !outcome.violations.iter().all(foreseen) {
        Verdict::Unexpected
    } else if !expected.iter().all(violated) {
        Verdict::Missing
    } else if !expected.is_empty() {
        Verdict::AsExpected
    } else if outcome.statistics.is_vacuous(scenario.swarm.is_some()) {
        Verdict::Unknown
    } else {
        Verdict::Holds
    }
}
