//! What faults do to a process that lives on, and to its clocks: pauses, drifts, suspends, freezes.

use tenure::lock::Identity;

use super::Replica;
use crate::fault::{Reborn, WakeUp};
use crate::outside::Outside;
use crate::program::Program;
use crate::scenario::Change;
use crate::trace::What;

impl<P: Program> Replica<P> {
    /// A fault stops the process from doing anything.
    pub(crate) fn pause(&mut self, outside: &mut Outside, fault: u32, wake_up: WakeUp) {
        let first = self.pausers.is_empty();
        self.pausers.push(fault);
        self.wake_up = wake_up;
        if first {
            outside.emit(What::Paused { replica: self.index });
        }
    }

    /// A fault that paused the process is over. If it was the last, the process handles what it
    /// missed.
    pub(crate) fn unpause(&mut self, outside: &mut Outside, fault: u32) {
        if !self.pausers.contains(&fault) {
            return;
        }
        self.blame_pausers_if_due(outside);
        self.pausers.retain(|other| *other != fault);
        if self.pausers.is_empty() {
            self.resume(outside);
        }
    }

    /// From the next life on it runs with other settings. If it runs, it is asked to stop, and starts
    /// again when it has; if it is stopping already, or down, whoever starts it does that.
    pub(crate) fn roll_out(&mut self, outside: &mut Outside, rollout: u32, change: &Change) {
        self.settings.apply(change);
        outside.emit(What::RolledOut { replica: self.index, rollout });
        if self.alive && !self.stopping {
            self.comes_back = Some(Reborn::New);
            self.stop(outside);
        }
    }

    /// Asks the elector to hand the lock over. Whether it does: client-go's never, a leader not to
    /// itself.
    pub(crate) fn hand_over(&mut self, outside: &mut Outside, to: Identity) -> bool {
        let now = self.clock.now(outside.now);
        let hears = self.believes && !self.paused();
        let Some(elector) = self.elector.as_mut().filter(|_| hears) else { return false };
        let before = outside.log.statistics.handed_over;
        elector.hand_over(now, to);
        self.drive(outside, now);
        outside.log.statistics.handed_over > before
    }

    pub(super) fn blame_pausers_if_due(&self, outside: &mut Outside) {
        let now = self.clock.instant(outside.now);
        if self.next_due().is_some_and(|due| due <= now) {
            self.pausers.iter().for_each(|fault| outside.blame(*fault));
        }
    }

    fn resume(&mut self, outside: &mut Outside) {
        outside.emit(What::Resumed { replica: self.index });
        if core::mem::take(&mut self.stop_wanted) {
            self.stop(outside);
        }
        if self.alive && self.wake_up == WakeUp::TimersFirst {
            self.due(outside);
        }
        while self.alive
            && let Some((cause, message)) = self.inbox.pop_front()
        {
            outside.queue.set_cause(cause);
            self.receive(outside, message);
        }
        if self.alive {
            self.due(outside);
        }
    }

    /// All pauses end but those of a suspended machine. Whether there was one.
    pub(crate) fn resume_from_pauses(&mut self, outside: &mut Outside) -> bool {
        let suspends = |fault: &u32| self.suspends.iter().any(|suspend| suspend.fault == *fault);
        let pauses: Vec<_> =
            self.pausers.iter().copied().filter(|fault| !suspends(fault)).collect();
        for fault in &pauses {
            self.unpause(outside, *fault);
        }
        !pauses.is_empty()
    }

    /// The monotonic clock runs as the faults on it have it.
    pub(crate) fn apply_clock_faults(&mut self, outside: &mut Outside) {
        let drifting = self.drifts.last().map_or(self.base_rate, |(_, rate)| *rate);
        let rate = if self.suspends.is_empty() { drifting } else { 0 };
        if rate != self.clock.rate_ppb() {
            self.clock.set_rate(outside.now, rate);
            self.say_clock(outside);
            if self.alive {
                // Real times that follow from local ones are others now.
                self.disarm();
                self.show_authority(outside);
                self.arm(outside);
            }
        }
        self.blame_clock_faults(outside);
    }

    /// The wall clock stops, if it has not.
    pub(crate) fn freeze_wall(&mut self, outside: &mut Outside, fault: u32) {
        if self.wall_freezes.is_empty() {
            self.clock.freeze_wall(outside.now, true);
        }
        self.wall_freezes.push(fault);
        self.blame_clock_faults(outside);
    }

    /// Clock faults have an effect if there is a process to see another time because of them.
    pub(super) fn blame_clock_faults(&self, outside: &mut Outside) {
        if !self.alive {
            return;
        }
        self.wall_freezes.iter().for_each(|fault| outside.blame(*fault));
        self.suspends.iter().for_each(|suspend| outside.blame(suspend.fault));
        if self.suspends.is_empty()
            && let Some(((fault, rate), others)) = self.drifts.split_last()
            && *rate != others.last().map_or(self.base_rate, |(_, rate)| *rate)
        {
            outside.blame(*fault);
        }
    }

    /// A clock was changed.
    pub(crate) fn say_clock(&self, outside: &mut Outside) {
        let (replica, rate_ppb) = (self.index, self.clock.rate_ppb());
        outside.emit(What::Clock { replica, rate_ppb });
    }
}
