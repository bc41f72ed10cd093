//! Renewals that candidates do not see.

use tenure::election::{Config, Elector};
use tenure::time::{Instant, Timestamp};

use super::{BOTH, HEAD, Row, STRICT, TAKEN, V1_36, as_is, play, short};
use crate::play::Step::{At, Poke, Serve, Write};
use crate::play::{Play, config, lease};

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
