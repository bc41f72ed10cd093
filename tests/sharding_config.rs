//! What `sharding::Config::validate` refuses, each at its bound: one step further is well.

use std::num::NonZeroU32;
use std::time::Duration;

use tenure::sharding::planned::{Budget, Pin, Policy};
use tenure::sharding::{Config, Mode, Ranking, SlotSet, Slots};

const NANO: Duration = Duration::from_nanos(1);
const LONGEST: Duration = Duration::from_nanos(u64::MAX);

fn config() -> Config {
    Config::new("default", "group", "pod-0", "6ba7b810")
}

fn refused(config: &Config, told: &str) {
    let error = config.validate().expect_err(told).to_string();
    assert!(error.starts_with(told), "{told}: {error}");
}

#[test]
fn names_are_there_and_an_incarnation_has_no_dot() {
    for (field, config) in [
        ("namespace", Config { namespace: "".into(), ..config() }),
        ("group", Config { group: "".into(), ..config() }),
        ("member", Config::new("default", "group", "", "6ba7b810")),
        ("incarnation", Config { incarnation: "".into(), ..config() }),
    ] {
        refused(&config, &format!("{field} is empty"));
    }
    refused(&Config { incarnation: "a.1".into(), ..config() }, "incarnation contains '.'");
    config().validate().unwrap();
}

/// "The lease duration is below a second, or no whole number of seconds."
#[test]
fn a_lease_is_of_whole_seconds() {
    let short = |lease_duration| Config {
        lease_duration,
        renew_deadline: Duration::from_millis(300),
        retry_period: Duration::from_millis(100),
        ..config()
    };
    for lease in [Duration::ZERO, Duration::from_millis(999), Duration::from_millis(1_500)] {
        refused(&short(lease), "lease_duration is ");
    }
    short(Duration::from_secs(1)).validate().unwrap();
    short(Duration::from_secs(2)).validate().unwrap();
}

#[test]
fn deadlines_and_periods_are_below_one_another() {
    let lease = config().lease_duration;
    let with = |renew_deadline| Config { renew_deadline, ..config() };
    refused(&with(lease), "renew_deadline must be less than lease_duration");
    with(lease.saturating_sub(NANO)).validate().unwrap();
    let deadline = config().renew_deadline;
    let with = |retry_period| Config { retry_period, ..config() };
    refused(&with(deadline), "retry_period must be greater than zero and less");
    refused(&with(Duration::ZERO), "retry_period must be greater than zero and less");
    with(deadline.saturating_sub(NANO)).validate().unwrap();
    with(NANO).validate().unwrap();
    let with = |request_timeout| Config { request_timeout, ..config() };
    refused(&with(Duration::ZERO), "request_timeout is 0");
    with(NANO).validate().unwrap();
    refused(&Config { generation: 0, ..config() }, "generation is 0");
    Config { generation: u64::MAX, ..config() }.validate().unwrap();
}

/// A clock ends after so many nanoseconds.
#[test]
fn no_duration_is_longer_than_the_clock() {
    let over = LONGEST + NANO;
    for config in [
        Config { lease_duration: over, ..config() },
        Config { renew_deadline: over, ..config() },
        Config { retry_period: over, ..config() },
        Config { request_timeout: over, ..config() },
        Config { drain_deadline: over, ..config() },
        Config { collect_after: over, ..config() },
    ] {
        assert!(config.validate().unwrap_err().to_string().contains("is too long"));
    }
    let longest = Config {
        request_timeout: LONGEST,
        drain_deadline: LONGEST,
        collect_after: LONGEST,
        mode: Mode::Ranked(Ranking::default()),
        ..config()
    };
    longest.validate().unwrap();
}

#[test]
fn a_policy_can_be_followed() {
    let slots = config().slots;
    let last = slots.count() - 1;
    let pin = |slots, member: &str| Pin { slots, member: member.into() };
    let pinned = |pins: Vec<Pin>| Policy { pins, ..Policy::default() };
    let every = |every| Policy {
        budget: Some(Budget { moves: NonZeroU32::MIN, every }),
        ..Policy::default()
    };
    let good = [
        Policy { slack_per_mille: Policy::MAX_SLACK, ..Policy::default() },
        pinned(vec![pin(0..=0, "a"), pin(1..=last, "b")]),
        every(NANO),
        every(LONGEST),
        Policy { hysteresis: LONGEST, hold: LONGEST, ..Policy::default() },
        Policy { size_limit: 1 << 20, ..Policy::default() },
    ];
    for policy in good {
        policy.validate(slots).unwrap();
    }
    for policy in [
        Policy { slack_per_mille: Policy::MAX_SLACK + 1, ..Policy::default() },
        pinned(vec![pin(0..=slots.count(), "a")]),
        #[expect(clippy::reversed_empty_ranges, reason = "that is what is refused")]
        pinned(vec![pin(2..=1, "a")]),
        pinned(vec![pin(0..=1, "")]),
        pinned(vec![pin(1..=3, "b"), pin(0..=1, "a")]),
        every(Duration::ZERO),
        every(LONGEST + NANO),
        Policy { hysteresis: LONGEST + NANO, ..Policy::default() },
        Policy { hold: LONGEST + NANO, ..Policy::default() },
        Policy { size_limit: (1 << 20) + 1, ..Policy::default() },
    ] {
        let error = policy.validate(slots).unwrap_err();
        let config = Config { mode: Mode::Planned(policy), ..config() };
        refused(&config, &format!("mode: {error}"));
    }
}

/// What a log of a driver shows.
#[test]
fn a_set_of_slots_prints_its_slots() {
    let slots = Slots::new(16).unwrap();
    let set = SlotSet::of(slots, [11, 3].map(|index| slots.get(index).unwrap()));
    assert_eq!(format!("{set:?}"), "{3, 11}");
}
