//! Coordinated election under skewed wall clocks and crashes, over fifty seeds. The figures stand in
//! the documentation of [`tenure_sim::coordination`]; if they change here, they change there.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tenure::election::{Profile, Release};
use tenure_sim::coordination::{Ahead, Outcome, Trial};
use tenure_sim::time::{Shift, Span};

fn seeds(trial: &Trial) -> Vec<Outcome> {
    (1..=50).map(|seed| trial.run(seed).unwrap()).collect()
}

/// The same with something that happens at another moment for each seed.
fn moments(trial: impl Fn(Span) -> Trial) -> Vec<Outcome> {
    let moment = |seed: u64| Span::from_millis(100_000 + 97 * seed);
    (1..=50).map(|seed| trial(moment(seed)).run(seed).unwrap()).collect()
}

/// Least, median and greatest, in seconds.
fn spread(spans: impl Iterator<Item = Span>) -> String {
    let mut millis: Vec<_> = spans.map(|span| span.as_nanos() / 1_000_000).collect();
    millis.sort_unstable();
    let text = |at: Option<&u64>| {
        at.map_or_else(|| "none".to_owned(), |at| format!("{}.{}", at / 1000, at / 100 % 10))
    };
    let (least, middle) = (text(millis.first()), text(millis.get(millis.len() / 2)));
    format!("{least} {middle} {}", text(millis.last()))
}

fn violated(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| !outcome.violations.is_empty()).count()
}

fn overlaps(outcomes: &[Outcome]) -> String {
    spread(outcomes.iter().map(Outcome::overlap))
}

/// How many runs had a second leader, and after how long.
fn vacancies(outcomes: &[Outcome]) -> (usize, String) {
    let all = || outcomes.iter().filter_map(|outcome| outcome.vacancy(0));
    (all().count(), spread(all()))
}

fn standbys(skew: i64) -> Trial {
    Trial { ahead: Ahead::Standbys, skew: Shift::from_secs(skew), ..Trial::default() }
}

/// The coordinator alone is ahead, and the leader crashes.
fn alone(skew: i64) -> Vec<Outcome> {
    let skew = Shift::from_secs(skew);
    moments(|crash| Trial { skew, crash: Some(crash), ..Trial::default() })
}

#[test]
fn with_clocks_that_agree_one_leads() {
    for outcome in seeds(&Trial::default()) {
        assert_eq!((outcome.violations.len(), outcome.terms.len(), outcome.failures), (0, 1, 0));
        assert!(outcome.terms.iter().all(|term| term.replica == 0), "the oldest version");
    }
}

#[test]
fn skew_beyond_the_lease_makes_two_leaders_in_every_run() {
    let skewed = seeds(&standbys(20));
    assert_eq!(violated(&skewed), 50);
    assert_eq!(overlaps(&skewed), "6.7 9.5 11.7");
    // What counts is the lease without the age of its last renewal.
    assert_eq!(violated(&seeds(&standbys(14))), 50);
    assert_eq!(violated(&seeds(&standbys(12))), 0);
}

#[test]
fn a_plain_elector_does_not_mind_the_same_skew() {
    for profile in [Profile::Strict, Profile::ClientGo(Release::V1_36)] {
        let plain = Trial { coordinated: false, profile, ..standbys(20) };
        for outcome in seeds(&plain) {
            assert_eq!((outcome.violations.len(), outcome.terms.len()), (0, 1), "{profile}");
        }
    }
}

#[test]
fn a_coordinator_alone_ahead_makes_two_leaders_if_leases_are_short() {
    // Within its 5 s answers to pings count, and a better candidate gets what looks expired.
    let short = Trial {
        durations: [2000, 1400, 300].map(Span::from_millis),
        skew: Shift::from_nanos(2_500_000_000),
        better: Some(Span::from_secs(100)),
        ..Trial::default()
    };
    let skewed = seeds(&short);
    assert_eq!(violated(&skewed), 50);
    assert_eq!(overlaps(&skewed), "0.9 1.2 1.5");
    assert_eq!(violated(&seeds(&Trial { skew: Shift::default(), ..short.clone() })), 0);
    let plain = Trial { coordinated: false, ahead: Ahead::Standbys, ..short };
    assert_eq!(violated(&seeds(&plain)), 0);
}

#[test]
fn a_coordinator_alone_ahead_by_five_seconds_elects_nobody() {
    for skew in [5, 20] {
        let outcomes = alone(skew);
        assert_eq!((violated(&outcomes), vacancies(&outcomes).0), (0, 0), "{skew}");
        assert!(outcomes.iter().all(|outcome| outcome.failures > 0));
    }
    let elected = |skew| vacancies(&alone(skew)).0;
    assert_eq!([1, 2, 3, 4].map(elected), [50, 50, 48, 49]);
}

#[test]
fn how_long_nobody_leads() {
    let crash = |trial: Trial| moments(move |at| Trial { crash: Some(at), ..trial.clone() });
    let coordinated = crash(Trial::default());
    assert_eq!(vacancies(&coordinated), (50, "20.6 23.7 27.5".to_owned()));
    let plain = crash(Trial { coordinated: false, ..Trial::default() });
    assert_eq!(vacancies(&plain), (50, "14.2 16.9 18.5".to_owned()));
    // A better candidate appears: the holder ends its term and the Lease runs out.
    let better = moments(|at| Trial { better: Some(at), ..Trial::default() });
    assert_eq!(vacancies(&better), (50, "3.6 7.0 11.9".to_owned()));
    assert_eq!(violated(&coordinated) + violated(&plain) + violated(&better), 0);
}
