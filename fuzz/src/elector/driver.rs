//! A driver that does as it is told, well or badly.

use core::time::Duration;
use std::sync::OnceLock;

use arbitrary::{Result, Unstructured};
use tenure::election::{
    Config, Elector, Failure, Op, Profile, Request, RequestId, Response, Stored, Watched,
};
use tenure::lock::LockRef;
use tenure::time::{Instant, Now, Timestamp};

use super::input::{Answer, Place, Span, Step};
use super::rules::{Marks, Rules};
use super::world::{World, timestamp};

/// More time-outs in a row at one instant would be a storm.
const ROW: usize = 8;
/// Nothing is said of the last 146 years of the clock but that nothing panics.
const LATE: u64 = u64::MAX / 4 * 3;

pub(super) struct Driver {
    elector: Elector,
    now: Now,
    world: World,
    rules: Rules,
    /// The request that may still be answered, and when it was sent.
    outstanding: Option<(Request, Instant)>,
    /// All answers, for the outstanding request and for those before it.
    answers: Vec<Response>,
    /// The elector may have given up the outstanding request.
    given_up: bool,
}

impl Driver {
    pub(super) fn new(elector: Elector, now: Now, bytes: &mut Unstructured<'_>) -> Result<Self> {
        let world = World::new(
            elector.config(),
            elector.identity(),
            bytes.arbitrary::<u8>()? < 192,
            bytes.arbitrary()?,
        );
        Ok(Self {
            rules: Rules::new(&elector),
            elector,
            now,
            world,
            outstanding: None,
            answers: Vec::new(),
            given_up: false,
        })
    }

    pub(super) fn marks(self) -> Marks {
        self.rules.marks
    }

    /// False if the clock has come too far.
    pub(super) fn step(&mut self, step: Step) -> bool {
        self.act(step);
        self.settle();
        self.now.instant.as_nanos() < LATE
    }

    fn act(&mut self, step: Step) {
        match step {
            Step::Due => {
                let due = self.elector.poll_timeout();
                self.now.instant = due.map_or(self.now.instant, |at| at.max(self.now.instant));
                self.timeouts();
            }
            Step::Wait(span) => self.wait(span),
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
            Step::Foresee(answer) => {
                let (id, result) = (last_of_many(), self.invent(&answer));
                self.arrive(Response { id, result });
            }
            Step::Invent(answer) => {
                if let Some((request, _)) = &self.outstanding {
                    let response = Response { id: request.id, result: self.invent(&answer) };
                    self.answers.push(response.clone());
                    self.arrive(response);
                }
            }
            Step::SetClock(seconds, nanos) => self.now.timestamp = timestamp((seconds, nanos)),
            step => self.happen(step),
        }
    }

    /// What comes neither from the clock nor from an answer.
    fn happen(&mut self, step: Step) {
        match step {
            Step::Write(place, content) => {
                for part in self.world.parts(place) {
                    match &content {
                        Some(content) => {
                            let place = if part == 0 { Place::First } else { Place::Second };
                            let object = self.world.object(place, content);
                            self.world.write(part, object);
                        }
                        None => self.world.delete(part),
                    }
                }
            }
            Step::Rival(place, deed) => {
                for part in self.world.parts(place) {
                    self.world.rival(part, deed, self.now.timestamp);
                }
            }
            Step::Watch(place) => {
                for part in self.world.parts(place) {
                    let stored = self.world.stored(part).cloned();
                    self.watch(stored.map_or(Watched::Deleted, Watched::Stored));
                    self.settle();
                }
            }
            Step::WatchOld(back) => {
                let history = &self.world.history;
                let index = history.len().checked_sub(1 + usize::from(back));
                if let Some(stored) = index.and_then(|index| history.get(index)).cloned() {
                    self.watch(Watched::Stored(stored));
                }
            }
            Step::WatchDeleted => self.watch(Watched::Deleted),
            Step::WatchInvented(place, content, numbering) => {
                let object = self.world.object(place, &content);
                let version = self.world.numbered(&numbering);
                self.watch(Watched::Stored(Stored { object, version }));
            }
            Step::HandOver(name) => {
                let to = self.world.identity(&name);
                self.elector.hand_over(self.now, to);
            }
            Step::Poke => self.elector.poke(self.now),
            Step::Stop => {
                self.rules.stop_called = true;
                self.given_up = true;
                self.elector.stop(self.now);
            }
            Step::WorkStopped => {
                self.given_up = true;
                self.rules.work_stopped(self.elector.is_leading(self.now.instant));
                self.elector.work_stopped(self.now);
            }
            _ => unreachable!("done by act"),
        }
    }

    fn watch(&mut self, watched: Watched) {
        self.given_up = true;
        if let Watched::Stored(stored) = &watched {
            self.rules.shown(stored, self.now.instant);
        }
        self.elector.handle_watch(self.now, watched);
    }

    fn wait(&mut self, span: Span) {
        let Config { retry_period, lease_duration, .. } = self.elector.config();
        let span = match span {
            Span::Nanos(nanos) => Duration::from_nanos(nanos.into()),
            Span::Retry(part) => *retry_period * u32::from(part) / 256,
            Span::Lease(part) => *lease_duration * 2 * u32::from(part) / 256,
            Span::Days(days) => Duration::from_secs(86_400 * u64::from(days)),
        };
        self.now.instant = self.now.instant + span;
    }

    /// Calls `handle_timeout` until nothing is due. A strict elector needs one call.
    fn timeouts(&mut self) {
        for row in 0..ROW {
            let due = self.elector.poll_timeout().is_some_and(|at| at <= self.now.instant);
            let before = (!due).then(|| self.elector.clone());
            self.elector.handle_timeout(self.now);
            if let Some(before) = before {
                assert_eq!(self.elector, before, "an early call did something");
                return;
            }
            assert!(!self.rules.strict || row == 0, "due twice at one instant");
            self.settle();
        }
        panic!("due again and again at one instant: {:?}", self.elector);
    }

    /// What the store answers to the outstanding request, having done it.
    fn serve(&mut self) -> Option<Response> {
        let (request, _) = self.outstanding.as_ref()?;
        let part = self.world.part(&request.lock);
        let response = Response { id: request.id, result: self.world.serve(part, &request.op) };
        self.answers.push(response.clone());
        Some(response)
    }

    fn invent(&self, answer: &Answer) -> core::result::Result<Stored, Failure> {
        match answer {
            Answer::Found(place, content, numbering) => {
                let object = self.world.object(*place, content);
                Ok(Stored { object, version: self.world.numbered(numbering) })
            }
            Answer::Unchanged => match self.outstanding.as_ref().map(|(request, _)| &request.op) {
                Some(Op::Update(object, version)) => {
                    Ok(Stored { object: object.clone(), version: version.clone() })
                }
                _ => Err(Failure::Other),
            },
            Answer::NotFound => Err(Failure::NotFound),
            Answer::AlreadyExists => Err(Failure::AlreadyExists),
            Answer::Conflict => Err(Failure::Conflict),
            Answer::Other => Err(Failure::Other),
        }
    }

    fn arrive(&mut self, answer: Response) {
        let now = self.now.instant;
        let wanted = self.outstanding.take_if(|(request, _)| request.id == answer.id);
        if let Some(outstanding) = wanted {
            let (request, _) = &outstanding;
            let part = self.world.part(&request.lock);
            let in_time = request.deadline.is_none_or(|deadline| now <= deadline);
            if let Some(stored) = answer.result.as_ref().ok().filter(|_| in_time) {
                self.rules.answered(&outstanding, part, stored, now);
            }
            self.elector.handle_response(self.now, answer);
        } else {
            self.timeouts(); // what is due anyway is not the answer's doing
            let before = self.elector.clone();
            self.elector.handle_response(self.now, answer);
            assert_eq!(self.elector, before, "a stale answer did something");
            self.rules.marks.insert("stale");
        }
    }

    /// Fetches everything, and checks what must hold then.
    fn settle(&mut self) {
        if self.rules.finished {
            assert_eq!(self.elector.poll_event(), None, "an event after the end");
            assert_eq!(self.elector.poll_request(), None, "a request after the end");
        }
        for _ in 0..ROW {
            let Some(event) = self.elector.poll_event() else { break };
            self.rules.event(&event, &self.elector, self.now.instant);
        }
        assert_eq!(self.elector.poll_event(), None, "more than eight events at once");
        if let Some(request) = self.elector.poll_request() {
            self.request(request);
        }
        self.rules.settled(&self.elector, self.now.instant, self.outstanding.is_some());
    }

    fn request(&mut self, request: Request) {
        assert_eq!(self.elector.poll_request(), None, "two at once");
        let now = self.now.instant;
        if let Some((old, _)) = &self.outstanding {
            let over = old.deadline.is_some_and(|deadline| deadline <= now);
            let cancelled = !self.rules.strict && self.rules.stop_called;
            assert!(over || self.given_up || cancelled, "{request:?} beside {old:?}");
        }
        self.rules.request(&request, self.world.part(&request.lock), now);
        self.outstanding = Some((request, now));
        self.given_up = false;
    }
}

/// An id that no run comes to.
fn last_of_many() -> RequestId {
    static ID: OnceLock<RequestId> = OnceLock::new();
    *ID.get_or_init(make_many)
}

fn make_many() -> RequestId {
    let config = Config {
        profile: Profile::ClientGo(tenure::election::Release::V1_36),
        ..Config::new(LockRef::lease("default", "other"), "me", "1")
    };
    let mut now = Now { instant: Instant::default(), timestamp: Timestamp::GO_ZERO };
    let mut elector = Elector::new(config, 0, now.instant).expect("usual durations");
    for _ in 0..10_000 {
        now.instant = elector.poll_timeout().expect("tries again");
        elector.handle_timeout(now);
        if let Some(request) = elector.poll_request().filter(|it| it.id.as_u64() > 4_096) {
            return request.id;
        }
    }
    panic!("it gave up");
}
