//! What planned faults do when they begin and when they end.

use std::sync::Arc;

use tenure::lock::Kind;

use super::World;
use crate::fault::{Fault, Links, Reborn, Site, Target};
use crate::net::{LinkId, Trouble};
use crate::outside::{Errors, Event, Lag};
use crate::program::Program;
use crate::replica::{Replica, Suspend};
use crate::time::Shift;
use crate::trace::{End, What};

/// A fault that has begun and not ended: what it hit.
#[derive(Debug)]
pub(super) struct Active {
    links: Vec<LinkId>,
    replicas: Vec<u32>,
    /// The wall clocks of a strobe are off now.
    off: bool,
}

impl<P: Program> World<P> {
    /// Faults whose trigger was pulled are due after their delay.
    pub(super) fn pull_triggers(&mut self) {
        for (fault, actor, cause) in self.outside.log.pulled.drain(..) {
            let after = self.scenario.faults.get(fault as usize).map(|planned| planned.after);
            if let Some(place) = self.actors.get_mut(fault as usize) {
                *place = Some(actor);
            }
            let at = self.outside.now + after.unwrap_or_default();
            self.outside.queue.set_cause(cause);
            self.outside.queue.push(at, Event::Begin(fault));
        }
    }

    /// Whom a target means now.
    fn resolve(&self, target: Target, actor: Option<u32>) -> Vec<u32> {
        let candidate = |replica: &&Replica<P>| replica.alive && !replica.believes();
        match target {
            Target::Replica(index) => vec![index],
            Target::Leader => self.outside.log.believers.last().copied().into_iter().collect(),
            Target::Follower => {
                let follower = self.replicas.iter().find(candidate);
                follower.map(|replica| replica.index).into_iter().collect()
            }
            Target::Actor => actor.into_iter().collect(),
            Target::Everyone => self.replicas.iter().map(|replica| replica.index).collect(),
        }
    }

    /// A planned fault begins.
    pub(super) fn begin(&mut self, fault: u32) {
        let index = fault as usize;
        let (Some(kind), Some(planned)) = (self.faults.get(index), self.scenario.faults.get(index))
        else {
            return;
        };
        if self.healed {
            return;
        }
        let (kind, lasts) = (Arc::clone(kind), planned.lasts);
        let object = planned.object.unwrap_or_else(|| self.scenario.lock.primary());
        let actor = self.actors.get(index).copied().flatten();
        let resolve = |target| self.resolve(target, actor);
        let links = match &*kind {
            Fault::Bridge {} => self.outside.net.bridge(),
            Fault::MajoritiesRing {} => self.outside.net.majorities_ring(),
            kind => kind.links().map_or_else(Vec::new, |l| self.outside.net.links(l, resolve)),
        };
        let replicas = match kind.links() {
            Some(links) => named(links).flat_map(resolve).collect(),
            None => kind.target().map_or_else(Vec::new, resolve),
        };
        if let Some(effect) = self.outside.effects.get_mut(index) {
            effect.fired = true;
        }
        let hit = replicas.clone();
        self.outside.emit(What::Fault { fault, replicas: hit, kind: Arc::clone(&kind) });
        if let Some(lasts) = lasts {
            self.outside.queue.push(self.outside.now + lasts, Event::End(fault));
        }
        self.strike(fault, &kind, &links, &replicas, object);
        if kind.can_last()
            && let Some(active) = self.active.get_mut(index)
        {
            *active = Some(Active { links, replicas, off: false });
        }
        if let Fault::Strobe { .. } = &*kind {
            self.strobe(fault);
        }
    }

    /// What it does at its beginning.
    fn strike(
        &mut self,
        fault: u32,
        kind: &Fault,
        links: &[LinkId],
        replicas: &[u32],
        object: Kind,
    ) {
        if let Some(trouble) = trouble(kind) {
            self.outside.net.trouble(links, fault, trouble);
            if trouble == Trouble::Reset {
                self.reset(fault, links);
            }
            return;
        }
        let outside = &mut self.outside;
        match *kind {
            Fault::Heal {} => self.heal_network(fault),
            Fault::StoreOutage { api, how } => outside.outages.push((fault, api, how)),
            Fault::StoreSlow { before, after } => outside.slow.push((fault, before, after)),
            Fault::StoreErrors { before_ppm, after_ppm, code } => {
                outside.errors.push(Errors { fault, before_ppm, after_ppm, code });
            }
            Fault::StaleReads { api, behind } => {
                outside.lags.push(Lag { fault, api, began: outside.now, behind });
            }
            Fault::Edit(ref edit) => self.meddle(fault, object, Some(edit)),
            Fault::Delete {} => self.meddle(fault, object, None),
            _ => {
                for replica in replicas {
                    self.hit(fault, kind, *replica);
                }
            }
        }
    }

    /// Connections over these links are reset: calls under way fail, watches break.
    fn reset(&mut self, fault: u32, links: &[LinkId]) {
        for replica in &self.replicas {
            if let Some((request, api)) = replica.under_way()
                && self.outside.concerns(links, replica.index, api)
            {
                self.outside.reset_call(fault, replica.who(), request);
            }
        }
        self.outside.reset_watches(fault, links);
    }

    /// Wall clocks jump there, or back, and will again.
    pub(super) fn strobe(&mut self, fault: u32) {
        let index = fault as usize;
        let Some(Fault::Strobe { by, every, .. }) = self.faults.get(index).map(|it| &**it) else {
            return;
        };
        let Some(active) = self.active.get_mut(index).and_then(Option::as_mut) else { return };
        let shift = if active.off { Shift::from_nanos(-by.as_nanos()) } else { *by };
        active.off = !active.off;
        for replica in &active.replicas {
            if let Some(replica) = self.replicas.get_mut(*replica as usize) {
                replica.step_wall(&mut self.outside, fault, shift);
            }
        }
        self.outside.queue.push(self.outside.now + *every, Event::Strobe(fault));
    }

    fn meddle(&mut self, fault: u32, object: Kind, edit: Option<&crate::fault::Edit>) {
        if self.outside.meddle(object, edit) {
            self.outside.blame(fault);
        }
    }

    /// All network faults end.
    fn heal_network(&mut self, by: u32) {
        for fault in 0..u32::try_from(self.faults.len()).unwrap_or(u32::MAX) {
            let network = self.faults.get(fault as usize).is_some_and(|f| f.is_of_network());
            if network && self.is_active(fault) {
                self.outside.blame(by);
                self.end(fault);
            }
        }
    }

    fn is_active(&self, fault: u32) -> bool {
        self.active.get(fault as usize).is_some_and(Option::is_some)
    }

    /// A fault of processes or clocks hits a replica.
    fn hit(&mut self, fault: u32, kind: &Fault, index: u32) {
        let Self { replicas, outside, .. } = self;
        let Some(replica) = replicas.get_mut(index as usize) else { return };
        let alive = replica.alive;
        match kind {
            Fault::Pause { wake_up, .. } if alive => replica.pause(outside, fault, *wake_up),
            Fault::Resume { .. } if alive => {
                let was_paused = replica.resume_from_pauses(outside);
                if was_paused {
                    outside.blame(fault);
                }
            }
            Fault::Crash { .. } | Fault::Stop { .. } => self.take_down(fault, kind, index),
            Fault::Restart { reborn, .. } => {
                if alive {
                    self.crash(index);
                }
                self.start_as(index, *reborn);
                self.outside.blame(fault);
            }
            Fault::HandOver { to, .. } if alive => {
                let to = outside.names.get(*to as usize).cloned().unwrap_or_default();
                if replica.hand_over(outside, to) {
                    outside.blame(fault);
                }
            }
            Fault::WatchStall { .. } => outside.stall(fault, index),
            Fault::Drift { rate_ppb, .. } => {
                replica.drifts.push((fault, *rate_ppb));
                replica.apply_clock_faults(outside);
            }
            Fault::Slow { by, .. } => replica.slow_down(fault, *by),
            Fault::ClockJump { by, .. } => replica.step_wall(outside, fault, *by),
            Fault::Smear { by, .. } => {
                let planned = self.scenario.faults.get(fault as usize);
                let lasts = planned.and_then(|planned| planned.lasts).unwrap_or_default();
                replica.smear(outside, fault, *by, lasts);
            }
            Fault::WallFreeze { .. } => replica.freeze_wall(outside, fault),
            Fault::Suspend { running, .. } => {
                if alive && !running {
                    replica.pause(outside, fault, crate::fault::WakeUp::default());
                }
                replica.suspends.push(Suspend { fault, running: *running });
                replica.apply_clock_faults(outside);
            }
            _ => {}
        }
    }

    /// A crash or a stop: it takes a process down, or keeps down one that such a fault took down.
    fn take_down(&mut self, fault: u32, kind: &Fault, index: u32) {
        let Self { replicas, outside, .. } = self;
        let Some(replica) = replicas.get_mut(index as usize) else { return };
        let going = replica.stopping && replica.comes_back.is_none();
        if !replica.alive && replica.downers.is_empty() {
            return;
        }
        replica.downers.push(fault);
        replica.comes_back = None;
        if !replica.alive {
            return;
        }
        if matches!(kind, Fault::Crash { .. }) {
            outside.blame(fault);
            self.crash(index);
        } else if !going {
            outside.blame(fault);
            if !replica.stopping {
                replica.stop(outside);
            }
        }
    }

    /// A crash or a stop is over: if it was the last, the process starts again.
    fn put_up(&mut self, fault: u32, reborn: Reborn, index: u32) {
        let Self { replicas, outside, .. } = self;
        let Some(replica) = replicas.get_mut(index as usize) else { return };
        if !replica.downers.contains(&fault) {
            return; // it hit nobody, or the process was restarted meanwhile
        }
        replica.downers.retain(|other| *other != fault);
        if !replica.downers.is_empty() {
            replica.downers.iter().for_each(|fault| outside.blame(*fault));
        } else if replica.alive {
            replica.comes_back = Some(reborn);
        } else {
            self.start_as(index, reborn);
        }
    }

    fn start_as(&mut self, index: u32, reborn: Reborn) {
        if let Some(replica) = self.replicas.get_mut(index as usize) {
            replica.reborn = reborn;
        }
        self.start(index);
    }

    fn crash(&mut self, index: u32) {
        if let Some(replica) = self.replicas.get_mut(index as usize) {
            replica.comes_back = None;
            self.outside.log.statistics.crashes += 1;
            replica.end(&mut self.outside, End::Crashed);
        }
    }

    /// A planned fault is over.
    pub(super) fn end(&mut self, fault: u32) {
        let index = fault as usize;
        let Some(active) = self.active.get_mut(index).and_then(Option::take) else { return };
        let Some(kind) = self.faults.get(index).cloned() else { return };
        self.outside.emit(What::FaultEnded { fault });
        self.outside.net.heal(&active.links, fault);
        self.outside.release_held();
        self.outside.outages.retain(|(other, ..)| *other != fault);
        self.outside.slow.retain(|(other, ..)| *other != fault);
        self.outside.errors.retain(|errors| errors.fault != fault);
        self.outside.lags.retain(|lag| lag.fault != fault);
        for index in active.replicas {
            if let (true, Fault::Strobe { by, .. }) = (active.off, &*kind)
                && let Some(replica) = self.replicas.get_mut(index as usize)
            {
                let back = Shift::from_nanos(-by.as_nanos());
                replica.step_wall(&mut self.outside, fault, back);
            }
            self.release(fault, &kind, index);
        }
    }

    /// A fault of processes or clocks lets a replica go.
    fn release(&mut self, fault: u32, kind: &Fault, index: u32) {
        let Self { replicas, outside, .. } = self;
        let Some(replica) = replicas.get_mut(index as usize) else { return };
        match kind {
            Fault::Pause { .. } => replica.unpause(outside, fault),
            Fault::Slow { .. } => replica.speed_up(outside, fault),
            Fault::Crash { reborn, .. } => self.put_up(fault, *reborn, index),
            Fault::Stop { .. } => self.put_up(fault, Reborn::New, index),
            Fault::Drift { .. } => {
                replica.drifts.retain(|(other, _)| *other != fault);
                replica.apply_clock_faults(outside);
            }
            Fault::Smear { .. } => {
                replica.clock.end_slew(outside.now, fault);
                replica.drifts.retain(|(other, _)| *other != fault);
                replica.apply_clock_faults(outside);
            }
            Fault::WatchStall { .. } => outside.unstall(fault, index),
            Fault::WallFreeze { .. } => {
                replica.wall_freezes.retain(|other| *other != fault);
                if replica.wall_freezes.is_empty() {
                    replica.clock.freeze_wall(outside.now, false);
                }
            }
            Fault::Suspend { .. } => {
                replica.suspends.retain(|suspend| suspend.fault != fault);
                replica.apply_clock_faults(outside);
                replica.unpause(outside, fault);
                if replica.starts_on_waking {
                    self.start(index);
                }
            }
            _ => {}
        }
    }

    /// Everything heals, and nothing goes wrong any more.
    pub(super) fn heal(&mut self) {
        self.healed = true;
        self.outside.log.disarm();
        for fault in 0..u32::try_from(self.faults.len()).unwrap_or(u32::MAX) {
            self.end(fault);
        }
        self.outside.calm();
        self.outside.emit(What::Healed);
    }
}

/// What a fault does to the links that it hits.
const fn trouble(kind: &Fault) -> Option<Trouble> {
    Some(match *kind {
        Fault::Partition(_) | Fault::Bridge {} | Fault::MajoritiesRing {} => Trouble::Blocked,
        Fault::Hold(_) => Trouble::Held,
        Fault::Reset(_) => Trouble::Reset,
        Fault::Delay { by, .. } => Trouble::Slow(by),
        Fault::Loss { ppm, .. } => Trouble::Lossy(ppm),
        Fault::Duplicate { ppm, .. } => Trouble::Doubling(ppm),
        Fault::Reorder { ppm, by, .. } => Trouble::Reordering(ppm, by),
        _ => return None,
    })
}

/// The replicas whose links a network fault breaks, as far as it names replicas.
fn named(links: &Links) -> impl Iterator<Item = Target> {
    links.sites.iter().filter_map(|site| match site {
        Site::Of(target) => Some(*target),
        Site::Api(_) | Site::Resource | Site::Zone(_) => None,
    })
}
