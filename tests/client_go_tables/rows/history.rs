//! Who may take a lock, with which history, and what becomes of a lock that others change.

use std::time::Duration;

use super::{BOTH, HEAD, LED, Row, STRICT, V1_36, as_is, durations, play};
use crate::play::Step::{At, Delete, Poke, Serve, WorkStopped, Write};

/// Who may take a lock, and with which history.
#[test]
fn acquiring() {
    play(&[
        Row {
            test: "lacks: somebody else creates the lock first",
            profiles: &[V1_36, HEAD, STRICT],
            config: as_is,
            given: None,
            script: &[Serve, Write(("bing", 15, 0, 0, 0)), Serve, Serve],
            calls: "get create get",
            events: &["new leader \"bing\""],
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

/// The lock is deleted by others under a leader that does not know it.
#[test]
fn deleted() {
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
    ]);
}

/// The holder is cleared by others while the fast path fails.
#[test]
fn cleared() {
    play(&[
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
