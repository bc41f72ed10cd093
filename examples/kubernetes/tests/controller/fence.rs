//! What keeps a late write of an earlier owner out of an object.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tenure::time::Instant;
use tenure_kubernetes::api::Api;
use tenure_kubernetes::authority::{Authority, Grant, Standing};
use tenure_kubernetes::in_flight::InFlight;
use tenure_kubernetes::metrics::Metrics;
use tenure_kubernetes::objects::Seen;
use tenure_kubernetes::reconcile::{OWNER, Outcome, TOKEN};
use tenure_kubernetes::work::Work;
use tokio::sync::mpsc;

use crate::server::{Server, Support};
use crate::world::{World, client, until};

/// Has this token, or none.
struct Fixed(Option<u64>);

impl Authority for Fixed {
    fn grant(&self, _: &str, now: Instant) -> Option<Grant> {
        Some(Grant { token: self.0?, until: now + Duration::from_secs(5) })
    }

    fn standing(&self, _: Instant) -> Standing {
        Standing::default()
    }
}

/// Lets a replica with this right act on an object as it was read; what came of it.
async fn act(world: &World, name: &str, token: Option<u64>, read: &Value) -> Option<Outcome> {
    let metrics = Arc::new(Metrics::new());
    let api = Api::new(client(&world.server, name), Arc::clone(&metrics));
    let (authority, in_flight) = (Arc::new(Fixed(token)), InFlight::default());
    world.acts.lock().unwrap().clear();
    let journal = world.journal();
    let work = Work {
        authority,
        api,
        owner: name.into(),
        in_flight,
        metrics: Arc::clone(&metrics),
        journal,
    };
    let (sender, seen) = mpsc::channel(4);
    let run = tokio::spawn(work.run(seen));
    sender
        .send(Seen::Stored(Box::new(serde_json::from_value(read.clone()).unwrap())))
        .await
        .unwrap();
    let asked = || {
        let text = metrics.text(Standing::default(), Instant::default());
        text.contains("tenure_reconciles_total{")
    };
    until("it has been asked", asked).await;
    until("it is told", || token.is_none() || !world.acts.lock().unwrap().is_empty()).await;
    run.abort();
    world.acts.lock().unwrap().first().map(|act| act.outcome.clone())
}

fn map(server: &Server) -> Value {
    server.state().store.get(&("configmaps", "map-0".to_owned())).unwrap()
}

fn owner(server: &Server) -> Value {
    map(server)["metadata"]["annotations"][OWNER].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_writes_are_refused() {
    let world = World::new(Support::Ignored, 1, &[]).await;
    let edit = |text: &str| {
        let patch = json!({"data": {"text": text}});
        world.server.edit(|store| store.patch(("configmaps", "map-0".into()), &patch).unwrap())
    };
    let first = map(&world.server);
    assert_eq!(act(&world, "nobody", None, &first).await, None);
    assert_eq!(owner(&world.server), Value::Null, "without a right nothing is done");
    assert_eq!(act(&world, "new", Some(8), &first).await, Some(Outcome::Written));
    // An earlier owner had read it before.
    assert_eq!(act(&world, "old", Some(7), &first).await, Some(Outcome::Conflict));
    // It reads it again, and does not know yet that it was replaced.
    let edited = edit("b");
    assert_eq!(act(&world, "old", Some(7), &edited).await, Some(Outcome::Superseded));
    assert_eq!(owner(&world.server), "new");
    assert_eq!(act(&world, "new", Some(8), &edited).await, Some(Outcome::Written));
    assert_eq!(act(&world, "next", Some(9), &map(&world.server)).await, Some(Outcome::Unchanged));

    // A copy has the annotations as well; the right of another object is none to it.
    let mut copy = edit("c");
    copy["metadata"]["uid"] = "another".into();
    copy["metadata"]["annotations"][TOKEN] =
        map(&world.server)["metadata"]["annotations"][TOKEN].clone();
    assert_eq!(act(&world, "elsewhere", Some(1), &copy).await, Some(Outcome::Written));
    world.server.edit(|store| store.delete(("configmaps", "map-0".into()), &json!({})).unwrap());
    assert_eq!(act(&world, "new", Some(9), &edited).await, Some(Outcome::Gone));
}
