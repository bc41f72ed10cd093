//! An elector and its driver under any schedule, with any answers.

use core::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use tenure::election::{
    Config, Elector, Event, Failure, Missing, Op, Profile, Release, Request, Response, Stored,
};
use tenure::lock::lease::{Lease, LeaseSpec};
use tenure::lock::{LockRef, Object, Record, Version};
use tenure::time::{Instant, Now, Timestamp};

/// Reads a configuration and a schedule from `data` and plays it.
pub fn elector(data: &[u8]) {
    let _ = play(&mut Unstructured::new(data));
}

/// What happened in a run, to show that the property is not vacuous.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
struct Marks {
    led: bool,
    /// Leading ended though nobody called `stop`.
    lost: bool,
    finished: bool,
    /// An answer came that was no longer wanted.
    stale: bool,
}

#[derive(Debug, Arbitrary)]
enum Step {
    /// To the instant of `poll_timeout`, and `handle_timeout` there.
    Due,
    Wait(Span),
    /// `handle_timeout` now, due or not.
    Timeout,
    /// The store does what it is asked, and its answer arrives at once.
    Serve,
    /// The store does what it is asked; the answer will arrive later or never.
    ServeLate,
    /// The answer number so-and-so arrives, for the first time or again.
    Arrive(u8),
    /// Something else than the truth arrives for the outstanding request.
    Invent(Answer),
    /// Somebody else writes the lock, or deletes it.
    Write(Option<Content>),
    Poke,
    Stop,
    WorkStopped,
    /// The wall clock is set.
    SetClock(i64, u32),
}

#[derive(Debug, Arbitrary)]
enum Span {
    Nanos(u8),
    /// A part of the retry period, in 256ths.
    Retry(u8),
    /// A part of twice the lease duration, in 256ths.
    Lease(u8),
    Days(u8),
}

#[derive(Debug, Arbitrary)]
enum Answer {
    Found(Content, Numbering),
    NotFound,
    AlreadyExists,
    Conflict,
    Other,
}

#[derive(Debug, Arbitrary)]
struct Content {
    holder: Holder,
    lease_duration_seconds: Option<i32>,
    acquire_time: Option<(i64, u32)>,
    renew_time: Option<(i64, u32)>,
    lease_transitions: Option<i32>,
}

#[derive(Debug, Arbitrary)]
enum Holder {
    Absent,
    Nobody,
    Me,
    Another,
    Unclaimed,
    Any(String),
}

#[derive(Debug, Arbitrary)]
enum Numbering {
    /// The number that the store would give.
    Next,
    Ordered(u64),
    Opaque(String),
}

fn play(bytes: &mut Unstructured<'_>) -> Result<Marks> {
    let now = Now {
        instant: Instant::from_nanos(bytes.arbitrary::<u64>()? >> 2), // some 146 years
        timestamp: Timestamp::GO_ZERO,
    };
    let config = config(bytes)?;
    let _ = config.warnings();
    let Ok(elector) = Elector::new(config, bytes.arbitrary()?, now.instant) else {
        return Ok(Marks::default());
    };
    let first = elector.poll_timeout();
    assert!(first.is_some_and(|at| at <= now.instant), "the first attempt is due at once");
    let mut driver = Driver::new(elector, now);
    while !bytes.is_empty() {
        let step = bytes.arbitrary()?;
        driver.step(step);
    }
    Ok(driver.marks)
}

fn config(bytes: &mut Unstructured<'_>) -> Result<Config> {
    let part = |whole: Duration, of_256: u8| whole * u32::from(of_256) / 256;
    let lease = Duration::from_millis(1_000 + u64::from(bytes.arbitrary::<u16>()?));
    let renew_deadline = part(lease, bytes.arbitrary()?);
    let profiles =
        [Profile::Strict, Profile::ClientGo(Release::V1_36), Profile::ClientGo(Release::Head)];
    Ok(Config {
        lease_duration: lease,
        renew_deadline,
        retry_period: part(renew_deadline, bytes.arbitrary()?),
        request_timeout: bytes.arbitrary::<Option<u8>>()?.map(|of| part(lease, of)),
        release_on_stop: bytes.arbitrary()?,
        missing: *bytes.choose(&[Missing::Wait, Missing::NewGroup])?,
        profile: *bytes.choose(&profiles)?,
        ..Config::new(LockRef::lease("default", "lock"), "me", "1")
    })
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
struct Driver {
    elector: Elector,
    now: Now,
    strict: bool,
    /// What the store has, and how often it was written.
    stored: Option<Stored>,
    writes: u64,
    /// The request that may still be answered, and when it was sent.
    outstanding: Option<(Request, Instant)>,
    /// All answers, for the outstanding request and for those before it.
    answers: Vec<Response>,
    last_id: Option<u64>,
    /// When the last request was sent whose success gave or prolonged authority.
    granted: Option<Instant>,
    believes: bool,
    /// From `StartedLeading` until the driver has said that the work has stopped.
    works: bool,
    /// A write was answered with another body than was sent. The elector believes such a store.
    misled: bool,
    stop_called: bool,
    stopped_events: u32,
    finished: bool,
    marks: Marks,
}

impl Driver {
    fn new(elector: Elector, now: Now) -> Self {
        Self {
            strict: elector.config().profile == Profile::Strict,
            elector,
            now,
            stored: None,
            writes: 0,
            outstanding: None,
            answers: Vec::new(),
            last_id: None,
            granted: None,
            believes: false,
            works: false,
            misled: false,
            stop_called: false,
            stopped_events: 0,
            finished: false,
            marks: Marks::default(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Due => {
                let due = self.elector.poll_timeout();
                self.now.instant = due.map_or(self.now.instant, |at| at.max(self.now.instant));
                self.timeouts();
            }
            Step::Wait(span) => self.wait(&span),
            Step::Timeout => self.timeouts(),
            Step::Serve => {
                if let Some(answer) = self.serve() {
                    self.arrive(answer);
                }
            }
            Step::ServeLate => drop(self.serve()),
            Step::Arrive(which) => {
                let which = usize::from(which) % self.answers.len().max(1);
                if let Some(answer) = self.answers.get(which).cloned() {
                    self.arrive(answer);
                }
            }
            Step::Invent(answer) => {
                if let Some((request, _)) = &self.outstanding {
                    self.misled |= request.op != Op::Get && matches!(answer, Answer::Found(..));
                    let result = self.invent(&answer);
                    let response = Response { id: request.id, result };
                    self.answers.push(response.clone());
                    self.arrive(response);
                }
            }
            Step::Write(content) => {
                let object = content.map(|content| self.object(&content));
                self.stored = object.map(|object| self.write(object));
            }
            Step::Poke => self.elector.poke(self.now),
            Step::Stop => {
                self.stop_called = true;
                self.elector.stop(self.now);
            }
            Step::WorkStopped => {
                self.works &= self.believes;
                self.elector.work_stopped(self.now);
            }
            Step::SetClock(seconds, nanos) => self.now.timestamp = timestamp((seconds, nanos)),
        }
        self.settle();
    }

    fn wait(&mut self, span: &Span) {
        let Config { retry_period, lease_duration, .. } = self.elector.config();
        let span = match *span {
            Span::Nanos(nanos) => Duration::from_nanos(nanos.into()),
            Span::Retry(part) => *retry_period * u32::from(part) / 256,
            Span::Lease(part) => *lease_duration * 2 * u32::from(part) / 256,
            Span::Days(days) => Duration::from_secs(86_400 * u64::from(days)),
        };
        self.now.instant = self.now.instant + span;
    }

    /// Calls `handle_timeout` until nothing is due.
    fn timeouts(&mut self) {
        for _ in 0..8 {
            let due = self.elector.poll_timeout().is_some_and(|at| at <= self.now.instant);
            let before = (!due).then(|| self.elector.clone());
            self.elector.handle_timeout(self.now);
            if let Some(before) = before {
                assert_eq!(self.elector, before, "an early call did something");
                return;
            }
            self.settle();
        }
        panic!("due again and again at one instant: {:?}", self.elector);
    }

    /// What the store answers to the outstanding request, having done it.
    fn serve(&mut self) -> Option<Response> {
        let (request, _) = self.outstanding.as_ref()?;
        let (id, op) = (request.id, request.op.clone());
        let result = match (op, self.stored.clone()) {
            (Op::Get, stored) => stored.ok_or(Failure::NotFound),
            (Op::Create(object), None) => Ok(self.write(object)),
            (Op::Create(_), Some(_)) => Err(Failure::AlreadyExists),
            (Op::Update(object, version), Some(stored)) if stored.version == version => {
                Ok(self.write(object))
            }
            (Op::Update(..), Some(_)) => Err(Failure::Conflict),
            (Op::Update(..), None) => Err(Failure::NotFound),
        };
        let response = Response { id, result };
        self.answers.push(response.clone());
        Some(response)
    }

    fn write(&mut self, object: Object) -> Stored {
        self.writes += 1;
        let stored = Stored { object, version: Version::ordered(self.writes) };
        self.stored = Some(stored.clone());
        stored
    }

    fn invent(&self, answer: &Answer) -> core::result::Result<Stored, Failure> {
        match answer {
            Answer::Found(content, numbering) => {
                let version = match numbering {
                    Numbering::Next => Version::ordered(self.writes + 1),
                    Numbering::Ordered(number) => Version::ordered(*number),
                    Numbering::Opaque(text) => Version::opaque(text.as_str()),
                };
                Ok(Stored { object: self.object(content), version })
            }
            Answer::NotFound => Err(Failure::NotFound),
            Answer::AlreadyExists => Err(Failure::AlreadyExists),
            Answer::Conflict => Err(Failure::Conflict),
            Answer::Other => Err(Failure::Other),
        }
    }

    fn object(&self, content: &Content) -> Object {
        let holder = match &content.holder {
            Holder::Absent => None,
            Holder::Nobody => Some(Record::default().holder),
            Holder::Me => Some(self.elector.identity().clone()),
            Holder::Another => Some("another".into()),
            Holder::Unclaimed => Some("tenure.dev/unclaimed".into()),
            Holder::Any(text) => Some(text.as_str().into()),
        };
        let spec = LeaseSpec {
            holder_identity: holder,
            lease_duration_seconds: content.lease_duration_seconds,
            acquire_time: content.acquire_time.map(timestamp),
            renew_time: content.renew_time.map(timestamp),
            lease_transitions: content.lease_transitions,
            ..LeaseSpec::default()
        };
        Object::Lease(Lease { spec, ..Lease::default() })
    }

    fn arrive(&mut self, answer: Response) {
        let now = self.now.instant;
        let wanted = self.outstanding.take_if(|(request, _)| request.id == answer.id);
        if let Some((request, sent)) = wanted {
            let in_time = request.deadline.is_none_or(|deadline| now < deadline);
            if in_time && answer.result.is_ok() && request.op != Op::Get {
                self.granted = Some(sent);
            }
            self.elector.handle_response(self.now, answer);
        } else {
            self.timeouts(); // what is due anyway is not the answer's doing
            let before = self.elector.clone();
            self.elector.handle_response(self.now, answer);
            assert_eq!(self.elector, before, "a stale answer did something");
            self.marks.stale = true;
        }
    }

    /// Fetches everything, and checks what must hold then.
    fn settle(&mut self) {
        if self.finished {
            assert_eq!(self.elector.poll_event(), None, "an event after the end");
        }
        for _ in 0..8 {
            let Some(event) = self.elector.poll_event() else { break };
            self.event(&event);
        }
        assert_eq!(self.elector.poll_event(), None, "more than eight events at once");
        self.request();

        let (leading, now) = (self.elector.leading_until(), self.now.instant);
        assert_eq!(self.elector.is_leading(now), leading.is_some_and(|until| now < until));
        if self.strict {
            assert!(self.believes || leading.is_none(), "authority that no event announced");
            assert!(self.believes || self.elector.fencing_token().is_none());
            if let Some(until) = leading {
                let bound = self.granted.map(|sent| sent + self.elector.config().renew_deadline);
                assert!(bound.is_some_and(|bound| until <= bound), "more than was granted");
                let due = self.elector.poll_timeout();
                assert!(due.is_some_and(|due| due <= until), "nobody would notice the end");
            }
        }
        let waits = self.elector.poll_timeout().is_some() || self.outstanding.is_some();
        let drains = self.strict && self.stop_called;
        assert!(waits || drains || self.elector.is_finished(), "asleep for ever");
        self.finish();
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::StartedLeading { token } => {
                assert!(!self.believes, "started twice");
                assert!(!self.strict || !self.works, "started beside old work");
                assert!(!self.strict || *token == self.elector.fencing_token() || token.is_none());
                assert!(self.strict || self.stopped_events == 0, "started after the end");
                self.believes = true;
                self.works = true;
                self.marks.led = true;
            }
            Event::StoppedLeading { .. } => {
                self.stopped_events += 1;
                if self.strict {
                    assert!(self.believes, "stopped without having started");
                } else {
                    assert_eq!(self.stopped_events, 1, "stopped twice");
                    assert!(self.elector.is_finished(), "stopped before the end");
                }
                self.marks.lost |= self.believes && !self.stop_called;
                self.believes = false;
            }
            Event::NewLeader { .. } => {}
            Event::ForeignWrite { .. } | Event::Endangered { .. } => {
                assert!(self.strict, "client-go does not look");
            }
        }
    }

    fn request(&mut self) {
        let Some(request) = self.elector.poll_request() else { return };
        assert_eq!(self.elector.poll_request(), None, "two at once");
        let (id, now) = (request.id.as_u64(), self.now.instant);
        assert!(self.last_id.is_none_or(|last| last < id), "ids must rise");
        self.last_id = Some(id);
        if let Some((old, _)) = &self.outstanding {
            let over = old.deadline.is_some_and(|deadline| deadline <= now);
            assert!(over || self.stop_called, "{request:?} beside {old:?}");
        }
        if self.strict {
            assert!(request.deadline.is_some_and(|deadline| deadline > now), "not worth sending");
            if let Op::Update(object, _) = &request.op {
                let releases = object.record().unwrap().holder.is_empty();
                assert!(!releases || !self.works || self.misled, "released under work");
            }
        }
        self.outstanding = Some((request, now));
    }

    fn finish(&mut self) {
        if !self.elector.is_finished() {
            assert!(!self.finished, "an end that is none");
            return;
        }
        assert!(!self.believes, "ended without a word");
        assert!(self.strict || self.stopped_events == 1, "no word of the end");
        assert!(!self.strict || self.stop_called, "a strict elector ends when it is asked to");
        assert_eq!(self.elector.poll_timeout(), None, "something is due after the end");
        assert_eq!(self.elector.poll_request(), None, "a request after the end");
        self.finished = true;
        self.marks.finished = true;
        self.outstanding = None;
    }
}

/// Any time that a timestamp can have.
fn timestamp((seconds, nanos): (i64, u32)) -> Timestamp {
    Timestamp::from_unix(seconds, nanos % 1_000_000_000).unwrap_or(Timestamp::GO_ZERO)
}

#[cfg(test)]
mod tests {
    use arbitrary::Unstructured;

    use crate::tests::random_bytes;

    /// Random bytes reach what the property is about.
    #[test]
    fn random_schedules() {
        let mut counts = [0_u32; 4];
        for seed in 0..20_000 {
            let data = random_bytes(seed);
            let Ok(marks) = super::play(&mut Unstructured::new(&data)) else { continue };
            let reached = [marks.led, marks.lost, marks.finished, marks.stale];
            for (count, reached) in counts.iter_mut().zip(reached) {
                *count += u32::from(reached);
            }
        }
        assert!(counts.iter().all(|count| *count > 100), "led, lost, finished, stale: {counts:?}");
    }
}
