//! Tables of runs. "lacks": client-go's tests have no such case.

use std::time::Duration;

use tenure::election::{Config, Elector, Failure, Profile, Release};
use tenure::time::{Instant, Timestamp};

use super::play::Step::{
    At, CancelAt, CancelInCall, Delete, End, Fail, Poke, Serve, ServeAfter, WorkStopped, Write,
};
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

const V1_36: Profile = Profile::ClientGo(Release::V1_36);
const HEAD: Profile = Profile::ClientGo(Release::Head);
const STRICT: Profile = Profile::Strict;
const BOTH: &[Profile] = &[V1_36, HEAD];
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

/// Who may take a lock, and with which history.
#[test]
fn acquiring() {
    const RACE: &[Step] = &[Serve, Write(("bing", 15, 0, 0, 0)), Serve, Serve];
    const OTHER: &[&str] = &["new leader \"bing\""];
    play(&[
        Row {
            test: "lacks: somebody else creates the lock first",
            profiles: &[V1_36, HEAD, STRICT],
            config: as_is,
            given: None,
            script: RACE,
            calls: "get create get",
            events: OTHER,
            stored: Some(("bing", 15, 0, 0)),
        },
        Row {
            test: "lacks: one's own name is adopted at first sight, with its history",
            profiles: BOTH,
            config: as_is,
            given: Some(("baz", 15, 100, 200, 4)),
            script: &[At(5_000), Serve, Serve],
            calls: "get update",
            events: LED,
            stored: Some(("baz", 15, 100, 4)),
        },
        Row {
            test: "strict: the same for one's own life",
            profiles: &[STRICT],
            config: as_is,
            given: Some(("baz_1", 15, 100, 200, 4)),
            script: &[At(5_000), Serve, Serve],
            calls: "get update",
            events: &["new leader \"baz_1\"", "started"],
            stored: Some(("baz_1", 15, 100, 4)),
        },
        Row {
            test: "strict: another life of the same name is another",
            profiles: &[STRICT],
            config: as_is,
            given: Some(("baz_0", 15, 100, 200, 4)),
            script: &[At(5_000), Serve, Serve],
            calls: "get get",
            events: &["new leader \"baz_0\""],
            stored: Some(("baz_0", 15, 100, 4)),
        },
    ]);
}

/// Durations are recorded in whole seconds.
#[test]
fn recorded_durations() {
    play(&[
        Row {
            test: "lacks: a duration below one second is recorded as 0: each renewal reads first",
            profiles: BOTH,
            config: |config| durations(config, 900, 500, 100),
            given: None,
            script: &[Serve, Serve, Serve, Serve, Serve, Serve],
            calls: "get create get update get update",
            events: LED,
            stored: Some(("baz", 0, 0, 0)),
        },
        Row {
            test: "lacks: and anybody takes such a lock at first sight",
            profiles: BOTH,
            config: as_is,
            given: Some(("bing", 0, 100, 200, 4)),
            script: &[At(200), Serve, Serve],
            calls: "get update",
            events: LED,
            stored: Some(("baz", 15, 200, 5)),
        },
        Row {
            test: "lacks: 15.9 s are recorded as 15",
            profiles: BOTH,
            config: |config| config.lease_duration = Duration::from_millis(15_900),
            given: None,
            script: &[Serve, Serve],
            calls: "get create",
            events: LED,
            stored: Some(("baz", 15, 0, 0)),
        },
        Row {
            test: "strict: as 16",
            profiles: &[STRICT],
            config: |config| config.lease_duration = Duration::from_millis(15_900),
            given: None,
            script: &[Serve, Serve],
            calls: "get create",
            events: &["new leader \"baz_1\"", "started"],
            stored: Some(("baz_1", 16, 0, 0)),
        },
    ]);
}

/// What a candidate does not see of a leader that renews.
#[test]
fn renewals_unseen() {
    play(&[
        Row {
            test: "lacks: a renewal within the second of the last one",
            profiles: BOTH,
            config: short,
            given: Some(("bing", 2, 0, 100, 4)),
            script: &[
                At(200),
                Serve,
                At(950),
                Write(("bing", 2, 0, 950, 4)),
                Poke(2_200),
                Serve,
                Serve, // renewed 1.25 s ago
            ],
            calls: "get get update",
            events: TAKEN,
            stored: Some(("baz", 2, 2_200, 5)),
        },
        Row {
            test: "strict: it is a version, and begins the wait anew",
            profiles: &[STRICT],
            config: short,
            given: Some(("bing", 2, 0, 100, 4)),
            script: &[
                At(200),
                Serve,
                At(950),
                Write(("bing", 2, 0, 950, 4)),
                Poke(2_200),
                Serve,
                Poke(4_199),
                Serve,
                Poke(4_200),
                Serve,
                Serve,
            ],
            calls: "get get get get update",
            events: &["new leader \"bing\"", "new leader \"baz_1\"", "started"],
            stored: Some(("baz_1", 2, 4_200, 5)),
        },
    ]);
}

/// Nor of one whose wall clock stands still.
#[test]
fn renewals_unseen_for_want_of_a_clock() {
    play(&[
        Row {
            test: "lacks: a holder whose wall clock stands still",
            profiles: BOTH,
            config: as_is,
            given: Some(("bing", 15, 0, 0, 4)),
            script: &[
                Serve,
                At(5_000),
                Write(("bing", 15, 0, 0, 4)),
                Poke(6_000),
                Serve,
                At(14_000),
                Write(("bing", 15, 0, 0, 4)),
                Poke(15_000),
                Serve,
                Serve, // renewed 1 s ago
            ],
            calls: "get get get update",
            events: TAKEN,
            stored: Some(("baz", 15, 15_000, 5)),
        },
        Row {
            test: "strict: each write is a version, though it changes nothing",
            profiles: &[STRICT],
            config: as_is,
            given: Some(("bing", 15, 0, 0, 4)),
            script: &[Serve, At(14_000), Write(("bing", 15, 0, 0, 4)), Poke(15_000), Serve],
            calls: "get get",
            events: &["new leader \"bing\"", "ForeignWrite { version: Version(Ordered(2)) }"],
            stored: Some(("bing", 15, 0, 4)),
        },
    ]);
}

/// The lock is changed by others under a leader that does not know it.
#[test]
fn tampered() {
    play(&[
        Row {
            test: "lacks: a leader creates a deleted lock anew, with the history of its term",
            profiles: BOTH,
            config: as_is,
            given: Some(("", 15, 0, 0, 6)),
            script: &[At(1_000), Serve, Serve, Serve, Delete, Serve, Serve, Serve],
            calls: "get update update update get create",
            events: LED,
            stored: Some(("baz", 15, 1_000, 7)),
        },
        Row {
            test: "strict: it stops",
            profiles: &[STRICT],
            config: as_is,
            given: Some(("", 15, 0, 0, 6)),
            script: &[At(1_000), Serve, Serve, Delete, Serve, Serve],
            calls: "get update update get",
            events: &["new leader \"baz_1\"", "started", "stopped: Deleted"],
            stored: None,
        },
        Row {
            test: "lacks: one that was cleared it takes again: a transition, and a stale acquireTime",
            profiles: BOTH,
            config: as_is,
            given: Some(("", 15, 0, 0, 6)),
            script: &[
                At(1_000),
                Serve,
                Serve,
                Serve,
                Write(("", 15, 0, 0, 7)),
                Serve,
                Serve,
                Serve,
            ],
            calls: "get update update update get update",
            events: LED,
            stored: Some(("baz", 15, 1_000, 8)),
        },
        Row {
            test: "strict: it stops, and takes it again when the work has stopped, as a new term",
            profiles: &[STRICT],
            config: as_is,
            given: Some(("", 15, 0, 0, 6)),
            script: &[
                At(1_000),
                Serve,
                Serve,
                Write(("", 15, 0, 0, 7)),
                Serve,
                Serve,
                WorkStopped,
                Poke(9_000),
                Serve,
                Serve,
            ],
            calls: "get update update get get update",
            events: &[
                "new leader \"baz_1\"",
                "started",
                "new leader \"\"",
                "stopped: Preempted",
                "new leader \"baz_1\"",
                "started",
            ],
            stored: Some(("baz_1", 15, 9_000, 8)),
        },
    ]);
}

/// A leader releases a lock that another holds by now. Of the releases before 1.34, whose update
/// conflicts since they do not read first, see the tables of locks.
#[test]
fn releasing_what_another_holds() {
    const BING: Held = ("bing", 15, 1_000, 1_000, 3);
    const BING_RENEWED: Held = ("bing", 15, 1_000, 1_400, 3);
    play(&[
        Row {
            test: "lacks: the successor's record is cleared",
            profiles: BOTH,
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
            test: "lacks: 1.36 gives up then",
            profiles: &[V1_36],
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

/// Lacks: two renewals by a wall clock that stands still. client-go writes one text twice, which no
/// candidate tells apart and an API server takes for no change; the strict profile never does.
#[test]
fn two_renewals_with_a_frozen_clock() {
    for (profile, step) in [(V1_36, 0), (HEAD, 0), (STRICT, 1_000)] {
        let elector = Elector::new(Config { profile, ..config() }, 1, Instant::default()).unwrap();
        let mut play = Play::new(elector, Some(lease(("", 15, 0, 0, 0)))).frozen();
        play.steps(&[Serve; 5]);
        let times: Vec<_> = play
            .written
            .iter()
            .map(|object| object.record().unwrap().renew_time.map(Timestamp::unix_nanos).unwrap())
            .collect();
        assert_eq!(play.calls.join(" "), "get update update update update", "{profile}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == step), "{profile}: {times:?}");
    }
}
