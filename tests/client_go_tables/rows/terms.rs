//! The end of a term in coordinated election: another holder is preferred (`tryCoordinatedRenew` in
//! `leaderelection.go`, KEP-4355; since 1.31). client-go's tests have no such case.

use tenure::election::{Config, Profile};

use super::{HEAD, Row, V1_31, V1_34, V1_36, play, releasing};
use crate::play::Step::{End, Prefer, Serve};

const COORDINATED: &[Profile] = &[V1_31, V1_34, V1_36, HEAD];
const EXPIRED: &[&str] = &["new leader \"baz\"", "started", "stopped: Expired"];
const GIVEN: crate::play::Held = ("baz", 15, 100, 200, 4);

fn coordinated(config: &mut Config) {
    config.coordinated = true;
}

fn coordinated_releasing(config: &mut Config) {
    coordinated(config);
    releasing(config);
}

/// The holder reads on, each retry period, and writes no more; after a renew deadline it stops.
#[test]
fn end_of_term() {
    play(&[Row {
        test: "lacks: without release the Lease is left to run out",
        profiles: COORDINATED,
        config: coordinated,
        given: Some(GIVEN),
        script: &[
            Serve,
            Serve,
            Serve,
            Serve,
            Prefer("bing"),
            Serve,
            Serve,
            Serve,
            Serve,
            Serve,
            End,
        ],
        calls: "get update get update get get get get get",
        events: EXPIRED,
        stored: Some(("baz", 15, 100, 4)),
    }]);
}

/// With `ReleaseOnCancel` it frees the Lease then.
#[test]
fn end_of_term_with_release() {
    play(&[
        Row {
            test: "lacks: with release it is freed then",
            profiles: &[V1_31],
            config: coordinated_releasing,
            given: Some(GIVEN),
            script: &[
                Serve,
                Serve,
                Serve,
                Serve,
                Prefer("bing"),
                Serve,
                Serve,
                Serve,
                Serve,
                Serve,
                Serve,
                End,
            ],
            calls: "get update get update get get get get get update",
            events: EXPIRED,
            stored: Some(("", 1, 12_000, 4)),
        },
        Row {
            test: "lacks: since 1.34 after one more read",
            profiles: &[V1_34, V1_36, HEAD],
            config: coordinated_releasing,
            given: Some(GIVEN),
            script: &[
                Serve,
                Serve,
                Serve,
                Serve,
                Prefer("bing"),
                Serve,
                Serve,
                Serve,
                Serve,
                Serve,
                Serve,
                Serve,
                End,
            ],
            calls: "get update get update get get get get get get update",
            events: EXPIRED,
            stored: Some(("", 1, 12_000, 4)),
        },
    ]);
}
