//! A lock without a leader gets one within the computed bound.
//!
//! With L the recorded duration, R the longest retry period and λ the longest way of a message (the
//! store's time included), on clocks that all run right, the next leader has begun at the latest
//!
//! - `L + 4.4 R + 9 λ` after the last version of a lock that somebody holds (rule `held`): a
//!   candidate's read took effect just before that version, its answer is under way for λ, the next
//!   read comes 2.2 R after it and is answered 2 λ later: the first sight. A read just before the end
//!   of L after it is answered 2 λ later, and the next one, after 2.2 R, takes 4 λ with the
//!   compare-and-swap and its answer;
//! - `2.2 R + 5 λ` after a release (rule `released`);
//! - `2.2 R + 4 λ` after a deletion, and at the beginning, there is a lock again (rule `missing`).
//!
//! Lengths on replicas' clocks are divided by the rate of the slowest. The bound is owed only while
//! one and the same candidate could go on all the time: its process runs, is not paused and not asked
//! to stop, its last work has ended, its clock runs, and no fault of the network or the store that
//! concerns it is on. After such a fault the bound counts from when a call sent before its end has
//! been given up; so it does after `Healed`, from which on all this is so by itself. A scenario whose
//! network always loses messages, or takes longer than the request time-out, owes nothing.
//!
//! Who takes the lock must also say so: rule `silent`, one λ after its write took effect. And each
//! version restarts the wait, so that replicas could go on writing for ever with nobody to lead: rule
//! `unsettled`, the bounds of a missing and twice of a held lock after anything last happened that
//! is not theirs to prevent (a fault, a process that ends, somebody's edit).
//!
//! With a lock delay L is longer by it. A lock that was released with a duration of more than a second
//! was handed over to somebody: all but the successor wait as if it were held. What nobody can read counts as held for the longest own
//! duration. Where several objects carry the lock, in one replica or over a migration, it is held
//! while any of them is (for the longest of their durations), missing if all are, and the bound counts
//! from the last write of any. An attempt then is up to ten ways: two reads, a write, and a read and a
//! write of the second object. So the bounds are `L + 4.4 R + 22 λ`, `2.2 R + 14 λ`, `2.2 R + 8 λ`, and
//! for `silent` 7 λ, once all that is held names the one who took it.

mod bound;
mod candidates;

pub use bound::Reached;
use bound::{Bound, Lock};
use candidates::Candidates;

use tenure::lock::Kind;

use super::replicas::{Names, Objects, seconds};
use super::{Check, Violation};
use crate::scenario::Scenario;
use crate::time::{SimTime, Span};
use crate::trace::{Actor, Entry, Reply, Verb, What};

/// A lock without a leader gets one within the computed bound.
///
/// ```
/// use tenure_sim::check::failover::{Failover, Reached};
/// use tenure_sim::{catalogue, world::World};
/// let scenario = catalogue::find("failover-bound").unwrap();
/// let mut failover = Failover::new(&scenario);
/// assert_eq!(World::new(&scenario, 1)?.run(&mut failover).violations, []);
/// let nearest: Reached = failover.worst().unwrap();
/// assert!(nearest.took <= nearest.bound && nearest.percent() > 50, "{nearest:?}");
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failover {
    names: Names,
    /// `None` if no bound is owed in this scenario at all.
    bound: Option<Bound>,
    candidates: Candidates,
    lock: Lock,
    objects: Objects<Lock>,
    /// When the lock came to be as it is.
    since: SimTime,
    /// This standstill was reported.
    told: bool,
    /// Who took the lock and has not said so, and by when it must.
    winner: Option<(u32, SimTime)>,
    worst: Option<Reached>,
    /// When something last happened that replicas cannot help.
    quiet_since: SimTime,
    /// The longest that the lock was to be waited for since then.
    longest: Span,
    /// Number of the last entry.
    seq: u64,
}

impl Failover {
    /// For runs of `scenario`.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let lock = Lock::at_the_beginning(scenario);
        let mut objects = Objects::default();
        *objects.of(scenario.lock.primary()) = lock.clone();
        Self {
            names: Names::new(scenario),
            bound: Bound::of(scenario),
            candidates: Candidates::new(scenario),
            lock,
            objects,
            since: SimTime::ZERO,
            told: false,
            winner: None,
            worst: None,
            quiet_since: SimTime::ZERO,
            longest: Span::ZERO,
            seq: 0,
        }
    }

    /// The takeover that came nearest to its bound, of those that had to wait for a lease to expire.
    #[must_use]
    pub const fn worst(&self) -> Option<Reached> {
        self.worst
    }

    /// When the bound began to count: with the lock as it is now, and a candidate that can go on.
    fn start(&mut self) -> SimTime {
        self.since.max(self.candidates.able_from())
    }

    /// Whether something is overdue at `now`.
    fn overdue(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        if let Some((winner, due)) = self.winner.filter(|(_, due)| *due < entry.at) {
            self.winner = None;
            let name = self.names.of(winner);
            let what = format!("failover: {name} took the lock and has not said so by {due}");
            found.push(violation("silent", due, entry.seq, vec![winner], what));
        }
        if self.told || self.candidates.is_led() {
            return;
        }
        self.unsettled(entry, found);
        let start = self.start();
        let Some(bound) = &self.bound else { return };
        let owed = bound.until_led(&self.lock);
        let due = start + owed;
        if due >= entry.at {
            return;
        }
        self.told = true;
        let what = format!(
            "failover: nobody leads at {due}, {} after {}; the bound is {}",
            seconds(owed),
            self.lock.story(self.since, start),
            bound.story(&self.lock),
        );
        found.push(violation(self.lock.rule(), due, entry.seq, Vec::new(), what));
    }

    fn unsettled(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        let start = self.quiet_since.max(self.candidates.able_from());
        let Some(bound) = &self.bound else { return };
        let due = start + bound.until_settled(self.longest.max(self.lock.lasts()));
        if due < entry.at {
            self.quiet_since = entry.at;
            let what = format!(
                "failover: nobody leads at {due}, though replicas write and nothing has happened \
                 since {start} that they could not help"
            );
            found.push(violation("unsettled", due, entry.seq, Vec::new(), what));
        }
    }

    fn written(
        &mut self,
        entry: &Entry,
        by: Actor,
        request: Option<u64>,
        object: Kind,
        lock: &Lock,
    ) {
        let before = std::mem::replace(self.objects.of(object), lock.clone());
        let start = self.start();
        let disputed = Lock::is_disputed(&self.objects.all());
        if disputed {
            self.winner = None;
        }
        if let (Some(bound), Actor::Replica { replica, life }) = (&self.bound, by)
            && lock.is_taken_from(&before)
        {
            // It must say so if it still waits for this answer, and the answer can reach it.
            if !disputed && self.candidates.awaits(replica, life, request, entry.at) {
                self.winner = Some((replica, entry.at + bound.until_said()));
            }
            if self.lock.is_held() && start < entry.at {
                let took = entry.at.saturating_since(start);
                let reached = Reached { took, bound: bound.until_taken(&self.lock) };
                self.worst = Some(self.worst.map_or(reached, |worst| worst.nearer(reached)));
            }
        }
        // Whoever stops holds on to the lock until its work has ended.
        if let Actor::Replica { replica, .. } = by
            && !self.candidates.is_able(replica, entry.at)
        {
            self.quiet_since = entry.at;
        }
        self.lock = self.objects.all().into_iter().fold(Lock::Missing, Lock::and);
        self.longest = self.longest.max(self.lock.lasts());
        self.since = entry.at;
        self.told = false;
    }
}

/// Whether this may keep replicas from getting a leader, or says that they had one.
const fn is_beyond_replicas(what: &What) -> bool {
    matches!(
        what,
        What::Started { .. }
            | What::Ended { .. }
            | What::Paused { .. }
            | What::Resumed { .. }
            | What::Stopping { .. }
            | What::Clock { .. }
            | What::Applied { by: Actor::Outsider, .. }
            | What::StoppedLeading { .. }
            | What::WorkEnded { .. }
            | What::Fault { .. }
            | What::FaultEnded { .. }
            | What::Healed
    )
}

fn violation(rule: &str, at: SimTime, seq: u64, replicas: Vec<u32>, what: String) -> Violation {
    Violation { check: "failover".to_owned(), rule: rule.to_owned(), at, seq, replicas, what }
}

impl Check for Failover {
    fn name(&self) -> &'static str {
        "failover"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        if self.bound.is_none() {
            return;
        }
        self.seq = entry.seq;
        self.overdue(entry, found);
        if is_beyond_replicas(&entry.what) {
            self.quiet_since = entry.at;
            self.longest = self.lock.lasts();
        }
        match &entry.what {
            What::Applied { by, request, verb, before, reply, object } => match reply {
                Reply::Is(after) if *verb != Verb::Get => {
                    let kept = before.as_ref().is_some_and(|it| it.version == after.version);
                    if !kept {
                        self.written(
                            entry,
                            *by,
                            *request,
                            *object,
                            &Lock::of(after, matches!(by, Actor::Replica { .. })),
                        );
                    }
                }
                Reply::Gone => self.written(entry, *by, *request, *object, &Lock::Missing),
                Reply::Is(_) | Reply::Failed(_) => {}
            },
            What::Clock { rate_ppb, .. } | What::Started { rate_ppb, .. } => {
                if let Some(bound) = &mut self.bound {
                    bound.saw_rate(*rate_ppb);
                }
                self.candidates.observe(entry);
            }
            What::Answered { replica, reply: Reply::Failed(_), late: false, .. } => {
                // A duplicate of its write failed, and its answer came first.
                self.winner = self.winner.filter(|(winner, _)| winner != replica);
                self.candidates.observe(entry);
            }
            What::StartedLeading { replica, .. } => {
                self.winner = self.winner.filter(|(winner, _)| winner != replica);
                self.told = false;
                self.candidates.observe(entry);
            }
            _ => {
                self.candidates.observe(entry);
                let candidates = &mut self.candidates;
                self.winner =
                    self.winner.filter(|(winner, _)| candidates.is_able(*winner, entry.at));
            }
        }
    }

    fn finish(&mut self, at: SimTime, found: &mut Vec<Violation>) {
        if self.bound.is_some() {
            self.overdue(&Entry { seq: self.seq, at, cause: None, what: What::Horizon }, found);
        }
    }
}

#[cfg(test)]
mod tests;
