//! Handing the lock over to somebody in particular.
//!
//! The name of the one who should have the lock next stands in an annotation of the object, since the
//! Lease's own field for it is refused without a strategy and dropped by servers without coordinated
//! election. On a record that somebody holds it is a wish. On a free one it says who may take it at
//! once; all others wait as long as the record says, so that a successor who died delays nobody for
//! longer. A new term removes it.
//!
//! Why this is safe: it gives nobody a right. Everybody takes what is free by compare-and-swap, as
//! ever, and most wait longer before they do; who does not know the annotation does not wait.

use alloc::sync::Arc;

use super::view::{Known, parts};
use super::{Phase, Strict, UNCLAIMED};
use crate::election::elector::Context;
use crate::election::outbox::Part;
use crate::election::{Cause, Event};
use crate::lock::{Identity, Object, UNKNOWN_HOLDER};
use crate::time::{Instant, Now};

/// The annotation that names who should hold the lock next.
const PREFERRED: &str = "tenure.dev/preferred-holder";

/// Who should hold the lock next; empty if nobody in particular.
pub(super) fn preferred(object: &Object) -> &str {
    object.metadata().annotations.get(PREFERRED).map_or("", AsRef::as_ref)
}

/// Whether a successor's name is mine: with the incarnation, or without it, as those know it who have
/// not seen this life.
pub(super) fn is_me(cx: &Context<'_>, name: &str) -> bool {
    name == cx.holder.as_str() || name == cx.config.identity.as_str()
}

/// Says who should hold the lock next. Copies nothing that does not change.
pub(super) fn prefer(object: &mut Object, name: &Identity) {
    if preferred(object) == name.as_str() {
        return;
    }
    let annotations = &mut Arc::make_mut(object.metadata_mut()).annotations;
    if name.is_empty() {
        annotations.remove(PREFERRED);
    } else {
        annotations.insert(PREFERRED.into(), name.as_str().into());
    }
}

impl Strict {
    pub(in crate::election) fn hand_over(&mut self, cx: &mut Context<'_>, now: Now, to: Identity) {
        self.handle_timeout(cx, now);
        self.give_to(cx, to);
    }

    /// As if stopped, but that it names a successor and then goes on.
    fn give_to(&mut self, cx: &mut Context<'_>, to: Identity) {
        let Phase::Leading { until, .. } = self.phase else { return };
        if to.is_empty() || is_me(cx, to.as_str()) {
            return;
        }
        self.phase = Phase::Draining { until };
        self.successor = to;
        self.token = None;
        cx.out.event(Event::StoppedLeading { cause: Cause::HandedOver });
    }

    /// A leader has renewed, or was shown its own record: does that bear a wish?
    pub(super) fn heed(&mut self, cx: &mut Context<'_>) {
        if cx.config.preferred || !matches!(self.phase, Phase::Leading { .. }) {
            return;
        }
        let name = {
            let mut wished = self.view.known().map(|known| preferred(&known.object));
            wished.find(|name| !name.is_empty()).map(Identity::from)
        };
        self.give_to(cx, name.unwrap_or_default());
    }

    /// Where a candidate that should lead can say so: an object that somebody holds, if nobody has
    /// said so there. Of two, the first: whoever holds it reads it. Once for each holder where a store
    /// keeps no annotations: to write it again and again would restart everybody's wait after a holder
    /// that died.
    pub(super) fn wish(&self, cx: &Context<'_>, at: Instant) -> Option<Part> {
        if !cx.config.preferred || self.working {
            return None;
        }
        let held = |known: &Known| {
            let holder = &known.seen.record.holder;
            let somebody = !holder.is_empty() && holder != cx.holder;
            let named = ![UNCLAIMED, UNKNOWN_HOLDER].contains(&holder.as_str());
            somebody && named && known.due(cx) > at
        };
        let part = *parts(cx.config).iter().find(|&&part| self.view.get(part).is_some_and(held))?;
        let unsaid = |known: &&Known| preferred(&known.object).is_empty() && !known.wished;
        self.view.get(part).filter(unsaid).map(|_| part)
    }
}
