//! A replica that may lead: an elector, and its candidacy.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tenure::election::coordinated::{
    Candidate, CandidateConfig, Op as CandidateOp, Response as CandidateResponse, Watched,
};
use tenure::election::{
    Config, Elector, Event, Failure, Op, Profile, RequestId, Response, Stored as StoredLease,
};
use tenure::lock::candidate::OLDEST_EMULATION_VERSION;
use tenure::lock::{LockRef, Object, Version};
use tenure::time::{Instant, Now};

use super::{WATCH, note, object};
use crate::program::Action;
use crate::store::{Answer, Call};

/// How long after an elector has finished its process is back.
const REJOIN: Duration = Duration::from_secs(2);

/// What a replica is told.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) name: Arc<str>,
    pub(super) lock: LockRef,
    pub(super) emulation: Arc<str>,
    pub(super) coordinated: bool,
    pub(super) profile: Profile,
    /// Lease duration, renew deadline, retry period.
    pub(super) durations: [Duration; 3],
}

/// One life of a replica.
#[derive(Debug)]
pub(super) struct Replica {
    role: Role,
    seed: u64,
    elector: Option<Elector>,
    candidate: Option<Candidate>,
    leads: bool,
    /// When a finished elector is replaced.
    rejoin: Option<Instant>,
    /// When to read the own candidate next.
    next: Instant,
    calls: u64,
    asked: BTreeMap<u64, Asked>,
    out: VecDeque<Action>,
}

/// What a call is for.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Elector(RequestId),
    Candidate(RequestId),
    Watch,
}

impl Replica {
    pub(super) fn new(role: Role, seed: u64) -> Self {
        Self {
            role,
            seed,
            elector: None,
            candidate: None,
            leads: false,
            rejoin: None,
            next: Instant::default(),
            calls: 0,
            asked: BTreeMap::new(),
            out: VecDeque::new(),
        }
    }

    pub(super) fn handle_start(&mut self, now: Now) {
        self.next = now.instant;
        self.rejoin = Some(now.instant);
        if self.role.coordinated {
            self.candidate = Candidate::new(self.candidacy(), now.instant).ok();
        }
        self.handle_timeout(now);
    }

    pub(super) fn handle_timeout(&mut self, now: Now) {
        if self.rejoin.take_if(|at| *at <= now.instant).is_some() {
            self.seed = self.seed.wrapping_add(1);
            self.elector = Elector::new(self.config(), self.seed, now.instant).ok();
        }
        if let Some(elector) = &mut self.elector {
            elector.handle_timeout(now);
        }
        if let Some(candidate) = &mut self.candidate {
            candidate.handle_timeout(now);
            if self.next <= now.instant {
                self.next = now.instant + WATCH.as_duration();
                self.call(Asked::Watch, Call::Get { name: self.role.name.clone() });
            }
        }
        self.drive(now);
    }

    pub(super) fn handle_answer(&mut self, now: Now, id: u64, answer: &Result<Answer, Failure>) {
        let stored = match answer {
            Ok(Answer::Stored(stored)) => Ok(stored),
            Ok(_) => Err(Failure::Other),
            Err(failure) => Err(*failure),
        };
        let candidate = |stored: &StoredLease| object::decode(stored).ok_or(Failure::Other);
        match (self.asked.remove(&id), &mut self.elector, &mut self.candidate) {
            (Some(Asked::Elector(id)), Some(elector), _) => {
                elector.handle_response(now, Response { id, result: stored.cloned() });
            }
            (Some(Asked::Candidate(id)), _, Some(machine)) => {
                let result = stored.and_then(candidate);
                machine.handle_response(now, CandidateResponse { id, result });
            }
            (Some(Asked::Watch), _, Some(machine)) => match stored.and_then(candidate) {
                Ok(stored) => machine.handle_watch(now, Watched::Stored(stored)),
                Err(Failure::NotFound) => machine.handle_watch(now, Watched::Deleted),
                Err(_) => {}
            },
            _ => {}
        }
        self.drive(now);
    }

    pub(super) fn poll_action(&mut self) -> Option<Action> {
        self.out.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let elector = self.elector.as_ref().and_then(Elector::poll_timeout);
        let candidate = self.candidate.as_ref().and_then(Candidate::poll_timeout);
        let watch = self.candidate.as_ref().map(|_| self.next);
        [elector, candidate, watch, self.rejoin].into_iter().flatten().min()
    }

    /// What the machines want.
    fn drive(&mut self, now: Now) {
        while let Some(event) = self.elector.as_mut().and_then(Elector::poll_event) {
            let kind = match event {
                Event::StartedLeading { .. } => note::STARTED,
                Event::StoppedLeading { .. } if self.leads => note::STOPPED,
                _ => continue,
            };
            self.leads = kind == note::STARTED;
            self.out.push_back(Action::Note { kind, a: 0, b: 0 });
            if let Some(elector) = self.elector.as_mut().filter(|_| !self.leads) {
                elector.work_stopped(now);
            }
        }
        if let Some(request) = self.elector.as_mut().and_then(Elector::poll_request) {
            let call = match request.op {
                Op::Get => Call::Get { name: request.lock.name.clone() },
                Op::Create(object) => Call::Create(object),
                Op::Update(object, version) => update(object, &version),
            };
            self.call(Asked::Elector(request.id), call);
        }
        if let Some(request) = self.candidate.as_mut().and_then(Candidate::poll_request) {
            let call = match request.op {
                CandidateOp::Get => Call::Get { name: request.name },
                CandidateOp::Create(candidate) => Call::Create(object::encode(&candidate)),
                CandidateOp::Update(candidate, version) => {
                    update(object::encode(&candidate), &version)
                }
            };
            self.call(Asked::Candidate(request.id), call);
        }
        if self.elector.take_if(|elector| elector.is_finished()).is_some() {
            self.rejoin = Some(now.instant + REJOIN);
        }
    }

    fn call(&mut self, asked: Asked, call: Call) {
        self.calls += 1;
        self.asked.insert(self.calls, asked);
        self.out.push_back(Action::Call { id: self.calls, call });
    }

    fn config(&self) -> Config {
        let [lease_duration, renew_deadline, retry_period] = self.role.durations;
        Config {
            lease_duration,
            renew_deadline,
            retry_period,
            release_on_stop: false,
            coordinated: self.role.coordinated,
            profile: self.role.profile,
            ..Config::new(self.role.lock.clone(), self.role.name.clone(), self.seed.to_string())
        }
    }

    fn candidacy(&self) -> CandidateConfig {
        CandidateConfig {
            namespace: self.role.lock.namespace.clone(),
            name: self.role.name.clone(),
            lease_name: self.role.lock.name.clone(),
            binary_version: "1.36.2".into(),
            emulation_version: self.role.emulation.clone(),
            strategy: OLDEST_EMULATION_VERSION.into(),
            request_timeout: Some(Duration::from_secs(5)),
        }
    }
}

fn update(object: Object, version: &Version) -> Call {
    Call::Update { object, version: version.as_ordered().unwrap_or(0) }
}
