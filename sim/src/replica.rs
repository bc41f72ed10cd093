//! One replica: a machine with its clocks, and the process on it, which drives an [`Elector`] as a
//! production driver would and runs a [`Program`].
//!
//! What only the simulator does: answers to calls that were given up are handed to the elector all
//! the same, which must ignore them; a production driver drops them.

use std::collections::VecDeque;

use tenure::election::{Elector, Event as Said, Failure, Op, Profile, Request, RequestId, Token};
use tenure::time::{Instant, Now};

use crate::clock::Clock;
use crate::fault::{Reborn, WakeUp};
use crate::outside::{Body, Event, Message, Outside, Who};
use crate::program::{Action, Program, Standing};
use crate::rng::Stream;
use crate::scenario::Scenario;
use crate::time::{SimTime, Span};
use crate::trace::{End, Verb, What};

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact on its own")]
pub(crate) struct Replica<P> {
    pub(crate) index: u32,
    pub(crate) clock: Clock,
    /// The rate without faults.
    pub(crate) base_rate: u64,
    /// Clock faults that are on: drifts (the last counts), suspends, wall freezes.
    pub(crate) drifts: Vec<(u32, u64)>,
    pub(crate) suspends: Vec<Suspend>,
    pub(crate) wall_freezes: Vec<u32>,
    /// Faults that pause the process, and what it does first when it goes on.
    pausers: Vec<u32>,
    wake_up: WakeUp,
    inbox: VecDeque<Message>,
    /// Lives so far; the present one's number is one less.
    pub(crate) lives: u32,
    pub(crate) alive: bool,
    pub(crate) stopping: bool,
    stop_wanted: bool,
    /// The faults that took the process down, or are about to: it starts when the last has ended.
    pub(crate) downers: Vec<u32>,
    /// They have ended before it has exited: it starts again as this, at once, when it has.
    pub(crate) comes_back: Option<Reborn>,
    /// It is to start when its machine is no longer suspended.
    pub(crate) starts_on_waking: bool,
    pub(crate) rejoin_after: Option<Span>,
    pub(crate) reborn: Reborn,
    incarnation: String,
    incarnations: Stream,
    seeds: Stream,
    program_seeds: Stream,
    apis: u32,
    api: u32,
    fail_over: bool,
    pub(crate) elector: Option<Elector>,
    pub(crate) program: Option<P>,
    outstanding: Option<(RequestId, Option<Instant>)>,
    believes: bool,
    /// The work that began with the belief has not ended.
    working: bool,
    until: Option<Instant>,
    shown: Option<SimTime>,
    armed: SimTime,
    generation: u32,
}

/// A machine that is suspended by a fault, or the clock alone.
#[derive(Debug)]
pub(crate) struct Suspend {
    pub(crate) fault: u32,
    /// The process runs on.
    pub(crate) running: bool,
}

/// What is the same for all replicas and lives.
pub(crate) struct Making<'a, P> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) program: &'a mut dyn FnMut(u32, u32, u64) -> P,
}

impl<P: Program> Replica<P> {
    pub(crate) fn new(scenario: &Scenario, index: u32, streams: [Stream; 3]) -> Self {
        let spec = scenario.replicas.get(index as usize).cloned().unwrap_or_default();
        let base_rate = spec.rate_ppb.unwrap_or(crate::clock::RIGHT);
        let apis = u32::try_from(scenario.network.apis.len()).unwrap_or(1).max(1);
        let [seeds, incarnations, program_seeds] = streams;
        Self {
            index,
            clock: Clock::new(spec.clock_offset, base_rate, spec.wall_offset),
            base_rate,
            drifts: Vec::new(),
            suspends: Vec::new(),
            wall_freezes: Vec::new(),
            pausers: Vec::new(),
            wake_up: WakeUp::default(),
            inbox: VecDeque::new(),
            lives: 0,
            alive: false,
            stopping: false,
            stop_wanted: false,
            downers: Vec::new(),
            comes_back: None,
            starts_on_waking: false,
            rejoin_after: scenario.rejoin_after,
            reborn: Reborn::New,
            incarnation: String::new(),
            incarnations,
            seeds,
            program_seeds,
            apis,
            api: spec.api.unwrap_or(index % apis),
            fail_over: scenario.network.fail_over,
            elector: None,
            program: None,
            outstanding: None,
            believes: false,
            working: false,
            until: None,
            shown: None,
            armed: SimTime::NEVER,
            generation: 0,
        }
    }

    pub(crate) const fn believes(&self) -> bool {
        self.believes
    }

    pub(crate) const fn paused(&self) -> bool {
        !self.pausers.is_empty()
    }

    /// Whether the machine is suspended, so that no process can start.
    pub(crate) fn asleep(&self) -> bool {
        self.suspends.iter().any(|suspend| !suspend.running)
    }

    const fn who(&self) -> Who {
        Who { replica: self.index, life: self.lives.saturating_sub(1) }
    }

    fn standing(&self, now: Now) -> Standing {
        let elector = self.elector.as_ref();
        Standing {
            believes: self.believes,
            is_leading: elector.is_some_and(|elector| elector.is_leading(now.instant)),
            token: elector.and_then(Elector::fencing_token).map(Token::as_u64),
        }
    }

    /// The process starts.
    pub(crate) fn start(&mut self, outside: &mut Outside, making: &mut Making<'_, P>) {
        let life = self.lives;
        self.lives += 1;
        self.alive = true;
        self.stopping = false;
        self.stop_wanted = false;
        self.downers.clear();
        self.comes_back = None;
        self.starts_on_waking = false;
        if self.reborn == Reborn::New || self.incarnation.is_empty() {
            self.incarnation = format!("{:08x}", self.incarnations.bits() >> 32);
        }
        self.reborn = Reborn::New;
        let now = self.clock.now(outside.now);
        let config = crate::world::config(making.scenario, self.index, &self.incarnation);
        let profile = config.profile;
        let seed = self.seeds.bits();
        self.elector =
            making.scenario.election.then(|| Elector::unchecked(config, seed, now.instant));
        self.program = Some((making.program)(self.index, life, self.program_seeds.bits()));
        let identity =
            self.elector.as_ref().map(|elector| elector.identity().clone()).unwrap_or_default();
        if let Some(name) = outside.names.get_mut(self.index as usize) {
            *name = identity.clone();
        }
        let (replica, rate_ppb) = (self.index, self.clock.rate_ppb());
        outside.emit(What::Started { replica, life, identity, profile, rate_ppb });
        self.blame_clock_faults(outside);
        let standing = self.standing(now);
        if let Some(program) = &mut self.program {
            program.handle_start(now, standing);
        }
        if let Some(elector) = &mut self.elector {
            elector.handle_timeout(now);
        }
        self.drive(outside, now);
    }

    /// The process is gone.
    pub(crate) fn end(&mut self, outside: &mut Outside, end: End) {
        self.alive = false;
        self.pausers.clear();
        self.inbox.clear();
        self.outstanding = None;
        self.believes = false;
        self.working = false;
        self.until = None;
        self.shown = None;
        self.disarm();
        outside.emit(What::Ended { replica: self.index, end });
        if let Some(reborn) = self.comes_back.take() {
            self.reborn = reborn;
            let start = Event::Start { replica: self.index, lives: self.lives };
            outside.queue.push(outside.now, start);
        }
    }

    /// A graceful shutdown is asked for; a paused process hears of it when it goes on.
    pub(crate) fn stop(&mut self, outside: &mut Outside) {
        self.stopping = true;
        if self.paused() {
            self.stop_wanted = true;
            return;
        }
        outside.emit(What::Stopping { replica: self.index });
        let now = self.clock.now(outside.now);
        match &mut self.elector {
            Some(elector) => {
                elector.stop(now);
                self.drive(outside, now);
            }
            None => self.end(outside, End::Finished),
        }
    }

    /// The timer fires.
    pub(crate) fn fire(&mut self, outside: &mut Outside, generation: u32) {
        if generation != self.generation {
            outside.log.statistics.stale += 1;
            return;
        }
        self.armed = SimTime::NEVER;
        if self.paused() {
            self.blame_pausers_if_due(outside); // it is handled on resuming
            return;
        }
        self.due(outside);
    }

    /// Handles the timers that are due: the elector's first, so that the program knows where it
    /// stands.
    fn due(&mut self, outside: &mut Outside) {
        let now = self.clock.now(outside.now);
        if let Some(elector) = &mut self.elector
            && elector.poll_timeout().is_some_and(|due| due <= now.instant)
        {
            elector.handle_timeout(now);
            self.drive(outside, now);
        }
        if !self.alive {
            return;
        }
        let program = self.program.as_ref().and_then(Program::poll_timeout);
        if program.is_some_and(|due| due <= now.instant) {
            let standing = self.standing(now);
            if let Some(program) = &mut self.program {
                program.handle_timeout(now, standing);
            }
            self.drive(outside, now);
        } else {
            self.arm(outside);
        }
    }

    /// A message has arrived.
    pub(crate) fn deliver(&mut self, outside: &mut Outside, message: Message) {
        if !self.alive || message.who.life + 1 != self.lives {
            return;
        }
        if self.paused() {
            for fault in &self.pausers {
                outside.blame(*fault);
            }
            self.inbox.push_back(message);
            return;
        }
        self.receive(outside, message);
    }

    fn receive(&mut self, outside: &mut Outside, message: Message) {
        let now = self.clock.now(outside.now);
        match message.body {
            Body::Answer { response, reply } => {
                let Some(elector) = &mut self.elector else { return };
                let asked = self.outstanding.take_if(|(id, _)| *id == response.id);
                let passed = |deadline: Instant| is_over(elector, deadline, now.instant);
                let in_time = asked.is_some_and(|(_, deadline)| !deadline.is_some_and(passed));
                let (replica, request) = (self.index, response.id.as_u64());
                if asked.is_some() && !in_time {
                    outside.emit(What::GivenUp { replica, request });
                }
                // Once a call: one that was given up before has had its turn.
                let failed = !in_time || response.result == Err(Failure::Other);
                if self.fail_over && asked.is_some() && failed {
                    self.api = (self.api + 1) % self.apis;
                }
                outside.emit(What::Answered { replica, request, reply, late: !in_time });
                elector.handle_response(now, *response);
            }
            Body::CallAnswer { id, answer } => {
                let standing = self.standing(now);
                if let Some(program) = &mut self.program {
                    program.handle_answer(now, standing, id, &answer);
                }
            }
            Body::Written { write, accepted } => {
                let standing = self.standing(now);
                if let Some(program) = &mut self.program {
                    program.handle_written(now, standing, &write, accepted);
                }
            }
            Body::Request { .. } | Body::Call { .. } | Body::Write { .. } => {} // not for replicas
        }
        self.drive(outside, now);
    }

    /// A fault stops the process from doing anything.
    pub(crate) fn pause(&mut self, outside: &mut Outside, fault: u32, wake_up: WakeUp) {
        let first = self.pausers.is_empty();
        self.pausers.push(fault);
        self.wake_up = wake_up;
        if first {
            outside.emit(What::Paused { replica: self.index });
        }
    }

    /// A fault that paused the process is over. If it was the last, the process handles what it
    /// missed.
    pub(crate) fn unpause(&mut self, outside: &mut Outside, fault: u32) {
        if !self.pausers.contains(&fault) {
            return;
        }
        self.blame_pausers_if_due(outside);
        self.pausers.retain(|other| *other != fault);
        if self.pausers.is_empty() {
            self.resume(outside);
        }
    }

    fn blame_pausers_if_due(&self, outside: &mut Outside) {
        let now = self.clock.instant(outside.now);
        if self.next_due().is_some_and(|due| due <= now) {
            self.pausers.iter().for_each(|fault| outside.blame(*fault));
        }
    }

    fn resume(&mut self, outside: &mut Outside) {
        outside.emit(What::Resumed { replica: self.index });
        if core::mem::take(&mut self.stop_wanted) {
            self.stop(outside);
        }
        if self.alive && self.wake_up == WakeUp::TimersFirst {
            self.due(outside);
        }
        while self.alive
            && let Some(message) = self.inbox.pop_front()
        {
            self.receive(outside, message);
        }
        if self.alive {
            self.due(outside);
        }
    }

    /// All pauses end but those of a suspended machine. Whether there was one.
    pub(crate) fn resume_from_pauses(&mut self, outside: &mut Outside) -> bool {
        let suspends = |fault: &u32| self.suspends.iter().any(|suspend| suspend.fault == *fault);
        let pauses: Vec<_> =
            self.pausers.iter().copied().filter(|fault| !suspends(fault)).collect();
        for fault in &pauses {
            self.unpause(outside, *fault);
        }
        !pauses.is_empty()
    }

    /// The monotonic clock runs as the faults on it have it.
    pub(crate) fn apply_clock_faults(&mut self, outside: &mut Outside) {
        let drifting = self.drifts.last().map_or(self.base_rate, |(_, rate)| *rate);
        let rate = if self.suspends.is_empty() { drifting } else { 0 };
        if rate != self.clock.rate_ppb() {
            self.clock.set_rate(outside.now, rate);
            self.say_clock(outside);
            if self.alive {
                // Real times that follow from local ones are others now.
                self.disarm();
                self.show_authority(outside);
                self.arm(outside);
            }
        }
        self.blame_clock_faults(outside);
    }

    /// The wall clock stops, if it has not.
    pub(crate) fn freeze_wall(&mut self, outside: &mut Outside, fault: u32) {
        if self.wall_freezes.is_empty() {
            self.clock.freeze_wall(outside.now, true);
        }
        self.wall_freezes.push(fault);
        self.blame_clock_faults(outside);
    }

    /// Clock faults have an effect if there is a process to see another time because of them.
    fn blame_clock_faults(&self, outside: &mut Outside) {
        if !self.alive {
            return;
        }
        self.wall_freezes.iter().for_each(|fault| outside.blame(*fault));
        self.suspends.iter().for_each(|suspend| outside.blame(suspend.fault));
        if self.suspends.is_empty()
            && let Some(((fault, rate), others)) = self.drifts.split_last()
            && *rate != others.last().map_or(self.base_rate, |(_, rate)| *rate)
        {
            outside.blame(*fault);
        }
    }

    /// A clock was changed.
    pub(crate) fn say_clock(&self, outside: &mut Outside) {
        let (replica, rate_ppb) = (self.index, self.clock.rate_ppb());
        outside.emit(What::Clock { replica, rate_ppb });
    }

    /// Fetches and does everything that the machines want done.
    fn drive(&mut self, outside: &mut Outside, now: Now) {
        while self.alive && (self.heed(outside, now) | self.act(outside, now)) {}
        if !self.alive {
            return;
        }
        let until = self.elector.as_ref().and_then(Elector::leading_until);
        if until != self.until {
            self.until = until;
            self.show_authority(outside);
        }
        if !self.working && self.elector.as_ref().is_some_and(Elector::is_finished) {
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
                self.api = (self.api + 1) % self.apis;
            }
        }
        if let Some(request) = request {
            self.send(outside, Box::new(request));
        }
        told
    }

    fn send(&mut self, outside: &mut Outside, request: Box<Request>) {
        self.outstanding = Some((request.id, request.deadline));
        let (verb, record, version) = match &request.op {
            Op::Get => (Verb::Get, None, None),
            Op::Create(object) => (Verb::Create, Some(object.record()), None),
            Op::Update(object, version) => {
                (Verb::Update, Some(object.record()), version.as_ordered())
            }
        };
        let (replica, id) = (self.index, request.id.as_u64());
        outside.emit(What::Sent { replica, request: id, verb, record, version });
        outside.send_request(self.who(), self.api, request);
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
    fn show_authority(&mut self, outside: &mut Outside) {
        let until = self.until.map(|until| self.clock.when(until).unwrap_or(SimTime::NEVER));
        if until != self.shown {
            self.shown = until;
            outside.emit(What::Authority { replica: self.index, until });
        }
    }

    fn next_due(&self) -> Option<Instant> {
        let elector = self.elector.as_ref().and_then(Elector::poll_timeout);
        let program = self.program.as_ref().and_then(Program::poll_timeout);
        match (elector, program) {
            (Some(elector), Some(program)) => Some(elector.min(program)),
            (elector, program) => elector.or(program),
        }
    }

    /// Sees to it that the timer fires in time. It may fire early, which does nothing but arm it
    /// again.
    fn arm(&mut self, outside: &mut Outside) {
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

    fn disarm(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.armed = SimTime::NEVER;
    }
}

/// Whether an answer at `now` is too late for a call of this elector. client-go takes one that comes
/// at the very deadline.
fn is_over(elector: &Elector, deadline: Instant, now: Instant) -> bool {
    match elector.config().profile {
        Profile::Strict => deadline <= now,
        Profile::ClientGo(_) => deadline < now,
    }
}
