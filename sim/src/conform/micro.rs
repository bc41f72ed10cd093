//! Replays micro files: single calls of `tryAcquireOrRenew` and `release` from a given state.

use std::time::Duration;

use tenure::election::{ClientGoState, Config, Elector, Failure, Profile, Raw, Release};
use tenure::lock::LockRef;

use super::compare::{self, Difference, NAMESPACE};
use super::driver::{CallbackKind, Driver};
use super::format::{Case, Micro, MicroCall, Outcome, Step, Verb};
use super::{Counts, Divergence, Place, Refusal};

const LOCK: &str = "lock";
/// The uid that the scripted store gives to what is created.
const NEW_UID: &str = "uid-1";

type Checked<T> = Result<T, Divergence>;

pub(super) fn replay(micro: &Micro, release: Release) -> Result<Counts, Refusal> {
    let mut counts = Counts::default();
    for case in &micro.cases {
        check_script(case)?;
        counts += run(case, release)?;
    }
    Ok(counts)
}

fn at(case: &Case, index: usize, (expected, got): Difference) -> Divergence {
    let call = case.calls.get(index).or_else(|| case.calls.last());
    Divergence {
        place: Place::Case { name: case.name.clone(), call: index },
        elector: case.identity.clone(),
        time_ns: call.map_or(case.now_ns, |call| call.t_ns),
        expected,
        got,
    }
}

fn parsed(case: &Case, index: usize, call: &MicroCall) -> Checked<(Verb, Outcome)> {
    let verb = Verb::parse(&call.verb)
        .ok_or_else(|| at(case, index, ("get, create or update".into(), call.verb.clone())))?;
    let outcome = Outcome::parse(&call.result).filter(|outcome| outcome.is_seen());
    let outcome =
        outcome.ok_or_else(|| at(case, index, ("a result".into(), call.result.clone())))?;
    Ok((verb, outcome))
}

/// The calls got the answers that were scripted, and the case ended as they say.
fn check_script(case: &Case) -> Checked<()> {
    let mut steps = case.script.iter();
    let mut succeeded = false;
    for (index, call) in case.calls.iter().enumerate() {
        let (verb, outcome) = parsed(case, index, call)?;
        let step = if call.sent { steps.next() } else { None };
        let difference = match step {
            Some(step) => answer_difference(call, verb, outcome, step),
            None => refusal_difference(call, outcome),
        };
        if let Some(difference) = difference {
            return Err(at(case, index, difference));
        }
        // release() is content, too, when it reads the lock and does not lead.
        let content = verb.writes() || case.op == "release";
        succeeded = content && outcome == Outcome::Ok;
    }
    let left = steps.count() as u64;
    let end = case.calls.len();
    if left != case.script_steps_unused {
        let expected = format!("calls for all answers but {}", case.script_steps_unused);
        return Err(at(case, end, (expected, format!("{left} answers left"))));
    }
    if case.returned != succeeded {
        return Err(at(case, end, (format!("returned {succeeded}"), case.returned.to_string())));
    }
    Ok(())
}

/// What has no scripted answer, or is not sent since the object has no name, fails at once.
fn refusal_difference(call: &MicroCall, outcome: Outcome) -> Option<Difference> {
    let nameless = call.request.as_ref().is_some_and(|request| request.name.is_empty());
    let refused = outcome == Outcome::Error && call.end_ns == call.t_ns && call.sent != nameless;
    (!refused).then(|| ("an answer, or error at once".into(), call.result.clone()))
}

fn answer_difference(
    call: &MicroCall,
    verb: Verb,
    outcome: Outcome,
    step: &Step,
) -> Option<Difference> {
    if call.verb != step.verb {
        return Some((step.verb.clone(), call.verb.clone()));
    }
    let arrives = step.arrives(call);
    let in_time = call.end_ns == arrives && call.result == step.result;
    let given_up = outcome == Outcome::Error && call.end_ns < arrives;
    if !in_time && !given_up {
        let expected = format!("{} at {arrives} ns", step.result);
        return Some((expected, format!("{} at {} ns", call.result, call.end_ns)));
    }
    let expected = match (outcome, verb, &call.request) {
        (Outcome::Ok, Verb::Get, _) => step.object.clone(),
        (Outcome::Ok, _, Some(request)) => {
            let mut echo = request.clone();
            echo.rv = (echo.rv.parse::<u64>().unwrap_or(0) + 1).to_string();
            echo.uid = echo.uid.or_else(|| Some(NEW_UID.to_owned()));
            Some(echo)
        }
        _ => None,
    };
    let expected = expected.map(|object| super::store::truncated(&object));
    match (&expected, &call.response) {
        (None, None) => None,
        (Some(expected), Some(got)) => super::store::difference("response", expected, got),
        (None, Some(_)) => Some(("no response".to_owned(), "one".to_owned())),
        (Some(_), None) => Some(("a response".to_owned(), "none".to_owned())),
    }
}

impl Step {
    const fn arrives(&self, call: &MicroCall) -> i64 {
        call.t_ns.saturating_add(self.delay_ns)
    }
}

fn run(case: &Case, release: Release) -> Checked<Counts> {
    let is_release = match case.op.as_str() {
        "try" => false,
        "release" => true,
        other => return Err(at(case, 0, ("op try or release".into(), other.to_owned()))),
    };
    let mut driver = start(case, release).map_err(|difference| at(case, 0, difference))?;
    if is_release {
        driver.release(case.now_ns);
    } else {
        driver.timeout(case.now_ns);
    }
    for (index, call) in case.calls.iter().enumerate() {
        step(case, &mut driver, index, call, is_release)?;
    }
    let end = case.calls.len();
    if let Some(asked) = driver.asked.front() {
        let verb = compare::verb(&asked.request.op).text();
        return Err(at(case, end, ("no further call".into(), verb.to_owned())));
    }
    if let Some(difference) = end_difference(case, &driver, release) {
        return Err(at(case, end, difference));
    }
    Ok(Counts {
        attempts: 1,
        calls: case.calls.len() as u64,
        callbacks: case.new_leader_callbacks.len() as u64,
    })
}

fn start(case: &Case, release: Release) -> Result<Driver, Difference> {
    let config = Config {
        lease_duration: Duration::from_nanos(case.lease_duration_ns),
        renew_deadline: Duration::from_nanos(case.renew_deadline_ns),
        request_timeout: None,
        release_on_stop: false,
        profile: Profile::ClientGo(release),
        ..Config::new(LockRef::lease(NAMESPACE, LOCK), case.identity.as_str(), "")
    };
    let raw = case.observed_raw_record.as_deref().map(compare::raw_record).transpose();
    let raw = raw.map(|raw| raw.map(Raw::Record));
    let held = case.held_object.as_ref().map(compare::stored).transpose();
    let state = ClientGoState {
        observed_record: compare::record(&case.observed_record),
        observed_raw: raw.map_err(|got| ("observed_raw_record as Go writes it".into(), got))?,
        observed_time: case.observed_time_ns.map(compare::instant),
        reported_leader: case.reported_leader.as_str().into(),
        held: held.map_err(|got| ("a held Lease".into(), got))?,
        ..ClientGoState::default()
    };
    let now = compare::instant(case.now_ns);
    Ok(Driver::new(Elector::resume_client_go(config, now, state), 0))
}

fn step(
    case: &Case,
    driver: &mut Driver,
    index: usize,
    call: &MicroCall,
    is_release: bool,
) -> Checked<()> {
    let wrong = |expected: String, got: String| Err(at(case, index, (expected, got)));
    let (verb, outcome) = parsed(case, index, call)?;
    let what = format!("{} at {} ns", call.verb, call.t_ns);
    let Some(asked) = driver.take() else { return wrong(what, "no call".into()) };
    let asked_verb = compare::verb(&asked.request.op);
    if asked_verb != verb || asked.t_ns != call.t_ns {
        return wrong(what, format!("{} at {} ns", asked_verb.text(), asked.t_ns));
    }
    let body = compare::body_difference(call.request.as_ref(), &asked.request.op);
    if let Some((expected, got)) = body {
        return wrong(expected, got);
    }
    if driver.advance(call.end_ns).is_err() || driver.outstanding.is_none() {
        return wrong(format!("a wait until {} ns", call.end_ns), "the call given up".into());
    }
    let sent_before = case.calls.iter().take(index).filter(|call| call.sent).count();
    let scripted = case.script.get(sent_before).filter(|_| call.sent);
    let deadline = driver.outstanding.and_then(|(_, deadline)| deadline);
    let given_up = outcome == Outcome::Error
        && scripted
            .is_some_and(|step| step.result != call.result || call.end_ns < step.arrives(call));
    if given_up && deadline != Some(call.end_ns) {
        return wrong(format!("an error at its deadline, {deadline:?} ns"), call.result.clone());
    }
    let response = call.response.as_ref().map(compare::stored).transpose();
    let response = response.map_err(|got| at(case, index, ("a Lease".into(), got)))?;
    let result = match (outcome, response) {
        (Outcome::Ok, Some(stored)) => Ok(stored),
        (Outcome::Ok, None) => return wrong("a response".into(), "none".into()),
        (Outcome::Conflict, _) => Err(Failure::Conflict),
        (Outcome::NotFound, _) => Err(Failure::NotFound),
        (Outcome::Exists, _) => Err(Failure::AlreadyExists),
        _ => Err(Failure::Other),
    };
    // Only this attempt was recorded: with its context done, an elector that has acquired the lock
    // begins no other.
    if index + 1 == case.calls.len() && !is_release {
        driver.stop(call.end_ns);
    }
    driver.answer(call.end_ns, result);
    Ok(())
}

fn end_difference(case: &Case, driver: &Driver, release: Release) -> Option<Difference> {
    let state = driver.elector().client_go_state()?;
    let got: Vec<&str> = driver
        .callbacks
        .iter()
        .filter_map(|callback| match &callback.kind {
            CallbackKind::NewLeader(identity) => Some(identity.as_str()),
            _ => None,
        })
        .collect();
    // The elector says of a release whether it wrote.
    let wrote = case.returned && case.calls.last().is_some_and(|call| call.verb != "get");
    let returned = state.returned;
    None.or_else(|| {
        (returned != Some(wrote)).then(|| (format!("returned {wrote}"), format!("{returned:?}")))
    })
    .or_else(|| compare::state_difference(&case.state_after, state, &case.identity, release))
    .or_else(|| compare::held_difference(case.held_object_after.as_ref(), state.held.as_ref()))
    .or_else(|| {
        (got != case.new_leader_callbacks)
            .then(|| (format!("new_leader {:?}", case.new_leader_callbacks), format!("{got:?}")))
    })
}
