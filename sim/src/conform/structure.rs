//! A trace against itself: events, attempts and incarnations must fit together.
//!
//! What is refused here could not be told from the elector's side: an answer that was changed into
//! another one of the same effect, or a number that no decision depends on.

use std::collections::BTreeMap;

use super::driver::CallbackKind;
use super::format::{Attempt, ElectorSpec, Event, Outcome, Trace, Verb};
use super::{Divergence, Place, answer};

/// One incarnation of an elector.
#[derive(Debug)]
pub(super) struct Life<'t> {
    pub(super) spec: &'t ElectorSpec,
    pub(super) start: &'t Event,
    pub(super) attempts: Vec<Try<'t>>,
    pub(super) callbacks: Vec<(&'t Event, CallbackKind)>,
    pub(super) cancels: Vec<&'t Event>,
    pub(super) end: End<'t>,
}

/// How an incarnation ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum End<'t> {
    Returned(&'t Event),
    Crashed(&'t Event),
    /// It ran when the recording ended, at this time.
    Cut(i64),
}

/// An attempt and its calls.
#[derive(Debug)]
pub(super) struct Try<'t> {
    pub(super) attempt: &'t Attempt,
    pub(super) calls: Vec<Call<'t>>,
    pub(super) is_release: bool,
}

/// One call to the store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'t> {
    pub(super) event: &'t Event,
    pub(super) verb: Verb,
    pub(super) outcome: Outcome,
}

impl Life<'_> {
    /// When it ended, or the recording.
    pub(super) const fn end_ns(&self) -> i64 {
        match self.end {
            End::Returned(event) | End::Crashed(event) => event.t_ns,
            End::Cut(end) => end,
        }
    }
}

/// What an event is.
enum Kind {
    Call(Verb, Outcome),
    Start,
    Cancel,
    Crash,
    Returned,
    Callback(CallbackKind),
    Admin,
}

type Found<T> = Result<T, Divergence>;

pub(super) fn at(event: &Event, expected: impl Into<String>, got: impl Into<String>) -> Divergence {
    let elector = match (&event.elector, event.incarnation) {
        (Some(elector), Some(incarnation)) => format!("{elector}/{incarnation}"),
        _ => String::new(),
    };
    Divergence {
        place: Place::Seq(event.seq),
        elector,
        time_ns: event.t_ns,
        expected: expected.into(),
        got: got.into(),
    }
}

/// The trace's incarnations, after all that can be checked without a store or an elector.
pub(super) fn lives(trace: &Trace) -> Found<Vec<Life<'_>>> {
    check_numbers(&trace.events)?;
    let mut members: BTreeMap<(&str, u64), Vec<(&Event, Kind)>> = BTreeMap::new();
    for event in &trace.events {
        let kind = classify(event)?;
        if matches!(kind, Kind::Admin) {
            continue;
        }
        let (Some(elector), Some(incarnation)) = (&event.elector, event.incarnation) else {
            return Err(at(event, "elector and incarnation", "none"));
        };
        members.entry((elector, incarnation)).or_default().push((event, kind));
    }
    let mut attempts = attempts(trace)?;
    let mut lives: Vec<Life<'_>> = Vec::new();
    for ((elector, incarnation), events) in members {
        let own = attempts.remove(&(elector, incarnation)).unwrap_or_default();
        let before = lives.last().filter(|before| before.spec.id == elector);
        let life = life(trace, elector, events, own, before)?;
        lives.push(life);
    }
    match attempts.into_values().flatten().find_map(|tried| tried.calls.first().copied()) {
        Some(call) => Err(at(call.event, "an elector that has started", "none")),
        None => Ok(lives),
    }
}

/// Events are recorded in order of start.
pub(super) fn check_order(events: &[Event]) -> Found<()> {
    let pair = events.iter().zip(events.iter().skip(1)).find(|(a, b)| a.t_ns > b.t_ns);
    pair.map_or(Ok(()), |(before, event)| {
        let expected = format!("no time before that of seq {} ({} ns)", before.seq, before.t_ns);
        Err(at(event, expected, format!("{} ns", event.t_ns)))
    })
}

fn check_numbers(events: &[Event]) -> Found<()> {
    for (index, event) in (0..).zip(events) {
        if event.seq != index {
            let mut divergence =
                at(event, format!("the event with seq {index}"), format!("seq {}", event.seq));
            divergence.place = Place::Seq(event.seq.min(index));
            return Err(divergence);
        }
    }
    Ok(())
}

fn classify(event: &Event) -> Found<Kind> {
    if let Some(verb) = Verb::parse(&event.kind) {
        let text = event.result.as_deref().unwrap_or("none");
        let outcome = Outcome::parse(text).ok_or_else(|| at(event, "a result", text))?;
        return match answer::contradiction(event, verb, outcome) {
            Some((expected, got)) => Err(at(event, expected, got)),
            None => Ok(Kind::Call(verb, outcome)),
        };
    }
    match (event.kind.as_str(), &event.identity) {
        ("start", _) => Ok(Kind::Start),
        ("cancel", _) => Ok(Kind::Cancel),
        ("crash", _) => Ok(Kind::Crash),
        ("run_returned", _) => Ok(Kind::Returned),
        ("started_leading", _) => Ok(Kind::Callback(CallbackKind::StartedLeading)),
        ("stopped_leading", _) => Ok(Kind::Callback(CallbackKind::StoppedLeading)),
        ("new_leader", Some(identity)) => {
            Ok(Kind::Callback(CallbackKind::NewLeader(identity.clone())))
        }
        ("new_leader", None) => Err(at(event, "identity", "none")),
        (kind, _) if kind.starts_with("admin_") => Ok(Kind::Admin),
        (kind, _) => Err(at(event, "a known kind of event", kind)),
    }
}

/// The attempts of each incarnation, with their calls.
fn attempts(trace: &Trace) -> Found<BTreeMap<(&str, u64), Vec<Try<'_>>>> {
    let mut all: BTreeMap<(&str, u64), Vec<Try<'_>>> = BTreeMap::new();
    let mut owned = vec![false; trace.events.len()];
    for attempt in &trace.attempts {
        let tries = all.entry((&attempt.elector, attempt.incarnation)).or_default();
        let calls = calls(trace, attempt, &mut owned)?;
        let is_release = attempt.phase == "release";
        let this = Try { attempt, calls, is_release };
        let number = tries.len() as u64;
        let before = tries.last();
        check_attempt(&this, number, before).map_err(|(expected, got)| {
            let numbers: Vec<_> = attempt.calls.iter().map(u64::to_string).collect();
            let what = format!("attempt {} (calls {})", attempt.number, numbers.join(", "));
            Divergence {
                place: attempt.calls.last().map_or(Place::AfterSeq(0), |seq| Place::Seq(*seq)),
                elector: format!("{}/{}", attempt.elector, attempt.incarnation),
                time_ns: attempt.t_ns,
                expected: format!("{what} with {expected}"),
                got,
            }
        })?;
        tries.push(this);
    }
    let mut without = trace.events.iter().zip(owned).filter(|(_, owned)| !owned);
    match without.find(|(event, _)| Verb::parse(&event.kind).is_some()) {
        Some((event, _)) => Err(at(event, "no call outside of attempts", event.kind.as_str())),
        None => Ok(all),
    }
}

fn calls<'t>(trace: &'t Trace, attempt: &Attempt, owned: &mut [bool]) -> Found<Vec<Call<'t>>> {
    let mut calls = Vec::with_capacity(attempt.calls.len());
    for &seq in &attempt.calls {
        let what = || format!("a call of attempt {}", attempt.number);
        let index = usize::try_from(seq).unwrap_or(usize::MAX);
        let (Some(event), Some(taken)) = (trace.events.get(index), owned.get_mut(index)) else {
            return Err(Divergence {
                place: Place::Seq(seq),
                elector: format!("{}/{}", attempt.elector, attempt.incarnation),
                time_ns: attempt.t_ns,
                expected: what(),
                got: "the end of the trace".to_owned(),
            });
        };
        let named = event.elector.as_deref() == Some(&attempt.elector)
            && event.incarnation == Some(attempt.incarnation)
            && event.attempt == Some(attempt.number);
        match classify(event)? {
            Kind::Call(verb, outcome) if named && !*taken => {
                calls.push(Call { event, verb, outcome });
            }
            Kind::Call(..) => return Err(at(event, what(), "one of another attempt")),
            _ => return Err(at(event, what(), event.kind.as_str())),
        }
        *taken = true;
    }
    // Only the last one may have no end.
    match calls.iter().rev().skip(1).find(|call| !call.outcome.is_seen()) {
        Some(call) => Err(at(call.event, "an end of the call", call.outcome.text())),
        None => Ok(calls),
    }
}

fn check_attempt(
    tried: &Try<'_>,
    number: u64,
    before: Option<&Try<'_>>,
) -> Result<(), (String, String)> {
    let no = |expected: String, got: String| Err((expected, got));
    let Try { attempt, calls, is_release } = tried;
    let (Some(first), Some(last)) = (calls.first(), calls.last()) else {
        // The process may die just when it begins.
        let cut = !attempt.complete && attempt.returned != Some(true);
        return if cut { Ok(()) } else { no("at least one call".into(), "none".into()) };
    };
    if attempt.number != number {
        return no(format!("number {number}"), attempt.number.to_string());
    }
    if !is_release && attempt.phase != "try" {
        return no("phase try or release".into(), attempt.phase.clone());
    }
    if before.is_some_and(|before| before.is_release || !before.attempt.complete) {
        return no("no attempt before it that was the last".into(), "one".into());
    }
    if first.event.t_ns != attempt.t_ns {
        return no(format!("t_ns {}", attempt.t_ns), format!("{} of its call", first.event.t_ns));
    }
    for (call, next) in calls.iter().zip(calls.iter().skip(1)) {
        if next.event.seq <= call.event.seq {
            return no("its calls one after another".into(), "another order".into());
        }
    }
    if last.outcome.is_seen() && last.event.end_ns != attempt.end_ns {
        return no(format!("end_ns {:?}", attempt.end_ns), format!("{:?}", last.event.end_ns));
    }
    if attempt.complete && !last.outcome.is_seen() {
        return no("complete false".into(), "true".into());
    }
    let wrote = last.verb.writes() && last.outcome == Outcome::Ok;
    if attempt.returned.is_none() && attempt.complete || attempt.returned == Some(!wrote) {
        return no(format!("returned {wrote}"), format!("{:?}", attempt.returned));
    }
    Ok(())
}

fn life<'t>(
    trace: &'t Trace,
    elector: &str,
    events: Vec<(&'t Event, Kind)>,
    attempts: Vec<Try<'t>>,
    before: Option<&Life<'t>>,
) -> Found<Life<'t>> {
    let mut events = events.into_iter();
    let start = match events.next() {
        Some((event, Kind::Start)) => event,
        Some((event, _)) => return Err(at(event, "start before it", event.kind.as_str())),
        None => return Err(Divergence::nowhere("a life with events", "none")),
    };
    let Some(spec) = trace.electors.iter().find(|spec| spec.id == elector) else {
        return Err(at(start, "an elector of this trace", elector));
    };
    let end = End::Cut(trace.duration_ns);
    let mut life = Life { spec, start, attempts, callbacks: Vec::new(), cancels: Vec::new(), end };
    for (event, kind) in events {
        match life.end {
            End::Cut(_) => {}
            // The goroutine of a callback may run after Run has returned; its time is compared later.
            End::Returned(_) if matches!(kind, Kind::Callback(_)) => {}
            End::Returned(end) | End::Crashed(end) => {
                let got = format!("{} with seq {}", event.kind, event.seq);
                return Err(at(end, "nothing after the end of the incarnation", got));
            }
        }
        match kind {
            Kind::Start => return Err(at(event, "one start of each incarnation", "another")),
            Kind::Cancel => {
                check_stop(&life, before, event)?;
                life.cancels.push(event);
            }
            Kind::Crash => {
                check_stop(&life, before, event)?;
                life.end = End::Crashed(event);
            }
            Kind::Returned => life.end = End::Returned(event),
            Kind::Callback(kind) => life.callbacks.push((event, kind)),
            Kind::Call(..) | Kind::Admin => {}
        }
    }
    check_cut(&life)?;
    Ok(life)
}

/// Cancels and crashes must be planned, each for its time, or for the time between the incarnation
/// before and this one.
fn check_stop(life: &Life<'_>, before: Option<&Life<'_>>, event: &Event) -> Found<()> {
    let begins = event.t_ns == life.start.t_ns;
    let pending = |at_ns: i64| {
        let used = before.is_some_and(|before| {
            let crashed = matches!(before.end, End::Crashed(crash) if crash.t_ns == at_ns);
            crashed || before.cancels.iter().any(|cancel| cancel.t_ns == at_ns)
        });
        !used && before.is_none_or(|before| at_ns >= before.end_ns()) && at_ns < life.start.t_ns
    };
    let planned = life.spec.stops.iter().flatten().any(|stop| {
        stop.kind == event.kind && (stop.at_ns == event.t_ns || begins && pending(stop.at_ns))
    });
    let twice = life.cancels.iter().find(|cancel| cancel.t_ns == event.t_ns);
    match twice {
        Some(twice) => Err(at(event, "one stop", format!("another beside seq {}", twice.seq))),
        None if planned => Ok(()),
        None => Err(at(event, "a stop that was planned", event.kind.as_str())),
    }
}

/// Calls and attempts may be cut by a crash or by the end of the recording only.
fn check_cut(life: &Life<'_>) -> Found<()> {
    let Some(last) = life.attempts.last() else { return Ok(()) };
    let Some(call) = last.calls.last() else { return Ok(()) };
    let end_ns = match (life.end, call.outcome) {
        (End::Returned(_), _) if last.attempt.complete => return Ok(()),
        (End::Returned(_), _) => return Err(at(call.event, "its attempt complete", "cut")),
        (_, outcome) if outcome.is_seen() => return Ok(()),
        (End::Crashed(crash), Outcome::Crashed) => crash.t_ns,
        (End::Cut(end), Outcome::Unfinished) => end,
        (_, outcome) => return Err(at(call.event, "an end of the call", outcome.text())),
    };
    match call.event.end_ns {
        Some(end) if end < end_ns => {
            let got = format!("{} at {end} ns", call.outcome.text());
            Err(at(call.event, "an end of the call", got))
        }
        _ => Ok(()),
    }
}

/// Each incarnation starts when it should: the first as planned, others after the one before.
pub(super) fn check_starts(lives: &[Life<'_>]) -> Found<()> {
    let mut before: Option<&Life<'_>> = None;
    for life in lives {
        let start = life.start;
        let before = before.replace(life).filter(|before| before.spec.id == life.spec.id);
        let due = match (start.incarnation, before.map(|before| (before.start, before.end))) {
            (Some(0), None) => Some(life.spec.start_ns),
            (number, Some((before, End::Returned(end) | End::Crashed(end))))
                if before.incarnation.map(|number| number + 1) == number =>
            {
                Some(end.t_ns.saturating_add(life.spec.restart_after_ns))
            }
            _ => None,
        };
        match due {
            Some(due) if due == start.t_ns => {}
            Some(due) => return Err(at(start, format!("start at {due} ns"), "another time")),
            None => return Err(at(start, "the end of the incarnation before it", "none")),
        }
    }
    Ok(())
}
