//! The acts that have begun and not ended: what a drain waits for, and what is broken off when authority
//! has ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

/// Acts under way, by the UID of their object.
#[derive(Debug, Clone)]
pub struct InFlight(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    acts: Mutex<Acts>,
    ended: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Acts {
    next: u64,
    under_way: BTreeMap<u64, (Arc<str>, Arc<Notify>)>,
}

impl Default for InFlight {
    fn default() -> Self {
        let ended = watch::Sender::new(());
        Self(Arc::new(Shared { acts: Mutex::default(), ended }))
    }
}

/// One act; it has ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    shared: Arc<Shared>,
    number: u64,
    stop: Arc<Notify>,
}

impl InFlight {
    fn acts(&self) -> MutexGuard<'_, Acts> {
        // Nothing in here panics; a table that was left half-way is still the table.
        self.0.acts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an act. To be called *before* the right to it is asked for: between the two somebody may
    /// revoke that right, and must find this act to wait for.
    pub(crate) fn begin(&self, uid: Arc<str>) -> Ticket {
        let mut acts = self.acts();
        let (number, stop) = (acts.next, Arc::new(Notify::new()));
        acts.next += 1;
        acts.under_way.insert(number, (uid, Arc::clone(&stop)));
        Ticket { shared: Arc::clone(&self.0), number, stop }
    }

    /// Breaks off the acts on objects that `of` picks.
    pub(crate) fn abort(&self, of: impl Fn(&str) -> bool) {
        for (_, stop) in self.acts().under_way.values().filter(|(uid, _)| of(uid)) {
            stop.notify_one(); // remembered, if it does not wait yet
        }
    }

    /// Waits until no act on such objects is under way. Who has stopped granting any waits for the last.
    pub(crate) async fn ended(&self, of: impl Fn(&str) -> bool) {
        let mut ended = self.0.ended.subscribe();
        while self.acts().under_way.values().any(|(uid, _)| of(uid)) {
            let _ = ended.changed().await; // the sender is in `self`
        }
    }
}

impl Ticket {
    /// Waits until the act is to be broken off.
    pub(crate) async fn stopped(&self) {
        self.stop.notified().await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut acts = self.shared.acts.lock().unwrap_or_else(PoisonError::into_inner);
        acts.under_way.remove(&self.number);
        drop(acts);
        self.shared.ended.send_replace(());
    }
}
