//! The configurations whose bounds are confirmed.

use core::time::Duration;

use tenure::election::{Conditions, Config, Missing, Profile, Release};
use tenure::lock::LockRef;

use super::{Case, Schedule};

const HEAD: Profile = Profile::ClientGo(Release::Head);

/// In seconds, with a request time-out of half the deadline.
fn config(profile: Profile, lease: u64, deadline: u64, retry: u64) -> Config {
    let deadline = Duration::from_secs(deadline);
    Config {
        lease_duration: Duration::from_secs(lease),
        renew_deadline: deadline,
        retry_period: Duration::from_secs(retry),
        request_timeout: Some(deadline / 2),
        release_on_stop: false,
        missing: Missing::NewGroup,
        profile,
        ..Config::new(LockRef::lease("default", "lock"), "leader", "1")
    }
}

fn case(name: &'static str, config: Config, answer: Option<u64>, schedule: Schedule) -> Case {
    let answer = answer.map(Duration::from_millis);
    Case { name, config, conditions: Conditions { answer, ..Conditions::default() }, schedule }
}

pub(super) fn all() -> Vec<Case> {
    let strict = |lease, deadline, retry| config(Profile::Strict, lease, deadline, retry);
    let head = |lease, deadline, retry| config(HEAD, lease, deadline, retry);
    let released = |config| Config { release_on_stop: true, ..config };
    let timeout =
        |millis, config| Config { request_timeout: Some(Duration::from_millis(millis)), ..config };
    let within_second = Config {
        renew_deadline: Duration::from_secs(5),
        retry_period: Duration::from_millis(10),
        ..timeout(1_000, head(10, 5, 1))
    };
    vec![
        case("15/10/2", strict(15, 10, 2), None, Schedule::Renewal),
        case("60/15/5", strict(60, 15, 5), None, Schedule::Renewal),
        case("14/10/2", strict(14, 10, 2), None, Schedule::Renewal),
        case("15/10/2", head(15, 10, 2), Some(0), Schedule::Renewal),
        case("15/10/2", head(15, 10, 2), Some(3_000), Schedule::Renewal),
        case("15/10/2", head(15, 10, 2), None, Schedule::RepeatedAcquisition),
        case("60/15/5", head(60, 15, 5), Some(5_000), Schedule::Renewal),
        case("60/15/5", timeout(6_000, head(60, 15, 5)), None, Schedule::RepeatedRenewal),
        case("137/107/26", head(137, 107, 26), Some(4_000), Schedule::Renewal),
        case("40/10/2 release", released(head(40, 10, 2)), Some(1_000), Schedule::Renewal),
        case("15/6/1", timeout(10_000, head(15, 6, 1)), Some(9_000), Schedule::Acquisition),
        case("10/5/0.01", within_second, Some(0), Schedule::WithinSecond),
    ]
}
