//! What will happen when: events in the order of their time, and of their making where that is the
//! same. Nothing is taken out but the next; what is no longer wanted is recognised by its owner.

use core::cmp::Ordering;
use std::collections::BinaryHeap;

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
    made: u64,
}

#[derive(Debug, Clone)]
struct Scheduled<E> {
    at: SimTime,
    made: u64,
    event: E,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), made: 0 }
    }
}

impl<E> Queue<E> {
    /// Adds an event.
    pub fn push(&mut self, at: SimTime, event: E) {
        self.heap.push(Scheduled { at, made: self.made, event });
        self.made += 1;
    }

    /// Takes the next event.
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        self.heap.pop().map(|next| (next.at, next.event))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

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
pub struct Slab<T> {
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
    pub fn insert(&mut self, value: T) -> u32 {
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
    pub fn remove(&mut self, slot: u32) -> Option<T> {
        let value = self.slots.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
