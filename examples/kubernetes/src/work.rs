//! The queue: which objects are to be looked at, how many at a time, and again when it failed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use tenure::time::Instant;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::api::Api;
use crate::authority::Authority;
use crate::clock;
use crate::in_flight::InFlight;
use crate::metrics::Metrics;
use crate::objects::{Seen, uid};
use crate::reconcile::{Outcome, reconcile};

/// An act is given up after this, if its right does not end before.
pub(crate) const ACT: Duration = Duration::from_secs(10);
/// Acts at a time.
const PARALLEL: usize = 8;
/// Before an act that failed is tried again; doubled each time, up to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));

/// One act that has ended.
#[derive(Debug, Clone)]
pub struct Act {
    /// On which object.
    pub uid: Arc<str>,
    /// Who acted.
    pub owner: Arc<str>,
    /// By which right.
    pub token: u64,
    /// When the right was granted.
    pub begun: Instant,
    /// When the answer came, or the act was given up.
    pub ended: Instant,
    /// What came of it.
    pub outcome: Outcome,
}

/// Told of each act; a log, or a test.
pub type Journal = Arc<dyn Fn(&Act) + Send + Sync>;

/// All that an act needs.
#[derive(Clone)]
pub struct Work {
    /// Whom to ask before each act.
    pub authority: Arc<dyn Authority>,
    /// Where to write.
    pub api: Api,
    /// This replica's name.
    pub owner: Arc<str>,
    /// What a drain waits for.
    pub in_flight: InFlight,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Who is told.
    pub journal: Journal,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// An object that is known.
#[derive(Debug)]
struct Known {
    object: Arc<ConfigMap>,
    /// When to look at it; never, if nothing has changed.
    due: Option<Instant>,
    failures: u32,
    /// An object is worked on once at a time.
    busy: bool,
}

#[derive(Debug, Default)]
struct Queue {
    known: BTreeMap<Arc<str>, Known>,
    due: BTreeSet<(Instant, Arc<str>)>,
}

impl Queue {
    fn put(&mut self, object: ConfigMap, now: Instant) {
        let uid: Arc<str> = uid(&object).into();
        let busy = self.remove(&uid).is_some_and(|known| known.busy);
        let known = Known { object: object.into(), due: Some(now), failures: 0, busy };
        self.due.insert((now, Arc::clone(&uid)));
        self.known.insert(uid, known);
    }

    fn remove(&mut self, uid: &str) -> Option<Known> {
        let (uid, known) = self.known.remove_entry(uid)?;
        if let Some(due) = known.due {
            self.due.remove(&(due, uid));
        }
        Some(known)
    }

    fn replace(&mut self, objects: Vec<ConfigMap>, now: Instant) {
        let before = std::mem::take(self);
        for object in objects {
            self.put(object, now);
        }
        // What was begun goes on, and its object is not begun a second time.
        for (uid, known) in before.known.into_iter().filter(|(_, known)| known.busy) {
            match self.known.get_mut(&uid) {
                Some(known) => known.busy = true,
                None => {
                    self.known.insert(uid, Known { due: None, ..known });
                }
            }
        }
    }

    /// The next object that is due and not being worked on.
    fn take(&mut self, now: Instant) -> Option<(Arc<str>, Arc<ConfigMap>)> {
        let free = |(due, uid): &&(Instant, Arc<str>)| {
            *due <= now && self.known.get(uid).is_some_and(|known| !known.busy)
        };
        let (due, uid) = self.due.iter().take_while(|(due, _)| *due <= now).find(free)?.clone();
        self.due.remove(&(due, Arc::clone(&uid)));
        let known = self.known.get_mut(&uid)?;
        (known.due, known.busy) = (None, true);
        Some((uid, Arc::clone(&known.object)))
    }

    fn done(&mut self, uid: &Arc<str>, failed: bool, now: Instant) {
        let Some(known) = self.known.get_mut(uid) else { return };
        known.busy = false;
        known.failures = if failed { known.failures.saturating_add(1) } else { 0 };
        if failed && known.due.is_none() {
            let (first, last) = RETRY;
            let doubled = first.saturating_mul(1 << known.failures.saturating_sub(1).min(16));
            let due = now + doubled.min(last);
            known.due = Some(due);
            self.due.insert((due, Arc::clone(uid)));
        }
    }

    /// When the next object becomes due.
    fn next(&self, now: Instant) -> Option<Instant> {
        // What is due and was not taken waits for an act to end.
        self.due.range((now, Arc::from(""))..).next().map(|(due, _)| *due)
    }
}

impl Work {
    /// Works on what is seen, until nothing can be seen any more.
    pub async fn run(self, mut seen: mpsc::Receiver<Seen>) {
        let mut queue = Queue::default();
        let mut acts = JoinSet::new();
        loop {
            let now = clock::instant();
            while acts.len() < PARALLEL {
                let Some((uid, object)) = queue.take(now) else { break };
                let work = self.clone();
                acts.spawn(async move { (Arc::clone(&uid), work.guarded(uid, object).await) });
            }
            self.metrics.knows(queue.known.len());
            let next = queue.next(now).unwrap_or_else(|| now + Duration::from_secs(60));
            tokio::select! {
                // Nothing of it panics, and nobody aborts it.
                Some(Ok((uid, failed))) = acts.join_next() => queue.done(&uid, failed, clock::instant()),
                event = seen.recv() => match event {
                    Some(Seen::Listed(objects)) => queue.replace(objects, clock::instant()),
                    Some(Seen::Stored(object)) => queue.put(*object, clock::instant()),
                    Some(Seen::Deleted(uid)) => {
                        queue.remove(&uid);
                    }
                    None => return,
                },
                () = clock::sleep_until(next) => {}
            }
        }
    }

    /// One act, in a task of its own: one that panics is a bug, and no reason to leave all other objects.
    async fn guarded(self, uid: Arc<str>, object: Arc<ConfigMap>) -> bool {
        let mut task = JoinSet::new();
        task.spawn(async move { self.act(&uid, &object).await });
        match task.join_next().await {
            Some(Ok(failed)) => failed,
            Some(Err(error)) => {
                tracing::error!(%error, "an act panicked");
                true
            }
            None => true,
        }
    }

    /// One act, if there is a right to it. Says whether to try again.
    async fn act(&self, uid: &Arc<str>, object: &ConfigMap) -> bool {
        let ticket = self.in_flight.begin(Arc::clone(uid));
        let begun = clock::instant();
        let Some(grant) = self.authority.grant(uid, begun) else {
            // Whoever has the right has listed it, and this replica lists again when it gets the right.
            self.metrics.reconciled("not_mine");
            return false;
        };
        let outcome = tokio::select! {
            outcome = reconcile(&self.api, object, &self.owner, grant) => outcome,
            () = ticket.stopped() => Outcome::Aborted,
        };
        self.metrics.reconciled(outcome.name());
        let (uid, owner) = (Arc::clone(uid), Arc::clone(&self.owner));
        let ended = clock::instant();
        (self.journal)(&Act {
            uid,
            owner,
            token: grant.token,
            begun,
            ended,
            outcome: outcome.clone(),
        });
        drop(ticket); // only now has it ended
        matches!(outcome, Outcome::Failed(_))
    }
}
