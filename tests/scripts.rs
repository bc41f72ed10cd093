//! Scripts: one elector, told in text what happens to it, answers in text.
//!
//! Each file in `tests/scripts/` is a list of commands. A command is a line, its expected output
//! follows a line `----` and ends with an empty line. `REWRITE=1 cargo test --test scripts` writes
//! the output that the elector gives; read the difference before it is committed.
//!
//! | command | meaning |
//! | --- | --- |
//! | `new [strict\|client-go-v1.36\|client-go-head] [lease=15s] [deadline=10s] [retry=2s] [timeout=5s\|none] [release=yes\|no] [missing=wait\|new-group] [lock=config-map] [secondary=lease] [delay=0s] [warn=TIME] [preferred=yes] [coordinated=yes]` | a new elector `me` with incarnation `1` |
//! | `TIME timeout` | `handle_timeout` at TIME, given in seconds (`2.5s`) |
//! | `TIME answer ok [holder=X] [duration=15] [acquire=TIME] [renew=TIME] [transitions=0] version=V` | the outstanding request is answered with that object |
//! | `TIME answer unreadable version=V` | it is answered with a `ConfigMap` whose annotation is no record |
//! | `TIME answer stored version=V` | it is answered with the object that it asked to store |
//! | `TIME answer notfound\|exists\|conflict\|error` | it fails |
//! | `… id=first` | the answer is to the elector's first request instead |
//! | `TIME watch [kind=config-map] (deleted \| as in an answer)` | `handle_watch` |
//! | `… opaque=V` in place of `version=V` | a version that is not ordered |
//! | `… preferred=X` | with an annotation that names X as the next holder |
//! | `TIME hand-over X` | `hand_over` |
//! | `TIME poke`, `TIME stop`, `TIME work-stopped` | the method of that name |
//! | `TIME leading` | whether it may act then |
//!
//! Output: events and the request in the order in which they come, then when the timer is due. The
//! random wait of a candidate is shown as `in [2s, 4.4s)`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a script that is no script fails the test"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tenure::election::{
    Config, Elector, Event, Failure, Missing, Op, Profile, Request, RequestId, Response, Stored,
    Token, Watched,
};
use tenure::lock::lease::{Lease, LeaseSpec};
use tenure::lock::{Kind, LockRef, Object, Record, Version, annotated::Annotated, wire};
use tenure::time::{Instant, Now, Timestamp};

const PREFERRED: &str = "tenure.dev/preferred-holder";

const WALL_EPOCH: i128 = 1_700_000_000_000_000_000;

#[test]
fn scripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let rewrite = std::env::var_os("REWRITE").is_some();
    let mut failures = String::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let actual = play(&text);
        if rewrite {
            std::fs::write(&file, actual).unwrap();
        } else if actual != text {
            let (line, (expected, got)) = text
                .lines()
                .zip(actual.lines())
                .enumerate()
                .find(|(_, (expected, got))| expected != got)
                .unwrap_or_else(|| (text.lines().count(), ("the end of the file", "more")));
            let name = file.file_name().unwrap().display();
            writeln!(failures, "{name}:{}: expected {expected:?}, got {got:?}", line + 1).unwrap();
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// The script with the outputs that the elector gives.
fn play(text: &str) -> String {
    let mut out = String::new();
    let mut player = None;
    let mut in_output = false;
    for line in text.lines() {
        if in_output {
            in_output = !line.is_empty();
        } else if line.is_empty() || line.starts_with('#') {
            writeln!(out, "{line}").unwrap();
        } else if line == "----" {
            in_output = true;
        } else {
            let answer = command(&mut player, line);
            write!(out, "{line}\n----\n{answer}\n").unwrap();
        }
    }
    // The last output may end with the file instead of an empty line.
    out
}

struct Player {
    elector: Elector,
    outstanding: Option<Request>,
    first: Option<RequestId>,
    last: Duration,
}

fn command(player: &mut Option<Player>, line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let field = |name: &str| {
        words
            .iter()
            .find_map(|word| word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')))
    };
    if words[0] == "new" {
        let config = config(words.get(1).copied().unwrap_or("strict"), &field);
        return match Elector::new(config, 1, Instant::from_nanos(0)) {
            Err(error) => {
                *player = None;
                format!("{error}\n")
            }
            Ok(elector) => {
                let mut warnings = String::new();
                for warning in elector.config().warnings() {
                    writeln!(warnings, "warning: {warning}").unwrap();
                }
                *player =
                    Some(Player { elector, outstanding: None, first: None, last: Duration::ZERO });
                warnings
            }
        };
    }
    let player = player.as_mut().expect("the script begins with `new`");
    let at = duration(words[0]);
    if words[1] != "leading" {
        assert!(at >= player.last, "{line}: time goes forward");
        player.last = at;
    }
    let now = Now { instant: Instant::default() + at, timestamp: wall(at) };
    match words[1] {
        "timeout" => player.elector.handle_timeout(now),
        "poke" => player.elector.poke(now),
        "stop" => player.elector.stop(now),
        "work-stopped" => player.elector.work_stopped(now),
        "hand-over" => player.elector.hand_over(now, words[2].into()),
        "watch" => {
            let kind =
                if field("kind") == Some("config-map") { Kind::ConfigMap } else { Kind::Lease };
            let watched = match words[2] {
                "deleted" => Watched::Deleted,
                _ => Watched::Stored(answer("ok", kind, Op::Get, &field).unwrap()),
            };
            player.elector.handle_watch(now, watched);
        }
        "leading" => {
            return format!(
                "{}\n",
                if player.elector.is_leading(now.instant) { "yes" } else { "no" }
            );
        }
        "answer" => {
            let Request { id, op, lock, .. } =
                player.outstanding.clone().expect("a request is outstanding");
            let id = if field("id") == Some("first") {
                player.first.expect("a request was made")
            } else {
                id
            };
            let result = answer(words[2], lock.kind, op, &field);
            player.elector.handle_response(now, Response { id, result });
        }
        other => panic!("unknown command {other}"),
    }
    show(player, at)
}

fn config<'a>(profile: &str, field: &impl Fn(&str) -> Option<&'a str>) -> Config {
    let lock = |kind: &str| match kind {
        "lease" => LockRef::lease("default", "lock"),
        "config-map" => LockRef { kind: Kind::ConfigMap, ..LockRef::lease("default", "lock") },
        "unnamed" => LockRef::lease("default", ""),
        other => panic!("unknown lock {other}"),
    };
    let base = Config::new(lock(field("lock").unwrap_or("lease")), "me", "1");
    let time = |name: &str, default: Duration| field(name).map_or(default, duration);
    Config {
        profile: profile.parse::<Profile>().unwrap(),
        lease_duration: time("lease", base.lease_duration),
        renew_deadline: time("deadline", base.renew_deadline),
        retry_period: time("retry", base.retry_period),
        request_timeout: match field("timeout") {
            Some("none") => None,
            Some(text) => Some(duration(text)),
            None => base.request_timeout,
        },
        release_on_stop: field("release").is_none_or(|value| value == "yes"),
        missing: if field("missing") == Some("new-group") {
            Missing::NewGroup
        } else {
            Missing::Wait
        },
        secondary: field("secondary").map(lock),
        lock_delay: time("delay", base.lock_delay),
        warn_before: field("warn").map(duration),
        preferred: field("preferred") == Some("yes"),
        coordinated: field("coordinated") == Some("yes"),
        ..base
    }
}

fn answer<'a>(
    word: &str,
    kind: Kind,
    op: Op,
    field: &impl Fn(&str) -> Option<&'a str>,
) -> Result<Stored, Failure> {
    let version = || match field("opaque") {
        Some(text) => Version::opaque(text),
        None => Version::ordered(field("version").expect("version=").parse().unwrap()),
    };
    let number = |name: &str, default| field(name).map_or(default, |text| text.parse().unwrap());
    let time = |name: &str| field(name).map(|text| wall(duration(text)));
    match word {
        "notfound" => Err(Failure::NotFound),
        "exists" => Err(Failure::AlreadyExists),
        "conflict" => Err(Failure::Conflict),
        "error" => Err(Failure::Other),
        "stored" => match op {
            Op::Create(object) | Op::Update(object, _) => Ok(Stored { object, version: version() }),
            Op::Get => panic!("a get stores nothing"),
        },
        "unreadable" => {
            let mut object = Annotated::default();
            object.annotate("no record");
            Ok(Stored { object: Object::ConfigMap(object), version: version() })
        }
        "ok" => {
            let record = Record {
                holder: field("holder").unwrap_or("").into(),
                lease_duration_seconds: number("duration", 15),
                acquire_time: time("acquire"),
                renew_time: time("renew"),
                leader_transitions: number("transitions", 0),
                ..Record::default()
            };
            let mut object = if kind == Kind::Lease {
                Object::Lease(Lease { spec: LeaseSpec::from_record(&record), ..Lease::default() })
            } else {
                let mut object = Annotated::default();
                object.annotate(wire::record_to_json(&record));
                Object::ConfigMap(object)
            };
            if let Some(name) = field("preferred") {
                let annotations = &mut Arc::make_mut(object.metadata_mut()).annotations;
                annotations.insert(PREFERRED.into(), name.into());
            }
            Ok(Stored { object, version: version() })
        }
        other => panic!("unknown answer {other}"),
    }
}

fn show(player: &mut Player, at: Duration) -> String {
    let mut out = String::new();
    while let Some(event) = player.elector.poll_event() {
        match event {
            Event::StartedLeading { token } => {
                writeln!(out, "started leading, token {}", token.map_or(0, Token::as_u64))
            }
            Event::StoppedLeading { cause } => writeln!(out, "stopped leading: {cause:?}"),
            Event::NewLeader { identity } => writeln!(out, "new leader {identity:?}"),
            Event::Endangered { until } => writeln!(out, "endangered until {}", seconds(until)),
            Event::ForeignWrite { version } => writeln!(out, "foreign write, version {version}"),
        }
        .unwrap();
    }
    if let Some(request) = player.elector.poll_request() {
        let deadline = request.deadline.map_or_else(|| "none".into(), seconds);
        // Of one object, the name says nothing.
        let of = match player.elector.config().secondary {
            Some(_) => format!(" {}", request.lock.kind),
            None => String::new(),
        };
        match &request.op {
            Op::Get => writeln!(out, "get{of}, deadline {deadline}"),
            Op::Create(object) => {
                writeln!(out, "create{of} {}, deadline {deadline}", body(object))
            }
            Op::Update(object, version) => {
                let body = body(object);
                writeln!(out, "update{of} {body} over version {version}, deadline {deadline}")
            }
        }
        .unwrap();
        player.first.get_or_insert(request.id);
        player.outstanding = Some(request);
    }
    match player.elector.poll_timeout() {
        _ if player.elector.is_finished() => writeln!(out, "finished"),
        None => writeln!(out, "no timer"),
        Some(due) => {
            let retry = player.elector.config().retry_period;
            let range = retry..retry * 11 / 5;
            let wait = due.saturating_since(Instant::default() + at);
            if range.contains(&wait) && wait.subsec_nanos() % 1_000_000 != 0 {
                writeln!(out, "timer in [{retry:?}, {:?})", retry * 11 / 5)
            } else {
                writeln!(out, "timer {}", seconds(due))
            }
        }
    }
    .unwrap();
    out
}

fn body(object: &Object) -> String {
    let record = object.record().unwrap();
    let time = |time: Option<Timestamp>| {
        time.map_or_else(
            || "null".into(),
            |time| {
                let nanos = u64::try_from(time.unix_nanos() - WALL_EPOCH).unwrap();
                seconds(Instant::from_nanos(nanos))
            },
        )
    };
    let next = object.metadata().annotations.get(PREFERRED);
    let next = next.map_or_else(String::new, |name| format!(", next {name:?}"));
    format!(
        "{{{:?} {} s, acquired {}, renewed {}, transitions {}{next}}}",
        record.holder,
        record.lease_duration_seconds,
        time(record.acquire_time),
        time(record.renew_time),
        record.leader_transitions,
    )
}

fn wall(at: Duration) -> Timestamp {
    Timestamp::from_unix_nanos(WALL_EPOCH + i128::try_from(at.as_nanos()).unwrap())
}

fn duration(text: &str) -> Duration {
    let text = text.strip_suffix('s').expect("a time ends in s");
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    Duration::new(whole.parse().unwrap(), format!("{part:0<9}").parse().unwrap())
}

fn seconds(instant: Instant) -> String {
    format!("{:?}", Duration::from_nanos(instant.as_nanos()))
}
