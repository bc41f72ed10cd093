//! Watches: an API server shows a replica each change of an object, in the order of its versions.
//!
//! A watch is a connection. It shows the object as it is when it begins, and from then on each change,
//! each of which takes the way of any message, but overtakes none. What gets lost on the way breaks
//! the connection: the replica notices after a while (`Network::rewatch`) and connects anew. What
//! still comes over an old connection is dropped.

use tenure::election::{Stored, Watched};
use tenure::lock::Kind;

use super::{Body, Event, LOCK, Message, Outside, Who};
use crate::net::{Fate, LinkId, Way};
use crate::time::SimTime;

/// One replica's watch of one object.
#[derive(Debug)]
pub(crate) struct Watch {
    who: Who,
    object: Kind,
    api: u32,
    /// Counts connections.
    connection: u32,
    /// The API server shows changes over it.
    open: bool,
    /// When what was shown last arrives.
    last: SimTime,
    /// The object was shown to be there, so that its absence means something.
    seen: bool,
}

impl Outside {
    /// A process begins to watch objects.
    pub(crate) fn watch(&mut self, who: Who, api: u32, objects: impl Iterator<Item = Kind>) {
        for object in objects {
            let (connection, last) = (0, SimTime::ZERO);
            self.watches.push(Watch {
                who,
                object,
                api,
                connection,
                open: false,
                last,
                seen: false,
            });
            self.connect(self.watches.len() - 1);
        }
    }

    /// A process is gone.
    pub(crate) fn unwatch(&mut self, replica: u32) {
        self.watches.retain(|watch| watch.who.replica != replica);
    }

    /// A replica goes to another API server when it connects next.
    pub(crate) fn watch_at(&mut self, replica: u32, api: u32) {
        let mine = self.watches.iter_mut().filter(|watch| watch.who.replica == replica);
        mine.for_each(|watch| watch.api = api);
    }

    fn connect(&mut self, index: usize) {
        let rewatch = self.rewatch;
        let Some(watch) = self.watches.get_mut(index) else { return };
        watch.connection += 1;
        watch.open = false;
        let &mut Watch { who, object, api, connection, .. } = watch;
        let again = Event::Rewatch { replica: who.replica, object, connection };
        self.queue.push(self.now + rewatch, again);
        let link = self.net.request(who.replica, api);
        let fate = self.fate(link);
        self.post(link, fate, Message { who, body: Body::Watch { api, object, connection } });
    }

    /// A replica has waited for its watch for long enough.
    pub(crate) fn rewatch(&mut self, replica: u32, object: Kind, connection: u32) {
        let same = |watch: &Watch| {
            watch.who.replica == replica && watch.object == object && watch.connection == connection
        };
        if let Some(index) = self.watches.iter().position(|watch| same(watch) && !watch.open) {
            self.connect(index);
        }
    }

    /// The wish to watch has reached an API server.
    pub(super) fn opened(&mut self, who: Who, api: u32, object: Kind, connection: u32) {
        if self.outage(api).is_some() {
            return; // the replica asks again
        }
        let same = |watch: &Watch| {
            watch.who == who && watch.object == object && watch.connection == connection
        };
        let Some(index) = self.watches.iter().position(same) else { return };
        let Some(watch) = self.watches.get_mut(index) else { return };
        if std::mem::replace(&mut watch.open, true) {
            return; // a duplicate of what came before
        }
        let (last, seen) = (self.now, watch.seen);
        watch.last = last;
        let stored = self.store.get_of(object, LOCK).ok().cloned();
        if stored.is_some() || seen {
            self.show(index, stored);
        }
    }

    /// An object has changed: whoever watches it is shown.
    pub(super) fn changed(&mut self, object: Kind) {
        self.keep(object);
        for index in 0..self.watches.len() {
            if self.watches.get(index).is_some_and(|it| it.open && it.object == object) {
                self.show(index, self.store.get_of(object, LOCK).ok().cloned());
            }
        }
    }

    fn show(&mut self, index: usize, stored: Option<Stored>) {
        let Some(&Watch { who, object, api, connection, .. }) = self.watches.get(index) else {
            return;
        };
        let stall = self.stalls.iter().find(|(_, replica)| *replica == who.replica);
        if let Some(&(fault, _)) = stall {
            // Nobody notices: it is watched anew when the fault ends.
            self.blame(fault);
            return;
        }
        let down = self.outage(api).is_some();
        let link = self.net.response(who.replica, api);
        let fate = self.fate(link);
        let (now, rewatch) = (self.now, self.rewatch);
        let Some(watch) = self.watches.get_mut(index) else { return };
        let Some(takes) = fate.takes.filter(|_| !down && fate.way != Way::Reset) else {
            watch.open = false;
            let again = Event::Rewatch { replica: who.replica, object, connection };
            self.queue.push(now + rewatch, again);
            return;
        };
        watch.seen |= stored.is_some();
        let held = fate.way == Way::Held;
        if !held {
            watch.last = watch.last.max(now + takes);
        }
        let at = watch.last;
        let watched = stored.map_or(Watched::Deleted, Watched::Stored).into();
        let message = Message { who, body: Body::Shown { object, connection, watched } };
        if let Some(link) = link.filter(|_| held) {
            self.held.push((link, fate, message));
            return;
        }
        let message = self.messages.insert(message);
        self.queue.push(at, Event::Arrive(message));
    }

    /// What was held up is shown after all: nothing overtakes it.
    pub(super) fn show_late(&mut self, fate: Fate, message: Message) {
        let Body::Shown { object, connection, .. } = message.body else { return };
        let same = |watch: &&mut Watch| {
            watch.who == message.who && watch.object == object && watch.connection == connection
        };
        let Some(watch) = self.watches.iter_mut().find(same) else { return };
        watch.last = watch.last.max(self.now + fate.takes.unwrap_or_default());
        let at = watch.last;
        let message = self.messages.insert(message);
        self.queue.push(at, Event::Arrive(message));
    }

    /// Connections are reset: watches over them break.
    pub(crate) fn reset_watches(&mut self, fault: u32, links: &[LinkId]) {
        for index in 0..self.watches.len() {
            let Some(&Watch { who, object, api, connection, open, .. }) = self.watches.get(index)
            else {
                break;
            };
            if open && self.concerns(links, who.replica, api) {
                self.blame(fault);
                if let Some(watch) = self.watches.get_mut(index) {
                    watch.open = false;
                }
                let again = Event::Rewatch { replica: who.replica, object, connection };
                self.queue.push(self.now + self.rewatch, again);
            }
        }
    }

    /// Whether what a watch shows comes over its present connection.
    pub(crate) fn is_connected(&self, who: Who, object: Kind, connection: u32) -> bool {
        self.watches.iter().any(|watch| {
            watch.who == who && watch.object == object && watch.connection == connection
        })
    }

    /// A fault silences a replica's watches.
    pub(crate) fn stall(&mut self, fault: u32, replica: u32) {
        self.stalls.push((fault, replica));
    }

    /// It is over: what was silent begins anew.
    pub(crate) fn unstall(&mut self, fault: u32, replica: u32) {
        self.stalls.retain(|(other, _)| *other != fault);
        if self.stalls.iter().any(|(_, other)| *other == replica) {
            return;
        }
        for index in 0..self.watches.len() {
            if self.watches.get(index).is_some_and(|watch| watch.who.replica == replica) {
                self.connect(index);
            }
        }
    }
}
