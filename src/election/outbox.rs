//! What waits to be polled.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use super::{Config, Event, Op, Request, RequestId};
use crate::lock::LockRef;
use crate::time::Instant;

/// The id of an elector's first request.
pub(super) const FIRST: RequestId = RequestId(0);

/// One of the objects that carry the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    /// The lock, or the first object of two.
    Primary,
    /// The second object, if there are two.
    Secondary,
}

impl Part {
    /// What it is called.
    pub(super) fn of(self, config: &Config) -> &LockRef {
        match self {
            Self::Primary => &config.lock,
            Self::Secondary => config.secondary.as_ref().unwrap_or(&config.lock),
        }
    }
}

/// The one request and the events that the driver has not fetched yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Outbox {
    primary: Arc<LockRef>,
    secondary: Arc<LockRef>,
    request: Option<Request>,
    events: VecDeque<Event>,
    next_id: u64,
}

impl Outbox {
    pub(super) fn new(config: &Config) -> Self {
        let primary = Arc::new(config.lock.clone());
        let secondary = config.secondary.clone().map_or_else(|| primary.clone(), Arc::new);
        // A term seldom makes more than four events between two polls.
        let events = VecDeque::with_capacity(4);
        Self { primary, secondary, request: None, events, next_id: 0 }
    }

    /// Asks for `op`; a request that was not fetched yet is replaced, since its answer is no longer
    /// wanted.
    pub(super) fn request(&mut self, part: Part, op: Op, deadline: Option<Instant>) -> RequestId {
        let id = RequestId(self.next_id);
        self.next_id += 1;
        let lock = match part {
            Part::Primary => self.primary.clone(),
            Part::Secondary => self.secondary.clone(),
        };
        self.request = Some(Request { id, lock, op, deadline });
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

    pub(super) const fn has_request(&self) -> bool {
        self.request.is_some()
    }

    pub(super) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    pub(super) const fn take_request(&mut self) -> Option<Request> {
        self.request.take()
    }

    pub(super) fn take_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
