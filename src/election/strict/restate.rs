//! For explorers of all states: electors that will do the same, made equal.

use core::time::Duration;

use super::view::View;
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
        if let Phase::Leading { until, .. }
        | Phase::Draining { until }
        | Phase::Releasing { until } = &mut self.phase
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
        if let Some(over) = self.call.as_mut().and_then(|call| call.over.as_mut()) {
            *over = (to.rename)(over);
        }
        if self.is_finished() {
            self.view = View::default();
        }
        for known in self.view.known_mut() {
            // Of another's record it counts that it expired when the outstanding request was sent,
            // by which expiry is judged; of one that a watch showed, whether that was before.
            let at = known.seen.at;
            let at = match known.hold(cx) {
                Some(hold) => at.max(earlier(judged, hold)),
                None if known.watched && at < judged => earlier(judged, Duration::from_nanos(1)),
                None if known.watched => judged,
                None => to.now,
            };
            known.seen.at = to.shift(at);
            known.seen.version = (to.rename)(&known.seen.version);
            (to.rewrite)(&mut known.seen.record);
            object::put(cx.config, &known.seen.record, &mut known.object);
        }
        self.token = self.token.and_then(|token| {
            let version = crate::lock::Version::ordered(token.as_u64());
            (to.rename)(&version).as_ordered().map(Token::from_u64)
        });
        self.call.is_some()
    }
}

fn earlier(at: Instant, by: Duration) -> Instant {
    Instant::from_nanos(at.as_nanos().saturating_sub(saturating_nanos(by)))
}
