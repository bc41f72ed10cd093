//! What all peers have in common: calls and their answers, timers, what is owned.

use core::hash::{Hash, Hasher};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tenure::election::{Failure, Token};
use tenure::sharding::{Permit, Slot, SlotSet, Slots};
use tenure::time::{Instant, Now};

use super::stored::Stored;
use crate::rng::{Purpose, Stream};
use crate::sharding::system::{Birth, Call, Claim, Input, Op, Reply, Shown, System};
use crate::time::Span;

/// What a call or a timer is for, and of which slot.
pub(super) type Tag = (u8, u32);

/// How long client-go waits on a connection that has gone quiet: 30 s, and 15 s for a ping.
pub(super) const QUIET: Span = Span::from_secs(45);
/// As far as a clock goes.
const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// What happens to a peer's logic.
#[derive(Debug)]
pub(super) enum On {
    Timer(Tag),
    Answer(Tag, Result<Reply<Stored>, Failure>),
    Shown(Shown<Stored>),
    Drained(SlotSet),
    Leave,
}

/// A peer's logic.
pub(super) trait Logic {
    /// Something happened.
    fn on(&mut self, now: Now, what: On, io: &mut Io);

    /// Of what it wants a watch.
    fn watches(&self) -> Option<&str> {
        None
    }
}

/// What a peer's logic does.
#[derive(Debug)]
pub(super) struct Io {
    pub(super) slots: Slots,
    /// What it works on.
    pub(super) owned: SlotSet,
    pub(super) stream: Stream,
    calls: VecDeque<Call<Stored>>,
    asked: BTreeMap<u64, (Tag, Instant)>,
    next: u64,
    stops: VecDeque<SlotSet>,
    /// On which something may go on that was begun before they were stopped.
    draining: SlotSet,
    timers: BTreeMap<Tag, Instant>,
    pub(super) finished: bool,
}

/// Nanoseconds on somebody's wall clock.
pub(super) fn wall(now: Now) -> i128 {
    now.timestamp.unix_nanos()
}

fn later(now: Instant, by: Span) -> Instant {
    Instant::from_nanos(now.as_nanos().saturating_add(by.as_nanos()))
}

impl Io {
    fn new(birth: &Birth<'_>) -> Self {
        let count = birth.replica.slots.unwrap_or(birth.scenario.slots);
        let slots = Slots::new(count).unwrap_or_else(|_| birth.scenario.finest());
        Self {
            slots,
            owned: SlotSet::none(slots),
            stream: Stream::new(birth.seed, Purpose::Jitter, 1 << 32),
            calls: VecDeque::new(),
            asked: BTreeMap::new(),
            next: 0,
            stops: VecDeque::new(),
            draining: SlotSet::none(slots),
            timers: BTreeMap::new(),
            finished: false,
        }
    }

    pub(super) fn slot(&self, index: u32) -> Option<Slot> {
        self.slots.get(index)
    }

    /// A call that fails if it is not answered in time.
    pub(super) fn call(&mut self, now: Now, tag: Tag, op: Op<Stored>, within: Span) {
        self.next += 1;
        self.asked.insert(self.next, (tag, later(now.instant, within)));
        self.calls.push_back(Call { id: self.next, op });
    }

    /// The answer of any call of this kind means nothing any more.
    pub(super) fn forget(&mut self, kind: u8) {
        self.asked.retain(|_, (tag, _)| tag.0 != kind);
    }

    pub(super) fn after(&mut self, now: Now, tag: Tag, by: Span) {
        self.timers.insert(tag, later(now.instant, by));
    }

    pub(super) fn cancel(&mut self, tag: Tag) {
        self.timers.remove(&tag);
    }

    pub(super) fn is_set(&self, tag: Tag) -> bool {
        self.timers.contains_key(&tag)
    }

    /// Works on it from now on.
    pub(super) fn own(&mut self, slot: u32) {
        if let Some(slot) = self.slots.get(slot) {
            self.owned.insert(slot);
        }
    }

    /// Begins nothing on it any more, and does not care what goes on.
    pub(super) fn disown(&mut self, slot: u32) {
        if let Some(slot) = self.slots.get(slot) {
            self.owned.remove(slot);
        }
    }

    /// Begins nothing on these any more, and will hear when what goes on has ended.
    pub(super) fn stop(&mut self, slots: SlotSet) {
        self.owned.subtract(&slots);
        if !slots.is_empty() {
            self.draining.add(&slots);
            self.stops.push_back(slots);
        }
    }

    /// Begins nothing any more.
    pub(super) fn stop_all(&mut self) {
        self.stop(self.owned.clone());
    }

    /// Whether nothing goes on that was stopped.
    pub(super) fn is_idle(&self) -> bool {
        self.draining.is_empty()
    }

    /// Whether something may go on that was begun on it before it was stopped.
    pub(super) fn is_draining(&self, slot: Slot) -> bool {
        self.draining.contains(slot)
    }

    /// Begins nothing at all and does nothing more, until something is asked of it.
    pub(super) fn silence(&mut self) {
        self.timers.clear();
        self.asked.clear();
        self.calls.clear();
    }

    fn due(&mut self, now: Instant) -> Option<On> {
        let timer = self.timers.iter().filter(|(_, at)| **at <= now).min_by_key(|(_, at)| **at);
        if let Some((&tag, _)) = timer {
            self.timers.remove(&tag);
            return Some(On::Timer(tag));
        }
        let late = self.asked.iter().find(|(_, (_, at))| *at <= now).map(|(id, _)| *id)?;
        let (tag, _) = self.asked.remove(&late)?;
        Some(On::Answer(tag, Err(Failure::Other)))
    }
}

/// A peer's logic in a simulated replica.
pub(super) struct Shell {
    io: Io,
    logic: Box<dyn Logic>,
}

impl core::fmt::Debug for Shell {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Shell").field("io", &self.io).finish_non_exhaustive()
    }
}

impl Hash for Shell {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.io.owned.hash(state);
        self.io.timers.hash(state);
        self.io.asked.hash(state);
        self.io.next.hash(state);
    }
}

impl Shell {
    pub(super) fn new(
        birth: &Birth<'_>,
        make: impl FnOnce(&Birth<'_>, &mut Io) -> Box<dyn Logic>,
    ) -> Self {
        let mut io = Io::new(birth);
        let logic = make(birth, &mut io);
        Self { io, logic }
    }
}

impl System for Shell {
    type Value = Stored;

    fn handle(&mut self, now: Now, input: Input<Stored>) {
        if self.io.finished {
            return;
        }
        let what = match input {
            Input::Timeout => {
                while let Some(due) = self.io.due(now.instant) {
                    self.logic.on(now, due, &mut self.io);
                }
                return;
            }
            Input::Answer { id, result } => match self.io.asked.remove(&id) {
                Some((tag, _)) => On::Answer(tag, result),
                None => return,
            },
            Input::Watched(shown) => On::Shown(shown),
            Input::Drained(slots) => {
                self.io.draining.subtract(&slots);
                On::Drained(slots)
            }
            Input::Leave => On::Leave,
            // None of them is told of such while it runs.
            Input::Reconfigure(_) | Input::Measured(_) => return,
        };
        self.logic.on(now, what, &mut self.io);
    }

    fn poll_stop(&mut self) -> Option<SlotSet> {
        self.io.stops.pop_front()
    }

    fn poll_call(&mut self) -> Option<Call<Stored>> {
        self.io.calls.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let timers = self.io.timers.values();
        let limits = self.io.asked.values().map(|(_, at)| at);
        timers.chain(limits).min().copied()
    }

    fn claim(&self, _: Instant) -> Claim<'_> {
        let slots = Some(Cow::Borrowed(&self.io.owned));
        Claim { slots, until: Some(NEVER), each: false, membership: 0 }
    }

    /// Whoever takes it to be its own begins: nobody looks at a clock, and there are no tokens.
    fn permit(&self, slot: Slot, _: Instant) -> Option<Permit> {
        let may = self.io.owned.contains(slot);
        may.then(|| Permit { slot, token: Token::from_u64(0), until: NEVER })
    }

    fn is_finished(&self) -> bool {
        self.io.finished
    }

    fn watches(&self) -> Option<&str> {
        self.logic.watches()
    }
}

/// The replica's name.
pub(super) fn name(birth: &Birth<'_>) -> Arc<str> {
    birth.replica.name.as_deref().unwrap_or_default().into()
}
