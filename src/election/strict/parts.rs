//! A step takes a request for each object of the lock, one after the other.

use super::prefer::prefer;
use super::view::{Known, parts};
use super::{Call, Step, Strict, UNCLAIMED, changed, without};
use crate::election::elector::Context;
use crate::election::outbox::Part;
use crate::election::{Op, Rule, object};
use crate::lock::{Identity, Kind, Record};
use crate::time::{Instant, Now, Timestamp};

impl Strict {
    /// Sends the first request of `step`. False if the step has nothing to ask for.
    pub(super) fn begin(&mut self, cx: &mut Context<'_>, now: Now, step: Step) -> bool {
        self.advance(cx, now, step, None, now.instant)
    }

    /// Sends the request that follows `call`. False if that was the last of its step.
    pub(super) fn go_on(&mut self, cx: &mut Context<'_>, now: Now, call: &Call) -> bool {
        self.advance(cx, now, call.step, Some(call.part), call.sent)
    }

    /// Sends the request of `step` for the next object `after` one; `sent` is when the step began.
    fn advance(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        step: Step,
        after: Option<Part>,
        sent: Instant,
    ) -> bool {
        let rest = parts(cx.config).iter().filter(|&&part| after.is_none_or(|last| last < part));
        for &part in rest {
            let Some(op) = self.op(cx, now, step, part) else { continue };
            let over = if let Op::Update(_, version) = &op { Some(version.clone()) } else { None };
            // An acquisition answered later than this would begin a term that has already ended.
            let end = self.held_until().unwrap_or(sent + cx.config.renew_deadline);
            let deadline =
                cx.config.request_timeout.map_or(end, |timeout| end.min(now.instant + timeout));
            let id = cx.out.request(part, op, Some(deadline));
            self.call = Some(Call { id, step, part, sent, deadline, over });
            return true;
        }
        false
    }

    /// What `step` asks of an object; `None` if nothing. A write over an object is always over a
    /// version that this replica has read or written.
    fn op(&self, cx: &Context<'_>, now: Now, step: Step, part: Part) -> Option<Op> {
        let known = self.view.get(part);
        let create =
            |holder| Some(Op::Create(object::with(cx.config, part, &first(cx, now, holder))));
        let record = match step {
            Step::Look | Step::Recheck | Step::ReleaseLook => return Some(Op::Get),
            Step::Placeholder if known.is_some() => return None,
            Step::Placeholder => return create(UNCLAIMED.into()),
            Step::Found => return create(cx.holder.clone()),
            Step::Release if !self.view.names(part, cx.holder) && cx.holds(Rule::OwnRelease) => {
                return None;
            }
            Step::Wish if self.wish(cx, now.instant) != Some(part) => return None,
            Step::Wish => {
                let mut object = known?.object.clone();
                prefer(&mut object, cx.holder);
                return Some(Op::Update(object, known?.seen.version.clone()));
            }
            Step::Take => term(cx, now, known?),
            Step::Renew => renewed(cx, now, known?),
            Step::Release => released(cx, now, known?, &self.successor),
        };
        let known = known?;
        let mut object = known.object.clone();
        object::put(cx.config, &record, &mut object);
        // A wish stands until it was fulfilled, or another term begins.
        if step != Step::Renew {
            prefer(&mut object, &self.successor);
        }
        Some(Op::Update(object, known.seen.version.clone()))
    }
}

/// A new term's first record over what is known.
fn term(cx: &Context<'_>, now: Now, known: &Known) -> Record {
    let before = &known.seen.record;
    // Of an object that names me already, an unanswered write took effect; the term is the one
    // that it began.
    if before.holder == *cx.holder {
        return renewed(cx, now, known);
    }
    let leader_transitions = if cx.holds(Rule::CountTransitions) {
        next_transition(before)
    } else {
        before.leader_transitions
    };
    Record { leader_transitions, ..first(cx, now, cx.holder.clone()) }
}

fn first(cx: &Context<'_>, now: Now, holder: Identity) -> Record {
    Record {
        holder,
        lease_duration_seconds: cx.config.recorded_seconds(),
        acquire_time: Some(writable(now.timestamp)),
        renew_time: Some(writable(now.timestamp)),
        ..Record::default()
    }
}

fn renewed(cx: &Context<'_>, now: Now, known: &Known) -> Record {
    let before = &known.seen.record;
    // Microseconds, or seconds: what a Lease and an annotation can say.
    let unit = if known.object.kind() == Kind::Lease { 1_000 } else { 1_000_000_000 };
    Record {
        lease_duration_seconds: cx.config.recorded_seconds(),
        renew_time: Some(if cx.holds(Rule::FreshRenewal) {
            changed(before.renew_time, writable(now.timestamp), unit)
        } else {
            writable(now.timestamp).truncate_to_seconds()
        }),
        ..without::kept(cx, now, before)
    }
}

fn released(cx: &Context<'_>, now: Now, known: &Known, successor: &Identity) -> Record {
    Record {
        // The others wait for a successor as long as they would for me.
        lease_duration_seconds: if successor.is_empty() { 1 } else { cx.config.recorded_seconds() },
        acquire_time: Some(writable(now.timestamp)),
        renew_time: Some(writable(now.timestamp)),
        leader_transitions: known.seen.record.leader_transitions,
        ..Record::default()
    }
}

/// The nearest time that can be read again: one of a year of four digits, less the second by which
/// [`changed`] may go beyond. A wall clock that is out of its mind must not hide who leads.
fn writable(time: Timestamp) -> Timestamp {
    const LAST: i128 = 253_402_214_400; // 9999-12-31
    time.clamp(Timestamp::GO_ZERO, Timestamp::from_unix_nanos(LAST * 1_000_000_000))
}

/// One more, within what a Lease may hold (0 to 2³¹ - 1).
fn next_transition(record: &Record) -> i64 {
    record.leader_transitions.clamp(0, i64::from(i32::MAX) - 1) + 1
}
