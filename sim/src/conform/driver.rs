//! An elector, the time, and what came out of it.

use std::collections::VecDeque;

use tenure::election::{Elector, Event, Failure, Request, RequestId, Response, Stored};

use super::compare::{instant, now, trace_time};

/// Something that the elector reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Callback {
    pub(super) t_ns: i64,
    pub(super) kind: CallbackKind,
    /// The last event of the trace that the elector knew of.
    pub(super) after: u64,
}

/// What was reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallbackKind {
    StartedLeading,
    StoppedLeading,
    NewLeader(String),
}

/// A request that has come out and is not yet matched with a recorded call.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) t_ns: i64,
    pub(super) request: Request,
}

/// Drives one elector and keeps what it does.
#[derive(Debug, Clone)]
pub(super) struct Driver {
    elector: Elector,
    /// The last event of the trace that was given to the elector.
    pub(super) after: u64,
    pub(super) asked: VecDeque<Asked>,
    pub(super) callbacks: Vec<Callback>,
    pub(super) finished_ns: Option<i64>,
    /// The request that waits for its answer: id and deadline.
    pub(super) outstanding: Option<(RequestId, Option<i64>)>,
    led: bool,
    stopped: bool,
}

impl Driver {
    pub(super) fn new(elector: Elector, after: u64) -> Self {
        Self {
            elector,
            after,
            asked: VecDeque::new(),
            callbacks: Vec::new(),
            finished_ns: None,
            outstanding: None,
            led: false,
            stopped: false,
        }
    }

    pub(super) const fn elector(&self) -> &Elector {
        &self.elector
    }

    /// When the elector wants to be called next.
    pub(super) fn timer(&self) -> Option<i64> {
        self.elector.poll_timeout().map(trace_time)
    }

    /// Whether it waits for its next attempt to acquire: the one timer that is drawn at random.
    pub(super) fn is_waiting_to_acquire(&self) -> bool {
        !self.led
            && !self.stopped
            && self.finished_ns.is_none()
            && self.outstanding.is_none()
            && self.asked.is_empty()
    }

    /// Lets all that is due before `t_ns` happen at its own time, but random waits; an error if the
    /// elector's time stands still.
    pub(super) fn advance(&mut self, t_ns: i64) -> Result<(), i64> {
        let mut tries_left = 1000;
        while !self.is_waiting_to_acquire() {
            let Some(timer) = self.timer().filter(|timer| *timer < t_ns) else { break };
            if tries_left == 0 {
                return Err(timer);
            }
            tries_left -= 1;
            self.timeout(timer);
        }
        Ok(())
    }

    pub(super) fn timeout(&mut self, t_ns: i64) {
        self.elector.handle_timeout(now(t_ns));
        self.drain(t_ns);
    }

    pub(super) fn poke(&mut self, t_ns: i64) {
        self.elector.poke(now(t_ns));
        self.drain(t_ns);
    }

    pub(super) fn stop(&mut self, t_ns: i64) {
        self.elector.stop(now(t_ns));
        self.stopped = true;
        self.drain(t_ns);
    }

    pub(super) fn release(&mut self, t_ns: i64) {
        self.elector.release_client_go(now(t_ns));
        self.led = true;
        self.drain(t_ns);
    }

    /// Answers the outstanding request.
    pub(super) fn answer(&mut self, t_ns: i64, result: Result<Stored, Failure>) {
        if let Some((id, _)) = self.outstanding.take() {
            self.elector.handle_response(now(t_ns), Response { id, result });
        }
        self.drain(t_ns);
    }

    /// The next request, which from now on waits for its answer.
    pub(super) fn take(&mut self) -> Option<Asked> {
        let asked = self.asked.pop_front()?;
        self.outstanding = Some((asked.request.id, asked.request.deadline.map(trace_time)));
        Some(asked)
    }

    pub(super) fn is_leading(&self, t_ns: i64) -> bool {
        self.elector.is_leading(instant(t_ns))
    }

    fn drain(&mut self, t_ns: i64) {
        while let Some(event) = self.elector.poll_event() {
            let kind = match event {
                Event::StartedLeading { .. } => CallbackKind::StartedLeading,
                Event::StoppedLeading { .. } => CallbackKind::StoppedLeading,
                Event::NewLeader { identity } => {
                    CallbackKind::NewLeader(identity.as_str().to_owned())
                }
                Event::ForeignWrite { .. } | Event::Endangered { .. } => continue, // Strict only.
            };
            self.led |= kind == CallbackKind::StartedLeading;
            self.callbacks.push(Callback { t_ns, kind, after: self.after });
        }
        while let Some(request) = self.elector.poll_request() {
            self.outstanding = None; // A new request replaces the old one.
            self.asked.push_back(Asked { t_ns, request });
        }
        if self.elector.is_finished() && self.finished_ns.is_none() {
            self.finished_ns = Some(t_ns);
        }
    }
}
