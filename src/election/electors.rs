//! Many electors in one process.

mod line;
mod timers;

use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use super::{Elector, Event, Request, Response, Watched};
use crate::lock::Identity;
use crate::time::{Instant, Now};
use line::Line;
use timers::Timers;

/// Names one elector among [`Electors`], for ever: no other will have this id, not even after it was
/// removed. Elder electors have smaller ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElectorId {
    /// Counts insertions.
    serial: u64,
    slot: usize,
}

impl ElectorId {
    /// A small number for tables of your own: no two electors that are there at one time share it,
    /// and it is below the largest number of electors that were there at one time. After a removal
    /// it goes to another elector.
    #[must_use]
    pub const fn index(self) -> usize {
        self.slot
    }
}

/// Many [electors](Elector) behind the doors of one, with one timer: for a process that takes part
/// in many elections, say one for each of its leases.
///
/// Each elector does exactly what it would do alone; none of them notices the others.
///
/// # A driver's loop
/// As that of [`Elector`], and what goes in and out has an [`ElectorId`] with it; for what
/// [a watch shows](Self::handle_watch) the driver has to find it. After each call of a method that takes
/// the time:
/// 1. [`poll_event`](Self::poll_event) until `None`.
/// 2. [`poll_request`](Self::poll_request) until `None`, or fewer to limit how many calls are under
///    way: the others wait in line, first come, first served. A request that waits past its deadline
///    has failed, as if it had not been answered.
/// 3. [`poll_finished`](Self::poll_finished) until `None`; [`remove`](Self::remove) these. Leave the
///    loop when it [is empty](Self::is_empty).
/// 4. Wait for an answer, the instant of [`poll_timeout`](Self::poll_timeout) or a wish to stop, hand
///    it in, and go to 1.
///
/// # Order
/// [`handle_timeout`](Self::handle_timeout) runs all electors that are due, by the times at which they
/// were due, and the elder first if these are equal. Requests and events come out in the order in
/// which electors began to have some; all events of one elector come together.
///
/// # Electors that are due together
/// Ten thousand electors that begin at one instant renew at one instant, retry period after retry
/// period; only the latencies of their answers pull them apart. To spread them let them begin one
/// after the other: [`Elector::new`] takes an instant in the future, too.
///
/// # Cost
/// Each call for one elector, and each elector that was due, costs O(log n) beside what the elector
/// itself costs; no call but [`stop_all`](Self::stop_all) and [`iter`](Self::iter) looks at electors
/// that it is not about. A renewal does not allocate. With many electors most of a renewal's time
/// is spent on waiting for memory that is in no cache (`cargo bench --bench electors`).
///
/// ```
/// use core::time::Duration;
/// use tenure::election::{Config, Elector, ElectorId, Electors, Op};
/// use tenure::lock::LockRef;
/// use tenure::time::{Instant, Now, Timestamp};
///
/// let retry = Duration::from_secs(2);
/// let mut electors = Electors::new();
/// let mut ids: Vec<ElectorId> = Vec::new();
/// for n in 0..100 {
///     let lock = LockRef::lease("default", format!("shard-{n}"));
///     let config = Config { retry_period: retry, ..Config::new(lock, "pod-0", "6ba7b810") };
///     // One after the other, over one retry period.
///     let begin = Instant::default() + retry * n / 100;
///     ids.push(electors.insert(Elector::new(config, n.into(), begin)?));
/// }
///
/// let at = |millis: u64| Now {
///     instant: Instant::from_nanos(millis * 1_000_000),
///     timestamp: Timestamp::from_unix(1_700_000_000, 0).unwrap(),
/// };
/// electors.handle_timeout(at(40)); // 0 ms, 20 ms and 40 ms
/// let asked: Vec<_> = core::iter::from_fn(|| electors.poll_request()).collect();
/// assert_eq!(asked.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids[..3]);
/// assert!(asked.iter().all(|(_, request)| request.op == Op::Get));
/// assert_eq!(electors.poll_timeout(), Some(at(60).instant));
///
/// assert!(!electors.get(ids[0]).unwrap().is_leading(at(40).instant));
/// assert_eq!((ids[7].index(), electors.len()), (7, 100));
/// assert_eq!(electors.get(ids[7]).unwrap().config().lock.name.as_ref(), "shard-7");
///
/// electors.stop_all(at(50)); // nothing is held, so there is nothing to release
/// while let Some(id) = electors.poll_finished() {
///     electors.remove(id);
/// }
/// assert!(electors.is_empty());
/// # Ok::<(), tenure::election::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Electors {
    slots: Vec<Slot>,
    /// Empty slots; the last one is filled next.
    free: Vec<usize>,
    inserted: u64,
    timers: Timers,
    asking: Line,
    telling: Line,
    ending: Line,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Slot {
    /// Of the elector that is here, or was here last.
    serial: u64,
    elector: Option<Elector>,
    /// That it has ended was told.
    told: bool,
}

impl Electors {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elector of this id, if it is still there.
    #[must_use]
    pub fn get(&self, id: ElectorId) -> Option<&Elector> {
        self.slots.get(id.slot).filter(|slot| slot.serial == id.serial)?.elector.as_ref()
    }

    /// All electors, by [`ElectorId::index`].
    pub fn iter(&self) -> impl Iterator<Item = (ElectorId, &Elector)> {
        self.slots.iter().enumerate().filter_map(|(slot, held)| {
            let id = ElectorId { serial: held.serial, slot };
            held.elector.as_ref().map(|elector| (id, elector))
        })
    }

    /// Takes an elector in, in whatever state it is.
    pub fn insert(&mut self, elector: Elector) -> ElectorId {
        let serial = self.inserted;
        self.inserted += 1;
        let full = Slot { serial, elector: Some(elector), told: false };
        let slot = self.free.pop().unwrap_or(self.slots.len());
        match self.slots.get_mut(slot) {
            Some(empty) => *empty = full,
            None => self.slots.push(full),
        }
        let id = ElectorId { serial, slot };
        self.call(id, |_| {});
        id
    }

    /// Takes an elector out, as it is, with what was not fetched of it; an answer to a request that it
    /// made is ignored from now on. If it holds its lock it does not release it: to leave in good
    /// order [`stop`](Self::stop) it and wait until it has finished.
    pub fn remove(&mut self, id: ElectorId) -> Option<Elector> {
        let slot = self.slots.get_mut(id.slot).filter(|slot| slot.serial == id.serial)?;
        let elector = slot.elector.take()?;
        self.timers.set(id, None);
        self.free.push(id.slot);
        Some(elector)
    }

    /// [`Elector::handle_timeout`] for each elector that is due, once.
    pub fn handle_timeout(&mut self, now: Now) {
        // Most often empty: those that are due again, at once.
        let mut again = Vec::new();
        while let Some((_, id)) = self.timers.first().filter(|(due, _)| *due <= now.instant) {
            self.call(id, |elector| elector.handle_timeout(now));
            if let Some(due) = self.timers.of(id).filter(|due| *due <= now.instant) {
                self.timers.set(id, None);
                again.push((id, due));
            }
        }
        for (id, due) in again {
            self.timers.set(id, Some(due));
        }
    }

    /// [`Elector::handle_response`]: the store has answered a request of `id`.
    pub fn handle_response(&mut self, now: Now, id: ElectorId, response: Response) {
        self.call(id, |elector| elector.handle_response(now, response));
    }

    /// [`Elector::handle_watch`]: a watch has shown a change of the lock of `id`.
    ///
    /// A watch shows objects and knows no electors: whose an object is the driver looks up itself, in
    /// a map of its own. It holds both objects of an elector that has a
    /// [`secondary`](super::Config::secondary); an object that is not in it is nobody's.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use tenure::election::{Config, Elector, Electors, Watched};
    /// use tenure::lock::LockRef;
    /// # use tenure::time::{Instant, Now, Timestamp};
    /// # let now = Now { instant: Instant::default(), timestamp: Timestamp::GO_ZERO };
    /// # let later = now.instant + core::time::Duration::from_secs(60);
    /// let mut electors = Electors::new();
    /// let mut whose = BTreeMap::new();
    /// for name in ["shard-0", "shard-1"] {
    ///     let lock = LockRef::lease("default", name);
    ///     let config = Config::new(lock.clone(), "pod-0", "6ba7b810");
    ///     whose.insert(lock, electors.insert(Elector::new(config, 1, later)?));
    /// }
    /// // The watch says: DELETED, Lease default/shard-1.
    /// let shown = LockRef::lease("default", "shard-1");
    /// if let Some(&id) = whose.get(&shown) {
    ///     electors.handle_watch(now, id, Watched::Deleted);
    /// }
    /// assert_eq!(electors.poll_request().unwrap().0, whose[&shown]); // it reads at once
    /// # Ok::<(), tenure::election::ConfigError>(())
    /// ```
    pub fn handle_watch(&mut self, now: Now, id: ElectorId, watched: Watched) {
        self.call(id, |elector| elector.handle_watch(now, watched));
    }

    /// [`Elector::poke`]: asks `id` for an attempt at once.
    pub fn poke(&mut self, now: Now, id: ElectorId) {
        self.call(id, |elector| elector.poke(now));
    }

    /// [`Elector::hand_over`]: asks `id` to hand its lock over to the replica named `to`.
    pub fn hand_over(&mut self, now: Now, id: ElectorId, to: Identity) {
        self.call(id, |elector| elector.hand_over(now, to));
    }

    /// [`Elector::stand_by`].
    pub(crate) fn stand_by(&mut self, now: Now, id: ElectorId, on: bool) {
        self.call(id, |elector| elector.stand_by(now, on));
    }

    /// [`Elector::held`].
    pub(crate) fn held(&self, id: ElectorId) -> Option<(&Identity, u64)> {
        self.get(id)?.held()
    }

    /// [`Elector::presume_released`].
    pub(crate) fn presume_released(&mut self, now: Now, id: ElectorId, version: u64) {
        self.call(id, |elector| elector.presume_released(now, version));
    }

    /// [`Elector::step_down`].
    pub(crate) fn step_down(&mut self, now: Now, id: ElectorId) {
        self.call(id, |elector| elector.step_down(now));
    }

    /// [`Elector::stop`]: asks `id` to leave for good.
    pub fn stop(&mut self, now: Now, id: ElectorId) {
        self.call(id, |elector| elector.stop(now));
    }

    /// [`stop`](Self::stop) for all of them, by [`ElectorId::index`].
    pub fn stop_all(&mut self, now: Now) {
        for slot in 0..self.slots.len() {
            self.call_slot(slot, |elector| elector.stop(now));
        }
    }

    /// [`Elector::work_stopped`]: the work that `id` had told to stop has stopped.
    pub fn work_stopped(&mut self, now: Now, id: ElectorId) {
        self.call(id, |elector| elector.work_stopped(now));
    }

    /// The next request to send, and of whom. Of one elector at most one is outstanding: a new one
    /// replaces the old, whose answer no longer matters.
    #[must_use]
    pub fn poll_request(&mut self) -> Option<(ElectorId, Request)> {
        while let Some(slot) = self.asking.pop() {
            // It may have been withdrawn.
            if let Some(found) = self.in_slot(slot, Elector::poll_request) {
                return Some(found);
            }
        }
        None
    }

    /// The next event, and whose.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<(ElectorId, Event)> {
        while let Some(slot) = self.telling.first() {
            if let Some(found) = self.in_slot(slot, Elector::poll_event) {
                return Some(found);
            }
            self.telling.pop();
        }
        None
    }

    /// The next elector that [has ended](Elector::is_finished), each once. Fetch its events before you
    /// remove it.
    #[must_use]
    pub fn poll_finished(&mut self) -> Option<ElectorId> {
        while let Some(slot) = self.ending.pop() {
            let held = self.slots.get_mut(slot)?;
            if held.elector.as_ref().is_some_and(Elector::is_finished) && !held.told {
                held.told = true;
                return Some(ElectorId { serial: held.serial, slot });
            }
        }
        None
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) if nothing happens before; `None` if only
    /// answers, or nothing at all, are awaited. Constant time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(due, _)| due)
    }

    fn in_slot<T>(
        &mut self,
        slot: usize,
        poll: impl FnOnce(&mut Elector) -> Option<T>,
    ) -> Option<(ElectorId, T)> {
        let held = self.slots.get_mut(slot)?;
        let found = poll(held.elector.as_mut()?)?;
        Some((ElectorId { serial: held.serial, slot }, found))
    }

    /// Does something to one elector, if it is still there.
    fn call(&mut self, id: ElectorId, act: impl FnOnce(&mut Elector)) {
        if self.slots.get(id.slot).is_some_and(|slot| slot.serial == id.serial) {
            self.call_slot(id.slot, act);
        }
    }

    fn call_slot(&mut self, slot: usize, act: impl FnOnce(&mut Elector)) {
        let Some(held) = self.slots.get_mut(slot) else { return };
        let Some(elector) = &mut held.elector else { return };
        act(elector);
        self.timers.set(ElectorId { serial: held.serial, slot }, elector.poll_timeout());
        if elector.outbox().has_request() {
            self.asking.push(slot);
        }
        if elector.outbox().has_events() {
            self.telling.push(slot);
        }
        if elector.is_finished() {
            self.ending.push(slot);
        }
    }

    /// All but the timers, which follow from the electors.
    fn state(&self) -> impl Eq + Hash {
        (&self.slots, &self.free, self.inserted, &self.asking, &self.telling, &self.ending)
    }
}

impl PartialEq for Electors {
    fn eq(&self, other: &Self) -> bool {
        self.state() == other.state()
    }
}

impl Eq for Electors {}

impl Hash for Electors {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.state().hash(hasher);
    }
}
