//! The own record: joining, renewing, leaving.

use super::calls::{Kind, Write};
use super::{Life, Machine, Phase, Stopping};
use crate::sharding::rules::{Rule, Rules};
use crate::sharding::view::Known;
use crate::sharding::{Event, Lapse, Op, State, StoredMember};
use crate::time::{Instant, Now};

impl Machine {
    /// When the own record is to be written, unless a write is under way or a read must come first.
    pub(super) fn next_due_write(&self) -> Option<Instant> {
        if self.calls.writing() || self.unsure.is_some() {
            return None;
        }
        let due = self.due(self.next_act()?);
        let hurry = self.is_urgent().then_some(self.no_hurry_before);
        Some(hurry.map_or(due, |at| at.min(due)))
    }

    /// When to write that. A life that ended at once is not followed by the next at once.
    fn due(&self, act: Act) -> Instant {
        let joins = matches!(act, Act::Join(_));
        if joins { self.next_write.max(self.next_join) } else { self.next_write }
    }

    pub(super) fn write_if_due(&mut self, now: Now) {
        if self.calls.writing() || self.unsure.is_some() {
            return;
        }
        if self.nothing_to_leave() {
            self.phase = Phase::Left;
            self.out.event(Event::Left);
            return;
        }
        let hurry = self.no_hurry_before <= now.instant && self.is_urgent();
        if let Some(act) = self.next_act()
            && (hurry || self.due(act) <= now.instant)
        {
            self.send_write(now, act);
        }
    }

    /// What the next write of the own record is; `None` if there is nothing to write, for now.
    fn next_act(&self) -> Option<Act> {
        let leaving = matches!(self.stopping, Some(Stopping::Leaving));
        let idle = self.is_idle();
        match self.phase {
            Phase::Left => None,
            Phase::Standby if !idle => None,
            Phase::Standby => {
                let own = self.own();
                let mine = own.filter(|known| self.is_of_this_process(known));
                let lives = mine.filter(|known| known.record().state.counts() && !known.gone);
                if leaving || !self.may_join() {
                    return lives.map(|known| Act::Leave(known.stored.version));
                }
                match own {
                    None => Some(Act::Join(None)),
                    Some(known) if known.gone => mine.map(|_| Act::Join(None)),
                    Some(known) if mine.is_some() || !known.record().state.counts() => {
                        Some(Act::Join(Some(known.stored.version)))
                    }
                    // Another life of this name may still be at work.
                    Some(_) => None,
                }
            }
            Phase::Joining(life) | Phase::Active(life) => {
                let over = life.version;
                Some(if leaving && idle { Act::Leave(over) } else { Act::Renew(over) })
            }
        }
    }

    /// Whether the next write should not wait for its time.
    fn is_urgent(&self) -> bool {
        let active = matches!(self.phase, Phase::Active(_));
        let leaving = matches!(self.stopping, Some(Stopping::Leaving)) && self.is_idle();
        self.phase.life().is_some()
            && (leaving || active && self.wants_to_renew() || self.is_awaited())
    }

    /// Whether somebody waits to be acknowledged, and can be.
    fn is_awaited(&self) -> bool {
        let acted_on = self.acted_on();
        if acted_on <= self.published {
            return false;
        }
        if self.is_planned() {
            return true; // somebody waits for what has moved
        }
        let me = self.config.member.name();
        let waits = |known: &Known| known.met > self.published && known.met <= acted_on;
        self.view.joiners().any(|known| waits(known) && known.record().name() != me)
    }

    /// A replica that leaves without ever having written anything.
    fn nothing_to_leave(&self) -> bool {
        matches!(self.stopping, Some(Stopping::Leaving))
            && self.phase == Phase::Standby
            && self.is_idle()
            && (self.life == 0 || self.next_act().is_none())
    }

    /// The store is out of reach. Who leaves and has neither authority nor work any more has left even so:
    /// others exclude it when it has given no sign for long enough.
    pub(super) fn leave_untold(&mut self) {
        let leaving = matches!(self.stopping, Some(Stopping::Leaving));
        if leaving && self.phase == Phase::Standby && self.is_idle() {
            self.phase = Phase::Left;
            self.out.event(Event::Left);
        }
    }

    /// Whether nothing keeps this member from joining now.
    fn may_join(&self) -> bool {
        let generation = self.generation;
        let me = self.config.member.name();
        let other = self.view.others(me).any(|known| {
            known.counts(self.config.rules) && known.record().generation != generation
        });
        self.looked().is_some() && (!other || !self.config.rules.hold(Rule::OneGeneration))
    }

    fn send_write(&mut self, now: Now, act: Act) {
        let at = now.instant;
        let fresh = self.looked().is_some_and(|sent| at < sent + self.config.renew_deadline);
        if !fresh && !matches!(act, Act::Leave(_)) {
            // Else it would keep others from joining while it cannot acknowledge them.
            self.next_write = at + self.config.retry_period;
            self.next_read = self.next_read.min(at);
            self.read_plan_soon(at);
            return;
        }
        let (write, state, acted_on) = match act {
            Act::Join(_) => {
                self.life += 1;
                self.next_join = at + self.config.retry_period;
                (Write::Join, State::Joining, None)
            }
            Act::Renew(over) => {
                self.holdings.ask();
                let state = match self.phase {
                    _ if self.stopping.is_some() => State::Draining,
                    Phase::Joining(_) => State::Joining,
                    _ => State::Active,
                };
                let acted_on = self.acted_on().max(self.published);
                (Write::Renew { acted_on, over }, state, Some(acted_on))
            }
            Act::Leave(_) => (Write::Leave, State::Left, Some(self.published)),
        };
        let record = self.record(now, state, acted_on);
        let op = match act {
            Act::Join(None) => Op::Create(record.clone()),
            Act::Join(Some(over)) | Act::Renew(over) | Act::Leave(over) => {
                Op::Update(record.clone(), over)
            }
        };
        let mut deadline = at + self.config.request_timeout;
        if let Some(until) = self.until().filter(|_| write != Write::Leave) {
            deadline = deadline.min(until);
        }
        self.calls.send(&mut self.out, (at, deadline), Kind::Write(write, record), op);
        self.next_write = at + self.jitter.member_wait(self.config.retry_period);
    }

    /// A write of the own record was answered with this version.
    pub(super) fn wrote(&mut self, now: Now, sent: Instant, write: &Write, stored: StoredMember) {
        let version = stored.version;
        let rules = self.config.rules;
        let credit = if rules.hold(Rule::SendTime) { sent } else { now.instant };
        match write {
            Write::Join => {
                self.view.store(stored, now.instant, Rules::default());
                let life = Life { joined: version, version, seen: 0 };
                self.phase = Phase::Joining(life);
                self.written = Some(credit);
                self.published = version;
                self.watch.echo = Some((version, sent));
                self.next_read = now.instant;
                self.forget_plan(now.instant);
                (self.met, self.wake) = (None, None);
                if self.until().is_none_or(|until| until <= now.instant) && self.lapses() {
                    self.lapse_if_over(now.instant);
                    return;
                }
                self.view_changed(now.instant);
            }
            Write::Renew { acted_on, over } => {
                let Some(life) = self.phase.life_mut() else { return };
                if version == *over {
                    // The store says that nothing was written.
                    self.unsure_at(now.instant);
                    return;
                }
                life.version = life.version.max(version);
                self.written = self.written.max(Some(credit));
                self.published = self.published.max(*acted_on);
                self.watch.echo = Some((version, sent));
                self.view.store(stored, now.instant, Rules::default());
                self.grant(version);
            }
            Write::Leave => {
                self.view.store(stored, now.instant, Rules::default());
                self.phase = Phase::Standby;
                self.written = None;
                self.published = 0;
                if matches!(self.stopping, Some(Stopping::Leaving)) {
                    self.phase = Phase::Left;
                    self.out.event(Event::Left);
                }
            }
        }
        self.echo_if_seen(now.instant);
        self.activate_if_acknowledged(now.instant);
    }

    fn grant(&mut self, version: u64) {
        let version =
            if self.config.rules.hold(Rule::TokenAfterRead) { version } else { self.view.version };
        let granted = self.holdings.grant(version);
        if !granted.is_empty() {
            self.out.event(Event::Acquired(granted));
        }
    }

    /// Something is not as expected: look before anything else is written.
    pub(super) fn unsure_at(&mut self, now: Instant) {
        self.holdings.forget();
        self.unsure = Some(now);
        self.next_read = self.next_read.min(now);
        // What went wrong may go wrong again.
        self.no_hurry_before = now + self.config.retry_period / 4;
    }

    /// A read that was sent at `sent`, of the store at `version`, has shown the own record as it is in
    /// the view now, or none.
    pub(super) fn check_own(&mut self, now: Instant, shown: Option<&StoredMember>, version: u64) {
        let Some(life) = self.phase.life().copied() else { return };
        if version < life.version {
            return; // older than what this member wrote
        }
        let Some(stored) = shown else {
            if self.config.rules.hold(Rule::OwnMissing) {
                self.lapse(now, Lapse::Missing);
            }
            return;
        };
        if stored.version < life.version {
            return;
        }
        let leaving = matches!(self.stopping, Some(Stopping::Leaving));
        match stored.record.state {
            State::Left if leaving && self.is_mine(stored) && self.is_idle() => {
                self.phase = Phase::Left;
                self.out.event(Event::Left);
            }
            State::Excluded => self.lapse(now, Lapse::Excluded),
            State::Left => self.lapse(now, Lapse::Replaced),
            _ if !self.is_mine(stored) => self.lapse(now, Lapse::Replaced),
            _ => {
                if let Some(life) = self.phase.life_mut() {
                    life.version = stored.version;
                    life.seen = stored.version;
                }
                self.published = self.published.max(stored.record.acted_on.unwrap_or(0));
                if !self.config.rules.hold(Rule::LostRenewal) && stored.version > life.version {
                    self.written = Some(now);
                }
            }
        }
    }

    /// Whether `stored` is of this life, and says so.
    fn is_mine(&self, stored: &StoredMember) -> bool {
        let record = &stored.record;
        let life = &record.incarnation;
        let ours = life.process == self.config.incarnation && life.life == self.life;
        let as_written = record.member == self.config.member
            && record.generation == self.generation
            && record.lease_duration == self.config.lease_duration;
        ours && (as_written || !self.config.rules.hold(Rule::StopToChange))
    }

    pub(super) fn own(&self) -> Option<&Known> {
        self.view.get(self.config.member.name())
    }

    pub(super) fn is_of_this_process(&self, known: &Known) -> bool {
        known.record().incarnation.process == self.config.incarnation
    }
}

/// A write of the own record, over which version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Act {
    Join(Option<u64>),
    Renew(u64),
    Leave(u64),
}
