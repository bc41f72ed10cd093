//! What happens to one incarnation, in the order in which its elector must be told.

use super::format::{Event, NOT_SENT_DONE, Outcome};
use super::structure::{Call, Life};

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'t> {
    /// A call begins: number of the attempt, number of the call in it.
    Begin(usize, usize, Call<'t>),
    /// The elector sees how a call ended; the last one of its attempt or not.
    Answer(usize, bool, Call<'t>),
    /// Its context is cancelled.
    Stop(&'t Event),
}

/// All calls of a life and the cancellations between them.
pub(super) fn steps<'t>(life: &Life<'t>) -> Vec<Step<'t>> {
    let mut steps = Vec::new();
    for (number, tried) in life.attempts.iter().enumerate() {
        for (index, call) in tried.calls.iter().enumerate() {
            steps.push(Step::Begin(number, index, *call));
            if call.outcome.is_seen() {
                steps.push(Step::Answer(number, index + 1 == tried.calls.len(), *call));
            }
        }
    }
    for cancel in &life.cancels {
        let place = steps.iter().position(|step| comes_after(life, step, cancel));
        steps.insert(place.unwrap_or(steps.len()), Step::Stop(cancel));
    }
    steps
}

/// Whether the elector knows of the cancellation when the step happens. At one and the same time
/// the order of events tells, with two exceptions: an attempt whose turn came at that time may begin
/// although its context is done, and an answer was there before unless it says otherwise.
fn comes_after(life: &Life<'_>, step: &Step<'_>, cancel: &Event) -> bool {
    match step {
        Step::Begin(number, index, Call { event, .. }) => {
            let may_race =
                *index == 0 && life.attempts.get(*number).is_some_and(|tried| !tried.is_release);
            event.t_ns > cancel.t_ns
                || event.t_ns == cancel.t_ns && event.seq > cancel.seq && !may_race
        }
        Step::Answer(_, _, Call { event, outcome, .. }) => {
            let end_ns = event.end_ns.unwrap_or(i64::MAX);
            let text = event.error.as_deref().unwrap_or_default();
            let by_cancel = *outcome == Outcome::Error
                && (text.contains("context canceled")
                    || event.note.as_deref() == Some(NOT_SENT_DONE));
            end_ns > cancel.t_ns || end_ns == cancel.t_ns && by_cancel
        }
        Step::Stop(event) => event.seq > cancel.seq,
    }
}
