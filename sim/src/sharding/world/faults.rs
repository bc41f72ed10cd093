//! Calls of the store, and what planned faults do when they begin and when they end.

use core::mem;
use std::sync::Arc;

use super::super::fault::Fault;
use super::super::system::{Held, Input, Op, System, Value as _};
use super::super::trace::What;
use super::World;
use super::lag::Lag;
use super::outside::{Answered, Body, Event};
use super::process::Process;
use crate::fault::{Direction, Links, Site, Target};
use crate::net::{LinkId, Trouble};
use crate::rng::{Draw, happens, mix};
use crate::time::Span;

/// So many more writes than are needed are kept, so that it costs nothing to forget them.
pub(super) const FORGETS: usize = 1_024;

impl<S: System> World<S> {
    pub(super) fn arrive(&mut self, message: u32) {
        let Self { processes, outside, .. } = self;
        let Some(message) = outside.messages.remove(message) else { return };
        if let Body::Watch { conn, after } = message.body {
            if let Some(process) = processes.get_mut(message.replica as usize) {
                process.watch_begins(outside, conn, after);
            }
        } else {
            outside.arrive(message);
        }
    }

    /// A call takes effect, and its answer leaves.
    pub(super) fn commit(&mut self, message: u32) {
        let Self { processes, outside, .. } = self;
        let Some(mut message) = outside.messages.remove(message) else { return };
        let Body::Call(call) = message.body else { return };
        let own = processes.get(message.replica as usize).map(|process| &process.record);
        let renewed = match &call.op {
            Op::Create(name, _) | Op::Update(name, ..) => Some(name) == own,
            _ => false,
        };
        let (mut result, written) = outside.apply(Some(message.replica), message.sent, call.op);
        let spoiled = mix(message.luck, Draw::Spoiled);
        if outside.errors.iter().any(|(_, _, ppm)| happens(spoiled, *ppm)) {
            result = Err(tenure::election::Failure::Other);
        }
        let mut wait = outside.behaviour.after.draw(mix(message.luck, Draw::After));
        for (_, _, after) in &outside.slow {
            wait = wait + after.draw(mix(message.luck, Draw::SlowAfter));
        }
        let (id, at) = (call.id, outside.now);
        message.body = Body::Watch { conn: 0, after: 0 }; // replaced by the answer
        outside.reply(&message, &Answered { id, result, at, renewed }, wait);
        if written.is_some() {
            self.show();
            self.forget();
        }
    }

    /// Of the writes only those are kept that a watch may still show: a watch that asks for more than its
    /// buffer holds is cut, whatever there was.
    fn forget(&mut self) {
        let Self { processes, outside, forgets, .. } = self;
        let buffer = outside.behaviour.watch_buffer as usize + 1;
        if outside.store.kept() < 2 * buffer + *forgets {
            return;
        }
        let awaited = processes.iter().filter_map(|process| process.awaits(outside.now));
        let awaited = awaited.map(|number| number as usize).min().unwrap_or(usize::MAX);
        outside.forget(awaited.min(outside.store.written() - buffer));
    }

    /// Watches show what was written.
    fn show(&mut self) {
        for process in &mut self.processes {
            process.show_all(&mut self.outside);
        }
    }

    pub(super) fn answer(&mut self, message: u32) {
        let Self { processes, outside, .. } = self;
        let Some(message) = outside.messages.remove(message) else { return };
        let took = outside.now.saturating_since(message.sent);
        outside.statistics.late_answers += u64::from(took > self.scenario.request_timeout);
        if let (Body::Answer(answered), Some(process)) =
            (message.body, processes.get_mut(message.replica as usize))
        {
            process.answered(outside, message.life, answered);
        }
    }

    /// A process is no more; it may start again.
    pub(super) fn exit(&mut self, index: u32, crashed: bool, back: Option<Span>) {
        let Self { processes, outside, .. } = self;
        let Some(process) = processes.get_mut(index as usize) else { return };
        if !process.is_alive() {
            return;
        }
        process.stop(outside, crashed);
        if let Some(back) = back.or_else(|| process.back.take()) {
            let start = Event::Start { replica: index, lives: process.lives };
            outside.queue.push(outside.now + back, start);
        }
    }

    /// A planned fault begins.
    pub(super) fn begin(&mut self, fault: u32) {
        let index = fault as usize;
        let Some(planned) = self.scenario.faults.get(index) else { return };
        if self.healed {
            return;
        }
        let planned = planned.clone();
        if let Some(coming) = self.coming.get_mut(index) {
            *coming = coming.saturating_sub(1);
            if let Some(every) = planned.every.filter(|_| *coming > 0) {
                self.outside.queue.push(self.outside.now + every, Event::Begin(fault));
            }
        }
        let (kind, who) = (planned.fault.kind(), planned.fault.who().to_vec());
        self.outside.statistics.faults += 1;
        self.outside.emit(What::Fault { fault, kind, who: who.clone() });
        if let Some(lasts) = planned.lasts {
            self.outside.queue.push(self.outside.now + lasts, Event::End(fault));
        }
        match &planned.fault {
            Fault::Partition { direction, .. } => {
                self.trouble(fault, &who, *direction, Trouble::Blocked);
            }
            Fault::Delay { direction, by, .. } => {
                self.trouble(fault, &who, *direction, Trouble::Slow(*by));
            }
            Fault::Loss { direction, ppm, .. } => {
                self.trouble(fault, &who, *direction, Trouble::Lossy(*ppm));
            }
            Fault::Duplicate { ppm, .. } => {
                self.trouble(fault, &who, Direction::Both, Trouble::Doubling(*ppm));
            }
            Fault::SlowCalls { calls, direction, by, .. } => {
                let (calls, direction, by) = (calls.clone(), *direction, *by);
                self.outside.lags.begin(Lag { of: fault, who, calls, direction, by });
            }
            Fault::Load { slots, load } => self.measure(*slots, *load),
            Fault::StoreOutage { how } => self.outside.outages.push((fault, *how)),
            Fault::StoreSlow { before, after } => self.outside.slow.push((fault, *before, *after)),
            Fault::StoreErrors { before_ppm, after_ppm } => {
                self.outside.errors.push((fault, *before_ppm, *after_ppm));
            }
            fault_of_replica => {
                for replica in who {
                    self.hit(fault, fault_of_replica, replica);
                }
            }
        }
        if let Some(place) = self.troubled.get_mut(index) {
            place.get_or_insert_default();
        }
    }

    fn trouble(&mut self, fault: u32, who: &[u32], direction: Direction, trouble: Trouble) {
        let sites = who.iter().map(|who| Site::Of(Target::Replica(*who))).collect();
        let links = Links { sites, from: Vec::new(), direction };
        let resolve = |target| match target {
            Target::Replica(index) => vec![index],
            _ => Vec::new(),
        };
        let links: Vec<LinkId> = self.outside.net.links(&links, resolve);
        self.outside.net.trouble(&links, fault, trouble);
        if let Some(place) = self.troubled.get_mut(fault as usize) {
            *place = Some(links);
        }
    }

    /// A fault hits one replica.
    fn hit(&mut self, number: u32, fault: &Fault, index: u32) {
        let Self { processes, outside, scenario, .. } = self;
        let Some(process) = processes.get_mut(index as usize) else { return };
        match fault {
            Fault::WatchStall { .. } => process.stalls.push(number),
            Fault::WatchBreak { .. } => process.break_watch(outside),
            Fault::Pause { .. } => {
                if process.paused.is_empty() {
                    outside.statistics.pauses += 1;
                    outside.emit(What::Paused { replica: index });
                }
                process.paused.push(number);
            }
            Fault::Crash { back, with, .. } => {
                process.replica.change(with);
                self.exit(index, true, *back);
            }
            Fault::Start { .. } => {
                let lives = process.lives;
                self.start(index, lives);
            }
            Fault::Leave { back, with, .. } if process.is_alive() => {
                process.replica.change(with);
                process.back = *back;
                outside.emit(What::Leaving { replica: index });
                process.tell(outside, Input::Leave);
            }
            Fault::Reconfigure { with, .. } => {
                process.replica.change(with);
                // The scenario was checked; the machine keeps its own incarnation.
                if let Ok(config) = scenario.config(&process.replica, "".into()) {
                    process.tell(outside, Input::Reconfigure(config.into()));
                }
            }
            Fault::SlowDrain { by, .. } => process.drains.push((number, *by)),
            Fault::Drift { rate_ppb, .. } => process.drift(outside, *rate_ppb),
            Fault::Delete { .. } => {
                let delete = Op::Delete(process.record.clone(), None);
                self.meddle(delete);
            }
            Fault::Edit { state, .. } => {
                let held = outside.store.get(&process.record);
                let forged = held.and_then(|held| {
                    let Held { name, value, version } = held;
                    Some(Op::Update(name.clone(), value.forged(*state)?, *version))
                });
                if let Some(forged) = forged {
                    self.meddle(forged);
                }
            }
            _ => {}
        }
    }

    /// What is measured on these slots changes.
    fn measure(&mut self, slots: [u32; 2], load: u32) {
        let Self { processes, outside, scenario, .. } = self;
        let [first, last] = slots.map(|slot| slot as usize);
        let known = outside.loads.take();
        let mut loads =
            known.map_or_else(|| vec![1; scenario.slots as usize], |loads| loads.to_vec());
        if let Some(some) = loads.get_mut(first..=last) {
            some.fill(load);
        }
        let loads: Arc<[u32]> = loads.into();
        outside.loads = Some(Arc::clone(&loads));
        outside.emit(What::Measured { slots, load });
        for process in processes {
            process.tell(outside, Input::Measured(Arc::clone(&loads)));
        }
    }

    /// Somebody from outside of the group writes.
    fn meddle(&mut self, op: Op<S::Value>) {
        let now = self.outside.now;
        if self.outside.apply(None, now, op).1.is_some() {
            self.show();
        }
    }

    /// A fault ends.
    pub(super) fn end(&mut self, fault: u32) {
        let Some(links) = self.troubled.get_mut(fault as usize).and_then(Option::take) else {
            return;
        };
        let Self { processes, outside, scenario, .. } = self;
        outside.emit(What::FaultEnded { fault });
        outside.net.heal(&links, fault);
        outside.outages.retain(|(of, _)| *of != fault);
        outside.slow.retain(|(of, ..)| *of != fault);
        outside.errors.retain(|(of, ..)| *of != fault);
        outside.lags.end(fault);
        let Some(planned) = scenario.faults.get(fault as usize) else { return };
        for who in planned.fault.who() {
            let Some(process) = processes.get_mut(*who as usize) else { continue };
            process.drains.retain(|(of, _)| *of != fault);
            if matches!(planned.fault, Fault::Drift { .. }) {
                process.drift(outside, process.replica.rate_ppb);
            }
            if process.stalls.contains(&fault) {
                process.stalls.retain(|of| *of != fault);
                process.show_all(outside);
            }
            if process.paused.contains(&fault) {
                process.paused.retain(|of| *of != fault);
                if process.paused.is_empty() {
                    process.resume(outside);
                }
            }
        }
    }

    /// Everything heals.
    pub(super) fn heal(&mut self) {
        self.healed = true;
        for fault in 0..u32::try_from(self.scenario.faults.len()).unwrap_or(u32::MAX) {
            self.end(fault);
        }
        self.outside.net.calm();
        self.outside.behaviour.error_ppm = 0;
        self.outside.emit(What::Healed);
    }
}

impl<S: System> Process<S> {
    /// The process goes on: by chance it first works, looks at its timers, or at what came.
    fn resume(&mut self, outside: &mut super::Outside<S::Value>) {
        outside.emit(What::Resumed { replica: self.index });
        let order = self.chance.below(3);
        if mem::take(&mut self.ticks) && order == 0 {
            self.begin_work(outside);
        }
        if order < 2 {
            self.timeout(outside);
        }
        for (cause, delivery) in mem::take(&mut self.inbox) {
            outside.queue.set_cause(cause);
            self.deliver(outside, delivery);
        }
        if order == 2 {
            self.timeout(outside);
        }
        self.catch_up(outside);
        self.settle(outside);
    }
}

#[cfg(test)]
mod tests {
    use crate::sharding::{Scenario, tenure_world};

    /// Watches that stand still, break and come back, behind a buffer of a few writes: what has been
    /// forgotten would have been shown to nobody.
    #[test]
    fn what_is_forgotten_changes_nothing() {
        let scenario: Scenario = serde_json::from_str(
            r#"{"name": "forgets", "description": "", "mode": "ranked", "horizon": "30m",
                "replicas": [{"count": 5}], "store": {"watch_buffer": 7},
                "faults": [
                    {"at": "20s", "for": "11s", "every": "31s", "times": 40, "fault": {"watch-stall": {"who": [1, 2]}}},
                    {"at": "25s", "for": "20s", "every": "47s", "times": 30, "fault": {"pause": {"who": [3]}}},
                    {"at": "40s", "for": "30s", "every": "90s", "times": 15, "fault": {"partition": {"who": [4]}}}
                ]}"#,
        )
        .unwrap();
        let run = |forgets: usize| {
            let mut world = tenure_world(&scenario, 3, &[]).unwrap();
            world.forgets = forgets;
            let outcome = world.run(&mut ());
            (outcome, world.outside.store.kept(), world.outside.store.written())
        };
        let (never, kept, written) = run(usize::MAX / 2);
        assert_eq!(kept, written, "nothing is forgotten");
        for forgets in [0, 100] {
            let (outcome, kept, _) = run(forgets);
            assert_eq!((outcome.digest, outcome.end), (never.digest, never.end));
            assert!(kept < forgets + 60 && written > 2_000, "{kept} of {written}");
        }
        assert!(never.statistics.shown > 1_000);
    }
}
