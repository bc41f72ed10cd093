//! For explorers of all states: electors that will do the same, made equal.

use super::answer::wait_for;
use super::{Phase, Strict, Token};
use crate::election::elector::{Context, Restatement};
use crate::election::object;
use crate::election::outbox::FIRST;
use crate::time::{Instant, saturating_nanos};

impl Strict {
    /// True if a request is outstanding.
    pub(in crate::election) fn restate(
        &mut self,
        cx: &Context<'_>,
        to: &mut Restatement<'_>,
    ) -> bool {
        // What is past is as good as due now; how long ago it was decides nothing.
        let due = |at: Instant| to.shift(at.max(to.now));
        self.next = due(self.next);
        if let Phase::Leading { until } | Phase::Draining { until } | Phase::Releasing { until } =
            &mut self.phase
        {
            *until = due(*until);
        }
        let mut judged = to.now;
        if let Some(call) = &mut self.call {
            let longest = cx.config.renew_deadline.saturating_add(cx.config.retry_period);
            let oldest = earlier(to.now, longest);
            judged = call.sent.max(oldest);
            call.sent = to.shift(judged);
            call.deadline = due(call.deadline);
            call.id = FIRST;
        }
        if self.is_finished() {
            (self.seen, self.object) = (None, None);
        }
        let mine = self.names_me(cx);
        if let Some(seen) = &mut self.seen {
            // Of my own record, or nobody's, the age does not count; of another's, that it expired
            // when the outstanding request was sent, by which expiry is judged.
            let wait = wait_for(&seen.record, cx);
            let free = mine || seen.record.holder.is_empty();
            seen.at = to.shift(if free { to.now } else { seen.at.max(earlier(judged, wait)) });
            seen.version = (to.rename)(&seen.version);
            (to.rewrite)(&mut seen.record);
        }
        match (&self.seen, &mut self.object) {
            (Some(seen), Some(object)) => object::put(cx.config, &seen.record, object),
            // Without a version there is nothing to swap it on.
            (_, object) => *object = None,
        }
        self.token = self.token.and_then(|token| {
            let version = crate::lock::Version::ordered(token.as_u64());
            (to.rename)(&version).as_ordered().map(Token::from_u64)
        });
        self.call.is_some()
    }
}

fn earlier(at: Instant, by: core::time::Duration) -> Instant {
    Instant::from_nanos(at.as_nanos().saturating_sub(saturating_nanos(by)))
}
