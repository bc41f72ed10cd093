//! For explorers of all states: electors that will do the same, made equal.

use super::view::View;
use super::{Phase, Strict, Token};
use crate::election::elector::{Context, Restatement};
use crate::election::outbox::FIRST;
use crate::time::Instant;

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
        if let Some(call) = &mut self.call {
            let oldest =
                to.before_now(cx.config.renew_deadline.saturating_add(cx.config.retry_period));
            call.sent = to.shift(call.sent.max(oldest));
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
            // Of my own record, or nobody's, the age does not count; of another's, that it expired.
            let oldest = known.hold(cx).map_or(to.now, |hold| to.before_now(hold));
            known.seen.at = to.shift(known.seen.at.max(oldest));
            known.seen.version = (to.rename)(&known.seen.version);
        }
        self.token = self.token.and_then(|token| {
            let version = crate::lock::Version::ordered(token.as_u64());
            (to.rename)(&version).as_ordered().map(Token::from_u64)
        });
        self.call.is_some()
    }
}
