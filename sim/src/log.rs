//! Where entries are made: numbered, digested, counted, looked at by triggers, and kept until the
//! end of the step.

use tenure::election::{Cause, Failure};

use crate::digest::Digester;
use crate::fault::{Happening, Target, Trigger};
use crate::outcome::Statistics;
use crate::queue::Cause as Came;
use crate::time::SimTime;
use crate::trace::{Actor, Entry, Reply, Verb, What};

#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Of this step.
    pub(crate) entries: Vec<Entry>,
    pub(crate) digester: Digester,
    pub(crate) statistics: Statistics,
    /// Who believes to lead, the latest to begin last.
    pub(crate) believers: Vec<u32>,
    waiting: Vec<Waiting>,
    /// Faults whose trigger was pulled in this step, by whom, and by which entry.
    pub(crate) pulled: Vec<(u32, u32, Came)>,
    /// The last that each replica's process did or met: of that comes what it does by its timer.
    last: Vec<Came>,
}

/// A trigger that has not been pulled.
#[derive(Debug)]
struct Waiting {
    fault: u32,
    trigger: Trigger,
    left: u32,
}

impl Log {
    pub(crate) fn await_trigger(&mut self, fault: u32, trigger: &Trigger) {
        self.waiting.push(Waiting { fault, trigger: trigger.clone(), left: trigger.nth });
    }

    /// No trigger works any more.
    pub(crate) fn disarm(&mut self) {
        self.waiting.clear();
        self.pulled.clear();
    }

    /// Takes down what came of `cause`, and gives of what all comes that follows in this step.
    pub(crate) fn emit(&mut self, at: SimTime, what: What, cause: Came) -> Came {
        if !self.waiting.is_empty() {
            self.pull(at, &what);
        }
        self.count(&what);
        let this = Came::of(self.statistics.entries);
        let follows = if leads_on(&what) { this } else { cause };
        if let Some(replica) = what.process() {
            let replica = replica as usize;
            if self.last.len() <= replica {
                self.last.resize(replica + 1, Came::default());
            }
            if let Some(last) = self.last.get_mut(replica) {
                *last = this;
            }
        }
        let entry = Entry { seq: self.statistics.entries, at, cause: cause.entry(), what };
        self.statistics.entries += 1;
        self.digester.entry(&entry);
        self.entries.push(entry);
        follows
    }

    /// The last that happened to a replica.
    pub(crate) fn last(&self, replica: u32) -> Came {
        self.last.get(replica as usize).copied().unwrap_or_default()
    }

    fn count(&mut self, what: &What) {
        let statistics = &mut self.statistics;
        match what {
            What::Started { .. } => statistics.starts += 1,
            What::Ended { replica, .. } => self.believers.retain(|believer| believer != replica),
            What::Paused { .. } => statistics.pauses += 1,
            What::Sent { verb, .. } => {
                statistics.requests += 1;
                statistics.reads += u64::from(*verb == Verb::Get);
            }
            What::Watched { .. } => statistics.watched += 1,
            What::RolledOut { .. } => statistics.rolled_out += 1,
            What::Applied {
                reply: Reply::Failed(Failure::Conflict | Failure::AlreadyExists),
                ..
            } => {
                statistics.conflicts += 1;
            }
            What::Answered { late: true, .. } => statistics.late_answers += 1,
            What::GivenUp { .. } => statistics.given_up += 1,
            What::StartedLeading { replica, .. } => {
                statistics.started_leading += 1;
                self.believers.push(*replica);
            }
            What::Endangered { .. } => statistics.endangered += 1,
            What::StoppedLeading { replica, led: true, cause } => {
                statistics.stopped_leading += 1;
                statistics.handed_over += u64::from(*cause == Cause::HandedOver);
                self.believers.retain(|believer| believer != replica);
            }
            What::GuardedWrite { accepted: true, .. } => statistics.accepted += 1,
            What::GuardedWrite { accepted: false, .. } => statistics.refused += 1,
            What::Fault { .. } => statistics.faults += 1,
            _ => {}
        }
    }

    #[cold]
    fn pull(&mut self, at: SimTime, what: &What) {
        let Some((happening, replica)) = happening(what) else { return };
        let believes = self.believers.contains(&replica) || happening == Happening::StartedLeading;
        let this = Came::of(self.statistics.entries);
        let Self { waiting, pulled, .. } = self;
        waiting.retain_mut(|waiting| {
            let Trigger { event, by, since, .. } = &waiting.trigger;
            let by = match by {
                Target::Replica(index) => *index == replica,
                Target::Leader => believes,
                Target::Follower => !believes,
                Target::Everyone | Target::Actor => true,
            };
            if *event == happening && by && at.as_nanos() >= since.as_nanos() {
                waiting.left = waiting.left.saturating_sub(1);
                if waiting.left == 0 {
                    pulled.push((waiting.fault, replica, this));
                    return false;
                }
            }
            true
        });
    }
}

/// Whether what follows in the same step comes of this, not of what this came of.
const fn leads_on(what: &What) -> bool {
    matches!(
        what,
        What::Started { .. }
            | What::Resumed { .. }
            | What::Stopping { .. }
            | What::Sent { .. }
            | What::Applied { .. }
            | What::Answered { .. }
            | What::Watched { .. }
            | What::GuardedWrite { .. }
            | What::Fault { .. }
            | What::FaultEnded { .. }
            | What::RolledOut { .. }
            | What::Healed
    )
}

/// What a trigger sees in an entry, and whose it is.
fn happening(what: &What) -> Option<(Happening, u32)> {
    Some(match what {
        What::Sent { replica, verb: Verb::Get, .. } => (Happening::GetSent, *replica),
        What::Sent { replica, .. } => (Happening::WriteSent, *replica),
        What::Applied { by: Actor::Replica { replica, .. }, verb, reply, .. } => {
            let happening = match (verb, reply) {
                (Verb::Get, _) => Happening::GetApplied,
                (Verb::Create, Reply::Is(_)) => Happening::CreateApplied,
                (Verb::Update, Reply::Is(_)) => Happening::UpdateApplied,
                (_, Reply::Failed(Failure::Conflict | Failure::AlreadyExists)) => {
                    Happening::Conflict
                }
                _ => return None,
            };
            (happening, *replica)
        }
        What::Answered { replica, late: false, .. } => (Happening::Answered, *replica),
        What::GivenUp { replica, .. } => (Happening::GivenUp, *replica),
        What::StartedLeading { replica, .. } => (Happening::StartedLeading, *replica),
        What::StoppedLeading { replica, led: true, .. } => (Happening::StoppedLeading, *replica),
        _ => return None,
    })
}
