//! Replays cases of the `ConfigMap`, Endpoints, Lease and Multi locks: what one elector asks for,
//! step by step, of a store that only an outsider touches besides.
//!
//! Nothing of a case is taken on trust: a store of its own executes what the elector asks for, and
//! calls, results, states and objects are then compared with what is recorded.

mod backend;
mod format;

use std::time::Duration;

use tenure::election::{ClientGoState, Config, Elector, Profile, Release};
use tenure::lock::{Kind, LockRef};

use super::compare::{self, Difference, NAMESPACE, differ};
use super::driver::Driver;
use super::{Counts, Divergence, InputError, Place, Refusal};
use backend::{Backend, is_nameless, resource};
use format::{Call, Case, Held, Objects, Step};

pub(super) use format::Locks;

const LOCK: &str = "lock";

/// The kinds of lock, with the objects they are kept in, the primary first.
const KINDS: [(&str, &[Kind]); 5] = [
    ("configmaps", &[Kind::ConfigMap]),
    ("endpoints", &[Kind::Endpoints]),
    ("leases", &[Kind::Lease]),
    ("configmapsleases", &[Kind::ConfigMap, Kind::Lease]),
    ("endpointsleases", &[Kind::Endpoints, Kind::Lease]),
];

pub(super) fn replay(file: &Locks, release: Release) -> Result<Counts, Refusal> {
    let mut counts = Counts::default();
    for case in &file.cases {
        counts += run(file, case, release)?;
    }
    Ok(counts)
}

/// Where in a case something is.
#[derive(Clone, Copy)]
struct Spot<'c> {
    file: &'c Locks,
    case: &'c Case,
    /// Which of its steps.
    step: usize,
    /// Which of its calls; one past the last: after all.
    call: usize,
}

impl Spot<'_> {
    fn wrong(self, (expected, got): Difference) -> Refusal {
        let step = self.case.steps.get(self.step);
        Refusal::from(Divergence {
            place: Place::Step {
                case: format!("{} ({})", self.case.name, self.case.lock),
                step: number(self.step),
                call: number(self.call),
            },
            elector: self.file.identity.clone(),
            time_ns: step.map_or(0, |step| step.t_ns),
            expected,
            got,
        })
    }
}

fn run(file: &Locks, case: &Case, release: Release) -> Result<Counts, Refusal> {
    let mut spot = Spot { file, case, step: 0, call: 0 };
    let config = config(file, case, release)?;
    let before = &case.stored_before;
    for held in [&before.configmaps, &before.endpoints, &before.leases] {
        if let Some(expected) = backend::contradiction(held) {
            return Err(spot.wrong((format!("stored_before: {expected}"), format!("{held:?}"))));
        }
    }
    let mut backend = Backend::new(before);
    let mut state = ClientGoState::default();
    let mut counts = Counts::default();
    let mut t_ns = 0_i64;
    for (number, step) in case.steps.iter().enumerate() {
        spot = Spot { step: number, call: 0, ..spot };
        t_ns = t_ns.saturating_add(step.wait_ns);
        if step.t_ns != t_ns {
            let got = format!("t_ns {}", step.t_ns);
            return Err(spot.wrong((format!("t_ns {t_ns}, wait_ns after the step before"), got)));
        }
        outsider(spot, &mut backend, step, &config)?;
        state = play(spot, &mut backend, step, &config, state)?;
        spot.call = step.calls.len();
        let end = end_difference(file, step, &state, release, &backend.objects);
        end.map_or(Ok(()), |difference| Err(spot.wrong(difference)))?;
        counts.attempts += 1;
        counts.calls += step.calls.len() as u64;
    }
    Ok(counts)
}

fn config(file: &Locks, case: &Case, release: Release) -> Result<Config, InputError> {
    let kinds = KINDS.iter().find(|(name, _)| *name == case.lock).map(|(_, kinds)| *kinds);
    let lock = |kind: &Kind| LockRef { kind: *kind, ..LockRef::lease(NAMESPACE, LOCK) };
    let Some([primary, secondary @ ..]) = kinds else {
        let names = KINDS.map(|(name, _)| name).join(", ");
        let message = format!(
            "case {:?} has a lock of kind {:?}: give cases of {names}",
            case.name, case.lock
        );
        return Err(InputError { line: None, message });
    };
    Ok(Config {
        secondary: secondary.first().map(lock),
        lease_duration: Duration::from_nanos(file.lease_duration_ns),
        request_timeout: None,
        release_on_stop: false,
        profile: Profile::ClientGo(release),
        ..Config::new(lock(primary), file.identity.as_str(), "")
    })
}

fn outsider(
    spot: Spot<'_>,
    backend: &mut Backend,
    step: &Step,
    config: &Config,
) -> Result<(), Refusal> {
    let Some(deed) = &step.outsider else { return Ok(()) };
    let kinds: Vec<Kind> =
        [Some(config.lock.kind), config.secondary.as_ref().map(|lock| lock.kind)]
            .into_iter()
            .flatten()
            .collect();
    let done = backend.outsider(deed, &kinds, step);
    let done = done.map_err(|got| spot.wrong(("a record to take".to_owned(), got)))?;
    if done {
        return Ok(());
    }
    let message = format!(
        "case {:?}, step {}: outsider {deed:?} is not known, and what it left is written over: \
         give delete_WHICH, touch_WHICH or WHO_takes_WHICH (WHICH: primary, secondary or both)",
        spot.case.name, spot.step
    );
    Err(InputError { line: None, message }.into())
}

/// Lets the elector make its calls, and compares them. Its state afterwards.
fn play(
    mut spot: Spot<'_>,
    backend: &mut Backend,
    step: &Step,
    config: &Config,
    state: ClientGoState,
) -> Result<ClientGoState, Refusal> {
    let now = compare::instant(step.t_ns);
    let elector = Elector::resume_client_go(config.clone(), now, state);
    let mut driver = Driver::new(elector, 0);
    let led = driver.is_leading(step.t_ns);
    match step.op.as_str() {
        "try" => {
            driver.timeout(step.t_ns);
            // Only this attempt was recorded: with its context done, an elector that has acquired
            // the lock begins no other.
            driver.stop(step.t_ns);
        }
        "release" => driver.release(step.t_ns),
        other => return Err(spot.wrong(("op try or release".to_owned(), other.to_owned()))),
    }
    while let Some(asked) = driver.take() {
        let executed = backend.execute(asked.t_ns, &asked.request, step);
        let (made, answer) =
            executed.map_err(|got| spot.wrong(("what a store can do".to_owned(), got)))?;
        let recorded = step.calls.get(spot.call);
        // What is not sent may be missing in the recording.
        let unsent = is_nameless(&asked.request.op)
            && recorded.is_none_or(|call| {
                call.resource != made.resource || call.verb != made.verb || call.result != "error"
            });
        if !unsent {
            let difference = call_difference(recorded, &made);
            difference.map_or(Ok(()), |difference| Err(spot.wrong(difference)))?;
            spot.call += 1;
        }
        driver.answer(step.t_ns, answer);
    }
    if let Some(call) = step.calls.get(spot.call) {
        return Err(spot.wrong((format!("{} of {}", call.verb, call.resource), "no call".into())));
    }
    let state = driver.elector().client_go_state().cloned().unwrap_or_default();
    // The elector says of a release whether it wrote; release() is content, too, not to lead.
    let content = step.op == "release" && !led;
    let returned = content || state.returned == Some(true);
    if returned != step.returned {
        let expected = format!("returned {}", step.returned);
        return Err(spot.wrong((expected, returned.to_string())));
    }
    Ok(state)
}

fn call_difference(recorded: Option<&Call>, made: &Call) -> Option<Difference> {
    let Some(recorded) = recorded else {
        return Some(("no further call".into(), format!("{} of {}", made.verb, made.resource)));
    };
    let what = "call";
    let version = |call: &Call| call.request_rv.clone().filter(|rv| !rv.is_empty());
    let texts = |name, recorded: &str, made: &str| differ(what, name, Some(&recorded), Some(&made));
    None.or_else(|| texts("resource", &recorded.resource, &made.resource))
        .or_else(|| texts("verb", &recorded.verb, &made.verb))
        .or_else(|| differ(what, "t_ns", Some(&recorded.t_ns), Some(&made.t_ns)))
        .or_else(|| differ(what, "request_rv", version(recorded).as_ref(), version(made).as_ref()))
        .or_else(|| {
            let (recorded, made) = (&recorded.request_annotation, &made.request_annotation);
            differ(what, "request_annotation", recorded.as_ref(), made.as_ref())
        })
        .or_else(|| {
            let (recorded, made) = (&recorded.request_spec, &made.request_spec);
            differ(what, "request_spec", recorded.as_ref(), made.as_ref())
        })
        .or_else(|| texts("result", &recorded.result, &made.result))
}

fn end_difference(
    file: &Locks,
    step: &Step,
    state: &ClientGoState,
    release: Release,
    objects: &Objects,
) -> Option<Difference> {
    let recorded = &step.stored_after;
    compare::state_difference(&step.state_after, state, &file.identity, release)
        .or_else(|| held_difference(Kind::ConfigMap, &recorded.configmaps, &objects.configmaps))
        .or_else(|| held_difference(Kind::Endpoints, &recorded.endpoints, &objects.endpoints))
        .or_else(|| held_difference(Kind::Lease, &recorded.leases, &objects.leases))
}

fn held_difference(kind: Kind, recorded: &Held, got: &Held) -> Option<Difference> {
    let what = format!("stored_after.{}", resource(kind));
    let what = what.as_str();
    differ(what, "exists", Some(&recorded.exists), Some(&got.exists))
        .or_else(|| differ(what, "rv", recorded.rv.as_ref(), got.rv.as_ref()))
        .or_else(|| {
            differ(what, "annotation", recorded.annotation.as_ref(), got.annotation.as_ref())
        })
        .or_else(|| differ(what, "spec", recorded.spec.as_ref(), got.spec.as_ref()))
        .or_else(|| differ(what, "rest", Some(&recorded.rest), Some(&got.rest)))
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
