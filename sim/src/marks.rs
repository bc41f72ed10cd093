//! What a run went through: how often each thing happened in which a rule shows whether it is there. What
//! never happens in a sweep was never tested, however many seeds it had.
//!
//! Marks are counted from the trace alone. `tenure sweep` prints them, with what the engine counts; a test
//! has a scenario for each, so that none is out of reach.

use tenure::election::{Cause, Failure};
use tenure::lock::Identity;

use crate::check::{Check, Violation};
use crate::trace::{Actor, End, Entry, Reply, Verb, What};

/// A thing that may happen in an election.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Expired,
    Free,
    FastConflict,
    Race,
    Unanswered,
    ReleasedByHolder,
    ReleasedByAnother,
    TwoViews,
    RanOut,
    Preempted,
    Stopped,
    HandedOver,
    DeletedUnder,
    MadeAnew,
    ByHand,
    Foreign,
    ClockChanged,
    Restarted,
    LeaderPaused,
    LeaderCrashed,
}

/// Each, and its name in a sweep.
const NAMES: [(Mark, &str); 20] = [
    (Mark::Expired, "takeovers from a holder"),
    (Mark::Free, "takeovers of a free lock"),
    (Mark::FastConflict, "conflicts on the fast path"),
    (Mark::Race, "races lost"),
    (Mark::Unanswered, "effects without an answer"),
    (Mark::ReleasedByHolder, "released by the holder"),
    (Mark::ReleasedByAnother, "released by another"),
    (Mark::TwoViews, "two views at once"),
    (Mark::RanOut, "terms that ran out"),
    (Mark::Preempted, "terms ended by another's"),
    (Mark::Stopped, "terms ended by a stop"),
    (Mark::HandedOver, "terms handed over"),
    (Mark::DeletedUnder, "terms ended by a deletion"),
    (Mark::MadeAnew, "locks made anew"),
    (Mark::ByHand, "writes by hand"),
    (Mark::Foreign, "foreign writes noticed"),
    (Mark::ClockChanged, "clocks changed"),
    (Mark::Restarted, "restarts"),
    (Mark::LeaderPaused, "leaders paused"),
    (Mark::LeaderCrashed, "leaders crashed"),
];

/// Counts what happens in an election. It is a [`Check`] that finds nothing.
///
/// ```
/// use tenure_sim::{catalogue, marks::Marks, world::World};
///
/// let scenario = catalogue::find("leader-crash").unwrap();
/// let mut marks = Marks::default();
/// World::new(&scenario, 1)?.run(&mut marks);
/// let counted = marks.counted();
/// assert!(counted.contains(&("leaders crashed", 1)));
/// assert!(counted.contains(&("takeovers from a holder", 1)));
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Marks {
    counts: [u64; NAMES.len()],
    replicas: Vec<Replica>,
    /// There was a lock.
    made: bool,
}

#[derive(Debug, Clone, Default)]
struct Replica {
    identity: Identity,
    believes: bool,
    /// The last call of this life that was given up, and the last write that took effect.
    given_up: Option<u64>,
    applied: Option<u64>,
}

impl Marks {
    /// How often each thing happened, by its name.
    #[must_use]
    pub fn counted(&self) -> Vec<(&'static str, u64)> {
        NAMES.iter().map(|(_, name)| *name).zip(self.counts).collect()
    }

    fn add(&mut self, mark: Mark) {
        if let Some(count) = self.counts.get_mut(mark as usize) {
            *count += 1;
        }
    }

    fn add_if(&mut self, whether: bool, mark: Mark) {
        if whether {
            self.add(mark);
        }
    }

    #[expect(clippy::indexing_slicing, reason = "grown to fit just before")]
    fn of(&mut self, replica: u32) -> &mut Replica {
        let index = replica as usize;
        if index >= self.replicas.len() {
            self.replicas.resize_with(index + 1, Replica::default);
        }
        &mut self.replicas[index]
    }

    fn applied(&mut self, replica: u32, request: Option<u64>, verb: Verb, what: &What) {
        let What::Applied { before, reply, .. } = what else { return };
        let mine = self.of(replica);
        match reply {
            Reply::Failed(Failure::Conflict | Failure::AlreadyExists) if verb != Verb::Get => {
                let believes = mine.believes;
                self.add(if believes { Mark::FastConflict } else { Mark::Race });
            }
            Reply::Is(now) if verb != Verb::Get => {
                mine.applied = request;
                let unanswered = request.is_some() && mine.given_up == request;
                self.add_if(unanswered, Mark::Unanswered);
                match before {
                    None => {
                        let made = core::mem::replace(&mut self.made, true);
                        self.add_if(made, Mark::MadeAnew);
                    }
                    Some(before) => {
                        self.made = true;
                        let (old, new) = (&before.record.holder, &now.record.holder);
                        let (held, holds) = (somebody(old), somebody(new));
                        self.add_if(held && holds && old != new, Mark::Expired);
                        self.add_if(!held && holds, Mark::Free);
                        if held && !holds {
                            let own = *old == self.of(replica).identity;
                            let mark =
                                if own { Mark::ReleasedByHolder } else { Mark::ReleasedByAnother };
                            self.add(mark);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn ended(&mut self, cause: Cause) {
        self.add(match cause {
            Cause::Expired => Mark::RanOut,
            Cause::Preempted => Mark::Preempted,
            Cause::Deleted => Mark::DeletedUnder,
            Cause::HandedOver => Mark::HandedOver,
            Cause::Stopped => Mark::Stopped,
        });
    }
}

/// Whether the lock is held; who creates one may leave it to nobody (a placeholder) for a lease duration.
fn somebody(holder: &Identity) -> bool {
    !holder.is_empty() && holder.as_str() != "tenure.dev/unclaimed"
}

impl Check for Marks {
    fn name(&self) -> &'static str {
        "marks"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        match &entry.what {
            What::Started { replica, life, identity, .. } => {
                let identity = identity.clone();
                *self.of(*replica) = Replica { identity, ..Replica::default() };
                self.add_if(*life > 0, Mark::Restarted);
            }
            What::Ended { replica, end } => {
                let led = core::mem::take(&mut self.of(*replica).believes);
                self.add_if(led && *end == End::Crashed, Mark::LeaderCrashed);
            }
            What::Paused { replica } => {
                let led = self.of(*replica).believes;
                self.add_if(led, Mark::LeaderPaused);
            }
            What::Clock { .. } => self.add(Mark::ClockChanged),
            What::Applied { by: Actor::Replica { replica, .. }, request, verb, .. } => {
                self.applied(*replica, *request, *verb, &entry.what);
            }
            What::Applied { by: Actor::Outsider, reply, .. } => {
                self.add_if(!matches!(reply, Reply::Failed(_)), Mark::ByHand);
            }
            What::GivenUp { replica, request } => {
                let mine = self.of(*replica);
                mine.given_up = Some(*request);
                let unanswered = mine.applied == Some(*request);
                self.add_if(unanswered, Mark::Unanswered);
            }
            What::StartedLeading { replica, .. } => {
                self.of(*replica).believes = true;
                let two = self.replicas.iter().filter(|it| it.believes).count() > 1;
                self.add_if(two, Mark::TwoViews);
            }
            What::StoppedLeading { replica, cause, led: true } => {
                self.of(*replica).believes = false;
                self.ended(*cause);
            }
            What::ForeignWrite { .. } => self.add(Mark::Foreign),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_stands_in_its_place() {
        for (place, (mark, _)) in NAMES.iter().enumerate() {
            assert_eq!(*mark as usize, place);
        }
    }
}
