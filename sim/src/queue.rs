//! What will happen when: events in the order of their time, and of their making where that is the
//! same. Nothing is taken out but the next; what is no longer wanted is recognised by its owner.
//!
//! An event remembers of what it came: the queue's [`cause`](Queue::cause) when it was added, which is the
//! queue's again when it is taken. What happens in a step thereby hangs on what led to it, though nobody
//! in between hands it on.

use core::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use crate::time::SimTime;

/// Events in order.
///
/// ```
/// use tenure_sim::queue::Queue;
/// use tenure_sim::time::SimTime;
///
/// let mut queue = Queue::default();
/// queue.push(SimTime::from_nanos(2), "second");
/// queue.push(SimTime::from_nanos(1), "first");
/// queue.push(SimTime::from_nanos(2), "third");
/// assert_eq!(queue.pop(), Some((SimTime::from_nanos(1), "first")));
/// assert_eq!(queue.pop(), Some((SimTime::from_nanos(2), "second")));
/// assert_eq!(queue.pop(), Some((SimTime::from_nanos(2), "third")));
/// assert_eq!(queue.pop(), None);
/// ```
#[derive(Debug, Clone)]
pub struct Queue<E> {
    heap: BinaryHeap<Scheduled<E>>,
    /// Events that came many at a time, by the next of each burst.
    bursts: BinaryHeap<Burst<E>>,
    /// The burst that is being added.
    open: Vec<Scheduled<E>>,
    made: u64,
    cause: Cause,
}

/// So many events at a time are sorted once, rather than each among all others.
const MANY: usize = 16;

/// Sorted, the next last; never empty.
#[derive(Debug, Clone)]
struct Burst<E>(Vec<Scheduled<E>>);

#[derive(Debug, Clone)]
struct Scheduled<E> {
    at: SimTime,
    made: u64,
    cause: Cause,
    event: E,
}

/// An entry of the trace that something came of, or nothing that is in the trace.
///
/// ```
/// use tenure_sim::queue::Cause;
/// assert_eq!(Cause::default().entry(), None);
/// assert_eq!(Cause::of(7).entry(), Some(7));
/// assert_eq!(Cause::of(u64::MAX).entry(), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cause(u32); // four bytes: what the queue holds does not grow by it

impl Cause {
    /// The entry with this number. Of entries that come after four thousand millions nothing is said to come.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "compared just before")]
    pub const fn of(seq: u64) -> Self {
        if seq < u32::MAX as u64 { Self(seq as u32 + 1) } else { Self(0) }
    }

    /// The number of the entry, if it is one.
    #[must_use]
    pub const fn entry(self) -> Option<u64> {
        (self.0 as u64).checked_sub(1)
    }
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            bursts: BinaryHeap::new(),
            open: Vec::new(),
            made: 0,
            cause: Cause::default(),
        }
    }
}

impl<E> Queue<E> {
    /// Adds an event.
    pub fn push(&mut self, at: SimTime, event: E) {
        self.heap.push(Scheduled { at, made: self.made, cause: self.cause, event });
        self.made += 1;
    }

    /// Adds one of many events, of which none is taken before all are added. The same as
    /// [`push`](Self::push), and costs less if there are hundreds.
    ///
    /// ```
    /// use tenure_sim::queue::Queue;
    /// use tenure_sim::time::SimTime;
    ///
    /// let mut queue = Queue::default();
    /// queue.push(SimTime::from_nanos(500), 1_000);
    /// (0..1_000).for_each(|nanos| queue.push_many(SimTime::from_nanos(999 - nanos), nanos));
    /// let order: Vec<u64> = core::iter::from_fn(|| queue.pop()).map(|(_, event)| event).collect();
    /// assert_eq!((order[0], order[499], order[500], order[501]), (999, 500, 1_000, 499));
    /// ```
    pub fn push_many(&mut self, at: SimTime, event: E) {
        self.open.push(Scheduled { at, made: self.made, cause: self.cause, event });
        self.made += 1;
    }

    /// Of what all that is added now comes.
    ///
    /// ```
    /// use tenure_sim::queue::{Cause, Queue};
    /// use tenure_sim::time::SimTime;
    ///
    /// let mut queue = Queue::default();
    /// queue.set_cause(Cause::of(3));
    /// queue.push(SimTime::from_nanos(1), "answer");
    /// queue.set_cause(Cause::of(4));
    /// queue.pop();
    /// assert_eq!(queue.cause(), Cause::of(3));
    /// ```
    #[must_use]
    pub const fn cause(&self) -> Cause {
        self.cause
    }

    /// What is added from now on, until the next event is taken, comes of this.
    pub const fn set_cause(&mut self, cause: Cause) {
        self.cause = cause;
    }

    /// Takes the next event. Its cause is the queue's now.
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        if !self.open.is_empty() {
            self.close();
        }
        let next = match (self.heap.peek(), self.bursts.peek_mut()) {
            (one, Some(mut burst)) if burst.0.last() > one => {
                let next = burst.0.pop();
                if burst.0.is_empty() {
                    PeekMut::pop(burst);
                }
                next
            }
            _ => self.heap.pop(),
        };
        let next = next?;
        self.cause = next.cause;
        Some((next.at, next.event))
    }

    /// All of the burst are there.
    fn close(&mut self) {
        if self.open.len() < MANY {
            self.heap.extend(self.open.drain(..));
        } else {
            self.open.sort_unstable();
            self.bursts.push(Burst(core::mem::take(&mut self.open)));
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let bursts = self.bursts.iter().map(|burst| burst.0.len()).sum::<usize>();
        self.heap.len() + bursts + self.open.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<E> Ord for Burst<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.last().cmp(&other.0.last())
    }
}

impl<E> PartialOrd for Burst<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Burst<E> {
    fn eq(&self, other: &Self) -> bool {
        self.0.last() == other.0.last()
    }
}

impl<E> Eq for Burst<E> {}

// The heap gives the greatest first: later is less.
impl<E> Ord for Scheduled<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.made).cmp(&(self.at, self.made))
    }
}

impl<E> PartialOrd for Scheduled<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Scheduled<E> {
    fn eq(&self, other: &Self) -> bool {
        self.made == other.made
    }
}

impl<E> Eq for Scheduled<E> {}

/// Values kept elsewhere while an event refers to them by number; numbers are used again.
#[derive(Debug, Clone)]
pub(crate) struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Keeps a value.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            if let Some(place) = self.slots.get_mut(slot as usize) {
                *place = Some(value);
            }
            return slot;
        }
        self.slots.push(Some(value));
        u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
    }

    /// Gives a value back, once.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<T> {
        let value = self.slots.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However events are added, they come in the order of time, then of their making.
        #[test]
        fn bursts_and_single_events_come_in_one_order(
            steps in prop::collection::vec((0_u64..40, 0_usize..40, 0_usize..30), 1..40),
        ) {
            let (mut queue, mut plain, mut made) = (Queue::default(), Queue::default(), 0);
            for (at, many, pops) in steps {
                let time = |n: usize| SimTime::from_nanos(at + n as u64 * 7 % 23);
                queue.push(time(0), made);
                plain.push(time(0), made);
                made += 1;
                for n in 0..many {
                    queue.push_many(time(n), made);
                    plain.push(time(n), made);
                    made += 1;
                }
                prop_assert_eq!(queue.len(), plain.len());
                for _ in 0..pops {
                    prop_assert_eq!(queue.pop(), plain.pop());
                }
            }
            while !plain.is_empty() {
                prop_assert_eq!(queue.pop(), plain.pop());
            }
            prop_assert!(queue.is_empty());
        }
    }

    #[test]
    fn slots_are_used_again() {
        let mut slab = Slab::default();
        let (a, b) = (slab.insert("a"), slab.insert("b"));
        assert_eq!(slab.remove(a), Some("a"));
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.insert("c"), a);
        assert_eq!((slab.remove(b), slab.remove(a)), (Some("b"), Some("c")));
    }
}
