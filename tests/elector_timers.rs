//! Calls of `handle_timeout` before anything is due, and a stop at the instant of an answer.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tenure::election::{
    Config, Elector, Event, Failure, Op, Profile, Release, Request, Response, Stored,
};
use tenure::lock::{LockRef, Version};
use tenure::time::{Instant, Now, Timestamp};

fn at(instant: Instant) -> Now {
    Now { instant, timestamp: Timestamp::from_unix(1_700_000_000, 0).unwrap() }
}

fn profiles() -> impl Iterator<Item = Profile> {
    Release::ALL.into_iter().map(Profile::ClientGo).chain([Profile::Strict])
}

fn elector(profile: Profile) -> Elector {
    let lock = LockRef::lease("default", "controller");
    let config = Config { profile, ..Config::new(lock, "pod-0", "6ba7b810") };
    Elector::new(config, 1, Instant::default()).unwrap()
}

/// A lock that nobody else wants.
#[derive(Default)]
struct Store(Option<Stored>, u64);

impl Store {
    fn answer(&mut self, request: Request) -> Response {
        let result = match request.op {
            Op::Get => self.0.clone().ok_or(Failure::NotFound),
            Op::Create(object) | Op::Update(object, _) => {
                self.1 += 1;
                let stored = Stored { object, version: Version::ordered(self.1) };
                self.0 = Some(stored.clone());
                Ok(stored)
            }
        };
        Response { id: request.id, result }
    }
}

/// Nothing is due: nothing is asked or told, and what is due later comes at its time.
#[test]
fn a_timer_that_is_early_does_nothing() {
    for profile in profiles() {
        let (mut elector, mut store) = (elector(profile), Store::default());
        let (mut now, mut asked) = (Instant::default(), 0);
        while asked < 30 {
            elector.handle_timeout(at(now));
            while let Some(request) = elector.poll_request() {
                asked += 1;
                let lost = asked % 3 == 0; // then it tries again, sooner than it renews
                let answer = Response { id: request.id, result: Err(Failure::Other) };
                let answer = if lost { answer } else { store.answer(request) };
                elector.handle_response(at(now), answer);
            }
            while elector.poll_event().is_some() {}
            let due = elector.poll_timeout().unwrap();
            assert!(due > now, "{profile:?}");
            for early in [now, Instant::from_nanos(due.as_nanos() - 1)] {
                elector.handle_timeout(at(early));
                assert_eq!(elector.poll_request(), None, "{profile:?} at {early:?}, due {due:?}");
                assert_eq!(elector.poll_event(), None, "{profile:?} at {early:?}, due {due:?}");
                assert_eq!(elector.poll_timeout(), Some(due), "{profile:?}");
            }
            now = due;
        }
        assert!(elector.is_leading(now), "{profile:?}");
    }
}

/// What answers when it is to stop already makes no leader that goes on.
#[test]
fn who_is_to_stop_when_it_wins_does_not_renew() {
    for profile in profiles() {
        let (mut elector, mut store) = (elector(profile), Store::default());
        let now = Instant::default();
        elector.handle_timeout(at(now));
        let mut wins = None;
        while let Some(request) = elector.poll_request() {
            let is_write = matches!(request.op, Op::Create(_) | Op::Update(..));
            let response = store.answer(request);
            if is_write && elector.poll_request().is_none() {
                wins = Some(response);
                break;
            }
            elector.handle_response(at(now), response);
        }
        elector.stop(at(now));
        elector.handle_response(at(now), wins.unwrap());
        let mut next = Some(now);
        while let Some(now) = next.filter(|next| *next < Instant::from_nanos(60_000_000_000)) {
            elector.handle_timeout(at(now));
            while let Some(event) = elector.poll_event() {
                if matches!(event, Event::StoppedLeading { .. }) {
                    elector.work_stopped(at(now));
                }
            }
            while let Some(request) = elector.poll_request() {
                if let Op::Update(object, _) = &request.op {
                    let record = object.record().unwrap();
                    assert!(record.holder.is_empty(), "{profile:?}: it renews {record:?}");
                }
                elector.handle_response(at(now), store.answer(request));
            }
            next = elector.poll_timeout();
        }
        assert!(elector.is_finished(), "{profile:?}");
    }
}
