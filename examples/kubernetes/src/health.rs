//! Whether the loop that drives the machine is alive: for the kubelet.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tenure::time::Instant;

/// Touched by the driver's loop at each turn, at least once a second. Atomic, so that whoever asks does
/// not wait for a loop that is stuck.
#[derive(Debug)]
pub struct Heart {
    beat: AtomicU64,
    answered: AtomicU64,
    stopping: AtomicBool,
    /// Without a turn for so long, the loop is stuck.
    stuck_after: Duration,
    /// Without a word of the API server for so long, the replica is not ready.
    fresh_for: Duration,
}

impl Heart {
    /// Of a loop that turns from `now` on.
    #[must_use]
    pub const fn new(now: Instant, stuck_after: Duration, fresh_for: Duration) -> Self {
        let beat = AtomicU64::new(now.as_nanos());
        let (answered, stopping) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { beat, answered, stopping, stuck_after, fresh_for }
    }

    /// The loop has come round.
    pub(crate) fn beat(&self, now: Instant) {
        self.beat.store(now.as_nanos(), Ordering::Relaxed);
    }

    /// The API server has said what is in the store.
    pub(crate) fn answered(&self, now: Instant) {
        self.answered.store(now.as_nanos(), Ordering::Relaxed);
    }

    /// The replica was asked to leave.
    pub(crate) fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether to let the process live. Not whether it leads, nor whether the API server answers: to
    /// restart a candidate, or everybody during an outage, mends nothing.
    ///
    /// # Errors
    /// The loop is stuck; the text says since when.
    pub fn alive(&self, now: Instant) -> Result<(), String> {
        let beat = Instant::from_nanos(self.beat.load(Ordering::Relaxed));
        let since = now.saturating_since(beat);
        if since <= self.stuck_after {
            return Ok(());
        }
        Err(format!("the driver's loop has not turned for {} s", since.as_secs()))
    }

    /// Whether it could act if it were its turn. One that waits for others to leave is ready, else a
    /// rolling update, which waits for the new ones before it stops the old, would never end.
    ///
    /// # Errors
    /// It leaves, or has not heard of the API server; the text says which.
    pub fn ready(&self, now: Instant) -> Result<(), String> {
        self.alive(now)?;
        if self.stopping.load(Ordering::Relaxed) {
            return Err("it leaves".into());
        }
        let answered = self.answered.load(Ordering::Relaxed);
        let since = now.saturating_since(Instant::from_nanos(answered));
        if answered != 0 && since <= self.fresh_for {
            return Ok(());
        }
        Err("the API server has not answered a call on Leases".into())
    }
}
