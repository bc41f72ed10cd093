//! An API server in memory, over real HTTP on loopback: as much of Kubernetes as the controller needs, with
//! faults.

pub(crate) mod fault;
mod http;
pub(crate) mod store;
mod watch;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use tenure::time::Instant;
use tenure_kubernetes::clock;
use tokio::sync::watch as channel;

use fault::{Calls, Effect, Fault};
use store::Store;

/// What the server makes of a `shardSelector`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Support {
    /// It applies it, and says so (1.36 with the feature on).
    Honoured,
    /// It does not know the parameter (all before).
    Ignored,
    /// It refuses it.
    Refused,
    /// It applies another, and says so.
    Different,
}

/// A call that came.
#[derive(Debug, Clone)]
pub(crate) struct Called {
    pub(crate) of: String,
    pub(crate) verb: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) at: Instant,
}

impl Called {
    /// Of a parameter; empty if there is none.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.query.iter().find(|(of, _)| of == name).map_or("", |(_, value)| value)
    }
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) faults: Vec<Fault>,
    pub(crate) calls: Vec<Called>,
    pub(crate) support: Support,
    /// Replicas that reach nothing, and whom nothing reaches.
    pub(crate) cut_off: BTreeSet<&'static str>,
    /// Rises when all watches are to end.
    pub(crate) watches_cut: u64,
    /// Whether a watch that begins too early is refused by HTTP's status, or by its first event.
    pub(crate) gone_by_status: bool,
}

/// The server. Ends with the runtime.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    state: Arc<Mutex<State>>,
    changed: channel::Sender<()>,
    pub(crate) address: std::net::SocketAddr,
}

impl Server {
    pub(crate) async fn start(support: Support) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = State {
            store: Store::default(),
            faults: Vec::new(),
            calls: Vec::new(),
            support,
            cut_off: BTreeSet::new(),
            watches_cut: 0,
            gone_by_status: false,
        };
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(state));
        let server = Self { state, changed: channel::Sender::new(()), address };
        let router = http::router(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        server
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Does something in the store, as somebody with kubectl.
    pub(crate) fn edit<T>(&self, edit: impl FnOnce(&mut Store) -> T) -> T {
        let edited = edit(&mut self.state().store);
        self.changed.send_replace(());
        edited
    }

    pub(crate) fn fault(&self, calls: Calls, effect: Effect, times: u32) {
        self.state().faults.push(Fault { calls, effect, times });
    }

    /// Cuts a replica off, or joins it again.
    pub(crate) fn cut_off(&self, replica: &'static str, cut: bool) {
        let mut state = self.state();
        if cut {
            state.cut_off.insert(replica)
        } else {
            state.cut_off.remove(replica)
        };
        drop(state);
        self.changed.send_replace(());
    }

    /// Ends all watches; those who come again with a version of before are told that it is gone.
    pub(crate) fn expire_watches(&self, by_status: bool) {
        let mut state = self.state();
        state.watches_cut += 1;
        state.store.version += 1; // as if another resource had been written
        state.store.compacted = state.store.version;
        state.gone_by_status = by_status;
        drop(state);
        self.changed.send_replace(());
    }

    /// Ends all watches; they may go on where they were.
    pub(crate) fn cut_watches(&self) {
        self.state().watches_cut += 1;
        self.changed.send_replace(());
    }

    pub(crate) fn called(&self, verb: &str, resource: &str) -> Vec<Called> {
        let wanted = |call: &&Called| call.verb == verb && call.resource == resource;
        self.state().calls.iter().filter(wanted).cloned().collect()
    }

    pub(crate) fn lease(&self, name: &str) -> Option<Value> {
        self.state().store.get(&("leases", name.to_owned())).ok()
    }

    /// Notes a call, and what is to go wrong with it.
    fn note(
        &self,
        of: &str,
        verb: &'static str,
        resource: &'static str,
        query: &[(String, String)],
    ) -> Option<Effect> {
        let mut state = self.state();
        let at = clock::instant();
        state.calls.push(Called { of: of.to_owned(), verb, resource, query: query.to_vec(), at });
        let fault = state.faults.iter_mut().find(|fault| fault.hits(of, verb, resource))?;
        fault.times -= 1;
        Some(fault.effect.clone())
    }

    /// Waits until this replica reaches the server.
    async fn reached(&self, of: &str) {
        let mut changed = self.changed.subscribe();
        while self.state().cut_off.contains(of) {
            let _ = changed.changed().await;
        }
    }
}

/// `metav1.Status` of a failure.
fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    })
}
