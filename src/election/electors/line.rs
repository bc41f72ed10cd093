//! Who waits to be polled.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// A queue in which each slot stands at most once, so that it is never longer than there are slots.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Line {
    queue: VecDeque<usize>,
    waits: Vec<bool>,
}

impl Line {
    /// Puts `slot` last, unless it stands in the line.
    pub(super) fn push(&mut self, slot: usize) {
        if self.waits.len() <= slot {
            self.waits.resize(slot + 1, false);
            self.queue.reserve(self.waits.len() - self.queue.len());
        }
        if let Some(waits) = self.waits.get_mut(slot).filter(|waits| !**waits) {
            *waits = true;
            self.queue.push_back(slot);
        }
    }

    /// The first, who stays.
    pub(super) fn first(&self) -> Option<usize> {
        self.queue.front().copied()
    }

    /// Sends the first away.
    pub(super) fn pop(&mut self) -> Option<usize> {
        let slot = self.queue.pop_front()?;
        if let Some(waits) = self.waits.get_mut(slot) {
            *waits = false;
        }
        Some(slot)
    }
}
