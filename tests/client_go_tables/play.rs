//! Plays one row of a table: an elector, its API server, and what others do there.

use std::time::Duration;

use tenure::election::{Config, Elector, Event, Failure, Missing, Op, Request, Response, Stored};
use tenure::lock::lease::{Lease, LeaseSpec};
use tenure::lock::{LockRef, Object, Record, Version};
use tenure::time::{Instant, Now, Timestamp};

/// A record: holder, duration in seconds, when it was acquired and renewed (in milliseconds),
/// transitions.
pub(crate) type Held = (&'static str, i64, u64, u64, i64);

#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// The next call is done, and answered at once.
    Serve,
    /// The next call is done at once, and answered so many milliseconds later.
    ServeAfter(u64),
    /// The next call fails, and nothing is done.
    Fail(Failure),
    /// The context is cancelled within the next call.
    CancelInCall,
    /// The context is cancelled then, in milliseconds.
    CancelAt(u64),
    /// Somebody else writes the lock.
    Write(Held),
    /// A coordinator names the holder that it would prefer (`spec.preferredHolder`).
    Prefer(&'static str),
    /// Somebody else deletes it.
    Delete,
    /// Time goes by until then.
    At(u64),
    /// Then a watch asks for an attempt.
    Poke(u64),
    WorkStopped,
    /// Nothing happens any more but time, until `Run` returns.
    End,
}

pub(crate) struct Play {
    pub(crate) elector: Elector,
    clock: u64,
    frozen: bool,
    stored: Option<Stored>,
    version: u64,
    outstanding: Option<Request>,
    pub(crate) calls: Vec<&'static str>,
    pub(crate) events: Vec<String>,
    /// Each object that the elector wanted to store.
    pub(crate) written: Vec<Object>,
}

/// `baz`, as in client-go's tests, and client-go's defaults. A plain client has no time-out.
pub(crate) fn config() -> Config {
    Config {
        request_timeout: None,
        release_on_stop: false,
        missing: Missing::NewGroup,
        ..Config::new(LockRef::lease("foo", "bar"), "baz", "1")
    }
}

pub(crate) fn wall(millis: u64) -> Timestamp {
    Timestamp::from_unix_nanos((1_700_000_000_000 + i128::from(millis)) * 1_000_000)
}

pub(crate) fn lease((holder, seconds, acquired, renewed, transitions): Held) -> Object {
    let record = Record {
        holder: holder.into(),
        lease_duration_seconds: seconds,
        acquire_time: Some(wall(acquired)),
        renew_time: Some(wall(renewed)),
        leader_transitions: transitions,
        ..Record::default()
    };
    Object::Lease(Lease { spec: LeaseSpec::from_record(&record), ..Lease::default() })
}

impl Play {
    pub(crate) fn new(elector: Elector, given: Option<Object>) -> Self {
        let stored = given.map(|object| Stored { object, version: Version::ordered(1) });
        Self {
            elector,
            clock: 0,
            frozen: false,
            stored,
            version: 1,
            outstanding: None,
            calls: Vec::new(),
            events: Vec::new(),
            written: Vec::new(),
        }
    }

    /// The replica's wall clock stands still.
    pub(crate) fn frozen(mut self) -> Self {
        self.frozen = true;
        self
    }

    /// The record in the store.
    pub(crate) fn record(&self) -> Option<Record> {
        self.stored.as_ref().map(|stored| stored.object.record().unwrap())
    }

    pub(crate) fn instant(&self) -> Instant {
        Instant::default() + Duration::from_millis(self.clock)
    }

    fn now(&self) -> Now {
        let timestamp = wall(if self.frozen { 0 } else { self.clock });
        Now { instant: self.instant(), timestamp }
    }

    pub(crate) fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(*step);
            self.events();
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Serve => self.serve(0),
            Step::ServeAfter(millis) => self.serve(millis),
            Step::Fail(failure) => {
                let id = self.call().id;
                self.answer(Response { id, result: Err(failure) });
            }
            Step::CancelInCall => {
                let request = self.call();
                self.elector.stop(self.now());
                // For the step that answers it.
                self.calls.pop();
                self.outstanding = Some(request);
            }
            Step::CancelAt(millis) => {
                self.clock = millis;
                self.elector.stop(self.now());
            }
            Step::Write(held) => {
                self.version += 1;
                let version = Version::ordered(self.version);
                self.stored = Some(Stored { object: lease(held), version });
            }
            Step::Prefer(holder) => {
                self.version += 1;
                let stored = self.stored.as_mut().expect("a lock");
                let Object::Lease(lease) = &mut stored.object else { panic!("no Lease") };
                lease.spec.preferred_holder = Some(holder.into());
                stored.version = Version::ordered(self.version);
            }
            Step::Delete => self.stored = None,
            Step::At(millis) => self.clock = millis,
            Step::Poke(millis) => {
                self.clock = millis;
                self.elector.poke(self.now());
            }
            Step::WorkStopped => self.elector.work_stopped(self.now()),
            Step::End => {
                while !self.elector.is_finished() {
                    assert!(self.elector.poll_request().is_none(), "a call that no step serves");
                    self.wait();
                }
            }
        }
    }

    /// Until the timer is due.
    fn wait(&mut self) {
        let due = self.elector.poll_timeout().expect("a timer").as_nanos().div_ceil(1_000_000);
        self.clock = self.clock.max(due);
        self.elector.handle_timeout(self.now());
        self.events();
    }

    /// The next call of the elector, whenever that comes.
    fn call(&mut self) -> Request {
        for _ in 0..9 {
            let fetched = self.outstanding.take().or_else(|| self.elector.poll_request());
            if let Some(request) = fetched {
                self.calls.push(match request.op {
                    Op::Get => "get",
                    Op::Create(_) => "create",
                    Op::Update(..) => "update",
                });
                return request;
            }
            self.wait();
        }
        panic!("no call: {:?}", self.elector);
    }

    fn serve(&mut self, latency: u64) {
        let Request { id, op, .. } = self.call();
        if let Op::Create(object) | Op::Update(object, _) = &op {
            self.written.push(object.clone());
        }
        let result = match (op, &self.stored) {
            (Op::Get, Some(stored)) => Ok(stored.clone()),
            (Op::Get, None) => Err(Failure::NotFound),
            (Op::Create(_), Some(_)) => Err(Failure::AlreadyExists),
            // The body's uid is a precondition.
            (Op::Update(..), None) => Err(Failure::Conflict),
            (Op::Update(_, version), Some(stored)) if version != stored.version => {
                Err(Failure::Conflict)
            }
            (Op::Create(object) | Op::Update(object, _), _) => {
                self.version += 1;
                let version = Version::ordered(self.version);
                Ok(self.stored.insert(Stored { object, version }).clone())
            }
        };
        let arrives = self.clock + latency;
        let due = |play: &Self| play.elector.poll_timeout().map(|due| due.as_nanos() / 1_000_000);
        while latency > 0 && due(self).is_some_and(|due| due < arrives) {
            self.wait();
        }
        self.clock = arrives;
        self.answer(Response { id, result });
    }

    fn answer(&mut self, response: Response) {
        self.elector.handle_response(self.now(), response);
    }

    fn events(&mut self) {
        while let Some(event) = self.elector.poll_event() {
            self.events.push(match event {
                Event::NewLeader { identity } => format!("new leader {identity:?}"),
                Event::StartedLeading { .. } => "started".into(),
                Event::StoppedLeading { cause } => format!("stopped: {cause:?}"),
                other => format!("{other:?}"),
            });
        }
    }
}
