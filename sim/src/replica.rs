//! One replica: a machine with its clocks, and the process on it, which drives an [`Elector`] as a
//! production driver would and runs a [`Program`].
//!
//! What only the simulator does: answers to calls that were given up are handed to the elector all
//! the same, which must ignore them; a production driver drops them.

mod disturb;
mod drive;

use std::collections::VecDeque;

use tenure::election::{Elector, Failure, Profile, RequestId, Token, Watched};
use tenure::lock::Identity;
use tenure::time::{Instant, Now};

use crate::clock::Clock;
use crate::distribution::Distribution;
use crate::fault::{Reborn, WakeUp};
use crate::outside::{Body, Event, Message, Outside, Who};
use crate::program::{Program, Standing};
use crate::queue::Cause;
use crate::rng::Stream;
use crate::rule::{Machine, Newcomer, Own, Rule};
use crate::scenario::{self, Scenario};
use crate::time::{SimTime, Span};
use crate::trace::{End, What};

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact on its own")]
pub(crate) struct Replica<P> {
    pub(crate) index: u32,
    /// What its next life runs with.
    settings: scenario::Replica,
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
    /// Faults that make the process slow; whether it is about to come to something; how long it takes.
    slows: Vec<(u32, Distribution)>,
    attending: bool,
    pace: Stream,
    inbox: VecDeque<(Cause, Message)>,
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
    /// Its program does what is due before the elector does.
    ahead: bool,
    pub(crate) elector: Option<Machine>,
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

pub(crate) type Rules = dyn FnMut(&Newcomer<'_>) -> Box<dyn Rule> + Send;

/// What is the same for all replicas and lives.
pub(crate) struct Making<'a, P> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) program: &'a mut dyn FnMut(&Birth) -> P,
    /// Whose rule is followed, if not this library's.
    pub(crate) rules: Option<&'a mut Rules>,
}

/// Whose program is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Birth {
    pub(crate) replica: u32,
    pub(crate) life: u32,
    /// A seed of its own.
    pub(crate) seed: u64,
    /// The rules of this life.
    pub(crate) profile: Profile,
}

impl<P: Program> Replica<P> {
    pub(crate) fn new(scenario: &Scenario, index: u32, streams: [Stream; 4]) -> Self {
        let spec = scenario.replicas.get(index as usize).cloned().unwrap_or_default();
        let base_rate = spec.rate_ppb.unwrap_or(crate::clock::RIGHT);
        let apis = u32::try_from(scenario.network.apis.len()).unwrap_or(1).max(1);
        let [seeds, incarnations, program_seeds, pace] = streams;
        Self {
            index,
            settings: spec.clone(),
            clock: Clock::new(spec.clock_offset, base_rate, spec.wall_offset),
            base_rate,
            drifts: Vec::new(),
            suspends: Vec::new(),
            wall_freezes: Vec::new(),
            pausers: Vec::new(),
            wake_up: WakeUp::default(),
            slows: Vec::new(),
            attending: false,
            pace,
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
            ahead: scenario.work.ahead,
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

    pub(crate) const fn who(&self) -> Who {
        Who { replica: self.index, life: self.lives.saturating_sub(1) }
    }

    fn standing(&self, now: Now) -> Standing {
        let elector = self.elector.as_ref();
        Standing {
            believes: self.believes,
            is_leading: elector.is_some_and(|elector| elector.is_leading(now.instant)),
            token: elector.and_then(Machine::fencing_token).map(Token::as_u64),
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
        let (scenario, settings) = (making.scenario, &self.settings);
        let config = crate::world::config(scenario, self.index, settings, &self.incarnation);
        let profile = config.profile;
        let seed = self.seeds.bits();
        self.elector = scenario.election.then(|| {
            let elector = Elector::unchecked(config, seed, now.instant);
            match &mut making.rules {
                None => Machine::Tenure(elector),
                Some(rules) => {
                    let (holder, config) = (elector.identity().clone(), elector.config());
                    let replica = self.index;
                    let holds = holder.clone();
                    let rule = rules(&Newcomer { replica, life, holder, config, seed });
                    Machine::Own(Own::new(rule, config, holds).into())
                }
            }
        });
        let birth = Birth { replica: self.index, life, seed: self.program_seeds.bits(), profile };
        self.program = Some((making.program)(&birth));
        let identity =
            self.elector.as_ref().map(|elector| elector.identity().clone()).unwrap_or_default();
        if let Some(name) = outside.names.get_mut(self.index as usize) {
            *name = identity.clone();
        }
        self.say_started(outside, scenario, identity, profile);
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

    fn say_started(
        &self,
        outside: &mut Outside,
        scenario: &Scenario,
        identity: Identity,
        profile: Profile,
    ) {
        let (replica, life, rate_ppb) = (self.index, self.who().life, self.clock.rate_ppb());
        let lock = self.settings.lock.unwrap_or(scenario.lock);
        let own = self.settings.lease_duration;
        let planned = scenario.replicas.get(replica as usize).and_then(|it| it.lease_duration);
        let lease_duration = own.filter(|_| own != planned);
        outside.emit(What::Started {
            replica,
            life,
            identity,
            profile,
            rate_ppb,
            lock,
            lease_duration,
        });
        if self.settings.watch && scenario.election {
            outside.watch(self.who(), self.api, lock.objects());
        }
    }

    /// The process is gone.
    pub(crate) fn end(&mut self, outside: &mut Outside, end: End) {
        self.alive = false;
        self.pausers.clear();
        self.inbox.clear();
        self.attending = false;
        self.outstanding = None;
        self.believes = false;
        self.working = false;
        self.until = None;
        self.shown = None;
        self.disarm();
        outside.unwatch(self.index);
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
        if self.is_slow() {
            self.put_off_if_due(outside);
            return;
        }
        self.due(outside);
    }

    /// Handles the timers that are due: the elector's first, so that the program knows where it
    /// stands.
    fn due(&mut self, outside: &mut Outside) {
        if self.ahead {
            self.program_due(outside);
        }
        let now = self.clock.now(outside.now);
        if let Some(elector) = &mut self.elector
            && elector.poll_timeout().is_some_and(|due| due <= now.instant)
        {
            elector.handle_timeout(now);
            self.drive(outside, now);
        }
        if self.alive && !self.program_due(outside) {
            self.arm(outside);
        }
    }

    /// Handles the program's timer, if it is due.
    fn program_due(&mut self, outside: &mut Outside) -> bool {
        let now = self.clock.now(outside.now);
        let due = self.program.as_ref().and_then(Program::poll_timeout);
        if due.is_none_or(|due| due > now.instant) {
            return false;
        }
        let standing = self.standing(now);
        if let Some(program) = &mut self.program {
            program.handle_timeout(now, standing);
        }
        self.drive(outside, now);
        true
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
            self.inbox.push_back((outside.queue.cause(), message));
            return;
        }
        if self.is_slow() {
            self.inbox.push_back((outside.queue.cause(), message));
            self.put_off(outside);
            return;
        }
        self.receive(outside, message);
    }

    fn receive(&mut self, outside: &mut Outside, message: Message) {
        let now = self.clock.now(outside.now);
        match message.body {
            Body::Answer { response, reply } => {
                let Some(elector) = &self.elector else { return };
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
                    self.go_to_next_api(outside);
                }
                outside.emit(What::Answered { replica, request, reply, late: !in_time });
                if let Some(elector) = &mut self.elector {
                    elector.handle_response(now, *response);
                }
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
            Body::Shown { object, connection, watched } => {
                let Some(elector) = &mut self.elector else { return };
                let who = Who { replica: self.index, life: message.who.life };
                if !outside.is_connected(who, object, connection) {
                    return;
                }
                let version = match &*watched {
                    Watched::Stored(stored) => stored.version.as_ordered(),
                    Watched::Deleted => None,
                };
                outside.emit(What::Watched { replica: self.index, version, object });
                elector.handle_watch(now, *watched);
            }
            // Not for replicas.
            Body::Request { .. } | Body::Call { .. } | Body::Write { .. } | Body::Watch { .. } => {}
        }
        self.drive(outside, now);
    }
}

/// Whether an answer at `now` is too late for a call of this elector. client-go takes one that comes
/// at the very deadline.
fn is_over(elector: &Machine, deadline: Instant, now: Instant) -> bool {
    if elector.takes_at_deadline() { deadline < now } else { deadline <= now }
}
