//! What a watch of the store shows.
//!
//! Why this is safe: a version that is delivered took effect before, so that a wait that begins with
//! the delivery begins no sooner than with a read. The takeover is a compare-and-swap on just that
//! version: if it succeeds, nothing was written since. A late, repeated or reordered delivery can
//! make a candidate wait or look, and its compare-and-swap fail. A leader gains nothing by any.

use super::view::parts;
use super::{Phase, Step, Strict};
use crate::election::elector::Context;
use crate::election::outbox::Part;
use crate::election::{Config, Rule, Stored, Watched};
use crate::lock::{LockRef, Object, Version};
use crate::time::Now;

impl Strict {
    pub(in crate::election) fn handle_watch(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        watched: Watched,
    ) {
        self.lapse(cx, now);
        match watched {
            Watched::Deleted => self.look(now),
            Watched::Stored(stored) => match place(cx.config, &stored.object) {
                Place::Of(part) => self.shown(cx, now, part, stored),
                // My own renewals are shown, too: to read at each and then renew would be a loop.
                Place::Unclear if stored.object.is_held_by(cx.holder) => {}
                Place::Unclear => self.look(now),
                Place::Other => {}
            },
        }
        self.handle_timeout(cx, now);
    }

    fn shown(&mut self, cx: &mut Context<'_>, now: Now, part: Part, stored: Stored) {
        let age = self.view.get(part).map(|known| Age::of(&stored.version, &known.seen.version));
        let age = age.unwrap_or(Age::Newer);
        if matches!(age, Age::NotNewer) {
            return;
        }
        match self.phase {
            Phase::Leading { .. } | Phase::Draining { .. } => {
                self.leader_was_shown(cx, now, part, stored, &age);
            }
            Phase::Candidate => self.candidate_was_shown(cx, now, part, stored),
            Phase::Lapsed | Phase::Releasing { .. } | Phase::Finished => {}
        }
    }

    /// What names me is most often my own renewal, answered or not: that gives nothing. But somebody
    /// else may have written a wish, or a label, and the next renewal must be over that.
    fn leader_was_shown(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        part: Part,
        stored: Stored,
        age: &Age,
    ) {
        match (stored.object.is_held_by(cx.holder), age) {
            (true, Age::Newer) => {
                self.observe(cx, now, part, stored);
                self.heed(cx);
            }
            (true, _) => {}
            // Rule 3.
            (false, Age::Newer) if cx.holds(Rule::AnotherEnds) => {
                self.observe(cx, now, part, stored);
                self.preempted(cx, now);
            }
            // It may be from before my term.
            (false, _) => self.look(now),
        }
    }

    /// It waits from now on, and leaves the reading to the watch while that delivers.
    fn candidate_was_shown(&mut self, cx: &mut Context<'_>, now: Now, part: Part, stored: Stored) {
        self.observe(cx, now, part, stored);
        if let Some(known) = self.view.get_mut(part) {
            known.watched = true;
        }
        self.report(cx);
        // A look that is under way would only say the same.
        if self.take_due(cx).is_some_and(|due| due <= now.instant) {
            self.call.take_if(|call| call.step == Step::Look);
        }
        if self.call.is_none() && !self.stopping {
            // A leader that renews each retry period is heard of in time. What the watch does not
            // show is read as without it.
            if self.rests_on_watch(cx.config) {
                self.wait_longer(cx, now, cx.config.retry_period);
            }
            self.begin(cx, now, Step::Wish);
        }
    }

    /// Whether a candidate need not read. One whose takeover was not answered may be shown just that,
    /// and would try again at once, again and again: it reads first, when that is due.
    pub(super) fn rests_on_watch(&self, config: &Config) -> bool {
        !self.uncertain && self.view.watched(config)
    }

    /// Reads as soon as may be. Of a renewal that is under way the answer is not waited for: it may
    /// be of before.
    fn look(&mut self, now: Now) {
        match self.phase {
            Phase::Candidate => self.next = now.instant,
            Phase::Leading { .. } | Phase::Draining { .. } => {
                self.call.take_if(|call| call.step == Step::Renew);
                self.uncertain = true;
                self.next = now.instant;
            }
            Phase::Lapsed | Phase::Releasing { .. } | Phase::Finished => {}
        }
    }

    /// What is known must be read again before it is acted on.
    pub(super) fn distrust(&mut self) {
        for known in self.view.known_mut() {
            known.watched = false;
        }
    }
}

enum Age {
    Newer,
    /// Older, or the same.
    NotNewer,
    /// Another, of a store whose versions are not ordered.
    Unknown,
}

impl Age {
    fn of(shown: &Version, known: &Version) -> Self {
        match (shown.as_ordered(), known.as_ordered()) {
            (Some(shown), Some(known)) if shown > known => Self::Newer,
            (Some(_), Some(_)) => Self::NotNewer,
            _ if shown == known => Self::NotNewer,
            _ => Self::Unknown,
        }
    }
}

/// Which object of the lock something is.
enum Place {
    Of(Part),
    /// None.
    Other,
    /// Any of several.
    Unclear,
}

fn place(config: &Config, object: &Object) -> Place {
    let metadata = object.metadata();
    // A backend without names may leave them empty.
    let fits = |lock: &LockRef| {
        let fits = |own: &str, shown: &str| shown.is_empty() || own == shown;
        lock.kind == object.kind()
            && fits(&lock.name, &metadata.name)
            && fits(&lock.namespace, &metadata.namespace)
    };
    let mut fitting = parts(config).iter().filter(|part| fits(part.of(config)));
    match (fitting.next(), fitting.next()) {
        (Some(part), None) => Place::Of(*part),
        (None, _) => Place::Other,
        (Some(_), Some(_)) => Place::Unclear,
    }
}
