//! The driver's loop: what the machines want is fetched and done, and the timer is set.

use tenure::election::{Event as Said, Op, Request, RequestId, Token};
use tenure::time::{Instant, Now};

use super::Replica;
use crate::outside::{Event, Outside};
use crate::program::{Action, Program, Standing};
use crate::rule::Machine;
use crate::time::SimTime;
use crate::trace::{End, Verb, What};

impl<P: Program> Replica<P> {
    /// Fetches and does everything that the machines want done.
    pub(super) fn drive(&mut self, outside: &mut Outside, now: Now) {
        while self.alive && (self.heed(outside, now) | self.act(outside, now)) {}
        if !self.alive {
            return;
        }
        let until = self.elector.as_ref().and_then(Machine::leading_until);
        if until != self.until {
            self.until = until;
            self.show_authority(outside);
        }
        if !self.working && self.elector.as_ref().is_some_and(Machine::is_finished) {
            if !self.stopping
                && let Some(after) = self.rejoin_after
            {
                let start = Event::Start { replica: self.index, lives: self.lives };
                outside.queue.push(outside.now + after, start);
            }
            self.end(outside, End::Finished);
            return;
        }
        self.arm(outside);
    }

    /// What the elector says and asks. True if the program was told something.
    fn heed(&mut self, outside: &mut Outside, now: Now) -> bool {
        let Some(elector) = &mut self.elector else { return false };
        let replica = self.index;
        let mut told = false;
        while let Some(said) = elector.poll_event() {
            match said {
                Said::StartedLeading { token } => {
                    let token = token.map(Token::as_u64);
                    (self.believes, self.working, told) = (true, true, true);
                    outside.emit(What::StartedLeading { replica, token });
                    let is_leading = elector.is_leading(now.instant);
                    let standing = Standing { believes: true, is_leading, token };
                    if let Some(program) = &mut self.program {
                        program.handle_started_leading(now, standing);
                    }
                }
                Said::StoppedLeading { cause } => {
                    let led = core::mem::take(&mut self.believes);
                    outside.emit(What::StoppedLeading { replica, cause, led });
                    if let Some(program) = self.program.as_mut().filter(|_| led) {
                        program.handle_stopped_leading(now, Standing::default());
                        told = true;
                    }
                }
                Said::Endangered { until } => {
                    let until = self.clock.when(until).unwrap_or(SimTime::NEVER);
                    outside.emit(What::Endangered { replica, until });
                }
                Said::NewLeader { identity } => {
                    outside.emit(What::NewLeader { replica, identity });
                }
                Said::ForeignWrite { version } => {
                    let version = version.as_ordered().unwrap_or(0);
                    outside.emit(What::ForeignWrite { replica, version });
                }
            }
        }
        let request = elector.poll_request();
        let passed = |(_, deadline): &mut (RequestId, Option<Instant>)| {
            deadline.is_some_and(|deadline| deadline <= now.instant)
        };
        let replaced = request.is_some();
        if let Some((id, _)) = self.outstanding.take_if(|call| replaced || passed(call)) {
            outside.emit(What::GivenUp { replica, request: id.as_u64() });
            if self.fail_over {
                self.go_to_next_api(outside);
            }
        }
        if let Some(request) = request {
            self.send(outside, Box::new(request));
        }
        told
    }

    /// Calls go to the next API server from now on, and watches when they break.
    pub(super) fn go_to_next_api(&mut self, outside: &mut Outside) {
        self.api = (self.api + 1) % self.apis;
        outside.watch_at(self.index, self.api);
    }

    fn send(&mut self, outside: &mut Outside, request: Box<Request>) {
        self.outstanding = Some((request.id, request.deadline));
        let (verb, record, version) = match &request.op {
            Op::Get => (Verb::Get, None, None),
            Op::Create(object) => (Verb::Create, object.record().ok(), None),
            Op::Update(object, version) => {
                (Verb::Update, object.record().ok(), version.as_ordered())
            }
        };
        let (replica, id, object) = (self.index, request.id.as_u64(), request.lock.kind);
        let cause = outside.queue.cause();
        outside.emit(What::Sent { replica, request: id, verb, record, version, object });
        outside.send_request(self.who(), self.api, request);
        outside.queue.set_cause(cause); // what else is done now does not come of the call
    }

    /// What the program wants. True if the elector was told something.
    fn act(&mut self, outside: &mut Outside, now: Now) -> bool {
        let (who, api) = (self.who(), self.api);
        let Some(program) = &mut self.program else { return false };
        let mut told = false;
        while let Some(action) = program.poll_action() {
            match action {
                Action::Call { id, call } => outside.send_call(who, api, id, Box::new(call)),
                Action::Write(write) => outside.send_write(who, write, program.wants_written()),
                Action::WorkEnded => {
                    // An end that comes after the work began anew is no end.
                    if self.working && !self.believes {
                        self.working = false;
                        outside.emit(What::WorkEnded { replica: who.replica });
                        if let Some(elector) = &mut self.elector {
                            elector.work_stopped(now);
                            told = true;
                        }
                    }
                }
                Action::Note { kind, a, b } => {
                    outside.emit(What::Note { replica: who.replica, kind, a, b });
                }
            }
        }
        told
    }

    /// Says until when authority lasts in real time, if that has changed.
    pub(super) fn show_authority(&mut self, outside: &mut Outside) {
        let until = self.until.map(|until| self.clock.when(until).unwrap_or(SimTime::NEVER));
        if until != self.shown {
            self.shown = until;
            outside.emit(What::Authority { replica: self.index, until });
        }
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        let elector = self.elector.as_ref().and_then(Machine::poll_timeout);
        let program = self.program.as_ref().and_then(Program::poll_timeout);
        match (elector, program) {
            (Some(elector), Some(program)) => Some(elector.min(program)),
            (elector, program) => elector.or(program),
        }
    }

    /// Sees to it that the timer fires in time. It may fire early, which does nothing but arm it
    /// again.
    pub(super) fn arm(&mut self, outside: &mut Outside) {
        if self.paused() {
            return;
        }
        let due = self.next_due().and_then(|due| self.clock.when(due));
        let Some(due) = due.map(|due| due.max(outside.now)) else { return };
        if due < self.armed && due < SimTime::NEVER {
            self.generation = self.generation.wrapping_add(1);
            self.armed = due;
            let timer = Event::Timer { replica: self.index, generation: self.generation };
            outside.queue.push(due, timer);
        }
    }

    pub(super) fn disarm(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.armed = SimTime::NEVER;
    }
}
