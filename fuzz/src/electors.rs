//! Several electors together, each of which must do what it would do alone.

use core::time::Duration;
use std::collections::BTreeSet;

use arbitrary::{Result, Unstructured};
use tenure::election::{Elector, ElectorId, Electors, Failure, Request, Response, Watched};
use tenure::time::{Instant, Now};

use crate::elector::input::{self, Deed, Place};
use crate::elector::world::{ANOTHER, World, timestamp};

type Marks = BTreeSet<&'static str>;

/// No more electors at a time.
const MOST: usize = 5;

/// Reads a schedule from `data` and plays it.
pub fn electors(data: &[u8]) {
    marks(data);
}

/// Inputs to start from.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    crate::random_seeds(marks)
}

fn marks(data: &[u8]) -> Marks {
    let mut group = Group::default();
    let _ = group.play(&mut Unstructured::new(data));
    group.marks
}

/// An elector that is alone, and its store.
struct Twin {
    id: ElectorId,
    alone: Elector,
    world: World,
    outstanding: Option<Request>,
    answers: Vec<Response>,
    finished: bool,
}

#[derive(Default)]
struct Group {
    together: Electors,
    twins: Vec<Twin>,
    gone: Vec<ElectorId>,
    now: Option<Now>,
    marks: Marks,
}

impl Group {
    fn now(&self) -> Now {
        let instant = Instant::from_nanos(1 << 62);
        self.now.unwrap_or(Now { instant, timestamp: timestamp((1_700_000_000, 0)) })
    }

    fn play(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        while !bytes.is_empty() && self.now().instant.as_nanos() < u64::MAX / 4 * 3 {
            self.step(bytes)?;
            self.settle(usize::from(bytes.arbitrary::<u8>()? % 8));
        }
        Ok(())
    }

    fn step(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let now = self.now();
        match bytes.arbitrary::<u8>()? {
            0..=79 => {
                let due =
                    self.together.poll_timeout().map_or(now.instant, |due| due.max(now.instant));
                self.timeout(due);
            }
            80..=95 => {
                let wait = Duration::from_millis(bytes.arbitrary::<u16>()?.into());
                self.timeout(now.instant + wait);
            }
            96..=119 if self.twins.len() < MOST => self.insert(bytes)?,
            240..=247 if !self.twins.is_empty() => {
                let twin = self.twins.swap_remove(bytes.choose_index(self.twins.len())?);
                assert_eq!(self.together.remove(twin.id), Some(twin.alone), "removed");
                assert_eq!(self.together.remove(twin.id), None, "removed twice");
                self.gone.push(twin.id);
                self.marks.insert("removed");
            }
            248..=249 => self.haunt(bytes)?,
            250 => {
                self.together.stop_all(now);
                self.twins.iter_mut().for_each(|twin| twin.alone.stop(now));
                self.marks.insert("all stopped");
            }
            which if !self.twins.is_empty() => {
                let index = bytes.choose_index(self.twins.len())?;
                self.one(which, index, bytes)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn insert(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let config = input::config(bytes)?;
        let later = Duration::from_millis(bytes.arbitrary::<u8>()?.into());
        let begin = self.now().instant + later;
        let Ok(alone) = Elector::new(config, bytes.arbitrary()?, begin) else { return Ok(()) };
        let world = World::new(alone.config(), alone.identity(), true, false);
        let id = self.together.insert(alone.clone());
        assert!(self.twins.iter().all(|twin| twin.id < id && twin.id.index() != id.index()));
        let (answers, outstanding) = (Vec::new(), None);
        self.twins.push(Twin { id, alone, world, outstanding, answers, finished: false });
        Ok(())
    }

    /// Those that are due, once each.
    fn timeout(&mut self, instant: Instant) {
        let now = Now { instant, ..self.now() };
        self.now = Some(now);
        let due = |twin: &&mut Twin| twin.alone.poll_timeout().is_some_and(|due| due <= instant);
        self.twins.iter_mut().filter(due).for_each(|twin| twin.alone.handle_timeout(now));
        self.together.handle_timeout(now);
    }

    /// Nobody hears what is said to one that was removed.
    fn haunt(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let (now, before) = (self.now(), self.together.clone());
        if !self.gone.is_empty() {
            let id = *bytes.choose(&self.gone)?;
            self.together.stop(now, id);
            self.together.poke(now, id);
            self.together.work_stopped(now, id);
            self.together.handle_watch(now, id, Watched::Deleted);
            self.together.hand_over(now, id, ANOTHER.into());
            assert!(self.together.get(id).is_none());
            assert_eq!(self.together, before, "a ghost did something");
            self.marks.insert("haunted");
        }
        Ok(())
    }

    fn one(&mut self, which: u8, index: usize, bytes: &mut Unstructured<'_>) -> Result<()> {
        let now = self.now();
        let (twin, together) = (&mut self.twins[index], &mut self.together);
        let id = twin.id;
        match which {
            96..=183 => {
                let fails = bytes.arbitrary::<u8>()? < 16;
                if let Some(response) = twin.serve(fails) {
                    twin.answers.push(response.clone());
                    twin.alone.handle_response(now, response.clone());
                    together.handle_response(now, id, response);
                }
            }
            184..=191 => {
                let which = usize::from(bytes.arbitrary::<u8>()?) % twin.answers.len().max(1);
                if let Some(response) = twin.answers.get(which).cloned() {
                    twin.alone.handle_response(now, response.clone());
                    together.handle_response(now, id, response);
                }
            }
            192..=207 => {
                let deed: Deed = bytes.arbitrary()?;
                twin.world.parts(Place::Each).for_each(|part| {
                    twin.world.rival(part, deed, now.timestamp);
                });
            }
            208..=223 => {
                let watched = twin.world.stored(0).cloned();
                let watched = watched.map_or(Watched::Deleted, Watched::Stored);
                twin.alone.handle_watch(now, watched.clone());
                together.handle_watch(now, id, watched);
            }
            224..=227 => {
                twin.alone.hand_over(now, ANOTHER.into());
                together.hand_over(now, id, ANOTHER.into());
            }
            228..=231 => {
                twin.alone.poke(now);
                together.poke(now, id);
            }
            232..=233 => {
                twin.alone.stop(now);
                together.stop(now, id);
            }
            _ => {
                twin.alone.work_stopped(now);
                together.work_stopped(now, id);
            }
        }
        Ok(())
    }

    /// Fetches all events and some requests: they must be those of the ones that are alone.
    fn settle(&mut self, requests: usize) {
        while let Some((id, event)) = self.together.poll_event() {
            let Some(twin) = self.twins.iter_mut().find(|twin| twin.id == id) else {
                panic!("{event:?} of one that was removed");
            };
            assert_eq!(twin.alone.poll_event(), Some(event));
        }
        for _ in 0..requests {
            let Some((id, request)) = self.together.poll_request() else { break };
            let Some(twin) = self.twins.iter_mut().find(|twin| twin.id == id) else {
                panic!("{request:?} of one that was removed");
            };
            assert_eq!(twin.alone.poll_request().as_ref(), Some(&request));
            twin.outstanding = Some(request);
        }
        while let Some(id) = self.together.poll_finished() {
            let Some(twin) = self.twins.iter_mut().find(|twin| twin.id == id) else {
                panic!("the end of one that was removed");
            };
            assert!(!twin.finished, "ended twice");
            twin.finished = true;
            self.marks.insert("finished");
        }
        let mut due = None;
        for twin in &mut self.twins {
            assert_eq!(twin.alone.poll_event(), None, "an event was lost");
            assert_eq!(twin.alone.is_finished(), twin.finished, "nobody said that it ended");
            assert_eq!(self.together.get(twin.id), Some(&twin.alone), "not as if alone");
            let own = twin.alone.poll_timeout();
            due = [due, own].into_iter().flatten().min();
            if twin.alone.leading_until().is_some() {
                self.marks.insert("led");
            }
        }
        assert_eq!(self.together.poll_timeout(), due);
        assert_eq!(self.together.len(), self.twins.len());
        assert_eq!(self.together.iter().count(), self.twins.len());
        if self.twins.len() == MOST {
            self.marks.insert("many");
        }
    }
}

impl Twin {
    fn serve(&mut self, fails: bool) -> Option<Response> {
        let request = self.outstanding.take()?;
        let part = self.world.part(&request.lock);
        let served = self.world.serve(part, &request.op);
        let result = if fails { Err(Failure::Other) } else { served };
        Some(Response { id: request.id, result })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn random_schedules() {
        let wanted = ["led", "many", "removed", "haunted", "all stopped", "finished"];
        crate::tests::reach(1_000, &wanted, super::marks);
    }
}
