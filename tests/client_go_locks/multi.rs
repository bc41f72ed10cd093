//! `MultiLock`: `TestTryAcquireOrRenewEndpointsLeases` and `TestTryAcquireOrRenewConfigMapsLeases`
//! (last at the parent of client-go 27bbe765), and cases that they lack.

use std::time::Duration;

use tenure::election::{Op, Raw, Release, Response};
use tenure::lock::{Kind, Object, UNKNOWN_HOLDER};

use super::{Conflict, Done, Error, Exists, Held, NotFound, Replica, Script, Seen};

const KINDS: [[Kind; 2]; 3] = [
    [Kind::Endpoints, Kind::Lease],
    [Kind::ConfigMap, Kind::Lease],
    // Nobody's migration, but the lock is general.
    [Kind::Lease, Kind::ConfigMap],
];

/// Which bytes were seen last.
#[derive(Clone, Copy)]
enum Form {
    /// The primary's alone.
    P,
    /// The secondary's alone.
    S,
    /// Both.
    PS,
}

struct Row {
    name: &'static str,
    observed: Option<(&'static str, Form, Seen)>,
    script: Script<'static>,
    returned: bool,
    holder: &'static str,
    transitions: i64,
}

const fn row(
    name: &'static str,
    observed: Option<(&'static str, Form, Seen)>,
    script: Script<'static>,
    returned: bool,
    holder: &'static str,
    transitions: i64,
) -> Row {
    Row { name, observed, script, returned, holder, transitions }
}

const ROWS: [Row; 11] = [
    row(
        "acquire from no object",
        None,
        &[("get P", NotFound), ("create P", Done), ("create S", Done)],
        true,
        "baz",
        0,
    ),
    row(
        "acquire from unled old object",
        None,
        &[
            ("get P", Held("")),
            ("get S", NotFound),
            ("update P", Done),
            ("get S", NotFound),
            ("create S", Done),
        ],
        true,
        "baz",
        1,
    ),
    row(
        "acquire from unled transition object",
        None,
        &[
            ("get P", Held("")),
            ("get S", Held("")),
            ("update P", Done),
            ("get S", Held("")),
            ("update S", Done),
        ],
        true,
        "baz",
        1,
    ),
    row(
        "acquire from led, unack old object",
        Some(("bing", Form::P, Seen::Past)),
        &[
            ("get P", Held("bing")),
            ("get S", NotFound),
            ("update P", Done),
            ("get S", NotFound),
            ("create S", Done),
        ],
        true,
        "baz",
        1,
    ),
    row(
        "acquire from led, unack transition object",
        Some(("bing", Form::PS, Seen::Past)),
        &[
            ("get P", Held("bing")),
            ("get S", Held("bing")),
            ("update P", Done),
            ("get S", Held("bing")),
            ("update S", Done),
        ],
        true,
        "baz",
        1,
    ),
    row(
        "acquire from conflict led, ack transition object",
        Some(("bing", Form::PS, Seen::Future)),
        &[("get P", Held("bing")), ("get S", Held("baz"))],
        false,
        UNKNOWN_HOLDER,
        0,
    ),
    row(
        "acquire from led, unack unknown object",
        Some((UNKNOWN_HOLDER, Form::PS, Seen::Past)),
        &[
            ("get P", Held(UNKNOWN_HOLDER)),
            ("get S", Held(UNKNOWN_HOLDER)),
            ("update P", Done),
            ("get S", Held(UNKNOWN_HOLDER)),
            ("update S", Done),
        ],
        true,
        "baz",
        1,
    ),
    row(
        "don't acquire from led, ack old object",
        Some(("bing", Form::P, Seen::Future)),
        &[("get P", Held("bing")), ("get S", NotFound)],
        false,
        "bing",
        0,
    ),
    row(
        "don't acquire from led, acked new object, observe new record",
        Some(("bing", Form::S, Seen::Future)),
        &[("get P", Held("baz")), ("get S", Held("bing"))],
        false,
        UNKNOWN_HOLDER,
        0,
    ),
    row(
        "don't acquire from led, acked new object, observe transition record",
        Some(("bing", Form::PS, Seen::Future)),
        &[("get P", Held("bing")), ("get S", Held("bing"))],
        false,
        "bing",
        0,
    ),
    row(
        "renew already required object",
        Some(("baz", Form::PS, Seen::Future)),
        &[
            ("get P", Held("baz")),
            ("get S", Held("baz")),
            ("update P", Done),
            ("get S", Held("baz")),
            ("update S", Done),
        ],
        true,
        "baz",
        0,
    ),
];

fn each(mut test: impl FnMut(&[Kind], Release)) {
    for kinds in KINDS {
        for release in Release::ALL {
            test(&kinds, release);
        }
    }
}

#[test]
fn try_acquire_or_renew() {
    each(|kinds, release| {
        for row in &ROWS {
            let mut replica = Replica::new(row.name, kinds, release);
            if let Some((holder, form, seen)) = row.observed {
                let raw = match form {
                    Form::P => replica.raw("P", holder),
                    Form::S => replica.raw("S", holder),
                    Form::PS => replica.both(holder),
                };
                replica = replica.observed(holder, Some(raw), seen);
            }
            assert_eq!(replica.attempt(row.script), row.returned, "{}", replica.what);
            replica.is(row.holder, row.transitions);
        }
    });
}

/// "Mine, but no secondary" is "not found" to the elector: the primary is there already, which is
/// ignored, the secondary is made, and the primary is renewed by the next attempt only.
#[test]
fn mine_without_a_secondary() {
    each(|kinds, release| {
        let mut replica = Replica::new("mine, no secondary", kinds, release);
        let calls: Script<'_> = &[
            ("get P", Held("baz")),
            ("get S", NotFound),
            ("create P", Exists),
            ("create S", Done),
        ];
        assert!(replica.attempt(calls), "{}", replica.what);
        replica.is("baz", 0);
        assert_eq!(replica.state.observed_raw, None, "nothing was got: {}", replica.what);
    });
}

/// What fails while the lock is read, made or written ends the attempt there.
#[test]
fn failures_on_the_way() {
    let scripts: [Script<'_>; 9] = [
        &[("get P", Error)],
        &[("get P", Held("bing")), ("get S", Error)],
        &[("get P", Held("baz")), ("get S", Error)],
        &[("get P", NotFound), ("create P", Error)],
        &[("get P", NotFound), ("create P", Done), ("create S", Exists)],
        &[("get P", NotFound), ("create P", Exists), ("create S", Error)],
        &[("get P", Held("")), ("get S", Held("")), ("update P", Conflict)],
        &[
            ("get P", Held("")),
            ("get S", NotFound),
            ("update P", Done),
            ("get S", NotFound),
            ("create S", Exists),
        ],
        &[
            ("get P", Held("")),
            ("get S", Held("")),
            ("update P", Done),
            ("get S", Held("")),
            ("update S", Conflict),
        ],
    ];
    each(|kinds, release| {
        for script in scripts {
            let mut replica = Replica::new("failures", kinds, release);
            assert!(!replica.attempt(script), "{} {script:?}", replica.what);
            assert_ne!(replica.state.observed_record.holder.as_str(), "baz", "{}", replica.what);
        }
    });
}

/// The secondary cannot be read again once the primary is written: it is written over all the same,
/// at the version of the read before. Up to 1.26 that read's failure has cost the elector its copy:
/// what it asks for has no name, and no client sends it.
#[test]
fn a_secondary_that_cannot_be_read_again() {
    each(|kinds, release| {
        let mut replica = Replica::new("secondary: 500", kinds, release);
        let sent = release >= Release::V1_27;
        let calls: Script<'_> = &[
            ("get P", Held("")),
            ("get S", Held("")),
            ("update P", Done),
            ("get S", Error),
            ("update S", if sent { Done } else { Error }),
        ];
        assert_eq!(replica.attempt(calls), sent, "{}", replica.what);
        let (part, object) = replica.written.last().unwrap();
        assert_eq!(*part, "S");
        assert_eq!(&*object.metadata().name, if sent { "bar" } else { "" }, "{}", replica.what);
    });
}

/// While the two name different holders the lock is held by nobody that is known, for as long as the
/// primary's record says and both stay as they are; the bytes seen are those of that record.
#[test]
fn holders_that_differ() {
    each(|kinds, release| {
        let mut replica = Replica::new("holders differ", kinds, release);
        let differ: Script<'_> = &[("get P", Held("bing")), ("get S", Held("third"))];
        assert!(!replica.attempt(differ), "{}", replica.what);
        replica.is(UNKNOWN_HOLDER, 0);
        let raw = replica.state.observed_raw.clone().unwrap();
        let expected = Raw::Both(Box::new((
            Some(replica.raw("P", UNKNOWN_HOLDER)),
            Some(replica.raw("S", "third")),
        )));
        assert_eq!(raw, expected, "{}", replica.what);
        let text = raw.to_text(release);
        assert!(text.contains(r#""leaderTransitions":0"#) && text.contains("},{"), "{text}");
        // The record's duration of 0 has run out since; up to 1.26 the elector's own counts.
        if release < Release::V1_27 {
            assert!(!replica.attempt(differ), "{}", replica.what);
            replica.wait(Duration::from_secs(10));
        }
        let mut take = differ.to_vec();
        take.extend([("update P", Done), ("get S", Held("third")), ("update S", Done)]);
        assert!(replica.attempt(&take), "{}", replica.what);
        replica.is("baz", 1);
    });
}

/// The secondary is overwritten at the version just read, whoever wrote it; the primary at its own.
#[test]
fn versions_of_the_two() {
    for release in Release::ALL {
        let mut replica = Replica::new("versions", &KINDS[1], release);
        let mut elector = replica.elector();
        elector.handle_timeout(replica.now);
        let mut versions = Vec::new();
        while let Some(request) = elector.poll_request() {
            let part = if request.lock.kind == Kind::Lease { "S" } else { "P" };
            let result = match &request.op {
                Op::Get => replica.answer(part, &Held(""), None),
                Op::Create(object) => replica.answer(part, &Done, Some(object)),
                Op::Update(object, version) => {
                    versions.push((part, version.as_ordered().unwrap()));
                    assert_eq!(matches!(object, Object::Lease(_)), part == "S");
                    replica.answer(part, &Done, Some(object))
                }
            };
            elector.stop(replica.now);
            elector.handle_response(replica.now, Response { id: request.id, result });
        }
        // get P is 11, get S 12, update P 13, get S 14.
        assert_eq!(versions, [("P", 11), ("S", 14)], "{release:?}");
    }
}
