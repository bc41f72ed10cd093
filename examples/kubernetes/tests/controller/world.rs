//! Replicas in one process, objects that somebody edits all the time, and what everybody did.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Config;
use serde_json::{Value, json};
use tenure_kubernetes::controller::{self, Replica, Run};
use tenure_kubernetes::reconcile::{DIGEST, TOKEN, digest};
use tenure_kubernetes::work::{Act, Journal};
use tenure_kubernetes::{Options, clock, connect};

use crate::check::{Verdict, check};
use crate::server::store::text;
use crate::server::{Server, Support};

/// How long anything may take that must happen. (Machines of tests are slow and shared.)
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) replicas: BTreeMap<&'static str, (Arc<Replica>, Run)>,
    pub(crate) acts: Arc<Mutex<Vec<Act>>>,
    arguments: Vec<&'static str>,
}

/// A client of one replica.
pub(crate) fn client(server: &Server, name: &str) -> kube::Client {
    connect(Config::new(format!("http://{}", server.address).parse().unwrap()), name).unwrap()
}

/// The token in the annotation of that name.
pub(crate) fn token(annotation: &str) -> Option<u64> {
    annotation.split_once('/')?.1.parse().ok()
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = clock::instant() + PATIENCE;
    while !holds() {
        assert!(clock::instant() < end, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn config_map(name: &str, data: &str) -> Value {
    json!({
        "kind": "ConfigMap", "apiVersion": "v1", "data": {"text": data},
        "metadata": {"name": name, "labels": {"tenure.dev/demo": "true"}},
    })
}

impl World {
    /// With so many objects. `arguments` are the replicas'.
    pub(crate) async fn new(support: Support, objects: u32, arguments: &[&'static str]) -> Self {
        let server = Server::start(support).await;
        server.edit(|store| {
            for number in 0..objects {
                store.create("configmaps", config_map(&format!("map-{number}"), "")).unwrap();
            }
            // Not to be touched.
            let mut other = config_map("other", "");
            other["metadata"]["labels"] = json!({"tenure.dev/demo": "no"});
            store.create("configmaps", other).unwrap();
        });
        // Short, and as far from each other as the defaults.
        let durations = ["--lease-duration=3s", "--renew-deadline=2s", "--retry-period=300ms"];
        let arguments =
            [&["controller", "--namespace=default", "--group=shards"], &durations[..], arguments]
                .concat();
        Self { server, replicas: BTreeMap::new(), acts: Arc::default(), arguments }
    }

    pub(crate) fn options(&self, name: &str) -> Options {
        let name = format!("--pod-name={name}");
        let arguments = self.arguments.iter().copied().chain([name.as_str()]);
        Options::try_parse_from(arguments).unwrap()
    }

    pub(crate) fn journal(&self) -> Journal {
        let acts = Arc::clone(&self.acts);
        Arc::new(move |act: &Act| acts.lock().unwrap().push(act.clone()))
    }

    pub(crate) fn start(&mut self, name: &'static str) {
        let client = client(&self.server, name);
        let replica = controller::start(&self.options(name), client, self.journal()).unwrap();
        assert!(self.replicas.insert(name, replica).is_none(), "two of one name");
    }

    /// It ends in the middle of whatever it does.
    pub(crate) fn crash(&mut self, name: &'static str) {
        drop(self.replicas.remove(name).unwrap());
    }

    /// As by SIGTERM.
    pub(crate) async fn leave(&mut self, name: &'static str) {
        let (replica, run) = self.replicas.remove(name).unwrap();
        replica.asker.send_replace(true);
        tokio::time::timeout(PATIENCE, run.done()).await.expect("it leaves").unwrap();
    }

    /// Who may act on something now.
    pub(crate) fn active(&self) -> Vec<&'static str> {
        let now = clock::instant();
        let acts = |replica: &Replica| {
            let standing = replica.authority.standing(now);
            standing.leading || standing.slots > 0
        };
        self.replicas
            .iter()
            .filter(|(_, (replica, _))| acts(replica))
            .map(|(name, _)| *name)
            .collect()
    }

    /// How many objects all replicas together have in memory.
    pub(crate) fn known(&self) -> usize {
        let now = clock::instant();
        let known = |replica: &Replica| -> usize {
            let text = replica.metrics.text(replica.authority.standing(now), now);
            let line = text.lines().find_map(|line| line.strip_prefix("tenure_objects "));
            line.unwrap().parse().unwrap()
        };
        self.replicas.values().map(|(replica, _)| known(replica)).sum()
    }

    /// The version of the store.
    pub(crate) fn version(&self) -> u64 {
        self.server.state().store.version
    }

    /// Waits until these may act, and no others.
    pub(crate) async fn only(&self, names: &[&str]) {
        until(&format!("{names:?} act"), || self.active() == names).await;
    }

    /// Writes data into some objects, as users do, for a while.
    pub(crate) async fn edits(&self, rounds: usize) {
        for round in 0..rounds {
            self.server.edit(|store| {
                let names: Vec<_> =
                    store.objects.keys().filter(|(of, _)| *of == "configmaps").cloned().collect();
                for (at, key) in names.into_iter().enumerate() {
                    if (at + round).is_multiple_of(4) && key.1.starts_with("map-") {
                        let patch =
                            json!({"data": {"text": format!("{round} of {:?}", clock::instant())}});
                        store.patch(key, &patch).unwrap();
                    }
                }
            });
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Waits until all objects say what they should.
    pub(crate) async fn settled(&self) {
        until("all objects are reconciled", || {
            let state = self.server.state();
            state.store.objects.iter().all(|((of, name), object)| {
                !(*of == "configmaps" && name.starts_with("map-")) || {
                    let map: ConfigMap = serde_json::from_value(object.clone()).unwrap();
                    map.metadata.annotations.as_ref().and_then(|a| a.get(DIGEST))
                        == Some(&digest(&map))
                }
            })
        })
        .await;
    }

    /// Judges all that was done: the acts, and what came of them in the store.
    pub(crate) fn judge(&self) -> Verdict {
        let state = self.server.state();
        let pointer = format!("/metadata/annotations/{}", TOKEN.replace('/', "~1"));
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        for change in &state.store.history {
            let Some(after) = &change.after else { continue };
            if change.key.1 == "other" {
                assert!(change.before.is_none(), "an object without the label was touched");
            }
            let Some(token) = token(text(after, &pointer)) else { continue };
            let last = last.entry(change.key.1.clone()).or_default();
            assert!(*last <= token, "a token of {} went back", change.key.1);
            *last = token;
        }
        check(&self.acts.lock().unwrap())
    }

    /// That there was one owner of each object at any time, and at least five hand-overs.
    pub(crate) fn assert_one_owner(&self) {
        let verdict = self.judge();
        assert!(matches!(verdict, Verdict::OneOwner { .. }), "{verdict}");
        println!("{} acts: {verdict}", self.acts.lock().unwrap().len());
    }
}
