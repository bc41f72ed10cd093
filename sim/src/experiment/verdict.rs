//! What the experiment finds about each property.

use serde::Serialize;
use tenure::election::Profile;

use super::report::{decimal, seconds};
use super::{Experiment, Mode, RATES, Run, by_check, members};
use crate::time::Span;

/// Whether a property holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// It does.
    Holds,
    /// It does not, and was promised.
    Failed,
    /// It does not, as the mode does not promise it.
    NotPromised,
    /// Nothing happened that could have shown it.
    Unknown,
}

/// What was found about one property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// In which mode; none if it is about none of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// What should be so.
    pub property: String,
    /// Whether it is.
    pub verdict: Holds,
    /// By which figures.
    pub what: String,
}

/// All findings, in order.
pub(super) fn findings(experiment: &Experiment, runs: &[Run]) -> Vec<Finding> {
    let mut findings = Vec::from_iter(balance(experiment));
    for run in runs {
        findings.push(one_owner(experiment, run));
        if matches!(run.measured.mode, Mode::Leader | Mode::Ranked) {
            findings.push(recovery(experiment, run));
        }
        if run.measured.mode == Mode::Leader {
            findings.extend(checks(experiment, run));
        }
        findings.push(all_worked_on(run));
        if run.measured.mode != Mode::Alone {
            findings.push(effects(run));
        }
    }
    findings
}

/// Chance exceeds each bound less than once in ten thousand times: chi-square with two degrees of
/// freedom 18.42; of a binomial share of one in three, five standard deviations. Of fewer than 15 objects nothing can be said.
fn balance(experiment: &Experiment) -> Option<Finding> {
    let members = members();
    let owners = experiment.workload.owners(&members, (1 << members.len()) - 1);
    let count = |index| owners.iter().filter(|owner| **owner == Some(index)).count() as u128;
    let counts: Vec<u128> = (0..3).map(count).collect();
    let all = owners.len() as u128;
    let peak = counts.iter().copied().max().unwrap_or(0);
    let squares: u128 = counts.iter().map(|count| count * count).sum();
    // Times the number of objects, to stay whole: sum of (count - mean)² / mean.
    let chi_square = (3 * squares).saturating_sub(all * all);
    let fair = 100 * chi_square <= 1842 * all && (3 * peak - all).pow(2) <= 50 * all;
    let verdict = if fair { Holds::Holds } else { Holds::Failed };
    let what = format!(
        "{counts:?} objects, peak to mean {}, chi-square {} (at most 18.42)",
        decimal(3 * peak, all, 3),
        decimal(chi_square, all, 2),
    );
    let property = "it is balanced".to_owned();
    (all >= 15).then_some(Finding { mode: None, property, verdict, what })
}

fn one_owner(experiment: &Experiment, run: &Run) -> Finding {
    let measured = &run.measured;
    let verdict = if measured.exclusive { Holds::Holds } else { broken(experiment, measured.mode) };
    let what = format!("{} object-seconds with two or more", seconds(measured.more_millis));
    let property = "no object ever has two owners".to_owned();
    Finding { mode: Some(measured.mode), property, verdict, what }
}

/// What it means that a mode did not do what it should.
fn broken(experiment: &Experiment, mode: Mode) -> Holds {
    match (mode, experiment.profile) {
        (Mode::Ranked, _) | (Mode::Leader, Profile::Strict) => Holds::Failed,
        _ => Holds::NotPromised,
    }
}

/// The longest that a new owner may take, in nanoseconds, on the slowest clock: a renewal may still
/// arrive whose answer is lost; from then a lease duration, and two waits of a candidate. Of members: the
/// reads that show them that renewal and then the exclusion, a retry period each.
fn bound(experiment: &Experiment, mode: Mode) -> Span {
    let scenario = experiment.scenario(mode);
    let tenths = if mode == Mode::Leader { 54 } else { 20 };
    let local = scenario.lease_duration.as_nanos() + scenario.retry_period.as_nanos() * tenths / 10;
    let slowest = RATES.into_iter().min().unwrap_or(1);
    let real = u128::from(local) * 1_000_000_000 / u128::from(slowest);
    let latency = scenario.network.request.longest() + scenario.network.response.longest();
    Span::from_nanos(u64::try_from(real).unwrap_or(u64::MAX)) + latency + latency + latency
}

fn recovery(experiment: &Experiment, run: &Run) -> Finding {
    let mode = run.measured.mode;
    let bound = bound(experiment, mode);
    let mut longest = Some(Span::ZERO);
    for moment in &run.measured.moments {
        longest = longest.and_then(|longest| Some(longest.max(moment.recovered?)));
    }
    let holds = longest.is_some_and(|longest| longest <= bound);
    let verdict = if holds { Holds::Holds } else { broken(experiment, mode) };
    let longest = longest.map_or_else(|| "never".to_owned(), |longest| seconds(millis(longest)));
    let what = format!("longest {longest} s (at most {} s)", seconds(millis(bound)));
    let property = match mode {
        Mode::Leader => "a leader is back in time after each fault",
        _ => "each object has one owner in time after each fault",
    };
    Finding { mode: Some(mode), property: property.to_owned(), verdict, what }
}

fn checks(experiment: &Experiment, run: &Run) -> Vec<Finding> {
    let found = by_check(&run.outcome.violations);
    let finding = |property: String, verdict, what| Finding {
        mode: Some(run.measured.mode),
        property,
        verdict,
        what,
    };
    if found.is_empty() {
        let what = "no violation".to_owned();
        return vec![finding("the properties of the election".to_owned(), Holds::Holds, what)];
    }
    let failed = |(check, count): (&str, usize)| {
        let first = run.outcome.violations.iter().find(|violation| violation.check == check);
        let first = first.map_or("", |violation| &violation.what);
        let verdict = broken(experiment, run.measured.mode);
        finding(check.to_owned(), verdict, format!("{count} times; first: {first}"))
    };
    found.into_iter().map(failed).collect()
}

fn all_worked_on(run: &Run) -> Finding {
    let least = run.measured.least;
    let verdict = if least > 0 { Holds::Holds } else { Holds::Failed };
    let what = format!("that with the fewest {least} times");
    let property = "each object is reconciled".to_owned();
    Finding { mode: Some(run.measured.mode), property, verdict, what }
}

fn effects(run: &Run) -> Finding {
    let effective = run.effects.iter().filter(|effect| effect.fired && effect.had_effect).count();
    let all = run.effects.len();
    let verdict = if effective == all { Holds::Holds } else { Holds::Unknown };
    let property = "each fault had an effect".to_owned();
    Finding {
        mode: Some(run.measured.mode),
        property,
        verdict,
        what: format!("{effective} of {all}"),
    }
}

pub(super) const fn millis(span: Span) -> u64 {
    span.as_nanos() / 1_000_000
}
