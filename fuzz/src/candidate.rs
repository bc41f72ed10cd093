//! A `LeaseCandidate`'s state machine under any schedule, with any answers and any watch.

use core::time::Duration;
use std::collections::BTreeSet;

use arbitrary::{Result, Unstructured};
use tenure::election::Failure;
use tenure::election::coordinated::{
    Candidate, CandidateConfig, Op, RENEW_PERIOD, Request, Response, Stored, Watched,
};
use tenure::lock::Version;
use tenure::lock::candidate::{LeaseCandidate, OLDEST_EMULATION_VERSION};
use tenure::time::{Instant, Now, Timestamp};

use crate::elector::world::timestamp;

type Marks = BTreeSet<&'static str>;

/// Reads a schedule from `data` and plays it.
pub fn candidate(data: &[u8]) {
    marks(data);
}

/// Inputs to start from.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    crate::random_seeds(marks)
}

fn marks(data: &[u8]) -> Marks {
    play(&mut Unstructured::new(data)).unwrap_or_default()
}

fn play(bytes: &mut Unstructured<'_>) -> Result<Marks> {
    let timeout = bytes.arbitrary::<Option<u16>>()?;
    let config = CandidateConfig {
        namespace: "default".into(),
        name: "me".into(),
        lease_name: "lock".into(),
        binary_version: "1.36.0".into(),
        emulation_version: "1.35.0".into(),
        strategy: OLDEST_EMULATION_VERSION.into(),
        request_timeout: timeout.map(|millis| Duration::from_millis(1 + u64::from(millis))),
    };
    let instant = Instant::from_nanos(bytes.arbitrary::<u64>()? >> 2);
    let now = Now { instant, timestamp: Timestamp::GO_ZERO };
    let mut driver = Driver {
        candidate: Candidate::new(config, instant).expect("what a server takes"),
        now,
        stored: None,
        history: Vec::new(),
        writes: 0,
        outstanding: None,
        answers: Vec::new(),
        told: Vec::new(),
        marks: Marks::new(),
    };
    while !bytes.is_empty() && driver.now.instant.as_nanos() < u64::MAX / 4 * 3 {
        driver.step(bytes)?;
        driver.settle();
    }
    Ok(driver.marks)
}

struct Driver {
    candidate: Candidate,
    now: Now,
    stored: Option<Stored>,
    history: Vec<Stored>,
    writes: u64,
    outstanding: Option<Request>,
    answers: Vec<Response>,
    /// The versions that it was told.
    told: Vec<Version>,
    marks: Marks,
}

impl Driver {
    fn step(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        match bytes.arbitrary::<u8>()? {
            0..=63 => {
                let due = self.candidate.poll_timeout();
                self.now.instant = due.map_or(self.now.instant, |due| due.max(self.now.instant));
                self.timeouts();
            }
            64..=119 => {
                if let Some(answer) = self.serve() {
                    self.arrive(answer);
                }
            }
            120..=131 => drop(self.serve()),
            132..=147 => {
                let which = usize::from(bytes.arbitrary::<u8>()?) % self.answers.len().max(1);
                if let Some(answer) = self.answers.get(which).cloned() {
                    self.arrive(answer);
                }
            }
            148..=163 => {
                let result = Self::invented(bytes)?;
                if let Some(request) = &self.outstanding {
                    self.arrive(Response { id: request.id, result });
                }
            }
            164..=187 => self.ping(bytes.arbitrary()?),
            188..=211 => {
                let stored = self.stored.clone();
                self.watch(stored.map_or(Watched::Deleted, Watched::Stored));
            }
            212..=219 => {
                let back = 1 + usize::from(bytes.arbitrary::<u8>()?);
                let index = self.history.len().checked_sub(back);
                if let Some(old) = index.and_then(|index| self.history.get(index)).cloned() {
                    self.watch(Watched::Stored(old));
                }
            }
            220..=223 => {
                let shown = Self::invented(bytes)?;
                self.watch(shown.map_or(Watched::Deleted, Watched::Stored));
            }
            224..=227 => self.stored = None,
            228..=243 => {
                let millis = Duration::from_millis(bytes.arbitrary::<u16>()?.into());
                self.now.instant = self.now.instant + millis;
            }
            244..=252 => self.now.timestamp = timestamp(bytes.arbitrary()?),
            253..=254 => self.timeouts(),
            255 => self.candidate.stop(),
        }
        Ok(())
    }

    fn timeouts(&mut self) {
        let due = self.candidate.poll_timeout().is_some_and(|due| due <= self.now.instant);
        let before = self.candidate.clone();
        self.candidate.handle_timeout(self.now);
        assert!(due || self.candidate == before, "an early call did something");
        let due = self.candidate.poll_timeout();
        assert!(due.is_none_or(|due| due > self.now.instant), "due twice at one instant");
    }

    fn serve(&mut self) -> Option<Response> {
        let request = self.outstanding.as_ref()?;
        let id = request.id;
        let result = match (request.op.clone(), self.stored.clone()) {
            (Op::Get, stored) => stored.ok_or(Failure::NotFound),
            (Op::Create(_), Some(_)) => Err(Failure::AlreadyExists),
            (Op::Create(object), None) => Ok(self.write(object)),
            (Op::Update(object, over), Some(stored)) if stored.version == over => {
                Ok(self.write(object))
            }
            (Op::Update(..), Some(_)) => Err(Failure::Conflict),
            (Op::Update(..), None) => Err(Failure::NotFound),
        };
        let response = Response { id, result };
        self.answers.push(response.clone());
        Some(response)
    }

    fn write(&mut self, candidate: LeaseCandidate) -> Stored {
        self.writes += 1;
        let stored = Stored { candidate, version: Version::ordered(self.writes) };
        self.stored = Some(stored.clone());
        self.history.push(stored.clone());
        stored
    }

    /// The coordinator asks whether it is alive, by a clock of its own.
    fn ping(&mut self, ahead: i8) {
        let Some(mut stored) = self.stored.clone() else { return };
        let seconds = self.now.timestamp.unix_seconds().saturating_add(ahead.into());
        stored.candidate.spec.ping_time = Some(timestamp((seconds, 0)));
        self.marks.insert("pinged");
        self.write(stored.candidate);
    }

    fn invented(bytes: &mut Unstructured<'_>) -> Result<core::result::Result<Stored, Failure>> {
        Ok(match bytes.arbitrary::<u8>()? {
            0..=63 => Err(Failure::Other),
            64..=95 => Err(Failure::NotFound),
            96..=127 => Err(Failure::Conflict),
            128..=159 => Err(Failure::AlreadyExists),
            160..=255 => {
                let mut candidate = LeaseCandidate::default();
                candidate.spec.ping_time = bytes.arbitrary::<Option<_>>()?.map(timestamp);
                candidate.spec.renew_time = bytes.arbitrary::<Option<_>>()?.map(timestamp);
                let version = match bytes.arbitrary::<Option<u64>>()? {
                    Some(number) => Version::ordered(number),
                    None => Version::opaque(bytes.arbitrary::<&str>()?),
                };
                Ok(Stored { candidate, version })
            }
        })
    }

    fn watch(&mut self, watched: Watched) {
        if let Watched::Stored(stored) = &watched {
            self.told.push(stored.version.clone());
        }
        self.candidate.handle_watch(self.now, watched);
    }

    fn arrive(&mut self, answer: Response) {
        let before = self.candidate.clone();
        let wanted = self.outstanding.take_if(|request| request.id == answer.id);
        self.told.extend(answer.result.as_ref().map(|stored| stored.version.clone()));
        self.candidate.handle_response(self.now, answer);
        if wanted.is_none() {
            assert_eq!(self.candidate, before, "a stale answer did something");
            self.marks.insert("stale");
        }
    }

    fn settle(&mut self) {
        let request = self.candidate.poll_request();
        assert_eq!(self.candidate.poll_request(), None, "two at once");
        let now = self.now.instant;
        if let Some(request) = request {
            let old = self.outstanding.as_ref().and_then(|old| old.deadline);
            assert!(self.outstanding.is_none() || old.is_some_and(|old| old <= now), "two");
            assert!(request.deadline.is_none_or(|deadline| deadline > now), "not worth sending");
            assert_eq!((&*request.namespace, &*request.name), ("default", "me"));
            match &request.op {
                Op::Get => {}
                Op::Create(object) => {
                    assert_eq!(object.validate(), Ok(()));
                    self.marks.insert("created");
                }
                Op::Update(object, over) => {
                    assert!(self.told.contains(over), "over a version that it was never told");
                    assert_eq!(object.spec.renew_time, Some(self.now.timestamp));
                    let pinged = object.spec.ping_time.is_some();
                    self.marks.insert(if pinged { "answered" } else { "renewed" });
                }
            }
            self.outstanding = Some(request);
        }
        let due = self.candidate.poll_timeout();
        if self.candidate.is_finished() {
            assert_eq!(due, None, "something is due after the end");
            assert_eq!(self.candidate.poll_request(), None, "a request after the end");
            self.outstanding = None;
            self.marks.insert("finished");
        } else {
            assert!(due.is_some() || self.outstanding.is_some(), "asleep for ever");
            assert!(due.is_none_or(|due| due <= now + RENEW_PERIOD), "renews too late");
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn random_schedules() {
        let wanted = ["created", "renewed", "pinged", "answered", "stale", "finished"];
        crate::tests::reach(2_000, &wanted, super::marks);
    }
}
