//! What waits to be polled.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use super::{Event, Op, Request, RequestId};
use crate::lock::LockRef;
use crate::time::Instant;

/// The id of an elector's first request.
pub(super) const FIRST: RequestId = RequestId(0);

/// The one request and the events that the driver has not fetched yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Outbox {
    lock: Arc<LockRef>,
    request: Option<Request>,
    events: VecDeque<Event>,
    next_id: u64,
}

impl Outbox {
    pub(super) fn new(lock: Arc<LockRef>) -> Self {
        // A term seldom makes more than four events between two polls.
        Self { lock, request: None, events: VecDeque::with_capacity(4), next_id: 0 }
    }

    /// Asks for `op`; a request that was not fetched yet is replaced, since its answer is no longer
    /// wanted.
    pub(super) fn request(&mut self, op: Op, deadline: Option<Instant>) -> RequestId {
        let id = RequestId(self.next_id);
        self.next_id += 1;
        self.request = Some(Request { id, lock: self.lock.clone(), op, deadline });
        id
    }

    /// Takes back a request that was not fetched yet.
    pub(super) fn withdraw(&mut self) {
        self.request = None;
    }

    /// For explorers: counts anew, as if the outstanding request had been the first.
    pub(super) fn recount(&mut self, outstanding: bool) {
        self.next_id = u64::from(outstanding);
    }

    pub(super) fn event(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(super) const fn take_request(&mut self) -> Option<Request> {
        self.request.take()
    }

    pub(super) fn take_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
