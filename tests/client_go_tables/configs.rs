//! What is refused when an elector is made, in which order and with which words.

use std::time::Duration;

use tenure::election::{Config, Elector, Profile, Release};
use tenure::lock::LockRef;
use tenure::time::Instant;

use super::play::config;

const LEASE: &str = "leaseDuration must be greater than renewDeadline";
const DEADLINE: &str = "renewDeadline must be greater than retryPeriod*JitterFactor";
const RETRY: &str = "retryPeriod must be greater than zero";
const IDENTITY: &str = "Lock identity is empty";

/// client-go's words for `config`, or ours: what comes before the colon.
fn refusal(config: Config) -> Option<String> {
    let error = Elector::new(config, 0, Instant::default()).err()?.to_string();
    Some(error.split(':').next().unwrap().to_owned())
}

/// `NewLeaderElector`, of whose nine checks 6 to 8 are for callbacks and a lock that are nil, and
/// `TestLeaderElectionConfigValidation`. Checks 3 and 4, that the lease duration and the deadline are
/// above zero, never speak: what they refuse the first two have refused.
#[test]
fn new_leader_elector() {
    let (s, ns) = (1_000_000_000, 1);
    let rows = [
        ("TestLeaderElectionConfigValidation/valid", (15 * s, 2 * s, s), "baz", None),
        ("TestLeaderElectionConfigValidation/identity", (15 * s, 2 * s, s), "", Some(IDENTITY)),
        ("1: equal", (10 * s, 10 * s, 2 * s), "baz", Some(LEASE)),
        ("1: less", (9 * s, 10 * s, 2 * s), "baz", Some(LEASE)),
        ("1: by a nanosecond", (10 * s + ns, 10 * s, 2 * s), "baz", None),
        ("1 before 2", (s, s, s), "baz", Some(LEASE)),
        ("1 before 3, 4 and 5", (0, 0, 0), "baz", Some(LEASE)),
        ("1 before 9", (s, s, 0), "", Some(LEASE)),
        ("2: equal", (15 * s, 12 * s, 10 * s), "baz", Some(DEADLINE)),
        ("2: by a nanosecond", (15 * s, 12 * s + ns, 10 * s), "baz", None),
        ("2: 1.2 ns are cut to 1", (3 * ns, ns, ns), "baz", Some(DEADLINE)),
        ("2: 1.2 ns are cut to 1, so that 2 are more", (3 * ns, 2 * ns, ns), "baz", None),
        ("2: 8.4 ns are cut to 8", (15 * s, 9 * ns, 7 * ns), "baz", None),
        ("2 before 4 and 5", (s, 0, 0), "baz", Some(DEADLINE)),
        ("2 before 9", (15 * s, s, s), "", Some(DEADLINE)),
        ("5", (15 * s, 10 * s, 0), "baz", Some(RETRY)),
        ("5 before 9", (15 * s, 10 * s, 0), "", Some(RETRY)),
        ("no whole seconds are asked for", (999_999_999, 9, 1), "baz", None),
    ];
    for release in [Release::V1_36, Release::Head] {
        for (case, (lease, deadline, retry), identity, words) in rows {
            let config = Config {
                profile: Profile::ClientGo(release),
                lease_duration: Duration::from_nanos(lease),
                renew_deadline: Duration::from_nanos(deadline),
                retry_period: Duration::from_nanos(retry),
                identity: identity.into(),
                ..config()
            };
            assert_eq!(refusal(config).as_deref(), words, "{case}");
        }
    }
}

/// component-base's `TestValidateLeaderElectionConfiguration`. It checks flags, of which each
/// controller has its own; the constructor refuses what it refuses, but for an empty namespace, which
/// backends without namespaces have. What its other cases refuse cannot be said here: durations below
/// zero, a kind of lock that is empty; and with `LeaderElect: false` nobody makes an elector.
#[test]
fn component_base() {
    type Change = fn(&mut Config);
    let seconds = Duration::from_secs;
    let rows: [(&str, Change, [Option<&str>; 2]); 8] = [
        ("all valid", |_| {}, [None, None]),
        (
            "RenewDeadline equals LeaseDuration",
            |config| config.renew_deadline = config.lease_duration,
            [Some(LEASE), Some(LEASE)],
        ),
        (
            "RenewDeadline exceeds LeaseDuration",
            |config| config.renew_deadline = config.lease_duration * 2,
            [Some(LEASE), Some(LEASE)],
        ),
        (
            "LeaseDuration is zero",
            |config| config.lease_duration = Duration::ZERO,
            [Some(LEASE), Some("lease_duration must be from 1s to 2147483647s")],
        ),
        (
            "RenewDeadline is zero",
            |config| config.renew_deadline = Duration::ZERO,
            [Some(DEADLINE), Some("renew_deadline must be greater than retry_period")],
        ),
        (
            "lacks: RetryPeriod is zero",
            |config| config.retry_period = Duration::ZERO,
            [Some(RETRY), Some(RETRY)],
        ),
        (
            "ResourceName is empty",
            |config| config.lock = LockRef::lease("ns", ""),
            [Some("lock.name is empty"), Some("lock.name is empty")],
        ),
        (
            "ResourceNamespace is empty: allowed here",
            |config| config.lock = LockRef::lease("", "name"),
            [None, None],
        ),
    ];
    for (case, change, words) in rows {
        for (profile, words) in
            [Profile::ClientGo(Release::Head), Profile::Strict].iter().zip(words)
        {
            let mut config = Config {
                profile: *profile,
                lease_duration: seconds(30),
                renew_deadline: seconds(15),
                retry_period: seconds(5),
                ..config()
            };
            change(&mut config);
            assert_eq!(refusal(config).as_deref(), words, "{case} under {profile}");
        }
    }
}
