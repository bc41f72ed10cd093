//! `TestLeaderElectionHealthChecker`: an adaptor time-out of 20 s, a lease of 1 min, named `foo`. Its
//! first case, an adaptor that no elector is attached to, is a driver's.

use std::time::Duration;

use tenure::election::{ClientGoState, Config, Elector, Profile, Release};
use tenure::lock::{LockRef, Record};
use tenure::time::Instant;

use super::play::config;

#[test]
fn table() {
    let hour = Duration::from_secs(3_600);
    let rows = [
        ("call leader elector, leader, expired", "baz", hour, false),
        ("call leader elector, not leader", "bing", hour, true),
        ("call leader elector, leader, just renewed", "baz", Duration::ZERO, true),
        ("within the time-out", "baz", Duration::from_secs(61), true),
        ("lacks: at its end", "baz", Duration::from_secs(80), true),
        ("lacks: after it", "baz", Duration::new(80, 1), false),
    ];
    for release in [Release::V1_36, Release::Head] {
        for (case, holder, later, healthy) in rows {
            let config = Config {
                profile: Profile::ClientGo(release),
                lease_duration: Duration::from_secs(60),
                lock: LockRef::lease("default", "foo"),
                ..config()
            };
            let renewed = Instant::from_nanos(7);
            let state = ClientGoState {
                observed_record: Record { holder: holder.into(), ..Record::default() },
                observed_time: Some(renewed),
                ..ClientGoState::default()
            };
            let elector = Elector::resume_client_go(config, renewed, state);
            let checked = elector.check_health(renewed + later, Duration::from_secs(20));
            let text = checked.map_err(|error| error.to_string());
            let expected = if healthy {
                Ok(())
            } else {
                Err("failed election to renew leadership on lease foo".to_owned())
            };
            assert_eq!(text, expected, "{case}");
        }
    }
}
