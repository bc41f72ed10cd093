//! The candidate's side: keeps one `LeaseCandidate` alive and answers pings.

use alloc::sync::Arc;
use core::time::Duration;

use super::{Op, Request, Response, Stored, Watched};
use crate::election::{Failure, RequestId};
use crate::lock::candidate::{CandidateError, LeaseCandidate, LeaseCandidateSpec};
use crate::lock::lease::Metadata;
use crate::time::{Instant, Now, Timestamp};

/// How often a candidate renews its object without being asked (client-go's `requeueInterval`).
///
/// ```
/// use core::time::Duration;
/// assert_eq!(tenure::election::coordinated::RENEW_PERIOD, Duration::from_secs(300));
/// ```
pub const RENEW_PERIOD: Duration = Duration::from_secs(300);

/// The first wait after a failure; each further one doubles it, up to [`RENEW_PERIOD`]
/// (`DefaultTypedControllerRateLimiter`).
const FIRST_RETRY: Duration = Duration::from_millis(5);

/// What a [`Candidate`] is told when it is made (client-go's `CandidateConfig`).
///
/// ```
/// use tenure::election::coordinated::{Candidate, CandidateConfig};
/// use tenure::lock::candidate::OLDEST_EMULATION_VERSION;
/// use tenure::time::Instant;
///
/// let config = CandidateConfig {
///     namespace: "kube-system".into(),
///     name: "controller-0".into(),
///     lease_name: "controller".into(),
///     binary_version: "1.36".into(),
///     emulation_version: "1.35.0".into(),
///     strategy: OLDEST_EMULATION_VERSION.into(),
///     request_timeout: None,
/// };
/// assert_eq!(
///     Candidate::new(config, Instant::default()).unwrap_err().to_string(),
///     "spec.binaryVersion is \"1.36\": it must be a semantic version, as 1.36.2; \
///      there should be three numbers with dots between them",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CandidateConfig {
    /// The namespace of the `LeaseCandidate`, and of the Lease.
    pub namespace: Arc<str>,
    /// The name of the `LeaseCandidate`; the elector's identity must be the same.
    pub name: Arc<str>,
    /// The Lease that it could hold.
    pub lease_name: Arc<str>,
    /// The version of this program, in full: `1.36.2`.
    pub binary_version: Arc<str>,
    /// The version that it behaves as; empty for none.
    pub emulation_version: Arc<str>,
    /// How the leader is to be chosen.
    pub strategy: Arc<str>,
    /// How long to wait for an answer; `None` for no limit.
    pub request_timeout: Option<Duration>,
}

impl CandidateConfig {
    /// The object as it is first stored.
    fn object(&self, now: Now) -> LeaseCandidate {
        let metadata = Metadata {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            ..Metadata::default()
        };
        let spec = LeaseCandidateSpec {
            lease_name: self.lease_name.clone(),
            renew_time: Some(now.timestamp),
            ..LeaseCandidateSpec::default()
        };
        let mut object = LeaseCandidate { metadata: metadata.into(), created: None, spec };
        self.describe(&mut object.spec);
        object
    }

    fn describe(&self, spec: &mut LeaseCandidateSpec) {
        spec.binary_version = self.binary_version.clone();
        spec.emulation_version = self.emulation_version.clone();
        spec.strategy = self.strategy.clone();
    }
}

/// One replica's candidacy: a state machine of the same shape as the [`Elector`], driven by the same
/// loop. It has no events and finishes when stopped.
///
/// It writes its `LeaseCandidate` when it starts, every [`RENEW_PERIOD`], and whenever the object has
/// a ping time later than its renew time: it is created, or its renew time is set, by
/// compare-and-swap (client-go's `ensureLease`). After a failure it tries again after 5 ms, 10 ms,
/// 20 ms … Stopped, it leaves the object to the coordinator, which removes it half an hour later.
///
/// # Methods
/// - what happens: [`handle_timeout`](Self::handle_timeout),
///   [`handle_response`](Self::handle_response), [`handle_watch`](Self::handle_watch),
///   [`stop`](Self::stop). They never fail; calls too early or repeated do nothing.
/// - what to do: [`poll_request`](Self::poll_request) (at most one is outstanding),
///   [`poll_timeout`](Self::poll_timeout).
/// - what holds: [`is_finished`](Self::is_finished).
///
/// A driver must watch the object, or read it at least once a second: pings that are not answered
/// within 5 s count as refused.
///
/// # What client-go does else
/// - It answers a ping that is from its clock's future at once and again with each change of the
///   object, its own writes included, until its clock has come there. Here it is answered once, and
///   once more when this clock has come there, which is what counts for the coordinator.
/// - It never forgets its failures, so that its waits grow from each to the next for life. Here a
///   success ends them.
/// - An object that is there already keeps the versions and the strategy that it has. Here they
///   become this program's.
///
/// ```
/// use tenure::election::Failure;
/// use tenure::election::coordinated::{
///     Candidate, CandidateConfig, Op, RENEW_PERIOD, Response, Stored, Watched,
/// };
/// use tenure::lock::Version;
/// use tenure::time::{Instant, Now, Timestamp};
///
/// let at = |secs: u64| Now {
///     instant: Instant::from_nanos(secs * 1_000_000_000),
///     timestamp: Timestamp::from_unix(1_700_000_000 + secs as i64, 0).unwrap(),
/// };
/// let config = CandidateConfig {
///     namespace: "kube-system".into(),
///     name: "controller-0".into(),
///     lease_name: "controller".into(),
///     binary_version: "1.36.2".into(),
///     emulation_version: "1.35.0".into(),
///     strategy: "OldestEmulationVersion".into(),
///     request_timeout: None,
/// };
/// let mut candidate = Candidate::new(config, at(0).instant)?;
/// candidate.handle_timeout(at(0));
/// let get = candidate.poll_request().unwrap();
/// assert_eq!(get.op, Op::Get);
/// candidate.handle_response(at(0), Response { id: get.id, result: Err(Failure::NotFound) });
///
/// let create = candidate.poll_request().unwrap();
/// let Op::Create(mut object) = create.op else { panic!() };
/// let stored = Stored { candidate: object.clone(), version: Version::ordered(7) };
/// candidate.handle_response(at(1), Response { id: create.id, result: Ok(stored) });
/// assert_eq!(candidate.poll_timeout(), Some(at(1).instant + RENEW_PERIOD));
///
/// // The coordinator pings it; the watch shows that.
/// object.spec.ping_time = Some(at(9).timestamp);
/// let pinged = Stored { candidate: object, version: Version::ordered(8) };
/// candidate.handle_watch(at(10), Watched::Stored(pinged));
/// let Op::Update(answer, version) = candidate.poll_request().unwrap().op else { panic!() };
/// assert_eq!(version, Version::ordered(8));
/// assert_eq!(answer.spec.renew_time, Some(at(10).timestamp));
/// # Ok::<(), tenure::lock::candidate::CandidateError>(())
/// ```
///
/// [`Elector`]: crate::election::Elector
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Candidate {
    config: CandidateConfig,
    known: Known,
    /// When to write next, if nothing is outstanding.
    next: Instant,
    /// The wait after the next failure.
    retry: Duration,
    /// The ping that the last write over answered.
    answered: Option<Timestamp>,
    call: Option<Call>,
    request: Option<Request>,
    next_id: u64,
    finished: bool,
}

/// What is known of the object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Known {
    /// It must be read first.
    Nothing,
    Missing,
    Stored(Stored),
}

/// The outstanding request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Call {
    id: RequestId,
    /// It only reads: a write follows.
    reads: bool,
    deadline: Option<Instant>,
}

impl Candidate {
    /// A candidate whose first write is due at once.
    ///
    /// # Errors
    /// What an API server would refuse, or a request time-out of zero; see [`CandidateError`].
    pub fn new(config: CandidateConfig, now: Instant) -> Result<Self, CandidateError> {
        let origin = Now { instant: now, timestamp: Timestamp::GO_ZERO };
        config.object(origin).validate()?;
        if config.request_timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(CandidateError::RequestTimeoutZero);
        }
        Ok(Self {
            config,
            known: Known::Nothing,
            next: now,
            retry: FIRST_RETRY,
            answered: None,
            call: None,
            request: None,
            next_id: 0,
            finished: false,
        })
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Now) {
        let due = self.poll_timeout().is_some_and(|due| due <= now.instant);
        match self.call.take_if(|_| due) {
            // The store may have applied it.
            Some(call) => self.failed(now, &call, Failure::Other),
            None if due => self.ensure(now),
            None => {}
        }
    }

    /// The store has answered. Ignored unless it answers the outstanding request in time.
    pub fn handle_response(&mut self, now: Now, response: Response) {
        let Some(call) = self.call.take_if(|call| call.id == response.id) else { return };
        self.request = None;
        let late = call.deadline.is_some_and(|deadline| deadline <= now.instant);
        match response.result {
            _ if late => self.failed(now, &call, Failure::Other),
            Ok(stored) => self.succeeded(now, &call, stored),
            Err(failure) => self.failed(now, &call, failure),
        }
    }

    /// A watch shows the object. A ping is answered at once; one that is older than what is known
    /// already (by ordered versions) is ignored.
    pub fn handle_watch(&mut self, now: Now, watched: Watched) {
        if self.finished {
            return;
        }
        self.known = match watched {
            Watched::Stored(stored) if self.is_old(&stored) => return,
            Watched::Stored(stored) => Known::Stored(stored),
            Watched::Deleted => Known::Missing,
        };
        if self.call.is_none() && self.is_asked() {
            self.ensure(now);
        }
    }

    /// The candidacy ends: no more requests. The object stays.
    pub fn stop(&mut self) {
        self.finished = true;
        self.call = None;
        self.request = None;
    }

    /// The request to send now, if there is one.
    #[must_use]
    pub const fn poll_request(&mut self) -> Option<Request> {
        self.request.take()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); `None` if there is nothing to wait
    /// for but an answer.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.call {
            _ if self.finished => None,
            Some(call) => call.deadline,
            None => Some(self.next),
        }
    }

    /// Whether it was stopped.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.finished
    }

    /// `ensureLease`.
    fn ensure(&mut self, now: Now) {
        let op = match &self.known {
            Known::Nothing => Op::Get,
            Known::Missing => Op::Create(self.config.object(now)),
            Known::Stored(stored) => {
                let mut object = stored.candidate.clone();
                self.answered = object.spec.ping_time;
                object.spec.renew_time = Some(now.timestamp);
                self.config.describe(&mut object.spec);
                Op::Update(object, stored.version.clone())
            }
        };
        let id = RequestId(self.next_id);
        self.next_id += 1;
        let deadline = self.config.request_timeout.map(|timeout| now.instant + timeout);
        self.call = Some(Call { id, reads: op == Op::Get, deadline });
        let (namespace, name) = (self.config.namespace.clone(), self.config.name.clone());
        self.request = Some(Request { id, namespace, name, op, deadline });
    }

    fn succeeded(&mut self, now: Now, call: &Call, stored: Stored) {
        if !self.is_old(&stored) {
            self.known = Known::Stored(stored);
        }
        if call.reads || self.is_asked() {
            self.ensure(now);
            return;
        }
        self.retry = FIRST_RETRY;
        // A wall clock that stands still must not make a storm of writes.
        let early = self.early().map(|early| early.clamp(FIRST_RETRY, RENEW_PERIOD));
        self.next = now.instant + early.unwrap_or(RENEW_PERIOD);
    }

    fn failed(&mut self, now: Now, call: &Call, failure: Failure) {
        self.request = None;
        if call.reads && failure == Failure::NotFound {
            self.known = Known::Missing;
            self.ensure(now);
            return;
        }
        self.known = Known::Nothing;
        self.answered = None;
        self.next = now.instant + self.retry;
        self.retry = self.retry.saturating_mul(2).min(RENEW_PERIOD);
    }

    /// Whether there is a ping that no write has answered.
    fn is_asked(&self) -> bool {
        let Known::Stored(Stored { candidate, .. }) = &self.known else { return false };
        !candidate.spec.is_acked() && self.answered != candidate.spec.ping_time
    }

    /// How long until this clock comes to the ping that was answered, if that was from its future.
    fn early(&self) -> Option<Duration> {
        let Known::Stored(Stored { candidate, .. }) = &self.known else { return None };
        let (ping, renew) = (candidate.spec.ping_time?, candidate.spec.renew_time?);
        let nanos = u64::try_from(ping.unix_nanos() - renew.unix_nanos()).ok()?;
        (nanos > 0).then(|| Duration::from_nanos(nanos))
    }

    fn is_old(&self, stored: &Stored) -> bool {
        let Known::Stored(known) = &self.known else { return false };
        match (known.version.as_ordered(), stored.version.as_ordered()) {
            (Some(known), Some(stored)) => stored < known,
            _ => false,
        }
    }
}
