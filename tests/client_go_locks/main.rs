//! What client-go's elector does with each kind of lock, under each release: the tables of its own
//! tests, and cases that it lacks.
//!
//! A row names the upstream test, what was observed before, the calls with their answers, and what
//! comes of it. All calls of a row must be made, in that order, and no others.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests: what is missing must stop them")]

use std::time::Duration;

use tenure::election::{
    ClientGoState, Config, Elector, Event, Failure, Op, Profile, Raw, Release, Response, Stored,
};
use tenure::lock::annotated::Annotated;
use tenure::lock::lease::{Lease, LeaseSpec, Metadata};
use tenure::lock::{Kind, LockRef, Object, Record, Version, wire};
use tenure::time::{Instant, Now, Timestamp};

mod config;
mod coordinated;
mod multi;
mod release;
mod releases;
mod single;

const ORIGIN: u64 = 1 << 62;
const HOUR: Duration = Duration::from_secs(3600);

/// What the store answers.
#[derive(Debug, Clone)]
enum Give {
    /// A record with this holder and nothing else.
    Held(&'static str),
    /// This record.
    Record(Record),
    /// An object without a record.
    Bare,
    /// An annotation of this text.
    Text(&'static str),
    /// What was to be stored.
    Done,
    NotFound,
    Exists,
    Conflict,
    Error,
}
use Give::{Bare, Conflict, Done, Error, Exists, Held, NotFound, Text};

/// A call, as "get P" or "update S" (the primary, the secondary), and its answer.
type Script<'a> = &'a [(&'static str, Give)];

/// When the observed record was observed.
#[derive(Debug, Clone, Copy)]
enum Seen {
    /// 1,000 hours ago: whoever holds it has lost it.
    Past,
    /// 1,000 hours from now: it is valid.
    Future,
}

/// An elector "baz" with the lock bar/foo, between two attempts.
struct Replica {
    what: String,
    config: Config,
    release: Release,
    now: Now,
    state: ClientGoState,
    /// What it has written, part by part.
    written: Vec<(&'static str, Object)>,
    /// Whom it has reported.
    reported: Vec<String>,
    version: u64,
}

fn record(holder: &str) -> Record {
    Record { holder: holder.into(), ..Record::default() }
}

fn text(release: Release, record: &Record) -> String {
    if release < Release::V1_31 {
        wire::record_to_json_five_fields(record)
    } else {
        wire::record_to_json(record)
    }
}

impl Replica {
    fn new(test: &str, kinds: &[Kind], release: Release) -> Self {
        let lock = |kind: &Kind| LockRef { kind: *kind, ..LockRef::lease("foo", "bar") };
        let config = Config {
            secondary: kinds.get(1).map(lock),
            lease_duration: Duration::from_secs(10),
            renew_deadline: Duration::from_secs(5),
            request_timeout: None,
            profile: Profile::ClientGo(release),
            ..Config::new(lock(kinds.first().unwrap()), "baz", "")
        };
        Self {
            what: format!("{test} ({kinds:?}, {release:?})"),
            config,
            release,
            now: Now {
                instant: Instant::from_nanos(ORIGIN),
                timestamp: Timestamp::from_unix_nanos(1_700_000_000 * 1_000_000_000),
            },
            state: ClientGoState::default(),
            written: Vec::new(),
            reported: Vec::new(),
            version: 10,
        }
    }

    /// It has observed a record of this holder, and `raw`.
    fn observed(mut self, holder: &str, raw: Option<Raw>, seen: Seen) -> Self {
        self.state.observed_record = record(holder);
        self.state.observed_raw = raw;
        let hours = 1000 * u64::try_from(HOUR.as_nanos()).unwrap();
        self.state.observed_time = Some(Instant::from_nanos(match seen {
            Seen::Past => ORIGIN - hours,
            Seen::Future => ORIGIN + hours,
        }));
        self
    }

    /// The bytes of a record with this holder in the primary or the secondary.
    fn raw(&self, part: &str, holder: &str) -> Raw {
        match self.kind(part) {
            Kind::Lease => Raw::Record(record(holder)),
            _ => Raw::Text(text(self.release, &record(holder)).into()),
        }
    }

    fn both(&self, holder: &str) -> Raw {
        Raw::Both(Box::new((Some(self.raw("P", holder)), Some(self.raw("S", holder)))))
    }

    fn kind(&self, part: &str) -> Kind {
        match (part, &self.config.secondary) {
            ("S", Some(secondary)) => secondary.kind,
            _ => self.config.lock.kind,
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now.instant = self.now.instant + time;
        let nanos = self.now.timestamp.unix_nanos() + i128::try_from(time.as_nanos()).unwrap();
        self.now.timestamp = Timestamp::from_unix_nanos(nanos);
    }

    /// One `tryAcquireOrRenew`, or `tryCoordinatedRenew`.
    fn attempt(&mut self, script: Script<'_>) -> bool {
        let mut elector = self.elector();
        elector.handle_timeout(self.now);
        self.follow(elector, script, true)
    }

    /// One `release`. Whether it wrote.
    fn release(&mut self, script: Script<'_>) -> bool {
        let mut elector = self.elector();
        elector.release_client_go(self.now);
        self.follow(elector, script, false)
    }

    fn elector(&self) -> Elector {
        let config = Config { release_on_stop: false, ..self.config.clone() };
        Elector::resume_client_go(config, self.now.instant, self.state.clone())
    }

    /// Answers each call a nanosecond after it was made, as no store takes no time at all.
    fn follow(&mut self, mut elector: Elector, script: Script<'_>, is_try: bool) -> bool {
        let mut script = script.iter();
        while let Some(request) = elector.poll_request() {
            let (verb, body) = match &request.op {
                Op::Get => ("get", None),
                Op::Create(object) => ("create", Some(object)),
                Op::Update(object, _) => ("update", Some(object)),
            };
            let is_secondary = Some(&*request.lock) == self.config.secondary.as_ref();
            let part = if is_secondary { "S" } else { "P" };
            let made = format!("{verb} {part}");
            let Some((call, give)) = script.next() else {
                panic!("{}: {made}, which is not in the script", self.what)
            };
            assert_eq!(made, *call, "{}", self.what);
            self.written.extend(body.map(|body| (part, body.clone())));
            let result = self.answer(part, give, body);
            self.wait(Duration::from_nanos(1));
            if is_try && script.len() == 0 {
                elector.stop(self.now); // so that no further attempt follows
            }
            elector.handle_response(self.now, Response { id: request.id, result });
        }
        assert_eq!(script.next().map(|(call, _)| call), None, "{}: not asked for", self.what);
        while let Some(event) = elector.poll_event() {
            if let Event::NewLeader { identity } = event {
                self.reported.push(identity.to_string());
            }
        }
        self.state = elector.client_go_state().unwrap().clone();
        self.state.returned.unwrap()
    }

    fn answer(
        &mut self,
        part: &str,
        give: &Give,
        body: Option<&Object>,
    ) -> Result<Stored, Failure> {
        let object = match give {
            Held(holder) => self.object(part, Some(&record(holder))),
            Give::Record(record) => self.object(part, Some(record)),
            Bare => self.object(part, None),
            Text(text) => {
                let mut object = self.object(part, None);
                let (Object::ConfigMap(annotated) | Object::Endpoints(annotated)) = &mut object
                else {
                    panic!("{}: a Lease has no annotation", self.what)
                };
                annotated.annotate(*text);
                object
            }
            Done => body.unwrap().clone(),
            NotFound => return Err(Failure::NotFound),
            Exists => return Err(Failure::AlreadyExists),
            Conflict => return Err(Failure::Conflict),
            Error => return Err(Failure::Other),
        };
        self.version += 1;
        Ok(Stored { object, version: Version::ordered(self.version) })
    }

    fn object(&self, part: &str, record: Option<&Record>) -> Object {
        let metadata = Metadata {
            namespace: "foo".into(),
            name: "bar".into(),
            uid: "uid-1".into(),
            rest: Some(b"data".as_slice().into()),
            ..Metadata::default()
        };
        let metadata = metadata.into();
        let mut annotated = Annotated { metadata };
        match self.kind(part) {
            Kind::Lease => {
                let spec = record.map(LeaseSpec::from_record).unwrap_or_default();
                Object::Lease(Lease { metadata: annotated.metadata, spec })
            }
            kind => {
                if let Some(record) = record {
                    annotated.annotate(text(self.release, record));
                }
                if kind == Kind::ConfigMap {
                    Object::ConfigMap(annotated)
                } else {
                    Object::Endpoints(annotated)
                }
            }
        }
    }

    /// What upstream's tests check at the end of each row, and that what was written says the same.
    fn is(&self, holder: &str, transitions: i64) {
        let observed = &self.state.observed_record;
        assert_eq!(observed.holder.as_str(), holder, "{}", self.what);
        assert_eq!(observed.leader_transitions, transitions, "{}", self.what);
        assert_eq!(self.state.reported_leader.as_str(), holder, "{}", self.what);
        let last = self.reported.last().map_or("", String::as_str);
        assert_eq!(last, holder, "{}", self.what);
        for (part, object) in &self.written {
            let written = object.record().unwrap();
            assert_eq!(written.holder.as_str(), "baz", "{} {part}", self.what);
            assert_eq!(written.leader_transitions, transitions, "{} {part}", self.what);
            assert_eq!(written.lease_duration_seconds, 10, "{} {part}", self.what);
        }
    }

    fn last_written(&self) -> Record {
        self.written.last().unwrap().1.record().unwrap()
    }
}
