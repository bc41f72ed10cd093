//! What faults do to a process that lives on, and to its clocks: pauses, drifts, suspends, freezes.

use tenure::election::RequestId;
use tenure::lock::Identity;

use super::Replica;
use crate::distribution::Distribution;
use crate::fault::{Reborn, WakeUp};
use crate::outside::{Event, Outside};
use crate::program::Program;
use crate::scenario::Change;
use crate::time::{Shift, Span};
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
        if self.alive && self.is_slow() {
            self.put_off(outside);
            return;
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

    /// Whether a fault makes the process slow.
    pub(super) const fn is_slow(&self) -> bool {
        !self.slows.is_empty()
    }

    /// A fault makes the process slow.
    pub(crate) fn slow_down(&mut self, fault: u32, by: Distribution) {
        self.slows.push((fault, by));
    }

    /// It is over. If it was the last, the process handles what it has put off.
    pub(crate) fn speed_up(&mut self, outside: &mut Outside, fault: u32) {
        self.slows.retain(|(other, _)| *other != fault);
        if self.alive && !self.is_slow() && !self.paused() {
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
    }

    /// There is something to do: a slow process comes to it later.
    pub(super) fn put_off(&mut self, outside: &mut Outside) {
        if core::mem::replace(&mut self.attending, true) {
            return;
        }
        let mut takes = Span::ZERO;
        for (fault, by) in &self.slows {
            let more = by.draw(self.pace.bits());
            if !more.is_zero() {
                outside.blame(*fault);
            }
            takes = takes + more;
        }
        let attend = Event::Attend { replica: self.index, lives: self.lives };
        outside.queue.push(outside.now + takes, attend);
    }

    /// The timer fired: if something is due the process comes to it later.
    pub(super) fn put_off_if_due(&mut self, outside: &mut Outside) {
        let now = self.clock.instant(outside.now);
        if self.next_due().is_some_and(|due| due <= now) {
            self.put_off(outside);
        } else {
            self.arm(outside);
        }
    }

    /// A slow process comes to what it has to do: the message that has waited for longest, or if there is
    /// none the timers that are due.
    pub(crate) fn attend(&mut self, outside: &mut Outside, lives: u32) {
        if !self.alive || lives != self.lives || !core::mem::take(&mut self.attending) {
            return;
        }
        if self.paused() {
            return; // all of it is handled on resuming
        }
        match self.inbox.pop_front() {
            Some((cause, message)) => {
                outside.queue.set_cause(cause);
                self.receive(outside, message);
            }
            None => self.due(outside),
        }
        if !self.alive {
            return;
        }
        if self.inbox.is_empty() {
            self.put_off_if_due(outside);
        } else {
            self.put_off(outside);
        }
    }

    /// The elector's call that is under way, and at which API server.
    pub(crate) fn under_way(&self) -> Option<(RequestId, u32)> {
        self.outstanding.filter(|_| self.alive).map(|(id, _)| (id, self.api))
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

    /// The wall clock is set.
    pub(crate) fn step_wall(&mut self, outside: &mut Outside, fault: u32, by: Shift) {
        self.clock.step_wall(by);
        self.say_clock(outside);
        if self.alive && by != Shift::default() {
            outside.blame(fault);
        }
    }

    /// Both clocks are slewed: the wall clock gains so much over `lasts`, and the monotonic one runs as
    /// much faster.
    pub(crate) fn smear(&mut self, outside: &mut Outside, fault: u32, by: Shift, lasts: Span) {
        self.clock.slew_wall(outside.now, fault, by, lasts);
        let lasts = i128::from(lasts.as_nanos()).max(1);
        let rate = i128::from(self.base_rate) * (lasts + i128::from(by.as_nanos())) / lasts;
        self.drifts.push((fault, u64::try_from(rate).unwrap_or(self.base_rate)));
        self.apply_clock_faults(outside);
        if self.alive && by != Shift::default() {
            outside.blame(fault);
        }
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
