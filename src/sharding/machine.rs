//! A member of a group: its record, what it knows of others, and, unless leases decide that, its slots.

mod answer;
mod calls;
mod exclude;
mod leased;
mod own;
mod plan;
mod react;
mod restate;
mod status;
mod watch;

use alloc::sync::Arc;

pub use restate::{Restated, Restatement};

use super::holdings::Holdings;
use super::outbox::Outbox;
use super::owners::Owners;
use super::rules::Rule;
use super::view::View;
use super::{
    Cause, Config, Event, Generation, Incarnation, Lapse, MemberRecord, Mode, Ranking, SlotSet,
    State,
};
use crate::jitter::Jitter;
use crate::time::{Instant, Now, Timestamp};
use calls::Calls;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Machine {
    pub(super) config: Config,
    /// That of the configuration.
    generation: Generation,
    pub(super) out: Outbox,
    jitter: Jitter,
    pub(super) phase: Phase,
    stopping: Option<Stopping>,
    /// How many joining writes there were.
    life: u32,
    pub(super) view: View,
    pub(super) holdings: Holdings,
    pub(super) owners: Owners,
    calls: Calls,
    /// What moved away and is not drained yet, oldest first.
    moves: alloc::vec::Vec<Move>,
    /// Up to which version the store says that this member has acknowledged what it saw.
    published: u64,
    /// Authority: when the last write and the last read that succeeded were sent.
    written: Option<Instant>,
    read: Option<Instant>,
    /// The end of authority for one that acts, else the beginning of time: kept at hand for the question
    /// that each piece of work asks.
    acts_until: Instant,
    /// Nothing may be written before a read that is sent at this instant or later: a write was lost, or
    /// met something unexpected.
    unsure: Option<Instant>,
    next_write: Instant,
    /// No life begins before this: a retry period after the last one that was tried.
    next_join: Instant,
    /// No write comes earlier than its time before this.
    no_hurry_before: Instant,
    next_read: Instant,
    /// Nobody is to be excluded, and nothing to be collected, before this.
    watchdog: Instant,
    /// When to tell that a drain takes long.
    overdue: Option<Instant>,
    watch: Watch,
    /// Mode `planned`.
    following: plan::Following,
    /// The last time written, which the next must exceed: a write that changes nothing makes no version.
    stamped: Option<Timestamp>,
    /// In mode `leased`: leases are held or sought, and who should have which has changed.
    leasing: bool,
    reckoned: bool,
    /// When a read first showed the own record of this life.
    met: Option<Instant>,
    /// With `distrust_deletion`: when a joiner need not wait any more for what it cannot see.
    wake: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// Takes no part; wants to join unless it leaves.
    Standby,
    /// Has joined, and waits for others to know.
    Joining(Life),
    /// May have slots.
    Active(Life),
    /// Has left for good.
    Left,
}

/// A life, from the joining write on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Life {
    /// The version of the joining write.
    pub(super) joined: u64,
    /// The version of the own record as the store has it, as far as is known.
    version: u64,
    /// The version of the own record that was read last.
    seen: u64,
}

/// Why everything is given away.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Stopping {
    Leaving,
    Reconfiguring(alloc::boxed::Box<Config>),
}

/// Slots that went to others by one view.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Move {
    /// What may be acknowledged until these are drained: what was seen before.
    before: u64,
    slots: SlotSet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Watch {
    running: bool,
    /// The version and the sending of the last renewal.
    echo: Option<(u64, Instant)>,
}

impl Machine {
    pub(super) fn new(config: Config, seed: u64, now: Instant) -> Self {
        Self {
            out: Outbox::default(),
            jitter: Jitter::new(seed),
            phase: Phase::Standby,
            stopping: None,
            life: 0,
            view: View::default(),
            holdings: Holdings::new(config.slots),
            owners: Owners::new(ranking(&config.mode), config.slots),
            calls: Calls::default(),
            moves: alloc::vec::Vec::new(),
            published: 0,
            written: None,
            read: None,
            acts_until: Instant::default(),
            unsure: None,
            next_write: now,
            next_join: now,
            no_hurry_before: now,
            next_read: now,
            watchdog: Instant::END,
            overdue: None,
            watch: Watch::default(),
            following: plan::Following::new(now),
            stamped: None,
            leasing: false,
            reckoned: false,
            met: None,
            wake: None,
            generation: config.generation(),
            config,
        }
    }

    // --- what holds

    /// When authority ends.
    pub(super) fn until(&self) -> Option<Instant> {
        self.phase.life()?;
        Some(self.written?.min(self.looked()?) + self.config.renew_deadline)
    }

    /// Since when nothing can have happened that this member has not seen: of the members and, if there
    /// is one, of the plan. Who does not see what moves away cannot let go of it.
    fn looked(&self) -> Option<Instant> {
        let read = self.read?;
        if self.is_planned() { Some(read.min(self.plan_looked()?)) } else { Some(read) }
    }

    /// What this member may act on at `now`.
    #[inline]
    pub(super) fn owned(&self, now: Instant) -> Option<&SlotSet> {
        (now < self.acts_until).then_some(&self.holdings.owned)
    }

    /// Whether authority has ended, though nobody has told the machine that it is so late.
    pub(super) fn has_lapsed(&self, now: Instant) -> bool {
        matches!(self.phase, Phase::Active(_)) && now >= self.acts_until
    }

    /// When something is to be done.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        if self.phase == Phase::Left {
            return None;
        }
        let until = self.until().filter(|_| self.lapses());
        let write = self.next_due_write();
        let read = (!self.calls.reading()).then_some(self.next_read);
        let plan = self.next_plan_read();
        let others = [until, write, read, plan, self.wake, self.overdue, self.calls.deadline()];
        Some(others.into_iter().flatten().fold(self.watchdog, Instant::min))
    }

    // --- what happens

    pub(super) fn handle_timeout(&mut self, now: Now) {
        self.advance(now);
    }

    pub(super) fn poke(&mut self, now: Now) {
        self.next_write = self.next_write.min(now.instant);
        self.next_join = self.next_join.min(now.instant);
        self.next_read = self.next_read.min(now.instant);
        self.advance(now);
    }

    /// What was given away by it.
    pub(super) fn drained(&mut self, now: Now, slots: &SlotSet) -> SlotSet {
        self.lapse_if_over(now.instant);
        if slots.slots() != self.config.slots {
            return SlotSet::none(self.config.slots); // those of another configuration are other keys
        }
        let released = self.holdings.drained(slots);
        if released.is_empty() {
            return released;
        }
        for moved in &mut self.moves {
            moved.slots.subtract(&released);
        }
        self.moves.retain(|moved| !moved.slots.is_empty());
        if self.holdings.draining.is_empty() {
            self.overdue = None;
        }
        self.out.event(Event::Released(released.clone()));
        self.entitle(now.instant);
        self.advance(now);
        released
    }

    pub(super) fn leave(&mut self, now: Now) {
        if !matches!(self.stopping, Some(Stopping::Leaving)) {
            self.stopping = Some(Stopping::Leaving);
            self.stop(now, Cause::Leaving);
        }
    }

    pub(super) const fn is_leaving(&self) -> bool {
        matches!(self.stopping, Some(Stopping::Leaving))
    }

    pub(super) fn reconfigure(&mut self, now: Now, config: Config) {
        if !self.config.rules.hold(Rule::StopToChange) {
            self.config.member = config.member;
            self.view_changed(now.instant);
            self.advance(now);
            return;
        }
        self.stopping = Some(Stopping::Reconfiguring(config.into()));
        self.stop(now, Cause::Reconfiguring);
    }

    /// Gives everything away.
    fn stop(&mut self, now: Now, cause: Cause) {
        self.lapse_if_over(now.instant);
        let slots = self.holdings.entitle(&SlotSet::none(self.config.slots));
        self.revoking(now.instant, slots, cause);
        self.members_changed();
        self.next_write = self.next_write.min(now.instant);
        self.advance(now);
    }

    /// Does what is due.
    fn advance(&mut self, now: Now) {
        self.lapse_if_over(now.instant);
        self.give_up(now.instant);
        self.reconfigure_if_idle(now.instant);
        self.guard(now);
        self.read_if_due(now.instant);
        self.read_plan_if_due(now.instant);
        if self.wake.take_if(|at| *at <= now.instant).is_some() {
            self.activate_if_acknowledged(now.instant);
        }
        self.write_if_due(now);
        self.tell_overdue(now.instant);
        self.acts_until = match self.phase {
            Phase::Active(_) if !self.config.rules.hold(Rule::Clock) => Instant::END,
            Phase::Active(_) => self.until().unwrap_or_default(),
            _ => Instant::default(),
        };
    }

    /// Whether authority may end now. (That of a joiner does, too.)
    fn lapses(&self) -> bool {
        let joining = matches!(self.phase, Phase::Joining(_));
        !joining || self.config.rules.hold(Rule::JoinerLapses)
    }

    fn lapse_if_over(&mut self, now: Instant) {
        if let Some(at) = self.until().filter(|until| *until <= now && self.lapses()) {
            self.lapse(now, Lapse::Expired { at });
        }
    }

    /// The life is over: all work stops, and what is under way in its name counts no more.
    fn lapse(&mut self, now: Instant, cause: Lapse) {
        self.phase = Phase::Standby;
        self.written = None;
        self.moves.clear();
        self.published = 0;
        self.calls.drop_write(&mut self.out);
        self.watch.echo = None;
        self.unsure = Some(now);
        self.next_write = now;
        self.next_read = self.next_read.min(now);
        let slots = self.holdings.lapse();
        self.await_drain(now, !slots.is_empty());
        self.out.event(Event::Lapsed { slots, cause });
    }

    fn revoking(&mut self, now: Instant, slots: SlotSet, cause: Cause) {
        if !slots.is_empty() {
            self.await_drain(now, true);
            self.out.event(Event::Revoking { slots, cause });
        }
    }

    fn await_drain(&mut self, now: Instant, any: bool) {
        if any && self.overdue.is_none() {
            self.overdue = Some(now + self.config.drain_deadline);
        }
    }

    fn tell_overdue(&mut self, now: Instant) {
        if self.overdue.is_some_and(|at| at <= now) {
            self.out.event(Event::DrainOverdue(self.holdings.draining.clone()));
            self.overdue = Some(now + self.config.drain_deadline.max(self.config.retry_period));
        }
    }

    /// All is drained: the new configuration may be taken, and this life ends.
    fn reconfigure_if_idle(&mut self, now: Instant) {
        if !matches!(self.stopping, Some(Stopping::Reconfiguring(_))) || !self.is_idle() {
            return;
        }
        let Some(Stopping::Reconfiguring(config)) = self.stopping.take() else { return };
        // A joining write under way says what does not hold any more: it begins no life.
        if self.phase.life().is_some() || self.calls.writing() {
            self.phase = Phase::Standby;
            self.written = None;
            self.published = 0;
            self.moves.clear();
            self.calls.drop_write(&mut self.out);
            self.watch.echo = None;
            self.unsure = Some(now);
            self.next_write = now;
            self.next_read = now;
        }
        self.owners = Owners::new(ranking(&config.mode), config.slots);
        self.holdings = Holdings::new(config.slots);
        self.generation = config.generation();
        self.config = *config;
    }

    pub(super) const fn generation(&self) -> Generation {
        self.generation
    }

    /// The own record as it is to be written now.
    fn record(&mut self, now: Now, state: State, acted_on: Option<u64>) -> Arc<MemberRecord> {
        let mut renewed = now.timestamp.truncate_to_micros();
        if let Some(last) = self.stamped.filter(|last| *last >= renewed) {
            renewed = Timestamp::from_unix_nanos(last.unix_nanos() + 1_000);
        }
        self.stamped = Some(renewed);
        let before = self.view.get(self.config.member.name());
        let joined = before.and_then(|known| known.record().joined).filter(|_| acted_on.is_some());
        Arc::new(MemberRecord {
            member: self.config.member.clone(),
            state,
            incarnation: Incarnation { process: self.config.incarnation.clone(), life: self.life },
            acted_on,
            generation: self.generation,
            lease_duration: self.config.lease_duration,
            joined: joined.or(Some(renewed)),
            renewed: Some(renewed),
        })
    }
}

/// Slots in other modes than `ranked` prefer members by rendezvous.
fn ranking(mode: &Mode) -> Ranking {
    match mode {
        Mode::Ranked(ranking) => *ranking,
        Mode::Planned(_) | Mode::Leased => Ranking::default(),
    }
}

impl Phase {
    pub(super) const fn life(&self) -> Option<&Life> {
        match self {
            Self::Joining(life) | Self::Active(life) => Some(life),
            Self::Standby | Self::Left => None,
        }
    }

    const fn life_mut(&mut self) -> Option<&mut Life> {
        match self {
            Self::Joining(life) | Self::Active(life) => Some(life),
            Self::Standby | Self::Left => None,
        }
    }
}
