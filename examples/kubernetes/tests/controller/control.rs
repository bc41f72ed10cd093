//! That the check can fail: a controller that asks nobody whether it may act.

use std::sync::Arc;

use tenure::time::Instant;
use tenure_kubernetes::api::Api;
use tenure_kubernetes::authority::{Authority, Grant, Standing};
use tenure_kubernetes::in_flight::InFlight;
use tenure_kubernetes::metrics::Metrics;
use tenure_kubernetes::objects::{Objects, Scope};
use tenure_kubernetes::work::Work;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::check::Verdict;
use crate::server::Support;
use crate::world::{World, client};

/// Says yes.
struct Anybody;

impl Authority for Anybody {
    fn grant(&self, _: &str, now: Instant) -> Option<Grant> {
        Some(Grant { token: 1, until: now + std::time::Duration::from_secs(5) })
    }

    fn standing(&self, _: Instant) -> Standing {
        Standing::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_ask_is_found() {
    let world = World::new(Support::Ignored, 12, &[]).await;
    let mut run = JoinSet::new();
    let (_scope, scopes) = watch::channel(Scope::Everything);
    for name in ["pod-0", "pod-1", "pod-2"] {
        let metrics = Arc::new(Metrics::new());
        let api = Api::new(client(&world.server, name), Arc::clone(&metrics));
        let (sender, seen) = mpsc::channel(256);
        let (objects, scopes) = (Objects::new(api.clone(), "default"), scopes.clone());
        run.spawn(async move { objects.follow(scopes, sender).await });
        let (authority, in_flight) = (Arc::new(Anybody), InFlight::default());
        let journal = world.journal();
        run.spawn(
            Work { authority, api, owner: name.into(), in_flight, metrics, journal }.run(seen),
        );
    }
    world.edits(10).await;
    world.settled().await;
    let Verdict::TwoOwners(found) = world.judge() else { panic!("the check sees nothing") };
    assert!(found.iter().any(|what| what.contains("began while")), "{found:?}");
}
