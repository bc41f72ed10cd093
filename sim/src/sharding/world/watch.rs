//! A replica's watch: in order, late, quiet, broken.

use super::super::system::{Held, Input, Shown, System};
use super::outside::{Body, Event, Message, Outside};
use super::process::{Delivery, Process};
use crate::time::SimTime;

/// A watch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    conn: u32,
    /// What was written after this version is shown.
    after: u64,
    /// The next write of the log to be sent; none before the store knows of the watch.
    next: Option<u32>,
    /// What is on its way begins there at the earliest.
    awaited: u32,
    /// When the last thing sent arrives.
    last: SimTime,
    /// The connection is gone, and the replica does not know.
    cut: bool,
}

impl<S: System> Process<S> {
    /// A list of this version was answered: a watch can begin there.
    pub(super) fn list_answered(&mut self, outside: &mut Outside<S::Value>, version: u64) {
        let wants = self.system.as_ref().is_some_and(|system| system.watches().is_some());
        if !wants || !self.replica.watch || self.watch.is_some() {
            return;
        }
        self.conns += 1;
        let (conn, last) = (self.conns, SimTime::ZERO);
        self.watch = Some(Watch { conn, after: version, next: None, awaited: 0, last, cut: false });
        let message = Message {
            replica: self.index,
            life: self.life(),
            sent: outside.now,
            luck: 0,
            about: None,
            body: Body::Watch { conn, after: version },
        };
        let link = outside.net.request(self.index, 0);
        outside.send(link, &message, Event::Arrive);
        // If that gets lost.
        let rewatch = Event::Rewatch { replica: self.index, conn };
        outside.queue.push(outside.now + outside.rewatch, rewatch);
    }

    /// The store hears of the watch.
    pub(super) fn watch_begins(&mut self, outside: &mut Outside<S::Value>, conn: u32, after: u64) {
        let Some(watch) = &mut self.watch else { return };
        if watch.conn != conn || watch.next.is_some() || !outside.outages.is_empty() {
            return;
        }
        watch.next = u32::try_from(outside.store.first_after(after)).ok();
        watch.awaited = watch.next.unwrap_or_default();
        self.send_shown(outside, None);
        self.show_all(outside);
    }

    /// Sends all that the store has for the watch.
    pub(super) fn show_all(&mut self, outside: &mut Outside<S::Value>) {
        let end = u32::try_from(outside.store.written()).unwrap_or(u32::MAX);
        let Some(Watch { conn, next: Some(next), cut: false, .. }) = self.watch else { return };
        if !self.stalls.is_empty() {
            return;
        }
        if end - next > outside.behaviour.watch_buffer {
            self.cut(outside, conn);
            return;
        }
        for index in next..end {
            let Some(prefix) = self.system.as_ref().and_then(S::watches) else { return };
            let write = outside.store.write(index as usize);
            if write.is_some_and(|write| write.name.starts_with(prefix)) {
                self.send_shown(outside, Some(index));
            }
            if let Some(watch) = &mut self.watch {
                watch.next = Some(index + 1);
            }
        }
    }

    fn send_shown(&mut self, outside: &mut Outside<S::Value>, index: Option<u32>) {
        let Some(watch) = &mut self.watch else { return };
        if watch.cut {
            return;
        }
        let conn = watch.conn;
        let link = outside.net.response(self.index, 0);
        let takes = link.and_then(|link| outside.net.send(link, |_| {}).takes);
        let Some(takes) = takes else {
            outside.statistics.lost += 1;
            self.cut(outside, conn);
            return;
        };
        watch.last = watch.last.max(outside.now + takes);
        outside.queue.push_many(watch.last, Event::Show { replica: self.index, conn, index });
    }

    /// The connection is gone; the replica notices later.
    fn cut(&mut self, outside: &mut Outside<S::Value>, conn: u32) {
        if let Some(watch) = &mut self.watch {
            watch.cut = true;
        }
        let rewatch = Event::Rewatch { replica: self.index, conn };
        outside.queue.push(outside.now + outside.rewatch, rewatch);
    }

    /// The watch says that it left something out.
    pub(super) fn break_watch(&mut self, outside: &mut Outside<S::Value>) {
        if let Some(watch) = &mut self.watch {
            watch.cut = true;
            let conn = watch.conn;
            self.rewatch(outside, conn);
        }
    }

    /// The replica notices that its watch is broken, or never began.
    pub(super) fn rewatch(&mut self, outside: &mut Outside<S::Value>, conn: u32) {
        let broken = |watch: &Watch| watch.conn == conn && (watch.cut || watch.next.is_none());
        if self.watch.as_ref().is_some_and(broken) {
            self.watch = None;
            self.tell(outside, Input::Watched(Shown::Broken));
        }
    }

    /// The number of the oldest write that is on its way by the watch, if one may be.
    pub(super) fn awaits(&self, now: SimTime) -> Option<u32> {
        let watch = self.watch.as_ref().filter(|watch| watch.last >= now)?;
        Some(watch.awaited)
    }

    /// Something that the watch shows arrives.
    pub(super) fn shown(&mut self, outside: &mut Outside<S::Value>, conn: u32, index: Option<u32>) {
        let Some(watch) = &mut self.watch else { return };
        if watch.conn != conn {
            return;
        }
        outside.statistics.shown += 1;
        watch.awaited = index.map_or(watch.awaited, |index| index + 1);
        let Some(index) = index else {
            let input = Input::Watched(Shown::Started(watch.after));
            self.deliver(outside, Delivery { input, learnt: None, renewed: None });
            return;
        };
        let Some(write) = outside.store.write(index as usize) else { return };
        let shown = match &write.value {
            Some(value) => Shown::Stored(Held {
                name: write.name.clone(),
                value: value.clone(),
                version: write.version,
            }),
            None => Shown::Deleted(write.name.clone(), write.version),
        };
        let learnt = outside.committed(index as usize);
        self.deliver(outside, Delivery { input: Input::Watched(shown), learnt, renewed: None });
    }
}
