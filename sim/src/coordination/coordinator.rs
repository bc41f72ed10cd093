//! Kubernetes' `leader-election-controller`: reads, takes a step, writes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tenure::election::coordinated::{Action as Does, Parameters, Stored, reconcile};
use tenure::election::{Failure, Stored as StoredLease};
use tenure::lock::lease::Lease;
use tenure::lock::{LockRef, Object, Version};
use tenure::time::{Instant, Now};

use super::{WATCH, note, object};
use crate::program::Action;
use crate::store::{Answer, Call};

/// The coordinator of one Lease. What a watch would tell it, it finds out by listing.
#[derive(Debug)]
pub(super) struct Coordinator {
    lock: LockRef,
    parameters: Parameters,
    /// When to list next.
    next: Instant,
    /// When a step is due, whatever has changed.
    requeue: Option<Instant>,
    /// Something is to be looked at: at first, and when a write has failed.
    queued: bool,
    /// The versions that were seen last.
    seen: BTreeMap<Arc<str>, Version>,
    calls: u64,
    listing: Option<u64>,
    out: VecDeque<Action>,
}

impl Coordinator {
    pub(super) fn new(lock: LockRef) -> Self {
        Self {
            lock,
            parameters: Parameters::default(),
            next: Instant::default(),
            requeue: None,
            queued: true,
            seen: BTreeMap::new(),
            calls: 0,
            listing: None,
            out: VecDeque::new(),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Now) {
        if self.next <= now.instant {
            self.next = now.instant + WATCH.as_duration();
            self.listing = Some(self.call(Call::List { label: None }));
        }
    }

    pub(super) fn handle_answer(&mut self, now: Now, id: u64, answer: &Result<Answer, Failure>) {
        match answer {
            Ok(Answer::List(objects, _)) if self.listing == Some(id) => self.look(now, objects),
            Ok(_) => {}
            Err(_) => self.queued |= self.listing != Some(id),
        }
    }

    pub(super) fn poll_action(&mut self) -> Option<Action> {
        self.out.pop_front()
    }

    pub(super) const fn poll_timeout(&self) -> Instant {
        self.next
    }

    fn call(&mut self, call: Call) -> u64 {
        self.calls += 1;
        self.out.push_back(Action::Call { id: self.calls, call });
        self.calls
    }

    /// `enqueueLease` and `enqueueCandidate`, then, if something is in the queue, a step.
    fn look(&mut self, now: Now, objects: &[StoredLease]) {
        let mut seen = BTreeMap::new();
        let mut candidates = Vec::new();
        let mut lease: Option<(&Lease, &Version)> = None;
        for stored in objects {
            let name = &stored.object.metadata().name;
            let candidate = object::decode(stored);
            // A candidate that was pinged and has not answered changes nothing.
            let counts = candidate.as_ref().is_none_or(|one| one.candidate.spec.is_acked());
            self.queued |= counts && self.seen.get(name) != Some(&stored.version);
            seen.insert(Arc::clone(name), stored.version.clone());
            match (candidate, &stored.object) {
                (Some(candidate), _) => candidates.push(candidate),
                (None, Object::Lease(found)) if **name == *self.lock.name => {
                    lease = Some((found, &stored.version));
                }
                _ => {}
            }
        }
        self.queued |= self.seen.keys().any(|name| !seen.contains_key(name));
        self.seen = seen;
        let due = self.requeue.is_some_and(|due| due <= now.instant);
        if self.queued || due {
            self.step(now, lease, &candidates);
        }
    }

    fn step(&mut self, now: Now, lease: Option<(&Lease, &Version)>, candidates: &[Stored]) {
        self.queued = false;
        let step = reconcile(&self.parameters, &self.lock, now.timestamp, lease, candidates);
        // A step that does not ask for another leaves the one that is asked for.
        let requeue = step.requeue.map(|after| now.instant + after);
        let due = self.requeue.filter(|due| *due > now.instant);
        self.requeue = match (requeue, due) {
            (Some(requeue), Some(due)) => Some(requeue.min(due)),
            (requeue, due) => requeue.or(due),
        };
        match step.action {
            Does::Nothing => {}
            Does::Ping(pings) => {
                for Stored { candidate, version } in pings {
                    self.update(object::encode(&candidate), &version);
                }
            }
            Does::Create(lease) => {
                self.call(Call::Create(Object::Lease(lease)));
            }
            Does::Update(lease, version) => self.update(Object::Lease(lease), &version),
            Does::Fail(_) => self.out.push_back(Action::Note { kind: note::FAILED, a: 0, b: 0 }),
        }
    }

    fn update(&mut self, object: Object, version: &Version) {
        let version = version.as_ordered().unwrap_or(0);
        self.call(Call::Update { object, version });
    }
}
