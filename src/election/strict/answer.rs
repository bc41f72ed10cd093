//! What follows an answer.

use super::prefer::preferred;
use super::view::parts;
use super::{Call, Phase, Step, Strict, gained, without};
use crate::election::elector::Context;
use crate::election::{Cause, Failure, Missing, Rule, Stored};
use crate::time::{Instant, Now};

impl Strict {
    pub(super) fn succeeded(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        call: &Call,
        stored: Stored,
    ) {
        match call.step {
            Step::Take | Step::Found | Step::Renew if !self.took_effect(cx, call, &stored) => {
                // Look before anything is built on it.
                self.failed(cx, now, call, Failure::Other);
            }
            Step::Look => {
                if !self.overtaken(call, &stored) {
                    self.observe(cx, now, call.part, stored);
                }
                self.looked_on(cx, now, call);
            }
            Step::Placeholder => {
                self.observe(cx, now, call.part, stored);
                if !self.go_on(cx, now, call) {
                    self.report(cx);
                    self.wait(cx, now);
                }
            }
            Step::Take | Step::Found => {
                self.wrote(cx, now, call.part, stored);
                self.took(cx, now, call);
            }
            Step::Renew => {
                self.wrote(cx, now, call.part, stored);
                if !self.go_on(cx, now, call) {
                    self.report(cx);
                    self.renew_succeeded(cx, now, call.sent);
                }
            }
            Step::Recheck => {
                self.observe(cx, now, call.part, stored);
                self.rechecked(cx, now, call);
            }
            Step::ReleaseLook => {
                self.observe(cx, now, call.part, stored);
                self.release_looked(cx, now, call);
            }
            Step::Release => {
                self.wrote(cx, now, call.part, stored);
                if !self.go_on(cx, now, call) {
                    if !self.stopping {
                        self.report(cx);
                    }
                    self.finish(cx, now);
                }
            }
            Step::Wish => {
                self.observe(cx, now, call.part, stored);
                if let Some(known) = self.view.get_mut(call.part) {
                    known.wished = preferred(&known.object).is_empty();
                }
                self.wait(cx, now);
            }
        }
        self.leave_if_idle(cx, now);
    }

    pub(super) fn failed(&mut self, cx: &mut Context<'_>, now: Now, call: &Call, failure: Failure) {
        if matches!(call.step, Step::Take | Step::Wish) {
            self.distrust();
        }
        match (call.step, without::heard(cx, call.step, failure)) {
            (Step::Renew, _) if without::renews(cx, failure) => {
                self.renew_succeeded(cx, now, call.sent);
            }
            (Step::Look, Failure::NotFound) => {
                self.view.forget(call.part);
                self.looked_on(cx, now, call);
            }
            (Step::Renew, Failure::Conflict | Failure::NotFound) if !self.uncertain => {
                self.begin(cx, now, Step::Recheck);
            }
            (Step::Recheck, Failure::NotFound) if cx.holds(Rule::MissingEnds) => {
                self.view.forget(call.part);
                self.lose(cx, now, Cause::Deleted);
            }
            (Step::Renew | Step::Recheck, _) => {
                self.uncertain = true;
                self.next = (call.sent + cx.config.retry_period).max(now.instant);
            }
            (Step::ReleaseLook, Failure::NotFound) => {
                self.view.forget(call.part);
                self.release_looked(cx, now, call);
            }
            (Step::Release, Failure::Conflict) if !self.uncertain => {
                self.uncertain = true;
                self.begin(cx, now, Step::ReleaseLook);
            }
            (Step::ReleaseLook | Step::Release, _) => {
                self.next = now.instant + cx.config.retry_period;
            }
            (Step::Take | Step::Found, Failure::Other) => {
                self.uncertain = true;
                self.try_again(cx, now);
            }
            (Step::Look | Step::Placeholder | Step::Take | Step::Found | Step::Wish, _) => {
                self.try_again(cx, now);
            }
        }
        self.leave_if_idle(cx, now);
    }

    /// A candidate that was asked to stop leaves when nothing is under way.
    fn leave_if_idle(&mut self, cx: &mut Context<'_>, now: Now) {
        if self.stopping && matches!(self.phase, Phase::Candidate) && self.call.is_none() {
            self.wind_up(cx, now);
        }
    }

    /// A candidate has read an object, or found none.
    fn looked_on(&mut self, cx: &mut Context<'_>, now: Now, call: &Call) {
        if self.go_on(cx, now, call) {
            return;
        }
        self.report(cx);
        self.uncertain = false;
        match self.view.due(cx) {
            None => self.missing(cx, now),
            // The work of the last term may still run: then this replica only watches.
            Some(due) if self.is_over(cx, now, call, due) && self.may_take() => {
                self.begin(cx, now, Step::Take);
            }
            Some(_) => {
                self.wait(cx, now);
                self.begin(cx, now, Step::Wish);
            }
        }
    }

    /// Whether the wait for what was just read had come to its end when the read was sent.
    fn is_over(&self, cx: &Context<'_>, now: Now, call: &Call, due: Instant) -> bool {
        match without::is_over(cx, now, &self.view, due) {
            Some(over) => over,
            None if cx.holds(Rule::AtTheEnd) => due <= call.sent,
            None => due < call.sent,
        }
    }

    /// Whether a watch has shown a later version since the request was sent.
    fn overtaken(&self, call: &Call, stored: &Stored) -> bool {
        self.view.get(call.part).is_some_and(|known| {
            let shown = known.watched && known.seen.at >= call.sent;
            shown && known.seen.version.as_ordered() > stored.version.as_ordered()
        })
    }

    /// A candidate has found no lock, or not all of it.
    fn missing(&mut self, cx: &mut Context<'_>, now: Now) {
        if self.standing_by {
            self.wait(cx, now);
            return;
        }
        let new_group = cx.config.missing == Missing::NewGroup && !self.working;
        let none = self.view.known().next().is_none();
        self.begin(cx, now, if new_group && none { Step::Found } else { Step::Placeholder });
    }

    /// A takeover has succeeded for an object. A watch may have shown meanwhile that another was
    /// faster at the next one, which may then not be written, nor be led.
    fn took(&mut self, cx: &mut Context<'_>, now: Now, call: &Call) {
        let open = |due: Instant| due <= now.instant;
        let lost = call.step == Step::Take && !self.view.due(cx).is_some_and(open);
        if !self.stopping && !lost && self.go_on(cx, now, call) {
            return;
        }
        self.report(cx);
        if self.stopping {
            self.wind_up(cx, now);
        } else if self.holds_all(cx) {
            self.lead(cx, call.sent, now);
        } else {
            self.wait(cx, now);
        }
    }

    /// Whether each object names me.
    fn holds_all(&self, cx: &Context<'_>) -> bool {
        let mut held = parts(cx.config).iter().map(|&part| self.view.names(part, cx.holder));
        if cx.holds(Rule::BothHeld) { held.all(|mine| mine) } else { held.any(|mine| mine) }
    }

    fn renew_succeeded(&mut self, cx: &mut Context<'_>, now: Now, sent: Instant) {
        self.renewed(cx, sent, now);
        let gained = gained(cx, sent, now);
        match &mut self.phase {
            Phase::Leading { until, warned } => {
                *until = (*until).max(gained);
                *warned = false;
            }
            Phase::Draining { until } => *until = (*until).max(gained),
            _ => {}
        }
        self.heed(cx);
    }

    /// A leader has learnt that an object names another.
    pub(super) fn preempted(&mut self, cx: &mut Context<'_>, now: Now) {
        self.report(cx);
        self.uncertain = false;
        self.lose(cx, now, Cause::Preempted);
    }

    /// A leader has read an object. One that names another ends it, whatever the others say.
    fn rechecked(&mut self, cx: &mut Context<'_>, now: Now, call: &Call) {
        if !self.view.names(call.part, cx.holder) && cx.holds(Rule::AnotherEnds) {
            self.preempted(cx, now);
        } else if !self.go_on(cx, now, call) {
            self.report(cx);
            // Stays so until a renewal succeeds: a second conflict says that reads are stale.
            self.uncertain = true;
            self.begin(cx, now, Step::Renew);
        }
    }

    /// Whether a write that was answered as a success makes me the holder, and made a version that
    /// candidates can see, after which no watch has shown another holder: else it gives no right.
    fn took_effect(&self, cx: &Context<'_>, call: &Call, stored: &Stored) -> bool {
        let lost = self.overtaken(call, stored) && !self.view.names(call.part, cx.holder);
        let same = call.over.as_ref() == Some(&stored.version);
        let new = !same || !cx.holds(Rule::SameVersionRenewsNothing);
        new && !lost && stored.object.is_held_by(cx.holder)
    }
}
