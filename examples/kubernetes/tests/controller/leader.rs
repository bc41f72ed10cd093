//! One replica acts: graceful hand-over, crash, an API server out of reach.

use std::time::Duration;

use tenure_kubernetes::reconcile::Outcome;
use tenure_kubernetes::work::Act;

use crate::server::Support;
use crate::server::fault::{Calls, Effect};
use crate::world::{World, until};

const MODE: &[&str] = &["--mode=leader"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lock_goes_from_one_to_the_next() {
    let mut world = World::new(Support::Ignored, 6, MODE).await;
    world.start("pod-0");
    world.only(&["pod-0"]).await;
    world.start("pod-1");
    world.edits(10).await;
    world.settled().await;

    // What was begun ends before the lock is free.
    let acts = Calls { verb: "patch", ..Calls::default() };
    world.server.fault(acts, Effect::AnsweredLate(Duration::from_millis(1_200)), u32::MAX);
    world.edits(4).await;
    world.leave("pod-0").await;
    world.server.state().faults.clear();
    let patches = world.server.called("patch", "configmaps");
    let sent = patches.iter().filter(|call| call.of == "pod-0").count();
    let answered = |act: &&Act| &*act.owner == "pod-0" && act.outcome != Outcome::Unchanged;
    let answered = world.acts.lock().unwrap().iter().filter(answered).count();
    assert!(sent <= answered, "something was cut off");
    let lease = world.server.lease("shards").unwrap();
    assert_eq!(lease["spec"]["holderIdentity"], "", "the lock was released");
    world.only(&["pod-1"]).await;
    world.start("pod-2");
    world.edits(10).await;
    world.settled().await;

    world.crash("pod-1");
    world.only(&["pod-2"]).await;
    world.edits(10).await;
    world.settled().await;

    // Its calls hang. It stops by its own clock, and comes back as a candidate.
    world.start("pod-3");
    world.server.cut_off("pod-2", true);
    until("pod-3 leads", || world.active().contains(&"pod-3")).await;
    world.only(&["pod-3"]).await;
    world.edits(10).await;
    world.server.cut_off("pod-2", false);
    world.settled().await;
    world.only(&["pod-3"]).await;
    world.assert_one_owner();
}
