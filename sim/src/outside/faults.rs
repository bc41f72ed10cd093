//! What faults of connections and of API servers do to messages and calls.

use std::collections::VecDeque;
use std::sync::Arc;

use tenure::election::{Failure, Op, RequestId, Response, Stored};
use tenure::lock::Kind;

use super::{Body, Event, LOCK, Message, Outside, Who};
use crate::fault::{Code, Fault, Planned};
use crate::net::{Fate, LinkId};
use crate::rng::{Draw, happens, mix};
use crate::store::Call;
use crate::time::{SimTime, Span};
use crate::trace::{Reply, Snapshot};

/// A fault by which requests fail by chance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Errors {
    pub(crate) fault: u32,
    pub(crate) before_ppm: u32,
    pub(crate) after_ppm: u32,
    pub(crate) code: Code,
}

/// A fault by which API servers answer reads as of before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lag {
    pub(crate) fault: u32,
    pub(crate) api: Option<u32>,
    pub(crate) began: SimTime,
    pub(crate) behind: Option<Span>,
}

/// What an object was.
type Copy = Option<(Stored, Arc<Snapshot>)>;

/// What the lock's objects were, and since when.
#[derive(Debug, Clone, Default)]
pub(super) struct Past(VecDeque<(SimTime, Kind, Copy)>);

/// The API server's failure that a client makes of a status.
pub(super) const fn failure(code: Code) -> Failure {
    match code {
        Code::Conflict => Failure::Conflict,
        Code::TooManyRequests | Code::Internal | Code::Timeout => Failure::Other,
    }
}

pub(super) const fn is_write(call: &Call) -> bool {
    !matches!(call, Call::Get { .. } | Call::List { .. })
}

/// Whether a request would change something.
pub(super) fn writes(body: &Body) -> bool {
    match body {
        Body::Request { request, .. } => !matches!(request.op, Op::Get),
        Body::Call { call, .. } => is_write(call),
        _ => false,
    }
}

impl Outside {
    /// Whether a request fails by chance before it has an effect.
    pub(super) fn refused(&mut self, luck: u64, writes: bool) -> Option<Code> {
        let by_chance = self.error_ppm > 0 && happens(mix(luck, Draw::Refused), self.error_ppm);
        let by_fault = self.by_errors(mix(luck, Draw::RefusedByFault), writes, |it| it.before_ppm);
        by_fault.or_else(|| by_chance.then_some(Code::Internal))
    }

    /// Whether a request that had its effect is answered with an error by chance.
    pub(super) fn spoiled(&mut self, luck: u64, writes: bool) -> Option<Code> {
        self.by_errors(mix(luck, Draw::Spoiled), writes, |it| it.after_ppm)
    }

    /// All faults that would let a request fail have an effect; the first says how.
    fn by_errors(&mut self, bits: u64, writes: bool, ppm: fn(&Errors) -> u32) -> Option<Code> {
        let mut code = None;
        for index in 0..self.errors.len() {
            let Some(errors) = self.errors.get(index).copied() else { break };
            let concerned = writes || errors.code != Code::Conflict;
            if concerned && happens(bits, ppm(&errors)) {
                self.blame(errors.fault);
                code = code.or(Some(errors.code));
            }
        }
        code
    }

    /// An API server answers with an error, or not at all, and does nothing else.
    pub(super) fn refuse(&mut self, message: Message, code: Code) {
        let Message { who, body } = message;
        let (Body::Request { api, .. } | Body::Call { api, .. }) = body else { return };
        if code != Code::Timeout
            && let Some(answer) = failed(&body, failure(code))
        {
            self.respond(who, api, Span::ZERO, answer);
        }
    }

    /// A connection is reset under a message: who waits for what comes of it hears an error instead.
    pub(super) fn reset(&mut self, fate: Fate, message: Message) {
        let Message { who, body } = message;
        if let (Some(takes), Some(body)) = (fate.takes, failed(&body, Failure::Other)) {
            let error = self.messages.insert(Message { who, body });
            self.queue.push(self.now + takes, Event::Arrive(error));
        }
    }

    /// Connections are reset: a call that is under way fails at once. The answer that may come yet is as
    /// late as one to a call that was given up.
    pub(crate) fn reset_call(&mut self, fault: u32, who: Who, request: RequestId) {
        self.blame(fault);
        let body = error(request, Failure::Other);
        let message = self.messages.insert(Message { who, body });
        self.queue.push(self.now, Event::Arrive(message));
    }

    /// What no fault holds up any more goes on, in the order of its sending, and meets the network as it
    /// is now.
    pub(crate) fn release_held(&mut self) {
        for (link, fate, message) in std::mem::take(&mut self.held) {
            if self.net.is_held(link) {
                self.held.push((link, fate, message));
            } else if let Some(blocker) = self.net.blocker(link) {
                self.blame(blocker);
                self.log.statistics.lost += 1;
            } else if let Body::Shown { .. } = message.body {
                self.show_late(fate, message);
            } else {
                self.forward(fate, message);
            }
        }
    }

    /// Whether a replica's link to or from this API server is among these.
    pub(crate) fn concerns(&self, links: &[LinkId], replica: u32, api: u32) -> bool {
        let both = [self.net.request(replica, api), self.net.response(replica, api)];
        both.into_iter().flatten().any(|link| links.contains(&link))
    }

    /// From now on keeps what the lock's objects were, if a fault will ask.
    pub(super) fn remember(&mut self, faults: &[Planned]) {
        let asks = |planned: &Planned| matches!(planned.fault, Fault::StaleReads { .. });
        if faults.iter().any(asks) {
            self.past = Some(Past::default());
            for object in [Kind::Lease, Kind::ConfigMap, Kind::Endpoints] {
                self.keep(object);
            }
        }
    }

    /// An object has changed.
    pub(super) fn keep(&mut self, object: Kind) {
        let Some(Past(past)) = &mut self.past else { return };
        let stored = self.store.get_of(object, LOCK).ok().cloned();
        let copy = stored.zip(self.store.snapshot_of(object, LOCK).cloned());
        past.push_back((self.now, object, copy));
    }

    /// What an API server's cache says of an object, if it lags behind; of several faults the greatest lag
    /// counts.
    pub(super) fn cached(
        &mut self,
        api: u32,
        object: Kind,
    ) -> Option<(Result<Stored, Failure>, Reply)> {
        let Past(past) = self.past.as_ref()?;
        let as_of = |lag: &Lag| match lag.behind {
            Some(behind) => SimTime::ZERO + self.now.saturating_since(SimTime::ZERO + behind),
            None => lag.began,
        };
        let lags = self.lags.iter().filter(|lag| lag.api.is_none_or(|lags| lags == api));
        let lag = lags.min_by_key(|lag| as_of(lag))?;
        let as_of = as_of(lag);
        let old = past.iter().rev().find(|(at, kind, _)| *kind == object && *at <= as_of);
        let copy = old.and_then(|(.., copy)| copy.clone());
        let now = self.store.snapshot_of(object, LOCK).map(|snapshot| snapshot.version);
        if copy.as_ref().map(|(_, snapshot)| snapshot.version) != now {
            let fault = lag.fault;
            self.blame(fault);
        }
        Some(match copy {
            Some((stored, snapshot)) => (Ok(stored), Reply::Is(snapshot)),
            None => (Err(Failure::NotFound), Reply::Failed(Failure::NotFound)),
        })
    }
}

/// The error that stands for what comes of a message, if anybody waits for that.
fn failed(body: &Body, failure: Failure) -> Option<Body> {
    match body {
        Body::Request { request, .. } => Some(error(request.id, failure)),
        Body::Answer { response, .. } => Some(error(response.id, failure)),
        Body::Call { id, .. } | Body::CallAnswer { id, .. } => {
            Some(Body::CallAnswer { id: *id, answer: Err(failure).into() })
        }
        Body::Write { .. } | Body::Written { .. } | Body::Watch { .. } | Body::Shown { .. } => None,
    }
}

fn error(id: RequestId, failure: Failure) -> Body {
    let response = Response { id, result: Err(failure) }.into();
    Body::Answer { response, reply: Reply::Failed(failure) }
}
