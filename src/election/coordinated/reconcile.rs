//! The coordinator's step: who should hold a Lease, and what to write next to get there.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::time::Duration;

use super::Stored;
use crate::lock::candidate::{LeaseCandidate, OLDEST_EMULATION_VERSION, SemVer};
use crate::lock::lease::{Lease, LeaseSpec, Metadata};
use crate::lock::{Identity, LockRef, Version};
use crate::time::Timestamp;

/// The coordinator's durations.
///
/// ```
/// use core::time::Duration;
/// use tenure::election::coordinated::Parameters;
/// let patient = Parameters { election_duration: Duration::from_secs(9), ..Parameters::default() };
/// assert_eq!(patient.requeue, Parameters::REQUEUE);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Parameters {
    /// How soon to look at a Lease again. [`REQUEUE`](Self::REQUEUE).
    pub requeue: Duration,
    /// How long candidates have to answer a ping, and for how long an answer counts.
    /// [`ELECTION_DURATION`](Self::ELECTION_DURATION).
    pub election_duration: Duration,
    /// What a Lease says when it is given to somebody; the new holder's first renewal replaces it.
    /// [`LEASE_DURATION_SECONDS`](Self::LEASE_DURATION_SECONDS).
    pub lease_duration_seconds: i32,
    /// A candidate that has not renewed for longer does not count and may be removed.
    /// [`VALID`](Self::VALID).
    pub valid: Duration,
    /// A candidate that has not renewed for longer causes an election, so that all are asked.
    /// [`REFRESH_AFTER`](Self::REFRESH_AFTER).
    pub refresh_after: Duration,
}

impl Parameters {
    /// 5 s (`defaultRequeueInterval`).
    pub const REQUEUE: Duration = Duration::from_secs(5);
    /// 5 s (`electionDuration`).
    pub const ELECTION_DURATION: Duration = Duration::from_secs(5);
    /// 5 s (`defaultLeaseDurationSeconds`).
    pub const LEASE_DURATION_SECONDS: i32 = 5;
    /// 30 min (`leaseCandidateValidDuration`).
    pub const VALID: Duration = Duration::from_secs(30 * 60);
    /// 15 min, half of [`VALID`](Self::VALID).
    pub const REFRESH_AFTER: Duration = Duration::from_secs(15 * 60);
}

impl Default for Parameters {
    /// Kubernetes' constants.
    fn default() -> Self {
        Self {
            requeue: Self::REQUEUE,
            election_duration: Self::ELECTION_DURATION,
            lease_duration_seconds: Self::LEASE_DURATION_SECONDS,
            valid: Self::VALID,
            refresh_after: Self::REFRESH_AFTER,
        }
    }
}

/// What a coordinator is to do now, and when to look again.
///
/// ```
/// use tenure::election::coordinated::{Action, Parameters, Step, reconcile};
/// use tenure::lock::LockRef;
/// use tenure::time::Timestamp;
/// let (lock, now) = (LockRef::lease("kube-system", "controller"), Timestamp::GO_ZERO);
/// let step = reconcile(&Parameters::default(), &lock, now, None, &[]);
/// assert_eq!(step, Step { action: Action::Nothing, requeue: None }); // until a candidate comes
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Step {
    /// What to do.
    pub action: Action,
    /// After how long to look again, whatever happens; `None` if only a change of the Lease or of a
    /// candidate is a reason to.
    pub requeue: Option<Duration>,
}

/// What a coordinator is to do. If a write fails, read again and [`reconcile`] again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// Nothing: there is no candidate, no election is needed, or answers to pings are awaited.
    Nothing,
    /// Store each of these candidates, with its new ping time, over its version; all at once, so that
    /// all have the same time to answer.
    Ping(Vec<Stored>),
    /// Store this Lease; there is none.
    Create(Lease),
    /// Store this Lease over the one with this version.
    Update(Lease, Version),
    /// Nobody can be elected.
    Fail(ElectionError),
}

/// Why nobody can be elected.
///
/// ```
/// use tenure::election::coordinated::ElectionError;
/// let error = ElectionError::StrategiesDiffer { first: "a".into(), second: "b".into() };
/// assert_eq!(
///     error.to_string(),
///     "candidates a and b have the same spec.binaryVersion and different spec.strategy: give them the same",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ElectionError {
    /// No candidate has renewed within the election duration, by the coordinator's clock.
    NoCandidate,
    /// Two candidates of the highest binary version want different strategies.
    StrategiesDiffer {
        /// One of them.
        first: Arc<str>,
        /// The other.
        second: Arc<str>,
    },
    /// No candidate that is there has versions that can be read.
    NoVersion,
}

impl fmt::Display for ElectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCandidate => f.write_str(
                "no available candidates: none has renewed within the election duration; \
                 see that they run, and that their wall clocks and the coordinator's agree",
            ),
            Self::StrategiesDiffer { first, second } => write!(
                f,
                "candidates {first} and {second} have the same spec.binaryVersion \
                 and different spec.strategy: give them the same"
            ),
            Self::NoVersion => f.write_str(
                "no suitable candidate: \
                 spec.binaryVersion or spec.emulationVersion of each is no semantic version",
            ),
        }
    }
}

impl core::error::Error for ElectionError {}

/// One step of an election for the Lease `lock` (`reconcileElectionStep`), from what is stored now
/// and the coordinator's wall clock. Pure; the election's state is all in the store.
///
/// Of `candidates` only those count that could hold this Lease and have renewed within
/// [`Parameters::valid`]. Their order decides between equals, so give them in a stable one (by name).
///
/// 1. An election is needed if there is no Lease, it has expired *by this wall clock*, nobody holds
///    it, a candidate has not renewed for [`Parameters::refresh_after`], or another candidate than
///    the holder is the best. Else nothing is done.
/// 2. Candidates that have not renewed within the election duration are pinged, unless they were
///    pinged before and have not answered. One that was pinged within it is waited for; one that was
///    pinged longer ago and has not answered is passed over.
/// 3. The best of those that renewed within the election duration is elected. The strategy is that
///    of the highest binary version. The best by [`OLDEST_EMULATION_VERSION`] has the lowest
///    emulation version, then the lowest binary version, then the oldest creation; versions that
///    cannot be read are passed over. For other strategies a Lease is made, or its strategy set, and
///    the holder left to somebody else.
/// 4. A missing Lease is created. One that nobody holds, or that has expired under another, is given
///    to the elected: `acquireTime` and `preferredHolder` become absent. One that another holds gets
///    the elected as `preferredHolder`: the holder sees it, ends its term, and the Lease expires.
///
/// `leaseTransitions` stays as it is.
///
/// Kubernetes does 4 by creating, then reading again if there is one: a driver gets the same by
/// reading again after [`Failure::AlreadyExists`](crate::election::Failure::AlreadyExists). In the form
/// of its first release, 1.31, it also crashes on a Lease that nobody holds if the strategy is not its
/// own; here that Lease gets the strategy and no holder.
///
/// ```
/// use tenure::election::coordinated::{Action, Parameters, Stored, reconcile};
/// use tenure::lock::candidate::{LeaseCandidate, LeaseCandidateSpec, OLDEST_EMULATION_VERSION};
/// use tenure::lock::lease::Metadata;
/// use tenure::lock::{LockRef, Version};
/// use tenure::time::Timestamp;
///
/// let now = Timestamp::from_unix(1_700_000_000, 0).unwrap();
/// let metadata = Metadata { name: "controller-0".into(), ..Metadata::default() };
/// let spec = LeaseCandidateSpec {
///     lease_name: "controller".into(),
///     renew_time: Some(now),
///     binary_version: "1.36.2".into(),
///     emulation_version: "1.35.0".into(),
///     strategy: OLDEST_EMULATION_VERSION.into(),
///     ..LeaseCandidateSpec::default()
/// };
/// let candidate = LeaseCandidate { metadata: metadata.into(), created: Some(now), spec };
/// let candidates = [Stored { candidate, version: Version::ordered(7) }];
///
/// let lock = LockRef::lease("kube-system", "controller");
/// let step = reconcile(&Parameters::default(), &lock, now, None, &candidates);
/// let Action::Create(lease) = step.action else { panic!() };
/// assert_eq!(lease.spec.holder_identity, Some("controller-0".into()));
/// assert_eq!(step.requeue, Some(Parameters::REQUEUE));
///
/// let lease = Some((&lease, &Version::ordered(8)));
/// let step = reconcile(&Parameters::default(), &lock, now, lease, &candidates);
/// assert_eq!(step.action, Action::Nothing); // the best leads already
/// ```
#[must_use]
pub fn reconcile(
    parameters: &Parameters,
    lock: &LockRef,
    now: Timestamp,
    lease: Option<(&Lease, &Version)>,
    candidates: &[Stored],
) -> Step {
    let counts = |stored: &&Stored| {
        *stored.candidate.spec.lease_name == *lock.name
            && !has_expired(parameters, now, &stored.candidate)
    };
    let candidates: Vec<&Stored> = candidates.iter().filter(counts).collect();
    if candidates.is_empty() {
        return Step { action: Action::Nothing, requeue: None };
    }
    let again = Some(parameters.requeue);
    match is_needed(parameters, now, lease, &candidates) {
        Ok(true) => {}
        Ok(false) => return Step { action: Action::Nothing, requeue: again },
        Err(error) => return Step { action: Action::Fail(error), requeue: again },
    }
    match ask(parameters, now, &candidates) {
        Asked::Ping(pings) => return Step { action: Action::Ping(pings), requeue: again },
        Asked::Wait => return Step { action: Action::Nothing, requeue: again },
        Asked::Done => {}
    }
    match elect(parameters, now, &candidates) {
        Ok(elected) => {
            Step { action: write(parameters, lock, now, lease, &elected), requeue: again }
        }
        Err(error) => Step { action: Action::Fail(error), requeue: None },
    }
}

/// The candidates to remove: those that have not renewed for [`Parameters::valid`], by the
/// coordinator's wall clock (`LeaseCandidateGCController`, every half hour). If they come from a cache,
/// ask again with what the store has now before removing.
///
/// ```
/// use tenure::election::coordinated::{Parameters, garbage};
/// use tenure::time::Timestamp;
/// assert_eq!(garbage(&Parameters::default(), Timestamp::GO_ZERO, &[]).count(), 0);
/// ```
pub fn garbage<'a>(
    parameters: &'a Parameters,
    now: Timestamp,
    candidates: &'a [Stored],
) -> impl Iterator<Item = &'a Stored> {
    candidates.iter().filter(move |stored| has_expired(parameters, now, &stored.candidate))
}

/// How `span` after `time` compares with `now`.
fn after(time: Timestamp, span: Duration, now: Timestamp) -> Ordering {
    let span = i128::try_from(span.as_nanos()).unwrap_or(i128::MAX);
    time.unix_nanos().saturating_add(span).cmp(&now.unix_nanos())
}

/// `isLeaseCandidateExpired`.
fn has_expired(parameters: &Parameters, now: Timestamp, candidate: &LeaseCandidate) -> bool {
    candidate.spec.renew_time.is_none_or(|renew| after(renew, parameters.valid, now).is_lt())
}

/// `isLeaseExpired`. Here two machines' wall clocks are compared.
fn is_expired(now: Timestamp, lease: &Lease) -> bool {
    let (Some(renew), Some(seconds)) = (lease.spec.renew_time, lease.spec.lease_duration_seconds)
    else {
        return true;
    };
    renew.unix_nanos().saturating_add(i128::from(seconds) * 1_000_000_000) < now.unix_nanos()
}

fn holder(lease: &Lease) -> Option<&Identity> {
    lease.spec.holder_identity.as_ref().filter(|holder| !holder.is_empty())
}

/// `electionNeeded`.
fn is_needed(
    parameters: &Parameters,
    now: Timestamp,
    lease: Option<(&Lease, &Version)>,
    candidates: &[&Stored],
) -> Result<bool, ElectionError> {
    let Some((lease, _)) = lease else { return Ok(true) };
    let Some(holder) = holder(lease).filter(|_| !is_expired(now, lease)) else { return Ok(true) };
    let stale = |renew| after(renew, parameters.refresh_after, now).is_lt();
    if candidates.iter().any(|stored| stored.candidate.spec.renew_time.is_some_and(stale)) {
        return Ok(true);
    }
    if strategy(candidates)? != OLDEST_EMULATION_VERSION {
        return Ok(false);
    }
    let best = best(candidates);
    Ok(best.is_some_and(|best| *best.candidate.metadata.name != *holder.as_str()))
}

enum Asked {
    Ping(Vec<Stored>),
    /// Not all have answered, and their time is not over.
    Wait,
    Done,
}

fn ask(parameters: &Parameters, now: Timestamp, candidates: &[&Stored]) -> Asked {
    let compare = |time| after(time, parameters.election_duration, now);
    let mut waits = false;
    let mut pings = Vec::new();
    for stored in candidates {
        let spec = &stored.candidate.spec;
        if spec.ping_time.is_some_and(|ping| compare(ping).is_gt()) && !spec.is_acked() {
            waits = true;
        } else if spec.renew_time.is_some_and(|renew| compare(renew).is_gt()) {
            // It has just been heard of.
        } else if spec.ping_time.is_none_or(|ping| compare(ping).is_lt()) && spec.is_acked() {
            let mut pinged = (*stored).clone();
            pinged.candidate.spec.ping_time = Some(now);
            pings.push(pinged);
        }
    }
    if !pings.is_empty() {
        return Asked::Ping(pings);
    }
    if waits { Asked::Wait } else { Asked::Done }
}

/// What an election came to.
struct Elected {
    strategy: Arc<str>,
    /// Nobody, if that is not the coordinator's to say.
    holder: Option<Identity>,
}

fn elect(
    parameters: &Parameters,
    now: Timestamp,
    candidates: &[&Stored],
) -> Result<Elected, ElectionError> {
    let recent = |renew| after(renew, parameters.election_duration, now).is_gt();
    let here = |stored: &&&Stored| stored.candidate.spec.renew_time.is_some_and(recent);
    let here: Vec<_> = candidates.iter().filter(here).copied().collect();
    if here.is_empty() {
        return Err(ElectionError::NoCandidate);
    }
    let strategy: Arc<str> = strategy(&here)?.into();
    let holder = if *strategy == *OLDEST_EMULATION_VERSION {
        let best = best(&here).ok_or(ElectionError::NoVersion)?;
        Some(best.candidate.metadata.name.clone().into())
    } else {
        None
    };
    Ok(Elected { strategy, holder })
}

/// `pickBestStrategy`: versions that cannot be read count as 0.0.0. As there, two that differ are
/// an error also if a higher version follows them.
fn strategy<'a>(candidates: &[&'a Stored]) -> Result<&'a str, ElectionError> {
    let version = |stored: &Stored| {
        SemVer::parse_tolerant(&stored.candidate.spec.binary_version).unwrap_or_default()
    };
    let mut highest: Option<(SemVer, &Stored)> = None;
    for stored in candidates {
        let this = version(stored);
        match &highest {
            Some((version, _)) if this < *version => {}
            Some((version, first)) if this == *version => {
                if first.candidate.spec.strategy != stored.candidate.spec.strategy {
                    return Err(ElectionError::StrategiesDiffer {
                        first: first.candidate.metadata.name.clone(),
                        second: stored.candidate.metadata.name.clone(),
                    });
                }
            }
            _ => highest = Some((this, stored)),
        }
    }
    Ok(highest.map_or("", |(_, stored)| &stored.candidate.spec.strategy))
}

/// `pickBestLeaderOldestEmulationVersion`: of equals the first.
fn best<'a>(candidates: &[&'a Stored]) -> Option<&'a Stored> {
    let rank = |stored: &&'a Stored| {
        let candidate = &stored.candidate;
        let emulation = SemVer::parse_tolerant(&candidate.spec.emulation_version).ok()?;
        let binary = SemVer::parse_tolerant(&candidate.spec.binary_version).ok()?;
        Some(((emulation, binary, candidate.created), *stored))
    };
    let ranked = candidates.iter().filter_map(rank);
    ranked.min_by(|one, other| one.0.cmp(&other.0)).map(|(_, stored)| stored)
}

/// What makes the Lease say what was elected.
fn write(
    parameters: &Parameters,
    lock: &LockRef,
    now: Timestamp,
    lease: Option<(&Lease, &Version)>,
    elected: &Elected,
) -> Action {
    let Some((before, version)) = lease else {
        let (namespace, name) = (lock.namespace.clone(), lock.name.clone());
        let metadata = Metadata { namespace, name, ..Metadata::default() };
        let spec = LeaseSpec {
            strategy: Some(elected.strategy.clone()),
            holder_identity: elected.holder.clone(),
            renew_time: Some(now),
            lease_duration_seconds: Some(parameters.lease_duration_seconds),
            ..LeaseSpec::default()
        };
        return Action::Create(Lease { metadata: metadata.into(), spec });
    };
    let mut lease = before.clone();
    if let Some(new) = &elected.holder {
        match holder(before) {
            Some(present) if present == new => {}
            Some(_) if !is_expired(now, before) => lease.spec.preferred_holder = Some(new.clone()),
            _ => {
                lease.spec.holder_identity = Some(new.clone());
                lease.spec.preferred_holder = None;
                lease.spec.renew_time = Some(now);
                lease.spec.lease_duration_seconds = Some(parameters.lease_duration_seconds);
                lease.spec.acquire_time = None;
            }
        }
    }
    lease.spec.strategy = Some(elected.strategy.clone());
    if lease == *before { Action::Nothing } else { Action::Update(lease, version.clone()) }
}
