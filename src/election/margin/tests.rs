use alloc::vec;
use core::time::Duration;

use proptest::prelude::*;

use super::{Answers, Conditions, Margin, Ratio, Term};
use crate::election::{Config, Profile, Release, Remedy};
use crate::lock::LockRef;

const HEAD: Profile = Profile::ClientGo(Release::Head);
const AT_ONCE: Conditions =
    Conditions { ratio: Ratio::ONE, answer: Some(Duration::ZERO), slack: Duration::ZERO };

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Durations in seconds; a time-out of half the deadline, no release.
fn config(profile: Profile, lease: u64, deadline: u64, retry: u64) -> Config {
    Config {
        lease_duration: Duration::from_secs(lease),
        renew_deadline: Duration::from_secs(deadline),
        retry_period: Duration::from_secs(retry),
        request_timeout: Some(Duration::from_millis(deadline * 500)),
        release_on_stop: false,
        profile,
        ..Config::new(LockRef::lease("default", "lock"), "me", "1")
    }
}

fn ratio(fastest: u64, slowest: u64) -> Ratio {
    Ratio::new(fastest, slowest).unwrap()
}

#[test]
fn known_configurations_have_the_margins_known_of_them() {
    for ([lease, deadline, retry], client_go, strict, answers, worst) in [
        ([15, 10, 2], (15, 12), (15, 10), 3, 25_000),
        ([60, 15, 5], (60, 20), (60, 15), 40, 37_500),
        ([137, 107, 26], (137, 133), (137, 107), 4, 267_500),
    ] {
        let margin = config(HEAD, lease, deadline, retry).margin(&AT_ONCE);
        assert_eq!(margin.max_ratio(), Ratio::new(client_go.0, client_go.1));
        assert!(margin.is_inside());
        assert_eq!(margin.answer_budget(), Some(Duration::from_secs(answers)));
        let worst_case = config(HEAD, lease, deadline, retry).margin(&Conditions::default());
        assert_eq!(worst_case.needed(), Some(millis(worst)));
        let margin = config(Profile::Strict, lease, deadline, retry).margin(&AT_ONCE);
        assert_eq!(margin.max_ratio(), Ratio::new(strict.0, strict.1));
        assert_eq!(margin.max_answer(), Answers::Any);
    }
}

#[test]
fn each_term_is_blamed_where_it_is_the_one() {
    let base = config(HEAD, 15, 10, 2);
    let blame = |config: &Config, conditions: &Conditions| config.margin(conditions).blame();
    assert_eq!(blame(&base, &AT_ONCE), None);
    let faster = |conditions, fastest| Conditions { ratio: ratio(fastest, 10), ..conditions };
    assert_eq!(blame(&base, &faster(AT_ONCE, 13)), Some(Term::Rate));
    assert_eq!(blame(&base, &faster(Conditions::default(), 13)), Some(Term::Answer));
    assert_eq!(blame(&base, &Conditions { slack: millis(1_501), ..AT_ONCE }), Some(Term::Slack));
    assert_eq!(blame(&base, &Conditions { slack: millis(1_500), ..AT_ONCE }), None);
    let release = Config { release_on_stop: true, ..base.clone() };
    assert_eq!(blame(&release, &AT_ONCE), Some(Term::Release));
    assert_eq!(blame(&config(HEAD, 15, 14, 2), &AT_ONCE), Some(Term::Retry));
    let short = Config { retry_period: millis(900), ..config(HEAD, 11, 10, 2) };
    assert_eq!(blame(&short, &AT_ONCE), Some(Term::Resolution));
    let cut = Config { lease_duration: millis(10_900), ..base };
    assert_eq!(blame(&cut, &AT_ONCE), Some(Term::Retry));
    assert_eq!(cut.margin(&AT_ONCE).lease, Duration::from_secs(10));
    let cut = Config { renew_deadline: millis(10_500), ..cut };
    assert_eq!(blame(&cut, &AT_ONCE), Some(Term::Deadline));
}

#[test]
fn releases_differ_in_what_they_wait_for_and_repeat() {
    let of = |release, base: &Config| Config {
        profile: Profile::ClientGo(release),
        lease_duration: millis(60_900),
        request_timeout: Some(Duration::from_secs(4)),
        ..base.clone()
    };
    let base = config(HEAD, 60, 30, 5);
    let worst = |release| of(release, &base).margin(&Conditions::default());
    // Candidates wait for their own duration until 1.27, then for the one in the record.
    assert_eq!(worst(Release::V1_20).lease, millis(60_900));
    assert_eq!(worst(Release::V1_27).lease, millis(60_000));
    // Read and write; since 1.30 write, read and write; and a second between two tries.
    assert_eq!(worst(Release::V1_27).answer, Some(Duration::from_secs(4 + 4 + 1)));
    assert_eq!(worst(Release::V1_30).answer, Some(Duration::from_secs(4 + 4 + 4 + 1)));
    let released = Config { release_on_stop: true, ..base.clone() };
    let release = |release| of(release, &released).margin(&AT_ONCE).release;
    assert_eq!(release(Release::V1_20), Some(Duration::from_secs(4)));
    assert_eq!(release(Release::V1_34), Some(Duration::from_secs(8)));
    assert_eq!(release(Release::Head), Some(Duration::from_secs(30)));
    let both = Config { secondary: Some(LockRef::lease("default", "second")), ..base };
    let worst = of(Release::V1_27, &both).margin(&Conditions::default());
    assert_eq!(worst.answer, Some(Duration::from_secs(5 * 4 + 1)));
}

/// Before 1.30 a release has no context of its own: only the time-out of its request ends it.
#[test]
fn a_release_is_over_after_a_renew_deadline_since_1_30() {
    let release = |release, request_timeout| {
        let config = Config {
            profile: Profile::ClientGo(release),
            release_on_stop: true,
            request_timeout,
            ..config(HEAD, 60, 10, 2)
        };
        let margin = config.margin(&AT_ONCE);
        (margin.release, margin.is_inside(), margin.blame())
    };
    let secs = Duration::from_secs;
    let inside = |length| (Some(secs(length)), true, None);
    for old in [Release::V1_14, Release::V1_27] {
        assert_eq!(release(old, Some(secs(48))), inside(48));
        assert_eq!(release(old, Some(secs(49))), (Some(secs(49)), false, Some(Term::Release)));
        assert_eq!(release(old, None), (None, false, Some(Term::Release)));
    }
    for new in [Release::V1_30, Release::V1_36, Release::Head] {
        assert_eq!(release(new, Some(secs(49))), inside(10));
        assert_eq!(release(new, None), inside(10));
    }
}

#[test]
fn without_a_time_out_an_acquisition_has_no_bound() {
    let endless = Config { request_timeout: None, ..config(HEAD, 15, 10, 2) };
    let margin = endless.margin(&Conditions::default());
    assert_eq!((margin.needed(), margin.max_ratio()), (None, None));
    assert_eq!((margin.is_inside(), margin.blame()), (false, Some(Term::Answer)));
    assert!(endless.margin(&AT_ONCE).is_inside());
    // Beyond a cycle of renewing only the acquisition is answered so late.
    let late = Conditions { answer: Some(Duration::from_secs(14)), ..AT_ONCE };
    let margin = config(HEAD, 24, 10, 2).margin(&late);
    assert_eq!((margin.needed(), margin.retry), (Some(Duration::from_secs(24)), Duration::ZERO));
    assert!(margin.is_inside());
    // The budget is that of a renewal; where a cycle is over before, that of the acquisition counts.
    let margin = Config { request_timeout: None, ..config(HEAD, 60, 15, 5) }.margin(&AT_ONCE);
    assert_eq!(margin.answer_budget(), Some(Duration::from_secs(40)));
    assert_eq!(margin.max_answer(), Answers::UpTo(Duration::from_secs(45)));
    assert_eq!(config(HEAD, 60, 15, 5).margin(&AT_ONCE).max_answer(), Answers::Any);
}

#[test]
fn remedies_name_each_setting_that_helps_alone() {
    let default = Config { release_on_stop: true, ..config(HEAD, 15, 10, 2) };
    let worst = Conditions::default();
    let secs = Duration::from_secs;
    assert_eq!(default.remedies(&worst), [Remedy::Strict, Remedy::LeaseDuration(secs(35))]);
    let kept = config(HEAD, 15, 10, 2);
    let remedies = [Remedy::Strict, Remedy::LeaseDuration(secs(25))];
    assert_eq!(kept.remedies(&worst)[..2], remedies);
    assert_eq!(kept.remedies(&worst)[2..], [Remedy::RequestTimeout(millis(600))]);
    let released = default.remedies(&AT_ONCE);
    assert!(released.contains(&Remedy::NoRelease), "{released:?}");
    let short = Config { retry_period: millis(900), ..config(HEAD, 11, 10, 2) };
    assert!(short.remedies(&AT_ONCE).contains(&Remedy::RetryPeriod(secs(1))));
    assert_eq!(kept.remedies(&AT_ONCE), []);
}

/// Any configuration of whole milliseconds, whether or not an elector takes it.
fn configs() -> impl Strategy<Value = Config> {
    let profiles = prop_oneof![
        Just(Profile::Strict),
        prop::sample::select(Release::ALL.to_vec()).prop_map(Profile::ClientGo),
    ];
    let timeout = prop::option::weighted(0.9, 1..20_000_u64);
    (profiles, 1_000..60_000_u64, 1..40_000_u64, 1..9_000_u64, timeout, any::<bool>()).prop_map(
        |(profile, lease, deadline, retry, timeout, release_on_stop)| Config {
            lease_duration: millis(lease),
            renew_deadline: millis(deadline),
            retry_period: millis(retry),
            request_timeout: timeout.map(millis),
            release_on_stop,
            ..config(profile, 15, 10, 2)
        },
    )
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let answer = prop::option::of((0..30_000_u64).prop_map(millis));
    (1_000..2_000_u64, answer, 0..2_000_u64).prop_map(|(fastest, answer, slack)| Conditions {
        ratio: ratio(fastest, 1_000),
        answer,
        slack: millis(slack),
    })
}

/// Without bound is more than any.
fn needed(margin: &Margin) -> Duration {
    margin.needed().unwrap_or(Duration::MAX)
}

proptest! {
    #[test]
    fn more_of_anything_needs_no_less(
        config in configs(),
        given in conditions(),
        more in (1..5_000_u64).prop_map(millis),
    ) {
        let before = needed(&config.margin(&given));
        let timeout = config.request_timeout.map(|timeout| timeout + more);
        let mut changed = vec![
            Config { renew_deadline: config.renew_deadline + more, ..config.clone() },
            Config { request_timeout: timeout, ..config.clone() },
            Config { request_timeout: None, ..config.clone() },
            Config { release_on_stop: true, ..config.clone() },
        ];
        let retry = config.retry_period + more;
        if (retry < super::SECOND) == (config.retry_period < super::SECOND) {
            changed.push(Config { retry_period: retry, ..config.clone() });
        }
        for changed in changed {
            prop_assert!(before <= needed(&changed.margin(&given)), "{:?}", changed);
        }
        for changed in [
            Conditions { answer: given.answer.map(|answer| answer + more), ..given },
            Conditions { answer: None, ..given },
            Conditions { slack: given.slack + more, ..given },
        ] {
            prop_assert!(before <= needed(&config.margin(&changed)), "{:?}", changed);
        }
        let lease = Config { lease_duration: config.lease_duration + more, ..config.clone() };
        prop_assert!(config.margin(&given).lease <= lease.margin(&given).lease);
    }

    #[test]
    fn equality_is_inside_and_the_next_fraction_is_not(config in configs(), given in conditions()) {
        let margin = config.margin(&given);
        let inside = |ratio| config.margin(&Conditions { ratio, ..given }).is_inside();
        match margin.max_ratio() {
            None => prop_assert!(!inside(ratio(1, 1_000_000))),
            Some(max) => {
                prop_assert!(inside(max));
                prop_assert!(!inside(ratio(max.fastest() * 1_000_000 + 1, max.slowest() * 1_000_000)));
                prop_assert_eq!(margin.is_inside(), given.ratio <= max);
            }
        }
        prop_assert_eq!(margin.is_inside(), margin.blame().is_none());
    }

    #[test]
    fn the_longest_answer_is_inside_and_a_longer_one_is_not(
        config in configs(),
        given in conditions(),
    ) {
        let inside = |answer| config.margin(&Conditions { answer, ..given }).is_inside();
        match config.margin(&given).max_answer() {
            Answers::Any => prop_assert!(inside(None)),
            Answers::None => prop_assert!(!inside(Some(Duration::ZERO))),
            Answers::UpTo(longest) => {
                prop_assert!(inside(Some(longest)));
                prop_assert!(!inside(Some(longest + Duration::from_nanos(1))));
            }
        }
    }

    #[test]
    fn each_remedy_helps(config in configs(), given in conditions()) {
        for remedy in config.remedies(&given) {
            let mended = remedy.applied(&config);
            prop_assert!(mended.margin(&given).is_inside(), "{}", remedy);
            prop_assert!(mended.validate().is_ok(), "{}", remedy);
        }
    }
}
