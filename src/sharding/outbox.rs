use alloc::collections::VecDeque;

use super::{Event, Op, Request, RequestId};
use crate::time::Instant;

/// The requests and events that the driver has not fetched yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Outbox {
    requests: VecDeque<Request>,
    events: VecDeque<Event>,
    next_id: u64,
}

impl Outbox {
    /// The id of a request that is made now.
    pub(super) const fn name(&mut self) -> RequestId {
        let id = RequestId(self.next_id);
        self.next_id += 1;
        id
    }

    pub(super) fn request(&mut self, op: Op, deadline: Instant) -> RequestId {
        let id = self.name();
        self.requests.push_back(Request { id, op, deadline });
        id
    }

    /// Takes back a request that was not fetched yet.
    pub(super) fn withdraw(&mut self, id: RequestId) {
        self.requests.retain(|request| request.id != id);
    }

    /// The next request gets the id that the first gets after the [restated](super::Restatement) ones.
    pub(super) fn restate(&mut self) {
        self.next_id = 32;
    }

    pub(super) fn event(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(super) fn take_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    pub(super) fn take_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
