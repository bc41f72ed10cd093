//! All replicas act: one joins, one leaves, one crashes, watches expire; with and without `shardSelector`.

use tenure_kubernetes::clock;

use crate::server::Support;
use crate::world::{World, until};

async fn life(support: Support, sharding: &'static str) -> World {
    let mut world = World::new(support, 24, &[sharding]).await;
    world.start("pod-0");
    world.start("pod-1");
    world.only(&["pod-0", "pod-1"]).await;
    world.edits(8).await;

    world.start("pod-2");
    world.edits(4).await;
    world.only(&["pod-0", "pod-1", "pod-2"]).await;
    world.edits(8).await;

    world.server.expire_watches(support == Support::Honoured);
    world.edits(8).await;

    world.leave("pod-0").await;
    world.edits(4).await;
    world.crash("pod-1");
    world.edits(4).await;
    world.only(&["pod-2"]).await;
    let all = world.replicas["pod-2"].0.authority.standing(clock::instant()).slots;
    assert!(all <= 256);
    until("pod-2 has all", || {
        world.replicas["pod-2"].0.authority.standing(clock::instant()).slots == 256
    })
    .await;
    world.edits(4).await;
    world.settled().await;
    world.assert_one_owner();
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_object_has_one_owner() {
    life(Support::Honoured, "--sharding=ranked").await;
}
