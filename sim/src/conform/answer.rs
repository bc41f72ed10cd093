//! Whether a recorded call can have had the result that it has.

use super::compare::Difference;
use super::format::{Event, NOT_SENT_DONE, NOT_SENT_NAME, Outcome, Verb};

/// What of a call contradicts its result.
pub(super) fn contradiction(event: &Event, verb: Verb, outcome: Outcome) -> Option<Difference> {
    let no = |expected: &str, got: &str| Some((expected.to_owned(), got.to_owned()));
    if verb.writes() != event.request.is_some() {
        return if verb.writes() {
            no(&format!("{} with a request", verb.text()), "none")
        } else {
            no("get without a request", "one")
        };
    }
    if (outcome == Outcome::Ok) != event.response.is_some() {
        let got = if event.response.is_some() { "one" } else { "none" };
        return no(&format!("result {} with the response that it has", outcome.text()), got);
    }
    let text = event.error.as_deref();
    if outcome == Outcome::Ok && text.is_some() {
        return no("ok without an error", text.unwrap_or_default());
    }
    let ends_late = event.end_ns.is_some_and(|end| end < event.t_ns);
    if ends_late || (outcome.is_seen() && event.end_ns.is_none()) {
        return no("end_ns, not before t_ns", &format!("{:?}", event.end_ns));
    }
    let executed = event.server_result.is_some();
    if executed != event.server_seq.is_some() || executed != event.applied_ns.is_some() {
        return no("applied_ns, server_seq and server_result together", "one without another");
    }
    check_note(event, outcome)
}

/// A result must be one that the store's own result and the fault allow.
fn check_note(event: &Event, outcome: Outcome) -> Option<Difference> {
    if !outcome.is_seen() {
        return None;
    }
    let server = event.server_result.as_deref();
    let answered = outcome != Outcome::Error;
    let (fits, expected) = match event.note.as_deref() {
        None if answered => (server == Some(outcome.text()), server.unwrap_or("error")),
        Some("conflict") => {
            (server.is_none() && matches!(outcome, Outcome::Conflict | Outcome::Error), "conflict")
        }
        Some("error" | "unavailable" | "blackhole" | NOT_SENT_NAME | NOT_SENT_DONE) => {
            (server.is_none() && !answered, "error, not executed")
        }
        Some("lose_response" | "error_after_apply") => (!answered, "error"),
        None | Some(_) => (true, ""),
    };
    if !fits {
        return Some((format!("result {expected}"), outcome.text().to_owned()));
    }
    // Whatever was answered did not run into a time-out.
    let text = event.error.as_deref().unwrap_or_default();
    let gave_up = text.starts_with("context ") || text.contains("Client.Timeout");
    (answered && gave_up).then(|| ("result error".to_owned(), outcome.text().to_owned()))
}

/// Whether this error must be the client's own: it was no answer, so something made it give up.
pub(super) fn is_given_up(event: &Event, outcome: Outcome) -> bool {
    let own = matches!(
        event.note.as_deref(),
        None | Some("conflict" | "blackhole" | "lose_response" | NOT_SENT_DONE)
    );
    outcome == Outcome::Error && own
}
