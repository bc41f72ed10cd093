//! The world that is explored: a few electors, a store, and all that can go wrong between them.
//!
//! Time goes in ticks; at each tick the clock of a replica advances by its rate. Nothing else takes
//! time, and between two ticks anything may happen in any order. Requests and answers that are never
//! delivered are lost ones; delay has no bound but the network's rule.

use tenure::election::{Failure, Profile};

use super::electors::{Ask, Call, Clock, Copied, Door, Electors, Facts, Happened, Reaction};
use super::faults::Faults;
use super::laws::{self, Law};
use super::rules::{Network, REPLICAS, Rules};
use super::step::Step;
use super::store::drop_what_is_over;

/// The most writes that were given up and may still be applied.
const ORPHANS: usize = 3;

/// One state. `S` is how its electors are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct World<S> {
    replicas: [Replica<S>; REPLICAS],
    count: usize,
    /// The two objects that may carry a lock.
    pub(super) store: [Option<Copied>; 2],
    /// What they were before the last write, for as long as a watch may show it.
    pub(super) old: [Option<Copied>; 2],
    /// Writes that their senders have given up.
    pub(super) orphans: [Option<Orphan>; ORPHANS],
    pub(super) faults: Faults,
    pub(super) last_version: u16,
    pub(super) last_token: u16,
    /// For people; not part of the state.
    pub(super) ticks: u16,
}

#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what a driver knows, item by item")]
pub(super) struct Replica<S> {
    pub(super) seat: S,
    pub(super) flight: Flight,
    pub(super) life: u8,
    /// Between `StartedLeading` and `StoppedLeading`.
    pub(super) believes: bool,
    /// Between `StartedLeading` and `work_stopped`.
    pub(super) working: bool,
    pub(super) paused: bool,
    pub(super) stopped: bool,
}

/// Where a replica's request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Flight {
    #[default]
    None,
    Sent(Call),
    /// A read, or a write, was executed, and the answer is on its way.
    Answered(Executed, Result<Copied, Failure>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Executed {
    Read,
    Write,
}

/// A write that its sender has given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Orphan {
    pub(super) writer: Writer,
    pub(super) call: Call,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Writer {
    pub(super) replica: u8,
    pub(super) life: u8,
}

/// What a step brought forth, for people.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub(super) reactions: Vec<(u8, Reaction)>,
}

impl<S: Clone + Default> World<S> {
    pub(super) fn new<E: Electors<Seat = S>>(rules: &Rules, electors: &mut E) -> Self {
        let mut replicas: [Replica<S>; REPLICAS] = core::array::from_fn(|_| Replica::default());
        for (i, replica) in (0u8..).zip(&mut replicas).take(rules.rates.len()) {
            replica.life = 1;
            replica.seat = electors.begin(i, 1, Clock::START);
        }
        let objects = electors.objects();
        let free = [1, 2]
            .map(|version| Copied { object: objects.free(usize::from(version) - 1), version });
        let second = Some(free[1]).filter(|_| rules.free && rules.has_two_objects());
        Self {
            replicas,
            count: rules.rates.len(),
            store: [Some(free[0]).filter(|_| rules.free), second],
            old: [None; 2],
            orphans: [None; ORPHANS],
            faults: rules.faults,
            last_version: if rules.has_two_objects() { 2 } else { 1 },
            last_token: 0,
            ticks: 0,
        }
    }

    pub(super) fn replicas(&self) -> &[Replica<S>] {
        &self.replicas[..self.count]
    }

    pub(super) fn replicas_mut(&mut self) -> &mut [Replica<S>] {
        &mut self.replicas[..self.count]
    }

    pub(super) fn replica(&mut self, i: u8) -> &mut Replica<S> {
        &mut self.replicas[usize::from(i)]
    }
}

/// The rules of a world, and its electors.
#[derive(Debug)]
pub(super) struct Stage<E> {
    pub(super) rules: Rules,
    pub(super) electors: E,
    /// What the last step brought forth.
    pub(super) told: Told,
}

impl<E: Electors> Stage<E> {
    pub(super) fn new(rules: &Rules, electors: E) -> Self {
        Self { rules: rules.clone(), electors, told: Told::default() }
    }

    pub(super) fn start(&mut self) -> World<E::Seat> {
        World::new(&self.rules, &mut self.electors)
    }

    pub(super) fn facts(&self, replica: &Replica<E::Seat>) -> Facts {
        self.electors.facts(&replica.seat)
    }

    pub(super) fn strict(&self) -> bool {
        self.rules.profile == Profile::Strict
    }

    /// A process that runs handles the end of authority in time; client-go's timers all are its
    /// leader's, else each would be a violation.
    fn must_act(&self, replica: &Replica<E::Seat>) -> bool {
        let facts = self.facts(replica);
        let late = if self.strict() { facts.overdue } else { facts.due };
        replica.believes && !replica.paused && late
    }

    /// Its request or answer is handled before the next tick.
    fn is_hurried(&self, i: usize, replica: &Replica<E::Seat>) -> bool {
        let network = if self.rules.is_prompt(i) { Network::Prompt } else { self.rules.network };
        let hurries = match (network, replica.flight) {
            (Network::Slow | Network::Lossy, _)
            | (Network::SlowRequests, Flight::Sent(_))
            | (_, Flight::None) => false,
            (Network::SlowRenewals, _) => !replica.believes,
            (Network::SlowReads, Flight::Sent(call)) => call.ask != Ask::Get,
            (Network::SlowReads, Flight::Answered(executed, _)) => executed != Executed::Read,
            (Network::Prompt | Network::SlowRequests, _) => true,
        };
        hurries && !replica.paused
    }

    /// All steps that may come next.
    pub(super) fn steps(&self, world: &World<E::Seat>, out: &mut Vec<Step>) {
        out.clear();
        let mut replicas = world.replicas().iter().enumerate();
        if !replicas.any(|(i, replica)| self.must_act(replica) || self.is_hurried(i, replica)) {
            out.push(Step::Tick);
        }
        for (i, replica) in (0u8..).zip(world.replicas()) {
            if let Flight::Sent(_) = replica.flight {
                out.push(Step::Apply(i));
            }
            if replica.paused {
                out.push(Step::Resume(i));
                continue;
            }
            let facts = self.facts(replica);
            if facts.due || (!facts.outstanding && !replica.believes && !facts.finished) {
                out.push(Step::Wake(i));
            }
            if let Flight::Answered(..) = replica.flight {
                out.push(Step::Answer(i));
            }
            if replica.working && !replica.believes && self.strict() {
                out.push(Step::WorkStopped(i));
            }
            if world.faults.stops > 0 && !replica.stopped {
                out.push(Step::Stop(i));
            }
            if world.faults.hand_overs > 0 && replica.believes {
                out.push(Step::HandOver(i));
            }
            // A candidate may be slow without a step for it, and one that asked for nothing is as new.
            if world.faults.crashes > 0 && (replica.working || facts.outstanding) {
                out.push(Step::Crash(i));
            }
            if world.faults.pauses > 0 && replica.believes {
                out.push(Step::Pause(i));
            }
        }
        let orphans = (0u8..).zip(&world.orphans).filter(|(_, orphan)| orphan.is_some());
        out.extend(orphans.map(|(i, _)| Step::Late(i)));
        if self.rules.watch {
            self.shows(world, out);
        }
        let deletes = [Step::Delete, Step::DeleteSecond].into_iter().zip(&world.store);
        let deletes = deletes.filter(|(_, stored)| world.faults.deletions > 0 && stored.is_some());
        out.extend(deletes.map(|(step, _)| step));
        if world.faults.edits > 0 && world.store[0].is_some_and(|stored| self.is_held(stored)) {
            out.push(Step::Edit);
        }
    }

    fn is_held(&self, stored: Copied) -> bool {
        !self.electors.objects_ref().record(stored.object).holder.is_empty()
    }

    /// # Errors
    /// The law that does not hold afterwards.
    pub(super) fn step(&mut self, world: &mut World<E::Seat>, step: Step) -> Result<(), Law> {
        self.told.reactions.clear();
        match step {
            Step::Tick => self.tick(world)?,
            Step::Wake(i) => self.call(world, i, Door::Wake)?,
            Step::WorkStopped(i) => {
                world.replica(i).working = false;
                self.call(world, i, Door::WorkStopped)?;
            }
            Step::Stop(i) => {
                world.faults.stops -= 1;
                world.replica(i).stopped = true;
                self.call(world, i, Door::Stop)?;
            }
            Step::Apply(i) => self.apply_flight(world, i)?,
            Step::Answer(i) => {
                if let Flight::Answered(_, result) = core::mem::take(&mut world.replica(i).flight) {
                    self.call(world, i, Door::Answer(result))?;
                }
            }
            Step::Late(k) => {
                if let Some(orphan) = world.orphans[usize::from(k)].take() {
                    let _ = self.apply(world, orphan.writer, orphan.call)?;
                }
            }
            Step::Crash(i) => self.crash(world, i),
            Step::Pause(i) => {
                world.faults.pauses -= 1;
                world.replica(i).paused = true;
            }
            Step::Resume(i) => {
                world.replica(i).paused = false;
                self.act(world, i)?;
            }
            Step::Delete => {
                world.faults.deletions -= 1;
                world.store[0] = None;
            }
            Step::DeleteSecond => {
                world.faults.deletions -= 1;
                world.store[1] = None;
            }
            Step::Edit => {
                world.faults.edits -= 1;
                if let Some(stored) = world.store[0] {
                    let cleared = self.electors.objects().cleared(stored.object);
                    self.write(world, 0, cleared);
                }
            }
            Step::HandOver(i) => {
                world.faults.hand_overs -= 1;
                let to = usize::from(i + 1) % world.count;
                let life = world.replicas()[to].life;
                self.call(world, i, Door::HandOver(u8::try_from(to).unwrap_or(0), life))?;
            }
            Step::Show(i) => self.show(world, i, world.store[0])?,
            Step::ShowSecond(i) => self.show(world, i, world.store[1])?,
            Step::ShowOld(i) => self.show_late(world, i, world.old[0])?,
            Step::ShowOldSecond(i) => self.show_late(world, i, world.old[1])?,
            Step::ShowDeleted(i) => self.show_late(world, i, None)?,
        }
        drop_what_is_over(world);
        laws::hold(self, world)
    }

    fn tick(&mut self, world: &mut World<E::Seat>) -> Result<(), Law> {
        world.ticks += 1;
        for i in 0..world.count {
            let lossy = self.rules.network == Network::Lossy && !self.rules.is_prompt(i);
            let replica = &mut world.replicas[i];
            if lossy && !replica.paused {
                replica.flight = Flight::None;
            }
            self.electors.call(&mut replica.seat, Door::Tick);
        }
        (0u8..).take(world.count).try_for_each(|i| self.act(world, i))
    }

    /// What a running process does by itself.
    fn act(&mut self, world: &mut World<E::Seat>, i: u8) -> Result<(), Law> {
        if self.must_act(world.replica(i)) { self.call(world, i, Door::Wake) } else { Ok(()) }
    }

    fn crash(&mut self, world: &mut World<E::Seat>, i: u8) {
        world.faults.crashes -= 1;
        self.give_up(world, i);
        let old = world.replica(i);
        let clock = self.electors.clock(&old.seat);
        let life = old.life + 1;
        *old = Replica { life, ..Replica::default() };
        old.seat = self.electors.begin(i, life, clock);
    }

    /// Calls the elector, then does what the contract asks of a driver.
    pub(super) fn call(
        &mut self,
        world: &mut World<E::Seat>,
        i: u8,
        door: Door,
    ) -> Result<(), Law> {
        let replica = world.replica(i);
        let reaction = self.electors.call(&mut replica.seat, door);
        self.told.reactions.push((i, reaction));
        for happened in reaction.happened.into_iter().flatten() {
            self.happened(world, i, happened)?;
        }
        let facts = self.facts(world.replica(i));
        if reaction.request.is_some() || !facts.outstanding {
            self.give_up(world, i);
        }
        let replica = world.replica(i);
        if let Some(call) = reaction.request {
            replica.flight = Flight::Sent(call);
        }
        let winding_down = replica.stopped && replica.working;
        if facts.outstanding || facts.waits || facts.finished || winding_down {
            Ok(())
        } else {
            Err(laws::IDLE)
        }
    }

    fn happened(&self, world: &mut World<E::Seat>, i: u8, happened: Happened) -> Result<(), Law> {
        let last_token = world.last_token;
        let replica = world.replica(i);
        match happened {
            Happened::Started(token) => {
                if self.strict() && (replica.believes || replica.working) {
                    return Err(laws::BEFORE_STOPPED);
                }
                if self.strict() && token <= last_token {
                    return Err(laws::TOKEN);
                }
                (replica.believes, replica.working) = (true, true);
                world.last_token = token;
            }
            Happened::Stopped(_) => {
                if self.strict() && !replica.believes {
                    return Err(laws::STOPPED_TWICE);
                }
                replica.believes = false;
            }
        }
        Ok(())
    }
}
