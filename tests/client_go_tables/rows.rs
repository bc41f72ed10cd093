//! Tables of runs. "lacks": client-go's tests have no such case. "strict": what the other profile does
//! then.

mod history;
mod terms;
mod unseen;

use std::time::Duration;

use tenure::election::{Config, Elector, Failure, Profile, Release};
use tenure::time::Instant;

use super::play::Step::{CancelAt, CancelInCall, End, Fail, Serve, ServeAfter, WorkStopped, Write};
use super::play::{Held, Play, Step, config, lease, wall};

struct Row {
    /// client-go's name of the test and the case.
    test: &'static str,
    profiles: &'static [Profile],
    config: fn(&mut Config),
    given: Option<Held>,
    script: &'static [Step],
    /// What must hold: each call, each event, and what is stored at the end: holder, duration,
    /// acquired, transitions.
    calls: &'static str,
    events: &'static [&'static str],
    stored: Option<(&'static str, i64, u64, i64)>,
}

const V1_14: Profile = Profile::ClientGo(Release::V1_14);
const V1_20: Profile = Profile::ClientGo(Release::V1_20);
const V1_27: Profile = Profile::ClientGo(Release::V1_27);
const V1_30: Profile = Profile::ClientGo(Release::V1_30);
const V1_31: Profile = Profile::ClientGo(Release::V1_31);
const V1_34: Profile = Profile::ClientGo(Release::V1_34);
const V1_36: Profile = Profile::ClientGo(Release::V1_36);
const HEAD: Profile = Profile::ClientGo(Release::Head);
const STRICT: Profile = Profile::Strict;
const BOTH: &[Profile] = &[V1_36, HEAD];
/// What a release does to a lock that another holds by now.
const READ_FIRST: &[Profile] = &[V1_14, V1_20, V1_27];
const FAST: &[Profile] = &[V1_30, V1_31];
const CLOBBERING: &[Profile] = &[V1_34, V1_36, HEAD];
const LED: &[&str] = &["new leader \"baz\"", "started"];
const TAKEN: &[&str] = &["new leader \"bing\"", "new leader \"baz\"", "started"];
const STOPPED: &[&str] = &["new leader \"baz\"", "started", "stopped: Stopped"];

/// `LeaseDuration`, `RenewDeadline`, `RetryPeriod`, in milliseconds.
fn durations(config: &mut Config, lease: u64, deadline: u64, retry: u64) {
    config.lease_duration = Duration::from_millis(lease);
    config.renew_deadline = Duration::from_millis(deadline);
    config.retry_period = Duration::from_millis(retry);
}

fn as_is(_: &mut Config) {}

fn fast_path(config: &mut Config) {
    durations(config, 15_000, 2_000, 1_000);
}

fn releasing(config: &mut Config) {
    config.release_on_stop = true;
}

fn short(config: &mut Config) {
    durations(config, 2_000, 1_000, 500);
}

fn play(rows: &[Row]) {
    for row in rows {
        for profile in row.profiles {
            let name = format!("{} under {profile}", row.test);
            println!("{name}");
            let mut config = Config { profile: *profile, ..config() };
            (row.config)(&mut config);
            let elector = Elector::new(config, 1, Instant::default()).unwrap();
            let mut play = Play::new(elector, row.given.map(lease));
            play.steps(row.script);
            assert_eq!(play.calls.join(" "), row.calls, "{name}");
            assert_eq!(play.events, row.events, "{name}");
            let stored = play.record().map(|record| {
                let seconds = record.lease_duration_seconds;
                (record.holder, seconds, record.acquire_time, record.leader_transitions)
            });
            let expected = row.stored.map(|(holder, seconds, acquired, transitions)| {
                (holder.into(), seconds, Some(wall(acquired)), transitions)
            });
            assert_eq!(stored, expected, "{name}");
        }
    }
}

/// `leaderelection_test.go`. Of `Run` it counts calls; that nothing else is called, and the events,
/// are ours. `TestCheckMethodRace` has no counterpart: a check borrows the elector.
#[test]
fn run() {
    play(&[
        Row {
            test: "TestFastPathLeaderElection/Exercise fast path after lock acquired",
            profiles: BOTH,
            config: fast_path,
            given: None,
            script: &[Serve, Serve, Serve, CancelInCall, Serve, End],
            calls: "get create update update",
            events: STOPPED,
            stored: Some(("baz", 15, 0, 0)),
        },
        Row {
            test: "TestFastPathLeaderElection/Fallback to slow path after fast path fails",
            profiles: BOTH,
            config: fast_path,
            given: None,
            script: &[
                Serve,
                Serve,
                Serve,
                Fail(Failure::Conflict),
                Serve,
                Serve,
                CancelInCall,
                Serve,
                End,
            ],
            calls: "get create update update get update update",
            events: STOPPED,
            stored: Some(("baz", 15, 0, 0)),
        },
        Row {
            test: "lacks: cancelled before the first attempt",
            profiles: BOTH,
            config: releasing,
            given: None,
            script: &[CancelAt(0), End],
            calls: "",
            events: &["stopped: Stopped"],
            stored: None,
        },
        Row {
            test: "lacks: cancelled in the sleep between two cycles (metrics are not ours)",
            profiles: BOTH,
            config: as_is,
            given: None,
            script: &[Serve, Serve, Serve, CancelAt(1_000), End],
            calls: "get create update",
            events: STOPPED,
            stored: Some(("baz", 15, 0, 0)),
        },
    ]);
}

/// An acquisition that is answered when the lease it wrote is over.
#[test]
fn answered_late() {
    play(&[
        Row {
            test: "lacks: an answer later than the lease is long begins a term all the same",
            profiles: BOTH,
            config: as_is,
            given: Some(("", 15, 0, 0, 0)),
            script: &[Serve, ServeAfter(20_000), Serve],
            calls: "get update update",
            events: LED,
            stored: Some(("baz", 15, 0, 1)),
        },
        Row {
            test: "strict: such an answer is not heard; it reads what became of its write",
            profiles: &[STRICT],
            config: as_is,
            given: Some(("", 15, 0, 0, 0)),
            script: &[Serve, ServeAfter(11_000), Serve, Serve],
            calls: "get update get update",
            events: &["new leader \"baz_1\"", "started"],
            stored: Some(("baz_1", 15, 0, 1)),
        },
    ]);
}

const BING: Held = ("bing", 15, 1_000, 1_000, 3);

/// A leader releases a lock that another holds by now: before 1.34 over the version that it saw last,
/// which conflicts (`release` in `leaderelection.go`).
#[test]
fn releasing_by_a_stale_version() {
    play(&[
        Row {
            test: "lacks: up to 1.29 nothing is read before, and the version is stale",
            profiles: READ_FIRST,
            config: releasing,
            given: None,
            script: &[Serve, Serve, Serve, Serve, Write(BING), CancelAt(1_500), Serve, End],
            calls: "get create get update update",
            events: STOPPED,
            stored: Some(("bing", 15, 1_000, 3)),
        },
        Row {
            test: "lacks: up to 1.33, too, where renewing reads nothing either",
            profiles: FAST,
            config: releasing,
            given: None,
            script: &[Serve, Serve, Serve, Write(BING), CancelAt(1_500), Serve, End],
            calls: "get create update update",
            events: STOPPED,
            stored: Some(("bing", 15, 1_000, 3)),
        },
    ]);
}

/// Since then over the version that it reads, but whose lock it is was seen before.
#[test]
fn releasing_what_another_holds() {
    const BING_RENEWED: Held = ("bing", 15, 1_000, 1_400, 3);
    play(&[
        Row {
            test: "lacks: the successor's record is cleared",
            profiles: CLOBBERING,
            config: releasing,
            given: None,
            script: &[Serve, Serve, Serve, Write(BING), CancelAt(1_500), Serve, Serve, End],
            calls: "get create update get update",
            events: STOPPED,
            stored: Some(("", 1, 1_500, 3)),
        },
        Row {
            test: "lacks: and when the successor renews in between, until it is",
            profiles: &[HEAD],
            config: releasing,
            given: None,
            script: &[
                Serve,
                Serve,
                Serve,
                Write(BING),
                CancelAt(1_500),
                Serve,
                Write(BING_RENEWED),
                Serve,
                Serve,
                Serve,
                End,
            ],
            calls: "get create update get update get update",
            events: STOPPED,
            stored: Some(("", 1, 1_500, 3)),
        },
        Row {
            test: "lacks: 1.34 to 1.36 give up then",
            profiles: &[V1_34, V1_36],
            config: releasing,
            given: None,
            script: &[
                Serve,
                Serve,
                Serve,
                Write(BING),
                CancelAt(1_500),
                Serve,
                Write(BING_RENEWED),
                Serve,
                End,
            ],
            calls: "get create update get update",
            events: STOPPED,
            stored: Some(("bing", 15, 1_000, 3)),
        },
        Row {
            test: "strict: the record does not name this replica: it is left alone",
            profiles: &[STRICT],
            config: releasing,
            given: None,
            script: &[Serve, Serve, Write(BING), CancelAt(1_500), WorkStopped, Serve, End],
            calls: "get create get",
            events: &["new leader \"baz_1\"", "started", "stopped: Stopped", "new leader \"bing\""],
            stored: Some(("bing", 15, 1_000, 3)),
        },
    ]);
}
